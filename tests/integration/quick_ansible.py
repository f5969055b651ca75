# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible` as often as tests want it, by ansible_server.py; each server has one environment."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Server:
    """Started with the first run; ended with this process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "ansible_server.py")], env={**os.environ, **environment}, cwd=HERE.parents[1],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        atexit.register(self.end)

    def run(self, words: list[str], seconds: float) -> subprocess.CompletedProcess[str]:
        """Raises subprocess.TimeoutExpired, and is of no use afterwards."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, seconds)
        line = self._process.stdout.readline()
        assert line, f"the server of ansible has ended; it was asked to run {words}"
        told = json.loads(line)
        return subprocess.CompletedProcess(words, told["status"], told["out"], told["err"])

    def end(self) -> None:
        self._process.communicate()


@functools.cache
def server(**environment: str) -> Server:
    return Server(environment)
