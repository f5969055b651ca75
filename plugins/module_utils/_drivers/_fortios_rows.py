# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our rows in profiles of the site: known by the number of our category, or of our URL filter. Pure."""

from __future__ import annotations

import json
from typing import AbstractSet, Any, Dict, List, Mapping, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_api import Row
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_scene import ROWS, Scene
from ansible_collections.egress.allowlist.plugins.module_utils._objects import json_text

WEB, TLS = "webfilter profile", "ssl profile"
ALLOWED = {"action": "monitor", "log": "disable"}  # what the web pages of FortiOS call "allow"


def present(scene: Scene, named: Mapping[str, Sequence[str]], prefix: str) -> Dict[str, str]:
    """Our rows in the named profiles, as objects; none for a profile without any."""
    ours, table = set(scene.categories(prefix).values()), _url_filter(scene, prefix)
    found: Dict[str, str] = {}
    for kind, names in named.items():
        for name in names:
            profile = scene.profiles.get(kind, {}).get(name, {})
            value = _value(kind, profile, ours, table)
            if value:
                found[f"{ROWS}{kind} {name}"] = json_text(value)
    return found


def elsewhere(scene: Scene, named: Mapping[str, Sequence[str]], prefix: str) -> List[str]:
    """Profiles that use our lists and that the options do not name."""
    ours, table = set(scene.categories(prefix).values()), _url_filter(scene, prefix)
    return [
        f"{kind} {name}" for kind, profiles in scene.profiles.items() for name, profile in profiles.items()
        if name not in named.get(kind, ()) and _value(kind, profile, ours, table)
    ]


def _url_filter(scene: Scene, prefix: str) -> Any:
    row = scene.row("url filter", prefix)
    return row.get("id") if row is not None else None


def _value(kind: str, profile: Row, ours: set[int], table: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    rows = [_plain(kind, row) for row in _rows(kind, profile) if row.get(_field(kind)) in ours]
    if rows:
        found["rows"] = sorted(rows, key=lambda row: int(row[_field(kind)]))
    used = (profile.get("web") or {}).get("urlfilter-table") if kind == WEB else None
    if used and used == table:
        found["url filter"] = True
    return found


def _plain(kind: str, row: Row) -> Row:
    if kind == WEB:
        return {"category": row.get("category"), **{name: row.get(name) for name in ALLOWED}}
    return {_field(kind): row.get(_field(kind))}


def _field(kind: str) -> str:
    return "category" if kind == WEB else "fortiguard-category"


def _rows(kind: str, profile: Row) -> List[Row]:
    rows = (profile.get("ftgd-wf") or {}).get("filters") if kind == WEB else profile.get("ssl-exempt")
    return [row for row in rows or [] if isinstance(row, dict)]


def wanted(kind: str, categories: Sequence[int], *, url_filter: bool = False) -> str:
    """What of ours a profile shall hold, "" for nothing."""
    more = ALLOWED if kind == WEB else {}
    value: Dict[str, Any] = {"rows": [{_field(kind): number, **more} for number in sorted(categories)]}
    value = value if categories else {}
    return json_text(dict(value, **({"url filter": True} if url_filter else {}))) if value or url_filter else ""


def are_ours(kind: str, value: Any, ours: AbstractSet[Any]) -> bool:
    """Whether *value* speaks of rows of ours alone: those of our categories, and our URL filter."""
    known = {_field(kind), *(ALLOWED if kind == WEB else ())}
    found = value.get("rows", [])
    return {*value} <= {"rows", "url filter"} and all({*row} <= known and row[_field(kind)] in ours for row in found)


def body(kind: str, profile: Row, text: str, ours: set[int], table: Any) -> Row:
    """The profile's own rows as they are, and ours behind them: a list is replaced as a whole."""
    value = json.loads(text) if text else {}
    kept = [_sent(row) for row in _rows(kind, profile) if row.get(_field(kind)) not in ours]
    number = max((int(row.get("id") or 0) for row in kept), default=0)
    for row in value.get("rows", []):
        number += 1
        kept.append({"id": number, **({"type": "fortiguard-category"} if kind == TLS else {}), **row})
    if kind == TLS:
        return {"ssl-exempt": kept}
    sent: Row = {"ftgd-wf": {"filters": kept}}
    used = (profile.get("web") or {}).get("urlfilter-table")
    if value.get("url filter") or used == table:
        sent["web"] = {"urlfilter-table": table if value.get("url filter") else 0}
    return sent


def _sent(value: Any) -> Any:
    """As it was read, without what FortiOS adds to each row and member."""
    if isinstance(value, dict):
        return {name: _sent(one) for name, one in value.items() if name != "q_origin_key"}
    return [_sent(one) for one in value] if isinstance(value, list) else value
