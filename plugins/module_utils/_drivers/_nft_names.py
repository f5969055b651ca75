# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as dnsmasq can hold them: which domain fills which set, and what that gains or loses. Pure.

``nftset=/x.com/…`` takes ``x.com`` and everything below it, and only the most specific line counts for a name. So a
line has to serve every entry that its names belong to: each domain gets one class, made of the ports and intents of
all of them, and each class is a set that dnsmasq fills.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternSet, parse
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._ports import ports_contain
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict, known_names

SHARED = "every other name at the same addresses"


@dataclass(frozen=True, order=True)
class Use:
    """What the addresses of a name are used for."""

    ports: Tuple[str, ...]
    intents: Tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """One host entry as it is written: ``domains`` of dnsmasq; ``below``: the names under them belong to it too."""

    holding: Holding
    domains: Tuple[str, ...]
    below: bool


def digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:length]


class Domains:
    """Each domain with its class; classes and domains are known by short ids, which name the sets."""

    def __init__(self, written: Iterable[Written], lifetime: int) -> None:
        exact: Dict[str, Set[Use]] = {}
        below: Dict[str, Set[Use]] = {}
        for one in written:
            use = Use(one.holding.entry.ports, one.holding.intents)
            for domain in one.domains:
                exact.setdefault(domain, set()).add(use)
                if one.below:
                    below.setdefault(domain, set()).add(use)
        self.uses: Dict[str, Tuple[Use, ...]] = {}  # by domain
        for domain, own in sorted(exact.items()):
            inherited = (below[parent] for parent in parents(domain) if parent in below)
            self.uses[domain] = tuple(sorted(own.union(*inherited)))
        self.classes: Dict[str, Tuple[Use, ...]] = {}  # by id
        self.class_of: Dict[str, str] = {}  # id by domain
        for domain, uses in self.uses.items():
            ident = digest(f"{lifetime} {uses!r}", 8)
            self.classes[ident] = uses
            self.class_of[domain] = ident


def parents(domain: str) -> Iterator[str]:
    """``a.b.c`` → ``b.c``, ``c``."""
    rest = domain.partition(".")[2]
    while rest:
        yield rest
        rest = rest.partition(".")[2]


class Names:
    """The host entries of a list, judged together: a name that is listed anyway is not gained."""

    def __init__(self, holdings: Sequence[Holding], widen: str, narrow: str, known: Sequence[str]) -> None:
        self._widen = widen
        self._narrow = narrow
        entries = [holding.entry for holding in holdings if holding.entry.path is None]
        self._ports = {entry.pattern: entry.ports for entry in entries}
        self._index = PatternSet(self._ports)
        literals = [pattern.text for pattern in self._ports if pattern.is_literal]
        self._known = sorted(set(literals) | set(known_names(known)))
        self.written: List[Written] = []
        self.verdicts: List[Verdict] = []
        for holding in holdings:
            self._take(holding)

    def _take(self, holding: Holding) -> None:
        entry = holding.entry
        pattern = entry.pattern
        if pattern.is_literal:
            gained = f"its subdomains, {SHARED}" if entry.path is None else f"all its paths, its subdomains, {SHARED}"
            self._write(holding, (pattern.text,), False, gained, "address")
        elif pattern.is_subtree:
            listed = self._holds(parse(pattern.base), entry)
            gained = SHARED if listed else f"{pattern.base} itself, {SHARED}"
            gained = gained if entry.path is None else f"all its paths, {gained}"
            self._write(holding, (pattern.base,), True, gained, "address" if listed else "apex")
        elif self._listed_below(pattern, entry):
            self._write(holding, (pattern.base,), True, SHARED, "address")
        elif self._widen == "any":
            self._write(holding, (pattern.base,), True, f"every name under {pattern.base}, {SHARED}", "any")
        else:
            self._narrowed(holding)

    def _write(self, holding: Holding, domains: Tuple[str, ...], below: bool, gained: str, gains: str) -> None:
        self.written.append(Written(holding, domains, below))
        line = holding.entry.line(())
        self.verdicts.append(Verdict(line, holding.intents, gained=gained, gains=gains, written=domains))

    def _narrowed(self, holding: Holding) -> None:
        """dnsmasq has no wildcards but whole domains; what is known to lie under the pattern can stand for it."""
        pattern = holding.entry.pattern
        known = tuple(name for name in self._known if pattern.matches(name))
        if known and self._narrow != "none":
            self.written.append(Written(holding, known, False))
        lost = (
            f"all names but {', '.join(known)}" if known else
            f"every name, since dnsmasq knows whole domains only (take all of {pattern.base} with widen: any, or the "
            "names that exist with known_names)"
        )
        self.verdicts.append(
            Verdict(
                holding.entry.line(()),
                holding.intents,
                gained=f"the subdomains of these names, {SHARED}" if known else "",
                gains="address" if known else "none",
                lost=lost,
                loses="known" if known else "any",
                written=known,
            )
        )

    def _holds(self, pattern: Pattern, entry: Entry) -> bool:
        """Whether the list itself allows *pattern* on all ports of *entry*."""
        found = [pattern] if pattern in self._ports else []
        return any(ports_contain(self._ports[one], entry.ports) for one in [*found, *self._index.all_covering(pattern)])

    def _listed_below(self, pattern: Pattern, entry: Entry) -> bool:
        return self._holds(parse("*." + pattern.base), entry)


def nftset_line(domain: str, table: str, sets: Sequence[Tuple[int, str]]) -> str:
    targets = ",".join(f"{version}#inet#{table}#{name}" for version, name in sets)
    return f"nftset=/{domain}/{targets}"


def lines(domains: Domains, table: str) -> List[str]:
    """The lines of dnsmasq's file, sorted by domain."""
    found = []
    for domain, ident in sorted(domains.class_of.items()):
        own = digest(domain, 12)
        targets = [(4, f"names4_{ident}"), (6, f"names6_{ident}"), (4, f"learnt4_{own}"), (6, f"learnt6_{own}")]
        found.append(nftset_line(domain, table, targets))
    return found


def class_by_domain(text: str) -> Mapping[str, str]:
    """Domain to class id of the lines of :func:`lines`; other lines are left out."""
    found = {}
    for line in text.splitlines():
        if line.startswith("nftset=/"):
            domain, _unused, targets = line[len("nftset=/") :].partition("/")
            ident = targets.partition(",")[0].rpartition("#names4_")[2]
            found[domain] = ident
    return found
