# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import inlab


@pytest.fixture(scope="session")
def untouched() -> dict[str, str]:
    """The proxy's configuration as it was before we came, and proof that the lab is in that state."""
    squid = inlab.Squid()
    squid.run(state="deleted")
    return squid.files()


@pytest.fixture
def squid(untouched: dict[str, str]) -> Iterator[inlab.Squid]:
    """The lab's proxy with nothing of ours; left with the site's own files, running, and nothing of ours."""
    proxy = inlab.Squid()
    yield proxy
    present = proxy.files()
    for path, text in untouched.items():
        if present.get(path) != text:
            proxy.write(path, text)
    for path in set(present) - set(untouched):
        inlab.on("proxy1", "rm", "-f", path)
    inlab.on("proxy1", "sh", "-c", "rm -rf /etc/squid/egress_*")
    proxy.reload()
    proxy.wait_for_reload()
