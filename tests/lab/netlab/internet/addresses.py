# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every name has an address of its own, per family, that does not change while the lab is up."""

from __future__ import annotations

import hashlib
import ipaddress
import threading

from ..topology import NAME_POOL_IPV4, NAME_POOL_IPV6

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressBook:
    """The address follows from the name; should two names meet, the later one gets the next free number."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}

    def addresses(self, name: str) -> tuple[ipaddress.IPv4Address, ipaddress.IPv6Address]:
        number = self._number(name.lower())
        return NAME_POOL_IPV4[number], NAME_POOL_IPV6[number]

    def name(self, address: IPAddress) -> str | None:
        """Whose address this is, as far as anybody asked for it."""
        pool = NAME_POOL_IPV4 if address.version == 4 else NAME_POOL_IPV6
        if address not in pool:
            return None
        with self._lock:
            return self._names.get(int(address) - int(pool.network_address))

    def _number(self, name: str) -> int:
        with self._lock:
            if name not in self._numbers:
                usable = NAME_POOL_IPV4.num_addresses - 2  # without the first and the last
                number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % usable
                while number + 1 in self._names:
                    number = (number + 1) % usable
                self._numbers[name] = number + 1
                self._names[number + 1] = name
            return self._numbers[name]
