# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which option took a name away that the catalogs have. Each option is tried alone, so nothing is decided twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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


class Reasons:
    """Why something of the catalogs is missing in the list; what a request has is asked once, however many names."""

    def __init__(self, catalogs: Sequence[Catalog], request: Request, kept: Iterable[Entry], others: Sequence[Catalog]):
        self._catalogs = catalogs
        self._request = request
        self._others = others
        self._present = {entry.key for entry in kept}
        self._free = unfiltered(request)
        self._keys: dict[str, set[Any]] = {}

    @cached_property
    def _gone(self) -> list[Entry]:
        everything = select(self._catalogs, self._free).entries
        return [entry for entry in everything if entry.key not in self._present]

    def of(self, asked: Question) -> list[Taken]:
        """Each option that took it away, once."""
        gone = [entry for entry in self._gone if lets_through(entry, asked)]
        found = list(self._by_options(gone)) if gone else []
        return found or list(_by_tenant(self._catalogs, self._request, asked))

    def _by_options(self, gone: Sequence[Entry]) -> Iterator[Taken]:
        request = self._request
        excluding = [one for item in request.exclude for one in self._excluded(gone, item, [item])]
        if not excluding and request.exclude:
            excluding = list(self._excluded(gone, list(request.exclude), request.exclude))
        yield from excluding
        if request.groups:
            # Groups that are included count as chosen too.
            chosen = [*request.groups, *(str(item) for item in request.include if _is_group(item))]
            for entry in self._missing(gone, groups=chosen):
                yield Taken(
                    "groups", list(entry.groups), entry.value,
                    f"{entry.value} belongs to {_and(entry.groups)}, and only {_and(chosen)} are chosen",
                    f"add {_or(entry.groups)} to egress_groups",
                )  # fmt: skip
        for name, value, why, undo in _FLAGS:
            if getattr(request, name) == value:
                for entry in self._missing(gone, **{name: value}):
                    yield Taken(name, value, entry.value, why, undo)

    def _excluded(self, gone: Sequence[Entry], item: Any, alone: Sequence[Any]) -> Iterator[Taken]:
        for entry in self._missing(gone, exclude=alone):
            named = _and([str(one["value"] if isinstance(one, dict) else one) for one in alone])
            why = f"exclude: {named} takes {entry.value} away"
            yield Taken("exclude", item, entry.value, why, f"take {named} out of egress_exclude")

    def _missing(self, gone: Sequence[Entry], **option: Any) -> list[Entry]:
        """The first of those that are gone with that option alone; one is enough to tell."""
        word = repr(option)
        if word not in self._keys:
            found = select(self._catalogs, replace(self._free, **option), self._others)
            self._keys[word] = {entry.key for entry in found.entries}
        return [entry for entry in gone if entry.key not in self._keys[word]][:1]


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
