# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who does what to whom: the headline of a culprit. Data and one pure function."""

from __future__ import annotations

from collections.abc import Sequence

_WHO = {
    "client": "the host itself",
    "resolver": "the resolver",
    "firewall": "a firewall on the way",
    "proxy": "the proxy",
    "inspection": "TLS inspection",
    "server": "the server",
}
SENTENCES = {
    "dns_failure": "{who} does not resolve {names}",
    "dns_sinkhole": "{who} gives false addresses for {names}",
    "refused": "{who} refuses connections to {names}",
    "unreachable": "{who} lets nothing through to {names}",
    "timeout": "{who} leaves connections to {names} without an answer",
    "reset": "{who} cuts connections to {names}",
    "proxy_unreachable": "{who} cannot be reached for {names}",
    "proxy_denied": "{who} denies {names}",
    "proxy_auth_required": "{who} asks for credentials for {names}",
    "block_page": "{who} answers with a block page in place of {names}",
    "captive_portal": "{who} answers with a login page in place of {names}",
    "range_stripped": "{who} does not let parts of files be asked for at {names}",
    "tls_inspected": "{who} re-signs {names}{with_whom}",
    "content_inspected": "{who} looks into the content of {names}",
    "tls_too_old": "{who} speaks a TLS that is too old for {names}",
    "tls_untrusted": "{who} shows a certificate that nobody vouches for, for {names}",
    "tls_expired": "{who} has an expired certificate, or a wrong clock, for {names}",
    "tls_wrong_name": "{who} shows the certificate of another name for {names}",
    "tls_failure": "{who} breaks the TLS handshake with {names}",
    "upstream_failure": "{who} gets no good answer from {names}",
    "not_probed": "the time was up before {names} could be asked",
}


def headline(blame: str, outcome: str, who: str, proxies: Sequence[str], count: int) -> str:
    """One sentence. *who* is a proxy's address or an issuer's name, or empty; *proxies* are those on the way."""
    names = "1 endpoint" if count == 1 else f"{count} endpoints"
    subject = _subject(blame, who, proxies)
    sentence = SENTENCES.get(outcome, "{who} is in the way of {names} ({outcome})")
    with_whom = f" with '{who}'" if blame == "inspection" and who else ""
    said = sentence.format(who=subject, names=names, with_whom=with_whom, outcome=outcome)
    return said[:1].upper() + said[1:]


def _subject(blame: str, who: str, proxies: Sequence[str]) -> str:
    if blame == "proxy" and who:
        return f"the proxy {who}"
    if blame == "inspection" and len(proxies) == 1:
        return f"the proxy {proxies[0]}, or something behind it,"
    return _WHO.get(blame, "somebody unknown")
