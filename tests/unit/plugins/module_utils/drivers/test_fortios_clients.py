# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our module and fortigate-api, a client of others, on one emulated FortiGate: each reads what the other writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.tests.unit.emulators.fortios_clients import connected, told
from fortigate_api import FortiGateAPI

from .fortios_host import FortiosHost
from .host import ReadOnly

ASKED = ("*.x.example", "login.live.com", "198.51.100.0/24")
PORTS = {"default_ports": ["tcp/443"]}
LINES = ["host *.x.example tcp/80,443", "host login.live.com tcp/80,443", "network 198.51.100.0/24 tcp/443"]
EXACT = {"style": "urlfilter", "proxy_policy": False, "ssl_profiles": [], "webfilter_profiles": ["default"]}
MARK = "Managed by egress.allowlist: mmd"
DYNAMIC = "api/v2/monitor/system/external-resource/dynamic"
ENTRIES = "api/v2/monitor/system/external-resource/entry-list"
OK, IN_USE = (200, 0), (500, -23)


@pytest.fixture
def host(fortigate: Callable[..., FortiosHost]) -> FortiosHost:
    return fortigate()


@pytest.fixture
def api(host) -> Iterator[FortiGateAPI]:
    with connected(host.fortios) as found:
        yield found


def one(rows: list[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1
    return rows[0]


def names(value: Any) -> list[str]:
    return [member["name"] for member in value]


def feed(api: FortiGateAPI, name: str) -> list[str]:
    found = api.fortigate.get_result(f"{ENTRIES}?mkey={name}")
    return sorted(entry["entry"] for entry in found["entries"])


def push(api: FortiGateAPI, name: str, command: str, *lines: str) -> None:
    body = {"commands": [{"name": name, "command": command, "entries": list(lines)}]}
    assert told(api.fortigate.post(DYNAMIC, body)) == OK


def networks(api: FortiGateAPI) -> dict[str, Any]:
    """The resource of the networks, whose name depends on their ports."""
    return one(api.cmdb.system.external_resource.get(filter=["name=@egress_mmd", "type==address"]))


# What our module writes


def test_the_client_reads_what_our_module_writes(host, api) -> None:
    host.run(*ASKED, **PORTS)
    resource = one(api.cmdb.system.external_resource.get(name="egress_mmd"))
    assert (resource["type"], resource["category"], resource["update-method"]) == ("category", 192, "push")
    assert resource["comments"].startswith(MARK)
    assert feed(api, "egress_mmd") == ["*.x.example", "login.live.com"]
    assert feed(api, networks(api)["name"]) == ["198.51.100.0/24"]
    client = one(api.cmdb.firewall.address.get(name="egress_mmd-10.20.0.0_24"))
    assert (client["type"], client["subnet"]) == ("ipmask", "10.20.0.0 255.255.255.0")


def test_the_client_reads_the_rules_and_where_they_stand(host, api) -> None:
    host.run(*ASKED, **PORTS)
    policies = api.cmdb.firewall.policy.get()
    ours = next(row for row in policies if row["name"].startswith("egress_mmd"))
    assert policies[policies.index(ours) + 1]["name"] == "Staff to the web"
    assert names(ours["srcaddr"]) == ["egress_mmd-10.20.0.0_24"]
    assert names(ours["dstaddr"]) == [networks(api)["name"]]
    assert (ours["action"], ours["status"], ours["utm-status"]) == ("accept", "enable", "disable")
    service = one(api.cmdb.firewall_service.custom.get(name=names(ours["service"])[0]))
    assert service["tcp-portrange"] == "443"
    # Found by the network behind the name, as the client puts it together.
    found = api.cmdb.firewall.policy.get(efilter="srcaddr==10.20.0.0/24")
    assert [row["policyid"] for row in found] == [ours["policyid"]]
    proxy = api.cmdb.firewall.proxy_policy.get()[0]
    assert (proxy["name"], proxy["proxy"], names(proxy["dstaddr"])) == ("egress_mmd", "explicit-web", ["egress_mmd"])
    address = one(api.cmdb.firewall.proxy_address.get(name="egress_mmd"))
    assert [row["id"] for row in address["category"]] == [192]
    assert api.cmdb.authentication.rule.get()[0]["name"] == "egress_mmd"


def test_the_client_reads_our_rows_in_the_sites_profiles(host, api) -> None:
    before = one(api.cmdb.webfilter.profile.get(name="corporate"))["ftgd-wf"]["filters"]
    host.run(*ASKED, **PORTS)
    filters = one(api.cmdb.webfilter.profile.get(name="corporate"))["ftgd-wf"]["filters"]
    assert filters[: len(before)] == before
    assert [(row["category"], row["action"]) for row in filters[len(before) :]] == [(192, "monitor")]
    exempt = one(api.cmdb.firewall.ssl_ssh_profile.get(name="deep-inspection-own"))["ssl-exempt"]
    assert exempt[-1]["fortiguard-category"] == 192


def test_the_client_reads_an_exact_url_filter(host, api) -> None:
    host.run("login.live.com", "*.x.example", **EXACT)
    table = one(api.cmdb.webfilter.urlfilter.get(filter="name==egress_mmd"))
    assert {row["action"] for row in table["entries"]} == {"exempt"}
    assert {row["type"]: row["url"] for row in table["entries"]}["simple"] == "login.live.com"
    assert one(api.cmdb.webfilter.profile.get(name="default"))["web"]["urlfilter-table"] == table["id"]
    assert told(api.cmdb.webfilter.urlfilter.delete(table["id"])) == IN_USE


def test_nothing_of_ours_is_left_for_the_client_to_find(host, api) -> None:
    host.run(*ASKED, **PORTS)
    host.run(state="deleted")
    firewall = api.cmdb.firewall
    places = (api.cmdb.system.external_resource, api.cmdb.firewall_service.custom, firewall.address, firewall.policy,
              firewall.proxy_policy, firewall.proxy_address, api.cmdb.authentication.rule)  # fmt: skip
    for place in places:
        assert not place.get(filter="name=@egress")
    assert len(firewall.policy.get()) == 3


# What the client writes


def test_what_the_client_writes_back_as_it_reads_it_is_no_change(host, api) -> None:
    host.run(*ASKED, **PORTS)
    firewall = api.cmdb.firewall
    places = (api.cmdb.system.external_resource, api.cmdb.firewall_service.custom, firewall.address, firewall.policy,
              firewall.proxy_policy, firewall.proxy_address, api.cmdb.authentication.rule, api.cmdb.webfilter.profile,
              firewall.ssl_ssh_profile)  # fmt: skip
    for place in places:
        for row in place.get():
            assert told(place.update(row)) == OK
    with host.guarded(ReadOnly()):
        assert not host.run(*ASKED, **PORTS)["changed"]


@pytest.mark.parametrize(
    ("change", "removed", "added"),
    [
        (lambda api: push(api, "egress_mmd", "add", "evil.example"), ["host evil.example tcp/80,443"], []),
        (lambda api: push(api, "egress_mmd", "remove", "login.live.com"), [], [LINES[1]]),
        (lambda api: push(api, "egress_mmd", "snapshot", "evil.example"), ["host evil.example tcp/80,443"], LINES[:2]),
        (lambda api: push(api, networks(api)["name"], "add", "203.0.113.0/24"), ["network 203.0.113.0/24 tcp/443"], []),
    ],
)
def test_what_the_client_does_to_a_feed_is_shown_and_corrected(host, api, change, removed, added) -> None:
    host.run(*ASKED, **PORTS)
    state = host.state()
    change(api)
    for given in ({"check_mode": True}, {}):
        answer = host.run(*ASKED, **PORTS, **given)
        assert (answer["changed"], answer["removed"], answer["added"]) == (True, removed, added)
    assert host.state() == state


def _policy(api: FortiGateAPI) -> dict[str, Any]:
    return one(api.cmdb.firewall.policy.get(filter="name=@egress_mmd"))


def _profile(api: FortiGateAPI) -> dict[str, Any]:
    return one(api.cmdb.webfilter.profile.get(name="corporate"))


DRIFTS: dict[str, Callable[[FortiGateAPI], Any]] = {
    "a policy for everyone": lambda api: api.cmdb.firewall.policy.update(
        {"policyid": _policy(api)["policyid"], "srcaddr": [{"name": "all"}]}),
    "a policy with profiles": lambda api: api.cmdb.firewall.policy.update(
        {**_policy(api), "utm-status": "enable", "webfilter-profile": "corporate"}),
    "a policy that asks for a login": lambda api: api.cmdb.firewall.policy.update(
        {**_policy(api), "groups": [{"name": "Staff"}]}),
    "a policy switched off": lambda api: api.cmdb.firewall.policy.update({**_policy(api), "status": "disable"}),
    "a policy moved below": lambda api: api.cmdb.firewall.policy.move(_policy(api)["policyid"], "after", 12),
    "a policy deleted": lambda api: api.cmdb.firewall.policy.delete(filter="name=@egress_mmd"),
    "an address of more clients": lambda api: api.cmdb.firewall.address.update(
        {"name": "egress_mmd-10.20.0.0_24", "subnet": "10.0.0.0 255.0.0.0"}),
    "more ports": lambda api: api.cmdb.firewall_service.custom.update(
        {**one(api.cmdb.firewall_service.custom.get(filter="name=@egress_mmd")), "udp-portrange": "1-65535"}),
    "a category that is blocked": lambda api: api.cmdb.webfilter.profile.update(
        {"name": "corporate", "ftgd-wf": {"filters": [
            {**row, "action": "block" if row["category"] == 192 else row["action"]}
            for row in _profile(api)["ftgd-wf"]["filters"]]}}),
    "a resource that is switched off": lambda api: api.cmdb.system.external_resource.update(
        {"name": "egress_mmd", "status": "disable"}),
    "an authentication rule with a method": lambda api: api.cmdb.authentication.rule.update(
        {"name": "egress_mmd", "active-auth-method": "form"}),
}  # fmt: skip


@pytest.mark.parametrize("drift", DRIFTS)
def test_what_the_client_changes_is_shown_and_corrected(host, api, drift) -> None:
    host.run(*ASKED, **PORTS)
    state = host.state()
    assert told(DRIFTS[drift](api)) == OK
    assert host.state() != state
    assert host.run(*ASKED, **PORTS, check_mode=True)["changed"]
    assert host.run(*ASKED, **PORTS)["changed"]
    assert host.state() == state


def test_a_row_of_the_sites_that_the_client_adds_to_a_profile_stays(host, api) -> None:
    host.run(*ASKED, **PORTS)
    rows = [*_profile(api)["ftgd-wf"]["filters"], {"id": 40, "category": 52, "action": "warning"}]
    assert told(api.cmdb.webfilter.profile.update({"name": "corporate", "ftgd-wf": {"filters": rows}})) == OK
    with host.guarded(ReadOnly()):
        assert not host.run(*ASKED, **PORTS)["changed"]
    host.run("login.live.com", max_shrink=100)
    host.run(state="deleted")
    left = {row["category"]: row["action"] for row in _profile(api)["ftgd-wf"]["filters"]}
    assert left == {26: "block", 193: "block", 52: "warning"}


def test_a_group_that_the_client_makes_can_be_the_clients(host, api) -> None:
    with pytest.raises(AllowlistError, match="no address or group 'Branch'"):
        host.run(*ASKED, **PORTS, clients=["Branch"])
    api.cmdb.firewall.address.create({"name": "Desk", "type": "ipmask", "subnet": "192.0.2.0 255.255.255.0"})
    api.cmdb.firewall.addrgrp.create({"name": "Branch", "member": [{"name": "Desk"}]})
    host.run(*ASKED, **PORTS, clients=["Branch"])
    assert names(_policy(api)["srcaddr"]) == ["Branch"]
    assert told(api.cmdb.firewall.addrgrp.delete("Branch")) == IN_USE
    host.run(state="deleted")
    assert told(api.cmdb.firewall.addrgrp.delete("Branch")) == OK


def test_an_object_of_the_client_with_our_name_is_left_alone(host, api) -> None:
    theirs = {"name": "egress_mmd", "type": "category", "category": 210, "resource": "https://lists.example/x"}
    assert told(api.cmdb.system.external_resource.create(theirs)) == OK
    with pytest.raises(AllowlistError, match="(?s)external resource egress_mmd.*adopt"):
        host.run(*ASKED, **PORTS)
    assert one(api.cmdb.system.external_resource.get(name="egress_mmd"))["resource"] == theirs["resource"]


def test_a_number_that_the_client_has_taken_is_not_taken_again(host, api) -> None:
    theirs = {"name": "Theirs", "type": "category", "category": 192, "resource": "https://lists.example/x"}
    assert told(api.cmdb.system.external_resource.create(theirs)) == OK
    host.run(*ASKED, **PORTS)
    assert one(api.cmdb.system.external_resource.get(name="egress_mmd"))["category"] == 194
