# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups of several catalogs as one list: a group that two catalogs name is one group with the names of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, Group
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
