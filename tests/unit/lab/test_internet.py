# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internet of the lab: which name misbehaves how, and what the DNS answers on the wire."""

from __future__ import annotations

import io
import ipaddress
import re
import ssl
import struct
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.tests.lab.netlab import topology
from ansible_collections.egress.allowlist.tests.lab.netlab.internet import dns, hello, web
from ansible_collections.egress.allowlist.tests.lab.netlab.internet.addresses import AddressBook
from ansible_collections.egress.allowlist.tests.lab.netlab.internet.faults import DNS, HTTP, NONE, PATH, TLS, Faults
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("fault-nx.example.org", "nx"),
        ("FAULT-NX.Example.org", "nx"),
        ("fault-nx", "nx"),
        ("fault-503.example.org", "503"),
        ("fault-200.example.org", NONE),
        ("fault-grumpy.example.org", NONE),
        ("www.fault-nx.example.org", NONE),
        ("my-fault-nx.example.org", NONE),
        ("fault-nx2.example.org", NONE),
    ],
)
def test_the_first_label_chooses_the_fault(name: str, fault: str) -> None:
    assert Faults().of(name) == fault


def test_a_chosen_fault_wins_for_its_exact_name_until_it_is_cleared() -> None:
    faults = Faults()
    faults.choose("Login.Example", "refused")
    faults.choose("fault-nx.example", NONE)
    assert [faults.of(name) for name in ("login.example", "x.login.example", "fault-nx.example")] == [
        "refused",
        NONE,
        NONE,
    ]
    assert faults.chosen() == {"fault-nx.example": NONE, "login.example": "refused"}
    faults.clear("LOGIN.example")
    faults.clear("fault-nx.example")
    assert [faults.of(name) for name in ("login.example", "fault-nx.example")] == [NONE, "nx"]


def test_an_unknown_fault_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(ValueError, match=r"'grumpy'.*servfail.*wrongname"):
        Faults().choose("login.example", "grumpy")


@given(st.lists(st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True), unique=True, max_size=40))
def test_names_have_addresses_of_their_own(names: list[str]) -> None:
    book = AddressBook()
    given_out = {name: book.addresses(name) for name in names}
    assert len(set(given_out.values())) == len(names)
    for name, (ipv4, ipv6) in given_out.items():
        assert book.addresses(name.upper()) == (ipv4, ipv6)
        assert book.name(ipv4) == book.name(ipv6) == name
        assert ipv4 in topology.NAME_POOL_IPV4
        assert ipv6 in topology.NAME_POOL_IPV6


def test_two_names_that_meet_get_different_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hashlib.sha256", lambda _data: io_digest())
    book = AddressBook()
    first, second = book.addresses("one.example")[0], book.addresses("two.example")[0]
    assert int(second) == int(first) + 1
    assert book.name(second) == "two.example"


def io_digest() -> object:
    return type("Digest", (), {"digest": staticmethod(lambda: b"\0" * 32)})()


def query(name: str, kind: int) -> bytes:
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + dns.encode_name(name) + struct.pack("!HH", kind, 1)


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def resolver(heard: list[str]) -> dns.Resolver:
    return dns.Resolver(AddressBook(), Faults(), heard.append)


def answered(resolver: dns.Resolver, name: str, kind: int) -> tuple[int, list[bytes]]:
    """Response code and the data of the records, taken from the packet."""
    packet = dns.reply(resolver, query(name, kind))
    assert packet
    number, flags, questions, answers = struct.unpack("!HHHH", packet[:8])
    assert (number, questions, flags & 0x8180) == (7, 1, 0x8180)
    position, found = len(query(name, kind)), []
    for _unused in range(answers):
        while packet[position]:
            position += 1 + packet[position]
        (size,) = struct.unpack("!H", packet[position + 9 : position + 11])
        found.append(packet[position + 11 : position + 11 + size])
        position += 11 + size
    assert position == len(packet)
    return flags & 15, found


def test_any_name_has_an_address_per_family(resolver: dns.Resolver, heard: list[str]) -> None:
    (code4, ipv4), (code6, ipv6) = (answered(resolver, "Www.Example.org", kind) for kind in (dns.A, dns.AAAA))
    assert (code4, code6) == (dns.NOERROR, dns.NOERROR)
    assert ipaddress.ip_address(ipv4[0]) in topology.NAME_POOL_IPV4
    assert ipaddress.ip_address(ipv6[0]) in topology.NAME_POOL_IPV6
    assert heard == ["www.example.org"] * 2


@pytest.mark.parametrize(
    ("kind", "code"),
    [("nx", dns.NXDOMAIN), ("servfail", dns.SERVFAIL), ("dnsrefused", dns.REFUSED), ("nodata", dns.NOERROR)],
)
def test_a_dns_fault_is_an_answer_without_records(resolver: dns.Resolver, kind: str, code: int) -> None:
    assert answered(resolver, f"fault-{kind}.example.org", dns.A) == (code, [])


def test_a_silent_resolver_is_silent(resolver: dns.Resolver) -> None:
    assert dns.reply(resolver, query("fault-dnssilent.example.org", dns.A)) is None


@pytest.mark.parametrize(("name", "ipv4", "ipv6"), [("fault-v4only.x", 1, 0), ("fault-v6only.x", 0, 1), ("x.y", 1, 1)])
def test_a_family_may_be_missing(resolver: dns.Resolver, name: str, ipv4: int, ipv6: int) -> None:
    assert [len(answered(resolver, name, kind)[1]) for kind in (dns.A, dns.AAAA)] == [ipv4, ipv6]


def test_an_alias_comes_with_the_address_of_its_target(resolver: dns.Resolver) -> None:
    _unused, (alias, address) = answered(resolver, "fault-cname.example", dns.A)
    assert alias == dns.encode_name("edge.fault-cname.example")
    assert answered(resolver, "edge.fault-cname.example", dns.A)[1] == [address]


@pytest.mark.parametrize("kind", [dns.A, dns.AAAA])
def test_an_address_leads_back_to_its_name(resolver: dns.Resolver, kind: int) -> None:
    _unused, (address,) = answered(resolver, "www.example.org", kind)
    reverse = ipaddress.ip_address(address).reverse_pointer
    assert answered(resolver, reverse, dns.PTR) == (dns.NOERROR, [dns.encode_name("www.example.org")])
    assert answered(resolver, "1.2.0.192.in-addr.arpa", dns.PTR) == (dns.NXDOMAIN, [])


@given(st.binary(max_size=64))
def test_nonsense_gets_no_answer_and_does_no_harm(packet: bytes) -> None:
    reply = dns.reply(dns.Resolver(AddressBook(), Faults(), lambda _name: None), packet)
    assert reply is None or reply[:2] == packet[:2]


def client_hello(name: str | None) -> bytes:
    """What a real client says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("name", ["www.example.org", "a.very-long-name." + "x" * 60 + ".example", None])
def test_the_server_name_is_read_from_a_client_hello(name: str | None) -> None:
    record = client_hello(name)
    assert hello.record_length(record[: hello.RECORD_HEAD]) == len(record)
    assert hello.server_name(record) == name


@given(st.integers(min_value=0, max_value=200))
def test_half_a_client_hello_has_no_name(length: int) -> None:
    record = client_hello("www.example.org")
    assert hello.server_name(record[:length]) in (None, "www.example.org")
    assert hello.record_length(b"GET / HTTP/1.1") is None


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("www.example.org", "www.example.org"),
        ("WWW.example.org:8080", "www.example.org"),
        ("[2001:db8::1]:80", "[2001:db8::1]"),
    ],
)
def test_a_request_names_its_host_without_the_port(header: str, host: str) -> None:
    text = f"POST /x HTTP/1.1\r\nHost: {header}\r\nContent-Length: 3\r\n\r\nabcGET".encode()
    stream = io.BytesIO(text)
    request = web.read_request(stream)
    assert request
    assert (request.method, request.path, request.host) == ("POST", "/x", host)
    assert stream.read() == b"GET"


@pytest.mark.parametrize(("fault", "status"), [(NONE, b"200"), ("503", b"503"), ("portal", b"302")])
def test_the_status_follows_the_fault(fault: str, status: bytes) -> None:
    visit = web.Visit("10.20.0.11", "198.18.0.1", 80)
    answer = web.respond(web.Request("HEAD", "/", {"host": "x.example"}), visit, fault)
    assert answer.split()[1] == status
    assert answer.endswith(b"\r\n\r\n")


def test_the_page_about_the_lab_names_every_fault() -> None:
    page = (Path(topology.__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    named = {word for quoted in re.findall(r"`([a-z0-9 ]+)`", page) for word in quoted.split()}
    assert {kind for layer in (DNS, PATH, TLS, HTTP) for kind in layer} <= named
