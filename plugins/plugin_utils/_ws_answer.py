# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answers of Microsoft's endpoint web service: read with distrust, and never in part.

An answer that is not wholly understood is refused with the reason. What real answers are known to do is stood: lists
and ports that are missing, ports with blanks and out of order, areas and fields that nobody knows, one set id twice.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import CATEGORIES
from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import TENANT

AREAS = ("Common", "Exchange", "SharePoint", "Skype", "MEM")
# What the service calls its clouds.
INSTANCES = {
    "worldwide": "Worldwide",
    "usgov_dod": "USGOVDoD",
    "usgov_gcc_high": "USGOVGCCHigh",
    "china": "China",
}
DISPOSITIONS = ("add", "change", "remove")
_FIELDS = {
    "id", "serviceArea", "serviceAreaDisplayName", "urls", "ips", "tcpPorts", "udpPorts", "expressRoute", "category",
    "required", "notes",
}  # fmt: skip
_VERSION = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{2}")
# The widest range that Microsoft ever named was 50000-59999, for Teams.
_WIDEST = 2**14
_PORTS = re.compile(r"([0-9]{1,5})(?:\s*-\s*([0-9]{1,5}))?")
_URL = re.compile(r"(?:https?://)?(?P<host>[^/\s:@]+)(?::[0-9]{1,5})?(?P<path>/\S*)?", re.IGNORECASE)
# Microsoft has nothing there, and a list that names them opens the inside of a network.
_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
        "224.0.0.0/3", "::/8", "fc00::/7", "fe80::/10", "ff00::/8",
    )
)  # fmt: skip


@dataclass(frozen=True)
class EndpointSet:
    """One record of the list: names and networks that one thing needs; names are in small letters."""

    id: int
    area: str
    service: str
    urls: tuple[str, ...]
    ips: tuple[str, ...]
    tcp: tuple[str, ...]
    udp: tuple[str, ...]
    category: str | None
    required: bool
    express_route: bool = False
    notes: str | None = None


@dataclass(frozen=True)
class Answer:
    """The whole list of an instance; *notes* are for the user: what was unknown, and what became of it."""

    instance: str
    version: str | None
    sets: tuple[EndpointSet, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Versions:
    """*latest* is the version of today; *known* are all that the service still names, the newest first."""

    latest: str
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """What one version did to one set; *previous* and *current* hold the fields of the set that changed."""

    id: int
    set: int
    disposition: str
    version: str
    impact: str | None = None
    effective: dt.date | None = None
    add_urls: tuple[str, ...] = ()
    add_ips: tuple[str, ...] = ()
    remove_urls: tuple[str, ...] = ()
    remove_ips: tuple[str, ...] = ()
    previous: Mapping[str, Any] = field(default_factory=dict)
    current: Mapping[str, Any] = field(default_factory=dict)


def is_version(text: object) -> bool:
    """Ten digits: the day, and a number within it."""
    if not isinstance(text, str) or _VERSION.fullmatch(text) is None:
        return False
    try:
        day_of(text)
    except AllowlistError:
        return False
    return True


def day_of(version: str) -> dt.date:
    """The day of a version."""
    try:
        return dt.date(int(version[:4]), int(version[4:6]), int(version[6:8]))
    except ValueError:
        raise AllowlistError(f"version: {shown(version)} has no day that exists") from None


def read_versions(text: str, instance: str) -> Versions:
    """The answer of /version for *instance*: one record, or a list with one for each instance."""
    data = _parsed(text, "/version")
    records = data if isinstance(data, list) else [data]
    wanted = INSTANCES[instance].lower()
    for record in records:
        if not isinstance(record, Mapping) or not isinstance(record.get("instance"), str):
            raise _damaged("/version", f"expected records with instance and latest, got {shown(record)}")
        if record["instance"].lower() == wanted:
            latest = record.get("latest")
            if not is_version(latest):
                raise _damaged("/version", f"latest: expected ten digits such as 2025120100, got {shown(latest)}")
            told = record.get("versions")
            known = [version for version in told if is_version(version)] if isinstance(told, list) else []
            return Versions(str(latest), tuple(sorted({str(latest), *known}, reverse=True)))
    raise _damaged("/version", f"there is no record of {INSTANCES[instance]}")


def read_endpoints(text: str, instance: str, version: str | None) -> Answer:
    """The answer of /endpoints. AllowlistError when it is damaged, empty, or names what nobody may allow."""
    data = _parsed(text, "/endpoints")
    if not isinstance(data, list):
        raise _damaged("/endpoints", f"expected a list of endpoint sets, got {shown(data)}")
    if not data:
        raise _damaged("/endpoints", "the list is empty")
    sets = tuple(_set(record, f"set {index} of the list") for index, record in enumerate(data))
    for name, seen in (("urls", "urls"), ("tcpPorts", "tcp")):
        if not any(getattr(one, seen) for one in sets):
            raise _damaged("/endpoints", f"no set has the field {name}, so the form of the answer is not the known one")
    return Answer(instance, version, sets, tuple(_notes(data)))


def _notes(data: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    fields = sorted({str(name) for record in data for name in record} - _FIELDS)
    if fields:
        names = ", ".join(_line(name[:40]) or "one without a name" for name in fields[:5])
        yield f"the web service sends fields that are not known here ({names}); they are kept and not used"
    areas = sorted({str(record["serviceArea"]) for record in data} - set(AREAS))
    if areas:
        yield f"the web service has service areas that are not known here ({', '.join(areas[:5])}); they are used"


def _set(record: object, where: str) -> EndpointSet:
    if not isinstance(record, Mapping):
        raise _damaged("/endpoints", f"{where}: expected a record, got {shown(record)}")
    number = _field(record, "id", int, where)
    where = f"set {number}"
    area = _area(record, where)
    if "urls" not in record and "ips" not in record:
        raise _damaged("/endpoints", f"{where} has neither the field urls nor the field ips")
    return EndpointSet(
        id=number,
        area=area,
        service=_line(record.get("serviceAreaDisplayName")) or area,
        urls=read_urls(record.get("urls"), where),
        ips=read_ips(record.get("ips"), where),
        **_attributes(record, where),
        express_route=record.get("expressRoute") is True,
        notes=_line(record.get("notes")),
    )


def _area(record: Mapping[str, Any], where: str) -> str:
    area: str = _field(record, "serviceArea", str, where)
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _-]{0,39}", area) is None:
        raise _damaged("/endpoints", f"{where}: serviceArea: expected a word, got {shown(area)}")
    return area


def _attributes(record: Mapping[str, Any], where: str) -> dict[str, Any]:
    return {
        "tcp": read_ports("tcp", record.get("tcpPorts"), where),
        "udp": read_ports("udp", record.get("udpPorts"), where),
        "category": read_category(_field(record, "category", str, where)),
        "required": _field(record, "required", bool, where),
    }


def read_category(text: str) -> str | None:
    """A category of ours; None for a word that is not known."""
    return text.lower() if text.lower() in CATEGORIES else None


def read_ports(protocol: str, value: object, where: str) -> tuple[str, ...]:
    """``443, 80`` or ``3478-3481`` as canonical ports; nothing, and blanks, are no ports stated."""
    if value is None:
        return ()
    text = str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    ports = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _PORTS.fullmatch(part)
        if match is None:
            raise _damaged("/endpoints", f"{where}: {protocol}Ports: expected ports such as 80,443, got {shown(value)}")
        if match[2] and int(match[2]) - int(match[1]) > _WIDEST:
            raise _damaged("/endpoints", f"{where}: {protocol}Ports: {shown(part)} would open nearly every port")
        ports.append(f"{protocol}/{int(match[1])}" + (f"-{int(match[2])}" if match[2] else ""))
    if not ports and not (isinstance(value, str) and not value.strip(" ,")):
        raise _damaged("/endpoints", f"{where}: {protocol}Ports: expected a text such as 80,443, got {shown(value)}")
    try:
        return canonical_ports(ports, f"{where}: {protocol}Ports")
    except AllowlistError as error:
        raise _damaged("/endpoints", str(error)) from None


def read_urls(value: object, where: str) -> tuple[str, ...]:
    """Names, each once and in order; the tenant's part is a wildcard, or `<tenant>` where a saved page has it."""
    return tuple(dict.fromkeys(_url(text, where) for text in _texts(value, "urls", where)))


def _url(text: str, where: str) -> str:
    match = _URL.fullmatch(text.strip())
    host = (match["host"] if match else text).lower()
    try:
        entry = read_item({"value": host.replace(TENANT, "tenant"), "type": "host"}, f"{where}: urls")
    except AllowlistError as error:
        raise _damaged("/endpoints", str(error)) from None
    if "." not in host.strip("."):
        raise _damaged("/endpoints", f"{where}: urls: {shown(text)} is a name inside of a network, not of the internet")
    return host if TENANT in host else entry.value


def read_ips(value: object, where: str) -> tuple[str, ...]:
    """Networks, each once and in order; one that is inside of every company, or half of the internet, is refused."""
    return tuple(dict.fromkeys(_network(text.strip(), where) for text in _texts(value, "ips", where)))


def _network(text: str, where: str) -> str:
    try:
        entry = read_item({"value": text, "type": "network"}, f"{where}: ips")
    except AllowlistError as error:
        raise _damaged("/endpoints", str(error)) from None
    for inside in _INSIDE:
        if inside.version == entry.network.version and inside.overlaps(entry.network):
            raise _damaged("/endpoints", f"{where}: ips: {text} is no network of the internet, it meets {inside}")
    return entry.value


def canonical(kind: str, text: str) -> str | None:
    """The name or network as a list has it; None for what no list may have."""
    try:
        (found,) = read_urls([text], "") if kind == "host" else read_ips([text], "")
    except AllowlistError:
        return None
    return found


def _texts(value: object, name: str, where: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _damaged("/endpoints", f"{where}: {name}: expected a list of texts, got {shown(value)}")
    return value


def read_changes(text: str) -> tuple[Change, ...]:
    """The answer of /changes, in order of version and id. AllowlistError when it is damaged."""
    data = _parsed(text, "/changes")
    if not isinstance(data, list):
        raise _damaged("/changes", f"expected a list of changes, got {shown(data)}")
    try:
        changes = [_change(record, f"change {index} of the list") for index, record in enumerate(data)]
    except AllowlistError as error:
        # The readers of names, networks and ports know the other method only.
        raise AllowlistError(str(error).replace("/endpoints", "/changes", 1)) from None
    return tuple(sorted(changes, key=lambda change: (change.version, change.id)))


def _change(record: object, where: str) -> Change:
    if not isinstance(record, Mapping):
        raise _damaged("/changes", f"{where}: expected a record, got {shown(record)}")
    number = _field(record, "id", int, where, "/changes")
    where = f"change {number}"
    disposition = _field(record, "disposition", str, where, "/changes").lower()
    version = _field(record, "version", str, where, "/changes")
    if disposition not in DISPOSITIONS or not is_version(version):
        raise _damaged("/changes", f"{where}: disposition {shown(disposition)} of version {shown(version)}")
    add, remove, previous, current = (_part(record, name, where) for name in ("add", "remove", "previous", "current"))
    for part in (previous, current):
        _check_fields(part, where)
    return Change(
        id=number,
        set=_field(record, "endpointSetId", int, where, "/changes"),
        disposition=disposition,
        version=version,
        impact=_line(record.get("impact")),
        effective=_day(add.get("effectiveDate"), where),
        add_urls=read_urls(add.get("urls"), where),
        add_ips=read_ips(add.get("ips"), where),
        # It may be anything that once stood there; what nobody may allow is told, and not kept for a while.
        remove_urls=tuple(canonical("host", one) or one.lower() for one in _texts(remove.get("urls"), "urls", where)),
        remove_ips=tuple(canonical("network", one) or one for one in _texts(remove.get("ips"), "ips", where)),
        previous=previous,
        current=current,
    )


def _check_fields(part: Mapping[str, Any], where: str) -> None:
    """What is wrong in them is found now, and not when a list is put together from them."""
    for protocol in ("tcp", "udp"):
        read_ports(protocol, part.get(f"{protocol}Ports"), where)
    if "serviceArea" in part:
        _area(part, where)


def _part(record: Mapping[str, Any], name: str, where: str) -> Mapping[str, Any]:
    part = record.get(name)
    if part is None:
        return {}
    if not isinstance(part, Mapping):
        raise _damaged("/changes", f"{where}: {name}: expected a record, got {shown(part)}")
    return part


def _day(text: object, where: str) -> dt.date | None:
    if text is None:
        return None
    try:
        return dt.datetime.strptime(str(text), "%Y%m%d").date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        raise _damaged("/changes", f"{where}: effectiveDate: expected eight digits, got {shown(text)}") from None


def _field(record: Mapping[str, Any], name: str, kind: type[Any], where: str, method: str = "/endpoints") -> Any:
    if name not in record:
        raise _damaged(method, f"{where} has lost the field {name}")
    value = record[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {int: "a whole number", str: "a text", bool: "true or false"}
        raise _damaged(method, f"{where}: {name}: expected {words[kind]}, got {shown(value)}")
    return value


def _line(value: object) -> str | None:
    """A text for people, on one line, without what a terminal would obey."""
    if not isinstance(value, str):
        return None
    return "".join(char if char.isprintable() else " " for char in value).strip()[:200] or None


def _parsed(text: str, method: str) -> Any:
    stripped = text.strip()
    if not stripped:
        raise _damaged(method, "it is empty")
    if stripped.startswith("<"):
        raise _damaged(method, "it is a web page and not JSON, as a captive portal or a proxy's error page would be")
    try:
        return json.loads(stripped, parse_constant=_no_constant)
    except RecursionError:
        raise _damaged(method, "it is nested too deep") from None
    except ValueError as error:
        if stripped[0] in "[{":
            raise _damaged(method, f"it is cut short, or no JSON: {error}") from None
        raise _damaged(method, f"it is a text and not JSON: {shown(stripped)}") from None


def _no_constant(word: str) -> None:
    raise ValueError(f"{word} is no value")


def _damaged(method: str, reason: str) -> AllowlistError:
    return AllowlistError(f"the answer of {method} was refused: {reason}")
