# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the endpoint web service makes of its lists: parameters applied, changes between versions, CSV and RSS.

Source: Microsoft, "Office 365 IP Address and URL web service" (MicrosoftDocs/microsoft-365-docs 0142660a). Where that
page says nothing, the choice made here is marked "not documented".
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

Record = dict[str, Any]
Lists = Mapping[str, Sequence[Record]]  # by version

# The cut of the reference's rule that this field is only in records of this version and later.
IMPACT_SINCE = "2018112800"
FIELDS = ("expressRoute", "serviceArea", "category", "required", "tcpPorts", "udpPorts", "notes")
# Which wildcards stand for a tenant. The others stay, as the service's users found: OfficeDocs-Enterprise#828.
SLOTS = re.compile(
    r"<tenant>"
    r"|^\*(?=(?:-(?:my|files|myfiles|admin))?\.sharepoint\.com$|\.config\.(?:dod|high)\.office365\.us$)"
    r"|(?<=^autodiscover\.)\*(?=\.(?:mail\.)?onmicrosoft\.(?:com|us)$)"
)
_COLUMNS = (
    "id", "serviceArea", "serviceAreaDisplayName", "urls", "ips", "tcpPorts", "udpPorts", "expressRoute", "category",
    "required", "notes",
)  # fmt: skip


def endpoints(
    records: Iterable[Record], *, areas: Sequence[str] = (), tenant: str | None = None, ipv6: bool = True
) -> list[Record]:
    """The list as one caller gets it: Common always, MEM (the rows of Intune) only when asked for by name."""
    wanted = {area.lower() for area in areas}
    return [
        _rendered(record, tenant, ipv6)
        for record in records
        if record["serviceArea"] == "Common"
        or (record["serviceArea"].lower() in wanted if wanted else record["serviceArea"] != "MEM")
    ]


def _rendered(record: Record, tenant: str | None, ipv6: bool) -> Record:
    urls = [_filled(url, tenant) for url in record.get("urls", ())]
    ips = [network for network in record.get("ips", ()) if ipv6 or ":" not in network]
    lists = {"urls": list(dict.fromkeys(urls)), "ips": ips}
    # "Omitted if blank", and each field keeps its place.
    return {name: lists.get(name, value) for name, value in record.items() if name not in lists or lists[name]}


def _filled(url: str, tenant: str | None) -> str:
    return url.replace("<tenant>", "*") if tenant is None else SLOTS.sub(tenant, url)


def endpoints_csv(records: Iterable[Record]) -> str:
    """Not documented: the columns are the fields in the order of the reference, lists joined by commas."""
    return _csv(_COLUMNS, ({name: _cell(record.get(name)) for name in _COLUMNS} for record in records))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(value)
    return ",".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def version(instance: str, published: Sequence[str], all_versions: bool) -> Record:
    """*published*: oldest first."""
    record: Record = {"instance": instance, "latest": published[-1]}
    return record | ({"versions": list(reversed(published))} if all_versions else {})


def version_csv(records: Iterable[Record]) -> str:
    """Not documented for all versions: then one row for each."""
    rows = [
        {"instance": record["instance"], "latest": number}
        for record in records
        for number in record.get("versions", [record["latest"]])
    ]
    return _csv(("instance", "latest"), rows)


def version_rss(records: Iterable[Record], changed: Callable[[str, str], Sequence[Record]], url: str, guid: str) -> str:
    """The reference's sample is not well-formed; this is, and says the same."""
    items: list[str] = []
    days: list[str] = []
    for record in records:
        for number in record.get("versions", [record["latest"]]):
            days.append(f"{_day(number):%a, %d %b %Y} 00:00:00 Z")
            link = f"{url}/changes/{record['instance']}/{number}?singleVersion&clientRequestId={guid}"
            items.append(
                f'<item><guid isPermaLink="false">{number}</guid><link>{escape(link)}</link>'
                f"<description>{_summary(number, changed(record['instance'], number))}</description>"
                f"<pubDate>{days[-1]}</pubDate></item>"
            )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<rss version="2.0" xmlns:a10="https://www.w3.org/2005/Atom">\n'
        "<channel>\n<link>https://aka.ms/o365ip</link>\n<description/>\n<language>en-us</language>\n"
        f"<lastBuildDate>{days[0]}</lastBuildDate>\n" + "\n".join(items) + "\n</channel>\n</rss>\n"
    )


def _summary(number: str, changed: Sequence[Record]) -> str:
    words = [f"Version {number} includes {len(changed)} changes."]
    for title, name in (("IPs", "ips"), ("URLs", "urls")):
        added, removed = (sum(len(one.get(part, {}).get(name, ())) for one in changed) for part in ("add", "remove"))
        if added or removed:
            words.append(f"{title}: {added} added and {removed} removed.")
    return " ".join(words)


def _day(number: str) -> dt.date:
    return dt.date(int(number[:4]), int(number[4:6]), int(number[6:8]))


def changes(lists: Lists, effective: Mapping[str, str | None] | None = None) -> list[Record]:
    """All records from the first version to the last, computed from neighbours, without ids.

    *effective*: the date of what a version adds where it is not 30 days later, as YYYYMMDD; None: no date, which the
    service does too (microsoft-365-docs#6660).
    """
    found: list[Record] = []
    for old, new in pairwise(sorted(lists)):
        usual = f"{_day(new) + dt.timedelta(days=30):%Y%m%d}"
        before, after = (_of_all_areas(lists[version]) for version in (old, new))
        found += _step(before, after, new, (effective or {}).get(new, usual))
    return found


def _of_all_areas(records: Iterable[Record]) -> list[Record]:
    """Every area, the rows of Intune too. Not documented: whether /changes tells of those."""
    return [_rendered(record, None, True) for record in records]


def _step(old: Sequence[Record], new: Sequence[Record], number: str, effective: str | None) -> Iterator[Record]:
    before, after = ({record["id"]: record for record in records} for records in (old, new))
    moves = Moves(old, new)
    for one in sorted({**before, **after}):
        record = _changed(before.get(one), after.get(one), effective)
        if record is None:
            continue
        impact = {"impact": moves.impact(record)} if number >= IMPACT_SINCE else {}
        disposition = "Add" if one not in before else "Remove" if one not in after else "Change"
        yield {"endpointSetId": one, "disposition": disposition, **impact, "version": number, **record}


def _changed(before: Record | None, after: Record | None, effective: str | None) -> Record | None:
    """`previous`, `current`, `add` and `remove` of a set; None where nothing of these changed."""
    old, new = before or {}, after or {}
    fields = [name for name in FIELDS if old.get(name) != new.get(name)]
    added, removed = ({name: _without(x, y, name) for name in ("ips", "urls")} for x, y in ((new, old), (old, new)))
    record: Record = {
        "previous": {name: old[name] for name in fields if name in old},
        "current": {name: new[name] for name in fields if name in new},
        "add": {name: values for name, values in added.items() if values},
        "remove": {name: values for name, values in removed.items() if values},
    }
    if record["add"] and effective:
        record["add"] = {"effectiveDate": effective, **record["add"]}
    return {name: part for name, part in record.items() if part} or None


def _without(record: Record, other: Record, name: str) -> list[str]:
    gone = set(other.get(name) or ())
    return [value for value in record.get(name) or () if value not in gone]


class Moves:
    """In which sets each name and network stands before and after, to tell a new one from one that moved."""

    def __init__(self, old: Sequence[Record], new: Sequence[Record]) -> None:
        self._before, self._after = _homes(old), _homes(new)

    def impact(self, record: Record) -> str:
        """The reference's words; of several that fit, the one that asks most of a firewall's owner."""
        add, remove = record.get("add", {}), record.get("remove", {})
        new_ips, new_urls = ([value for value in add.get(name, ()) if self._is_new(value)] for name in ("ips", "urls"))
        if new_ips or new_urls:
            return "AddedIpAndUrl" if new_ips and new_urls else "AddedIp" if new_ips else "AddedUrl"
        gone = [value for name in ("ips", "urls") for value in remove.get(name, ())]
        if any(value not in self._after for value in gone):
            return "RemovedIpOrUrl"
        if any(name in add for name in ("ips", "urls")) or any(self._after[v] - self._before[v] for v in gone):
            return "MovedIpOrUrl"
        if gone:
            return "RemovedDuplicateIpOrUrl"
        previous, current = record.get("previous", {}), record.get("current", {})
        if previous.get("expressRoute") != current.get("expressRoute"):
            return "ChangedIsExpressRoute"
        return "OtherNonPriorityChanges"

    def _is_new(self, value: str) -> bool:
        """Nowhere before; or it stays where it was, and a second set has it now."""
        return value not in self._before or self._before[value] <= self._after[value]


def _homes(records: Iterable[Record]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for record in records:
        for value in (*(record.get("urls") or ()), *(record.get("ips") or ())):
            found.setdefault(value, set()).add(record["id"])
    return found
