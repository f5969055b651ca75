# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The category of a document's name that a set of the web service lets through by a wildcard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.egress.allowlist.plugins.module_utils._entry import CATEGORIES, Entry
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternSet
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import WEB_SERVICE, Catalog


class Weights:
    """The categories of the web service, where it is one of the catalogs."""

    def __init__(self, catalogs: Sequence[Catalog]) -> None:
        self._categories: dict[Pattern, str] = {}
        for catalog in catalogs:
            if catalog.id == WEB_SERVICE:
                for entry in (entry for group in catalog.groups.values() for entry in group.fixed):
                    if entry.type == "host" and entry.category:
                        known = self._categories.get(entry.pattern, entry.category)
                        self._categories[entry.pattern] = min(known, entry.category, key=CATEGORIES.index)
        self._patterns = PatternSet(self._categories)

    def on(self, entry: Entry) -> Entry:
        """The entry with the strongest category of what lets it through, where it has none of its own."""
        if entry.type != "host" or entry.category or not self._categories:
            return entry
        covering = [self._categories[pattern] for pattern in self._patterns.all_covering(entry.pattern)]
        return replace(entry, category=min(covering, key=CATEGORIES.index)) if covering else entry
