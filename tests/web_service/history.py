# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists to serve: saved answers from a folder, and a small history of our own that has all their oddities."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

from .published import instance_of

Record = dict[str, Any]
_FILE = re.compile(r"(?P<instance>[A-Za-z_]+)\.(?:(?P<version>[0-9]{10})|(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}))\..*json")
_NAMES = {"Exchange": "Exchange Online", "SharePoint": "SharePoint Online and OneDrive for Business",
          "Skype": "Microsoft Teams", "Common": "Microsoft 365 Common and Office Online"}  # fmt: skip

FIRST, ADDED, MOVED, SAME, LAST = "2025092900", "2025102900", "2025112900", "2025120100", "2026010100"


def load_history(folder: Path) -> dict[str, dict[str, list[Record]]]:
    """The answers in files such as Worldwide.2025120100.json; a day, 2025-12-01, stands for its first version."""
    found: dict[str, dict[str, list[Record]]] = {}
    for path in sorted(Path(folder).glob("*.json")):
        match = _FILE.fullmatch(path.name)
        instance = instance_of(match["instance"]) if match else None
        if match is None or instance is None:
            continue
        try:
            data = json.loads(path.read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
        if not isinstance(data, list):
            raise ValueError(f"{path}: expected the list of an answer of /endpoints, got {type(data).__name__}")
        found.setdefault(instance, {})[match["version"] or match["day"].replace("-", "") + "00"] = data
    if not found:
        raise ValueError(f"{folder}: expected files such as Worldwide.2025120100.json, and found none")
    return found


def small_history() -> dict[str, dict[str, list[Record]]]:
    """Worldwide in five versions, China in two, one for the US Department of Defense; a copy for each caller.

    FIRST → ADDED: a name and networks come, a name goes. → MOVED: ports, category and duty change, a set comes and one
    goes. → SAME: a new version of the same list. → LAST: a name and a network move to other sets, a duplicate and a
    network go, ExpressRoute and a note change.
    """
    return copy.deepcopy({
        "Worldwide": _worldwide(),
        "China": {FIRST: _CHINA, LAST: _edited(_CHINA, {2: {"ips": ["42.159.33.192/27", "42.159.161.192/27"]}})},
        "USGovDoD": {FIRST: _DOD},
    })  # fmt: skip


def _worldwide() -> dict[str, list[Record]]:
    added = _edited(_WORLDWIDE, {
        2: {"urls": ["smtp.office365.com", "outlook.office365.com"]},
        56: {
            "urls": ["*.msauth.net", "*.msftauth.net", "login.microsoft.com", "login.microsoftonline.com"],
            "ips": ["20.20.32.0/19", "20.190.128.0/18", "40.126.0.0/18", "2603:1006:2000::/48", "2603:1007:200::/48"],
        },
    })  # fmt: skip
    moved = _edited(added, {
        31: {"tcpPorts": "443"},
        46: {"category": "Allow"},
        97: {"required": True, "notes": None},
        12: {"udpPorts": "3478-3481, 50000-50059"},
        26: None,
    })  # fmt: skip
    moved.append(_set(172, "MEM", ["*.dm.microsoft.com"], tcp="443", area_name="Microsoft Intune"))
    last = _edited(moved, {
        2: {"urls": ["smtp.office365.com"]},
        39: {"expressRoute": False},
        46: {"urls": ["*.officeapps.live.com", "*cdn.onenote.net", "account.live.com"]},
        64: {"notes": "Some features of the Office clients: their telemetry"},
        97: {"urls": ["login.live.com"]},
        12: {"ips": ["52.112.0.0/14", "2603:1063::/38"]},
        11: {"ips": ["52.112.0.0/14", "52.122.0.0/15"]},
        1: {"ips": ["13.107.6.152/31", "40.96.0.0/13", "2603:1006::/40"]},
    })  # fmt: skip
    return {FIRST: _WORLDWIDE, ADDED: added, MOVED: moved, SAME: moved, LAST: last}


def _edited(records: list[Record], edits: dict[int, dict[str, Any] | None]) -> list[Record]:
    """The records with other fields; None takes away, a field or a whole set."""
    found = []
    for record in records:
        edit = edits.get(record["id"], {})
        if edit is not None:
            found.append({name: value for name, value in (record | edit).items() if value is not None})
    return found


def _set(
    number: int,
    area: str,
    urls: list[str] | None = None,
    ips: list[str] | None = None,
    *,
    tcp: str | None = None,
    udp: str | None = None,
    category: str = "Default",
    required: bool = True,
    express_route: bool = False,
    notes: str | None = None,
    area_name: str | None = None,
    more: dict[str, Any] | None = None,
) -> Record:
    """In the order of the service's fields; what is None is not there at all."""
    record = {
        "id": number,
        "serviceArea": area,
        "serviceAreaDisplayName": area_name or _NAMES[area],
        "urls": urls,
        "ips": ips,
        "tcpPorts": tcp,
        "udpPorts": udp,
        "expressRoute": express_route,
        "category": category,
        "required": required,
        "notes": notes,
        **(more or {}),
    }
    return {name: value for name, value in record.items() if value is not None}


_WORLDWIDE = [
    _set(1, "Exchange", ["outlook.cloud.microsoft", "outlook.office.com", "outlook.office365.com"],
         ["13.107.6.152/31", "13.107.18.10/31", "40.96.0.0/13", "2603:1006::/40"], tcp="80,443", udp="443",
         category="Optimize", express_route=True),
    # A name in two categories, ports with blanks, one name more than the next version has.
    _set(2, "Exchange", ["smtp.office365.com", "outlook.office365.com", "pop.office365.example"],
         ["13.107.6.152/31", "40.96.0.0/13"], tcp="143, 587, 993, 995", category="Allow", express_route=True),
    # The part of a tenant in the middle.
    _set(8, "Exchange", ["*.outlook.com", "autodiscover.*.onmicrosoft.com"], tcp="443,80"),
    # Networks and UDP only, out of order.
    _set(11, "Skype", ips=["52.112.0.0/14"], udp="3480, 3478, 3479,3481", category="Optimize", express_route=True),
    _set(12, "Skype", ["*.lync.com", "*.teams.microsoft.com", "teams.microsoft.com"],
         ["52.112.0.0/14", "52.122.0.0/15", "2603:1063::/38"], tcp="443, 80", udp="50000-50059", category="Allow",
         express_route=True),
    _set(31, "SharePoint", ["*.sharepoint.com"], ["13.107.136.0/22", "40.108.128.0/17", "2620:1ec:8f8::/46"],
         tcp="80,443", category="Optimize", express_route=True),
    # As Microsoft's page writes the part of a tenant.
    _set(39, "SharePoint", ["*.svc.ms", "<tenant>-files.sharepoint.com", "<tenant>-my.sharepoint.com"],
         tcp="80,443", express_route=True),
    # No port at all.
    _set(26, "Common", ["*.portal.cloudappsecurity.com"], required=False, notes=""),
    # A wildcard that is joined to its name.
    _set(46, "Common", ["*.officeapps.live.com", "*cdn.onenote.net"], tcp="443,80"),
    _set(56, "Common", ["*.msauth.net", "*.msftauth.net", "login.microsoftonline.com"],
         ["20.190.128.0/18", "40.126.0.0/18", "2603:1006:2000::/48"], tcp="80,443", category="Allow"),
    # A wildcard inside of a name.
    _set(64, "Common", ["watson.*.microsoft.com", "watson.telemetry.microsoft.com"], tcp="443", required=False,
         notes="Some features of the Office clients"),
    _set(97, "Common", ["account.live.com", "login.live.com"], tcp="443", required=False,
         notes="Personal accounts, and what is shared with them"),
    # A tenant's domain that the parameter does not fill in.
    _set(156, "Common", ["*.onmicrosoft.com"], tcp="80,443"),
    # An area and a field that nobody knows yet.
    _set(181, "Copilot", ["copilot.cloud.microsoft"], tcp="443", area_name="Microsoft 365 Copilot",
         more={"deliveryRing": "broad"}),
    _set(163, "MEM", ["*.manage.microsoft.com", "manage.microsoft.com"], ["4.145.74.224/27", "20.37.153.0/24"],
         tcp="80,443", category="Allow", area_name="Microsoft Intune"),
    # Names with UDP and nothing else.
    _set(165, "MEM", ["time.windows.com"], udp="123", area_name="Microsoft Intune"),
    _set(170, "MEM", ["*.delivery.mp.microsoft.com", "*.do.dsp.mp.microsoft.com"], tcp="80,443",
         area_name="Microsoft Intune"),
]  # fmt: skip

_CHINA = [
    _set(1, "Exchange", ["partner.outlook.cn"], ["40.73.132.0/24", "2406:e500:4010::/48"], tcp="80,443",
         category="Optimize"),
    _set(2, "Exchange", ["*.protection.partner.outlook.cn"], ["42.159.33.192/27"], tcp="443", category="Allow"),
    _set(3, "Skype", ips=["40.72.124.128/28"], udp="3478, 3479, 3480, 3481", category="Optimize"),
    _set(9, "Common", ["login.partner.microsoftonline.cn", "*.partner.microsoftonline.cn"], tcp="80, 443"),
]  # fmt: skip

_DOD = [
    _set(1, "Exchange", ["outlook-dod.office365.us", "webmail.apps.mil"], ["20.35.192.0/20", "2001:489a:2200:500::/56"],
         tcp="80,443", category="Optimize", express_route=True),
    _set(5, "Exchange", ["autodiscover.*.onmicrosoft.us", "autodiscover.*.mail.onmicrosoft.us"], tcp="80,443"),
    _set(11, "Common", ["*.config.dod.office365.us", "login.microsoftonline.us"], tcp="443"),
    _set(30, "Common", ["*.dod.online.office365.us"]),
    _set(163, "MEM", ["*.manage.microsoft.us"], tcp="443", area_name="Microsoft Intune"),
]  # fmt: skip
