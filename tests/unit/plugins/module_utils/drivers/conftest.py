# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Squid host in a folder: Debian's layout, a site's policy, and a stand-in for the running program."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import Run, allowlist_argument_spec

FAKE = Path(__file__).with_name("fake_squid.py")

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


def run_command(words: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class SquidHost:
    """``run`` is one run of the module; ``loaded`` is the configuration that the running program has read."""

    def __init__(self, folder: Path) -> None:
        self.etc = folder / "etc"
        self.home = folder / "run"
        (self.etc / "conf.d").mkdir(parents=True)
        self.home.mkdir()
        self.conf = self.etc / "squid.conf"
        self.write_site(SITE)
        (self.etc / "conf.d" / "debian.conf").write_text("logfile_rotate 0\n", encoding="utf-8")
        self.program = self.home / "squid"
        self.program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "{FAKE}" "$@"\n', encoding="utf-8")
        self.program.chmod(0o755)
        self.process: subprocess.Popen[bytes] | None = None

    def write_site(self, text: str) -> None:
        self.conf.write_text(text.format(etc=self.etc, home=self.home), encoding="utf-8")

    @property
    def include(self) -> Path:
        return self.etc / "conf.d" / "10-egress_mmd.conf"

    @property
    def lists(self) -> Path:
        return self.etc / "egress_mmd"

    def files(self) -> dict[str, str]:
        """Every file of the host but the proof of what runs."""
        found = sorted(path for path in self.etc.rglob("*") if path.is_file() and path.name != "loaded.json")
        return {str(path.relative_to(self.etc)): path.read_text(encoding="utf-8") for path in found}

    def start(self) -> None:
        (self.home / "squid.pid").unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, str(FAKE), "--daemon", str(self.conf)])
        deadline = time.monotonic() + 20
        while not (self.home / "squid.pid").exists():
            assert time.monotonic() < deadline and self.process.poll() is None, "the stand-in did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def loaded(self) -> str:
        return (self.home / "loaded.conf").read_text(encoding="utf-8")

    def options(self, **given: Any) -> dict[str, Any]:
        spec = dict(allowlist_argument_spec(), **SquidDriver.argument_spec)
        options = {name: one.get("default") for name, one in spec.items()}
        options.update(clients=["10.20.0.0/24"], config_file=str(self.conf), executable=str(self.program))
        return dict(options, reload_timeout=20, **given)

    def run(self, *entries: Any, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        options = self.options(**given)
        if entries:
            options["entries"] = list(entries)
        driver = SquidDriver(options, run_command)
        try:
            return Run(driver, options, check_mode).answer()
        finally:
            driver.close()


@pytest.fixture
def squid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SquidHost]:
    monkeypatch.setenv("FAKE_SQUID", str(tmp_path / "run"))
    monkeypatch.setenv("FAKE_SQUID_BUILD", "'--with-openssl'")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    host = SquidHost(tmp_path)
    host.start()
    yield host
    host.stop()
