# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was seen to what it means: outcome, blame, evidence, and the four promises. Pure.

What was seen becomes a few words, the signs, and the table of :mod:`_probe_rules` says what they mean. A promise is
True, False, or None where the probe cannot know. When several things could have caused what was seen, the blame is on
the first suspect, and the evidence says what else it can be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, List, Optional

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_rules import PROMISES, RULES, first_match
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import Tls

OUTCOMES = (
    "reachable",
    "dns_failure",
    "dns_sinkhole",
    "refused",
    "unreachable",
    "timeout",
    "reset",
    "proxy_unreachable",
    "proxy_denied",
    "proxy_auth_required",
    "block_page",
    "captive_portal",
    "range_stripped",
    "tls_inspected",
    "content_inspected",
    "tls_too_old",
    "tls_untrusted",
    "tls_expired",
    "tls_wrong_name",
    "tls_failure",
    "upstream_failure",
    "gone",
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
    canonical: str = ""
    nowhere: bool = False  # the resolver gave only addresses that no server has
    ranged: bool = False  # one byte was asked for
    # Its step: way, resolve, connect, proxy_connect, proxy, tls, http, datagram or talk.
    fault: Optional[StepError] = None
    tunnel: Optional[Response] = None  # the proxy's answer to CONNECT
    plain: Optional[Response] = None  # HTTP in the clear where TLS was due
    tls: Optional[Tls] = None
    response: Optional[Response] = None
    port: Optional[str] = None  # what a bare port said; empty when it took the connection and said nothing
    seconds: Dict[str, float] = field(default_factory=dict)
    tries: int = 1


@dataclass(frozen=True)
class Scene:
    """What the whole run knows, and one target alone cannot show."""

    min_tls: str = "1.2"
    control: str = ""  # a name that does not exist
    control_addresses: FrozenSet[str] = frozenset()  # where the resolver sends it, when not everything goes there
    control_pages: Dict[str, Response] = field(default_factory=dict)  # what it got, by scheme
    control_issuer: str = ""  # who signed a certificate for it
    issuers: Dict[str, str] = field(default_factory=dict)  # who signs for many sites without being known: what for
    portal: str = ""  # where the check for a captive portal is sent


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


def judge(facts: Facts, scene: Optional[Scene] = None) -> Verdict:
    """The verdict on one target."""
    scene = scene or Scene()
    seen = signs(facts, scene)
    rule = first_match(RULES, seen)
    promises = {name: rule.get(name) for name in PROMISES}
    if promises["tls12"] is None and seen["modern"]:
        promises["tls12"] = seen["modern"] == "yes"
    evidence = rule["evidence"].format(**words(facts, scene))
    return Verdict(rule["outcome"], rule["blame"], evidence, **promises)


def signs(facts: Facts, scene: Scene) -> Dict[str, str]:
    """What was seen, as the words that the rules know."""
    stage = _stage(facts)
    fault = facts.fault if stage == "fault" else None
    answer = _deciding_answer(facts, stage)
    tls = facts.tls if stage == "tls" else None
    said = _said(facts, stage, answer)
    return {
        "stage": stage,
        "way": "proxy" if facts.proxy else "direct",
        "fault": fault.word if fault else "",
        "step": fault.step if fault else "",
        "addresses": _addresses(facts, scene),
        "reached": "yes" if tls is not None and tls.trust == "public" and not tls.problem else "no",
        "said": said,
        "maker": _maker(facts, answer) if said else "",
        "trust": (tls.trust or "none") if tls else "",
        "problem": tls.problem if tls else "",
        "named": "yes" if tls and tls.named else "",
        "minted": _minted(facts, scene) if tls else "",
        "modern": _modern(facts.tls, scene),
        "answer": "yes" if facts.response or facts.port else "no",
        "page": "" if said else _page(facts, stage, scene),
    }


def _stage(facts: Facts) -> str:
    """What decides."""
    if facts.fault is not None:
        # A finished handshake has shown already who is at the other end.
        return "tls" if facts.fault.step == "http" and facts.tls is not None else "fault"
    if facts.tunnel is not None and not 200 <= facts.tunnel.status < 300:
        return "tunnel"
    if facts.plain is not None:
        return "plain"
    if facts.tls is not None:
        return "tls"
    if facts.response is not None:
        return "page"
    return "nothing" if facts.port is None else "port"


def _deciding_answer(facts: Facts, stage: str) -> Optional[Response]:
    return {"tunnel": facts.tunnel, "plain": facts.plain, "tls": facts.response, "page": facts.response}.get(stage)


def _addresses(facts: Facts, scene: Scene) -> str:
    if facts.nowhere:
        return "nowhere"
    astray = facts.addresses and scene.control_addresses.issuperset(facts.addresses)
    return "control" if astray else ""


def _said(facts: Facts, stage: str, answer: Optional[Response]) -> str:
    """The kind of an answer that was made on the way; empty for one that the server itself may have given."""
    if answer is None or not _made_on_the_way(facts, stage, answer):
        return ""
    if answer.status == 407:
        return "auth"
    if answer.status == 511:
        return "portal"
    if 300 <= answer.status < 400:
        return "redirect"
    if answer.status >= 500 and "DENIED" not in answer.proxy_error:
        return _upstream(answer)
    return "denied"


def _made_on_the_way(facts: Facts, stage: str, answer: Response) -> bool:
    if stage == "tunnel" or answer.status in (407, 511):
        return stage != "tls" or (facts.tls is not None and facts.tls.trust != "public")
    if stage == "plain":
        return bool(answer.maker) or answer.status == 403 or 300 <= answer.status < 400 or answer.status >= 500
    if stage == "tls":
        return facts.tls is not None and facts.tls.trust != "public" and bool(answer.maker)
    return bool(answer.maker) and answer.status >= 300


# Squid's error and errno, and what they point at. An errno of 0 is Squid's own trouble, above all with the name.
_UPSTREAM = (
    ("dns", ("DNS_FAIL",)),
    ("unclear", ("READ_ERROR 0", "CANNOT_FORWARD 0")),
    ("forbidden", ("CONNECT_FAIL 13", "CONNECT_FAIL 113")),
    ("silent", ("CONNECT_FAIL 110",)),
    ("failed", ("_FAIL", "READ_ERROR", "ZERO_SIZE")),
)


def _upstream(answer: Response) -> str:
    error = f"{answer.proxy_error} "
    for kind, marks in _UPSTREAM:
        if any(f"{mark} " in error if mark[-1:].isdigit() else mark in error for mark in marks):
            return kind
    return "error"


def _maker(facts: Facts, answer: Optional[Response]) -> str:
    squid = answer is not None and "squid" in answer.maker.lower()
    return "proxy" if facts.proxy or squid else "other"


def _minted(facts: Facts, scene: Scene) -> str:
    """Does the issuer sign whatever is asked for?"""
    issuer = facts.tls.certificate.issuer if facts.tls else ""
    if issuer and issuer == scene.control_issuer:
        return "control"
    return "many" if issuer in scene.issuers else ""


def _modern(tls: Optional[Tls], scene: Scene) -> str:
    """TLS as new as it has to be? Empty where no version is known."""
    if tls is None or not tls.version:
        return ""
    least = ("TLSv1.2", "TLSv1.3")[("1.2", "1.3").index(scene.min_tls) :]
    return "yes" if tls.version in least else "no"


def _page(facts: Facts, stage: str, scene: Scene) -> str:
    """What an answer shows of itself that carries no name of who made it."""
    response = facts.response
    if response is None or stage not in ("page", "tls"):
        return ""
    like_control = _is_like_control(facts, response, scene)
    if stage == "tls":
        return "control" if like_control else ""
    led_away = response.leads_away_from(facts.target.host)
    if led_away and response.location.split("?")[0] == scene.portal:
        return "portal"
    if like_control:
        return "control" if response.status < 400 else "refusal"
    if led_away:
        return "away"
    if facts.proxy and response.status >= 400 and not ("via" in response.headers or "x-cache" in response.headers):
        return "unsure"
    if "icap/" in response.headers.get("via", "").lower():
        return "icap"
    return "whole" if facts.ranged and is_whole(response) else ""


def _is_like_control(facts: Facts, response: Response, scene: Scene) -> bool:
    """A name that does not exist gets the same, so no server said it. An error is no page, but the proxy's own."""
    control = scene.control_pages.get(facts.target.scheme)
    if control is None or response.status >= 500 or not response.is_like(control):
        return False
    return response.is_page or (bool(facts.proxy) and response.status >= 400)


def is_whole(response: Response) -> bool:
    """All of it, although one byte was asked for."""
    return response.status == 200 and response.headers.get("content-length", "") not in ("0", "1")


def words(facts: Facts, scene: Scene) -> Dict[str, str]:
    """What an evidence may tell, each fit for one line."""
    stage = _stage(facts)
    fault = facts.fault or StepError("")
    tls = facts.tls or Tls()
    answer = _deciding_answer(facts, stage) or Response(0)
    issuer = repr(tls.certificate.issuer or "an unknown issuer")
    proxy = f"the proxy {facts.proxy}" if facts.proxy else "something on the way (a transparent proxy or firewall)"
    return {
        "host": facts.target.host,
        "where": facts.target.authority,
        "url": facts.target.url,
        "proxy": proxy,
        "fault": fault.word,
        "step": fault.step,
        "detail": facts.port or fault.detail or "no reason given",
        "during": "in the TLS handshake" if fault.step == "tls" else "instead of answering",
        "cut": "closed" if fault.word == "closed" else "reset",
        "addresses": ", ".join(facts.addresses),
        "control": scene.control,
        "status": str(answer.status),
        "location": answer.location or "nowhere",
        "location_too": f", a redirect to {answer.location}" if answer.location else "",
        "via": answer.headers.get("via", ""),
        "said": _told(facts, stage, answer, proxy, issuer),
        "issuer": issuer,
        "signed": scene.issuers.get(tls.certificate.issuer, ""),
        "subject": tls.certificate.subject or "another name",
        "ends": tls.certificate.not_after or "unknown",
        "problem": tls.detail,
        "by": f"{tls.version}, certificate by {issuer}",
        "min_tls": scene.min_tls,
    }


_DID = {
    "tunnel": "answered CONNECT with",
    "plain": "answered the TLS handshake in plain text with",
    "page": "answered",
}


def _told(facts: Facts, stage: str, answer: Response, proxy: str, issuer: str) -> str:
    did = _DID.get(stage, f"answered inside TLS under a certificate of {issuer}")
    mark = f" ({answer.maker})" if answer.maker else ""
    return f"{proxy} {did} {answer.status} for {facts.target.url}{mark}"
