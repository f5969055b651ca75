# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of ZIA: what each takes, what it adds to an answer, and what it refers to. Data.

Fields are those of Zscaler's published client libraries; what is added to which answer is as recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TEXT, NUMBER, FLAG, TEXTS, REFERENCES, PORTS, OBJECT, IGNORED = (
    "text", "number", "flag", "texts", "references", "ports", "object", "ignored"
)  # fmt: skip

MODIFIED = {"lastModifiedTime": 1773372475, "lastModifiedBy": {"id": 117810311, "name": "API Client"}}


@dataclass(frozen=True)
class Kind:
    """One table. *defaults* are in every answer, *on_put* and *on_get* in those of that method only."""

    path: str
    fields: Mapping[str, str]
    required: Sequence[str] = ("name",)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    on_put: Mapping[str, Any] = field(default_factory=dict)
    on_get: Mapping[str, Any] = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)  # field -> table
    shuffled: Sequence[str] = ()
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    limit: int = 0
    longest_name: int = 255
    addresses: Sequence[str] = ()  # fields with addresses
    page: int = 0  # size of a page where the client names none; 0: the list is not paged
    writable: bool = True

    @property
    def ordered(self) -> bool:
        return "order" in self.fields


def _typed(**kinds: str) -> dict[str, str]:
    """Fields by the type they have."""
    return {name: kind for kind, names in kinds.items() for name in names.split()}


WHO = {
    "locations": "locations", "groups": "groups", "departments": "departments",
}  # fmt: skip
# What only other parts of the product know; taken and given back, and never looked at.
ELSEWHERE = (
    "locationGroups users timeWindows labels devices deviceGroups workloadGroups zpaAppSegments overrideUsers "
    "overrideGroups httpHeaderProfiles httpHeaderActionProfiles cbiProfile proxyGateways nwApplicationGroups "
    "appServices appServiceGroups nwServiceGroups endPointApplications endPointApplicationGroups"
)
READ_ONLY = "accessControl lastModifiedTime lastModifiedBy predefined defaultRule"
RULE_REQUIRED = ("name", "order", "action")
STATES = ("ENABLED", "DISABLED")

URL_RULES = Kind(
    "urlFilteringRules",
    _typed(
        text="name description state action endUserNotificationUrl validityTimeZoneId",
        number="id order rank timeQuota sizeQuota validityStartTime validityEndTime browserEunTemplateId cbiProfileId",
        flag="blockOverride enforceTimeValidity ciparule excludeSrcCountries capturePCAP usersAndGroupsSet "
        "groupsAndDepartmentsSet",
        texts="protocols urlCategories urlCategories2 userRiskScoreLevels userAgentTypes requestMethods "
        "sourceCountries deviceTrustLevels",
        references="locations groups departments sourceIpGroups",
        ignored=f"{ELSEWHERE} {READ_ONLY}",
    ),
    required=(*RULE_REQUIRED, "protocols"),
    defaults={
        "rank": 7, "state": "ENABLED", "excludeSrcCountries": False, "blockOverride": False,
        "enforceTimeValidity": False, "capturePCAP": False, "usersAndGroupsSet": False,
        "groupsAndDepartmentsSet": False, "predefined": False,
        "requestMethods": [
            "OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "OTHER", "PROPFIND", "PROPPATCH",
            "MOVE", "MKCOL", "LOCK", "COPY", "UNLOCK", "PATCH",
        ],
    },
    on_put=MODIFIED,
    on_get={
        "accessControl": "READ_WRITE", **MODIFIED, "cbiProfileId": 0, "sourceIpGroups": [], "browserEunTemplateId": 0,
        "httpHeaderProfiles": [], "httpHeaderActionProfiles": [],
    },
    refers={**WHO, "sourceIpGroups": "ipSourceGroups"},
    shuffled=("urlCategories",),
    choices={
        "action": ("ANY", "NONE", "BLOCK", "CAUTION", "ALLOW", "ICAP_RESPONSE", "ISOLATE"),
        "state": STATES,
        "protocols": (
            "SMRULEF_ZPA_BROKERS_RULE", "ANY_RULE", "TCP_RULE", "UDP_RULE", "DOHTTPS_RULE", "TUNNELSSL_RULE",
            "HTTP_PROXY", "FOHTTP_RULE", "FTP_RULE", "HTTPS_RULE", "HTTP_RULE", "SSL_RULE", "TUNNEL_RULE",
            "WEBSOCKETSSL_RULE", "WEBSOCKET_RULE",
        ),
    },
    limit=1000,
)  # fmt: skip

SSL_RULES = Kind(
    "sslInspectionRules",
    _typed(
        text="name description state",
        number="id order rank",
        flag="roadWarriorForKerberos",
        object="action",
        texts="platforms urlCategories cloudApplications userAgentTypes deviceTrustLevels",
        references="locations groups departments sourceIpGroups destIpGroups",
        ignored=f"{ELSEWHERE} {READ_ONLY}",
    ),
    required=RULE_REQUIRED,
    defaults={
        "rank": 7, "state": "ENABLED", "endPointApplications": [], "endPointApplicationGroups": [],
        "roadWarriorForKerberos": False, "predefined": False, "defaultRule": False,
    },
    on_put=MODIFIED,
    on_get={"accessControl": "READ_WRITE", **MODIFIED},
    refers={**WHO, "sourceIpGroups": "ipSourceGroups", "destIpGroups": "ipDestinationGroups"},
    shuffled=("urlCategories",),
    choices={"state": STATES},
    limit=245,
    longest_name=31,
)  # fmt: skip

FIREWALL_RULES = Kind(
    "firewallFilteringRules",
    _typed(
        text="name description state action",
        number="id order rank eunTemplateId",
        flag="enableFullLogging excludeSrcCountries capturePCAP isEunEnabled excludeContextShieldEndPoint",
        texts="srcIps destAddresses destIpCategories destCountries sourceCountries nwApplications deviceTrustLevels",
        references="locations groups departments srcIpGroups destIpGroups nwServices",
        ignored=f"{ELSEWHERE} {READ_ONLY}",
    ),
    required=RULE_REQUIRED,
    defaults={
        "enableFullLogging": False, "rank": 7, "state": "ENABLED", "capturePCAP": False, "destIpCategories": [],
        "destCountries": [], "excludeSrcCountries": False, "excludeContextShieldEndPoint": False,
        "isEunEnabled": False, "eunTemplateId": 14, "defaultRule": False,
    },
    on_put=MODIFIED,
    on_get={"accessControl": "READ_WRITE", **MODIFIED, "sourceCountries": []},
    refers={
        **WHO, "srcIpGroups": "ipSourceGroups", "destIpGroups": "ipDestinationGroups", "nwServices": "networkServices"
    },
    shuffled=("srcIps", "destAddresses", "destCountries"),
    choices={
        "action": ("ALLOW", "BLOCK_DROP", "BLOCK_RESET", "BLOCK_ICMP", "EVAL_NWAPP"),
        "state": STATES,
    },
    limit=1021,
    page=5000,
)  # fmt: skip

SOURCE_GROUPS = Kind(
    "ipSourceGroups",
    _typed(text="name description creatorContext", number="id", texts="ipAddresses",
           ignored="isNonEditable extranetIpPool"),
    required=("name", "ipAddresses"),
    on_put={"creatorContext": "ZIA", "isNonEditable": False, "extranetIpPool": False},
    on_get={"creatorContext": "ZIA", "isNonEditable": False, "extranetIpPool": False},
    shuffled=("ipAddresses",),
    limit=4000,
    addresses=("ipAddresses",),
)  # fmt: skip

DESTINATION_GROUPS = Kind(
    "ipDestinationGroups",
    _typed(text="name description type creatorContext", number="id",
           texts="addresses ipCategories countries urlCategories ipAddresses", ignored="isNonEditable"),
    required=("name", "type"),
    defaults={"ipCategories": [], "countries": []},
    on_put={"creatorContext": "ZIA"},
    on_get={"creatorContext": "ZIA", "urlCategories": []},
    shuffled=("addresses", "ipAddresses"),
    choices={"type": ("DSTN_IP", "DSTN_FQDN", "DSTN_DOMAIN", "DSTN_OTHER")},
    limit=4000,
    addresses=("addresses",),
)  # fmt: skip

PORT_FIELDS = ("srcTcpPorts", "destTcpPorts", "srcUdpPorts", "destUdpPorts")
SERVICES = Kind(
    "networkServices",
    _typed(text="name description type tag creatorContext", number="id", flag="isNameL10nTag",
           ports=" ".join(PORT_FIELDS)),
    defaults={"type": "CUSTOM", "isNameL10nTag": False},
    on_put={"creatorContext": "ZIA", **{name: [] for name in PORT_FIELDS}},
    on_get={"creatorContext": "ZIA", **{name: [] for name in PORT_FIELDS}},
    limit=1024,
)  # fmt: skip

LOCATIONS = Kind("locations", _typed(text="name", number="id", texts="ipAddresses"), page=100, writable=False)
GROUPS = Kind("groups", _typed(text="name comments", number="id"), page=100, writable=False)
DEPARTMENTS = Kind("departments", _typed(text="name comments", number="id"), page=100, writable=False)

KINDS = {
    kind.path: kind
    for kind in (
        URL_RULES, SSL_RULES, FIREWALL_RULES, SOURCE_GROUPS, DESTINATION_GROUPS, SERVICES, LOCATIONS, GROUPS,
        DEPARTMENTS,
    )
}  # fmt: skip
