# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a configuration of ZIA does with traffic, by the examples of Zscaler's own pages."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Client, Reader, Verdict
from ansible_collections.egress.allowlist.tests.emulators.zia.site import site
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Config
from ansible_collections.egress.allowlist.tests.emulators.zia.urls import Target, closeness

DESKTOP = Client(address="10.20.0.10")
BYPASS = {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": {"bypassOtherPolicies": True}}
KEEP = {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": {"bypassOtherPolicies": False}}


def config(**categories: list[str]) -> Config:
    """The organisation to start with, and categories by their number."""
    found = site().saved
    rows = [{"id": name, "configuredName": name, "urls": urls} for name, urls in categories.items()]
    found.rows("urlCategories").extend(rows)
    return found


def add(found: Config, table: str, **rule: Any) -> None:
    """A rule before all others."""
    usual = {"order": 0, "name": "ours", "protocols": ["ANY_RULE"]}
    found.rows(table).append({**usual, **rule})


def decide(found: Config, url: str, client: Client = DESKTOP) -> Verdict:
    return Reader(found).decide(url, client)


def allowed(found: Config, url: str, client: Client = DESKTOP) -> bool:
    return decide(found, url, client).allowed


# https://help.zscaler.com/zia/url-format-guidelines


@pytest.mark.parametrize(
    ("entry", "url", "wanted"),
    [
        (".safemarch.com", "atlanta.safemarch.com", True),
        (".safemarch.com", "serv3.serv2.serv1.atlanta.safemarch.com", True),
        (".safemarch.com", "safemarch.com", True),
        (".safemarch.com", "safemarch.com/company/webinars", True),
        (".safemarch.com", "e.d.c.b.a.safemarch.com", True),
        (".safemarch.com", "f.e.d.c.b.a.safemarch.com", False),
        (".safemarch.com", "unsafemarch.com", False),
        (".safemarch.com", "safemarch.com.evil.example", False),
        ("safemarch.com", "safemarch.com/company/webinars", True),
        ("safemarch.com", "www.safemarch.com", False),
        ("safemarch.com", "safemarch.com.evil.example", False),
        ("safemarch.com/resources", "safemarch.com/resources", True),
        ("safemarch.com/resources", "safemarch.com/resources/ftp.htm", False),
        ("safemarch.com/resources/", "safemarch.com/resources/ftp.htm", True),
        ("safemarch.com/resources/ftp.htm", "safemarch.com/resources/ftp.htm?next=1", True),
        ("safemarch.com/resources/ftp.htm", "safemarch.com", False),
    ],
)
def test_an_entry_describes_a_url(entry: str, url: str, wanted: bool) -> None:
    host, slash, path = url.partition("/")
    assert (closeness(entry, Target(host, 443, slash + path)) is not None) == wanted


def test_any_port_is_meant_unless_one_is_named() -> None:
    assert closeness("safemarch.com", Target("safemarch.com", 10443)) is not None
    assert closeness("safemarch.com:443", Target("safemarch.com", 443)) is not None
    assert closeness("safemarch.com:443", Target("safemarch.com", 10443)) is None


@pytest.mark.parametrize(
    ("entry", "closer"),
    [
        (".example.com", "www.example.com"),
        (".example.com", ".www.example.com"),
        (".www.example.com", "www.example.com"),
        (".example.com", ".example.com/abc/"),
        (".example.com/abc/", "www.example.com/abc/def"),
    ],
)
def test_a_url_belongs_to_the_category_that_describes_it_most_closely(entry: str, closer: str) -> None:
    """The rule for the other category does not fit, although it comes first."""
    found = config(CUSTOM_08=[entry], CUSTOM_09=[closer])
    add(found, "urlFilteringRules", action="ALLOW", urlCategories=["CUSTOM_08"])
    assert not allowed(found, "http://www.example.com/abc/def")
    assert allowed(config_with_allow(CUSTOM_08=[entry]), "http://www.example.com/abc/def")
    both = config_with_allow(CUSTOM_08=[entry], CUSTOM_09=[entry])
    assert allowed(both, "http://www.example.com/abc/def"), "equally close: it belongs to both"


def config_with_allow(**categories: list[str]) -> Config:
    found = config(**categories)
    add(found, "urlFilteringRules", action="ALLOW", urlCategories=["CUSTOM_08"])
    return found


# Policies


def test_the_path_is_seen_where_it_can_be() -> None:
    found = config_with_allow(CUSTOM_08=["www.example.com/abc/"])
    assert allowed(found, "http://www.example.com/abc/def")
    assert not allowed(found, "http://www.example.com/other")
    assert allowed(found, "https://www.example.com/abc/def"), "decrypted"
    add(found, "sslInspectionRules", action=KEEP)
    assert not allowed(found, "https://www.example.com/abc/def"), "not decrypted: nobody sees the path"


def test_what_is_not_decrypted_is_filtered_by_name_unless_all_else_is_bypassed() -> None:
    found = config(CUSTOM_08=[".office.example"])
    assert decide(found, "https://a.office.example/") == Verdict(False, True, True, True)
    add(found, "sslInspectionRules", action=KEEP, urlCategories=["CUSTOM_08"])
    assert decide(found, "https://a.office.example/") == Verdict(False, False, True, False)
    assert decide(found, "https://a.other.example/") == Verdict(False, True, True, True)
    found.rows("sslInspectionRules")[-1]["action"] = BYPASS
    assert decide(found, "https://a.office.example/") == Verdict(True, False, True, False)
    assert decide(found, "http://a.office.example/") == Verdict(False, False, True, True)


def test_lists_of_the_organisation_know_no_clients() -> None:
    found = config()
    found.urls("exemptedUrls").add(".office.example")
    found.urls("whitelistUrls").add(".office.example")
    for client in (DESKTOP, Client(address="192.0.2.1")):
        assert decide(found, "https://a.office.example/", client) == Verdict(False, True, False, False)
        assert decide(found, "https://a.other.example/", client) == Verdict(False, True, True, True)


def test_all_conditions_must_hold_and_of_each_any_value() -> None:
    found = config(CUSTOM_08=[".office.example"])
    places = {row["name"]: {"id": row["id"]} for row in found.rows("locations")}
    sources = {row["name"]: {"id": row["id"]} for row in found.rows("ipSourceGroups")}
    where = [places["Headquarters"], places["Branch Oslo"]]
    who = {"locations": where, "sourceIpGroups": list(sources.values())}
    add(found, "urlFilteringRules", action="ALLOW", urlCategories=["CUSTOM_08"], **who)
    url = "https://a.office.example/"
    assert allowed(found, url, Client(address="10.31.0.5", location="Branch Oslo"))
    assert not allowed(found, url, Client(address="10.31.0.6", location="Branch Oslo"))
    assert not allowed(found, url, Client(address="10.31.0.5"))


def test_groups_and_departments_are_one_condition() -> None:
    found = config(CUSTOM_08=[".office.example"])
    who = {table: [{"id": found.rows(table)[0]["id"]}] for table in ("groups", "departments")}
    add(found, "urlFilteringRules", action="ALLOW", urlCategories=["CUSTOM_08"], **who)
    url = "https://a.office.example/"
    assert allowed(found, url, Client(groups=frozenset({"Managed desktops"})))
    assert allowed(found, url, Client(department="Engineering"))
    assert not allowed(found, url, Client(department="Sales"))


def test_the_first_enabled_rule_decides() -> None:
    found = config(CUSTOM_08=[".office.example"])
    add(found, "urlFilteringRules", action="BLOCK", urlCategories=["CUSTOM_08"])
    add(found, "urlFilteringRules", order=1, action="ALLOW", urlCategories=["CUSTOM_08"])
    assert not allowed(found, "https://a.office.example/")
    found.rows("urlFilteringRules")[-2]["state"] = "DISABLED"
    assert allowed(found, "https://a.office.example/")


def test_the_site_is_as_it_says() -> None:
    found = config()
    assert allowed(found, "https://shop.fabrikam.example/")
    assert not decide(found, "https://shop.fabrikam.example/").decrypted
    assert not allowed(found, "https://paste.example/")
    assert not allowed(found, "https://www.contoso.example/")
    assert allowed(found, "https://www.contoso.example/", Client("172.16.0.9", "Guest Wifi"))
    assert not allowed(found, "https://www.dropbox.com/", Client("172.16.0.9", "Guest Wifi", frozenset(), "Sales"))
    assert allowed(found, "https://www.dropbox.com/", Client("172.16.0.9", "Guest Wifi"))


def test_a_category_of_the_site_takes_names_from_zscalers_own_unless_it_keeps_them_there() -> None:
    blocked = Client("172.16.0.9", "Guest Wifi", frozenset(), "Sales")
    assert allowed(config(CUSTOM_08=[".dropbox.com"]), "https://www.dropbox.com/", blocked)
    found = config()
    found.rows("urlCategories").append({"id": "CUSTOM_08", "dbCategorizedUrls": [".dropbox.com"]})
    assert not allowed(found, "https://www.dropbox.com/", blocked)


def test_the_firewall_knows_addresses_and_services() -> None:
    reader = Reader(config())
    assert reader.passes("203.0.113.1", 443, "tcp", DESKTOP)
    assert not reader.passes("203.0.113.1", 443, "udp", DESKTOP)
    assert not reader.passes("203.0.113.1", 8443, "tcp", DESKTOP)
    assert reader.passes("198.51.100.10", 8443, "tcp", DESKTOP)
    assert not reader.passes("198.51.100.11", 8443, "tcp", DESKTOP)


@pytest.mark.parametrize(
    ("place", "wanted"),
    [("192.0.2.7", True), ("192.0.2.0/24", True), ("192.0.2.5-192.0.2.9", True), ("192.0.2.8-192.0.2.9", False),
     ("2001:db8::/32", False), ("www.example.com", False)],
)  # fmt: skip
def test_a_place_is_an_address_a_network_or_a_range(place: str, wanted: bool) -> None:
    found = config()
    add(found, "firewallFilteringRules", action="ALLOW", destAddresses=[place])
    assert Reader(found).passes("192.0.2.7", 5000, "udp", DESKTOP) == wanted


def test_networks_in_a_category_are_met_by_addresses() -> None:
    found = config_with_allow(CUSTOM_07=["a.example"])
    found.rows("urlCategories").append({"id": "CUSTOM_08", "ipRanges": ["192.0.2.0/24"]})
    assert allowed(found, "https://192.0.2.9/")
    assert not allowed(found, "https://192.0.3.9/")
