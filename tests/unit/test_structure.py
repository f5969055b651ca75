# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom, and that nothing that users meet is without a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
PACKAGE = "ansible_collections.egress.allowlist.plugins."
ENGINE = {"_run.py"}  # the only one of module_utils that may know Ansible
PURE = ("_pattern", "_entry", "_translation", "_plan", "_driver", "_labels", "_errors", "_network", "_ports")
ON_APPLIANCES_AND_HOSTS = ("squid", "probe", "publish")
STANDARD_ONLY = {"requests", "netaddr", "jmespath", "yaml", "jinja2"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def file_of(module: str) -> Path | None:
    if not module.startswith(PACKAGE):
        return None
    path = PLUGINS / Path(*module[len(PACKAGE) :].split(".")).with_suffix(".py")
    return path if path.is_file() else None


def reached(path: Path) -> dict[Path, set[str]]:
    """Every file of ours that the path imports, directly or not, with what each imports."""
    found: dict[Path, set[str]] = {}
    waiting = [path]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = imports(one)
            waiting += [other for other in map(file_of, found[one]) if other is not None]
    return found


@pytest.mark.parametrize("name", ON_APPLIANCES_AND_HOSTS)
def test_what_runs_on_other_peoples_hosts_needs_nothing_there(name) -> None:
    files = reached(PLUGINS / "modules" / f"{name}.py")
    assert len(files) > 3
    for path, names in files.items():
        assert not {one.split(".")[0] for one in names} & STANDARD_ONLY, path
        assert path.is_relative_to(UTILS) or path.parent.name == "modules", f"{path} does not reach the host"


def test_only_the_http_seam_imports_requests() -> None:
    users = {path.name for path in PLUGINS.rglob("*.py") if "requests" in {n.split(".")[0] for n in imports(path)}}
    assert users <= {"_http.py"}


def test_only_the_engine_knows_ansible() -> None:
    for path in UTILS.rglob("*.py"):
        names = {name for name in imports(path) if name.split(".")[0] == "ansible"}
        assert not names or path.name in ENGINE or path.name.startswith("_probe"), f"{path}: {names}"


def test_the_core_and_the_drivers_do_not_know_each_other() -> None:
    for path in UTILS.glob("_*.py"):
        if path.name.startswith(PURE):
            assert not [name for name in imports(path) if "._drivers" in name or "._run" in name], path


def test_no_driver_imports_another() -> None:
    drivers = {path.stem for path in (UTILS / "_drivers").glob("[a-z]*.py")}
    for path in (UTILS / "_drivers").glob("*.py"):
        own = path.stem.lstrip("_").split("_")[0]
        others = {f"_drivers.{name}" for name in drivers if name != own}
        private = {f"_drivers._{name}_" for name in drivers if name != own}
        for name in imports(path):
            assert not any(name.endswith(other) or f"{other}." in name for other in others), path
            assert not any(mark in name for mark in private), path


def _met_by_users() -> list[Path]:
    kinds = ("modules", "lookup", "filter", "action")
    return sorted(path for kind in kinds for path in (PLUGINS / kind).glob("*.*") if path.suffix in (".py", ".ps1"))


def _tests() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize("path", _met_by_users(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_plugin_has_a_test(path) -> None:
    name = path.stem
    kind = path.parent.name
    met = rf"egress\.allowlist\.{name}\b|plugins\.{kind}\.{name} import|plugins\.{kind} import .*\b{name}\b"
    assert re.search(met, _tests())


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_every_role_has_a_test(name) -> None:
    assert (ROOT / "tests" / "unit" / "roles" / f"test_{name}_role.py").is_file()


@pytest.mark.parametrize("folder", ["plugins", "roles", "playbooks", "scripts", "tests"])
def test_no_file_is_named_package_init(folder) -> None:
    assert list((ROOT / folder).rglob("__init__.py")) in ([], [ROOT / "scripts" / "gates" / "__init__.py"])


@pytest.mark.parametrize("path", sorted((PLUGINS / "modules").glob("*.ps1")), ids=lambda path: path.name)
def test_a_module_in_powershell_has_its_own_name_and_its_documentation_beside_it(path) -> None:
    """With x.py and x.ps1 side by side, Ansible takes the PowerShell file on Linux too."""
    assert not path.with_suffix(".py").exists()
    assert path.with_suffix(".yml").is_file()
