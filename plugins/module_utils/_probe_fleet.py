# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One judgement over a fleet, from the few numbers that each host sent. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import MOST_SHOWN, STATUSES

Numbers = Dict[str, int]
_MOST_LINES = 10
# What fails a run, and what is only told.
FAIL_ON: Dict[str, Tuple[str, ...]] = {
    "required": ("critical", "required"),
    "critical": ("critical",),
    "worse": (),
    "never": (),
}


@dataclass(frozen=True)
class Change:
    """How it was at an earlier time, compared with now."""

    worse: Tuple[str, ...] = ()  # in words, not all of them; what is optional comes last
    worse_count: int = 0
    worse_serious: int = 0  # without what is optional
    better: int = 0
    not_compared: int = 0  # hosts that were not asked then


def judge_fleet(
    hosts: Sequence[str],
    results: Mapping[str, Optional[Mapping[str, Any]]],
    fail_on: str,
    change: Optional[Change] = None,
) -> Dict[str, Any]:
    """The judgement: *results* holds what each host returned, or nothing for one that returned nothing."""
    answers: List[Tuple[str, Mapping[str, Any]]] = []
    silent: List[Dict[str, str]] = []
    for host in hosts:
        result = results.get(host)
        if result and result.get("answered"):
            answers.append((host, result))
        else:
            silent.append({"host": host, "reason": _reason(result)})
    by_severity = _sum_tables((answer["by_severity"] for _host, answer in answers), SEVERITIES)
    failures = _join_failures(answers)
    verdict: Dict[str, Any] = {
        "answered": len(answers),
        "total": len(hosts),
        "silent": silent,
        "counts": _sum(answer["counts"] for _host, answer in answers),
        "by_severity": by_severity,
        "by_group": _sum_tables(answer["by_group"] for _host, answer in answers),
        "by_outcome": _outcomes(answer["by_outcome"] for _host, answer in answers),
        "failures": failures[:MOST_SHOWN],
        "failures_more": _all_failed(by_severity) - sum(item["count"] for item in failures[:MOST_SHOWN]),
        "not_provable": _union(answers, "not_provable"),
        "gone": _union(answers, "gone"),
        "wildcards": _wildcards(answers),
    }
    if change is not None:
        verdict.update({**asdict(change), "worse": list(change.worse)})
    verdict["reasons"] = _reasons(verdict, fail_on)
    verdict["passed"] = not verdict["reasons"]
    return verdict


def _all_failed(by_severity: Mapping[str, Numbers]) -> int:
    """How many checks failed, whatever their severity."""
    return sum(numbers["failed"] for numbers in by_severity.values())


def _reason(result: Optional[Mapping[str, Any]]) -> str:
    if not result:
        return "it was not asked, or left the play before"
    lines = str(result.get("msg") or "no reason given").strip().splitlines()
    return ("unreachable: " if result.get("unreachable") else "") + lines[0]


def _sum(tables: Iterable[Mapping[str, int]]) -> Numbers:
    numbers = {"total": 0, **dict.fromkeys(STATUSES, 0)}
    for table in tables:
        for name in numbers:
            numbers[name] += table[name]
    return numbers


def _sum_tables(tables: Iterable[Mapping[str, Mapping[str, int]]], keys: Iterable[str] = ()) -> Dict[str, Numbers]:
    rows: Dict[str, List[Mapping[str, int]]] = {key: [] for key in keys}
    for table in tables:
        for key, numbers in table.items():
            rows.setdefault(key, []).append(numbers)
    order = list(rows) if keys else sorted(rows)
    return {key: _sum(rows[key]) for key in order}


def _outcomes(tables: Iterable[Mapping[str, int]]) -> Numbers:
    numbers: Counter[str] = Counter()
    for table in tables:
        numbers.update(table)
    return dict(sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])))


def _join_failures(answers: Sequence[Tuple[str, Mapping[str, Any]]]) -> List[Dict[str, Any]]:
    """The same failure on many hosts is one piece of news; the worst and the most frequent come first."""
    joined: Dict[Tuple[str, str, str], Dict[str, Any]] = {}
    for host, answer in answers:
        for failure in answer["failures"]:
            key = (failure["entry"], failure["outcome"], str(failure["blame"]))
            item = joined.setdefault(key, {**failure, "hosts": [], "count": 0})
            item["count"] += 1
            if len(item["hosts"]) < MOST_SHOWN:
                item["hosts"].append(host)
    return sorted(joined.values(), key=lambda item: (SEVERITIES.index(item["severity"]), -item["count"], item["entry"]))


def _union(answers: Sequence[Tuple[str, Mapping[str, Any]]], name: str) -> List[str]:
    return sorted({entry for _host, answer in answers for entry in answer[name]})[:MOST_SHOWN]


def _wildcards(answers: Sequence[Tuple[str, Mapping[str, Any]]]) -> Numbers:
    """How many wildcards could be shown: of the host that shows the most, since all are asked the same."""
    tables = [answer.get("wildcards") or {"total": 0, "provable": 0} for _host, answer in answers]
    best = max(tables, key=lambda table: (table["provable"], table["total"]), default={"total": 0, "provable": 0})
    return {"total": best["total"], "provable": best["provable"]}


def _reasons(verdict: Mapping[str, Any], fail_on: str) -> List[str]:
    """Why this is not a pass; empty when it is one."""
    reasons = []
    if not verdict["answered"]:
        reasons.append("no managed host answered, so nothing is proven")
    elif verdict["silent"]:
        names = ", ".join(item["host"] for item in verdict["silent"][:MOST_SHOWN])
        reasons.append(f"{len(verdict['silent'])} of {verdict['total']} managed hosts did not answer: {names}")
    for severity in FAIL_ON[fail_on]:
        count = verdict["by_severity"][severity]["failed"]
        if count:
            reasons.append(f"{_checks(count)} of {severity} endpoints not as intended")
    if fail_on == "worse" and verdict.get("worse_serious"):
        reasons.append(f"{_checks(verdict['worse_serious'])} worse than in the baseline")
    return reasons


def _checks(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"


def render(verdict: Mapping[str, Any], title: str) -> List[str]:
    """The judgement for a person: who answered, a table of the groups, what is wrong and why."""
    lines = [f"{title}: {verdict['answered']} of {verdict['total']} managed hosts answered"]
    lines += [f"  {item['host']} did not answer: {item['reason']}" for item in verdict["silent"][:MOST_SHOWN]]
    if verdict["answered"] > 1:
        lines.append("Numbers are sums over the hosts: each endpoint counts once for each host that answered.")
    if verdict["answered"]:
        lines += ["", *_table(verdict)]
    lines += _failures(verdict)
    lines += _baseline(verdict)
    lines += _list("Not provable, because no known name or port can be asked", verdict, "not_provable")
    lines += _list("Gone: these names do not exist any more, look at the list", verdict, "gone")
    return [*lines, "", *_conclusion(verdict)]


def _baseline(verdict: Mapping[str, Any]) -> List[str]:
    if "worse" not in verdict:
        return []
    head = f"Compared with the baseline: {verdict['worse_count']} worse, {verdict['better']} better"
    if verdict["not_compared"]:
        head += f"; {verdict['not_compared']} of the hosts were not asked then"
    return ["", head, *(f"  {line}" for line in verdict["worse"][:_MOST_LINES])]


def _table(verdict: Mapping[str, Any]) -> List[str]:
    rows = [*verdict["by_group"].items(), ("all, each once", verdict["counts"])]
    width = max(len(name) for name, _numbers in rows)
    heads = ("as intended", "failed", "not provable", "gone")
    lines = [f"{'group':<{width}}  " + "  ".join(f"{head:>13}" for head in heads)]
    for name, numbers in rows:
        fine = f"{numbers['ok']} of {numbers['total']}"
        cells = [fine, *(str(numbers[status] or "-") for status in ("failed", "not_provable", "gone"))]
        lines.append(f"{name:<{width}}  " + "  ".join(f"{cell:>13}" for cell in cells))
    if verdict["wildcards"]["total"]:
        lines.append("{provable} of {total} wildcards could be shown by a known name.".format(**verdict["wildcards"]))
    return lines


def _failures(verdict: Mapping[str, Any]) -> List[str]:
    if not verdict["failures"]:
        return []
    lines = ["", "Not as intended:", *(f"  {count:>7}  {what}" for what, count in verdict["by_outcome"].items())]
    lines += ["", "The worst of it:"]
    for item in verdict["failures"][:_MOST_LINES]:
        blame = f", suspect: {item['blame']}" if item["blame"] else ""
        more = item["count"] - len(item["hosts"])
        hosts = ", ".join(item["hosts"]) + (f" and {more} more" if more else "")
        lines.append(f"  {item['entry']} ({item['severity']}): {item['outcome']}{blame}, on {hosts}")
        lines.append(f"      {item['evidence']}")
    left = _all_failed(verdict["by_severity"]) - sum(item["count"] for item in verdict["failures"][:_MOST_LINES])
    return [*lines, f"  and {left} more, in the result files of the hosts"] if left else lines


def _list(title: str, verdict: Mapping[str, Any], status: str) -> List[str]:
    names = verdict[status]
    if not names:
        return []
    return ["", f"{title}:", f"  {', '.join(names)}" + (" …" if len(names) == MOST_SHOWN else "")]


def _conclusion(verdict: Mapping[str, Any]) -> List[str]:
    if verdict["passed"]:
        return ["Passed."]
    return ["NOT passed: " + "; ".join(verdict["reasons"]) + "."]


def message(verdict: Mapping[str, Any]) -> str:
    """Why it is not a pass and what is worst, in one line for those who see no more than the error."""
    worst = [
        f"{item['entry']} on {', '.join(item['hosts'][:3])}: {item['outcome']}, {item['evidence']}"
        for item in verdict["failures"][:3]
    ]
    return " Worst: ".join([*_conclusion(verdict), "; ".join(worst)] if worst else _conclusion(verdict))
