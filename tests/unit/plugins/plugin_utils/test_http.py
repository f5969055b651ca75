# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The seam to HTTP: whole answers or a reason, and no secret in either."""

from __future__ import annotations

import datetime as dt
import gzip
import http.server
import ipaddress
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _http
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._http import (
    HttpError,
    HttpSession,
    checked_url,
    is_loopback,
)
from ansible_collections.egress.allowlist.tests.web_service.history import small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ID = {"ClientRequestId": "b10c5ed1-bad1-445f-b386-b919946339a7"}


class Server:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> None:
        asked: list[tuple[str, dict[str, str]]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                asked.append((self.requestline, {name.lower(): value for name, value in self.headers.items()}))
                answer(self)
                self.close_connection = True

            def log_message(self, *_words: object) -> None:
                pass

        self.asked = asked
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(name="session")
def fixture_session() -> Iterator[HttpSession]:
    session = HttpSession(timeout=0.3)
    yield session
    session.close()


def says(text: str) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return answer


def test_a_whole_answer(session: HttpSession) -> None:
    with Server(says("[1]")) as server:
        answer = session.get(f"{server.url}/x", {"a": "b c"})
        assert (answer.status, answer.text, answer.headers["content-length"]) == (200, "[1]", "3")
        assert server.asked[0][0].startswith("GET /x?a=b+c ")


@pytest.mark.parametrize("elsewhere", [False, True])
def test_no_login_of_this_machine_is_sent(
    session: HttpSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elsewhere: bool
) -> None:
    """Neither to this machine nor to another, for which the environment counts."""
    if elsewhere:
        monkeypatch.setattr(_http, "is_loopback", lambda _url: False)
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\ndefault login me password hunter2\n")
    (tmp_path / ".netrc").chmod(0o600)
    with Server(says("x")) as server:
        session.get(server.url, {})
        assert "authorization" not in server.asked[0][1]


def test_a_proxy_of_the_system_is_used_but_not_for_this_machine(
    session: HttpSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(lambda handler: handler.send_error(407)) as proxy, Server(says("here")) as server:
        secret = proxy.url.replace("http://", "http://me:hunter2@")
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, secret)
        assert session.get(server.url, {}).text == "here" and proxy.asked == []
        with pytest.raises(HttpError) as error:
            session.get("https://endpoints.example", {})
        assert proxy.asked[0][0].startswith("CONNECT endpoints.example:443")
        assert error.value.kind == "proxy" and "hunter2" not in str(error.value) and "407" in str(error.value)


@pytest.mark.parametrize("proxy", [
    "http://me:hun/ter2@127.0.0.1:1", "http://me:hun#ter2@127.0.0.1:1", "http://me:hun?ter2@127.0.0.1:1",
    "http://me:hun@ter2@127.0.0.1:1", "http://me:hunter2@127.0.0.1:x", "me:hunter2@127.0.0.1:1", "http://me:hunter2@",
    "http://me:hunter2@[::1", "foo://me:hunter2@127.0.0.1:1",
])  # fmt: skip
def test_a_proxy_that_is_written_wrong_keeps_its_password(
    session: HttpSession, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(HttpError, match=r"endpoints\.example") as error:
        session.get("https://endpoints.example", {})
    assert "hun" not in str(error.value) and "ter2" not in str(error.value)


def test_authorities_that_are_not_there(session: HttpSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(HttpError, match=r"/nowhere/ca\.pem"):
        session.get("https://endpoints.example", {})


LIST = "[" + ", ".join(f'"n{number}.contoso.com"' for number in range(20000)) + "]"


def transferred(
    body: bytes, *, chunked: bool = False, cut: int | None = None, **headers: str
) -> Callable[[http.server.BaseHTTPRequestHandler], None]:
    """*cut*: so many bytes of the body come, and no more."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        told = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
        for name, value in {**told, **{name.replace("_", "-"): value for name, value in headers.items()}}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if not chunked:
            handler.wfile.write(body[:cut])
            return
        for start in range(0, len(body[:cut]), 3000):
            piece = body[:cut][start : start + 3000]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.wfile.write(b"0\r\n\r\n" if cut is None else b"")

    return answer


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_answers_in_pieces_and_packed(session: HttpSession, chunked: bool, packed: bool) -> None:
    body = gzip.compress(LIST.encode()) if packed else LIST.encode()
    form = "gzip" if packed else "identity"
    with Server(transferred(body, chunked=chunked, Content_Encoding=form)) as server:
        assert session.get(server.url, {}).text == LIST
    with Server(transferred(body, chunked=chunked, cut=len(body) // 2, Content_Encoding=form)) as server:
        with pytest.raises(HttpError, match="broke off") as error:
            session.get(server.url, {})
        assert error.value.kind == "cut short"


def test_what_unpacks_to_more_than_anybody_needs(session: HttpSession) -> None:
    with (
        Server(transferred(gzip.compress(bytes(2**25)), Content_Encoding="gzip")) as server,
        pytest.raises(HttpError, match="more than 16 MiB"),
    ):
        session.get(server.url, {})


def test_a_length_that_is_no_number(session: HttpSession) -> None:
    with Server(transferred(b"[1]", Content_Length="\u00b3")) as server:
        assert session.get(server.url, {}).text == "[1]"


def test_redirects_are_not_followed(session: HttpSession) -> None:
    with WebService(small_history()) as service:
        service.fault("redirect")
        answer = session.get(f"{service.url}/version", ID)
        assert answer.status == 302 and "location" in answer.headers and len(service.requests) == 1


@pytest.mark.parametrize(("kind", "expected"), [
    ("timeout", "time-out"), ("slow", "time-out"), ("reset", "reset"), ("closed", "reset"), ("truncated", "cut short"),
    ("huge", "cut short"),
])  # fmt: skip
def test_what_is_no_whole_answer(session: HttpSession, kind: str, expected: str) -> None:
    with WebService(small_history()) as service:
        service.fault(kind)
        with pytest.raises(HttpError) as error:
            session.get(f"{service.url}/endpoints/worldwide", ID)
    assert error.value.kind == expected
    assert "127.0.0.1" in str(error.value) and "b10c5ed1" not in str(error.value)


def test_nobody_is_there(session: HttpSession) -> None:
    with WebService(small_history()) as service:
        url = service.url
    with pytest.raises(HttpError, match="cannot be reached") as error:
        session.get(url, {})
    assert error.value.kind == "no way"


def test_a_certificate_of_nobody(session: HttpSession, tmp_path: Path, signed: tuple[Path, Path]) -> None:
    certificate, key = signed
    with WebService(small_history(), certificate=certificate, key=key) as service:
        with pytest.raises(HttpError) as error:
            session.get(f"{service.url}/version", ID)
        assert error.value.kind == "certificate"
        own = HttpSession(timeout=2, ca_path=str(certificate))
        assert own.get(f"{service.url}/version", ID).status == 200
        own.close()


@pytest.fixture(name="signed", scope="module")
def fixture_signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tls")
    (folder / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "k.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))  # fmt: skip
    return folder / "c.pem", folder / "k.pem"


@pytest.mark.parametrize("url", ["https://contoso.com", "https://contoso.com/x/", "http://127.0.0.1:8080", "http://[::1]"])
def test_urls_that_can_be_used(url: str) -> None:
    assert checked_url(url, "url") == url.rstrip("/")


@pytest.mark.parametrize("url", [
    "http://contoso.com", "http://localhost.evil.example", "http://127.0.0.1@evil.example", "https://", "file:///etc",
    "https://u:p@contoso.com", "https://contoso.com?x", "https://contoso.com:0", "https://contoso.com:x", "contoso.com",
])  # fmt: skip
def test_urls_that_cannot(url: str) -> None:
    with pytest.raises(AllowlistError, match="^url: "):
        checked_url(url, "url")


def test_what_is_this_machine() -> None:
    assert all(map(is_loopback, ["http://127.0.0.1", "http://localhost:1", "http://[::1]:8", "http://127.9.9.9"]))
    assert not any(map(is_loopback, ["http://127.0.0.1.x", "http://10.0.0.1", "http://localhost.x", "http://1270.0.0.1"]))
