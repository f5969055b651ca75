# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible and ssh read: `.lab/inventory.yml` and `.lab/ssh/config`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from . import topology
from .state import Lab
from .topology import HOSTS, NETWORKS, Host


def write(lab: Lab, control_folder: Path) -> None:
    (lab.ssh / "config").write_text(ssh_config(lab), encoding="utf-8")
    lab.inventory.write_text(inventory(control_folder), encoding="utf-8")


def inventory(control_folder: Path) -> str:
    """YAML by hand, so that the lab needs no library for it; each value is JSON, which is YAML too."""
    lines = ["# Written by `lab.py up`. Belongs to the running lab; `lab.py down` removes it.", "all:", "  vars:"]
    lines += [f"    {key}: {json.dumps(value)}" for key, value in common_variables(control_folder).items()]
    lines.append("  children:")
    for group in sorted({host.group for host in HOSTS.values() if host.group}):
        lines += [f"    {group}:", "      hosts:"]
        for host in HOSTS.values():
            if host.group == group:
                lines.append(f"        {host.name}:")
                lines += [f"          {key}: {json.dumps(value)}" for key, value in host_variables(host).items()]
    return "\n".join(lines) + "\n"


def common_variables(control_folder: Path) -> dict[str, Any]:
    office = NETWORKS["office"]
    return {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_pipelining": True,
        "ansible_ssh_args": "-o ControlMaster=auto -o ControlPersist=60s",
        "ansible_ssh_common_args": "-F '{{ inventory_dir }}/ssh/config'",
        "ansible_control_path_dir": str(control_folder),
        "egress_clients": [str(office.ipv4), str(office.ipv6)],
        "egress_tenant": topology.TENANT,
        "egress_made_up_witnesses": True,  # any name answers here, so every wildcard can be proven
        "egress_public_ca_path": "/etc/egress-lab/public-root.pem",
        "egress_inspection_ca_path": "/etc/egress-lab/company-ca.pem",
    }


def host_variables(host: Host) -> dict[str, Any]:
    networks = {nic.network for nic in host.nics}
    if "branch" in networks:  # there is no proxy there: everything goes through the firewall
        return dict(host.variables)
    reaches = "office" if "office" in networks else "stranger"
    return {"egress_proxy": topology.proxy_url(reaches), **dict(host.variables)}


def ssh_config(lab: Lab) -> str:
    """Usable by hand too: `ssh -F .lab/ssh/config desktop1`."""
    relay = shlex.join([sys.executable, "-I", "-S", str(lab.code / "netlab" / "relay.py")]).replace("%", "%%")
    lines = [
        f"Host {' '.join(host.name for host in HOSTS.values() if host.group)}",
        "User root",
        f"ProxyCommand {relay} {shlex.quote(str(lab.run)).replace('%', '%%')}/%n.ssh",
        f"IdentityFile {_quoted(lab.ssh / 'id_ed25519')}",
        "IdentitiesOnly yes",
        f"UserKnownHostsFile {_quoted(lab.ssh / 'known_hosts')}",
        "GlobalKnownHostsFile /dev/null",
        "StrictHostKeyChecking yes",
        "PreferredAuthentications publickey",
        "LogLevel ERROR",
    ]
    return "\n  ".join(lines) + "\n"


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'
