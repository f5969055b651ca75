# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups of several catalogs as one list: a group that two catalogs name is one group with the names of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, merge
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, Group
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import near

LIST_ALL = "query('egress.allowlist.endpoint_groups') | map(attribute='id')"


def by_id(catalogs: Sequence[Catalog]) -> dict[str, list[Group]]:
    """The groups of all catalogs, in their order."""
    groups: dict[str, list[Group]] = {}
    for catalog in catalogs:
        for group in catalog.groups.values():
            groups.setdefault(group.id, []).append(group)
    return groups


def check_known(asked: Iterable[str], catalogs: Sequence[Catalog], option: str = "") -> None:
    """Refuse ids that no catalog has, with the ids or titles that come nearest."""
    groups = by_id(catalogs)
    words = {id_: id_ for id_ in groups} | {g.title.lower(): id_ for id_, all_ in groups.items() for g in all_}
    for id_ in asked:
        if id_ not in groups:
            # People ask for "Microsoft Teams", and for "azure_ad".
            hint = near(words.get(id_.lower(), id_), groups) or _by_title(id_, words)
            where = " and ".join(catalog.id for catalog in catalogs)
            raise AllowlistError(f'{option}there is no group "{id_}" in {where}{hint}; all groups: {LIST_ALL}')


def _by_title(wrong: str, words: dict[str, str]) -> str:
    parts = {part for part in wrong.lower().replace("_", " ").split() if len(part) > 2}
    fitting = sorted({id_ for word, id_ in words.items() if parts & set(word.replace("_", " ").split())})
    return f" (did you mean {' or '.join(fitting[:3])}?)" if fitting else ""


def describe(catalogs: Sequence[Catalog], asked: Sequence[str]) -> list[dict[str, Any]]:
    """What is to be known of each group, as plain data."""
    check_known(asked, catalogs)
    groups = by_id(catalogs)
    risks = RiskTable(catalogs)
    return [_described(groups[id_], catalogs, risks) for id_ in (dict.fromkeys(asked) or groups)]


def _described(same: Sequence[Group], catalogs: Sequence[Catalog], risks: RiskTable) -> dict[str, Any]:
    first = same[0]
    counts = _counts(same, risks)
    return {
        "id": first.id,
        "title": first.title,
        "why": next((group.why for group in same if group.why), None),
        "catalogs": [group.catalog for group in same],
        "tables": sorted({table for group in same for table in group.tables}),
        "required": any(group.required for group in same),
        "critical": any(group.critical for group in same),
        "enumerated": any(group.enumerated for group in same),
        "count": sum(counts["forms"].values()),
        "counts": counts,
        "links": [dict(link) for group in same for link in group.links],
        "corrections": [
            {
                "text": list(correction.text),
                "used": correction.used,
                "doubtful": correction.doubtful,
                "what": correction.what,
                "certainty": correction.certainty,
                "evidence": correction.evidence,
                "source": dict(catalog.sources[correction.source]) if correction.source else None,
            }
            for catalog in catalogs
            for correction in catalog.corrections
            if correction.group == first.id
        ],
    }


def _counts(same: Sequence[Group], risks: RiskTable) -> dict[str, dict[str, int]]:
    fixed = merge(entry for group in same for entry in group.fixed)
    forms = Counter(map(_form, fixed))
    forms["tenant"] = len({item["value"] for group in same for item in group.items if TENANT in item["value"]})
    kinds = Counter(fact.risk for entry in fixed if entry.type == "host" and (fact := risks.of(entry.pattern)))
    return {
        "forms": {form: forms[form] for form in ("names", "wildcards", "tenant", "networks")},
        "risks": dict(sorted(kinds.items())),
    }


def _form(entry: Entry) -> str:
    if entry.type == "network":
        return "networks"
    return "names" if entry.pattern.is_literal else "wildcards"
