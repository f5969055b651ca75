# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that only Zscaler ZIA has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._connection import (
    CONNECTION_SPEC,
    base_url,
    credential,
)
from ansible_collections.egress.allowlist.plugins.module_utils._driver import require_name
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EVERYONE, client_networks
from ansible_collections.egress.allowlist.plugins.module_utils._order import require_positions

RULES = {option: f"{option} rule" for option in ("ssl", "url", "firewall")}
WHO = {"location": "locations", "group": "groups", "department": "departments"}

ARGUMENT_SPEC: Dict[str, Any] = {
    **CONNECTION_SPEC,
    "cloud": {"type": "str"},
    "vanity_domain": {"type": "str"},
    "identity_host": {"type": "str"},
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "api_key": {"type": "str", "no_log": True},
    "position": {"type": "dict", "options": {kind: {"type": "str"} for kind in RULES}},
    "rank": {"type": "int", "default": 7},
    "exempted_urls": {"type": "bool", "default": False},
    "known_names": {"type": "list", "elements": "str", "default": []},
    "publish_others": {"type": "bool", "default": False},
    "record_dir": {"type": "path", "default": "~/.ansible/egress_allowlist"},
}
_WORD = re.compile(r"[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Login:
    """By OneAPI, where ``client_id`` is not empty, or as an administrator with the organisation's API key."""

    client_id: str
    client_secret: str
    username: str
    password: str
    api_key: str
    host: str
    identity: str

    @property
    def legacy(self) -> bool:
        return not self.client_id


def login_of(options: Mapping[str, Any]) -> Login:
    client = [credential(options, name, f"ZSCALER_{name.upper()}") or "" for name in ("client_id", "client_secret")]
    admin = [credential(options, name, f"ZIA_{name.upper()}") or "" for name in ("username", "password", "api_key")]
    if (options["password"] or options["api_key"]) and not (options["client_id"] or options["client_secret"]):
        client = ["", ""]  # what the environment has for OneAPI is not meant
    if not all(client) and not all(admin):
        raise AllowlistError(
            "client_id: expected client_id and client_secret of an API client (OneAPI), or username, password and "
            "api_key of an administrator; both also from the environment (ZSCALER_CLIENT_ID, ZSCALER_CLIENT_SECRET, "
            "or ZIA_USERNAME, ZIA_PASSWORD, ZIA_API_KEY), got neither whole"
        )
    host, identity = _hosts(options, oneapi=all(client))
    client_id, client_secret = client if all(client) else ("", "")
    username, password, api_key = admin
    return Login(client_id, client_secret, username, password, api_key, host, identity)


def _hosts(options: Mapping[str, Any], oneapi: bool) -> Tuple[str, str]:
    cloud = credential(options, "cloud", "ZSCALER_CLOUD" if oneapi else "ZIA_CLOUD") or ""
    vanity = credential(options, "vanity_domain", "ZSCALER_VANITY_DOMAIN") or ""
    for option, value in (("cloud", cloud), ("vanity_domain", vanity)):
        if value and not _WORD.fullmatch(value):
            raise AllowlistError(f"{option}: expected one word of letters, digits and hyphens, got {shown(value)}")
    if not oneapi:
        if not options["host"] and not cloud:
            raise AllowlistError("cloud: expected the name of the cloud, such as zscalertwo, got nothing")
        return options["host"] or f"zsapi.{cloud}.net", ""
    where = "" if cloud in ("", "production") else cloud
    identity = options["identity_host"] or (f"{vanity}.zslogin{where}.net" if vanity else "")
    if not identity:
        raise AllowlistError("vanity_domain: expected the organisation's domain of ZIdentity, got nothing")
    return options["host"] or (f"api.{where}.zsapi.net" if where else "api.zsapi.net"), base_url(identity)


def require_options(options: Mapping[str, Any]) -> None:
    require_name(options["name"])
    if not 0 <= options["rank"] <= 7:
        raise AllowlistError(f"rank: expected an admin rank from 0 to 7, got {options['rank']}")
    require_positions(options)


@dataclass(frozen=True)
class Clients:
    """For whom the rules are: networks, or names in one of the tables of WHO; neither for everyone."""

    networks: Tuple[str, ...] = ()
    table: str = ""
    names: Tuple[str, ...] = ()


def clients_of(options: Mapping[str, Any]) -> Clients:
    clients: List[str] = options["clients"] or [EVERYONE]
    networks, names = client_networks(clients)
    if names == [EVERYONE]:
        return Clients()
    kinds = {_kind(name, clients.index(name)) for name in names}
    if len(kinds) + bool(networks) > 1:
        raise AllowlistError(
            "clients[1]: networks, locations, groups and departments would all have to fit at once in a rule of ZIA; "
            "name clients of one kind, and give the others a list with another `name`"
        )
    if networks:
        for index, client in enumerate(clients):
            if ":" in client:
                raise AllowlistError(f"clients[{index}]: {client}: groups of addresses on ZIA hold IPv4 alone")
        return Clients(networks=tuple(sorted(networks)))
    return Clients((), kinds.pop(), tuple(sorted(name.partition(":")[2].strip() for name in names)))


def _kind(name: str, index: int) -> str:
    word, colon, rest = name.partition(":")
    if not colon or word not in WHO or not rest.strip():
        raise AllowlistError(
            f"clients[{index}]: expected a network, 'location:NAME', 'group:NAME', 'department:NAME' or 'any', got "
            f"{shown(name)}"
        )
    return WHO[word]
