# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Catalogs: the facts of which product asks for which names, each catalog read and checked once per process."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse as parse_pattern
from ansible_collections.egress.allowlist.plugins.plugin_utils import _catalog_checks, _yaml
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import CATALOG, TENANT
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import near
from ansible_collections.egress.allowlist.plugins.plugin_utils._witnesses import Witnesses

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "catalogs")
DEFAULT = ("mmd",)
WEB_SERVICE = "microsoft_365"
_LONGEST_PATH = 1000


@dataclass(frozen=True)
class Group:
    """One product of a catalog; *items* are the fields of its entries, `<tenant>` not yet replaced.

    *part_of*: the group that has all its items too; it counts only where it is named. *successor*: the catalog and the
    groups that name today what this one named once.
    """

    id: str
    catalog: str
    title: str
    why: str | None
    tables: tuple[int, ...]
    required: bool
    critical: bool
    enumerated: bool
    links: tuple[Mapping[str, str], ...]
    items: tuple[Mapping[str, Any], ...]
    part_of: str | None = None
    successor: tuple[str, tuple[str, ...]] | None = None

    @cached_property
    def needs_tenant(self) -> bool:
        return any(TENANT in item["value"] for item in self.items)

    @cached_property
    def fixed(self) -> tuple[Entry, ...]:
        """The entries that are the same for every tenant."""
        return tuple(self._entries(item for item in self.items if TENANT not in item["value"]))

    def entries(self, tenant: str | None) -> list[Entry]:
        """All entries; without a tenant those that need none."""
        if tenant is None:
            return list(self.fixed)
        own = (item for item in self.items if TENANT in item["value"])
        return [*self.fixed, *self._entries({**item, "value": item["value"].replace(TENANT, tenant)} for item in own)]

    def _entries(self, items: Iterable[Mapping[str, Any]]) -> list[Entry]:
        defaults = {"required": self.required, "critical": self.critical, "sources": [self.catalog]}
        return [read_item({**defaults, **item, "groups": [self.id]}, self.id) for item in items]


@dataclass(frozen=True)
class Risk:
    """A fact about the names that *pattern* covers."""

    pattern: Pattern
    risk: str
    required: bool
    why: str
    source: Mapping[str, str] | None
    date: str | None
    instead: tuple[str, ...]
    catalog: str = ""


@dataclass(frozen=True)
class Correction:
    """A name that differs from the document's text; *doubtful* is the document's own reading, if it is a name."""

    group: str
    text: tuple[str, ...]
    used: str
    doubtful: str | None
    what: str
    certainty: str
    evidence: str
    source: Mapping[str, str] | None


@dataclass(frozen=True)
class Catalog:
    """What one file, or the web service, says. *first_seen*: since which version an entry is in it, where known."""

    id: str
    title: str
    file: str
    groups: Mapping[str, Group]
    risks: tuple[Risk, ...]
    witnesses: Mapping[Pattern, tuple[str, ...]]
    corrections: tuple[Correction, ...]
    version: str | None = None
    instance: str | None = None
    first_seen: Mapping[tuple[str, str], str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    # Read once per process and never changed, so identity is the right equality for what is cached beside it.
    __hash__ = object.__hash__


def names() -> list[str]:
    """The catalogs that come with the collection as files."""
    return sorted(file[: -len(".yml")] for file in os.listdir(FOLDER) if file.endswith(".yml"))


def load(catalog: str) -> Catalog:
    """The catalog of that name, or in that file."""
    require_path(catalog)
    file = _file(catalog)
    try:
        status = os.stat(file)
    except OSError as error:
        raise AllowlistError(f"catalog {file}: cannot be read: {error.strerror}") from None
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):  # a pipe would be waited for
        raise AllowlistError(f"catalog {file}: cannot be read: it is no file")
    return _load(os.path.realpath(file), status.st_mtime_ns, status.st_size)


def require_path(catalog: str) -> None:
    """Refuse what can be no path before anything looks for it, or shows it."""
    if not catalog.isprintable() or len(catalog) > _LONGEST_PATH:
        raise AllowlistError(f"catalog: expected the name of a catalog or the path of a file, got {shown(catalog)}")


def load_all(catalogs: Sequence[str], web_service: Callable[[], Catalog] | None = None) -> tuple[Catalog, ...]:
    """Several catalogs, each once, in the order given; *web_service* gives the one that is no file."""
    if not catalogs:
        raise AllowlistError(f"expected at least one catalog, such as {DEFAULT[0]}")
    loaded = [
        web_service() if catalog == WEB_SERVICE and web_service is not None else load(catalog) for catalog in catalogs
    ]
    return tuple(dict.fromkeys(loaded))


def witnesses_for(patterns: Iterable[str], catalogs: Sequence[str] = DEFAULT) -> dict[str, list[str]]:
    """For each pattern the known names under it, best first; a name that is none of the pattern's is never given.

    First come the catalogs' own names, then those written down as witnesses, those for that very pattern before others,
    and last the names that are known to be retired.
    """
    known = Witnesses(load_all(catalogs))
    return {pattern: known.under(parse_pattern(pattern)) for pattern in patterns}


def _file(catalog: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9_]*", catalog) is None:
        return os.path.expanduser(catalog)
    if catalog not in names():
        known = sorted([*names(), WEB_SERVICE])
        raise AllowlistError(
            f'there is no catalog "{catalog}"{near(catalog, known)}; the collection has {", ".join(known)}, '
            f"and the file of a catalog of your own is given with its path, such as ./{catalog}.yml"
        )
    return os.path.join(FOLDER, f"{catalog}.yml")


@lru_cache(maxsize=32)
def _load(file: str, _changed: int, _size: int) -> Catalog:
    text = _yaml.read(file)
    data = _yaml.parse(file, text)
    problems = list(CATALOG.problems(data, ()))
    # What the fields say together is only looked at when each of them is right by itself.
    if not problems and isinstance(data, dict):
        problems = list(_catalog_checks.problems(data))
        if not problems:
            return _build(file, data)
    raise _yaml.refuse(file, text, problems)


def _build(file: str, data: Mapping[str, Any]) -> Catalog:
    about = data.get("catalog", {})
    stem = re.sub(r"[^a-z0-9_]", "_", os.path.splitext(os.path.basename(file))[0].lower())
    id_ = about.get("id", stem)
    return Catalog(
        id=id_,
        title=about.get("title", id_),
        file=file,
        groups={group: _group(group, id_, fields) for group, fields in data["groups"].items()},
        risks=tuple(_risks(data, id_)),
        witnesses={
            parse_pattern(wildcard): tuple(name for known in by_source.values() for name in known)
            for wildcard, by_source in data.get("witnesses", {}).items()
        },
        corrections=tuple(_corrections(data)),
        version=about.get("version"),
    )


def _group(id_: str, catalog: str, fields: Mapping[str, Any]) -> Group:
    successor = fields.get("successor")
    items = tuple({"value": item} if isinstance(item, str) else item for item in fields.get("names", ()))
    return Group(
        id=id_,
        catalog=catalog,
        title=fields.get("title", id_),
        why=fields.get("why"),
        tables=tuple(fields.get("tables", ())),
        required=fields.get("required", True),
        critical=fields.get("critical", False),
        enumerated=fields.get("enumerated", True),
        links=tuple(fields.get("links", ())),
        items=items,
        successor=(successor["catalog"], tuple(successor["groups"])) if successor else None,
    )


def _risks(data: Mapping[str, Any], catalog: str) -> Iterator[Risk]:
    sources = data.get("sources", {})
    for record in data.get("risks", ()):
        for name in record["names"]:
            yield Risk(
                pattern=parse_pattern(name),
                risk=record["risk"],
                required=record.get("required", True),
                why=record["why"],
                source=sources.get(record.get("source")),
                date=record.get("date"),
                instead=tuple(record.get("instead", ())),
                catalog=catalog,
            )


def _corrections(data: Mapping[str, Any]) -> Iterator[Correction]:
    sources = data.get("sources", {})
    for record in data.get("corrections", ()):
        for change in record["changes"]:
            yield Correction(
                group=change["group"],
                text=tuple(change["text"]),
                used=change["used"],
                doubtful=change.get("doubtful"),
                what=record["what"],
                certainty=record["certainty"],
                evidence=record["evidence"],
                source=sources.get(record.get("source")),
            )
