# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lists the emulated service has, which of them are published, and what it tells about the way between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import answers
from .answers import Record

History = Mapping[str, Mapping[str, Sequence[Record]]]  # by instance and version

INSTANCES = ("Worldwide", "USGovDoD", "USGovGCCHigh", "China", "Germany")
# Ids of announced records begin here, so that they never meet those of the versions.
_ANNOUNCED = 100_000


def instance_of(word: str) -> str | None:
    """The service's own spelling of an instance; the case does not matter."""
    plain = word.lower().replace("_", "")
    return next((name for name in INSTANCES if name.lower() == plain), None)


class Published:
    """The lists, and for each instance the version of today."""

    def __init__(self, history: History, effective: Mapping[str, str | None] | None = None) -> None:
        self._lists: dict[str, dict[str, Sequence[Record]]] = {}
        for instance, lists in history.items():
            for version, records in lists.items():
                self.save(instance, version, records)
        if not self._lists:
            raise ValueError("the history has no list at all")
        self._effective = dict(effective or {})
        self._now = {instance: min(lists) for instance, lists in self._lists.items()}
        self._announced: dict[str, list[Record]] = {}
        self._changes: dict[str, list[Record]] = {}

    def save(self, instance: str, version: str, records: Sequence[Record]) -> None:
        name = instance_of(instance)
        if name is None:
            raise ValueError(f"expected an instance out of {', '.join(INSTANCES)}; got {instance!r}")
        if len(version) != 10 or not version.isdigit():
            raise ValueError(f"expected a version of ten digits such as 2025120100; got {version!r}")
        self._lists.setdefault(name, {})[version] = records
        if hasattr(self, "_now"):
            self._now.setdefault(name, version)
            self._changes.pop(name, None)

    def move(self, version: str, instance: str | None = None) -> None:
        if instance is None:
            if not any(version in lists for lists in self._lists.values()):
                raise ValueError(f"no instance has a list of version {version}; there are {self._known()}")
            for name, lists in self._lists.items():
                self._now[name] = max((one for one in lists if one <= version), default=self._now[name])
            return
        name = instance_of(instance) or instance
        if version not in self._lists.get(name, {}):
            raise ValueError(f"{instance} has no list of version {version}; there are {self._known()}")
        self._now[name] = version

    def _known(self) -> str:
        return "; ".join(f"{name}: {', '.join(sorted(lists))}" for name, lists in self._lists.items())

    def latest(self) -> dict[str, str]:
        return dict(self._now)

    def has(self, instance: str | None) -> bool:
        return instance in self._lists

    def instances(self) -> list[str]:
        return [name for name in INSTANCES if name in self._lists]

    def versions(self, instance: str) -> list[str]:
        """Those published, oldest first."""
        return sorted(version for version in self._lists[instance] if version <= self._now[instance])

    def records(self, instance: str) -> Sequence[Record]:
        return self._lists[instance][self._now[instance]]

    def announce(
        self,
        instance: str,
        set_id: int,
        urls: Sequence[str],
        ips: Sequence[str],
        effective: str | None,
        version: str | None,
        fields: Mapping[str, Any],
    ) -> None:
        name = instance_of(instance) or instance
        if name not in self._lists:
            raise ValueError(f"there is no list of {instance!r}; there are {self._known()}")
        if not urls and not ips:
            raise ValueError("expected urls or ips to announce")
        announced = self._announced.setdefault(name, [])
        is_there = any(record["id"] == set_id for record in self.records(name))
        lists = {key: list(values) for key, values in (("ips", ips), ("urls", urls)) if values}
        announced.append({
            "id": _ANNOUNCED + len(announced) + 1,
            "endpointSetId": set_id,
            "disposition": "Change" if is_there else "Add",
            "impact": "AddedIpAndUrl" if urls and ips else "AddedIp" if ips else "AddedUrl",
            "version": version or self._now[name],
            **({"current": dict(fields)} if fields else {}),
            "add": {**({"effectiveDate": effective} if effective else {}), **lists},
        })  # fmt: skip

    def changes(self, instance: str, since: str, only: bool = False) -> list[Record]:
        """The records after *since*, up to the version of today; *only*: those of that very version."""
        if instance not in self._changes:
            # Of all lists, so that a record keeps its id whatever is published.
            found = answers.changes(self._lists[instance], self._effective)
            self._changes[instance] = [{"id": number, **record} for number, record in enumerate(found, 1)]
        now = self._now[instance]
        announced = self._announced.get(instance, [])
        known = [*(_as_announced(one, announced) for one in self._changes[instance]), *announced]
        chosen = [one for one in known if (one["version"] == since if only else since < one["version"] <= now)]
        return sorted(chosen, key=lambda one: (one["version"], one["id"]))


def _as_announced(record: Record, announced: Sequence[Record]) -> Record:
    """What was announced keeps its date when its version comes."""
    added = _added(record)
    before = [
        one
        for one in announced
        if one["endpointSetId"] == record["endpointSetId"] and one["version"] < record["version"]
    ]
    dates = [one["add"]["effectiveDate"] for one in before if "effectiveDate" in one["add"]]
    if not added or not dates or not added <= {value for one in before for value in _added(one)}:
        return record
    return {**record, "add": {**record["add"], "effectiveDate": max(dates)}}


def _added(record: Record) -> set[str]:
    part = record.get("add", {})
    return {*part.get("urls", ()), *part.get("ips", ())}
