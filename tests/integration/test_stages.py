# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The apply that takes itself back, as people run it: stages, regressions, snapshots, the rollback later."""

from __future__ import annotations

import os
import re
import shutil
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
GONE = {"ansible_ssh_common_args": "-F none", "ansible_host": "127.0.0.1", "ansible_port": 9}
NOBODY = {"egress_clients": ["192.0.2.99"]}  # the desktops are no clients any more: the poison

# A Squid beside which, for once, somebody else writes into our file just after it was loaded.
SPOILED = """\
#!/bin/sh
squid "$@" || exit
case "$*" in *reconfigure*)
  [ -e /etc/squid/spoiled.once ] || { touch /etc/squid/spoiled.once; echo '#' >> /etc/squid/conf.d/10-egress_mmd.conf; }
esac
"""


class Runs:
    """Playbooks with folders of their own."""

    def __init__(self, folder: Path) -> None:
        self.results, self.snapshots = folder / "results", folder / "snapshots"
        self._inventory = folder / "more.yml"
        self.stages({})

    def stages(self, groups: Mapping[str, Mapping[str, Mapping[str, object]]], **of_appliances: object) -> None:
        """What the inventory says beside the lab's own: groups, their hosts and the hosts' variables.

        As people do, what is about measuring stands with the managed hosts, and what is about applying with the others.
        """
        own: dict[str, dict[str, object]] = {
            "managed_hosts": {"vars": {"egress_results_dir": str(self.results)}},
            "egress_appliances": {"vars": {"egress_snapshot_dir": str(self.snapshots), **of_appliances}},
        }
        for name, hosts in groups.items():
            own.setdefault(name, {})["hosts"] = {host: dict(variables) for host, variables in hosts.items()}
        self._inventory.write_text(yaml.safe_dump(own), encoding="utf-8")

    def words(self, name: str, *words: str) -> list[str]:
        settings = ["egress_timeout=1", '{"egress_entries": ["a.allowed.example", "b.allowed.example"]}']
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
    # Later, and without anything but the snapshot, the canary too gets back what it held. An older run that changed
    # both is no reason to take the other one further back.
    old = runs.snapshots / "20200101T000000Z"
    shutil.copytree(next(runs.snapshots.iterdir()), old)
    (old / "firewall1.json").write_text("{}", encoding="utf-8")
    shown = runs.play(ROLLBACK, "-e", "snapshot=latest", "--check", "--diff")
    assert "-host a.allowed.example tcp/80,443" in shown
    assert "nothing to give back" in shown
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


def test_an_appliance_that_fails_halfway_gets_back_what_it_held(
    runs: Runs, squid: inlab.Squid, untouched: dict[str, str]
) -> None:
    squid.run(entries=WANTED[:1])
    before = squid.files()
    squid.write("/etc/squid/spoiled", SPOILED)
    inlab.on("proxy1", "chmod", "755", "/etc/squid/spoiled")
    spoiled = {"egress_squid": {"executable": "/etc/squid/spoiled"}}
    runs.stages({"egress_appliances": {"proxy1": spoiled, "proxy9": {**GONE, "egress_appliance": "squid"}}})
    told = runs.play(APPLY, "--limit", "proxy1:proxy9:desktop1", passes=False)
    assert "proxy1: written, and read back it is not what was written" in told
    assert "What they held before was given back to proxy1." in told
    assert re.search(r"proxy9: .*Connection refused", told)  # it is told once, in words, and nothing was tried there
    after = squid.files()
    assert {path: text for path, text in after.items() if "/spoiled" not in path} == before
    assert runs.kept() == []


def test_a_managed_host_that_is_lost_takes_the_change_back(runs: Runs, squid: inlab.Squid, tmp_path: Path) -> None:
    squid.run(entries=WANTED[:1])
    before = squid.files()
    python = tmp_path / "answers-once"
    python.write_text(f"#!/bin/sh\nmkdir {tmp_path}/answered && exec /usr/bin/python3 \"$@\"\n", encoding="utf-8")
    python.chmod(0o755)
    lost = {"ansible_connection": "local", "ansible_python_interpreter": str(python), "egress_public_ca_path": "",
            "egress_inspection_ca_path": ""}
    runs.stages({"managed_hosts": {"desktop9": lost}})
    told = runs.play(APPLY, "--limit", "proxy1:desktop1:desktop9", passes=False)
    assert "Worse than before: lost: desktop9. What they held before was given back to proxy1." in told
    assert squid.files() == before


def test_who_cannot_tell_takes_the_change_back(runs: Runs, squid: inlab.Squid, tmp_path: Path) -> None:
    before = squid.files()
    runs.stages({"managed_hosts": {"desktop2": {"egress_results_dir": str(tmp_path / "elsewhere")}}})
    told = runs.play(APPLY, "--limit", "proxy1:desktop1:desktop2", passes=False)
    assert re.search(r"Nobody can tell whether anything got worse: .*desktop2\.json", told)
    assert "given back to proxy1" in told
    assert squid.files() == before


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
    silent = {"managed_hosts": dict.fromkeys(("desktop1", "desktop2", "desktop3"), GONE)}
    runs.stages(silent)
    told = runs.play(APPLY, passes=False)
    assert "nobody could tell whether the change makes anything worse. Nothing was changed" in told
    assert state(squid, firewall) == before
    runs.stages(silent, egress_rollback="never")
    told = runs.play(APPLY, "--limit", "proxy1:desktop1", passes=False)  # nobody proved it, so it is no pass
    assert "0 of 1 managed hosts answered" in told
    assert squid.files() != before[0]
    told = runs.play(APPLY, "--limit", "firewall1", passes=False)
    assert "nobody proved that the allowlist works. It was applied all the same" in told
    assert firewall.files() != before[1]
    runs.stages(silent, egress_rollback=False)
    assert "egress_rollback: expected on_regression or never, got {" in runs.play(APPLY, passes=False)
    assert "there is nothing to apply" in runs.play(APPLY, "--limit", "desktop1", passes=False)


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
    assert "runs that have one: 2" in wrong
    runs.play(ROLLBACK, "-e", "snapshot=latest", "--limit", "proxy1")
    assert squid.files() == before
    assert "changed=0" in runs.play(ROLLBACK, "-e", "snapshot=latest", "--limit", "proxy1")


def test_a_rollback_without_a_snapshot_says_what_is_missing(runs: Runs) -> None:
    assert "Which snapshot?" in runs.play(ROLLBACK, passes=False)
    assert "there is no snapshot of" in runs.play(ROLLBACK, "-e", "snapshot=latest", passes=False)
