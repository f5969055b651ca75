# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen, and what it means: the table by which every probe judges, on Linux and on Windows.

Each row has the signs that must hold (a word, or one of several), the outcome, the first suspect, the evidence as a
text with words in braces, and the promises that are known: allowed, uninspected, unauthenticated, tls12 (this one only
where the handshake itself does not show it). The first row that fits wins. Nothing but data: the PowerShell side holds
the same rows, and a test compares the two.

The signs are those of :func:`_probe_judge.signs`, the words those of :func:`_probe_judge.words`.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

Condition = Mapping[str, Union[str, Sequence[str]]]
Rule = Dict[str, Any]

PROMISES = ("allowed", "uninspected", "unauthenticated", "tls12")


def _rule(when: Condition, outcome: str, blame: object, evidence: str, **promises: object) -> Rule:
    return {"when": dict(when), "outcome": outcome, "blame": blame, "evidence": evidence, **promises}


def matches(when: Condition, signs: Mapping[str, str]) -> bool:
    """Do all conditions hold? A sign that is not there is the empty word."""
    return all(
        signs.get(name, "") == wanted if isinstance(wanted, str) else signs.get(name, "") in wanted
        for name, wanted in when.items()
    )


def first_match(rules: Sequence[Rule], signs: Mapping[str, str]) -> Rule:
    """The row that decides; the last row of a table fits everything."""
    return next(rule for rule in rules if matches(rule["when"], signs))


_SILENT = (
    "{where} is silent: no answer to the connection in time (dropped on the way? A firewall that learns addresses from "
    "its own resolver knows none that this host was told elsewhere, over HTTPS for instance)"
)
_CUT = (
    "{proxy} opened the tunnel to {where} and {cut} it {during} (the proxy ended it, or the server behind refused or "
    "reset)"
)
_MUTE_PROXY = "{proxy} took the request for {where}, and nothing came back in time"
_OPEN = {"allowed": True, "unauthenticated": True}

_NAMES: List[Rule] = [
    _rule({"fault": "deadline"}, "not_probed", None, "the deadline of the run passed at the step '{step}'"),
    _rule(
        {"addresses": "nowhere", "reached": "no"}, "dns_sinkhole", "resolver",
        "{host} resolves to {addresses}, where nothing can be: the resolver (or the hosts file) withholds it",
    ),
    _rule(
        {"addresses": "control", "reached": "no"}, "dns_sinkhole", "resolver",
        "{host} resolves to {addresses}, as a made-up name does ({control}): the resolver sends it astray",
    ),
    _rule(
        {"step": "resolve", "fault": "no_such_name"}, "dns_failure", "resolver", "{host} does not resolve: {detail}"
    ),
    _rule(
        {"step": "resolve", "fault": "resolver_failed"}, "dns_failure", "resolver",
        "the resolver has no answer for {host}: {detail}",
    ),
    _rule(
        {"step": "resolve", "fault": "resolver_silent"}, "dns_failure", "resolver",
        "the resolver gave no answer for {host} in time",
    ),
    _rule(
        {"step": "resolve", "fault": "other_family"}, "not_provable", None,
        "{host} has no address of this kind: {detail}",
    ),
]
_WAY: List[Rule] = [
    _rule(
        {"step": "way", "fault": "proxy_kind"}, "not_provable", "unknown",
        "{where} cannot be asked as the host would: {detail}",
    ),
    _rule({"step": "way"}, "not_probed", "client", "which way leads to {where} could not be found out: {detail}"),
]
_PROXY_CONNECT: List[Rule] = [
    _rule(
        {"step": "proxy_connect", "fault": ["no_route", "forbidden_here"]}, "proxy_unreachable", "client",
        "{proxy} cannot be reached: {fault}, {detail}",
    ),
    _rule(
        {"step": "proxy_connect", "fault": "refused"}, "proxy_unreachable", "proxy",
        "{proxy} cannot be reached: refused",
    ),
    _rule(
        {"step": "proxy_connect", "fault": "timeout"}, "proxy_unreachable", "proxy",
        "{proxy} cannot be reached: silent",
    ),
    _rule(
        {"step": "proxy_connect", "fault": "no_such_name"}, "proxy_unreachable", "proxy",
        "{proxy} cannot be reached: its name does not resolve",
    ),
    _rule({"step": "proxy_connect"}, "proxy_unreachable", "proxy", "{proxy} cannot be reached: {fault}, {detail}"),
]
_CONNECT: List[Rule] = [
    _rule(
        {"step": ["connect", "datagram"], "fault": "refused"}, "refused", "server",
        "{where} refused the connection (the server itself, or a firewall that rejects)",
    ),
    _rule(
        {"step": "datagram", "fault": "timeout"}, "not_provable", "unknown",
        "nothing came back from {where} over UDP in time, and a server need not answer",
    ),
    _rule({"step": "connect", "fault": "timeout"}, "timeout", "firewall", _SILENT),
    _rule({"step": "connect", "fault": "reset"}, "reset", "firewall", "{where} reset the connection"),
    _rule(
        {"step": ["connect", "datagram"], "fault": "unreachable"}, "unreachable", "firewall",
        "a router or firewall on the way says that {where} is unreachable",
    ),
    _rule(
        {"step": ["connect", "datagram"], "fault": "no_route"}, "unreachable", "client",
        "this host has no route to {where}: {detail}",
    ),
    _rule(
        {"step": ["connect", "datagram"], "fault": "forbidden_here"}, "unreachable", "client",
        "this host's own firewall forbids the way to {where}: {detail}",
    ),
]
_TALK: List[Rule] = [
    # Through a proxy, before and inside the tunnel.
    _rule({"stage": "fault", "way": "proxy", "fault": "timeout"}, "timeout", "unknown", _MUTE_PROXY),
    _rule({"step": ["tls", "talk"], "way": "proxy", "fault": ["reset", "closed"]}, "reset", "unknown", _CUT),
    _rule(
        {"step": ["proxy", "http"], "way": "proxy", "fault": ["reset", "closed"]}, "reset", "proxy",
        "{proxy} {cut} the connection instead of answering for {where}",
    ),
    _rule(
        {"step": ["proxy", "http"], "way": "proxy", "fault": "not_http"}, "proxy_unreachable", "proxy",
        "{proxy} does not answer in HTTP: {detail}",
    ),
    # The direct way.
    _rule(
        {"stage": "fault", "fault": "timeout"}, "timeout", "firewall",
        "{where} took the connection and then said nothing in time",
    ),
    _rule(
        {"stage": "fault", "fault": ["reset", "closed"]}, "reset", "firewall",
        "{where} took the connection and {cut} it {during}",
    ),
    _rule(
        {"fault": "tls_too_old"}, "tls_too_old", "server", "{where} does not speak TLS 1.2 or better: {detail}",
        tls12=False,
    ),
    _rule({"fault": "tls"}, "tls_failure", "server", "the TLS handshake with {where} failed: {detail}"),
    _rule({"fault": "not_http"}, "not_provable", "unknown", "{where} answers, but not in HTTP: {detail}"),
    _rule({"stage": "fault"}, "unreachable", "client", "the system of this host says: {detail}"),
]
# An answer that was made on the way, by the proxy that was asked or by one that was not. Squid's errno of 0 is its own
# trouble, above all with the name. Who is asked for credentials or denied is told so before anything is tried, so an
# error of the upstream says that the proxy was willing.
_SAID: List[Rule] = [
    _rule(
        {"said": "auth"}, "proxy_auth_required", "proxy", "{said}: it asks for credentials", unauthenticated=False
    ),
    _rule({"said": "portal"}, "captive_portal", "firewall", "{said}: this network wants a login first", allowed=False),
    _rule(
        {"said": "redirect", "maker": "proxy"}, "block_page", "proxy",
        "{said}, a redirect to {location}", allowed=False,
    ),
    _rule({"said": "redirect"}, "block_page", "firewall", "{said}, a redirect to {location}", allowed=False),
    _rule({"said": "dns"}, "dns_failure", "resolver", "{said}: the name does not resolve there", **_OPEN),
    _rule(
        {"said": "unclear"}, "upstream_failure", "unknown", "{said}: as for a name that does not resolve there", **_OPEN
    ),
    _rule(
        {"said": "forbidden"}, "upstream_failure", "firewall", "{said}: something behind the proxy forbids it", **_OPEN
    ),
    _rule({"said": "silent"}, "upstream_failure", "firewall", "{said}: what is behind the proxy is silent", **_OPEN),
    _rule({"said": "failed"}, "upstream_failure", "server", "{said}: it got no good answer itself", **_OPEN),
    _rule({"said": "error"}, "upstream_failure", "unknown", "{said}: it got no good answer itself", **_OPEN),
    _rule({"said": "denied", "maker": "proxy"}, "proxy_denied", "proxy", "{said}: denied", allowed=False),
    _rule({"said": "denied"}, "proxy_denied", "firewall", "{said}: denied", allowed=False),
    _rule(
        {"stage": "plain"}, "tls_failure", "server",
        "{where} does not speak TLS: it answered the handshake with HTTP {status}",
    ),
]
_TLS: List[Rule] = [
    _rule(
        {"trust": "public", "named": "yes"}, "tls_inspected", "inspection",
        "the certificate of {host} is by {issuer}, the CA that was named as one that inspects, although it stands "
        "among the public roots: TLS is inspected",
        allowed=True, uninspected=False, unauthenticated=True,
    ),
    _rule(
        {"trust": "public", "problem": "wrong_name"}, "tls_wrong_name", "server",
        "the certificate is for {subject} and not for {host} ({by})", unauthenticated=True,
    ),
    _rule(
        {"trust": "public", "problem": "expired"}, "tls_expired", "server",
        "the certificate of {host} is out of date by this host's clock: {problem}, ends {ends} ({by})",
        allowed=True, uninspected=True, unauthenticated=True,
    ),
    _rule(
        {"trust": "public", "modern": "no"}, "tls_too_old", "server", "{host} speaks no TLS {min_tls}, only {by}",
        allowed=True, uninspected=True, unauthenticated=True,
    ),
    _rule(
        {"trust": "public", "answer": "no"}, "reachable", None,
        "the TLS handshake is complete over {by}, the server then gave no HTTP answer",
        allowed=True, uninspected=True, unauthenticated=True,
    ),
    _rule(
        {"trust": "public"}, "reachable", None, "the server answered {status} over {by}",
        allowed=True, uninspected=True, unauthenticated=True,
    ),
    # From here on somebody signed who is not public.
    _rule(
        {"stage": "tls", "page": "control"}, "block_page", "inspection",
        "a made-up name gets the same page as {host} (status {status}{location_too}), under a certificate of {issuer}: "
        "a block page",
        allowed=False, uninspected=False,
    ),
    _rule(
        {"trust": "known", "answer": "yes"}, "tls_inspected", "inspection",
        "the certificate of {host} is by {issuer}, no public CA but one that only this company's hosts trust: "
        "TLS is inspected",
        allowed=True, uninspected=False, unauthenticated=True,
    ),
    _rule(
        {"trust": "known"}, "tls_inspected", "inspection",
        "the certificate of {host} is by {issuer}, no public CA but one that only this company's hosts trust: "
        "TLS is inspected",
        uninspected=False,
    ),
    _rule(
        {"stage": "tls", "minted": "control"}, "tls_inspected", "inspection",
        "the certificate of {host} is by {issuer}, which nobody vouches for, and which also signs for a name that does "
        "not exist ({control}): TLS is inspected, and this host does not trust the inspector",
        uninspected=False,
    ),
    _rule(
        {"stage": "tls", "minted": "many"}, "tls_inspected", "inspection",
        "the certificate of {host} is by {issuer}, which nobody vouches for, and which signs for {signed} of this run: "
        "TLS is inspected, and this host does not trust the inspector",
        uninspected=False,
    ),
    _rule(
        {"stage": "tls"}, "tls_untrusted", "unknown",
        "the certificate of {host} is by {issuer}, which nobody vouches for: {problem}",
    ),
]
# An answer to plain http: nothing proves who made it, so look for what shows it.
_PAGE: List[Rule] = [
    _rule(
        {"page": "portal"}, "captive_portal", "firewall",
        "{url} leads to {location}, and so does the check for a captive portal: this network wants a login first",
        allowed=False,
    ),
    _rule(
        {"page": "control", "way": "proxy"}, "block_page", "proxy",
        "{proxy} gives a made-up name the same page as {url} (status {status}{location_too}): a block page",
        allowed=False,
    ),
    _rule(
        {"page": "control"}, "block_page", "firewall",
        "a made-up name gets the same page as {url} (status {status}{location_too}): a block page", allowed=False,
    ),
    _rule(
        {"page": "refusal"}, "proxy_denied", "proxy",
        "{proxy} gives a made-up name the same answer as {url}, {status}: it is the proxy's own denial", allowed=False,
    ),
    _rule(
        {"page": "away"}, "not_provable", "unknown",
        "{url} redirects to another site, {location}: the server's own doing or a block page, plain http does not show "
        "which",
        unauthenticated=True,
    ),
    _rule(
        {"page": "unsure"}, "not_provable", "unknown",
        "HTTP {status} for {url}: nothing shows whether server or proxy said it",
    ),
    _rule(
        {"page": "icap"}, "content_inspected", "inspection", "{url} was sent through content inspection (Via: {via})",
        allowed=True, uninspected=False, unauthenticated=True,
    ),
    _rule(
        {"page": "whole", "way": "proxy"}, "range_stripped", "proxy",
        "{url} was asked for one byte (Range) and answered {status} with all of it, not 206: what downloads in parts "
        "gets the whole each time. {proxy} took the range away",
        **_OPEN,
    ),
    _rule(
        {"page": "whole"}, "range_stripped", "unknown",
        "{url} was asked for one byte (Range) and answered {status} with all of it, not 206: what downloads in parts "
        "gets the whole each time. Something on the way took the range away, or the server does not know it",
        **_OPEN,
    ),
    _rule({"stage": "page"}, "reachable", None, "the server answered {status} in plain http", **_OPEN),
]
_PORT: List[Rule] = [
    _rule(
        {"stage": "port", "answer": "yes"}, "reachable", None, "{where} answered: {detail}", **_OPEN
    ),
    _rule(
        {"stage": "port", "way": "proxy"}, "not_provable", "unknown",
        "{proxy} opened a tunnel to {where}, and nothing came out of it: whether the server is behind it is not shown",
        unauthenticated=True,
    ),
    _rule(
        {"stage": "port"}, "reachable", None,
        "{where} took the connection; more cannot be asked on such a port", allowed=True,
    ),
]

RULES: Tuple[Rule, ...] = (
    *_NAMES,
    *_WAY,
    *_PROXY_CONNECT,
    *_CONNECT,
    *_TALK,
    *_SAID,
    *_TLS,
    *_PAGE,
    *_PORT,
    _rule({}, "not_probed", None, "nothing was tried"),
)
