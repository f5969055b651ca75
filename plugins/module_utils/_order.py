# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where our rules stand among those of the site. Pure.

A place is told by the next rule of the site below it, so that it can be compared, shown and written back. Rules of this
collection count for none of the site's.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown

ORDER = "place of "  # begins the key of an object that is a rule's place
END = "the end"
_POSITION = re.compile(r"(before|after) (.*\S)|top|bottom")


def require_position(kind: str, text: object) -> None:
    if not isinstance(text, str) or not _POSITION.fullmatch(text):
        raise AllowlistError(
            f"position.{kind}: expected 'before RULE', 'after RULE', 'top' or 'bottom', got {shown(text)}"
        )


def places(kind: str, rules: Sequence[str], own: Iterable[str]) -> Dict[str, str]:
    """The place of each of our rules, as objects."""
    return {f"{ORDER}{kind} rule {name}": _text(_next(rules, name)) for name in own if name in rules}


def wanted(kind: str, rules: Sequence[str], own: Iterable[str], position: str) -> Dict[str, str]:
    """The places they shall have: a rule that stands where it may is left there."""
    found = {}
    for name in own:
        before = _next(rules, name) if _fits(rules, name, position) else _target(rules, position)
        found[f"{ORDER}{kind} rule {name}"] = _text(before)
    return found


def restored(kind: str, rules: Sequence[str], name: str, place: str) -> str:
    """The place of a snapshot: kept where the rule still stands above what it stood above."""
    before = before_of(place)
    if name in rules and (before is None or before not in rules or rules.index(name) < rules.index(before)):
        return _text(_next(rules, name))
    if before is not None and before not in rules:
        raise AllowlistError(
            f"snapshot: {kind} rule {name} stood before {before!r}, which is there no more; say where it belongs with "
            "state: replaced and position"
        )
    return place


def before_of(place: str) -> Optional[str]:
    """The rule of the site before which a place is; None for the end."""
    found = re.fullmatch(r"before (.+)\n", place)
    return found.group(1) if found else None


def missing(rules: Sequence[str], position: str) -> str:
    """The rule that a position names and that is not there; "" for none."""
    named = position.partition(" ")[2]
    return named if named and named not in rules else ""


def _text(before: Optional[str]) -> str:
    return f"{END}\n" if before is None else f"before {before}\n"


def _site(name: str) -> bool:
    return not name.startswith("egress_")


def _next(rules: Sequence[str], name: str) -> Optional[str]:
    return next((other for other in rules[rules.index(name) + 1 :] if _site(other)), None)


def _fits(rules: Sequence[str], name: str, position: str) -> bool:
    if name not in rules:
        return False
    at = rules.index(name)
    word, _blank, other = position.partition(" ")
    if word in ("before", "after"):
        return (at < rules.index(other)) == (word == "before")
    beyond: List[str] = list(rules[:at] if word == "top" else rules[at + 1 :])
    return not any(_site(one) for one in beyond)


def _target(rules: Sequence[str], position: str) -> Optional[str]:
    word, _blank, other = position.partition(" ")
    if word == "before":
        return other
    if word == "after":
        return _next(rules, other)
    return next((one for one in rules if _site(one)), None) if word == "top" else None


def split_place(key: str) -> Optional[str]:
    """The key of the rule whose place an object is; None for another object."""
    return key[len(ORDER) :] if key.startswith(ORDER) else None


def plain_objects(objects: Mapping[str, str]) -> Dict[str, str]:
    return {key: text for key, text in objects.items() if split_place(key) is None}
