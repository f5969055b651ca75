# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists that come with the collection, and the script that writes them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_snapshot
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import INSTANCES, Answer, read_endpoints

ROOT = Path(__file__).resolve().parents[4]
SCRIPT = ROOT / "scripts" / "embed_web_service.py"
SAVED = ROOT.parent / "shared" / "data" / "webservice"


@pytest.fixture(name="script", scope="module")
def fixture_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("embed_web_service", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counts(answer: Answer) -> tuple[int, int, int, int]:
    """Sets, required sets, unique names, unique networks."""
    names = {name for one in answer.sets for name in one.urls}
    networks = {network for one in answer.sets for network in one.ips}
    return len(answer.sets), sum(one.required for one in answer.sets), len(names), len(networks)


@pytest.mark.parametrize(("instance", "expected"), [
    ("worldwide", (79, 55, 270, 174)), ("china", (22, 21, 49, 76)), ("usgov_dod", (25, 25, 97, 34)),
    ("usgov_gcc_high", (26, 26, 85, 35)),
])  # fmt: skip
def test_each_list_is_whole(instance: str, expected: tuple[int, ...]) -> None:
    answer = _ws_snapshot.load(instance)
    assert counts(answer) == expected
    about = _ws_snapshot.about(instance)
    assert (about["instance"], about["date"], about["licence"]) == (instance, "2025-12-01", "CC-BY-4.0")
    for one in answer.sets:
        # In the form that the entries have.
        assert {entry.value for entry in normalise([*one.urls, *one.ips])} == {*one.urls, *one.ips}
        assert one.category in ("optimize", "allow", "default")


def test_there_is_one_for_each_instance() -> None:
    files = {path.stem for path in Path(_ws_snapshot.FOLDER).glob("*.yml")}
    assert files == set(INSTANCES)
    assert sum(one.area == "MEM" for one in _ws_snapshot.load("worldwide").sets) == 15


RECORDS = [
    {"id": 9, "serviceArea": "MEM", "category": "Allow", "required": True, "urls": ["B.contoso.com", "a.contoso.com"],
     "tcpPorts": "443, 80", "udpPorts": "3478-3481", "ips": ["2001:db8::/32", "198.51.100.0/24"], "notes": "a: b"},
    {"id": 2, "serviceArea": "Common", "serviceAreaDisplayName": "All", "category": "Default", "required": False,
     "urls": ["*.contoso.com"], "expressRoute": True},
]  # fmt: skip


def written(folder: Path, records: Any, *words: str) -> subprocess.CompletedProcess[str]:
    saved = folder / "answer.json"
    saved.write_text(records if isinstance(records, str) else json.dumps(records), encoding="utf-8")
    about = ["--instance", "china", "--date", "2026-01-31", "--source", "a test", "--to", str(folder / "out"), *words]
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(saved), *about], capture_output=True, text=True, check=False, timeout=60
    )


def test_what_is_written_is_read_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = written(tmp_path, RECORDS, "--version", "2026013100")
    assert done.returncode == 0 and "2 sets, 3 names, 2 networks" in done.stdout
    first = (tmp_path / "out" / "china.yml").read_bytes()
    assert written(tmp_path, RECORDS[::-1], "--version", "2026013100").returncode == 0
    assert (tmp_path / "out" / "china.yml").read_bytes() == first
    monkeypatch.setattr(_ws_snapshot, "FOLDER", str(tmp_path / "out"))
    for cached in (_ws_snapshot.load, _ws_snapshot._read):
        cached.cache_clear()
    try:
        answer = _ws_snapshot.load("china")
    finally:
        for cached in (_ws_snapshot.load, _ws_snapshot._read):
            cached.cache_clear()
    asked = read_endpoints(json.dumps(RECORDS[::-1]), "china", "2026013100")
    assert (answer.sets, answer.version) == (asked.sets, "2026013100")


@pytest.mark.parametrize(("records", "words", "reason"), [
    ([], (), "the list is empty"), ("<html>", (), "web page"), (RECORDS, ("--version", "7"), "ten digits"),
])  # fmt: skip
def test_what_is_refused(tmp_path: Path, records: Any, words: tuple[str, ...], reason: str) -> None:
    done = written(tmp_path, records, *words)
    assert done.returncode != 0 and reason in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not SAVED.exists(), reason="the saved answers do not lie beside the checkout")
@pytest.mark.parametrize(("file", "instance"), [("china", "china"), ("usgovdod", "usgov_dod")])
def test_the_embedded_list_is_what_the_script_makes_of_the_saved_answer(
    script: ModuleType, file: str, instance: str
) -> None:
    saved = (SAVED / f"{file}.2025-12-01.tfprovider.json").read_text(encoding="utf-8")
    about = _ws_snapshot.about(instance)
    day = date.fromisoformat(about["date"])
    made = script.embedded(read_endpoints(saved, instance, None), day, about["source"])
    assert made == (Path(_ws_snapshot.FOLDER) / f"{instance}.yml").read_text(encoding="utf-8")
