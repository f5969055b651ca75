# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of FortiOS that this collection meets: their keys, the defaults of a row, and what a field refers to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
ADDRESSES = ("firewall/address", "firewall/addrgrp", "system/external-resource", "firewall/proxy-address")
ADDRESSES6 = ("firewall/address6", "firewall/addrgrp6", "system/external-resource")
_POLICY_DEFAULTS = {
    "status": "enable", "action": "deny", "nat": "disable", "logtraffic": "utm", "schedule": "", "comments": "",
    "utm-status": "disable", "inspection-mode": "flow", "profile-group": "", "av-profile": "", "webfilter-profile": "",
    "ips-sensor": "", "application-list": "", "ssl-ssh-profile": "no-inspection", "groups": [], "users": [],
    "fsso-groups": [], "srcaddr": [], "dstaddr": [], "srcaddr6": [], "dstaddr6": [], "service": [],
    "srcaddr-negate": "disable", "dstaddr-negate": "disable", "service-negate": "disable",
    "internet-service": "disable", "uuid": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip
_POLICY_REFERS = {
    "srcaddr": ADDRESSES, "dstaddr": ADDRESSES, "srcaddr6": ADDRESSES6, "dstaddr6": ADDRESSES6,
    "service": ("firewall.service/custom", "firewall.service/group"), "srcintf": ("system/interface", "system/zone"),
    "dstintf": ("system/interface", "system/zone"), "groups": ("user/group",),
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    key: str = "name"
    longest: int = 79  # of a name
    defaults: Mapping[str, Any] = field(default_factory=dict)
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comment: int = 255
    ordered: bool = False
    number: bool = False  # keys are numbers, given by the appliance
    single: bool = False


TABLES: dict[str, Table] = {
    "system/external-resource": Table(
        longest=35,
        defaults={"status": "enable", "type": "category", "update-method": "feed", "comments": "", "resource": "",
                  "refresh-rate": 5, "server-identity-check": "none", "uuid": "0"},
        choices={"type": ("category", "address", "domain", "malware", "url"), "update-method": ("feed", "push")},
    ),
    "firewall/address": Table(
        defaults={"type": "ipmask", "subnet": "0.0.0.0 0.0.0.0", "comment": "", "uuid": "0", "color": 0,
                  "associated-interface": "", "allow-routing": "disable", "fabric-object": "disable"},
        choices={"type": ("ipmask", "iprange", "fqdn", "geography", "dynamic", "interface-subnet", "mac")},
    ),
    "firewall/address6": Table(defaults={"type": "ipprefix", "ip6": "::/0", "comment": "", "uuid": "0", "color": 0}),
    "firewall/addrgrp": Table(defaults={"comment": "", "member": []}, refers={"member": ADDRESSES}),
    "firewall/addrgrp6": Table(defaults={"comment": "", "member": []}, refers={"member": ADDRESSES6}),
    "firewall.service/custom": Table(
        defaults={"protocol": "TCP/UDP/SCTP", "tcp-portrange": "", "udp-portrange": "", "comment": "",
                  "proxy": "disable", "category": "", "visibility": "enable"},
    ),
    "firewall/proxy-address": Table(
        longest=35,
        defaults={"type": "url", "host": "", "category": [], "comment": "", "uuid": "0"}, refers={"host": ADDRESSES},
        choices={"type": ("host-regex", "url", "category", "method", "ua", "header", "src-advanced", "dst-advanced")},
    ),
    "webfilter/urlfilter": Table("id", 63, defaults={"comment": "", "entries": [], "one-arm-ips-urlfilter": "disable"},
                                 number=True),
    "firewall/policy": Table("policyid", 35, _POLICY_DEFAULTS, _POLICY_REFERS, {"action": ("accept", "deny", "ipsec")},
                             1023, ordered=True, number=True),
    "firewall/proxy-policy": Table(
        "policyid", 35, {**_POLICY_DEFAULTS, "proxy": "", "nat": None}, {**_POLICY_REFERS, "service": ()},
        {"action": ("accept", "deny", "redirect"), "proxy": ("explicit-web", "transparent-web", "ftp", "ssh")}, 1023,
        ordered=True, number=True,
    ),
    "authentication/rule": Table(
        longest=35,
        defaults={"status": "enable", "protocol": "http", "srcaddr": [], "dstaddr": [], "srcaddr6": [],
                  "active-auth-method": "", "sso-auth-method": "", "ip-based": "enable", "comments": ""},
        refers={"srcaddr": ADDRESSES, "dstaddr": ADDRESSES, "srcaddr6": ADDRESSES6}, comment=1023, ordered=True,
    ),
    "webfilter/profile": Table(longest=47, defaults={"comment": "", "feature-set": "flow"}),
    "firewall/ssl-ssh-profile": Table(longest=47, defaults={"comment": "", "ssl-exempt": []}),
    "system/interface": Table(longest=15), "system/zone": Table(longest=35), "user/group": Table(longest=35),
    "firewall.service/group": Table(),
    "system/central-management": Table(single=True, defaults={"type": "none", "fmg": "", "mode": "normal"}),
}  # fmt: skip


def site() -> dict[str, list[Row]]:
    """What the company has configured before anybody runs this collection."""
    def named(*names: str) -> list[Row]:
        return [{"name": name} for name in names]

    everything = {"srcaddr": named("all"), "schedule": "always"}
    inside = {"srcintf": named("lan"), "dstintf": named("wan1")}
    return {
        "system/interface": named("lan", "wan1", "guest", "any"),
        "user/group": named("Staff"),
        "firewall/address": [{"name": "all"}, {"name": "none", "subnet": "0.0.0.0 255.255.255.255"},
                             {"name": "Desktops", "subnet": "10.20.0.0 255.255.0.0"},
                             {"name": "Card terminals", "subnet": "198.51.100.10 255.255.255.255"}],
        "firewall/address6": [{"name": "all"}],
        "firewall/addrgrp": [{"name": "Clients", "member": named("Desktops")}],
        "firewall.service/custom": [{"name": "ALL"}, {"name": "HTTP", "tcp-portrange": "80"},
                                    {"name": "HTTPS", "tcp-portrange": "443"}],
        "system/external-resource": [
            {"name": "threats", "type": "category", "category": 193, "resource": "https://t.example/x"}],
        "webfilter/profile": [
            {"name": "corporate", "feature-set": "proxy", "web": {"urlfilter-table": 0, "blocklist": "disable"},
             "ftgd-wf": {"options": "", "filters": [{"id": 1, "category": 26, "action": "block", "log": "enable"},
                                                    {"id": 7, "category": 193, "action": "block", "log": "enable"}]}},
            {"name": "default", "web": {"urlfilter-table": 0}, "ftgd-wf": {"filters": []}}],
        "firewall/ssl-ssh-profile": [
            {"name": "deep-inspection-own", "ssl-exempt": [
                {"id": 1, "type": "fortiguard-category", "fortiguard-category": 31},
                {"id": 2, "type": "address", "address": "Card terminals"}]},
            {"name": "no-inspection", "ssl-exempt": []}],
        "firewall/policy": [
            {"policyid": 3, "name": "Card payments", "action": "accept", "service": named("HTTPS"), **everything,
             **inside, "dstaddr": named("Card terminals"), "status": "enable"},
            {"policyid": 1, "name": "Staff to the web", "action": "accept", "service": named("ALL"), **everything,
             **inside, "dstaddr": named("all"), "utm-status": "enable", "webfilter-profile": "corporate",
             "groups": named("Staff")},
            {"policyid": 12, "action": "deny", "service": named("ALL"), **everything, **inside,
             "dstaddr": named("all")}],
        "firewall/proxy-policy": [
            {"policyid": 1, "name": "Web for staff", "proxy": "explicit-web", "action": "accept", **everything,
             "dstintf": named("wan1"), "dstaddr": named("all"), "groups": named("Staff"),
             "service": named("webproxy")}],
        "authentication/rule": [{"name": "log in", "srcaddr": named("all"), "active-auth-method": "form"}],
        "system/central-management": [{}],
    }  # fmt: skip
