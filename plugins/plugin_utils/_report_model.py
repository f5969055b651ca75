# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report tells, from the result files of a fleet.

The files are read one by one and forgotten. What stays is one byte for each endpoint of each host, and each text once,
so that a thousand hosts with hundreds of endpoints take a few megabytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import STATUSES, UNGROUPED

STEPS = ("resolve", "connect", "proxy_connect", "proxy", "tls", "http")
# Upper ends of the classes in which times are counted, in seconds.
CLASSES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)
NOT_ASKED = 0
_MOST_CODES = 200
_MOST_CULPRITS = 500
_MOST_PROXIES = 20
OTHER = "other"
Kind = tuple[str, str, str]  # status, outcome, blame


@dataclass(frozen=True)
class Detail:
    """What the first host said that found an endpoint so."""

    evidence: str
    target: str
    host: int


@dataclass
class Endpoint:
    """An endpoint, whoever asked for it."""

    label: str
    severity: str
    groups: tuple[str, ...]


@dataclass
class Culprit:
    """One who is to blame for one thing; *who* is a proxy's address or an issuer's name, where one is known."""

    blame: str
    outcome: str
    who: str
    severity: str = "optional"
    count: int = 0
    evidence: str = ""
    advice: str = ""
    endpoints: dict[int, int] = field(default_factory=dict)  # index of the endpoint -> on how many hosts
    hosts: set[int] = field(default_factory=set)
    proxies: set[str] = field(default_factory=set)  # on the way; not all of them


@dataclass
class Host:
    """A host that answered."""

    name: str
    system: str
    proxy: str
    seconds: float


class Report:
    """Everything that pages and files of a report are made from."""

    def __init__(self) -> None:
        self.hosts: list[Host] = []
        self.left_out: list[str] = []  # hosts that answered and of which there is no file
        self.endpoints: list[Endpoint] = []
        self.kinds: list[Kind] = [("not_asked", "", "")]
        self.rows: list[bytearray] = []  # for each host the number of a kind for each endpoint
        self.details: dict[tuple[int, int], Detail] = {}  # of endpoint and kind
        self.culprits: dict[tuple[str, str, str], Culprit] = {}
        self.times: dict[str, list[int]] = {step: [0] * (len(CLASSES) + 1) for step in STEPS}
        self._endpoint_of: dict[str, int] = {}
        self._kind_of: dict[Kind, int] = {self.kinds[0]: NOT_ASKED}

    def add(self, data: Mapping[str, Any]) -> None:
        """Take in the result file of one host; KeyError, TypeError, ValueError or AttributeError where it is none."""
        steps = {str(one.get("target")): one.get("steps") or {} for one in data.get("answers") or []}
        system, proxy = (str(data.get(name) or "") for name in ("system", "proxy"))
        host = Host(str(data["host"]), system, proxy, _seconds(data.get("seconds")) or 0.0)
        row = bytearray(len(self.endpoints))
        for item in data["entries"]:
            self._take(item, row, steps.get(str(item.get("target"))) or {})
        for one in steps.values():
            self._count_times(one.get("seconds") or {})
        self.hosts.append(host)
        self.rows.append(row)

    def _take(self, item: Mapping[str, Any], row: bytearray, steps: Mapping[str, Any]) -> None:
        status, severity = str(item["status"]), str(item["severity"])
        if status not in STATUSES or severity not in SEVERITIES:
            raise ValueError(f"an entry is {status!r} and {severity!r}")
        endpoint = self._endpoint(item)
        kind = self._kind((status, str(item["outcome"]), str(item["blame"] or "")))
        row.extend(bytes(max(0, endpoint + 1 - len(row))))
        row[endpoint] = kind
        if status != "ok":
            detail = Detail(str(item["evidence"]), str(item["target"] or ""), len(self.hosts))
            self.details.setdefault((endpoint, kind), detail)
        if status == "failed":
            self._blame(item, endpoint, steps)

    def _blame(self, item: Mapping[str, Any], endpoint: int, steps: Mapping[str, Any]) -> None:
        culprit = self._culprit(str(item["blame"] or "unknown"), str(item["outcome"]), steps)
        culprit.count += 1
        culprit.endpoints[endpoint] = culprit.endpoints.get(endpoint, 0) + 1
        culprit.hosts.add(len(self.hosts))
        if steps.get("proxy") and len(culprit.proxies) < _MOST_PROXIES:
            culprit.proxies.add(str(steps["proxy"]))
        severity = str(item["severity"])
        if not culprit.evidence or SEVERITIES.index(severity) < SEVERITIES.index(culprit.severity):
            culprit.severity, culprit.evidence = severity, str(item["evidence"])
            culprit.advice = str(item.get("advice") or "")

    def _culprit(self, blame: str, outcome: str, steps: Mapping[str, Any]) -> Culprit:
        key = (blame, outcome, _who(blame, steps))
        if key not in self.culprits and len(self.culprits) >= _MOST_CULPRITS:
            key = (OTHER, OTHER, "")  # strangers choose the names of issuers, so their number must have an end
        return self.culprits.setdefault(key, Culprit(*key))

    def _endpoint(self, item: Mapping[str, Any]) -> int:
        label = str(item["entry"])
        if label not in self._endpoint_of:
            self._endpoint_of[label] = len(self.endpoints)
            groups = tuple(str(group) for group in item["groups"]) or (UNGROUPED,)
            self.endpoints.append(Endpoint(label, str(item["severity"]), groups))
        return self._endpoint_of[label]

    def _kind(self, kind: Kind) -> int:
        if kind not in self._kind_of:
            if len(self.kinds) >= _MOST_CODES:  # a byte for each; there are far fewer that make sense
                kind = (kind[0], OTHER, "")
            if kind not in self._kind_of:
                self._kind_of[kind] = len(self.kinds)
                self.kinds.append(kind)
        return self._kind_of[kind]

    def _count_times(self, seconds: Mapping[str, Any]) -> None:
        for step, counts in self.times.items():
            value = _seconds(seconds.get(step))
            if value is not None:
                counts[next((at for at, end in enumerate(CLASSES) if value <= end), len(CLASSES))] += 1

    def sorted_culprits(self) -> list[Culprit]:
        """The worst first: by severity, then by how many checks they spoil."""
        return sorted(
            self.culprits.values(), key=lambda one: (SEVERITIES.index(one.severity), -one.count, one.outcome, one.who)
        )

    def statuses(self, endpoint: int) -> Iterable[tuple[Host, Kind]]:
        """What each host that asked says of an endpoint."""
        for host, row in zip(self.hosts, self.rows, strict=True):
            if endpoint < len(row) and row[endpoint] != NOT_ASKED:
                yield host, self.kinds[row[endpoint]]


def percentile(counts: list[int], share: float) -> float | None:
    """The upper end of the class in which *share* of all times lies; None where none was counted."""
    wanted = sum(counts) * share
    seen = 0
    for count, end in zip(counts, (*CLASSES, CLASSES[-1]), strict=True):
        seen += count
        if count and seen >= wanted:
            return end
    return None


def _seconds(value: Any) -> float | None:
    """A time, or None for what is none: JSON as Python reads it knows NaN and infinity, which browsers do not."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _who(blame: str, steps: Mapping[str, Any]) -> str:
    """The name of the culprit, as far as the answer shows one."""
    if blame == "inspection":
        return str((steps.get("tls") or {}).get("issuer") or "")
    return str(steps.get("proxy") or "") if blame == "proxy" else ""
