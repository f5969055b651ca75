# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The little of HTTP/1.1 that a probe speaks, and who made an answer: the server or something before it."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from dataclasses import dataclass, field, replace
from typing import Dict, Optional, Tuple
from urllib.parse import urlsplit

from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, StepError, step_error
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Target

_AGENT = "User-Agent: egress.allowlist probe\r\nAccept: */*\r\n"
_MOST_BYTES = 32768
BODY_BYTES = 8192  # enough of a page to know it again
_STATUS_LINE = re.compile(r"HTTP/\d(?:\.\d)? (\d{3})(?: |$)")
_SHOWN = 160

# Products that name themselves in Server when they answer instead of the server that was asked.
_INTERMEDIARIES = re.compile(
    r"squid|zscaler|blue ?coat|proxysg|mcafee web gateway|skyhigh|forti(gate|proxy|guard)|websense|forcepoint"
    r"|sophos|barracuda|ironport|cisco umbrella|netskope|checkpoint|palo ?alto|privoxy|tinyproxy",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Response:
    """Status and headers of an answer; header names in lower case."""

    status: int
    headers: Dict[str, str] = field(default_factory=dict)
    body: str = ""  # the beginning of it, where it was asked for
    rest: bytes = b""  # what had come behind the head already, where no body was asked for: the first words in a tunnel

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def proxy_error(self) -> str:
        """The name of the error page of Squid, or the error of RFC 9209."""
        proxy_status = self.headers.get("proxy-status", "")
        return self.headers.get("x-squid-error", "") or (proxy_status if "error=" in proxy_status else "")

    @property
    def maker(self) -> str:
        """What shows that something before the server made this answer; empty when nothing shows it."""
        for name in ("x-squid-error", "proxy-status", "proxy-authenticate"):
            if name in self.headers and (name != "proxy-status" or self.proxy_error):
                return f"{name.title()}: {self.headers[name]}"
        server = self.headers.get("server", "")
        return f"Server: {server}" if _INTERMEDIARIES.search(server) else ""

    @property
    def is_page(self) -> bool:
        """A page for people: HTML, or a redirect to one."""
        return 300 <= self.status < 400 or "html" in self.headers.get("content-type", "").lower()

    def is_like(self, other: Response) -> bool:
        """The same page, apart from the names, numbers and addresses in it that tell who asked for what."""
        if self.status != other.status or self.is_page != other.is_page:
            return False
        if 300 <= self.status < 400:
            return _without_query(self.location) == _without_query(other.location)
        return _gist(self.body) == _gist(other.body)

    def leads_away_from(self, host: str) -> bool:
        """True for a redirect to another site: an address of the same domain, or https, is the server's own."""
        if not 300 <= self.status < 400 or not self.location:
            return False
        try:
            other = urlsplit(self.location).hostname
        except ValueError:
            return True
        return other is not None and site(other) != site(host)


def connect_request(target: Target) -> bytes:
    """Ask a proxy for a tunnel. No credentials, ever."""
    return f"CONNECT {target.authority} HTTP/1.1\r\nHost: {target.authority}\r\n{_AGENT}\r\n".encode("ascii")


def page_request(target: Target, through_proxy: bool, verb: str, ranged: bool = False) -> bytes:
    """HEAD is enough where the certificate shows who answers; GET elsewhere, since block pages are made for it."""
    host = target.url[len(target.scheme) + 3 :].split("/", 1)[0]
    where = target.path
    if not target.is_tls and through_proxy:
        where = f"http://{host}{target.path}"
    part = "Range: bytes=0-0\r\n" if ranged else ""
    return f"{verb} {where} HTTP/1.1\r\nHost: {host}\r\n{_AGENT}{part}Connection: close\r\n\r\n".encode("ascii")


def ask(sock: socket.socket, request: bytes, budget: Budget, body: int = 0) -> Response:
    """Send a request and read the head of its answer, and at most *body* bytes of what follows."""
    end = time.monotonic() + budget.step()
    try:
        sock.settimeout(_left(end))
        sock.sendall(request)
        response, rest = _read_head(sock, end)
    except socket.timeout:
        raise budget.expired() from None
    except OSError as error:
        raise step_error(error) from error
    return replace(response, body=_read_body(sock, end, rest, body, response)) if body else replace(response, rest=rest)


def _read_head(sock: socket.socket, end: float) -> Tuple[Response, bytes]:
    data = b""
    while True:
        head, blank, rest = data.partition(b"\r\n\r\n")
        if blank:
            response = parse_head(head)
            if response.status >= 200 or response.status == 101:
                return response, rest
            data = rest
            continue
        if len(data) > _MOST_BYTES:
            raise StepError("not_http", f"no end of the headers within {_MOST_BYTES} bytes")
        sock.settimeout(_left(end))
        chunk = sock.recv(4096)
        if not chunk:
            raise StepError("closed", shown(data.decode("latin-1"))) if data else StepError("closed")
        data += chunk


def _read_body(sock: socket.socket, end: float, data: bytes, most: int, response: Response) -> str:
    """The beginning of the body; the head has been read, so a body that breaks off is no failure."""
    length = response.headers.get("content-length", "")
    wanted = min(most, int(length)) if length.isdigit() and len(length) < 16 else most
    with contextlib.suppress(OSError):
        while len(data) < wanted:
            sock.settimeout(_left(end))
            chunk = sock.recv(4096)
            if not chunk:
                break
            data += chunk
    return data[:wanted].decode("latin-1")


def parse_head(head: bytes) -> Response:
    """Read status line and headers; anything else is a fault."""
    lines = head.decode("latin-1").split("\r\n")
    found = _STATUS_LINE.match(lines[0])
    if not found:
        raise StepError("not_http", f"the answer begins with {shown(lines[0])!r}")
    headers: Dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            value = shown(value.strip())
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Response(int(found.group(1)), headers)


def shown(text: Optional[str]) -> str:
    """Foreign text made fit for one line of a terminal."""
    clean = "".join(char if char.isprintable() else "?" for char in text or "")
    return clean if len(clean) <= _SHOWN else clean[:_SHOWN] + "…"


def _without_query(location: str) -> str:
    return re.split(r"[?#]", location, maxsplit=1)[0]


def _gist(page: str) -> str:
    """A page without what differs from one request to the next: names, addresses, numbers."""
    return re.sub(r"[\w.-]+\.[\w-]+|[0-9a-fA-F]{8,}|\d+|\s+", " ", page).strip()


def site(host: str) -> str:
    """The last two labels: roughly who runs a name."""
    return ".".join(host.lower().rstrip(".").split(".")[-2:])


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise socket.timeout("timed out")
    return left
