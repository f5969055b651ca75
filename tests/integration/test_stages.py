# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The apply that takes itself back, as people run it: stages, regressions, snapshots, the rollback later."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import inlab
import pytest
import yaml

APPLY = "playbooks/apply_mmd_allowlist.yml"
ROLLBACK = "playbooks/rollback_mmd_allowlist.yml"
WANTED = ["a.allowed.example", "b.allowed.example"]
NOBODY = {"egress_clients": ["192.0.2.99"]}  # the desktops are no clients any more: the poison


class Runs:
    """Playbooks with folders of their own."""

    def __init__(self, folder: Path) -> None:
        self.results, self.snapshots = folder / "results", folder / "snapshots"
        self._inventory = folder / "more.yml"
        self.stages({})

    def stages(self, groups: Mapping[str, Mapping[str, Mapping[str, object]]]) -> None:
        """What the inventory says beside the lab's own: groups, their hosts and the hosts' variables."""
        text = yaml.safe_dump({name: {"hosts": dict(hosts)} for name, hosts in groups.items()})
        self._inventory.write_text(text if groups else "{}\n", encoding="utf-8")

    def words(self, name: str, *words: str) -> list[str]:
        settings = [
            f"egress_results_dir={self.results}", f"egress_snapshot_dir={self.snapshots}", "egress_timeout=1",
            '{"egress_entries": ["a.allowed.example", "b.allowed.example"]}',
        ]
        extra = [part for setting in settings for part in ("-e", setting)]
        return ["ansible-playbook", "-i", str(self._inventory), name, *extra, *words]

    def play(self, name: str, *words: str, passes: bool = True) -> str:
        done = inlab.ansible(*self.words(name, *words), check=False)
        told = done.stdout + done.stderr
        assert (done.returncode == 0) == passes, told[-6000:]
        return told

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.snapshots.glob("*/*.json"))


@pytest.fixture
def runs(tmp_path: Path, squid: inlab.Squid, firewall: inlab.Firewall) -> Runs:
    return Runs(tmp_path)


def state(squid: inlab.Squid, firewall: inlab.Firewall) -> tuple[dict[str, str], dict[str, str]]:
    return squid.files(), firewall.files()


def test_a_poisoned_canary_is_restored_and_the_rest_is_not_begun(
    runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall
) -> None:
    squid.run(entries=WANTED)
    before = state(squid, firewall)
    runs.stages({"egress_canary": {"proxy1": NOBODY}})
    told = runs.play(APPLY, passes=False)
    assert "Worse than before: a.allowed.example is proxy_auth_required" in told
    assert "What they held before was given back to proxy1. The stages after canary were not begun." in told
    assert state(squid, firewall) == before
    assert runs.kept() == []  # the present is what they held


def test_what_is_bad_in_the_rest_only_leaves_the_canary_its_list(
    runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall
) -> None:
    firewall.run(entries=WANTED, widen="any")
    squid_before, firewall_before = state(squid, firewall)
    runs.stages({"egress_canary": {"proxy1": {}}, "egress_appliances": {"firewall1": NOBODY}})
    told = runs.play(APPLY, passes=False)
    assert "a.allowed.example is timeout" in told
    assert "given back to firewall1." in told
    squid_after, firewall_after = state(squid, firewall)
    assert firewall_after == firewall_before
    assert squid_after != squid_before
    assert runs.kept() == ["proxy1.json"]
    # Later, and without anything but the snapshot, the canary too gets back what it held.
    shown = runs.play(ROLLBACK, "-e", "snapshot=latest", "--check", "--diff", "--limit", "proxy1")
    assert "-host a.allowed.example tcp/80,443" in shown
    assert state(squid, firewall) == (squid_after, firewall_after)
    runs.play(ROLLBACK, "-e", "snapshot=latest", "--limit", "proxy1")
    assert state(squid, firewall) == (squid_before, firewall_before)


def test_sites_come_one_after_the_other_and_an_error_ends_the_run(
    runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall
) -> None:
    untouched = firewall.files()
    squid.write("/etc/squid/conf.d/05-early.conf", "http_access deny all\n")
    runs.stages({"egress_appliances": {"proxy1": {"egress_site": "a"}, "firewall1": {"egress_site": "b"}}})
    told = runs.play(APPLY, passes=False)
    assert "05-early.conf:1" in told
    assert "The stages after site a were not begun." in told
    assert firewall.files() == untouched


def test_a_provider_that_fails_meanwhile_takes_nothing_back(
    runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall
) -> None:
    firewall.run(entries=["b.allowed.example"], widen="any")
    squid.run(entries=["b.allowed.example"])
    # It falls ill between the two measurements.
    with subprocess.Popen(
        [str(inlab.ROOT / ".venv/bin/ansible-playbook"), "-i", str(inlab.LAB / "inventory.yml"),
         *runs.words(APPLY, "-e", "egress_settle=3")[1:]],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=inlab.ROOT,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "Let the change spread" in line:
                break
        with inlab.fault("b.allowed.example", "refused"):
            told = running.stdout.read()
    assert running.returncode == 2
    assert "b.allowed.example" in told
    assert "refused" in told
    assert "given back" not in told
    assert len(squid.run(state="gathered")["gathered"]) == 2


def test_nobody_who_answered_before_means_no_change(
    runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall
) -> None:
    before = state(squid, firewall)
    gone = {"ansible_ssh_common_args": "-F none", "ansible_host": "127.0.0.1", "ansible_port": 9}
    runs.stages({"managed_hosts": dict.fromkeys(("desktop1", "desktop2", "desktop3"), gone)})
    told = runs.play(APPLY, passes=False)
    assert "nobody could tell whether the change makes anything worse. Nothing was changed." in told
    assert state(squid, firewall) == before
    runs.play(APPLY, "-e", "egress_rollback=never", passes=False)  # nobody proved it, so it is no pass
    assert state(squid, firewall) != before


def test_a_control_node_that_dies_loses_nothing(
    runs: Runs, squid: inlab.Squid, firewall: inlab.Firewall
) -> None:
    squid.run(entries=WANTED[:1])
    before = squid.files()
    limit = ("--limit", "proxy1:desktop1", "-e", "egress_settle=60")
    with subprocess.Popen(
        [str(inlab.ROOT / ".venv/bin/ansible-playbook"), "-i", str(inlab.LAB / "inventory.yml"),
         *runs.words(APPLY, *limit)[1:]],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=inlab.ROOT, start_new_session=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "Let the change spread" in line:
                break
        os.killpg(running.pid, signal.SIGKILL)
    assert squid.files() != before
    assert [oct(path.stat().st_mode)[-3:] for path in runs.snapshots.glob("**/*")] == ["700", "600"]
    wrong = runs.play(ROLLBACK, "-e", "snapshot=20010101T000000Z", "--limit", "proxy1", passes=False)
    assert "runs with a snapshot of proxy1: 2" in wrong
    runs.play(ROLLBACK, "-e", "snapshot=latest", "--limit", "proxy1")
    assert squid.files() == before
    assert "changed=0" in runs.play(ROLLBACK, "-e", "snapshot=latest", "--limit", "proxy1")


def test_a_rollback_without_a_snapshot_says_what_is_missing(runs: Runs) -> None:
    assert "Which snapshot?" in runs.play(ROLLBACK, passes=False)
    assert "there is no snapshot of" in runs.play(ROLLBACK, "-e", "snapshot=latest", passes=False)
