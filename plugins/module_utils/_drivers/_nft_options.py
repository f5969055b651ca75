# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module's options, proven and in the form in which the driver uses them."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_tables import Clients, Shape
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

ARGUMENT_SPEC: Dict[str, Any] = {
    "attach": {"type": "str", "choices": ["mark", "own", "include"], "default": "mark"},
    "mark": {"type": "str", "default": "0x10000"},
    "bypass_mark": {"type": "str", "default": "0x20000", "no_log": False},  # no secret, whatever its name looks like
    "priority": {"type": "int", "default": -10},
    "site_table": {"type": "str"},
    "names": {"type": "str", "choices": ["dnsmasq", "fail", "skip"], "default": "dnsmasq"},
    "names_lifetime": {"type": "int", "default": 90000},
    "known_names": {"type": "list", "elements": "str", "default": []},
    "dnsmasq_dir": {"type": "path", "default": "/etc/dnsmasq.d"},
    "dnsmasq_restart": {"type": "list", "elements": "str"},
    "dnsmasq_timeout": {"type": "int", "default": 20},
    "directory": {"type": "path", "default": "/etc/egress_allowlist"},
    "config_file": {"type": "path", "default": "/etc/nftables.conf"},
    "service_dir": {"type": "path", "default": "/etc/systemd/system/nftables.service.d"},
    "executable": {"type": "path"},
    "dnsmasq_executable": {"type": "path"},
}
_INTERFACE = re.compile(r"^[A-Za-z][A-Za-z0-9_.@-]{0,14}$")
_TABLE = re.compile(r"^(inet|ip|ip6) ([A-Za-z_][A-Za-z0-9_.-]{0,63})$")
_PATH = re.compile(r"^/[A-Za-z0-9_./-]*$")
_SHORTEST_LIFE, _LONGEST_LIFE = 60, 30 * 24 * 3600


def shape_of(options: Mapping[str, Any]) -> Shape:
    """Raises AllowlistError for an option that cannot be used."""
    bits = {"allow": _bit(options, "mark"), "bypass_content_inspection": _bit(options, "bypass_mark")}
    if len(set(bits.values())) != len(bits):
        raise AllowlistError(f"bypass_mark: {options['bypass_mark']} is the bit of mark too; they must differ")
    lifetime = options["names_lifetime"]
    if not _SHORTEST_LIFE <= lifetime <= _LONGEST_LIFE:
        raise AllowlistError(f"names_lifetime: expected {_SHORTEST_LIFE} to {_LONGEST_LIFE} seconds, got {lifetime}")
    if not -190 <= options["priority"] <= 300:  # connection tracking, whose directions we ask for, runs at -200
        raise AllowlistError(f"priority: expected -190 to 300, got {options['priority']}")
    return Shape(
        name=options["name"],
        clients=_clients(options["clients"] or []),
        bits=bits,
        priority=options["priority"],
        own=options["attach"] == "own",
        lifetime=lifetime,
    )


def site_table(options: Mapping[str, Any]) -> Optional[Tuple[str, str]]:
    """Family and name of the site's table for ``attach: include``."""
    text = options["site_table"]
    if options["attach"] != "include":
        if text:
            raise AllowlistError(f"site_table: only for attach: include, and this is attach: {options['attach']}")
        return None
    match = _TABLE.match(text or "")
    if match is None:
        raise AllowlistError(
            f"site_table: attach: include needs the site's table with its family, such as `inet filter`, got {text!r}"
        )
    return match.group(1), match.group(2)


def require_rules(options: Mapping[str, Any]) -> None:
    if options["rules"] == "reference" and options["attach"] != "include":
        raise AllowlistError(
            f"rules: reference needs attach: include, since no table of nftables can use the sets of another one; "
            f"this is attach: {options['attach']}"
        )


def require_paths(options: Mapping[str, Any]) -> None:
    for key in ("directory", "dnsmasq_dir", "service_dir"):
        if not _PATH.match(options[key]):  # it goes into a file of systemd, where blanks and % mean something
            raise AllowlistError(f"{key}: expected a full path of letters, digits and ._-/, got {options[key]!r}")


def _bit(options: Mapping[str, Any], key: str) -> int:
    text = options[key]
    try:
        value = int(text, 0)
    except ValueError:
        value = 0
    if not 0 < value <= 0x80000000 or value & (value - 1):
        raise AllowlistError(f"{key}: expected one bit of the packet mark such as '0x10000', got {text!r}")
    return value


def _clients(texts: Sequence[str]) -> Clients:
    networks: Dict[int, List[Any]] = {4: [], 6: []}
    interfaces: List[str] = []
    everyone = False
    for index, text in enumerate(texts):
        if text == "any":
            everyone = True
        elif _INTERFACE.match(text) and "/" not in text and text != "all":
            interfaces.append(text)
        else:
            network = _network(text, index)
            networks[network.version].append(network)
    collapsed = {
        version: [_written(network) for network in ipaddress.collapse_addresses(found)]
        for version, found in networks.items()
    }
    return Clients(collapsed, sorted(set(interfaces)), everyone)


def _network(text: str, index: int) -> Any:
    try:
        network = ipaddress.ip_network(text)
    except ValueError as error:
        raise AllowlistError(
            f"clients[{index}]: expected a network, the name of an interface, or 'any', got {text!r} ({error})"
        ) from error
    if network.prefixlen == 0:
        raise AllowlistError(f"clients[{index}]: {text!r} is everyone; write 'any' if that is meant")
    return network


def _written(network: Any) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def missing_interfaces(clients: Clients) -> List[str]:
    return [name for name in clients.interfaces if not os.path.exists(f"/sys/class/net/{name}")]
