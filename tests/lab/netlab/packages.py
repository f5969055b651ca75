# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages for the hosts, unpacked beside the machine and never installed on it.

apt resolves and fetches with lists and a cache of its own; `dpkg --fsys-tarfile` unpacks. No maintainer script runs,
no daemon starts, and what the machine has installed (another Squid, say) stays as it is. Needs no root.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from .state import Lab, LabError

# The first ones are always unpacked, also where the machine has them: a host must not depend on how that is set up.
OWN = ("squid-openssl", "c-icap", "openssh-server", "nftables", "dnsmasq-base", "iptables", "nginx")
NEEDED = ("ca-certificates", "curl", "iproute2", "openssl", "procps", "python3")
MERGED = ("bin", "lib", "lib64", "sbin")
_NOT_TAKEN = re.compile(
    r"(APT::Update::(Pre|Post)-Invoke|DPkg::|Dir::Etc::(parts|main)\b|Dir::Cache|Dir::State::lists)", re.IGNORECASE
)


def ensure(lab: Lab, *, say: bool = True) -> bool:
    """Make the package tree if it is not there yet; True if there was something to do."""
    stamp = lab.packages / "complete.json"
    wanted = sorted(OWN + NEEDED)
    if stamp.is_file() and json.loads(stamp.read_text(encoding="utf-8"))["wanted"] == wanted:
        return False
    _require("apt-get", "apt-config", "dpkg", "tar")
    if say:
        print("packages: fetching what the hosts run (about 26 MB, once) ...", flush=True)
    files = fetch(lab.packages)
    unpack(lab.packages, files)
    stamp.write_text(json.dumps({"wanted": wanted, "packages": files}, indent=1) + "\n", encoding="utf-8")
    return True


def fetch(folder: Path) -> list[str]:
    """Bring the packages into our cache; returns their file names."""
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    apt = Apt(folder)
    if not any((folder / "lists").glob("*_Packages*")):
        apt.run("update")
    try:
        return apt.download()
    except LabError:
        apt.run("update")  # the lists may be older than the mirror
        return apt.download()


class Apt:
    """apt-get with the machine's sources and proxies, but with lists, a cache and no hooks of our own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "apt.conf"
        machine = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
        self.config.write_text(private_config(machine, folder), encoding="utf-8")

    def run(self, *arguments: str) -> str:
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "APT_CONFIG": str(self.config)}
        command = ["apt-get", "-q", *arguments]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if answer.returncode and arguments[0] != "update":  # one dead source of many is no reason to stop
            raise LabError(
                f"apt-get {' '.join(arguments)} failed:\n{answer.stderr.strip()}\n"
                "The lab takes its programs from Debian 12's archive: check the machine's apt sources and its way to "
                "the mirror. Once .lab/packages is complete, no network is needed."
            )
        return answer.stdout

    def download(self) -> list[str]:
        """`--reinstall` brings also what the machine has; dependencies come only where it lacks them."""
        install = ("install", "-y", "--no-install-recommends", "--reinstall", *OWN, *NEEDED)
        self.run("--download-only", *install)
        archives = [path.name for path in (self.folder / "archives").glob("*.deb")]
        plan = planned(self.run("--simulate", *install))
        return sorted(archive_of(package, version, archives) for package, version in plan)


def private_config(machine: str, folder: Path) -> str:
    """The machine's apt configuration without its hooks, which would clean up its own cache, and its folders."""
    kept = [line for line in machine.splitlines() if not _NOT_TAKEN.match(line)]
    ours = {
        "Dir::Etc::parts": "/dev/null",
        "Dir::Etc::main": "/dev/null",
        "Dir::State::lists": f"{folder}/lists",
        "Dir::Cache::archives": f"{folder}/archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Debug::NoLocking": "true",
        "APT::Sandbox::User": "",
    }
    return "\n".join(kept + [f'{key} "{value}";' for key, value in ours.items()]) + "\n"


def planned(simulation: str) -> list[tuple[str, str]]:
    """(package, version) of each `Inst` line of `apt-get --simulate`."""
    return re.findall(r"^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ", simulation, re.MULTILINE)


def archive_of(package: str, version: str, archives: Iterable[str]) -> str:
    """The file of a package in the cache: apt writes the colon of an epoch as %3a."""
    for name in archives:
        if unquote(name).startswith(f"{package}_{version}_"):
            return name
    raise LabError(f"apt-get fetched no archive of {package} {version}; `lab.py packages` may be tried again")


def unpack(folder: Path, files: list[str]) -> None:
    draft = folder / "root.new"
    shutil.rmtree(draft, ignore_errors=True)
    for name in MERGED:  # packages still ship /lib and /bin; on Debian 12 these are links
        (draft / "usr" / name).mkdir(parents=True)
        (draft / name).symlink_to(f"usr/{name}")
    for file in files:
        _unpack_one(folder / "archives" / file, draft)
    shutil.rmtree(folder / "root", ignore_errors=True)
    draft.rename(folder / "root")


def _unpack_one(deb: Path, root: Path) -> None:
    with subprocess.Popen(["dpkg", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as source:
        target = ["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "--preserve-permissions", "-C", str(root)]
        tar = subprocess.run(target, stdin=source.stdout, capture_output=True, text=True, check=False)
    if source.returncode or tar.returncode:
        raise LabError(f"cannot unpack {deb.name}: {tar.stderr.strip()}. Remove {deb} and try again")


def _require(*programs: str) -> None:
    for program in programs:
        if not shutil.which(program):
            raise LabError(
                f"{program} is missing: the lab's hosts are made of Debian packages, so it needs Debian 12 or alike"
            )
