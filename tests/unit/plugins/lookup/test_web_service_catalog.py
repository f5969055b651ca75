# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web service as a catalog of the lookups, and what changed in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleLookupError
from ansible_collections.egress.allowlist.plugins.lookup import endpoint_changes
from ansible_collections.egress.allowlist.plugins.plugin_utils import _applied
from ansible_collections.egress.allowlist.tests.web_service.history import ADDED, FIRST, MOVED, small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

Run = Callable[..., list[Any]]
NAME = "microsoft_365"


@pytest.fixture(name="service")
def fixture_service() -> Iterator[WebService]:
    with WebService(small_history()) as service:
        yield service


@pytest.fixture(name="variables")
def fixture_variables(service: WebService, tmp_path: Path) -> dict[str, Any]:
    return {
        "egress_web_service_url": service.url, "egress_cache_dir": str(tmp_path / "cache"), "egress_check_interval": 0,
        "egress_grace": 0,
    }  # fmt: skip


def values(entries: list[dict[str, Any]]) -> set[str]:
    return {entry["value"] for entry in entries}


def test_each_group_of_the_list(run_lookup: Run, variables: dict[str, Any]) -> None:
    groups = run_lookup("endpoint_groups", catalog=NAME, variables=variables)
    areas = [group["id"] for group in groups if group["part_of"] is None]
    assert areas == ["common", "exchange", "sharepoint", "skype", "mem"]
    sets = [group for group in groups if group["part_of"]]
    assert [group["id"] for group in sets][:2] == ["set_1", "set_2"]
    everything = run_lookup("endpoints", catalog=NAME, variables=variables)
    assert {group for entry in everything for group in entry["groups"]} == set(areas)
    (one,) = [entry for entry in everything if entry["value"] == "smtp.office365.com"]
    assert one["sources"] == [f"microsoft_365 worldwide {FIRST} set 2"]
    assert one["ports"] == ["tcp/143", "tcp/587", "tcp/993", "tcp/995"]


def test_a_set_by_its_id(run_lookup: Run, variables: dict[str, Any]) -> None:
    alone = run_lookup("endpoints", "set_2", catalog=NAME, variables=variables)
    assert "smtp.office365.com" in values(alone)
    everything = values(run_lookup("endpoints", catalog=NAME, variables=variables))
    without = values(run_lookup("endpoints", catalog=NAME, exclude=["set_2"], variables=variables))
    assert "smtp.office365.com" not in without and without < everything
    # What another set asks for too stays.
    assert "outlook.office365.com" in without
    with pytest.raises(AnsibleLookupError, match="no group"):
        run_lookup("endpoints", "set_999", catalog=NAME, variables=variables)


def test_narrowed(run_lookup: Run, variables: dict[str, Any]) -> None:
    mem = run_lookup("endpoints", catalog=NAME, service_areas=["MEM"], variables=variables)
    assert {group for entry in mem for group in entry["groups"]} == {"mem", "common"}
    best = run_lookup("endpoints", catalog=NAME, categories=["optimize"], variables=variables)
    assert best and {entry["category"] for entry in best} == {"optimize"}
    needed = run_lookup("endpoints", catalog=NAME, required_only=True, variables=variables)
    assert all(entry["required"] for entry in needed)
    four = run_lookup("endpoints", catalog=NAME, ipv6=False, variables=variables)
    assert not any(":" in value for value in values(four))
    assert any(":" in value for value in values(run_lookup("endpoints", catalog=NAME, variables=variables)))
    with pytest.raises(AnsibleLookupError, match="did you mean exchange"):
        run_lookup("endpoints", catalog=NAME, service_areas=["Exchnage"], variables=variables)


def test_other_clouds(run_lookup: Run, variables: dict[str, Any]) -> None:
    found = run_lookup("endpoints", catalog=NAME, instance="china", variables=variables)
    assert found and all(source.startswith("microsoft_365 china ") for entry in found for source in entry["sources"])


def test_the_document_is_enriched(run_lookup: Run, variables: dict[str, Any]) -> None:
    alone = {entry["value"]: entry for entry in run_lookup("endpoints", tenant="contoso", variables=variables)}
    both = {
        entry["value"]: entry
        for entry in run_lookup("endpoints", catalog=["mmd", NAME], tenant="contoso", variables=variables)
    }
    assert alone.keys() < both.keys() and len(alone) == 346
    name = both["login.microsoftonline.com"]
    assert name["category"] == "allow" and alone["login.microsoftonline.com"]["category"] is None
    assert name["sources"] == ["microsoft_365 worldwide 2025092900 set 56", "mmd"]
    assert name["ports"] == ["tcp/80", "tcp/443"]
    assert all(both[value]["groups"] for value in alone)


def test_successors(run_lookup: Run, variables: dict[str, Any]) -> None:
    old = values(run_lookup("endpoints", "intune", variables=variables))
    new = run_lookup("endpoints", "intune", "managed_desktop", successors=True, variables=variables)
    own = values(run_lookup("endpoints", "managed_desktop", variables=variables))
    assert own <= values(new)
    assert not (old - own) & values(new) - values(run_lookup("endpoints", "mem", catalog=NAME, variables=variables))
    assert {entry["groups"][0] for entry in new if entry["value"] not in own} == {"intune"}
    assert all(NAME in source for entry in new if entry["value"] not in own for source in entry["sources"])


def test_where_nobody_succeeds_the_document_stays(
    run_lookup: Run, variables: dict[str, Any], warnings: list[str]
) -> None:
    kept = run_lookup("endpoints", "intune", successors=True, instance="china", variables=variables)
    assert values(kept) == values(run_lookup("endpoints", "intune", variables=variables))
    assert any("intune keeps the document's names" in warning for warning in warnings)


def test_shared_hosting_is_marked_and_what_lives_is_not_retired(run_lookup: Run, variables: dict[str, Any]) -> None:
    found = {entry["value"]: entry for entry in run_lookup("endpoints", catalog=NAME, offline=True)}
    assert found["*.sharepoint.com"]["risk"] == "shared_hosting"
    both = {entry["value"]: entry for entry in run_lookup(
        "endpoints", catalog=["mmd", NAME], offline=True, tenant="contoso", retired="exclude")}  # fmt: skip
    assert found.keys() <= both.keys()


def test_check_mode_writes_nothing(run_lookup: Run, variables: dict[str, Any], tmp_path: Path) -> None:
    found = run_lookup("endpoints", catalog=NAME, variables={**variables, "ansible_check_mode": True})
    assert found and not (tmp_path / "cache").exists()
    run_lookup("endpoints", catalog=NAME, variables=variables, read_only=True)
    assert not (tmp_path / "cache").exists()
    run_lookup("endpoints", catalog=NAME, variables=variables)
    assert (tmp_path / "cache").exists()


def test_what_was_removed_and_what_is_announced_is_told(
    run_lookup: Run, variables: dict[str, Any], service: WebService
) -> None:
    service.publish(ADDED)
    service.announce(56, urls=["soon.contoso.com"], effective="20990101", version=ADDED)
    found = {entry["value"]: entry for entry in run_lookup(
        "endpoints", catalog=NAME, variables={**variables, "egress_grace": 3650})}  # fmt: skip
    assert found["soon.contoso.com"]["sources"] == [f"microsoft_365 worldwide {ADDED} set 56, effective 2099-01-01"]
    gone = small_history()["Worldwide"]
    (name,) = {u for one in gone[FIRST] for u in one.get("urls", ())} - {
        u for one in gone[ADDED] for u in one.get("urls", ())
    }
    assert f"removed {ADDED}, kept until 2035-" in found[name]["sources"][0]


@pytest.mark.parametrize(("options", "reason"), [
    ({"max_age": "soon"}, "max_age"), ({"max_shrink": 101}, "max_shrink"), ({"grace": -1}, "grace"),
    ({"web_service_timeout": 0}, "web_service_timeout"), ({"web_service_ca_path": "/nowhere"}, "web_service_ca_path"),
    ({"web_service_url": "http://contoso.com"}, "plain http"),
])  # fmt: skip
def test_options_that_make_no_sense(run_lookup: Run, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(AnsibleLookupError, match=reason):
        run_lookup("endpoints", catalog=NAME, **options)


# What changed


def test_changes_since_a_version(run_lookup: Run, variables: dict[str, Any], service: WebService) -> None:
    service.publish(MOVED)
    rows = run_lookup("endpoint_changes", since=FIRST, until=ADDED, variables=variables)
    assert "login.microsoft.com" in values(rows) and "*.dm.microsoft.com" not in values(rows)
    documented = yaml.safe_load(endpoint_changes.RETURN)["_raw"]["contains"]
    assert all(set(row) == set(documented) for row in rows)
    assert json.loads(json.dumps(rows)) == rows
    latest = run_lookup("endpoint_changes", since=ADDED, variables=variables)
    assert "*.dm.microsoft.com" in values(latest)
    assert latest == run_lookup("endpoint_changes", variables=variables)
    assert run_lookup("endpoint_changes", since=MOVED, variables=variables) == []


def test_changes_between_files(run_lookup: Run, variables: dict[str, Any], service: WebService, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    for version in (FIRST, ADDED):
        records = small_history()["Worldwide"][version]
        (tmp_path / "files" / f"worldwide.{version}.json").write_text(json.dumps(records), encoding="utf-8")
    rows = run_lookup(
        "endpoint_changes", since=f"worldwide.{FIRST}.json", until=f"worldwide.{ADDED}.json", variables=variables
    )
    assert service.requests == []
    service.publish(ADDED)
    told = run_lookup("endpoint_changes", since=FIRST, variables=variables)
    assert values(rows) <= values(told) and {row["version"] for row in rows} == {ADDED}


def test_what_is_announced_counts_as_added(run_lookup: Run, variables: dict[str, Any], service: WebService) -> None:
    service.publish(ADDED)
    service.announce(56, urls=["soon.contoso.com"], effective="20990101", version=ADDED)
    rows = run_lookup("endpoint_changes", since=FIRST, variables=variables)
    assert [row["effective"] for row in rows if row["value"] == "soon.contoso.com"] == ["2099-01-01"]
    # Who was given that version was given what it announced.
    assert run_lookup("endpoint_changes", since=ADDED, variables=variables) == []
    assert "soon.contoso.com" not in values(
        run_lookup("endpoint_changes", since=FIRST, until=ADDED, variables=variables)
    )


def test_changes_since_it_was_applied(
    run_lookup: Run, variables: dict[str, Any], service: WebService, tmp_path: Path
) -> None:
    with pytest.raises(AnsibleLookupError, match="no version of the web service's list of worldwide was applied"):
        run_lookup("endpoint_changes", since="applied", variables=variables)
    entries = run_lookup("endpoints", catalog=NAME, variables=variables)
    folder = str(tmp_path / "cache")
    service.publish(ADDED)
    for host, found in (("proxy1", _applied.versions_of(entries)), ("proxy2", {"worldwide": ADDED})):
        _applied.write(folder, _applied.recorded(folder, host, "mmd", found, "now"))
    assert "login.microsoft.com" in values(run_lookup("endpoint_changes", since="applied", variables=variables))
    newer = run_lookup("endpoint_changes", since="applied", appliances=["proxy2"], variables=variables)
    assert newer == []


@pytest.mark.parametrize(("options", "reason"), [
    ({"since": "nowhere.json"}, "since: expected a version"), ({"since": "2018010100"}, "is not known"),
    ({"since": FIRST, "until": "x"}, "until: expected a version"), ({"sinse": FIRST}, "did you mean since"),
])  # fmt: skip
def test_versions_that_are_none(
    run_lookup: Run, variables: dict[str, Any], options: dict[str, Any], reason: str
) -> None:
    with pytest.raises(AnsibleLookupError, match=reason):
        run_lookup("endpoint_changes", variables=variables, **options)
    with pytest.raises(AnsibleLookupError, match="no terms"):
        run_lookup("endpoint_changes", FIRST, variables=variables)


def test_nothing_of_ours_is_left_beside_the_cache(run_lookup: Run, variables: dict[str, Any], tmp_path: Path) -> None:
    run_lookup("endpoints", catalog=NAME, variables=variables)
    assert sorted(os.listdir(tmp_path)) == ["cache"]
