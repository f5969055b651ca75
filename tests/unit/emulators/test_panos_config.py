# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of PAN-OS, driven by pan-python, a client that its own tests drive against real firewalls.

What those tests expect (``tests/test_xapi_fw_tgt_config.py``, ``..._multi_config.py``) is expected here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pan.xapi
import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

from .panos_clients import (
    ADDRESS,
    CATEGORY,
    IP,
    RULE,
    RULES,
    VSYS,
    committed,
    connected,
    key_of,
    members,
    multi_config,
    refused,
)

RECORDED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "panos"


@pytest.fixture
def firewall() -> Iterator[PanosEmulator]:
    with PanosEmulator() as emulator:
        yield emulator


@pytest.fixture
def api(firewall) -> pan.xapi.PanXapi:
    return connected(firewall, key_of(firewall))


@pytest.fixture
def bob(firewall) -> pan.xapi.PanXapi:
    return connected(firewall, key_of(firewall, "bob"))


# Keys


def test_a_key_is_made_expires_and_times_out(firewall, api) -> None:
    api.op("show system info", cmd_xml=True)
    assert api.element_root.findtext("result/system/sw-version") == "11.1.4"
    firewall.expire_keys()
    assert "403" in refused(api.op, "show system info", cmd_xml=True)
    other = connected(firewall, key_of(firewall))
    firewall.expire_keys("22")
    assert refused(other.op, "show system info", cmd_xml=True) == "Session timed out"
    assert other.status_code == "22"


def test_a_wrong_password_and_a_role_that_only_reads(firewall) -> None:
    firewall.admins["egress"] = "new"
    wrong = connected(firewall, "", "egress")
    wrong.api_password = "old"
    assert "403" in refused(wrong.keygen)
    auditor = connected(firewall, key_of(firewall, "auditor"))
    assert members(auditor, f"{VSYS}/address-group") == ["Desktops"]
    assert "403" in refused(auditor.set, ADDRESS.format("x"), IP)
    assert "403" in refused(auditor.commit, cmd="<commit/>")


# Configuration


def test_what_pan_python_finds_on_real_firewalls(api) -> None:
    xpath = ADDRESS.format("a1")
    api.get(xpath)
    assert (api.status, api.status_code, len(api.element_root.find("result"))) == ("success", "7", 0)
    assert refused(api.show, xpath) == "No such node"
    assert api.status == "error"
    api.set(xpath, IP)
    api.get(xpath)
    assert (api.status_code, api.element_root.findtext("result/entry/ip-netmask")) == ("19", "192.0.2.1/32")
    api.delete(xpath)
    assert api.status == "success"
    api.delete(xpath)
    assert (api.status, api.status_code, api.status_detail) == ("success", "7", "Object doesn't exist")


def test_strict_multi_config_takes_back_what_was_pending_and_all_of_its_own(api) -> None:
    """``test_02`` of pan-python, with the very text that it expects."""
    api.set(ADDRESS.format("a1"), IP)
    long = "a" * 64
    good = f'<set id="1" xpath="{ADDRESS.format("a2")}">{IP}</set>'
    told = multi_config(api, good, f'<set id="LEN-ERROR" xpath="{ADDRESS.format(long)}">{IP}</set>')
    length = "can be at most 63 characters, but current length: 64"
    assert f'status="error" code="12" id="LEN-ERROR"  {long} {length}' in told[1]
    for name in ("a1", "a2", long):
        api.get(ADDRESS.format(name))
        assert api.status_code == "7"


def test_multi_config_that_is_not_strict_keeps_what_was_pending(api) -> None:
    api.set(ADDRESS.format("a1"), IP)
    good, bad = f'<set xpath="{ADDRESS.format("a2")}">{IP}</set>', f'<set xpath="{CATEGORY}"><odd/></set>'
    told = multi_config(api, good, bad, strict=False)
    assert told[0] == 'status="success" code="20" command succeeded'
    assert 'status="error" code="12"  mmd -> odd unexpected here' in told[1]
    assert api.status_code == "13"
    api.get(ADDRESS.format("a1"))
    assert api.status_code == "19"
    api.get(ADDRESS.format("a2"))
    assert api.status_code == "7"


def test_in_multi_config_deleting_nothing_is_a_success(api) -> None:
    nothing = f'<delete id="1" xpath="{ADDRESS.format("none")}"/>'
    assert multi_config(api, nothing, f'<set id="2" xpath="{ADDRESS.format("a2")}">{IP}</set>') == [
        'status="success" code="7" id="1" Object doesn\'t exist', 'status="success" code="20" id="2" command succeeded',
    ]  # fmt: skip


def test_set_adds_and_edit_replaces(api) -> None:
    api.set(CATEGORY, "<list><member>a.example/</member></list><type>URL List</type>")
    api.set(CATEGORY, "<list><member>b.example/</member><member>a.example/</member></list>")
    assert members(api, CATEGORY) == ["a.example/", "b.example/"]
    entry = '<entry name="mmd"><list><member>c.example/</member></list><type>URL List</type></entry>'
    api.edit(CATEGORY, entry)
    assert members(api, CATEGORY) == ["c.example/"]
    api.delete(f"{CATEGORY}/list/member[text()='c.example/']")
    assert members(api, CATEGORY) == []
    assert "is not the node" in refused(api.edit, CATEGORY, entry.replace("mmd", "other"))


def test_the_candidate_says_who_has_changed_what(api, bob) -> None:
    api.set(ADDRESS.format("a1"), IP)
    api.get(ADDRESS.format("a1"))
    entry = api.element_root.find("result/entry")
    assert (entry.get("admin"), sorted(entry.attrib)) == ("egress", ["admin", "dirtyId", "name", "time"])
    api.get(f"{ADDRESS.format('a1')}/ip-netmask")
    assert api.element_root.find("result/ip-netmask").get("admin") == "egress"
    api.get(ADDRESS.format("Desktops"))
    assert api.element_root.find("result/entry").get("admin") is None
    bob.op("check pending-changes", cmd_xml=True)
    assert bob.element_root.findtext("result") == "yes"
    bob.op("<show><config><list><changes></changes></list></config></show>")
    change = bob.element_root.find("result/journal/entry")
    assert [change.findtext(tag) for tag in ("owner", "action")] == ["egress", " CREATE"]
    assert change.findtext("xpath") == ADDRESS.format("a1")
    bob.op("<show><config><list><changes><partial><admin><member>bob</member></admin></partial></changes></list></config>"
           "</show>")  # fmt: skip
    assert len(bob.element_root.find("result")) == 0
    committed(api)
    api.get(ADDRESS.format("a1"))
    assert api.element_root.find("result/entry").attrib == {"name": "a1"}
    bob.op("<show><config><list><changes></changes></list></config></show>")
    assert len(bob.element_root.find("result")) == 0


def test_what_is_in_use_is_not_deleted(api) -> None:
    told = refused(api.delete, ADDRESS.format("Desktops"))
    assert told.split("\n") == [
        " Desktops cannot be deleted because of references from:", " address-group -> Staff -> static"]  # fmt: skip
    assert api.status_code == "10"
    api.set(CATEGORY, "<list><member>a.example/</member></list><type>URL List</type>")
    api.set(f"{RULES}/entry[@name='r']", RULE.format("mmd"))
    assert " security -> rules -> r -> category" in refused(api.delete, CATEGORY)
    api.delete(f"{RULES}/entry[@name='r']")
    api.delete(CATEGORY)
    assert api.status_code == "20"


def test_rules_are_moved_but_not_to_where_they_are(api) -> None:
    rule = f"{RULES}/entry[@name='{{}}']"
    api.set(rule.format("r"), RULE.format("any"))
    for where, dst, index in (("top", None, 0), ("after", "Block bad sites", 1), ("before", "Block the rest", 2)):
        api.move(rule.format("r"), where, dst)
        api.get(RULES)
        names = [one.get("name") for one in api.element_root.iterfind("result/rules/entry")]
        assert names.index("r") == index
        refused(api.move, rule.format("r"), where, dst)
        assert api.status_code == "14"
    refused(api.move, rule.format("r"), "before", "nobody")
    assert api.status_code == "13"
    assert refused(api.move, rule.format("r"), "before") == "no target specified in move"
    api.move(rule.format("none"), "top")
    assert api.status_code == "7"


def test_each_rule_has_an_identity_that_it_may_lose_when_it_is_replaced(api) -> None:
    def identities() -> list[str]:
        api.get(RULES)
        return [one.get("uuid") or "" for one in api.element_root.iterfind("result/rules/entry")]

    rule = f"{RULES}/entry[@name='r']"
    api.set(rule, RULE.format("any"))
    before = identities()
    assert len(set(before)) == 4
    assert all(before)
    api.set(rule, "<disabled>yes</disabled>")
    assert identities() == before
    api.edit(rule, f'<entry name="r">{RULE.format("any")}</entry>')
    assert identities()[:3] == before[:3]
    assert identities()[3] not in ("", before[3])


# Documented answers


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the vendor's examples are not here")
@pytest.mark.parametrize("name", ["multi-config-success.xml", "show-jobs-with-failed.xml"])
def test_answers_have_the_parts_of_those_that_are_documented(api, name) -> None:
    theirs = fromstring((RECORDED / name).read_text())
    if name.startswith("multi"):
        actions = (f'<set id="{one}" xpath="{ADDRESS.format(one)}">{IP}</set>' for one in ("action-id", "action2-id"))
        multi_config(api, *actions)
        ours = api.element_root
    else:
        api.op("show jobs all", cmd_xml=True)
        ours, theirs = api.element_root.find("result/job"), theirs.findall("result/job")[1]
    pairs = itertools.zip_longest(sorted(one.tag for one in ours.iter()), sorted(one.tag for one in theirs.iter()))
    different = [pair for pair in pairs if name.startswith("multi") and pair[0] != pair[1]]
    assert not different
    assert {one.tag for one in theirs} - {one.tag for one in ours} == set()
    assert ours.attrib == theirs.attrib
