# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults below TLS: the kernel refuses or forgets what comes for the addresses of chosen names."""

from __future__ import annotations

import subprocess
import threading

from .addresses import AddressBook
from .faults import PATH, Faults

TABLE = """
table inet path_faults {
  map faults4 { type ipv4_addr : verdict; }
  map faults6 { type ipv6_addr : verdict; }
  chain refused { meta l4proto tcp reject with tcp reset; reject with icmpx port-unreachable; }
  chain silent { drop; }
  chain unreachable { reject with icmpx admin-prohibited; }
  chain input {
    type filter hook input priority filter; policy accept;
    ip daddr vmap @faults4
    ip6 daddr vmap @faults6
  }
}
"""


class PathFaults:
    """Keeps the kernel's list the same as the names' faults."""

    def __init__(self, book: AddressBook, faults: Faults) -> None:
        self._book = book
        self._faults = faults
        self._lock = threading.Lock()
        self._active: dict[str, str] = {}
        _nft(TABLE)

    def follow(self, name: str) -> None:
        """Bring the kernel up to date about one name; cheap when nothing changed."""
        name = name.lower()
        fault = self._faults.of(name)
        kind = fault if fault in PATH else None
        with self._lock:
            before = self._active.get(name)
            if before == kind:
                return
            _nft(self._commands(name, before, kind))
            if kind:
                self._active[name] = kind
            else:
                del self._active[name]

    def _commands(self, name: str, before: str | None, after: str | None) -> str:
        lines = []
        for family, address in zip((4, 6), self._book.addresses(name), strict=True):
            if before:
                lines.append(f"delete element inet path_faults faults{family} {{ {address} }}")
            if after:
                lines.append(f"add element inet path_faults faults{family} {{ {address} : jump {after} }}")
        return "\n".join(lines) + "\n"


def _nft(commands: str) -> None:
    subprocess.run(["nft", "-f", "-"], input=commands, text=True, check=True)
