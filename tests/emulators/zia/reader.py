# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the configuration in force does with traffic, by Zscaler's documented rules and not by this collection's.

TLS inspection comes first and sees the name alone; then URL filtering, unless the first says "bypass other policies".
Of each policy the first enabled rule that fits decides. A URL belongs to the custom category with the entry that
describes it most closely, whatever the order of the rules ("More specific custom category entries always take
precedence"). The firewall is asked by itself: ``passes``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Config, Row
from ansible_collections.egress.allowlist.tests.emulators.zia.urls import Closeness, Target, closeness

# What Zscaler's own database says of some names; a tiny part.
DATABASE = {"dropbox.com": "FILE_HOST", "mega.nz": "FILE_HOST", "casino.example": "GAMBLING"}
# What a URL filtering rule must name to meet the traffic; which of them stand for what is unverified.
PROTOCOLS = {
    "http": {"HTTP_RULE", "HTTP_PROXY"},
    "https": {"HTTPS_RULE"},
    "tls": {"HTTPS_RULE", "SSL_RULE", "TUNNELSSL_RULE"},
}
# Conditions of which nothing is known here: a rule that has one never fits.
UNKNOWN = ("cloudApplications", "platforms", "userAgentTypes", "urlCategories2", "nwApplications", "destCountries")


@dataclass(frozen=True)
class Client:
    """Who asks: an address, and what the cloud knows of it."""

    address: str = "10.20.0.10"
    location: str = ""
    groups: frozenset[str] = frozenset()
    department: str = ""


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    decrypted: bool
    authenticated: bool  # whether the user is asked who he is
    inspected: bool  # whether the content is scanned
    rules: tuple[str, ...] = field(default=(), compare=False)


class Reader:
    def __init__(self, config: Config) -> None:
        self.config = config

    def decide(self, url: str, client: Client) -> Verdict:
        split = urlsplit(url)
        secure = split.scheme == "https"
        host, port = split.hostname or "", split.port or (443 if secure else 80)
        asked = Target(host, port, split.path + (f"?{split.query}" if split.query else ""))
        tls = self._tls_rule(Target(host, port), client) if secure else None
        action: Row = tls["action"] if tls else {"type": "NONE"}
        decrypted = action["type"] == "DECRYPT"
        seen = asked if decrypted or not secure else Target(host, port)
        authenticated = not self._listed("exemptedUrls", seen)
        bypass = action.get("doNotDecryptSubActions", {}).get("bypassOtherPolicies", False)
        if action["type"] == "BLOCK" or bypass:
            return Verdict(bypass, False, authenticated, False, (tls["name"],) if tls else ())
        rule = self._url_rule(seen, "https" if decrypted else "tls" if secure else "http", client)
        names = tuple(row["name"] for row in (tls, rule) if row)
        inspected = seen is asked and not self._listed("whitelistUrls", seen)
        return Verdict(rule is None or rule["action"] == "ALLOW", decrypted, authenticated, inspected, names)

    def passes(self, address: str, port: int, protocol: str, client: Client) -> bool:
        """Whether the firewall lets packets through to an address; *protocol* is ``tcp`` or ``udp``."""
        for rule in self._enabled("firewallFilteringRules"):
            if not self._fits_who(rule, client):
                continue
            if self._fits_place(rule, address) and self._fits_service(rule, port, protocol):
                return bool(rule["action"] == "ALLOW")
        return True

    def categories_of(self, target: Target) -> set[str]:
        """The categories that the target belongs to."""
        found, closest = self._closest(target)
        retained = closest is None or any(self._keeps_parent(row, target, closest) for row in found)
        names = {row["id"] for row in found} | self._by_address(target)
        if retained:
            names |= {name for known, name in DATABASE.items() if f".{target.host}".endswith(f".{known}")}
        return names

    # Categories

    def _closest(self, target: Target) -> tuple[list[Row], Closeness | None]:
        found = list(self._matches(target))
        if not found:
            return [], None
        best = max(close for close, _row in found)
        return [row for close, row in found if close == best], best

    def _matches(self, target: Target) -> Iterator[tuple[Closeness, Row]]:
        for row in self.config.rows("urlCategories"):
            for entry in [*row.get("urls", []), *row.get("dbCategorizedUrls", [])]:
                close = closeness(entry, target)
                if close is not None:
                    yield close, row

    def _keeps_parent(self, row: Row, target: Target, closest: Closeness) -> bool:
        return any(closeness(entry, target) == closest for entry in row.get("dbCategorizedUrls", []))

    def _by_address(self, target: Target) -> set[str]:
        address = _address(target.host)
        rows = self.config.rows("urlCategories") if address else []
        return {row["id"] for row in rows if address and _in_any(address, row.get("ipRanges", []))}

    def _listed(self, name: str, target: Target) -> bool:
        return any(closeness(entry, target) is not None for entry in self.config.urls(name))

    # Rules

    def _tls_rule(self, target: Target, client: Client) -> Row | None:
        return self._first("sslInspectionRules", target, client)

    def _url_rule(self, target: Target, seen_as: str, client: Client) -> Row | None:
        wanted = PROTOCOLS[seen_as] | {"ANY_RULE"}
        return self._first("urlFilteringRules", target, client, wanted)

    def _first(self, table: str, target: Target, client: Client, protocols: set[str] | None = None) -> Row | None:
        categories = self.categories_of(target)
        for rule in self._enabled(table):
            if protocols is not None and not protocols & set(rule["protocols"]):
                continue
            if rule.get("urlCategories") and not categories & set(rule["urlCategories"]):
                continue
            if self._fits_who(rule, client):
                return rule
        return None

    def _enabled(self, table: str) -> list[Row]:
        """In their order; the rule that Zscaler keeps for the rest (order -1) comes last."""
        rows = [row for row in self.config.rows(table) if row.get("state", "ENABLED") == "ENABLED"]
        rows = [row for row in rows if not any(row.get(name) for name in UNKNOWN)]
        return sorted(rows, key=lambda row: (row["order"] < 0, row["order"]))

    def _fits_who(self, rule: Row, client: Client) -> bool:
        """All conditions must hold; of one condition, any value. Groups and departments are one condition."""
        networks = [*rule.get("srcIps", []), *self._members(rule, "sourceIpGroups", "ipSourceGroups", "ipAddresses")]
        networks += self._members(rule, "srcIpGroups", "ipSourceGroups", "ipAddresses")
        if networks and not _in_any(_address(client.address), networks):
            return False
        if rule.get("locations") and client.location not in self._names(rule, "locations"):
            return False
        people = self._names(rule, "groups") | self._names(rule, "departments")
        return not people or bool(people & {*client.groups, client.department})

    def _fits_place(self, rule: Row, address: str) -> bool:
        places = list(rule.get("destAddresses", []))
        places += self._members(rule, "destIpGroups", "ipDestinationGroups", "addresses")
        return not places or _in_any(_address(address), places)

    def _fits_service(self, rule: Row, port: int, protocol: str) -> bool:
        """A service without ports of its own stands for all of its protocol."""
        services = [self.config.by_id("networkServices", item["id"]) or {} for item in rule.get("nwServices", [])]
        return not services or any(_serves(service, port, protocol) for service in services)

    def _names(self, rule: Row, table: str) -> set[str]:
        rows = [self.config.by_id(table, item["id"]) for item in rule.get(table, [])]
        return {row["name"] for row in rows if row}

    def _members(self, rule: Row, name: str, table: str, members: str) -> list[str]:
        rows = [self.config.by_id(table, item["id"]) for item in rule.get(name, [])]
        return [member for row in rows if row for member in row.get(members, [])]


def _serves(service: Row, port: int, protocol: str) -> bool:
    name = f"dest{protocol.capitalize()}Ports"
    if name not in service:
        return False
    ranges = service[name]
    if not ranges:
        return service.get("tag") == f"{protocol.upper()}_ANY"
    return any(int(one["start"]) <= port <= int(one.get("end", one["start"])) for one in ranges)


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _in_any(address: Any, places: list[str]) -> bool:
    return address is not None and any(_in(address, place) for place in places)


def _in(address: Any, place: str) -> bool:
    """*place* is an address, a network, or a range with a hyphen; a name is never met by an address."""
    first, hyphen, last = place.partition("-")
    if hyphen and _address(first) and _address(last):
        return bool(_address(first).version == address.version and _address(first) <= address <= _address(last))
    try:
        return address in ipaddress.ip_network(place, strict=False)
    except ValueError:
        return False
