# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of an object on an appliance that says that it is ours, and what its entries are for. Pure.

``Managed by egress.allowlist: mmd; ports tcp/80,443; intents allow, bypass_tls_inspection; change CHG1``
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Dict, Mapping, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import INTENTS, NAME
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports, written

HEAD = "Managed by egress.allowlist: "
_MARK = re.compile(
    re.escape(HEAD) + rf"(?P<name>{NAME})"
    r"(?:; ports (?P<ports>[a-z0-9/, -]+))?(?:; intents (?P<intents>[a-z_, ]+))?(?:; change (?P<change>.*))?"
)
# What some appliance refuses in a description, or what would end it in one of our texts.
_STRANGE = re.compile(r"[^A-Za-z0-9 ._:/,@+=\[\]-]")


@dataclass(frozen=True)
class Mark:
    """``ports`` and ``intents`` are empty on what has none of its own, such as a rule."""

    name: str
    ports: Tuple[str, ...] = ()
    intents: Tuple[str, ...] = ()
    change: str = ""

    def text(self, longest: int = 255) -> str:
        """The description. AllowlistError where it is longer than the appliance keeps."""
        found = HEAD + self.name
        found += f"; ports {written(self.ports)}" if self.ports else ""
        found += f"; intents {', '.join(self.intents)}" if self.intents else ""
        if len(found) > longest:
            raise AllowlistError(
                f"ports: {written(self.ports)} is too long for a description, which holds {longest} characters there; "
                "give the entries fewer different ports, or a `name` of their own for each set of ports"
            )
        # What is cut of a ticket's number is better lost than the run.
        change = f"; change {_STRANGE.sub('_', self.change)}" if self.change else ""
        return (found + change)[:longest].rstrip() if longest - len(found) > len("; change ") else found


def read_mark(text: Optional[str]) -> Optional[Mark]:
    """The mark in a description, None if it is none of ours."""
    found = _MARK.fullmatch((text or "").strip())
    if found is None:
        return None
    intents = tuple(word for word in (found["intents"] or "").split(", ") if word in INTENTS)
    ports = _ports(found["ports"]) if found["ports"] else ()
    return None if ports is None else Mark(found["name"], ports, intents, found["change"] or "")


def without_change(text: str) -> str:
    """A description, or a text with descriptions in it, without tickets: they alone never cause a change."""
    return re.sub(rf"({re.escape(HEAD)}[^\"<>\n]*?); change [^\"<>\n]*", r"\1", text)


def with_old_changes(
    objects: Mapping[str, str], present: Mapping[str, str], inside: Callable[[str], str] = lambda _key: ""
) -> Dict[str, str]:
    """An object that is the same otherwise keeps its ticket. *inside*: the key of what it holds, where it has one."""
    kept = dict(objects)
    for key, text in objects.items():
        old = present.get(key)
        same = old is not None and without_change(old) == without_change(text)
        if old is not None and same and objects.get(inside(key)) == present.get(inside(key)):
            kept[key] = old
    return kept


def _ports(text: str) -> Optional[Tuple[str, ...]]:
    """``tcp/80,443 udp/3478`` as ``written`` says it, back to ports."""
    ports = []
    for word in text.replace(", ", " ").split():
        protocol, _slash, numbers = word.partition("/")
        ports += [f"{protocol}/{number}" for number in numbers.split(",")]
    try:
        return canonical_ports(ports, "ports")
    except AllowlistError:
        return None
