# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""egress.allowlist.endpoint_changes: between versions however they are named, and never of a list that is not known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _applied
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import AREAS
from ansible_collections.egress.allowlist.tests.web_service.history import (
    ADDED,
    FIRST,
    LAST,
    MOVED,
    SAME,
    small_history,
)
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

Run = Callable[..., list[Any]]
# As an answer has it: a wildcard where Microsoft's page writes the tenant, and the areas that are asked for.
HISTORY = {
    version: [one for one in records if one["serviceArea"] in AREAS]
    for version, records in json.loads(json.dumps(small_history()["Worldwide"]).replace("<tenant>", "*")).items()
}
VERSIONS = (FIRST, ADDED, MOVED, SAME, LAST)


@pytest.fixture(name="service")
def fixture_service() -> Iterator[WebService]:
    with WebService(small_history(), version=LAST) as service:
        yield service


@pytest.fixture(name="cache")
def fixture_cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture(name="changes")
def fixture_changes(run_lookup: Run, service: WebService, cache: Path) -> Run:
    def run(*terms: object, variables: dict[str, Any] | None = None, **options: Any) -> list[Any]:
        known = {
            "egress_web_service_url": service.url, "egress_cache_dir": str(cache), "egress_check_interval": 0,
            "egress_web_service_timeout": 0.3,
        }  # fmt: skip
        return run_lookup("endpoint_changes", *terms, variables={**known, **(variables or {})}, **options)

    return run


def kinds(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["value"]: row["change"] for row in rows}


def present(version: str) -> set[str]:
    return {value for one in HISTORY[version] for name in ("urls", "ips") for value in one.get(name, ())}


@pytest.fixture(name="files")
def fixture_files(tmp_path: Path) -> Path:
    for version, records in HISTORY.items():
        (tmp_path / f"worldwide.{version}.json").write_text(json.dumps(records), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("old", "new"), [*pairwise(VERSIONS), (FIRST, LAST)])
def test_versions_and_files_say_the_same(changes: Run, files: Path, old: str, new: str) -> None:
    """None of the versions is kept here: the service's records lead back to them."""
    rows = changes(since=old, until=new)
    by_word = {
        word: {value for value, change in kinds(rows).items() if change == word} for word in ("added", "removed")
    }
    assert by_word["added"] == present(new) - present(old)
    assert by_word["removed"] == present(old) - present(new)
    told = changes(since=str(files / f"worldwide.{old}.json"), until=str(files / f"worldwide.{new}.json"))
    assert kinds(told) == kinds(rows)
    assert [row["value"] for row in rows] == [row["value"] for row in sorted(rows, key=_order)]


def _order(row: dict[str, Any]) -> tuple[str, ...]:
    return row["change"], row["type"], row["value"]


def test_what_moved_says_from_where_to_where(changes: Run) -> None:
    moved = [row for row in changes(since=ADDED, until=MOVED) if row["change"] == "moved"]
    assert moved
    for row in moved:
        assert row["before"] and row["after"] and row["before"] != row["after"]
        assert set(row["before"]) == {"ports", "category", "required"}
    assert {row["version"] for row in moved} == {MOVED}


def test_a_version_that_changed_nothing(changes: Run) -> None:
    assert changes(since=MOVED, until=SAME) == []
    assert changes(since=LAST) == []


def test_without_words_it_is_the_last_step(changes: Run, service: WebService) -> None:
    assert changes() == changes(since=SAME)
    assert changes(until=ADDED) == changes(since=FIRST, until=ADDED)
    service.publish(FIRST)
    with pytest.raises(AnsibleLookupError, match="since: no version before"):
        changes()


def test_backwards(changes: Run) -> None:
    """As after a list that was taken back."""
    there, back = kinds(changes(since=FIRST, until=ADDED)), kinds(changes(since=ADDED, until=FIRST))
    turned = {"added": "removed", "removed": "added", "moved": "moved"}
    assert back == {value: turned[change] for value, change in there.items()}


def test_a_file_against_the_service(changes: Run, files: Path, service: WebService) -> None:
    rows = changes(since=str(files / f"worldwide.{SAME}.json"))
    assert {value for value, change in kinds(rows).items() if change == "removed"} == present(SAME) - present(LAST)
    assert all(row["version"] == LAST for row in rows)
    count = len(service.requests)
    relative = changes(since=f"worldwide.{SAME}.json", until=f"worldwide.{LAST}.json")
    assert {row["value"] for row in relative if row["change"] == "removed"} == present(SAME) - present(LAST)
    assert len(service.requests) == count


@pytest.mark.parametrize(("content", "reason"), [
    ("", "it is empty"), ("[]", "the list is empty"), ("<html>", "web page"), ('[{"id": 1', "cut short"),
    ("{}", "list"), (None, "expected a version of ten digits, the file of a saved answer, applied or latest"),
])  # fmt: skip
def test_files_that_are_none(changes: Run, files: Path, content: str | None, reason: str) -> None:
    name = "mine.json"
    if content is not None:
        (files / name).write_text(content, encoding="utf-8")
    other = f"worldwide.{FIRST}.json"
    for words in ({"since": name}, {"since": FIRST, "until": name}, {"since": other, "until": name}):
        with pytest.raises(AnsibleLookupError, match=reason):
            changes(**words)


def test_a_file_that_is_no_text(changes: Run, files: Path) -> None:
    (files / "mine.json").write_bytes(b"\xff\xfe\x00")
    (files / "folder.json").mkdir()
    for name in ("mine.json", "folder.json"):
        with pytest.raises(AnsibleLookupError, match="since: expected a version"):
            changes(since=name)


def test_other_clouds(changes: Run) -> None:
    rows = changes(since=FIRST, variables={"egress_instance": "china"})
    assert kinds(rows) == {"42.159.161.192/27": "added"}


def test_a_tenants_list(changes: Run) -> None:
    """The records have a wildcard where the list names the tenant; both ways still agree."""
    assert changes(since=MOVED, until=SAME, tenant="contoso") == []
    for old, new in pairwise(VERSIONS):
        own = changes(since=old, until=new, tenant="contoso")
        assert not [row["value"] for row in own if row["value"].startswith("*") and "sharepoint" in row["value"]]


def test_what_only_looks_writes_nothing(changes: Run, cache: Path) -> None:
    checks = {"ansible_check_mode": True}
    assert changes(since=FIRST, variables=checks) == changes(since=FIRST, read_only=True)
    assert not cache.exists()


def test_since_the_oldest_that_was_applied(changes: Run, cache: Path) -> None:
    for host, version in (("proxy1", ADDED), ("proxy2", SAME), ("proxy3", "2099010100")):
        instance = "china" if host == "proxy3" else "worldwide"
        _applied.write(str(cache), _applied.recorded(str(cache), host, "mmd", {instance: version}, "now"))
    assert changes(since="applied") == changes(since=ADDED)
    assert changes(since="applied", appliances=["proxy2"]) == changes(since=SAME)
    with pytest.raises(AnsibleLookupError, match="no version of the web service's list of worldwide was applied"):
        changes(since="applied", appliances=["proxy3"])


def test_the_service_is_away(changes: Run, service: WebService, warnings: list[str]) -> None:
    known = changes(since=FIRST)
    service.fault("closed")
    assert changes(since=FIRST) == known
    assert len(warnings) == 1 and f"Version {LAST} is used, last confirmed" in warnings[0]


def test_a_list_that_waits_can_be_looked_at(changes: Run, service: WebService, warnings: list[str]) -> None:
    service.publish(FIRST)
    changes(until=FIRST, since=FIRST)
    extra = [f"n{number}.contoso.com" for number in range(40)]
    grown = [{**one, "urls": [*one["urls"], *extra]} if one["id"] == 56 else one for one in HISTORY[FIRST]]
    service.save("2025100500", grown)
    service.publish("2025100500")
    assert changes(since=FIRST) == [] and "max_growth" in warnings[-1]
    assert set(kinds(changes(since=FIRST, until="2025100500"))) == set(extra)
    assert set(kinds(changes(since=FIRST, accept_new=True, read_only=True))) == set(extra)
    assert changes(since=FIRST) == []


@pytest.mark.parametrize("version", ["2018010100", "2099010100", "2025101500"])
def test_a_version_that_nobody_knows(changes: Run, version: str) -> None:
    """Before the records, after the list, and between two of which both are known."""
    with pytest.raises(AnsibleLookupError, match=f"the list of version {version} is not known"):
        changes(since=version)
