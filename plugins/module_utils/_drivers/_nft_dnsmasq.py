# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsmasq on the firewall's host: our one file, the running process, a restart that is confirmed."""

from __future__ import annotations

import glob
import os
import re
import shutil
import signal
import time
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dns_client import (
    ask_all,
    listening,
    text_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import digest, parents
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

INTERVAL = 0.05
PATIENCE = 2.0  # for an answer of a dnsmasq that is up, and for a supervisor to start it again
PRIME_SECONDS = 10.0
_OPTION = re.compile(r"^\s*([a-z0-9-]+)\s*(?:=\s*(.*?))?\s*$")
_FOREGROUND = ("-k", "--keep-in-foreground", "-d", "--no-daemon")

_START_DETACHED = 'exec setsid "$@" </dev/null >/dev/null 2>&1 &'
# One process ends it and starts it again, and no signal to us stops that half-way: a run that is killed meanwhile must
# not leave the clients without names. A process that has ended counts as gone before its parent has noticed.
_END_AND_START = """
trap '' HUP INT TERM
kill -TERM "$1" || exit 1
pid=$1 tries=$2
shift 2
while read -r line 2>/dev/null <"/proc/$pid/stat"; do
  case $line in *") Z "* | *") X "*) break ;; esac
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "dnsmasq (process $pid) did not end in time" >&2; exit 1; }
  sleep 0.02
done
trap - HUP INT TERM
exec "$@"
"""


def config_text(head: str, name: str, lines: Sequence[str]) -> str:
    """Our file. Its record lets us ask a running dnsmasq whether it has read these very lines."""
    body = "".join(f"{line}\n" for line in lines)
    return f"{head}txt-record={record_name(name)},{digest(body, 32)}\n{body}"


def record_name(name: str) -> str:
    return f"egress_{name}.invalid"


def record_of(text: str) -> str:
    """What a dnsmasq that has read this file answers; "" for no file."""
    match = re.search(r"^txt-record=[^,]+,([0-9a-f]+)$", text, re.MULTILINE)
    return match.group(1) if match else ""


class Process(NamedTuple):
    pid: int
    command: Tuple[str, ...]
    environment: Tuple[str, ...]
    unit: str  # of systemd, "" where it has none


class Setting(NamedTuple):
    """One option of dnsmasq's configuration, with its place for people."""

    key: str
    value: str
    place: str


class Dnsmasq:
    """The dnsmasq that reads the folder with our file."""

    def __init__(
        self, run_command: RunCommand, folder: str, restart: Optional[Sequence[str]], seconds: int, executable: str
    ) -> None:
        self._run_command = run_command
        self.folder = folder.rstrip("/")
        self._restart = restart
        self._seconds = seconds
        self._executable = executable

    # What runs

    def process(self) -> Optional[Process]:
        """None where none reads our folder."""
        reading = [process for process in processes() if self._reads(process)]
        if len(reading) > 1:
            pids = ", ".join(str(process.pid) for process in reading)
            raise ApplianceError(f"more than one dnsmasq reads {self.folder} (processes {pids}); expected one")
        return reading[0] if reading else None

    def _reads(self, process: Process) -> bool:
        return any(
            setting.key == "conf-dir" and os.path.realpath(setting.value.split(",")[0]) == os.path.realpath(self.folder)
            for setting in settings(process.command)
        )

    def why_none(self) -> str:
        """An error text for a host where no dnsmasq would read our file."""
        running = [str(process.pid) for process in processes()]
        if running:
            return (
                f"names: dnsmasq: no running dnsmasq (processes {', '.join(running)}) reads {self.folder}; add the "
                f"line conf-dir={self.folder}/,*.conf to its configuration, or name its folder with dnsmasq_dir"
            )
        return (
            f"names: dnsmasq: no dnsmasq runs on this host, so nothing would fill the sets for names; start the one "
            f"that the clients ask, reading {self.folder}, or choose names: skip (networks only)"
        )

    def loaded(self, process: Process, name: str) -> Optional[str]:
        """The record that it answers, "" for none; None where it does not answer at all."""
        servers = listening(process.pid)
        if not servers:
            return None
        return text_of(servers[0], record_name(name), PATIENCE)

    def other_lines(self, own_file: str) -> List[Tuple[str, str]]:
        """(domain, place) of each nftset line that is not ours: only the most specific line counts for a name."""
        process = self.process()
        found = []
        for setting in settings(process.command) if process is not None else ():
            if setting.key == "nftset" and setting.place.rpartition(":")[0] != own_file:
                found += [(domain.lower(), setting.place) for domain in setting.value.split("/")[1:-1] if domain]
        return found

    # Checking

    def program(self, process: Optional[Process]) -> str:
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])
        found = shutil.which(self._executable or "dnsmasq", path=path)
        if found is None and process is not None and os.path.isabs(process.command[0]):
            found = process.command[0]
        if found is None:
            looked = f" as {self._executable}" if self._executable else ""
            raise ApplianceError(
                f"no dnsmasq found{looked}: expected the program on this host; name it with dnsmasq_executable"
            )
        return found

    def check(self, path: str) -> None:
        """dnsmasq's own parser reads the file, and then what it would read at a start beside it.

        It accepts lines that can never work, so this is the least of it. Somebody may have broken another file since
        dnsmasq was started: then a restart would leave the clients without names.
        """
        process = self.process()
        program = self.program(process)
        code, out, err = self._run_command([program, "--version"])
        if code != 0 or not re.search(r"(^|\s)nftset(\s|$)", out):
            raise ApplianceError(
                f"{program} was built without nftset: {(out + err).strip()[:300]!r}. Expected dnsmasq 2.87 or later "
                "with nftables sets"
            )
        code, out, err = self._run_command([program, "--test", f"--conf-file={path}"])
        if code != 0:
            raise ApplianceError(f"dnsmasq does not accept our lines, nothing was changed: {(out + err).strip()[:600]}")
        if process is not None:
            whole = ["/usr/bin/env", "-i", *process.environment, *process.command, "--test"]
            code, out, err = self._run_command(whole)
            if code != 0:
                raise ApplianceError(
                    "dnsmasq would not start again with the files that it has now, so it is not restarted and nothing "
                    f"was changed. Mend them first: {(out + err).strip()[:600]}"
                )

    # Changing what runs

    def restart(self, process: Process, name: str, expected: str) -> None:
        """Make it read its files anew, and see that it has: only a start reads nftset lines."""
        if self._restart:
            self._order(list(self._restart))
        elif process.unit:
            self._order(["systemctl", "restart", process.unit])
        else:
            self._replace(process)
        deadline = time.monotonic() + self._seconds
        answer: Optional[str] = None
        while time.monotonic() < deadline:
            now = self.process()
            answer = self.loaded(now, name) if now is not None else None
            if answer == expected:
                return
            time.sleep(INTERVAL)
        seen = "it does not answer" if answer is None else "it answers, and has not read our file"
        raise ApplianceError(f"dnsmasq was restarted, and after {self._seconds} s {seen}; its log says why")

    def _order(self, command: List[str]) -> None:
        code, out, err = self._run_command(command)
        if code != 0:
            raise ApplianceError(f"{' '.join(command)} ended with {code}: {(out + err).strip()[-400:]}")

    def _replace(self, process: Process) -> None:
        """End it and start it again as it was started, unless somebody else does."""
        command = ["/usr/bin/env", "-i", *process.environment, *process.command]
        if not any(word in _FOREGROUND for word in process.command):
            tries = str(int(self._seconds / 0.02))
            self._order(["/bin/sh", "-c", _END_AND_START, "sh", str(process.pid), tries, *command])
            return
        os.kill(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + self._seconds
        while _alive(process.pid):
            if time.monotonic() > deadline:
                raise ApplianceError(f"dnsmasq (process {process.pid}) did not end within {self._seconds} s")
            time.sleep(INTERVAL / 5)
        if not self._comes_back():
            self._order(["/bin/sh", "-c", _START_DETACHED, "sh", *command])

    def _comes_back(self) -> bool:
        """Whether a supervisor has started it again."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process() is not None:
                return True
            time.sleep(INTERVAL)
        return False

    def start_again(self, process: Process) -> None:
        """As it was, after it did not come back with our file."""
        if self._restart or process.unit:
            self._order(list(self._restart or ["systemctl", "restart", process.unit]))
        elif self.process() is None:
            command = ["/usr/bin/env", "-i", *process.environment, *process.command]
            detached = any(word in _FOREGROUND for word in process.command)
            self._order(["/bin/sh", "-c", _START_DETACHED, "sh", *command] if detached else command)

    def forget_cache(self) -> None:
        """A cached answer adds nothing to a set; what is asked from now on does."""
        process = self.process()
        if process is not None:
            os.kill(process.pid, signal.SIGHUP)

    def prime(self, names: Iterable[str]) -> None:
        """Ask for names ourselves, so that clients which hold them in their own cache are not blocked."""
        process = self.process()
        servers = listening(process.pid) if process is not None else []
        if servers:
            ask_all(servers[0], names, PRIME_SECONDS)


# Processes


def processes() -> List[Process]:
    """Every dnsmasq in our network namespace; a helper that one has forked counts as its parent."""
    found: Dict[int, Process] = {}
    parent_of: Dict[int, int] = {}
    for path in glob.glob("/proc/[0-9]*"):
        pid = int(os.path.basename(path))
        try:
            with open(f"{path}/cmdline", "rb") as handle:
                command = handle.read().decode("utf-8", "surrogateescape").split("\0")[:-1]
            if not any(os.path.basename(word) == "dnsmasq" for word in command[:2]) or "--test" in command:
                continue
            if os.readlink(f"{path}/ns/net") != os.readlink("/proc/self/ns/net"):
                continue
            with open(f"{path}/stat", encoding="utf-8", errors="replace") as handle:
                fields = handle.read().rpartition(")")[2].split()
            if fields[0] in "ZX":
                continue
            parent_of[pid] = int(fields[1])
            found[pid] = Process(pid, tuple(command), _environment(path), _unit(path))
        except OSError:
            continue  # it has ended while we looked
    return [process for pid, process in sorted(found.items()) if parent_of[pid] not in found]


def _environment(path: str) -> Tuple[str, ...]:
    with open(f"{path}/environ", "rb") as handle:
        return tuple(word for word in handle.read().decode("utf-8", "surrogateescape").split("\0") if "=" in word)


def _unit(path: str) -> str:
    if not os.path.isdir("/run/systemd/system"):
        return ""
    with open(f"{path}/cgroup", encoding="utf-8", errors="replace") as handle:
        match = re.search(r"/([^/\n]+\.service)$", handle.read(), re.MULTILINE)
    return match.group(1) if match else ""


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as handle:
            return handle.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# Its configuration


def settings(command: Sequence[str]) -> Iterator[Setting]:
    """All options of a running dnsmasq: of its command line, its main file, and the files that these include."""
    given = list(_given(command))
    yield from given
    files = [setting.value for setting in given if setting.key in ("conf-file", "C") and setting.value]
    yield from _of_files(files or ["/etc/dnsmasq.conf"], set())
    yield from _of_folders(given, set())


def _given(command: Sequence[str]) -> Iterator[Setting]:
    words = list(command[1:])
    while words:
        word = words.pop(0)
        place = "command line:0"
        if word.startswith("--"):
            key, equals, value = word[2:].partition("=")
            if not equals and key in ("conf-file", "conf-dir", "nftset") and words and not words[0].startswith("-"):
                value = words.pop(0)
            yield Setting(key, value, place)
        elif word[:2] in ("-7", "-C"):
            value = word[2:] or (words.pop(0) if words else "")
            yield Setting({"7": "conf-dir", "C": "conf-file"}[word[1]], value, place)


def _of_files(paths: Iterable[str], seen: Set[str]) -> Iterator[Setting]:
    for path in paths:
        if path in seen:
            continue
        seen.add(path)
        found = list(_of_file(path))
        yield from found
        yield from _of_files([setting.value for setting in found if setting.key == "conf-file"], seen)
        yield from _of_folders(found, seen)


def _of_file(path: str) -> Iterator[Setting]:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            for number, line in enumerate(handle, 1):
                match = _OPTION.match(line.partition("#")[0] if not line.startswith("nftset") else line)
                if match and match.group(1):
                    yield Setting(match.group(1), match.group(2) or "", f"{path}:{number}")
    except OSError:
        return


def _of_folders(found: Iterable[Setting], seen: Set[str]) -> Iterator[Setting]:
    for setting in found:
        if setting.key == "conf-dir":
            folder, *endings = setting.value.split(",")
            yield from _of_files(_chosen(folder, endings), seen)


def _chosen(folder: str, endings: Sequence[str]) -> List[str]:
    """`*.conf` takes only these files, `.bak` takes all but these."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    wanted = tuple(ending[1:] for ending in endings if ending.startswith("*"))
    unwanted = tuple(ending for ending in endings if ending and not ending.startswith("*"))
    plain = [name for name in names if not (name.endswith("~") or name.startswith((".", "#")))]
    return [
        os.path.join(folder, name) for name in plain
        if (not wanted or name.endswith(wanted)) and not (unwanted and name.endswith(unwanted))
    ]


def clashes(own: Mapping[str, str], others: Sequence[Tuple[str, str]]) -> List[str]:
    """Lines of others for the same names as ours, or for names above or below them."""
    roofs = {parent: domain for domain in own for parent in parents(domain)} if others else {}
    found = []
    for domain, place in others:
        ours = next((one for one in [domain, *parents(domain)] if one in own), None) or roofs.get(domain)
        if ours:
            found.append(
                f"{place}: the nftset line for {domain} and ours for {ours} are about the same names, and dnsmasq "
                "uses only the most specific one; take the name out of one of them, or keep both in one list"
            )
    return found
