# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a new list of the web service may take the place of the one that is in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._network import Network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import Row

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable

FEW = 5
_SHOWN = 5
_LOOK = (
    "See what it would change with the playbook report_changes and accept_new=true, which changes nothing; then apply "
    "once with accept_new=true"
)


@dataclass(frozen=True)
class Limits:
    """In percent of the list in use; what is *accept_new* may grow without a person."""

    max_shrink: int = 25
    max_growth: int = 25
    accept_new: bool = False


def objection(
    old: Sequence[Row], new: Sequence[Row], limits: Limits, risks: RiskTable, kept: Sequence[Row] = ()
) -> str | None:
    """Why *new* waits for a person, in words, or None. What the other list covers is neither lost nor new.

    *kept* is what would stay with it for a while, since it is said to have been there.
    """
    before, after = _entries(old), _entries(new)
    lost, added = _beyond(before, after), _beyond(_entries([*new, *kept]), before)
    if len(lost) >= FEW and len(lost) * 100 > limits.max_shrink * len(before):
        return (
            f"it has lost {len(lost)} of {len(before)} names and networks, more than max_shrink={limits.max_shrink} "
            f"percent: {_named(lost)}. If that is right, allow it once with max_shrink={_percent(lost, before)}"
        )
    if limits.accept_new:
        return None
    if len(added) >= FEW and len(added) * 100 > limits.max_growth * len(before):
        return (
            f"it has {len(added)} new names and networks, {_percent(added, before)} percent of what is in use and more "
            f"than max_growth={limits.max_growth}: {_named(added)}. {_LOOK}"
        )
    shared = [entry for entry in added if entry.type == "host" and _is_shared(entry, risks)]
    if shared:
        return (
            f"it brings wildcards under which anyone can put content: {_named(shared)}. {_LOOK}"
        )
    return None


def _entries(rows: Iterable[Row]) -> list[Entry]:
    values = dict.fromkeys((row.type, row.value.replace(TENANT, "tenant")) for row in rows)
    return [read_item({"type": kind, "value": value}, "") for kind, value in values]


def _beyond(entries: Sequence[Entry], others: Sequence[Entry]) -> list[Entry]:
    """Those of *entries* that no one of *others* contains."""
    same = {entry.key for entry in others}
    patterns = PatternSet(entry.pattern for entry in others if entry.type == "host")
    networks = {entry.network for entry in others if entry.type == "network"}
    return [
        entry
        for entry in entries
        if entry.key not in same
        and (patterns.covering(entry.pattern) is None if entry.type == "host" else not _inside(entry, networks))
    ]


def _inside(entry: Entry, networks: set[Network]) -> bool:
    network = entry.network
    return any(network.supernet(new_prefix=length) in networks for length in range(network.prefixlen, 7, -1))


def _is_shared(entry: Entry, risks: RiskTable) -> bool:
    fact = risks.of(entry.pattern)
    return fact is not None and fact.risk == "shared_hosting"


def _percent(part: Sequence[Entry], whole: Sequence[Entry]) -> int:
    return -(-len(part) * 100 // max(len(whole), 1))


def _named(entries: Sequence[Entry]) -> str:
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(entry.value for entry in entries[:_SHOWN]) + more
