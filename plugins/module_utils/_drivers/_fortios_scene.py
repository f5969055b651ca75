# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a FortiGate holds where we write: its tables and feeds, ours and the site's, in a form that can be compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_api import FortiosApi, Row
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_options import (
    FIRST_CATEGORY,
    LAST_CATEGORY,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_shapes import number
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own, json_text, key_parts


@dataclass(frozen=True)
class Table:
    """*fields*: what we set; *watched*: what somebody may add, and we set to nothing. *comment*: where the mark is."""

    path: str
    fields: Tuple[str, ...]
    comment: str = "comment"
    key: str = "name"
    watched: Tuple[str, ...] = ()


_POLICY = (
    "srcintf", "dstintf", "srcaddr", "dstaddr", "srcaddr6", "dstaddr6", "service", "action", "schedule", "status",
    "nat", "logtraffic", "comments",
)  # fmt: skip
_EXTRAS = (
    "utm-status", "groups", "users", "fsso-groups", "profile-group", "av-profile", "webfilter-profile", "ips-sensor",
    "dlp-profile", "dlp-sensor", "application-list", "dnsfilter-profile", "file-filter-profile", "ssl-ssh-profile",
    "internet-service", "srcaddr-negate", "dstaddr-negate", "service-negate", "srcaddr6-negate", "dstaddr6-negate",
)  # fmt: skip
# In the order in which they may be written; they are taken away the other way round.
TABLES: Mapping[str, Table] = {
    "external resource": Table(
        "system/external-resource", ("type", "category", "status", "update-method", "comments"), "comments"
    ),
    "address": Table("firewall/address", ("type", "subnet", "comment")),
    "address6": Table("firewall/address6", ("type", "ip6", "comment")),
    "service": Table("firewall.service/custom", ("protocol", "tcp-portrange", "udp-portrange", "comment")),
    "proxy address": Table("firewall/proxy-address", ("type", "host", "category", "comment")),
    "url filter": Table("webfilter/urlfilter", ("comment", "entries"), key="id"),
    "policy": Table("firewall/policy", _POLICY, "comments", "policyid", _EXTRAS),
    "proxy policy": Table(
        "firewall/proxy-policy", ("proxy", *_POLICY), "comments", "policyid", _EXTRAS
    ),
    "authentication rule": Table(
        "authentication/rule", ("status", "protocol", "srcaddr", "srcaddr6", "dstaddr", "comments"), "comments",
        watched=("active-auth-method", "sso-auth-method"),
    ),
}  # fmt: skip
FEED = "entries of "
ROWS = "rows in "
PROFILES = {"webfilter profile": "webfilter/profile", "ssl profile": "firewall/ssl-ssh-profile"}
_EMPTY: Tuple[Any, ...] = (None, "", [], "disable", {}, "no-inspection")


@dataclass
class Scene:
    """*feeds*: entries by the name of a resource of ours. *profiles*: rows of tables by name, of both kinds."""

    version: Tuple[int, ...]
    tables: Mapping[str, List[Row]]
    feeds: Mapping[str, Tuple[str, ...]]
    profiles: Mapping[str, Mapping[str, Row]] = field(default_factory=dict)

    def own(self, prefix: str) -> Iterator[Tuple[str, str, Row]]:
        for kind, rows in self.tables.items():
            for row in rows:
                if is_own(str(row.get("name") or ""), prefix):
                    yield kind, str(row["name"]), row

    def row(self, kind: str, name: str) -> Optional[Row]:
        return next((row for row in self.tables[kind] if row.get("name") == name), None)

    def rules(self, kind: str) -> List[str]:
        """Names in their order; a policy without a name is told by its number, as ``#12``."""
        return [rule_name(kind, row) for row in self.tables[kind]]

    def objects(self, prefix: str) -> Dict[str, str]:
        found = {f"{kind} {name}": json_text(canonical(kind, row)) for kind, name, row in self.own(prefix)}
        for name, lines in self.feeds.items():
            found[f"{FEED}{name}"] = "".join(f"{line}\n" for line in sorted(set(lines)))
        return found

    def categories(self, prefix: str) -> Dict[str, int]:
        """The numbers of our category feeds by name; no others, which rows of the site may have (0 is in many)."""
        rows = (row for kind, _name, row in self.own(prefix) if kind == "external resource")
        found = {str(row["name"]): number(row.get("category")) for row in rows if row.get("type") == "category"}
        return {name: category for name, category in found.items() if FIRST_CATEGORY <= category <= LAST_CATEGORY}


def read_scene(api: FortiosApi, prefix: str, profiles: Mapping[str, Sequence[str]]) -> Scene:
    tables = {kind: _table(api, kind) for kind in TABLES}
    names = [str(row["name"]) for row in tables["external resource"] if is_own(str(row.get("name") or ""), prefix)]
    feeds = {name: _feed(api, name) for name in names}
    read = {
        kind: {str(row.get("name")): row for row in api.rows(path)}
        for kind, path in PROFILES.items() if profiles.get(kind) or names or tables["url filter"]
    }
    return Scene(version_of(api), tables, feeds, read)


def version_of(api: FortiosApi) -> Tuple[int, ...]:
    envelope, _results = api.monitor("system/status")
    told = str(envelope.get("version") or "")
    numbers = told.lstrip("v").split(".")
    if len(numbers) < 2 or not all(re.fullmatch("[0-9]{1,6}", number) for number in numbers):
        raise ApplianceError(f"{api.host}: expected a version of FortiOS such as v7.4.4, got {shown(told)}")
    return tuple(int(number) for number in numbers)


def _table(api: FortiosApi, kind: str) -> List[Row]:
    rows = api.rows(TABLES[kind].path)
    for row in rows:
        if TABLES[kind].key not in row:
            raise ApplianceError(f"{api.host}: expected objects with {TABLES[kind].key} in {TABLES[kind].path}")
    return rows


def _feed(api: FortiosApi, name: str) -> Tuple[str, ...]:
    """What a feed holds; nothing for one that was never filled."""
    return tuple(str(one["entry"]) for one in _entries(api, name)[0])


def _entries(api: FortiosApi, name: str) -> Tuple[List[Row], Row]:
    _envelope, results = api.monitor("system/external-resource/entry-list", mkey=name, include_notes="true")
    told = results if isinstance(results, dict) else {}
    entries = told.get("entries") or []
    if not isinstance(entries, list) or any(not isinstance(one, dict) or "entry" not in one for one in entries):
        raise ApplianceError(f"{api.host}: expected the entries of {name}, got {shown(entries)}")
    return entries, told


def require_taken(api: FortiosApi, name: str) -> None:
    """ApplianceError where FortiOS took the lines of a feed and does not use them: it says so here alone."""
    entries, told = _entries(api, name)
    if told.get("overflow") is True:
        raise ApplianceError(
            f"{api.host} cut {name} off: all feeds together have more lines than this model keeps (see diagnose sys "
            "external-resource stats)"
        )
    invalid = sorted(str(one["entry"]) for one in entries if one.get("valid") is False)
    if invalid:
        raise ApplianceError(f"{api.host} does not use {len(invalid)} lines of {name}: {', '.join(invalid[:10])}")


def is_known(key: str, value: Any) -> bool:
    """Whether *value* has the fields of such an object and no others (a name would make it another one)."""
    table = TABLES[split_key(key)[0]]
    return isinstance(value, dict) and {*value} <= {*table.fields, *table.watched}


def rule_name(kind: str, row: Row) -> str:
    return str(row.get("name") or f"#{row.get(TABLES[kind].key)}")


def split_key(key: str) -> Tuple[str, str]:
    """The kind and the name in the key of an object; ValueError for none."""
    return key_parts(key, TABLES)


def canonical(kind: str, row: Row) -> Row:
    """The fields that say what an object does: references by name, lists sorted, nothing that is empty."""
    table = TABLES[kind]
    found = {}
    for name in (*table.fields, *table.watched):
        value = _plain(name, row.get(name))
        if value not in _EMPTY and not (name == "category" and row.get("type") == "address"):
            found[name] = value
    return found


def _plain(name: str, value: Any) -> Any:
    if name == "entries" and isinstance(value, list):
        rows = [_filter_row(one) for one in value if isinstance(one, dict)]
        return sorted(rows, key=lambda one: str(one.get("url")))
    if name.endswith("portrange") and isinstance(value, str):
        return " ".join(sorted(value.split(), key=_first_number))
    if isinstance(value, list):
        return sorted((one.get("name", one.get("id")) for one in value if isinstance(one, dict)), key=str)
    return value


def _filter_row(row: Row) -> Row:
    kept = ("url", "type", "action", "exempt", "status", "referrer-host", "web-proxy-profile")
    found = {name: row[name] for name in kept if row.get(name)}
    if "all" in str(found.get("exempt", "")).split():
        found["exempt"] = "all"  # some versions tell what is in it beside it
    return found


def _first_number(text: str) -> Any:
    """``443``, ``3478-3481``, or by somebody's hand ``443:1024-65535``."""
    found = re.match("[0-9]+", text)
    return int(found.group()) if found else 0, text


def require_writable(api: FortiosApi, centrally_managed: str) -> None:
    """ApplianceError for a box that FortiManager governs, and for the secondary unit of a cluster."""
    managed = (api.rows("system/central-management") or [{}])[0]
    server = str(managed.get("fmg") or "").strip('" ')
    is_governed = managed.get("type") == "fortimanager" and server and managed.get("mode", "normal") == "normal"
    if is_governed and centrally_managed == "refuse":
        raise ApplianceError(
            f"{api.host} is governed by FortiManager ({server}), which does not know what is written here and would "
            "take it away with its next install. Write it there, or say centrally_managed: accept"
        )
    envelope, results = api.monitor("system/ha-checksums")
    for unit in results if isinstance(results, list) else []:
        primary = unit.get("is_root_primary", unit.get("is_root_master")) if isinstance(unit, dict) else None
        if primary is not None and unit.get("serial_no") == envelope.get("serial") and primary in (0, False):
            raise ApplianceError(
                f"{api.host} is not the primary unit of its cluster, and only that one is written. Give `host` the "
                "address of the cluster"
            )
