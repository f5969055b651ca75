# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Result files, and the judgement over a fleet."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet, message, render
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import MOST_SHOWN


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("desktop1", "desktop1.json"),
        ("desktop1.example.com", "desktop1.example.com.json"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.json"),
        ("/etc/passwd", "%2Fetc%2Fpasswd.json"),
        ("..", "%2E..json"),
        (".hidden", "%2Ehidden.json"),
        ("summary", "%73ummary.json"),
        ("SUMMARY", "%53UMMARY.json"),
        ("a\0b\nc", "a%00b%0Ac.json"),
        ("2001:db8::1", "2001%3Adb8%3A%3A1.json"),
    ],
)
def test_no_host_name_leads_out_of_the_folder(host, name):
    assert _probe_file.host_file("/results", host) == f"/results/{name}"


def test_long_names_of_hosts_stay_apart():
    one, two = (_probe_file.host_file("/results", "é" * 300 + end) for end in "ab")
    assert one != two
    assert len(os.path.basename(one)) <= 255


def test_files_and_their_folder_are_for_nobody_else(tmp_path):
    path = _probe_file.host_file(str(tmp_path / "new" / "results"), "desktop1")
    _probe_file.write(path, {"one": 1})
    _probe_file.write(path, {"two": 2})
    assert json.loads(Path(path).read_text(encoding="utf-8")) == {"two": 2}
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    assert os.listdir(os.path.dirname(path)) == ["desktop1.json"]


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = _probe_file.host_file(str(tmp_path), "desktop1")
    _probe_file.write(path, {"old": True})

    def full(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AllowlistError, match="results_dir: cannot write .*No space left on device"):
        _probe_file.write(path, {"new": True})
    assert json.loads(Path(path).read_text(encoding="utf-8")) == {"old": True}
    assert os.listdir(tmp_path) == ["desktop1.json"]


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(AllowlistError, match="results_dir: cannot write"):
        _probe_file.write(_probe_file.summary_file(str(tmp_path / "file")), {})


def numbers(ok=0, failed=0, not_provable=0, gone=0):
    total = ok + failed + not_provable + gone
    return {"total": total, "ok": ok, "failed": failed, "not_provable": not_provable, "gone": gone}


def failure(entry="a.example", severity="required", outcome="tls_inspected"):
    return {
        "entry": entry,
        "severity": severity,
        "target": f"https://{entry}",
        "outcome": outcome,
        "blame": "inspection",
        "evidence": f"{entry} is {outcome}",
    }


def result(*failures, ok=1, gone=()):
    by_severity = {
        severity: numbers(
            ok=ok if severity == "required" else 0, failed=sum(item["severity"] == severity for item in failures)
        )
        for severity in ("critical", "required", "optional")
    }
    counts = numbers(ok=ok, failed=len(failures), gone=len(gone))
    return {
        "answered": True,
        "counts": counts,
        "by_severity": by_severity,
        "by_group": {"one": counts},
        "by_outcome": {"tls_inspected, suspect: inspection": len(failures)} if failures else {},
        "failures": list(failures),
        "not_provable": [],
        "gone": list(gone),
    }


def test_a_fleet_that_is_fine_passes():
    verdict = judge_fleet(["d1", "d2"], {"d1": result(), "d2": result(gone=["old.example"])}, "required")
    assert verdict["passed"]
    assert verdict["counts"] == numbers(ok=2, gone=1)
    lines = render(verdict, "After")
    assert lines[0] == "After: 2 of 2 managed hosts answered"
    assert lines[-1] == "Passed."
    assert any("old.example" in line for line in lines)


@pytest.mark.parametrize(
    ("silent", "reason"),
    [
        (None, "it was not asked"),
        ({"unreachable": True, "msg": "no route\nto host"}, "unreachable: no route"),
        ({"answered": False, "failed": False, "msg": "no python"}, "no python"),
        ({"answered": False}, "no reason given"),
    ],
)
@pytest.mark.parametrize("fail_on", ["required", "never"])
def test_a_host_that_did_not_answer_is_never_a_pass(silent, reason, fail_on):
    verdict = judge_fleet(["d1", "d2"], {"d1": result(), "d2": silent}, fail_on)
    assert not verdict["passed"]
    assert (verdict["answered"], verdict["total"]) == (1, 2)
    assert verdict["reasons"] == ["1 of 2 managed hosts did not answer: d2"]
    assert any(line.startswith(f"  d2 did not answer: {reason}") for line in render(verdict, "x"))


@pytest.mark.parametrize("hosts", [[], ["d1"]])
def test_nobody_who_answered_is_no_pass(hosts):
    verdict = judge_fleet(hosts, {}, "never")
    assert verdict["reasons"] == ["no managed host answered, so nothing is proven"]
    assert render(verdict, "x")


@pytest.mark.parametrize(
    ("severity", "fail_on", "passed"),
    [
        ("critical", "required", False),
        ("critical", "critical", False),
        ("critical", "never", True),
        ("required", "required", False),
        ("required", "critical", True),
        ("optional", "required", True),
    ],
)
def test_which_severity_fails_the_run(severity, fail_on, passed):
    assert judge_fleet(["d1"], {"d1": result(failure(severity=severity))}, fail_on)["passed"] is passed


def test_the_same_failure_on_many_hosts_is_one_piece_of_news_the_worst_first():
    hosts = [f"d{number}" for number in range(30)]
    answers = {host: result(failure("often.example"), failure("c.example", "critical")) for host in hosts}
    answers["d0"] = result(failure("seldom.example"))
    verdict = judge_fleet(hosts, answers, "required")
    assert [(item["entry"], item["count"]) for item in verdict["failures"]] == [
        ("c.example", 29),
        ("often.example", 29),
        ("seldom.example", 1),
    ]
    assert len(verdict["failures"][0]["hosts"]) == MOST_SHOWN
    text = "\n".join(render(verdict, "x"))
    assert "d20 and 9 more" in text
    assert "59  tls_inspected, suspect: inspection" in text
    assert "29 checks of critical endpoints not as intended" in message(verdict)
    assert "c.example on d1, d2, d3: tls_inspected, c.example is tls_inspected" in message(verdict)


def test_what_the_hosts_left_out_is_counted():
    shown = [failure(f"n{number}.example") for number in range(MOST_SHOWN)]
    one = result(*shown)
    one["by_severity"]["required"]["failed"] = 300
    verdict = judge_fleet(["d1"], {"d1": one}, "required")
    assert verdict["failures_more"] == 300 - MOST_SHOWN
    assert any("290 more" in line for line in render(verdict, "x"))
