# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From answers to a judgement of each entry, and to the few numbers that a fleet is judged by. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES, Question, Witness

Answer = Mapping[str, Any]
Judged = Tuple[str, Answer]  # status, and the answer that decided it

STATUSES = ("ok", "failed", "not_provable", "gone")
UNGROUPED = "ungrouped"
MOST_SHOWN = 20

# What also happens to a name that is fine but is not served on this port, or has died: no sign of interference when
# another port or another name of the same entry is as intended.
_EXCUSABLE = ("refused", "timeout", "dns_failure", "upstream_failure", "not_provable")
_DEAD = ("refused", "timeout", "dns_failure", "upstream_failure")
_NOT_ASKED: Answer = {"target": None, "outcome": "not_provable", "blame": None, "evidence": ""}


def judge_all(asked: Sequence[Question], answers: Iterable[Answer]) -> List[Dict[str, Any]]:
    """One judgement for each question, in their order."""
    by_url = {answer["target"]: answer for answer in answers}
    # Through a proxy it is the proxy that resolves, so only what was reached shows that names resolve.
    names_resolve = any(answer["steps"].get("addresses") or _status(answer) == "ok" for answer in by_url.values())
    return [_judged(question, by_url, names_resolve) for question in asked]


def _judged(question: Question, by_url: Mapping[str, Answer], names_resolve: bool) -> Dict[str, Any]:
    status, answer = _judge(question, by_url, names_resolve)
    made_up = bool(question.witnesses and question.witnesses[0].made_up)
    evidence = answer["evidence"]
    if question.unprovable:
        evidence = f"{question.unprovable}; the rest: {evidence}" if evidence else question.unprovable
    return {
        "entry": question.label,
        "severity": question.severity,
        "groups": list(question.groups),
        "status": "not_provable" if question.unprovable and status == "ok" else status,
        "target": answer["target"],
        "outcome": answer["outcome"],
        "blame": answer["blame"],
        "evidence": f"{evidence} (made-up name)" if made_up else evidence,
        "targets": [url for witness in question.witnesses for url in witness.urls],
    }


def _judge(question: Question, by_url: Mapping[str, Answer], names_resolve: bool) -> Judged:
    if not question.witnesses:
        return "not_provable", _NOT_ASKED
    judged = [_judge_witness(witness, by_url, question.ports_stated) for witness in question.witnesses]
    status, answer = _most_telling(judged)
    if status != "failed":
        return status, answer
    if _is_gone(question, judged, names_resolve):
        return "gone", answer
    if question.wildcard and names_resolve and all(_may_not_exist(other) for _status_of, other in judged):
        return "not_provable", answer
    return status, answer


def _judge_witness(witness: Witness, by_url: Mapping[str, Answer], ports_stated: bool) -> Judged:
    judged = [(_status(by_url[url]), by_url[url]) for url in witness.urls]
    if ports_stated:
        status, answer = min(judged, key=lambda item: ("failed", "not_provable", "ok").index(item[0]))
    else:
        status, answer = _most_telling(judged)
    if witness.made_up and _is_excusable(answer):
        return "not_provable", answer
    return status, answer


def _status(answer: Answer) -> str:
    return {"reachable": "ok", "not_provable": "not_provable"}.get(answer["outcome"], "failed")


def _most_telling(judged: Sequence[Judged]) -> Judged:
    """One proof is enough, unless anything shows that the path interferes."""
    interference = [item for item in judged if item[0] == "failed" and not _is_excusable(item[1])]
    proofs = [item for item in judged if item[0] == "ok"]
    failures = [item for item in judged if item[0] == "failed"]
    return (interference + proofs + failures + list(judged))[0]


def _is_excusable(answer: Answer) -> bool:
    steps = answer["steps"]
    if answer["outcome"] == "timeout" and "proxy_connect" not in steps["seconds"]:
        return bool(steps.get("failed") == "connect")  # who takes a connection and then is silent does serve this port
    return answer["outcome"] in _EXCUSABLE


def _is_gone(question: Question, judged: Sequence[Judged], names_resolve: bool) -> bool:
    """A name that exists no more is news about the list, not about the network.

    One host cannot know what exists elsewhere. So: a retired name that nobody answers for, or a wildcard none of
    whose witnesses exists, provided that this host can resolve names at all.
    """
    if question.retired:
        return all(answer["outcome"] in _DEAD for _status_of, answer in judged)
    if not question.wildcard or not names_resolve:
        return False
    return all(_does_not_exist(answer) for _status_of, answer in judged)


def _does_not_exist(answer: Answer) -> bool:
    """The resolver's own word, and not its silence; a proxy gives no more than that the name does not resolve."""
    return answer["outcome"] == "dns_failure" and answer["steps"].get("fault") in (None, "no_such_name")


def _may_not_exist(answer: Answer) -> bool:
    """A proxy that was willing and blames nobody: it may just have found no such name."""
    return _does_not_exist(answer) or (answer["outcome"] == "upstream_failure" and answer["blame"] == "unknown")


def summarise(judged: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """The numbers and the worst of it: what comes back from each of a thousand hosts."""
    failed = [item for item in judged if item["status"] == "failed"]
    shown = ("entry", "severity", "target", "outcome", "blame", "evidence")
    by_severity = _count_by([(item["severity"], item["status"]) for item in judged], SEVERITIES)
    by_group = _count_by((group, item["status"]) for item in judged for group in item["groups"] or [UNGROUPED])
    return {
        "counts": _count_by([("all", item["status"]) for item in judged], ["all"])["all"],
        "by_severity": by_severity,
        "by_group": dict(sorted(by_group.items())),
        "by_outcome": _outcomes(failed),
        "critical_failed": by_severity["critical"]["failed"],
        "required_failed": by_severity["required"]["failed"],
        "failures": [{name: item[name] for name in shown} for item in failed[:MOST_SHOWN]],
        "failures_more": max(0, len(failed) - MOST_SHOWN),
        "not_provable": [item["entry"] for item in judged if item["status"] == "not_provable"][:MOST_SHOWN],
        "gone": [item["entry"] for item in judged if item["status"] == "gone"][:MOST_SHOWN],
    }


def _outcomes(failed: Sequence[Mapping[str, Any]]) -> Dict[str, int]:
    """What happened how often, with its suspect."""
    numbers = Counter(f"{item['outcome']}, suspect: {item['blame'] or 'nobody'}" for item in failed)
    return dict(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])))


def _count_by(rows: Iterable[Tuple[str, str]], keys: Iterable[str] = ()) -> Dict[str, Dict[str, int]]:
    """For each key how many of each status; *keys* are there even when nothing has them."""
    numbers = {key: {"total": 0, **dict.fromkeys(STATUSES, 0)} for key in keys}
    for key, status in rows:
        row = numbers.setdefault(key, {"total": 0, **dict.fromkeys(STATUSES, 0)})
        row["total"] += 1
        row[status] += 1
    return numbers
