# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Did anything get worse, and what do the action plugins on the control node make of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.egress.allowlist.plugins.action.probe_compare import ActionModule as Compare
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_compare import compare, worsened


def item(entry: str = "a.example", status: str = "failed", **more: Any) -> dict[str, Any]:
    return {
        "entry": entry, "status": status, "severity": "required", "outcome": "proxy_denied", "blame": "proxy",
        "evidence": "it said no", **more,
    }


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        (item(status="ok"), item(), True),
        (item(status="ok"), item(severity="critical"), True),
        (item(status="ok"), item(severity="optional"), False),
        (item(status="ok"), item(blame="firewall"), True),
        (item(status="ok"), item(blame="inspection"), True),
        (item(status="ok"), item(blame="server"), False),
        (item(status="ok"), item(blame="resolver"), False),
        (item(status="ok"), item(blame=None), False),
        (item(status="ok"), item(status="not_provable"), False),
        (item(status="ok"), item(status="ok"), False),
        (item(), item(), False),
        (item(status="not_provable"), item(), False),
        (item("other.example", "ok"), item(), False),
    ],
)
def test_what_is_worse(before: dict[str, Any], after: dict[str, Any], counts: bool) -> None:
    assert bool(list(worsened([before], [after]))) is counts


class Folders:
    """Result files from before and after."""

    def __init__(self, root: Path) -> None:
        self.before, self.after = root / "before", root / "after"

    def write(self, host: str, before: list[dict[str, Any]], after: list[dict[str, Any]] | None) -> None:
        for folder, entries in ((self.before, before), (self.after, after)):
            folder.mkdir(exist_ok=True)
            if entries is not None:
                (folder / f"{host}.json").write_text(json.dumps({"entries": entries}), encoding="utf-8")

    def compare(self, answered: dict[str, bool], among: list[list[str]] | None = None) -> Any:
        return compare(str(self.before), str(self.after), answered, among=among)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_the_same_trouble_on_many_hosts_is_one_piece_of_news(folders: Folders) -> None:
    for number in range(30):
        folders.write(f"d{number:02}", [item(status="ok"), item("b.example", "ok")], [item(), item("b.example", "ok")])
    found = folders.compare({f"d{number:02}": True for number in range(30)})
    [one] = found.joined()
    assert (one["entry"], one["count"], len(one["hosts"])) == ("a.example", 30, 20)
    assert len(found.pairs()) == 30
    assert "and 10 more" in found.lines()[0]
    assert found.message() == "Worse than before: a.example is proxy_denied, it said no."


def test_bad_once_may_be_chance(folders: Folders) -> None:
    ok = [item(status="ok"), item("b.example", "ok")]
    folders.write("d1", ok, [item(), item("b.example", "ok")])
    first = folders.compare({"d1": True})
    folders.write("d1", ok, [item(status="ok"), item("b.example")])
    assert folders.compare({"d1": True}, first.pairs()).regressed is False
    folders.write("d1", ok, [item(), item("b.example")])
    assert folders.compare({"d1": True}, first.pairs()).pairs() == [["d1", "a.example"]]


def test_a_host_that_went_away_is_lost(folders: Folders) -> None:
    folders.write("d1", [item(status="ok")], None)
    found = folders.compare({"d1": False})
    assert (found.regressed, found.lost) == (True, ["d1"])
    assert found.message() == "Worse than before: lost: d1."


def test_a_host_must_be_silent_or_bad_each_time(folders: Folders) -> None:
    well, bad = [item(status="ok"), item("b.example", "ok")], [item(), item("b.example", "ok")]
    folders.write("d1", well, well)
    folders.write("d2", well, well)
    first = folders.compare({"d1": False, "d2": True})
    assert first.pairs() == [["d1", ""]]
    # The other one is silent only now, and that may be chance.
    assert folders.compare({"d1": True, "d2": False}, first.pairs()).regressed is False
    # Nobody knows what was bad while it was silent.
    folders.write("d1", well, bad)
    assert folders.compare({"d1": True}, first.pairs()).pairs() == [["d1", "a.example"]]


def test_a_host_that_falls_silent_is_not_well_again(folders: Folders) -> None:
    well = [item(status="ok"), item("b.example", "ok")]
    folders.write("d1", well, [item(), item("b.example", "ok")])
    first = folders.compare({"d1": True})
    second = folders.compare({"d1": False}, first.pairs())
    assert (second.regressed, second.lost, second.pairs()) == (True, ["d1"], [["d1", "a.example"]])
    assert folders.compare({"d1": True}, second.pairs()).pairs() == [["d1", "a.example"]]
    folders.write("d1", well, [item(status="ok"), item("b.example")])
    assert folders.compare({"d1": True}, second.pairs()).regressed is False


def test_what_is_too_much_is_counted(folders: Folders) -> None:
    names = [f"n{number:02}.example" for number in range(25)]
    folders.write("d1", [item(name, "ok") for name in names], [item(name) for name in names])
    found = folders.compare({"d1": True, **{f"lost{number}": False for number in range(24)}})
    lines = found.lines()
    assert lines[20] == "and so do 4 more hosts"
    assert lines[-1] == "and 5 more like these"
    assert "lost: lost0, lost1, lost10 and 21 more hosts; n00.example is" in found.message()
    assert found.message().endswith("; and 22 more endpoints.")


def run(arguments: dict[str, Any], hostvars: dict[str, Any]) -> dict[str, Any]:
    task = SimpleNamespace(
        args=arguments, async_val=0, check_mode=False, diff=False, environment=[], action="x", delegate_to=None
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)
    action = Compare(task, connection, SimpleNamespace(), SimpleNamespace(), SimpleNamespace(), SimpleNamespace())
    result: dict[str, Any] = action.run(task_vars={"hostvars": hostvars})
    return result


def test_only_an_answer_of_this_probe_counts(folders: Folders) -> None:
    for host in ("d1", "d2", "d3"):
        folders.write(host, [item(status="ok")], [item(status="ok")])
    result = run(
        {"before": str(folders.before), "after": str(folders.after), "hosts": ["d1", "d2", "d3"], "register": "probed",
         "mark": "7"},
        {
            "d1": {"probed": {"answered": True, "mark": "7"}},
            "d2": {"probed": {"answered": True, "mark": "6"}},
            "d3": {"probed": {"unreachable": True}},
        },
    )
    assert result["lost"] == ["d2", "d3"]
    assert result["regressed"] is True


def test_a_file_that_is_damaged_is_told(folders: Folders) -> None:
    folders.write("d1", [], [])
    (folders.after / "d1.json").write_text('{"entries": [', encoding="utf-8")
    arguments = {"before": str(folders.before), "after": str(folders.after), "hosts": ["d1"], "register": "probed"}
    with pytest.raises(AnsibleActionFail, match=r"d1\.json is no result file of a probe, or damaged"):
        run(arguments, {"d1": {"probed": {"answered": True, "mark": ""}}})


def test_pairs_that_are_none(folders: Folders) -> None:
    arguments = {"before": "b", "after": "a", "hosts": [], "register": "probed", "among": [["d1"]]}
    with pytest.raises(AnsibleActionFail, match=r"among\[0\]: expected a host and an entry"):
        run(arguments, {})
