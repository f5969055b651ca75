# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of PAN-OS, driven by the vendor's SDK, pan-os-python: what it writes it reads back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.traffic import Flow
from panos.errors import (
    PanCommitInProgress,
    PanCommitNotNeeded,
    PanDeviceXapiError,
    PanLockError,
    PanObjectMissing,
)
from panos.firewall import Firewall
from panos.objects import AddressGroup, AddressObject, CustomUrlCategory, ServiceObject
from panos.panorama import DeviceGroup, Panorama, PanoramaCommitAll
from panos.policies import AuthenticationRule, DecryptionRule, PreRulebase, Rulebase, SecurityRule

from .panos_clients import device_of

LINES = ["*.x.example/", "a.example/", "b.*.example/"]
OBJECTS = [
    CustomUrlCategory("mmd", LINES, "names", "URL List"),
    AddressObject("net", "198.51.100.0/24", description="a network"),
    AddressGroup("nets", ["net"]),
    ServiceObject("ports", "tcp", destination_port="80,443", description="web"),
]
_WHO = {"fromzone": ["trust"], "tozone": ["untrust"], "source": ["Staff"], "category": ["mmd"], "service": ["ports"]}
_PLACES = {"source_zones": ["trust"], "destination_zones": ["untrust"], "source_addresses": ["Staff"],
           "destination_addresses": ["any"], "url_categories": ["mmd"]}  # fmt: skip
RULES = [
    SecurityRule("let", action="allow", **_WHO),
    DecryptionRule("leave", action="no-decrypt", decryption_type="ssl-forward-proxy", services=["ports"], **_PLACES),
    AuthenticationRule("trust", authentication_enforcement="default-no-captive-portal", service=["ports"], **_PLACES),
]


@pytest.fixture
def emulator() -> Iterator[PanosEmulator]:
    with PanosEmulator() as emulator:
        yield emulator


@pytest.fixture
def firewall(emulator) -> Firewall:
    return device_of(Firewall("127.0.0.1", "egress", "example"), emulator, "egress")


@pytest.fixture
def bob(emulator) -> Firewall:
    return device_of(Firewall("127.0.0.1", "bob", "builder"), emulator, "bob")


def told(one: Any) -> dict[str, Any]:
    """Without what the SDK leaves to the firewall, what that adds, and what is not sent to this version."""
    left_out = ("uuid", "hip_profiles")
    return {name: value for name, value in one.about().items() if value is not None and name not in left_out}


def copies(objects: list[Any]) -> list[Any]:
    return [type(one)(**one.about()) for one in objects]


def written(parent: Any, objects: list[Any]) -> list[Any]:
    """Added below the parent and created on the appliance."""
    made = copies(objects)
    for one in made:
        parent.add(one)
        one.create()
    return made


def test_the_sdk_knows_what_it_speaks_to(firewall, emulator) -> None:
    assert (firewall.version, firewall.platform, firewall.multi_vsys) == ("11.1.4", "PA-440", False)
    assert firewall.pending_changes() is False
    assert emulator.seen[-1].status == 200


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: type(one).__name__)
def test_objects_are_read_back_as_they_were_written(firewall, one) -> None:
    written(firewall, OBJECTS)
    found = type(one).refreshall(firewall, add=False)
    assert told(one) in [told(other) for other in found]


@pytest.mark.parametrize("one", RULES, ids=lambda one: type(one).__name__)
def test_rules_are_read_back_as_they_were_written(firewall, one) -> None:
    written(firewall, OBJECTS)
    base = Rulebase()
    firewall.add(base)
    written(base, RULES)
    found = type(one).refreshall(base, add=False)
    assert told(one) in [told(other) for other in found]


def test_create_adds_and_apply_replaces(firewall) -> None:
    category = written(firewall, OBJECTS)[0]
    category.url_value = ["c.example/"]
    category.create()
    category.refresh()
    assert category.url_value == [*LINES, "c.example/"]
    category.url_value = ["c.example/"]
    category.apply()
    category.refresh()
    assert category.url_value == ["c.example/"]


def test_rules_are_moved(firewall, emulator) -> None:
    base = Rulebase()
    firewall.add(base)
    rule = written(base, [SecurityRule("r", action="allow", fromzone=["trust"], tozone=["untrust"])])[0]
    rule.move("before", "Block the rest")
    names = [one.name for one in SecurityRule.refreshall(base, add=False)]
    assert names == ["Block bad sites", "Printers stay inside", "r", "Block the rest"]
    with pytest.raises(PanDeviceXapiError, match="r is there already"):
        rule.move("after", "Printers stay inside")


def test_what_is_in_use_and_what_is_not_there(firewall) -> None:
    category = written(firewall, OBJECTS)[0]
    base = Rulebase()
    firewall.add(base)
    rules = written(base, RULES)
    with pytest.raises(PanDeviceXapiError, match="mmd cannot be deleted because of references from:") as error:
        category.delete()
    assert all(kind in str(error.value) for kind in ("security", "decryption", "authentication"))
    for rule in rules:
        rule.delete()
    category.delete()
    firewall.add(category)
    with pytest.raises(PanObjectMissing):
        category.refresh()


def test_a_category_without_a_type_is_refused_as_its_users_found(firewall) -> None:
    with pytest.raises(PanDeviceXapiError, match="custom-url-category entry has to be type specified"):
        written(firewall, [CustomUrlCategory("mmd", LINES)])


def test_a_commit_of_one_administrator_leaves_what_another_does(firewall, bob, emulator) -> None:
    written(firewall, OBJECTS)
    written(bob, [AddressObject("bobs", "192.0.2.1")])
    assert firewall.pending_changes() is True
    told = firewall.commit(sync=True, admins="egress")
    assert (told["success"], told["result"], told["messages"]) == (True, "OK", ["Configuration committed successfully"])
    running = emulator.state()["running"]
    assert "*.x.example/" in running
    assert "bobs" not in running
    with pytest.raises(PanCommitNotNeeded):
        firewall.commit(sync=True, exception=True, admins="egress")
    bob.commit(sync=True)
    assert bob.pending_changes() is False


def test_a_commit_that_fails_and_one_under_way(firewall, bob, emulator) -> None:
    base = Rulebase()
    firewall.add(base)
    rule = written(base, [SecurityRule("r", action="allow", fromzone=["nowhere"], tozone=["untrust"])])[0]
    told = firewall.commit(sync=True)
    assert (told["success"], told["result"]) == (False, "FAIL")
    assert any("from 'nowhere' is not a valid reference" in line for line in told["messages"])
    rule.fromzone = ["trust"]
    rule.apply()
    emulator.jobs.requests_per_job = 5
    firewall.commit()
    with pytest.raises(PanCommitInProgress):
        bob.commit()


def test_locks_are_known_by_the_sdk(firewall, bob) -> None:
    bob.add_config_lock("mine")
    assert firewall.check_config_locks() is True
    with pytest.raises(PanLockError, match="Configuration is locked by bob"):
        written(firewall, OBJECTS[:1])
    with pytest.raises(PanLockError, match="currently locked by bob"):
        firewall.add_config_lock()
    bob.remove_config_lock()
    assert firewall.check_config_locks() is False
    bob.add_commit_lock()
    assert firewall.check_commit_locks() is True
    bob.remove_commit_lock()
    written(firewall, OBJECTS[:1])


def test_panorama_takes_rules_commits_and_pushes_them() -> None:
    with PanosEmulator(panorama=True) as emulator:
        panorama = device_of(Panorama("127.0.0.1", "egress", "example"), emulator, "egress")
        new = panorama.add(DeviceGroup("New"))
        new.create()
        assert {one.name for one in DeviceGroup.refreshall(panorama, add=False)} == {"Branches", "New"}
        group = DeviceGroup("Branches")
        panorama.add(group)
        written(group, OBJECTS)
        base = PreRulebase()
        group.add(base)
        for rule in written(base, RULES):
            rule.move("top")
        push = PanoramaCommitAll(PanoramaCommitAll.STYLE_DEVICE_GROUP, "Branches")
        assert panorama.commit(sync=True)["success"] is True
        assert emulator.pushed == {}
        assert panorama.commit(sync=True, cmd=push)["success"] is True
        found = emulator.verdict(Flow("a.example"), serial="0001A")
        assert (found.allowed, found.decrypted, found.authenticated) == (True, False, False)
        assert found.rules == ("let", "leave", "trust")
        emulator.push_fails["0002B"] = "it is too old"
        assert panorama.commit(sync=True, sync_all=True, cmd=push)["success"] is False
