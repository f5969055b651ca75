# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few questions to a DNS server on this host, in the standard library alone."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

A, TXT, AAAA = 1, 16, 28
_HEAD = struct.Struct(">HHHHHH")
_RECURSE = 0x0100
_AT_ONCE = 50  # dnsmasq refuses more than 150 open questions


class Server(NamedTuple):
    """Where the server listens."""

    address: str
    port: int

    @property
    def family(self) -> int:
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


def text_of(server: Server, name: str, seconds: float) -> Optional[str]:
    """The TXT record of a name: its text, "" where there is none; None where nobody answers in time."""
    deadline = time.monotonic() + seconds
    with socket.socket(server.family, socket.SOCK_DGRAM) as sock:
        while time.monotonic() < deadline:
            try:
                sock.connect((server.address, server.port))
                sock.send(_question(1, name, TXT))
                if select.select([sock], [], [], min(0.5, seconds))[0]:
                    return _first_text(sock.recv(4096))
            except OSError:
                time.sleep(0.02)  # refused: it is not up yet
    return None


def ask_all(server: Server, names: Iterable[str], seconds: float) -> int:
    """Ask for both addresses of each name and wait for the answers; returns how many came. What is lost is lost."""
    waiting = [(name, kind) for name in names for kind in (A, AAAA)][::-1]
    open_: Dict[int, Tuple[str, int]] = {}
    answered, ident = 0, 0
    deadline = time.monotonic() + seconds
    with socket.socket(server.family, socket.SOCK_DGRAM) as sock:
        sock.connect((server.address, server.port))
        while (waiting or open_) and time.monotonic() < deadline:
            try:
                while waiting and len(open_) < _AT_ONCE:
                    ident = (ident + 1) & 0xFFFF
                    open_[ident] = waiting.pop()
                    sock.send(_question(ident, *open_[ident]))
                if not select.select([sock], [], [], 1.0)[0]:
                    open_.clear()  # a second of silence: these are not coming
                    continue
                if open_.pop(_HEAD.unpack_from(sock.recv(4096))[0], None) is not None:
                    answered += 1
            except (OSError, struct.error):
                open_.clear()
    return answered


def _question(ident: int, name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split("."))
    return _HEAD.pack(ident, _RECURSE, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", kind, 1)


def _first_text(answer: bytes) -> str:
    try:
        _unused, _flags, questions, answers, _more, _rest = _HEAD.unpack_from(answer)
        place = _HEAD.size
        for _each in range(questions):
            place = _after_name(answer, place) + 4
        for _each in range(answers):
            place = _after_name(answer, place)
            kind, _class, _ttl, size = struct.unpack_from(">HHIH", answer, place)
            place += 10
            if kind == TXT:
                return answer[place + 1 : place + 1 + answer[place]].decode("ascii", "replace")
            place += size
    except (struct.error, IndexError):
        return ""
    return ""


def _after_name(answer: bytes, place: int) -> int:
    while answer[place]:
        if answer[place] >= 0xC0:
            return place + 2
        place += answer[place] + 1
    return place + 1


def listening(pid: int) -> List[Server]:
    """Where a process listens for TCP: unlike its UDP sockets, these are never for questions of its own."""
    inodes = _sockets(pid)
    found = []
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}", encoding="ascii") as handle:
                rows = [row.split() for row in handle.readlines()[1:]]
        except OSError:
            continue
        found += [_server(row[1]) for row in rows if row[3] == "0A" and row[9] in inodes]
    # Loopback first: no packet filter and no interface setting stands between.
    return sorted(found, key=_preference)


def _preference(server: Server) -> Tuple[bool, bool, str]:
    return not server.address.startswith("127."), ":" in server.address, server.address


def _server(text: str) -> Server:
    raw, _unused, port = text.partition(":")
    words = [bytes.fromhex(raw[start : start + 8])[::-1] for start in range(0, len(raw), 8)]
    packed = b"".join(words)
    address = socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}
    return Server(local.get(address, address), int(port, 16))


def _sockets(pid: int) -> List[str]:
    found = []
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if target.startswith("socket:["):
                found.append(target[8:-1])
    except OSError:
        pass  # it has ended, or closed a descriptor while we looked
    return found
