# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""FortiOS among what the site has: its profiles, numbers that are taken, places, objects that somebody changed."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError

from .fortios_host import FortiosHost
from .host import ReadOnly

PORTS = {"default_ports": ["tcp/443"]}
NOTHING: dict[str, Any] = {
    "proxy_policy": False, "webfilter_profiles": [], "ssl_profiles": [], "source_interfaces": [],
    "destination_interfaces": [], "position": None,
}  # fmt: skip
WEB, TLS, POLICY = "webfilter/profile", "firewall/ssl-ssh-profile", "firewall/policy"


@pytest.fixture
def host(fortigate: Callable[..., FortiosHost]) -> FortiosHost:
    return fortigate()


# The site's own profiles


def test_a_profile_gets_one_row_and_keeps_its_own(host) -> None:
    before = copy.deepcopy([host.row(WEB, "corporate"), host.row(TLS, "deep-inspection-own")])
    host.run("login.live.com", "*.mesh.com")
    web, tls = host.row(WEB, "corporate"), host.row(TLS, "deep-inspection-own")
    assert web["ftgd-wf"]["filters"] == [
        *before[0]["ftgd-wf"]["filters"], {"id": 8, "category": 192, "action": "monitor", "log": "disable"}
    ]  # fmt: skip
    assert tls["ssl-exempt"] == [
        *before[1]["ssl-exempt"], {"id": 3, "type": "fortiguard-category", "fortiguard-category": 192}
    ]  # fmt: skip
    assert {name: web[name] for name in web if name != "ftgd-wf"} == {
        name: before[0][name] for name in before[0] if name != "ftgd-wf"
    }
    host.run(state="deleted")
    assert [host.row(WEB, "corporate"), host.row(TLS, "deep-inspection-own")] == before


def test_a_row_of_ours_that_somebody_changed_is_set_right_where_it_stands_for_nothing_else(host) -> None:
    host.run("login.live.com")
    end = host.state()
    host.row(WEB, "corporate")["ftgd-wf"]["filters"][-1]["action"] = "block"
    answer = host.run("login.live.com", check_mode=True)
    assert "block" in json.dumps(answer["diff"])
    assert host.run("login.live.com")["changed"]
    assert host.state() == end


def test_rows_of_the_site_go_back_without_what_fortios_adds(host) -> None:
    group = {"name": "Staff", "q_origin_key": "Staff"}
    own = {"id": 1, "category": 26, "action": "authenticate", "auth-usr-grp": [group], "q_origin_key": 1}
    host.row(WEB, "corporate")["ftgd-wf"]["filters"] = [own]
    host.run("login.live.com")
    assert host.row(WEB, "corporate")["ftgd-wf"]["filters"][0] == {
        "id": 1, "category": 26, "action": "authenticate", "auth-usr-grp": [{"name": "Staff"}]
    }  # fmt: skip


@pytest.mark.parametrize(("options", "words"), [
    ({"webfilter_profiles": ["corporat"]}, "webfilter_profiles: there is no webfilter profile 'corporat'"),
    ({"ssl_profiles": ["no-inspection", "Deep"]}, "ssl_profiles: there is no ssl profile 'Deep'"),
    ({"clients": ["Desktops", "Nobody"]}, r"clients\[1\]: there is no address or group 'Nobody'"),
    ({"position": {"policy": "bottom", "authentication_rule": "top"}}, "position.proxy_policy: needed"),
    ({"position": {"proxy_policy": "after Nobody", "authentication_rule": "top"}}, "no proxy policy 'Nobody'"),
])  # fmt: skip
def test_what_the_site_does_not_have_is_told_before_a_write(host, options, words) -> None:
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match=words):
        host.run("login.live.com", **options)


def test_nothing_that_uses_the_list_is_told(host) -> None:
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="1 names?.*nothing that uses their list"):
        host.run("login.live.com", **NOTHING)
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="1 networks?.*source_interfaces"):
        host.run("198.51.100.0/24", **PORTS, **{**NOTHING, "ssl_profiles": ["no-inspection"]})


# Numbers


def test_a_number_that_is_taken_is_passed_over_and_ours_is_kept(host) -> None:
    host.run("login.live.com", category=193)
    assert host.row("system/external-resource", "egress_mmd")["category"] == 194
    host.run("*.mesh.com", category=200, max_shrink=100)
    assert host.row("system/external-resource", "egress_mmd")["category"] == 194
    assert host.row(WEB, "corporate")["ftgd-wf"]["filters"][-1]["category"] == 194


def test_behind_the_last_number_the_first_is_looked_for(host) -> None:
    resources = host.fortios.store.tables["system/external-resource"]
    resources += [{"name": f"t{number}", "type": "category", "category": number} for number in range(200, 222)]
    host.run("login.live.com", category=210)
    assert host.row("system/external-resource", "egress_mmd")["category"] == 192


def test_no_number_left_is_told(host) -> None:
    resources = host.fortios.store.tables["system/external-resource"]
    resources += [{"name": f"t{number}", "type": "category", "category": number} for number in range(192, 222)]
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="all numbers.*192 to 221 are taken"):
        host.run("login.live.com")


def test_an_adopted_feed_keeps_its_number(host) -> None:
    host.fortios.store.write("POST", "system/external-resource", "", {
        "name": "egress_mmd", "type": "category", "category": 205, "resource": "https://t.example/x"})  # fmt: skip
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="adopt"):
        host.run("login.live.com")
    host.run("login.live.com", adopt=True)
    found = host.row("system/external-resource", "egress_mmd")
    assert (found["category"], found["update-method"]) == (205, "push")
    assert host.row(WEB, "corporate")["ftgd-wf"]["filters"][-1]["category"] == 205


# Places


@pytest.mark.parametrize(("position", "at"), [("top", 0), ("before #12", 2), ("after Card payments", 1), ("bottom", 3)])
def test_a_new_policy_stands_where_it_was_wanted(host, position, at) -> None:
    options = {"position": {"policy": position, "proxy_policy": "bottom", "authentication_rule": "top"}}
    host.run("198.51.100.0/24", "login.live.com", **PORTS, **options)
    assert [str(name).startswith("egress_mmd") for name in host.names(POLICY)].index(True) == at
    assert host.names("firewall/proxy-policy") == ["Web for staff", "egress_mmd"]
    assert host.names("authentication/rule") == ["egress_mmd", "log in"]
    with host.guarded(ReadOnly()):
        assert not host.run("198.51.100.0/24", "login.live.com", **PORTS, **options)["changed"]


def test_a_policy_in_its_place_is_not_moved_when_the_site_adds_one_beside_it(host) -> None:
    host.run("198.51.100.0/24", **PORTS)
    at = next(index for index, name in enumerate(host.names(POLICY)) if str(name).startswith("egress_"))
    host.fortios.store.tables[POLICY].insert(at + 1, {"policyid": 77, "name": "New", "action": "deny"})
    with host.guarded(ReadOnly()):
        assert not host.run("198.51.100.0/24", **PORTS)["changed"]


# What a policy says


def test_a_policy_binds_its_clients_of_both_families_and_the_ports(host) -> None:
    host.run("198.51.100.0/24", "2001:db8::/32", default_ports=["tcp/443", "udp/3478-3481"],
             clients=["Clients", "2001:db8:1::/64"], nat=False)  # fmt: skip
    policy = next(one for one in host.fortios.store.tables[POLICY] if str(one.get("name")).startswith("egress_"))
    named = {label: [one["name"] for one in policy[label]] for label in ("srcaddr", "srcaddr6", "dstaddr", "dstaddr6")}
    assert named["srcaddr"] == ["Clients"]
    assert host.row("firewall/address6", named["srcaddr6"][0])["ip6"] == "2001:db8:1::/64"
    assert named["dstaddr"] == named["dstaddr6"] == [policy["name"] + "-ip"]
    service = host.row("firewall.service/custom", policy["name"])
    assert (service["tcp-portrange"], service["udp-portrange"]) == ("443", "3478-3481")
    assert "nat" not in policy
    assert not policy.get("utm-status")


@pytest.mark.parametrize(("clients", "networks", "labels"), [
    (["any"], ["198.51.100.0/24"], {"srcaddr", "dstaddr"}), (["any"], ["2001:db8::/32"], {"srcaddr6", "dstaddr6"}),
    (["10.20.0.0/24", "2001:db8:1::/64"], ["198.51.100.0/24"], {"srcaddr", "dstaddr"}),
    (["10.20.0.0/24"], ["198.51.100.0/24", "2001:db8::/32"], {"srcaddr", "dstaddr"}),
])  # fmt: skip
def test_sources_and_destinations_are_of_the_same_families(host, clients, networks, labels) -> None:
    host.run(*networks, **PORTS, clients=clients)
    policy = next(one for one in host.fortios.store.tables[POLICY] if str(one.get("name")).startswith("egress_"))
    assert {label for label in policy if "addr" in label and policy[label]} == labels
    with host.guarded(ReadOnly()):
        assert not host.run(*networks, **PORTS, clients=clients)["changed"]


def test_clients_of_another_family_than_all_networks_are_told(host) -> None:
    with host.guarded(ReadOnly()), pytest.raises(AllowlistError, match="clients: none of them.*2001:db8::/32"):
        host.run("2001:db8::/32", **PORTS, clients=["Desktops"])


@pytest.mark.parametrize("ports", ["443:1024-65535", "443 8443", ""])
def test_a_service_that_somebody_changed_is_set_right(host, ports) -> None:
    host.run("198.51.100.0/24", **PORTS)
    end = host.state()
    service = next(one for one in host.fortios.store.tables["firewall.service/custom"] if "egress_" in one["name"])
    service["tcp-portrange"] = ports
    assert host.run("198.51.100.0/24", **PORTS)["changed"]
    assert host.state() == end
