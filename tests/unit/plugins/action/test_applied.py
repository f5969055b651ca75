# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down of what an appliance was given."""

from __future__ import annotations

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

    def run(self, *, host: str = "proxy1", check: bool = False, own: bool = True, **arguments: Any) -> dict[str, Any]:
        arguments = {**({"cache_dir": str(self.folder)} if own else {}), **arguments}
        task = SimpleNamespace(
            args=arguments, async_val=0, check_mode=check, diff=False, environment=[], action="x", delegate_to=None
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


def test_a_record_that_is_damaged_counts_as_none(node: Node) -> None:
    path = Path(node.run(entries=entries(OLD))["path"])
    path.write_text("{")
    assert node.versions() == {}
    node.run(entries=entries(NEW))
    assert node.versions() == {"proxy1": NEW}


def test_a_name_that_would_lead_elsewhere(node: Node) -> None:
    path = Path(node.run(entries=entries(OLD), host="../../x")["path"])
    assert path.parent == node.folder / "applied" / "mmd"


def test_a_folder_that_cannot_be_written(node: Node) -> None:
    node.folder.write_text("a file")
    with pytest.raises(AnsibleActionFail, match="cache_dir: cannot write"):
        node.run(entries=entries(OLD))
