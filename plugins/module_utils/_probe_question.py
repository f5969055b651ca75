# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From entries to targets: what is asked for each entry, the most important first. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._probe_expect import INTENTS, Expectation
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Target, parse_target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_witness import made_up_name, witnesses

SEVERITIES = ("critical", "required", "optional")
_OPTIONAL_RISKS = ("third_party", "retired")
_SCHEMES = {"tcp/80": "http", "tcp/8080": "http", "tcp/443": "https", "tcp/8443": "https"}
_MOST_PORTS = 8  # of a range that are asked one by one
# Desktops download these in parts, so a proxy that takes the Range header away spoils them.
_RANGED_GROUP = "delivery_optimization"


@dataclass(frozen=True)
class Witness:
    """A name that stands for an entry: itself, or a name that its wildcard contains."""

    name: str
    urls: Tuple[str, ...]
    made_up: bool = False


@dataclass(frozen=True)
class Question:
    """An entry and all that is asked about it."""

    label: str
    severity: str
    groups: Tuple[str, ...]
    retired: bool
    wildcard: bool
    # The source states the ports: each must be as intended. Otherwise a name may well be served on one of the two.
    ports_stated: bool
    witnesses: Tuple[Witness, ...] = ()
    unprovable: str = ""
    intents: FrozenSet[str] = field(default_factory=lambda: frozenset(INTENTS))


@dataclass(frozen=True)
class WitnessChoice:
    """How wildcards are asked."""

    known: Mapping[str, Sequence[str]]
    given: Mapping[str, Sequence[str]]
    most: int = 2
    made_up: bool = False


def questions(
    entries: Sequence[Entry], choice: WitnessChoice, expected: Optional[Expectation] = None
) -> List[Question]:
    """One question for each entry, critical ones first, so that they are not the ones for which time runs out."""
    names = witnesses(entries, choice.known, choice.given, choice.most)
    wanted = expected or Expectation()
    asked = [_question(entry, names, choice.made_up, wanted.of(entry.risk)) for entry in entries]
    return sorted(asked, key=lambda question: SEVERITIES.index(question.severity))


def questions_of_targets(targets: Sequence[object], expected: Optional[Expectation] = None) -> List[Question]:
    """Targets that the user wrote: each is asked for as it is, and required."""
    intents = (expected or Expectation()).of(None)
    urls = dict.fromkeys(parse_target(text, f"targets[{index}]").url for index, text in enumerate(targets))
    return [Question(url, "required", (), False, False, True, (Witness(url, (url,)),), "", intents) for url in urls]


def urls(asked: Sequence[Question]) -> List[str]:
    """Each target once."""
    return list(dict.fromkeys(url for question in asked for witness in question.witnesses for url in witness.urls))


def ranged_urls(asked: Sequence[Question]) -> List[str]:
    """Those of which one byte is asked for."""
    wanted = [question for question in asked if _RANGED_GROUP in question.groups]
    return [url for url in urls(wanted) if url.startswith("http://")]


def severity(entry: Entry) -> str:
    """How bad it is when the entry is not as intended."""
    if entry.critical:
        return "critical"
    return "required" if entry.required and entry.risk not in _OPTIONAL_RISKS else "optional"


def _question(
    entry: Entry, names: Mapping[str, Sequence[str]], made_up: bool, intents: FrozenSet[str]
) -> Question:
    found, unprovable = _witnesses(entry, names, made_up)
    return Question(
        label=f"{entry.value}{entry.path or ''}",
        severity=severity(entry),
        groups=tuple(entry.groups),
        retired=entry.risk == "retired",
        wildcard=entry.type == "host" and not entry.pattern.is_literal,
        ports_stated=bool(entry.ports) or entry.path is not None,
        witnesses=found,
        unprovable=unprovable,
        intents=intents,
    )


def _witnesses(entry: Entry, names: Mapping[str, Sequence[str]], made_up: bool) -> Tuple[Tuple[Witness, ...], str]:
    """Whom to ask, and what cannot be proven by asking."""
    if entry.type == "network" and not _single_address(entry):
        return (), "a network is not probed: no address in it is known to answer"
    ports = entry.ports if entry.type == "network" else effective_ports(entry)
    asked, silent = _askable(ports)
    unprovable = f"{', '.join(silent)} cannot be probed, the range is too wide" if silent else ""
    if not ports:
        return (), "no port is stated, so there is nothing to ask"
    if not asked:
        return (), unprovable
    if entry.type == "network":
        return (_witness(entry, _single_address(entry), asked, False),), unprovable
    if entry.pattern.is_literal:
        return (_witness(entry, entry.value, asked, False),), unprovable
    known = names[entry.pattern.text]
    if known:
        return tuple(_witness(entry, name, asked, False) for name in known), unprovable
    invented = made_up_name(entry.pattern) if made_up else None
    if invented:
        return (_witness(entry, invented, asked, True),), unprovable
    return (), "no name is known that this wildcard contains; name one in the option witnesses"


def _single_address(entry: Entry) -> str:
    """The address of a network that has only one; empty for all others."""
    address, _slash, length = entry.value.partition("/")
    return address if length == ("128" if ":" in address else "32") else ""


def _askable(ports: Sequence[str]) -> Tuple[List[str], List[str]]:
    """The ports one by one, and the ranges that are too wide to be asked."""
    asked: List[str] = []
    silent: List[str] = []
    for port in ports:
        protocol, _slash, numbers = port.partition("/")
        first, _dash, last = numbers.partition("-")
        span = range(int(first), int(last or first) + 1)
        if len(span) > _MOST_PORTS:
            silent.append(port)
        else:
            asked += [f"{protocol}/{number}" for number in span]
    return asked, silent


def _witness(entry: Entry, name: str, ports: Sequence[str], made_up: bool) -> Witness:
    targets = [_target(name, port, entry.path) for port in ports]
    # https first: it says most.
    order = ("https", "http", "tcp", "udp")
    return Witness(name, tuple(t.url for t in sorted(targets, key=lambda t: order.index(t.scheme))), made_up)


def _target(name: str, port: str, path: Optional[str]) -> Target:
    protocol, _slash, number = port.partition("/")
    scheme = _SCHEMES.get(port, protocol)
    return Target(scheme, name, int(number), path or "/" if scheme == "http" else "/")
