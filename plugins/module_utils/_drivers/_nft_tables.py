# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our tables: sets, chains and rules for what was asked, in the forms in which nft tells them back. Pure.

An accept in one base chain never overrides a drop in another, and a set cannot be used from another table. So our
chains only set a mark, before the site's chains run, and each of our tables has its own sets and chains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import Domains, Use, digest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_networks import intents_of
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import Part, element_value, plain

FAMILY = "inet"
MARKER = "written_by_egress_allowlist"
LEARNT_SIZE = 65535
ALL_BITS = 0xFFFFFFFF
ADDRESS_TYPES = {4: "ipv4_addr", 6: "ipv6_addr"}
VERSIONS = {"inet": (4, 6), "ip": (4,), "ip6": (6,)}  # what a table of a family sees
_IP = {4: "ip", 6: "ip6"}
Expr = List[Dict[str, Any]]


@dataclass(frozen=True)
class Clients:
    """For whom: networks as nft writes them by IP version, interfaces; ``everyone``: no condition at all."""

    networks: Mapping[int, Sequence[str]]
    interfaces: Sequence[str]
    everyone: bool

    def conditions(self, side: str) -> List[Expr]:
        """One for each way to be a client: as the source (``saddr``) or as the destination (``daddr``) of a packet."""
        if self.everyone:
            return [[]]
        found: List[Expr] = []
        for version in (4, 6):
            if self.networks.get(version):
                values = [element_value(text) for text in self.networks[version]]
                found.append([_match(_payload(_IP[version], side), {"set": values})])
        if self.interfaces:
            key = "iifname" if side == "saddr" else "oifname"
            found.append([_match({"meta": {"key": key}}, {"set": list(self.interfaces)})])
        return found

    @property
    def versions(self) -> Tuple[int, ...]:
        """The IP versions that clients can speak."""
        if self.everyone or self.interfaces:
            return (4, 6)
        return tuple(version for version in (4, 6) if self.networks.get(version))


@dataclass(frozen=True)
class Shape:
    """How the tables are built, whatever is in them."""

    name: str
    clients: Clients
    bits: Mapping[str, int]  # mark bit by intent
    priority: int
    own: bool  # ours is the default-deny for the clients
    lifetime: int

    @property
    def table(self) -> str:
        return f"egress_{self.name}"

    @property
    def names_table(self) -> str:
        return f"egress_{self.name}-dns"

    def value(self, intents: Iterable[str]) -> int:
        return sum(self.bits[intent] for intent in intents)


# Expressions


def _match(left: Any, right: Any, op: str = "==") -> Dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def _payload(protocol: str, field: str) -> Dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": field}}


MARK = {"meta": {"key": "mark"}}
REPLY = _match({"ct": {"key": "direction"}}, "reply")
ESTABLISHED = _match({"ct": {"key": "state"}}, ["established", "related"], "in")


def marked(value: int) -> Dict[str, Any]:
    return _match({"&": [MARK, value]}, value)


def _set_bits(value: int) -> Dict[str, Any]:
    return {"mangle": {"key": MARK, "value": {"|": [MARK, value]}}}


def _networks(version: int, name: str, side: str) -> Dict[str, Any]:
    port = "dport" if side == "daddr" else "sport"
    parts = [_payload(_IP[version], side), {"meta": {"key": "l4proto"}}, _payload("th", port)]
    return _match({"concat": parts}, f"@{name}")


def network_set(name: str) -> Dict[str, Any]:
    version = 4 if "networks4_" in name else 6
    return {
        "type": [ADDRESS_TYPES[version], "inet_proto", "inet_service"],
        "flags": ["interval"],
        "stmt": [{"counter": None}],
    }


# The two tables


def main_part(shape: Shape, elements: Mapping[str, Sequence[str]]) -> Part:
    """The computed table: networks with their ports, and with ``own`` the default-deny."""
    sets: Dict[str, Any] = {MARKER: {"type": "mark"}, **{name: network_set(name) for name in elements}}
    chains, rules = _skeleton(shape)
    for name in sorted(elements):
        version = 4 if name.startswith("networks4_") else 6
        mark = _set_bits(shape.value(intents_of(name.partition("_")[2])))
        rules.append(("out", [_networks(version, name, "daddr"), mark]))
        rules.append(("back", [_networks(version, name, "saddr"), mark]))
    if shape.own:
        chains["verdict"] = _hook(shape.priority + 1)
        chains["decide"] = {}
        decide = {"jump": {"target": "decide"}}
        rules += [("verdict", [*client, decide]) for client in shape.clients.conditions("saddr")]
        rules.append(("decide", [ESTABLISHED, {"accept": None}]))
        rules.append(("decide", [marked(shape.bits["allow"]), {"accept": None}]))
        rules.append(("decide", [{"counter": None}, {"drop": None}]))
    return _part(FAMILY, shape.table, sets, chains, rules, elements)


def names_part(shape: Shape, domains: Domains) -> Part:
    """The table that DNS fills: a set for each class of names, and for each name what was learnt of it."""
    sets: Dict[str, Any] = {MARKER: {"type": "mark"}}
    chains, rules = _skeleton(shape)
    for version, address_type in ADDRESS_TYPES.items():
        for ident in domains.classes:
            sets[f"names{version}_{ident}"] = {
                "type": address_type,
                "flags": ["timeout"],
                "timeout": shape.lifetime,
                "size": LEARNT_SIZE,
                "stmt": [{"counter": None}],
            }
        for domain in domains.uses:  # twice the lifetime: it must know an address as long as that is allowed
            body = {"type": address_type, "flags": ["timeout"], "timeout": 2 * shape.lifetime}
            sets[f"learnt{version}_{digest(domain, 12)}"] = body
    for ident, uses in sorted(domains.classes.items()):
        for version in ADDRESS_TYPES:
            for use in uses:
                rules += _name_rules(shape, version, f"names{version}_{ident}", use)
    return _part(FAMILY, shape.names_table, sets, chains, rules, {})


def _name_rules(shape: Shape, version: int, name: str, use: Use) -> List[Tuple[str, Expr]]:
    address = _payload(_IP[version], "daddr")
    refresh = {
        "set": {"op": "update", "elem": {"elem": {"val": address, "timeout": shape.lifetime}}, "set": f"@{name}"}
    }
    mark = _set_bits(shape.value(use.intents))
    rules: List[Tuple[str, Expr]] = []
    for protocol, ports in sorted(_by_protocol(use.ports).items()):
        to, back = _match(address, f"@{name}"), _match(_payload(_IP[version], "saddr"), f"@{name}")
        rules.append(("out", [to, _match(_payload(protocol, "dport"), {"set": ports}), refresh, mark]))
        rules.append(("back", [back, _match(_payload(protocol, "sport"), {"set": ports}), mark]))
    return rules


def _by_protocol(ports: Iterable[str]) -> Dict[str, List[Any]]:
    found: Dict[str, List[Any]] = {}
    for text in ports:
        protocol, _unused, numbers = text.partition("/")
        low, dash, high = numbers.partition("-")
        found.setdefault(protocol, []).append({"range": [int(low), int(high)]} if dash else int(low))
    return found


def _skeleton(shape: Shape) -> Tuple[Dict[str, Any], List[Tuple[str, Expr]]]:
    """Our bits cleared first, so that nobody else's mark passes for ours; then packets to look at, both ways."""
    chains: Dict[str, Any] = {
        "clear": _hook(shape.priority - 1), "forward": _hook(shape.priority), "out": {}, "back": {}
    }
    bits = shape.value(shape.bits)
    clear = [
        _match({"&": [MARK, bits]}, 0, "!="),
        {"mangle": {"key": MARK, "value": {"&": [MARK, ALL_BITS & ~bits]}}},
    ]
    outward, homeward = shape.clients.conditions("saddr"), shape.clients.conditions("daddr")
    both = outward if shape.clients.everyone else outward + homeward
    rules = [("clear", [*client, *clear]) for client in both]
    rules += [("forward", [*client, {"jump": {"target": "out"}}]) for client in outward]
    rules += [("forward", [REPLY, *client, {"jump": {"target": "back"}}]) for client in homeward]
    return chains, rules


def _hook(priority: int) -> Dict[str, Any]:
    return {"type": "filter", "hook": "forward", "prio": priority, "policy": "accept"}


def _part(
    family: str,
    table: str,
    sets: Mapping[str, Any],
    chains: Mapping[str, Any],
    rules: Iterable[Tuple[str, Expr]],
    elements: Mapping[str, Sequence[str]],
) -> Part:
    return Part(family, table, sets, chains, [(chain, plain(expr)) for chain, expr in rules], elements)


# Inside the site's own table


def site_part(
    shape: Shape, site: Tuple[str, str], elements: Mapping[str, Sequence[str]], with_names: bool, with_chain: bool
) -> Part:
    """Sets and one chain in the site's table: listed networks, and names by the mark that our own table sets."""
    sets: Dict[str, Any] = {f"{shape.table}-{MARKER}": {"type": "mark"}}
    named = {f"{shape.table}-{name}": values for name, values in elements.items()}
    sets.update({name: network_set(name) for name in named})
    rules: List[Tuple[str, Expr]] = []
    accept = {"accept": None}
    for side, other, first in (("saddr", "daddr", []), ("daddr", "saddr", [REPLY])):
        for client in shape.clients.conditions(side):
            spoken = [version for version in VERSIONS[site[0]] if _speaks(client, version)]
            for name in sorted(named):
                version = 4 if "-networks4_" in name else 6
                if version in spoken:
                    rules.append((shape.table, [*first, *client, _networks(version, name, other), accept]))
            if with_names and spoken:
                rules.append((shape.table, [*first, *client, marked(shape.bits["allow"]), accept]))
    chains: Mapping[str, Any] = {shape.table: {}} if with_chain else {}
    return _part(site[0], site[1], sets, chains, rules if with_chain else [], named)


def _speaks(client: Expr, version: int) -> bool:
    """Whether a packet of that IP version can meet the condition."""
    for one in client:
        payload = one["match"]["left"].get("payload")
        if payload and payload["protocol"] != _IP[version]:
            return False
    return True


def empty_site_part(shape_table: str, site: Tuple[str, str]) -> Part:
    """What stays while the site's own configuration still includes our file and jumps to our chain."""
    return Part(site[0], site[1], {f"{shape_table}-{MARKER}": {"type": "mark"}}, {shape_table: {}}, [], {})
