# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the catalogs' risks a name carries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ansible_collections.egress.allowlist.plugins.module_utils._entry import RISKS
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern
    from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, Risk


class RiskTable:
    """The risks of some catalogs, the gravest first where several apply."""

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        facts = [risk for catalog in catalogs for risk in catalog.risks]
        self._kinds = [_Kind(kind, [fact for fact in facts if fact.risk == kind]) for kind in RISKS]

    def of(self, pattern: Pattern) -> Risk | None:
        """The gravest fact about the names of *pattern*."""
        return next((fact for kind in self._kinds if (fact := kind.about(pattern)) is not None), None)


class _Kind:
    def __init__(self, kind: str, facts: Iterable[Risk]) -> None:
        self._shared = kind == "shared_hosting"
        self._facts = {fact.pattern: fact for fact in facts}
        self._patterns = PatternSet(self._facts)

    def about(self, pattern: Pattern) -> Risk | None:
        if self._shared:
            # A host of a shared service is one customer's; a wildcard that reaches into it lets everybody's through.
            if pattern.is_literal:
                return None
            return next((fact for shared, fact in self._facts.items() if shared.overlaps(pattern)), None)
        if pattern in self._facts:
            return self._facts[pattern]
        covering = self._patterns.covering(pattern)
        return None if covering is None else self._facts[covering]
