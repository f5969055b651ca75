# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role says of its variables is what it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "verify"
# What only the staged apply sets.
PLAYBOOKS_OWN = {"verify_previous_dir", "verify_expected_hosts"}


def load(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture
def specification():
    return load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


def test_defaults_and_specification_are_the_same(specification):
    assert load(ROLE / "defaults" / "main.yml") == {name: one.get("default") for name, one in specification.items()}


def test_each_variable_is_used_and_no_other(specification):
    tasks = "".join(path.read_text(encoding="utf-8") for path in sorted((ROLE / "tasks").iterdir()))
    used = set(re.findall(r"(?<![_\w])verify_\w+", tasks))
    of_entry_points = {name for name in used if name.startswith("verify_script_")} | {"verify_hosts"}
    assert used - {"verify_result"} - of_entry_points == set(specification)


def test_the_script_has_each_variable_that_it_uses():
    text = (ROLE / "tasks" / "script.yml").read_text(encoding="utf-8")
    own = load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["script"]["options"]
    assert set(re.findall(r"verify_script_\w+", text)) == set(own)
    playbook = (ROOT / "playbooks" / "render_probe_script.yml").read_text(encoding="utf-8")
    for name in own:
        assert f"{name}:" in playbook
        assert f"#   egress_{name.removeprefix('verify_')} " in playbook


def test_the_script_asks_as_the_probe_does():
    script = next(task for task in load(ROLE / "tasks" / "script.yml") if "egress.allowlist.probe_script" in task)
    probe = next(task for task in load(ROLE / "tasks" / "ask_linux.yml") if "egress.allowlist.probe" in task)
    asked, wanted = script["egress.allowlist.probe_script"], probe["egress.allowlist.probe"]
    common = set(asked) & set(wanted) - {"threads"}
    assert {name: asked[name] for name in common} == {name: wanted[name] for name in common}
    # The rest is for the control node, which judges later.
    judging = {"intents", "intents_by_risk", "reference", "results_dir", "previous_dir", "mark"}
    assert set(wanted) - common - {"threads"} == judging


def test_the_playbook_maps_and_lists_each_variable(specification):
    text = (ROOT / "playbooks" / "verify_mmd_allowlist.yml").read_text(encoding="utf-8")
    verify = load(ROOT / "playbooks" / "vars" / "verify.yml")
    assert set(verify) == set(specification) - PLAYBOOKS_OWN
    listed = text.split("- name:")[0]
    for value in verify.values():
        for variable in set(re.findall(r"egress_\w+", value.replace("egress-results", ""))):
            assert variable in listed


def test_the_playbook_has_the_defaults_of_the_role(specification):
    verify = load(ROOT / "playbooks" / "vars" / "verify.yml")
    for name, option in specification.items():
        if name in PLAYBOOKS_OWN:
            continue
        default = re.findall(r"default\((.*)\) }}$", verify[name])[0].split("default(")[-1].rstrip(")")
        assert yaml.safe_load("null" if default == "none" else default) == option.get("default")
