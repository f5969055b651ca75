# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PAN-OS refuses: names, lengths, references to what is not there, and the deletion of what is in use.

Answers are several lines that begin with a blank, as in the reports of users of the vendor's SDKs.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.tests.emulators.panos import predefined, schema, urls
from ansible_collections.egress.allowlist.tests.emulators.panos.tree import Step, child, find

ANY = "any"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]*")
_ACTIONS = {
    "security": ("allow", "deny", "drop", "reset-both", "reset-client", "reset-server"),
    "decryption": ("no-decrypt", "decrypt", "decrypt-and-forward"),
}
_NEEDED = {
    "security": ("from", "to", "source", "destination", "service", "application", "action"),
    "decryption": ("from", "to", "source", "destination", "action"),
    "authentication": ("from", "to", "source", "destination", "authentication-enforcement"),
}
MOST_MEMBERS = 25_000  # custom URL list entries of the larger models; the small ones know fewer. Unverified


def invalid(root: Element, path: list[Step], entry: Element) -> str:
    """Why an entry of a table is not accepted, "" if it is."""
    if len(path) < 2 or path[-1][0] != "entry" or path[-2][0] not in schema.LONGEST:
        return ""
    kind, name = path[-2][0], entry.get("name", "")
    rulebase = path[-3][0] if kind == "rules" else ""
    strange = schema.unexpected(kind, rulebase, entry)
    text = _long(kind, name, entry) or (f"{strange} unexpected here" if strange else "")
    if text:
        return f" {name} {text}" if text.startswith("can be") else f" {name} -> {text}\n {name} is invalid"
    return _content(root, path, kind, rulebase, entry)


def _long(kind: str, name: str, entry: Element) -> str:
    longest = schema.LONGEST[kind]
    if len(name) > longest:
        return f"can be at most {longest} characters, but current length: {len(name)}"
    if not _NAME.fullmatch(name):
        return f"name '{name}' is invalid"
    description, most = entry.findtext("description") or "", 1024 if kind == "rules" else 1023
    if len(description) > most:
        return f"description can be at most {most} characters, but current length: {len(description)}"
    return ""


def _content(root: Element, path: list[Step], kind: str, rulebase: str, entry: Element) -> str:
    name = entry.get("name")
    checker: dict[str, Callable[[Element], str]] = {
        "custom-url-category": _category, "address": _address, "service": _service}  # fmt: skip
    here = find(root, path[: schema.scope_of(path)])
    if kind in checker:
        wrong = checker[kind](entry)
    elif here is not None and kind == "rules":
        wrong = _rule(Scopes(root, here), rulebase, entry)
    else:
        wrong = _group(Scopes(root, here), entry) if here is not None and kind == "address-group" else ""
    tag = wrong.partition(" ")[0]
    return f" {name} -> {wrong}\n {name} -> {tag} is invalid" if wrong else ""


def _category(entry: Element) -> str:
    texts = [member.text or "" for member in entry.findall("list/member")]
    kind = entry.findtext("type") or ""
    if kind not in ("URL List", "Category Match", ""):
        return f"type '{kind}' is not an allowed keyword"
    if texts and not kind:
        return f"list '{texts[0]}' is invalid. custom-url-category entry has to be type specified"
    if len(texts) > MOST_MEMBERS:
        return f"list can have at most {MOST_MEMBERS} members"
    if kind == "URL List":
        for text in texts:
            if urls.refused(text):
                return f"list '{text}' is invalid. {urls.refused(text)}"
    twice = [text for text in texts if texts.count(text) > 1] if len(set(texts)) < len(texts) else []
    return f"list '{twice[0]}' is a duplicate node" if twice else ""


def _address(entry: Element) -> str:
    kinds = [one.tag for one in entry if one.tag in ("ip-netmask", "ip-range", "fqdn", "ip-wildcard")]
    if len(kinds) != 1:
        return "ip-netmask is missing" if not kinds else f"{kinds[1]} unexpected here"
    text = entry.findtext(kinds[0]) or ""
    return f"{kinds[0]} {text} is an invalid ipv4/v6 address" if kinds == ["ip-netmask"] and not _is_ip(text) else ""


def _service(entry: Element) -> str:
    port = entry.findtext("protocol/tcp/port") or entry.findtext("protocol/udp/port") or ""
    right = re.fullmatch(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", port) and len(port) <= 1023
    in_range = right and all(int(number) <= 65535 for number in re.findall("[0-9]+", port))
    return "" if in_range else f"protocol port '{port}' is invalid"


def _is_ip(text: str) -> bool:
    try:
        return bool(ipaddress.ip_interface(text))
    except ValueError:
        return False


class Scopes:
    """Where a name of a vsys or device group is looked up: there, then in what all share."""

    def __init__(self, root: Element, here: Element) -> None:
        shared = child(root, "shared", None)
        self.places = [here, *([shared] if shared is not None and shared is not here else [])]

    def has(self, name: str, *kinds: str) -> bool:
        return any(one.get("name") == name for place in self.places for kind in kinds for one in table(place, kind))

    def knows(self, tag: str, text: str) -> bool:
        """Whether a member of a rule or group means something."""
        if tag in ("source", "destination", "static"):
            return text == ANY or _is_ip(text) or self.has(text, "address", "address-group", "external-list")
        if tag == "service":
            return text in predefined.SERVICES or self.has(text, "service", "service-group")
        own = self.has(text, "custom-url-category", "external-list")
        return text == ANY or text in predefined.URL_CATEGORIES or own


def _group(scopes: Scopes, entry: Element) -> str:
    if (child(entry, "static", None) is None) == (child(entry, "dynamic", None) is None):
        return "static is missing"
    return _unknown(scopes, entry, "static")


def _unknown(scopes: Scopes, entry: Element, tag: str) -> str:
    texts = [member.text or "" for member in entry.findall(f"{tag}/member")]
    wrong = next((text for text in texts if not scopes.knows(tag, text)), None)
    return "" if wrong is None else f"{tag} '{wrong}' is not a valid reference"


def _rule(scopes: Scopes, kind: str, entry: Element) -> str:
    missing = set(_NEEDED[kind]) - {one.tag for one in entry}
    if missing:
        return f"{min(missing)} is missing"
    action = entry.findtext("action")
    if kind in _ACTIONS and action not in _ACTIONS[kind]:
        return f"action '{action}' is not an allowed keyword"
    return _rule_lists(scopes, entry) or _rule_names(scopes, kind, entry)


def _rule_lists(scopes: Scopes, entry: Element) -> str:
    for tag in ("from", "to", "source", "destination", "service", "category"):
        texts = [member.text for member in entry.findall(f"{tag}/member")]
        if not texts and child(entry, tag, None) is not None:
            return f"{tag} is missing a member"
        if ANY in texts and len(texts) > 1:
            return f"{tag} '{ANY}' cannot be used with other members"
        if tag not in ("from", "to") and _unknown(scopes, entry, tag):
            return _unknown(scopes, entry, tag)
    return ""


def _rule_names(scopes: Scopes, kind: str, entry: Element) -> str:
    for member in entry.findall("profile-setting/group/member"):
        if not scopes.has(member.text or "", "profile-group"):
            return f"profile-setting -> group '{member.text}' is not a valid reference"
    enforcement = entry.findtext("authentication-enforcement") or ""
    known = enforcement in predefined.ENFORCEMENTS or scopes.has(enforcement, "authentication-object")
    if kind == "authentication" and not known:
        return f"authentication-enforcement '{enforcement}' is not a valid reference"
    return ""


def table(place: Element, kind: str) -> Iterator[Element]:
    found = place.find(f"profiles/{kind}" if kind == "custom-url-category" else kind)
    return iter(found if found is not None else ())


_USED_AS = {
    "address": ("source", "destination", "static"), "address-group": ("source", "destination", "static"),
    "service": ("service", "members"), "custom-url-category": ("category",), "zone": ("from", "to"),
    "profile-group": ("profile-setting/group",),
}  # fmt: skip


def users(root: Element, path: list[Step]) -> list[str]:
    """Who refers to an entry that is to be deleted; for one that all share, everywhere."""
    kind, name = (path[-2][0], path[-1][1]) if len(path) > 1 else ("", None)
    at = schema.scope_of(path)
    here = root if at and path[at - 1][0] == "shared" else find(root, path[:at])
    if here is None or kind not in _USED_AS or path[-1][0] != "entry":
        return []
    return [
        f" {label} -> {holder.get('name')} -> {tag.replace('/', ' -> ')}"
        for label, holder in _holders(here) for tag in _USED_AS[kind]
        if any(member.text == name for member in holder.findall(f"{tag}/member"))
    ]


def _holders(here: Element) -> Iterator[tuple[str, Element]]:
    for label in ("address-group", "service-group"):
        yield from ((label, one) for one in here.iterfind(f".//{label}/entry"))
    for kind in _NEEDED:
        yield from ((f"{kind} -> rules", one) for one in here.iterfind(f".//{kind}/rules/entry"))


def at_commit(root: Element) -> list[str]:
    """What the validation of a commit finds: all that is refused when it is written, and zones that are not there."""
    found: list[str] = []
    for tag in ("vsys", "device-group"):
        for place in root.iterfind(f"devices/entry/{tag}/entry"):
            scope = [("devices", None), ("entry", None), (tag, None), ("entry", place.get("name"))]
            found += [line for path, entry in _entries(place, scope) for line in invalid(root, path, entry).split("\n")]
            found += _zones(place) if tag == "vsys" else []
    return [line for line in found if line]


def _entries(place: Element, scope: list[Step]) -> Iterator[tuple[list[Step], Element]]:
    for kind in ("address-group", "address", "service", "custom-url-category"):
        for one in table(place, kind):
            yield [*scope, (kind, None), ("entry", one.get("name"))], one
    for base in ("rulebase", "pre-rulebase", "post-rulebase"):
        for kind in _NEEDED:
            for one in place.iterfind(f"{base}/{kind}/rules/entry"):
                yield [*scope, (base, None), (kind, None), ("rules", None), ("entry", one.get("name"))], one


def _zones(vsys: Element) -> Iterator[str]:
    known = {ANY, "multicast", *(one.get("name") for one in table(vsys, "zone"))}
    for rule in vsys.iterfind("rulebase/*/rules/entry"):
        for tag in ("from", "to"):
            for member in rule.findall(f"{tag}/member"):
                if member.text not in known:
                    yield f" rulebase -> rules -> {rule.get('name')} -> {tag} '{member.text}' is not a valid reference"
