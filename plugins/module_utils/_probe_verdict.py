# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From answers to a judgement of each entry, and to the few numbers that a fleet is judged by. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_advice import advice
from ansible_collections.egress.allowlist.plugins.module_utils._probe_expect import status as status_of
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES, Question, Witness
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import FAMILIES

Answer = Mapping[str, Any]
Judged = Tuple[str, Answer]  # status, and the answer that decided it

STATUSES = ("ok", "failed", "not_provable", "gone")
UNGROUPED = "ungrouped"
MOST_SHOWN = 20

# What also happens to a name that is fine but is not served on this port, or has died: no sign of interference when
# another port or another name of the same entry is as intended.
_EXCUSABLE = ("refused", "timeout", "dns_failure", "upstream_failure", "gone", "not_provable")
_NOT_ASKED: Answer = {"target": None, "outcome": "not_provable", "blame": None, "evidence": "", "steps": {}}
_OLDER = "it was not asked for: the answers are to another list of entries"


def judge_all(
    asked: Sequence[Question], answers: Iterable[Answer], families: Sequence[str] = ("any",)
) -> List[Dict[str, Any]]:
    """One judgement for each question, in their order."""
    by_label = {answer["target"]: answer for answer in answers}
    # Through a proxy it is the proxy that resolves, so only what was reached shows that names resolve.
    names_resolve = any(
        answer["steps"].get("addresses") or answer["outcome"] == "reachable" for answer in by_label.values()
    )
    judge = _Judge(by_label, names_resolve, families)
    return [judge.judged(question) for question in asked]


class _Judge:
    """What is the same for all questions."""

    def __init__(self, by_label: Mapping[str, Answer], names_resolve: bool, families: Sequence[str]) -> None:
        self._by_label = by_label
        self._names_resolve = names_resolve
        self._families = families

    def judged(self, question: Question) -> Dict[str, Any]:
        status, answer = self._judge(question)
        made_up = bool(question.witnesses and question.witnesses[0].made_up)
        evidence = answer["evidence"]
        if question.unprovable:
            evidence = f"{question.unprovable}; the rest: {evidence}" if evidence else question.unprovable
        return {
            "entry": question.label,
            "severity": question.severity,
            "groups": list(question.groups),
            "wildcard": question.wildcard,
            "status": "not_provable" if question.unprovable and status == "ok" else status,
            "target": answer["target"],
            "outcome": answer["outcome"],
            "blame": answer["blame"],
            "evidence": f"{evidence} (made-up name)" if made_up else evidence,
            "advice": advice(answer["outcome"], answer["blame"]) if status in ("failed", "gone") else None,
            "targets": [label for witness in question.witnesses for label in self._labels(witness)],
            "seconds": round(sum(answer["steps"].get("seconds", {}).values()), 3),
        }

    def _judge(self, question: Question) -> Judged:
        if not question.witnesses:
            return "not_provable", _NOT_ASKED
        judged = [self._judge_witness(witness, question) for witness in question.witnesses]
        status, answer = _most_telling(judged)
        if status != "failed":
            return status, answer
        if self._is_gone(question, judged):
            return "gone", answer
        if question.wildcard and self._names_resolve and all(_may_not_exist(other) for _status, other in judged):
            return "not_provable", answer
        return status, answer

    def _judge_witness(self, witness: Witness, question: Question) -> Judged:
        """Over each family that was asked for: one that the name does not have is no failure."""
        found = [self._judge_family(witness, question, family) for family in self._families]
        status, answer = min(found, key=lambda item: ("failed", "ok", "not_provable").index(item[0]))
        if witness.made_up and _is_excusable(answer):
            return "not_provable", answer
        return status, answer

    def _judge_family(self, witness: Witness, question: Question, family: str) -> Judged:
        answers = [self._answer(_label(url, family)) for url in witness.urls]
        judged = [(status_of(answer, question.intents), answer) for answer in answers]
        if question.ports_stated:
            return min(judged, key=lambda item: ("failed", "not_provable", "ok").index(item[0]))
        return _most_telling(judged)

    def _answer(self, label: str) -> Answer:
        """An older list may have been asked for: what is not in the answers is never as intended."""
        missing = {**_NOT_ASKED, "target": label, "outcome": "not_probed", "evidence": _OLDER}
        return self._by_label.get(label, missing)

    def _labels(self, witness: Witness) -> List[str]:
        return [_label(url, family) for url in witness.urls for family in self._families]

    def _is_gone(self, question: Question, judged: Sequence[Judged]) -> bool:
        """A name that exists no more is news about the list, not about the network.

        A reference shows it, who asked from elsewhere. One host alone cannot know what exists elsewhere, so without
        a reference it needs more: the resolver says of a retired name, or of each witness of a wildcard, that there
        is none, and resolves others. Silence is no sign: that is how a firewall looks that drops.
        """
        if all(answer["outcome"] == "gone" for _status, answer in judged):
            return True
        if not self._names_resolve:
            return False
        if question.retired:
            return all(_may_not_exist(answer) for _status, answer in judged)
        return question.wildcard and all(_does_not_exist(answer) for _status, answer in judged)


def _label(url: str, family: str) -> str:
    return f"{url} ({FAMILIES[family]})" if FAMILIES[family] else url


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


def _does_not_exist(answer: Answer) -> bool:
    """The resolver's own word, and not its silence; a proxy gives no more than that the name does not resolve."""
    if answer["outcome"] == "gone":
        return True
    return answer["outcome"] == "dns_failure" and answer["steps"].get("fault") in (None, "no_such_name")


def _may_not_exist(answer: Answer) -> bool:
    """A proxy that was willing and blames nobody: it may just have found no such name."""
    return _does_not_exist(answer) or (answer["outcome"] == "upstream_failure" and answer["blame"] == "unknown")


def summarise(judged: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """The numbers and the worst of it: what comes back from each of a thousand hosts."""
    failed = [item for item in judged if item["status"] == "failed"]
    shown = ("entry", "severity", "target", "outcome", "blame", "evidence", "advice")
    wildcards = [item for item in judged if item["wildcard"]]
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
        "wildcards": {"total": len(wildcards), "provable": sum(item["status"] != "not_provable" for item in wildcards)},
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
