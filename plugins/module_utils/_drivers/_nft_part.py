# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nftables holds of ours in one table, as a value: read, compared, written as text, turned into commands. Pure.

The text of a part is one line for each set, chain, rule and element, in one order, without what the kernel adds
(handles, counts, times), so that equal text is equal state. Its lines can be read back, so a snapshot needs no more.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

PROTOCOLS = {"tcp": 6, "udp": 17}
_NAMES = {str(number): name for name, number in PROTOCOLS.items()}
_SET_FIELDS = ("type", "flags", "timeout", "size", "stmt")
_CHAIN_FIELDS = ("type", "hook", "prio", "policy")
_TABLE, _ELEMENT = "table ", "element "

Command = Dict[str, Any]


@dataclass(frozen=True)
class Part:
    """Our objects in one table. ``elements``: of interval sets only; what DNS fills is not part of a state."""

    family: str
    table: str
    sets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    chains: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: Sequence[Tuple[str, Any]] = ()  # (chain, expressions), in their order
    # As nft writes them: 198.51.100.0/24 . tcp . 443
    elements: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def place(self) -> Dict[str, str]:
        return {"family": self.family, "table": self.table}

    def structure(self) -> List[str]:
        """One line for each set, chain and rule."""
        lines = [_line("set", dict(body, name=name)) for name, body in sorted(self.sets.items())]
        lines += [_line("chain", dict(body, name=name)) for name, body in sorted(self.chains.items())]
        for name in sorted({chain for chain, _unused in self.rules}):
            lines += [_line("rule", {"chain": name, "expr": expr}) for chain, expr in self.rules if chain == name]
        return lines

    def text(self) -> str:
        lines = [f"{_TABLE}{self.family} {self.table}", *self.structure()]
        for name in sorted(self.elements):
            lines += [f"{_ELEMENT}{name} {element}" for element in sorted(self.elements[name])]
        return "\n".join(lines) + "\n"

    # Commands

    def added(self) -> List[Command]:
        """Everything but the table itself."""
        return [*self.added_sets(self.sets), *self.added_chains(), *self.added_rules()]

    def added_sets(self, names: Iterable[str]) -> List[Command]:
        found = []
        for name in sorted(names):
            body = dict(self.sets[name], name=name, **self.place)
            values = [element_value(text) for text in self.elements.get(name, ())]
            found.append({"add": {"set": dict(body, elem=values) if values else body}})
        return found

    def added_chains(self) -> List[Command]:
        return [{"add": {"chain": dict(body, name=name, **self.place)}} for name, body in sorted(self.chains.items())]

    def added_rules(self) -> List[Command]:
        return [{"add": {"rule": dict(self.place, chain=chain, expr=expr)}} for chain, expr in self.rules]

    def table_command(self, verb: str) -> Command:
        return {verb: {"table": {"family": self.family, "name": self.table}}}

    def named(self, verb: str, kind: str, names: Iterable[str]) -> List[Command]:
        return [{verb: {kind: dict(self.place, name=name)}} for name in sorted(names)]

    def element_command(self, verb: str, name: str, values: Sequence[Any]) -> Command:
        return {verb: {"element": dict(self.place, name=name, elem=list(values))}}


def part_from_kernel(
    place: Tuple[str, str], objects: Iterable[Mapping[str, Any]], elements: Mapping[str, Sequence[str]]
) -> Part:
    """The part that ``nft -j list`` tells, as far as the objects are ours (the caller has chosen them)."""
    sets: Dict[str, Any] = {}
    chains: Dict[str, Any] = {}
    rules: List[Tuple[str, Any]] = []
    for one in objects:
        for kind, body in one.items():
            if kind in ("set", "map"):
                sets[body["name"]] = _set_body(kind, body)
            elif kind == "chain":
                chains[body["name"]] = {key: body[key] for key in _CHAIN_FIELDS if key in body}
            elif kind == "rule":
                rules.append((body["chain"], plain(body["expr"])))
            else:
                sets[f"{kind} {body.get('name')}"] = {}  # an object that we never write: shown, and so corrected
    return Part(place[0], place[1], sets, chains, rules, elements)


def _set_body(kind: str, body: Mapping[str, Any]) -> Dict[str, Any]:
    found = {key: plain(body[key]) for key in _SET_FIELDS if key in body}
    # "dynamic" follows from the rule that updates the set; nft 1.0.6 neither takes nor tells it in JSON.
    found["flags"] = sorted(flag for flag in found.get("flags", []) if flag != "dynamic")
    if kind == "map":
        found["map"] = body.get("map")
    if not found["flags"]:
        del found["flags"]
    return found


def part_from_text(text: str) -> Part:
    """Back from :meth:`Part.text`; AllowlistError for a line that is none."""
    lines = text.splitlines()
    words = lines[0].split(" ") if lines else []
    if len(words) != 3 or words[0] != "table":
        raise AllowlistError(f"expected `table FAMILY NAME` in the first line, got {lines[:1]!r}")
    part = Part(words[1], words[2], {}, {}, [], {})
    for line in lines[1:]:
        try:
            _take(part, line)
        except (ValueError, KeyError, AttributeError) as error:
            raise AllowlistError(f"{words[2]}: a line that cannot be read: {line[:200]!r}") from error
    return part


def require_addresses(part: Part) -> None:
    """For a part that comes from outside: nft would ask the resolver about anything that is no address."""
    for name, elements in part.elements.items():
        for element in elements:
            address, *rest = element.split(" . ")
            try:
                ipaddress.ip_network(address)
                proven = len(rest) == 2 and rest[0] in PROTOCOLS and all(map(str.isdigit, rest[1].split("-")))
            except ValueError:
                proven = False
            if not proven:
                raise AllowlistError(f"{part.table}: the element {element!r} of {name} is no address with a port")


def _take(part: Any, line: str) -> None:
    if line.startswith(_ELEMENT):
        name, _unused, element = line[len(_ELEMENT) :].partition(" ")
        part.elements.setdefault(name, []).append(element)
        return
    for kind, body in json.loads(line).items():
        if kind == "rule":
            part.rules.append((body["chain"], body["expr"]))
        else:
            target = {"set": part.sets, "chain": part.chains}[kind]
            target[body.pop("name")] = body


def _line(kind: str, body: Mapping[str, Any]) -> str:
    return json.dumps({kind: body}, sort_keys=True, separators=(",", ":"))


def plain(value: Any) -> Any:
    """An expression without what differs between two listings of the same rule."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    found: Dict[str, Any] = {
        key: None if key == "counter" else plain(item) for key, item in value.items() if key != "handle"
    }
    if isinstance(found.get("set"), list):  # an anonymous set: in any order, and one value alone is written without it
        items = sorted(_joined(found["set"]), key=_sortable)
        return items[0] if len(items) == 1 else {"set": items}
    if "match" in found and isinstance(found["match"].get("right"), list):
        found["match"] = dict(found["match"], right=sorted(found["match"]["right"], key=_sortable), op="in")
    return found


def _joined(items: List[Any]) -> List[Any]:
    """nft tells neighbours of an anonymous set as one range; other values (interfaces) stay as they are."""
    addresses: Dict[int, List[Tuple[int, int]]] = {}
    rest = []
    for item in items:
        try:
            first, last = _ends(item)
        except ValueError:
            rest.append(item)
        else:
            addresses.setdefault(first.version, []).append((int(first), int(last)))
    return rest + [_block(version, *ends) for version, found in addresses.items() for ends in _merged(found)]


def _ends(item: Any) -> Tuple[Any, Any]:
    """First and last address of a value; ValueError for another one, such as the name of an interface or a port."""
    if isinstance(item, dict) and "range" in item and isinstance(item["range"][0], str):
        return ipaddress.ip_address(item["range"][0]), ipaddress.ip_address(item["range"][1])
    if not isinstance(item, str) and not (isinstance(item, dict) and "prefix" in item):
        raise ValueError(item)
    network = ipaddress.ip_network(element_text(item))
    return network[0], network[-1]


def _merged(ends: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
    found: List[Tuple[int, int]] = []
    for first, last in sorted(ends):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _block(version: int, first: int, last: int) -> Any:
    make = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
    networks = list(ipaddress.summarize_address_range(make(first), make(last)))
    if len(networks) == 1:
        return _prefix(str(networks[0]) if first != last else str(make(first)))
    return {"range": [str(make(first)), str(make(last))]}


def _sortable(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# Elements


def element_text(value: Any) -> str:
    """An element as nft writes it, without its counter and times."""
    if isinstance(value, str):
        return _address(value)
    if isinstance(value, int):
        return str(value)
    for key, inner in value.items():
        if key == "elem":
            return element_text(inner["val"])
        if key == "prefix":
            return f"{_address(inner['addr'])}/{inner['len']}"
        if key == "range":
            return "-".join(element_text(side) for side in inner)
        if key == "concat":
            parts = [element_text(side) for side in inner]
            if len(parts) > 1:
                parts[1] = _NAMES.get(parts[1], parts[1])  # a number where the host has no /etc/protocols
            return " . ".join(parts)
    return json.dumps(value, sort_keys=True)


def _address(text: str) -> str:
    """The C library writes some IPv6 addresses with a dotted end."""
    return str(ipaddress.IPv6Address(text)) if ":" in text and "." in text else text


def element_value(text: str) -> Any:
    """What ``nft -j`` takes for :func:`element_text`; each address was proven to be one when the text was made."""
    parts = text.split(" . ")
    if len(parts) == 1:
        return _prefix(text)
    return {"concat": [_prefix(parts[0]), PROTOCOLS.get(parts[1], parts[1]), _port(parts[2])]}


def _prefix(text: str) -> Any:
    address, slash, length = text.partition("/")
    return {"prefix": {"addr": address, "len": int(length)}} if slash else address


def _port(text: str) -> Any:
    first, dash, last = text.partition("-")
    return {"range": [int(first), int(last)]} if dash else int(first)
