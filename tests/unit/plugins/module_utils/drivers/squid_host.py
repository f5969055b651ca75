# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Squid host in a folder: Debian's layout, a site's policy, and a stand-in for the running program."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _squid_files
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver

from . import fake_squid
from .host import Drifts, Host, Strangers

SITE = """\
acl localnet src 10.0.0.0/8
acl SSL_ports port 443
acl Safe_ports port 80
acl Safe_ports port 443
acl Safe_ports port 1025-65535
http_access deny !Safe_ports
http_access deny CONNECT !SSL_ports
http_access allow localhost manager
http_access deny manager
include {etc}/conf.d/*.conf
auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/passwd
acl users proxy_auth REQUIRED
icap_enable on
icap_service svc_req reqmod_precache icap://127.0.0.1:1344/echo
adaptation_service_set inspectors svc_req
adaptation_access inspectors allow all
url_rewrite_program /usr/local/bin/block
ssl_bump bump all
http_access allow users
http_access deny all
pid_filename {home}/squid.pid
http_port 3128 ssl-bump tls-cert=/etc/squid/ca.pem
"""


def _edit(host: SquidHost, kind: str, old: str, new: str) -> None:
    path = next(host.lists.glob(f"{kind}_*"))
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def _rules(host: SquidHost, old: str, new: str) -> None:
    host.include.write_text(host.include.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


class SquidHost(Host):
    """``running`` is the configuration that the running program has read."""

    driver: ClassVar[type[Driver]] = SquidDriver
    files_module: ClassVar[ModuleType] = _squid_files
    rearranged: ClassVar[dict[str, Any]] = {"position": "05"}
    everyone = ("all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/8 all", "!localnet", "a b", "")
    strange_paths = ("/etc/passwd", "conf.d/../squid.conf", "conf.d/20-egress_other.conf")
    drifts: ClassVar[Drifts] = {
        "a name added": (lambda host: _edit(host, "names", "login.live.com\n", "login.live.com\nevil.example\n"),
                         "host evil.example tcp/80,443", ""),
        "a name taken away": (lambda host: _edit(host, "names", "login.live.com\n", ""),
                              "", "host login.live.com tcp/80,443"),
        "a line that is no entry": (lambda host: _edit(host, "shape", "^[^.]*cdn", "^.*cdn"),
                                    "unknown ^.*cdn\\.onenote\\.net$", "host *cdn.onenote.net tcp/80,443"),
        "an exclusion taken away": (lambda host: next(host.lists.glob("except_*")).unlink(),
                                    "host mesh.com tcp/80,443", ""),
        "the rules edited": (lambda host: _rules(host, "http_access allow egress_mmd-clients", "http_access allow all"),
                             "", ""),
        "the include file deleted": (lambda host: host.include.unlink(), "", "host login.live.com tcp/80,443"),
    }
    strangers: ClassVar[Strangers] = {
        "a file": (lambda host: host.include.write_text("# mine\n", encoding="utf-8"), "10-egress_mmd.conf"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.etc / "conf.d").mkdir()
        self.conf = self.etc / "squid.conf"
        self.write_site(SITE)
        (self.etc / "conf.d" / "debian.conf").write_text("logfile_rotate 0\n", encoding="utf-8")
        self.program = self.home / "squid"
        words = f'"{sys.executable}" -S -E "{fake_squid.__file__}"'
        self.program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
        self.program.chmod(0o755)
        self.process: subprocess.Popen[bytes] | None = None

    def usual(self) -> dict[str, Any]:
        own = {"config_file": str(self.conf), "executable": str(self.program), "reload_timeout": 20}
        return dict(own, clients=["10.20.0.0/24"])

    def changes(self, words: list[str]) -> bool:
        return "reconfigure" in words

    def execute(self, words: list[str]) -> tuple[int, str, str]:
        """What ends at once is called without a process of its own, which is many times quicker."""
        if words[0] == str(self.program):
            return fake_squid.call(words[1:])
        return super().execute(words)

    def write_site(self, text: str) -> None:
        self.conf.write_text(text.format(etc=self.etc, home=self.home), encoding="utf-8")

    @property
    def include(self) -> Path:
        return self.etc / "conf.d" / "10-egress_mmd.conf"

    @property
    def lists(self) -> Path:
        return self.etc / "egress_mmd"

    def files(self) -> dict[str, str]:
        """All but the proof of what runs."""
        return {name: text for name, text in super().files().items() if not name.endswith("/loaded.json")}

    def start(self) -> None:
        (self.home / "squid.pid").unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-S", "-E", fake_squid.__file__, "--daemon", str(self.conf)])
        deadline = time.monotonic() + 20
        while not (self.home / "squid.pid").exists():
            assert time.monotonic() < deadline and self.process.poll() is None, "the stand-in did not start"
            time.sleep(0.001)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def recover(self) -> None:
        """A run never ends it."""

    @property
    def running(self) -> str:
        return (self.home / "loaded.conf").read_text(encoding="utf-8")

    @property
    def lock(self) -> Path:
        return self.include.parent

    @contextlib.contextmanager
    def checker_refuses(self) -> Iterator[None]:
        text = self.conf.read_text(encoding="utf-8")
        self.conf.write_text(text + "BROKEN\n", encoding="utf-8")
        yield
        self.conf.write_text(text, encoding="utf-8")

    @contextlib.contextmanager
    def refuses(self) -> Iterator[None]:
        (self.home / "refuse-reload").touch()
        yield
        (self.home / "refuse-reload").unlink()
