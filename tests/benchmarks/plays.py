# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays as a user runs them, one process each, and the collections of others that stand beside ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".test" / "peers"
# Of the package `ansible`, what a FortiGate needs. The rest of its 92 collections would only take room.
WANTED = ("fortinet/fortios", "ansible/netcommon", "ansible/utils")
SECONDS = 1800


def environment(**more: str) -> dict[str, str]:
    """Of a control node that has nothing configured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
    return {**kept, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false", "NO_PROXY": "*", "no_proxy": "*",
            "ANSIBLE_HOST_KEY_CHECKING": "false", **more}  # fmt: skip


@dataclass(frozen=True)
class Ran:
    seconds: float
    peak: float  # MB, of the largest of its processes
    out: str

    @property
    def changed(self) -> int:
        """Of the first host in the recap."""
        return int(self.out.rpartition("changed=")[2].split()[0])


@dataclass(frozen=True)
class Site:
    """A folder with an inventory and plays; *peers*: the collections of others are found as well."""

    folder: Path
    inventory: str  # a file
    peers: bool = False

    def play(
        self, name: str, plays: Sequence[Mapping[str, Any]], *words: str, more: Mapping[str, str] | None = None
    ) -> Ran:
        """The plays from a file of JSON, which is YAML."""
        path = self.folder / f"{name}.yml"
        path.write_text(json.dumps(plays), encoding="utf-8")
        return self.run("ansible-playbook", str(path), *words, more=more)

    def run(self, program: str, *words: str, more: Mapping[str, str] | None = None) -> Ran:
        """*more*: of the environment."""
        own = {"ANSIBLE_HOME": str(self.folder / "home"), **(more or {})}
        if self.peers:
            own["ANSIBLE_COLLECTIONS_PATH"] = str(PEERS)
        command = [str(Path(sys.executable).with_name(program)), "-i", self.inventory, *words]
        return measured(command, environment(**own), self.folder)


def measured(command: Sequence[str], env: Mapping[str, str], folder: Path, stdin: str = "") -> Ran:
    """The run of a program, its time and its memory. SystemError with its last words where it fails."""
    before = time.perf_counter()
    with subprocess.Popen(
        command, env=dict(env), cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        out, peak = _followed(process, stdin)
        status = process.returncode
    seconds = time.perf_counter() - before
    text = out.decode("utf-8", "replace")
    if status:
        raise SystemError(f"{Path(command[0]).name} ended with {status}: {text[-3000:]}")
    return Ran(seconds, peak, text)


def _followed(process: subprocess.Popen[bytes], stdin: str) -> tuple[bytes, float]:
    """Its output, and the peak of its own memory, which wait4 tells with that of the children it has waited for."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(stdin.encode())
    process.stdin.close()
    out = process.stdout.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return out, usage.ru_maxrss / 1024


def local_inventory(folder: Path, **more: Mapping[str, Any]) -> str:
    """This machine as the only host, and *more*."""
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    path = folder / "inventory.json"
    path.write_text(json.dumps({"all": {"hosts": {"here": here, **more}}}), encoding="utf-8")
    return str(path)


def variables(folder: Path, name: str, values: Mapping[str, Any]) -> str:
    """For `-e`."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    return f"@{path}"


def task(name: str, module: str, arguments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, module: dict(arguments), **more}


def of_host(host: str, *tasks: Mapping[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"name": "Measured", "hosts": host, "gather_facts": False, "tasks": list(tasks), **more}]


def fetch_peers() -> str:
    """The vendors' collections of PyPI's `ansible`, in the version of requirements/bench.txt; that version."""
    wanted = (ROOT / "requirements" / "bench.txt").read_text(encoding="utf-8")
    stamp = PEERS / "stamp"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        wheels = PEERS / "wheels"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        requirements = str(ROOT / "requirements" / "bench.txt")
        measured([*pip, "--dest", str(wheels), "-r", requirements], dict(os.environ), ROOT)
        for wheel in wheels.glob("ansible-*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                places = tuple(f"ansible_collections/{name}/" for name in WANTED)
                archive.extractall(PEERS, [name for name in archive.namelist() if name.startswith(places)])
            wheel.unlink()
        stamp.write_text(wanted, encoding="utf-8")
    manifest = PEERS / "ansible_collections" / WANTED[0] / "MANIFEST.json"
    version: str = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
    return version
