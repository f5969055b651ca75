# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a name, and which names it is wrong with."""

from __future__ import annotations

import re
import threading

# Each fault shows itself on one layer; the text is what a client meets.
DNS = {
    "nx": "the name does not exist (NXDOMAIN)",
    "servfail": "the resolver fails (SERVFAIL)",
    "dnsrefused": "the resolver refuses to answer (REFUSED)",
    "dnssilent": "the resolver never answers",
    "nodata": "the name exists and has no address",
    "sinkhole": "the resolver answers 0.0.0.0 and ::",
    "astray": "the resolver answers with the address of a block page, whatever is asked for",
    "v4only": "the name has an IPv4 address only",
    "v6only": "the name has an IPv6 address only",
    "cname": "the name is an alias of edge.<name> (nothing wrong otherwise)",
}
PATH = {
    "refused": "the connection is refused (TCP reset)",
    "silent": "packets vanish, the connection times out",
    "unreachable": "a router says: administratively prohibited",
}
TLS = {
    "reset": "the connection is reset on the first bytes of the client",
    "eof": "the connection is closed on the first bytes of the client",
    "hang": "the connection is accepted, then nothing",
    "alert": "TLS alert: unrecognised name",
    "notls": "plain HTTP where TLS is expected",
    "tls11": "TLS 1.1 only",
    "tls12": "TLS 1.2 only (nothing wrong otherwise)",
    "expired": "the certificate has expired",
    "untrusted": "the certificate comes from a CA that nobody knows",
    "wrongname": "the certificate is for another name",
}
HTTP = {
    "portal": "302 to a captive portal",
    "blockpage": "200 and a page of HTML that says no",
    "norange": "200 and everything, whatever part was asked for",
    "slow": "the answer takes three seconds",
}
STATUS = re.compile(r"[45]\d\d")  # and fault-503, fault-404 …: that HTTP status
NONE = "none"
_LABEL = re.compile(r"fault-([a-z0-9]+)\.")


def known(kind: str) -> bool:
    return any(kind in layer for layer in (DNS, PATH, TLS, HTTP)) or bool(STATUS.fullmatch(kind)) or kind == NONE


class Faults:
    """By first label (`fault-nx.anything.example`), or set at run time for an exact name, which wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chosen: dict[str, str] = {}

    def of(self, name: str) -> str:
        with self._lock:
            chosen = self._chosen.get(name.lower())
        if chosen:
            return chosen
        match = _LABEL.match(f"{name.lower()}.")
        return match[1] if match and known(match[1]) else NONE

    def choose(self, name: str, kind: str) -> None:
        if not known(kind):
            raise ValueError(f"unknown fault {kind!r}; there are {', '.join(all_kinds())}")
        with self._lock:
            self._chosen[name.lower()] = kind

    def clear(self, name: str) -> None:
        with self._lock:
            self._chosen.pop(name.lower(), None)

    def chosen(self) -> dict[str, str]:
        with self._lock:
            return dict(sorted(self._chosen.items()))


def all_kinds() -> list[str]:
    return [*DNS, *PATH, *TLS, *HTTP, "<HTTP status 400-599>", NONE]
