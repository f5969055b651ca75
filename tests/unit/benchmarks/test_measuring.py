# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Figures, rows and tables of the benchmarks say what was measured, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.tests.benchmarks import measuring
from ansible_collections.egress.allowlist.tests.benchmarks.measuring import Figure, Row

ROOT = Path(__file__).resolve().parents[3]
ROW = Row("ours", Figure((3.0, 1.0, 2.0)), "theirs", Figure((8.0, 4.0, 6.0)), "one note", "apply")
MACHINE = {
    "processors": 2, "model": "", "architecture": "x86_64", "memory_gib": 4, "kernel": "6.1", "date": "2026-01-02",
    "quick": False, "versions": {"Python": "3.13.0", "ansible-core": "2.21.5"},
}  # fmt: skip


def document(**more: object) -> dict:
    found = {"apply": {"title": "A list", "seconds": 7, "failed": "", "rows": [ROW.as_dict()], **more}}
    return json.loads(measuring.document(MACHINE, found))


def test_a_figure_is_the_median_with_its_spread() -> None:
    figure = Figure((3.0, 1.0, 20.0))
    assert (figure.median, figure.low, figure.high) == (3.0, 1.0, 20.0)
    assert str(figure) == "3 s (1–20)"
    assert str(Figure((2.0,), "MB")) == "2 MB"
    assert Figure((1.0, 2.0)).scaled(10).values == (10.0, 20.0)
    with pytest.raises(ValueError, match="one run"):
        Figure(())


def test_a_ratio_is_of_medians_in_one_unit() -> None:
    assert ROW.ratio == pytest.approx(2 / 6)
    assert Row("ours", Figure((1.0,))).ratio is None
    assert Row("ours", Figure((1.0,), "ms"), "theirs", Figure((2.0,))).ratio is None
    assert Row("ours", Figure((1.0,)), "theirs", Figure((0.0,))).ratio is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00123, "0.0012"), (0.1234, "0.123"), (1.234, "1.23"), (12.34, "12.3"), (1234.5, "1,234"), (-24.8, "-24.8"),
     (3.0, "3"), (0.0, "0")],
)  # fmt: skip
def test_numbers_have_no_more_digits_than_count(value, text) -> None:
    assert measuring.number(value) == text


def test_works_take_turns() -> None:
    order: list[str] = []

    def work(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = measuring.rounds(2, {"a": lambda: work("a"), "b": lambda: work("b")})
    assert order == ["a", "b", "a", "b"]
    assert found["a"].values == (1.0, 3.0)


def test_a_line_goes_on_beyond_its_points() -> None:
    assert measuring.line_through([(10, 5.0), (30, 9.0)], 100) == pytest.approx(23.0)


def test_a_row_is_the_same_after_a_file() -> None:
    assert measuring.row_of(document()["questions"]["apply"]["rows"][0]) == ROW


def test_the_table_shows_every_cell() -> None:
    head, line = measuring.table([ROW])
    assert head.split() == ["what", "takes", "against", "takes", "ratio", "runs", "note"]
    assert [cell.strip() for cell in line.split("  ") if cell] == list(ROW.cells)


def test_the_page_has_the_machine_and_all_cells() -> None:
    page = measuring.page(document())
    assert "2 processors (x86_64), 4 GiB, Linux 6.1; Python 3.13.0, ansible-core 2.21.5." in page
    assert "\nA list\n~~~~~~\n" in page
    assert "   * - " + "\n     - ".join(ROW.cells) + "\n" in page
    assert ROW.cells == ("ours", "2 s (1–3)", "theirs", "6 s (4–8)", "0.333", "3", "one note")
    assert "quick" not in page


def test_names_are_no_markup_on_the_page() -> None:
    row = Row("*.a_.example", Figure((1.0,)), "the list | *cdn", Figure((2.0,)))
    page = measuring.list_table([row])
    assert "\\*.a\\_.example\n" in page
    assert "the list \\| \\*cdn\n" in page


def test_what_failed_is_said() -> None:
    found = document(failed="SystemError: no", rows=[])
    assert "Not measured to the end: SystemError: no" in measuring.page(found)
    assert "FAILED: SystemError: no" in list(measuring.summary(found))


def test_a_file_tells_no_names_and_places() -> None:
    facts = measuring.machine({"Python": "3.13.0"})
    assert set(facts) == {"processors", "model", "memory_gib", "kernel", "architecture", "versions"}
    assert "/" not in json.dumps(facts)


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    assert measuring.between("a<old>b", "<", ">", "new") == "a<new>b"
    with pytest.raises(ValueError, match="marks"):
        measuring.between("a<old", "<", ">", "new")


def test_the_page_has_the_marks() -> None:
    page = (ROOT / "docs" / "docsite" / "rst" / "measured.rst").read_text(encoding="utf-8")
    assert measuring.between(page, measuring.BEGIN, measuring.END, "")
