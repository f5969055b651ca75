# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One item of a user's list becomes an entry, or an error that says where it stands and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from difflib import get_close_matches
from typing import Any, Callable

from ansible_collections.egress.allowlist.plugins.module_utils._entry_type import CATEGORIES, RISKS, Entry
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._network import looks_like_network, parse_network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternError, parse
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports

_FIELDS = tuple(field.name for field in fields(Entry))
# Letters, digits and what a path may hold unescaped, less whatever some appliance reads as syntax or as a wildcard.
_PATH = re.compile(r"/(?:[A-Za-z0-9/._~!&()+,=:@-]|%[0-9A-Fa-f]{2}){0,1023}")
_LONGEST_LABEL = 100
_LONGEST_NUMBER = 128  # bits, as of an address
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^@/?#]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:/?#@]+)(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?(?P<rest>[?#].*)?"
)
_LONGEST_URL = 2000


def read_item(item: object, where: str) -> Entry:
    """The entry that *item* stands for: a text, a mapping of the fields, or an entry."""
    if isinstance(item, str):
        return _read_value(str(item), None, where)
    if isinstance(item, Entry):
        return _read_mapping(item.as_dict(), where)
    if isinstance(item, Mapping):
        return _read_mapping(item, where)
    raise AllowlistError(f"{where}: expected a name or a network as text, got {_described(item)}")


def _described(item: object) -> str:
    """What YAML made of a text that nobody quoted."""
    if item is None:
        return "nothing: remove the empty item"
    if isinstance(item, bool):
        return 'the boolean true: quote it ("yes")' if item else 'the boolean false: quote it ("no")'
    if isinstance(item, int) and item.bit_length() > _LONGEST_NUMBER:
        return f"a number of {item.bit_length()} bits"
    if isinstance(item, (int, float)):
        return f'the number {item}: quote it ("{item}")'
    if isinstance(item, date):
        return f'the date {item}: quote it ("{item}")'
    return f"{type(item).__name__} {shown(item)}"


def _read_mapping(item: Mapping[Any, Any], where: str) -> Entry:
    for name in item:
        if name not in _FIELDS:
            raise AllowlistError(f"{where}: {shown(dict(item))}: {_unknown_field(name)}")
    if item.get("value") is None:
        raise AllowlistError(f"{where}: {shown(dict(item))}: the field value is missing")
    value = item["value"]
    if not isinstance(value, str):
        raise AllowlistError(f"{where}: value: expected a name or a network as text, got {_described(value)}")
    found = _read_value(str(value), item.get("type"), where)
    try:
        entry = Entry(found.type, found.value, **{name: read(item.get(name)) for name, read in _READERS.items()})
        _check_path_fits(entry)
    except AllowlistError as error:
        raise AllowlistError(f"{where} ({shown(value)}): {error}") from None
    # What was parsed once need not be parsed again.
    entry.__dict__.update({name: found.__dict__[name] for name in ("pattern", "network") if name in found.__dict__})
    return entry


def _unknown_field(name: object) -> str:
    written = name[:_LONGEST_LABEL] if isinstance(name, str) else ""
    near = get_close_matches(written, _FIELDS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"the fields are {', '.join(_FIELDS)}"
    return f"there is no field {shown(name)}, {hint}"


def _read_value(text: str, kind: object, where: str) -> Entry:
    if kind not in (None, "host", "network"):
        raise AllowlistError(f"{where} ({shown(text)}): type: expected host or network, got {shown(kind)}")
    address = looks_like_network(text)
    if kind == "host" and address:
        raise AllowlistError(f"{where}: {shown(text)} is an address and not a name: write type: network")
    try:
        if address:
            network = parse_network(text)
            entry = Entry("network", str(network))
            entry.__dict__["network"] = network
        else:
            pattern = parse(text)
            entry = Entry("host", pattern.text)
            entry.__dict__["pattern"] = pattern
    except PatternError as error:
        raise AllowlistError(f"{where}: {error}{_advice(text)}") from None
    except AllowlistError as error:
        raise AllowlistError(f"{where}: {error}") from None
    if kind == "network" and not address:
        raise AllowlistError(f"{where}: {shown(text)} is a name and not a network: write type: host")
    return entry


def _advice(text: str) -> str:
    """For a URL, or a name with port or path: exactly what to write instead."""
    match = _URL.fullmatch(text) if len(text) <= _LONGEST_URL else None
    if match is None or match["host"] == text:
        return ""
    try:
        entry = _read_value(match["host"].strip("[]"), None, "")
        ports = canonical_ports([f"tcp/{match['port']}"] if match["port"] else [], "")
    except AllowlistError:
        return ""
    parts = [f'value: "{entry.value}"']
    path = match["path"] or "/"
    if match["scheme"] in (None, "http") and not match["rest"] and path != "/" and _PATH.fullmatch(path):
        parts.append(f"path: {path}")
    if ports:
        parts.append(f"ports: [{ports[0]}]")
    return f'; write "{entry.value}"' if len(parts) == 1 else f"; write {{{', '.join(parts)}}}"


def _read_path(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or _PATH.fullmatch(value) is None:
        raise AllowlistError(
            f"path: expected / and then ASCII without blanks, quotes, wildcards, # ? ; $ and \\, got {shown(value)}"
        )
    if {".", ".."} & set(value.split("/")):
        raise AllowlistError(f"path: {shown(value)} has a . or .. part, which clients take out: write what is left")
    return str(value)


def _check_path_fits(entry: Entry) -> None:
    if entry.path is None:
        return
    if entry.type == "network":
        raise AllowlistError("path: a network has none; only a host has")
    if any(port.startswith("udp/") for port in entry.ports):
        raise AllowlistError("path: it can be seen in plain http only, which is not spoken over udp")


def _read_ports(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise AllowlistError(f"ports: expected a list such as [tcp/443], got {shown(value)}")
    return canonical_ports(value, "ports")


def _read_texts(name: str) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            raise AllowlistError(f"{name}: expected a list of texts, got {shown(value)}")
        for index, text in enumerate(value):
            if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_LABEL or not text.isprintable():
                raise AllowlistError(f"{name}[{index}]: expected a short text of one line, got {shown(text)}")
        return tuple(sorted({str(text) for text in value}))

    return read


def _read_choice(name: str, choices: tuple[str, ...]) -> Callable[[object], str | None]:
    def read(value: object) -> str | None:
        if value is None:
            return None
        if value not in choices:
            raise AllowlistError(f"{name}: expected one of {', '.join(choices)}, or null, got {shown(value)}")
        return choices[choices.index(str(value))]

    return read


def _read_flag(name: str, default: bool) -> Callable[[object], bool]:
    def read(value: object) -> bool:
        if value is None:
            return default
        if not isinstance(value, bool):
            raise AllowlistError(f"{name}: expected true or false, got {shown(value)}")
        return value

    return read


_READERS: dict[str, Callable[[object], Any]] = {
    "path": _read_path,
    "ports": _read_ports,
    "groups": _read_texts("groups"),
    "category": _read_choice("category", CATEGORIES),
    "required": _read_flag("required", True),
    "critical": _read_flag("critical", False),
    "risk": _read_choice("risk", RISKS),
    "sources": _read_texts("sources"),
}
