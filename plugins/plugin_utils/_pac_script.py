# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries as a PAC script: where a browser goes for which URL.

The code (``_pac_code.js``) is always the same; what is made here are its tables: names by their whole text, trees
(``*.x``) by what stands after the star, and the few other patterns, as regular expressions, by their literal end.
Their keys begin with a dot, so no name can meet a property that every object has, such as ``constructor``. All of it
is ES3.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports, minimise
from ansible_collections.egress.allowlist.plugins.module_utils._network import Network

_CODE = Path(__file__).with_name("_pac_code.js")
_WIDTH = {4: 8, 6: 16}  # bits of one number of an address, as it is written
_LONGEST_LINE = 110

Ports = tuple[int, ...] | None  # pairs: from, to; None: any port


@dataclass(frozen=True)
class Rule:
    """What the site decides before the list: for these, on the ports that they state or else on any, go there."""

    entries: Sequence[Entry]
    to: str


@dataclass(frozen=True)
class Settings:
    """Where to go. Each way is what FindProxyForURL returns, such as ``PROXY proxy.example.com:8080; DIRECT``."""

    name: str
    allowed: str
    default: str
    plain_hosts: str
    rules: Sequence[Rule] = ()
    resolve: bool = False
    version: str | None = None


def pac_script(entries: Sequence[Entry], settings: Settings) -> str:
    """The text of the PAC file; networks must state their ports. The same input gives the same bytes."""
    tables = _Tables()
    lists = [tables.add(rule.entries, rule.to, any_port=True) for rule in settings.rules]
    lists.append(tables.add(minimise(entries), settings.allowed, any_port=False))
    data = [
        f"var EGRESS_OTHERS = {_text(settings.default)};",
        f"var EGRESS_PLAIN = {_text(settings.plain_hosts)};",
        f"var EGRESS_RESOLVE = {_text(settings.resolve)};",
        f"var EGRESS_PORTS = {_text(tables.ports)};",
        "var EGRESS_LISTS = " + _written(lists) + ";",
    ]
    body = "\n".join(data) + "\n" + _code()
    return _head(entries, settings, body) + body


@cache
def _code() -> str:
    return _CODE.read_text(encoding="utf-8")


def _head(entries: Sequence[Entry], settings: Settings, body: str) -> str:
    hosts = sum(entry.type == "host" for entry in entries)
    version = settings.version or hashlib.sha256(body.encode()).hexdigest()[:12]
    lines = [
        f"egress.allowlist name={settings.name} dialect=pac version={version}",
        f"{hosts} names and {len(entries) - hosts} networks",
        *_folded("from ", sorted({source for entry in entries for source in entry.sources})),
        f"what they allow goes to {settings.allowed}, everything else to {settings.default}",
        "written by a program: changes made by hand are lost",
    ]
    return "".join(f"// {_ascii(line)}\n" for line in lines)


def _folded(first: str, words: Iterable[str]) -> list[str]:
    lines, line = [], first
    for word in words:
        if len(line) > len(first) and len(line) + len(word) > _LONGEST_LINE:
            lines.append(line)
            line = " " * len(first)
        line += word + ", "
    return [text.rstrip(", ") for text in (*lines, line) if text.strip() != first.strip()]


def _ascii(text: str) -> str:
    """Comments end at more characters than a newline, and old engines do not agree on the file's encoding."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


class _Tables:
    """The tables of each list; lists share the sets of ports."""

    def __init__(self) -> None:
        self.ports: list[Ports] = []

    def add(self, entries: Iterable[Entry], to: str, *, any_port: bool) -> dict[str, Any]:
        """One list: names, trees, other patterns and networks, each with the number of its ports."""
        found: dict[str, Any] = {"to": to, "exact": {}, "below": {}, "shaped": {}, "networks": {}}
        for entry in entries:
            number = self._number(None if any_port and not entry.ports else _ranges(entry))
            if entry.type == "network":
                found["networks"][_key(entry.network)] = number
            elif entry.path is None and entry.pattern.is_literal:
                found["exact"]["." + entry.value] = number
            elif entry.path is None and entry.pattern.is_subtree:
                found["below"]["." + entry.pattern.base] = number
            else:
                shape = _Shape(entry.pattern.regex(), number, entry.path or "")
                found["shaped"].setdefault("." + entry.pattern.base, []).append(shape)
        found["lengths"] = sorted({int(key.split("/")[1]) for key in found["networks"]})
        return found

    def _number(self, ports: Ports) -> int:
        if ports not in self.ports:
            self.ports.append(ports)
        return self.ports.index(ports)


def _ranges(entry: Entry) -> tuple[int, ...]:
    found: list[int] = []
    for port in effective_ports(entry):
        protocol, _slash, numbers = port.partition("/")
        if protocol == "tcp":  # rules of the site come with all their ports
            low, _dash, high = numbers.partition("-")
            found += [int(low), int(high or low)]
    return tuple(found)


def _key(network: Network) -> str:
    """The first bits of an address, as ``egressKey`` writes them."""
    width = _WIDTH[network.version]
    count = -(-network.prefixlen // width)
    address = int(network.network_address)
    shifts = range(network.max_prefixlen - width, network.max_prefixlen - width * (count + 1), -width)
    numbers = [f"{address >> shift & (1 << width) - 1:x}" for shift in shifts]
    return "/".join([str(network.version), str(network.prefixlen), *numbers])


@dataclass(frozen=True)
class _Shape:
    """A pattern that no table can hold."""

    regex: str
    ports: int
    path: str

    def __str__(self) -> str:
        path = f", path: {_text(self.path)}" if self.path else ""
        return f"{{name: /{self.regex}/, ports: {self.ports}{path}}}"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True)


def _written(lists: Sequence[dict[str, Any]]) -> str:
    return "[\n" + ",\n".join(map(_written_list, lists)) + "\n]"


def _written_list(tables: dict[str, Any]) -> str:
    parts = [f"to: {_text(tables['to'])}", f"lengths: {_text(tables['lengths'])}"]
    for name in ("exact", "below", "networks", "shaped"):
        rows = [f"    {_text(key)}: {_row(value)}" for key, value in tables[name].items()]
        parts.append(f"{name}: {{" + ("\n" + ",\n".join(rows) + "\n  " if rows else "") + "}")
    return "{\n  " + ",\n  ".join(parts) + "\n}"


def _row(value: object) -> str:
    return "[" + ", ".join(map(str, value)) + "]" if isinstance(value, list) else _text(value)
