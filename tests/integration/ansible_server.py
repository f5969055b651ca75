# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible` again and again without importing it each time, which is more than half of the work of a short run.

Each line of standard input is one run, a list of words in JSON. It gets a process of its own, forked from this one,
which has imported Ansible and done nothing with it. Each line of standard output is one answer:
{status, out, err}; the status is negative where a signal has ended the run.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from typing import IO, Any

from ansible.cli import adhoc

NEEDED = ("executor.task_executor", "plugins.action.normal", "plugins.connection.ssh", "plugins.strategy.linear")


def main() -> None:
    for name in NEEDED:
        importlib.import_module(f"ansible.{name}")
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


def answer(words: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            run(words, out, err)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told: dict[str, Any] = {"status": status}
        for name, stream in (("out", out), ("err", err)):
            stream.seek(0)
            told[name] = stream.read().decode("utf-8", "replace")
        return told


def run(words: list[str], out: IO[bytes], err: IO[bytes]) -> None:
    """Does not return."""
    status = 70
    try:
        for number, stream in enumerate((open(os.devnull, "rb"), out, err)):  # noqa: SIM115  (open as long as we live)
            os.dup2(stream.fileno(), number)
        sys.argv[:] = words
        adhoc.main(words)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:  # noqa: BLE001  (it ends here, and whoever asked has to see why)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
