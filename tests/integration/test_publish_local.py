# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role publish on this machine, with an nginx and a signer that only take notes: what is done, and what is not."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from inlab import ROOT

PLAYBOOK = ROOT / "playbooks" / "publish_mmd_allowlist.yml"
ANSIBLE = ROOT / ".venv" / "bin" / "ansible-playbook"
NAMES = [f"n{number}.example.com" for number in range(12)]
# Each signature is four tasks more: for tests that are about something else.
ONE_FILE: dict[str, Any] = {"egress_wpad": False}
UNSIGNED: dict[str, Any] = {**ONE_FILE, "egress_sign_command": []}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


class Site:
    """A web host that is this machine: a folder, and an nginx that only takes notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.web = folder / "egress"
        self.include = folder / "nginx.conf"
        self.notes = folder / "notes"
        self.variables: dict[str, Any] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "egress_entries": NAMES,
            "egress_publish_directory": str(self.web),
            "egress_publish_url": "https://pac.example.com/",
            "egress_pac": {"allowed": "DIRECT", "default": "PROXY proxy.example.com:8080"},
            "egress_wpad": True,
            "egress_nginx_include": str(self.include),
            "egress_nginx_test_command": ["sh", "-c", f"echo test >>{self.notes}"],
            "egress_nginx_reload_command": ["sh", "-c", f"echo reload >>{self.notes}"],
            "egress_sign_command": ["sh", "-c", f'echo sign >>{self.notes}; sha256sum <"$0" >"$1"', "{file}",
                                    "{signature}"],
        }  # fmt: skip

    def play(self, *arguments: str, fails: bool = False, **variables: Any) -> str:
        inventory = {"egress_publishers": {"hosts": {"web1": {**self.variables, **variables}}}}
        (self.folder / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"}
        environment.update(TMPDIR=str(self.folder), ANSIBLE_HOME=str(self.folder / "home"))
        command = [str(ANSIBLE), str(PLAYBOOK), "-i", str(self.folder / "inventory.yml"), *arguments]
        ran = subprocess.run(command, env=environment, check=False, capture_output=True, text=True, cwd=self.folder)
        assert (ran.returncode != 0) == fails, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    def noted(self) -> list[str]:
        """What was done since the last question, by whom it may not be done twice."""
        found = self.notes.read_text(encoding="utf-8").split() if self.notes.exists() else []
        self.notes.unlink(missing_ok=True)
        return found

    def state(self) -> dict[str, Any]:
        paths = [self.include, *self.web.iterdir()] if self.web.exists() else []
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}

    def leftovers(self) -> list[Path]:
        return [*self.folder.rglob("egress_sign_*"), *self.folder.rglob("*.new")]


def test_publish_twice_change_refuse_and_take_away(site: Site) -> None:
    said = site.play("--check", "--diff")
    assert "web1: would be changed, 2 files, 2 written, 0 removed, 2 would be signed, nginx is told" in said
    assert not site.web.exists() and not site.include.exists() and site.noted() == []

    said = site.play()
    assert "web1: changed, 2 files, 2 written, 0 removed, nginx is told" in said
    assert "https://pac.example.com/mmd.pac" in said and "https://pac.example.com/wpad.dat" in said
    assert site.noted() == ["sign", "sign", "test", "reload"] and site.leftovers() == []
    assert (site.web / "mmd.pac").read_bytes() == (site.web / "wpad.dat").read_bytes()
    told = site.include.read_text(encoding="utf-8")
    assert told.count("default_type application/x-ns-proxy-autoconfig;") == 2
    assert told.count("location = ") == told.count("no-cache") + 1 == told.count("nosniff") + 1  # one is a rewrite
    assert "location ^~ /.egress_ {\n    return 404;" in told
    digest = hashlib.sha256((site.web / "mmd.pac").read_bytes()).hexdigest()
    assert (site.web / "mmd.pac.sig").read_text(encoding="ascii") == f"{digest}  -\n"
    there = site.state()

    assert "web1: nothing to change" in site.play() and "changed=0" in site.play("--check")
    assert site.noted() == [] and site.state() == there

    said = site.play(fails=True, egress_entries=NAMES[:6])
    assert "max_shrink: 50" in said and site.state() == there and site.noted() == []

    said = site.play(egress_publish_state="absent")
    assert "web1: changed, 0 files" in said and site.noted() == ["test", "reload"]
    assert list(site.web.iterdir()) == [] and not site.include.exists()


def test_settings_that_nginx_refuses_are_put_back(site: Site) -> None:
    site.variables.update(UNSIGNED)
    site.play()
    before = site.include.read_text(encoding="utf-8")
    refuses = ["sh", "-c", "echo no >&2; false"]
    said = site.play(fails=True, egress_nginx_location="/other", egress_nginx_test_command=refuses)
    assert "was put back as it was" in said and "failed: no" in said
    assert site.include.read_text(encoding="utf-8") == before
    site.noted()
    assert "nginx is told" in site.play()  # the last good settings are known to run again
    assert site.noted() == ["test", "reload"] and not site.include.with_suffix(".conf.before").exists()
    assert "nothing to change" in site.play()


def test_a_signer_that_fails_publishes_nothing_and_leaves_nothing(site: Site) -> None:
    site.variables.update(ONE_FILE)
    site.play(fails=True, egress_sign_command=["false"])
    assert not site.web.exists() and site.leftovers() == []
    said = site.play(fails=True, egress_sign_command=["touch", "{signature}"])
    assert "empty signature" in said and not site.web.exists() and site.leftovers() == []


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"egress_pac": {"odd": 1}, "egress_feeds": [{"dialect": "json", "odd": 1}]}, "publish_feeds.odd"),
        ({"egress_pac": {}}, "publish_wpad: it is the PAC file under another name"),
        ({"egress_pac": {}, "egress_wpad": False, "egress_sign_command": []}, "files: expected at least one, got none"),
        ({**UNSIGNED, "egress_nginx_location": "/a;b"}, "nginx is told of it"),
    ],
)
def test_what_is_refused(site: Site, variables: dict[str, Any], said: str) -> None:
    assert said in site.play(fails=True, **variables)
    assert not site.include.exists()
