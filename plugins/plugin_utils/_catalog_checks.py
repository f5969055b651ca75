# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a catalog's fields must say together: names that are names, and references to what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternError, parse
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import Path, Problem, near


def problems(data: Mapping[str, Any]) -> Iterator[Problem]:
    """The problems of a catalog whose fields are right one by one."""
    if not data["groups"]:
        yield Problem(("groups",), "a catalog needs at least one group", at_key=True)
    for group, fields in data["groups"].items():
        yield from _group(("groups", group), fields)
    for index, record in enumerate(data.get("risks", ())):
        for number, name in enumerate(record["names"]):
            yield from _parsed(name, ("risks", index, "names", number))[1]
        yield from _source(data, record, ("risks", index))
    for wildcard, by_source in data.get("witnesses", {}).items():
        yield from _witnesses(data, wildcard, by_source)
    for index, record in enumerate(data.get("corrections", ())):
        yield from _source(data, record, ("corrections", index))
        for number, change in enumerate(record["changes"]):
            yield from _change(data, change, ("corrections", index, "changes", number))


def _group(path: Path, fields: Mapping[str, Any]) -> Iterator[Problem]:
    names = fields.get("names", ())
    if fields.get("enumerated", True) and not names:
        yield Problem(path, "has no names; if it only has links, write enumerated: false", at_key=True)
    if not fields.get("enumerated", True) and names:
        yield Problem((*path, "enumerated"), "is false, but the group has names")
    for index, item in enumerate(names):
        yield from _item(item, (*path, "names", index))


def _item(item: str | Mapping[str, Any], path: Path) -> Iterator[Problem]:
    fields = {"value": item} if isinstance(item, str) else item
    try:
        # Whatever the tenant is called, the name stays a name: the longest one that a tenant can have.
        read_item({**fields, "value": fields["value"].replace(TENANT, "x" * 27)}, "")
    except AllowlistError as error:
        yield Problem(path, str(error).lstrip(" :"))


def _witnesses(data: Mapping[str, Any], wildcard: str, by_source: Mapping[str, list[str]]) -> Iterator[Problem]:
    path: Path = ("witnesses", wildcard)
    pattern, wrong = _parsed(wildcard, path, at_key=True)
    yield from wrong
    for source, names in by_source.items():
        if source not in data.get("sources", {}):
            yield Problem((*path, source), _unknown("source", source, data.get("sources", {})), at_key=True)
        for index, name in enumerate(names):
            here = (*path, source, index)
            known, wrong = _parsed(name, here)
            yield from wrong
            if known is not None and not known.is_literal:
                yield Problem(here, f'"{name}" is a wildcard; a witness is a name that exists')
            elif known is not None and pattern is not None and not pattern.matches(name):
                yield Problem(here, f'"{name}" is not under {wildcard}')


def _change(data: Mapping[str, Any], change: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    group = change["group"]
    if group not in data["groups"]:
        yield Problem((*path, "group"), _unknown("group", group, data["groups"]))
        return
    items = data["groups"][group].get("names", ())
    if change["used"] not in [item if isinstance(item, str) else item["value"] for item in items]:
        yield Problem((*path, "used"), f'"{change["used"]}" is not among the names of the group {group}')
    if "doubtful" in change:
        yield from _parsed(change["doubtful"], (*path, "doubtful"))[1]


def _source(data: Mapping[str, Any], record: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    source = record.get("source")
    if source is not None and source not in data.get("sources", {}):
        yield Problem((*path, "source"), _unknown("source", source, data.get("sources", {})))


def _unknown(what: str, id_: str, known: Mapping[str, Any]) -> str:
    return f"there is no {what} {id_}{near(id_, known)}"


def _parsed(text: str, path: Path, at_key: bool = False) -> tuple[Pattern | None, list[Problem]]:
    try:
        return parse(text), []
    except PatternError as error:
        return None, [Problem(path, str(error), at_key)]
