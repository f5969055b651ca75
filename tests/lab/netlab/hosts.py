# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as processes, seen from the machine: start them, wire them, find them again, end them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import topology, wiring
from .state import Lab, LabError, owner
from .topology import HOSTS, Host

STEP_SECONDS = 40.0
END_SECONDS = 5.0
LOCAL_NAMES = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"


@dataclass
class Birth:
    """A host on its way up, and the line to it: when we go, the line closes and the host goes too."""

    host: Host
    control: socket.socket
    log: Path

    def await_(self, message: str) -> None:
        self.control.settimeout(STEP_SECONDS)
        try:
            answer = self._line()
        except TimeoutError:
            raise LabError(f"{self.host.name}: not {message} after {STEP_SECONDS:.0f} s\n{self._tail()}") from None
        if answer != message:
            kind, _unused, text = answer.partition(" ")
            reason = json.loads(text) if kind == "failed" else f"its first process ended\n{self._tail()}"
            raise LabError(f"{self.host.name}: not {message}: {reason}")

    def tell(self, message: str) -> None:
        self.control.sendall(f"{message}\n".encode())

    def _line(self) -> str:
        data = b""
        while not data.endswith(b"\n"):
            piece = self.control.recv(1)
            if not piece:
                return ""
            data += piece
        return data.decode().strip()

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        return "\n".join(f"  {self.log.name}: {line}" for line in lines) or f"  ({self.log} is empty)"


def start(lab: Lab) -> None:
    """All hosts, wired and with their programs running; a failure leaves none of them."""
    lab.run.mkdir(parents=True, exist_ok=True)
    os.chown(lab.run, *owner())
    births = [_bear(lab, host) for host in HOSTS.values()]
    try:
        for message in ("born", "dressed"):
            for birth in births:
                birth.await_(message)
        _plug(lab)
        for message in ("wired", "keep"):
            if message == "keep":
                _await_all(births, "ready")
            for birth in births:
                birth.tell(message)
    finally:
        for birth in births:
            birth.control.close()


def _await_all(births: Iterable[Birth], message: str) -> None:
    for birth in births:
        birth.await_(message)


def _bear(lab: Lab, host: Host) -> Birth:
    ours, theirs = socket.socketpair()
    spec = lab.run / f"{host.name}.spec"
    spec.touch(mode=0o600)  # there are keys in it
    spec.write_text(json.dumps(spec_of(lab, host, theirs.fileno())), encoding="utf-8")
    log = lab.log_of(host.name)
    with log.open("wb") as stream:
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(lab.code / "netlab" / "host_init.py"), str(spec)],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
    theirs.close()
    return Birth(host, ours, log)


def _plug(lab: Lab) -> None:
    """From inside the switch, but with the machine's view of process ids: that is how `ip` finds the hosts."""
    pids = {name: record["pid"] for name, record in records(lab).items()}
    command = ["nsenter", "--target", str(pids["switch"]), "--net", "--mount", "ip", "-batch", "-"]
    answer = subprocess.run(command, input=wiring.switch_batch(pids), capture_output=True, text=True, check=False)
    if answer.returncode:
        raise LabError(f"cannot wire the hosts: {answer.stderr.strip()}")


def spec_of(lab: Lab, host: Host, control_fd: int) -> dict[str, Any]:
    """What host_init.py needs to know, and all it knows."""
    return {
        "name": host.name,
        "control_fd": control_fd,
        "record": str(lab.run / f"{host.name}.json"),
        "lab": str(lab.state),
        "packages": str(lab.packages),
        "owner": owner(),
        "ssh": host.group is not None,
        "keep": visible_paths(lab),
        "etc": host.etc,
        "users": ["sshd", *host.users],
        "site": [str(site) for site in (lab.code / "site" / "all", lab.code / "site" / host.name) if site.is_dir()],
        "files": files_of(lab, host),
        "trust": [f"/etc/egress-lab/{name}.pem" for name in _trusted(host)],
        "sysctls": wiring.sysctls(host),
        "ip": wiring.host_batch(host),
        "services": [_service(lab, service) for service in host.services],
    }


def visible_paths(lab: Lab) -> list[str]:
    """What stays visible under a host's fresh folders: the checkout, and the Pythons (a test may choose an old one)."""
    base = Path(sys.base_prefix).resolve()
    pythons = base.parent if base.parent.name == "versions" else base
    return sorted({str(lab.checkout), str(Path(sys.prefix).resolve()), str(pythons)})


def files_of(lab: Lab, host: Host) -> dict[str, str]:
    texts = {
        "/etc/hostname": f"{host.name}\n",
        "/etc/hosts": LOCAL_NAMES + "".join(f"{address} {name}\n" for name, address in _known_hosts()),
        "/etc/resolv.conf": "".join(f"nameserver {address}\n" for address in topology.nameservers(host))
        + "options timeout:1 attempts:2\n",
        "/etc/egress-lab/public-root.pem": (lab.pki / "public-root.pem").read_text(encoding="ascii"),
        "/etc/egress-lab/company-ca.pem": (lab.pki / "company-ca.pem").read_text(encoding="ascii"),
    }
    if host.group:
        texts["/etc/egress-lab/authorized_keys"] = (lab.ssh / "id_ed25519.pub").read_text(encoding="ascii")
        texts["/etc/egress-lab/ssh_host_key"] = (lab.ssh / f"host_{host.name}").read_text(encoding="ascii")
    for target, source in host.secrets:
        texts[target] = (lab.pki / source).read_text(encoding="ascii")
    return texts


def _known_hosts() -> list[tuple[str, str]]:
    return [(host.name, topology.address_of(host.name, host.nics[0].network)) for host in HOSTS.values() if host.nics]


def _trusted(host: Host) -> list[str]:
    return ["public-root", "company-ca"] if host.trusts_company else ["public-root"]


def _service(lab: Lab, service: topology.Service) -> dict[str, Any]:
    places = {"@python": sys.executable, "@lab": str(lab.code)}
    command = [_place(word, places) for word in service.command]
    return {**asdict(service), "command": command}


def _place(word: str, places: dict[str, str]) -> str:
    first, slash, rest = word.partition("/")
    return places.get(first, first) + slash + rest


# --- finding them again -------------------------------------------------------------------------------------------


def records(lab: Lab) -> dict[str, dict[str, int]]:
    """The hosts that were started here: pid and start time, by name; whether they still live is another question."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(lab.run.glob("*.json"))}


def alive(record: dict[str, int]) -> bool:
    """Whether this very process lives: a pid that somebody else got later has another start time."""
    try:
        fields = Path(f"/proc/{record['pid']}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(fields[19]) == record["started"] and fields[0] not in "ZX"


def living(lab: Lab) -> dict[str, int]:
    return {name: record["pid"] for name, record in records(lab).items() if alive(record)}


def pid_of(lab: Lab, name: str) -> int:
    found = living(lab)
    if name not in HOSTS:
        raise LabError(f"no host is called {name}; there are {', '.join(HOSTS)}")
    if name not in found:
        raise LabError(f"{name} is not up: run `lab.py up` (as root)")
    return found[name]


def end(lab: Lab) -> int:
    """Kill each host's first process; the kernel takes the rest: programs, mounts, networks. Returns how many lived."""
    found = [record for record in records(lab).values() if alive(record)]
    for record in found:
        os.kill(record["pid"], signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while any(map(alive, found)):
        if time.monotonic() > deadline:
            stubborn = [record["pid"] for record in found if alive(record)]
            raise LabError(f"these processes did not end within {END_SECONDS:.0f} s: {stubborn}")
        time.sleep(0.005)
    shutil.rmtree(lab.run, ignore_errors=True)
    return len(found)


# --- going inside -------------------------------------------------------------------------------------------------


def inside(pid: int, command: list[str]) -> list[str]:
    """A command line that runs a command on a host, with the host's own environment; needs root."""
    enter = ["nsenter", "--target", str(pid), "--mount", "--uts", "--ipc", "--net", "--pid"]
    environment = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
    return [*enter, "env", "-i", *environment, f"TERM={os.environ.get('TERM', 'dumb')}", *command]
