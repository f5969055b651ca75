# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From entries to targets: what is asked for each entry, the most important first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Target, parse_target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_witness import made_up_name, witnesses

SEVERITIES = ("critical", "required", "optional")
_OPTIONAL_RISKS = ("third_party", "retired")
_SCHEMES = {"tcp/80": "http", "tcp/8080": "http", "tcp/443": "https", "tcp/8443": "https"}


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


@dataclass(frozen=True)
class WitnessChoice:
    """How wildcards are asked."""

    known: Mapping[str, Sequence[str]]
    given: Mapping[str, Sequence[str]]
    most: int = 2
    made_up: bool = False


def questions(entries: Sequence[Entry], choice: WitnessChoice) -> List[Question]:
    """One question for each entry, critical ones first, so that they are not the ones for which time runs out."""
    names = witnesses(entries, choice.known, choice.given, choice.most)
    asked = [_question(entry, names, choice.made_up) for entry in entries]
    return sorted(asked, key=lambda question: SEVERITIES.index(question.severity))


def questions_of_targets(targets: Sequence[object]) -> List[Question]:
    """Targets that the user wrote: each is asked for as it is, and required."""
    urls = dict.fromkeys(parse_target(text, f"targets[{index}]").url for index, text in enumerate(targets))
    return [Question(url, "required", (), False, False, True, (Witness(url, (url,)),)) for url in urls]


def urls(asked: Sequence[Question]) -> List[str]:
    """Each target once."""
    return list(dict.fromkeys(url for question in asked for witness in question.witnesses for url in witness.urls))


def severity(entry: Entry) -> str:
    """How bad it is when the entry is not as intended."""
    if entry.critical:
        return "critical"
    return "required" if entry.required and entry.risk not in _OPTIONAL_RISKS else "optional"


def _question(entry: Entry, names: Mapping[str, Sequence[str]], made_up: bool) -> Question:
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
    )


def _witnesses(entry: Entry, names: Mapping[str, Sequence[str]], made_up: bool) -> Tuple[Tuple[Witness, ...], str]:
    """Whom to ask, and what cannot be proven by asking."""
    if entry.type == "network":
        return (), "a network is not probed: no address in it is known to answer"
    ports = effective_ports(entry)
    silent = [port for port in ports if port not in _SCHEMES]
    unprovable = f"{', '.join(silent)} cannot be probed, only http and https can" if silent else ""
    if len(silent) == len(ports):
        return (), unprovable
    if entry.pattern.is_literal:
        return (_witness(entry, entry.value, False),), unprovable
    known = names[entry.pattern.text]
    if known:
        return tuple(_witness(entry, name, False) for name in known), unprovable
    invented = made_up_name(entry.pattern) if made_up else None
    if invented:
        return (_witness(entry, invented, True),), unprovable
    return (), "no name is known that this wildcard contains; name one in the option witnesses"


def _witness(entry: Entry, name: str, made_up: bool) -> Witness:
    by_scheme: Dict[str, str] = {port: _SCHEMES[port] for port in effective_ports(entry) if port in _SCHEMES}
    targets = [
        Target(scheme, name, int(port.partition("/")[2]), entry.path or "/" if scheme == "http" else "/")
        for port, scheme in by_scheme.items()
    ]
    # https first: it says more.
    return Witness(name, tuple(target.url for target in sorted(targets, key=lambda t: not t.is_tls)), made_up)
