# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commits, locks and Panorama in the emulator of PAN-OS, driven by pan-python."""

from __future__ import annotations

from collections.abc import Iterator

import pan.xapi
import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

from .panos_clients import ADDRESS, CATEGORY, IP, RULE, RULES, committed, connected, key_of, multi_config, refused


@pytest.fixture
def firewall() -> Iterator[PanosEmulator]:
    with PanosEmulator() as emulator:
        yield emulator


@pytest.fixture
def panorama() -> Iterator[PanosEmulator]:
    with PanosEmulator(panorama=True) as emulator:
        yield emulator


@pytest.fixture
def api(firewall) -> pan.xapi.PanXapi:
    return connected(firewall, key_of(firewall))


@pytest.fixture
def bob(firewall) -> pan.xapi.PanXapi:
    return connected(firewall, key_of(firewall, "bob"))


# Commits


def test_a_partial_commit_takes_what_one_administrator_did(firewall, api, bob) -> None:
    api.set(ADDRESS.format("mine"), IP)
    bob.set(ADDRESS.format("bobs"), IP)
    assert committed(api) == "Configuration committed successfully"
    api.show(ADDRESS.format("mine"))
    assert refused(api.show, ADDRESS.format("bobs")) == "No such node"
    assert list(firewall.configuration.pending) == ["bob"]
    assert committed(api).startswith("The result of this commit would be the same as the previous commit")
    assert (api.status, api.status_code) == ("success", "13")
    bob.commit(cmd="<commit/>", sync=True, interval=0)
    api.show(ADDRESS.format("bobs"))
    api.commit(cmd="<commit/>", sync=True, interval=0)
    assert (api.status_code, api.status_detail) == ("19", "There are no changes to commit.")


def test_what_two_have_changed_is_committed_with_the_first(firewall, api, bob) -> None:
    api.set(ADDRESS.format("ours"), IP)
    bob.set(ADDRESS.format("ours"), "<description>bob's words</description>")
    bob.set(ADDRESS.format("bobs"), IP)
    committed(api)
    api.show(ADDRESS.format("ours"))
    assert api.element_root.findtext("result/entry/description") == "bob's words"
    assert [path[-1][1] for path in firewall.configuration.pending["bob"]] == ["bobs"]


def test_a_commit_is_a_job_and_another_waits(firewall, api, bob) -> None:
    firewall.jobs.requests_per_job = 3
    api.set(ADDRESS.format("mine"), IP)
    api.commit(cmd="<commit/>")
    number = api.element_root.findtext("result/job")
    assert refused(bob.commit, cmd="<commit/>") == "Another commit/validate is in progress. Please try again later"
    assert bob.status_code == "13"
    assert "in progress" in refused(multi_config, api, f'<set xpath="{ADDRESS.format("x")}">{IP}</set>')
    statuses = []
    for _turn in range(2):
        api.op(f'show jobs id "{number}"', cmd_xml=True)
        statuses.append([api.element_root.findtext(f"result/job/{tag}") for tag in ("status", "result", "type")])
    assert statuses == [["FIN", "OK", "Commit"]] * 2
    assert refused(api.op, 'show jobs id "99"', cmd_xml=True) == "job 99 not found"


def test_a_commit_that_is_not_valid_fails_and_leaves_what_runs(firewall, api) -> None:
    running = firewall.state()["running"]
    api.set(f"{RULES}/entry[@name='r']", RULE.format("any").replace("untrust", "nowhere"))
    assert "to 'nowhere' is not a valid reference" in committed(api)
    assert api.element_root.findtext("result/job/result") == "FAIL"
    assert firewall.state()["running"] == running
    firewall.commit_fails = "the dataplane did not take it"
    api.delete(f"{RULES}/entry[@name='r']")
    api.set(ADDRESS.format("mine"), IP)
    assert "the dataplane did not take it" in committed(api)
    assert firewall.state()["running"] == running


def test_a_partial_commit_fails_that_needs_what_another_has_not_committed(api, bob) -> None:
    bob.set(CATEGORY, "<list><member>a.example/</member></list><type>URL List</type>")
    api.set(f"{RULES}/entry[@name='r']", RULE.format("mmd"))
    assert "category 'mmd' is not a valid reference" in committed(api)


def test_own_changes_are_taken_back(firewall, api, bob) -> None:
    state = firewall.state()
    api.set(ADDRESS.format("mine"), IP)
    api.delete(f"{RULES}/entry[@name='Block bad sites']")
    bob.set(ADDRESS.format("bobs"), IP)
    api.op("<revert><config><partial><admin><member>egress</member></admin></partial></config></revert>")
    assert list(firewall.configuration.pending) == ["bob"]
    bob.op("<revert><config/></revert>")
    assert firewall.state() == state


def test_nothing_is_taken_back_under_a_lock_or_a_commit(firewall, api, bob) -> None:
    revert = "<revert><config><partial><admin><member>egress</member></admin></partial></config></revert>"
    api.set(ADDRESS.format("mine"), IP)
    bob.op("<request><config-lock><add/></config-lock></request>")
    assert refused(api.op, revert) == "Configuration is locked by bob"
    bob.op("<request><config-lock><remove/></config-lock></request>")
    firewall.jobs.requests_per_job = 2
    api.commit(cmd="<commit/>")
    assert refused(api.op, revert) == "Local commit jobs are queued. Revert operation is not allowed."


# Locks


def test_locks_keep_others_out_until_their_holder_commits(firewall, api, bob) -> None:
    for kind in ("config", "commit"):
        bob.op(f"<request><{kind}-lock><add><comment>mine</comment></add></{kind}-lock></request>")
        api.op(f"show {kind}-locks", cmd_xml=True)
        lock = api.element_root.find(f"result/{kind}-locks/entry")
        assert (lock.get("name"), lock.findtext("comment")) == ("bob", "mine")
    assert refused(api.set, ADDRESS.format("a"), IP) == "Configuration is locked by bob"
    assert refused(api.commit, cmd="<commit/>") == "Other administrators are holding device wide commit locks."
    assert api.status_code == "14"
    told = refused(api.op, "<request><config-lock><add/></config-lock></request>")
    assert told == "Config for scope shared is currently locked by bob"
    assert "You already own" in refused(bob.op, "<request><config-lock><add/></config-lock></request>")
    bob.set(ADDRESS.format("bobs"), IP)
    committed(bob, "bob")
    assert firewall.state()["locks"] == {"config": {}, "commit": {}}
    told = refused(bob.op, "<request><config-lock><remove/></config-lock></request>")
    assert told == "Config is not currently locked for scope shared"
    api.set(ADDRESS.format("a"), IP)


def test_commands_that_do_not_exist(api) -> None:
    assert "is unexpected" in refused(api.op, "show nothing at all", cmd_xml=True)
    assert api.status_code == "17"
    assert "is unexpected" in refused(api.op, "<configure/>")


def test_the_members_of_a_pair_and_of_panorama_say_so() -> None:
    for panorama, ha, path in ((False, "passive", "group/local-info"), (True, "primary-active", "local-info")):
        with PanosEmulator(panorama=panorama, ha=ha, managed_by="192.0.2.9") as emulator:
            api = connected(emulator, key_of(emulator))
            api.op("show high-availability state", cmd_xml=True)
            assert api.element_root.findtext(f"result/{path}/state") == ha
            api.op("show panorama-status", cmd_xml=True)
            assert "192.0.2.9" in api.element_root.findtext("result")


# Panorama


def test_panorama_commits_and_then_pushes(panorama) -> None:
    api = connected(panorama, key_of(panorama))
    group = "/config/devices/entry[@name='localhost.localdomain']/device-group/entry[@name='Branches']"
    api.set(f"{group}/address/entry[@name='a']", IP)
    pushed = '<shared-policy><device-group><entry name="Branches"/></device-group></shared-policy>'
    push = f"<commit-all>{pushed}</commit-all>"
    states = []
    for act in (lambda: committed(api), lambda: api.commit(cmd=push, action="all", sync=True, interval=0)):
        act()
        api.op("<show><devicegroups><name>Branches</name></devicegroups></show>")
        states.append([one.text for one in api.element_root.iter("shared-policy-status")])
    assert states == [["Out of Sync"] * 2, ["In Sync"] * 2]
    assert all("192.0.2.1/32" in text for text in panorama.pushed.values())
    panorama.push_fails["0002B"] = "commit failed there"
    api.set(f"{group}/address/entry[@name='b']", IP)
    committed(api)
    api.commit(cmd=push, action="all")
    job = api.element_root.findtext("result/job")
    for _turn in range(3):
        api.op(f'show jobs id "{job}"', cmd_xml=True)
    found = {one.findtext("serial-no"): one.findtext("result") for one in api.element_root.iterfind(".//devices/entry")}
    assert (api.element_root.findtext("result/job/result"), found) == ("FAIL", {"0001A": "OK", "0002B": "FAIL"})
    assert {serial: "name=\"b\"" in text for serial, text in panorama.pushed.items()} == {"0001A": True, "0002B": False}
    assert "is not a valid reference" in refused(api.commit, cmd=push.replace("Branches", "none"), action="all")
