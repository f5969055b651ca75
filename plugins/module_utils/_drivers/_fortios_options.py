# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that only FortiOS has, and the intents that they can carry."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._connection import CONNECTION_SPEC, credential
from ansible_collections.egress.allowlist.plugins.module_utils._driver import require_name
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._order import require_positions

FIRST_CATEGORY, LAST_CATEGORY = 192, 221
RULES = {"policy": "policy", "proxy_policy": "proxy policy", "authentication_rule": "authentication rule"}

ARGUMENT_SPEC: Dict[str, Any] = {
    **CONNECTION_SPEC,
    "access_token": {"type": "str", "no_log": True},
    "vdom": {"type": "str", "default": "root"},
    "style": {"type": "str", "choices": ["feed", "urlfilter"], "default": "feed"},
    "category": {"type": "int", "default": FIRST_CATEGORY},
    "webfilter_profiles": {"type": "list", "elements": "str", "default": []},
    "ssl_profiles": {"type": "list", "elements": "str", "default": []},
    "proxy_policy": {"type": "bool", "default": False},
    "source_interfaces": {"type": "list", "elements": "str", "default": []},
    "destination_interfaces": {"type": "list", "elements": "str", "default": []},
    "nat": {"type": "bool", "default": True},
    "position": {"type": "dict", "options": {kind: {"type": "str"} for kind in RULES}},
    "known_names": {"type": "list", "elements": "str", "default": []},
    "centrally_managed": {"type": "str", "choices": ["refuse", "accept"], "default": "refuse"},
}
# Characters that FortiOS takes in names; its scripts would read <>()#"' as something else.
_NAME = re.compile(r"[^<>()#\"'\\\s][^<>()#\"'\\]{0,78}")
_VDOM = re.compile(r"[A-Za-z0-9_-]{1,31}")


def token_of(options: Mapping[str, Any]) -> str:
    token = credential(options, "access_token", "FORTIOS_ACCESS_TOKEN")
    if not token or not token.isascii():
        raise AllowlistError(
            "access_token: expected the token of a REST API administrator (or FORTIOS_ACCESS_TOKEN in the "
            "environment), got none"
        )
    return token


def require_options(options: Mapping[str, Any]) -> None:
    require_name(options["name"])
    if not _VDOM.fullmatch(options["vdom"]):
        raise AllowlistError(f"vdom: expected the name of a virtual domain, got {shown(options['vdom'])}")
    if not FIRST_CATEGORY <= options["category"] <= LAST_CATEGORY:
        raise AllowlistError(
            f"category: expected a number from {FIRST_CATEGORY} to {LAST_CATEGORY}, got {options['category']}"
        )
    if not options["activate"]:
        raise AllowlistError(
            "activate: FortiOS has no configuration that waits: what is written is in force at once. Use check mode "
            "and its diff for a second person to look at"
        )
    if options["style"] == "urlfilter" and (options["proxy_policy"] or options["ssl_profiles"]):
        raise AllowlistError(
            "style: urlfilter is a table of a webfilter profile: ssl_profiles and proxy_policy know category feeds "
            "only, so they need style: feed (a list with another `name` can have it)"
        )
    for option in ("webfilter_profiles", "ssl_profiles", "source_interfaces", "destination_interfaces"):
        for index, name in enumerate(options[option]):
            require_object_name(name, f"{option}[{index}]")
    require_positions(options)


def require_object_name(name: str, where: str) -> None:
    if not _NAME.fullmatch(name):
        raise AllowlistError(f"{where}: expected the name of an object on FortiOS, got {shown(name)}")


def carried(options: Mapping[str, Any]) -> Tuple[str, ...]:
    """The intents that names get by the objects which the options name; networks get theirs from a policy."""
    found: List[str] = []
    proxy, profiles = options["proxy_policy"], bool(options["webfilter_profiles"])
    if proxy or profiles:
        found.append("allow")
    if proxy or (options["ssl_profiles"] and options["style"] == "feed"):
        found.append("bypass_tls_inspection")
    if proxy or (profiles and options["style"] == "urlfilter"):
        found.append("bypass_content_inspection")
    if proxy:
        found.append("bypass_authentication")
    return tuple(found)


def by_policy(options: Mapping[str, Any]) -> bool:
    """Whether the options say between which interfaces a policy for networks stands."""
    return bool(options["source_interfaces"] and options["destination_interfaces"])
