# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that are known to exist under a wildcard: what a probe can ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern
    from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog


class Witnesses:
    """The known names of some catalogs, each once, the best first."""

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        risks = RiskTable(catalogs)
        own = [
            (entry.value, risks.of(entry.pattern))
            for catalog in catalogs
            for group in catalog.groups.values()
            for entry in group.fixed
            if entry.type == "host" and entry.pattern.is_literal
        ]
        self._living = [name for name, risk in own if risk is None or risk.risk != "retired"]
        self._retired = [name for name, risk in own if risk is not None and risk.risk == "retired"]
        self._written: dict[Pattern, list[str]] = {}
        for catalog in catalogs:
            for wildcard, names in catalog.witnesses.items():
                self._written.setdefault(wildcard, []).extend(names)

    def under(self, pattern: Pattern) -> list[str]:
        """The known names that *pattern* matches; of a pattern that is a name, that name."""
        if pattern.is_literal:
            return [pattern.text]
        others = [name for names in self._written.values() for name in names]
        ranked = [*self._living, *self._written.get(pattern, ()), *others, *self._retired]
        return list(dict.fromkeys(name for name in ranked if pattern.matches(name)))


def without_known_name(catalogs: Sequence[Catalog]) -> list[str]:
    """The wildcards of the catalogs under which no name is known, in order."""
    known = Witnesses(catalogs)
    return sorted(pattern.text for pattern in _wildcards(catalogs) if not known.under(pattern))


def provable(catalogs: Sequence[Catalog]) -> tuple[int, int]:
    """How many wildcards of the catalogs have a known name under them, and how many there are."""
    total = len(_wildcards(catalogs))
    return total - len(without_known_name(catalogs)), total


def _wildcards(catalogs: Sequence[Catalog]) -> set[Pattern]:
    """The wildcards of all groups, each once, as they are for every tenant."""
    return {
        entry.pattern
        for catalog in catalogs
        for group in catalog.groups.values()
        for entry in group.fixed
        if entry.type == "host" and not entry.pattern.is_literal
    }
