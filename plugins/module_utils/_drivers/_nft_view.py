# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our objects on a firewall as entries, as counts for each group, and as text for people. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Dict, Iterable, List, Mapping, Optional, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_files import Noted
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import class_by_domain, digest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_networks import (
    disjoint,
    intents_of,
    set_word,
)
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

_NETWORKS = re.compile(r"^(?:egress_[a-z0-9_]+-)?(networks[46]_[a-z_]+)$")
_OURS_IN_DNSMASQ = re.compile(r"^(#.*|txt-record=egress_.*|nftset=/.*)?$")
Counted = Mapping[str, Mapping[str, Tuple[int, int, Optional[int]]]]
Members = Dict[str, List[Tuple[Holding, List[str]]]]  # set → entries with their elements


class Held:
    """What the objects say that we hold.

    The file notes the entries; what runs decides. An entry of which an element or a line is gone counts as gone, one
    that somebody has put there counts as held, so the difference to the list is told in entries. Where a whole table
    is gone, that is told as such, and the entries are those that the file notes.
    """

    def __init__(self, rules: str, dnsmasq: Optional[str], tables: Iterable[str]) -> None:
        noted = Noted(rules)
        self.unread: List[str] = list(noted.unread)
        self.holdings: List[Holding] = []
        self._hosts([(holding, names) for holding, names in noted.holdings if holding.entry.type == "host"], dnsmasq)
        networks = [holding for holding, _unused in noted.holdings if holding.entry.type == "network"]
        texts = list(tables)
        self._networks(members(networks), running(texts) if texts else None)

    def _hosts(self, noted: List[Tuple[Holding, Tuple[str, ...]]], dnsmasq: Optional[str]) -> None:
        if dnsmasq is None:
            self.holdings += [holding for holding, _unused in noted]
            return
        present = class_by_domain(dnsmasq)
        expected: Set[str] = set()
        sample: Dict[str, Holding] = {}
        for holding, names in noted:
            expected.update(names)
            if all(name in present for name in names):
                self.holdings.append(holding)
            for name in names:
                sample.setdefault(present.get(name, ""), holding)
        for domain in sorted(set(present) - expected):
            self._foreign_host(domain, sample.get(present[domain]))
        self.unread += [line for line in dnsmasq.splitlines() if not _OURS_IN_DNSMASQ.match(line)]

    def _foreign_host(self, domain: str, like: Optional[Holding]) -> None:
        try:
            entry = normalise([{"value": domain, "ports": list(like.entry.ports) if like else ["tcp/80", "tcp/443"]}])
        except AllowlistError:
            self.unread.append(domain)
        else:
            self.holdings.append(Holding(entry[0], like.intents if like else ("allow", "bypass_content_inspection")))

    def _networks(self, expected: Members, present: Optional[Dict[str, Set[str]]]) -> None:
        for name, entries in expected.items():
            there = None if present is None else present.get(name, set())
            for holding, elements in entries:
                if there is None or there.issuperset(elements):
                    self.holdings.append(holding)
        for name, found in (present or {}).items():
            known = {text for _unused, texts in expected.get(name, ()) for text in texts}
            self._foreign_networks(name, sorted(found - known))

    def _foreign_networks(self, name: str, elements: Iterable[str]) -> None:
        ports: Dict[str, List[str]] = {}
        for element in elements:
            parts = element.split(" . ")
            if len(parts) == 3:
                ports.setdefault(parts[0], []).append(f"{parts[1]}/{parts[2]}")
            else:
                self.unread.append(element)
        for value, found in ports.items():
            try:
                entry = normalise([{"type": "network", "value": value, "ports": found}])[0]
            except AllowlistError:
                self.unread.append(f"{value} {' '.join(found)}")
            else:
                self.holdings.append(Holding(entry, intents_of(name.partition("_")[2])))


def members(holdings: Iterable[Holding]) -> Members:
    """The entries of each set with their elements."""
    by_set: Dict[str, List[Holding]] = {}
    for holding in holdings:
        name = f"networks{holding.entry.network.version}_{set_word(holding.intents)}"
        by_set.setdefault(name, []).append(holding)
    found: Members = {}
    for name, group in by_set.items():
        of_entry = {holding.entry.key: holding for holding in group}
        found[name] = [(of_entry[entry.key], texts) for entry, texts in disjoint(one.entry for one in group)]
    return found


def running(texts: Iterable[str]) -> Dict[str, Set[str]]:
    """The elements of our sets of networks, by the set's name without the prefix that it has in a site's table."""
    found: Dict[str, Set[str]] = {}
    for text in texts:
        for line in text.splitlines():
            if line.startswith("element "):
                name, _unused, element = line[len("element ") :].partition(" ")
                match = _NETWORKS.match(name)
                if match:
                    found.setdefault(match.group(1), set()).add(element)
    return found


def group_counters(rules: str, dnsmasq: str, counted: Counted) -> Dict[str, Dict[str, int]]:
    """Packets and bytes by group: of its networks, and of addresses that were learnt for its names."""
    found: Dict[str, Dict[str, int]] = {}
    noted = Noted(rules).holdings
    classes = class_by_domain(dnsmasq)
    by_set = {
        match.group(1): values for name, values in counted.items() for match in [_NETWORKS.match(name)] if match
    }
    elements = {holding.entry.key: (name, texts) for name, entries in
                members(one for one, _unused in noted if one.entry.type == "network").items()
                for holding, texts in entries}
    for holding, names in noted:
        if holding.entry.type == "network":
            name, texts = elements[holding.entry.key]
            counts = [by_set.get(name, {}).get(text, (0, 0, None)) for text in texts]
        else:
            counts = [one for name in names for one in _of_name(name, classes.get(name, ""), counted)]
        for group in holding.entry.groups:
            row = found.setdefault(group, {"packets": 0, "bytes": 0})
            row["packets"] += sum(count[0] for count in counts)
            row["bytes"] += sum(count[1] for count in counts)
    return found


def _of_name(domain: str, ident: str, counted: Counted) -> List[Tuple[int, int, Optional[int]]]:
    found = []
    for version in (4, 6):
        allowed = counted.get(f"names{version}_{ident}", {})
        learnt = counted.get(f"learnt{version}_{digest(domain, 12)}", {})
        found += [allowed[address] for address in learnt if address in allowed]
    return found


# For people


def shown(objects: Mapping[str, str], rules: str) -> Dict[str, str]:
    """Objects without what the entries tell already: elements, and what is remembered of each name."""
    found = {}
    for name, text in objects.items():
        if name == rules:
            found[name] = f"{len(text)} bytes, SHA-256 {hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}\n"
        else:
            lines = text.splitlines(True)
            found[name] = "".join(line for line in lines if not _is_detail(line))
    return found


def _is_detail(line: str) -> bool:
    return line.startswith("element ") or '"name":"learnt' in line
