# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same facts give the same signs, words and verdict on both sides: in Python, and in the PowerShell files."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import (
    _probe_http,
    _probe_judge,
    _probe_scene,
    _probe_target,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import Facts, Scene
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_rules import PROMISES, RULES, first_match
from ansible_collections.egress.allowlist.plugins.module_utils._probe_steps import as_answer
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import parse_target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import Tls
from ansible_collections.egress.allowlist.plugins.module_utils._probe_x509 import Certificate

from .interpreter import Interpreter
from .values import Table, ThrownError

ROOT = Path(__file__).resolve().parents[3]
UTILS = ROOT / "plugins" / "module_utils"
FILES = ("Rules", "Http", "Judge", "Target", "Scene", "")
CASES = 500


@pytest.fixture(scope="module")
def shell() -> Interpreter:
    return Interpreter(*[UTILS / f"EgressProbe{name}.psm1" for name in FILES])


def table(response: Response | None) -> Table | None:
    if response is None:
        return None
    return Table({"status": response.status, "headers": Table(response.headers), "body": response.body})


def tls_table(tls: Tls | None) -> Table | None:
    if tls is None:
        return None
    chain = [Table(one.as_dict()) for one in tls.chain]
    return Table({**dataclasses.asdict(tls), "certificate": Table(tls.certificate.as_dict()), "chain": chain})


def facts_table(facts: Facts) -> Table:
    fault, target = facts.fault, facts.target
    return Table(
        {
            **{name: getattr(target, name) for name in ("scheme", "host", "port", "path", "url", "label", "authority")},
            **{name: getattr(facts, name) for name in ("proxy", "addresses", "canonical", "nowhere", "ranged")},
            "fault": Table({"word": fault.word, "detail": fault.detail, "step": fault.step}) if fault else None,
            "tunnel": table(facts.tunnel),
            "plain": table(facts.plain),
            "tls": tls_table(facts.tls),
            "response": table(facts.response),
            "port_said": facts.port,
            "seconds": Table(facts.seconds),
            "tries": facts.tries,
            "own_failure": None,
        }
    )


def scene_table(scene: Scene) -> Table:
    return Table(
        {
            "min_tls": scene.min_tls,
            "control": scene.control,
            "control_addresses": sorted(scene.control_addresses),
            "control_pages": Table({scheme: table(page) for scheme, page in scene.control_pages.items()}),
            "control_issuer": scene.control_issuer,
            "issuers": Table(scene.issuers),
            "portal": scene.portal,
        }
    )


ISSUERS = ("", "CN=Public CA, O=Someone", "CN=Bob's \\ CA", "CN=\"O'Neil\" CA", "CN=Many CA")
STATUSES = (200, 200, 204, 206, 301, 302, 401, 403, 404, 407, 451, 500, 502, 503, 511)
HEADERS = {
    "server": ("squid/5.7", "nginx", "ZScaler/6.0", "Zapier"),
    "via": ("1.1 p (squid/5.7)", "ICAP/1.0 dlp", ""),
    "x-cache": ("MISS from p",),
    "x-squid-error": (
        *("ERR_ACCESS_DENIED 0", "ERR_DNS_FAIL 0", "ERR_READ_ERROR 0", "ERR_CANNOT_FORWARD 0", "ERR_CONNECT_FAIL 13"),
        *("ERR_CONNECT_FAIL 113", "ERR_CONNECT_FAIL 110", "ERR_CONNECT_FAIL 111", "ERR_ZERO_SIZE_OBJECT 0"),
        "ERR_ODD 1",
    ),
    "proxy-status": ("p; error=dns_error", "p; hit", "p; error=http_request_denied"),
    "proxy-authenticate": ("Basic realm=x",),
    "location": (
        *("https://portal.example.net/login?u=1", "/local", "https://WWW.example.com/x", "http://[::1/"),
        *("//cdn.other.org", "http://user@example.com:8080/", "https://", "ftp://block.example.org/#a"),
    ),
    "content-type": ("text/html; charset=x", "TEXT/HTML", "application/json"),
    "content-length": ("0", "1", "5000"),
}
BODIES = ("", "<h1>Blocked: www.example.com 10.0.0.1 at 12:00</h1>", "<h1>Blocked: none.invalid 10.0.0.7 at 13:37</h1>")
WAYS = ("", "http://proxy.example.com:3128")
STEPS = ("way", "resolve", "connect", "proxy_connect", "proxy", "tls", "http", "datagram", "talk")
FAULTS = (
    *("no_such_name", "resolver_failed", "resolver_silent", "other_family", "not_spoken", "refused", "timeout"),
    *("reset", "unreachable", "no_route", "forbidden_here", "closed", "tls_too_old", "tls", "not_http"),
    *("system", "deadline"),
)


class Inventor:
    """Makes up what a probe may see; the same in every run."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def maybe(self, value: Any, chance: float = 0.5) -> Any:
        return value if self.random.random() < chance else None

    def response(self) -> Response:
        pick = self.random
        headers = {name: pick.choice(values) for name, values in HEADERS.items() if pick.random() < 0.15}
        return Response(pick.choice(STATUSES), headers, pick.choice(BODIES))

    def tls(self) -> Tls:
        pick = self.random.choice
        ends = pick(("", "2026-01-01T00:00Z"))
        certificate = Certificate(pick(("", "CN=www.example.com")), pick(ISSUERS), ends, "ab")
        return Tls(
            trust=pick(("public", "public", "known", "none", "")),
            problem=pick(("", "", "expired", "wrong_name", "untrusted")),
            detail=pick(("", "certificate has expired")),
            version=pick(("TLSv1.3", "TLSv1.2", "TLSv1.1", "")),
            certificate=certificate,
            chain=(certificate, Certificate("CN=CA", "CN=Root")),
            named=pick((False, False, True)),
        )

    def facts(self) -> Facts:
        pick = self.random
        target = parse_target(pick.choice(TARGETS[:4] if pick.random() < 0.8 else TARGETS[4:]))
        facts = Facts(target, proxy=pick.choice(WAYS))
        facts.addresses = pick.choice(([], ["192.0.2.1"], ["192.0.2.1", "192.0.2.9"]))
        facts.nowhere = pick.random() < 0.05
        facts.ranged = pick.random() < 0.3
        kind = pick.choice(("fault", "tunnel", "plain", "tls", "tls", "tls", "page", "page", "page", "port", "nothing"))
        if kind == "fault":
            facts.fault = StepError(pick.choice(FAULTS), pick.choice(("", "it says {host}")), pick.choice(STEPS))
            facts.tls = self.maybe(self.tls(), 0.2)
        if kind == "tunnel" or pick.random() < 0.1:
            facts.tunnel = self.response()
        if kind == "plain":
            facts.plain = self.response()
        if kind == "tls":
            facts.tls, facts.response = self.tls(), self.maybe(self.response(), 0.7)
        if kind == "page":
            facts.response = self.response()
        if kind == "port":
            facts.port = pick.choice(("", "it greets with 'x'"))
        return facts

    def scene(self, facts: Facts) -> Scene:
        pick = self.random
        like = self.maybe(facts.response, 0.5)
        return Scene(
            min_tls=pick.choice(("1.2", "1.3")),
            control="none.invalid",
            control_addresses=frozenset(pick.choice(((), (), ("192.0.2.1",)))),
            control_pages={facts.target.scheme: like or self.response()} if pick.random() < 0.7 else {},
            control_issuer=pick.choice(("", *ISSUERS)),
            issuers={"CN=Many CA": "12 names of 3 sites"},
            portal=pick.choice(("", "https://portal.example.net/login")),
        )


TARGETS = (
    *("https://www.example.com", "https://www.example.com:8443", "http://www.example.com/ncsi.txt", "http://a.co:8080"),
    *("tcp://relay.example.com:5671", "udp://turn.example.com:3478", "https://[2001:db8::1]", "http://192.0.2.7"),
)


def cases() -> list[tuple[Facts, Scene]]:
    inventor = Inventor(7)
    made = [Facts(parse_target(TARGETS[0]), WAYS[len(w) % 2], fault=StepError(w, "", s)) for s in STEPS for w in FAULTS]
    made += [inventor.facts() for _number in range(CASES)]
    return [(facts, inventor.scene(facts)) for facts in made]


def test_the_same_facts_have_the_same_signs_words_and_verdict(shell: Interpreter) -> None:
    for number, (facts, scene) in enumerate(cases()):
        ours, theirs = facts_table(facts), scene_table(scene)
        assert shell.call("Get-Sign", ours, theirs) == _probe_judge.signs(facts, scene), facts
        assert shell.call("Get-Word", ours, theirs) == _probe_judge.words(facts, scene), facts
        if number % 5 == 0:
            verdict = dataclasses.asdict(_probe_judge.judge(facts, scene))
            assert shell.call("Get-Verdict", ours, theirs) == verdict, facts


def test_the_same_facts_have_the_same_answer(shell: Interpreter) -> None:
    """All of it, step by step; the seconds of the handshake are kept in another place."""
    for facts, scene in cases()[::7]:
        facts.seconds, facts.tries = {"connect": 0.25}, len(facts.addresses) + 1
        if facts.tls:
            facts.seconds["tls"] = facts.tls.seconds
        wanted = as_answer(facts, _probe_judge.judge(facts, scene))
        assert shell.call("Get-Answer", facts_table(facts), facts_table(facts), scene_table(scene)) == wanted, facts


def test_what_was_not_seen_is_not_probed(shell: Interpreter) -> None:
    facts, scene = facts_table(Facts(parse_target(TARGETS[0]))), scene_table(Scene())
    late = shell.call("Get-Answer", facts, None, scene)
    assert (late["outcome"], late["evidence"]) == ("not_probed", "the deadline of the run passed before its turn came")
    facts["own_failure"] = "KeyError: x"
    own = shell.call("Get-Answer", facts, facts, scene)
    assert (own["outcome"], own["blame"]) == ("not_probed", "unknown")


def test_the_same_facts_raise_the_same_questions(shell: Interpreter) -> None:
    """What the made-up name is asked for, and who signs for many."""
    seen = [facts for facts, _scene in cases()]
    signed = Tls(trust="none", certificate=Certificate(issuer="CN=Inspector"))
    names = ("a.one.com", "b.one.com", "two.net", "c.de")
    seen += [Facts(parse_target(f"https://{name}"), tls=signed) for name in names]
    theirs = [facts_table(facts) for facts in seen]
    signing = _probe_scene._signing_for_many(seen)
    assert signing["CN=Inspector"] == "4 names of 3 sites"
    assert shell.call("Get-SigningForMany", theirs) == {issuer.lower(): text for issuer, text in signing.items()}
    for ours, other in zip(seen, theirs, strict=True):
        assert shell.call("Test-NeedsPage", other) == _probe_scene._needs_control_page(ours)
        assert shell.call("Test-LedAway", other) == _probe_scene._is_led_away(ours)
        assert shell.call("Test-Untrusted", other) == _probe_scene._is_untrusted(ours)
        assert shell.call("Test-Proven", other) == _probe_scene._is_proven(ours)


def test_the_cases_reach_nearly_every_row_of_the_table() -> None:
    met = {id(first_match(RULES, _probe_judge.signs(facts, scene))) for facts, scene in cases()}
    assert len(met) > 0.9 * len(RULES), [rule["when"] for rule in RULES if id(rule) not in met]


def test_both_sides_hold_the_same_table(shell: Interpreter) -> None:
    for ours, theirs in zip(RULES, shell.call("Get-Rule"), strict=True):
        when = {name: [word] if isinstance(word, str) else list(word) for name, word in ours["when"].items()}
        assert theirs["when"] == when
        assert {name: theirs[name] for name in ("outcome", "blame", "evidence")} == {
            name: ours[name] for name in ("outcome", "blame", "evidence")
        }
        assert theirs["promises"] == {name: ours.get(name) for name in PROMISES}


HEADS = (
    "HTTP/1.1 200 OK\r\nServer: x\r\nVia: a\r\nvia:  b \r\nno colon\r\nOdd: \x1b[31m\x85",
    "HTTP/1.0 204",
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: " + "x" * 300,
)


@pytest.mark.parametrize("head", HEADS)
def test_the_head_of_an_answer_is_read_alike(shell: Interpreter, head: str) -> None:
    ours = _probe_http.parse_head(head.encode("latin-1"))
    assert shell.call("ConvertFrom-Head", head) == {"status": ours.status, "headers": ours.headers, "body": ""}


def test_what_is_no_http_is_the_same_fault(shell: Interpreter) -> None:
    with pytest.raises(StepError) as ours:
        _probe_http.parse_head(b"220 mail'box\x07")
    with pytest.raises(ThrownError) as theirs:
        shell.call("ConvertFrom-Head", "220 mail'box\x07")
    assert (theirs.value.value["word"], theirs.value.value["detail"]) == (ours.value.word, ours.value.detail)


@pytest.mark.parametrize("proxied", [False, True])
@pytest.mark.parametrize("text", TARGETS)
def test_the_same_is_asked(shell: Interpreter, text: str, proxied: bool) -> None:
    ours = parse_target(text)
    theirs = shell.call("ConvertTo-Target", text, "targets")
    wanted = ("scheme", "host", "port", "path", "url", "authority", "family", "label")
    assert {name: theirs[name] for name in wanted} == {name: getattr(ours, name) for name in wanted}
    assert shell.call("Get-ConnectRequest", theirs) == _probe_http.connect_request(ours).decode("ascii")
    for ranged in (False, True):
        request = _probe_http.page_request(ours, proxied, "GET", ranged).decode("ascii")
        assert shell.call("Get-PageRequest", theirs, proxied, "GET", ranged) == request


@pytest.mark.parametrize("family", ["any", "ipv4", "ipv6"])
def test_a_family_stands_behind_the_url(shell: Interpreter, family: str) -> None:
    theirs = shell.call("ConvertTo-Target", "https://www.example.com", "targets", family)
    assert theirs["label"] == parse_target("https://www.example.com").over(family).label


@pytest.mark.parametrize(
    "text",
    [
        *("www.example.com", "ftp://a.b", "https://a.b/path", "http://a.b/?q", "http://a.b/#f", "tcp://a.b", "https://"),
        *("http://user:secret@a.b", "http://a.b:0", "http://a.b:99999", "http://a b", "http://ä.de", "http://-a.b"),
        *("http://a..b", "http://" + "a" * 64 + ".b", "https://a.b:", "HTTPS://A.B", "http://[::1]"),
    ],
)
def test_the_same_targets_are_refused(shell: Interpreter, text: str) -> None:
    try:
        wanted: Any = _probe_target.parse_target(text).url
    except _probe_target.TargetError as error:
        wanted = str(error)
    try:
        found: Any = shell.call("ConvertTo-Target", text, "targets")["url"]
    except ThrownError as error:
        found = error.value
    assert found == wanted


@pytest.mark.parametrize(
    "text",
    [
        *("http://p.example.com:3128", "p.example.com:8080", "https://p:1", "http://p", "http://u:s@p:1", "u:s@p:1"),
        *("http://p:1/x", "http://p:1/", "http://[2001:db8::1]:3128", "socks://p:1"),
    ],
)
def test_the_same_proxies_are_taken(shell: Interpreter, text: str) -> None:
    try:
        wanted: Any = _probe_target.parse_proxy(text).url
    except _probe_target.TargetError as error:
        wanted = str(error)
    try:
        found: Any = shell.call("ConvertTo-Proxy", text)["url"]
    except ThrownError as error:
        found = error.value
    assert found == wanted
