# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The apply role's variables: documented, defaulted, mapped by the playbook, and passed to the module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.egress.allowlist.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.egress.allowlist.plugins.module_utils._connection import CONNECTION_SPEC
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.fortios import FortiosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.nftables import NftablesDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.panos import PanosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.zia import ZiaDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import allowlist_argument_spec
from ansible_collections.egress.allowlist.plugins.modules import fortios, nftables, panos, snapshot, squid, zia

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "apply"
DRIVERS = {
    "squid": SquidDriver, "nftables": NftablesDriver, "panos": PanosDriver, "zia": ZiaDriver, "fortios": FortiosDriver,
}
MODULES = {"squid": squid, "nftables": nftables, "panos": panos, "zia": zia, "fortios": fortios}
BY_API = [name for name, driver in DRIVERS.items() if set(CONNECTION_SPEC) <= set(driver.argument_spec)]
# Whose API is at an address of its own, not at one for all customers.
WITH_ADDRESS = ("panos", "fortios")


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


SPECS: dict[str, Any] = read(ROLE / "meta" / "argument_specs.yml")["argument_specs"]
OPTIONS: dict[str, Any] = SPECS["main"]["options"]
VARIABLES: dict[str, str] = read(ROOT / "playbooks" / "vars" / "apply.yml")


def test_defaults_and_documentation_agree() -> None:
    options = [item for spec in SPECS.values() for item in spec["options"].items()]
    documented = {name: option["default"] for name, option in options if "default" in option}
    assert read(ROLE / "defaults" / "main.yml") == documented


def test_the_playbook_maps_every_variable() -> None:
    # The run of a snapshot is the playbooks' own business.
    assert set(VARIABLES) == {*OPTIONS, "apply_snapshot_dir"}
    head = (ROOT / "playbooks" / "apply_mmd_allowlist.yml").read_text(encoding="utf-8").split("- name:")[0]
    for name in VARIABLES:
        assert name.replace("apply_", "egress_") in head, f"{name} is not listed at the top of the playbook"


def test_the_playbook_repeats_the_defaults() -> None:
    own = OPTIONS["apply_host"]["default"].strip("{} ")
    assert VARIABLES["apply_host"] == f"{{{{ egress_host | default({own}) }}}}"
    for name, option in OPTIONS.items():
        if "default" in option and name != "apply_host":
            text = VARIABLES[name].split("default(")[1].rsplit(")", 1)[0]
            assert yaml.safe_load(text) == (option["default"] or type(option["default"])()), name


@pytest.mark.parametrize("entry", ["snapshot", "restore"])
def test_each_entry_point_documents_what_it_uses(entry: str) -> None:
    files = [*(ROLE / "tasks").glob(f"{entry}*.yml"), ROLE / "vars" / "main.yml"]
    used = {name for path in files for name in re.findall(r"(?<![_\w'])apply_\w+", path.read_text(encoding="utf-8"))}
    assert used == set(SPECS[entry]["options"])
    assert SPECS[entry]["options"]["apply_appliance"]["choices"] == list(DRIVERS)
    assert snapshot.ARGUMENT_SPEC["appliance"]["choices"] == list(DRIVERS)


def test_each_appliance_has_its_module_and_its_tasks() -> None:
    assert OPTIONS["apply_appliance"]["choices"] == list(DRIVERS)
    assert {path.stem for path in (ROLE / "tasks").glob("*.yml")} == {
        *DRIVERS, "main", "entries", "result", "snapshot", "snapshot_kept", "restore", "restore_given",
    }


@pytest.mark.parametrize("appliance", DRIVERS)
def test_the_module_gets_every_option(appliance: str) -> None:
    (task,) = read(ROLE / "tasks" / f"{appliance}.yml")
    own = DRIVERS[appliance].argument_spec
    passed = task[f"egress.allowlist.{appliance}"]
    assert set(passed) == set(allowlist_argument_spec()) - {"snapshot"} | set(own)
    for name in own:
        default = "apply_host" if name == "host" and appliance in WITH_ADDRESS else "omit"
        assert passed[name] == f"{{{{ apply_{appliance}.{name} | default({default}) }}}}"


# Nothing of the inventory may lead Ansible to the appliance itself, or to another user or Python than ours.
HERE = {
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    "ansible_become": False,
}


@pytest.mark.parametrize("appliance", DRIVERS)
def test_an_api_is_asked_from_the_control_node(appliance: str) -> None:
    (task,) = read(ROLE / "tasks" / f"{appliance}.yml")
    assert task.get("vars") == (HERE if appliance in BY_API else None)


@pytest.mark.parametrize("entry", ["snapshot", "restore"])
def test_snapshots_of_an_api_too(entry: str) -> None:
    there, here = read(ROLE / "tasks" / f"{entry}.yml")[:2]
    assert there["ansible.builtin.include_tasks"] == here["ansible.builtin.include_tasks"]
    assert (there["when"], there.get("vars")) == ("apply_appliance not in __apply_by_api", None)
    assert (here["when"], here["vars"]) == ("apply_appliance in __apply_by_api", HERE)


def test_who_has_an_api() -> None:
    variables = read(ROLE / "vars" / "main.yml")
    assert variables["__apply_by_api"] == list(snapshot.BY_API) == BY_API
    assert f"in {list(WITH_ADDRESS)}" in variables["__apply_where"]


@pytest.mark.parametrize("appliance", DRIVERS)
def test_the_module_documents_its_own_options(appliance: str) -> None:
    documented = yaml.safe_load(MODULES[appliance].DOCUMENTATION)["options"]
    if appliance in BY_API:
        documented |= yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    own = DRIVERS[appliance].argument_spec
    assert set(documented) == set(own)
    for name, option in own.items():
        for key in ("type", "elements", "choices", "default"):
            assert documented[name].get(key) == option.get(key), name


@pytest.mark.parametrize("appliance", DRIVERS)
def test_own_options_are_those_of_the_module(appliance: str) -> None:
    """Types and choices too; defaults stay with the module alone."""
    require_same(OPTIONS[f"apply_{appliance}"]["options"], DRIVERS[appliance].argument_spec)


def require_same(documented: dict[str, Any], own: dict[str, Any]) -> None:
    assert set(documented) == set(own)
    for name, option in own.items():
        for key in ("type", "elements", "choices"):
            assert documented[name].get(key) == option.get(key), name
        require_same(documented[name].get("options", {}), option.get("options", {}))


@pytest.mark.parametrize("appliance", DRIVERS)
def test_what_is_the_same_for_all_is_passed_in_the_same_way(appliance: str) -> None:
    (task,) = read(ROLE / "tasks" / f"{appliance}.yml")
    (first,) = read(ROLE / "tasks" / "squid.yml")
    passed, usual = task[f"egress.allowlist.{appliance}"], first["egress.allowlist.squid"]
    shared = set(allowlist_argument_spec()) - {"snapshot"}
    assert {name: passed[name] for name in shared} == {name: usual[name] for name in shared}


def test_the_action_groups_have_every_module() -> None:
    """The second one is of those that have the options of a connection."""
    groups = read(ROOT / "meta" / "runtime.yml")["action_groups"]
    assert set(groups["egress"]) >= set(DRIVERS)
    assert groups["egress_api"] == sorted(BY_API)
    for name, module in MODULES.items():
        fragments = yaml.safe_load(module.DOCUMENTATION)["extends_documentation_fragment"]
        assert f"egress.allowlist.attributes{'.api' if name in BY_API else ''}" in fragments


def test_choices_are_those_of_the_module() -> None:
    spec = allowlist_argument_spec()
    for name in ("intents", "rules", "widen", "narrow"):
        assert OPTIONS[f"apply_{name}"]["choices"] == spec[name]["choices"]
    assert set(OPTIONS["apply_state"]["choices"]) < set(spec["state"]["choices"])
