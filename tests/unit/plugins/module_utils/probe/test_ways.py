# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way a target goes: a fixed proxy, a PAC file, the settings of the host."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any, Dict, Iterator, List, Optional

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, Resolver
from ansible_collections.egress.allowlist.plugins.module_utils._probe_settings import WayError, environment_file
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import TargetError, parse_target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_ways import own_addresses, resolving, ways

from .conftest import Handler, Server, read_head, says

SECRET = "hunter2"
PAC = "function FindProxyForURL(url, host) { return %s }"


def urls(made: Any, target: str) -> List[Optional[str]]:
    return [proxy.url if proxy else None for proxy in made.of(parse_target(target))]


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: List[Server] = []

    def start(handler: Handler) -> str:
        servers.append(Server(handler))
        return f"http://127.0.0.1:{servers[-1].port}/proxy.pac"

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def pac(tmp_path):
    def made(answer: str, **options: Any) -> Any:
        path = tmp_path / "proxy.pac"
        path.write_text(PAC % answer, encoding="utf-8")
        return ways(pac=str(path), **options)

    return made


def test_no_option_is_the_direct_way():
    made = ways()
    assert urls(made, "https://a.example.com") == [None]
    assert made.source == ""


def test_a_fixed_proxy_is_for_all_but_datagrams():
    made = ways(proxy="http://proxy.example.com:3128")
    assert urls(made, "https://a.example.com") == urls(made, "tcp://a.example.com:25") == [made.source]
    assert made.source == "http://proxy.example.com:3128"
    assert urls(made, "udp://a.example.com:3478") == [None]


def test_a_fixed_proxy_with_credentials_is_refused_without_showing_them():
    with pytest.raises(TargetError) as raised:
        ways(proxy=f"http://user:{SECRET}@proxy.example.com:3128")
    assert SECRET not in str(raised.value)


# PAC files


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("'DIRECT'", [None]),
        ("undefined", [None]),
        ("'PROXY p.example.com:8080; DIRECT'", ["http://p.example.com:8080", None]),
        ("'proxy P.example.com'", ["http://p.example.com:80"]),
        ("'HTTP p.example.com:1; PROXY [2001:db8::1]:2'", ["http://p.example.com:1", "http://[2001:db8::1]:2"]),
        ("'PROXY p.example.com:1; SOCKS s.example.com:2; DIRECT'", ["http://p.example.com:1"]),
        ("'NONSENSE x:1; PROXY p.example.com:1'", ["http://p.example.com:1"]),
        ("'NONSENSE; PROXY'", [None]),
        (f"'PROXY user:{SECRET}@p.example.com:1'", ["http://p.example.com:1"]),
    ],
)
def test_what_a_pac_file_answers(pac, answer, wanted):
    assert urls(pac(answer), "https://a.example.com") == wanted


@pytest.mark.parametrize(
    ("answer", "word", "text"),
    [
        ("'SOCKS5 s.example.com:1080; DIRECT'", "proxy_kind", '"s.example.com:1080" is a SOCKS proxy'),
        (f"'HTTPS u:{SECRET}@s.example.com:443'", "proxy_kind", '"s.example.com:443" is an HTTPS proxy'),
        ("'PROXY p.example.com:99999'", "proxy_settings", "Port out of range"),
        ("nothing()", "pac", 'line 1: ReferenceError: "nothing" is not defined; the URL was https://a.example.com/'),
    ],
)
def test_a_way_that_the_probe_cannot_go(pac, answer, word, text):
    with pytest.raises(WayError) as raised:
        pac(answer).of(parse_target("https://a.example.com"))
    assert raised.value.word == word
    assert text in str(raised.value) and "proxy.pac" in str(raised.value) and SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("target", "url", "host"),
    [
        ("https://a.example.com", "https://a.example.com/", "a.example.com"),
        ("https://a.example.com:8443", "https://a.example.com:8443/", "a.example.com"),
        ("http://a.example.com/ncsi.txt", "http://a.example.com/ncsi.txt", "a.example.com"),
        ("http://a.example.com:8080", "http://a.example.com:8080/", "a.example.com"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]/", "2001:db8::1"),
        ("tcp://a.example.com:25", "https://a.example.com:25/", "a.example.com"),
    ],
)
def test_what_a_pac_file_is_shown_of_a_target(pac, target, url, host):
    wanted = f"(url == '{url}' && host == '{host}') ? 'PROXY yes:1' : 'PROXY no:1'"
    assert urls(pac(wanted), target) == ["http://yes:1"]


def test_a_pac_file_is_asked_once_for_each_url(pac):
    asked: List[str] = []

    def resolve(host: str) -> List[str]:
        asked.append(host)
        return []

    made = pac("dnsResolve(host) ? 'DIRECT' : 'DIRECT'", resolve=resolve)
    for family in ("any", "ipv4", "ipv6"):
        made.of(parse_target("https://a.example.com").over(family))
    made.of(parse_target("http://a.example.com"))
    assert asked == ["a.example.com", "a.example.com"]


def test_a_pac_file_resolves_as_the_probe_does():
    resolve = resolving(Resolver(), Budget(5, 5))
    assert resolve("127.0.0.1") == ["127.0.0.1"]
    assert resolve("") == resolve("no such name") == []


def answers(body: bytes, status: str = "200 OK", *headers: str) -> Handler:
    head = "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *headers])
    return says(head.encode() + b"\r\n\r\n" + body)


def test_a_pac_file_over_http(serve):
    url = serve(answers((PAC % "'PROXY ä:1'.length").encode(), "200 OK", "Content-Type: text/plain"))
    made = ways(pac=url)
    assert made.source == f"PAC file {url}"
    with pytest.raises(WayError, match="did not return a text"):
        made.of(parse_target("https://a.example.com"))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (PAC % "'PROXY p:' + 'ä'.length", "text/plain"),
        (PAC % "'PROXY p:' + 'ä'.length", "application/x-ns-proxy-autoconfig; charset=nonsense"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_the_encoding_of_a_pac_file(serve, body, kind, encoding):
    url = serve(answers(body.encode(encoding), "200 OK", f"Content-Type: {kind}"))
    assert urls(ways(pac=url), "https://a.example.com") == ["http://p:1"]


def test_the_server_may_name_the_encoding(serve):
    url = serve(answers((PAC % "'PROXY p:' + 'Ã¤'.length").encode(), "200 OK", 'Content-Type: x/y; charset="latin-1"'))
    assert urls(ways(pac=url), "https://a.example.com") == ["http://p:4"]


def test_a_redirected_pac_file(serve):
    url = serve(answers((PAC % "'PROXY there:1'").encode()))
    start = serve(answers(b"", "302 Found", f"Location: {url}"))
    assert urls(ways(pac=start), "https://a.example.com") == ["http://there:1"]


def test_a_pac_file_is_asked_for_without_credentials_and_without_any_proxy(serve, monkeypatch):
    seen: Dict[str, bytes] = {}

    def handler(sock):
        seen["head"] = read_head(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + (PAC % "'DIRECT'").encode())

    monkeypatch.setenv("http_proxy", f"http://user:{SECRET}@127.0.0.1:1")
    ways(pac=serve(handler) + "?site=1")
    assert seen["head"].startswith(b"GET /proxy.pac?site=1 HTTP/1.1\r\n")
    assert b"authorization" not in seen["head"].lower()


def closes(sock):
    read_head(sock)


def drips(sock):
    """A byte now and then, for ever; until the client goes."""
    read_head(sock)
    with contextlib.suppress(OSError):
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        sock.settimeout(0.05)
        while True:
            sock.sendall(b"X-A: b\r\n")
            with contextlib.suppress(socket.timeout):
                if not sock.recv(1):
                    return


@pytest.mark.parametrize(
    ("handler", "text"),
    [
        (answers(b"no", "404 Not Found"), "expected the status 200, got 404"),
        (answers(b"", "302 Found", "Location: /again"), "expected the status 200, got 302"),
        (answers(b"", "302 Found", "Location: file:///etc/passwd"), "expected http://host/path or https://host/path"),
        (
            answers(b"", "302 Found", f"Location: http://u:{SECRET}@127.0.0.1:1/"),
            "user and password do not belong here",
        ),
        (answers(b"<html></html>"), "line 1: "),
        (answers(b"/" * ((1 << 20) + 1)), "more than 1048576 bytes"),
        (says(b"SSH-2.0-x\r\n"), "cannot be fetched: "),
        (closes, "cannot be fetched: "),
    ],
)
def test_what_is_wrong_with_a_pac_file_is_told_with_its_url(serve, handler, text):
    url = serve(handler)
    with pytest.raises(PacError) as raised:
        ways(pac=url)
    assert url in str(raised.value) and text in str(raised.value) and SECRET not in str(raised.value)


def test_a_server_that_drips_does_not_hold_the_probe_up(serve):
    start = time.monotonic()
    with pytest.raises(PacError, match=r"cannot be fetched: not within 0\.2 seconds"):
        ways(pac=serve(drips), timeout=0.2)
    assert time.monotonic() - start < 2


def test_a_pac_file_that_is_not_there(tmp_path):
    with pytest.raises(PacError, match="cannot be read on the managed host: No such file or directory"):
        ways(pac=str(tmp_path / "none.pac"))
    with pytest.raises(PacError, match="cannot be fetched: Connection refused"):
        ways(pac="http://127.0.0.1:1/proxy.pac")


def test_a_pac_file_by_its_file_url(tmp_path):
    path = tmp_path / "a b.pac"
    path.write_text(PAC % "'PROXY p:1'", encoding="ascii")
    assert urls(ways(pac=path.as_uri()), "https://a.example.com") == ["http://p:1"]


def test_the_addresses_of_this_host_are_addresses():
    assert all(address and " " not in address for address in own_addresses())


# The settings of the host


def user(target: str, **variables: str) -> List[Optional[str]]:
    return urls(ways(proxy_settings="user", environment=variables), target)


BOTH = {"http_proxy": "http://plain:1", "https_proxy": "http://secure:2"}


@pytest.mark.parametrize(
    ("target", "variables", "wanted"),
    [
        ("https://a.example.com", {}, None),
        ("https://a.example.com", BOTH, "http://secure:2"),
        ("http://a.example.com", BOTH, "http://plain:1"),
        ("tcp://a.example.com:25", BOTH, "http://secure:2"),
        ("udp://a.example.com:3478", BOTH, None),
        ("https://a.example.com", {"http_proxy": "http://plain:1"}, None),
        ("https://a.example.com", {"all_proxy": "http://all:3"}, "http://all:3"),
        ("https://a.example.com", {"ALL_PROXY": "http://all:3", **BOTH}, "http://secure:2"),
        ("https://a.example.com", {"HTTPS_PROXY": "http://upper:2"}, "http://upper:2"),
        ("https://a.example.com", {"HTTPS_PROXY": "http://upper:2", "https_proxy": "http://lower:2"}, "http://lower:2"),
        ("https://a.example.com", {"HTTPS_PROXY": "http://upper:2", "https_proxy": ""}, None),
        ("http://a.example.com", {"HTTP_PROXY": "http://upper:2"}, "http://upper:2"),
        ("http://a.example.com", {"HTTP_PROXY": "http://attacker:2", "REQUEST_METHOD": "GET"}, None),
        ("https://a.example.com", {"https_proxy": "bare:3128"}, "http://bare:3128"),
        ("https://a.example.com", {"https_proxy": "http://noport/"}, "http://noport:80"),
        ("https://a.example.com", {"https_proxy": f"http://u:{SECRET}@p:1/"}, "http://p:1"),
        ("https://a.example.com", {"https_proxy": f"http://u:{SECRET}/@#@p:1"}, "http://p:1"),
        ("https://a.example.com", {"https_proxy": "http://[2001:db8::1]:1"}, "http://[2001:db8::1]:1"),
    ],
)
def test_the_variables_of_the_environment(target, variables, wanted):
    assert user(target, **variables) == [wanted]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("socks5h://u:hunter2@p:1", 'https_proxy in the environment: "p:1" is a SOCKS proxy'),
        ("https://p:1", '"p:1" is an HTTPS proxy'),
        ("ftp://u:hunter2@p:1", '"FTP" is no kind of proxy'),
        ("http://u:hunter2@", "the proxy is not of the form http://host:port"),
        ("http://u:hunter2@a b:1", "expected visible ASCII"),
    ],
)
def test_settings_that_the_probe_cannot_use(value, text):
    with pytest.raises(WayError) as raised:
        user("https://a.example.com", https_proxy=value)
    assert text in str(raised.value) and SECRET not in str(raised.value)


@pytest.mark.parametrize(
    ("no_proxy", "target", "direct"),
    [
        ("example.com", "https://example.com", True),
        ("example.com", "https://www.example.com", True),
        ("example.com", "https://notexample.com", False),
        (".example.com", "https://www.example.com", True),
        (".example.com", "https://example.com", True),
        ("*.example.com", "https://www.example.com", True),
        ("*.example.com", "https://example.com", False),
        ("EXAMPLE.com.", "https://www.example.com", True),
        ("a.net, example.com", "https://example.com", True),
        ("a.net example.com", "https://example.com", True),
        (" , ,", "https://example.com", False),
        ("*", "https://example.com", True),
        ("com", "https://example.com", True),
        ("example.com:8443", "https://example.com:8443", True),
        ("example.com:8443", "https://example.com", False),
        ("example.com:80", "http://example.com", True),
        ("198.51.100.7", "https://198.51.100.7", True),
        ("198.51.100.7", "https://198.51.100.70", False),
        ("198.51.100.0/24", "https://198.51.100.70", True),
        ("198.51.100.0/24", "https://198.51.101.70", False),
        ("198.51.100.0/24", "https://example.com", False),
        ("198.51.100.7:443", "https://198.51.100.7", True),
        ("2001:db8::/32", "https://[2001:db8::1]", True),
        ("[2001:db8::1]", "https://[2001:db8::1]", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]", False),
        ("2001:db8::1", "https://[2001:DB8:0::1]", True),
    ],
)
def test_no_proxy(no_proxy, target, direct):
    assert user(target, https_proxy="http://p:1", http_proxy="http://p:1", no_proxy=no_proxy) == (
        [None] if direct else ["http://p:1"]
    )
    assert (user(target, https_proxy="p:1", http_proxy="p:1", NO_PROXY=no_proxy) == [None]) is direct


def test_the_file_of_the_system(tmp_path):
    path = tmp_path / "environment"
    path.write_text('# a comment\nPATH="/bin"\nexport https_proxy="http://p:1"\nno_proxy=\'a.net\'\n', encoding="ascii")
    made = ways(proxy_settings="system", file=str(path))
    assert made.source == str(path)
    assert urls(made, "https://example.com") == ["http://p:1"]
    assert urls(made, "https://a.net") == [None]
    assert urls(ways(proxy_settings="system", file=str(tmp_path / "none")), "https://example.com") == [None]


def test_the_file_of_the_system_is_not_the_environment_of_the_process(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://process:1")
    assert urls(ways(proxy_settings="system", file=str(tmp_path / "none")), "https://example.com") == [None]
    assert urls(ways(proxy_settings="user"), "https://example.com") == ["http://process:1"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A=1\nB='2 3'\r\n C=\"4\"", {"A": "1", "B": "2 3", "C": "4"}),
        ("export A=1\n#B=2\n", {"A": "1"}),
        ("A=\nB", {"A": ""}),
        ("A='", {"A": "'"}),
    ],
)
def test_lines_of_etc_environment(text, wanted):
    assert environment_file(text) == wanted
