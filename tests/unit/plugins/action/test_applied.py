# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down of what an appliance was given."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.egress.allowlist.plugins.action.applied import ActionModule as Applied
from ansible_collections.egress.allowlist.plugins.plugin_utils import _applied

OLD, NEW = "2025110100", "2025120100"


def entries(version: str) -> list[Any]:
    announced = f"microsoft_365 worldwide {version} set 56, effective 2026-01-01"
    return [
        "*.contoso.com",
        {"value": "a.contoso.com", "sources": ["mmd"]},
        {"value": "b.contoso.com", "sources": ["mmd", announced]},
    ]


class Node:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self,
        *,
        host: str = "proxy1",
        check: bool = False,
        own: bool = True,
        delegate: str | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        arguments = {**({"cache_dir": str(self.folder)} if own else {}), **arguments}
        task = SimpleNamespace(
            args=arguments, async_val=0, check_mode=check, diff=False, environment=[], action="x", delegate_to=delegate
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)
        action = Applied(task, connection, SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), SimpleNamespace())
        variables = {"inventory_hostname": host, "egress_cache_dir": str(self.folder)}
        result: dict[str, Any] = action.run(task_vars=variables)
        return result

    def versions(self, *hosts: str) -> dict[str, str]:
        return _applied.versions(str(self.folder), "worldwide", hosts)


@pytest.fixture(name="node")
def fixture_node(tmp_path: Path) -> Node:
    return Node(tmp_path / "cache")


def test_the_version_is_recorded(node: Node) -> None:
    """As egress.allowlist.applied does it: no change of the appliance, one file for it."""
    result = node.run(entries=entries(OLD))
    assert (result["changed"], result["versions"]) == (False, {"worldwide": OLD})
    assert Path(result["path"]).stat().st_mode & 0o777 == 0o600
    assert node.versions() == {"proxy1": OLD}
    node.run(entries=entries(NEW), host="firewall1")
    assert node.versions() == {"proxy1": OLD, "firewall1": NEW} and node.versions("firewall1") == {"firewall1": NEW}


def test_what_is_given_back(node: Node) -> None:
    node.run(entries=entries(OLD))
    node.run(entries=entries(NEW))
    node.run(entries=entries(NEW))  # again, so that nothing changed
    assert node.run(state="taken_back")["versions"] == {"worldwide": OLD}
    assert node.versions() == {"proxy1": OLD}
    assert node.run(state="taken_back", host="other")["path"] is None


def test_a_list_without_the_web_service_needs_no_record(node: Node) -> None:
    assert node.run(entries=["*.contoso.com"])["path"] is None
    assert not node.folder.exists()
    node.run(entries=entries(OLD))
    node.run(entries=[])
    assert node.versions() == {}


def test_check_mode_writes_nothing(node: Node) -> None:
    assert node.run(entries=entries(OLD), check=True)["path"] is None
    assert not node.folder.exists()


def test_of_several_lists_on_one_appliance_the_oldest_counts(node: Node) -> None:
    node.run(entries=entries(NEW), name="mmd")
    node.run(entries=entries(OLD), name="teams")
    assert node.versions() == {"proxy1": OLD}


def test_the_folder_is_that_of_the_lookups(node: Node) -> None:
    assert node.run(entries=entries(OLD), own=False)["path"].startswith(str(node.folder))


RECORD = {"format": 1, "host": "proxy1", "name": "mmd", "time": "now", "versions": {}, "previous": {}}
DAMAGED: list[dict[str, Any]] = [
    {"format": 2}, {"host": 5}, {"host": ["proxy1"]}, {"versions": []}, {"versions": {"worldwide": 5}},
    {"versions": {"worldwide": "newest"}}, {"versions": {"worldwide": "2025130100"}}, {"previous": None},
    {"previous": {"worldwide": None}},
]  # fmt: skip


@pytest.mark.parametrize("text", [
    "{", "", "[]", "5", "null", "[" * 100000, "\x00", *(json.dumps({**RECORD, **damage}) for damage in DAMAGED),
])  # fmt: skip
def test_a_record_that_is_damaged_counts_as_none(node: Node, text: str) -> None:
    path = Path(node.run(entries=entries(OLD))["path"])
    path.write_text(text)
    assert node.run(state="taken_back")["path"] is None
    assert node.versions() == {}
    node.run(entries=entries(NEW))
    assert node.versions() == {"proxy1": NEW}


def test_a_name_that_would_lead_elsewhere(node: Node) -> None:
    path = Path(node.run(entries=entries(OLD), host="../../x")["path"])
    assert path.parent == node.folder / "applied" / "mmd"


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/b", "..", "", "Mmd", "mmd\n", "a" * 17, "1a"])
def test_a_list_whose_name_would_lead_elsewhere(node: Node, name: str, tmp_path: Path) -> None:
    for arguments in ({}, {"state": "taken_back"}, {"check": True}):
        with pytest.raises(AnsibleActionFail, match="name: expected a letter, then up to 15"):
            node.run(entries=entries(OLD), name=name, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_what_is_given_back_twice_is_given_back_once(node: Node) -> None:
    for version in (OLD, NEW):
        node.run(entries=entries(version))
    for _twice in range(2):
        assert node.run(state="taken_back")["versions"] == {"worldwide": OLD}
    node.run(entries=entries(NEW))
    assert node.run(state="taken_back")["versions"] == {"worldwide": OLD}


def test_what_a_record_is_made_of(node: Node) -> None:
    """The version of each instance; the newest, should an entry that is kept for a while name one of before."""
    both = [
        {"value": "a.contoso.com", "sources": [f"{word} {NEW} set 1" for word in ("mmd", "microsoft_365 worldwide")]},
        {"value": "b.contoso.com", "sources": [f"microsoft_365 worldwide {OLD} set 1, removed {OLD}, kept until x"]},
        {"value": "f.contoso.com", "sources": [f"microsoft_365 china {OLD} set 1"]},
        {"value": "c.contoso.com", "sources": ["microsoft_365 worldwide 2025-12-01 set 1", "microsoft_365x", 5, None]},
        {"value": "d.contoso.com", "sources": None}, {"value": "e.contoso.com", "sources": 5}, "198.51.100.0/24",
    ]  # fmt: skip
    assert node.run(entries=both)["versions"] == {"china": OLD, "worldwide": NEW}


def test_an_appliance_that_is_delegated_to(node: Node) -> None:
    node.run(entries=entries(OLD), delegate="proxy9")
    assert node.versions() == {"proxy9": OLD}


def test_a_folder_that_cannot_be_written(node: Node) -> None:
    node.folder.write_text("a file")
    with pytest.raises(AnsibleActionFail, match="cache_dir: cannot write"):
        node.run(entries=entries(OLD))
