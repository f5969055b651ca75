# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire: HTTP/1.1 with connections that stay, and the ways in which an answer does not arrive."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import Fault, Reply, spoiled

if TYPE_CHECKING:
    from .service import WebService

CONTROL = "/emulator/"
_MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Request:
    """What came; names in *headers* are in small letters, those in *query* as they came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def method_name(self) -> str:
        """``version``, ``endpoints`` or ``changes``."""
        return self.path.strip("/").split("/", maxsplit=1)[0].lower()

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.query.items() if key.lower() == name.lower()), None)

    def told(self) -> dict[str, Any]:
        return {"method": self.method, "path": self.path, "query": dict(self.query), "headers": dict(self.headers)}


class Server(ThreadingHTTPServer):
    """Knows its open connections, so that its end leaves neither a thread nor a socket behind."""

    daemon_threads = False
    block_on_close = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], service: WebService, context: ssl.SSLContext | None) -> None:
        self.service = service
        self.ending = threading.Event()
        self._context = context
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._broken: list[BaseException] = []
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer would ask the DNS for the name of this machine

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._context is not None:
            # The thread of the connection shakes hands, so that a silent client keeps nobody waiting.
            connection = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._guard:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        # A client that leaves, or does not trust the certificate, is its own affair.
        if error is not None and not isinstance(error, (ConnectionError, ssl.SSLError, TimeoutError)):
            self._broken.append(error)

    def end(self) -> list[BaseException]:
        """Ends everything, and returns what went wrong in here."""
        self.ending.set()
        self.shutdown()
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS has nothing to say to it
        self.server_close()
        return self._broken


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "Emulator"
    sys_version = ""
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        if path.startswith(CONTROL):
            self._send(self._control(path.removeprefix(CONTROL), body))
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply, fault = self.server.service.reply_to(Request(self.command, path, query, headers))
        if fault is None:
            self._send(reply)
        else:
            self._fail(spoiled(reply, fault), fault)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names of the library

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name of the library
        """Nothing: what was asked is in the service's requests."""

    def _control(self, name: str, body: bytes) -> Reply:
        try:
            arguments = json.loads(body) if body else {}
            return Reply(200, json.dumps(self.server.service.control(name, arguments)).encode())
        except (ValueError, TypeError) as error:
            return Reply(400, f"{error}\n".encode(), "text/plain; charset=utf-8")

    def _begin(self, reply: Reply, length: int | None) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, reply: Reply) -> None:
        self._begin(reply, len(reply.body))
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _fail(self, reply: Reply, fault: Fault) -> None:
        if fault.kind == "reset":
            self._reset()
        elif fault.kind == "timeout":
            self.server.ending.wait()
        elif fault.kind == "truncated":
            self._begin(reply, len(reply.body))
            self.wfile.write(reply.body[: len(reply.body) // 2])
        elif fault.kind == "slow":
            self._drip(reply, float(fault.options.get("seconds", 30)))
        elif fault.kind == "huge":
            self._flood(reply, int(fault.options.get("megabytes", 64)), bool(fault.options.get("told", True)))
        elif fault.kind != "closed":
            self._send(reply)
            return
        self.close_connection = True

    def _reset(self) -> None:
        """The peer gets an RST, as from a firewall in between."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def _drip(self, reply: Reply, seconds: float) -> None:
        """Piece by piece, so that no single read is ever out of time."""
        self._begin(reply, len(reply.body))
        pieces = max(1, min(len(reply.body), int(seconds * 20)))
        size = -(-len(reply.body) // pieces)
        for start in range(0, len(reply.body), size):
            self.wfile.write(reply.body[start : start + size])
            if self.server.ending.wait(seconds / pieces):
                return

    def _flood(self, reply: Reply, megabytes: int, told: bool) -> None:
        """Blanks before the answer: still JSON, and more than anybody should keep in memory."""
        self._begin(reply, len(reply.body) + megabytes * _MEGABYTE if told else None)
        for _unused in range(megabytes):
            if self.server.ending.is_set():
                return
            self.wfile.write(b" " * _MEGABYTE)
        self.wfile.write(reply.body)
