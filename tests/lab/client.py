# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks for names, on the host where it runs, and tells what came back: `client.py '[{"host": "www.example.org"}]'`.

Deliberately independent of the collection's own probe: the lab's tests must not share the mistakes of what they test.
"""

from __future__ import annotations

import base64
import errno
import json
import socket
import ssl
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

AUTHORITIES = ("/etc/egress-lab/public-root.pem", "/etc/egress-lab/company-ca.pem")
AT_ONCE = 64


@dataclass(frozen=True)
class Wish:
    """What to ask for; `proxy` is "address:port", `login` is "user:password"."""

    host: str
    port: int = 443
    plain: bool = False
    path: str = "/"
    proxy: str | None = None
    login: str | None = None
    sni: str | None = None
    family: int = 0
    source: str | None = None
    legacy: bool = False  # accept any TLS version, however old
    timeout: float = 8


class Ended(Exception):  # noqa: N818  # not an error: the proxy answered, and that is the answer
    """The proxy did not open the tunnel."""


def ask(wish: Wish) -> dict[str, Any]:
    """`outcome` is "answered" or what went wrong; the other keys are as far as it got."""
    told: dict[str, Any] = {"host": wish.host}
    try:
        with connected(wish) as connection:
            told["address"] = connection.getpeername()[0]
            converse(connection, wish, told)
        told["outcome"] = "answered"
    except Ended:
        told["outcome"] = "proxy refused"
    except OSError as error:
        told["outcome"] = in_words(error)
        told["detail"] = str(error)
    return told


@contextmanager
def connected(wish: Wish) -> Iterator[socket.socket]:
    host, port = wish.proxy.rsplit(":", 1) if wish.proxy else (wish.host, wish.port)
    families = {0: socket.AF_UNSPEC, 4: socket.AF_INET, 6: socket.AF_INET6}
    found = socket.getaddrinfo(host, port, families[wish.family], socket.SOCK_STREAM)
    family, kind, protocol, _unused, address = found[0]
    with socket.socket(family, kind, protocol) as connection:
        connection.settimeout(wish.timeout)
        if wish.source:
            connection.bind((wish.source, 0))
        connection.connect(address)
        yield connection


def converse(connection: socket.socket, wish: Wish, told: dict[str, Any]) -> None:
    if wish.plain:
        target = f"http://{wish.host}{wish.path}" if wish.proxy else wish.path
        told.update(exchange(connection, "GET", target, wish))
        return
    if wish.proxy:
        told["connect"] = exchange(connection, "CONNECT", f"{wish.host}:{wish.port}", wish)
        if told["connect"]["status"] != 200:
            raise Ended
    with secure_context(wish.legacy).wrap_socket(connection, server_hostname=wish.sni or wish.host) as secured:
        told["tls"] = secured.version()
        told["issuer"] = issuer(secured)
        told.update(exchange(secured, "GET", wish.path, wish))


def secure_context(legacy: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED if legacy else ssl.TLSVersion.TLSv1_2
    if legacy:
        context.set_ciphers("ALL:@SECLEVEL=0")
    for path in AUTHORITIES:
        context.load_verify_locations(path)
    return context


def issuer(connection: ssl.SSLSocket) -> str:
    certificate: Any = connection.getpeercert()
    return str({key: value for part in certificate["issuer"] for key, value in part}["commonName"])


def exchange(connection: socket.socket, method: str, target: str, wish: Wish) -> dict[str, Any]:
    """One request, one answer; all is read by hand, so that nothing is retried or repaired behind our back."""
    head = f"{method} {target} HTTP/1.1\r\nHost: {wish.host}\r\n"
    if method != "CONNECT":
        head += "Connection: close\r\n"
    if wish.login and wish.proxy and (wish.plain or method == "CONNECT"):
        head += f"Proxy-Authorization: Basic {base64.b64encode(wish.login.encode()).decode()}\r\n"
    connection.sendall(head.encode() + b"\r\n")
    answer = read_head(connection)
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {key.lower(): value.strip() for key, _unused, value in (line.partition(":") for line in lines[1:])}
    told: dict[str, Any] = {"status": int(lines[0].split()[1])}
    told |= {name: headers[name] for name in ("location", "x-squid-error", "x-lab-host") if name in headers}
    if method != "CONNECT" and "x-lab-host" in headers and "content-length" in headers:
        told["body"] = json.loads(
            read_body(connection, answer.partition(b"\r\n\r\n")[2], int(headers["content-length"]))
        )
    return told


def read_head(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionAbortedError(errno.ECONNABORTED, f"closed after {len(data)} bytes")
        data += piece
    return data


def read_body(connection: socket.socket, data: bytes, length: int) -> bytes:
    while len(data) < length:
        data += connection.recv(65536) or b"\0" * length
    return data


def in_words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate {error.verify_code}"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "closed in the handshake"
    if isinstance(error, ssl.SSLError):
        return f"tls {error.reason}"
    if isinstance(error, socket.gaierror):
        names = {socket.EAI_NONAME: "no name", socket.EAI_AGAIN: "try again", socket.EAI_NODATA: "no address"}
        return f"dns {names.get(error.errno or 0, error.errno)}"
    if isinstance(error, TimeoutError):
        return "timeout"
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


def main() -> None:
    wishes = [Wish(**wish) for wish in json.loads(sys.argv[1])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        print(json.dumps(list(pool.map(ask, wishes))))


if __name__ == "__main__":
    main()
