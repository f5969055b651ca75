# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole list on the real firewall: every name that it contains, and names, ports and clients that it does not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import inlab
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse
from inlab import Firewall, on, reach
from near_misses import near_misses, witnesses

RESOLVE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def ask(name):
    families = (socket.AF_INET, socket.AF_INET6)
    return [name, [socket.getaddrinfo(name, 443, family)[0][4][0] for family in families]]
with ThreadPoolExecutor(20) as pool:
    json.dump(dict(pool.map(ask, json.load(sys.stdin))), sys.stdout)
"""


def resolved(names: Iterable[str]) -> dict[str, list[str]]:
    """IPv4 and IPv6 address of each name, as the desktop's resolver tells them."""
    found: dict[str, list[str]] = json.loads(
        on("desktop3", "python3", "-I", "-c", RESOLVE, stdin=json.dumps(sorted(names)))
    )
    return found


def met(addresses: Iterable[str], port: int, source: str | None = None) -> dict[str, str]:
    """What each connection meets, where only the firewall can have lost one."""
    asks = [(address, port) for address in addresses]
    assert len(asks) < 4000  # what the internet can have waiting
    inlab.await_internet()
    return {host: outcome for (host, _unused), outcome in reach("desktop3", asks, source=source).items()}


def not_open(addresses: Iterable[str], port: int = 443) -> list[str]:
    return [host for host, outcome in met(addresses, port).items() if outcome != "open"]


def not_closed(addresses: Iterable[str], port: int = 443, source: str | None = None) -> list[str]:
    return [host for host, outcome in met(addresses, port, source).items() if outcome != "timeout"]


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    found = inlab.catalog_entries("firewall1")
    assert len(found) == 347
    return found


@pytest.fixture(scope="module")
def patterns(entries: list[dict[str, Any]]) -> list[Pattern]:
    return [parse(entry["value"]) for entry in entries if entry["path"] is None]


def test_every_name_and_no_other_through_all_that_happens_to_a_firewall(
    firewall: Firewall, entries: list[dict[str, Any]], patterns: list[Pattern]
) -> None:
    domains = {parse(entry["value"]).base for entry in entries}
    good = {name for pattern in patterns for name in witnesses(pattern)}
    # What dnsmasq takes with a domain is told in `translation`: these are the names that it does not take.
    bad = [name for name in near_misses(patterns) if not any(name == d or name.endswith("." + d) for d in domains)]
    assert len(bad) > 300

    answer = firewall.run(entries=entries, widen="any")
    assert len(answer["after"]) == 347
    assert len(answer["translation"]) == 347
    assert not firewall.run(entries=entries, widen="any")["changed"]

    here, elsewhere = resolved(good), resolved(bad)
    addresses = [address for both in here.values() for address in both]
    others = [address for both in elsewhere.values() for address in both]
    assert not_open(addresses) == []
    assert not_closed(others) == []
    assert not_closed(addresses[::9], 8443) == []
    plain = [address for both in resolved(["www.msftncsi.com"]).values() for address in both]  # listed with a path
    assert (not_open(plain, 80), not_closed(plain)) == ([], [])
    assert not_closed([both[0] for both in list(here.values())[::9]], source="10.30.0.99") == []

    firewall.restart_dnsmasq()
    assert not_open(addresses) == []
    firewall.run(entries=[*entries, "198.51.100.0/24"], default_ports=["tcp/443"], widen="any")
    firewall.run(entries=entries, widen="any")
    assert not_open(addresses) == []

    on("firewall1", "nft", "flush", "ruleset")
    firewall.nft("-f", "/etc/nftables.conf")
    assert len(not_closed(addresses)) == 0
    assert firewall.run(entries=entries, widen="any")["changed"]
    literals = [address for pattern in patterns if pattern.is_literal for address in here[pattern.text]]
    assert not_open(literals) == []  # also for a client that still holds the address and does not ask
    assert resolved(good) == here
    assert not_open(addresses) == []

    firewall.service("reload")
    assert resolved(good) == here
    assert not_open(addresses) == []
    assert not_closed(others) == []
    assert not firewall.run(entries=entries, widen="any")["changed"]
