# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a driver is: reading one appliance, saying what it should hold, and writing that in one transaction.

Nothing here knows an appliance, and no driver knows the engine's words, its order or check mode (``_run.py``).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Callable, ClassVar, Dict, FrozenSet, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding, Plan
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict

# AnsibleModule.run_command: (exit status, standard output, standard error) of a command.
RunCommand = Callable[[List[str]], Tuple[int, str, str]]
LONGEST_OPTION = 1000  # characters of one text; more than any secret, path or name has
# What ends a line or a text, moves a cursor, turns the direction of writing, or is half a character.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_OF_ANY_SIZE = ("entries", "snapshot")
INTENTS = ("allow", "bypass_tls_inspection", "bypass_content_inspection", "bypass_authentication")
NAME = r"[a-z][a-z0-9_]{0,15}"  # of a list; our objects are called after it


def require_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise AllowlistError(f"name: expected a letter and up to 15 of a-z, 0-9 and _, got {name!r}")
    return name


@dataclass(frozen=True)
class Present:
    """What the appliance holds of ours now.

    ``objects``: raw text by the object's own name. ``holdings``: the entries in them. ``unread``: lines in our
    objects that are no entry of ours (a hand edit), shown to people and otherwise lost. ``live``: what runs is
    known to be what is stored. ``foreign``: objects that carry our name and not our mark, as words with place.
    """

    holdings: Tuple[Holding, ...] = ()
    objects: Mapping[str, str] = field(default_factory=dict)
    unread: Tuple[str, ...] = ()
    live: bool = True
    foreign: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Desired:
    """What the appliance shall hold.

    ``verdicts``: entries that are not held exactly. ``warnings``: where the user can act. ``errors``: the site's
    own policy makes the intent void (each with file or object and what to do); they stop the run before a write.
    ``facts``: further return values. ``missing_rules``: with ``rules: reference``, what the site has yet to add.
    """

    objects: Mapping[str, str]
    verdicts: Tuple[Verdict, ...] = ()
    warnings: Tuple[str, ...] = ()
    errors: Tuple[str, ...] = ()
    missing_rules: Tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


class Driver(ABC):
    """One appliance. The constructor takes the module's options and must not touch the appliance."""

    argument_spec: ClassVar[Dict[str, Any]]
    intents: ClassVar[Tuple[str, ...]]

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        _require_plain(options)
        self.options = options
        self.run_command = run_command

    @abstractmethod
    def read(self) -> Present:
        """Read the appliance. Raises ApplianceError for an answer that is not understood: never an empty list."""

    @abstractmethod
    def holdings_of(self, objects: Mapping[str, str]) -> Sequence[Holding]:
        """The entries in objects of ours, as far as they can be read."""

    @abstractmethod
    def render(self, holdings: Sequence[Holding], present: Present) -> Desired:
        """Say what the appliance shall hold for these entries. Writes nothing."""

    @abstractmethod
    def render_offline(self, holdings: Sequence[Holding]) -> Desired:
        """As ``render``, with no appliance to look at (state ``rendered``)."""

    @abstractmethod
    def check(self, desired: Desired) -> None:
        """Let the appliance's own checker look at it, with nothing going live. Raises ApplianceError."""

    @abstractmethod
    def apply(self, present: Present, desired: Desired) -> None:
        """Write it in one transaction and make it what runs; leave the old state where that fails."""

    def show(self, objects: Mapping[str, str]) -> Dict[str, str]:
        """The objects for people: stable titles, so that before and after can be laid side by side."""
        return dict(objects)

    @abstractmethod
    def explained(self, objects: Mapping[str, str]) -> FrozenSet[str]:
        """Titles of ``show`` whose difference the canonical lines tell already."""

    def gathered_facts(self, present: Present) -> Dict[str, Any]:  # noqa: ARG002  # for drivers that have some
        """Further return values of state ``gathered``, which cost a reading of their own."""
        return {}

    def commands(self, plan: Plan) -> List[Dict[str, Any]]:
        """What was sent for this plan, or would be; of an appliance that is sent more than whole objects."""
        return plan.commands

    def snapshot(self, present: Present) -> Dict[str, Any]:
        """All that we own there, "nothing" included, JSON-safe; ``restored`` writes it back."""
        return {"objects": dict(present.objects)}

    @abstractmethod
    def from_snapshot(self, snapshot: Mapping[str, Any]) -> Desired:
        """The objects of a snapshot, each proven to be one that we may write. Raises AllowlistError."""

    def sweep(self) -> None:  # noqa: B027  # most leave nothing
        """Take away what a killed run has left beside what is in force; called by a run that changes nothing."""

    def masked(self, text: str) -> str:
        """A text for people without what an appliance may have repeated of our credentials, or made of them."""
        return text

    @abstractmethod
    def close(self) -> None:
        """Give back locks and sessions; called on every way out."""

    def supported(self, asked: Sequence[str]) -> List[str]:
        """The intents asked for that this appliance has, in the design's order."""
        return [intent for intent in INTENTS if intent in asked and intent in self.intents]


def _require_plain(options: Mapping[str, Any]) -> None:
    """Whatever quotes an option in an error may quote it whole, and whatever opens a path can."""
    for name, value in options.items():
        if name in _OF_ANY_SIZE:
            continue
        found = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else [value]
        for text in found:
            if isinstance(text, str) and len(text) > LONGEST_OPTION:
                raise AllowlistError(f"{name}: expected at most {LONGEST_OPTION} characters, got {len(text)}")
            control = _CONTROL.search(text) if isinstance(text, str) else None
            if control is not None:  # the text itself may be a secret
                code = ord(control.group())
                raise AllowlistError(f"{name}: expected plain text on one line, got the character U+{code:04X}")
