# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is a name allowed, by whom, since when, and if not, why not. Pure but for catalogs that are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, merge, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import (
    _catalog,
    _explain_text,
    _groups,
    _ws_catalog,
    _ws_snapshot,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import rows
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_ask import Question
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_near import (
    EXACTLY,
    SAME_DOMAIN,
    Near,
    answering,
    near,
    ports_of,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_taken import Reasons, Taken
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select


class Explainer:
    """The list that somebody asks about; *entries* instead of what the catalogs and the request make."""

    def __init__(
        self,
        catalogs: Sequence[Catalog],
        request: Request,
        others: Sequence[Catalog] = (),
        entries: Sequence[object] | None = None,
    ) -> None:
        self._catalogs = catalogs
        self._others = others
        self._own = entries is not None
        if entries is None:
            # Names of a tenant that is not given are told of where they are asked for, and are no reason to be silent.
            self._entries = select(catalogs, replace(request, tenant_missing="skip"), others).entries
        else:
            self._entries = normalise(entries, where="entries")
        self._groups = _groups.by_id([*catalogs, *others])
        self._risks = RiskTable(catalogs)
        self._taken = Reasons(catalogs, request, self._entries, others)

    def answer(self, asked: Question, held: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
        """All that is to be said about one question; *held* is what an appliance holds."""
        found = answering(self._entries, asked)
        reasons = self._reasons(asked, bool(found))
        others = [] if found else self._others_near(asked, bool(reasons))
        told: dict[str, Any] = {
            "name": asked.name,
            "type": asked.thing.type,
            "value": asked.thing.value,
            "port": asked.port,
            "path": asked.path,
            "allowed": bool(found),
            "exact": any(how == EXACTLY for _entry, how in found),
            "entries": [self._entry(entry, how) for entry, how in found],
            "near": [self._near(one) for one in others],
            "excluded": [one.as_dict() for one in reasons],
            "advice": None if found else _advice(asked, others, reasons, self._own),
        }
        told["lines"] = _explain_text.lines(told)
        if held is not None:
            told["held"] = _held(asked, [entry for entry, _how in found], held)
        return told

    def _reasons(self, asked: Question, allowed: bool) -> list[Taken]:
        """What took it away; where it is allowed all the same, only what was to leave out that very thing."""
        if self._own:
            return []
        reasons = self._taken.of(asked)
        if allowed:
            return [one for one in reasons if one.by == "exclude" and one.value == asked.thing.value]
        return reasons or self._elsewhere(asked)

    def _entry(self, entry: Entry, how: str) -> dict[str, Any]:
        sources = {source.split(" ")[0] for source in entry.sources}
        asking = [catalog for catalog in [*self._catalogs, *self._others] if catalog.id in sources]
        groups = [group for id_ in entry.groups for group in self._groups.get(id_, ())]
        # A group that its successor answers for has none in the catalogs that ask.
        groups = [group for group in groups if group.catalog in sources] or groups
        fact = self._risks.of(entry.pattern) if entry.type == "host" else None
        fact = fact if fact and fact.risk == entry.risk else None
        return {
            **entry.as_dict(),
            "ports": list(ports_of(entry)),
            "covers": how,
            "groups": [
                {"id": group.id, "title": group.title, "why": group.why, "catalog": group.catalog}
                for group in groups
            ],
            "why": next((group.why for group in groups if group.why), None),
            "catalogs": [_catalog_facts(catalog) for catalog in asking],
            "since": _since(entry, asking),
            "risk_why": fact.why if fact else None,
            "instead": list(fact.instead) if fact else [],
        }

    def _others_near(self, asked: Question, is_known: bool) -> list[Near]:
        """What only has the same domain is of use where nothing else is known."""
        return [one for one in near(self._entries, asked) if not is_known or one.relation != SAME_DOMAIN]

    def _near(self, one: Near) -> dict[str, Any]:
        entry = one.entry
        return {
            "value": entry.value,
            "type": entry.type,
            "path": entry.path,
            "ports": list(ports_of(entry)),
            "groups": list(entry.groups),
            "sources": list(entry.sources),
            "relation": one.relation,
            "why": one.why,
        }

    def _elsewhere(self, asked: Question) -> list[Taken]:
        """The catalogs of the collection that have it and are not used; first those that name the very thing."""
        used = {catalog.id for catalog in self._catalogs}
        found = []
        for name in [*_catalog.names(), _catalog.WEB_SERVICE]:
            if name in used:
                continue
            for entry, how in answering(_entries_of(name), asked)[:1]:
                why = f"the catalog {name} has {entry.value} ({', '.join(entry.groups)}), and it is not used"
                found.append((how, Taken("catalog", name, entry.value, why, f"add {name} to egress_catalog")))
        return [one for _how, one in sorted(found, key=lambda pair: pair[0] != EXACTLY)]


@lru_cache(maxsize=8)
def _entries_of(name: str) -> tuple[Entry, ...]:
    """What a catalog of the collection has for every tenant; of the web service the list that lies here, unasked."""
    if name != _catalog.WEB_SERVICE:
        return tuple(merge(entry for group in _catalog.load(name).groups.values() for entry in group.fixed))
    items = [
        {"type": row.type, "value": row.value, "ports": list(row.ports), "groups": [_ws_catalog.area_id(row.area)]}
        for row in rows(_ws_snapshot.load("worldwide"))
        if TENANT not in row.value
    ]
    return tuple(normalise(items, where=name))


def _catalog_facts(catalog: Catalog) -> dict[str, Any]:
    return {"id": catalog.id, "title": catalog.title, "version": catalog.version, "instance": catalog.instance}


def _since(entry: Entry, catalogs: Iterable[Catalog]) -> str | None:
    """The day or version that brought it first, where a catalog knows."""
    seen = [catalog.first_seen.get((entry.type, entry.value)) for catalog in catalogs]
    return min((one for one in seen if one), default=None)


def _advice(asked: Question, others: Sequence[Near], reasons: Sequence[Taken], own: bool) -> str:
    """The way to allow it; of several, that of the likeliest reason."""
    if reasons:
        return reasons[0].undo
    if others and others[0].relation in ("look_alike", "beginning"):
        return f"look at the name once more: {others[0].entry.value} is allowed"
    where = "egress_entries" if own else "egress_include"
    fields = [f'value: "{asked.thing.value}"']
    if asked.path not in (None, "/") and any(one.relation == "path" for one in others):
        fields.append(f"path: {asked.path}")
    elif asked.thing.type == "network" or asked.port not in (None, "tcp/80", "tcp/443"):
        fields.append(f"ports: [{asked.port or 'tcp/443'}]")
    item = f'"{asked.thing.value}"' if len(fields) == 1 else f"{{{', '.join(fields)}}}"
    return f"{where}: [{item}]"


def _held(asked: Question, wanted: Sequence[Entry], held: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an appliance holds of it, and whether that is what the list wants."""
    intents = {_key(item): list(item.get("intents") or ()) for item in held if isinstance(item, Mapping)}
    present = [_without_intents(item, index) for index, item in enumerate(held)]
    found = answering(present, asked)
    lost = sorted(_ports(wanted) - _ports(entry for entry, _how in found)) if found and asked.port is None else []
    drift = _drift(bool(wanted), bool(found), bool(lost))
    told = {
        "holds": bool(found),
        "entries": [_held_entry(entry, how, intents) for entry, how in found],
        "near": [] if found else [_nearly(one) for one in near(present, asked)[:3]],
        "drift": drift,
        "missing_ports": lost,
    }
    return {**told, "what": _explain_text.held(told)}


def _held_entry(entry: Entry, how: str, intents: Mapping[Any, list[str]]) -> dict[str, Any]:
    return {
        "value": entry.value,
        "type": entry.type,
        "path": entry.path,
        "ports": list(ports_of(entry)),
        "intents": intents.get((entry.value, entry.path), []),
        "covers": how,
    }


def _nearly(one: Near) -> dict[str, Any]:
    return {"value": one.entry.value, "relation": one.relation, "why": one.why}


def _drift(wanted: bool, holds: bool, fewer_ports: bool) -> str:
    if wanted and holds:
        return "ports" if fewer_ports else "none"
    return "missing" if wanted else "left_over" if holds else "none"


def _ports(entries: Iterable[Entry]) -> set[str]:
    """Each port or range as it is written: canonical, so the same are equal."""
    return {port for entry in entries for port in ports_of(entry)}


def _key(item: Mapping[str, Any]) -> tuple[Any, Any]:
    return item.get("value"), item.get("path")


def _without_intents(item: object, index: int) -> Entry:
    if not isinstance(item, Mapping):
        raise AllowlistError(f"held[{index}]: expected an entry as the state gathered returns it, got {item!r:.80}")
    fields = {name: value for name, value in item.items() if name != "intents"}
    return normalise([fields], where="held")[0]
