# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible and ssh are told about the lab, read back by Ansible and ssh themselves."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.egress.allowlist.tests.lab.netlab import hosts, inventory, state
from ansible_collections.egress.allowlist.tests.lab.netlab.topology import HOSTS


def test_the_inventory_has_the_shape_that_the_playbooks_expect() -> None:
    data = yaml.safe_load(inventory.inventory(Path("/tmp/x")))["all"]
    groups = {name: sorted(group["hosts"]) for name, group in data["children"].items()}
    assert groups == {
        "egress_appliances": ["firewall1", "proxy1"],
        "egress_publishers": ["web1"],
        "lab_others": ["outsider"],
        "managed_hosts": ["desktop1", "desktop2", "desktop3"],
    }
    assert data["vars"]["egress_clients"] == ["10.20.0.0/24", "fd00:20::/64"]
    assert data["vars"]["egress_tenant"] == "contoso"
    assert data["vars"]["egress_made_up_witnesses"] is True
    assert data["children"]["egress_appliances"]["hosts"]["proxy1"]["egress_appliance"] == "squid"
    desktop, outsider = (
        data["children"]["managed_hosts"]["hosts"]["desktop1"],
        data["children"]["lab_others"]["hosts"]["outsider"],
    )
    assert (desktop["egress_proxy"], outsider["egress_proxy"]) == ("http://10.20.0.10:3128", "http://203.0.113.10:3128")


def test_ansible_sees_the_branch_with_clients_of_its_own_and_without_a_proxy(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yml"
    path.write_text(inventory.inventory(Path("/tmp/x")), encoding="utf-8")
    command: list[str | Path] = [Path(sys.executable).parent / "ansible-inventory", "-i", path, "--list"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seen = json.loads(answer.stdout)["_meta"]["hostvars"]
    firewall = {key: value for key, value in seen["firewall1"].items() if key in ("egress_appliance", "egress_widen")}
    assert firewall == {"egress_appliance": "nftables", "egress_widen": "any"}
    assert seen["firewall1"]["egress_clients"] == ["10.30.0.0/26", "fd00:30::/122"]
    assert seen["proxy1"]["egress_clients"] == ["10.20.0.0/24", "fd00:20::/64"]
    assert "egress_widen" not in seen["proxy1"]
    assert "egress_proxy" not in seen["desktop3"]


def test_ssh_reads_our_configuration_in_a_folder_with_an_odd_name(tmp_path: Path) -> None:
    lab = state.Lab(tmp_path / "an other 100%")
    lab.ssh.mkdir(parents=True)
    config = lab.ssh / "config"
    config.write_text(inventory.ssh_config(lab), encoding="utf-8")
    answer = subprocess.run(["ssh", "-G", "-F", config, "desktop1"], capture_output=True, text=True, check=True)
    options = dict(line.split(" ", 1) for line in answer.stdout.splitlines())
    assert options["user"] == "root"
    assert options["stricthostkeychecking"] in ("yes", "true")
    assert options["identityfile"].replace("%%", "%") == str(lab.ssh / "id_ed25519")
    relay = [word.replace("%%", "%").replace("%n", "desktop1") for word in shlex.split(options["proxycommand"])]
    assert "an other 100%%/" in options["proxycommand"]  # ssh would expand a lone percent sign
    assert relay[-1] == str(lab.run / "desktop1.ssh")


def test_a_process_record_of_somebody_else_is_not_alive() -> None:
    me = Path("/proc/self/stat").read_text(encoding="utf-8")
    pid, started = int(me.split()[0]), int(me.rpartition(")")[2].split()[19])
    assert hosts.alive({"pid": pid, "started": started})
    assert not hosts.alive({"pid": pid, "started": started + 1})


def test_a_host_that_is_not_up_is_said_so(tmp_path: Path) -> None:
    lab = state.Lab(tmp_path)
    with pytest.raises(state.LabError, match=r"desktop1 is not up: .*`lab.py up`"):
        hosts.pid_of(lab, "desktop1")
    with pytest.raises(state.LabError, match=r"no host is called desktop9; there are .*desktop2"):
        hosts.pid_of(lab, "desktop9")
    assert hosts.end(lab) == 0


def test_a_lab_beside_the_usual_one_shares_its_packages_and_nothing_else(tmp_path: Path) -> None:
    usual, other = state.Lab(tmp_path), state.Lab(tmp_path, "other")
    assert other.packages == usual.packages == tmp_path / ".lab" / "packages"
    own = [(lab.state, lab.run, lab.pki, lab.ssh, lab.logs, lab.inventory) for lab in (usual, other)]
    assert not set(own[0]) & set(own[1])
    assert {path.relative_to(other.state) for path in own[1]} == {path.relative_to(usual.state) for path in own[0]}
    for name in ("../other", "a b", "%n", "é"):
        with pytest.raises(state.LabError, match="expected a name of letters"):
            state.Lab(tmp_path, name)


def test_the_owner_is_the_person_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_UID", "1234")
    monkeypatch.setenv("SUDO_GID", "1235")
    assert state.owner() == (1234, 1235)


def test_a_host_is_given_only_what_it_needs() -> None:
    secret = {host.name for host in HOSTS.values() if host.secrets}
    assert secret == {"proxy1"}
    assert {host.name for host in HOSTS.values() if host.trusts_company} == {"desktop1", "desktop2", "desktop3"}
