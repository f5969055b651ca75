# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Categories, groups and rules of ours on ZIA, from entries and back. Pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import Accepted, Translation
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._zia import DEEPEST, ZiaUrl, too_deep
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_options import Clients
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_scene import RECORD
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EntryClass
from ansible_collections.egress.allowlist.plugins.module_utils._marks import Mark, read_mark
from ansible_collections.egress.allowlist.plugins.module_utils._objects import json_text
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict
from ansible_collections.egress.allowlist.plugins.module_utils._web import with_all_ports

INTENTS = ("allow", "bypass_tls_inspection", "bypass_content_inspection", "bypass_authentication")


def translated(found: EntryClass, accepted: Accepted) -> Tuple[List[str], List[Verdict]]:
    """The URLs of a category, all of them: an entry below another one stays, so that it outlives the other."""
    translation = Translation(ZiaUrl(), found.hosts, accepted)
    told = {verdict.entry: verdict for verdict in translation.verdicts}
    lines = {line for one in translation.written for line in one.lines}
    deep = too_deep({line for line in lines if not line.startswith(".")} | set(accepted.known))
    for one in translation.written:
        below = [line[1:] for line in one.lines if line.startswith(".")]
        for base in below:
            lines.update(deep.get(base.partition("/")[0], ()) if one.entry.path is None else ())
            told[one.entry.line(())] = _deep(told.get(one.entry.line(())), one.entry, found, base)
        verdict = with_all_ports(told.get(one.entry.line(())), one.entry, found.intents, one.lines)
        if verdict is not None:
            told[one.entry.line(())] = verdict
    return sorted(lines), [replace(verdict, intents=found.intents) for verdict in told.values()]


def _deep(old: Optional[Verdict], entry: Entry, found: EntryClass, base: str) -> Verdict:
    old = old or Verdict(entry.line(()), found.intents, written=("." + base,))
    lost = f"names more than {DEEPEST} levels below {base}, but for known ones"
    loses = old.loses if old.loses == "any" else "known"
    return replace(old, lost=f"{old.lost}, {lost}" if old.lost else lost, loses=loses)


def over_ipv4(holding: Holding) -> Tuple[Optional[Holding], Optional[Verdict]]:
    """Groups of addresses hold IPv4 alone."""
    if holding.entry.type == "host" or holding.entry.network.version == 4:
        return holding, None
    lost = "all of it: groups of addresses on ZIA hold IPv4 alone, so it leaves by another way"
    return None, Verdict(holding.entry.line(()), holding.intents, lost=lost, loses="foreign")


class Renderer:
    """Entries of one list to objects; references are names here, and become numbers when they are written."""

    def __init__(self, prefix: str, change: str, clients: Clients, rank: int) -> None:
        self.prefix = prefix
        self.name = prefix[len("egress_") :]
        self.change = change
        self.clients = clients
        self.rank = rank

    def objects(self, found: EntryClass, urls: Sequence[str]) -> Dict[str, str]:
        base = self.prefix + found.suffix
        objects: Dict[str, Any] = {}
        if urls:
            objects[f"url category {base}"] = {"description": self._mark(found), "urls": sorted(urls)}
        if found.networks:
            addresses = sorted(entry.value for entry in found.networks)
            group = {"description": self._mark(found), "type": "DSTN_IP", "addresses": addresses}
            objects[f"destination group {base}"] = group
        objects.update(self._rules(base, found, bool(urls)))
        return {key: json_text(value) for key, value in objects.items()}

    def source_group(self) -> Dict[str, str]:
        if not self.clients.networks:
            return {}
        value = {"description": self._mark(), "ipAddresses": sorted(self.clients.networks)}
        return {f"source group {self.prefix}": json_text(value)}

    def record(self, urls: Sequence[str]) -> Dict[str, str]:
        """The category that no rule uses: which of the organisation's exempted URLs we have put there."""
        if not urls:
            return {}
        return {f"url category {self.prefix}{RECORD}": json_text({"description": self._mark(), "urls": sorted(urls)})}

    def _mark(self, found: Optional[EntryClass] = None) -> str:
        mark = Mark(self.name) if found is None else Mark(self.name, found.ports, found.intents, self.change)
        return mark.text()

    def _rules(self, base: str, found: EntryClass, with_urls: bool) -> Iterator[Tuple[str, Any]]:
        tls = "bypass_tls_inspection" in found.intents
        if with_urls:
            category = {"urlCategories": [base]}
            if tls:
                yield f"ssl rule {base}", self._rule({**category, "action": self._undecrypted(found)})
            if "allow" in found.intents:
                yield f"url rule {base}", self._rule({**category, "action": "ALLOW", "protocols": ["ANY_RULE"]})
        if found.networks:
            where = {"destIpGroups": [base]}
            if tls and any(port.startswith("tcp") for port in found.ports):
                # Of a rule about TLS, ZIA takes no name with more than 31 characters.
                name = f"{base}n" if found.suffix else f"{base}-n"
                yield f"ssl rule {name}", self._rule({**where, "action": self._undecrypted(found)})
            if "allow" in found.intents:
                yield f"network service {base}", self._service(found)
                yield f"firewall rule {base}", self._firewall({**where, "nwServices": [base], "action": "ALLOW"})

    @staticmethod
    def _undecrypted(found: EntryClass) -> Dict[str, Any]:
        """Past all other policies only where the entries are both allowed and not inspected."""
        if {"allow", "bypass_content_inspection"} <= set(found.intents):
            return {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": {"bypassOtherPolicies": True}}
        inner = {"serverCertificates": "ALLOW", "minTLSVersion": "SERVER_TLS_1_2"}
        return {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": inner}

    def _rule(self, what: Mapping[str, Any]) -> Dict[str, Any]:
        clients = self.clients
        who: Dict[str, List[str]] = {clients.table: list(clients.names)} if clients.names else {}
        if clients.networks:
            who = {"sourceIpGroups": [self.prefix]}
        return {"description": self._mark(), "state": "ENABLED", "rank": self.rank, **who, **what}

    def _firewall(self, what: Mapping[str, Any]) -> Dict[str, Any]:
        rule = self._rule(what)
        if "sourceIpGroups" in rule:
            rule["srcIpGroups"] = rule.pop("sourceIpGroups")
        return rule

    def _service(self, found: EntryClass) -> Dict[str, Any]:
        ports = {
            f"dest{protocol.capitalize()}Ports": [port[4:] for port in found.ports if port.startswith(protocol)]
            for protocol in ("tcp", "udp")
        }
        return {"description": self._mark(), **{name: numbers for name, numbers in ports.items() if numbers}}


class Reader:
    """Objects back to entries; what is none of ours is kept as text in ``unread``."""

    def __init__(self, objects: Mapping[str, str]) -> None:
        self.unread: List[str] = []
        self._found: Dict[Any, Holding] = {}
        for key, text in objects.items():
            if key.startswith("url category ") and not key.endswith(RECORD):
                self._take(text, "urls")
            elif key.startswith("destination group "):
                self._take(text, "addresses")

    @property
    def holdings(self) -> List[Holding]:
        return sorted(self._found.values(), key=lambda holding: holding.entry.sort_key)

    def _take(self, text: str, field: str) -> None:
        row = json.loads(text)
        mark = read_mark(row.get("description"))
        for line in row.get(field, []):
            entry = _read(line, field, mark) if mark is not None and mark.ports else None
            if entry is None or mark is None:
                self.unread.append(line)
            else:
                self._found[entry.key] = Holding(entry, mark.intents)


def _read(line: str, field: str, mark: Mark) -> Optional[Entry]:
    item: Dict[str, Any] = {"type": "network", "value": line}
    if field == "urls":
        host, slash, path = line.partition("/")
        item = {"type": "host", "value": f"*{host}" if host.startswith(".") else host, "path": slash + path or None}
    try:
        return normalise([dict(item, ports=list(mark.ports))])[0]
    except AllowlistError:
        return None
