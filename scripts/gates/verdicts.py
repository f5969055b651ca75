# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs' output means: how much really ran, and what was skipped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from .shell import GateError


@dataclass(frozen=True)
class Passed:
    """What ran, in a few words, and what did not."""

    what: str
    skipped: tuple[str, ...] = ()


def of_pytest(report: Path) -> Passed:
    """Judges a JUnit report of pytest. No test run is a failure, and so is a run where all were skipped."""
    cases = list(ET.parse(report).getroot().iter("testcase"))
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    if bad:
        raise GateError(f"{len(bad)} of {len(cases)} tests failed")
    skipped = [words for case in cases for words in _skip(case)]
    if len(cases) == len(skipped):
        raise GateError(f"pytest ran no test ({len(skipped)} skipped)")
    return Passed(f"{len(cases) - len(skipped)} tests", tuple(skipped))


def _skip(case: ET.Element) -> list[str]:
    return [f"{case.get('classname')}.{case.get('name')}: {skip.get('message')}" for skip in case.iter("skipped")]


def of_mypy(outputs: list[str]) -> Passed:
    """Judges the last line of each run: all of them are shown before the gate closes."""
    checked = [re.search(r"^Success: no issues found in (\d+) source files?", text, re.MULTILINE) for text in outputs]
    files = sum(int(found[1]) for found in checked if found)
    if not all(checked):
        errors = sum(len(re.findall(r": error: ", text)) for text in outputs)
        raise GateError(f"mypy found {errors} errors")
    return Passed(f"{files} files")


def of_sanity(output: str) -> Passed:
    """Judges the output of ansible-test, which ends with 0 when it found nothing to test."""
    if "All targets skipped" in output:
        raise GateError("ansible-test found nothing to test (All targets skipped)")
    failed = re.search(r"^FATAL: The \d+ sanity test\(s\).*\n((?:[a-z].*\n)+)", output, re.MULTILINE)
    if failed:
        raise GateError(f"ansible-test found fault: {', '.join(failed[1].splitlines())}")
    if "FATAL:" in output:
        raise GateError("ansible-test broke down")
    ran = set(re.findall(r'^Running sanity test "([^"]+)"', output, re.MULTILINE))
    if len(ran) < 20:
        raise GateError(f"ansible-test ran {len(ran)} sanity tests, at least 20 were expected")
    skipped = re.findall(r"^WARNING: (Skipping .*)$", output, re.MULTILINE)
    pythons = dict.fromkeys(re.findall(r'^Running sanity test "import" on Python (\S+)', output, re.MULTILINE))
    return Passed(f"{len(ran)} tests, import on {', '.join(pythons)}", tuple(dict.fromkeys(skipped)))
