# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What FortiOS holds otherwise where it is told so, or must: URL filters, versions, clusters, snapshots, limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _fortios_plan
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError

from .fortios_host import FortiosHost
from .host import ReadOnly

PORTS = {"default_ports": ["tcp/443"]}
NOTHING: dict[str, Any] = {
    "proxy_policy": False, "webfilter_profiles": [], "ssl_profiles": [], "source_interfaces": [],
    "destination_interfaces": [], "position": None,
}  # fmt: skip
EXACT = {**NOTHING, "style": "urlfilter", "webfilter_profiles": ["default"]}
WEB, TLS, POLICY = "webfilter/profile", "firewall/ssl-ssh-profile", "firewall/policy"


@pytest.fixture
def host(fortigate: Callable[..., FortiosHost]) -> FortiosHost:
    return fortigate()


# URL filters


def test_url_filters_are_exact_and_read_back(host) -> None:
    entries = ["login.live.com", "*.mesh.com", "*cdn.onenote.net", "a.*.example.com", "*.*.example.org"]
    answer = host.run(*entries, **EXACT)
    assert not answer["translation"]
    table = host.row("webfilter/urlfilter", "egress_mmd")
    assert host.row(WEB, "default")["web"]["urlfilter-table"] == table["id"] == 1
    assert {(one["type"], one["action"], one["exempt"]) for one in table["entries"]} == {
        ("simple", "exempt", "all"), ("regex", "exempt", "all")
    }  # fmt: skip
    with host.guarded(ReadOnly()):
        assert not host.run(*reversed(entries), **EXACT)["changed"]
    host.run(state="deleted", **EXACT)
    assert not host.fortios.store.tables["webfilter/urlfilter"]
    assert host.row(WEB, "default")["web"]["urlfilter-table"] == 0


def test_a_url_filter_gets_a_number_that_is_free(host) -> None:
    host.fortios.store.tables["webfilter/urlfilter"] = [{"id": 7, "name": "site", "entries": []}]
    host.run("login.live.com", **EXACT)
    assert host.row("webfilter/urlfilter", "egress_mmd")["id"] == 8
    made = next(one for one in host.requests if one.path.endswith("/urlfilter") and one.method == "POST")
    assert made.json["id"] == 8


def test_exempt_all_is_the_same_however_it_is_read_back(host) -> None:
    host.run("login.live.com", **EXACT)
    entry = host.row("webfilter/urlfilter", "egress_mmd")["entries"][0]
    entry["exempt"] = "av web-content activex-java-cookie dlp fortiguard range-block antiphish all"
    with host.guarded(ReadOnly()):
        assert not host.run("login.live.com", **EXACT)["changed"]
    entry["exempt"] = "av"
    assert host.run("login.live.com", **EXACT)["changed"]
    host.row("webfilter/urlfilter", "egress_mmd")["entries"][0]["referrer-host"] = "elsewhere.example"
    assert host.run("login.live.com", **EXACT)["changed"]


def test_a_profile_with_a_url_filter_of_the_site_is_refused(host) -> None:
    host.fortios.store.tables["webfilter/urlfilter"] = [{"id": 7, "name": "site", "entries": []}]
    host.row(WEB, "default")["web"]["urlfilter-table"] = 7
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="default already has another URL filter"):
        host.run("login.live.com", **EXACT)


@pytest.mark.parametrize("options", [{"proxy_policy": True}, {"ssl_profiles": ["no-inspection"]}])
def test_what_knows_feeds_alone_is_refused_with_a_url_filter(host, options) -> None:
    with pytest.raises(AllowlistError, match="need style: feed"):
        host.run("login.live.com", **{**EXACT, **options})


def test_from_one_style_to_the_other_and_back(host) -> None:
    feed = {**NOTHING, "webfilter_profiles": ["default"]}
    host.run("login.live.com", **feed)
    by_feed = host.state()
    host.run("login.live.com", **EXACT)
    assert "egress_mmd" not in host.names("system/external-resource")
    assert not host.row(WEB, "default")["ftgd-wf"]["filters"]
    host.run("login.live.com", **feed)
    assert host.state() == by_feed


# Versions, managers, clusters


@pytest.mark.parametrize("version", ["7.0.12", "7.2.0"])
@pytest.mark.parametrize("rules", ["manage", "reference"])
def test_feeds_need_a_version_that_has_them(fortigate, version, rules) -> None:
    host = fortigate(version=version)
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="from 7.2.1 on. Take style: urlfilter"):
        host.run("login.live.com", rules=rules)
    assert host.run("login.live.com", **EXACT)["changed"]


def test_networks_need_a_feed_whatever_the_style(fortigate) -> None:
    host = fortigate(version="7.0.12")
    options = {**EXACT, "source_interfaces": ["lan"], "destination_interfaces": ["wan1"], "position": {"policy": "top"}}
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="Leave the networks out"):
        host.run("198.51.100.0/24", **PORTS, **options)


@pytest.mark.parametrize(("version", "profile", "style", "is_warned"), [
    ("7.4.7", "default", "feed", True), ("7.2.11", "default", "feed", True), ("7.4.6", "default", "feed", False),
    ("7.4.7", "corporate", "feed", False), ("7.4.7", "default", "urlfilter", False),
    ("7.6.1", "default", "feed", False),
])  # fmt: skip
def test_the_defect_of_feeds_in_flow_mode_is_told(fortigate, version, profile, style, is_warned) -> None:
    host = fortigate(version=version)
    options = {**NOTHING, "webfilter_profiles": [profile], "style": style}
    warnings = host.run("login.live.com", **options).get("warnings", [])
    told = [text for text in warnings if "391554" in text and f"profile {profile} is in flow mode" in text]
    assert (len(told), len(warnings)) == (int(is_warned), int(is_warned))


def test_a_box_that_fortimanager_governs_is_refused_unless_told(fortigate) -> None:
    host = fortigate(managed_by="fmg.example.com")
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match=r"FortiManager \(fmg.example.com\)"):
        host.run("login.live.com")
    assert host.run("login.live.com", centrally_managed="accept")["changed"]
    host.fortios.store.tables["system/central-management"][0]["mode"] = "backup"
    assert host.run("*.mesh.com", max_shrink=100)["changed"]


def test_the_secondary_unit_of_a_cluster_is_not_written(fortigate) -> None:
    host = fortigate(secondary=True)
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match="not the primary unit.*address of the cluster"):
        host.run("login.live.com")


def test_activate_false_is_refused_since_nothing_waits_there(host) -> None:
    with pytest.raises(AllowlistError, match="activate: FortiOS has no configuration that waits"):
        host.run("login.live.com", activate=False)
    assert not host.requests


# Rules that the site writes itself


def test_reference_is_satisfied_by_rules_of_the_site_and_leaves_them_alone(host) -> None:
    entries = ["login.live.com", "198.51.100.0/24"]
    missing = host.run(*entries, **PORTS, **NOTHING, rules="reference")["missing_rules"]
    assert len(missing) == 3
    feeds = [one for one in host.fortios.store.tables["system/external-resource"] if "egress_" in one["name"]]
    number = next(one["category"] for one in feeds if one["type"] == "category")
    networks = next(one["name"] for one in feeds if one["type"] == "address")
    host.row(WEB, "corporate")["ftgd-wf"]["filters"].append({"id": 9, "category": number, "action": "monitor"})
    host.row(TLS, "deep-inspection-own")["ssl-exempt"].append(
        {"id": 9, "type": "fortiguard-category", "fortiguard-category": number}
    )
    by_hand = {"policyid": 50, "name": "By hand", "action": "accept", "dstaddr": [{"name": networks}]}
    host.fortios.store.tables[POLICY].insert(0, by_hand)
    with host.guarded(ReadOnly()):
        answer = host.run(*entries, **PORTS, **NOTHING, rules="reference")
    assert not answer["changed"]
    assert not answer["missing_rules"]
    host.row(POLICY, "By hand")["status"] = "disable"
    assert len(host.run(*entries, **PORTS, **NOTHING, rules="reference")["missing_rules"]) == 1


# Snapshots


def _snapshot(host: FortiosHost) -> dict[str, Any]:
    host.run("login.live.com")
    snapshot: dict[str, Any] = host.run(state="gathered")["snapshot"]
    return snapshot


@pytest.mark.parametrize("spoil", [
    {"rows in webfilter profile corporate": {"rows": [{"category": 26, "action": "monitor", "log": "disable"}]}},
    {"rows in webfilter profile corporate": {"rows": [{"category": 192, "override-replacemsg": "x"}]}},
    {"rows in webfilter profile corporate": {"rows": "192"}},
    {"rows in webfilter profile corporate": {"options": "error-allow"}},
    {"rows in webfilter profile default": {"rows": []}},
    {"rows in ssl profile deep-inspection-own": {"rows": [{"fortiguard-category": 31}]}},
    {"proxy policy egress_mmd": {"name": "Web for staff", "comments": "Managed by egress.allowlist: mmd"}},
    {"proxy policy egress_mmd": {"comments": 5}}, {"proxy policy egress_mmd": []}, {"proxy policy egress_mmdx": {}},
])  # fmt: skip
def test_a_snapshot_cannot_write_what_is_not_ours(host, spoil) -> None:
    snapshot = _snapshot(host)
    before = host.state()
    for key, value in spoil.items():
        snapshot["objects"][key] = json.dumps(value)
    with host.guarded(ReadOnly()), pytest.raises(AllowlistError, match="snapshot:.*is no object of name mmd"):
        host.run(state="restored", snapshot=snapshot)
    assert host.state() == before


def test_rows_that_somebody_had_changed_come_back_as_they_were(host) -> None:
    host.run("login.live.com")
    host.row(WEB, "corporate")["ftgd-wf"]["filters"][-1]["action"] = "block"
    before = host.state()
    snapshot = host.run("login.live.com")["snapshot"]
    host.run(state="restored", snapshot=snapshot)
    assert host.state() == before


# Limits


@pytest.mark.parametrize(("limit", "entries"), [
    ("MOST_ENTRIES", ["a.example.com", "b.example.com", "c.example.com"]),
    ("MOST_ENTRIES", ["198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/24"]), ("MOST_BYTES", ["a.example.com"]),
])  # fmt: skip
def test_a_feed_that_is_too_long_is_told_with_the_figure(host, monkeypatch, limit, entries) -> None:
    monkeypatch.setattr(_fortios_plan, limit, 2)
    with host.guarded(ReadOnly()), pytest.raises(ApplianceError, match=rf"{len(entries)} lines .*holds .*2 "):
        host.run(*entries, **PORTS)


def test_a_row_that_is_too_long_is_told(host) -> None:
    long = {"type": "host", "value": "www.example.com", "path": "/" + "a" * 600, "ports": ["tcp/80"]}
    with host.guarded(ReadOnly()), pytest.raises(AllowlistError, match="its row has 616 characters.*511"):
        host.run(long, **EXACT)
