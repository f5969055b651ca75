# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of FortiOS, driven by fortigate-api, and held against the vendor's schema which that carries.

What the client documents of a device (statuses, filters, formats, moves) is what is expected here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.fortios.store import Store
from ansible_collections.egress.allowlist.tests.emulators.fortios.tables import TABLES
from fortigate_api import FortiGateAPI
from requests import HTTPError

from .fortios_clients import connected, told
from .fortios_schema import body_of, wrong

OK, ABSENT, DUPLICATE, IN_USE = (200, 0), (404, -3), (500, -5), (500, -23)
NET = {"name": "Net", "type": "ipmask", "subnet": "192.0.2.0 255.255.255.0"}
ANYWHERE = {
    "action": "accept", "schedule": "always", "srcintf": [{"name": "lan"}], "dstintf": [{"name": "wan1"}],
    "srcaddr": [{"name": "all"}], "dstaddr": [{"name": "all"}], "service": [{"name": "ALL"}],
}  # fmt: skip


@pytest.fixture
def fortigate() -> Iterator[FortiosEmulator]:
    with FortiosEmulator() as emulator:
        yield emulator


@pytest.fixture
def api(fortigate) -> Iterator[FortiGateAPI]:
    with connected(fortigate) as found:
        yield found


def names(rows: list[dict[str, Any]]) -> list[Any]:
    return [row.get("name") or row["policyid"] for row in rows]


# One object


@pytest.mark.parametrize("name", ["Net", "10.0.0.0/8", "a b?c&d", "100%25", "naïve"])
def test_an_object_is_made_read_changed_and_taken_away(api, name) -> None:
    addresses = api.cmdb.firewall.address
    assert not addresses.is_exist(name) and addresses.get(name=name) == []
    assert told(addresses.create({**NET, "name": name})) == OK
    assert told(addresses.create({**NET, "name": name})) == DUPLICATE
    assert addresses.is_exist(name)
    assert told(addresses.update({"name": name, "comment": "a network"})) == OK
    found = addresses.get(name=name)
    assert [(one["subnet"], one["comment"]) for one in found] == [(NET["subnet"], "a network")]
    assert told(addresses.delete(name)) == OK
    assert told(addresses.delete(name)) == ABSENT
    assert told(addresses.update({**NET, "name": name})) == ABSENT
    assert not addresses.is_exist(name)


def test_what_was_read_can_be_written_as_it_is(api, fortigate) -> None:
    """With all that FortiOS adds: defaults, and origin keys, which are none of a row's own."""
    before = fortigate.state()
    places = (api.cmdb.firewall.policy, api.cmdb.firewall.address, api.cmdb.webfilter.profile,
              api.cmdb.firewall.ssl_ssh_profile, api.cmdb.firewall.addrgrp)  # fmt: skip
    for place in places:
        for row in place.get():
            assert row["q_origin_key"] == row[place.uid]
            answer = place.update(row)
            assert told(answer) == OK
    assert fortigate.state() == before


def test_an_answer_says_whether_anything_was_changed(api) -> None:
    addresses = api.cmdb.firewall.address
    assert addresses.create(NET).json()["revision_changed"]
    assert not addresses.update(NET).json()["revision_changed"]
    changed = addresses.update({**NET, "comment": "a network"})
    assert changed.json()["revision_changed"]
    assert changed.json()["mkey"] == "Net"


def test_what_is_used_is_not_taken_away(api) -> None:
    group = api.cmdb.firewall.addrgrp
    assert told(api.cmdb.firewall.address.create(NET)) == OK
    assert told(group.create({"name": "Nets", "member": [{"name": "Net"}]})) == OK
    assert told(api.cmdb.firewall.policy.create({"name": "Use", **ANYWHERE, "dstaddr": [{"name": "Nets"}]})) == OK
    assert told(api.cmdb.firewall.address.delete("Net")) == IN_USE
    assert told(group.delete("Nets")) == IN_USE
    assert told(api.cmdb.firewall.policy.delete(filter="name==Use")) == OK
    assert told(group.delete("Nets")) == OK
    assert told(api.cmdb.firewall.address.delete("Net")) == OK


def test_a_member_that_is_not_there_is_refused_and_nothing_is_made(api) -> None:
    group = api.cmdb.firewall.addrgrp
    assert group.create({"name": "Nets", "member": [{"name": "Nobody"}]}).status_code == 424
    assert not group.is_exist("Nets")
    api.cmdb.firewall.addrgrp.create({"name": "Nets", "member": [{"name": "Desktops"}]})
    assert group.update({"name": "Nets", "member": [{"name": "Nobody"}]}).status_code == 424
    assert [one["name"] for one in group.get(name="Nets")[0]["member"]] == ["Desktops"]


def test_a_list_that_is_sent_replaces_the_whole_list(api) -> None:
    group = api.cmdb.firewall.addrgrp
    group.create({"name": "Nets", "member": [{"name": "Desktops"}, {"name": "Card terminals"}]})
    group.update({"name": "Nets", "member": [{"name": "Card terminals"}]})
    assert [one["name"] for one in group.get(name="Nets")[0]["member"]] == ["Card terminals"]


def test_a_resource_a_url_filter_and_profiles_are_written(api) -> None:
    feed = {"name": "Feed", "type": "category", "category": 200, "resource": "https://lists.example/x"}
    assert told(api.cmdb.system.external_resource.create(feed)) == OK
    assert told(api.cmdb.system.external_resource.create({**feed, "name": "Other"})) == DUPLICATE
    entries = [{"id": 1, "url": "www.example.com", "type": "simple", "action": "exempt"}]
    made = api.cmdb.webfilter.urlfilter.create({"name": "Filter", "entries": entries})
    number = made.json()["mkey"]
    assert [one["url"] for one in api.cmdb.webfilter.urlfilter.get(id=number)[0]["entries"]] == ["www.example.com"]
    profile = {"name": "own", "ftgd-wf": {"filters": [{"id": 1, "category": 200, "action": "monitor"}]},
               "web": {"urlfilter-table": number}}  # fmt: skip
    assert told(api.cmdb.webfilter.profile.create(profile)) == OK
    assert told(api.cmdb.system.external_resource.delete("Feed")) == IN_USE
    assert told(api.cmdb.webfilter.urlfilter.delete(number)) == IN_USE
    exempt = [{"id": 1, "type": "fortiguard-category", "fortiguard-category": 201}]
    assert api.cmdb.firewall.ssl_ssh_profile.create({"name": "own", "ssl-exempt": exempt}).status_code == 424
    assert told(api.cmdb.webfilter.profile.delete("own")) == OK
    assert told(api.cmdb.system.external_resource.delete("Feed")) == OK


# Many objects


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("name==desktops", ["Desktops"]),
        ("name!=all", ["none", "Desktops", "Card terminals"]),
        ("subnet=@198.51", ["Card terminals"]),
        ("name!@e", ["all"]),
        ("name==all,name==none", ["all", "none"]),
        (["type==ipmask", "name=@s"], ["Desktops", "Card terminals"]),
        (["name=@s,name==all", "subnet=@10.20"], ["Desktops"]),
        ("nothing==all", []),
    ],
)
def test_a_filter_finds_what_it_says(api, filters, found) -> None:
    assert names(api.cmdb.firewall.address.get(filter=filters)) == found


def test_a_filter_of_numbers_and_one_that_is_none(api) -> None:
    policies = api.cmdb.firewall.policy
    assert names(policies.get(filter="policyid>=3")) == ["Card payments", 12]
    assert names(policies.get(filter="policyid<3")) == ["Staff to the web"]
    assert api.fortigate.get(f"{policies.url}?filter=policyid").status_code == 400


def test_a_format_leaves_the_fields_that_are_asked_for_and_the_origin(api) -> None:
    found = api.cmdb.firewall.address.get(name="Desktops", format="name|subnet")
    assert found == [{"name": "Desktops", "subnet": "10.20.0.0 255.255.0.0", "q_origin_key": "Desktops"}]


def test_a_filter_deletes_all_that_it_finds_and_tells_the_worst(api) -> None:
    addresses = api.cmdb.firewall.address
    for name in ("Net 1", "Net 2"):
        addresses.create({**NET, "name": name})
    assert told(addresses.delete(filter="name=@net ")) == OK
    assert told(addresses.delete(filter="name=@e")) == IN_USE
    assert names(addresses.get()) == ["all", "Desktops", "Card terminals"]
    assert addresses.delete(filter="name==Nobody").status_code == 404


# Policies


def test_policies_stand_where_they_are_moved(api) -> None:
    policies = api.cmdb.firewall.policy
    number = policies.create({"name": "New", **ANYWHERE}).json()["mkey"]
    assert number == 13  # the first that is free
    assert names(policies.get()) == ["Card payments", "Staff to the web", 12, "New"]
    assert told(policies.move(number, "before", 1)) == OK
    assert names(policies.get()) == ["Card payments", "New", "Staff to the web", 12]
    assert told(policies.move(number, "after", 12)) == OK
    assert names(policies.get()) == ["Card payments", "Staff to the web", 12, "New"]
    assert told(policies.move(number, "before", 3)) == OK
    assert names(policies.get())[0] == "New"


def test_a_policy_that_cannot_be_moved_stays(api) -> None:
    policies = api.cmdb.firewall.policy
    before = names(policies.get())
    for answer in (policies.move(1, "before", 99), policies.move(99, "before", 1), policies.move(1, "before", 1)):
        assert answer.status_code == 500
    assert names(policies.get()) == before


def test_policies_are_found_by_the_addresses_behind_their_names(api) -> None:
    """The client puts addresses and groups together itself, from the forms in which they are told."""
    policies = api.cmdb.firewall.policy
    policies.create({"name": "New", **ANYWHERE, "srcaddr": [{"name": "Clients"}]})
    assert names(policies.get(efilter="srcaddr==10.20.0.0/16")) == ["New"]
    assert names(policies.get(efilter="dstaddr<=198.51.100.0/24")) == ["Card payments"]


# Who asks


def test_who_has_no_right_gets_nothing(fortigate) -> None:
    with pytest.raises(HTTPError, match="401"), connected(fortigate, token="another"):
        raise AssertionError("let in")
    with connected(fortigate, vdom="nobody") as api:
        assert api.cmdb.firewall.address.create(NET).status_code == 403
        assert api.cmdb.firewall.address.get() == []


# What the vendor's schema says

# Of later versions, and fields of one of them that the emulator knows as well.
LATER = {
    "system/external-resource": {"update-method", "server-identity-check", "uuid"},
    "firewall/proxy-policy": {"nat", "inspection-mode", "fsso-groups"}, "authentication/rule": {"dstaddr"},
}  # fmt: skip
RENAMED = {"webfilter/profile.web.blocklist is not known"}
LONGER = {"webfilter/profile", "firewall/ssl-ssh-profile"}  # whose names later versions let be longer


@pytest.mark.parametrize("path", [path for path, table in TABLES.items() if not table.single])
def test_a_table_is_as_the_vendor_describes_it(path) -> None:
    table, schema = TABLES[path], body_of(path, "post")["properties"]
    assert table.key in schema
    assert {*table.defaults} - LATER.get(path, set()) <= {*schema}
    assert path in LONGER or schema["name"]["maxLength"] == table.longest
    comment = schema.get("comment") or schema.get("comments")
    assert comment is None or comment["maxLength"] == table.comment


@pytest.mark.parametrize("path", TABLES)
def test_what_is_told_is_of_the_vendors_schema(path) -> None:
    schema = body_of(path, "put")
    for row in Store().read(path, ""):
        shown = {name: one for name, one in _plain(row).items() if name not in LATER.get(path, ())}
        assert not {*wrong(shown, schema, path)} - RENAMED


def _plain(value: Any) -> Any:
    """Without what FortiOS adds to each row and member, and without what is not set."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if name != "q_origin_key" and one not in (None, "")}
    return [_plain(one) for one in value] if isinstance(value, list) else value
