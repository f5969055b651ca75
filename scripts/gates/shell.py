# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs programs for a gate; all that they print goes to the gate's log."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .places import ROOT


class GateError(Exception):
    """The gate is closed; the text says why in one line."""


class Shell:
    def __init__(self, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        self.log = log

    def run(
        self,
        argv: Iterable[str | Path],
        env: Mapping[str, str],
        cwd: Path = ROOT,
        timeout: float = 900,
        terminal: bool = False,
        accept: Sequence[int] = (0,),
    ) -> str:
        """The program's output. Any status but the accepted ones, or more than `timeout` seconds, closes the gate.

        With `terminal` it may ask the user for something (sudo: a password)."""
        words = [str(word) for word in argv]
        start = self.log.stat().st_size
        with self.log.open("a") as out:
            out.write(f"$ {shlex.join(words)}\n")
            out.flush()
            status = _run(words, env, cwd, timeout, terminal, out.fileno())
        output = self.log.read_bytes()[start:].decode(errors="replace")
        if status not in accept:
            raise GateError(f"{Path(words[0]).name} {_ending(status, timeout)}")
        return output

    def note(self, text: str) -> None:
        with self.log.open("a") as out:
            out.write(text + "\n")


def _run(words: list[str], env: Mapping[str, str], cwd: Path, timeout: float, terminal: bool, out: int) -> int | None:
    process = subprocess.Popen(
        words, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=not terminal
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            _end(process, terminal)


def _end(process: subprocess.Popen[bytes], terminal: bool) -> None:
    if terminal:
        process.terminate()
    else:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ending(status: int | None, timeout: float) -> str:
    return f"took longer than {timeout:.0f} s" if status is None else f"ended with {status}"
