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
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import OUTCOMES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import summarise
from ansible_collections.egress.allowlist.plugins.plugin_utils import _report_model
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_collect import collect
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_compare import changes
from ansible_collections.egress.allowlist.plugins.plugin_utils._report import write_report
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_html import page
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_junit import junit
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Report, percentile
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_words import SENTENCES, headline

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
    assert [report.kinds[code] for code in report.rows[0]] == [
        ("failed", "o0", "proxy"), ("failed", "o1", "proxy"), *[("failed", "other", "")] * 7
    ]
    fine = report_of(result("d1", entry(), entry("b.example", outcome="o1"), entry("c.example", "ok")))
    assert fine.kinds[fine.rows[0][2]] == ("ok", "other", "")


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
    text = junit(report_of(one, two), verdict, "Verification", "required")
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
    verdict = verdict_of(one) | {"silent": [{"host": f"{NASTY}2", "reason": NASTY}]}
    assert len(cases(junit(report_of(one), verdict, NASTY, "required"))) == 3


def test_both_files_are_written_for_nobody_else(tmp_path: Path) -> None:
    one = result("d1", entry())
    (tmp_path / "d1.json").write_text(json.dumps(one), encoding="utf-8")
    told: dict[str, Any] = {"title": "\ud800", "kinds": ("html", "junit"), "fail_on": "required"}
    paths = write_report(str(tmp_path), {"d1": ""}, verdict_of(one), **told)
    assert paths == {"html": str(tmp_path / "report.html"), "junit": str(tmp_path / "report.xml")}
    assert {oct(Path(path).stat().st_mode)[-3:] for path in paths.values()} == {"600"}


def report_in(folder: str, hosts: dict[str, str], verdict: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The data of the page, and the XML."""
    write_report(folder, hosts, verdict, title="t", kinds=("html", "junit"), fail_on="required")
    texts = [(Path(folder) / name).read_text(encoding="utf-8") for name in ("report.html", "report.xml")]
    return data_of(texts[0]), texts[1]


def test_a_file_of_an_earlier_run_does_not_count(tmp_path: Path) -> None:
    fine = entry("a.example", "ok")
    folder = write(tmp_path, result("d1", fine), {**result("d2", fine), "mark": "yesterday"})
    verdict = verdict_of(result("d1", fine), result("d2", entry()), result("d3", entry()))
    data, text = report_in(folder, {"d1": "", "d2": "today", "d3": "today"}, verdict)
    assert ([host[0] for host in data["hosts"]], data["leftOut"]) == (["d1"], 2)
    # What they found is not known here. It prevented a pass, so nobody may take this for one.
    found = cases(text)
    assert [list(found[f"managed hosts: d{number} answers"]) for number in (1, 2, 3)] == [[], ["failure"], ["failure"]]


@pytest.mark.parametrize(
    "wrong",
    [
        {"entries": [{**entry(), "status": "splendid"}]},
        {"entries": [{**entry(), "severity": "urgent"}]},
        {"entries": [{"entry": "a.example"}]},
        {"entries": None},
        {"answers": [7]},
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, wrong: dict[str, Any]) -> None:
    folder = write(tmp_path, {**result("d1", entry()), **wrong})
    with pytest.raises(AllowlistError, match=r"d1\.json is no result file of a probe, or damaged"):
        report_in(folder, {"d1": ""}, verdict_of(result("d1", entry())))


def test_numbers_that_no_browser_reads(tmp_path: Path) -> None:
    one = {**result("d1", entry()), "seconds": float("nan")}
    one["answers"][0]["steps"]["seconds"] = {"tls": float("inf"), "http": float("nan")}
    data, _text = report_in(write(tmp_path, one), {"d1": ""}, verdict_of(one))
    assert (data["hosts"][0][3], data["times"]) == (0.0, [])


def test_strangers_cannot_make_endless_culprits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_report_model, "_MOST_CULPRITS", 2)
    inspected = {"outcome": "tls_inspected", "blame": "inspection"}
    report = report_of(*(result(f"d{n}", entry(**inspected), tls={"issuer": f"CN={n}"}) for n in range(9)))
    assert [(one.who, one.count) for one in report.sorted_culprits()] == [("", 7), ("CN=0", 1), ("CN=1", 1)]


@pytest.mark.parametrize(
    ("blame", "outcome", "who", "proxies", "count", "said"),
    [
        ("inspection", "tls_inspected", "CN=C", ["http://p:1"], 14,
         "The proxy http://p:1, or something behind it, re-signs 14 endpoints with 'CN=C'"),
        ("inspection", "tls_inspected", "CN=C", ["http://p:1", "http://q:1"], 1,
         "TLS inspection re-signs 1 endpoint with 'CN=C'"),
        ("proxy", "proxy_auth_required", "http://p:1", ["http://p:1"], 2,
         "The proxy http://p:1 asks for credentials for 2 endpoints"),
        ("unknown", "reset", "", [], 2, "Somebody unknown cuts connections to 2 endpoints"),
        ("other", "other", "", [], 2, "Somebody unknown is in the way of 2 endpoints (other)"),
        ("proxy", "proxy_denied", "{names}{0}", [], 2, "The proxy {names}{0} denies 2 endpoints"),
    ],
)
def test_headlines(blame: str, outcome: str, who: str, proxies: list[str], count: int, said: str) -> None:
    assert headline(blame, outcome, who, proxies, count) == said


def test_every_outcome_that_can_fail_has_a_sentence() -> None:
    assert set(SENTENCES) == set(OUTCOMES) - {"reachable", "gone", "not_provable"}


def write(folder: Path, *results: dict[str, Any]) -> str:
    folder.mkdir(exist_ok=True)
    for one in results:
        (folder / f"{one['host']}.json").write_text(json.dumps(one), encoding="utf-8")
    return str(folder)


def test_a_baseline_tells_what_is_worse_and_better(tmp_path: Path) -> None:
    first = result("d1", entry("a.example", "ok"), entry("b.example"), entry("n.example", "not_provable"))
    old = write(tmp_path / "old", first, result("d2"), result("d4"))
    now = result(
        "d1", entry("opt.example", severity="optional"), entry(blame="server"), entry("b.example", "ok"),
        entry("n.example"),
    )
    new = write(tmp_path / "new", now, result("d3", entry()))
    change = changes(old, new, ["d1", "d2", "d3"], ["d1", "d3"])
    assert change.worse == (
        "d1: a.example (required) was as intended, is proxy_denied, suspect: server",
        "d1: n.example (required) was not provable, is proxy_denied, suspect: proxy",
        "d2 answered then and does not answer now",
        "d1: opt.example (optional) was not asked for, is proxy_denied, suspect: proxy",
    )
    assert (change.worse_count, change.worse_serious, change.better, change.not_compared) == (4, 3, 1, 1)
    verdict = judge_fleet(["d1"], {"d1": now}, "worse", change)
    assert verdict["reasons"] == ["3 checks worse than in the baseline"]
    found = cases(junit(report_of(now), verdict, "t", "worse"))
    told = {name: list(case) for name, case in found.items() if name.startswith("compared")}
    assert list(told.values()) == [["failure"], ["failure"], ["failure"], ["skipped"]]
    assert [name for name, case in found.items() if "failure" in case and not name.startswith("compared")] == []


def test_only_what_is_optional_is_worse(tmp_path: Path) -> None:
    now = result("d1", entry("opt.example", severity="optional"))
    change = changes(
        write(tmp_path / "old", result("d1", entry("opt.example", "ok", severity="optional"))),
        write(tmp_path / "new", now), ["d1"], ["d1"],
    )
    verdict = judge_fleet(["d1"], {"d1": now}, "worse", change)
    assert (verdict["passed"], verdict["worse_count"]) == (True, 1)


def test_a_baseline_of_nobody_is_no_pass(tmp_path: Path) -> None:
    new = write(tmp_path / "new", result("d1", entry()))
    for earlier in ("nowhere", "other"):
        write(tmp_path / "other", result("d7", entry()))
        with pytest.raises(AllowlistError, match="holds no result of any of these hosts"):
            changes(str(tmp_path / earlier), new, ["d1"], ["d1"])


def test_a_baseline_that_is_not_judged(tmp_path: Path) -> None:
    old = write(tmp_path / "old", {"raw": True, "host": "d1", "answers": []})
    with pytest.raises(AllowlistError, match="not judged yet"):
        changes(old, write(tmp_path / "new", result("d1", entry())), ["d1"], ["d1"])


def test_the_xml_has_a_failure_where_nobody_was_asked() -> None:
    assert "failure" in cases(junit(Report(), judge_fleet([], {}, "never"), "t", "never"))[
        "managed hosts: any managed host answers"
    ]


def test_results_that_came_by_mail(tmp_path: Path) -> None:
    answers: list[dict[str, Any]] = [
        {"target": f"{scheme}://a.example", "outcome": "reachable", "blame": None, "evidence": "", "steps": {}}
        for scheme in ("https", "http")
    ]
    raw = {"format": 2, "raw": True, "host": "far", "seconds": 1, "answers": answers}
    folder = write(tmp_path / "mail", raw, result("near", entry()))
    found = collect(folder, {"entries": ["a.example"], "intents": None}, str(tmp_path / "results"))
    assert {host: numbers["counts"]["ok"] for host, numbers in found.items()} == {"far": 1, "near": 0}
    assert "answers" not in found["far"] and "entries" not in found["far"]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["far.json", "near.json"]
    collect(folder, {"entries": ["a.example"]}, folder)  # in place
    assert json.loads((tmp_path / "mail" / "far.json").read_text(encoding="utf-8"))["entries"][0]["status"] == "ok"


def test_numbers_that_came_by_mail_are_counted_again(tmp_path: Path) -> None:
    kind = {**result("d1", entry()), "counts": {"total": 1, "ok": 1}, "by_outcome": {}, "failures": []}
    found = collect(write(tmp_path, kind), None, "")
    assert (found["d1"]["counts"]["failed"], len(found["d1"]["failures"])) == (1, 1)


@pytest.mark.parametrize(
    ("files", "questions", "words"),
    [
        ({}, None, "holds no result file"),
        ({"a.json": "{"}, None, "a.json is no result file of a probe, or damaged"),
        ({"a.json": "{}"}, None, "a.json is no result file of a probe: 'host' is missing"),
        ({"a.json": json.dumps(result("h", entry(severity="urgent")))}, None, "of a probe: severity urgent"),
        ({"a.json": json.dumps(result("h") | {"entries": [1]})}, None, "no result file of a probe"),
        ({"a.json": '{"raw": true, "format": 2, "host": "h", "answers": [3]}'}, {"entries": ["a.example"]},
         "no result file of a probe"),
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
