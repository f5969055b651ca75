# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small internet on loopback: servers that misbehave in chosen ways, a proxy that follows a script, three CAs."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import subprocess
import threading
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Address, Budget, Resolver, StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_run import Probe
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Proxy, parse_target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts

Handler = Callable[[socket.socket], None]
Script = Dict[str, Handler]
OK_PAGE = b"HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Length: 0\r\n\r\n"


class Authority:
    """A CA and the server certificates that it signs, made by the program openssl."""

    def __init__(self, name: str, folder: Path) -> None:
        self._folder = folder
        self._made: Dict[Tuple[str, bool], Path] = {}
        self._config = folder / "openssl.cnf"
        self._config.write_text("[req]\ndistinguished_name = dn\n[dn]\n", encoding="ascii")
        self._key = folder / f"{name}.key"
        self.file = folder / f"{name}.pem"
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self._key)
        self._request(
            "-x509", "-days", "30", f"/O={name} Ltd/CN={name} CA", "basicConstraints=critical,CA:TRUE", self.file
        )

    def server(self, host: str, expired: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(host, expired), self._key)
        return context

    def issue(self, host: str, expired: bool = False) -> Path:
        """The file with the certificate; the key is the CA's own, which nobody minds here."""
        if (host, expired) not in self._made:
            request = self._folder / f"{host}.csr"
            made = self._folder / f"{host}-{expired}-{self.file.name}"
            self._request(f"/CN={host}", f"subjectAltName=DNS:{host}", request)
            signing = ["-in", request, "-CA", self.file, "-CAkey", self._key, "-copy_extensions", "copy", "-set_serial"]
            days = ["-days", "-1" if expired else "10"]
            self._openssl("x509", "-req", *signing, str(len(self._made) + 2), *days, "-out", made)
            self._made[host, expired] = made
        return self._made[host, expired]

    def _request(self, *words: Any) -> None:
        *options, subject, extension, out = words
        base = ["-new", "-config", self._config, "-key", self._key, "-out", out]
        self._openssl("req", *base, *options, "-subj", subject, "-addext", extension)

    @staticmethod
    def _openssl(*words: Any) -> None:
        done = subprocess.run(
            ["openssl", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        assert done.returncode == 0, done.stdout


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Authority]:
    names = ("public", "company", "nobody")
    return {name: Authority(name, tmp_path_factory.mktemp(name)) for name in names}


class Server:
    """Listens on loopback and hands each connection to a handler."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._open: List[socket.socket] = []
        self._threads: List[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.settimeout(5)
            self._handler(connection)

    def close(self) -> None:
        for sock in [self._socket, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in [self._accepting, *self._threads]:
            thread.join(5)


def read_head(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = sock.recv(4096)
        if not chunk:
            break
        data += chunk
    return data


def says(answer: bytes) -> Handler:
    """Plain http: waits for a request and answers."""

    def handler(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(answer)

    return handler


def blurts(answer: bytes) -> Handler:
    """Answers the first bytes, whatever they are."""

    def handler(sock: socket.socket) -> None:
        sock.recv(4096)
        sock.sendall(answer)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(4096)

    return handler


def tls(context: ssl.SSLContext, answer: bytes = OK_PAGE) -> Handler:
    def handler(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as inside:
            read_head(inside)
            inside.sendall(answer)
            with contextlib.suppress(OSError):
                inside.unwrap()

    return handler


def reset(sock: socket.socket) -> None:
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def hang_up(sock: socket.socket) -> None:
    sock.recv(4096)


def silence(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass


class Internet:
    """Names and their servers; a name without one does not resolve."""

    def __init__(self, authorities: Dict[str, Authority]) -> None:
        self.public, self.company, self.nobody = authorities.values()
        self.addresses: Dict[str, List[Address]] = {}
        self.requests: List[bytes] = []
        self.options: Dict[str, Any] = {"public_ca_path": str(self.public.file)}
        self.timeout = 5.0
        self.deadline = 30.0
        self._servers: List[Server] = []

    def serve(self, name: str, handler: Handler) -> str:
        """Serve a name, and return the URL that a probe of TLS asks for."""
        server = Server(handler)
        self._servers.append(server)
        self.addresses[name] = [(socket.AF_INET, ("127.0.0.1", server.port))]
        return f"https://{name}"

    def serve_nothing(self, name: str) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.addresses[name] = [(socket.AF_INET, ("127.0.0.1", free.getsockname()[1]))]
        return f"https://{name}"

    def proxy(self, script: Script) -> None:
        """A proxy that does for each host what the script says."""

        def handler(sock: socket.socket) -> None:
            head = read_head(sock)
            self.requests.append(head)
            wanted = head.split(b" ", 2)[1].decode().replace("http://", "").split("/")[0].split(":")[0]
            if wanted in script or not wanted.endswith(".invalid"):  # the probe's control: nobody has such a name
                script[wanted](sock)

        self.serve("proxy", handler)

    def tunnel(self, after: Handler) -> Handler:
        """CONNECT is answered with 200, and then this happens."""

        def handler(sock: socket.socket) -> None:
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            after(sock)

        return handler

    def ask(self, *urls: str, through_proxy: bool = False) -> List[Dict[str, Any]]:
        probe = Probe(
            Contexts(**self.options),
            Budget(self.timeout, self.deadline),
            proxy=Proxy("proxy", 3128) if through_proxy else None,
            resolver=_Resolver(self.addresses),
        )
        return probe.run([parse_target(url) for url in urls])

    def close(self) -> None:
        for server in self._servers:
            server.close()


class _Resolver(Resolver):
    def __init__(self, addresses: Dict[str, List[Address]]) -> None:
        super().__init__()
        self._known = addresses

    def resolve(self, host: str, port: int, budget: Budget) -> List[Address]:
        if host not in self._known:
            raise StepError("no_such_name", "Name or service not known")
        return self._known[host]


@pytest.fixture
def internet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authorities: Dict[str, Authority]) -> Iterator[Internet]:
    # What this machine trusts must not decide anything here.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    made = Internet(authorities)
    yield made
    made.close()


@pytest.fixture
def old_tls() -> Optional[Callable[[ssl.SSLContext], ssl.SSLContext]]:
    def limit(context: ssl.SSLContext) -> ssl.SSLContext:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        return context

    return limit


@pytest.fixture
def kit() -> Any:
    """The handlers, since test files do not import each other."""

    class Kit:
        tls = staticmethod(tls)
        says = staticmethod(says)
        blurts = staticmethod(blurts)
        reset = staticmethod(reset)
        hang_up = staticmethod(hang_up)
        silence = staticmethod(silence)

    return Kit
