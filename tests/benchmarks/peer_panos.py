# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user writes with pan-os-python: an object for each name, a group, a rule, a commit.

An address cannot hold a wildcard, so the star is left out, as such scripts do.
"""

from __future__ import annotations

import json
import sys
from urllib.parse import urlsplit

import pan.xapi
from panos.base import PanDevice
from panos.errors import PanCommitNotNeeded, PanDeviceXapiError
from panos.firewall import Firewall
from panos.objects import AddressGroup, AddressObject
from panos.policies import Rulebase, SecurityRule


def main() -> None:
    task = json.load(sys.stdin)
    firewall = connected(task["url"], task["options"]["username"], task["options"]["password"])
    names = [f"theirs-{number}" for number in range(len(task["names"]))]
    for name, value in zip(names, task["names"], strict=True):
        one = AddressObject(name, value.replace("*", "").strip("."), type="fqdn")
        firewall.add(one)
        one.apply()
    group = AddressGroup("theirs", names)
    firewall.add(group)
    group.apply()
    base = Rulebase()
    firewall.add(base)
    rule = SecurityRule("theirs", fromzone=["trust"], tozone=["untrust"], destination=["theirs"], action="allow")
    base.add(rule)
    rule.apply()
    try:
        firewall.commit(sync=True)
    except (PanCommitNotNeeded, PanDeviceXapiError) as error:  # nothing has changed
        if "commit" not in str(error).lower():
            raise


def connected(url: str, name: str, password: str) -> Firewall:
    """The library speaks https alone, the client below it http as well."""
    parts = urlsplit(url)
    words = {"hostname": parts.hostname, "port": parts.port, "use_http": True, "timeout": 60}
    login = pan.xapi.PanXapi(api_username=name, api_password=password, **words)
    login.keygen()
    firewall = Firewall(parts.hostname, api_key=login.api_key)
    firewall._xapi_private = PanDevice.XapiWrapper(api_key=login.api_key, pan_device=firewall, **words)
    firewall.refresh_system_info()
    return firewall


if __name__ == "__main__":
    main()
