# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions that a PAC file is given, as Firefox and Chromium have them, and Microsoft's for IPv6."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from ansible_collections.egress.allowlist.plugins.module_utils._pac_calendar import (
    date_range,
    time_range,
    weekday_range,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import to_bits, to_text
from ansible_collections.egress.allowlist.plugins.module_utils._pac_text import regex_of
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    UNDEFINED,
    NativeCode,
    Value,
    argument,
    type_name,
)

Resolve = Callable[[str], List[str]]
Addresses = Callable[[], List[str]]
_FOUR = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
# What shExpMatch of the browsers hands on to a regular expression as it is.
_REGEX_MARKS = re.compile(r"[\\^$+()\[\]{}|\n\r]")
_MOST_PATTERNS = 20000
_Glob = Callable[[str], bool]
_globs: Dict[str, Optional[_Glob]] = {}
_Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


def pac_functions(resolve: Resolve, my_addresses: Addresses) -> Dict[str, NativeCode]:
    """All functions by name; *resolve* gives the addresses of a name as texts, none where it does not resolve."""
    network = _Network(resolve, my_addresses)
    return {
        "alert": lambda _realm, _this, _arguments: UNDEFINED,
        "convert_addr": _convert,
        "dateRange": date_range,
        "dnsDomainIs": _domain_is,
        "dnsDomainLevels": lambda realm, _this, arguments: float(_text(realm, arguments, 0).count(".")),
        "dnsResolve": network.dns_resolve,
        "dnsResolveEx": network.dns_resolve_ex,
        "getClientVersion": lambda _realm, _this, _arguments: "1.0",
        "isInNet": network.is_in_net,
        "isInNetEx": network.is_in_net_ex,
        "isPlainHostName": lambda realm, _this, arguments: not set(".:") & set(_text(realm, arguments, 0)),
        "isResolvable": lambda realm, this, arguments: network.dns_resolve(realm, this, arguments) is not None,
        "isResolvableEx": lambda realm, this, arguments: bool(network.dns_resolve_ex(realm, this, arguments)),
        "isValidIpAddress": lambda realm, _this, arguments: _is_four(_text(realm, arguments, 0)),
        "localHostOrDomainIs": _local_or_domain,
        "myIpAddress": network.my_address,
        "myIpAddressEx": network.my_address_ex,
        "shExpMatch": _sh_exp_match,
        "sortIpAddressList": _sort_addresses,
        "timeRange": time_range,
        "weekdayRange": weekday_range,
    }


def _text(realm: Any, arguments: List[Value], index: int) -> str:
    """A text that was given; nothing at all is an error, as it is in browsers."""
    value = argument(arguments, index)
    if isinstance(value, str):
        return value
    if value is None or value is UNDEFINED:
        raise realm.error("TypeError", f"argument {index + 1} is {type_name(value)}, expected a text")
    return to_text(realm, value)


def _is_four(text: str) -> bool:
    return bool(_FOUR.fullmatch(text)) and all(int(part) < 256 for part in text.split("."))


def _bits(realm: Any, text: str) -> int:
    """32 bits of an address, as leniently as browsers read it."""
    parts: List[Value] = [*text.split("."), "0", "0", "0"]
    found = 0
    for part in parts[:4]:
        found = found << 8 | to_bits(realm, part) & 0xFF
    return found


def _convert(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    bits = _bits(realm, _text(realm, arguments, 0))
    return float(bits - (1 << 32) if bits >= 1 << 31 else bits)


def _domain_is(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    """Only the end of the text counts: dnsDomainIs("notx.com", "x.com") is true, in browsers too."""
    return _text(realm, arguments, 0).endswith(_text(realm, arguments, 1))


def _local_or_domain(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    host, name = _text(realm, arguments, 0), _text(realm, arguments, 1)
    return host == name or name.startswith(host + ".")


class _Network:
    """The functions that ask the host's resolver, or for its own addresses."""

    def __init__(self, resolve: Resolve, my_addresses: Addresses) -> None:
        self._resolve = resolve
        self._my_addresses = my_addresses

    def _addresses(self, host: str) -> List[str]:
        if _address(host) is not None:
            return [host]
        return self._resolve(host) if host else []

    def dns_resolve(self, realm: Any, _this: Value, arguments: List[Value]) -> Value:
        """The first IPv4 address, or null."""
        realm.steps.spend(100)
        found = self._addresses(_text(realm, arguments, 0))
        return next((one for one in found if _is_four(one)), None)

    def dns_resolve_ex(self, realm: Any, _this: Value, arguments: List[Value]) -> Value:
        realm.steps.spend(100)
        return ";".join(self._addresses(_text(realm, arguments, 0)))

    def is_in_net(self, realm: Any, this: Value, arguments: List[Value]) -> Value:
        pattern, mask = _text(realm, arguments, 1), _text(realm, arguments, 2)
        if not (_is_four(pattern) and _is_four(mask)):
            return False
        host = _text(realm, arguments, 0)
        address = host if _is_four(host) else self.dns_resolve(realm, this, [host])
        if address is None:
            return False
        bits = _bits(realm, mask)
        return _bits(realm, address) & bits == _bits(realm, pattern) & bits

    def is_in_net_ex(self, realm: Any, _this: Value, arguments: List[Value]) -> Value:
        """Is any address of the host in the network, written as 198.51.100.0/24 or 2001:db8::/32?"""
        try:
            network = ipaddress.ip_network(_text(realm, arguments, 1).strip(), strict=False)
        except ValueError:
            return False
        found = [_address(one) for one in self._addresses(_text(realm, arguments, 0))]
        return any(one is not None and one.version == network.version and one in network for one in found)

    def my_address(self, realm: Any, _this: Value, _arguments: List[Value]) -> Value:
        realm.steps.spend(100)
        found = self._my_addresses()
        return next((one for one in found if _is_four(one)), (found or ["127.0.0.1"])[0])

    def my_address_ex(self, realm: Any, _this: Value, _arguments: List[Value]) -> Value:
        realm.steps.spend(100)
        return ";".join(self._my_addresses())


def _address(text: str) -> Optional[_Address]:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _sort_addresses(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    """IPv6 before IPv4; an empty text where one of them is no address."""
    texts = [text.strip() for text in _text(realm, arguments, 0).split(";")]
    found: List[Tuple[int, int, str]] = []
    for text in texts:
        address = _address(text)
        if address is None:
            return ""
        found.append((-address.version, int(address), text))
    return ";".join(text for _version, _number, text in sorted(found))


# shExpMatch


def _sh_exp_match(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    text, pattern = _text(realm, arguments, 0), _text(realm, arguments, 1)
    if pattern not in _globs:
        if len(_globs) >= _MOST_PATTERNS:
            _globs.clear()
        realm.steps.spend(10 + len(pattern))
        _globs[pattern] = None if _REGEX_MARKS.search(pattern) else _glob(pattern)
    realm.steps.spend(1 + (len(text) >> 4))
    glob = _globs[pattern]
    if glob is not None:
        return glob(text)
    source = pattern.replace(".", "\\.").replace("*", ".*").replace("?", ".")
    return regex_of(realm, f"^{source}$", "").search(text, 0, realm.steps) is not None


def _glob(pattern: str) -> _Glob:
    """A test for * and ?, without backtracking: what lies between two stars is found where it first can be."""
    first, *rest = pattern.split("*")
    if not rest:
        return _piece(pattern) if "?" in pattern else pattern.__eq__
    *middle, last = [piece for index, piece in enumerate(rest) if piece or index == len(rest) - 1]
    if "?" not in pattern and not middle:
        least = len(first) + len(last)
        return lambda text: len(text) >= least and text.startswith(first) and text.endswith(last)
    starts, ends = _piece(first), _piece(last)

    def matches(text: str) -> bool:
        at, end = len(first), len(text) - len(last)
        if end < at or not (starts(text[:at]) and ends(text[end:])):
            return False
        for piece in middle:
            at = _find(text, piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return matches


def _piece(pattern: str) -> _Glob:
    """A test for a text of the same length, where ? is any character."""
    if "?" not in pattern:
        return pattern.__eq__
    return lambda text: len(text) == len(pattern) and all(mine in ("?", char) for mine, char in zip(pattern, text))


def _find(text: str, piece: str, start: int, end: int) -> int:
    if "?" not in piece:
        return text.find(piece, start, end)
    test, size = _piece(piece), len(piece)
    return next((at for at in range(start, end - size + 1) if test(text[at : at + size])), -1)
