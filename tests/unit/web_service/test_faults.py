# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong when it shall: seen from a client, and over when it is over. The program, TLS, and the end of it."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ansible_collections.egress.allowlist.tests.unit.web_service.asking import GUID, asked, data
from ansible_collections.egress.allowlist.tests.web_service.faults import KINDS, SPOILERS, WIRE
from ansible_collections.egress.allowlist.tests.web_service.history import FIRST, LAST, small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

PROGRAM = Path(__file__).resolve().parents[2] / "web_service" / "service.py"
LIST = f"/endpoints/worldwide?ClientRequestId={GUID}"


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService(small_history(), version=LAST) as running:
        yield running


def raw(service: WebService, path: str = LIST, timeout: float = 10) -> tuple[int, bytes, dict[str, str]]:
    """Without redirects and without mercy."""
    parts = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()


def is_well(service: WebService) -> bool:
    return len(data(service, "/endpoints/worldwide")) > 10


# On the wire


def test_reset(service: WebService) -> None:
    service.fault("reset", count=1)
    with pytest.raises(ConnectionResetError) as caught:
        raw(service)
    assert caught.value.errno == errno.ECONNRESET
    assert is_well(service)


def test_closed_before_the_answer(service: WebService) -> None:
    service.fault("closed", count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        raw(service)
    assert is_well(service)


def test_silence(service: WebService) -> None:
    service.fault("timeout", count=1)
    with pytest.raises(TimeoutError):
        raw(service, timeout=0.3)
    assert is_well(service)


def test_truncated(service: WebService) -> None:
    whole = raw(service)[1]
    service.fault("truncated", count=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        raw(service)
    assert 0 < len(caught.value.partial) < len(whole)
    assert is_well(service)


def test_slow_without_one_slow_read(service: WebService) -> None:
    service.fault("slow", count=1, seconds=1)
    start = time.monotonic()
    body = raw(service, timeout=0.5)[1]
    assert time.monotonic() - start > 0.9
    assert json.loads(body) == data(service, "/endpoints/worldwide")


@pytest.mark.parametrize("told", [True, False])
def test_huge(service: WebService, told) -> None:
    service.fault("huge", count=1, megabytes=3, told=told)
    status, body, headers = raw(service)
    assert status == 200 and len(body) > 3 << 20 and ("content-length" in headers) is told
    assert json.loads(body) == data(service, "/endpoints/worldwide")


# In the answer


@pytest.mark.parametrize("status", [429, 500, 503, "407", 404])
def test_a_status(service: WebService, status) -> None:
    service.fault(status, count=1, path="/endpoints")
    got, _body, headers = raw(service)
    assert got == int(status) and "retry-after" not in headers
    assert is_well(service)


def test_too_many_requests_with_the_time_to_wait_and_never_for_the_version(service: WebService) -> None:
    service.fault(429, retry_after=7)
    assert raw(service)[2]["retry-after"] == "7"
    assert raw(service, f"/changes/china/0000000000?ClientRequestId={GUID}")[0] == 429
    assert raw(service, f"/version?ClientRequestId={GUID}")[0] == 200
    service.mend()
    assert is_well(service)


def test_a_captive_portal(service: WebService) -> None:
    service.fault("html")
    status, body, headers = raw(service)
    assert status == 200 and body.startswith(b"<!DOCTYPE html>") and headers["content-type"].startswith("text/html")


def test_a_redirect_to_a_portal(service: WebService) -> None:
    service.fault("redirect", to="http://192.0.2.9/portal")
    status, _body, headers = raw(service)
    assert (status, headers["location"]) == (302, "http://192.0.2.9/portal")


def test_an_error_in_words_with_the_status_of_success(service: WebService) -> None:
    service.fault("error_text", text="Service under maintenance")
    assert raw(service)[:2] == (200, b"Service under maintenance")


def test_cut_json_of_the_right_length(service: WebService) -> None:
    service.fault("cut")
    body = raw(service)[1]
    assert body.startswith(b'[{"id": 1')
    with pytest.raises(ValueError, match="delimiter|Unterminated|Expecting"):
        json.loads(body)


def test_nothing_and_an_empty_list_and_something_like_json(service: WebService) -> None:
    for kind in ("empty", "empty_list", "not_json"):
        service.fault(kind, count=1)
    assert [raw(service)[:2] for _time in range(2)] == [(200, b""), (200, b"[]")]
    with pytest.raises(ValueError, match="property name"):
        json.loads(raw(service)[1])


@pytest.mark.parametrize(
    ("path", "usual"),
    [("/endpoints/china", "urls"), ("/version", "latest"), ("/changes/china/0000000000", "endpointSetId")],
)
def test_a_field_is_lost_everywhere(service: WebService, path, usual) -> None:
    service.fault("lost_field", count=1)
    found = data(service, path)
    assert not any(usual in record for record in found) and any(f"{usual}V2" in record for record in found)
    service.fault("lost_field", count=1, field="id", path="/endpoints")
    assert all("idV2" in record for record in data(service, "/endpoints/china"))


def test_only_a_part_of_the_sets(service: WebService) -> None:
    whole = data(service, "/endpoints/worldwide")
    service.fault("shrunk", count=1, keep=0.25)
    assert data(service, "/endpoints/worldwide") == whole[: len(whole) // 4]
    service.fault("shrunk", count=1, keep=0)
    assert data(service, "/endpoints/worldwide") == whole[:1]


def test_what_nobody_may_allow(service: WebService) -> None:
    service.fault("poisoned", count=2)
    first = data(service, "/endpoints/worldwide")[0]
    assert "0.0.0.0/0" in first["ips"] and "*.com" in first["urls"]
    added = [one["add"] for one in data(service, "/changes/worldwide/0000000000") if "add" in one]
    assert "0.0.0.0/0" in added[0]["ips"] and "*.com" in added[0]["urls"]
    service.fault("poisoned", count=1, values=["10.0.0.0/8"])
    assert "10.0.0.0/8" in data(service, "/endpoints/worldwide")[0]["ips"]
    assert "0.0.0.0/0" not in json.dumps(data(service, "/endpoints/worldwide")), "the list itself stays clean"


# When


def test_a_fault_lasts_as_long_as_told(service: WebService) -> None:
    service.fault(503, count=2)
    assert [raw(service)[0] for _time in range(4)] == [503, 503, 200, 200]


def test_a_fault_concerns_the_paths_told(service: WebService) -> None:
    service.fault(503, path="/Endpoints/worldwide")
    paths = ("/endpoints/Worldwide", "/endpoints/china", "/version")
    seen = [asked(service, path, ClientRequestId=GUID)[0] for path in paths]
    assert seen == [503, 200, 200]


def test_what_goes_wrong_was_asked_all_the_same(service: WebService) -> None:
    service.fault("closed", count=1)
    with pytest.raises(http.client.RemoteDisconnected):
        raw(service)
    assert service.asked("endpoints") == 1


@pytest.mark.parametrize("kind", ["refuse", "200", 99, 1000, ""])
def test_a_fault_that_there_is_not_is_not_passed_over(service: WebService, kind) -> None:
    with pytest.raises(ValueError, match="expected one of reset"):
        service.fault(kind)


def test_each_kind_of_fault_has_a_test() -> None:
    assert len(set(KINDS)) == len(KINDS) == len(WIRE) + len(SPOILERS)
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []


# Its end


@pytest.mark.parametrize("kind", [None, "timeout", "slow", "huge"])
def test_it_ends_at_once_and_leaves_nothing_behind(kind) -> None:
    before = set(threading.enumerate())
    with WebService(small_history()) as service:
        if kind:
            service.fault(kind, path="/endpoints", seconds=60, megabytes=500)
        parts = urlsplit(service.url)
        idle = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        idle.request("GET", f"/version?ClientRequestId={GUID}")
        assert idle.getresponse().read()
        busy = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10)
        busy.sendall(f"GET {LIST} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until = time.monotonic() + 5
        while service.asked("endpoints") == 0 and time.monotonic() < until:
            time.sleep(0.01)
        start = time.monotonic()
    assert time.monotonic() - start < 2
    assert set(threading.enumerate()) == before
    idle.close()
    busy.close()
    with pytest.raises(ConnectionRefusedError):
        raw(service)


def test_it_can_go_away_and_come_back_where_it_was() -> None:
    service = WebService(small_history())
    with service:
        url = service.url
        assert is_well(service)
    with pytest.raises(ConnectionRefusedError):
        raw(service)
    with service:
        assert service.url == url and is_well(service)


def test_several_ask_at_a_time_and_none_is_lost(service: WebService) -> None:
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(raw(service)[0])) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 20 and service.asked("endpoints") == 20


def test_a_fault_of_its_own_is_not_hidden() -> None:
    service = WebService({"China": {FIRST: [{"id": 1}]}}).__enter__()
    with pytest.raises(http.client.RemoteDisconnected):
        raw(service, f"/endpoints/china?ClientRequestId={GUID}")
    with pytest.raises(RuntimeError, match="the emulator itself"):
        service.__exit__()


# TLS and the program


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 with its key, and root.pem beside it."""
    x509 = pytest.importorskip("cryptography.x509")
    from ansible_collections.egress.allowlist.tests.lab.netlab import pki  # noqa: PLC0415  # needs that library
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    root, key = pki.Authority.new("Test Root"), ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "root.pem").write_bytes(pki.pem(root.certificate))
    made = root.issue(x509.IPAddress(ipaddress.ip_address("127.0.0.1")), key.public_key())
    (tmp_path / "server.pem").write_bytes(made + pki.key_pem(key))
    return tmp_path / "server.pem"


def test_over_tls(certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate.with_name("root.pem")))
    with WebService(small_history(), certificate=certificate) as service:
        assert service.url.startswith("https://127.0.0.1:")
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
        )
        with opener.open(service.url + LIST, timeout=10) as answer:
            assert len(json.loads(answer.read())) > 10
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            asked(service, "/version")
        service.fault("reset", count=1)
        with pytest.raises((urllib.error.URLError, ConnectionResetError, ssl.SSLError)):
            opener.open(service.url + LIST, timeout=10)
        silent = socket.create_connection(("127.0.0.1", int(urlsplit(service.url).port or 0)), timeout=10)
        with opener.open(service.url + LIST, timeout=10) as answer:  # one who never shakes hands keeps nobody waiting
            assert answer.status == 200
    silent.close()


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], str]]:
    words = getattr(request, "param", [])
    with subprocess.Popen([sys.executable, str(PROGRAM), *words], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        try:
            yield running, url
        finally:
            running.kill()


def told(url: str, name: str, arguments: dict[str, Any] | None = None) -> tuple[int, Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("POST", f"/emulator/{name}", json.dumps(arguments or {}))
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, json.loads(body) if answer.status == 200 else body


@pytest.mark.parametrize("program", [["--version", LAST]], indirect=True)
def test_the_program_serves_is_moved_and_ends(program) -> None:
    running, url = program
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url + LIST, timeout=10) as answer:
        assert len(json.loads(answer.read())) > 10
    assert told(url, "publish", {"version": FIRST})[1]["versions"]["Worldwide"] == FIRST
    assert told(url, "announce", {"set_id": 56, "urls": ["new.example"], "effective": "20251110"})[0] == 200
    assert told(url, "fault", {"kind": 503, "count": 1})[0] == 200
    assert told(url, "mend")[0] == 200
    assert told(url, "save", {"version": "2026020100", "records": []})[0] == 200
    assert [one["path"] for one in told(url, "requests")[1]] == ["/endpoints/worldwide"], "without those that move it"
    running.terminate()
    assert running.wait(10) == 0


def test_the_program_says_what_it_did_not_understand(program) -> None:
    _running, url = program
    for name, arguments, reason in (
        ("publish", {"version": "2024010100"}, "there are Worldwide"),
        ("publish", {}, "version"),
        ("fault", {"kind": "nothing"}, "expected one of reset"),
        ("asked", {"method": "version"}, "expected publish"),
    ):
        status, text = told(url, name, arguments)
        assert status == 400 and reason in text


def test_the_program_needs_answers_that_are_there(tmp_path: Path) -> None:
    words = [sys.executable, str(PROGRAM), "--answers", str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
    assert ended.returncode == 2 and "expected files such as" in ended.stderr and "Traceback" not in ended.stderr
