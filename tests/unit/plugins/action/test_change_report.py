# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of changes: why each row is there, what to look at first, the commands, and files as a whole."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible_collections.egress.allowlist.plugins.action.change_report import ActionModule
from ansible_collections.egress.allowlist.plugins.modules import change_report as module
from ansible_collections.egress.allowlist.plugins.plugin_utils._change_report import report
from ansible_collections.egress.allowlist.plugins.plugin_utils._change_report_text import markdown, summary

ROOT = Path(__file__).resolve().parents[4]
ENTRIES: list[Any] = [
    {"value": "*.x.example", "groups": ["tills"], "sources": ["shop"], "risk": "shared_hosting"},
    {"value": "a.x.example", "groups": ["tills"], "sources": ["shop"], "critical": True},
    {"value": "ncsi.example", "path": "/ncsi.txt", "sources": ["shop"]},
    {"value": "198.51.100.0/24", "ports": ["tcp/443"], "sources": ["microsoft_365 worldwide 2026010100 set 56"]},
]
KNOWN = [*ENTRIES, {"value": "old.example", "groups": ["tills"], "sources": ["shop"], "critical": True}]
ROW: dict[str, Any] = {
    "change": "added", "type": "network", "value": "198.51.100.0/24", "sets": [56], "service_areas": ["common"],
    "services": ["Microsoft 365 | Common"], "version": "2026010100", "effective": "2026-02-01", "impact": "AddedIp",
    "before": None, "after": {"ports": ["tcp/443"], "category": "allow", "required": True},
}  # fmt: skip
AFTER = [
    "host *.x.example tcp/80,443",
    "host a.x.example tcp/80,443",
    "host ncsi.example/ncsi.txt tcp/80",
    "network 198.51.100.0/24 tcp/443",
]
STARTED: dict[str, Any] = {
    "args": ("egress.allowlist.report_changes",), "inventory": ("inventory.yml",), "subset": None, "extra_vars": (),
}  # fmt: skip


def answer(before: list[str], after: list[str] | None = None, **more: Any) -> dict[str, Any]:
    after = AFTER if after is None else after
    return {
        "changed": before != after,
        "before": before,
        "after": after,
        "added": sorted(set(after) - set(before)),
        "removed": sorted(set(before) - set(after)),
        "translation": [],
        **more,
    }


def plan(before: list[str], **more: Any) -> dict[str, Any]:
    return {"appliance": "squid", "name": "mmd", "error": "", "answer": answer(before, **more), "entries": ENTRIES}


def told(*plans: dict[str, Any] | None, **options: Any) -> dict[str, Any]:
    hosts = {f"proxy{number}": one for number, one in enumerate(plans, 1)}
    return report(hosts, **{"known": KNOWN, **options})


def row(found: dict[str, Any], part: str, value: str) -> dict[str, Any]:
    (one,) = [one for one in found["appliances"][0][part] if one["value"] == value]
    return one


def test_why_something_is_added() -> None:
    found = told(plan(["host *.x.example tcp/80,443"]), web_service=[ROW])
    assert [one["value"] for one in found["appliances"][0]["added"]] == [
        "ncsi.example/ncsi.txt", "a.x.example", "198.51.100.0/24",
    ]  # fmt: skip
    one = row(found, "added", "a.x.example")
    assert (one["why"], one["covered_by"], one["critical"]) == ("asked for by shop", "*.x.example", True)
    assert row(found, "added", "198.51.100.0/24")["why"] == (
        "new in the web service: version 2026010100, set 56, effective 2026-02-01, AddedIp"
    )
    assert row(found, "added", "ncsi.example/ncsi.txt")["sources"] == ["shop"]


def test_why_something_goes() -> None:
    gone = {**ROW, "change": "removed", "type": "host", "value": "went.example", "effective": None, "impact": None}
    before = [*AFTER, "host by.hand.example tcp/80,443", "host b.x.example tcp/80", "host old.example tcp/80,443",
              "host went.example tcp/80,443", "unknown a line of somebody"]  # fmt: skip
    found = told(plan(before), web_service=[gone])
    removed = {one["value"]: (one["why"], one["covered_by"]) for one in found["appliances"][0]["removed"]}
    assert removed == {
        "b.x.example": ("no catalog asks for it: it was put there by hand, or asked for earlier", "*.x.example"),
        "by.hand.example": ("no catalog asks for it: it was put there by hand, or asked for earlier", None),
        "old.example": ("left out by the settings, though shop has it", None),
        "went.example": ("the web service has it no more: version 2026010100, set 56", None),
        "a": ("no catalog asks for it: it was put there by hand, or asked for earlier", None),
    }
    assert found["cautions"] == ["proxy1: takes away what must be reachable always (critical): old.example"]


def test_a_change_of_the_web_service_that_took_nothing_away_is_no_reason() -> None:
    moved = {**ROW, "change": "moved", "type": "host", "value": "old.example"}
    found = told(plan([*AFTER, "host old.example tcp/80,443"]), web_service=[moved])
    assert row(found, "removed", "old.example")["why"] == "left out by the settings, though shop has it"


def test_a_critical_name_that_another_entry_has_too_is_no_caution() -> None:
    known = [*ENTRIES, {"value": "c.x.example", "sources": ["shop"], "critical": True}]
    assert told(plan([*AFTER, "host c.x.example tcp/443"]), known=known)["cautions"] == []


def test_other_ports_are_one_row() -> None:
    found = told(plan([AFTER[0], "host a.x.example tcp/443 (allow)", *AFTER[2:]]))
    (one,) = found["appliances"][0]["moved"]
    assert (one["before"], one["line"]) == ("host a.x.example tcp/443 (allow)", "host a.x.example tcp/80,443")
    assert found["totals"] == {
        "appliances": 1, "changed": 1, "failed": 0, "added": 0, "removed": 0, "moved": 1, "not_exact": 0,
    }  # fmt: skip
    assert "`a.x.example tcp/443 (allow)` becomes `a.x.example tcp/80,443`" in page(found)


def test_the_same_caution_of_several_is_said_once_and_totals_count_names_once() -> None:
    found = told(plan([]), plan([]), None)
    shared, unknown = found["cautions"]
    assert shared == (
        "proxy1, proxy2: lets new names through under which anyone can put content (shared hosting): *.x.example. "
        "egress_intents_by_risk can leave them inspected"
    )
    assert unknown == "proxy3: what would change is not known: it has told nothing"
    assert (found["totals"]["added"], found["totals"]["changed"], found["totals"]["failed"]) == (4, 2, 1)


def test_what_waits_for_the_site_has_a_plan_and_what_failed_has_none() -> None:
    waiting = {**plan([]), "error": "the site's own configuration does not use them yet"}
    failed: dict[str, Any] = {"appliance": "squid", "error": "no route to host", "answer": None, "entries": []}
    found = told(waiting, failed)
    assert [(one["error"], one["waits_for"], len(one["added"])) for one in found["appliances"]] == [
        (None, "the site's own configuration does not use them yet", 4),
        ("no route to host", None, 0),
    ]
    assert "proxy1: the site's own configuration does not use them yet" in found["cautions"]
    assert summary(found)[1:3] == [
        "proxy1 (squid): 4 added, 0 removed, 0 changed, 4 entries afterwards",
        "proxy2 (squid): not known: no route to host",
    ]


def test_where_a_change_of_the_web_service_arrives() -> None:
    other = {**ROW, "value": "203.0.113.0/24"}
    found = told(plan([]), plan(AFTER), web_service=[ROW, other])
    assert [one["appliances"] for one in found["web_service"]["changes"]] == [["proxy1"], []]
    text = page(found)
    assert "| added | `198.51.100.0/24` | 56 | Microsoft 365 \\| Common | 2026010100 | 2026-02-01 | AddedIp |" in text
    assert "What the web service changed" not in page(told(plan([])))
    error = told(plan([]), web_service_error="it sleeps")
    assert error["cautions"][0] == "what the web service changed is not known: it sleeps"
    assert "Not known: it sleeps" in page(error)


def page(found: dict[str, Any]) -> str:
    told_commands = {"apply": "APPLY", "rollback": "BACK", "run": "egress-snapshots/x", "left_out": []}
    return markdown(found, told_commands)


def test_the_whole_page() -> None:
    verdicts = [
        {"entry": f"host *.{name}.example tcp/443", "verdict": "broader", "gained": f"{name}.example itself"}
        for name in "abcdefg"
    ]
    plans = plan(AFTER[:3], translation=verdicts, notes=["a <note>"])
    assert page(told(plans, change_id="CHG_1", web_service=[])) == """\
# Change of the allowlist CHG\\_1

What the next apply would do: 1 of 1 appliance would change; 1 added, 0 removed, 0 changed. \
Nothing has been changed yet.

## Appliances

| Appliance | Kind | Entries now | Then | Added | Removed | Changed | Not exact |
|---|---|---|---|---|---|---|---|
| proxy1 | squid | 3 | 4 | 1 | 0 | 0 | 7 |

## proxy1 (squid)

1 added, 0 removed, 0 changed, 4 entries afterwards; 7 not held exactly.

### Added on proxy1 (1)

| Entry | Why | Groups | Judged | Marks |
|---|---|---|---|---|
| `198.51.100.0/24 tcp/443` | asked for by microsoft\\_365 worldwide 2026010100 set 56 |  | required |  |

### Not held exactly on proxy1 (7)

| Entries | Verdict | Lets through beyond them | Does not let through |
|---|---|---|---|
| `host *.a.example tcp/443`, `host *.b.example tcp/443`, `host *.c.example tcp/443`, `host *.d.example tcp/443`, \
`host *.e.example tcp/443` and 2 more | broader | the bare name under the star |  |

- a \\<note\\>

## To apply it

```shell
APPLY
```

## To take it back

```shell
BACK
```

This gives the appliances back what they held before the latest run that changed any of them. When another run has \
changed them since, say the name of this change's own run in place of `latest`: egress-snapshots/x
"""


def test_hostile_names_stay_in_their_cell() -> None:
    found = told(plan([*AFTER, "unknown x|y`\x1b[31m<script>\u2028z"]))
    (line,) = [line for line in page(found).splitlines() if "no catalog asks for it" in line]
    assert line.startswith("| `xy[31m<script>z` |")


def test_hostile_words_stay_words() -> None:
    bad = "x|y\n# <script>`*\x1b[31m"
    service = {**ROW, "value": "198.51.100.0/24", "services": [bad], "impact": bad}
    found = told({**plan([]), "error": bad}, web_service=[service], change_id=bad)
    for line in page(found).splitlines():
        assert "\x1b" not in line
        assert not line.startswith("# <")
        assert "<script" not in line.replace("\\<", "")
    (row_of_service,) = [line for line in page(found).splitlines() if line.startswith("| added")]
    assert row_of_service.replace("\\|", "").count("|") == 11


class Run:
    """The action as the playbook calls it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.plans: dict[str, Any] = {"proxy1": plan([]), "proxy2": plan(AFTER)}

    def __call__(self, *, check_mode: bool = False, started: dict[str, Any] | None = None, **options: Any) -> Any:
        self.monkeypatch.setattr(context, "CLIARGS", {**STARTED, **(started or {})})
        arguments = {"hosts": list(self.plans), "register": "p", "known": KNOWN, "dir": str(self.folder), **options}
        task = SimpleNamespace(
            args=arguments, async_val=0, check_mode=check_mode, diff=False, environment=[], action="x", delegate_to=None
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), become=None)
        action = ActionModule(task, connection, SimpleNamespace(), DataLoader(), SimpleNamespace(), SimpleNamespace())
        hostvars = {host: {"p": one} for host, one in self.plans.items()}
        return action.run(task_vars={"inventory_hostname": "proxy1", "hostvars": hostvars})

    def commands(self, started: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self(started=started, **options)["commands"]
        return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    return Run(monkeypatch, tmp_path / "changes")


def test_two_files_and_nothing_else(run: Run) -> None:
    result = run(change_id="CHG/1: *")
    assert result["files"] == {
        "markdown": str(run.folder / "CHG-1-.md"),
        "json": str(run.folder / "CHG-1-.json"),
    }
    assert sorted(path.name for path in run.folder.iterdir()) == ["CHG-1-.json", "CHG-1-.md"]
    assert {oct(path.stat().st_mode)[-3:] for path in run.folder.iterdir()} == {"600"}
    data = json.loads((run.folder / "CHG-1-.json").read_text(encoding="utf-8"))
    assert data["totals"] == result["totals"]
    assert (data["format"], data["change_id"]) == (1, "CHG/1: *")
    assert not result["changed"]


def test_equal_answers_are_equal_bytes_whatever_their_order(run: Run) -> None:
    first = {path: Path(path).read_bytes() for path in run()["files"].values()}
    run.plans = dict(reversed(run.plans.items()))
    assert {path: Path(path).read_bytes() for path in run()["files"].values()} == first


@pytest.mark.parametrize("options", [{"check_mode": True}, {"dir": None}])
def test_nothing_is_written(run: Run, options: dict[str, Any]) -> None:
    assert run(**options)["files"] == {}
    assert not run.folder.exists()


def test_no_name_leads_out_of_the_folder(run: Run) -> None:
    paths = [Path(path) for path in run(change_id="../../etc/passwd")["files"].values()]
    assert {path.parent for path in paths} == {run.folder}
    assert Path(run(change_id="..")["files"]["json"]) == run.folder / "next.json"


def test_a_folder_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AnsibleActionFail, match="dir: cannot write"):
        run(dir=str(tmp_path / "file" / "x"))


def test_a_host_that_is_none(run: Run) -> None:
    with pytest.raises(AnsibleActionFail, match="'proxy9' is not a host of the inventory"):
        run(hosts=["proxy9"])


def test_the_commands_repeat_how_it_was_called(run: Run) -> None:
    found = run.commands()
    assert found["apply"] == "ansible-playbook egress.allowlist.apply_mmd_allowlist -i inventory.yml"
    assert found["check"] == f"{found['apply']} --check --diff"
    assert found["rollback"] == (
        "ansible-playbook egress.allowlist.rollback_mmd_allowlist -i inventory.yml --limit proxy1 -e snapshot=latest"
    )
    assert found["run"] == "egress-snapshots/<time of the run, in UTC>"
    assert run.commands(change_id="CHG 1")["run"] == "egress-snapshots/<time>-CHG-1"
    beside = run.commands({"args": ("play books/report_changes.yml",)})["apply"]
    assert shlex.split(beside)[:2] == ["ansible-playbook", "play books/apply_mmd_allowlist.yml"]
    others = run.commands({"args": ("site.yml",)})["apply"]
    assert shlex.split(others)[1] == "egress.allowlist.apply_mmd_allowlist"


def test_a_limit_keeps_those_who_verify(run: Run) -> None:
    started = {"subset": "proxy1"}
    assert "--limit proxy1,managed_hosts" in run.commands(started)["apply"]
    assert "--limit proxy1 -e" in run.commands({**started, "extra_vars": ("egress_x=1",)}, managed_hosts="")["apply"]


def test_variables_are_repeated_and_secrets_are_not(run: Run) -> None:
    started = {
        "extra_vars": (
            "egress_tenant=contoso egress_report_dir=/tmp/x",
            '{"egress_groups": ["teams"], "egress_squid": {"instance": "a b"}}',
            "egress_proxy=http://user:hunter2@proxy.example:3128",
            '{"egress_panos": {"password": "hunter2"}}',
            "egress_token=hunter2 ansible_become_pass=hunter2 site=north",
            "@more vars.yml",
        ),
        "vault_password_files": ("vault.txt",),
        "ask_vault_pass": True,
    }
    found = run.commands(started)
    words = shlex.split(found["apply"])
    given = [words[at + 1] for at, word in enumerate(words) if word == "-e"]
    assert given == [
        "@more vars.yml",
        '{"egress_groups": ["teams"]}',
        '{"egress_squid": {"instance": "a b"}}',
        "egress_tenant=contoso",
    ]
    assert "--ask-vault-pass --vault-password-file vault.txt" in found["apply"]
    assert found["left_out"] == ["ansible_become_pass", "egress_panos", "egress_proxy", "egress_token", "site"]
    assert "egress_squid" in found["rollback"]
    assert "egress_groups" not in found["rollback"]
    files = run(started=started)["files"]
    assert "hunter2" not in "".join(Path(path).read_text(encoding="utf-8") for path in files.values())
    assert "`ansible_become_pass`" in Path(files["markdown"]).read_text(encoding="utf-8")


def test_the_documentation_is_that_of_the_options() -> None:
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert set(documented) == set(module.ARGUMENT_SPEC)
    for name, option in module.ARGUMENT_SPEC.items():
        for key in ("type", "elements", "default", "required"):
            assert documented[name].get(key) == option.get(key), name


def test_the_playbook_changes_nothing_but_the_report() -> None:
    """All of the play is in check mode, and the one task that is not writes the report alone."""
    (play,) = yaml.safe_load((ROOT / "playbooks" / "report_changes.yml").read_text(encoding="utf-8"))
    assert play["check_mode"] is True
    assert play["vars"]["egress_read_only"] is True
    files = [play["tasks"], *(
        yaml.safe_load((ROOT / "playbooks" / "tasks" / f"{name}.yml").read_text(encoding="utf-8"))
        for name in ("report_plan", "report_known")
    )]  # fmt: skip
    tasks = [task for file in files for task in file]
    tasks += [inner for task in tasks for part in ("block", "rescue") for inner in task.get(part, ())]
    assert [task["name"] for task in tasks if task.get("check_mode") is False] == ["Report"]
    assert {key for task in tasks for key in task if "." in key} == {
        "ansible.builtin.include_tasks", "egress.allowlist.change_report", "ansible.builtin.debug",
        "ansible.builtin.assert", "ansible.builtin.set_fact", "ansible.builtin.include_role", "ansible.builtin.fail",
    }  # fmt: skip
