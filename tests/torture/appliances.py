# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The appliances that are tortured: the lab's Squid and nftables, and the emulators of those with an API.

Each run of a module is a process of its own, as Ansible starts it, so that it can really be killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import ansible
import inlab
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.api_host import ApiHost
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.fortios_host import FortiosHost
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.panos_host import PanosHost
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.zia_host import ZiaHost

IN_LAB = Path("/run/egress-lab/lab")  # where each host of the lab sees the lab's folder
OURS = "ansible_collections.egress.allowlist.plugins.modules"
RUN_SECONDS = 120
QUICK = "EGRESS_QUICK_PAUSES"  # see other_time.py
Options = dict[str, Any]
T = TypeVar("T")


def importable(folder: Path) -> Path:
    """Our modules and what they import, copied there: a host of the lab does not see every folder of this machine."""
    shutil.rmtree(folder, ignore_errors=True)
    library = Path(next(iter(ansible.__path__)))
    without = shutil.ignore_patterns("__pycache__", "powershell", "csharp")
    shutil.copytree(library / "module_utils", folder / "ansible" / "module_utils", ignore=without)
    (folder / "ansible" / "__init__.py").touch()  # Ansible too sends no more of itself than this
    shutil.copy(library / "release.py", folder / "ansible")
    shutil.copy(inlab.ROOT / "tests" / "torture" / "other_time.py", folder / "sitecustomize.py")
    collection = folder / "ansible_collections" / "egress" / "allowlist"
    for part in ("modules", "module_utils"):
        shutil.copytree(inlab.ROOT / "plugins" / part, collection / "plugins" / part, ignore=without)
    return folder


def part_of(found: Sequence[T], scale: float) -> list[T]:
    """So many of them, evenly spread, always with the first and the last."""
    wanted = min(len(found), max(2, round(len(found) * scale)))
    return [found[round(index * (len(found) - 1) / max(1, wanted - 1))] for index in range(wanted)]


@dataclass(frozen=True)
class Done:
    """How a process ended; *status* as a shell tells it, 137 for one that was killed."""

    status: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        return self.status in (137, -9)

    def answer(self) -> dict[str, Any]:
        assert "Traceback" not in self.out + self.err, (self.out + self.err)[-3000:]
        found: dict[str, Any] = json.loads(self.out)
        return found


class Target(ABC):
    """One appliance. ``old`` and ``new`` are lists that share ``kept``."""

    kind: ClassVar[str]
    rearranged: ClassVar[Options]
    new: ClassVar[tuple[str, ...]] = ("login.live.com", "*.mesh.com", "mesh.com", "198.51.100.0/24")
    odd: ClassVar[str] = "*cdn.onenote.net"

    @property
    def old(self) -> tuple[str, ...]:
        return ("login.live.com", "*.mesh.com", self.odd, "203.0.113.0/24")

    @abstractmethod
    def usual(self) -> Options:
        """Options that each run has."""

    @abstractmethod
    def execute(self, stdin: str, before: Sequence[str], environment: Mapping[str, str]) -> Done:
        """The module, called by the words *before* it where there are some (strace, prlimit)."""

    @property
    @abstractmethod
    def trace(self) -> tuple[Path, str]:
        """A file for strace, as seen from here and from where the module runs."""

    @abstractmethod
    def state(self) -> Any:
        """All that a run can change or leave behind."""

    @abstractmethod
    def recover(self) -> None:
        """What the site's own supervisor does after a run was killed."""

    @abstractmethod
    def holds(self, *lists: Sequence[str]) -> None:
        """Raises AssertionError unless the appliance lets through what these lists ask for, and nothing else."""

    def attempt(self, options: Options, *before: str, **environment: str) -> Done:
        given = {**self.usual(), **options}
        if given.get("state") in ("gathered", "restored", "deleted") and not given.get("entries"):
            given.pop("clients", None)
        return self.execute(json.dumps({"ANSIBLE_MODULE_ARGS": given}), before, environment)

    def run(self, options: Options) -> dict[str, Any]:
        done = self.attempt(options)
        answer = done.answer()
        assert done.status == 0, answer
        return answer

    def fails(self, options: Options, *before: str, **environment: str) -> str:
        """What the module says to this, which must be an error in plain words."""
        done = self.attempt(options, *before, **environment)
        answer = done.answer()
        assert done.status == 1 and answer.get("failed"), answer
        return str(answer["msg"])

    def settle(self, *runs: Options) -> None:
        self.recover()
        for one in runs or ({"state": "deleted"},):
            self.run(one)

    def close(self) -> None:
        """Leave nothing of ours."""
        self.settle()


class InLab(Target):
    """A program on a host of the lab, reached as Ansible does, by ssh."""

    host: ClassVar[str]
    inlab: inlab.Appliance
    client: ClassVar[str]

    def __init__(self, modules: Path) -> None:
        self.modules = IN_LAB / modules.relative_to(inlab.LAB)

    def usual(self) -> Options:
        return {"clients": list(self.inlab.clients), "default_ports": ["tcp/443"], "widen": "any"}

    @property
    def trace(self) -> tuple[Path, str]:
        return inlab.LAB / "trace", str(IN_LAB / "trace")

    def execute(self, stdin: str, before: Sequence[str], environment: Mapping[str, str]) -> Done:
        where = {"PYTHONPATH": str(self.modules), "PYTHONDONTWRITEBYTECODE": "1", **environment}
        words = ["env", *(f"{name}={value}" for name, value in where.items()), *before]
        words += ["/usr/bin/python3", "-m", f"{OURS}.{self.kind}"]
        command = inlab.ssh(self.host, f"{shlex.join(words)}; exit $?")  # a status, where it was killed by a signal
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
        return Done(done.returncode, done.stdout, done.stderr)

    def _left(self) -> str:
        return inlab.on(self.host, "sh", "-c", "ls -A /tmp /run | grep egress || true")


class SquidInLab(InLab):
    kind = "squid"
    host = "proxy1"
    client = "desktop1"
    rearranged: ClassVar[Options] = {"position": "05"}

    def __init__(self, modules: Path) -> None:
        super().__init__(modules)
        self.inlab = self.squid = inlab.Squid()

    def state(self) -> Any:
        return {"files": self.squid.files(), "left": self._left()}

    def recover(self) -> None:
        """No run ends it."""

    def holds(self, *lists: Sequence[str]) -> None:
        wanted = {name for one in lists for name in one}
        names = {"login.live.com": "login.live.com", "a.mesh.com": "*.mesh.com", "mesh.com": "mesh.com",
                 "xcdn.onenote.net": "*cdn.onenote.net", "www.example.org": "nothing"}  # fmt: skip
        met = inlab.ask(self.client, [inlab.connect(name) for name in names])
        for name, entry in names.items():
            one = met[name]
            allowed = one.connect == 200 and one.error is None and "Inspection" not in str(one.issuer)
            assert allowed == (entry in wanted), one


class FirewallInLab(InLab):
    kind = "nftables"
    host = "firewall1"
    client = "desktop3"
    rearranged: ClassVar[Options] = {"priority": -20, "mark": "0x40000"}

    def __init__(self, modules: Path) -> None:
        super().__init__(modules)
        self.inlab = self.firewall = inlab.Firewall()
        self.firewall.load_site(inlab.ESTABLISHED, inlab.ACCEPT_MARK, inlab.ACCEPT_MARK.replace("0x10000", "0x40000"))
        self._site = self.firewall.nft("-j", "list", "table", "inet", "filter")

    def state(self) -> Any:
        return {"files": self.firewall.files(), "left": self._left(), "rules": self._rules()}

    def _rules(self) -> list[str]:
        """Without counts, and without what DNS fills."""
        found = []
        for one in json.loads(self.firewall.nft("-j", "list", "ruleset"))["nftables"]:
            for kind, body in one.items():
                if kind == "metainfo":
                    continue
                body.pop("handle", None)
                if "timeout" in body.get("flags", ()):
                    body.pop("elem", None)
                elif "elem" in body:
                    body["elem"].sort(key=json.dumps)
                expressions = [part for part in body.get("expr", ()) if "counter" not in part]
                found.append(json.dumps({kind: {**body, **({"expr": expressions} if "expr" in body else {})}}))
        return sorted(found)

    def recover(self) -> None:
        """What systemd does for a dnsmasq that has ended."""
        script = 'kill -0 "$(cat /run/dnsmasq/dnsmasq.pid)" 2> /dev/null || dnsmasq --conf-file=/etc/dnsmasq.conf'
        inlab.on(self.host, "sh", "-c", script)

    def holds(self, *lists: Sequence[str]) -> None:
        wanted = {name for one in lists for name in one}
        names = {"login.live.com": "login.live.com", "a.mesh.com": "*.mesh.com", "www.example.org": "nothing"}
        met = inlab.reach(self.client, [(name, 443) for name in names])
        for name, entry in names.items():
            assert (met[name, 443] == "open") == (entry in wanted), (name, met)


class Emulated(Target):
    """An appliance with an API, emulated in this process; the module runs beside it."""

    made: ClassVar[type[ApiHost]]

    def __init__(self, modules: Path, folder: Path) -> None:
        self.modules, self.folder = modules, folder
        self.kind = self.made.__name__.removesuffix("Host").lower()  # type: ignore[misc]
        self.rearranged = self.made.rearranged  # type: ignore[misc]
        self.odd = self.made.odd  # type: ignore[misc]
        self.host = self.made(folder)
        self.host.emulator.start()

    def usual(self) -> Options:
        return {**self.host.usual(), "default_ports": ["tcp/443"], "wait_timeout": 30}

    @property
    def trace(self) -> tuple[Path, str]:
        return self.folder / "trace", str(self.folder / "trace")

    def execute(self, stdin: str, before: Sequence[str], environment: Mapping[str, str]) -> Done:
        where = {"PYTHONPATH": str(self.modules), "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*", QUICK: "1"}
        done = subprocess.run(
            [*before, sys.executable, "-m", f"{OURS}.{self.kind}"], input=stdin, capture_output=True, text=True,
            check=False, timeout=RUN_SECONDS, env={**os.environ, **where, **environment}, cwd=self.folder,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def state(self) -> Any:
        return self.host.state()

    def recover(self) -> None:
        self.host.recover()

    def holds(self, *lists: Sequence[str]) -> None:
        """By the driver's own reading: what the rules of a vendor mean is looked at elsewhere."""
        wanted = {name for one in lists for name in one}
        answer = self.host.run(state="gathered")
        assert {one.split()[1] for one in answer["after"]} == wanted, answer["after"]

    def close(self) -> None:
        self.host.emulator.stop()


class Panos(Emulated):
    made = PanosHost


class Zia(Emulated):
    made = ZiaHost


class Fortios(Emulated):
    made = FortiosHost


PROGRAMS: dict[str, type[InLab]] = {"squid": SquidInLab, "nftables": FirewallInLab}
APIS: dict[str, type[Emulated]] = {"panos": Panos, "zia": Zia, "fortios": Fortios}
ALL = (*PROGRAMS, *APIS)


@contextlib.contextmanager
def started(kind: str, modules: Path, folder: Path) -> Iterator[Target]:
    target = PROGRAMS[kind](modules) if kind in PROGRAMS else APIS[kind](modules, folder)
    try:
        if kind in PROGRAMS:
            target.settle()
        yield target
    finally:
        target.close()
