# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A firewall in a folder: a stand-in for nft and its kernel, and one for dnsmasq that really answers."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _nft_files
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dns_client import ask_all, listening
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.nftables import NftablesDriver

from . import fake_dnsmasq
from .fake_nft import Died, FakeNft
from .host import Drifts, Host, Strangers

HERE = Path(__file__).parent
ESTABLISHED = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}
MARKED = {"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 0x10000]}, "right": 0x10000}}
ACCEPT = {"accept": None}
# The addresses of all names; two of them share one.
NAMES = {
    "login.live.com": ["198.18.0.1", "2001:db8:18::1"], "mesh.com": ["198.18.0.2"], "a.mesh.com": ["198.18.0.3"],
    "xcdn.onenote.net": ["198.18.0.4", "198.18.0.9"], "www.onenote.net": ["198.18.0.5"], "b.mesh.com": ["198.18.0.9"],
}
OURS = {"family": "inet", "table": "egress_mmd"}
SET = "networks4_allow_bypass"


def filter_table(*rules: list[dict[str, Any]], name: str = "filter") -> list[dict[str, Any]]:
    """The site's table with these rules in its forward chain, which drops the rest."""
    place = {"family": "inet", "table": name}
    base = {"name": "forward", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}
    return [
        {"add": {"table": {"family": "inet", "name": name}}}, {"add": {"chain": dict(base, **place)}},
        {"flush": {"chain": dict(place, name="forward")}},
        *({"add": {"rule": dict(place, chain="forward", expr=expr)}} for expr in rules),
    ]


def _element(verb: str, address: str) -> dict[str, Any]:
    value = {"concat": [{"prefix": {"addr": address, "len": 24}}, 6, 443]}
    return {verb: {"element": dict(OURS, name=SET, elem=[value])}}


def _lines(host: NftablesHost, old: str, new: str) -> None:
    text = host.conf.read_text(encoding="utf-8")
    assert old in text
    host.conf.write_text(text.replace(old, new), encoding="utf-8")


def _evil(host: NftablesHost) -> None:
    line = next(line for line in host.conf.read_text(encoding="utf-8").splitlines() if "/login.live.com/" in line)
    _lines(host, line, f"{line}\n{line.replace('login.live.com', 'evil.example')}")


def _gone(*tables: str) -> list[dict[str, Any]]:
    return [{"delete": {"table": {"family": "inet", "name": name}}} for name in tables]


class NftablesHost(Host):
    """``running`` is the ruleset, without what DNS fills, and what dnsmasq has read."""

    driver: ClassVar[type[Driver]] = NftablesDriver
    files_module: ClassVar[ModuleType] = _nft_files
    rearranged: ClassVar[dict[str, Any]] = {"priority": -20, "mark": "0x40000"}
    everyone = ("all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/8 all", "!localnet", "a b", "")
    strange_paths = ("/etc/passwd", "dnsmasq.d/../passwd", "dnsmasq.d/egress_other.conf")
    drifts: ClassVar[Drifts] = {
        "a network added": (lambda host: host.load(_element("add", "198.18.1.0")), "network 198.18.1.0/24 tcp/443", ""),
        "a network taken away": (lambda host: host.load(_element("delete", "203.0.113.0")),
                                 "", "network 203.0.113.0/24 tcp/443"),
        "a name added": (_evil, "host evil.example tcp/80,443", ""),
        "a name taken away": (lambda host: _lines(host, "nftset=/login.live.com/", "# "),
                              "", "host login.live.com tcp/80,443"),
        "our rules flushed": (lambda host: host.load({"flush": {"chain": dict(OURS, name="out")}}), "", ""),
        "a rule added": (lambda host: host.load({"add": {"rule": dict(OURS, chain="out", expr=[ACCEPT])}}), "", ""),
        "a chain added": (lambda host: host.load({"add": {"chain": dict(OURS, name="more")}}), "", ""),
        "our chain drops": (lambda host: host.load({"add": {"chain": dict(
            OURS, name="forward", type="filter", hook="forward", prio=-10, policy="drop")}}), "", ""),
        "our table deleted": (lambda host: host.load(*_gone("egress_mmd")), "", ""),
        "the table that DNS fills deleted": (lambda host: host.load(*_gone("egress_mmd-dns")), "", ""),
        "both tables deleted": (lambda host: host.load(*_gone("egress_mmd", "egress_mmd-dns")), "", ""),
        "our file for dnsmasq deleted": (lambda host: host.conf.unlink(), "", ""),
        "our file of rules deleted": (lambda host: (host.directory / "egress_mmd.json").unlink(), "", ""),
        "our file of systemd edited": (lambda host: next(host.etc.rglob("*.d/egress_mmd.conf")).write_text(
            "# egress.allowlist name=mmd\n", encoding="utf-8"), "", ""),
    }
    strangers: ClassVar[Strangers] = {
        "a file": (lambda host: host.conf.write_text("# mine\n", encoding="utf-8"), "egress_mmd.conf"),
        "a table": (lambda host: host.load({"add": {"table": {"family": "inet", "name": "egress_mmd"}}}),
                    "table inet egress_mmd"),
    }

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.directory = self.etc / "egress_allowlist"
        self.conf = self.etc / "dnsmasq.d" / "egress_mmd.conf"
        self.conf.parent.mkdir()
        (self.etc / "systemd" / "system").mkdir(parents=True)
        (self.etc / "nftables.conf").write_text("flush ruleset\n", encoding="utf-8")
        (self.etc / "dnsmasq.conf").write_text(f"no-resolv\nconf-dir={self.conf.parent}/,*.conf\n", encoding="utf-8")
        self.kernel = FakeNft(self.home)
        self.nft = self._program("nft", f"-S -E '{HERE / 'fake_nft.py'}'")
        self.dnsmasq = self.home / "lib" / "dnsmasq"
        self.dnsmasq.parent.mkdir()
        self.dnsmasq.symlink_to(HERE / "fake_dnsmasq.py")
        self.checker = self._program("dnsmasq", f"-S -E '{self.dnsmasq}'")
        self.answers(**NAMES)
        self.commands: list[list[str]] = []  # those that are only noted: a unit test leaves the machine's systemd alone
        self._settled: dict[str, tuple[Any, ...]] = {}
        self.load(*filter_table([ESTABLISHED, ACCEPT], [MARKED, ACCEPT]))

    def _program(self, name: str, words: str) -> Path:
        path = self.home / "sbin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
        return path

    def usual(self) -> dict[str, Any]:
        return {
            "clients": ["10.20.0.0/24"],
            "widen": "any",
            "directory": str(self.directory),
            "dnsmasq_dir": str(self.conf.parent),
            "service_dir": str(self.etc / "systemd" / "system" / "nftables.service.d"),
            "config_file": str(self.etc / "nftables.conf"),
            "executable": str(self.nft),
            "dnsmasq_executable": str(self.checker),
        }

    # Commands

    def changes(self, words: list[str]) -> bool:
        if words[0] == str(self.nft):
            return "-f" in words and "-c" not in words
        return words[0] != str(self.checker) and "--test" not in words

    def execute(self, words: list[str]) -> tuple[int, str, str]:
        """What ends at once is called without a process of its own, which is many times quicker."""
        if words[0] == str(self.nft):
            try:
                return self.kernel.call(words[1:])
            except Died:
                return -signal.SIGKILL, "", ""
        if words[0] == "systemctl":
            self.commands.append(words)
            return 0, "", ""
        if words[0] == str(self.checker) or "--test" in words:
            return self._checked(words)
        assert words[0] in ("/usr/bin/env", "/bin/sh"), words
        return super().execute(words)

    def _checked(self, words: list[str]) -> tuple[int, str, str]:
        out, err, code = io.StringIO(), io.StringIO(), 0
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                fake_dnsmasq.main(words)
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, out.getvalue(), err.getvalue()

    def load(self, *commands: dict[str, Any]) -> None:
        """A change by somebody else."""
        code, _out, err = self.kernel.call(["-j", "-f", "-"], json.dumps({"nftables": list(commands)}))
        assert code == 0, err

    # dnsmasq

    def start(self, *more: str) -> None:
        words = [sys.executable, str(self.dnsmasq), f"--conf-file={self.etc / 'dnsmasq.conf'}", *more]
        subprocess.run(words, check=True)

    @property
    def pid(self) -> int:
        """0 where none runs."""
        try:
            pid = int((self.home / "dnsmasq.pid").read_text(encoding="ascii"))
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return 0
        # A number is given again, and what has it now may be anybody's process.
        return pid if fields[0] not in "ZX" and str(self.dnsmasq).encode() in words else 0

    def stop(self) -> None:
        while self.pid:
            os.kill(self.pid, signal.SIGKILL)
            time.sleep(0.005)

    def recover(self) -> None:
        if not self.pid:
            self.start()

    def answers(self, **names: list[str]) -> None:
        (self.home / "names.json").write_text(json.dumps(names), encoding="utf-8")

    def ask(self, *names: str) -> None:
        """As the clients do."""
        assert ask_all(listening(self.pid)[0], names, 5.0) == 2 * len(names)

    def asked(self) -> set[str]:
        """All names that somebody has asked for since the last call."""
        log = self.home / "questions.log"
        found = {line.split(" ")[0] for line in log.read_text(encoding="utf-8").splitlines()} if log.exists() else set()
        log.unlink(missing_ok=True)
        return found

    # What is there

    def tables(self) -> list[dict[str, Any]]:
        _code, out, _err = self.kernel.call(["-j", "list", "ruleset"])
        return [one for one in json.loads(out)["nftables"] if "metainfo" not in one]

    def listed(self) -> list[str]:
        """The ruleset without what differs each time."""
        found: list[dict[str, Any]] = []
        rules: list[dict[str, Any]] = []
        for one in self.tables():
            for kind, body in one.items():
                del body["handle"]
                if "timeout" in body.get("flags", ()):
                    body.pop("elem", None)
                elif "elem" in body:
                    body["elem"].sort(key=json.dumps)
                (rules if kind == "rule" else found).append(one)
        rules.sort(key=lambda one: (one["rule"]["table"], one["rule"]["chain"]))  # and within a chain as they are
        return [*sorted(map(json.dumps, found)), *map(json.dumps, rules)]

    def allowed(self) -> set[str]:
        """The addresses that names have brought."""
        return self._learnt("names")

    def remembered(self) -> set[str]:
        return self._learnt("learnt")

    def _learnt(self, prefix: str) -> set[str]:
        sets = [one["set"] for one in self.tables() if "set" in one]
        values = [value for one in sets if one["name"].startswith(prefix) for value in one.get("elem", ())]
        return {value["elem"]["val"] for value in values}

    @property
    def running(self) -> str:
        loaded = (self.home / "loaded.conf").read_text(encoding="utf-8") if self.pid else "no dnsmasq"
        return "\n".join([*self.listed(), loaded])

    # Quicker than runs

    def settle(self, *runs: dict[str, Any]) -> None:
        key = repr(runs)
        if key not in self._settled:
            super().settle(*runs)
            state = (self.home / "state.json").read_bytes()
            self._settled[key] = (state, {path: path.read_bytes() for path in self.etc.rglob("*") if path.is_file()})
        state, files = self._settled[key]
        shutil.rmtree(self.directory, ignore_errors=True)
        for path in self.etc.rglob("*"):
            if path.is_file() and path not in files:
                path.unlink()
        for path, content in files.items():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        (self.home / "state.json").write_bytes(state)
        self._reread()

    def _reread(self) -> None:
        if not self.pid:
            self.start()
            return
        loaded = self.home / "loaded.conf"
        loaded.unlink()
        os.kill(self.pid, signal.SIGUSR2)
        while not loaded.exists():
            assert self.pid
            time.sleep(0.001)

    # Trouble

    @property
    def lock(self) -> Path:
        return self.etc

    @contextlib.contextmanager
    def checker_refuses(self) -> Iterator[None]:
        self.kernel.set_knobs(fail_check="BROKEN")
        yield
        self.kernel.set_knobs(fail_check="")

    @contextlib.contextmanager
    def refuses(self) -> Iterator[None]:
        """dnsmasq starts with what it has now and with nothing else."""
        shutil.copy(self.home / "loaded.conf", self.home / "start-only")
        yield
        (self.home / "start-only").unlink()
