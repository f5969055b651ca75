# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The torture suite's own tools: its table, and where it kills."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "torture"
TRACE = """\
connect(3, {sa_family=AF_UNIX, sun_path="/dev/log"}, 110) = -1 ENOENT (No such file or directory)
openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
openat(AT_FDCWD, "/etc/x.new", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644) = 4
write(4, "# ours"..., 51)               = 51
--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED} ---
sendto(5, "GET / HTTP/1.1"..., 140, 0, NULL, 0) = 140
recvfrom(5, "HTTP/1.1 200 OK"..., 8192, 0, NULL, NULL) = 8192
recvfrom(5, "more"..., 8192, 0, NULL, NULL) = 100
rename("/etc/x.new", "/etc/x")          = 0
write(1, "{}", 2)                       = 2
"""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER.parent / "integration"))
    monkeypatch.syspath_prepend(str(FOLDER))
    import killing  # type: ignore[import-not-found] # noqa: PLC0415

    yield killing
    for name in ("killing", "appliances", "table", "inlab", "quick_ansible"):
        sys.modules.pop(name, None)


def test_rows_of_one_topic_and_appliance_are_added_up(tools) -> None:
    import table  # type: ignore[import-not-found] # noqa: PLC0415

    found = table.Table()
    for cases, broken in ((3, 0), (4, 1)):
        found.add(table.Row("kill", "squid", cases, broken, 1.25))
    found.add(table.Row("kill", "zia", 1, 0, 10.0))
    assert found.as_data()[0] == {"topic": "kill", "appliance": "squid", "cases": 7, "broken": 1, "seconds": 2.5}
    lines = found.text().splitlines()
    assert lines[0].split() == ["topic", "appliance", "cases", "broken", "seconds"]
    assert lines[-1].split() == ["all", "8", "1", "12"]
    assert len({len(line) for line in lines}) == 1


def test_a_point_for_each_call_that_changes_something_or_waits_for_it(tools) -> None:
    found = [(one.call, one.count) for one in tools._points(TRACE)]
    assert found == [("openat", 2), ("write", 1), ("sendto", 1), ("recvfrom", 1), ("rename", 1), ("write", 2)]


@pytest.mark.parametrize(
    ("count", "scale", "wanted"), [(10, 1.0, 10), (10, 0.3, 3), (10, 0.01, 2), (1, 0.5, 1), (0, 1, 0)]
)
def test_a_part_has_the_first_and_the_last(tools, count, scale, wanted) -> None:
    import appliances  # type: ignore[import-not-found] # noqa: PLC0415

    found = appliances.part_of(list(range(count)), scale)
    assert len(found) == wanted
    assert sorted(set(found)) == found
    if count:
        assert found[0] == 0
        assert found[-1] == (count - 1 if wanted > 1 else 0)
