# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of entries, the only thing that crosses a plugin boundary: read, merged, reduced, always in one order.

Order: hosts by their labels from the right and then by path (``x.com``, ``*.x.com``, ``a.x.com``), so that what
belongs together stands together; then networks, IPv4 first, by address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Iterable

from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._entry_type import (
    CATEGORIES,
    RISKS,
    Entry,
    effective_ports,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._network import Network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports, ports_contain

__all__ = ["CATEGORIES", "RISKS", "Entry", "effective_ports", "merge", "minimise", "normalise"]


def normalise(
    items: Iterable[object],
    *,
    where: str = "entries",
    default_ports: Iterable[object] = (),
    require_ports: bool = False,
) -> list[Entry]:
    """The canonical list: each thing once, sorted.

    A plain text stands for an entry that is required, not critical, and states no ports: tcp/80 and tcp/443 for a
    host. For a network it never means any port: with *require_ports* that is an error unless there are
    *default_ports*, which concern networks only.
    """
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise AllowlistError(f"{where}: expected a list of names and networks, got {shown(items)}: put it into a list")
    defaults = canonical_ports(default_ports, "default_ports")
    entries = []
    for index, item in enumerate(items):
        entry = read_item(item, f"{where}[{index}]")
        if require_ports and entry.type == "network" and not entry.ports and not defaults:
            raise AllowlistError(
                f'{where}[{index}]: the network "{entry.value}" states no ports, and that never means any port: '
                "add ports: [tcp/443] to it, or set default_ports"
            )
        entries.append(entry)
    return merge(entries, defaults)


def merge(entries: Iterable[Entry], default_ports: Iterable[str] = ()) -> list[Entry]:
    """One entry for each thing, sorted: what any of them asked for is kept."""
    defaults = tuple(default_ports)
    merged: dict[tuple[str, str, str | None], Entry] = {}
    for entry in entries:
        other = merged.get(entry.key)
        merged[entry.key] = entry if other is None else _join(other, entry, defaults)
    return sorted(merged.values(), key=lambda entry: entry.sort_key)


def _join(left: Entry, right: Entry, default_ports: tuple[str, ...]) -> Entry:
    return replace(
        left,
        ports=_join_ports(left, right, default_ports),
        groups=tuple(sorted({*left.groups, *right.groups})),
        category=_strongest(CATEGORIES, left.category, right.category),
        required=left.required or right.required,
        critical=left.critical or right.critical,
        risk=_strongest(RISKS, left.risk, right.risk),
        sources=tuple(sorted({*left.sources, *right.sources})),
    )


def _join_ports(left: Entry, right: Entry, default_ports: tuple[str, ...]) -> tuple[str, ...]:
    """A list that is empty stands for some ports too, and must not lose them to one that states others."""
    if left.ports == right.ports:
        return left.ports
    if left.type == "network" and not default_ports:
        return canonical_ports(left.ports + right.ports, "ports")
    return canonical_ports(effective_ports(left, default_ports) + effective_ports(right, default_ports), "ports")


def _strongest(order: tuple[str, ...], left: str | None, right: str | None) -> str | None:
    return next((value for value in order if value in (left, right)), None)


def minimise(entries: Iterable[Entry]) -> list[Entry]:
    """The entries that no other one contains, with all their ports: fewer entries, the very same traffic.

    For lists that are written. What is dropped takes its groups and flags with it, so judge by the whole list.
    """
    merged = merge(entries)
    hosts = _HostIndex(entry for entry in merged if entry.type == "host" and entry.path is None)
    networks = _NetworkIndex(entry for entry in merged if entry.type == "network")
    return [
        entry for entry in merged if not (hosts.contains(entry) if entry.type == "host" else networks.contains(entry))
    ]


class _HostIndex:
    def __init__(self, entries: Iterable[Entry]) -> None:
        by_pattern = {entry.pattern: entry for entry in entries}
        self._ports = {pattern: effective_ports(entry) for pattern, entry in by_pattern.items()}
        self._patterns = PatternSet(by_pattern)

    def contains(self, entry: Entry) -> bool:
        ports = effective_ports(entry)
        if entry.path is not None and ports_contain(self._ports.get(entry.pattern, ()), ports):
            return True
        return any(ports_contain(self._ports[found], ports) for found in self._patterns.all_covering(entry.pattern))


class _NetworkIndex:
    def __init__(self, entries: Iterable[Entry]) -> None:
        self._ports = {_bits(entry.network, entry.network.prefixlen): entry.ports for entry in entries}
        self._lengths = sorted({length for _version, length, _address in self._ports})

    def contains(self, entry: Entry) -> bool:
        network = entry.network
        for length in self._lengths:
            if length < network.prefixlen:
                ports = self._ports.get(_bits(network, length))
                # Ports that are not stated are unknown here: only the same is known to contain them.
                if ports is not None and (ports == entry.ports or (entry.ports and ports_contain(ports, entry.ports))):
                    return True
        return False


def _bits(network: Network, length: int) -> tuple[int, int, int]:
    """The first *length* bits of the address, with what is needed to tell them from those of other networks."""
    return network.version, length, int(network.network_address) >> (network.max_prefixlen - length)
