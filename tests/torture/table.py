# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a torture run: what was tried, how often, and how often a promise was broken.

``python tests/torture/table.py .test/torture.json`` writes it into the page of the documentation.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "measured.rst"
BEGIN, END = "..\n  table by tests/torture/table.py\n", "..\n  end of the table by tests/torture/table.py\n"
HEAD = ("topic", "appliance", "cases", "broken", "seconds")


@dataclass(frozen=True)
class Row:
    """``broken``: tests in which a promise was broken; one test may try many cases."""

    topic: str
    appliance: str
    cases: int
    broken: int
    seconds: float


class Table:
    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}

    def add(self, row: Row) -> None:
        key = (row.topic, row.appliance)
        old = self.rows.get(key, Row(row.topic, row.appliance, 0, 0, 0.0))
        self.rows[key] = Row(
            *key, old.cases + row.cases, old.broken + row.broken, old.seconds + row.seconds
        )  # fmt: skip

    def as_data(self) -> list[dict[str, Any]]:
        return [asdict(row) | {"seconds": round(row.seconds, 1)} for row in self._sorted()]

    def lines(self) -> list[list[str]]:
        """Head, rows and sums, as texts."""
        cells = [[one.topic, one.appliance, str(one.cases), str(one.broken), f"{one.seconds:.0f}"]
                 for one in self._sorted()]  # fmt: skip
        totals = [str(sum(one.cases for one in self.rows.values())), str(sum(one.broken for one in self.rows.values())),
                  f"{sum(one.seconds for one in self.rows.values()):.0f}"]  # fmt: skip
        return [list(HEAD), *cells, ["all", "", *totals]]

    def text(self) -> str:
        lines = self.lines()
        wide = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
        return "\n".join(
            "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(line, wide, strict=True)))
            for line in lines
        )  # fmt: skip

    def _sorted(self) -> list[Row]:
        return [self.rows[key] for key in sorted(self.rows)]


def page(found: dict[str, Any]) -> str:
    """What stands between the marks of the page."""
    table = Table()
    for row in found["rows"]:
        table.add(Row(**row))
    about = found["about"]
    head = (
        f"\nRun on {about['date']} with TORTURE_SCALE={about['scale']} on {about['processors']} processors; "
        f"ansible-core {about['ansible-core']}, Python {about['python']}.\n"
    )
    lines = [f"   {'* -' if index == 0 else '  -'} {cell}".rstrip() for line in table.lines()
             for index, cell in enumerate(line)]  # fmt: skip
    return head + "\n.. list-table::\n   :header-rows: 1\n\n" + "\n".join(lines) + "\n\n"


def main(path: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, first, rest = text.partition(BEGIN)
    _old, second, after = rest.partition(END)
    if not first or not second:
        raise SystemExit(f"{PAGE.relative_to(ROOT)}: expected the marks of the table, {BEGIN!r} and {END!r}")
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    PAGE.write_text(before + first + page(found) + second + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
