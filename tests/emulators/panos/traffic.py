# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a client's request under a policy: the first rule that matches decides, in each of three rulebases.

As the administrator's guide describes it: no decryption rule, no decryption; no authentication rule, no authentication;
no security rule, no way from one zone to another. What is not decrypted has no path that a URL list could see.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.tests.emulators.panos import urls

ANY = "any"
_PORTS = {"service-http": (("tcp", "80,8080"),), "service-https": (("tcp", "443"),)}
_USUAL = {"http": 80, "https": 443}
_WEB = {"http": "web-browsing", "https": "ssl"}


@dataclass(frozen=True)
class Flow:
    name: str  # of the server
    port: int = 443
    client: str = "10.20.0.5"
    path: str = "/"
    server: str = ""  # its address, where a rule may ask for that
    protocol: str = "tcp"
    zones: tuple[str, str] = ("trust", "untrust")

    @property
    def scheme(self) -> str:
        return "http" if self.port in (80, 8080) else "https"


@dataclass(frozen=True)
class Verdict:
    """*rules*: the names of the security, decryption and authentication rules that decided, "" for none."""

    allowed: bool
    decrypted: bool
    authenticated: bool
    inspected: bool  # by security profiles
    rules: tuple[str, str, str]


class Policy:
    """*place*: a vsys, or what a firewall has of a device group; *shared*: what all share."""

    def __init__(self, place: Element, shared: Element | None, append_ending_token: bool) -> None:
        self._scopes = [place, *([shared] if shared is not None else [])]
        self._place = place
        self._append = append_ending_token

    def verdict(self, flow: Flow) -> Verdict:
        decryption = self._first("decryption", flow, "/")
        decrypted = decryption is not None and decryption.findtext("action") != "no-decrypt"
        path = flow.path if decrypted or flow.scheme == "http" else "/"
        authentication = self._first("authentication", flow, path)
        enforcement = "" if authentication is None else authentication.findtext("authentication-enforcement") or ""
        security = self._first("security", flow, path)
        return Verdict(
            security is not None and security.findtext("action") == "allow",
            decrypted,
            enforcement not in ("", "default-no-captive-portal"),
            security is not None and security.find("profile-setting") is not None,
            (_name(security), _name(decryption), _name(authentication)),
        )

    def _first(self, kind: str, flow: Flow, path: str) -> Element | None:
        for base in ("pre-rulebase", "rulebase", "post-rulebase"):
            for rule in self._place.iterfind(f"{base}/{kind}/rules/entry"):
                if rule.findtext("disabled") != "yes" and self._does_match(rule, flow, path):
                    return rule
        return None

    def _does_match(self, rule: Element, flow: Flow, path: str) -> bool:
        names = {tag: _members(rule, tag) for tag in ("from", "to", "category", "service", "application")}
        return (
            all(not {ANY, zone}.isdisjoint(names[tag]) for tag, zone in zip(("from", "to"), flow.zones, strict=True))
            and ANY in _members(rule, "source-user", ANY)
            and self._is_from(rule, "source", flow.client)
            and self._is_from(rule, "destination", flow.server)
            and not {ANY, _WEB[flow.scheme], ""}.isdisjoint(names["application"] or {""})
            and any(self._serves(one, flow) for one in names["service"])
            and any(one == ANY or self._lists(one, flow.name, path) for one in names["category"])
        )

    def _is_from(self, rule: Element, tag: str, address: str) -> bool:
        found = any(self._has(one, address) for one in _members(rule, tag))
        return found != (rule.findtext(f"negate-{tag}") == "yes")

    def _has(self, name: str, address: str) -> bool:
        """Whether an address is in what a member of a rule or group names."""
        if name == ANY or not address:
            return name == ANY
        group = self._object("address-group", name)
        if group is not None:
            return any(self._has(one, address) for one in _members(group, "static"))
        entry = self._object("address", name)
        text = name if entry is None else entry.findtext("ip-netmask") or entry.findtext("ip-range") or ""
        return _within(text, address)

    def _serves(self, name: str, flow: Flow) -> bool:
        if name == ANY:
            return True
        if name == "application-default":
            return flow.port == _USUAL[flow.scheme]
        found = self._object("service", name)
        ports = _PORTS.get(name) if found is None else tuple(
            (one.tag, one.findtext("port") or "") for one in found.iterfind("protocol/*"))  # fmt: skip
        return any(protocol == flow.protocol and _has_port(text, flow.port) for protocol, text in ports or ())

    def _lists(self, category: str, name: str, path: str) -> bool:
        found = self._object("profiles/custom-url-category", category)
        if found is None or (found.findtext("type") or "URL List") != "URL List":
            return False
        return any(urls.matches(line, name, path, self._append) for line in _members(found, "list"))

    def _object(self, table: str, name: str) -> Element | None:
        for scope in self._scopes:
            for one in scope.iterfind(f"{table}/entry"):
                if one.get("name") == name:
                    return one
        return None


def _members(entry: Element, tag: str, usual: str = "") -> set[str]:
    found = {one.text or "" for one in entry.iterfind(f"{tag}/member")}
    return found or ({usual} if usual else set())


def _name(rule: Element | None) -> str:
    return "" if rule is None else rule.get("name") or ""


def _within(text: str, address: str) -> bool:
    try:
        if "-" in text:
            first, last = (ipaddress.ip_address(one) for one in text.split("-"))
            return int(first) <= int(ipaddress.ip_address(address)) <= int(last)
        return ipaddress.ip_address(address) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False


def _has_port(text: str, port: int) -> bool:
    return any(low <= port <= high for low, high in _ranges(text))


def _ranges(text: str) -> Iterator[tuple[int, int]]:
    for part in text.split(","):
        low, dash, high = part.partition("-")
        yield int(low), int(high if dash else low)
