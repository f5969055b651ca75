# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed between two versions of the web service's list, and what is about to.

Everything is a comparison of two whole lists. Where only the newer one is at hand, the service's own records of changes
lead back from it to the older one, so that both ways give the same answer.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import CATEGORIES
from ansible_collections.egress.allowlist.plugins.module_utils._entry_type import HOST_PORTS
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import (
    Answer,
    Change,
    EndpointSet,
    canonical,
    day_of,
    read_category,
    read_ports,
)

Key = tuple[str, str]

_SLOT = re.compile(
    r"\*(?=(?:-[a-z]+)?\.sharepoint\.|\.config\.(?:dod|high)\.office365\.us$|\.mail\.protection\.outlook\.)"
    r"|(?<=^autodiscover\.)\*(?=\.(?:mail\.)?onmicrosoft\.(?:com|us)$)"
)


@dataclass(frozen=True)
class Row:
    """A name or network as one set asks for it; *remark* is the end of its source."""

    type: str
    value: str
    ports: tuple[str, ...]
    category: str | None
    required: bool
    set: int
    area: str
    service: str
    remark: str = ""

    @property
    def key(self) -> Key:
        return self.type, self.value


@dataclass(frozen=True)
class Merged:
    """A name or network as all sets together ask for it."""

    ports: tuple[str, ...]
    category: str | None
    required: bool
    sets: tuple[int, ...]
    areas: tuple[str, ...]
    services: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """What has a meaning for a proxy or firewall."""
        return {"ports": list(self.ports), "category": self.category, "required": self.required}


def rows_of(one: EndpointSet) -> Iterator[Row]:
    """The rows of a set. UDP belongs to its networks; a name has it only where the set names no TCP port at all."""
    facts = (one.category, one.required, one.id, one.area, one.service)
    for name in one.urls:
        yield Row("host", name, one.tcp or one.udp, *facts)
    for network in one.ips:
        yield Row("network", network, canonical_ports(one.tcp + one.udp, "ports"), *facts)


def rows(answer: Answer) -> list[Row]:
    """The rows of all sets."""
    return [row for one in answer.sets for row in rows_of(one)]


def merged(all_rows: Iterable[Row]) -> dict[Key, Merged]:
    """Each name and network once: all ports, the strongest category, required if any set says so."""
    by_key: dict[Key, list[Row]] = {}
    for row in all_rows:
        by_key.setdefault(row.key, []).append(row)
    return {key: _merge(same) for key, same in by_key.items()}


def _merge(same: Sequence[Row]) -> Merged:
    stated = {port for row in same for port in row.ports}
    # A name without ports means the two of the web, and must not lose them to a set that states others.
    if stated and same[0].type == "host" and not all(row.ports for row in same):
        stated |= set(HOST_PORTS)
    return Merged(
        ports=canonical_ports(stated, "ports"),
        category=next((word for word in CATEGORIES if any(row.category == word for row in same)), None),
        required=any(row.required for row in same),
        sets=tuple(sorted({row.set for row in same})),
        areas=tuple(sorted({row.area.lower() for row in same})),
        services=tuple(sorted({row.service for row in same})),
    )


def difference(old: Answer, new: Answer, changes: Sequence[Change] = ()) -> list[dict[str, Any]]:
    """What is added, removed and moved (other ports, category or duty) from *old* to *new*, sorted by change and value.

    *changes* are the service's own records; they tell the version, the effective date and the impact.
    """
    before, after = merged(rows(old)), merged(rows(new))
    between = _between(old, new, changes)
    found = [
        _described(key, before.get(key), after.get(key), between, new.version)
        for key in {**before, **after}
        if key not in before or key not in after or before[key].facts() != after[key].facts()
    ]
    return sorted(found, key=lambda row: (row["change"], row["type"], row["value"]))


def _between(old: Answer, new: Answer, changes: Sequence[Change]) -> list[Change]:
    low, high = old.version or "", new.version or "9"
    return [change for change in changes if low < change.version <= high]


def _described(
    key: Key, before: Merged | None, after: Merged | None, changes: Sequence[Change], version: str | None
) -> dict[str, Any]:
    known = after or before
    word = "added" if before is None else "removed" if after is None else "moved"
    record = _record_of(word, key, known.sets if known else (), changes)
    return {
        "change": word,
        "type": key[0],
        "value": key[1],
        "sets": list(known.sets) if known else [],
        "service_areas": list(known.areas) if known else [],
        "services": list(known.services) if known else [],
        "version": record.version if record else version,
        "effective": record.effective.isoformat() if record and record.effective else None,
        "impact": record.impact if record else None,
        "before": before.facts() if before else None,
        "after": after.facts() if after else None,
    }


def _record_of(word: str, key: Key, sets: Sequence[int], changes: Sequence[Change]) -> Change | None:
    """The last record of the service that tells of this."""
    for change in reversed(changes):
        if word == "added" and key[1] in _added(change, key[0]):
            return change
        if word == "removed" and key[1] in _removed(change, key[0]):
            return change
        if word == "moved" and (
            key[1] in (*_added(change, key[0]), *_removed(change, key[0]))
            or (change.set in sets and (change.previous or change.current))
        ):
            return change
    return None


def _added(change: Change, kind: str) -> tuple[str, ...]:
    return change.add_urls if kind == "host" else change.add_ips


def _removed(change: Change, kind: str) -> tuple[str, ...]:
    return change.remove_urls if kind == "host" else change.remove_ips


def rewind(new: Answer, changes: Iterable[Change], version: str) -> Answer:
    """The list as it was at *version*, by undoing what the service's records say was done since."""
    sets = _by_id(new)
    # The records do not tell the name of a service in words.
    services = {one.area: one.service for one in new.sets}
    for change in sorted(changes, key=lambda one: (one.version, one.id), reverse=True):
        if change.version <= version or (new.version and change.version > new.version):
            continue
        known = sets.get(change.set, [])
        if change.disposition == "add":
            sets.pop(change.set, None)
        elif change.disposition == "remove" or known:
            first = known[0] if known else _empty(change, services)
            sets[change.set] = [_undone(first, change), *known[1:]]
    return Answer(new.instance, version, tuple(one for number in sorted(sets) for one in sets[number]))


def _by_id(answer: Answer) -> dict[int, list[EndpointSet]]:
    """A set that is in two categories is there twice."""
    sets: dict[int, list[EndpointSet]] = {}
    for one in answer.sets:
        sets.setdefault(one.id, []).append(one)
    return sets


def _empty(change: Change, services: Mapping[str, str]) -> EndpointSet:
    area = str({**change.current, **change.previous}.get("serviceArea", "Common"))
    return EndpointSet(change.set, area, services.get(area, area), (), (), (), (), None, True)


def _undone(one: EndpointSet, change: Change) -> EndpointSet:
    return replace(
        with_fields(one, change.previous, change.current),
        urls=_without(one.urls, change.add_urls, change.remove_urls),
        ips=_without(one.ips, change.add_ips, change.remove_ips),
    )


def _without(present: Sequence[str], gone: Sequence[str], back: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(value for value in present if value not in gone), *back]))


def with_fields(one: EndpointSet, fields: Mapping[str, Any], others: Mapping[str, Any]) -> EndpointSet:
    """The set with the fields of a record; what only the *others* have was not there."""
    new: dict[str, Any] = {}
    for name, protocol in (("tcpPorts", "tcp"), ("udpPorts", "udp")):
        if name in fields or name in others:
            new[protocol] = read_ports(protocol, fields.get(name), f"set {one.id}")
    if isinstance(fields.get("category"), str):
        new["category"] = read_category(fields["category"])
    if isinstance(fields.get("required"), bool):
        new["required"] = fields["required"]
    if isinstance(fields.get("serviceArea"), str):
        area = fields["serviceArea"]
        new |= {"area": area, "service": one.service if area == one.area else area}
    return replace(one, **new)


def for_tenant(change: Change, tenant: str) -> Change:
    """The record with the tenant's name where the list of a tenant has it; the service writes a wildcard there."""
    added, removed = (
        tuple(_SLOT.sub(tenant, name, count=1) for name in names) for names in (change.add_urls, change.remove_urls)
    )
    return replace(change, add_urls=added, remove_urls=removed)


def announced(answer: Answer, changes: Sequence[Change], window: int) -> list[Row]:
    """What the records add and the list does not have yet, with its effective date.

    Records older than *window* days before the list count no more: what they added and the list does not have went
    again, by ways that older records do not always tell.
    """
    present = set(merged(rows(answer)))
    sets = _by_id(answer)
    services = {one.area: one.service for one in answer.sets}
    last: dict[Key, tuple[Change, bool]] = {}
    for change in changes:
        if answer.version is None or (day_of(answer.version) - day_of(change.version)).days <= window:
            last |= dict.fromkeys(_keys(change.remove_urls, change.remove_ips), (change, False))
            last |= dict.fromkeys(_keys(change.add_urls, change.add_ips), (change, True))
    found = []
    for key, (change, is_added) in last.items():
        if is_added and key not in present:
            known = sets.get(change.set) or [_empty(change, services)]
            one = with_fields(known[0], change.current, {})
            only = replace(one, urls=(key[1],) if key[0] == "host" else (), ips=(key[1],) if key[0] != "host" else ())
            day = change.effective
            remark = f", effective {day.isoformat()}" if day else ", announced"
            found += [replace(row, remark=remark) for row in rows_of(only)]
    return found


def _keys(names: Iterable[str], networks: Iterable[str]) -> list[Key]:
    return [*(("host", name) for name in names), *(("network", network) for network in networks)]


def lately_removed(
    older: Sequence[Answer], new: Answer, changes: Sequence[Change], grace: int, today: dt.date
) -> list[Row]:
    """What the list had and has no more, for *grace* days from the version that removed it."""
    present = {row.key for row in rows(new)}
    found: dict[tuple[Key, int], Row] = {}
    for before, after in pairwise([*older, new]):
        went = [row for row in difference(before, after, changes) if row["change"] == "removed"]
        versions = {(row["type"], row["value"]): row["version"] for row in went}
        for row in rows(before):
            version = versions.get(row.key)
            # A list that the records lead back to has what they say was there, which nobody has looked at.
            if row.key in present or version is None or canonical(*row.key) is None:
                continue
            until = day_of(version) + dt.timedelta(days=grace)
            if until >= today:
                found[row.key, row.set] = replace(row, remark=f", removed {version}, kept until {until.isoformat()}")
    return list(found.values())


def first_seen(answer: Answer, changes: Sequence[Change]) -> dict[Key, str]:
    """The version that brought each name and network last, where a record tells of it."""
    present = {row.key for row in rows(answer)}
    seen: dict[Key, str] = {}
    for change in changes:
        for key in _keys(change.add_urls, change.add_ips):
            if key in present:
                seen.setdefault(key, change.version)
        for key in _keys(change.remove_urls, change.remove_ips):
            seen.pop(key, None)
    return seen


def with_announced(answer: Answer, changes: Sequence[Change], window: int) -> Answer:
    """The list with what is announced in its sets."""
    sets = _by_id(answer)
    for row in announced(answer, changes, window):
        tcp, udp = (tuple(port for port in row.ports if port.startswith(word)) for word in ("tcp", "udp"))
        new = EndpointSet(row.set, row.area, row.service, (), (), tcp, udp, row.category, row.required)
        one, *others = sets.get(row.set, [new])
        is_name = row.type == "host"
        more = replace(
            one,
            urls=(*one.urls, row.value) if is_name else one.urls,
            ips=one.ips if is_name else (*one.ips, row.value),
        )
        sets[row.set] = [more, *others]
    return replace(answer, sets=tuple(one for number in sorted(sets) for one in sets[number]))
