# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots: from the appliance to a file and back, nothing in between, nothing by mistake."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.egress.allowlist.plugins.action.snapshot import ActionModule as Snapshot

RUN = "20261123T051400Z"
HELD = {"format": 1, "name": "mmd", "objects": {"/etc/x": "a\n"}}


class Appliance:
    """Answers as the appliance's module would, and keeps what it was given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.given: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"changed": False, "snapshot": HELD, "gathered": ["many"]}

        def execute(_action: Any, *, module_name: str, module_args: dict[str, Any], **_rest: Any) -> dict[str, Any]:
            assert module_name in ("egress.allowlist.squid", "egress.allowlist.panos")
            self.given.append(module_args)
            return self.answer

        monkeypatch.setattr(Snapshot, "_execute_module", execute)

    def run(
        self, *, host: str = "proxy1", check_mode: bool = False, delegate_to: str | None = None, **arguments: Any
    ) -> dict[str, Any]:
        arguments = {"appliance": "squid", "dir": str(self.folder), "run": RUN, **arguments}
        task = SimpleNamespace(
            args=arguments, async_val=0, check_mode=check_mode, diff=False, environment=[], action="x",
            delegate_to=delegate_to,
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)
        action = Snapshot(task, connection, SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), SimpleNamespace())
        result: dict[str, Any] = action.run(task_vars={"inventory_hostname": host})
        return result

    def restore(self, **arguments: Any) -> dict[str, Any]:
        return self.run(state="restored", **arguments)


@pytest.fixture
def appliance(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Appliance:
    return Appliance(monkeypatch, tmp_path / "snapshots")


def test_what_is_held_becomes_a_file_and_no_variable(appliance: Appliance) -> None:
    result = appliance.run(options={"name": "mmd", "config_file": "/etc/squid.conf", "include_dir": None})
    assert appliance.given == [{"name": "mmd", "config_file": "/etc/squid.conf", "state": "gathered"}]
    path = Path(result["path"])
    assert path == appliance.folder / RUN / "proxy1.json"
    assert [oct(one.stat().st_mode)[-3:] for one in (appliance.folder, path.parent, path)] == ["700", "700", "600"]
    assert json.loads(path.read_text(encoding="utf-8"))["snapshot"] == HELD
    assert set(result) == {"changed", "path"}


def test_who_asks_an_api_is_not_the_appliance(appliance: Appliance) -> None:
    secrets = {"host": "fw1.example.com", "api_key": "very secret"}
    for host in ("fw1", "fw2"):
        path = appliance.run(appliance="panos", host=host, delegate_to="localhost", options=secrets)["path"]
        assert Path(path).name == f"{host}.json"
        assert "very secret" not in Path(path).read_text(encoding="utf-8")
    assert appliance.given == [{**secrets, "state": "gathered"}] * 2
    assert Path(appliance.run(delegate_to="proxy2")["path"]).name == "proxy2.json"


def test_it_goes_back_as_it_came(appliance: Appliance) -> None:
    appliance.run()
    appliance.answer = {"changed": True, "snapshot": HELD, "added": ["x"], "removed": [], "before": ["much"]}
    result = appliance.restore()
    assert appliance.given[-1] == {"state": "restored", "snapshot": HELD}
    assert (result["changed"], result["added"]) == (True, ["x"])
    assert "before" not in result
    assert "snapshot" not in result


def test_the_latest_is_that_of_this_host(appliance: Appliance) -> None:
    for host, run in (("proxy1", "20260101T000000Z"), ("proxy1", "20260301T000000Z-CHG1"), ("proxy2", RUN)):
        appliance.run(host=host, run=run)
    appliance.answer = {"changed": True, "snapshot": HELD}
    assert appliance.restore(run="latest")["path"].endswith("20260301T000000Z-CHG1/proxy1.json")


def test_the_latest_run_of_several_hosts_is_one_run(appliance: Appliance) -> None:
    for host, run in (("proxy1", "20260101T000000Z"), ("proxy2", "20260101T000000Z"), ("proxy1", "20260301T000000Z")):
        appliance.run(host=host, run=run)
    appliance.answer = {"changed": True, "snapshot": HELD}
    both = ["proxy1", "proxy2"]
    assert appliance.restore(run="latest", hosts=both)["changed"] is True
    given = len(appliance.given)
    left = appliance.restore(run="latest", hosts=both, host="proxy2")
    assert (left["changed"], left["path"], left["run"]) == (False, None, "20260301T000000Z")
    assert len(appliance.given) == given
    assert appliance.restore(run="latest", host="proxy2")["run"] == "20260101T000000Z"
    assert appliance.restore(run="20260101T000000Z", hosts=both, host="proxy2")["changed"] is True


def test_a_run_that_has_none_of_them_names_those_that_have(appliance: Appliance) -> None:
    appliance.run(run="20260101T000000Z-CHG1")
    appliance.run(host="proxy3")
    for wanted in (RUN, "20250101T000000Z"):
        with pytest.raises(AnsibleActionFail, match=r"run 202\S+ has no snapshot of proxy1.*: 20260101T000000Z-CHG1"):
            appliance.restore(run=wanted)


def test_a_run_keeps_what_was_before_it(appliance: Appliance) -> None:
    path = Path(appliance.run()["path"])
    appliance.answer = {"changed": False, "snapshot": {**HELD, "objects": {}}}
    with pytest.raises(AnsibleActionFail, match="is there already"):
        appliance.run()
    assert json.loads(path.read_text(encoding="utf-8"))["snapshot"] == HELD


def test_what_was_not_changed_is_forgotten(appliance: Appliance) -> None:
    appliance.run()
    appliance.run(host="proxy2")
    appliance.run(state="dropped")
    assert [path.name for path in (appliance.folder / RUN).iterdir()] == ["proxy2.json"]
    appliance.run(state="dropped", host="proxy2")
    assert list(appliance.folder.iterdir()) == []
    appliance.run(state="dropped", host="proxy2")


def test_check_mode_writes_nothing(appliance: Appliance) -> None:
    assert appliance.run(check_mode=True)["path"] is None
    assert not appliance.folder.exists()


def test_an_appliance_that_fails_fails_here(appliance: Appliance) -> None:
    appliance.answer = {"failed": True, "msg": "squid is not there", "invocation": {"module_args": {"snapshot": HELD}}}
    assert appliance.run() == {"failed": True, "msg": "squid is not there"}
    assert not appliance.folder.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "has format 2"),
        ({"host": "proxy2"}, "is of host 'proxy2', and this is 'proxy1'"),
        ({"appliance": "nftables"}, "is of appliance 'nftables'"),
        ({"name": "other"}, "is of name 'other'"),
    ],
)
def test_a_snapshot_of_something_else_is_refused(appliance: Appliance, change: dict[str, Any], words: str) -> None:
    path = Path(appliance.run()["path"])
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match=words):
        appliance.restore()
    assert len(appliance.given) == 1


def test_a_damaged_file_is_refused(appliance: Appliance) -> None:
    path = Path(appliance.run()["path"])
    path.write_text(path.read_text(encoding="utf-8")[:40], encoding="utf-8")
    with pytest.raises(AnsibleActionFail, match="or damaged"):
        appliance.restore()


@pytest.mark.parametrize("run", ["../20261123T051400Z", "yesterday", "20261123T051400Z/..", "", "20261123T051400Z-a/b"])
def test_a_run_does_not_lead_out_of_the_folder(appliance: Appliance, run: str) -> None:
    for state in ("taken", "dropped", "restored"):
        with pytest.raises(AnsibleActionFail, match="expected a time such as"):
            appliance.run(state=state, run=run)
    assert appliance.given == []


def test_none_is_there(appliance: Appliance) -> None:
    with pytest.raises(AnsibleActionFail, match="there is no snapshot of proxy1 below"):
        appliance.restore(run="latest")
