# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One play over appliances of every kind: those of the lab, and those with an API, emulated beside it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apis
import inlab
import pytest
from apis import Apis
from inlab import LAB, ROOT

SECRET = "a-secret-7f3a"
NAMES = ["mmdls.microsoft.com", "login.live.com", "*.update.microsoft.com"]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Apis]:
    with apis.started(SECRET, tmp_path) as running:
        yield running


def play(folder: Path, beside: Apis, name: str, *words: str, **variables: Any) -> str:
    for_all = {"egress_entries": NAMES, "egress_timeout": 2, "egress_results_dir": str(folder / "results"),
               "egress_snapshot_dir": str(folder / "snapshots"), **variables}  # fmt: skip
    for_apis = {"egress_clients": ["10.20.0.0/16"]}
    groups = {"egress_appliances": {"children": {"by_api": {"hosts": beside.hosts, "vars": for_apis}}}}
    (folder / "apis.json").write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    command = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), str(ROOT / "playbooks" / f"{name}.yml")]
    command += ["-i", str(LAB / "inventory.yml"), "-i", str(folder / "apis.json"), "-e", json.dumps(for_all), *words]
    ran = subprocess.run(command, env=apis.environment(), check=False, capture_output=True, text=True, cwd=ROOT)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said[-6000:]
    assert "[WARNING]" not in said
    assert SECRET not in said
    return said


def changed(said: str) -> list[str]:
    return re.findall(r"^(\S+) .*changed=[1-9]", said, re.MULTILINE)


def test_all_kinds_in_one_play(
    squid: inlab.Squid, untouched: dict[str, str], firewall: inlab.Firewall, untouched_firewall: dict[str, str],
    beside: Apis, tmp_path: Path,
) -> None:
    def state() -> Any:
        return squid.files(), firewall.files(), beside.states()

    everyone = sorted(["firewall1", "proxy1", *beside.hosts])
    before = state()
    assert changed(play(tmp_path, beside, "apply_mmd_allowlist", "--check", "--diff")) == everyone
    assert state() == before

    said = play(tmp_path, beside, "apply_mmd_allowlist")
    assert changed(said) == everyone
    assert "3 of 3 managed hosts answered" in said and "Passed." in said
    assert sorted(path.stem for path in (tmp_path / "snapshots").glob("*/*.json")) == everyone
    applied = state()

    assert changed(play(tmp_path, beside, "apply_mmd_allowlist")) == []
    assert state() == applied

    said = play(tmp_path, beside, "explain", "-e", "egress_explain=login.live.com")
    for name in everyone:
        assert f"on {name}: holds it by login.live.com on tcp/80,443" in said

    assert changed(play(tmp_path, beside, "rollback_mmd_allowlist", "-e", "snapshot=latest")) == everyone
    assert state() == before == (untouched, untouched_firewall, beside.states())
