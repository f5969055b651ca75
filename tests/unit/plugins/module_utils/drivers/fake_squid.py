# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the Squid program in unit tests: it parses (a little), runs, reloads, and tells what it has loaded.

The real one is met in tests/integration. Told by environment: FAKE_SQUID (a folder: pid file and what was loaded),
FAKE_SQUID_BUILD (configure options). A configuration with the word BROKEN does not parse, one with GRUMBLE warns.
"""

from __future__ import annotations

import glob
import os
import signal
import socket
import sys
import threading
from pathlib import Path

HOME = Path(os.environ["FAKE_SQUID"])
PID = HOME / "squid.pid"
LOADED = HOME / "loaded.conf"
REFUSE = HOME / "refuse-reload"


def whole(path: str) -> str:
    """The configuration with its includes, and the lists that it names, as a running Squid has them in memory."""
    found = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:1] == ["include"]:
            matches = sorted(glob.glob(words[1]))
            if not matches:
                sys.exit("FATAL: no include file")
            found += [whole(match) for match in matches]
            continue
        found.append(line)
        for word in words[3:] if words[:1] == ["acl"] else []:
            if word.startswith('"'):
                found.append(Path(word.strip('"')).read_text(encoding="utf-8"))
    return "\n".join(found)


def parse(path: str) -> int:
    text = whole(path)
    if "GRUMBLE" in text:
        print("2026/01/01 00:00:00| WARNING: somebody grumbles")
    if "BROKEN" in text:
        print("2026/01/01 00:00:00| FATAL: Bungled somewhere line 7: BROKEN")
        return 1
    return 0


def replace(path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text, encoding="utf-8")
    aside.rename(path)


def daemon(path: str) -> None:
    wake = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: wake.set())
    while True:
        replace(LOADED, whole(path))  # as the real one: the configuration is read before the ports are opened
        with socket.create_server(("127.0.0.1", 0)):
            if not PID.exists():
                replace(PID, str(os.getpid()))
            while not wake.wait(0.5):
                pass
            wake.clear()


def main(words: list[str]) -> int:
    options = dict(zip(words[::2], words[1::2]))
    if words == ["-v"]:
        print(f"Squid Cache: Version 5.7\nconfigure options:  '--with-pidfile={PID}' {os.environ['FAKE_SQUID_BUILD']}")
        return 0
    if "--daemon" in options:
        daemon(options["--daemon"])
    if options.get("-k") == "parse":
        return parse(options["-f"])
    if options.get("-k") == "reconfigure":
        if REFUSE.exists() or parse(options["-f"]) != 0:
            print("FATAL: not reloaded")
            return 1
        os.kill(int(PID.read_text(encoding="ascii")), signal.SIGHUP)
        return 0
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
