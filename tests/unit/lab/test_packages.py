# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt says is read right, and its configuration is ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.tests.lab.netlab import packages
from ansible_collections.egress.allowlist.tests.lab.netlab.state import Lab, LabError

SIMULATION = """\
NOTE: This is only a simulation!
Reading package lists...
Inst libpcre3 (2:8.39-15 Debian:12.11/oldstable [amd64])
Inst curl [7.88.1-10+deb12u12] (7.88.1-10+deb12u15 Debian:12.13/oldstable [amd64]) []
Inst squid-langpack (20220130-1 Debian:12.11/oldstable [all])
Remv squid [5.7-2+deb12u2]
Conf libpcre3 (2:8.39-15 Debian:12.11/oldstable [amd64])
"""


def test_the_plan_is_new_upgraded_and_reinstalled_packages() -> None:
    assert packages.planned(SIMULATION) == [
        ("libpcre3", "2:8.39-15"),
        ("curl", "7.88.1-10+deb12u15"),
        ("squid-langpack", "20220130-1"),
    ]


@pytest.mark.parametrize(
    ("package", "version", "file"),
    [
        ("libpcre3", "2:8.39-15", "libpcre3_2%3a8.39-15_amd64.deb"),
        ("curl", "7.88.1-10+deb12u15", "curl_7.88.1-10+deb12u15_amd64.deb"),
    ],
)
def test_an_archive_is_found_by_package_and_version(package: str, version: str, file: str) -> None:
    others = ["libcurl4_7.88.1-10+deb12u15_amd64.deb", "curl_7.88.1-10+deb12u1_amd64.deb", "libpcre3_8.39-15_amd64.deb"]
    assert packages.archive_of(package, version, [*others, file]) == file
    with pytest.raises(LabError, match=package):
        packages.archive_of(package, version, others)


def test_apt_keeps_the_machines_proxy_and_loses_its_hooks_and_folders() -> None:
    machine = (
        'Acquire::http::Proxy "http://proxy.example:3128";\n'
        'APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";\n'
        'DPkg::Post-Invoke:: "touch /var/lib/x";\n'
        'Dir::Etc::parts "apt.conf.d";\n'
        'Dir::Etc::sourceparts "sources.list.d";\n'
        'Dir::Cache::archives "archives/";\n'
    )
    config = packages.private_config(machine, Path("/some where"))
    assert 'Acquire::http::Proxy "http://proxy.example:3128";' in config
    assert 'Dir::Etc::sourceparts "sources.list.d";' in config
    assert 'Dir::Cache::archives "/some where/archives";' in config
    assert "Invoke" not in config
    assert config.count("Dir::Etc::parts") == 1


def test_a_complete_tree_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(folder: Path) -> list[str]:
        folder.mkdir(parents=True, exist_ok=True)
        return ["a.deb"]

    monkeypatch.setattr(packages, "fetch", fetch)
    monkeypatch.setattr(packages, "unpack", lambda _folder, _files: None)
    lab = Lab(tmp_path)
    assert packages.ensure(lab, say=False)
    assert not packages.ensure(lab, say=False)
    monkeypatch.setattr(packages, "NEEDED", ("something-else",))
    assert packages.ensure(lab, say=False)


def test_a_machine_without_apt_is_told_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="apt-get is missing"):
        packages.ensure(Lab(tmp_path), say=False)
