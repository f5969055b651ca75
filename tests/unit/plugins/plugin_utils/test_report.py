# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report: what it counts, whom it names, and that nothing foreign becomes markup."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import summarise
from ansible_collections.egress.allowlist.plugins.plugin_utils import _report_model
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_collect import collect
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_compare import changes
from ansible_collections.egress.allowlist.plugins.plugin_utils._report import write_report
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_html import page
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_junit import junit
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Report, percentile

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\u2028\x00\ud800'\""
TIME = "2026-11-23 05:00:00+00:00"


def entry(name: str = "a.example", status: str = "failed", **more: Any) -> dict[str, Any]:
    return {
        "entry": name, "severity": "required", "groups": ["one"], "wildcard": False, "status": status,
        "target": f"https://{name}", "outcome": "reachable" if status == "ok" else "proxy_denied",
        "blame": None if status == "ok" else "proxy", "evidence": f"seen of {name}", "advice": "do it", **more,
    }


def result(host: str, *entries: dict[str, Any], **steps: Any) -> dict[str, Any]:
    answers = [{"target": one["target"], "steps": {"seconds": {"tls": 0.04}, **steps}} for one in entries]
    return {
        "format": 2, "host": host, "system": "linux", "answered": True, "mark": "", "seconds": 1.5,
        **summarise(entries), "entries": list(entries), "answers": answers,
    }


def report_of(*results: dict[str, Any]) -> Report:
    report = Report()
    for one in results:
        report.add(json.loads(json.dumps(one)))
    return report


def verdict_of(*results: dict[str, Any], silent: tuple[str, ...] = ()) -> dict[str, Any]:
    return judge_fleet([*(one["host"] for one in results), *silent], {one["host"]: one for one in results}, "required")


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_each_culprit_is_named_once_and_the_worst_comes_first() -> None:
    inspected = {"outcome": "tls_inspected", "blame": "inspection", "severity": "critical"}
    report = report_of(
        result("d1", entry(), entry("b.example"), entry("c.example", "ok"), proxy="http://p:1"),
        result("d2", entry(**inspected), tls={"issuer": "CN=Company"}),
        result("d3", entry("b.example"), proxy="http://q:2"),
    )
    told = [(one.outcome, one.who, one.count, len(one.hosts), one.severity) for one in report.sorted_culprits()]
    assert told == [
        ("tls_inspected", "CN=Company", 1, 1, "critical"),
        ("proxy_denied", "http://p:1", 2, 1, "required"),
        ("proxy_denied", "http://q:2", 1, 1, "required"),
    ]


def test_hosts_may_have_been_asked_different_things() -> None:
    report = report_of(result("d1", entry("a.example", "ok")), result("d2", entry("b.example"), entry("a.example")))
    seen = {
        one.label: [(host.name, kind[0]) for host, kind in report.statuses(index)]
        for index, one in enumerate(report.endpoints)
    }
    assert seen == {"a.example": [("d1", "ok"), ("d2", "failed")], "b.example": [("d2", "failed")]}
    rows = data_of(page(report, verdict_of(result("d1", entry())), "t", TIME))["rows"]
    assert {len(row) for row in rows} == {2}


def test_more_kinds_than_a_byte_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_report_model, "_MOST_CODES", 3)
    report = report_of(result("d1", *(entry(f"n{number}.example", outcome=f"o{number}") for number in range(9))))
    assert len(report.kinds) == 3
    assert set(report.rows[0]) == {1, 2}


def test_times_are_counted_in_classes() -> None:
    report = report_of(result("d1", entry(), entry("b.example")))
    assert (sum(report.times["tls"]), percentile(report.times["tls"], 0.5)) == (2, 0.05)
    assert percentile(report.times["resolve"], 0.5) is None


def test_nothing_foreign_becomes_markup() -> None:
    nasty = entry(NASTY, evidence=NASTY, groups=[NASTY], advice=NASTY)
    one = result(NASTY, nasty, proxy=NASTY)
    text = page(report_of(one), verdict_of(one), f"{NASTY}{{{{data}}}}", TIME)
    assert text.count("<script") == text.count("</script") == 2
    assert "<img" not in text
    assert "<title>&lt;/script&gt;" in text
    data = data_of(text)
    assert data["endpoints"][0][0] == NASTY
    assert data["details"]["0,1"][0] == NASTY


def test_the_page_asks_nobody_anything() -> None:
    text = page(report_of(result("d1", entry())), verdict_of(result("d1", entry())), "t", TIME)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'", policy[1])
    assert not re.search(r"(src|href|url)\s*[=(]\s*[\"']?(https?:)?//", text)


def cases(text: str) -> dict[str, dict[str, Any]]:
    found = {}
    for suite in ET.fromstring(text):
        for case in suite:
            child = case[0] if len(case) else None
            found[f"{suite.get('name')}: {case.get('name')}"] = (
                {child.tag: (child.get("message") or "") + (child.text or "")} if child is not None else {}
            )
    return found


def test_junit_says_the_same() -> None:
    one = result("d1", entry("ok.example", "ok"), entry(), entry("opt.example", severity="optional"),
                 entry("np.example", "not_provable"))
    two = result("d2", entry("ok.example", "ok"), entry())
    verdict = verdict_of(one, two, silent=("d3",))
    text = junit(report_of(one, two), verdict["silent"], "Verification", ("critical", "required"))
    found = cases(text)
    assert found["managed hosts: d1 answers"] == {}
    assert "it was not asked" in found["managed hosts: d3 answers"]["failure"]
    assert found["one: ok.example"] == {}
    assert "proxy_denied (required): seen of a.example (on d1, d2)" in found["one: a.example"]["failure"]
    assert "proxy_denied (optional)" in found["one: opt.example"]["skipped"]
    assert "not_provable" in found["one: np.example"]["skipped"]
    root = ET.fromstring(text)
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("7", "2", "2")


def test_junit_is_xml_whatever_is_in_it() -> None:
    one = result(NASTY, entry(NASTY, evidence=NASTY, groups=[NASTY]))
    assert len(cases(junit(report_of(one), [{"host": f"{NASTY}2", "reason": NASTY}], NASTY, ("required",)))) == 3


def test_both_files_are_written_for_nobody_else(tmp_path: Path) -> None:
    one = result("d1", entry())
    (tmp_path / "d1.json").write_text(json.dumps(one), encoding="utf-8")
    paths = write_report(str(tmp_path), ["d1"], verdict_of(one), title="\ud800", kinds=("html", "junit"), fails=())
    assert paths == {"html": str(tmp_path / "report.html"), "junit": str(tmp_path / "report.xml")}
    assert {oct(Path(path).stat().st_mode)[-3:] for path in paths.values()} == {"600"}


def write(folder: Path, *results: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    for one in results:
        (folder / f"{one['host']}.json").write_text(json.dumps(one), encoding="utf-8")
    return str(folder)


def test_a_baseline_tells_what_is_worse_and_better(tmp_path: Path) -> None:
    first = result("d1", entry("a.example", "ok"), entry("b.example"))
    old = write(tmp_path / "old", first, result("d2"), result("d4"))
    new = write(tmp_path / "new", result("d1", entry(blame="server"), entry("b.example", "ok")), result("d3", entry()))
    change = changes(old, new, ["d1", "d2", "d3"], ["d1", "d3"])
    assert change.worse == (
        "d1: a.example was as intended, is proxy_denied, suspect: server", "d2 answered then and does not answer now",
    )
    assert (change.worse_count, change.better) == (2, 1)
    verdict = judge_fleet(["d1"], {"d1": result("d1", entry())}, "worse", change)
    assert verdict["reasons"] == ["2 checks worse than in the baseline"]
    assert judge_fleet(["d1"], {"d1": result("d1", entry())}, "worse", changes(new, new, ["d1"], ["d1"]))["passed"]


def test_results_that_came_by_mail(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = [
        {"target": f"{scheme}://a.example", "outcome": "reachable", "blame": None, "evidence": "", "steps": {}}
        for scheme in ("https", "http")
    ]
    raw = {"format": 2, "raw": True, "host": "far", "seconds": 1, "answers": answers}
    folder = write(tmp_path / "mail", raw, result("near", entry()))
    found = collect(folder, {"entries": ["a.example"], "intents": None}, str(tmp_path / "results"))
    assert {host: numbers["counts"]["ok"] for host, numbers in found.items()} == {"far": 1, "near": 0}
    assert "answers" not in found["far"]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["far.json", "near.json"]


@pytest.mark.parametrize(
    ("files", "questions", "words"),
    [
        ({}, None, "holds no result file"),
        ({"a.json": "{"}, None, "a.json is no result file of a probe, or damaged"),
        ({"a.json": "{}"}, None, "a.json is no result file of a probe: host, entries"),
        ({"a.json": '{"raw": true, "format": 2, "host": "h", "answers": []}'}, None, "entries that it answers"),
        ({"a.json": '{"raw": true, "format": 2, "host": "h", "answers": []}'}, {"entries": ["a.example"], "fly": 1},
         "questions: fly: no options"),
        (dict.fromkeys(("a.json", "b.json"), json.dumps(result("h"))), None, "b.json is of host 'h', and so is"),
    ],
)
def test_results_that_make_no_sense(
    tmp_path: Path, files: dict[str, str], questions: dict[str, Any] | None, words: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(AllowlistError, match=words):
        collect(str(tmp_path), questions, "")
