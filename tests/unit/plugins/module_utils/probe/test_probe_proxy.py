# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes over real sockets, through a proxy that follows a script."""

from __future__ import annotations

import pytest


def words(answer):
    return answer["outcome"], answer["blame"]


def page(status, *headers):
    return "\r\n".join([f"HTTP/1.1 {status}", "Server: squid/5.7", *headers, "", ""]).encode()


def test_a_tunnel_to_the_server_itself(internet, kit):
    internet.proxy({"a.example": internet.tunnel(kit.tls(internet.public.server("a.example")))})
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == ("reachable", None)
    assert answer["unauthenticated"] is True


def test_no_credentials_are_sent(internet, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://user:secret@127.0.0.1:1")
    internet.proxy({"a.example": lambda sock: sock.close()})
    internet.ask("https://a.example", "http://a.example", through_proxy=True)
    assert sorted({request.split(b"\r\n")[0] for request in internet.requests}) == [
        b"CONNECT a.example:443 HTTP/1.1",
        b"GET http://a.example/ HTTP/1.1",
    ]
    assert not any(b"authorization" in request.lower() for request in internet.requests)


@pytest.mark.parametrize(
    ("answer_to_connect", "expected"),
    [
        (page("407 No", "Proxy-Authenticate: Negotiate"), ("proxy_auth_required", "proxy")),
        (page("403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0"), ("proxy_denied", "proxy")),
        (page("302 Found", "Location: http://block.test/"), ("block_page", "proxy")),
        (page("503 No", "X-Squid-Error: ERR_CONNECT_FAIL 111"), ("upstream_failure", "server")),
        (page("503 No", "X-Squid-Error: ERR_CONNECT_FAIL 13"), ("upstream_failure", "firewall")),
        (page("503 No", "X-Squid-Error: ERR_CONNECT_FAIL 110"), ("upstream_failure", "firewall")),
        (page("500 No", "X-Squid-Error: ERR_CANNOT_FORWARD 0"), ("upstream_failure", "unknown")),
        (page("503 No", "X-Squid-Error: ERR_DNS_FAIL 0"), ("dns_failure", "resolver")),
        (page("504 No"), ("upstream_failure", "unknown")),
        (b"SSH-2.0-OpenSSH\r\n\r\n", ("proxy_unreachable", "proxy")),
        (b"", ("reset", "proxy")),
    ],
)
def test_what_the_proxy_says_to_connect(internet, answer_to_connect, expected):
    internet.proxy({"a.example": lambda sock: sock.sendall(answer_to_connect)})
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == expected
    assert answer["uninspected"] is None


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (page("403 Forbidden", "X-Squid-Error: ERR_ACCESS_DENIED 0"), ("proxy_denied", "proxy")),
        (page("407 No", "Proxy-Authenticate: Basic"), ("proxy_auth_required", "proxy")),
        (page("302 Found", "Location: http://block.test/"), ("block_page", "proxy")),
        (page("503 No", "X-Squid-Error: ERR_SECURE_CONNECT_FAIL 0"), ("upstream_failure", "server")),
        (b"HTTP/1.1 403 Forbidden\r\nServer: origin\r\n\r\n", ("tls_inspected", "inspection")),
        (b"HTTP/1.1 200 OK\r\nServer: origin\r\n\r\n", ("tls_inspected", "inspection")),
    ],
)
def test_a_tunnel_that_opens_proves_nothing(internet, kit, inside, expected):
    internet.options["inspection_ca_path"] = str(internet.company.file)
    internet.proxy({"a.example": internet.tunnel(kit.tls(internet.company.server("a.example"), inside))})
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == expected
    assert answer["steps"]["connect"]["status"] == 200


def test_an_error_in_plain_text_inside_the_tunnel(internet, kit):
    error = page("500 No", "X-Squid-Error: ERR_CANNOT_FORWARD 0")
    internet.proxy({"a.example": internet.tunnel(kit.blurts(error))})
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == ("upstream_failure", "unknown")
    assert "ERR_CANNOT_FORWARD" in answer["evidence"]


@pytest.mark.parametrize(
    ("misbehaviour", "expected"),
    [("reset", ("reset", "unknown")), ("hang_up", ("reset", "unknown")), ("silence", ("timeout", "unknown"))],
)
def test_what_happens_in_the_handshake(internet, kit, misbehaviour, expected):
    internet.timeout = 0.5
    internet.proxy({"a.example": internet.tunnel(getattr(kit, misbehaviour))})
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (page("407 No", "Proxy-Authenticate: Basic"), ("proxy_auth_required", "proxy")),
        (page("403 No", "X-Squid-Error: ERR_ACCESS_DENIED 0"), ("proxy_denied", "proxy")),
        (page("302 Found", "Location: http://block.test/"), ("block_page", "proxy")),
        (b"HTTP/1.1 403 No\r\nServer: origin\r\nVia: 1.1 proxy\r\n\r\n", ("reachable", None)),
        (b"HTTP/1.1 503 No\r\nServer: origin\r\nX-Cache: MISS from proxy\r\n\r\n", ("reachable", None)),
        (b"HTTP/1.1 403 No\r\n\r\n", ("not_provable", "unknown")),
        (b"HTTP/1.1 200 OK\r\nServer: origin\r\n\r\n", ("reachable", None)),
    ],
)
def test_plain_http(internet, said, expected):
    internet.proxy({"a.example": lambda sock: sock.sendall(said)})
    [answer] = internet.ask("http://a.example/x.txt", through_proxy=True)
    assert words(answer) == expected
    assert internet.requests[0].startswith(b"GET http://a.example/x.txt HTTP/1.1\r\nHost: a.example\r\n")


def test_a_proxy_that_is_not_there(internet):
    internet.serve_nothing("proxy")
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == ("proxy_unreachable", "proxy")


def test_a_proxy_whose_name_does_not_resolve(internet):
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert words(answer) == ("proxy_unreachable", "proxy")
    assert "does not resolve" in answer["evidence"]
