# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries in classes, one list object on the appliance for each: what has the same ports and the same intents. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._entry_type import HOST_PORTS
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

Key = Tuple[Tuple[str, ...], Tuple[str, ...]]
EVERYONE = "any"


@dataclass(frozen=True)
class EntryClass:
    """``suffix`` is empty for the usual class: what has the ports of the web and all intents of the appliance."""

    suffix: str
    ports: Tuple[str, ...]
    intents: Tuple[str, ...]
    hosts: Tuple[Entry, ...]
    networks: Tuple[Entry, ...]


def classes(holdings: Sequence[Holding], all_intents: Sequence[str]) -> List[EntryClass]:
    """The usual class first. The name of a class depends on nothing but its own ports and intents."""
    by_key: Dict[Key, List[Entry]] = {}
    for holding in holdings:
        by_key.setdefault((effective_ports(holding.entry), _intents(holding)), []).append(holding.entry)
    found = []
    for (ports, intents), entries in by_key.items():
        ordered = sorted(entries, key=lambda entry: entry.sort_key)
        hosts, networks = (tuple(e for e in ordered if e.type == kind) for kind in ("host", "network"))
        found.append(EntryClass(suffix_of(ports, intents, all_intents), ports, intents, hosts, networks))
    return sorted(found, key=lambda one: one.suffix)


def suffix_of(ports: Sequence[str], intents: Sequence[str], all_intents: Sequence[str]) -> str:
    if tuple(ports) == HOST_PORTS and tuple(intents) == tuple(all_intents):
        return ""
    return "-" + hashlib.sha256(f"{','.join(ports)} {','.join(intents)}".encode()).hexdigest()[:6]


def _intents(holding: Holding) -> Tuple[str, ...]:
    """A path exists in plain http alone, so nothing of it can be left undecrypted."""
    if holding.entry.path is None:
        return holding.intents
    return tuple(intent for intent in holding.intents if intent != "bypass_tls_inspection")


def client_networks(clients: Sequence[str]) -> Tuple[List[str], List[str]]:
    """Networks, and names of the site's own objects; ``any`` is one of these. Raises AllowlistError for everyone."""
    networks, names = [], []
    for index, client in enumerate(clients):
        if client in ("all", "0.0.0.0", "::") or client.endswith("/0"):
            raise AllowlistError(f"clients[{index}]: {client!r} is everyone; write 'any' if that is meant")
        try:
            networks.append(str(ipaddress.ip_network(client)))
        except ValueError as error:
            if "/" in client or not client.strip() or client != client.strip() or not client.isprintable():
                raise AllowlistError(f"clients[{index}]: {client!r}: {error}") from error
            names.append(client)
    if EVERYONE in names and len(clients) > 1:
        at = list(clients).index(EVERYONE)
        raise AllowlistError(f"clients[{at}]: 'any' is everyone, so nothing can stand beside it")
    return networks, names
