# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does each part of the lab answer? Asked from where it matters: on the hosts themselves."""

from __future__ import annotations

import base64
import json
import subprocess

from netlab import hosts, topology
from netlab.state import Lab, LabError
from netlab.topology import HOSTS

PROBE = r"""
import http.client, json, socket, ssl, sys
proxy, port, login, ca = sys.argv[1:]
said = {}
said["dns"] = sorted({entry[4][0] for entry in socket.getaddrinfo("check.example", 443, type=socket.SOCK_STREAM)})
direct = http.client.HTTPSConnection("check.example", timeout=10, context=ssl.create_default_context())
direct.request("GET", "/")
said["direct"] = direct.getresponse().status
proxied = http.client.HTTPConnection(proxy, int(port), timeout=10)
proxied.request("GET", "http://check.example/", headers={"Connection": "close"})
said["anonymous"] = proxied.getresponse().status
inspected = http.client.HTTPSConnection(proxy, int(port), timeout=10, context=ssl.create_default_context(cafile=ca))
inspected.set_tunnel("check.example", 443, {"Proxy-Authorization": "Basic " + login})
inspected.request("GET", "/")
said["inspected"] = inspected.getresponse().status
print(json.dumps(said))
"""
EXPECTED = {"direct": 200, "anonymous": 407, "inspected": 200}
HINTS = {"direct": "internet", "anonymous": "proxy1/squid", "inspected": "proxy1/squid"}


def all_parts(lab: Lab) -> None:
    """The internet's DNS and TLS, Squid's login, inspection and ICAP; a LabError names what does not answer."""
    for host in HOSTS.values():
        if host.group == "managed_hosts":
            _check_desktop(lab, host.name)
    _check_icap(lab)


def _check_desktop(lab: Lab, name: str) -> None:
    proxy = topology.address_of("proxy1", "office")
    arguments = [proxy, str(topology.PROXY_PORT), login(), "/etc/egress-lab/company-ca.pem"]
    command = hosts.inside(hosts.pid_of(lab, name), ["python3", "-I", "-c", PROBE, *arguments])
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if answer.returncode:
        raise LabError(f"{name}: {answer.stderr.strip().splitlines()[-1]}\n{tails(lab, 'proxy1', 'internet')}")
    said = json.loads(answer.stdout)
    for step, status in EXPECTED.items():
        if said[step] != status:
            raise LabError(f"{name}: {step}: expected status {status}, got {said[step]}\n{tails(lab, HINTS[step])}")


def _check_icap(lab: Lab) -> None:
    log = lab.logs / "proxy1" / "c-icap" / "access.log"
    if "check.example" not in log.read_text(encoding="utf-8", errors="replace"):
        raise LabError(f"the content inspector saw none of the checks\n{tails(lab, 'proxy1')}")


def login() -> str:
    return base64.b64encode(f"{topology.PROXY_USER}:{topology.PROXY_PASSWORD}".encode()).decode()


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
