# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names are asked in place of a wildcard.

A name that is an entry itself may be allowed by that entry while the wildcard is not; a name that only the wildcard
contains shows the wildcard, but may have died. So the two kinds take turns.
"""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternError, PatternSet, parse

_MADE_UP = "egress-probe"


def witnesses(
    entries: Sequence[Entry], known: Mapping[str, Sequence[str]], given: Mapping[str, Sequence[str]], most: int
) -> Dict[str, List[str]]:
    """For each wildcard of the entries at most *most* names: the user's, then known ones and those of the list."""
    wildcards = {entry.pattern for entry in entries if entry.type == "host" and not entry.pattern.is_literal}
    chosen = _given(given, wildcards)
    listed = _listed(entries, wildcards)
    result: Dict[str, List[str]] = {}
    for pattern in wildcards:
        own = set(listed[pattern.text])
        only_here = [name for name in known.get(pattern.text, ()) if name not in own]
        in_turns = chain.from_iterable(zip_longest(only_here, listed[pattern.text]))
        names = dict.fromkeys(chain(chosen.get(pattern.text, ()), (name for name in in_turns if name)))
        result[pattern.text] = list(names)[:most]
    return result


def made_up_name(pattern: Pattern) -> Optional[str]:
    """A name that nobody has, and that the wildcard contains; None where it leaves no room for one."""
    name = ".".join(_made_up_label(label) for label in pattern.labels)
    return name if pattern.matches(name) else None


def _made_up_label(label: str) -> str:
    filled = label.replace("*", _MADE_UP, 1).replace("*", "")
    return filled if len(filled) <= 63 else label.replace("*", "")


def _given(given: Mapping[str, Sequence[str]], wildcards: Iterable[Pattern]) -> Dict[str, List[str]]:
    """The user's witnesses, checked: a name that the wildcard does not contain would prove something else."""
    known = {pattern.text for pattern in wildcards}
    result: Dict[str, List[str]] = {}
    for text, names in given.items():
        where = f"witnesses[{str(text)!r}]"
        pattern = _pattern(text, where)
        if not isinstance(names, (list, tuple)):
            raise AllowlistError(f"{where}: expected a list of names, got {names!r}")
        for index, name in enumerate(names):
            if not pattern.matches(_pattern(name, f"{where}[{index}]").text):
                raise AllowlistError(
                    f"{where}[{index}]: the name {str(name)!r} is not one that {pattern.text} contains"
                )
        if pattern.text in known:
            result[pattern.text] = [parse(name).text for name in names]
    return result


def _pattern(text: object, where: str) -> Pattern:
    if not isinstance(text, str):
        raise AllowlistError(f"{where}: expected a name as text, got {text!r}")
    try:
        return parse(str(text))
    except PatternError as error:
        raise AllowlistError(f"{where}: {error}") from error


def _listed(entries: Sequence[Entry], wildcards: Iterable[Pattern]) -> Dict[str, List[str]]:
    """For each wildcard the names that are entries of the list too; retired ones last."""
    index = PatternSet(wildcards)
    names: Dict[str, List[str]] = {pattern.text: [] for pattern in wildcards}
    literals = [entry for entry in entries if entry.type == "host" and entry.pattern.is_literal]
    for entry in sorted(literals, key=lambda entry: entry.risk == "retired"):
        for pattern in index.all_covering(entry.pattern):
            names[pattern.text].append(entry.value)
    return names
