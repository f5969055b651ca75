# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From catalogs and what the user asked for to the list of entries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, merge, minimise, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _groups
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import WEB_SERVICE, Catalog, Correction, Group
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._weights import Weights

_GROUP = re.compile(r"[a-z][a-z0-9_]*")
_TENANT = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,25}[a-z0-9])?")
_SHOWN = 5
_TENANT_DOMAINS = (".onmicrosoft.com", "-my.sharepoint.com", ".sharepoint.com")


@dataclass(frozen=True)
class Request:
    """What the user asked for; the names are those of the lookup's options."""

    groups: Sequence[str] = ()
    tenant: str | None = None
    tenant_missing: str = "error"
    include: Sequence[object] = ()
    exclude: Sequence[object] = ()
    required_only: bool = False
    ipv6: bool = True
    minimize: bool = False
    retired: str = "include"
    uncertain: str = "exclude"
    successors: bool = False


@dataclass(frozen=True)
class Selection:
    """The entries, and what the user should know about them."""

    entries: list[Entry]
    warnings: list[str]


def select(catalogs: Sequence[Catalog], request: Request, others: Sequence[Catalog] = ()) -> Selection:
    """The entries that *request* asks for; *others* are catalogs that only successors are taken from."""
    added, included = _split(request.include, "include")
    removed, excluded = _split(request.exclude, "exclude")
    groups = _chosen(catalogs, request, added, removed)
    notes: list[str] = []
    if request.successors:
        groups = [living for group in groups for living in _living(group, [*catalogs, *others], notes)]
    tenant = _tenant(request, groups)
    entries = _entries(catalogs, groups, tenant, request, included)
    kept = [
        entry
        for entry in entries
        if _wanted(entry, request) and not any(_contains(pattern, entry) for pattern in excluded)
    ]
    warnings = [*notes, *_warnings(catalogs, tenant, included, excluded, kept)]
    return Selection(minimise(kept) if request.minimize else kept, warnings)


def _split(items: Iterable[object], option: str) -> tuple[list[str], list[Entry]]:
    """Ids of groups, and names and networks: a name has a dot, an id has none."""
    ids, others = [], []
    for index, item in enumerate(items):
        if isinstance(item, str) and _GROUP.fullmatch(item):
            ids.append(str(item))
        else:
            others.append((index, item))
    return ids, [entry for index, item in others for entry in _normalised(item, f"{option}[{index}]")]


def _normalised(item: object, where: str) -> list[Entry]:
    try:
        return normalise([item], where="")
    except AllowlistError as error:
        raise AllowlistError(where + str(error).removeprefix("[0]")) from None


def _chosen(catalogs: Sequence[Catalog], request: Request, added: Sequence[str], removed: Sequence[str]) -> list[Group]:
    for asked, option in ((request.groups, ""), (added, "include: "), (removed, "exclude: ")):
        _groups.check_known(asked, catalogs, option)
    known = _groups.by_id(catalogs)
    whole = [id_ for id_, same in known.items() if not all(group.part_of for group in same)]
    asked = list(dict.fromkeys([*(request.groups or whole), *added]))
    chosen = [
        rest for id_ in asked if id_ not in removed for group in known[id_] for rest in _without(group, removed, known)
    ]
    for id_ in dict.fromkeys([*request.groups, *added]):
        if id_ not in removed and not any(group.enumerated for group in known[id_]):
            pages = "\n  ".join(f"{link['title']}: {link['url']}" for group in known[id_] for link in group.links)
            raise AllowlistError(
                f"{id_}: the source document does not list the names of {known[id_][0].title}, it only links to its "
                f"pages. The names of those pages are in the catalog linked_pages: catalog=[mmd, linked_pages]. Or "
                f"leave the group out, or write its names into a catalog of your own:\n  {pages}"
            )
    return chosen


def _without(group: Group, removed: Sequence[str], known: dict[str, list[Group]]) -> list[Group]:
    """The group without those of its parts that are left out."""
    gone = [part for id_ in removed for part in known[id_] if part.part_of == group.id]
    if not gone:
        return [group]
    left = [part for same in known.values() for part in same if part.part_of == group.id and part.id not in removed]
    return [replace(part, id=group.id) for part in left]


def successors_of(catalogs: Sequence[Catalog]) -> list[str]:
    """The catalogs that have successors of groups, and are none of *catalogs*."""
    present = {catalog.id for catalog in catalogs}
    named = (group.successor for catalog in catalogs for group in catalog.groups.values() if group.successor)
    return [catalog for catalog in dict.fromkeys(catalog for catalog, _ids in named) if catalog not in present]


def _living(group: Group, catalogs: Sequence[Catalog], notes: list[str]) -> list[Group]:
    """What names today what *group* named once; the group itself where nobody does."""
    if group.successor is None:
        return [group]
    name, ids = group.successor
    found = [catalog.groups[id_] for catalog in catalogs if catalog.id == name for id_ in ids if id_ in catalog.groups]
    if not found:
        notes.append(f"successors: {name} has none of {', '.join(ids)} here, so {group.id} keeps the document's names")
        return [group]
    return [replace(one, id=group.id) for one in found]


def tenant_name(text: str | None) -> str | None:
    """The tenant's name in small letters; None for none. AllowlistError for what cannot be one."""
    if not text:
        return None
    tenant = text.lower()
    for domain in _TENANT_DOMAINS:
        if tenant.endswith(domain):
            raise AllowlistError(f'tenant: give "{tenant.removesuffix(domain)}" for "{text}"')
    if _TENANT.fullmatch(tenant) is None:
        raise AllowlistError(
            f"tenant: expected the first part of <tenant>.onmicrosoft.com, 1 to 27 letters, digits and hyphens, got "
            f'"{text[:80]}"'
        )
    return tenant


def _tenant(request: Request, groups: Sequence[Group]) -> str | None:
    tenant = tenant_name(request.tenant)
    if tenant is None:
        needing = list(dict.fromkeys(group.id for group in groups if group.needs_tenant))
        if needing and request.tenant_missing == "error":
            raise AllowlistError(
                f"the groups {', '.join(needing)} have names of your tenant, such as <tenant>.sharepoint.com: give it "
                "with the option tenant (contoso for contoso.onmicrosoft.com), or leave these names out with "
                "tenant_missing=skip"
            )
    return tenant


def _entries(
    catalogs: Sequence[Catalog],
    groups: Sequence[Group],
    tenant: str | None,
    request: Request,
    included: Sequence[Entry],
) -> list[Entry]:
    found = [entry for group in groups for entry in group.entries(tenant)]
    if request.uncertain == "include":
        chosen = {(group.catalog, group.id): group for group in groups}
        found += [
            _doubtful(catalog, chosen[catalog.id, correction.group], correction)
            for catalog in catalogs
            for correction in catalog.corrections
            if correction.doubtful and (catalog.id, correction.group) in chosen
        ]
    risks = RiskTable(catalogs)
    # What the user asks for by name is wanted, whatever a catalog thinks of it; its risk is shown all the same.
    asked = [_with_risk(replace(entry, sources=entry.sources or ("include",)), risks, True) for entry in included]
    weighed = Weights(catalogs)
    return merge([*(weighed.on(_with_risk(entry, risks, False)) for entry in merge(found)), *asked])


def _doubtful(catalog: Catalog, group: Group, correction: Correction) -> Entry:
    item = {"value": correction.doubtful, "groups": [group.id], "sources": [catalog.id]}
    return normalise([{**item, "required": group.required, "critical": group.critical}])[0]


def _with_risk(entry: Entry, risks: RiskTable, wanted: bool) -> Entry:
    fact = risks.of(entry.pattern) if entry.type == "host" else None
    if fact is None or (fact.risk == "retired" and _is_asked_for_today(entry)):
        return entry
    return replace(entry, risk=entry.risk or fact.risk, required=entry.required and (wanted or fact.required))


def _is_asked_for_today(entry: Entry) -> bool:
    """Whether the web service has it, whatever an older record says."""
    return any(source.startswith(f"{WEB_SERVICE} ") and ", removed " not in source for source in entry.sources)


def _wanted(entry: Entry, request: Request) -> bool:
    return (
        (entry.required or not request.required_only)
        and (entry.risk != "retired" or request.retired == "include")
        and (request.ipv6 or entry.type != "network" or entry.network.version == 4)
    )


def _contains(outer: Entry, inner: Entry) -> bool:
    """Whether *outer*, as something to leave out, takes all of *inner* away."""
    if outer.type != inner.type:
        return False
    if outer.type == "network":
        return outer.network.version == inner.network.version and inner.network.subnet_of(outer.network)  # type: ignore[arg-type]
    return outer.pattern.covers(inner.pattern) and outer.path in (None, inner.path)


def _touches(excluded: Entry, entry: Entry) -> bool:
    """Whether something that was to be left out is still let through by *entry*."""
    if excluded.type != entry.type:
        return False
    if excluded.type == "network":
        return excluded.network.version == entry.network.version and excluded.network.overlaps(entry.network)
    return excluded.pattern.overlaps(entry.pattern) and excluded.path in (None, entry.path)


def _warnings(
    catalogs: Sequence[Catalog],
    tenant: str | None,
    included: Sequence[Entry],
    excluded: Sequence[Entry],
    kept: Sequence[Entry],
) -> list[str]:
    """A pattern that takes away nothing, or not all of what it names: the user believes it does."""
    if not excluded:
        return []
    everything = [entry for catalog in catalogs for group in catalog.groups.values() for entry in group.entries(tenant)]
    warnings = []
    for pattern in excluded:
        name = pattern.value + (pattern.path or "")
        still = [entry for entry in kept if _touches(pattern, entry)]
        if still:
            part = "" if any(_contains(entry, pattern) for entry in still) else "in part "
            warnings.append(
                f"exclude: {name} is still {part}allowed by {_named(still)}; exclude that too, or not at all"
            )
        elif not any(_contains(pattern, entry) for entry in [*everything, *included]):
            warnings.append(f"exclude: {name} takes nothing away, no name of the catalogs is under it")
    return warnings


def _named(entries: Sequence[Entry]) -> str:
    named = [f"{entry.value} ({', '.join(entry.groups or entry.sources)})" for entry in entries[:_SHOWN]]
    return ", ".join(named) + (f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else "")
