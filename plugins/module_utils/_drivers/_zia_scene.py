# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant of ZIA has saved where we write: its tables, ours and the site's, in one form that can be compared."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_api import ZiaApi, ZiaRefusal
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own, json_text, key_parts

Row = Dict[str, Any]
# In the order in which they may be written; they are taken away the other way round.
TABLES = {
    "source group": "ipSourceGroups",
    "destination group": "ipDestinationGroups",
    "network service": "networkServices",
    "url category": "urlCategories",
    "ssl rule": "sslInspectionRules",
    "url rule": "urlFilteringRules",
    "firewall rule": "firewallFilteringRules",
}
# Tables that rules refer to, by the field that does.
REFERS = {
    "locations": "locations", "groups": "groups", "departments": "departments", "sourceIpGroups": "ipSourceGroups",
    "srcIpGroups": "ipSourceGroups", "destIpGroups": "ipDestinationGroups", "nwServices": "networkServices",
}  # fmt: skip
# Further conditions of a rule: none of ours has any, so one that is there was added by hand.
_CONDITIONS = (
    "locationGroups", "users", "timeWindows", "devices", "deviceGroups", "deviceTrustLevels", "userAgentTypes",
    "userRiskScoreLevels", "cloudApplications", "platforms", "sourceCountries", "workloadGroups", "zpaAppSegments",
    "enforceTimeValidity", "blockOverride", "nwApplications", "nwApplicationGroups", "nwServiceGroups", "appServices",
    "appServiceGroups", "destCountries", "destAddresses", "destIpCategories", "srcIps", "urlCategories2",
    "excludeSrcCountries",
)  # fmt: skip
_FIELDS: Mapping[str, Tuple[str, ...]] = {
    "source group": ("description", "ipAddresses"),
    "destination group": ("description", "type", "addresses", "ipCategories", "countries", "urlCategories"),
    "network service": ("description", "destTcpPorts", "destUdpPorts", "srcTcpPorts", "srcUdpPorts"),
    "url category": ("description", "urls", "keywords", "dbCategorizedUrls", "ipRanges", "regexPatterns"),
    **dict.fromkeys(
        ("ssl rule", "url rule", "firewall rule"),
        ("description", "state", "rank", "action", "protocols", "urlCategories", *REFERS, *_CONDITIONS),
    ),
}
EXEMPTED = "exempted urls"
RECORD = "-exempt"  # behind our prefix: the category that tells which exempted URLs are ours
PAGES = "/urlCategories"
_TEXTS = ("name", "configuredName", "description", "state", "type")
_LISTS = ("urls", "dbCategorizedUrls", "ipRanges", "addresses", "ipAddresses", "protocols", "urlCategories")


@dataclass
class Scene:
    """``exempted``: the organisation's exempted URLs, empty where they were not asked for."""

    status: str
    tables: Mapping[str, List[Row]]
    exempted: Tuple[str, ...] = ()

    def own(self, prefix: str) -> Iterator[Tuple[str, str, Row]]:
        for kind, rows in self.tables.items():
            for row in rows:
                if is_own(name_of(kind, row), prefix):
                    yield kind, name_of(kind, row), row

    def objects(self, prefix: str) -> Dict[str, str]:
        return {f"{kind} {name}": json_text(self.canonical(kind, row)) for kind, name, row in self.own(prefix)}

    def row(self, kind: str, name: str) -> Row | None:
        return next((row for row in self.tables[kind] if name_of(kind, row) == name), None)

    def rules(self, kind: str) -> List[str]:
        """Names in their order, without the rule for the rest, below which nothing can be."""
        rows = sorted((row for row in self.tables[kind] if order_of(row) > 0), key=order_of)
        return [name_of(kind, row) for row in rows]

    def canonical(self, kind: str, row: Row) -> Row:
        """The fields that say what a row does; references by name, lists sorted, nothing that is empty."""
        found: Row = {}
        for name in _FIELDS[kind]:
            value = _plain(name, row.get(name), self._categories())
            if name == "rank" or value not in (None, [], "", False, {}, 0):
                found[name] = value
        if isinstance(found.get("action"), dict):
            found["action"] = _action(found["action"])
        return found

    def _categories(self) -> Dict[str, str]:
        rows = self.tables.get("url category", [])
        return {str(row.get("id")): name_of("url category", row) for row in rows}


def read_scene(api: ZiaApi, prefix: str, *, exempted: bool) -> Scene:
    """The exempted URLs are read where they are asked for, or where our record says that some of them are ours."""
    tables = {kind: _rows(api, kind) for kind in TABLES}
    urls: Tuple[str, ...] = ()
    if exempted or any(name_of("url category", row) == prefix + RECORD for row in tables["url category"]):
        urls = read_exempted(api)
    return Scene(api.status(), tables, urls)


def read_exempted(api: ZiaApi) -> Tuple[str, ...]:
    found = api.get("/authSettings/exemptedUrls", dict).get("urls", [])
    if not isinstance(found, list) or not all(isinstance(url, str) for url in found):
        raise ApplianceError(f"{api.host}: expected a list of exempted URLs, got {shown(found)}")
    return tuple(found)


def without_theirs(objects: Mapping[str, str], prefix: str, theirs: Set[str]) -> Dict[str, str]:
    """A snapshot that does not claim what others have exempted since it was taken."""
    record = f"url category {prefix}{RECORD}"
    ours = sorted(set(json.loads(objects.get(EXEMPTED, "[]"))) - theirs)
    kept = {key: text for key, text in objects.items() if key not in (EXEMPTED, record)}
    if ours and record in objects:
        kept[EXEMPTED] = json_text(ours)
        kept[record] = json_text(dict(json.loads(objects[record]), urls=ours))
    return kept


def _rows(api: ZiaApi, kind: str) -> List[Row]:
    path = f"/{TABLES[kind]}"
    try:
        rows = api.get(path, list, customOnly="true") if path == PAGES else api.rows(path)
    except ZiaRefusal as error:
        # A tenant without the cloud firewall has no such tables; what needs them is refused later.
        if error.status in (403, 404) and kind in ("destination group", "network service", "firewall rule"):
            return []
        raise
    for row in rows:
        if not isinstance(row, dict) or "id" not in row or not name_of(kind, row):
            raise ApplianceError(f"{api.host}{path}: expected objects with an id and a name, got {shown(row)}")
        for field, value in row.items():
            if not _is_as_known(field, value):
                raise ApplianceError(f"{api.host}{path}: {field} of {shown(name_of(kind, row))} is {shown(value)}")
    return list(rows)


def _is_as_known(field: str, value: Any) -> bool:
    """Whether a field that is read here has the form that it is read in; one that is empty may be null."""
    if field in _TEXTS:
        return value is None or isinstance(value, str)
    if field in _LISTS:
        return value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))
    return field != "id" or (isinstance(value, (int, str)) and not isinstance(value, bool))


def name_of(kind: str, row: Row) -> str:
    return str(row.get("configuredName" if kind == "url category" else "name") or row.get("id") or "")


def order_of(row: Row) -> int:
    order = row.get("order")
    return int(order) if isinstance(order, (int, str)) and str(order).lstrip("-").isdigit() else -1


def split_key(key: str) -> Tuple[str, str]:
    """The kind and the name in the key of an object; ValueError for none."""
    return key_parts(key, TABLES)


def _plain(name: str, value: Any, categories: Mapping[str, str]) -> Any:
    if not isinstance(value, list):
        return value
    if name == "urlCategories":
        return sorted(categories.get(str(one), str(one)) for one in value if one != "ANY")
    if name.endswith("Ports"):
        return sorted((_range(one) for one in value), key=lambda text: [int(part) for part in text.split("-")])
    return sorted(str(one.get("name") or one.get("id")) if isinstance(one, dict) else str(one) for one in value)


def _range(value: Any) -> str:
    start, end = (str(value.get(name) or "") if isinstance(value, dict) else "" for name in ("start", "end"))
    if not start.isdigit() or (end and not end.isdigit()):
        raise ApplianceError(f"expected ports with a start, got {shown(value)}")
    return start if end in ("", start) else f"{start}-{end}"


def _action(action: Row) -> Row:
    """What a rule about TLS does, without the settings of pages that people are shown."""
    found = {"type": action.get("type")}
    inner = action.get("doNotDecryptSubActions")
    if isinstance(inner, dict):
        found["doNotDecryptSubActions"] = {name: value for name, value in inner.items() if value not in (None, False)}
    return found
