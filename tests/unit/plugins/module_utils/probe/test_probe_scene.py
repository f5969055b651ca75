# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the run as a whole shows: who answers for a name that does not exist, who signs everything, where all is led."""

from __future__ import annotations

import socket

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_scene
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Resolution

MADE_UP = _probe_scene.CONTROL_NAME


def page(text, head="200 OK", more=""):
    body = f"<html>{text}</html>"
    return f"HTTP/1.1 {head}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()


def redirect(where):
    return f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()


def outcome(answer):
    return answer["outcome"], answer["blame"]


@pytest.mark.parametrize(
    ("said", "said_to_made_up", "expected"),
    [
        (page("a.example is blocked, ticket 4711"), page("x.y is blocked, ticket 4712"), ("block_page", "proxy")),
        (page("welcome"), page("x.y is blocked"), ("reachable", None)),
        (page("welcome"), b"HTTP/1.1 503 No\r\n\r\n", ("reachable", None)),
        (redirect("http://no.example/?u=a"), redirect("http://no.example/?u=b"), ("block_page", "proxy")),
        (redirect("http://www.far.example/"), redirect("http://no.example/"), ("not_provable", "unknown")),
        (page("no", "403 No"), page("no", "403 No"), ("proxy_denied", "proxy")),
        (page("no", "403 No"), page("gone", "404 No"), ("not_provable", "unknown")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
         ("reachable", None)),
    ],
)
def test_a_made_up_name_shows_who_answers(internet, kit, said, said_to_made_up, expected):
    check = "www.msftconnecttest.com"
    internet.proxy({
        "a.example": lambda sock: sock.sendall(said),
        MADE_UP: lambda sock: sock.sendall(said_to_made_up),
        check: lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n"),
    })
    [answer] = internet.ask("http://a.example", through_proxy=True)
    assert outcome(answer) == expected


def test_a_healthy_network_is_asked_nothing_odd(internet, kit):
    internet.proxy({"a.example": lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")})
    internet.ask("http://a.example", through_proxy=True)
    assert len(internet.requests) == 1


def test_a_portal_leads_the_check_for_it_away_too(internet, kit):
    login = kit.says(redirect("http://login.portal.example/?from=x"))
    for name in ("a.example", "www.msftconnecttest.com"):
        internet.serve(name, login)
    [answer] = internet.ask("http://a.example")
    assert outcome(answer) == ("captive_portal", "firewall")
    assert "http://login.portal.example/" in answer["evidence"]


def test_an_issuer_that_signs_for_many_sites_inspects(internet, kit):
    names = ("a.example", "b.test", "c.other")
    urls = [internet.serve(name, kit.tls(internet.nobody.server(name))) for name in names]
    few = internet.ask(*urls[:2])
    assert {outcome(answer) for answer in few} == {("tls_untrusted", "unknown")}
    many = internet.ask(*urls)
    assert {outcome(answer) for answer in many} == {("tls_inspected", "inspection")}
    assert "3 names of 3 sites" in many[0]["evidence"]


def test_an_issuer_that_signs_for_what_does_not_exist_inspects(internet, kit):
    internet.proxy({
        name: internet.tunnel(kit.tls(internet.nobody.server(name))) for name in ("a.example", MADE_UP)
    })
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert outcome(answer) == ("tls_inspected", "inspection")
    assert (answer["uninspected"], answer["allowed"]) == (False, None)


def test_a_block_page_behind_a_certificate_of_ones_own(internet, kit):
    blocked = page("blocked")
    internet.proxy({
        name: internet.tunnel(kit.tls(internet.nobody.server(name), blocked)) for name in ("a.example", MADE_UP)
    })
    [answer] = internet.ask("https://a.example", through_proxy=True)
    assert outcome(answer) == ("block_page", "inspection")


def test_where_a_made_up_name_leads_nobody_is(internet):
    internet.serve_nothing("a.example")
    internet.serve_nothing("b.example")
    internet.addresses["a.example"] = internet.addresses[MADE_UP] = [(socket.AF_INET, ("127.0.0.9", 9))]
    first, other = internet.ask("https://a.example", "https://b.example")
    assert outcome(first) == ("dns_sinkhole", "resolver")
    assert outcome(other) == ("refused", "server")
    # Where every name leads to one place, that is how this network is made, and shows nothing.
    [alone] = internet.ask("https://a.example")
    assert outcome(alone) == ("refused", "server")


@pytest.mark.parametrize(
    ("addresses", "nowhere"),
    [
        (["0.0.0.0"], True),
        (["0.0.0.0", "::"], True),
        (["127.0.0.1", "::1"], True),
        (["0.0.0.0", "192.0.2.1"], False),
        (["10.0.0.1"], False),
        (["fe80::1%eth0"], False),
        ([], False),
    ],
)
def test_addresses_that_no_server_has(addresses, nowhere):
    rows = tuple((socket.AF_INET6 if ":" in one else socket.AF_INET, (one, 0)) for one in addresses)
    assert Resolution(rows).leads_nowhere is nowhere
