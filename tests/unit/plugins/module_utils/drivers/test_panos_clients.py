# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our module and the vendor's SDK on one emulated firewall: each reads what the other writes.

And what then runs lets through what was asked for, by the vendor's rules of matching.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos.traffic import Flow, Verdict
from ansible_collections.egress.allowlist.tests.unit.emulators.panos_clients import device_of
from panos.firewall import Firewall
from panos.objects import AddressGroup, AddressObject, CustomUrlCategory, ServiceObject
from panos.policies import AuthenticationRule, DecryptionRule, Rulebase, SecurityRule

from .host import ReadOnly
from .panos_host import PanosHost

ASKED = ("*.x.example", "login.live.com", "a.*.y.example", "198.51.100.0/24")
PORTS = {"default_ports": ["tcp/443"]}
OBJECTS = (CustomUrlCategory, AddressObject, AddressGroup, ServiceObject)
RULES = (SecurityRule, DecryptionRule, AuthenticationRule)
CLIENT = "10.20.0.7"
WITHOUT_SAYING = {"disabled": False, "negate_source": False, "negate_destination": False, "log_start": False,
                  "log_end": True, "type": "universal"}  # fmt: skip


@pytest.fixture
def host(made: Callable[[type[PanosHost]], PanosHost]) -> PanosHost:
    return made(PanosHost)


@pytest.fixture
def bob(host) -> Firewall:
    return device_of(Firewall("127.0.0.1", "bob", "builder"), host.panos, "bob")


def ours(firewall: Firewall) -> list[Any]:
    """All that the SDK finds with our name."""
    base = Rulebase()
    firewall.add(base)
    found = [one for kind in OBJECTS for one in kind.refreshall(firewall)]
    found += [one for kind in RULES for one in kind.refreshall(base)]
    return [one for one in found if one.name.startswith("egress_mmd")]


def named(found: list[Any], kind: Any) -> dict[str, Any]:
    return {one.name: one for one in found if isinstance(one, kind)}


def test_the_sdk_reads_what_our_module_writes(host, bob) -> None:
    host.run(*ASKED, **PORTS)
    found = ours(bob)
    category = named(found, CustomUrlCategory)["egress_mmd"]
    assert category.type == "URL List"
    assert category.url_value == ["*.x.example/", "a.^.y.example/", "login.live.com/"]
    assert {one.value for one in named(found, AddressObject).values()} == {"198.51.100.0/24"}
    assert [one.static_value for one in named(found, AddressGroup).values()] == [list(named(found, AddressObject))]
    rules: list[Any] = [named(found, kind)["egress_mmd"] for kind in RULES]
    assert (rules[0].action, rules[0].category, rules[0].source) == ("allow", ["egress_mmd"], ["10.20.0.0/24"])
    assert (rules[1].action, rules[1].decryption_type, rules[1].url_categories) == (
        "no-decrypt", "ssl-forward-proxy", ["egress_mmd"])  # fmt: skip
    assert rules[2].authentication_enforcement == "default-no-captive-portal"
    ports = {one.name: one.destination_port for one in named(found, ServiceObject).values()}
    assert ports[rules[0].service[0]] == "80,443"


def test_what_the_sdk_writes_again_in_its_own_way_is_no_change(host, bob) -> None:
    """What is so without it is said, the parts stand in another order, and rules get another identity."""
    host.run(*ASKED, **PORTS)
    before = host.state()
    found = ours(bob)
    assert len(found) > 8
    for one in found:
        for name, value in WITHOUT_SAYING.items() if isinstance(one, RULES) else ():
            if name in one.about():
                setattr(one, name, value)
        one.apply()
    bob.commit(sync=True)
    assert host.state() != before
    with host.guarded(ReadOnly()):
        assert host.run(*ASKED, **PORTS)["changed"] is False


def test_what_the_sdk_adds_is_seen_and_taken_away(host, bob) -> None:
    host.run(*ASKED, **PORTS)
    category = named(ours(bob), CustomUrlCategory)["egress_mmd"]
    category.url_value = [*category.url_value, "evil.example/"]
    category.apply()
    told = host.run(*ASKED, **PORTS)
    assert told["removed"] == ["host evil.example tcp/80,443"]
    category.refresh()
    assert "evil.example/" not in category.url_value


def test_what_another_has_pending_stays_pending(host, bob) -> None:
    bob.add(AddressObject("bobs", "192.0.2.1")).create()
    host.run(*ASKED, **PORTS)
    assert "bobs" not in host.running
    assert list(host.panos.configuration.pending) == ["bob"]
    host.run(state="deleted")
    assert list(host.panos.configuration.pending) == ["bob"]
    assert not ours(bob)


REQUESTS = [
    (Flow("www.x.example", client=CLIENT), True),
    (Flow("a.b.x.example", client=CLIENT), True),
    (Flow("www.x.example", port=80, client=CLIENT, path="/p"), True),
    (Flow("a.b.y.example", client=CLIENT), True),
    (Flow("login.live.com", client=CLIENT), True),
    (Flow("o.example", client=CLIENT, server="198.51.100.9"), True),
    (Flow("x.example", client=CLIENT), False),
    (Flow("www.x.example.evil.test", client=CLIENT), False),
    (Flow("login.live.com.evil.test", client=CLIENT), False),
    (Flow("nlogin.live.com", client=CLIENT), False),
    (Flow("evil.test", client=CLIENT, path="/www.x.example/"), False),
    (Flow("a.y.example", client=CLIENT), False),
    (Flow("a.b.c.y.example", client=CLIENT), False),
    (Flow("www.x.example", port=8443, client=CLIENT), False),
    (Flow("www.x.example", client="10.20.1.1"), False),
    (Flow("o.example", client=CLIENT, server="198.51.101.9"), False),
]


def wholly(found: Verdict) -> bool | None:
    """Whether all four intents hold; None where only some do."""
    holds = [found.allowed, not found.decrypted, not found.authenticated, found.allowed and not found.inspected]
    return holds[0] if len(set(holds)) == 1 else None


@pytest.mark.parametrize("append_ending_token", [False, True])
def test_what_runs_lets_through_what_was_asked_for(host, append_ending_token) -> None:
    host.panos.append_ending_token = append_ending_token
    assert [wholly(host.panos.verdict(flow)) for flow, _wanted in REQUESTS] == [False] * len(REQUESTS)
    host.run(*ASKED, **PORTS)
    assert [(flow, wholly(host.panos.verdict(flow))) for flow, _wanted in REQUESTS] == REQUESTS
    host.run(state="deleted")
    assert [wholly(host.panos.verdict(flow)) for flow, _wanted in REQUESTS] == [False] * len(REQUESTS)


def test_what_panorama_gives_its_firewalls_does_as_well(panorama) -> None:
    panorama.run(*ASKED, **PORTS)
    for serial in ("0001A", "0002B"):
        assert [(flow, wholly(panorama.panos.verdict(flow, serial))) for flow, _wanted in REQUESTS] == REQUESTS
    with panorama.guarded(ReadOnly()):
        assert panorama.run(*ASKED, **PORTS)["changed"] is False
    panorama.run(state="deleted")
    assert not any("egress" in text for text in panorama.panos.pushed.values())
