# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gates run side by side, and none is lost by that: not a file of tests, not a failure."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _imported(name: str) -> ModuleType:
    """scripts/ is no part of the collection, and on nobody's path."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@pytest.fixture(scope="module")
def catalogue() -> ModuleType:
    return _imported("gates.catalogue")


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    module = _imported("test")
    monkeypatch.setattr(module, "TEST", tmp_path)
    yield module
    del sys.modules["test"]


class Noted:
    """Stands in for the shell that a gate is given; only notes what was run."""

    def __init__(self) -> None:
        self.ran: list[tuple[list[str], dict[str, str]]] = []

    def run(self, words: list[Any], env: dict[str, str], **_unused: Any) -> str:
        self.ran.append(([str(word) for word in words], env))
        return ""


def test_each_file_of_integration_tests_is_run_once_and_in_a_lab_of_its_own(
    catalogue: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue.verdicts, "of_pytest", lambda report: report)
    shell = Noted()
    gates = [gate for gate in catalogue.all_gates() if gate.target == "integration"]
    reports = [gate.run(shell) for gate in gates]
    files = {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "integration").rglob("test_*.py")}
    before, tests = shell.ran[::2], shell.ran[1::2]
    assert sorted(words[-1] for words, _env in tests) == sorted(files)
    assert {words[0] for words, _env in tests} == {"scripts/in-lab"}
    labs = [env["EGRESS_LAB"] for _words, env in tests]
    assert [(words, env["EGRESS_LAB"]) for words, env in before] == [(["scripts/lab", "down"], lab) for lab in labs]
    for distinct in (reports, labs, [gate.name for gate in gates]):
        assert len(set(distinct)) == len(files)


def test_no_gate_is_lost_by_the_order(catalogue: ModuleType) -> None:
    gates = list(catalogue.all_gates())
    assert len({(gate.name, gate.leg) for gate in gates}) == len(gates)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = (line.split(":=")[1].split() for line in makefile.splitlines() if line.startswith("GATES "))
    assert {gate.target for gate in gates} == set(targets)
    for kind in ("sanity", "units"):
        assert [gate.leg for gate in gates if gate.name == kind] == [leg.name for leg in catalogue.legs()]


def test_one_gate_of_many_that_fails_or_breaks_down_fails_the_run(
    runner: ModuleType, catalogue: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def passes(_shell: Any) -> Any:
        return catalogue.Passed("3 tests")

    def fails(_shell: Any) -> Any:
        raise catalogue.GateError("1 of 3 tests failed")

    def breaks(_shell: Any) -> Any:
        raise OSError("no space left")

    for bad in (fails, breaks):
        gates = [catalogue.Gate("ruff", f"gate {number}", "newest", passes) for number in range(5)]
        gates[3] = catalogue.Gate("ruff", "gate 3", "newest", bad)
        monkeypatch.setattr(runner, "all_gates", lambda gates=gates: gates)
        monkeypatch.setattr(runner, "ROOT", runner.TEST)
        assert runner.main([]) == 1
        told = capsys.readouterr().out
        assert "4 passed, 1 failed" in told
        assert "gate 3                     newest   FAILED" in told
    monkeypatch.setattr(runner, "all_gates", lambda: gates[:3])
    assert runner.main([]) == 0
