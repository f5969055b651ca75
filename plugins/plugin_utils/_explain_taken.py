# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which option took a name away that the catalogs have. Each option is tried alone, so nothing is decided twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_ask import Question
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_near import lets_through
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select

_TENANT_NAME = "([a-z0-9-]{1,27})"
_FLAGS = (
    ("required_only", True, "required_only leaves out what is optional", "egress_required_only: false"),
    ("retired", "exclude", "retired leaves out what later official lists no longer ask for", "egress_retired: include"),
    ("uncertain", "exclude", "it is very probably a slip of the document", "egress_uncertain: include"),
    ("ipv6", False, "ipv6 leaves out IPv6 networks", "egress_ipv6: true"),
    ("successors", True, "successors takes today's names of the product in place of it", "egress_successors: false"),
)


@dataclass(frozen=True)
class Taken:
    """*by* is an option, *item* what stands there; *why* and *undo* are for people."""

    by: str
    item: Any
    value: str
    why: str
    undo: str

    def as_dict(self) -> dict[str, Any]:
        return {"by": self.by, "item": self.item, "value": self.value, "why": self.why, "undo": self.undo}


def unfiltered(request: Request) -> Request:
    """The same question to the same catalogs, with nothing left out."""
    return Request(
        tenant=request.tenant,
        tenant_missing="skip",
        include=[item for item in request.include if not _is_group(item)],
        uncertain="include",
    )


def taken(
    catalogs: Sequence[Catalog],
    request: Request,
    kept: Iterable[Entry],
    asked: Question,
    others: Sequence[Catalog] = (),
) -> list[Taken]:
    """The reasons why what is asked for is missing, though the catalogs have it; each option once."""
    present = {entry.key for entry in kept}
    gone = [
        entry
        for entry in select(catalogs, unfiltered(request)).entries
        if entry.key not in present and lets_through(entry, asked)
    ]
    found = list(_by_options(catalogs, request, gone, others)) if gone else []
    return found or list(_by_tenant(catalogs, request, asked))


def _by_options(
    catalogs: Sequence[Catalog], request: Request, gone: Sequence[Entry], others: Sequence[Catalog]
) -> Iterator[Taken]:
    free = unfiltered(request)
    by_item = [(item, replace(free, exclude=[item])) for item in request.exclude]
    excluding = [one for item, alone in by_item for one in _excluded(catalogs, gone, item, alone)]
    if not excluding and request.exclude:
        excluding = list(_excluded(catalogs, gone, list(request.exclude), replace(free, exclude=request.exclude)))
    yield from excluding
    if request.groups:
        # Groups that are included count as chosen too.
        chosen = [*request.groups, *(str(item) for item in request.include if _is_group(item))]
        for entry in _missing(catalogs, gone, replace(free, groups=chosen)):
            yield Taken(
                "groups", list(entry.groups), entry.value,
                f"{entry.value} belongs to {_and(entry.groups)}, and only {_and(chosen)} are chosen",
                f"add {_or(entry.groups)} to egress_groups",
            )  # fmt: skip
    for name, value, why, undo in _FLAGS:
        if getattr(request, name) == value:
            changed: dict[str, Any] = {name: value}
            for entry in _missing(catalogs, gone, replace(free, **changed), others):
                yield Taken(name, value, entry.value, why, undo)


def _excluded(catalogs: Sequence[Catalog], gone: Sequence[Entry], item: Any, alone: Request) -> Iterator[Taken]:
    for entry in _missing(catalogs, gone, alone):
        name = item["value"] if isinstance(item, dict) and "value" in item else item
        named = ", ".join(map(str, name)) if isinstance(name, list) else name
        why = f"exclude: {named} takes {entry.value} away"
        yield Taken("exclude", item, entry.value, why, f"take {named} out of egress_exclude")


def _missing(
    catalogs: Sequence[Catalog], gone: Sequence[Entry], request: Request, others: Sequence[Catalog] = ()
) -> list[Entry]:
    """The first of those that are gone with that request; one is enough to tell."""
    present = {entry.key for entry in select(catalogs, request, others).entries}
    return [entry for entry in gone if entry.key not in present][:1]


def _by_tenant(catalogs: Sequence[Catalog], request: Request, asked: Question) -> Iterator[Taken]:
    """Names of a tenant that is not given, or of another one than is given."""
    if asked.thing.type != "host":
        return
    values = {item["value"] for catalog in catalogs for group in catalog.groups.values() for item in group.items}
    for value in sorted(value for value in values if TENANT in value):
        match = re.fullmatch(re.escape(value).replace(re.escape(TENANT), _TENANT_NAME), asked.thing.value)
        if match is None or match[1] == (request.tenant or "").lower():
            continue
        if request.tenant:
            why = f"{value} is asked for, and the tenant is {request.tenant}, not {match[1]}"
        else:
            why = f"{value} is asked for, and no tenant is given"
        yield Taken("tenant", request.tenant, value, why, f"egress_tenant: {match[1]}")
        return


def _is_group(item: object) -> bool:
    return isinstance(item, str) and "." not in item and ":" not in item


def _and(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _or(names: Sequence[str]) -> str:
    return " or ".join(names) or "its group"
