# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pure parts of a probe: what may be asked, what is trusted, what is read."""

from __future__ import annotations

import _ssl
import socket
import ssl
import threading

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_trust
from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response, parse_head
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import (
    BLAMES,
    OUTCOMES,
    Facts,
    Verdict,
    judge,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, Resolver, StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_steps import as_answer
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import (
    Target,
    TargetError,
    parse_proxy,
    parse_target,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import Tls
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts, TrustError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_x509 import read_certificate


@pytest.mark.parametrize(
    ("text", "url", "authority", "path"),
    [
        ("https://a.example", "https://a.example", "a.example:443", "/"),
        ("https://A.Example/", "https://a.example", "a.example:443", "/"),
        ("https://a.example:8443", "https://a.example:8443", "a.example:8443", "/"),
        ("http://a.example/ncsi.txt", "http://a.example/ncsi.txt", "a.example:80", "/ncsi.txt"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", "[2001:db8::1]:443", "/"),
        ("https://192.0.2.1", "https://192.0.2.1", "192.0.2.1:443", "/"),
    ],
)
def test_targets(text, url, authority, path):
    target = parse_target(text)
    assert (target.url, target.authority, target.path) == (url, authority, path)
    assert parse_target(target.url) == target


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a.example", "http://, https://, tcp:// or udp://"),
        ("ftp://a.example", "http://, https://, tcp:// or udp://"),
        ("https://a.example/path", "path"),
        ("http://a.example/?q=1", "query"),
        ("http://user:pw@a.example", "user and password"),
        ("http://a.example\r\nX: y", "visible ASCII"),
        ("http://bücher.example", "xn--"),
        ("https://*.example", "neither a host name nor an address"),
        ("https://", "neither a host name nor an address"),
        ("https://a..example", "neither a host name nor an address"),
        ("https://a.example:0", "port 0"),
        ("https://a.example:99999", "cannot be probed"),
        (443, "expected a URL as text"),
    ],
)
def test_what_is_no_target(text, reason):
    with pytest.raises(TargetError, match="targets") as error:
        parse_target(text, "targets[7]")
    assert "targets[7]" in str(error.value)
    assert reason in str(error.value)


def test_proxies():
    assert parse_proxy("http://proxy.example:3128").url == "http://proxy.example:3128"
    assert parse_proxy("proxy.example:3128/").url == "http://proxy.example:3128"


@pytest.mark.parametrize(
    "text", ["https://proxy.example:3128", "http://proxy.example", "http://proxy.example:3128/x", "http://*:3128"]
)
def test_what_is_no_proxy(text):
    with pytest.raises(TargetError, match="proxy: "):
        parse_proxy(text)


@pytest.mark.parametrize("text", ["http://user:geheim@proxy.example:3128", "user:geheim@proxy.example:3128"])
def test_credentials_of_a_proxy_are_refused_and_not_repeated(text):
    with pytest.raises(TargetError) as error:
        parse_proxy(text)
    assert "geheim" not in str(error.value)


def test_the_fields_of_a_certificate_are_what_openssl_reads(internet):
    file = internet.public.issue("a.example")
    expected = _ssl._test_decode_cert(str(file))  # type: ignore[attr-defined]
    read = read_certificate(ssl.PEM_cert_to_DER_cert(file.read_text()))
    assert read.subject == "CN=a.example"
    assert read.issuer == "CN=public CA, O=public Ltd"
    assert ssl.cert_time_to_seconds(expected["notAfter"]) == _seconds(read.not_after)


def _seconds(text):
    return ssl.cert_time_to_seconds(_as_openssl(text))


def _as_openssl(text):
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return f"{months[int(text[5:7]) - 1]} {text[8:10]} {text[11:19]} {text[:4]} GMT"


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x82", b"\x30\x03\x02\x01\x01", b"\x00" * 40, b"\x30\x84\xff\xff"])
def test_a_certificate_that_cannot_be_read_has_empty_fields(der):
    found = read_certificate(der)
    assert (found.subject, found.issuer, found.not_after) == ("", "", "")


P11_KIT = """# a comment
[p11-kit-object-v1]
label: "Good"
trusted: true
{good}
[p11-kit-object-v1]
label: "Bad"
x-distrusted: true
{bad}
"""


def test_of_p11_kit_only_trusted_certificates_count(internet, tmp_path):
    good, bad = internet.public.file.read_text(), internet.nobody.file.read_text()
    bundle = tmp_path / "bundle.p11-kit"
    bundle.write_text(P11_KIT.format(good=good, bad=bad))
    assert _probe_trust.read_roots(str(bundle), "x").split() == good.split()


def test_a_folder_of_roots(internet, tmp_path):
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / "one.crt").write_text(internet.public.file.read_text())
    (folder / "two.pem").write_text(internet.company.file.read_text())
    (folder / "README").write_text("nothing")
    assert _probe_trust.read_roots(str(folder), "x").count("BEGIN CERTIFICATE") == 2


def test_the_public_set_is_the_distribution_s(monkeypatch, internet):
    monkeypatch.setattr(_probe_trust, "PUBLIC_ROOTS", ("/nowhere/at/all", str(internet.company.file)))
    assert _probe_trust.public_roots(None) == _probe_trust.read_roots(str(internet.company.file), "x")


def test_a_host_without_public_roots_says_what_to_do(monkeypatch):
    monkeypatch.setattr(_probe_trust, "PUBLIC_ROOTS", ("/nowhere/at/all",))
    with pytest.raises(TrustError, match="install the package ca-certificates"):
        Contexts()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nothing", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "OpenSSL"),
    ],
)
@pytest.mark.parametrize("option", ["public_ca_path", "inspection_ca_path"])
def test_roots_that_cannot_be_used(internet, tmp_path, option, content, reason):
    (tmp_path / "bad.pem").write_text(content)
    with pytest.raises(TrustError, match=f"{option}: .*{reason}"):
        Contexts(**{**internet.options, option: str(tmp_path / "bad.pem")})


def test_roots_that_are_not_there(internet):
    with pytest.raises(
        TrustError, match="inspection_ca_path: cannot read '/nowhere/ca.pem' on this host: No such file"
    ):
        Contexts(**internet.options, inspection_ca_path="/nowhere/ca.pem")


def test_a_context_is_made_once(internet):
    contexts = Contexts(**internet.options)
    assert contexts.get("public") is contexts.get("public")
    assert contexts.get("public").minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_name_is_looked_up_once(monkeypatch):
    asked = []

    def look_up(host, *_rest, **_options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))] * 2

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    resolver, budget = Resolver(), Budget(5, 5)
    assert resolver.resolve("a.example", 443, budget) == [(socket.AF_INET, ("192.0.2.7", 443))]
    assert resolver.resolve("a.example", 80, budget) == [(socket.AF_INET, ("192.0.2.7", 80))]
    assert asked == ["a.example"]


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no_such_name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "resolver_failed"),
        (UnicodeError("label too long"), "resolver_failed"),
    ],
)
def test_what_the_resolver_says(monkeypatch, error, word):
    def look_up(*_arguments, **_options):
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(StepError) as raised:
        Resolver().resolve("a.example", 443, Budget(5, 5))
    assert raised.value.word == word


def test_a_silent_resolver_is_not_waited_for(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: release.wait(10) and [])
    try:
        with pytest.raises(StepError) as raised:
            Resolver().resolve("a.example", 443, Budget(0.05, 5))
        assert raised.value.word == "resolver_silent"
    finally:
        release.set()


@pytest.mark.parametrize(
    ("location", "away"),
    [
        ("https://a.example/", False),
        ("https://www.a.example/", False),
        ("/login", False),
        ("https://portal.test/", True),
        ("//portal.test/", True),
        ("http://[bad", True),
    ],
)
def test_which_redirects_lead_away(location, away):
    assert Response(302, {"location": location}).leads_away_from("b.a.example") is away
    assert Response(200, {"location": location}).leads_away_from("b.a.example") is False


def test_headers_are_read_and_joined():
    response = parse_head(b"HTTP/1.1 200 OK\r\nVia: one\r\nVIA:two\r\nbroken line\r\nServer: x\x1b[2J")
    assert response.headers == {"via": "one, two", "server": "x?[2J"}


ALL_FAULTS = [
    (step, word)
    for step in ("resolve", "connect", "proxy_connect", "proxy", "tls", "http")
    for word in (
        ("no_such_name", "resolver_failed", "resolver_silent")
        if step == "resolve"
        else ("refused", "timeout", "reset", "closed", "unreachable", "no_route", "forbidden_here", "system")
    )
]


@pytest.mark.parametrize("proxy", ["", "http://proxy.example:3128"])
@pytest.mark.parametrize(("step", "word"), ALL_FAULTS)
def test_every_fault_of_every_step_has_a_verdict_that_is_not_good(step, word, proxy):
    facts = Facts(parse_target("https://a.example"), proxy=proxy, fault=StepError(word, "some {detail}", step))
    verdict = judge(facts)
    assert verdict.outcome in OUTCOMES
    assert verdict.outcome != "reachable"
    assert verdict.blame in BLAMES
    assert verdict.evidence
    assert True not in (verdict.allowed, verdict.uninspected)


def test_the_deadline_is_never_held_against_the_network():
    for step in ("resolve", "connect", "proxy", "tls", "http"):
        verdict = judge(Facts(parse_target("https://a.example"), fault=StepError("deadline", step=step)))
        assert (verdict.outcome, verdict.blame) == ("not_probed", None)


def test_what_was_not_tried_is_not_good():
    assert judge(Facts(parse_target("https://a.example"))).outcome == "not_probed"


def test_a_handshake_counts_even_if_http_fails_after_it():
    for trust, outcome in (("public", "reachable"), ("known", "tls_inspected"), ("none", "tls_untrusted")):
        facts = Facts(
            parse_target("https://a.example"),
            fault=StepError("timeout", step="http"),
            tls=Tls(trust=trust, problem="" if trust != "none" else "untrusted", version="TLSv1.3"),
        )
        assert judge(facts).outcome == outcome


def test_an_answer_is_plain_data_without_empty_steps():
    answer = as_answer(Facts(Target("https", "a.example", 443)), Verdict("refused", "server", "it did"))
    assert answer["target"] == "https://a.example"
    assert answer["steps"] == {"seconds": {}}
