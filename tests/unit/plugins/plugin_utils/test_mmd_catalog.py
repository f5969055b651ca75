# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the catalog of Microsoft Managed Desktop has to say, whether or not its document is at hand."""

from __future__ import annotations

import time

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse
from ansible_collections.egress.allowlist.plugins.plugin_utils import _yaml
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, load
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select

# Two names cut in two by a line break look like these; they are other people's hosts.
WRONG_HOSTS = {"us.trafficmanager.net", "rod.outlookgroups.ms"}

NAMES = {
    "managed_desktop": 3,
    "get_help": 8,
    "quick_assist": 6,
    "support_and_recovery_assistant": 2,
    "windows_update_for_business": 13,
    "delivery_optimization": 5,
    "store_for_business": 10,
    "microsoft_365": 72,
    "azure_active_directory": 28,
    "intune": 73,
    "onedrive_for_business": 62,
    "defender_atp": 12,
    "sharepoint_online": 12,
    "teams": 29,
    "power_bi": 21,
    "onenote": 16,
}


@pytest.fixture(scope="module", name="catalog")
def fixture_catalog() -> Catalog:
    return load("mmd")


@pytest.fixture(scope="module", name="everything")
def fixture_everything(catalog: Catalog) -> dict[str, Entry]:
    entries = select([catalog], Request(tenant="contoso", uncertain="include")).entries
    return {entry.value + (entry.path or ""): entry for entry in entries}


def risky(everything: dict[str, Entry], risk: str) -> set[str]:
    return {value for value, entry in everything.items() if entry.risk == risk}


def test_groups_and_their_sizes(catalog: Catalog) -> None:
    enumerated = {id_: group for id_, group in catalog.groups.items() if group.enumerated}
    assert {id_: len(group.entries("contoso")) for id_, group in enumerated.items()} == NAMES
    assert set(catalog.groups) - set(enumerated) == {"windows_10_enterprise", "defender_for_endpoint", "autopilot"}


def test_each_group_says_what_it_is_for(catalog: Catalog) -> None:
    for group in catalog.groups.values():
        assert group.title, group.id
        assert group.why, group.id
        assert group.tables, group.id
        assert group.required, group.id
        assert group.links or 1 in group.tables, group.id


def test_346_entries_and_one_more_that_is_uncertain(catalog: Catalog, everything: dict[str, Entry]) -> None:
    usual = {entry.value for entry in select([catalog], Request(tenant="contoso")).entries}
    assert len(usual) == 346
    assert {entry.value for entry in everything.values()} - usual == {"*.msecnd.com"}
    assert len(everything) == 347


def test_names_joined_from_two_lines(everything: dict[str, Entry]) -> None:
    assert everything["groupsapi-prod.outlookgroups.ms"].groups == ("microsoft_365",)
    assert everything["scsquery-ss-us.trafficmanager.net"].groups == ("teams",)


def test_hosts_that_only_look_like_names_of_the_list(catalog: Catalog, everything: dict[str, Entry]) -> None:
    for host in WRONG_HOSTS:
        assert not [value for value, entry in everything.items() if entry.pattern.matches(host)]
        assert not [name for names in catalog.witnesses.values() for name in names if name == host]


def test_no_ports_are_invented(everything: dict[str, Entry]) -> None:
    assert {entry.ports for entry in everything.values()} == {()}


def test_the_path_is_kept(everything: dict[str, Entry]) -> None:
    assert [value for value, entry in everything.items() if entry.path] == ["*.msftncsi.com/ncsi.txt"]


def test_names_are_canonical(everything: dict[str, Entry]) -> None:
    for value in ("posarprodcssservice.accesscontrol.windows.net", "token.cp.microsoft.com", "*.svc.ms"):
        assert value in everything
    assert "contoso.onmicrosoft.com" in everything
    assert all(value == value.lower() and "<" not in value and "\\" not in value for value in everything)


def test_critical_is_the_managed_desktop_row(everything: dict[str, Entry]) -> None:
    assert {value for value, entry in everything.items() if entry.critical} == {
        "prod-mwaas-services-customerapi.azurewebsites.net",
        "mmd-support-prod-nam.trafficmanager.net",
        "mmdls.microsoft.com",
    }


def test_third_parties_are_optional(everything: dict[str, Entry]) -> None:
    third = risky(everything, "third_party")
    assert {"cdn.optimizely.com", "*.crashlytics.com", "*.branch.io", "google-analytics.com"} <= third
    # Microsoft's own delivery network and its own probe of the network, whatever their names look like.
    assert not {"ajax.aspnetcdn.com", "*.msftncsi.com/ncsi.txt"} & third
    optional = {value for value, entry in everything.items() if not entry.required}
    assert optional == third | {"powerbi.uservoice.com"}


def test_shared_hosting_is_wildcards_that_let_everybody_through(everything: dict[str, Entry]) -> None:
    shared = risky(everything, "shared_hosting")
    assert {"*.blob.core.windows.net", "*.azureedge.net", "*.servicebus.windows.net", "*.sharepoint.com"} <= shared
    assert "*.live.com" in shared, "it contains *.storage.live.com"
    assert not {value for value in shared if "*" not in value}
    assert everything["contoso.sharepoint.com"].risk is None
    assert everything["channelwebsdks.azureedge.net"].risk is None


def test_retired(everything: dict[str, Entry]) -> None:
    retired = risky(everything, "retired")
    assert {"prod-mwaas-services-customerapi.azurewebsites.net", "mmd-support-prod-nam.trafficmanager.net"} <= retired
    assert len({value for value in retired if value.endswith(".manage.microsoft.com")}) == 62
    # These left the document too, and other official lists go on asking for them.
    for value in ("*.outlook.com", "*.wns.windows.com", "account.live.com", "docs.microsoft.com"):
        assert everything[value].risk is None


def test_each_risk_is_about_a_name_of_the_catalog(catalog: Catalog, everything: dict[str, Entry]) -> None:
    patterns = [entry.pattern for entry in everything.values()]
    assert [
        str(risk.pattern) for risk in catalog.risks if not any(risk.pattern.covers(pattern) for pattern in patterns)
    ] == []


def test_each_risk_says_where_it_is_from(catalog: Catalog) -> None:
    assert [str(risk.pattern) for risk in catalog.risks if not (risk.source and risk.date)] == []


def test_each_source_is_used(catalog: Catalog) -> None:
    data = _yaml.parse(catalog.file, _yaml.read(catalog.file))
    assert isinstance(data, dict)
    used = {record["source"] for section in ("risks", "corrections") for record in data[section]}
    used |= {source for by_source in data["witnesses"].values() for source in by_source}
    assert used == set(data["sources"])


def test_witnesses_are_of_wildcards_of_the_catalog(catalog: Catalog, everything: dict[str, Entry]) -> None:
    wildcards = {entry.pattern for entry in everything.values()}
    assert set(catalog.witnesses) <= wildcards


def test_written_witnesses_are_not_names_of_the_catalog(catalog: Catalog, everything: dict[str, Entry]) -> None:
    """Those are witnesses by themselves, so writing them down again would only go stale."""
    assert {name for names in catalog.witnesses.values() for name in names} & set(everything) == set()


def test_the_name_in_doubt_is_kept_out_but_explained(catalog: Catalog, everything: dict[str, Entry]) -> None:
    (doubt,) = [correction for correction in catalog.corrections if correction.doubtful]
    assert (doubt.group, doubt.used, doubt.doubtful) == ("power_bi", "*.msecnd.net", "*.msecnd.com")
    assert doubt.certainty == "strong"
    assert everything["*.msecnd.net"].groups == ("onenote", "power_bi")


def test_glued_stars_stay_glued(everything: dict[str, Entry]) -> None:
    assert everything["*cdn.onenote.net"].pattern.matches("site-cdn.onenote.net")
    assert "*onenote.officeapps.live.com" in everything
    assert not parse("*.cdn.onenote.net").matches("site-cdn.onenote.net")


def test_reading_is_quick_and_done_once(catalog: Catalog) -> None:
    start = time.perf_counter()
    assert load("mmd") is catalog
    assert time.perf_counter() - start < 0.05
