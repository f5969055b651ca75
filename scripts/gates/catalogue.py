# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All gates: what runs, and what counts as passed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path

from . import home, stage, targets, verdicts
from .places import NEWEST, ROOT, TEST, Leg, environment, legs
from .shell import GateError, Shell
from .verdicts import Passed


@dataclass(frozen=True)
class Gate:
    target: str  # the make target that it belongs to
    name: str
    leg: str
    run: Callable[[Shell], Passed]


# A few tests that take long: they begin first.
WHOLE_PLAYBOOKS = ("test_playbooks", "test_stages", "test_web_service", "test_changes")


def all_gates() -> Iterator[Gate]:
    """The slow ones first, so that those at a time end together; those that compute beside those that mostly wait."""
    waiting, computing = list(_integration_gates()), list(_slow_gates())
    for pair in zip_longest(waiting, computing):
        yield from filter(None, pair)
    yield from _quick_gates()


def _slow_gates() -> Iterator[Gate]:
    for leg in legs():
        yield Gate("sanity", "sanity", leg.name, partial(sanity, leg))
    for leg in legs():
        yield Gate("units", "units", leg.name, partial(units, leg))
    for version, python in pythons_of_managed_hosts():
        yield Gate("units", "units on managed hosts", version, partial(units_on_target, version, python))


def _integration_gates() -> Iterator[Gate]:
    """One for each file of tests, in a lab of its own."""
    files = (ROOT / "tests" / "integration").glob("test_*.py")
    for path in sorted(files, key=lambda path: (path.stem in WHOLE_PLAYBOOKS, path.stat().st_size), reverse=True):
        name = f"integration {path.stem.removeprefix('test_')}"
        yield Gate("integration", name, "newest", partial(integration, path))


def _quick_gates() -> Iterator[Gate]:
    yield Gate("lint", "ansible-lint", "newest", ansible_lint)
    yield Gate("typecheck", "mypy", "newest", mypy)
    yield Gate("docs", "antsibull-docs", "newest", antsibull_docs)
    yield Gate("package", "package", "newest", package)
    yield Gate("lint", "antsibull-changelog", "newest", antsibull_changelog)
    yield Gate("lint", "ruff", "newest", ruff)
    yield Gate("lint", "yamllint", "newest", yamllint)
    yield Gate("shellcheck", "shellcheck", "", shellcheck)


# validate-modules breaks down as a whole on these where there is no PowerShell. tests/unit/powershell checks them.
NEED_POWERSHELL = ("plugins/modules/win_probe.ps1", "plugins/modules/win_probe.yml")


def sanity(leg: Leg, shell: Shell) -> Passed:
    ignored = [path.name for path in (ROOT / "tests" / "sanity").glob("ignore*.txt") if path.read_text().strip()]
    if ignored:
        raise GateError(f"the ignore list must stay empty: tests/sanity/{', '.join(ignored)}")
    home.prepare(leg)
    where = stage.refresh(leg.stage)
    ansible_test = leg.bin / "ansible-test"
    words = ["sanity", "--venv", "--color", "no"]
    left_out = () if shutil.which("pwsh") else NEED_POWERSHELL
    for name in left_out:
        words += ["--exclude", name]
    passed = verdicts.of_sanity(shell.run([ansible_test, *words], environment(leg), where, accept=(0, 1)))
    return replace(passed, skipped=(*passed.skipped, *(f"{name}: there is no pwsh here" for name in left_out)))


def units(leg: Leg, shell: Shell) -> Passed:
    return _pytest(leg, shell, f"units-{leg.name}", "tests/unit", *_run_elsewhere(leg))


# Tests of what only this project's own tests and scripts use: once is enough.
OF_TOOLS = ("benchmarks", "emulators", "lab", "powershell", "scripts", "torture", "web_service", "test_pac_engine.py")


def _run_elsewhere(leg: Leg) -> Iterator[str]:
    """What a gate for managed hosts runs with the same ansible-core on its oldest Python is not run here once more."""
    if leg is not NEWEST:
        yield from (f"--ignore=tests/unit/{name}" for name in OF_TOOLS)
    elif pythons_of_managed_hosts():  # where these drivers run
        yield from ("-k", "not (killed_anywhere and (squid or nftables))")
    if leg is NEWEST or leg not in [targets.leg_for(version) for version, _python in pythons_of_managed_hosts()]:
        return
    for folder in targets.TESTS:
        files = (path for path in (ROOT / folder).rglob("test_*.py") if not path.match("drivers/test_contract.py"))
        yield from (f"--ignore={path.relative_to(ROOT)}" for path in sorted(files) if not targets.is_of_apis(path))
    yield from ("-k", "not (test_contract and (squid or nftables))")


def units_on_target(version: str, python: str, shell: Shell) -> Passed:
    found = [name for name in targets.TESTS if (ROOT / name).is_dir()]
    oldest = min((one for one, _python in pythons_of_managed_hosts()), key=lambda one: int(one.partition(".")[2]))
    # Runs that are killed at every step take the longest: on one Python of managed hosts.
    words = [] if version == oldest else ["-k", "not killed_anywhere and not test_nftables"]
    return _pytest(targets.prepare(version, python, shell), shell, f"units-target-{version}", *found, *words)


def integration(path: Path, shell: Shell) -> Passed:
    if os.geteuid() != 0 and not shutil.which("sudo"):
        raise GateError("the lab is made of network namespaces: run it as root, or install sudo")
    name = str(path.relative_to(ROOT))
    # A run that was killed may have left it up, in whatever state.
    shell.run(["scripts/lab", "down"], environment(NEWEST) | {"EGRESS_LAB": path.stem}, terminal=True)
    return _pytest(NEWEST, shell, f"integration-{path.stem}", name, lab=path.stem)


def _pytest(leg: Leg, shell: Shell, name: str, *words: str, lab: str = "") -> Passed:
    report = TEST / "reports" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    pytest = [leg.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    before, env = (["scripts/in-lab"], {"EGRESS_LAB": lab}) if lab else ([], {})
    try:
        shell.run([*before, *pytest, *words], environment(leg) | env, terminal=bool(lab))
    except GateError:
        if report.exists():
            verdicts.of_pytest(report)  # says more than pytest's exit status
        raise
    return verdicts.of_pytest(report)


def ansible_lint(shell: Shell) -> Passed:
    where = stage.for_readers()
    env = environment(NEWEST) | {"ANSIBLE_COLLECTIONS_PATH": str(stage.READERS)}
    output = shell.run([NEWEST.bin / "ansible-lint", "--offline", "--profile", "production", "--strict"], env, where)
    return Passed(_line_with(output, "Passed:"))


# pytest's fixtures and parameters may go without annotations; what the tests do with them is checked all the same.
FOR_TESTS = (
    *("--allow-untyped-defs", "--allow-incomplete-defs", "--allow-untyped-calls", "--allow-untyped-decorators"),
    *("--allow-any-generics", "--no-warn-return-any"),
)


def mypy(shell: Shell) -> Passed:
    """The collection as a package; each of the other folders as programs that import what lies beside them."""
    where = stage.for_readers()
    ours = "ansible_collections.egress.allowlist"

    def check(*words: str, beside: str = "") -> str:
        env = environment(NEWEST) | {"MYPYPATH": os.pathsep.join([str(stage.READERS), beside])}
        name = words[-1].replace("/", "-")
        return shell.run([NEWEST.bin / "mypy", "--cache-dir", TEST / "mypy" / name, *words], env, where, accept=(0, 1))

    found = [check("-p", f"{ours}.plugins"), check(*FOR_TESTS, "-p", f"{ours}.tests.unit")]
    found += [check("scripts", beside="scripts:tests/integration"), check("tests/lab", beside="tests/lab")]
    # A benchmark and a torture test may use what the tests use.
    folders = ("tests/integration", "tests/benchmarks", "tests/torture")
    found += [check(*FOR_TESTS, folder, beside=os.pathsep.join([folder, folders[0]])) for folder in folders]
    return verdicts.of_mypy(found)


def antsibull_docs(shell: Shell) -> Passed:
    where = stage.for_readers()
    words = ["lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", "."]
    shell.run([NEWEST.bin / "antsibull-docs", *words], environment(NEWEST), where)
    return Passed("documentation of plugins, roles and guides")


def antsibull_changelog(shell: Shell) -> Passed:
    where = stage.for_readers()
    shell.run([NEWEST.bin / "antsibull-changelog", "lint"], environment(NEWEST), where)
    return Passed("changelog and fragments")


def ruff(shell: Shell) -> Passed:
    shell.run([NEWEST.bin / "ruff", "check", "--cache-dir", TEST / "ruff", "."], environment(NEWEST))
    return Passed("all Python files")


def yamllint(shell: Shell) -> Passed:
    where = stage.for_readers()
    shell.run([NEWEST.bin / "yamllint", "--strict", "."], environment(NEWEST), where)
    return Passed("all YAML files")


def shellcheck(shell: Shell) -> Passed:
    scripts = _shell_scripts()
    if not scripts:
        raise GateError("found no shell script to check")
    shell.run(["shellcheck", "--enable=quote-safe-variables,check-unassigned-uppercase", *scripts], environment(NEWEST))
    return Passed(f"{len(scripts)} scripts")


def _shell_scripts() -> list[str]:
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return sorted(name for name in listed if name and _is_shell(ROOT / name))


def _is_shell(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and first.split()[-1].rsplit(b"/", 1)[-1] in (b"sh", b"bash")


def package(shell: Shell) -> Passed:
    """Builds the tarball and installs it into an empty place, where its plugins must be found by full name."""
    where = stage.for_readers()
    into = TEST / "installed"
    shutil.rmtree(into, ignore_errors=True)
    galaxy: list[str | Path] = [NEWEST.bin / "ansible-galaxy", "collection"]
    # Not the virtual environment's link: ansible-core must find the installed copy.
    env = environment(NEWEST) | {"ANSIBLE_COLLECTIONS_PATH": str(into), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    shell.run([*galaxy, "build", "--force", "--output-path", TEST / "dist", "."], env, where)
    shell.run([*galaxy, "install", "--offline", *sorted((TEST / "dist").glob("*.tar.gz"))], env)
    shell.run([*galaxy, "verify", "--offline", "egress.allowlist"], env)
    return _documented(shell, env, into)


def _documented(shell: Shell, env: dict[str, str], into: Path) -> Passed:
    kinds = {"modules": "module", "lookup": "lookup", "filter": "filter"}
    count = 0
    for folder, kind in kinds.items():
        # What is not Python has its documentation in a file beside it.
        found = (into / "ansible_collections/egress/allowlist/plugins" / folder).glob("[a-z]*")
        plugins = sorted(path for path in found if path.suffix in (".py", ".yml"))
        for path in plugins:
            words = ["--json", "--type", kind, f"egress.allowlist.{path.stem}"]
            if str(path) not in shell.run([NEWEST.bin / "ansible-doc", *words], env):
                raise GateError(f"ansible-doc found another {path.stem} than the installed one")
            count += 1
    if not count:
        raise GateError("the installed collection has no plugin")
    return Passed(f"built, installed, {count} plugins found by name")


def _line_with(output: str, word: str) -> str:
    return next((line.strip() for line in output.splitlines() if word in line), "")


def pythons_of_managed_hosts() -> list[tuple[str, str]]:
    """The oldest Python found for each leg, ("3.8", "/usr/bin/python3.8"). ansible-test imports on those between."""
    listed = subprocess.run([ROOT / "scripts" / "pythons"], check=True, capture_output=True, text=True).stdout
    own = {leg.site_packages.parent.name.removeprefix("python") for leg in legs()}
    oldest: dict[str, tuple[str, str]] = {}
    for line in reversed(listed.splitlines()):
        version, python = line.split(" ", 1)
        if version not in own:
            oldest.setdefault(targets.leg_for(version).name, (version, python))
    return list(oldest.values())
