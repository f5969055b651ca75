# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gate must not pass when nothing ran behind it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
SANITY = "".join(f'Running sanity test "test-{number}"\n' for number in range(24))


@pytest.fixture(scope="module")
def verdicts() -> ModuleType:
    """scripts/ is no part of the collection, and on nobody's path."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        return importlib.import_module("gates.verdicts")
    finally:
        sys.path.remove(str(SCRIPTS))


def report(path: Path, *cases: str) -> Path:
    path.write_text(f'<testsuites><testsuite name="pytest">{"".join(cases)}</testsuite></testsuites>')
    return path


PASSED = '<testcase classname="a" name="passed"/>'
SKIPPED = '<testcase classname="a" name="left"><skipped message="no document"/></testcase>'
FAILED = '<testcase classname="a" name="bad"><failure message="no"/></testcase>'
BROKEN = '<testcase classname="a" name="broken"><error message="no fixture"/></testcase>'


def test_skipped_tests_are_named_and_not_counted(verdicts: ModuleType, tmp_path: Path) -> None:
    passed = verdicts.of_pytest(report(tmp_path / "r.xml", PASSED, SKIPPED, PASSED))
    assert passed.what == "2 tests"
    assert passed.skipped == ("a.left: no document",)


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ([], "ran no test"),
        ([SKIPPED], "ran no test .1 skipped"),
        ([PASSED, FAILED], "1 of 2 tests failed"),
        ([PASSED, BROKEN, FAILED], "2 of 3 tests failed"),
    ],
)
def test_a_run_that_proves_nothing_closes_the_gate(
    verdicts: ModuleType, tmp_path: Path, cases: list[str], words: str
) -> None:
    with pytest.raises(verdicts.GateError, match=words):
        verdicts.of_pytest(report(tmp_path / "r.xml", *cases))


def test_sanity_counts_its_tests_and_names_what_it_skipped(verdicts: ModuleType) -> None:
    output = (
        SANITY
        + 'Running sanity test "import" on Python 3.8\n'
        + 'WARNING: Skipping sanity test "import" on Python 3.14 because it could not be found.\n' * 2
    )
    passed = verdicts.of_sanity(output)
    assert passed.what == "25 tests, import on 3.8"
    assert passed.skipped == ('Skipping sanity test "import" on Python 3.14 because it could not be found.',)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (SANITY + "WARNING: All targets skipped.\n", "found nothing to test"),
        ('Running sanity test "pep8"\n', "ran 1 sanity tests"),
        (SANITY + "FATAL: The 2 sanity test(s) listed below failed.\npep8\nimport --python 3.8\n", "pep8, import"),
        (SANITY + "FATAL: Command ended with 3\n", "broke down"),
    ],
)
def test_sanity_without_tests_or_with_faults_closes_the_gate(verdicts: ModuleType, output: str, words: str) -> None:
    with pytest.raises(verdicts.GateError, match=words):
        verdicts.of_sanity(output)


def test_every_run_of_mypy_must_succeed(verdicts: ModuleType) -> None:
    good = "Success: no issues found in 12 source files\n"
    assert verdicts.of_mypy([good, good, "Success: no issues found in 1 source file\n"]).what == "25 files"
    with pytest.raises(verdicts.GateError, match="1 errors"):
        verdicts.of_mypy([good, "a.py:1: error: wrong\nFound 1 error\n"])
