# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a module's process at one of its system calls, by strace: SIGKILL arrives before the kernel does the call.

Before the next call is after this one, so that a point for each call is a point before and after each.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from appliances import Done, Options, Target

FILES = (
    "open openat creat write pwrite64 writev rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat chmod "
    "fchmod fchmodat chown fchown fchownat link linkat symlink symlinkat truncate ftruncate fsync fdatasync utimensat"
)
OTHERS = "flock kill fork vfork clone clone3 wait4 waitid connect sendto sendmsg recvfrom recvmsg"
CALLS = tuple(f"{FILES} {OTHERS}".split())
_LINE = re.compile(r"^(\w+)\((.*)$")
_READ_ONLY = re.compile(r"O_RDONLY|/dev/null")
_PIECES = ("recvfrom", "recvmsg", "wait4")  # asked several times for one answer: the first says it all
_EARLY = re.compile(r'/dev/log|"/proc/')


@dataclass(frozen=True)
class Point:
    """The *count*-th of the calls of this name."""

    call: str
    count: int
    line: str

    def __str__(self) -> str:
        return f"{self.call} {self.count}: {self.line[:100]}"


def points(target: Target, options: Options) -> tuple[Done, list[Point]]:
    """One whole run, and all of its system calls that change something, or wait for something that does."""
    here, there = target.trace
    done = target.attempt(options, "strace", "-qq", "-o", there, "-e", f"trace={','.join(CALLS)}")
    return done, list(_points(here.read_text(encoding="utf-8", errors="replace")))


def _points(trace: str) -> Iterator[Point]:
    counts: Counter[str] = Counter()
    last = ""
    for line in trace.splitlines():
        found = _LINE.match(line)
        if not found:
            continue  # a signal
        call = found[1]
        counts[call] += 1
        if call in ("open", "openat") and _READ_ONLY.search(line):
            last = call
            continue
        if not _EARLY.search(line) and not (call == last and call in _PIECES):
            yield Point(call, counts[call], line)
        last = call


def killed(target: Target, options: Options, point: Point) -> Done:
    _here, there = target.trace
    kill = f"inject={point.call}:signal=KILL:when={point.count}"
    return target.attempt(options, "strace", "-qq", "-o", there, "-e", f"trace={point.call}", "-e", kill)
