# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a torture run: what was tried, how often, and how often a promise was broken."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

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

    def text(self) -> str:
        cells = [[one.topic, one.appliance, str(one.cases), str(one.broken), f"{one.seconds:.0f}"]
                 for one in self._sorted()]  # fmt: skip
        totals = [str(sum(one.cases for one in self.rows.values())), str(sum(one.broken for one in self.rows.values())),
                  f"{sum(one.seconds for one in self.rows.values()):.0f}"]  # fmt: skip
        lines = [list(HEAD), *cells, ["all", "", *totals]]
        wide = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
        return "\n".join(
            "  ".join(cell.ljust(width) if column < 2 else cell.rjust(width)
                      for column, (cell, width) in enumerate(zip(line, wide, strict=True)))
            for line in lines
        )  # fmt: skip

    def _sorted(self) -> list[Row]:
        return [self.rows[key] for key in sorted(self.rows)]
