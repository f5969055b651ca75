# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS server that knows every name. The answer is a pure function of the question; the loop at the end sends it."""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ..topology import BLOCK_PAGE
from .addresses import AddressBook, IPAddress
from .faults import Faults

A, CNAME, PTR, AAAA = 1, 5, 12, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
TTL = 0  # a fault that is set now must be seen by the next question


class Question(NamedTuple):
    number: int
    flags: int
    name: str
    kind: int
    raw: bytes  # the question section as it came: case kept


class Record(NamedTuple):
    name: bytes
    kind: int
    data: bytes


@dataclass
class Answer:
    code: int = NOERROR
    records: list[Record] = field(default_factory=list)


def parse(packet: bytes) -> Question:
    """The one question of a query; anything else is a ValueError."""
    if len(packet) < 17:
        raise ValueError("too short for a question")
    number, flags, questions = struct.unpack("!HHH", packet[:6])
    if flags & 0x8000 or questions != 1:
        raise ValueError("not a query with one question")
    labels, position = [], 12
    while packet[position]:
        end = position + 1 + packet[position]
        labels.append(packet[position + 1 : end].decode("ascii", "replace"))
        position = end
        if position + 5 > len(packet):
            raise ValueError("the name does not end")
    (kind,) = struct.unpack("!H", packet[position + 1 : position + 3])
    return Question(number, flags, ".".join(labels).lower(), kind, packet[12 : position + 5])


def encode_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode("ascii") for label in name.split(".") if label) + b"\0"


def build(question: Question, answer: Answer) -> bytes:
    flags = 0x8480 | (question.flags & 0x0100) | answer.code  # a response, authoritative, recursion on offer
    head = struct.pack("!HHHHHH", question.number, flags, 1, len(answer.records), 0, 0)
    return head + question.raw + b"".join(map(encode_record, answer.records))


def encode_record(record: Record) -> bytes:
    return record.name + struct.pack("!HHIH", record.kind, 1, TTL, len(record.data)) + record.data


def from_reverse(name: str) -> IPAddress | None:
    """The address of an `in-addr.arpa` or `ip6.arpa` name."""
    labels = name.split(".")[:-2][::-1]
    try:
        if name.endswith(".in-addr.arpa"):
            return ipaddress.ip_address(".".join(labels))
        if name.endswith(".ip6.arpa"):
            return ipaddress.ip_address(int("".join(labels), 16).to_bytes(16, "big"))
    except (ValueError, OverflowError):
        pass
    return None


class Resolver:
    """What the internet answers, faults included. `on_address` hears of each name before its address is given out."""

    def __init__(self, book: AddressBook, faults: Faults, on_address: Callable[[str], None]) -> None:
        self._book = book
        self._faults = faults
        self._on_address = on_address

    def answer(self, question: Question) -> Answer | None:
        """None: stay silent."""
        if question.kind == PTR:
            return self._reverse(question)
        fault = self._faults.of(question.name)
        if fault == "dnssilent":
            return None
        codes = {"nx": NXDOMAIN, "servfail": SERVFAIL, "dnsrefused": REFUSED}
        if fault in codes:
            return Answer(codes[fault])
        if fault == "nodata":
            return Answer()
        if question.name.endswith(".invalid"):  # RFC 6761: nobody has such a name
            return Answer(NXDOMAIN)
        return Answer(NOERROR, self._forward(question, fault))

    def _forward(self, question: Question, fault: str) -> list[Record]:
        name = question.name
        if fault == "cname":
            name = f"edge.{name}"
        hidden = {"v4only": AAAA, "v6only": A}.get(fault)
        if question.kind not in (A, AAAA) or question.kind == hidden or not question.name:
            return []
        if fault == "sinkhole":
            return [Record(encode_name(name), question.kind, bytes(4 if question.kind == A else 16))]
        there = BLOCK_PAGE if fault == "astray" else name
        self._on_address(there)
        ipv4, ipv6 = self._book.addresses(there)
        record = Record(encode_name(name), question.kind, (ipv4 if question.kind == A else ipv6).packed)
        alias = [Record(encode_name(question.name), CNAME, encode_name(name))] if fault == "cname" else []
        return [*alias, record]

    def _reverse(self, question: Question) -> Answer:
        address = from_reverse(question.name)
        name = self._book.name(address) if address else None
        if not name:
            return Answer(NXDOMAIN)
        return Answer(NOERROR, [Record(encode_name(question.name), PTR, encode_name(name))])


def serve(resolver: Resolver, address: str) -> None:
    """UDP and TCP on one address, in threads of their own."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    datagrams = socket.socket(family, socket.SOCK_DGRAM)
    datagrams.bind((address, 53))
    streams = socket.create_server((address, 53), family=family)
    threading.Thread(target=_serve_datagrams, args=(resolver, datagrams), daemon=True).start()
    threading.Thread(target=_serve_streams, args=(resolver, streams), daemon=True).start()


def reply(resolver: Resolver, packet: bytes) -> bytes | None:
    try:
        question = parse(packet)
        answer = resolver.answer(question)
        return build(question, answer) if answer else None
    except (ValueError, IndexError, struct.error, UnicodeError):
        return None


def _serve_datagrams(resolver: Resolver, server: socket.socket) -> None:
    while True:
        packet, client = server.recvfrom(4096)
        if answer := reply(resolver, packet):
            server.sendto(answer, client)


def _serve_streams(resolver: Resolver, server: socket.socket) -> None:
    while True:
        connection, _unused = server.accept()
        threading.Thread(target=_serve_stream, args=(resolver, connection), daemon=True).start()


def _serve_stream(resolver: Resolver, connection: socket.socket) -> None:
    with connection, connection.makefile("rwb") as stream:
        connection.settimeout(10)
        try:
            while size := stream.read(2):
                answer = reply(resolver, stream.read(int.from_bytes(size, "big")))
                if answer:
                    stream.write(len(answer).to_bytes(2, "big") + answer)
                    stream.flush()
        except OSError:
            return
