# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of the configuration schema that is known here: what may stand where, and how long names may be.

The numbers and parts are those of the vendor's API browser as its SDKs carry them (pan-os-python, pango).
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.tests.emulators.panos.tree import Step

# By the table that an entry stands in.
LONGEST = {
    "address": 63, "address-group": 63, "service": 63, "custom-url-category": 31, "rules": 63, "zone": 31,
    "profile-group": 31,
}  # fmt: skip
_OBJECTS = {"address", "address-group", "service", "service-group", "profiles", "profile-group", "tag", "external-list",
            "application", "application-group", "log-settings", "authentication-object"}  # fmt: skip
_SCOPES = {
    "vsys": _OBJECTS | {"rulebase", "zone", "import", "display-name", "setting"},
    "device-group": _OBJECTS | {"pre-rulebase", "post-rulebase", "devices", "description"},
    "shared": _OBJECTS | {"pre-rulebase", "post-rulebase"},
}
_COMMON = {"from", "to", "source", "destination", "source-user", "category", "service", "description", "disabled",
           "tag", "negate-source", "negate-destination", "source-hip", "destination-hip", "group-tag",
           "target"}  # fmt: skip
_RULES = {
    "security": _COMMON | {"application", "action", "profile-setting", "log-setting", "log-start", "log-end",
                           "rule-type", "hip-profiles", "schedule", "icmp-unreachable", "option", "qos"},
    "decryption": _COMMON | {"action", "type", "profile", "log-success", "log-fail", "log-setting"},
    "authentication": _COMMON | {"authentication-enforcement", "timeout", "log-authentication-timeout", "log-setting",
                                 "hip-profiles"},
}  # fmt: skip
_PARTS = {
    "address": {"ip-netmask", "ip-range", "ip-wildcard", "fqdn", "description", "tag", "disable-override"},
    "address-group": {"static", "dynamic", "description", "tag", "disable-override"},
    "service": {"protocol", "description", "tag", "disable-override"},
    "custom-url-category": {"list", "type", "description", "disable-override"},
}


def scope_of(path: list[Step]) -> int:
    """How many steps lead to the vsys, device group or shared part; 0 for none."""
    for index, (tag, _name) in enumerate(path):
        if tag == "shared":
            return index + 1
        if tag in ("vsys", "device-group") and len(path) > index + 1:
            return index + 2
    return 0


def is_known(path: list[Step]) -> bool:
    """Whether the schema has such a place, as far as we look: the tables of a vsys, device group or shared."""
    at = scope_of(path)
    if not at or len(path) <= at:
        return True
    kind = "shared" if path[at - 1][0] == "shared" else path[at - 2][0]
    return path[at][0] in _SCOPES[kind]


def entry_of(path: list[Step]) -> list[Step]:
    """The entry of a table in which something lies; all of the path where there is none."""
    for index in range(1, len(path)):
        if path[index][0] == "entry" and path[index - 1][0] in (*LONGEST, "external-list", "service-group", "tag"):
            return path[: index + 1]
    return path


def entries_in(path: list[Step], given: Element) -> Iterator[list[Step]]:
    """The paths of the entries of tables that are written with *given* as the inside of what is at the path."""
    if entry_of(path)[-1][0] == "entry" and len(path) > scope_of(path):
        yield entry_of(path)
        return
    for one in given:
        inner = [*path, (one.tag, one.get("name"))]
        if len(one) and len(inner) > scope_of(inner) and entry_of(inner) == inner and inner[-1][0] != "entry":
            yield from entries_in(inner, one)
        else:
            yield entry_of(inner)


def unexpected(kind: str, rulebase: str, entry: Element) -> str:
    """The name of a part that an entry must not have, "" for none."""
    known = _RULES.get(rulebase) if kind == "rules" else _PARTS.get(kind)
    return "" if known is None else min(({one.tag for one in entry} - known), default="")
