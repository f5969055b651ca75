# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody asks about: a name, a URL, an address, a network, a wildcard."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._entry_item import read_item
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._network import looks_like_network
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import found

_SCHEMES = {"http": "tcp/80", "https": "tcp/443", "ws": "tcp/80", "wss": "tcp/443", "tcp": "", "udp": ""}
_URL = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?"
    r"(?P<host>\[[^\[\]/?#@]*\]|[^\[\]:/?#@]+)(?::(?P<port>[^/?#]*))?(?P<path>/[^?#]*)?(?:[?#].*)?",
    re.DOTALL,
)
_CREDENTIALS = re.compile(r"(?<=://)[^@/?#]*@")
_LONGEST = 2000
_HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Question:
    """*name* is what was asked for, without what may be secret in a URL; *path* is one that a proxy can see."""

    name: str
    thing: Entry
    port: str | None = None
    path: str | None = None

    @property
    def is_wildcard(self) -> bool:
        return self.thing.type == "host" and not self.thing.pattern.is_literal


def read(term: object, where: str) -> Question:
    """The question that a term asks; AllowlistError for what is neither name, URL, address nor network."""
    if not isinstance(term, str):
        raise AllowlistError(f"{where}: expected a name, a URL, an address or a network as text, got {found(term)}")
    text = _CREDENTIALS.sub("", str(term).strip(), count=1)
    if len(text) > _LONGEST:
        raise AllowlistError(f"{where}: it has {len(text)} characters, and at most {_LONGEST} are read: {shown(text)}")
    if looks_like_network(text):
        thing = read_item(text.strip("[]"), where)
        return Question(_plain(thing), thing)
    match = _URL.fullmatch(text)
    if match is None:
        thing = read_item(text, where)
        return Question(_plain(thing), thing)
    thing = read_item(match["host"].strip("[]"), where)
    port = _port(match["scheme"], match["port"], where, text)
    seen = port in (None, "tcp/80") and (match["scheme"] or match["path"])
    path = match["path"] or "/" if seen and thing.type == "host" else None
    return Question(_written(thing, match["scheme"], match["port"], match["path"]), thing, port, path)


def _port(scheme: str | None, number: str | None, where: str, text: str) -> str | None:
    kind = (scheme or "").lower()
    if kind and kind not in _SCHEMES:
        raise AllowlistError(
            f"{where}: {shown(text)}: expected one of {', '.join(f'{known}://' for known in _SCHEMES)}, got {kind}://; "
            "or write the name and the port, as in www.example.com:8443"
        )
    if number is None:
        if kind in ("tcp", "udp"):
            raise AllowlistError(f"{where}: {shown(text)}: expected a port, as in {kind}://www.example.com:3478")
        return _SCHEMES.get(kind)
    if not (number.isascii() and number.isdigit() and 0 < int(number[:6]) <= _HIGHEST_PORT):
        raise AllowlistError(f"{where}: {shown(text)}: expected a port from 1 to {_HIGHEST_PORT}, got {shown(number)}")
    return f"{'udp' if kind == 'udp' else 'tcp'}/{int(number)}"


def _written(thing: Entry, scheme: str | None, port: str | None, path: str | None) -> str:
    host = f"[{_plain(thing)}]" if ":" in thing.value and (scheme or port) else _plain(thing)
    shown_path = "".join(char if char.isprintable() else "?" for char in path or "")
    return (f"{scheme.lower()}://" if scheme else "") + host + (f":{port}" if port else "") + shown_path


def _plain(thing: Entry) -> str:
    """One address is written without the length of its prefix."""
    if thing.type == "network" and thing.network.prefixlen == thing.network.max_prefixlen:
        return str(thing.network.network_address)
    return thing.value
