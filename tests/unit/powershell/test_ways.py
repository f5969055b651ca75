# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way the texts of WinHTTP and WinINET lead to, by the real PowerShell files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .interpreter import Interpreter
from .values import Table, ThrownError

UTILS = Path(__file__).resolve().parents[3] / "plugins" / "module_utils"


@pytest.fixture(scope="module")
def shell() -> Interpreter:
    return Interpreter(*[UTILS / f"EgressProbe{name}.psm1" for name in ("Http", "Target", "Ways")])


def way(shell: Interpreter, url: str, text: str, bypass: str = "") -> list[str]:
    found: Any = shell.call("Select-Way", shell.call("ConvertTo-Target", url), text, bypass)
    return [one["url"] for one in (found if isinstance(found, list) else [found])]


HTTPS, HTTP, TCP = "https://www.example.com", "http://www.example.com/ncsi.txt", "tcp://relay.example.com:5671"


@pytest.mark.parametrize(
    ("url", "text", "proxies"),
    [
        (HTTPS, "", [""]),
        (HTTPS, "p.example:8080", ["http://p.example:8080"]),
        (HTTPS, "P.Example", ["http://p.example:80"]),
        (HTTPS, "p.example:8080;q.example:8080", ["http://p.example:8080", "http://q.example:8080"]),
        (HTTPS, "p.example:1 q.example:2", ["http://p.example:1", "http://q.example:2"]),
        (HTTPS, "http=p.example:1;https=q.example:2", ["http://q.example:2"]),
        (HTTP, "http=p.example:1;https=q.example:2", ["http://p.example:1"]),
        (TCP, "http=p.example:1;https=q.example:2", ["http://q.example:2"]),
        (HTTPS, "http=p.example:1", [""]),
        (HTTPS, "http://u:secret@p.example:3128/", ["http://p.example:3128"]),
        (HTTPS, "[2001:db8::1]:8080", ["http://[2001:db8::1]:8080"]),
        (HTTPS, "socks=s.example:1080;https=p.example:1", ["http://p.example:1"]),
    ],
)
def test_a_setting_names_the_proxies(shell: Interpreter, url: str, text: str, proxies: list[str]) -> None:
    assert way(shell, url, text) == proxies


@pytest.mark.parametrize(
    ("text", "word"),
    [("socks=s.example:1080", "not_spoken"), ("https://p.example:443", "not_spoken"), ("a:b:c", "system")],
)
def test_what_the_probe_cannot_go_is_told(shell: Interpreter, text: str, word: str) -> None:
    with pytest.raises(ThrownError) as thrown:
        way(shell, HTTPS, text)
    assert (thrown.value.value["word"], thrown.value.value["step"]) == (word, "way")


@pytest.mark.parametrize(
    ("url", "bypass", "direct"),
    [
        (HTTPS, "*.example.com", True),
        (HTTPS, "*.EXAMPLE.com;<local>", True),
        (HTTPS, "<local>;*.example.org", False),
        (HTTPS, "example.com", False),
        (HTTPS, "www.example.com:443", True),
        (HTTPS, "https://www.example.com", True),
        ("http://intranet", "<local>", True),
        ("http://10.1.2.3", "10.*", True),
        ("http://110.1.2.3", "10.*", False),
        (HTTPS, "w.w.example.com", False),
        (HTTPS, "", False),
    ],
)
def test_the_bypass_list_is_heeded(shell: Interpreter, url: str, bypass: str, direct: bool) -> None:
    assert way(shell, url, "p.example:8080", bypass) == (["" if direct else "http://p.example:8080"])


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (HTTPS, "https://www.example.com/"),
        ("https://www.example.com:8443", "https://www.example.com:8443/"),
        (HTTP, HTTP),
        (TCP, "https://relay.example.com:5671/"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/"),
    ],
)
def test_a_pac_file_is_shown_no_path_of_https(shell: Interpreter, url: str, shown: str) -> None:
    assert shell.call("Get-PacUrl", shell.call("ConvertTo-Target", url)) == shown


def test_a_datagram_and_no_settings_go_direct(shell: Interpreter) -> None:
    fixed = Table({"ways": Table({"kind": "fixed", "proxy": shell.call("ConvertTo-Proxy", "p.example:1")})})
    none = Table({"ways": Table({"kind": "direct", "proxy": None})})
    turn = shell.call("ConvertTo-Target", "udp://turn.example.com:3478")
    assert shell.call("Get-Way", fixed, turn)["url"] == ""
    assert shell.call("Get-Way", none, shell.call("ConvertTo-Target", HTTPS))["url"] == ""
    assert shell.call("Get-Way", fixed, shell.call("ConvertTo-Target", HTTPS))["url"] == "http://p.example:1"
