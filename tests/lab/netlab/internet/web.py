# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP and TLS for every name there is: says who was asked for, and misbehaves where it should."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from ..topology import BLOCK_PAGE
from . import hello
from .addresses import AddressBook
from .certificates import Mint
from .faults import STATUS, Faults

BACKLOG = 4096  # the kernel's limit; a connection beyond it meets silence, as if a firewall had dropped it
PLAIN_PORTS = (80, 8080)
TLS_PORTS = (443, 8443)
IDLE_SECONDS = 300.0
HEAD_LIMIT = 65536
PORTAL = "http://portal.example/login"
Log = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Visit:
    """One connection, as it is written down and told back to the client."""

    client: str
    address: str
    port: int
    server: str | None = None  # whose address it is, as far as the DNS gave it out
    sni: str | None = None
    tls: str | None = None


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]

    @property
    def host(self) -> str:
        """The host asked for, without a port."""
        host = self.headers.get("host", "").lower()
        return host if host.endswith("]") else host.rpartition(":")[0] or host

    @property
    def last(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


class Web:
    def __init__(self, book: AddressBook, faults: Faults, mint: Mint, log: Log) -> None:
        self._book = book
        self._faults = faults
        self._mint = mint
        self._log = log

    def serve(self) -> None:
        """Listen everywhere; one thread per connection, a few hundred are no burden."""
        for port in PLAIN_PORTS + TLS_PORTS:
            server = socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
            threading.Thread(target=self._accept, args=(server, port in TLS_PORTS), daemon=True).start()

    def _accept(self, server: socket.socket, secure: bool) -> None:
        while True:
            connection, _unused = server.accept()
            threading.Thread(target=self._receive, args=(connection, secure), daemon=True).start()

    def _receive(self, connection: socket.socket, secure: bool) -> None:
        with connection:
            try:
                connection.settimeout(IDLE_SECONDS)
                here = connection.getsockname()
                visit = self._visit(_plain(connection.getpeername()[0]), _plain(here[0]), here[1])
                (self._handshake if secure else self._converse)(connection, visit)
            except (OSError, ValueError):  # a client that goes away, or talks nonsense
                return

    def _visit(self, client: str, address: str, port: int) -> Visit:
        return Visit(client, address, port, self._book.name(ipaddress.ip_address(address)))

    def _handshake(self, connection: socket.socket, visit: Visit) -> None:
        sni = _peek_name(connection)
        name = sni or visit.server or visit.address
        fault = self._faults.of(name)
        if visit.server == BLOCK_PAGE:
            name = BLOCK_PAGE
        self._log({"event": "tls", **vars(visit), "sni": sni, "fault": fault})
        if _cut(connection, fault):
            return
        if fault == "notls":
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if not _peek(connection, 1):  # who only knocks needs no certificate, which is most of our work
            return
        context = _refusing() if fault == "alert" else self._mint.context(name, fault)
        with context.wrap_socket(connection, server_side=True) as secured:
            self._converse(secured, replace(visit, sni=sni, tls=secured.version()))

    def _converse(self, connection: socket.socket, visit: Visit) -> None:
        with connection.makefile("rb") as stream:
            while request := read_request(stream):
                fault = self._faults.of(request.host)
                asked = {"method": request.method, "host": request.host, "path": request.path}
                self._log({"event": "http", **vars(visit), **asked, "fault": fault})
                if visit.tls is None and _cut(connection, fault):
                    return
                if fault == "slow":
                    time.sleep(3)
                connection.sendall(respond(request, visit, fault))
                if request.last:
                    return


def read_request(stream: BinaryIO) -> Request | None:
    """The next request with its body swallowed; None at the end of the connection."""
    head = stream.readline(HEAD_LIMIT).decode("latin-1").split()
    if len(head) != 3:
        return None
    headers = {}
    while line := stream.readline(HEAD_LIMIT).decode("latin-1").strip():
        key, _unused, value = line.partition(":")
        headers[key.strip().lower()] = value.strip()
    stream.read(int(headers.get("content-length", "0")))
    return Request(head[0], head[1], headers)


def respond(request: Request, visit: Visit, fault: str) -> bytes:
    status, extra = "200 OK", ""
    told = {"host": request.host, "path": request.path, **vars(visit), "via": request.headers.get("via")}
    kind, body = "application/json", (json.dumps(told, sort_keys=True) + "\n").encode()
    if STATUS.fullmatch(fault):
        status = f"{fault} Fault"
    elif fault == "portal":
        status, extra = "302 Found", f"Location: {PORTAL}\r\n"
    elif fault == "blockpage":
        kind, body = "text/html", f"<html><title>Blocked</title><p>{request.host} is not for you.</p></html>".encode()
    elif request.headers.get("range") == "bytes=0-0" and fault != "norange":
        status, extra = "206 Partial Content", f"Content-Range: bytes 0-0/{len(body)}\r\n"
        body = body[:1]
    head = (
        f"HTTP/1.1 {status}\r\nServer: egress-lab\r\nX-Lab-Host: {request.host}\r\nContent-Type: {kind}\r\n"
        f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    )
    return head.encode("latin-1") + (b"" if request.method == "HEAD" else body)


def _peek_name(connection: socket.socket) -> str | None:
    """The SNI, without taking the bytes away from the handshake that follows."""
    head = _peek(connection, hello.RECORD_HEAD)
    length = hello.record_length(head)
    return hello.server_name(_peek(connection, length)) if length else None


def _peek(connection: socket.socket, size: int) -> bytes:
    """Wait for `size` bytes. The timeout is the kernel's, since Python's would make the wait return early."""
    connection.setblocking(True)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 30, 0))
    try:
        return connection.recv(size, socket.MSG_PEEK | socket.MSG_WAITALL)
    finally:
        connection.settimeout(IDLE_SECONDS)


def _cut(connection: socket.socket, fault: str) -> bool:
    """The faults that end a conversation before it begins."""
    if fault == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif fault == "eof":
        connection.shutdown(socket.SHUT_RDWR)
    elif fault == "hang":
        while connection.recv(65536):
            pass
    return fault in ("reset", "eof", "hang")


def _refusing() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return context


def _plain(address: str) -> str:
    return address.removeprefix("::ffff:")
