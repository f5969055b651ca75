# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the filter ``pac``, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._labels import name_labels
from ansible_collections.egress.allowlist.plugins.module_utils._network import looks_like_network, parse_network
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_script import Rule, Settings
from ansible_collections.egress.allowlist.plugins.plugin_utils._rendering import list_name

KINDS = ("DIRECT", "PROXY", "HTTP", "HTTPS", "SOCKS", "SOCKS4", "SOCKS5")
_WAY = re.compile(r"(?P<kind>[A-Za-z0-9]+)(?:[ \t]+(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\] \t]+):(?P<port>[0-9]{1,5}))?")
_EXAMPLE = '"PROXY proxy.example.com:8080", "DIRECT", or several of them with a semicolon between'
_LONGEST_VERSION = 100


def settings(options: Mapping[str, Any]) -> Settings:
    """What the filter was called with; AllowlistError names the option."""
    default = read_way(options["default"], "default")
    plain = options["plain_hosts"]
    return Settings(
        name=list_name(options["name"]),
        allowed=read_way(options["allowed"], "allowed"),
        default=default,
        plain_hosts=default if plain is None else read_way(plain, "plain_hosts"),
        rules=_rules(options["rules"]),
        resolve=_flag(options["resolve"], "resolve"),
        version=_version(options["version"]),
    )


def read_way(value: object, where: str) -> str:
    """What FindProxyForURL may return, in one spelling: ``PROXY a.example:8080; DIRECT``."""
    parts = [part.strip() for part in value.split(";")] if isinstance(value, str) else []
    found = [_one_way(part, value, where) for part in parts if part]
    if not found:
        raise AllowlistError(f"{where}: expected where to go, {_EXAMPLE}, got {shown(value)}")
    return "; ".join(found)


def _one_way(part: str, value: object, where: str) -> str:
    match = _WAY.fullmatch(part)
    kind = match["kind"].upper() if match else ""
    if match is None or kind not in KINDS or (kind == "DIRECT") != (match["host"] is None):
        raise AllowlistError(f"{where}: expected {_EXAMPLE}, got {shown(value)}; it fails at {shown(part)}")
    if kind == "DIRECT":
        return kind
    host, port = match["host"].lower(), int(match["port"])
    if not 0 < port < 65536:
        raise AllowlistError(f"{where}: {shown(part)}: a port is from 1 to 65535")
    if not _is_host(host):
        raise AllowlistError(f"{where}: {shown(part)}: {shown(host)} is neither a name nor an address")
    return f"{kind} {host}:{port}"


def _is_host(host: str) -> bool:
    if not looks_like_network(host):
        return name_labels(host) is not None
    try:
        network = parse_network(host.strip("[]"))
    except AllowlistError:
        return False
    return network.num_addresses == 1 and (network.version == 6) == host.startswith("[")


def _rules(value: object) -> list[Rule]:
    if not isinstance(value, (list, tuple)):
        example = "[{hosts: ['*.corp.example'], to: DIRECT}]"
        raise AllowlistError(f"rules: expected a list such as {example}, got {shown(value)}")
    return [_rule(item, f"rules[{index}]") for index, item in enumerate(value)]


def _rule(item: object, where: str) -> Rule:
    if not isinstance(item, Mapping) or set(item) != {"hosts", "to"}:
        raise AllowlistError(f"{where}: expected a dictionary with hosts (a list) and to, got {shown(repr(item))}")
    hosts = normalise(item["hosts"], where=f"{where}.hosts")
    if not hosts:
        raise AllowlistError(f"{where}.hosts: empty, expected names, patterns or networks")
    return Rule(hosts, read_way(item["to"], f"{where}.to"))


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise AllowlistError(f"{where}: expected true or false, got {shown(value)}")
    return value


def _version(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST_VERSION:
        raise AllowlistError(f"version: expected one line of up to {_LONGEST_VERSION} characters, got {shown(value)}")
    return str(value)
