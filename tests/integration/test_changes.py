# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What would change and why, and why is a name allowed: the playbooks for a ticket and for the night, on real hosts."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import inlab
import pytest
from ansible_collections.egress.allowlist.tests.web_service.history import ADDED, small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

REPORT = "playbooks/report_changes.yml"
EXPLAIN = "playbooks/explain.yml"
GONE = "{ansible_ssh_common_args: '-F none', ansible_host: 127.0.0.1, ansible_port: 9, egress_appliance: squid}"
CRITICAL = "mmd-support-prod-nam.trafficmanager.net"


class Runs:
    """Playbooks with folders of their own, and what they were told so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: dict[str, Any] = {
            "egress_groups": ["managed_desktop", "get_help"],
            "egress_verify": False,
            "egress_change_id": "CHG 7",
            "egress_report_dir": str(folder / "changes"),
            "egress_snapshot_dir": str(folder / "snapshots"),
            "egress_cache_dir": str(folder / "cache"),
        }

    def play(self, name: str, *words: str, passes: bool = True) -> str:
        done = inlab.ansible("ansible-playbook", name, "-e", json.dumps(self.settings), *words, check=False)
        told = done.stdout + done.stderr
        assert (done.returncode == 0) == passes, told[-6000:]
        return told

    def report(self, *words: str, passes: bool = True) -> dict[str, Any]:
        told = self.play(REPORT, *words, passes=passes)
        assert "[WARNING]" not in told
        found: dict[str, Any] = json.loads((self.folder / "changes" / "CHG-7.json").read_text(encoding="utf-8"))
        return found

    def page(self) -> str:
        return (self.folder / "changes" / "CHG-7.md").read_text(encoding="utf-8")

    def run(self, command: str) -> str:
        """A command of the report, as somebody would paste it."""
        return inlab.ansible(*shlex.split(command)).stdout

    def explain(self, name: str, *words: str) -> list[str]:
        told = self.play(EXPLAIN, "-e", f"name={name}", *words)
        start = told.index('"msg": [')
        lines: list[str] = json.loads("{" + told[start : told.index("]\n}", start)] + "]}")["msg"]
        return lines


def rows(told: dict[str, Any], host: str, part: str) -> dict[str, dict[str, Any]]:
    (one,) = [one for one in told["appliances"] if one["host"] == host]
    return {row["value"]: row for row in one[part]}


@pytest.fixture
def runs(tmp_path: Path, squid: inlab.Squid, firewall: inlab.Firewall) -> Runs:
    return Runs(tmp_path)


def test_from_the_report_to_the_apply_and_back(
    runs: Runs, squid: inlab.Squid, untouched: dict[str, str], firewall: inlab.Firewall,
    untouched_firewall: dict[str, str],
) -> None:
    shown = runs.play(REPORT, "--check")
    assert "Change of the allowlist CHG 7: 2 of 2 appliances would change; 10 added, 0 removed, 0 changed" in shown
    assert list(runs.folder.iterdir()) == []
    told = runs.report()
    assert told["totals"] == {
        "appliances": 2, "changed": 2, "failed": 0, "added": 10, "removed": 0, "moved": 0, "not_exact": 10,
    }  # fmt: skip
    assert (squid.files(), firewall.files()) == (untouched, untouched_firewall)
    assert {path.name for path in runs.folder.iterdir()} == {"changes"}
    row = rows(told, "proxy1", "added")[CRITICAL]
    assert (row["critical"], row["groups"], row["why"]) == (True, ["managed_desktop"], "asked for by mmd")
    page = runs.page()
    runs.report()
    assert runs.page() == page
    assert page.index("## firewall1 (nftables)") < page.index("## proxy1 (squid)") < page.index("## To take it back")

    runs.run(told["commands"]["apply"])
    assert len(squid.run(state="gathered")["gathered"]) == len(firewall.run(state="gathered")["gathered"]) == 10
    after = runs.report()
    assert [one["changed"] for one in after["appliances"]] == [False, False]
    runs.run(told["commands"]["rollback"])
    assert (squid.files(), firewall.files()) == (untouched, untouched_firewall)


def test_a_critical_name_that_goes_is_the_first_thing_to_see(runs: Runs, squid: inlab.Squid) -> None:
    squid.run(entries=[CRITICAL, "by.hand.example", "login.windows.net"])
    runs.settings["egress_exclude"] = [CRITICAL]
    runs.settings["egress_max_shrink"] = 100
    told = runs.report("--limit", "proxy1")
    (caution, *_others) = told["cautions"]
    assert caution == f"proxy1: takes away what must be reachable always (critical): {CRITICAL}"
    gone = rows(told, "proxy1", "removed")
    assert gone[CRITICAL]["why"] == "left out by the settings, though mmd has it"
    assert gone["by.hand.example"]["why"].startswith("no catalog asks for it")
    assert "--limit" in told["commands"]["apply"]
    assert caution.replace("_", "\\_") in runs.page()


def test_one_that_cannot_be_asked_ends_in_a_failure_and_a_report_of_the_others(
    runs: Runs, squid: inlab.Squid, tmp_path: Path
) -> None:
    more = tmp_path / "more.yml"
    more.write_text(f"egress_appliances: {{hosts: {{proxy9: {GONE}}}}}\n", encoding="utf-8")
    told = runs.play(REPORT, "-i", str(more), "--limit", "proxy1,proxy9", passes=False)
    assert "The plan is not whole: proxy9 could not be asked" in told
    found = json.loads((tmp_path / "changes" / "CHG-7.json").read_text(encoding="utf-8"))
    assert [(one["host"], one["changed"], one["error"] is None) for one in found["appliances"]] == [
        ("proxy1", True, True),
        ("proxy9", False, False),
    ]
    lines = runs.explain("login.live.com", "-i", str(more), "--limit", "proxy9")
    assert any(line.startswith("  on proxy9: could not be read: ") for line in lines)


def test_a_site_that_must_be_prepared_first(runs: Runs, firewall: inlab.Firewall) -> None:
    firewall.load_site(inlab.ESTABLISHED)
    told = runs.report("--limit", "firewall1")
    (one,) = told["appliances"]
    assert one["error"] is None
    assert len(one["added"]) == 10
    assert any("meta mark & 0x00010000 == 0x00010000 accept" in text for text in told["cautions"])


def test_why_is_it_allowed_and_who_holds_it(runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall) -> None:
    squid.run(entries=["login.windows.net", "*.by.hand.example"])
    before = squid.files(), firewall.files()
    lines = runs.explain("login.windows.net")
    assert lines[:2] == [
        "login.windows.net: ALLOWED",
        "  by login.windows.net on tcp/80,443, required",
    ]
    intents = "allow, bypass_tls_inspection, bypass_content_inspection, bypass_authentication"
    assert lines[-2:] == [
        "  on firewall1: does not hold it; the list wants it: the next apply adds it",
        f"  on proxy1: holds it by login.windows.net on tcp/80,443 ({intents}), as the list wants",
    ]
    lines = runs.explain("a.by.hand.example", "--limit", "proxy1", "--check")
    assert lines[0] == "a.by.hand.example: NOT ALLOWED"
    assert lines[-1].endswith("; the list does not want it: the next apply takes it away")
    runs.settings["egress_state"] = "merged"
    lines = runs.explain("a.by.hand.example", "--limit", "proxy1")
    assert lines[-1].endswith("; the list does not want it, and egress_state merged keeps it")
    assert (squid.files(), firewall.files()) == before


def test_what_the_web_service_changed_reaches_the_report(runs: Runs, squid: inlab.Squid) -> None:
    with WebService(small_history()) as service:
        runs.settings.update({
            "egress_groups": ["common"], "egress_catalog": ["microsoft_365"], "egress_web_service_url": service.url,
            "egress_check_interval": 0, "egress_grace": 0,
        })  # fmt: skip
        proxy = ("--limit", "proxy1")
        (unknown, *_others) = runs.report(*proxy)["cautions"]
        assert unknown.startswith("what the web service changed is not known: since: no version of the web service")
        assert not (runs.folder / "cache").exists()
        runs.play("playbooks/apply_mmd_allowlist.yml", *proxy)
        service.publish(ADDED)
        kept = sorted(path.name for path in (runs.folder / "cache").rglob("*"))
        told = runs.report(*proxy)
        assert sorted(path.name for path in (runs.folder / "cache").rglob("*")) == kept
        added = rows(told, "proxy1", "added")
        assert "login.microsoft.com" in added
        assert added["login.microsoft.com"]["why"] == (
            f"new in the web service: version {ADDED}, set 56, effective 2025-11-28, AddedIpAndUrl"
        )
        reached = {row["value"]: row["appliances"] for row in told["web_service"]["changes"]}
        assert reached["login.microsoft.com"] == ["proxy1"]
        common = "Microsoft 365 Common and Office Online"
        assert reached["pop.office365.example"] == []  # a name of another group
        assert f"| added | `login.microsoft.com` | 56 | {common} | {ADDED} |" in runs.page()
        lines = runs.explain("login.microsoft.com", *proxy)
        assert any("set 56" in line and f"since {ADDED}" in line for line in lines), lines
        assert lines[-1].endswith("the list wants it: the next apply adds it")
        runs.run(told["commands"]["apply"])
        assert runs.report(*proxy)["totals"]["changed"] == 0
