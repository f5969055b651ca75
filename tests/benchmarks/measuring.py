# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures with their spread, rows that compare two of them, and the same rows as a table, as JSON and as a page."""

from __future__ import annotations

import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
BEGIN, END = "..\n  tables by tests/benchmarks/run.py\n", "..\n  end of the tables by tests/benchmarks/run.py\n"


@dataclass(frozen=True)
class Figure:
    """What several runs of the same took: the median, and the smallest and the largest."""

    values: tuple[float, ...]
    unit: str = "s"

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("a figure needs one run at least")

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def scaled(self, factor: float, unit: str = "") -> Figure:
        return Figure(tuple(value * factor for value in self.values), unit or self.unit)

    def __str__(self) -> str:
        spread = f" ({number(self.low)}–{number(self.high)})" if len(self.values) > 1 else ""
        return f"{number(self.median)} {self.unit}{spread}"


@dataclass(frozen=True)
class Row:
    """*what* took *figure*; *against* took *other* in the same session."""

    what: str
    figure: Figure
    against: str = ""
    other: Figure | None = None
    note: str = ""
    question: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the other this takes: below one is less. None where they cannot be compared."""
        if self.other is None or self.other.unit != self.figure.unit or not self.other.median:
            return None
        return self.figure.median / self.other.median

    def as_dict(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "question": self.question, "what": self.what, **_told(self.figure), "against": self.against,
            "other": _told(self.other) if self.other else None, "ratio": self.ratio, "note": self.note,
        }  # fmt: skip
        return told

    @property
    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else number(self.ratio)
        other = "" if self.other is None else str(self.other)
        return (self.what, str(self.figure), self.against, other, ratio, str(len(self.figure.values)), self.note)


HEAD = ("what", "takes", "against", "takes", "ratio", "runs", "note")


def row_of(told: Mapping[str, Any]) -> Row:
    """A row as `as_dict` has told it."""
    other = _figure_of(told["other"]) if told["other"] else None
    return Row(told["what"], _figure_of(told), told["against"], other, told["note"], told["question"])


def _told(figure: Figure) -> dict[str, Any]:
    return {
        "unit": figure.unit, "median": figure.median, "low": figure.low, "high": figure.high,
        "runs": len(figure.values), "values": list(figure.values),
    }  # fmt: skip


def _figure_of(told: Mapping[str, Any]) -> Figure:
    return Figure(tuple(told["values"]), told["unit"])


def number(value: float) -> str:
    """Three digits that count, and no more than that."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    digits = 1 if size >= 10 else 2 if size >= 1 else 3 if size >= 0.1 else 4
    return f"{value:.{digits}f}"


def wall(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def rounds(runs: int, works: Mapping[str, Callable[[], float]], unit: str = "s") -> dict[str, Figure]:
    """Each of *works* as often as *runs* says, in turns, so that what disturbs the machine disturbs all of them."""
    values: dict[str, list[float]] = {name: [] for name in works}
    for _run in range(runs):
        for name, work in works.items():
            values[name].append(work())
    return {name: Figure(tuple(found), unit) for name, found in values.items()}


def line_through(points: Sequence[tuple[float, float]], at: float) -> float:
    """What the straight line through two points says at another place."""
    (x1, y1), (x2, y2) = points
    return y1 + (y2 - y1) * (at - x1) / (x2 - x1)


@dataclass
class Bench:
    """What a question is told, and how it tells how far it is."""

    runs: int = 3
    quick: bool = False
    whole: bool = False
    folder: Path = field(default_factory=Path)
    say: Callable[[str], None] = print

    def few(self, most: int) -> int:
        """Runs of what takes long."""
        return min(self.runs, most)


def machine(versions: Mapping[str, str]) -> dict[str, Any]:
    """What the figures depend on; no names and no places."""
    with open("/proc/meminfo", encoding="ascii") as file:
        memory = int(next(line for line in file if line.startswith("MemTotal")).split()[1]) / 2**20
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.partition(":")[2].strip() for line in file if line.startswith("model name")), "")
    return {
        "processors": os.cpu_count(), "model": model, "memory_gib": round(memory), "kernel": os.uname().release,
        "architecture": os.uname().machine, "versions": dict(versions),
    }  # fmt: skip


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of text, as wide as they need to be."""
    cells = [HEAD, *(row.cells for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    for line in cells:
        yield "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()


def list_table(rows: Iterable[Row]) -> str:
    """The rows for the page."""
    found = [HEAD, *(row.cells for row in rows)]
    cells = [("* -" if not index else "  -", cell) for row in found for index, cell in enumerate(row)]
    lines = [f"   {mark} {_literal(cell)}".rstrip() for mark, cell in cells]
    return "\n.. list-table::\n   :header-rows: 1\n\n" + "\n".join(lines) + "\n"


def _literal(text: str) -> str:
    """Without what would be markup."""
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def document(facts: Mapping[str, Any], results: Mapping[str, Any]) -> str:
    return json.dumps({"format": FORMAT, "machine": facts, "questions": results}, indent=1, ensure_ascii=False) + "\n"


def summary(found: Mapping[str, Any]) -> Iterator[str]:
    """All that a document tells, as lines of text."""
    for name, one in found["questions"].items():
        yield ""
        yield f"{name}: {one['title']} ({one['seconds']} s)"
        yield from table(row_of(row) for row in one["rows"])
        if one["failed"]:
            yield f"FAILED: {one['failed']}"


def page(found: Mapping[str, Any]) -> str:
    """What stands between the marks: what the machine was, and a table for each question."""
    facts = found["machine"]
    known = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    quick = " This was a quick look: few runs, short lists." if facts["quick"] else ""
    text = (
        f"\nMeasured on {facts['date']}, with {facts['processors']} processors "
        f"({facts['model'] or facts['architecture']}), {facts['memory_gib']} GiB, "
        f"Linux {facts['kernel']}; {known}.{quick}\n"
    )
    for one in found["questions"].values():
        rows = [row_of(row) for row in one["rows"]]
        failed = f"\nNot measured to the end: {one['failed']}\n" if one["failed"] else ""
        text += f"\n{one['title']}\n{'~' * len(one['title'])}\n{failed}{list_table(rows) if rows else ''}"
    return text + "\n"


def between(text: str, begin: str, end: str, new: str) -> str:
    """*text* with *new* between the two marks. ValueError where one is missing."""
    before, first, rest = text.partition(begin)
    _old, second, after = rest.partition(end)
    if not first or not second:
        raise ValueError(f"the marks are missing: {(begin + end).split()}")
    return before + begin + new + end + after
