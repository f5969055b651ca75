# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what runs to what shall run, as one transaction. Pure.

A few elements are changed in place; where many change, the set is made new (an nft that is told to empty a set of
100,000 takes more than a minute, and one that makes it new a second). Sets that DNS fills are kept, since what they
have learnt would be lost, and a name that clients hold in their own cache would be blocked.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import digest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import (
    Command,
    Part,
    element_value,
)

FEW = 1000  # elements that are changed in place
Learnt = Mapping[str, Mapping[str, Optional[int]]]  # set → address → seconds left


def main_change(present: Optional[Part], desired: Optional[Part]) -> List[Command]:
    """For a table that is all ours."""
    if present is None or desired is None:
        return created(desired) if desired is not None else removed(present)
    return site_change(present, desired)


def created(part: Part) -> List[Command]:
    return [part.table_command("add"), *part.added()]


def removed(part: Optional[Part]) -> List[Command]:
    return [part.table_command("delete")] if part is not None else []


def site_change(present: Optional[Part], desired: Optional[Part]) -> List[Command]:
    """Only our sets and chains; in a table of the site its rules may jump to our chain, so that one stays."""
    present = present or Part(*_place(desired))
    desired = desired or Part(*_place(present))
    renewed = {name for name in {*present.sets} & {*desired.sets} if not _can_be_changed(present, desired, name)}
    chains = {
        name for name in {*present.chains} & {*desired.chains} if present.chains[name] != desired.chains[name]
    }
    commands: List[Command] = []
    if renewed or present.structure() != desired.structure():
        commands += present.named("flush", "chain", present.chains)
        commands += present.named("delete", "chain", chains | (set(present.chains) - set(desired.chains)))
        commands += present.named("delete", "set", renewed | (set(present.sets) - set(desired.sets)))
        commands += desired.added_sets(renewed | (set(desired.sets) - set(present.sets)))
        commands += [*desired.added_chains(), *desired.added_rules()]
    return commands + _element_changes(present, desired, ({*present.sets} & {*desired.sets}) - renewed)


def _place(part: Optional[Part]) -> Tuple[str, str]:
    if part is None:
        raise ValueError("neither a present nor a desired part")
    return part.family, part.table


def _can_be_changed(present: Part, desired: Part, name: str) -> bool:
    """Whether a set stays as it is but for a few elements."""
    if present.sets[name] != desired.sets[name]:
        return False
    return len(set(present.elements.get(name, ())) ^ set(desired.elements.get(name, ()))) <= FEW


def _element_changes(present: Part, desired: Part, names: Iterable[str]) -> List[Command]:
    """What goes comes first: a wider element may take the place of one that lies inside it."""
    deletes: List[Command] = []
    adds: List[Command] = []
    for name in sorted(names):
        old, want = set(present.elements.get(name, ())), set(desired.elements.get(name, ()))
        for verb, texts, into in (("delete", old - want, deletes), ("add", want - old, adds)):
            if texts:
                into.append(desired.element_command(verb, name, [element_value(text) for text in sorted(texts)]))
    return deletes + adds


# What DNS fills


def names_change(present: Optional[Part], desired: Part, learnt: Learnt) -> List[Command]:
    """New sets and the rules; what is no longer used stays until :func:`names_cleanup`."""
    if present is None:
        return created(desired)
    damaged = {name for name, body in present.sets.items() if name in desired.sets and desired.sets[name] != body}
    new = damaged | (set(desired.sets) - set(present.sets))
    if not damaged and (present.chains, list(present.rules)) == (desired.chains, list(desired.rules)):
        return desired.added_sets(new)
    other = {name for name, body in present.chains.items() if desired.chains.get(name) != body}
    return [
        *present.named("flush", "chain", present.chains),
        *present.named("delete", "chain", other),
        *present.named("delete", "set", damaged),
        *desired.added_sets(new),
        *[_timed(desired, name, learnt[name]) for name in sorted(damaged) if learnt.get(name)],
        *desired.added_chains(),
        *desired.added_rules(),
    ]


def _timed(part: Part, name: str, addresses: Mapping[str, Optional[int]]) -> Command:
    timeout = part.sets[name]["timeout"]
    values = []
    for address, left in sorted(addresses.items()):
        body: Dict[str, Any] = {"val": address, "timeout": timeout}
        if left:
            body["expires"] = min(left, timeout)
        values.append({"elem": body})
    return part.element_command("add", name, values)


class Learning:
    """Which address belongs to which name, and so to which sets.

    ``class_of``: class id by domain, as it shall be. ``heirs``: for domains that go, the domain whose line counts for
    their names from now on, if any.
    """

    def __init__(self, class_of: Mapping[str, str], heirs: Mapping[str, Optional[str]], learnt: Learnt) -> None:
        self.learnt = learnt
        self._class_of = class_of
        self._heirs = heirs

    def _addresses(self, version: int, domain: str) -> Mapping[str, Optional[int]]:
        return self.learnt.get(f"learnt{version}_{digest(domain, 12)}", {})

    def _inherited(self, version: int) -> Dict[str, Dict[str, Optional[int]]]:
        """By domain: what was learnt of it and of the domains that it inherits from."""
        found: Dict[str, Dict[str, Optional[int]]] = {}
        for domain in self._class_of:
            known = self._addresses(version, domain)
            if known:
                found[domain] = dict(known)
        for domain, heir in self._heirs.items():
            if heir is not None:
                for address, left in self._addresses(version, domain).items():
                    found.setdefault(heir, {}).setdefault(address, left)
        return found

    def additions(self, part: Part) -> List[Command]:
        """What was learnt goes where the names belong now; elements that are there already stay as they are."""
        commands = []
        for version in (4, 6):
            into: Dict[str, Dict[str, Optional[int]]] = {}
            for domain, addresses in self._inherited(version).items():
                into.setdefault(f"learnt{version}_{digest(domain, 12)}", {}).update(addresses)
                into.setdefault(f"names{version}_{self._class_of[domain]}", {}).update(dict.fromkeys(addresses))
            for name, wanted in sorted(into.items()):
                there = self.learnt.get(name, {})
                new = {address: left for address, left in wanted.items() if address not in there}
                if new:
                    commands.append(_timed(part, name, new))
        return commands

    def removals(self, part: Part) -> List[Command]:
        """Addresses that are known to belong to other names only. One whose name is forgotten stays until it ends."""
        commands = []
        for version in (4, 6):
            owned: Dict[str, Set[str]] = {}
            for domain, addresses in self._inherited(version).items():
                owned.setdefault(self._class_of[domain], set()).update(addresses)
            known = {
                address
                for name, addresses in self.learnt.items() if name.startswith(f"learnt{version}_")
                for address in addresses
            }
            for ident in sorted(set(self._class_of.values())):
                name = f"names{version}_{ident}"
                there = self.learnt.get(name, {})
                gone = sorted((set(there) & known) - owned.get(ident, set()))
                if gone:
                    commands.append(part.element_command("delete", name, gone))
        return commands


def names_cleanup(present: Part, desired: Part, learning: Learning) -> List[Command]:
    """After dnsmasq has read its new file: addresses of names that went, and sets that nothing uses."""
    return [*learning.removals(desired), *present.named("delete", "set", set(present.sets) - set(desired.sets))]


def seconds_left(counted: Mapping[str, Mapping[str, Tuple[int, int, Optional[int]]]]) -> Learnt:
    """From what :meth:`Nft.counted` tells."""
    return {name: {text: counts[2] for text, counts in values.items()} for name, values in counted.items()}
