# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is told of a group."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load, load_all
from ansible_collections.egress.allowlist.plugins.plugin_utils._describe import describe
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._witnesses import without_known_name


def test_all_groups_in_the_order_of_the_catalog() -> None:
    described = describe([load("mmd")], [])
    assert [group["id"] for group in described] == list(load("mmd").groups)
    assert json.loads(json.dumps(described)) == described


def test_counts_of_a_group() -> None:
    (group,) = describe([load("mmd")], ["microsoft_365"])
    assert (group["title"], group["count"], group["tables"]) == ("Microsoft 365", 72, [2, 3])
    assert group["counts"] == {"names": 59, "wildcards": 12, "tenant": 1, "networks": 0}


def test_counts_agree_with_the_entries() -> None:
    catalog = load("mmd")
    for group in describe([catalog], []):
        entries = catalog.groups[group["id"]].entries("contoso")
        assert group["count"] == len(entries), group["id"]
        assert group["counts"]["wildcards"] == sum("*" in entry.value for entry in entries)


def test_wildcards_without_a_known_name() -> None:
    described = {group["id"]: group["not_provable"] for group in describe([load("mmd")], [])}
    assert described["sharepoint_online"] == ["*.svc.ms"]
    assert described["get_help"] == []
    assert sorted({name for names in described.values() for name in names}) == without_known_name([load("mmd")])


def test_risks_of_a_group() -> None:
    (group,) = describe([load("mmd")], ["intune"])
    assert {risk["risk"] for risk in group["risks"]} == {"retired"}
    assert sum(len(risk["names"]) for risk in group["risks"]) == 62
    assert {tuple(risk["instead"]) for risk in group["risks"]} == {("*.manage.microsoft.com", "manage.microsoft.com")}
    (group,) = describe([load("mmd")], ["managed_desktop"])
    (retired,) = group["risks"]
    assert retired["names"] == [
        "prod-mwaas-services-customerapi.azurewebsites.net",
        "mmd-support-prod-nam.trafficmanager.net",
    ]
    assert "mmdcustomer.microsoft.com" in retired["instead"]


def test_risks_agree_with_the_entries() -> None:
    catalog = load("mmd")
    for group in describe([catalog], []):
        if group["enumerated"]:
            entries = select([catalog], Request(groups=[group["id"]], tenant="contoso")).entries
            told = {(name, risk["risk"]) for risk in group["risks"] for name in risk["names"]}
            assert told == {(entry.value + (entry.path or ""), entry.risk) for entry in entries if entry.risk}
            assert all(risk["why"] and risk["source"]["url"] for risk in group["risks"])


def test_a_risk_that_stands_at_the_name_itself(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text("groups: {a: {names: [{value: a.contoso.com, risk: third_party}]}}", encoding="utf-8")
    (group,) = describe([load(str(file))], [])
    assert [(risk["risk"], risk["names"], risk["why"]) for risk in group["risks"]] == [
        ("third_party", ["a.contoso.com"], None)
    ]


def test_corrections_that_touched_a_group() -> None:
    (group,) = describe([load("mmd")], ["teams"])
    assert [(correction["text"], correction["used"]) for correction in group["corrections"]] == [
        (["scsquery-ss-", "us.trafficmanager.net"], "scsquery-ss-us.trafficmanager.net"),
        ([r"\ *.cc.skype.com"], "*.cc.skype.com"),
    ]
    assert {correction["certainty"] for correction in group["corrections"]} == {"certain", "by_form"}
    assert all(correction["evidence"] and correction["source"]["url"] for correction in group["corrections"])


def test_a_group_of_links_only_can_be_looked_at() -> None:
    (group,) = describe([load("mmd")], ["autopilot"])
    assert (group["enumerated"], group["count"]) == (False, 0)
    assert group["links"][0]["url"].startswith("https://learn.microsoft.com/")


def test_two_catalogs_with_the_same_group(tmp_path: Path) -> None:
    file = tmp_path / "own.yml"
    file.write_text("groups: {teams: {names: [teams.contoso.com, teams.microsoft.com]}}", encoding="utf-8")
    (group,) = describe(load_all(["mmd", str(file)]), ["teams"])
    assert (group["catalogs"], group["count"], group["title"]) == (["mmd", "own"], 30, "Microsoft Teams")


def test_unknown_groups() -> None:
    with pytest.raises(AllowlistError, match=r"did you mean teams\?"):
        describe([load("mmd")], ["teems"])
