# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries to the lines of a list, with a verdict for each entry that the list does not hold exactly. Pure.

Judged on the whole list: a name that the list allows anyway is not gained, and what another entry's lines hold is not
lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports, minimise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternSet, parse
from ansible_collections.egress.allowlist.plugins.module_utils._ports import ports_contain
from ansible_collections.egress.allowlist.plugins.module_utils._translation import (
    Verdict,
    known_names,
    objection,
    without_udp,
)

INTENTS = ("allow",)


@dataclass(frozen=True)
class Accepted:
    """What may be gained and lost, and the names that may stand for a pattern."""

    widen: str = "apex"
    narrow: str = "known"
    known: Tuple[str, ...] = ()
    skip: bool = False  # leave out what would be refused


@dataclass(frozen=True)
class Written:
    """An entry that the list holds, with its lines, and what the appliance takes them for."""

    entry: Entry
    lines: Tuple[str, ...]
    means: Tuple[Pattern, ...] = ()
    loose: bool = False  # ``means`` says more than is true


class Translation:
    """A whole list in a dialect: ``written`` in the order of the entries, and ``verdicts``."""

    def __init__(self, dialect: Dialect, entries: Sequence[Entry], accepted: Accepted) -> None:
        self.dialect = dialect
        self.accepted = accepted
        self.written: List[Written] = []
        self.verdicts: List[Verdict] = []
        names = [entry for entry in entries if entry.type == "host" and entry.path is None]
        self._listed: Dict[Pattern, Tuple[str, ...]] = {entry.pattern: effective_ports(entry) for entry in names}
        self._index = PatternSet(self._listed)
        literals = {pattern.text for pattern in self._listed if pattern.is_literal}
        self._known = sorted(literals | set(known_names(accepted.known)))
        for entry in entries:
            carried = self._carried(entry)
            if carried is not None:
                self._take(carried)

    def _carried(self, entry: Entry) -> Optional[Entry]:
        """What of it a dialect carries that says its ports, which is one of a proxy."""
        if not self.dialect.ports:
            return entry
        carried, verdict = without_udp(entry)
        self.verdicts += [verdict] if verdict else []
        return carried

    def _take(self, entry: Entry) -> None:
        if entry.type == "network":
            if self.dialect.networks:
                self._write(entry, Form((self.dialect.network(entry.network),), ()))
            else:
                self._elsewhere(entry, "a list of names carries no networks")
        elif not self.dialect.hosts:
            self._elsewhere(entry, "a list of networks carries no names")
        else:
            self._host(entry)

    def _elsewhere(self, entry: Entry, why: str) -> None:
        lost = f"{why}: give the appliance a list for these too"
        self.verdicts.append(Verdict(entry.line(()), INTENTS, lost=lost, loses="foreign"))

    def _host(self, entry: Entry) -> None:
        exact = next(self.dialect.path(entry.pattern, entry.path), None) if entry.path is not None else None
        judged = [self._judged(entry, form, entry.path is not None) for form in self.dialect.forms(entry.pattern)]
        if exact is not None:
            judged.insert(0, self._judged(entry, exact, False))
        fitting = next((found for found in judged if not self._too_much(found[1])), None)
        if fitting is None:
            fitting = self._narrowed(entry) or (judged[0] if judged else (None, _impossible(entry)))
        self._accept(entry, *fitting)

    def _accept(self, entry: Entry, form: Optional[Form], verdict: Optional[Verdict]) -> None:
        refused = objection(verdict, self.accepted.widen, self.accepted.narrow) if verdict is not None else ""
        if verdict is not None and refused and self.accepted.skip:
            lost = f"every name; left out, since it {_why(verdict)}"
            self.verdicts.append(Verdict(verdict.entry, INTENTS, lost=lost, loses="any"))
            return
        if verdict is not None:
            self.verdicts.append(verdict)
        if form is not None:
            self._write(entry, form)

    def _write(self, entry: Entry, form: Form) -> None:
        ports = effective_ports(entry) if self.dialect.ports else ()
        lines = tuple(line for one in form.lines for line in self.dialect.with_ports(one, ports))
        self.written.append(Written(entry, lines, form.means, form.loose))

    def _too_much(self, verdict: Optional[Verdict]) -> bool:
        return verdict is not None and bool(objection(verdict, self.accepted.widen, narrow="any"))

    # Gained

    def _judged(self, entry: Entry, form: Form, all_paths: bool) -> Tuple[Optional[Form], Optional[Verdict]]:
        gains, words = "none", []
        for pattern in form.means:
            if pattern == entry.pattern or entry.pattern.covers(pattern) or self._is_listed(pattern, entry):
                continue
            is_apex = pattern.is_literal and pattern.text == entry.pattern.base
            gains = "any" if gains == "any" or not is_apex else "apex"
            much = "names like" if form.loose else "all of"
            words.append(f"{pattern.text} itself" if is_apex else f"{much} {pattern.text}")
        if all_paths and not self._is_listed(entry.pattern, entry):
            gains, words = (gains if gains == "any" else "address"), ["all its paths", *words]
        if gains == "none":
            return form, None
        return form, self._verdict(entry, form.lines, gained=", ".join(words), gains=gains)

    def _is_listed(self, pattern: Pattern, entry: Entry) -> bool:
        """Whether the list itself allows the pattern; on the same ports, where lines say any."""
        found = [pattern] if pattern in self._listed else []
        found += self._index.all_covering(pattern)
        ports = effective_ports(entry)
        return any(not self.dialect.ports or ports_contain(self._listed[one], ports) for one in found)

    @staticmethod
    def _verdict(entry: Entry, lines: Tuple[str, ...], **words: str) -> Verdict:
        return Verdict(entry.line(()), INTENTS, written=lines, **words)

    # Lost

    def _narrowed(self, entry: Entry) -> Optional[Tuple[Optional[Form], Optional[Verdict]]]:
        """What is known to lie under a pattern can stand for it."""
        known = [name for name in self._known if entry.pattern.matches(name) and not entry.pattern.is_literal]
        if not known or self.accepted.narrow == "none" or entry.path is not None:
            return None
        forms = [next(self.dialect.forms(parse(name))) for name in known]
        lines = tuple(line for form in forms for line in form.lines)
        means = tuple(pattern for form in forms for pattern in form.means)
        verdict = self._verdict(entry, lines, lost=f"all names but {', '.join(known)}", loses="known")
        return Form(lines, means, any(form.loose for form in forms)), verdict


def _impossible(entry: Entry) -> Verdict:
    lost = "every name, since this list has no way to write it (name what exists with known_names)"
    return Verdict(entry.line(()), INTENTS, lost=lost, loses="any")


def _why(verdict: Verdict) -> str:
    return f"would also allow {verdict.gained}" if verdict.gained else f"would lose {verdict.lost}"


def lines_of(dialect: Dialect, written: Sequence[Written]) -> List[str]:
    """The lines of a list, each once and sorted, without those that other lines hold anyway."""
    # What says its ports writes every entry exactly, so the entries themselves can be compared.
    compared = [one.entry for one in written if dialect.ports or one.entry.type == "network"]
    dropped = {entry.key for entry in compared}.difference(entry.key for entry in minimise(compared))
    index = PatternSet(() if dialect.ports else _sure(written))
    kept = (one for one in written if one.entry.key not in dropped and not _is_held(one, index))
    return sorted({line for one in kept for line in one.lines})


def _sure(written: Iterable[Written]) -> Iterator[Pattern]:
    return (pattern for one in written if one.entry.path is None and not one.loose for pattern in one.means)


def _is_held(one: Written, index: PatternSet) -> bool:
    """Whether the lines of other entries hold all of it: wider ones, since equal ones write equal lines."""
    own = set(one.means)
    return bool(own) and all(any(found not in own for found in index.all_covering(pattern)) for pattern in own)


def limited(dialect: Dialect, lines: Sequence[str]) -> None:
    """Raise AllowlistError for more or longer lines than the appliance reads; it would skip them without a word."""
    if not lines:
        raise AllowlistError(
            f"{dialect.name}: no entry is left for this list, and an appliance may read an empty one as everything or "
            "as nothing. Leave this list out, or choose entries that belong into it"
        )
    if dialect.most_lines and len(lines) > dialect.most_lines:
        raise AllowlistError(
            f"{dialect.name}: {len(lines)} lines, and such a list holds {dialect.most_lines}; what comes after them is "
            "skipped without an error there. Split it by groups or by ports"
        )
    for line in lines:
        if dialect.longest_line and len(line) > dialect.longest_line:
            raise AllowlistError(
                f"{dialect.name}: a line of {len(line)} characters, and {dialect.longest_line} are read: {line}"
            )
