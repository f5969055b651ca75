# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drivers of all appliances behind an API do alike."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Desired, Driver, Present, RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._objects import key_parts
from ansible_collections.egress.allowlist.plugins.module_utils._order import restored, split_place


class ApiDriver(Driver):
    """*product*: for error texts. *lists*: how the keys of objects begin that entries are in. *kinds*: of objects."""

    product: ClassVar[str]
    lists: ClassVar[Tuple[str, ...]]
    kinds: ClassVar[Tuple[str, ...]]

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        super().__init__(options, run_command)
        self.prefix = f"egress_{options['name']}"
        self._warnings: List[str] = []
        self._foreign: Tuple[str, ...] = ()

    def gathered_facts(self, present: Present) -> Dict[str, Any]:  # noqa: ARG002  # they are of the way to it
        return {"warnings": list(self._warnings)}

    def explained(self, objects: Mapping[str, str]) -> FrozenSet[str]:
        return frozenset(key for key in objects if key.startswith(self.lists) and key not in self._foreign)

    def from_snapshot(self, snapshot: Mapping[str, Any]) -> Desired:
        objects = dict(snapshot["objects"])
        for key, text in objects.items():
            if not isinstance(text, str) or not self._may_write(key, text, objects):
                raise AllowlistError(
                    f"snapshot: {key!r} is no object of name {self.options['name']} on {self.product}, or not in a "
                    "form that this version writes; it was taken elsewhere"
                )
        return Desired(objects=self._with_places(objects), warnings=tuple(self._warnings))

    def _with_places(self, objects: Mapping[str, str]) -> Dict[str, str]:
        """The places of rules as they are possible now."""
        found = dict(objects)
        for key, place in objects.items():
            rule = split_place(key)
            if rule is not None:
                kind, name = key_parts(rule, self.kinds)
                rules = self._rules(kind)
                found[key] = place if rules is None else restored(kind, rules, name, place)
        return found

    @abstractmethod
    def _may_write(self, key: str, text: str, objects: Mapping[str, Any]) -> bool:
        """Whether this is an object of ours, in a form that we write; *objects*: all of its snapshot."""

    @abstractmethod
    def _rules(self, kind: str) -> Optional[Sequence[str]]:
        """The site's rules of a kind and ours, in their order; None where nothing was read."""
