# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recorded list and every sample of Microsoft's reference passes through the stand-in, wherever they lie."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.unit.web_service.asking import GUID, applied, asked, data, whole
from ansible_collections.egress.allowlist.tests.web_service import answers
from ansible_collections.egress.allowlist.tests.web_service.history import load_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SAMPLES = FOLDER / "webservice-samples"
EVERY = "Common,Exchange,SharePoint,Skype,MEM"
CLOUDS = ("Worldwide", "USGovDoD", "USGovGCCHigh", "China", "Germany")


def lies(*names: str) -> Any:
    there = all((FOLDER / name).is_dir() for name in names)
    return pytest.mark.skipif(not there, reason="the recorded answers do not lie beside the checkout")


# Recorded lists


@lies("webservice-history")
def test_from_each_recorded_version_the_changes_lead_to_each_later_one() -> None:
    history = load_history(FOLDER / "webservice-history")
    versions = sorted(history["Worldwide"])
    assert len(versions) >= 8
    listed = {}
    with WebService(history) as service:
        for version in versions:
            service.publish(version)
            listed[version] = data(service, "/endpoints/worldwide", ServiceAreas=EVERY)
            for earlier in (one for one in versions if one <= version):
                changes = data(service, f"/changes/worldwide/{earlier}")
                assert applied(listed[earlier], changes) == whole(listed[version]), (earlier, version)
                assert all(earlier < one["version"] <= version for one in changes)
    for old, new in pairwise(versions):
        assert whole(listed[old]) != whole(listed[new])


@lies("webservice-history")
def test_the_steps_of_the_recorded_history_are_those_counted_by_hand() -> None:
    with WebService(load_history(FOLDER / "webservice-history"), version="2021012800") as service:

        def step(old: str, new: str) -> dict[str, set[Any]]:
            found = [one for one in data(service, f"/changes/worldwide/{old}") if one["version"] == new]
            return {
                "new": {one["endpointSetId"] for one in found if one["disposition"] == "Add"},
                "gone": {one["endpointSetId"] for one in found if one["disposition"] == "Remove"},
                "urls": {url for one in found for url in one.get("add", {}).get("urls", ())},
            }

        june = step("2020061600", "2020062900")
        assert june["new"] >= {152, 153, 154} and june["gone"] == {54, 107, 119, 145}
        assert step("2021010400", "2021012800")["urls"] == {"*.officeapps.live.com"}


@lies("webservice", "webservice-history")
@pytest.mark.parametrize("name", ["webservice", "webservice-history"])
def test_a_recorded_list_goes_out_as_it_came_in(name) -> None:
    history = load_history(FOLDER / name)
    with WebService(history) as service:
        for instance, lists in history.items():
            for version, records in lists.items():
                service.publish(version, instance)
                page = json.dumps(records).replace("<tenant>", "*")
                assert data(service, f"/endpoints/{instance.upper()}", ServiceAreas=EVERY) == json.loads(page)
                usual = data(service, f"/endpoints/{instance}")
                assert usual == [one for one in json.loads(page) if one["serviceArea"] != "MEM"]


# The samples of the reference


def sample(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8-sig")


def first_record(name: str) -> dict[str, Any]:
    """Of a sample that is cut off."""
    text = sample(name)
    record, _end = json.JSONDecoder().raw_decode(text, text.index("{"))
    return record


@lies("webservice-samples")
def test_the_reference_s_answers_of_version_come_out_again() -> None:
    nothing: dict[str, list[dict[str, Any]]] = {"2018062000": [], "2018063000": []}
    with WebService(dict.fromkeys(CLOUDS, nothing), version="2018063000") as service:
        for query, name in (
            ({}, "version.all-instances.json"),
            ({"Instance": "Worldwide"}, "version.worldwide.json"),
            ({"Instance": "Worldwide", "AllVersions": "true"}, "version.worldwide.allversions.json"),
        ):
            expected = json.loads(sample(name))
            got = data(service, "/version", **query)
            assert got == expected
            assert json.dumps(got) == json.dumps(expected), "the order of the fields"
        text = asked(service, "/version/worldwide", ClientRequestId=GUID, Format="CSV")[1]
        assert text.split() == sample("version.worldwide.csv").split()


@lies("webservice-samples")
def test_the_feed_has_the_tags_of_the_reference_s_sample() -> None:
    with WebService({"Worldwide": {"2018080200": []}}) as service:
        text = asked(service, "/version/worldwide", ClientRequestId=GUID, Format="RSS", AllVersions="true")[1]
    tags = re.compile(r"<([a-zA-Z?][^ >/]*)")
    assert tags.findall(text) == tags.findall(sample("version.worldwide.rss.xml"))
    for line in ("<lastBuildDate>Thu, 02 Aug 2018 00:00:00 Z</lastBuildDate>", "<link>https://aka.ms/o365ip</link>"):
        assert line in text and line in sample("version.worldwide.rss.xml")


@lies("webservice-samples")
def test_the_reference_s_endpoint_set_comes_out_again() -> None:
    record = first_record("endpoints.worldwide.excerpt.json.txt")
    with WebService({"Worldwide": {"2018063000": [record]}}) as service:
        assert json.dumps(data(service, "/endpoints/worldwide")) == json.dumps([record])


@lies("webservice-samples")
def test_the_reference_s_changes_come_out_again() -> None:
    printed = json.loads(sample("changes.since-2018062700.json"))
    printed.append(first_record("changes.since-0000000000.excerpt.json.txt"))
    for record in printed:
        number, version = record["endpointSetId"], record["version"]
        before = {"id": number, "serviceArea": "Skype", **{k: [*v, "kept"] for k, v in record["remove"].items()}}
        after = {"id": number, "serviceArea": "Skype", **{k: ["kept"] for k in record["remove"]}}
        with WebService({"Worldwide": {"2018010100": [before], version: [after]}}, version=version) as service:
            (got,) = data(service, "/changes/worldwide/0000000000")
        old = ("changeDescription",)  # only in the oldest records
        assert {**got, "id": record["id"]} == {name: value for name, value in record.items() if name not in old}
        assert list(got) == [name for name in record if name not in old], "the order of the fields"


# Any two lists

NAMES = st.lists(st.sampled_from(["a.example", "b.example", "*.c.example", "d.example"]), unique=True, max_size=4)
NETWORKS = st.lists(st.sampled_from(["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]), unique=True, max_size=3)
RECORD = st.fixed_dictionaries(
    {"serviceArea": st.sampled_from(["Common", "MEM"]), "category": st.sampled_from(["Default", "Allow"]),
     "required": st.booleans(), "expressRoute": st.booleans()},
    optional={"urls": NAMES, "ips": NETWORKS, "tcpPorts": st.sampled_from(["443", "80, 443"]), "notes": st.just("")},
)  # fmt: skip
LIST = st.dictionaries(st.integers(1, 4), RECORD, max_size=4).map(
    lambda sets: [{"id": number, **record} for number, record in sets.items()]
)


@given(st.lists(LIST, min_size=2, max_size=4))
def test_the_changes_of_any_history_lead_from_its_first_list_to_its_last(lists) -> None:
    history = {f"20260101{number:02}": records for number, records in enumerate(lists)}
    changes = answers.changes(history)
    assert applied(lists[0], changes) == whole(lists[-1])
    words = {"AddedIp", "AddedUrl", "AddedIpAndUrl", "RemovedIpOrUrl", "ChangedIsExpressRoute", "MovedIpOrUrl"}
    words |= {"RemovedDuplicateIpOrUrl", "OtherNonPriorityChanges"}
    assert {one["impact"] for one in changes} <= words


def listed(part: Mapping[str, Any]) -> set[str]:
    return {value for name in ("urls", "ips") for value in part.get(name, ())}


@given(LIST, LIST)
def test_what_is_new_to_the_whole_list_is_never_called_less(old, new) -> None:
    """Nobody may miss an addition by its word for the impact."""
    known = {value for one in old for value in listed(one)}
    for change in answers.changes({"2026010100": old, "2026010200": new}):
        added, removed = (listed(change.get(part, {})) for part in ("add", "remove"))
        if added - known:
            assert change["impact"].startswith("Added")
        if change["impact"].startswith("Added"):
            assert added
        if change["impact"] == "RemovedDuplicateIpOrUrl":
            assert removed <= {value for one in new for value in listed(one)}


def test_records_before_that_version_have_no_word_for_the_impact() -> None:
    old, new = ([{"id": 1, "serviceArea": "Common", "urls": [name]}] for name in ("a.example", "b.example"))
    lists = {"2018112700": old, "2018112799": new, "2018112800": old}
    assert ["impact" in one for one in answers.changes(lists)] == [False, True]


# Folders


def test_a_folder_of_answers(tmp_path: Path) -> None:
    record = {"id": 1, "serviceArea": "Common", "urls": ["a.example"]}
    names = ("worldwide.2025-12-01.recorded.json", "Worldwide.2026010100.json", "usgov_dod.2025-12-01.json", "x.json")
    for name in names:
        (tmp_path / name).write_text("\ufeff" + json.dumps([record]), encoding="utf-8")
    found = load_history(tmp_path)
    assert {instance: sorted(lists) for instance, lists in found.items()} == {
        "Worldwide": ["2025120100", "2026010100"],
        "USGovDoD": ["2025120100"],
    }
    assert found["Worldwide"]["2026010100"] == [record]


@pytest.mark.parametrize(("text", "reason"), [(None, "found none"), ("{}", "the list"), ("[", "Worldwide.*no JSON")])
def test_a_folder_that_serves_nothing(tmp_path: Path, text, reason) -> None:
    if text is not None:
        (tmp_path / "Worldwide.2026010100.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=reason):
        load_history(tmp_path)
