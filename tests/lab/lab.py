# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab: real hosts in namespaces of the kernel, with Squid, ICAP, nftables, dnsmasq and an internet of their own.

.venv/bin/python tests/lab/lab.py up        (root; once per checkout it fetches packages)
.venv/bin/python tests/lab/lab.py exec proxy1 squid -k reconfigure
.venv/bin/python tests/lab/lab.py fault login.live.com refused
.venv/bin/python tests/lab/lab.py down      (root)
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
import time
from pathlib import Path

from netlab import checks, hosts, inventory, packages, topology
from netlab.internet import control, faults
from netlab.state import Lab, LabError, every_lab, exclusive, find_lab, give_away, owner


def up(lab: Lab, _unused: argparse.Namespace) -> int:
    require_root("up")
    started = time.monotonic()
    with exclusive(lab):
        if set(hosts.living(lab)) == set(topology.HOSTS):
            check_running(lab)
            print(f"The lab is already up, and each part of it answers. Inventory: {lab.inventory}")
            return 0
        clean(lab)
        if packages.ensure(lab):
            give_away(lab.packages)
        prepare(lab)
        try:
            hosts.start(lab)
            checks.all_parts(lab)
            give_away_all(lab)
        except BaseException:
            clean(lab)
            raise
    print(checks.summary(lab, time.monotonic() - started))
    return 0


def check_running(lab: Lab) -> None:
    try:
        checks.all_parts(lab)
    except LabError as error:
        raise LabError(f"the lab is up, but not well: {error}\n`lab.py down` and `lab.py up` make it new") from error


def prepare(lab: Lab) -> None:
    try:
        from netlab import pki  # noqa: PLC0415  # takes longer to load than `exec` takes to run, and only `up` needs it
    except ImportError as error:
        raise LabError(f"this Python lacks a library ({error}): run `make develop` and use .venv/bin/python") from error

    shutil.rmtree(lab.logs, ignore_errors=True)
    lab.logs.mkdir()
    pki.ensure(lab.pki)
    pki.ensure_ssh(lab.ssh, [host.name for host in topology.HOSTS.values() if host.group])
    folder = Path(tempfile.mkdtemp(prefix="egress-lab-", dir="/tmp"))  # ssh's control sockets need a short path
    os.chown(folder, *owner())
    (lab.state / "control-folder").write_text(str(folder), encoding="utf-8")
    inventory.write(lab, folder)


def give_away_all(lab: Lab) -> None:
    for folder in (lab.ssh, lab.pki):
        give_away(folder)
    for path in (lab.state, lab.packages, lab.inventory, lab.logs, *lab.logs.glob("*")):
        os.chown(path, *owner())


def down(lab: Lab, options: argparse.Namespace) -> int:
    return max(_down(one) for one in _meant(lab, options))


def _meant(lab: Lab, options: argparse.Namespace) -> list[Lab]:
    return every_lab() if options.all else [lab]


def _down(lab: Lab) -> int:
    if hosts.living(lab):
        require_root("down")
    with exclusive(lab):
        ended = clean(lab)
        if ended and lab.logs.is_dir():
            give_away(lab.logs)
    which = f"The lab {lab.name}".strip()
    print(f"{which} is down: {ended} hosts ended." if ended else f"{which} was not up.")
    return 0


def clean(lab: Lab) -> int:
    """End the hosts, and with them ssh's masters that lead there; remove what points at them."""
    ended = hosts.end(lab)
    note = lab.state / "control-folder"
    if note.is_file():
        shutil.rmtree(note.read_text(encoding="utf-8"), ignore_errors=True)
        note.unlink()
    lab.inventory.unlink(missing_ok=True)
    return ended


def status(lab: Lab, options: argparse.Namespace) -> int:
    return max(_status(one) for one in _meant(lab, options))


def _status(lab: Lab) -> int:
    found = hosts.living(lab)
    for name in topology.HOSTS:
        print(f"{name:10} {'up, process ' + str(found[name]) if name in found else 'down'} {lab.name}".rstrip())
    return 0 if set(found) == set(topology.HOSTS) else 3


def execute(lab: Lab, options: argparse.Namespace) -> int:
    """As root straight into the namespaces; as anybody else by ssh, like Ansible."""
    pid = hosts.pid_of(lab, options.host)
    command = options.command or ["bash"]
    if os.getuid() == 0:
        line = hosts.inside(pid, command)
    elif topology.HOSTS[options.host].group:
        line = ["ssh", "-F", str(lab.ssh / "config"), options.host, shlex.join(command)]
    else:
        raise LabError(f"{options.host} has no ssh: run this as root")
    os.execvp(line[0], line)


def fetch(lab: Lab, _unused: argparse.Namespace) -> int:
    with exclusive(lab):
        news = packages.ensure(lab)
    print(f"The package tree is {'complete' if news else 'already complete'}: {lab.packages}")
    return 0


def fault(lab: Lab, options: argparse.Namespace) -> int:
    if not options.name:
        for layer in (faults.DNS, faults.PATH, faults.TLS, faults.HTTP):
            for kind, text in layer.items():
                print(f"{kind:12} {text}")
        print("400 … 599    that HTTP status\nnone         nothing wrong")
        return 0
    order = {"clear": [options.name]} if options.clear else {"set": {options.name: options.kind}}
    hosts.pid_of(lab, "internet")
    answer = control.ask(lab.run / "internet.control", order)
    if "error" in answer:
        raise LabError(answer["error"])
    for name, kind in answer["faults"].items():
        print(f"{name}: {kind}")
    return 0


def require_root(command: str) -> None:
    if os.geteuid() != 0:
        line = shlex.join([sys.executable, *sys.argv])
        raise LabError(f"`{command}` needs root, since it makes (or ends) network namespaces and mounts: sudo {line}")


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="lab.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    usual = os.environ.get("EGRESS_LAB", "")
    root.add_argument("--lab", metavar="NAME", default=usual, help="a lab beside the usual one (default: $EGRESS_LAB)")
    commands = root.add_subparsers(required=True, metavar="COMMAND")
    for name, function, text in (
        ("up", up, "start the lab; already up: check it"),
        ("down", down, "end the lab, without a trace"),
        ("status", status, "which hosts are up (status 3: not all)"),
        ("packages", fetch, "only fetch and unpack what the hosts run"),
    ):
        command = commands.add_parser(name, help=text)
        command.set_defaults(function=function)
        if function in (down, status):
            command.add_argument("--all", action="store_true", help="also of those beside the usual one")
    run = commands.add_parser("exec", help="run a command on a host")
    run.add_argument("host", metavar="HOST", choices=list(topology.HOSTS))
    run.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER)
    run.set_defaults(function=execute)
    break_ = commands.add_parser("fault", help="let a name misbehave, at once; without arguments: the kinds")
    break_.add_argument("name", metavar="NAME", nargs="?")
    break_.add_argument("kind", metavar="KIND", nargs="?", default="none")
    break_.add_argument("--clear", action="store_true", help="as the name's first label says again")
    break_.set_defaults(function=fault)
    return root


def main() -> int:
    os.umask(0o022)  # the hosts' programs run as users of their own; what is secret has its own mode
    options = parser().parse_args()
    try:
        return int(options.function(find_lab(options.lab), options))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
