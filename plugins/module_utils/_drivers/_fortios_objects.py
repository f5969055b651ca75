# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds, URL filters, policies and rows of ours on FortiOS, from entries and back. Pure."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._fortios import FortiosCategory
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import Accepted, Translation
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_scene import FEED
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_urls import filter_row, read_row
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EntryClass
from ansible_collections.egress.allowlist.plugins.module_utils._marks import Mark, read_mark
from ansible_collections.egress.allowlist.plugins.module_utils._objects import address_name, json_text
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict
from ansible_collections.egress.allowlist.plugins.module_utils._web import with_all_ports

NETWORKS = "-ip"  # behind the name of a class: its feed of addresses
LONGEST_NAME = 79  # of an address
MOST_ENTRIES = 131_072
MOST_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Who:
    """The clients, as a rule names them: objects for IPv4 and for IPv6, and networks that become objects of ours."""

    networks: Tuple[str, ...] = ()
    names: Tuple[str, ...] = ()
    names6: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    prefix: str
    change: str
    who: Who
    sources: Tuple[str, ...]
    destinations: Tuple[str, ...]
    nat: bool
    proxy: bool


def translated(found: EntryClass, accepted: Accepted) -> Tuple[List[str], List[Verdict]]:
    """The lines of a category feed, all of them: an entry below another one stays, so that it outlives the other."""
    translation = Translation(FortiosCategory(), found.hosts, accepted)
    told = {verdict.entry: verdict for verdict in translation.verdicts}
    for one in translation.written:
        verdict = with_all_ports(told.get(one.entry.line(())), one.entry, found.intents, one.lines)
        if verdict is not None:
            told[one.entry.line(())] = verdict
    lines = sorted({line for one in translation.written for line in one.lines})
    return lines, [replace(verdict, intents=found.intents) for verdict in told.values()]


class Renderer:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = settings.prefix[len("egress_") :]

    def lists(self, found: EntryClass, lines: Sequence[str], category: int) -> Dict[str, str]:
        """The feeds of a class, and what is in them."""
        base = self.settings.prefix + found.suffix
        objects: Dict[str, str] = {}
        if lines:
            objects.update(self._feed(base, found, lines, {"type": "category", "category": category}))
        if found.networks:
            networks = [entry.value for entry in found.networks]
            objects.update(self._feed(base + NETWORKS, found, networks, {"type": "address"}))
        return objects

    def _feed(self, name: str, found: EntryClass, lines: Sequence[str], more: Mapping[str, Any]) -> Dict[str, str]:
        resource = {"comments": self._mark(found), "status": "enable", "update-method": "push", **more}
        return {
            f"external resource {name}": json_text(resource),
            f"{FEED}{name}": "".join(f"{line}\n" for line in sorted(set(lines))),
        }

    def url_filter(self, found: EntryClass, hosts: Sequence[Entry]) -> Dict[str, str]:
        """One table for all names; what is in it has the intents of *found*."""
        rows = sorted((filter_row(entry) for entry in hosts), key=lambda row: row["url"])
        value = {"comment": self._mark(found), "entries": rows}
        return {f"url filter {self.settings.prefix}": json_text(value)} if rows else {}

    def rules(self, found: EntryClass, category: Optional[int]) -> Dict[str, str]:
        """What uses the feeds of a class, by objects of our own."""
        return {key: json_text(value) for key, value in self._rules(found, category)}

    def _rules(self, found: EntryClass, category: Optional[int]) -> Iterator[Tuple[str, Any]]:
        base = self.settings.prefix + found.suffix
        if category is not None and self.settings.proxy and "allow" in found.intents:
            yield f"proxy address {base}", {
                "type": "category", "host": "all", "category": [category], "comment": self._mark(),
            }  # fmt: skip
            proxy = {"proxy": "explicit-web", "dstaddr": [base], "service": ["webproxy"]}
            yield f"proxy policy {base}", {**self._policy({"dstintf": self._destinations()}), **proxy}
            if "bypass_authentication" in found.intents:
                rule = {"status": "enable", "protocol": "http", "dstaddr": [base], "comments": self._mark()}
                yield f"authentication rule {base}", {**rule, **self._sources()}
        if found.networks and "allow" in found.intents:
            yield f"service {base}", self._service(found)
            yield f"policy {base}", self._network_policy(base, found)

    def _network_policy(self, base: str, found: EntryClass) -> Dict[str, Any]:
        where = {"srcintf": sorted(self.settings.sources), "dstintf": sorted(self.settings.destinations)}
        policy = self._policy({**where, "service": [base]})
        families = {entry.network.version for entry in found.networks}
        for version, label in ((4, ""), (6, "6")):  # sources of one family without destinations of it go nowhere
            if version in families and f"srcaddr{label}" in policy:
                policy[f"dstaddr{label}"] = [base + NETWORKS]
            else:
                policy.pop(f"srcaddr{label}", None)
        if not {"dstaddr", "dstaddr6"} & {*policy}:
            raise AllowlistError(
                f"clients: none of them has addresses of the family of {found.networks[0].value}, so no policy can let "
                "them reach it. Add clients of that family, or leave these networks out (ipv6: false of the lookups)"
            )
        return {**policy, **({"nat": "enable"} if self.settings.nat else {})}

    def _policy(self, more: Mapping[str, Any]) -> Dict[str, Any]:
        usual = {"action": "accept", "schedule": "always", "status": "enable", "logtraffic": "all"}
        return {**usual, "comments": self._mark(), **self._sources(), **more}

    def _sources(self) -> Dict[str, List[str]]:
        who = self.settings.who
        by_family: Dict[int, List[str]] = {4: list(who.names), 6: list(who.names6)}
        for network in who.networks:
            name = address_name(self.settings.prefix, network, LONGEST_NAME)
            by_family[ipaddress.ip_network(network).version].append(name)
        found = {"srcaddr": sorted(by_family[4]), "srcaddr6": sorted(by_family[6])}
        return {name: names for name, names in found.items() if names}

    def _destinations(self) -> List[str]:
        return sorted(self.settings.destinations) or ["any"]

    def addresses(self) -> Dict[str, str]:
        """The clients that are networks, as objects."""
        found: Dict[str, str] = {}
        for text in self.settings.who.networks:
            network = ipaddress.ip_network(text)
            name = address_name(self.settings.prefix, text, LONGEST_NAME)
            if network.version == 4:
                subnet = f"{network.network_address} {network.netmask}"
                found[f"address {name}"] = json_text({"type": "ipmask", "subnet": subnet, "comment": self._mark()})
            else:
                found[f"address6 {name}"] = json_text({"type": "ipprefix", "ip6": text, "comment": self._mark()})
        return found

    def _service(self, found: EntryClass) -> Dict[str, Any]:
        ranges = {
            f"{protocol}-portrange": " ".join(port[4:] for port in found.ports if port.startswith(protocol))
            for protocol in ("tcp", "udp")
        }
        ranges = {name: text for name, text in ranges.items() if text}
        return {"protocol": "TCP/UDP/SCTP", "comment": self._mark(), **ranges}

    def _mark(self, found: Optional[EntryClass] = None) -> str:
        if found is None:
            return Mark(self.name).text()
        return Mark(self.name, found.ports, found.intents, self.settings.change).text()


class Reader:
    """Objects back to entries; what is none of ours is kept as text in ``unread``."""

    def __init__(self, objects: Mapping[str, str]) -> None:
        self.unread: List[str] = []
        self._found: Dict[Any, Holding] = {}
        for key, text in objects.items():
            if key.startswith("external resource "):
                lines = objects.get(FEED + key[len("external resource ") :], "").splitlines()
                self._feed(json.loads(text), lines)
            elif key.startswith("url filter "):
                self._filter(json.loads(text))

    @property
    def holdings(self) -> List[Holding]:
        return sorted(self._found.values(), key=lambda holding: holding.entry.sort_key)

    def _feed(self, resource: Mapping[str, Any], lines: Sequence[str]) -> None:
        mark = read_mark(resource.get("comments"))
        for line in lines:
            host, slash, path = line.partition("/")
            item = {"type": "host", "value": host, "path": slash + path or None}
            if resource.get("type") == "address":
                item = {"type": "network", "value": line}
            self._take(line, item, mark)

    def _filter(self, table: Mapping[str, Any]) -> None:
        mark = read_mark(table.get("comment"))
        for row in table.get("entries", []):
            found = read_row(row)
            item = {"type": "host", "value": found[0], "path": found[1]} if found else None
            self._take(str(row.get("url")), item, mark)

    def _take(self, line: str, item: Optional[Mapping[str, Any]], mark: Optional[Mark]) -> None:
        entry = _read(item, mark) if item is not None and mark is not None and mark.ports else None
        if entry is None or mark is None:
            self.unread.append(line)
        else:
            self._found[entry.key] = Holding(entry, mark.intents)


def _read(item: Mapping[str, Any], mark: Mark) -> Optional[Entry]:
    ports = ["tcp/80"] if item.get("path") else list(mark.ports)
    try:
        return normalise([dict(item, ports=ports)])[0]
    except AllowlistError:
        return None
