# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and their ports as elements of concatenated interval sets. Pure.

Elements of one set must not overlap, and nft's own answer to overlaps depends on their order. Networks nest or are
apart, never half inside each other, so it is enough that a network inside another one keeps only the ports that none
of the wider ones has: then no two elements meet, whatever the order, and one entry less is a few elements less.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

Range = Tuple[int, int]
Ports = Dict[str, List[Range]]
_SET_WORDS = {"allow": "allow", "bypass_content_inspection": "bypass"}


def set_word(intents: Iterable[str]) -> str:
    """``allow``, ``bypass`` or ``allow_bypass``: the end of the name of a set, for what its members get."""
    return "_".join(_SET_WORDS[intent] for intent in intents)


def intents_of(word: str) -> Tuple[str, ...]:
    """Back from :func:`set_word`."""
    words = word.split("_")
    return tuple(intent for intent, short in _SET_WORDS.items() if short in words)


def network_elements(holdings: Iterable[Holding]) -> Dict[str, List[str]]:
    """Elements by the name of their set, such as ``networks4_allow_bypass``; sets without elements do not appear."""
    found: Dict[str, List[Entry]] = {}
    for holding in holdings:
        entry = holding.entry
        if entry.type == "network":
            found.setdefault(f"networks{entry.network.version}_{set_word(holding.intents)}", []).append(entry)
    return {name: [text for _unused, texts in disjoint(entries) for text in texts] for name, entries in found.items()}


def disjoint(entries: Iterable[Entry]) -> List[Tuple[Entry, List[str]]]:
    """Each entry with its elements, none where wider entries have all its ports."""
    result = []
    wider: List[Tuple[int, Ports]] = []  # last address and all ports so far, from the widest inwards
    for entry in sorted(entries, key=_by_address):
        network = entry.network
        first, last = int(network.network_address), int(network.broadcast_address)
        while wider and wider[-1][0] < first:
            wider.pop()
        around = wider[-1][1] if wider else {}
        asked = _ports(entry.ports)
        own = {protocol: subtract(ranges, around.get(protocol, ())) for protocol, ranges in asked.items()}
        together = {protocol: _joined([*around.get(protocol, ()), *asked.get(protocol, ())])
                    for protocol in {*around, *asked}}
        wider.append((last, together))
        result.append((entry, _texts(entry, own)))
    return result


def _by_address(entry: Entry) -> Tuple[int, int]:
    return int(entry.network.network_address), entry.network.prefixlen


def _texts(entry: Entry, ports: Ports) -> List[str]:
    network = entry.network
    value = str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
    return [
        f"{value} . {protocol} . {low if low == high else f'{low}-{high}'}"
        for protocol in sorted(ports) for low, high in ports[protocol]
    ]


def _ports(texts: Sequence[str]) -> Ports:
    found: Ports = {}
    for text in texts:
        protocol, _unused, numbers = text.partition("/")
        low, _unused, high = numbers.partition("-")
        found.setdefault(protocol, []).append((int(low), int(high or low)))
    return found


def subtract(ranges: Sequence[Range], taken: Sequence[Range]) -> List[Range]:
    """What of *ranges* is not in *taken*; both sorted, without overlaps."""
    left: List[Range] = []
    for first, high in ranges:
        low = first
        for start, end in taken:
            if end < low or start > high:
                continue
            if start > low:
                left.append((low, start - 1))
            low = end + 1
        if low <= high:
            left.append((low, high))
    return left


def _joined(ranges: Iterable[Range]) -> List[Range]:
    found: List[Range] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found
