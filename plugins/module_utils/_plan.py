# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The difference between what an appliance holds and what it shall hold, as one frozen value. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, listed
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet

LONGEST_COMMAND = 64 * 1024
FEWEST_FOR_SHRINK = 5
RUNNING = "running configuration"


@dataclass(frozen=True)
class Holding:
    """One entry as an appliance holds it: what, on which ports, and for which intents."""

    entry: Entry  # its ports are stated: what `[]` means was settled when the holding was made
    intents: Tuple[str, ...]

    @property
    def key(self) -> Tuple[str, str, Optional[str]]:
        return self.entry.key

    def line(self, usual: Tuple[str, ...]) -> str:
        """Canonical line for people; the intents are named only where they are not the usual ones."""
        text = self.entry.line(())
        if self.entry.path is not None:  # a path exists in plain http alone
            usual = tuple(intent for intent in usual if intent != "bypass_tls_inspection")
        return text if self.intents == usual else "{} ({})".format(text, ", ".join(self.intents))


@dataclass(frozen=True)
class View:
    """One side of a plan."""

    lines: Tuple[str, ...]  # canonical, sorted, one for each entry
    objects: Mapping[str, str]  # raw text of each object that we own, by its name on the appliance
    shown: Mapping[str, str]  # the same for people: stable titles, so that both sides can be laid side by side


@dataclass(frozen=True)
class Plan:
    """Everything that a run reports is derived from this, so that no two answers can disagree."""

    before: View
    after: View
    live: bool  # False: what runs is not known to be what is stored
    explained: FrozenSet[str] = frozenset()  # titles whose difference the lines tell already

    @property
    def changed(self) -> bool:
        return not self.live or dict(self.before.objects) != dict(self.after.objects)

    @property
    def added(self) -> List[str]:
        return sorted(set(self.after.lines) - set(self.before.lines))

    @property
    def removed(self) -> List[str]:
        return sorted(set(self.before.lines) - set(self.after.lines))

    @property
    def commands(self) -> List[Dict[str, Any]]:
        """What is sent: the text of each object that changes, a long one as size and SHA-256; [] for no change."""
        found: List[Dict[str, Any]] = []
        for name, _unused, new in _pairs(self.before.objects, self.after.objects):
            if new is None:
                found.append({"action": "remove", "object": name})
            else:
                found.append(dict(shortened(new), action="write", object=name))
        return found + ([{"action": "activate", "object": RUNNING}] if self.changed else [])

    def diff(self) -> List[Dict[str, str]]:
        """One element per object, texts and never lists (lists break Ansible's own callback); [] for no change."""
        elements = []
        if self.before.lines != self.after.lines:
            elements.append(_element("entries", _text(self.before.lines), _text(self.after.lines)))
        explained = self.explained if elements else frozenset()
        for title, old, new in _pairs(self.before.shown, self.after.shown):
            if title not in explained:
                elements.append(_element(title, old or "", new or ""))
        if not self.live:
            elements.append(_element(RUNNING, "not known to be what is stored\n", "what is stored\n"))
        return elements


def _pairs(
    before: Mapping[str, str], after: Mapping[str, str]
) -> Iterable[Tuple[str, Optional[str], Optional[str]]]:
    for name in sorted(set(before) | set(after)):
        if before.get(name) != after.get(name):
            yield name, before.get(name), after.get(name)


def shortened(text: str) -> Dict[str, Any]:
    """A text as it is returned in ``commands``."""
    raw = text.encode("utf-8", "surrogateescape")
    if len(raw) <= LONGEST_COMMAND:
        return {"text": text}
    return {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def _text(lines: Iterable[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _element(header: str, before: str, after: str) -> Dict[str, str]:
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def _lost_hosts(before: Iterable[Holding], after: Iterable[Holding]) -> List[str]:
    kept = [h.entry.pattern for h in after if h.entry.type == "host"]
    texts, index = {p.text for p in kept}, PatternSet(kept)
    old = {h.entry.pattern for h in before if h.entry.type == "host"}
    return [p.text for p in old if p.text not in texts and index.covering(p) is None]


def _lost_networks(before: Iterable[Holding], after: Iterable[Holding]) -> List[str]:
    kept = {h.entry.network for h in after if h.entry.type == "network"}
    lengths = {(n.version, n.prefixlen) for n in kept}
    lost = []
    for old in {h.entry.network for h in before if h.entry.type == "network"} - kept:
        wider = [length for version, length in lengths if version == old.version and length <= old.prefixlen]
        if not any(old.supernet(new_prefix=length) in kept for length in wider):
            lost.append(str(old))
    return lost


def require_no_collapse(
    before: List[Holding], after: List[Holding], max_shrink: int, holder: str = "the appliance"
) -> None:
    """Raise AllowlistError when more than ``max_shrink`` percent of the present names would go.

    Names that the new list still covers do not count, and fewer than five never trip it.
    """
    count = len({(h.entry.type, h.entry.value) for h in before})
    lost = sorted(_lost_hosts(before, after) + _lost_networks(before, after))
    if len(lost) < FEWEST_FOR_SHRINK or len(lost) * 100 <= max_shrink * count:
        return
    percent = -(-len(lost) * 100 // count)
    raise AllowlistError(
        f"this run would take away {len(lost)} of the {count} names that {holder} holds ({percent} %), and "
        f"max_shrink accepts {max_shrink} %. Nothing was written. If the new list is right, run once with "
        f"max_shrink: {percent}. The names: {listed(lost, ', ')}"
    )
