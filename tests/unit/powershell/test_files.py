# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be known of the PowerShell files without a PowerShell: syntax, options, who calls whom."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.executor.powershell.module_manifest import PSModuleDepFinder
from ansible_collections.egress.allowlist.plugins.modules import probe

from .interpreter import Interpreter
from .syntax import Node, functions, parse, text_of, walk

ROOT = Path(__file__).resolve().parents[3]
UTILS = sorted((ROOT / "plugins" / "module_utils").glob("*.psm1"))
MODULE = ROOT / "plugins" / "modules" / "win_probe.ps1"
PACKAGE = "ansible_collections.egress.allowlist.plugins.module_utils."
# In every runspace from the start; what else a worker would call has to be loaded first, in each of them.
OF_THE_CORE = {"ForEach-Object", "Where-Object", "Get-Command"}
OF_POWERSHELL = {
    *OF_THE_CORE,
    *("Add-Type", "ConvertFrom-Json", "ConvertTo-Json", "New-Object"),
    *("Export-ModuleMember", "Sort-Object", "Write-Verbose"),
}


def calls(node: Node) -> set[str]:
    return {text_of(one.children[0]) for one in walk(node) if one.type == "command" and one.children}


def everything() -> dict[str, Node]:
    return {name: node for path in UTILS for name, node in functions(parse(path.read_text(encoding="utf-8"))).items()}


@pytest.mark.parametrize("path", [*UTILS, MODULE], ids=lambda path: path.name)
def test_the_syntax_is_right(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parse(text)
    assert text.isascii()


@pytest.mark.parametrize(
    "text", ["function A { param($X) return $X", "if ($a -eq) { }", "$a = @{ b = 1", "foreach ($a $b) { }"]
)
def test_broken_syntax_is_found(text: str) -> None:
    with pytest.raises(SyntaxError):
        parse(text)


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.name)
def test_nothing_newer_than_windows_powershell_is_used(path: Path) -> None:
    script = re.sub(r"@'\n.*?\n'@", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    code = "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"\?\?|\?\.|&&|\|\||-Parallel|\bclass\b|-AsHashtable|-SkipCertificateCheck", code)
    assert " ? " not in re.sub(r"'[^']*'", "", code)


def test_every_command_is_known() -> None:
    known = everything()
    for name, node in known.items():
        assert calls(node) <= set(known) | OF_POWERSHELL, name
    assert len({name.lower() for name in known}) == len(known)


@pytest.mark.parametrize("path", UTILS, ids=lambda path: path.name)
def test_each_file_asks_for_the_files_whose_functions_it_calls(path: Path) -> None:
    owners = {name: other for other in UTILS for name in functions(parse(other.read_text(encoding="utf-8")))}
    text = path.read_text(encoding="utf-8")
    asked = set(re.findall(rf"^#AnsibleRequires -PowerShell {re.escape(PACKAGE)}(\w+)$", text, re.MULTILINE))
    needed = {owners[name].stem for name in calls(parse(text)) if name in owners} - {path.stem}
    assert needed <= reachable(path.stem), needed - reachable(path.stem)
    assert asked <= {one.stem for one in UTILS}
    assert path.stem not in reachable(path.stem), "Ansible breaks down now and then on files that ask for each other"


def reachable(stem: str) -> set[str]:
    """The files that Ansible sends along with one."""
    found: set[str] = set()
    waiting = [stem]
    while waiting:
        text = (ROOT / "plugins" / "module_utils" / f"{waiting.pop()}.psm1").read_text(encoding="utf-8")
        new = set(re.findall(rf"^#AnsibleRequires -PowerShell {re.escape(PACKAGE)}(\w+)$", text, re.MULTILINE)) - found
        found |= new
        waiting += new
    return found


def test_the_workers_have_what_they_call_and_no_more() -> None:
    known = everything()
    listed = set(Interpreter(*UTILS).call("Get-WorkerFunction"))
    reached: set[str] = set()
    waiting = ["Invoke-Worker"]
    while waiting:
        name = waiting.pop()
        if name in known and name not in reached:
            reached.add(name)
            waiting += calls(known[name])
        elif name not in known:
            assert name in OF_THE_CORE, name
    assert listed == reached


def test_workers_share_no_variables_of_a_script() -> None:
    known = everything()
    for name in Interpreter(*UTILS).call("Get-WorkerFunction"):
        assert "$script:" not in known[name].text, name


def test_no_variable_hides_a_parameter() -> None:
    """$facts is $Facts: PowerShell knows no upper and lower case."""
    for name, node in everything().items():
        parameters = {text_of(c) for one in walk(node) if one.type == "script_parameter" for c in one.children[:1]}
        for one in walk(node):
            if one.type == "left_assignment_expression" and one.children[0].type == "variable":
                written = text_of(one.children[0])
                assert written in parameters or written.lower() not in {p.lower() for p in parameters}, (name, written)


def options() -> dict[str, Any]:
    spec: dict[str, Any] = Interpreter().read(MODULE, "spec")
    return spec


def test_the_module_takes_the_options_of_its_python_sister() -> None:
    spec = options()
    assert spec["options"] == probe.ARGUMENT_SPEC
    assert spec["mutually_exclusive"] == [list(one) for one in probe.RULES["mutually_exclusive"]]
    assert spec["required_one_of"] == [list(one) for one in probe.RULES["required_one_of"]]
    assert spec["supports_check_mode"] is True


def test_the_documentation_has_the_options_of_the_module() -> None:
    page = yaml.safe_load((ROOT / "plugins" / "modules" / "win_probe.yml").read_text(encoding="utf-8"))
    documented = page["DOCUMENTATION"]["options"]
    kept = ("type", "elements", "default", "choices", "required")
    assert {
        name: {key: value for key, value in option.items() if key in kept} for name, option in documented.items()
    } == probe.ARGUMENT_SPEC
    assert "not met a Windows host" in str(page["DOCUMENTATION"]["description"])


def test_what_is_taken_over_is_up_to_date() -> None:
    """If not: scripts/powershell_data.py."""
    words = [sys.executable, str(ROOT / "scripts" / "powershell_data.py"), "--check"]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_ansible_finds_all_files_of_the_module() -> None:
    found = PSModuleDepFinder()
    name = "ansible_collections.egress.allowlist.plugins.modules.win_probe"
    found.scan_module(MODULE.read_bytes(), fqn=name, powershell=True)
    names = {name.removesuffix(".psm1").rpartition(".")[2] for name in found.scripts if "egress" in name}
    assert names == {path.stem for path in UTILS} - {"EgressProbeAlone"}


def test_both_ways_of_asking_in_the_role_are_the_same() -> None:
    linux, windows = (
        yaml.safe_load((ROOT / "roles" / "verify" / "tasks" / f"ask_{name}.yml").read_text(encoding="utf-8"))[0]
        for name in ("linux", "windows")
    )
    assert windows.pop("egress.allowlist.win_probe") == linux.pop("egress.allowlist.probe")
    assert windows == linux
