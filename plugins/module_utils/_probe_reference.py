# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen elsewhere tells more of what is seen here: who holds an endpoint up, what is gone. Pure.

One host cannot know whether a server is dead or the way to it is closed, nor whether a CA that it does not know is
the server's own. A second one, on another way, can.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

Answer = Mapping[str, Any]


class Reference(NamedTuple):
    """Where somebody else asked, and what the answers were, by target."""

    host: str
    answers: Mapping[str, Answer]


_DEAD = ("dns_failure", "refused", "timeout", "unreachable", "reset", "upstream_failure", "gone")
_BAD_CERTIFICATE = ("tls_untrusted", "tls_expired", "tls_wrong_name", "tls_too_old", "tls_failure")


def with_references(answers: Sequence[Answer], references: Sequence[Reference]) -> List[Answer]:
    """The answers, told again in the light of the references."""
    return [_compared(answer, references) for answer in answers]


def _compared(answer: Answer, references: Sequence[Reference]) -> Answer:
    """The first reference that tells anything decides."""
    for reference in references:
        other = reference.answers.get(answer["target"])
        news = _news(answer, other, reference.host) if other else None
        if news:
            return {**answer, **news}
    return answer


def _news(here: Answer, there: Answer, host: str) -> Optional[Dict[str, Any]]:
    """What changes in the answer; None when nothing does."""
    outcome = here["outcome"]
    if outcome in _BAD_CERTIFICATE:
        return _of_certificates(here, there, host)
    if outcome in _DEAD:
        return _of_the_way(here, there, host)
    if outcome == "range_stripped":
        return _of_ranges(here, there, host)
    if outcome == "not_provable" and _redirect(here):
        return _of_redirects(here, there, host)
    return None


def _of_the_way(here: Answer, there: Answer, host: str) -> Optional[Dict[str, Any]]:
    if there["outcome"] == "reachable":
        blame = here["blame"] if here["blame"] in ("resolver", "client", "proxy") else _holder(here)
        return {"blame": blame, "evidence": f"{here['evidence']}; {host} reaches it, so it is held up on this way"}
    if _does_not_exist(here) and _does_not_exist(there):
        return {
            "outcome": "gone",
            "blame": None,
            "evidence": f"{here['evidence']}; it does not exist for {host} either",
        }
    if there["outcome"] in _DEAD:
        return {"blame": "server", "evidence": f"{here['evidence']}; it is dead for {host} too ({there['outcome']})"}
    return None


def _of_certificates(here: Answer, there: Answer, host: str) -> Optional[Dict[str, Any]]:
    ours, theirs = _certificate(here), _certificate(there)
    if ours and theirs and ours["sha256"] == theirs["sha256"]:
        if there["outcome"] == "reachable" and here["outcome"] == "tls_expired":
            wrong_clock = f"{host} sees the same certificate as valid, so the clock of this host is wrong"
            return {"blame": "client", "evidence": f"{here['evidence']}; {wrong_clock}"}
        if there["outcome"] == here["outcome"]:
            return {"blame": "server", "evidence": f"{here['evidence']}; {host} sees the same certificate"}
        return None
    if there["outcome"] == "reachable" and theirs:
        public = f"{host} sees one by {theirs['issuer']!r}, which is public"
        if not ours:
            return {"blame": _holder(here), "evidence": f"{here['evidence']}; {public}"}
        evidence = f"the certificate is by {ours['issuer'] or 'an unknown issuer'!r} here, while {public}"
        return {"outcome": "tls_inspected", "blame": "inspection", "uninspected": False, "evidence": evidence}
    return None


def _of_ranges(here: Answer, there: Answer, host: str) -> Optional[Dict[str, Any]]:
    status = _status(there)
    if status == 206:
        return {"blame": _holder(here), "evidence": f"{here['evidence']}; {host} gets 206"}
    if status == _status(here):
        evidence = f"the server answered {status} in plain http, and gives {host} all of it too: it knows no ranges"
        return {"outcome": "reachable", "blame": None, "evidence": evidence}
    return None


def _of_redirects(here: Answer, there: Answer, host: str) -> Optional[Dict[str, Any]]:
    if _redirect(there) == _redirect(here):
        evidence = f"the server redirects to {_redirect(here)}, and does so for {host} too"
        return {"outcome": "reachable", "blame": None, "allowed": True, "evidence": evidence}
    if there["outcome"] == "reachable":
        evidence = f"{here['evidence']}; {host} is not sent there, so it is a block page"
        return {"outcome": "block_page", "blame": _holder(here), "allowed": False, "evidence": evidence}
    return None


def _holder(here: Answer) -> str:
    return "proxy" if here["steps"].get("proxy") else "firewall"


def _does_not_exist(answer: Answer) -> bool:
    return answer["outcome"] == "gone" or (
        answer["outcome"] == "dns_failure" and answer["steps"].get("fault") in (None, "no_such_name")
    )


def _certificate(answer: Answer) -> Optional[Mapping[str, str]]:
    chain: Sequence[Mapping[str, str]] = answer["steps"].get("tls", {}).get("chain") or ()
    return chain[0] if chain else None


def _status(answer: Answer) -> int:
    return int(answer["steps"].get("http", {}).get("status", 0))


def _redirect(answer: Answer) -> str:
    return str(answer["steps"].get("http", {}).get("location", ""))
