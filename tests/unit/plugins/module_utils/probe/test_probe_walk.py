# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Second tries, chains known by fingerprint, ports that speak neither http nor https."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import socket
import ssl
import sys
import threading

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_ports
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts, TrustError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SEES_CHAINS = sys.version_info >= (3, 10)


def in_turns(*handlers):
    """Each connection meets the next handler; the last one stays."""
    turns = itertools.chain(handlers[:-1], itertools.repeat(handlers[-1]))

    def handler(sock):
        next(turns)(sock)

    return handler


@pytest.mark.parametrize(("failures", "outcome", "tries"), [(1, "reachable", 2), (2, "reset", 2)])
def test_a_reset_is_tried_again_once(internet, kit, failures, outcome, tries):
    url = internet.serve("a.example", in_turns(*[kit.reset] * failures, kit.says(OK))).replace("https", "http")
    [answer] = internet.ask(url)
    assert (answer["outcome"], answer["steps"]["tries"]) == (outcome, tries)


def test_an_error_of_the_proxy_is_tried_again_and_a_denial_is_not(internet, kit):
    def said(status):
        return lambda sock: sock.sendall(f"HTTP/1.1 {status} Word\r\nServer: squid\r\n\r\n".encode())

    internet.proxy({"a.example": in_turns(said(503), said(403)), "b.example": in_turns(said(403), said(200))})
    first, second = internet.ask("http://a.example", "http://b.example", through_proxy=True)
    assert [first["outcome"], second["outcome"]] == ["proxy_denied", "proxy_denied"]
    assert "tries" not in second["steps"]


def test_silence_is_not_tried_again(internet, kit):
    internet.timeout = 0.3
    [answer] = internet.ask(internet.serve("a.example", kit.silence))
    assert answer["outcome"] == "timeout"
    assert "tries" not in answer["steps"]


def private(internet, kit, authority, sends):
    """A server with a certificate by *authority* that sends the certificate of *sends* along."""
    chain = authority.issue("a.example")
    both = chain.with_suffix(f".{sends.file.stem}")
    both.write_text(chain.read_text(encoding="ascii") + sends.file.read_text(encoding="ascii"), encoding="ascii")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both, authority.file.with_suffix(".key"))
    internet.serve("a.example", kit.tls(context))
    der = ssl.PEM_cert_to_DER_cert(sends.file.read_text(encoding="ascii"))
    internet.options["public_fingerprints"] = [hashlib.sha256(der).hexdigest().upper()]
    return internet.ask("https://a.example")[0]


def test_a_private_root_is_known_by_its_fingerprint(internet, kit):
    answer = private(internet, kit, internet.nobody, internet.nobody)
    assert answer["outcome"] == ("reachable" if SEES_CHAINS else "tls_untrusted")
    subjects = [one["subject"] for one in answer["steps"]["tls"]["chain"]]
    assert subjects == ["CN=a.example", "CN=nobody CA, O=nobody Ltd"][: 2 if SEES_CHAINS else 1]


def test_a_certificate_that_was_only_sent_along_vouches_for_nothing(internet, kit):
    answer = private(internet, kit, internet.nobody, internet.company)
    assert answer["outcome"] == "tls_untrusted"


def test_what_is_no_fingerprint(internet):
    with pytest.raises(TrustError, match=r"public_fingerprints\[1\].*64 hexadecimal digits.*'abc'"):
        Contexts(str(internet.public.file), None, ["AB:" * 31 + "AB", "abc"])


def test_a_named_inspector_among_the_public_roots_is_seen(internet, kit, tmp_path):
    polluted = tmp_path / "public.pem"
    polluted.write_text(
        internet.public.file.read_text(encoding="ascii") + internet.company.file.read_text(encoding="ascii"),
        encoding="ascii",
    )
    internet.options = {"public_ca_path": str(polluted), "inspection_ca_path": str(internet.company.file)}
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.company.server("a.example"))))
    assert (answer["outcome"], answer["blame"]) == ("tls_inspected", "inspection")


def test_a_bare_port_behind_a_proxy_has_to_speak(internet, kit):
    internet.proxy({
        "a.example": internet.tunnel(lambda sock: sock.sendall(b"220 mail.example ESMTP\r\n")),
        "b.example": internet.tunnel(kit.silence),
        "c.example": internet.tunnel(lambda sock: None),
    })
    urls = [f"tcp://{name}.example:25" for name in "abc"]
    found = internet.ask(*urls, through_proxy=True)
    assert [answer["outcome"] for answer in found] == ["reachable", "not_provable", "reset"]
    assert "220 mail.example ESMTP" in found[0]["evidence"]


@pytest.mark.parametrize(("port", "beginning"), [(3478, b"\x00\x01"), (123, b"\x23"), (443, b"\xc0"), (9, b"")])
def test_datagrams_ask_in_the_tongue_of_the_port(port, beginning):
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)
        asked = []

        def serve():
            data, client = server.recvfrom(2048)
            asked.append(data)
            server.sendto(b"yes", client)

        thread = threading.Thread(target=serve)
        thread.start()
        told = _probe_ports.ask_datagram([(socket.AF_INET, server.getsockname())], port, Budget(5, 5))
        thread.join()
    assert asked[0].startswith(beginning)
    assert len(asked[0]) == {3478: 20, 123: 48, 443: 1200, 9: 0}[port]
    assert told.startswith("3 bytes came back")


def test_nobody_listens_for_datagrams():
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    with pytest.raises(StepError, match="refused"):
        _probe_ports.ask_datagram([(socket.AF_INET, address)], 9, Budget(5, 5))
