# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The answer for one target as plain data: the verdict, and step by step what was seen. Pure."""

from __future__ import annotations

from typing import Any, Dict

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import Facts, Verdict
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import Tls

_HEADERS = ("server", "via", "x-squid-error", "proxy-status", "proxy-authenticate", "location", "content-range")


def as_answer(facts: Facts, verdict: Verdict) -> Dict[str, Any]:
    """The answer for one target; what was not seen is left out of C(steps)."""
    return {
        "target": facts.target.label,
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
    if facts.proxy:
        steps["proxy"] = facts.proxy
    if facts.addresses:
        steps["addresses"] = facts.addresses
    if facts.canonical:
        steps["canonical_name"] = facts.canonical
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
    if facts.tries > 1:
        steps["tries"] = facts.tries
    return steps


def _response(response: Response) -> Dict[str, Any]:
    shown = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    return {"status": response.status, **shown}


def _tls(tls: Tls) -> Dict[str, Any]:
    return {
        "version": tls.version,
        "cipher": tls.cipher,
        "trust": tls.trust,
        "problem": tls.problem or None,
        # Known only where the chain could be verified first.
        "name_matches": tls.problem != "wrong_name" if tls.trust == "public" else None,
        "subject": tls.certificate.subject,
        "issuer": tls.certificate.issuer,
        "not_after": tls.certificate.not_after,
        "chain": [one.as_dict() for one in tls.chain],
    }
