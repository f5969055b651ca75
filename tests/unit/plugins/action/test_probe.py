# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The halves of a probe on the control node, with a host that answers as told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.egress.allowlist.plugins.action.probe import ActionModule as Probe
from ansible_collections.egress.allowlist.plugins.action.probe_summary import ActionModule as Summary
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules.probe import ARGUMENT_SPEC
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_action import inquiry, judge_raw

OPTIONS = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}


def action(kind: type, arguments: dict[str, Any], check_mode: bool = False) -> Any:
    task = SimpleNamespace(
        args=arguments, async_val=0, check_mode=check_mode, diff=False, environment=[], action="x", delegate_to=None
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)
    return kind(task, connection, SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), SimpleNamespace())


class Host:
    """Answers each target as told, and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answer: Any) -> None:
        self.asked: dict[str, Any] = {}

        def execute(_action: Any, *, module_name: str, module_args: dict[str, Any], **_rest: Any) -> dict[str, Any]:
            assert module_name == "egress.allowlist.probe"
            self.asked = module_args
            results = [_answer(url, "proxy_denied" if "bad" in url else "reachable") for url in module_args["targets"]]
            return answer or {"results": results, "seconds": 0.5, "changed": False}

        monkeypatch.setattr(Probe, "_execute_module", execute)

    @staticmethod
    def run(name: str = "desktop1", check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
        result: dict[str, Any] = action(Probe, arguments, check_mode).run(task_vars={"inventory_hostname": name})
        return result


def _answer(url: str, outcome: str) -> dict[str, Any]:
    steps = {"seconds": {}, "addresses": ["192.0.2.1"]}
    return {"target": url, "outcome": outcome, "blame": None, "evidence": f"{url} is {outcome}", "steps": steps}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(monkeypatch)


def test_the_full_answer_is_a_file_and_numbers_come_back(host: Host, tmp_path: Path) -> None:
    result = host.run(entries=["a.example.com", "bad.example.com"], results_dir=str(tmp_path), mark="7")
    assert result["counts"] == {"total": 2, "ok": 1, "failed": 1, "not_provable": 0, "gone": 0}
    assert [item["entry"] for item in result["failures"]] == ["bad.example.com"]
    assert (result["answered"], result["changed"], result["mark"]) == (True, False, "7")
    assert "results" not in result
    whole = json.loads(Path(result["results_file"]).read_text(encoding="utf-8"))
    assert Path(result["results_file"]) == tmp_path / "desktop1.json"
    assert [item["target"] for item in whole["answers"]] == host.asked["targets"]
    assert [item["status"] for item in whole["entries"]] == ["ok", "failed"]


def test_without_a_folder_the_full_answer_comes_back(host: Host) -> None:
    result = host.run(targets=["https://a.example.com"])
    assert [item["outcome"] for item in result["results"]] == ["reachable"]
    assert result["results_file"] is None


def test_check_mode_asks_and_writes_nothing(host: Host, tmp_path: Path) -> None:
    result = host.run(entries=["a.example.com"], results_dir=str(tmp_path / "new"), check_mode=True)
    assert result["counts"]["ok"] == 1
    assert result["results_file"] is None
    assert list(tmp_path.iterdir()) == []


def test_the_host_gets_its_own_options_only(host: Host, tmp_path: Path) -> None:
    host.run(
        targets=["https://a.example.com"],
        proxy="http://p.example:3128",
        timeout=3,
        public_ca_path="~/roots",
        results_dir=str(tmp_path),
        mark="7",
    )
    assert host.asked == {
        "targets": ["https://a.example.com"],
        "proxy": "http://p.example:3128",
        "timeout": 3,
        "public_ca_path": "~/roots",
    }


def test_the_catalog_knows_witnesses(host: Host) -> None:
    host.run(entries=["*.update.microsoft.com"])
    assert host.asked["targets"]
    assert all(".update.microsoft.com" in url for url in host.asked["targets"])


def test_a_host_name_cannot_lead_out_of_the_folder(host: Host, tmp_path: Path) -> None:
    result = host.run(name="../../x", targets=["https://a.example.com"], results_dir=str(tmp_path))
    assert Path(result["results_file"]).parent == tmp_path


def test_a_module_that_fails_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    host = Host(monkeypatch, failed=True, msg="no python here")
    result = host.run(targets=["https://a.example.com"], results_dir=str(tmp_path))
    assert (result["answered"], result["failed"], result["msg"]) == (False, True, "no python here")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "one of the following is required: entries, targets"),
        ({"entries": ["a.example.com"], "targets": ["https://a.example.com"]}, "mutually exclusive"),
        ({"entries": []}, "the list is empty"),
        ({"entries": [True]}, r"entries\[0\]"),
        ({"entries": ["a.example.com"], "witnesses_per_wildcard": 0}, "witnesses_per_wildcard: expected at least 1"),
        ({"targets": ["a.example.com"]}, r"targets\[0\]"),
        ({"targets": ["https://a.example.com"], "tiemout": 3}, "tiemout"),
    ],
)
def test_what_cannot_be_asked_is_an_error(host: Host, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(AnsibleActionFail, match=reason):
        host.run(**arguments)


def summary(hostvars: dict[str, Any], check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    options = {"hosts": list(hostvars), "register": "probed", "mark": "now", **arguments}
    result: dict[str, Any] = action(Summary, options, check_mode).run(task_vars={"hostvars": hostvars})
    return result


def test_the_fleet_is_judged_and_filed(host: Host, tmp_path: Path) -> None:
    probed = host.run(targets=["https://a.example.com", "https://bad.example.com"], mark="now")
    hostvars = {"d1": {"probed": probed}, "d2": {"probed": probed}}
    result = summary(hostvars, results_dir=str(tmp_path), title="Before")
    assert not result["passed"]
    assert result["lines"][0] == "Before: 2 of 2 managed hosts answered"
    assert result["counts"]["failed"] == 2
    assert json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["counts"] == result["counts"]
    assert "failed" not in result


def test_answers_of_an_earlier_run_do_not_count(host: Host) -> None:
    old = host.run(targets=["https://a.example.com"], mark="before")
    new = host.run(targets=["https://a.example.com"], mark="now")
    result = summary({"d1": {"probed": new}, "d2": {"probed": old}, "d3": {}})
    assert [item["host"] for item in result["silent"]] == ["d2", "d3"]
    assert not result["passed"]


def test_check_mode_judges_and_writes_nothing(host: Host, tmp_path: Path) -> None:
    probed = host.run(targets=["https://a.example.com"], mark="now")
    result = summary({"d1": {"probed": probed}}, results_dir=str(tmp_path / "new"), check_mode=True)
    assert result["passed"]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def compared(host: Host, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A host that denied one name then and denies another one as well now."""
    probed = {}
    for when, names in {"then": ["bad"], "now": ["bad", "bad2"]}.items():
        entries = [f"{name}.example.com" for name in (*names, "a")]
        probed[when] = host.run("d1", entries=entries, results_dir=str(tmp_path / when), mark=when)
    summary({"d1": {"probed": probed["then"]}}, mark="then", results_dir=str(tmp_path / "then"))

    def run(baseline: str, **arguments: Any) -> dict[str, Any]:
        told = {"mark": "now", "results_dir": str(tmp_path / "now"), "baseline": str(tmp_path / baseline)}
        return summary({"d1": {"probed": probed["now"]}}, **{**told, **arguments})

    return run


@pytest.mark.parametrize("baseline", ["then", "then/summary.json"])
def test_only_what_is_worse_than_then_fails(compared: Callable[..., dict[str, Any]], baseline: str) -> None:
    result = compared(baseline, fail_on="worse", report=["junit"])
    assert (result["passed"], result["worse_count"], result["counts"]["failed"]) == (False, 1, 2)
    assert result["worse"][0].startswith("d1: bad2.example.com (required) was not asked for, is proxy_denied")
    assert 'failures="1"' in Path(result["reports"]["junit"]).read_text(encoding="utf-8").splitlines()[1]
    assert compared(baseline, fail_on="never")["worse_count"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"baseline": "now"}, "is where this verification writes its own results"),
        ({"baseline": "now/summary.json"}, "is where this verification writes its own results"),
        ({"baseline": "nowhere"}, "holds no result of any of these hosts"),
        ({"baseline": "then", "results_dir": None}, "a baseline is compared with the result files"),
        ({"baseline": "then", "fail_on": "worse", "check_mode": True}, "cannot be judged in check mode"),
    ],
)
def test_a_baseline_that_shows_nothing_is_an_error(
    compared: Callable[..., dict[str, Any]], arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(AnsibleActionFail, match=words):
        compared(**arguments)


def test_check_mode_compares_nothing(compared: Callable[..., dict[str, Any]]) -> None:
    assert "worse" not in compared("then", check_mode=True)


def test_a_host_that_is_not_in_the_inventory_is_an_error() -> None:
    with pytest.raises(AnsibleActionFail, match="'d9' is not a host of the inventory"):
        action(Summary, {"hosts": ["d9"], "register": "probed"}).run(task_vars={"hostvars": {}})


def test_a_raw_result_is_judged_here() -> None:
    wanted = inquiry({**OPTIONS, "entries": ["a.example.com", "bad.example.com", "new.example.com"]})
    asked = [url for url in wanted.targets if "new" not in url]
    answers = [_answer(url, "proxy_denied" if "bad" in url else "reachable") for url in asked]
    whole = judge_raw({"format": 2, "raw": True, "host": "d7", "seconds": 1.5, "answers": answers}, wanted, "results")
    assert [item["status"] for item in whole["entries"]] == ["ok", "failed", "failed"]
    assert "another list of entries" in whole["entries"][2]["evidence"]
    assert (whole["host"], whole["counts"]["failed"], "raw" in whole) == ("d7", 2, False)


@pytest.mark.parametrize("data", [{}, {"format": 2}, {"format": 1, "answers": []}, {"format": 2, "answers": {}}])
def test_what_is_no_raw_result(data: dict[str, Any]) -> None:
    with pytest.raises(AllowlistError, match="d7.json: expected a result of the stand-alone probe of format 2"):
        judge_raw(data, inquiry({**OPTIONS, "entries": ["a.example.com"]}), "d7.json")


def test_others_tell_of_what_is_seen_here(host: Host, tmp_path: Path) -> None:
    elsewhere = tmp_path / "control.json"
    dead = {**_answer("https://a.example.com", "refused"), "steps": {"seconds": {}}}
    elsewhere.write_text(json.dumps({"host": "control", "answers": [dead]}), encoding="utf-8")
    host.run(targets=["https://a.example.com"], reference=[str(elsewhere)])
    assert "reference" not in host.asked
    (tmp_path / "none.json").write_text("{}", encoding="utf-8")
    for name, words in (("none.json", "it has no answers"), ("missing.json", "cannot read")):
        with pytest.raises(AnsibleActionFail, match=rf"reference\[1\]: .*{words}"):
            host.run(targets=["https://a.example.com"], reference=[str(elsewhere), str(tmp_path / name)])


def test_names_that_download_in_parts_are_asked_for_one(host: Host) -> None:
    entry = {"value": "dl.example.com", "groups": ["delivery_optimization"]}
    host.run(entries=[entry, "a.example.com"])
    assert host.asked["range_targets"] == ["http://dl.example.com"]


def test_the_result_before_is_kept_beside(host: Host, tmp_path: Path) -> None:
    new, old = tmp_path / "results", tmp_path / "before"
    for mark in ("1", "2"):
        host.run(entries=["a.example.com"], results_dir=str(new), previous_dir=str(old), mark=mark)
    marks = [json.loads((folder / "desktop1.json").read_text(encoding="utf-8"))["mark"] for folder in (old, new)]
    assert marks == ["1", "2"]
