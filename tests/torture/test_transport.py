# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each request of a run goes wrong in turn, in every way that a network and a tired appliance know.

In this process, with the pauses of a clock that does not wait: what is tortured is what the driver makes of it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import (
    CUT,
    DROP,
    LOST,
    STALL,
    Answer,
    Emulator,
    Request,
)
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.api_host import ApiHost
from appliances import APIS, part_of
from authority import certificate

EMULATORS: dict[str, Callable[..., Emulator]] = {
    "panos": PanosEmulator, "zia": ZiaEmulator, "fortios": FortiosEmulator,
}  # fmt: skip
PORTS: dict[str, Any] = {"default_ports": ["tcp/443"]}
NEW = ("login.live.com", "*.mesh.com", "mesh.com", "198.51.100.0/24")
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "application/xml"}
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>Back soon</body></html>"
# What comes in place of an answer, or how it gets lost; how often in a row.
TROUBLE: dict[str, tuple[str | Answer, int]] = {
    "dropped before it arrived": (DROP, 1),
    "dropped three times": (DROP, 3),
    "done, answer lost": (LOST, 1),
    "done, answer cut": (CUT, 1),
    "done, answer stalled": (STALL, 1),
    "500": (Answer(500, HTML, {"Content-Type": "text/html"}), 1),
    "502": (Answer(502, HTML, {"Content-Type": "text/html"}), 2),
    "503 for good": (Answer(503, b"", {}), 10_000),
    "504": (Answer(504, HTML, {"Content-Type": "text/html"}), 1),
    "429": (Answer(429, b"{}", {"Retry-After": "3", **JSON}), 2),
    "429 without a word": (Answer(429, b"", {}), 2),
    "429 until the year 9999": (Answer(429, b"", {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}), 1),
    "429 for good": (Answer(429, b"", {"Retry-After": "60"}), 10_000),
    "a login page, 200": (Answer(200, b"<html><form>log in</form></html>", {"Content-Type": "text/html"}), 1),
    "a redirect": (Answer(302, b"", {"Location": "http://127.0.0.1:9/portal"}), 1),
    "no content": (Answer(204, b"", {}), 1),
    "half of JSON": (Answer(200, b'{"status": "success", "results": [{"name": "egress', JSON), 1),
    "half of XML": (Answer(200, b'<response status="success"><result><entry name="egr', XML), 1),
    "JSON as plain text": (Answer(200, b'{"status": "success"}', {"Content-Type": "text/plain"}), 1),
    "JSON null": (Answer(200, b"null", JSON), 1),
    "an empty list": (Answer(200, b"[]", JSON), 1),
    "a success without a word": (Answer(200, b'<response status="success"><result/></response>', XML), 1),
}  # fmt: skip
# An answer that could be true: nothing can tell it from one that is, and only the next run sees what really is there.
LIES = ("no content", "an empty list", "a success without a word")


@contextmanager
def emulated(kind: str, folder: Path) -> Iterator[ApiHost]:
    host = APIS[kind].made(folder)
    host.start()
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ApiHost]:
    with emulated(request.param, tmp_path) as one:
        yield one


def kind_of(host: ApiHost) -> str:
    return type(host).__name__.removesuffix("Host").lower()


def counted(host: ApiHost, **wanted: Any) -> int:
    before = len(host.emulator.seen)
    host.run(**wanted)
    return len(host.emulator.seen) - before


def nth(step: int) -> Callable[[Request], bool]:
    met = iter(range(1_000_000))
    return lambda _request: next(met) >= step


@pytest.mark.parametrize("trouble", TROUBLE)
@pytest.mark.parametrize("host", APIS, indirect=True)
def test_each_request_in_turn(host: ApiHost, trouble: str, scale: float, tally: Any) -> None:
    how, times = TROUBLE[trouble]
    old: dict[str, Any] = {"entries": list(host.old), **PORTS}
    new: dict[str, Any] = {"entries": list(NEW), **PORTS}
    brief: dict[str, Any] = {"timeout": 1, "wait_timeout": 300} if how == STALL else {}
    host.settle(old)
    start = host.running
    requests = counted(host, **new)
    end, end_running = host.state(), host.running
    wrong: list[str] = []
    for step in part_of(list(range(requests)), scale):
        host.settle(old)
        host.emulator.fail(nth(step), how, times)
        told = ""
        try:
            host.run(**new, **brief)
        except AllowlistError as error:
            told = str(error)
            if not 10 < len(told) < 2000:
                wrong.append(f"request {step}: {len(told)} characters: {told[:300]}")
        host.emulator.faults.clear()
        if not told and trouble not in LIES and host.state() != end:
            wrong.append(f"request {step}: it says that all is well, and it is not")
        # FortiOS has a transaction for its rules, and its feeds come into force one by one.
        if kind_of(host) != "fortios" and trouble not in LIES and host.running not in (start, end_running):
            wrong.append(f"request {step}: a mixture is in force; told: {told}")
        host.recover()
        host.run(**new)
        if host.state() != end:
            wrong.append(f"request {step}: the next run does not heal it; told: {told}")
        tally(kind_of(host))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("host", APIS, indirect=True)
def test_slow(host: ApiHost, tally: Any) -> None:
    host.emulator.latency = 0.3
    host.run(*host.old, timeout=2, **PORTS)
    assert host.run(*host.old, timeout=2, **PORTS)["changed"] is False
    tally(kind_of(host))


@pytest.mark.parametrize("kind", APIS)
def test_nobody_listens(kind: str, tmp_path: Path, tally: Any) -> None:
    with emulated(kind, tmp_path) as host:
        usual = host.usual()
    with pytest.raises(AllowlistError) as told:
        host.run(*host.old, **PORTS, **{name: usual[name] for name in usual if name.endswith("host")})
    assert "refused" in str(told.value).lower()
    tally(kind)


@pytest.mark.parametrize("fault", ["another name", "nobody's authority", "out of date"])
@pytest.mark.parametrize("kind", APIS)
def test_a_certificate_of_somebody_else(kind: str, fault: str, tmp_path: Path, tally: Any) -> None:
    right, wrong = certificate(tmp_path / "right"), certificate(tmp_path / "wrong", fault)
    trusted = right.authority if fault == "nobody's authority" else wrong.authority
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(wrong.chain)

    def made(host: ApiHost) -> Emulator:
        return EMULATORS[kind](tls=served)

    impostor = type("Impostor", (APIS[kind].made,), {"made": made})(tmp_path)
    impostor.start()
    try:
        with pytest.raises(AllowlistError) as told:
            impostor.run(*impostor.old, ca_path=str(trusted), **PORTS)
        assert "certificate" in str(told.value)
        assert not impostor.emulator.seen  # not even a password
    finally:
        impostor.stop()
    tally(kind)
