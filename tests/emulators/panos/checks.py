# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PAN-OS refuses: names, lengths, references to what is not there, and the deletion of what is in use."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.tests.emulators.panos.tree import child, find

CONTAINERS = ("address", "address-group", "service", "custom-url-category", "rules", "zone", "profile-group")
LONGEST = {"address": 63, "address-group": 63, "service": 63, "custom-url-category": 31, "rules": 63}
PREDEFINED_SERVICES = ("service-http", "service-https")
ANY = "any"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*")
_RULE_PARTS = {
    "security": {"from", "to", "source", "destination", "source-user", "category", "service", "application", "action",
                 "description", "disabled", "profile-setting", "log-setting", "log-start", "log-end", "tag",
                 "negate-source", "negate-destination", "rule-type", "hip-profiles", "source-hip", "destination-hip"},
    "decryption": {"from", "to", "source", "destination", "source-user", "category", "service", "action", "type",
                   "description", "disabled", "profile", "tag", "negate-source", "negate-destination", "log-success",
                   "log-fail", "source-hip", "destination-hip"},
    "authentication": {"from", "to", "source", "destination", "source-user", "category", "service", "description",
                       "authentication-enforcement", "disabled", "tag", "negate-source", "negate-destination",
                       "source-hip", "destination-hip", "timeout", "log-authentication-timeout"},
}  # fmt: skip
_REFERENCES = {
    "category": ("custom-url-category", "external-list"),
    "service": ("service", "service-group"),
    "source": ("address", "address-group"),
    "destination": ("address", "address-group"),
}
_NEEDED = ("from", "to", "source", "destination", "service")


def scope(root: Element, path: list[tuple[str, str | None]]) -> Element | None:
    """The vsys, device group or shared part in which an entry lies."""
    at = max((index for index, (tag, _name) in enumerate(path) if tag in ("vsys", "device-group", "shared")), default=0)
    return find(root, path[: at + (1 if path[at][0] == "shared" else 2)])


def invalid(root: Element, path: list[tuple[str, str | None]], entry: Element) -> str:
    """Why an entry is not accepted, "" if it is."""
    if len(path) < 2 or path[-1][0] != "entry":
        return ""
    kind, name = path[-2][0], entry.get("name", "")
    if kind in LONGEST and (len(name) > LONGEST[kind] or not _NAME.fullmatch(name)):
        return f"{kind} -> {name} is invalid. {name!r} is not a valid name (at most {LONGEST[kind]} characters)"
    description = entry.findtext("description") or ""
    if len(description) > (1024 if kind == "rules" else 255):
        return f"{name} -> description can be at most 255 characters, but current length: {len(description)}"
    here = scope(root, path)
    if here is None:
        return f"{name} is in no vsys"
    if kind == "rules":
        return _rule(here, root, path[-3][0], entry)
    checker = {"custom-url-category": _category, "address": _address, "service": _service}.get(kind)
    return checker(entry) if checker else _group(here, root, entry) if kind == "address-group" else ""


def _category(entry: Element) -> str:
    if (entry.findtext("type") or "") not in ("URL List", "Category Match"):
        return f"{entry.get('name')} -> type is missing or invalid"
    for member in entry.findall("list/member"):
        wrong = url_member(member.text or "")
        if wrong:
            return f"{entry.get('name')} -> list {member.text!r} is invalid. {wrong}"
    if len(entry.findall("list/member")) > 25_000:
        return "list can have at most 25000 members"
    texts = [member.text for member in entry.findall("list/member")]
    return f"{entry.get('name')} -> list is a duplicate node" if len(set(texts)) != len(texts) else ""


def url_member(text: str) -> str:
    """Why a line of a URL list is refused, by the vendor's guidelines for URL category exceptions."""
    if not text or len(text) > 255:
        return f"length must be from 1 to 255, got {len(text)}"
    if "://" in text or re.search(r"[\s\"'<>]", text):
        return "a scheme, blank or quote"
    for token in re.split(r"[./?&=;+]", text):
        if token not in ("*", "^") and ("*" in token or "^" in token):
            return f"a wildcard must be the only character of its token, got {token!r}"
    return "*.* is not supported" if "*.*" in text else ""


def _address(entry: Element) -> str:
    kinds = [one.tag for one in entry if one.tag in ("ip-netmask", "ip-range", "fqdn")]
    if len(kinds) != 1:
        return f"{entry.get('name')} -> expected one of ip-netmask, ip-range, fqdn"
    if kinds == ["ip-netmask"]:
        try:
            ipaddress.ip_interface(entry.findtext("ip-netmask") or "")
        except ValueError:
            return f"{entry.get('name')} -> ip-netmask is not a valid address"
    return ""


def _service(entry: Element) -> str:
    port = entry.findtext("protocol/tcp/port") or entry.findtext("protocol/udp/port") or ""
    right = re.fullmatch(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", port) and len(port) <= 1023
    return "" if right else f"{entry.get('name')} -> port {port!r} is invalid"


def _group(here: Element, root: Element, entry: Element) -> str:
    if (child(entry, "static", None) is None) == (child(entry, "dynamic", None) is None):
        return f"{entry.get('name')} -> expected static or dynamic"
    kinds = ("address", "address-group")
    unknown = [m.text for m in entry.findall("static/member") if not _known(here, root, kinds, m)]
    return f"{entry.get('name')} -> static {unknown[0]!r} is not a valid reference" if unknown else ""


def _rule(here: Element, root: Element, kind: str, entry: Element) -> str:
    name = entry.get("name")
    parts = {one.tag for one in entry}
    if parts - _RULE_PARTS[kind]:
        return f"rules -> {name} -> {min(parts - _RULE_PARTS[kind])} is not a valid node"
    if set(_NEEDED) - parts:
        return f"rules -> {name} is missing {min(set(_NEEDED) - parts)!r}"
    if kind == "security" and entry.findtext("action") not in ("allow", "deny", "drop", "reset-both"):
        return f"rules -> {name} -> action is invalid"
    if kind == "decryption" and entry.findtext("action") not in ("no-decrypt", "decrypt", "decrypt-and-forward"):
        return f"rules -> {name} -> action is invalid"
    for tag, kinds in _REFERENCES.items():
        texts = [member.text for member in entry.findall(f"{tag}/member")]
        if not texts or (ANY in texts and len(texts) > 1):
            return f"rules -> {name} -> {tag} is invalid: {'empty' if not texts else 'any stands alone'}"
        for member in entry.findall(f"{tag}/member"):
            if not _known(here, root, kinds, member):
                return f"rules -> {name} -> {tag} {member.text!r} is not a valid reference"
    return ""


def _known(here: Element, root: Element, kinds: tuple[str, ...], member: Element) -> bool:
    text = member.text or ""
    if text in (ANY, "application-default", *PREDEFINED_SERVICES):
        return True
    if "address" in kinds:
        try:
            return bool(ipaddress.ip_interface(text))
        except ValueError:
            pass
    if "custom-url-category" in kinds and re.fullmatch(r"[a-z-]+", text):
        return True  # one of the vendor's own categories
    scopes = [here, *([shared] if (shared := child(root, "shared", None)) is not None else [])]
    return any(one.get("name") == text for place in scopes for kind in kinds for one in _table(place, kind))


def _table(place: Element, kind: str) -> Iterator[Element]:
    found = place.find(f"profiles/{kind}" if kind == "custom-url-category" else kind)
    return iter(found if found is not None else ())


def users(root: Element, path: list[tuple[str, str | None]]) -> list[str]:
    """Who refers to an entry that is to be deleted."""
    kind, name = (path[-2][0], path[-1][1]) if len(path) > 1 else ("", None)
    here = scope(root, path)
    if here is None or kind not in ("address", "address-group", "service", "custom-url-category"):
        return []
    tags = {"address": ("source", "destination", "static"), "address-group": ("source", "destination", "static"),
            "service": ("service",), "custom-url-category": ("category",)}[kind]  # fmt: skip
    holders = [*here.iterfind(".//rules/entry"), *_table(here, "address-group")]
    return [
        f"{holder.get('name')} -> {tag}" for holder in holders for tag in tags
        if any(member.text == name for member in holder.findall(f"{tag}/member"))
    ]


def at_commit(root: Element) -> list[str]:
    """What a commit finds: references that only then are looked at."""
    found = []
    for vsys in root.iterfind("devices/entry/vsys/entry"):
        zones = {ANY, *(one.get("name") for one in _table(vsys, "zone"))}
        groups = {one.get("name") for one in _table(vsys, "profile-group")}
        for rule in vsys.iterfind(".//rules/entry"):
            named = [m.text for tag in ("from", "to") for m in rule.findall(f"{tag}/member")]
            found += [f"rules -> {rule.get('name')} -> {zone!r} is not a valid reference" for zone in named
                      if zone not in zones]  # fmt: skip
            found += [f"rules -> {rule.get('name')} -> profile group {m.text!r} is not a valid reference"
                      for m in rule.findall("profile-setting/group/member") if m.text not in groups]  # fmt: skip
    return found
