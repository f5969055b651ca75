# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an entry in an appliance's own dialect, and whether that is acceptable. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

# What may be gained: nothing; the bare parent of `*.x`; anything.
WIDEN = ("none", "apex", "any")
# The least that has to be accepted for each kind of gain. `address` is what every rule about addresses gains for a
# name (its neighbours at the same address): whoever lets names be held by address accepts it, unless nothing may be
# gained.
_ACCEPTED_WITH = {"none": "none", "apex": "apex", "address": "apex", "any": "any"}
# What may be lost: nothing; all but the names that are known to lie under a pattern; anything.
NARROW = ("none", "known", "any")


@dataclass(frozen=True)
class Verdict:
    """One entry that an appliance does not hold exactly as asked.

    ``gained`` and ``lost`` are words for people; ``gains`` and ``loses`` say of which kind they are.
    ``loses="foreign"`` is traffic that never passes such an appliance (UDP or mail on a web proxy): it is
    reported and never an error, since no setting of the appliance could carry it.
    """

    entry: str
    intents: Tuple[str, ...]
    gained: str = ""
    gains: str = "none"  # none | apex | address | any
    lost: str = ""
    loses: str = "none"  # none | known | any | foreign
    written: Tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        if not self.written:
            return "impossible"
        if self.gains != "none" and self.loses == "none":
            return "broader"
        return "narrower" if self.loses != "none" else "exact"

    def as_dict(self) -> Dict[str, Any]:
        return {
            "entry": self.entry,
            "intents": list(self.intents),
            "verdict": self.verdict,
            "gained": self.gained,
            "lost": self.lost,
            "written": list(self.written),
        }


def objection(verdict: Verdict, widen: str, narrow: str) -> str:
    """Why a verdict is not acceptable, with the way out; "" if it is."""
    needed = _ACCEPTED_WITH[verdict.gains]
    if WIDEN.index(needed) > WIDEN.index(widen):
        return (
            f"{verdict.entry}: would also allow {verdict.gained}; "
            f"accept that with widen: {needed}, or leave the entry out"
        )
    if verdict.loses in NARROW[1:] and NARROW.index(verdict.loses) > NARROW.index(narrow):
        return (
            f"{verdict.entry}: would lose {verdict.lost}; "
            f"accept that with narrow: {verdict.loses}, or leave the entry out"
        )
    return ""


def require_acceptable(verdicts: Iterable[Verdict], widen: str, narrow: str) -> None:
    """Raise AllowlistError naming every entry that gains or loses more than the options accept."""
    objections: List[str] = [text for text in (objection(v, widen, narrow) for v in verdicts) if text]
    if objections:
        raise AllowlistError(
            "This appliance cannot express {} of the entries as asked, nothing was written:\n  - {}".format(
                len(objections), "\n  - ".join(objections)
            )
        )
