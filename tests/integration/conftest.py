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


@pytest.fixture(scope="session")
def untouched_firewall() -> dict[str, str]:
    """The firewall's own files as they were before we came, and proof that nothing of ours is there."""
    firewall = inlab.Firewall()
    firewall.run(state="deleted")
    assert "egress" not in firewall.nft("list", "ruleset")
    return firewall.files()


@pytest.fixture
def firewall(untouched_firewall: dict[str, str]) -> Iterator[inlab.Firewall]:
    """The lab's firewall with nothing of ours; left with the site's own files and rules, and nothing of ours."""
    host = inlab.Firewall()
    yield host
    for path in set(host.files()) - set(untouched_firewall):
        inlab.on("firewall1", "rm", "-f", path)
    for path, text in untouched_firewall.items():
        host.write(path, text)
    host.nft("-f", "/etc/nftables.conf")
    host.restart_dnsmasq()
