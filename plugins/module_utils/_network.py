# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks such as ``198.51.100.0/24``: checked, canonical, with the choices named where the text is ambiguous."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Union

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]

# Digits, dots and an optional mask, or anything of hexadecimal digits with two colons: meant as an address.
_LIKE_ADDRESS = re.compile(
    r"\[?(?:[0-9]+(?:\.[0-9]+)+|[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*)\]?(?:%[^/]*)?(?:/.*)?", re.DOTALL
)
_LEADING_ZERO = re.compile(r"(?:^|\.)0[0-9]")
_LONGEST = 64
_BROADEST = {4: 8, 6: 19}


def looks_like_network(text: str) -> bool:
    """Whether *text* is meant as an address or a network, be it a valid one or not."""
    return _LIKE_ADDRESS.fullmatch(text.lower()[: _LONGEST * 2]) is not None


@lru_cache(maxsize=2**18)  # a list is looked at several times in a run, and parsing is most of what that costs
def parse_network(text: str) -> Network:
    """The network; a plain address is a network of one. AllowlistError, quoting *text*, for what is none."""
    address, slash, prefix = text.partition("/")
    if len(text) > _LONGEST or not text.isascii():
        raise _refused(text, "it is no address")
    if "%" in address:
        raise _refused(text, "the scope after % means something on one machine only: write the address without it")
    if "." in address and _LEADING_ZERO.search(address):
        raise _refused(text, "programs read leading zeros as decimal or as octal: write the numbers without them")
    if slash and (not prefix.isdigit() or (len(prefix) > 1 and prefix[0] == "0")):
        raise _refused(text, "expected the length of the prefix after the slash, as in 198.51.100.0/24")
    return _checked(text)


def _checked(text: str) -> Network:
    try:
        interface = ipaddress.ip_interface(text)
    except ValueError:
        raise _refused(text, "expected something like 198.51.100.7, 198.51.100.0/24 or 2001:db8::/32") from None
    network = interface.network
    if isinstance(interface, ipaddress.IPv6Interface) and interface.ip.ipv4_mapped is not None:
        raise _refused(text, "it is an IPv4 address inside an IPv6 one: write it as IPv4")
    if interface.ip != network.network_address:
        single = f"{interface.ip}/{network.max_prefixlen}"
        raise _refused(text, f"it has bits after its prefix: write {network} (the whole network) or {single}")
    if network.prefixlen < _BROADEST[network.version]:
        limit = _BROADEST[network.version]
        raise _refused(text, f"it is broader than /{limit}: list the networks that are needed")
    return network


def _refused(text: str, reason: str) -> AllowlistError:
    return AllowlistError(f"{shown(text)} is not a network that can be allowed: {reason}")
