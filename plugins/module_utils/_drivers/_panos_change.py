# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a PAN-OS appliance holds to what it shall hold: the actions of one multi-config request. Pure.

The strict transaction begins by undoing what this administrator has not committed, so nobody can tell beforehand
whether an object that only the candidate has will still be there. Each action works in both cases: an object that goes
is set before it is deleted (deleting nothing fails everything), and a rule that moves is made anew at the end first
(moving it to where it is fails everything as well).
"""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Set

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_scene import TABLES, Place, split_key
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_xml import element, from_canonical, plain
from ansible_collections.egress.allowlist.plugins.module_utils._order import (
    ORDER,
    before_of,
    plain_objects,
)

_KINDS = list(TABLES)


class Change:
    """``actions`` is the inside of a multi-config element, "" for no change."""

    def __init__(
        self, place: Place, candidate: Mapping[str, str], running: Mapping[str, str], wanted: Mapping[str, str]
    ) -> None:
        self._place = place
        self._had = (plain_objects(candidate), plain_objects(running))
        self._places = (candidate, running)
        self._wanted = wanted
        self._count = 0
        moved = {key for key in plain_objects(wanted) if self._is_misplaced(key)}
        changed = {key for key, text in plain_objects(wanted).items() if any(h.get(key) != text for h in self._had)}
        gone = {key for had in self._had for key in had if key not in wanted}
        self.actions = "".join(self._actions(changed | moved, moved, gone))

    def _is_misplaced(self, key: str) -> bool:
        """Whether a rule has to get its place: one that is new, or stands elsewhere in one of both configurations."""
        place = self._wanted.get(ORDER + key)
        return place is not None and any(objects.get(ORDER + key) != place for objects in self._places)

    def _actions(self, written: Set[str], moved: Set[str], gone: Set[str]) -> List[str]:
        actions: List[str] = []
        for key in _ordered(written):
            if key in moved:
                actions += self._removed(key)
            actions.append(self._edited(key))
            before = before_of(self._wanted[ORDER + key]) if key in moved else None
            if before is not None:
                actions.append(self._moved(key, before))
        # What is used comes back before what uses it, and goes after it.
        for key in _ordered(gone):
            actions += self._made_sure(key)
        return actions + [self._action("delete", key, "") for key in reversed(_ordered(gone))]

    def _edited(self, key: str) -> str:
        return self._action("edit", key, plain(from_canonical(self._wanted[key])))

    def _moved(self, key: str, before: str) -> str:
        return self._action("move", key, "", {"where": "before", "dst": before})

    def _removed(self, key: str) -> List[str]:
        if not any(key in had for had in self._had):
            return []
        return [*self._made_sure(key), self._action("delete", key, "")]

    def _made_sure(self, key: str) -> List[str]:
        """What can be deleted, whether or not the candidate will have it: both configurations have it, or it is set."""
        if all(key in had for had in self._had):
            return []
        found = next(had[key] for had in self._had if key in had)
        return [self._action("set", key, plain(from_canonical(found)), container=True)]

    def _action(
        self, word: str, key: str, inner: str, more: Optional[Dict[str, str]] = None, container: bool = False
    ) -> str:
        kind, name = split_key(key)
        self._count += 1
        xpath = self._place.container(kind) if container else self._place.xpath(kind, name)
        attributes = {"id": str(self._count), "xpath": xpath, **(more or {})}
        opening = element(word, "")
        opening.attrib.update(attributes)
        text = plain(opening)
        return f"{text[:-3].rstrip()}>{inner}</{word}>" if inner else text


def _ordered(keys: Set[str]) -> List[str]:
    return sorted(keys, key=lambda key: (_KINDS.index(split_key(key)[0]), key))
