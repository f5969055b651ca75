# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the Squid program in unit tests: it parses (a little), runs, reloads, and tells what it has loaded.

The real one is met in tests/integration. Told by environment: FAKE_SQUID (a folder: pid file and what was loaded),
FAKE_SQUID_BUILD (configure options). A configuration with the word BROKEN does not parse, one with GRUMBLE warns.
"""

from __future__ import annotations

import contextlib
import glob
import io
import os
import signal
import socket
import sys
import threading
from os import kill  # by its own name: a test that watches the module's calls does not see the stand-in's
from pathlib import Path


def at_home(name: str) -> Path:
    return Path(os.environ["FAKE_SQUID"]) / name


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
    wake, pid = threading.Event(), at_home("squid.pid")
    signal.signal(signal.SIGHUP, lambda *_: wake.set())
    while True:
        # As the real one: the configuration is read before the ports are opened.
        replace(at_home("loaded.conf"), whole(path))
        with socket.create_server(("127.0.0.1", 0)):
            if not pid.exists():
                replace(pid, str(os.getpid()))
            while not wake.wait(0.5):
                pass
            wake.clear()


def main(words: list[str]) -> int:
    options = dict(zip(words[::2], words[1::2]))
    if words == ["-v"]:
        build = f"'--with-pidfile={at_home('squid.pid')}' {os.environ['FAKE_SQUID_BUILD']}"
        print(f"Squid Cache: Version 5.7\nconfigure options:  {build}")
        return 0
    if "--daemon" in options:
        daemon(options["--daemon"])
    if options.get("-k") == "parse":
        return parse(options["-f"])
    if options.get("-k") == "reconfigure":
        if at_home("refuse-reload").exists() or parse(options["-f"]) != 0:
            print("FATAL: not reloaded")
            return 1
        kill(int(at_home("squid.pid").read_text(encoding="ascii")), signal.SIGHUP)
        return 0
    return 2


def call(words: list[str]) -> tuple[int, str, str]:
    """What the program would say, without a process of its own: exit status, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as ended:
            code = 1
            err.write(f"{ended.code}\n")
        except OSError as error:
            code = 1
            err.write(f"{error}\n")
    return code, out.getvalue(), err.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
