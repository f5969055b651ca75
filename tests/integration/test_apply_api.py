# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on appliances with an API, which no Ansible connection leads to; emulators answer on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apis
import pytest
from apis import Apis
from inlab import ROOT

ANSIBLE = Path(sys.executable).with_name("ansible-playbook")
NAMES = ["login.live.com", "*.update.microsoft.com", *(f"n{number}.example.com" for number in range(8))]


class Site:
    """A control node with an inventory of them all."""

    def __init__(self, folder: Path, apis: Apis, secret: str) -> None:
        self.folder, self.secret, self.states, self.hosts = folder, secret, apis.states, apis.hosts

    def play(self, name: str, *words: str, passes: bool = True, **variables: Any) -> str:
        everywhere = {
            "egress_clients": ["10.20.0.0/16"], "egress_entries": NAMES,
            "egress_snapshot_dir": str(self.folder / "snapshots"), **variables,
        }
        inventory = {"egress_appliances": {"hosts": self.hosts, "vars": everywhere}}
        (self.folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        command = [str(ANSIBLE), str(ROOT / "playbooks" / f"{name}.yml"), "-i", str(self.folder / "inventory.json")]
        ran = subprocess.run(
            [*command, "-e", "egress_verify=false", *words],
            env={**apis.environment(), "ANSIBLE_HOME": str(self.folder / "home")},
            check=False, capture_output=True, text=True, cwd=self.folder,
        )
        said = ran.stdout + ran.stderr
        assert (ran.returncode == 0) == passes, said[-6000:]
        assert "[WARNING]" not in said
        assert self.secret not in said.replace("example.com", "")
        return said


@pytest.fixture
def secret() -> str:
    return "a-secret-7f3a"


@pytest.fixture
def site(tmp_path: Path, secret: str) -> Iterator[Site]:
    with apis.started(secret, tmp_path) as running:
        yield Site(tmp_path, running, secret)


def test_apply_again_explain_report_and_take_back(site: Site) -> None:
    before = site.states()
    told = site.play("apply_mmd_allowlist", "--check", "--diff")
    assert told.count("+host login.live.com tcp/80,443") == len(site.hosts)
    assert site.states() == before

    said = site.play("apply_mmd_allowlist", "-vvv")
    for host in site.hosts:
        assert f"{host} ({site.hosts[host]['egress_appliance']}): changed, 10 entries, 10 added, 0 removed" in said
    applied = site.states()
    assert all("login.live.com" in json.dumps(state) for state in applied.values())
    files = list((site.folder / "snapshots").glob("*/*.json"))
    assert sorted(file.stem for file in files) == sorted(site.hosts)
    assert not [file for file in files if site.secret in file.read_text(encoding="utf-8")]

    assert site.play("apply_mmd_allowlist").count("nothing to change") == len(site.hosts)
    assert site.states() == applied
    assert list((site.folder / "snapshots").glob("*/*.json")) == files

    said = site.play("explain", "-e", "egress_explain=login.live.com")
    assert said.count("as the list wants") == len(site.hosts)
    reports = site.folder / "reports"
    site.play("report_changes", "-e", f"egress_report_dir={reports}", egress_entries=NAMES[:8])
    told = json.loads((reports / "next.json").read_text(encoding="utf-8"))
    assert [len(one["removed"]) for one in told["appliances"]] == [2] * len(site.hosts)
    assert not [file for file in reports.iterdir() if site.secret in file.read_text(encoding="utf-8")]
    assert site.states() == applied

    said = site.play("rollback_mmd_allowlist", "-vvv", "-e", "snapshot=latest")
    assert said.count("is again as it was") == len(site.hosts)
    assert site.states() == before


def test_a_wrong_credential_is_told_and_not_shown(site: Site) -> None:
    for host in site.hosts.values():
        own = host[f"egress_{host['egress_appliance']}"]
        own.update({name: f"not-{value}" for name, value in own.items() if value == site.secret})
    before = site.states()
    said = site.play("apply_mmd_allowlist", "-vvv", passes=False)
    for name, host in site.hosts.items():
        assert re.search(rf"Failed: .*\b{name}: [^;]* {apis.REFUSALS[host['egress_appliance']]}", said)
    assert site.states() == before


@pytest.mark.parametrize("secret", ["example"])
def test_a_password_that_is_a_word_of_the_names_takes_nothing_from_a_snapshot(site: Site) -> None:
    one = ("--limit", "panos1")  # what keeps them whole is the same for all
    site.play("apply_mmd_allowlist", *one)
    before = site.states()
    site.play("apply_mmd_allowlist", *one, egress_entries=["login.live.com"], egress_max_shrink=100)
    assert site.states() != before
    site.play("rollback_mmd_allowlist", *one, "-e", "snapshot=latest")
    assert site.states() == before
