# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The publish role's variables: documented, defaulted, mapped by the playbook. What it does is in tests/integration."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.modules import publish

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "publish"
PLAYBOOK = ROOT / "playbooks" / "publish_mmd_allowlist.yml"
# What the role says itself, or what is the same for all files.
OF_THE_ROLE = {"entries", "output", "name", "default_ports"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


OPTIONS: dict[str, Any] = read(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
VARIABLES: dict[str, str] = read(ROOT / "playbooks" / "vars" / "publish.yml")
PRIMARY = {name: option for name, option in OPTIONS.items() if not name.startswith("publish_clients")}


def test_defaults_and_documentation_agree() -> None:
    defaults = {
        name: value
        for name, value in read(ROLE / "defaults" / "main.yml").items()
        if not name.startswith("publish_clients")
    }
    assert defaults == {name: option["default"] for name, option in PRIMARY.items() if "default" in option}


def test_each_variable_is_used_and_no_other() -> None:
    own = [path for path in sorted((ROLE / "tasks").iterdir()) if not path.name.startswith("clients")]
    text = "".join(path.read_text(encoding="utf-8") for path in [*own, *(ROLE / "templates").glob("nginx*")])
    used = set(re.findall(r"(?<![_\w])publish_\w+", text))
    assert used - {"publish_result"} == set(PRIMARY)


def test_the_playbook_maps_and_lists_every_variable() -> None:
    assert set(VARIABLES) == set(PRIMARY)
    head = PLAYBOOK.read_text(encoding="utf-8").split("- name:")[0]
    for value in VARIABLES.values():
        for variable in re.findall(r"egress_\w+", value):
            assert variable in head, f"{variable} is not listed at the top of the playbook"


def test_the_playbook_repeats_the_defaults() -> None:
    for name, option in PRIMARY.items():
        if "default" in option:
            text = VARIABLES[name].split("default(")[1].rsplit(")", 1)[0]
            default = option["default"]
            assert yaml.safe_load(text) == (type(default)() if default in ("", [], {}) else default), name


def test_the_pac_file_has_every_option_of_its_filter() -> None:
    assert set(OPTIONS["publish_pac"]["options"]) == {*inspect.signature(pac).parameters} - OF_THE_ROLE | {"file"}


def test_a_feed_has_every_option_of_its_filter() -> None:
    feed = pytest.importorskip("ansible_collections.egress.allowlist.plugins.filter.feed").feed
    assert set(OPTIONS["publish_feeds"]["options"]) == {*inspect.signature(feed).parameters} - OF_THE_ROLE | {"file"}


def test_the_module_gets_every_option() -> None:
    (task,) = read(ROLE / "tasks" / "files.yml")
    passed = task["egress.allowlist.publish"]
    assert set(passed) == set(publish.ARGUMENT_SPEC)
    (plan,) = [task for task in read(ROLE / "tasks" / "sign.yml") if "egress.allowlist.publish" in task]
    asked = plan["egress.allowlist.publish"]
    assert {**passed, "files": 0} == {**asked, "files": 0, "state": passed["state"]}
    assert plan["check_mode"] is True


def test_the_module_documents_its_options() -> None:
    documented = yaml.safe_load(publish.DOCUMENTATION)["options"]
    for options, spec in ((documented, publish.ARGUMENT_SPEC), (documented["files"]["suboptions"], publish.FILE_SPEC)):
        assert set(options) == set(spec)
        for name, option in spec.items():
            for key in ("type", "elements", "choices", "default", "required"):
                assert options[name].get(key) == option.get(key), (name, key)


def test_the_folder_of_the_signer_is_always_removed() -> None:
    (block,) = [task for task in read(ROLE / "tasks" / "sign.yml") if "block" in task]
    assert block["always"][0]["ansible.builtin.file"]["state"] == "absent"
    assert (block["delegate_to"], block["become"]) == ("localhost", False)
