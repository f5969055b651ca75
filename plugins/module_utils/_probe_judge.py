# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was seen to what it means: outcome, blame, evidence, and the four promises. Pure.

A promise is True, False, or None where the probe cannot know. When several things could have caused what was seen,
the blame is on the first suspect, and the evidence says what else it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import Tls

OUTCOMES = (
    "reachable",
    "dns_failure",
    "refused",
    "unreachable",
    "timeout",
    "reset",
    "proxy_unreachable",
    "proxy_denied",
    "proxy_auth_required",
    "blocked",
    "tls_inspected",
    "content_inspected",
    "tls_too_old",
    "tls_untrusted",
    "tls_expired",
    "tls_wrong_name",
    "tls_failure",
    "upstream_failure",
    "not_probed",
    "not_provable",
)
BLAMES = ("client", "resolver", "firewall", "proxy", "inspection", "server", "unknown")


@dataclass
class Facts:
    """What was seen on the way to one target, filled step by step."""

    target: Target
    proxy: str = ""
    addresses: List[str] = field(default_factory=list)
    fault: Optional[StepError] = None  # its step: resolve, connect, proxy_connect, proxy, tls or http
    tunnel: Optional[Response] = None  # the proxy's answer to CONNECT
    plain: Optional[Response] = None  # HTTP in the clear where TLS was due
    tls: Optional[Tls] = None
    response: Optional[Response] = None
    seconds: Dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What it means."""

    outcome: str
    blame: Optional[str]
    evidence: str
    allowed: Optional[bool] = None
    uninspected: Optional[bool] = None
    unauthenticated: Optional[bool] = None
    tls12: Optional[bool] = None


def judge(facts: Facts) -> Verdict:
    """The verdict on one target."""
    if facts.fault is not None:
        return _judge_fault(facts, facts.fault)
    if facts.tunnel is not None and not 200 <= facts.tunnel.status < 300:
        return _judge_intermediary(facts, facts.tunnel, "answered CONNECT with")
    if facts.plain is not None:
        return _judge_plain_answer(facts, facts.plain)
    if facts.tls is not None:
        return _judge_tls(facts, facts.tls)
    if facts.response is not None:
        return _judge_page(facts, facts.response)
    return Verdict("not_probed", None, "nothing was tried")


_RESOLVE = {
    "no_such_name": "{host} does not resolve: {detail}",
    "resolver_failed": "the resolver has no answer for {host}: {detail}",
    "resolver_silent": "the resolver gave no answer for {host} in time",
}
_CONNECT: Dict[str, Tuple[str, str, str]] = {
    "refused": ("refused", "server", "{where} refused the connection (the server itself, or a firewall that rejects)"),
    "timeout": (
        "timeout",
        "firewall",
        (
            "{where} is silent: no answer to the connection in time (dropped on the way? A firewall that learns "
            "addresses from its own resolver knows none that this host was told elsewhere, over HTTPS for instance)"
        ),
    ),
    "reset": ("reset", "firewall", "{where} reset the connection"),
    "unreachable": ("unreachable", "firewall", "a router or firewall on the way says that {where} is unreachable"),
    "no_route": ("unreachable", "client", "this host has no route to {where}: {detail}"),
    "forbidden_here": ("unreachable", "client", "this host's own firewall forbids the way to {where}: {detail}"),
}
_TALK_DIRECT: Dict[str, Tuple[str, str, str]] = {
    "timeout": ("timeout", "firewall", "{where} took the connection and then said nothing in time"),
    "reset": ("reset", "firewall", "{where} took the connection and reset it {during}"),
    "closed": ("reset", "firewall", "{where} took the connection and closed it {during}"),
    "tls_too_old": ("tls_too_old", "server", "{where} does not speak TLS 1.2 or better: {detail}"),
    "tls": ("tls_failure", "server", "the TLS handshake with {where} failed: {detail}"),
    "not_http": ("not_provable", "unknown", "{where} answers, but not in HTTP: {detail}"),
}
_TALK_TUNNEL: Dict[str, Tuple[str, str, str]] = {
    **_TALK_DIRECT,
    "timeout": ("timeout", "unknown", "{proxy} took the request for {where}, and nothing came back in time"),
    "reset": ("reset", "unknown", "{proxy} opened the tunnel to {where} and reset it {during} ({maybe})"),
    "closed": ("reset", "unknown", "{proxy} opened the tunnel to {where} and closed it {during} ({maybe})"),
}
_TALK_PROXY: Dict[str, Tuple[str, str, str]] = {
    "timeout": ("timeout", "unknown", "{proxy} took the request for {where}, and nothing came back in time"),
    "reset": ("reset", "proxy", "{proxy} reset the connection instead of answering for {where}"),
    "closed": ("reset", "proxy", "{proxy} closed the connection instead of answering for {where}"),
    "not_http": ("proxy_unreachable", "proxy", "{proxy} does not answer in HTTP: {detail}"),
}
_SYSTEM = ("unreachable", "client", "the system of this host says: {detail}")
_MAYBE = "the proxy ended it, or the server behind refused or reset"


def _judge_fault(facts: Facts, fault: StepError) -> Verdict:
    if fault.word == "deadline":
        return Verdict("not_probed", None, f"the deadline of the run passed at the step {fault.step!r}")
    if fault.step == "resolve":
        return Verdict("dns_failure", "resolver", _words(facts, fault, _RESOLVE[fault.word]))
    if fault.step == "proxy_connect":
        return _judge_proxy_connect(facts, fault)
    if fault.step == "http" and facts.tls is not None:  # the handshake has shown already who is at the other end
        return _judge_tls(facts, facts.tls)
    outcome, blame, text = _table(facts, fault).get(fault.word, _SYSTEM)
    return Verdict(outcome, blame, _words(facts, fault, text), tls12=False if outcome == "tls_too_old" else None)


def _table(facts: Facts, fault: StepError) -> Dict[str, Tuple[str, str, str]]:
    if fault.step == "connect":
        return _CONNECT
    if not facts.proxy:
        return _TALK_DIRECT
    return _TALK_TUNNEL if fault.step == "tls" else _TALK_PROXY


def _judge_proxy_connect(facts: Facts, fault: StepError) -> Verdict:
    blame = "client" if fault.word in ("no_route", "forbidden_here") else "proxy"
    known = {"refused": "refused", "timeout": "silent", "no_such_name": "its name does not resolve"}
    reason = known.get(fault.word, f"{fault.word}, {fault.detail}")
    return Verdict("proxy_unreachable", blame, f"the proxy {facts.proxy} cannot be reached: {reason}")


def _words(facts: Facts, fault: StepError, text: str) -> str:
    during = "in the TLS handshake" if fault.step == "tls" else "instead of answering"
    return text.format(
        host=facts.target.host,
        where=facts.target.authority,
        proxy=f"the proxy {facts.proxy}",
        detail=fault.detail or "no reason given",
        during=during,
        maybe=_MAYBE,
    )


def _judge_intermediary(facts: Facts, response: Response, did: str) -> Verdict:
    """An answer that was made on the way, by the proxy that was asked or by one that was not."""
    who = f"the proxy {facts.proxy}" if facts.proxy else "something on the way (a transparent proxy or firewall)"
    sign = f" ({response.maker})" if response.maker else ""
    said = f"{who} {did} {response.status} for {facts.target.url}{sign}"
    blame = "proxy" if facts.proxy or "squid" in response.maker.lower() else "firewall"
    if response.status == 407:
        return Verdict("proxy_auth_required", "proxy", f"{said}: it asks for credentials", unauthenticated=False)
    if 300 <= response.status < 400:
        return Verdict("blocked", blame, f"{said}, a redirect to {response.location or 'nowhere'}", allowed=False)
    if response.status >= 500 and "DENIED" not in response.proxy_error:
        return _judge_upstream(response, said)
    return Verdict("proxy_denied", blame, f"{said}: denied", allowed=False)


# Squid's error and errno, and whom it points at. An errno of 0 is Squid's own trouble, above all with the name.
_UPSTREAM = (
    (("DNS_FAIL",), "dns_failure", "resolver", "the name does not resolve there"),
    (
        ("READ_ERROR 0", "CANNOT_FORWARD 0"),
        "upstream_failure",
        "unknown",
        "as for a name that does not resolve there",
    ),
    (("CONNECT_FAIL 13", "CONNECT_FAIL 113"), "upstream_failure", "firewall", "something behind the proxy forbids it"),
    (("CONNECT_FAIL 110",), "upstream_failure", "firewall", "what is behind the proxy is silent"),
    (("_FAIL", "READ_ERROR", "ZERO_SIZE"), "upstream_failure", "server", "it got no good answer itself"),
    (("",), "upstream_failure", "unknown", "it got no good answer itself"),
)


def _judge_upstream(response: Response, said: str) -> Verdict:
    """The proxy was willing: who is asked for credentials or denied is told so before anything is tried."""
    error = f"{response.proxy_error} "
    for signs, outcome, blame, text in _UPSTREAM:
        if any(f"{sign} " in error if sign[-1:].isdigit() else sign in error for sign in signs):
            return Verdict(outcome, blame, f"{said}: {text}", allowed=True, unauthenticated=True)
    raise ValueError(error)  # the last row fits everything


def _judge_plain_answer(facts: Facts, response: Response) -> Verdict:
    """HTTP in the clear where TLS was due."""
    if response.maker or response.status in (403, 407) or response.status >= 500 or 300 <= response.status < 400:
        return _judge_intermediary(facts, response, "answered the TLS handshake in plain text with")
    evidence = f"{facts.target.authority} does not speak TLS: it answered the handshake with HTTP {response.status}"
    return Verdict("tls_failure", "server", evidence)


def _judge_page(facts: Facts, response: Response) -> Verdict:
    """An answer to plain http: nothing proves who made it, so look for what shows it."""
    if response.status == 407 or (response.maker and response.status >= 300):
        return _judge_intermediary(facts, response, "answered")
    if response.leads_away_from(facts.target.host):
        evidence = (
            f"{facts.target.url} redirects to another site, {response.location}: "
            "the server's own doing or a block page, plain http does not show which"
        )
        return Verdict("not_provable", "unknown", evidence, unauthenticated=True)
    if facts.proxy and response.status >= 400 and not _passed_on(response):
        evidence = f"HTTP {response.status} for {facts.target.url}: nothing shows whether server or proxy said it"
        return Verdict("not_provable", "unknown", evidence)
    if "icap/" in response.headers.get("via", "").lower():
        evidence = f"{facts.target.url} was sent through content inspection (Via: {response.headers['via']})"
        return Verdict("content_inspected", "inspection", evidence, True, False, True)
    evidence = f"the server answered {response.status} in plain http"
    return Verdict("reachable", None, evidence, allowed=True, unauthenticated=True)


def _passed_on(response: Response) -> bool:
    return "via" in response.headers or "x-cache" in response.headers


def _judge_tls(facts: Facts, tls: Tls) -> Verdict:
    if tls.trust == "public":
        return _judge_public(facts, tls)
    response = facts.response
    if response is not None and (response.status == 407 or response.maker):
        return _judge_intermediary(facts, response, f"answered inside TLS under a certificate of {_issuer(tls)}")
    if tls.trust == "known":
        return _judge_inspected(facts, tls)
    evidence = f"the certificate of {facts.target.host} is by {_issuer(tls)}, which nobody vouches for: {tls.detail}"
    return Verdict("tls_untrusted", "unknown", evidence, tls12=_is_modern(tls))


def _judge_inspected(facts: Facts, tls: Tls) -> Verdict:
    evidence = (
        f"the certificate of {facts.target.host} is by {_issuer(tls)}, no public CA but one that only this "
        "company's hosts trust: TLS is inspected"
    )
    answered = facts.response is not None
    return Verdict(
        "tls_inspected",
        "inspection",
        evidence,
        allowed=True if answered else None,
        uninspected=False,
        unauthenticated=True if answered else None,
        tls12=_is_modern(tls),
    )


def _judge_public(facts: Facts, tls: Tls) -> Verdict:
    by = f"{tls.version}, certificate by {_issuer(tls)}"
    host = facts.target.host
    if tls.problem == "wrong_name":
        evidence = f"the certificate is for {tls.certificate.subject or 'another name'} and not for {host} ({by})"
        return Verdict("tls_wrong_name", "server", evidence, unauthenticated=True, tls12=_is_modern(tls))
    if tls.problem == "expired":
        when = tls.certificate.not_after or "unknown"
        evidence = f"the certificate of {host} is out of date by this host's clock: {tls.detail}, ends {when} ({by})"
        return Verdict("tls_expired", "server", evidence, True, True, True, _is_modern(tls))
    if not _is_modern(tls):
        evidence = f"{host} speaks no TLS 1.2, only {by}"
        return Verdict("tls_too_old", "server", evidence, True, True, True, False)
    answer = f"the server answered {facts.response.status}" if facts.response else "the TLS handshake is complete"
    note = "" if facts.response else ", the server then gave no HTTP answer"
    return Verdict("reachable", None, f"{answer} over {by}{note}", True, True, True, True)


def _issuer(tls: Tls) -> str:
    return repr(tls.certificate.issuer or "an unknown issuer")


def _is_modern(tls: Tls) -> Optional[bool]:
    return tls.version in ("TLSv1.2", "TLSv1.3") if tls.version else None


def as_answer(facts: Facts, verdict: Verdict) -> Dict[str, Any]:
    """The answer for one target: plain data, empty parts left out of C(steps)."""
    return {
        "target": facts.target.url,
        "outcome": verdict.outcome,
        "blame": verdict.blame,
        "evidence": verdict.evidence,
        "allowed": verdict.allowed,
        "uninspected": verdict.uninspected,
        "unauthenticated": verdict.unauthenticated,
        "tls12": verdict.tls12,
        "steps": _steps(facts),
    }


def _steps(facts: Facts) -> Dict[str, Any]:
    steps: Dict[str, Any] = {"seconds": facts.seconds}
    if facts.addresses:
        steps["addresses"] = facts.addresses
    if facts.fault is not None:
        steps["failed"] = facts.fault.step
        steps["fault"] = facts.fault.word
    if facts.tunnel is not None:
        steps["connect"] = _response(facts.tunnel)
    if facts.tls is not None:
        steps["seconds"] = {**facts.seconds, "tls": facts.tls.seconds}
        steps["tls"] = _tls(facts.tls)
    response = facts.response or facts.plain
    if response is not None:
        steps["http"] = _response(response)
    return steps


def _response(response: Response) -> Dict[str, Any]:
    wanted = ("server", "via", "x-squid-error", "proxy-status", "proxy-authenticate", "location")
    shown = {name: response.headers[name] for name in wanted if name in response.headers}
    return {"status": response.status, **shown}


def _tls(tls: Tls) -> Dict[str, Any]:
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "trust": tls.trust,
        "problem": tls.problem or None,
        "subject": tls.certificate.subject,
        "issuer": tls.certificate.issuer,
        "not_after": tls.certificate.not_after,
    }
