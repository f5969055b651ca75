# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the quality gates and says what ran:  scripts/test.py [TARGET …]  (no target: all)"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gates.catalogue import Gate, all_gates
from gates.places import ROOT, TEST
from gates.shell import GateError, Shell

# Two more than there are processors: those in the lab wait half of their time.
AT_A_TIME = (os.cpu_count() or 1) + 2
TAIL = 30


@dataclass(frozen=True)
class Result:
    gate: Gate
    passed: bool
    seconds: float
    words: str
    skipped: tuple[str, ...] = ()

    def __str__(self) -> str:
        result = "passed" if self.passed else "FAILED"
        return f"{self.gate.name:26} {self.gate.leg:8} {result:8} {self.seconds:6.1f} s  {self.words}"


def main(wanted: list[str]) -> int:
    gates = list(all_gates())
    known = {gate.target for gate in gates}
    if not known.issuperset(wanted):
        print(f"expected gates out of {', '.join(sorted(known))}; got {', '.join(wanted)}", file=sys.stderr)
        return 2
    results = list(run_all([gate for gate in gates if not wanted or gate.target in wanted]))
    report(results)
    return 0 if all(result.passed for result in results) else 1


def run_all(gates: list[Gate]) -> Iterable[Result]:
    ask_for_root(gates)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield from pool.map(run, gates)


def ask_for_root(gates: list[Gate]) -> None:
    """Once, before several labs at a time ask for the same password."""
    if os.geteuid() != 0 and shutil.which("sudo") and any(gate.target == "integration" for gate in gates):
        subprocess.run(["sudo", "-v"], check=False)  # a gate that still lacks it says so


def run(gate: Gate) -> Result:
    shell = Shell(log_of(gate))
    start = time.monotonic()
    try:
        passed = gate.run(shell)
        result = Result(gate, True, time.monotonic() - start, passed.what, passed.skipped)
    except Exception as error:  # noqa: BLE001 (a gate that breaks down is closed, and the others still run)
        words = str(error) if isinstance(error, GateError) else f"broke down: {error!r}"
        shell.note(words)
        result = Result(gate, False, time.monotonic() - start, words)
    print(result, flush=True)
    return result


def log_of(gate: Gate) -> Path:
    return TEST / "logs" / f"{'-'.join([*gate.name.split(), gate.leg]).strip('-')}.log"


def report(results: list[Result]) -> None:
    for result in results:
        if not result.passed:
            show_tail(result)
    skipped = [f"  {result.gate.name} {result.gate.leg}: {line}" for result in results for line in result.skipped]
    if skipped:
        print("\nSkipped:", *skipped, sep="\n")
    print("\nSummary (gate, leg, result, time, what ran):", *results, sep="\n")
    failed = sum(not result.passed for result in results)
    print(f"\n{len(results) - failed} passed, {failed} failed")


def show_tail(result: Result) -> None:
    log = log_of(result.gate)
    print(f"\n---- {result.gate.name} {result.gate.leg}: {result.words}; the end of {log.relative_to(ROOT)}:")
    lines = [line[:300] for line in log.read_text(errors="replace").splitlines()]
    # ansible-test goes on after an error, and its last words are about something else.
    errors = [line for line in lines[:-TAIL] if line.startswith("ERROR:")]
    print(*errors[:TAIL], *lines[-TAIL:], sep="\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
