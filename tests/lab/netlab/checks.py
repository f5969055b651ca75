# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does each part of the lab answer? Asked from where it matters: on the hosts themselves."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from . import hosts, topology
from .state import Lab, LabError
from .topology import HOSTS

NAME = "check.example"


def all_parts(lab: Lab) -> None:
    """DNS and TLS of the internet, Squid's login, inspection and ICAP, the branch; a LabError names what fails."""
    for host in HOSTS.values():
        if host.group == "managed_hosts" and host.resolver is None:
            _check_desktop(lab, host.name)
        elif host.group == "managed_hosts":
            _check_branch(lab, host)
    _check_icap(lab)


def _check_desktop(lab: Lab, name: str) -> None:
    proxy = {"host": NAME, "proxy": f"{topology.address_of('proxy1', 'office')}:{topology.PROXY_PORT}"}
    login = f"{topology.PROXY_USER}:{topology.PROXY_PASSWORD}"
    wishes: list[dict[str, Any]] = [{"host": NAME}, {**proxy, "plain": True}, {**proxy, "login": login}]
    direct, anonymous, inspected = see(lab, name, wishes)
    _expect(lab, "internet", f"{name}, direct", direct, status=200, issuer="Lab Public Intermediate CA")
    _expect(lab, "proxy1", f"{name}, proxy without login", anonymous, status=407)
    company = "Example Company TLS Inspection CA"
    _expect(lab, "proxy1", f"{name}, proxy with login", inspected, status=200, issuer=company)


def _check_branch(lab: Lab, host: topology.Host) -> None:
    """The firewall and its resolver; that it lets nothing through would take a timeout to see, and tests do."""
    (direct,) = see(lab, "firewall1", [{"host": NAME}])
    _expect(lab, "internet", "firewall1, direct", direct, status=200, issuer="Lab Public Intermediate CA")
    words = ["getent", "ahosts", NAME]
    answer = subprocess.run(
        hosts.inside(hosts.pid_of(lab, host.name), words), capture_output=True, text=True, check=False, timeout=60
    )
    if not ("." in answer.stdout and ":" in answer.stdout):
        raise LabError(f"{host.name}: {NAME} does not resolve through firewall1\n{tails(lab, 'firewall1')}")


def see(lab: Lab, host: str, wishes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let client.py ask from a host."""
    words = ["python3", "-I", str(lab.code / "client.py"), json.dumps(wishes)]
    answer = subprocess.run(
        hosts.inside(hosts.pid_of(lab, host), words), capture_output=True, text=True, check=False, timeout=60
    )
    if answer.returncode:
        raise LabError(f"{host}: client.py failed:\n{answer.stderr.strip()}")
    told: list[dict[str, Any]] = json.loads(answer.stdout)
    return told


def _expect(lab: Lab, culprit: str, what: str, told: dict[str, Any], **expected: Any) -> None:
    if {key: told.get(key) for key in expected} != expected:
        raise LabError(f"{what}: expected {expected}, got {told}\n{tails(lab, culprit)}")


def _check_icap(lab: Lab) -> None:
    log = lab.logs / "proxy1" / "c-icap" / "access.log"
    if NAME not in log.read_text(encoding="utf-8", errors="replace"):
        raise LabError(f"the content inspector saw none of the checks\n{tails(lab, 'proxy1')}")


def tails(lab: Lab, *folders: str) -> str:
    """The last lines of each log of these hosts."""
    found = []
    for folder in folders:
        for path in sorted((lab.logs / folder).rglob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-6:]
            found += [f"  {path.relative_to(lab.logs)}: {line}" for line in lines]
    return "\n".join(found)


def summary(lab: Lab, seconds: float) -> str:
    names = ", ".join(host.name for host in HOSTS.values() if host.nics)
    user = f"{topology.PROXY_USER}:{topology.PROXY_PASSWORD}"
    office, stranger = topology.proxy_url("office"), topology.proxy_url("stranger")
    return f"""The lab is up ({seconds:.1f} s): {names}.
  proxy      {office}, for the outsider {stranger}; login {user}
  inventory  {lab.inventory}
  logs       {lab.logs}
  try        ssh -F {lab.ssh / "config"} desktop1 curl -sx {office} -U {user} https://www.example.org/"""
