# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full disk, a read-only file system, a missing right: at every system call of a run that can meet it.

The kernel's answer is given by strace, at one call; a clear error must come of it, what is in force must stay,
and the next run must end in the right state. Then the real thing, once each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import inlab
import pytest
from appliances import ALL, PROGRAMS, InLab, Options, Target, part_of
from killing import Point, points

# What the kernel says, and the calls that can meet it.
MAKING = "open openat creat mkdir mkdirat rename renameat renameat2 link linkat symlink symlinkat"
CHANGING = f"{MAKING} unlink unlinkat rmdir chmod fchmod fchmodat chown fchown fchownat truncate ftruncate utimensat"
REFUSALS = {
    "ENOSPC": f"{MAKING} write pwrite64 writev fsync fdatasync",
    "EROFS": CHANGING,
    "EACCES": CHANGING,  # as SELinux refuses, also to root
    "EIO": "write pwrite64 writev fsync fdatasync rename renameat renameat2",
    "EMFILE": "open openat creat",
}
WORDS = {
    "ENOSPC": "space", "EROFS": "read-only", "EACCES": "permission", "EIO": "input/output", "EMFILE": "too many",
}  # fmt: skip


_OUTPUT = re.compile(r"write\([12],")  # the answer itself


def meant(found: Sequence[Point], error: str) -> list[Point]:
    calls = REFUSALS[error].split()
    return [one for one in found if one.call in calls and not _OUTPUT.match(one.line)]


@pytest.mark.parametrize("error", REFUSALS)
@pytest.mark.parametrize("target", ALL, indirect=True)
def test_the_kernel_refuses(target: Target, error: str, scale: float, tally: Any) -> None:
    old, new = {"entries": list(target.old)}, {"entries": list(target.new)}
    target.settle(old)
    start = target.state()
    found = meant(points(target, new)[1], error)
    end = target.state()
    wrong: list[str] = []
    for point in part_of(found, scale * 0.5):
        target.settle(old)
        wrong += [f"{point}: {one}" for one in refused(target, new, point, error, (start, end))]
        tally(target.kind)
    if not found:
        assert target.kind not in PROGRAMS
        tally(target.kind, 0)  # it writes no file
    assert not wrong, "\n".join(wrong)


def refused(target: Target, new: Options, point: Point, error: str, states: tuple[Any, Any]) -> list[str]:
    start, end = states
    _here, there = target.trace
    inject = f"inject={point.call}:error={error}:when={point.count}"
    done = target.attempt(new, "strace", "-qq", "-o", there, "-e", f"trace={point.call}", "-e", inject)
    wrong = []
    try:
        answer = done.answer()
    except (AssertionError, json.JSONDecodeError):
        return [f"no answer: {(done.out + done.err)[-1500:]}"]
    if answer.get("failed"):
        if WORDS[error] not in answer["msg"].lower() and "put back" not in answer["msg"]:
            wrong.append(f"it does not say why: {answer['msg'][:500]}")
        target.recover()
        try:
            # What was in force before, or what was asked for where it came so far.
            if "put back" in answer["msg"] or told_of(target.state()) == told_of(start):
                target.holds(target.old)
        except AssertionError as blocked:
            wrong.append(f"what was in force is not any more: {blocked}; told: {answer['msg'][:500]}")
    elif told_of(target.state()) != told_of(end):
        wrong.append("it says that all is well, and it is not")
    target.recover()
    target.run(new)
    if target.state() != end:
        wrong.append(f"the next run does not heal it; told: {answer.get('msg')}")
    return wrong


def told_of(state: Any) -> Any:
    """Without what lies in the temporary folder: the kernel did not let it be taken away, and the next run will."""
    return {name: value for name, value in state.items() if name != "left"}


# The real thing

READ_ONLY = "mount --bind {0} {0} && mount -o remount,ro,bind {0}"
FULL = (
    "mkdir /tmp/full && cp -a {0}/. /tmp/full && mount -t tmpfs -o size=512k tmpfs {0} && cp -a /tmp/full/. {0} && "
    "rm -r /tmp/full && (cat /dev/zero > {0}/ballast 2> /dev/null || true)"
)
FOLDERS = {"squid": "/etc/squid", "nftables": "/etc/dnsmasq.d"}
ASIDE: dict[str, tuple[str, str]] = {
    "a read-only file system": (READ_ONLY, "read-only"),
    "a full disk": (FULL, "space"),
}  # fmt: skip


@pytest.mark.parametrize("trouble", ASIDE)
@pytest.mark.parametrize("target", PROGRAMS, indirect=True)
def test_a_file_system(target: Target, trouble: str, tally: Any) -> None:
    script, word = ASIDE[trouble]
    target.settle({"entries": list(target.old)})
    state = target.state()
    before = ["unshare", "-m", "sh", "-c", f'{script.format(FOLDERS[target.kind])} && exec "$@"', "sh"]
    told = target.fails({"entries": list(target.new)}, *before)
    assert word in told.lower(), told
    assert target.state() == state
    target.holds(target.old)
    target.run({"entries": list(target.new)})
    target.holds(target.new)
    tally(target.kind)


@pytest.mark.parametrize("target", PROGRAMS, indirect=True)
def test_not_root(target: Target, tally: Any) -> None:
    target.settle({"entries": list(target.old)})
    state = target.state()
    before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    told = target.fails({"entries": list(target.new)}, *before)
    assert "permi" in told.lower(), told  # permission, not permitted
    assert target.state() == state
    target.holds(target.old)
    tally(target.kind)


MISSING: dict[str, list[Options]] = {
    "squid": [{"executable": "/usr/sbin/no-squid"}, {"config_file": "/etc/squid/no.conf"}],
    "nftables": [{"executable": "/usr/sbin/no-nft"}, {"dnsmasq_executable": "/usr/sbin/no-dnsmasq"},
                 {"dnsmasq_dir": "/etc/no-dnsmasq.d"}],
}  # fmt: skip


@pytest.mark.parametrize("target", PROGRAMS, indirect=True)
def test_what_is_missing_is_named(target: Target, tally: Any) -> None:
    target.settle({"entries": list(target.old)})
    state = target.state()
    for options in MISSING[target.kind]:
        (value,) = options.values()
        told = target.fails({"entries": list(target.new), **options})
        assert value in told, told
        assert target.state() == state
        tally(target.kind)
    target.holds(target.old)


@pytest.mark.parametrize("target", PROGRAMS, indirect=True)
def test_the_program_is_not_in_the_path(target: Target, tally: Any) -> None:
    target.settle({"entries": list(target.old)})
    state = target.state()
    name = {"squid": "squid", "nftables": "nft"}[target.kind]
    hide = f'mount --bind /dev/null "$(command -v {name})" && exec "$@"'
    told = target.fails({"entries": list(target.new)}, "unshare", "-m", "sh", "-c", hide, "sh")
    assert name in told, told
    assert target.state() == state
    tally(target.kind)


@pytest.mark.parametrize("owner", ["proxy:proxy 0600", "nobody:nogroup 0640"])
@pytest.mark.parametrize("target", PROGRAMS, indirect=True)
def test_files_of_another_owner_are_ours_again(target: Target, owner: str, tally: Any) -> None:
    """Somebody has changed owner and mode of what we wrote: Squid runs as another user, and must be able to read it."""
    assert isinstance(target, InLab)
    target.settle({"entries": list(target.old)})
    who, mode = owner.split()
    script = (
        f"find /etc -name '*egress_mmd*' -exec chown -R {who} {{}} + ; "
        f"find /etc -path '*egress_mmd*' -type f -exec chmod {mode} {{}} +"
    )
    inlab.on(target.host, "sh", "-c", script)
    target.run({"entries": list(target.new)})
    target.holds(target.new)
    target.run({"entries": list(target.old)})
    target.holds(target.old)
    tally(target.kind)


@pytest.mark.parametrize("jump", [-315_360_000, -86_400, 86_400, 315_360_000])
@pytest.mark.parametrize("target", ALL, indirect=True)
def test_the_clock_jumps(target: Target, jump: int, tally: Any) -> None:
    """Between any two looks at the clock, by so many seconds."""
    for wanted in (target.old, target.new):
        done = target.attempt({"entries": list(wanted)}, EGRESS_CLOCK_JUMP=str(jump))
        assert done.status == 0, done.answer()
        target.holds(wanted)
    assert not target.run({"entries": list(target.new)})["changed"]
    tally(target.kind)
