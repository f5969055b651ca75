# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the next apply would change on each appliance, and why: one value, from which every text is made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, merge, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet

FORMAT = 1
UNKNOWN = "what would change is not known"
_SHOWN = 5
Row = dict[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True)
class Context:
    """What is known beside the appliances: all entries of the catalogs, and what the web service changed."""

    known: Mapping[Key, Entry]
    service: Mapping[Key, Mapping[str, Any]]


def report(
    plans: Mapping[str, Mapping[str, Any] | None],
    *,
    known: Sequence[object] = (),
    web_service: Sequence[Mapping[str, Any]] = (),
    web_service_error: str = "",
    change_id: str = "",
) -> dict[str, Any]:
    """The whole report as plain data, hosts by name, rows in the order of the lists."""
    context = Context(
        known={_key(entry): entry for entry in normalise(known, where="known")},
        service={(str(row["type"]), str(row["value"])): row for row in web_service},
    )
    appliances = [_appliance(host, plans[host], context) for host in sorted(plans)]
    return {
        "format": FORMAT,
        "change_id": change_id or None,
        "appliances": appliances,
        "web_service": {
            "error": web_service_error or None,
            "changes": [_met(row, appliances) for row in web_service],
        },
        "totals": _totals(appliances),
        "cautions": [
            *([f"what the web service changed is not known: {web_service_error}"] if web_service_error else []),
            *_joined(appliances),
        ],
    }


def _appliance(host: str, plan: Mapping[str, Any] | None, context: Context) -> dict[str, Any]:
    plan = plan or {"error": "it has told nothing"}
    answer = plan.get("answer") or {}
    wanted = {_key(entry): entry for entry in normalise(plan.get("entries") or [])}
    before, after = answer.get("before") or [], answer.get("after") or []
    held, kept = _Held(before), _Held(after)
    gone, new = _by_key(answer.get("removed") or []), _by_key(answer.get("added") or [])
    return {
        "host": host,
        "appliance": plan.get("appliance"),
        "name": plan.get("name"),
        # An appliance that answered in full and failed waits for lines of the site's own.
        "error": None if answer else plan.get("error") or "it has told nothing",
        "waits_for": plan.get("error") or None if answer else None,
        "changed": bool(answer.get("changed")),
        "before": len(before),
        "after": len(after),
        "added": [_added(key, new[key], wanted, context, held) for key in sorted(new, key=_order) if key not in gone],
        "removed": [
            _removed(key, gone[key], wanted, context, kept) for key in sorted(gone, key=_order) if key not in new
        ],
        "moved": [_moved(key, gone[key], new[key], wanted, context) for key in sorted(new, key=_order) if key in gone],
        "translation": [dict(verdict) for verdict in answer.get("translation") or []],
        "notes": list(answer.get("notes") or []),
    }


def _key(entry: Entry) -> Key:
    return entry.type, entry.value + (entry.path or "")


def _by_key(lines: Iterable[str]) -> dict[Key, str]:
    """``host *.x tcp/80,443 (allow)``: the first two words name the thing."""
    found = {}
    for line in lines:
        kind, _blank, rest = line.partition(" ")
        found[kind, rest.partition(" ")[0]] = line
    return found


def _order(key: Key) -> tuple[Any, ...]:
    """As entries are sorted; what is no entry comes last."""
    try:
        return 0, *_entry(key).sort_key
    except AllowlistError:
        return 1, key


def _entry(key: Key) -> Entry:
    kind, name = key
    value, slash, path = name.partition("/") if kind == "host" else (name, "", "")
    return read_item({"type": kind, "value": value, "path": slash + path or None}, "an entry")


class _Held:
    """The names and networks of one side of a plan, to tell what another entry has as well."""

    def __init__(self, lines: Iterable[str]) -> None:
        keys = _by_key(lines)
        entries = merge(_entry(key) for key in keys if key[0] in ("host", "network"))
        self._patterns = PatternSet(entry.pattern for entry in entries if entry.type == "host" and not entry.path)
        self._networks = [entry.network for entry in entries if entry.type == "network"]

    def covering(self, key: Key) -> str | None:
        """Another entry that lets all of it through, on whatever ports."""
        try:
            entry = _entry(key)
        except AllowlistError:
            return None
        if entry.type == "host":
            found = self._patterns.covering(entry.pattern)
            return found.text if found else None
        same = (one for one in self._networks if one.version == entry.network.version and one != entry.network)
        return next((str(one) for one in same if entry.network.subnet_of(one)), None)  # type: ignore[arg-type]


def _row(key: Key, line: str, entry: Entry | None, context: Context) -> Row:
    row = context.service.get(key)
    return {
        "type": key[0],
        "value": key[1],
        "line": line,
        "groups": list(entry.groups) if entry else [],
        "sources": list(entry.sources) if entry else [],
        "category": entry.category if entry else None,
        "required": entry.required if entry else None,
        "critical": entry.critical if entry else None,
        "risk": entry.risk if entry else None,
        "web_service": dict(row) if row else None,
    }


def _added(key: Key, line: str, wanted: Mapping[Key, Entry], context: Context, held: _Held) -> Row:
    row = _row(key, line, wanted.get(key), context)
    service = context.service.get(key)
    if service and service["change"] == "added":
        why = f"new in the web service: {_service(service)}"
    elif row["sources"]:
        why = f"asked for by {'; '.join(row['sources'])}"
    else:
        why = "asked for by the entries of the site"
    covering = held.covering(key)
    return {**row, "why": why, "covered_by": covering}


def _removed(key: Key, line: str, wanted: Mapping[Key, Entry], context: Context, kept: _Held) -> Row:
    known = wanted.get(key) or context.known.get(key)
    service = context.service.get(key)
    if service and service["change"] == "removed":
        why = f"the web service has it no more: {_service(service)}"
    elif key in wanted:
        why = "the appliance would hold it in another form; see what cannot be held exactly"
    elif known:
        why = f"left out by the settings, though {'; '.join(known.sources)} has it"
    else:
        why = "no catalog asks for it: it was put there by hand, or asked for earlier"
    return {**_row(key, line, known, context), "why": why, "covered_by": kept.covering(key)}


def _moved(key: Key, old: str, new: str, wanted: Mapping[Key, Entry], context: Context) -> Row:
    service = context.service.get(key)
    why = f"the web service changed it: {_service(service)}" if service else "other ports or intents than it has now"
    row = _row(key, new, wanted.get(key), context)
    return {**row, "before": old, "why": why, "covered_by": None}


def _service(row: Mapping[str, Any]) -> str:
    words = [f"version {row['version']}"] if row.get("version") else []
    if row.get("sets"):
        words.append(f"{'set' if len(row['sets']) == 1 else 'sets'} {', '.join(map(str, row['sets']))}")
    if row.get("effective"):
        words.append(f"effective {row['effective']}")
    if row.get("impact"):
        words.append(str(row["impact"]))
    return ", ".join(words) or "version not told"


def _met(row: Mapping[str, Any], appliances: Sequence[Mapping[str, Any]]) -> Row:
    """A change of the web service, and where it reaches an appliance with the next apply."""
    key = (row["type"], row["value"])
    reached = [
        one["host"]
        for one in appliances
        if any((entry["type"], entry["value"]) == key for part in ("added", "removed", "moved") for entry in one[part])
    ]
    return {**row, "appliances": reached}


def _totals(appliances: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    def names(part: str) -> int:
        return len({(row["type"], row["value"]) for one in appliances for row in one[part]})

    return {
        "appliances": len(appliances),
        "changed": sum(one["changed"] for one in appliances),
        "failed": sum(one["error"] is not None for one in appliances),
        "added": names("added"),
        "removed": names("removed"),
        "moved": names("moved"),
        "not_exact": sum(len(one["translation"]) for one in appliances),
    }


def _joined(appliances: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is to be said of several appliances in the same words is said once."""
    hosts: dict[str, list[str]] = {}
    for one in appliances:
        for text in _cautions(one):
            hosts.setdefault(text, []).append(one["host"])
    return [f"{', '.join(named)}: {text}" for text, named in hosts.items()]


def _cautions(one: Mapping[str, Any]) -> Iterable[str]:
    if one["error"]:
        yield f"{UNKNOWN}: {one['error']}"
    if one["waits_for"]:
        yield one["waits_for"]
    lost = [row for row in one["removed"] if row["critical"] and not row["covered_by"]]
    if lost:
        yield f"takes away what must be reachable always (critical): {_some(lost)}"
    shared = [row for row in one["added"] if row["risk"] == "shared_hosting"]
    if shared:
        yield (
            f"lets new names through under which anyone can put content (shared hosting): {_some(shared)}. "
            "egress_intents_by_risk can leave them inspected"
        )


def _some(rows: Sequence[Mapping[str, Any]]) -> str:
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return ", ".join(row["value"] for row in rows[:_SHOWN]) + more
