# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that only PAN-OS has."""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping

from ansible_collections.egress.allowlist.plugins.module_utils._connection import CONNECTION_SPEC, credential
from ansible_collections.egress.allowlist.plugins.module_utils._driver import require_name
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_scene import RULES, Place
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._order import require_positions

ARGUMENT_SPEC: Dict[str, Any] = {
    **CONNECTION_SPEC,
    "peer": {"type": "str"},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "api_key": {"type": "str", "no_log": True},
    "vsys": {"type": "str", "default": "vsys1"},
    "device_group": {"type": "str"},
    "push": {"type": "bool", "default": True},
    "position": {"type": "dict", "options": {kind: {"type": "str"} for kind in RULES}},
    "from_zones": {"type": "list", "elements": "str", "default": ["any"]},
    "to_zones": {"type": "list", "elements": "str", "default": ["any"]},
    "profile_group": {"type": "str"},
    "log_setting": {"type": "str"},
    "known_names": {"type": "list", "elements": "str", "default": []},
    "centrally_managed": {"type": "str", "choices": ["refuse", "accept"], "default": "refuse"},
    "publish_others": {"type": "bool", "default": False},
}
# What may stand in an xpath between quotes, and in a rule: names of the site's own objects.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,62}")


class Login:
    """Who we are there. ``admin`` is "" where it is not known, which is enough to read and to stage."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        # One kind of login among the options leaves nothing to what the environment has of the other kind.
        by_key, by_password = bool(options["api_key"]), bool(options["password"])
        self.admin = credential(options, "username", "PANOS_USERNAME") or ""
        self.password = credential(options, "password", *(() if by_key else ("PANOS_PASSWORD",))) or ""
        self.key = credential(options, "api_key", *(() if by_password else ("PANOS_API_KEY",))) or ""
        if not self.key and not (self.admin and self.password):
            raise AllowlistError(
                "api_key: expected an API key, or username and password (or PANOS_API_KEY, or PANOS_USERNAME and "
                "PANOS_PASSWORD in the environment), got none"
            )
        partial = options["activate"] and not options["publish_others"]
        if partial and not self.admin and options["state"] not in ("gathered", "rendered"):
            raise AllowlistError(
                "username: needed beside api_key to commit what this administrator changed and nothing else. Name the "
                "administrator of the key, or say publish_others: true to commit everything that is pending"
            )


def require_options(options: Mapping[str, Any]) -> None:
    require_name(options["name"])
    for option in ("vsys", "device_group", "profile_group", "log_setting"):
        if options[option] is not None:
            _require_name(options[option], option)
    for option in ("from_zones", "to_zones"):
        if not options[option]:
            raise AllowlistError(f"{option}: expected zones, or 'any'; got none")
        for index, zone in enumerate(options[option]):
            _require_name(zone, f"{option}[{index}]")
    require_positions(options)


def place_of(options: Mapping[str, Any]) -> Place:
    return Place(options["vsys"], options["device_group"] or "")


def require_client_name(name: str, index: int) -> None:
    _require_name(name, f"clients[{index}]")


def _require_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise AllowlistError(f"{where}: expected the name of an object on PAN-OS, got {shown(name)}")
