# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where our rules stand among those of the site. Pure.

A place is told by the next rule of the site below it, so that it can be compared, shown and written back. Rules of this
collection count for none of the site's.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own

ORDER = "place of "  # begins the key of an object that is a rule's place
END = "the end"
Rules = Callable[[str], Sequence[str]]  # the rules of a kind, in their order
_POSITION = re.compile(r"(before|after) (.*\S)|top|bottom")


def positions(options: Mapping[str, Any]) -> Dict[str, str]:
    """What the option ``position`` says, by its own words for the kinds of rules."""
    return {option: text for option, text in (options["position"] or {}).items() if text}


def require_positions(options: Mapping[str, Any]) -> None:
    for option, text in positions(options).items():
        if not isinstance(text, str) or not _POSITION.fullmatch(text):
            raise AllowlistError(
                f"position.{option}: expected 'before RULE', 'after RULE', 'top' or 'bottom', got {shown(text)}"
            )


def wrong_positions(
    options: Mapping[str, Any], kinds: Mapping[str, str], rules_of: Rules, prefix: str, keys: Iterable[str]
) -> List[str]:
    """What is wrong with ``position`` for the rules of these keys. *kinds*: those of rules, by the option's words."""
    errors, given, keys = [], positions(options), list(keys)
    for option, kind in kinds.items():
        rules = rules_of(kind)
        new = [name for name in _names(kind, keys) if name not in rules]
        if option not in given:
            words = "'before RULE', 'after RULE', 'top' or 'bottom'"
            errors += [f"position.{option}: needed, since {kind} {new[0]} is new: {words}"] if new else []
            continue
        named = missing(rules, given[option])
        if named:
            ours = ", which is of this list itself; name one of the site's" if is_own(named, prefix) else ""
            errors.append(f"position.{option}: there is no {kind} {named!r}{ours}")
    return errors


def all_wanted(
    options: Mapping[str, Any], kinds: Mapping[str, str], rules_of: Rules, keys: Iterable[str]
) -> Dict[str, str]:
    """The places of the rules of these keys: where ``position`` says nothing, those that they have."""
    found: Dict[str, str] = {}
    given, keys = positions(options), list(keys)
    for option, kind in kinds.items():
        rules, own = rules_of(kind), _names(kind, keys)
        found.update(wanted(kind, rules, own, given[option]) if option in given else places(kind, rules, own))
    return found


def _names(kind: str, keys: Iterable[str]) -> List[str]:
    return [key[len(kind) + 1 :] for key in keys if key.startswith(f"{kind} ")]


def places(kind: str, rules: Sequence[str], own: Iterable[str]) -> Dict[str, str]:
    """The place of each of our rules, as objects."""
    return {f"{ORDER}{kind} {name}": _text(_next(rules, name)) for name in own if name in rules}


def wanted(kind: str, rules: Sequence[str], own: Iterable[str], position: str) -> Dict[str, str]:
    """The places they shall have: a rule that stands where it may is left there."""
    found = {}
    for name in own:
        before = _next(rules, name) if _fits(rules, name, position) else _target(rules, position)
        found[f"{ORDER}{kind} {name}"] = _text(before)
    return found


def restored(kind: str, rules: Sequence[str], name: str, place: str) -> str:
    """The place of a snapshot: kept where the rule still stands above what it stood above."""
    before = before_of(place)
    if name in rules and (before is None or before not in rules or rules.index(name) < rules.index(before)):
        return _text(_next(rules, name))
    if before is not None and before not in rules:
        raise AllowlistError(
            f"snapshot: {kind} {name} stood before {before!r}, which is there no more; say where it belongs with "
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
