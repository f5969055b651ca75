# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of ZIA: what it never takes, and how rows and rules come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator
from ansible_collections.egress.allowlist.tests.unit.emulators.test_zia import CATEGORY, RULE, Api

UNTOUCHED = {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": {"bypassOtherPolicies": True}}
TLS_RULE = {"name": "egress_mmd", "order": 1, "rank": 7, "action": UNTOUCHED}


@pytest.fixture
def api() -> Iterator[Api]:
    with ZiaEmulator(most_urls=40) as emulator:
        api = Api(emulator)
        api.log_in()
        yield api


def refusal(api: Api, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and code, or the words where there is no code; and nothing has changed."""
    before = api.emulator.state()
    answer = api.send(method, path, body)
    assert api.emulator.state() == before
    said = answer.json() if answer.content else {}
    return answer.status_code, str(said.get("code") or said.get("message", ""))


def number(api: Api, table: str, name: str) -> Any:
    return next(row["id"] for row in api.done("GET", f"/{table}") if row.get("name") == name)


def orders(api: Api, table: str) -> list[str]:
    rows = sorted(api.done("GET", f"/{table}"), key=lambda row: int(row["order"]))
    return [row["name"] for row in rows if row["order"] > 0]


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "*.office.example", "*office.example", "https://office.example", "Office.example", "com", ".com", "",
        ".", "a..example", f"{'a' * 64}.example", f"{'a.' * 127}example", f"a.example/{'p' * 1020}", "a b.example",
        "ä.example", "-a.example", "_.office.example", "www.safe_march.com", "www.safemarch.c_om", "a.example:x",
    ],
)  # fmt: skip
def test_one_bad_url_refuses_the_whole_request(api: Api, url: str) -> None:
    urls = ["good.example", url]
    assert refusal(api, "POST", "/urlCategories", {**CATEGORY, "urls": urls}) == (400, "INVALID_INPUT_ARGUMENT")
    path = "/authSettings/exemptedUrls?action=ADD_TO_LIST"
    assert refusal(api, "POST", path, {"urls": urls}) == (400, "INVALID_INPUT_ARGUMENT")


@pytest.mark.parametrize(
    "url",
    [
        ".office.example", "safe_march.com", "ww_w.safemarch.com", "www_.safemarch.com", "a.example:443",
        "www.safemarch.com/resources_1", "a.example/P.txt", f"{'a' * 63}.example", "10.0.0.1",
    ],
)  # fmt: skip
def test_these_urls_are_taken(api: Api, url: str) -> None:
    assert api.done("POST", "/urlCategories", {**CATEGORY, "urls": [url]})["urls"] == [url]


# Categories


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"superCategory": None}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"configuredName": ""}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"configuredName": "a/b"}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"configuredName": "Partner portals"}, (400, "DUPLICATE_ITEM")),
        ({"urls": []}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"description": "d" * 257}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"urls": "a.example"}, (400, "Request body is invalid.")),
        ({"links": ["a.example"]}, (400, "Request body is invalid.")),
        ({"ipRanges": ["10.0.0.0/40"]}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"urls": [f"n{one}.example" for one in range(41)]}, (403, "LIMIT_EXCEEDED")),
    ],
)
def test_a_category_must_be_whole(api: Api, change: dict[str, Any], wanted: tuple[int, str]) -> None:
    assert refusal(api, "POST", "/urlCategories", {**CATEGORY, **change}) == wanted


def test_there_are_64_custom_categories_at_most(api: Api) -> None:
    for one in range(62):
        api.done("POST", "/urlCategories", {**CATEGORY, "configuredName": f"c{one}"})
    assert refusal(api, "POST", "/urlCategories", CATEGORY) == (403, "LIMIT_EXCEEDED")


def test_the_last_url_of_a_category_stays(api: Api) -> None:
    category = api.done("POST", "/urlCategories", CATEGORY)["id"]
    path = f"/urlCategories/{category}?action=REMOVE_FROM_LIST"
    body = {"configuredName": "egress_mmd", "urls": CATEGORY["urls"]}
    assert refusal(api, "PUT", path, body) == (400, "INVALID_INPUT_ARGUMENT")
    assert refusal(api, "PUT", path, {"urls": ["a.example"]}) == (400, "INVALID_INPUT_ARGUMENT"), "without its name"


def test_what_is_in_use_stays(api: Api) -> None:
    category = api.allow()
    assert refusal(api, "DELETE", f"/urlCategories/{category}") == (409, "RESOURCE_IN_USE")
    group = api.done("POST", "/ipSourceGroups", {"name": "mine", "ipAddresses": ["10.1.0.0/16"]})["id"]
    rule = {**TLS_RULE, "sourceIpGroups": [{"id": group}]}
    number = api.done("POST", "/sslInspectionRules", rule)["id"]
    assert refusal(api, "DELETE", f"/ipSourceGroups/{group}") == (409, "RESOURCE_IN_USE")
    api.done("DELETE", f"/sslInspectionRules/{number}")
    api.done("DELETE", f"/ipSourceGroups/{group}")


def test_lists_come_back_shuffled_and_empty_ones_not_at_all(api: Api) -> None:
    urls = [f"n{one}.example" for one in range(12)]
    category = api.done("POST", "/urlCategories", {**CATEGORY, "urls": urls})["id"]
    seen = [tuple(api.done("GET", f"/urlCategories/{category}")["urls"]) for _time in range(4)]
    assert len(set(seen)) > 1
    assert {tuple(sorted(one)) for one in seen} == {tuple(sorted(urls))}
    assert {"keywords", "ipRanges", "description"}.isdisjoint(api.done("GET", f"/urlCategories/{category}"))
    present = api.done("GET", "/authSettings/exemptedUrls")["urls"]
    path = "/authSettings/exemptedUrls?action=REMOVE_FROM_LIST"
    assert sorted(api.done("POST", path, {"urls": present})["urls"]) == sorted(present)
    assert api.done("GET", "/authSettings/exemptedUrls") == {}


@pytest.mark.parametrize(
    "place", ["2001:db8::1", "10.0.0.0/33", "www.example.com", "10.0.0.9-10.0.0.1", "10.0.0.1-10.0.0.2-10.0.0.3", ""]
)
def test_groups_hold_addresses_of_version_four(api: Api, place: str) -> None:
    source = {"name": "mine", "ipAddresses": ["10.1.0.0/16", place]}
    assert refusal(api, "POST", "/ipSourceGroups", source) == (400, "INVALID_INPUT_ARGUMENT")
    target = {"name": "mine", "type": "DSTN_IP", "addresses": ["10.1.0.1-10.1.0.9", place]}
    assert refusal(api, "POST", "/ipDestinationGroups", target) == (400, "INVALID_INPUT_ARGUMENT")
    api.done("POST", "/ipDestinationGroups", {**target, "type": "DSTN_FQDN", "addresses": ["www.example.com"]})


def test_all_groups_together_hold_16000_addresses(api: Api) -> None:
    places = [f"10.{one // 250}.{one % 250}.0/24" for one in range(15_990)]
    api.done("POST", "/ipSourceGroups", {"name": "many", "ipAddresses": places})
    more = {"name": "mine", "ipAddresses": places[:10]}
    assert refusal(api, "POST", "/ipSourceGroups", more) == (403, "LIMIT_EXCEEDED")
    api.done("POST", "/ipSourceGroups", {**more, "ipAddresses": places[:7]})


def test_addresses_come_back_shuffled(api: Api) -> None:
    places = [f"10.1.0.{one}" for one in range(12)]
    group = api.done("POST", "/ipSourceGroups", {"name": "mine", "ipAddresses": places})["id"]
    seen = [tuple(api.done("GET", f"/ipSourceGroups/{group}")["ipAddresses"]) for _time in range(4)]
    assert len(set(seen)) > 1
    assert {frozenset(one) for one in seen} == {frozenset(places)}


# Rules


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"urlCategories": ["CUSTOM_77"]}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"sourceIpGroups": [{"id": 5}]}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"locations": [5]}, (400, "Request body is invalid.")),
        ({"order": 7}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"order": 0}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"order": 2, "rank": 6}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"name": ""}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"name": "Partners"}, (400, "DUPLICATE_ITEM")),
        ({"action": "PERMIT"}, (400, "Request body is invalid.")),
        ({"protocols": []}, (400, "INVALID_INPUT_ARGUMENT")),
        ({"position": "top"}, (400, "Request body is invalid.")),
        ({"state": True}, (400, "Request body is invalid.")),
        ({"predefined": True}, (400, "Request body is invalid.")),
    ],
)
def test_a_rule_must_fit(api: Api, change: dict[str, Any], wanted: tuple[int, str]) -> None:
    assert refusal(api, "POST", "/urlFilteringRules", {**RULE, **change}) == wanted
    existing = number(api, "urlFilteringRules", "No file sharing")
    changed = {**RULE, "name": "No file sharing", **change}
    assert refusal(api, "PUT", f"/urlFilteringRules/{existing}", changed) == wanted


def test_the_action_of_a_tls_rule_is_an_object(api: Api) -> None:
    assert refusal(api, "POST", "/sslInspectionRules", {**TLS_RULE, "name": "n" * 32})[0] == 400, "31 characters"
    for action in ("DO_NOT_DECRYPT", {"type": "INSPECT"}):
        body = {**TLS_RULE, "action": action}
        assert refusal(api, "POST", "/sslInspectionRules", body) == (400, "Request body is invalid.")


def test_rules_of_zscaler_stay(api: Api) -> None:
    rule = number(api, "sslInspectionRules", "Office 365 One Click")
    assert refusal(api, "DELETE", f"/sslInspectionRules/{rule}")[0] == 400
    whole = api.done("GET", f"/sslInspectionRules/{rule}")
    assert refusal(api, "PUT", f"/sslInspectionRules/{rule}", whole)[0] == 400
    assert refusal(api, "DELETE", "/sslInspectionRules/5") == (404, "RESOURCE_NOT_FOUND")
    assert refusal(api, "POST", "/locations", {"name": "new"})[0] == 405


def test_a_new_rule_moves_the_others_and_a_deleted_one_leaves_no_gap(api: Api) -> None:
    before = orders(api, "sslInspectionRules")
    rule = api.done("POST", "/sslInspectionRules", {**TLS_RULE, "order": 2})
    assert orders(api, "sslInspectionRules") == [before[0], "egress_mmd", *before[1:]]
    api.done("PUT", f"/sslInspectionRules/{rule['id']}", {**TLS_RULE, "order": 5})
    assert orders(api, "sslInspectionRules") == [*before, "egress_mmd"]
    api.done("PUT", f"/sslInspectionRules/{rule['id']}", {**TLS_RULE, "order": 1})
    assert orders(api, "sslInspectionRules") == ["egress_mmd", *before]
    api.done("DELETE", f"/sslInspectionRules/{rule['id']}")
    assert orders(api, "sslInspectionRules") == before
    assert sorted(row["order"] for row in api.done("GET", "/sslInspectionRules")) == [-1, 1, 2, 3, 4]


def test_a_higher_rank_comes_first(api: Api) -> None:
    api.done("POST", "/urlFilteringRules", {**RULE, "rank": 3})
    other = {**RULE, "name": "second"}
    assert refusal(api, "POST", "/urlFilteringRules", other) == (400, "INVALID_INPUT_ARGUMENT")
    api.done("POST", "/urlFilteringRules", {**other, "order": 2})


def test_long_lists_come_in_pages(api: Api) -> None:
    names = [row["name"] for row in api.done("GET", "/firewallFilteringRules")]
    pages = [api.done("GET", f"/firewallFilteringRules?page={page}&pageSize=2") for page in (1, 2, 3)]
    assert [[row["name"] for row in page] for page in pages] == [names[:2], names[2:], []]
