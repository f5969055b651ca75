# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all emulators of appliances share: HTTP/1.1 on loopback, a log of what was asked, and faults on the wire."""

from __future__ import annotations

import json
import ssl
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

LONGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One request; the names of *headers* are in small letters."""

    method: str
    path: str  # decoded, without the query
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    pairs: Sequence[tuple[str, str]] = ()  # the query with every value of a name that stands there several times

    @property
    def form(self) -> dict[str, str]:
        """The fields of a posted form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


@dataclass(frozen=True)
class Seen:
    """One request that was answered, or was not, and what came of it (status 0: no answer)."""

    request: Request
    status: int


# What can go wrong with one request on its way.
DROP = "drop"  # the connection ends before the appliance has seen the request
LOST = "lost"  # the appliance does what was asked, and the connection ends without an answer
CUT = "cut"  # the same, in the middle of the answer
STALL = "stall"  # the same, and the answer never comes


@dataclass
class Fault:
    """*how*: one of the words above, or an answer that comes in place of the appliance's own (nothing is done)."""

    meant: Callable[[Request], bool]
    how: str | Answer
    times: int = 1


class Emulator(ABC):
    """One appliance on loopback. ``answer`` is called for one request at a time."""

    def __init__(self, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1", port: int = 0) -> None:
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.latency = 0.0  # seconds that each answer takes
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._server = _Server((address, port), _handler_of(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{address}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """What the appliance answers."""

    @abstractmethod
    def changes(self, request: Request) -> bool:
        """Whether the request can change the configuration, or what is in force (a login does not)."""

    @abstractmethod
    def state(self) -> Any:
        """All that a run can change, in a form that can be compared; no counters, no sessions, no times."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def fail(self, meant: Callable[[Request], bool], how: str | Answer, times: int = 1) -> None:
        """The next requests for which *meant* says so go wrong."""
        self.faults.append(Fault(meant, how, times))

    def handle(self, request: Request) -> tuple[Answer | None, str]:
        """The answer and how it gets lost; for the server."""
        if self.latency:
            time.sleep(self.latency)
        fault = self._fault(request)
        if fault is not None and (fault.how == DROP or isinstance(fault.how, Answer)):
            answer = fault.how if isinstance(fault.how, Answer) else None
            self.seen.append(Seen(request, answer.status if answer else 0))
            return answer, "" if answer else DROP
        with self._lock:
            answer = self.answer(request)
        self.seen.append(Seen(request, 0 if fault else answer.status))
        return answer, str(fault.how) if fault else ""

    def wait_until_stopped(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    def _fault(self, request: Request) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.times > 0 and fault.meant(request):
                    fault.times -= 1
                    return fault
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or does not trust the certificate, is no news."""


def _handler_of(emulator: Emulator) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60  # of a connection that is kept open and not used
        disable_nagle_algorithm = True

        def _one(self) -> None:
            url = urlsplit(self.path)
            length = min(int(self.headers.get("Content-Length") or 0), LONGEST_BODY)
            pairs = parse_qsl(url.query, keep_blank_values=True)
            request = Request(
                self.command,
                unquote(url.path),
                dict(pairs),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
                pairs,
            )
            answer, how = emulator.handle(request)
            if how == STALL:
                emulator.wait_until_stopped(600)
            if answer is None or how in (LOST, STALL):
                self.close_connection = True
                return
            self._send(answer, cut=how == CUT)

        def _send(self, answer: Answer, cut: bool) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
            self.close_connection = self.close_connection or cut

        do_GET = do_POST = do_PUT = do_DELETE = _one  # noqa: N815  # the names that http.server calls

        def log_message(self, *args: Any) -> None:
            """What was asked is in `seen`."""

    return Handler
