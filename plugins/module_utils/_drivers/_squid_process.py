# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Squid program: what it was built with, checking a configuration, and a reload that is confirmed."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import Counter
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_config import Config
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

CHECK_INTERVAL = 0.02
CLOCK_MARGIN = 0.1  # clock ticks and uptime are told in hundredths of a second
_COMPLAINT = re.compile(r"\b(WARNING|ERROR|FATAL|Bungled|unrecognized)\b")
_STAMP = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d( kid\d+)?\| *")
_LISTEN = "0A"


class Process(NamedTuple):
    """A running Squid: process id and start time in clock ticks since boot, which together name it for good."""

    pid: int
    start: int


class Program:
    """One Squid installation and instance."""

    def __init__(
        self, run_command: RunCommand, executable: Optional[str], config_file: str, instance: Optional[str]
    ) -> None:
        self._run_command = run_command
        self.config_file = config_file
        self.instance = instance
        self.executable = self._found(executable)

    @staticmethod
    def _found(executable: Optional[str]) -> str:
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/usr/local/squid/sbin"])
        found = shutil.which(executable or "squid", path=path)
        if found is None:
            raise ApplianceError(
                f"no Squid found: expected the program {executable or 'squid'} on this host; install it, or name it "
                "with the option executable"
            )
        return found

    def _run(self, *arguments: str) -> Tuple[int, str]:
        named = ["-n", self.instance] if self.instance else []
        code, out, err = self._run_command([self.executable, *named, *arguments])
        return code, out + err

    def built_with_tls(self) -> bool:
        return "--with-openssl" in self._build()

    def _build(self) -> str:
        code, text = self._run("-v")
        if code != 0:
            raise ApplianceError(f"{self.executable} -v ended with {code}: {text.strip()[-300:]}")
        return text

    # Checking

    def complaints(self, config_text: str, folder: str) -> Tuple[bool, Counter[str]]:
        """(accepted, complaints) of the parser for a whole configuration; places in the text are left out."""
        path = os.path.join(folder, "whole.conf")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as handle:
            handle.write(config_text)
        code, text = self._run("-k", "parse", "-f", path)
        lines = (_STAMP.sub("", line) for line in text.splitlines())
        place = re.compile(r"line \d+|\S*" + re.escape(folder) + r"\S*")
        found = [place.sub("", line).strip() for line in lines if _is_complaint(line)]
        return code == 0, Counter(found)

    # Running

    def process(self, config: Config) -> Optional[Process]:
        for path in self._pid_files(config):
            try:
                with open(path, encoding="ascii") as handle:
                    return _process(int(handle.read().strip()))
            except (OSError, ValueError):
                continue
        return None

    def _pid_files(self, config: Config) -> List[str]:
        service = self.instance or "squid"
        named = [line.words[1].strip("\"'") for line in config.named("pid_filename") if len(line.words) > 1]
        if named:
            return [] if named[-1] == "none" else [named[-1]]
        built = re.search(r"--with-pidfile=([^'\s]+)", self._build())
        folder = os.path.dirname(built.group(1)) if built else "/run"
        return [f"{folder}/{service}.pid", f"/run/{service}.pid", f"/var/run/{service}.pid"]

    def reload(self, running: Process, seconds: int) -> None:
        """Reconfigure and wait until every listener was opened anew, which Squid does as the last step.

        ``-k reconfigure`` parses first and signals only what parsed; a bare SIGHUP kills a Squid whose
        configuration is wrong.
        """
        before = _listeners(running)
        if not before:
            raise ApplianceError(
                f"cannot see the listening ports of Squid (process {running.pid}), so a reload could not be confirmed; "
                "run the task as root (become: true)"
            )
        code, text = self._run("-k", "reconfigure", "-f", self.config_file)
        if code != 0:
            raise ApplianceError(f"squid -k reconfigure ended with {code}: {_last_lines(text)}")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = _listeners(running)
            if now and not before & now:
                return
            if _process(running.pid) != running:
                raise ApplianceError("Squid has died in the reload; its cache.log says why")
            time.sleep(CHECK_INTERVAL)
        raise ApplianceError(
            f"Squid was told to reload and has not opened its ports anew within {seconds} s; look at its cache.log. "
            "The next run will reload again"
        )


def _is_complaint(line: str) -> bool:
    return bool(_COMPLAINT.search(line)) and "Processing:" not in line


def _last_lines(text: str) -> str:
    return " / ".join(line.strip() for line in text.splitlines()[-4:])


def _process(pid: int) -> Optional[Process]:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as handle:
            fields = handle.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else Process(pid, int(fields[19]))


def _age(process: Process) -> float:
    """Seconds since the process was started."""
    with open("/proc/uptime", encoding="ascii") as handle:
        uptime = float(handle.read().split()[0])
    return uptime - process.start / os.sysconf("SC_CLK_TCK")


def _family(root: int) -> Set[int]:
    """The process and everything below it: with `workers` the listeners belong to children."""
    parents: Dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as handle:
                    parents[int(name)] = int(handle.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
    found, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return found


def _listeners(process: Process) -> Set[str]:
    """Inodes of the listening TCP sockets of a Squid."""
    listening = set()
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{process.pid}/net/{table}", encoding="ascii") as handle:
                listening |= {row.split()[9] for row in handle.readlines()[1:] if row.split()[3] == _LISTEN}
        except OSError:
            continue
    owned = set()
    for pid in _family(process.pid):
        owned |= _sockets(pid)
    return listening & owned


def _sockets(pid: int) -> Set[str]:
    found = set()
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass  # the process has ended, or a descriptor was closed while we looked
    return found


def new_complaints(old: Mapping[str, int], new: Mapping[str, int]) -> List[str]:
    return sorted(text for text, count in new.items() if count > old.get(text, 0))


def proof(running: Optional[Process], files: Sequence[str]) -> Dict[str, object]:
    """What is known to run: the process and the very files that it has read."""
    return {"process": list(running) if running else None, "files": {path: _identity(path) for path in files}}


def _identity(path: str) -> Optional[List[int]]:
    """Changes with every write, rename or restored backup."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def read_at_start(running: Process, files: Sequence[str]) -> bool:
    """Whether the process was started after the last change of all these files, and so has read them."""
    begun = time.time() - _age(running) - CLOCK_MARGIN
    return all(os.stat(path).st_ctime < begun for path in files)
