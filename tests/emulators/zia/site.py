# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An organisation to start with: its own rules, categories, places and groups, none of them ours. Data."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.zia.kinds import FIREWALL_RULES, MODIFIED
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import CUSTOM_VALUE, Row, Tenant

BY_ZSCALER = "created during the company creation"
PREDEFINED = (
    ("OTHER_ADULT_MATERIAL", "ADULT_MATERIAL"),
    ("GAMBLING", "GAMBLING"),
    ("FILE_HOST", "INFORMATION_TECHNOLOGY"),
    ("GLOBAL_INT_GBL_SSL_BYPASS", "INTERNAL"),
    ("GLOBAL_INT_OFC_SSL_BYPASS", "INTERNAL"),
)
CUSTOM = (
    ("Partner portals", [".fabrikam.example", "portal.tailspin.example/orders/"], "Purchasing, ticket 4711"),
    ("Blocked by security", [".evil.example", "paste.example"], ""),
)
SERVICES: tuple[tuple[str, Sequence[int] | None, Sequence[int] | None], ...] = (
    ("ICMP_ANY", None, None), ("TCP_ANY", (), None), ("UDP_ANY", None, ()), ("DNS", (53,), (53,)),
    ("HTTP", (80,), None), ("HTTPS", (443,), None),
)  # fmt: skip
NAMED = {
    "locations": ("Headquarters", "Branch Oslo", "Guest Wifi"),
    "groups": ("Managed desktops", "Finance", "Service Admin"),
    "departments": ("Engineering", "Sales"),
}
LOCATION = {
    "nonEditable": False, "parentId": 0, "country": "NORWAY", "language": "NONE", "tz": "EUROPE_OSLO",
    "authRequired": True, "ofwEnabled": True, "profile": "CORPORATE",
}  # fmt: skip
SOURCES = (("Desktops", ["10.20.0.0/16"]), ("Servers", ["10.30.0.0/16", "10.31.0.5"]))


def site() -> Tenant:
    """The same organisation each time; all of it is in force."""
    tenant = Tenant()
    config = tenant.saved
    for number, (name, parent) in enumerate(PREDEFINED, start=1):
        config.rows("urlCategories").append(_category(name, number, superCategory=parent))
    for number, (name, urls, description) in enumerate(CUSTOM, start=1):
        row = _category(f"CUSTOM_{number:02}", number + CUSTOM_VALUE, configuredName=name, superCategory="USER_DEFINED")
        config.rows("urlCategories").append({**row, "customCategory": True, "urls": urls, "description": description})
    for table, names in NAMED.items():
        rows = [{"id": tenant.new_id(), "name": name, **(LOCATION if table == "locations" else {})} for name in names]
        config.rows(table).extend(rows)
    for name, addresses in SOURCES:
        config.rows("ipSourceGroups").append({"id": tenant.new_id(), "name": name, "ipAddresses": addresses})
    config.rows("networkServices").extend(_service(tenant.new_id(), *service) for service in SERVICES)
    config.rows("ipDestinationGroups").append(
        {"id": tenant.new_id(), "name": "Payment", "type": "DSTN_IP", "addresses": ["198.51.100.10"],
         "description": "Card terminals"}
    )  # fmt: skip
    config.rows("urlFilteringRules").extend(_url_rules(tenant))
    config.rows("sslInspectionRules").extend(_tls_rules(tenant))
    config.rows("firewallFilteringRules").extend(_firewall_rules(tenant))
    config.urls("exemptedUrls").update({".sso.contoso.example", "status.contoso.example"})
    tenant.saved, tenant.in_force = copy.deepcopy(config), copy.deepcopy(config)
    return tenant


def _category(name: str, value: int, **more: str) -> Row:
    return {"id": name, "val": value, "type": "URL_CATEGORY", "customCategory": False, **more}


def _service(number: int, name: str, tcp: Sequence[int] | None, udp: Sequence[int] | None) -> Row:
    row: Row = {"id": number, "name": name, "tag": name, "type": "PREDEFINED", "description": f"{name}_DESC"}
    for protocol, ports in (("Tcp", tcp), ("Udp", udp)):
        if ports is not None:
            row |= {f"src{protocol}Ports": [], f"dest{protocol}Ports": [{"start": port} for port in ports]}
    return {**row, "creatorContext": "ZIA", "isNameL10nTag": True, "builtin": True}


def _id(tenant: Tenant, table: str, name: str) -> Row:
    return next({"id": row["id"]} for row in tenant.saved.rows(table) if row["name"] == name)


def _url_rules(tenant: Tenant) -> list[Row]:
    usual = {"rank": 7, "state": "ENABLED", "protocols": ["ANY_RULE"]}
    rules: list[Row] = [
        {"name": "Security blocks", "urlCategories": ["CUSTOM_02", "GAMBLING"], "action": "BLOCK"},
        {"name": "Partners", "urlCategories": ["CUSTOM_01"], "action": "ALLOW"},
        {"name": "No file sharing", "urlCategories": ["FILE_HOST"], "action": "BLOCK",
         "departments": [_id(tenant, "departments", "Sales")]},
        {"name": "Guests", "action": "ALLOW", "locations": [_id(tenant, "locations", "Guest Wifi")]},
        {"name": "All else", "action": "BLOCK"},
    ]  # fmt: skip
    return [{"id": tenant.new_id(), "order": order, **usual, **rule} for order, rule in enumerate(rules, start=1)]


def _tls_rules(tenant: Tenant) -> list[Row]:
    def untouched(bypass: bool, **more: Any) -> Row:
        inner = {"bypassOtherPolicies": bypass, "ocspCheck": False, "blockSslTrafficWithNoSniEnabled": False, **more}
        return {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": inner, **shown}

    shown = {"showEUN": False, "showEUNATP": False, "overrideDefaultCertificate": False}
    decrypt = {"type": "DECRYPT", "decryptSubActions": {"serverCertificates": "BLOCK", "ocspCheck": True}, **shown}
    usual = {
        "rank": 7, "state": "ENABLED", "accessControl": "READ_WRITE", "endPointApplications": [],
        "endPointApplicationGroups": [], "roadWarriorForKerberos": False, **MODIFIED,
    }  # fmt: skip
    given = {"predefined": True, "defaultRule": False, "builtin": True}
    rules: list[Row] = [
        {"name": "Zscaler Recommended Exemptions", "order": 1, "urlCategories": ["GLOBAL_INT_GBL_SSL_BYPASS"],
         "action": untouched(True), "description": f"Zscaler Recommended Exemptions Rule {BY_ZSCALER}", **given},
        {"name": "Office 365 One Click", "order": 2, "urlCategories": ["GLOBAL_INT_OFC_SSL_BYPASS"],
         "action": untouched(True), **given},
        {"name": "UCaaS One Click", "order": 3, "action": untouched(True), **given, "state": "DISABLED"},
        {"name": "Partners by contract", "order": 4, "urlCategories": ["CUSTOM_01"],
         "action": untouched(False, serverCertificates="ALLOW", minTLSVersion="SERVER_TLS_1_2")},
        {"name": "Default SSL_TLS Inspection Rule", "order": -1, "action": decrypt,
         "description": f"Default SSL_TLS Inspection Rule {BY_ZSCALER}", **given, "predefined": False,
         "defaultRule": True},
    ]  # fmt: skip
    return [{"id": tenant.new_id(), **(usual if "builtin" in rule else {"rank": 7}), **rule} for rule in rules]


def _firewall_rules(tenant: Tenant) -> list[Row]:
    web = [_id(tenant, "networkServices", name) for name in ("HTTP", "HTTPS", "DNS")]
    payment = _id(tenant, "ipDestinationGroups", "Payment")
    default = {**FIREWALL_RULES.defaults, **FIREWALL_RULES.on_get, "defaultRule": True, "builtin": True}
    rules: list[Row] = [
        {"name": "Payment", "order": 1, "action": "ALLOW", "destIpGroups": [payment]},
        {"name": "Web and names", "order": 2, "action": "ALLOW", "nwServices": web},
        {"name": "Default Firewall Filtering Rule", "order": -1, "action": "BLOCK_DROP", **default},
    ]  # fmt: skip
    return [{"id": tenant.new_id(), "rank": 7, "state": "ENABLED", **rule} for rule in rules]
