# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web service's list as a catalog: a group for each service area, and one for each set that counts when named."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import (
    DEFAULT,
    WEB_SERVICE,
    Catalog,
    Group,
    Risk,
    load,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import (
    Row,
    announced,
    first_seen,
    lately_removed,
    merged,
    rows,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import near
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import WINDOW, Served
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import AREAS, INSTANCES

PAGE = "https://learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges"
_ALWAYS = "common"
_WHY = {
    "common": "Sign-in, Office and what all services of Microsoft 365 have in common.",
    "exchange": "Mail and calendar.",
    "sharepoint": "SharePoint and OneDrive for Business.",
    "skype": "Teams.",
    "mem": "Intune: the management of the desktops. The web service sends these rows only to those who ask for them.",
}


@dataclass(frozen=True)
class Narrowed:
    """What part of the list the user wants; all of it where nothing is said."""

    areas: Sequence[str] = ()
    categories: Sequence[str] = ()


def build(served: Served, narrowed: Narrowed, *, grace: int, today: dt.date) -> Catalog:
    """The catalog. AllowlistError for an area that the list does not have."""
    answer = served.answer
    everything = [
        *rows(answer),
        *announced(answer, served.changes, WINDOW),
        *lately_removed(served.older, answer, served.changes, grace, today),
    ]
    wanted = _narrowed(everything, narrowed)
    version = answer.version or served.date or "of unknown date"
    return Catalog(
        id=WEB_SERVICE,
        title=f"Microsoft 365 endpoint web service, {INSTANCES[answer.instance]}, {version}",
        file="",
        groups=_groups(wanted, f"{WEB_SERVICE} {answer.instance} {version} set"),
        risks=_risks(),
        witnesses={},
        corrections=(),
        version=version,
        instance=answer.instance,
        first_seen=first_seen(answer, served.changes),
        warnings=served.warnings,
    )


def area_id(area: str) -> str:
    """``mem`` for ``MEM``; what no id can have becomes an underscore."""
    return re.sub(r"[^a-z0-9]+", "_", area.lower()).strip("_")


def _narrowed(everything: Sequence[Row], narrowed: Narrowed) -> list[Row]:
    present = {area_id(row.area) for row in everything}
    asked = {area_id(area) for area in narrowed.areas}
    known = sorted(present | {area_id(area) for area in AREAS})
    for area in narrowed.areas:
        if area_id(area) not in known:
            raise AllowlistError(f'service_areas: there is no area "{area}"{near(area_id(area), known)} in {known}')
    # Of a name in several sets the strongest category counts, as Microsoft says.
    strongest = {key: one.category for key, one in merged(everything).items()}
    return [
        row
        for row in everything
        if (not asked or area_id(row.area) in asked | {_ALWAYS})
        and (not narrowed.categories or strongest[row.key] in narrowed.categories)
    ]


def _groups(wanted: Sequence[Row], source: str) -> dict[str, Group]:
    by_area: dict[str, list[Row]] = {}
    by_set: dict[int, list[Row]] = {}
    for row in wanted:
        by_area.setdefault(area_id(row.area), []).append(row)
        by_set.setdefault(row.set, []).append(row)
    first = {area_id(area): index for index, area in enumerate(AREAS)}
    areas = sorted(by_area, key=lambda area: (first.get(area, len(first)), area))
    groups = [_group(area, by_area[area], source, None) for area in areas]
    groups += [
        _group(f"set_{number}", by_set[number], source, area_id(by_set[number][0].area)) for number in sorted(by_set)
    ]
    return {group.id: group for group in groups}


def _group(id_: str, own: Sequence[Row], source: str, part_of: str | None) -> Group:
    first = own[0]
    return Group(
        id=id_,
        catalog=WEB_SERVICE,
        title=first.service if part_of is None else f"{first.service}, set {first.set}",
        why=_WHY.get(id_),
        tables=(),
        required=any(row.required for row in own),
        critical=False,
        enumerated=True,
        links=({"title": "Microsoft 365 URLs and IP address ranges", "url": PAGE},),
        items=tuple(_item(row, source) for row in own),
        part_of=part_of,
    )


def _item(row: Row, source: str) -> dict[str, Any]:
    return {
        "type": row.type,
        "value": row.value,
        "ports": list(row.ports),
        "category": row.category,
        "required": row.required,
        "sources": [f"{source} {row.set}{row.remark}"],
    }


def _risks() -> tuple[Risk, ...]:
    """What is known of names holds for this list too; whether one is required, the list says itself."""
    known = [risk for catalog in DEFAULT for risk in load(catalog).risks]
    return tuple(replace(risk, required=True) for risk in known if risk.risk != "retired")
