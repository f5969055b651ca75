# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the report in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import summarise
from ansible_collections.egress.allowlist.plugins.plugin_utils._report import write_report
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_html import page as html
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Report
from chromium import Chromium

HOSTILE = "<img src=x onerror='document.title=1'>"
MANY = 1000
SHOWN = "return document.getElementById('matrix-count').textContent"
ENDPOINTS = "return [...document.querySelectorAll('#matrix tbody th')].map((one) => one.textContent)"
DAYLIGHT = "return getComputedStyle(document.body).backgroundColor"


def result(host: str, failed: dict[str, str], names: list[str]) -> dict[str, Any]:
    entries = [
        {
            "entry": name, "severity": "critical" if name.startswith("c") else "required", "groups": [name[0]],
            "wildcard": False, "status": "failed" if name in failed else "ok", "target": f"https://{name}",
            "outcome": failed.get(name, "reachable"), "blame": "proxy" if name in failed else None,
            "evidence": f"{HOSTILE} of {name}", "advice": HOSTILE if name in failed else None,
        }
        for name in names
    ]
    answers = [{"target": f"https://{name}", "steps": {"seconds": {"tls": 0.1, "http": 0.3}}} for name in names]
    return {
        "format": 2, "host": host, "system": "linux", "answered": True, "mark": "", "seconds": 2.5,
        **summarise(entries), "entries": entries, "answers": answers,
    }


def write(folder: Path, *results: dict[str, Any]) -> Path:
    folder.mkdir()
    for one in results:
        (folder / f"{one['host']}.json").write_text(json.dumps(one), encoding="utf-8")
    told = {one["host"]: one for one in results}
    verdict = judge_fleet([*told, "silent1"], told, "required")
    made = write_report(
        str(folder), dict.fromkeys(told, ""), verdict, title=HOSTILE, kinds=("html",), fail_on="required"
    )
    return Path(made["html"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium() as made:
        yield made


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ["a.example", "b.example", "c.example"]
    return write(
        tmp_path_factory.mktemp("page") / "small",
        result("d1", {"b.example": "proxy_denied"}, names),
        result("d2", {"b.example": "proxy_denied", "c.example": "timeout"}, names),
        result("d3", {}, names),
    )


def test_the_culprit_comes_first_and_nothing_runs_that_is_not_ours(browser: Chromium, small: Path) -> None:
    browser.open(small)
    heads = browser.run("return [...document.querySelectorAll('.culprit h3')].map((one) => one.textContent)")
    assert heads == [
        "The proxy leaves connections to 1 endpoint without an answer", "The proxy denies 1 endpoint"
    ]
    assert browser.run("return document.title") == HOSTILE
    assert browser.run("return document.getElementById('verdict').textContent") == "✗ Not passed"
    assert "silent1" in browser.run("return document.getElementById('silent').textContent")
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert browser.requests(small) == [small.as_uri()]
    assert browser.log("browser") == []


@pytest.mark.parametrize(
    ("field", "text", "shown", "first"),
    [
        ("filter-endpoint", "B.EX", "3 checks of 1 endpoint on 3 hosts", "b.example"),
        ("filter-host", "d3", "3 checks of 3 endpoints on 1 host", "c.example (critical)"),
        ("filter-group", "0", "3 checks of 1 endpoint on 3 hosts", "a.example"),
        ("filter-outcome", "proxy_denied", "2 checks of 1 endpoint on 2 hosts", "b.example"),
        ("filter-endpoint", "nothing", "0 checks of 0 endpoints on 3 hosts", None),
    ],
)
def test_filters(browser: Chromium, small: Path, field: str, text: str, shown: str, first: str | None) -> None:
    browser.open(small)
    browser.filter(field, text)
    assert browser.run(SHOWN) == shown
    assert browser.run(ENDPOINTS)[:1] == ([first] if first else [])
    browser.run("document.getElementById('filter-clear').click()")
    browser.wait(f"{SHOWN} === '9 checks of 3 endpoints on 3 hosts'")


def test_a_culprit_leads_to_its_checks(browser: Chromium, small: Path) -> None:
    browser.open(small)
    browser.run("document.querySelectorAll('.culprit button')[1].click()")
    assert browser.run(SHOWN) == "2 checks of 1 endpoint on 2 hosts"
    coloured = "return [...document.querySelectorAll('.cell')].map((one) => one.className)"
    assert browser.run(coloured) == ["cell failed", "cell failed"]


def test_a_check_tells_its_evidence_and_can_be_reached_by_keyboard(browser: Chromium, small: Path) -> None:
    browser.open(small)
    label = browser.run("const one = document.querySelector('.cell.failed button'); one.focus(); return one.ariaLabel")
    assert label == "c.example on d2: not as intended, timeout"
    told = "return document.getElementById('detail').textContent"
    assert f"timeout, suspect: proxy (https://c.example){HOSTILE} of c.example" in browser.run(told)
    press = """
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}));
      return document.activeElement.ariaLabel;
    """
    assert browser.run(press, "ArrowDown") == "b.example on d2: not as intended, proxy_denied"
    assert f"As d1 saw it: {HOSTILE} of b.example" in browser.run(told)
    assert browser.run(press, "ArrowRight") == "b.example on d1: not as intended, proxy_denied"
    assert browser.run(press, "ArrowRight") == "b.example on d3: as intended, reachable"
    assert browser.run(press, "End") == "b.example on d3: as intended, reachable"
    stops = "return [...document.querySelectorAll('#matrix button')].filter((one) => one.tabIndex === 0).length"
    assert browser.run(stops) == 1


def test_dark_and_on_paper(browser: Chromium, small: Path) -> None:
    browser.open(small)
    seen = {}
    for name, features in {"light": {}, "dark": {"prefers_color_scheme": "dark"}, "paper": {"type": "print"}}.items():
        browser.media(**features)
        shown = "return ['filters', 'paper'].map((id) => getComputedStyle(document.getElementById(id)).display)"
        seen[name] = (browser.run(DAYLIGHT), *browser.run(shown))
    browser.media()
    white = "rgb(255, 255, 255)"
    assert seen == {
        "light": (white, "flex", "none"),
        "dark": ("rgb(13, 17, 23)", "flex", "none"),
        "paper": (white, "none", "block"),
    }


@pytest.mark.parametrize("width", [400, 718])  # a telephone, and A4 without its margins
def test_it_fits(browser: Chromium, small: Path, width: int) -> None:
    browser.open(small)
    browser.width(width)
    over = browser.run("return document.documentElement.scrollWidth - innerWidth")
    browser.width(0)
    assert over <= 0


def test_a_thousand_hosts(browser: Chromium, tmp_path: Path) -> None:
    names = [f"n{number}.example" for number in range(350)]
    kinds = [result("x", {name: "timeout"}, names) for name in names[1::2]] + [result("x", {}, names)]
    report = Report()
    for host in range(MANY):
        report.add({**kinds[(host // 2) % 175 if host % 2 else -1], "host": f"d{host:04}", "answers": []})
    page = tmp_path / "report.html"
    page.write_text(html(report, judge_fleet([], {}, "required"), "Many", "today"), encoding="utf-8")
    assert page.stat().st_size < 3_000_000
    browser.open(page)
    assert browser.run(SHOWN) == f"{MANY * 350} checks of 350 endpoints on {MANY} hosts"
    assert browser.run("return document.getElementsByTagName('*').length") < 5000  # only what is looked at is drawn
    browser.filter("filter-outcome", "timeout")
    assert browser.run(SHOWN) == f"{MANY // 2} checks of 175 endpoints on {MANY // 2} hosts"
    assert browser.run(ENDPOINTS)[0] == "n1.example"  # what was met most often comes first
    cells = "return ['failed', 'other'].map((kind) => document.querySelectorAll('.cell.' + kind).length)"
    assert browser.run(cells) == [25, 975]  # only what the filter asks for has its colour
    browser.run("document.getElementById('columns-on').click()")
    assert browser.run("return document.getElementById('columns-at').textContent") == "26–50 of 500"
