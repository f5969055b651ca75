# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks as people run them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import inlab
from inlab import ask, connect

APPLY = "playbooks/apply_mmd_allowlist.yml"
BOTH = ["firewall1", "proxy1"]
FEW = ("-e", '{"egress_groups": ["managed_desktop", "get_help"]}')
TOLD_BY = ("-e", '{"egress_verify_entries": ["mmdls.microsoft.com", "login.live.com", "*.update.microsoft.com"]}')
ALONE = ("-e", "egress_verify=false")


def play(tmp_path: Path, *words: str, passes: bool = True) -> str:
    folders = json.dumps({f"egress_{name}_dir": str(tmp_path / f"{name}s") for name in ("result", "snapshot")})
    done: subprocess.CompletedProcess[str] = inlab.ansible(
        # A firewall that is silent as yet makes each question last as long as it may.
        "ansible-playbook", APPLY, "-e", folders.replace("egress_result_", "egress_results_"),
        "-e", "egress_timeout=2", *words, check=False,
    )
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == passes, output[-6000:]
    assert "[WARNING]" not in output
    return output


def changed(output: str) -> list[str]:
    return re.findall(r"^(\S+) .*changed=[1-9]", output, re.MULTILINE)


def test_check_apply_again(
    squid: inlab.Squid, untouched: dict[str, str], firewall: inlab.Firewall, untouched_firewall: dict[str, str],
    tmp_path: Path,
) -> None:
    """The whole catalog is applied; a few names tell before and after, and all of it is verified once, at the end."""
    told = play(tmp_path, *TOLD_BY, "--check", "--diff")
    assert changed(told) == BOTH
    assert told.count("+host mmdls.microsoft.com tcp/80,443") == 2
    assert "Check mode, not applied: verification shows the present" in told
    assert (squid.files(), firewall.files()) == (untouched, untouched_firewall)
    assert list(tmp_path.iterdir()) == []
    applied = play(tmp_path, *TOLD_BY)
    assert changed(applied) == BOTH
    assert "3 of 3 managed hosts answered" in applied
    assert "Passed." in applied
    assert {path.name for path in (tmp_path / "results").iterdir()} == {
        "desktop1.json", "desktop2.json", "desktop3.json", "summary.json", "before-site", "report.html", "report.xml",
    }
    assert len(list((tmp_path / "snapshots").glob("*/*.json"))) == 2
    assert changed(play(tmp_path, *TOLD_BY)) == []
    whole = tmp_path / "whole"
    inlab.ansible("ansible-playbook", "playbooks/verify_mmd_allowlist.yml", "-e", f"egress_results_dir={whole}")
    counts = json.loads((whole / "summary.json").read_text(encoding="utf-8"))["counts"]
    assert counts["ok"] == counts["total"] > 900


def test_both_are_left_as_they_were(
    squid: inlab.Squid, untouched: dict[str, str], firewall: inlab.Firewall, untouched_firewall: dict[str, str],
    tmp_path: Path,
) -> None:
    play(tmp_path, *FEW, *ALONE)
    assert len(squid.run(state="gathered")["gathered"]) == len(firewall.run(state="gathered")["gathered"]) == 10
    gone = ("-e", "egress_state=deleted", *ALONE)
    assert changed(play(tmp_path, *gone)) == BOTH
    assert (squid.files(), firewall.files()) == (untouched, untouched_firewall)
    assert changed(play(tmp_path, *gone)) == []


def test_only_the_damaged_one_is_changed(squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path) -> None:
    play(tmp_path, *FEW, *ALONE)
    firewall.nft("-f", "/etc/nftables.conf")  # begins with flush ruleset
    assert changed(play(tmp_path, *FEW)) == ["firewall1"]


def test_a_firewall_that_lacks_its_line_ends_the_run(
    squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path
) -> None:
    firewall.load_site(inlab.ESTABLISHED)
    told = play(tmp_path, *FEW, passes=False)
    assert "meta mark & 0x00010000 == 0x00010000 accept" in told
    assert "managed hosts answered" not in told


def test_an_intent_that_an_appliance_lacks_is_named(
    squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path
) -> None:
    asked = '["allow", "bypass_tls_inspection", "bypass_authentication"]'
    told = play(tmp_path, *FEW, "-e", f'{{"egress_intents": {asked}}}', passes=False)
    assert "this appliance has no bypass_tls_inspection, bypass_authentication; it has allow, bypass_content" in told


def test_nothing_is_applied_that_nobody_could_verify(
    squid: inlab.Squid, untouched: dict[str, str], tmp_path: Path
) -> None:
    told = play(tmp_path, "--limit", "proxy1", passes=False)
    assert "No managed host is in this run" in told
    assert squid.files() == untouched
    play(tmp_path, "--limit", "proxy1", *FEW, *ALONE)
    assert ask("desktop1", [connect("mmdls.microsoft.com")])["mmdls.microsoft.com"].connect == 200


def test_a_managed_host_that_does_not_answer_is_no_pass(
    squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path
) -> None:
    more = tmp_path / "more.yml"
    closed = "{ansible_ssh_common_args: '-F none', ansible_host: 127.0.0.1, ansible_port: 9}"
    more.write_text(f"managed_hosts: {{hosts: {{desktop9: {closed}}}}}\n", encoding="utf-8")
    told = play(tmp_path, "-i", str(more), *FEW, passes=False)
    assert "3 of 4 managed hosts answered" in told
    assert "desktop9" in told


def test_an_appliance_that_refuses_ends_the_run(squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path) -> None:
    squid.write("/etc/squid/conf.d/05-early.conf", "http_access deny all\n")
    told = play(tmp_path, *FEW, passes=False)
    assert "05-early.conf:1" in told
    assert "managed hosts answered" not in told


def test_fewer_groups_and_a_tenant_that_is_missing(
    squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path
) -> None:
    play(tmp_path, *FEW)
    assert len(squid.run(state="gathered")["gathered"]) == len(firewall.run(state="gathered")["gathered"]) == 10
    told = play(tmp_path, "-e", "egress_tenant=", passes=False)
    assert "tenant_missing=skip" in told
