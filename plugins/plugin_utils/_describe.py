# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be known of a group before one chooses it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, merge
from ansible_collections.egress.allowlist.plugins.plugin_utils import _groups
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, Group
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._witnesses import without_known_name

FORMS = ("names", "wildcards", "tenant", "networks")


def describe(catalogs: Sequence[Catalog], asked: Sequence[str]) -> list[dict[str, Any]]:
    """The groups asked for, or all, as plain data."""
    _groups.check_known(asked, catalogs)
    groups = _groups.by_id(catalogs)
    risks = RiskTable(catalogs)
    unknown = frozenset(without_known_name(catalogs))
    return [_described(groups[id_], catalogs, risks, unknown) for id_ in (dict.fromkeys(asked) or groups)]


def _described(
    same: Sequence[Group], catalogs: Sequence[Catalog], table: RiskTable, unknown: frozenset[str]
) -> dict[str, Any]:
    first = same[0]
    entries = merge(entry for group in same for entry in group.fixed)
    forms = Counter(map(_form, entries))
    forms["tenant"] = len({item["value"] for group in same for item in group.items if TENANT in item["value"]})
    risks = _risks(entries, table)
    return {
        "id": first.id,
        "title": first.title,
        "why": next((group.why for group in same if group.why), None),
        "catalogs": [group.catalog for group in same],
        "tables": sorted({table for group in same for table in group.tables}),
        "required": any(group.required for group in same),
        "critical": any(group.critical for group in same),
        "enumerated": any(group.enumerated for group in same),
        "count": forms.total(),
        "counts": {form: forms[form] for form in FORMS},
        "part_of": first.part_of,
        "successor": next((list(group.successor[1]) for group in same if group.successor), []),
        "not_provable": sorted({entry.value for entry in entries} & unknown),
        "links": [dict(link) for group in same for link in group.links],
        "risks": risks,
        "corrections": _corrections(first.id, catalogs),
    }


def _form(entry: Entry) -> str:
    if entry.type == "network":
        return "networks"
    return "names" if entry.pattern.is_literal else "wildcards"


def _risks(entries: Sequence[Entry], table: RiskTable) -> list[dict[str, Any]]:
    """The facts, each with the names that it is about; a risk that stands at a name itself has no more to say."""
    by_fact: dict[tuple[str, str | None], dict[str, Any]] = {}
    for entry in entries:
        fact = table.of(entry.pattern) if entry.type == "host" and entry.risk is None else None
        risk, why = (fact.risk, fact.why) if fact else (entry.risk, None)
        if risk is None:
            continue
        known = {
            "risk": risk,
            "names": [],
            "why": why,
            "date": fact.date if fact else None,
            "source": dict(fact.source) if fact and fact.source else None,
            "instead": list(fact.instead) if fact else [],
        }
        by_fact.setdefault((risk, why), known)["names"].append(entry.value + (entry.path or ""))
    return [by_fact[key] for key in sorted(by_fact, key=lambda key: (key[0], key[1] or ""))]


def _corrections(group: str, catalogs: Sequence[Catalog]) -> list[dict[str, Any]]:
    return [
        {
            "text": list(correction.text),
            "used": correction.used,
            "doubtful": correction.doubtful,
            "what": correction.what,
            "certainty": correction.certainty,
            "evidence": correction.evidence,
            "source": dict(correction.source) if correction.source else None,
        }
        for catalog in catalogs
        for correction in catalog.corrections
        if correction.group == group
    ]
