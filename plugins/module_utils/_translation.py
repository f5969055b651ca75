# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of an entry in an appliance's own dialect, and whether that is acceptable. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry_type import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, listed, shown
from ansible_collections.egress.allowlist.plugins.module_utils._labels import name_labels

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


def without_udp(entry: Entry) -> Tuple[Optional[Entry], Optional[Verdict]]:
    """What is left of an entry where only URLs are asked for, None for nothing, and a verdict for what is not."""
    ports = effective_ports(entry)
    foreign = [port for port in ports if port.startswith("udp/")]
    if not foreign:
        return entry, None
    # No ports at all would stand for those of the web.
    rest = replace(entry, ports=tuple(port for port in ports if port not in foreign))
    kept = rest if rest.ports else None
    lost = f"{', '.join(foreign)}: URLs are not asked for over UDP, so that leaves through the firewall"
    written = (kept.line(()),) if kept else ()
    return kept, Verdict(entry.line(()), ("allow",), lost=lost, loses="foreign", written=written)


def known_names(names: Sequence[str]) -> List[str]:
    """The option ``known_names``, checked: names that may stand for a pattern above them."""
    for index, name in enumerate(names):
        if not isinstance(name, str) or name_labels(name) is None:
            raise AllowlistError(f"known_names[{index}]: expected the full name of a host, got {shown(name)}")
    return [name.lower().rstrip(".") for name in names]


def require_acceptable(verdicts: Iterable[Verdict], widen: str, narrow: str) -> None:
    """Raise AllowlistError naming every entry that gains or loses more than the options accept."""
    objections: List[str] = [text for text in (objection(v, widen, narrow) for v in verdicts) if text]
    if objections:
        raise AllowlistError(
            "This appliance cannot express {} of the entries as asked, nothing was written:\n  - {}".format(
                len(objections), listed(objections, "\n  - ")
            )
        )
