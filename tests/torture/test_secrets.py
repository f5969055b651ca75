# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in every option and every answer, looked for wherever a run leaves something: output, files, processes."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import apis
import pytest
from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.answers import response
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia.doors import Credentials
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator
from inlab import ROOT

BIN = Path(sys.executable).parent
NAMES = ["login.corp.example", "*.update.corp.example", *(f"n{number}.corp.example" for number in range(8))]
# Characters that each way of writing a text down writes in another way.
SECRET = "mArk-{}/+&%=\"'<$>\\9"


def forms(secret: str) -> set[str]:
    """How a secret may come out: as it is, quoted for JSON, Python, XML, a URL or a shell, or encoded."""
    raw = secret.encode()
    found = {secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret))[3:-3], repr(secret)[1:-1], raw.hex()}
    found |= {quote(secret), quote(secret, safe=""), quote_plus(secret), escape(secret), shlex.quote(secret)[1:-1]}
    for before in range(3):  # as part of a longer text, at each place that base64 makes a difference of
        cut = base64.b64encode(b"x" * before + raw).decode()
        found.add(cut[4 if before else 0 : len(cut) - len(cut) % 4 - 4])
    found.add(re.sub(r"\W.*", "", secret.partition("-")[2]))
    return {one for one in found if len(one) > 5}


def found_in(text: str, secrets: Sequence[str]) -> list[str]:
    return sorted({f"{secret[:12]}… as {one[:60]}" for secret in secrets for one in forms(secret) if one in text})


class Watch:
    """Command lines and environments of all processes, while a block runs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()

    def _look(self) -> None:
        own = str(os.getpid())
        while not self._over.wait(0.01):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add(Path(f"/proc/{pid}/{name}").read_bytes() if pid != own else b"")
                    except OSError:
                        continue

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


class Site:
    """A control node that notes all it can, and appliances whose credentials are markers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secrets = {name: SECRET.format(name) for name in ("panosPassword", "ziaSecret", "fortiosToken")}
        self.secrets["fortiosToken"] = "mArk-fortiosToken9x7"  # of letters, as FortiOS makes them
        self.emulators: dict[str, Any] = {
            "panos": PanosEmulator({"egress": self.secrets["panosPassword"]}),
            "zia": ZiaEmulator(Credentials(client_secret=self.secrets["ziaSecret"])),
            "fortios": FortiosEmulator(self.secrets["fortiosToken"]),
        }
        self.hosts = {f"{name}1": apis.host(name, one, "", folder) for name, one in self.emulators.items()}
        options = ("password", "client_secret", "access_token")
        for (name, secret), option in zip(self.secrets.items(), options, strict=True):
            kind = re.sub("[A-Z].*", "", name)
            self.hosts[f"{kind}1"][f"egress_{kind}"][option] = secret

    def every_secret(self) -> list[str]:
        """Those of the options, and those that the appliances gave for them."""
        headers = [one.request.headers for emulator in self.emulators.values() for one in emulator.seen]
        told = {one.get(name, "").rpartition(" ")[2] for one in headers for name in ("authorization", "x-pan-key")}
        return [*self.secrets.values(), *sorted(told - {"", *self.secrets.values()})]

    def environment(self) -> dict[str, str]:
        return {
            **apis.environment(), "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_LOG_PATH": str(self.folder / "log"),
            "ANSIBLE_KEEP_REMOTE_FILES": "1", "TMPDIR": str(self.folder / "tmp"),
        }  # fmt: skip

    def play(self, name: str, *words: str, **variables: Any) -> tuple[int, str]:
        (self.folder / "tmp").mkdir(exist_ok=True)
        everywhere = {
            "egress_clients": ["10.20.0.0/16"], "egress_entries": NAMES, "egress_verify": False,
            "egress_snapshot_dir": str(self.folder / "snapshots"), "egress_results_dir": str(self.folder / "results"),
            **variables,
        }  # fmt: skip
        inventory = {"egress_appliances": {"hosts": self.hosts, "vars": everywhere}}
        (self.folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        command = [str(BIN / "ansible-playbook"), str(ROOT / "playbooks" / f"{name}.yml"), "-i", "inventory.json"]
        ran = subprocess.run(
            [*command, "-vvv", "--diff", *words], env=self.environment(), check=False, capture_output=True,
            text=True, cwd=self.folder, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return ran.returncode, ran.stdout + ran.stderr

    def left(self) -> Iterator[tuple[Path, str]]:
        """All files that are there, but for the inventory, and the arguments that Ansible itself hands to a module."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.name != "inventory.json" and not path.name.startswith("AnsiballZ_"):
                yield path, path.read_bytes().decode("utf-8", "replace")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path)
    for emulator in found.emulators.values():
        emulator.start()
    yield found
    for emulator in found.emulators.values():
        emulator.stop()


def judged(site: Site, said: dict[str, str], watch: Watch) -> None:
    secrets = site.every_secret()
    assert len(secrets) >= 3
    for name, text in said.items():
        assert not found_in(text, secrets), f"{name}: {found_in(text, secrets)}"
    for path, text in site.left():
        assert not found_in(text, secrets), f"{path}: {found_in(text, secrets)}"
    seen = b"\0".join(watch.seen).decode("utf-8", "replace")
    assert "ansible-playbook" in seen
    assert not found_in(seen, secrets), f"process list: {found_in(seen, secrets)}"


PLAYS: list[tuple[str, list[str]]] = [
    ("apply_mmd_allowlist", ["--check"]), ("apply_mmd_allowlist", []), ("report_changes", []),
    ("explain", ["-e", "egress_explain=login.corp.example"]), ("rollback_mmd_allowlist", ["-e", "snapshot=latest"]),
]  # fmt: skip


def test_no_secret_is_left_by_a_playbook(site: Site, tally) -> None:
    watch, said = Watch(), {}
    with watch.running():
        for name, words in PLAYS:
            status, said[f"{name} {words}"] = site.play(name, *words)
            assert status == 0, said[f"{name} {words}"][-3000:]
            tally("playbooks")
    judged(site, said, watch)
    for request in (one.request for emulator in site.emulators.values() for one in emulator.seen):
        assert not found_in(f"{request.path} {dict(request.query)}", site.every_secret()), request.path


def _echo(site: Site, kind: str, status: int) -> Any:
    """An appliance that says in each refusal all that it was told, and all that it knows."""

    own = next(secret for name, secret in site.secrets.items() if name.startswith(kind))

    def answer(request: Request) -> Answer:
        known = " ".join([own, *request.headers.values(), request.body.decode("utf-8", "replace")])
        if kind == "panos":
            body = response(f"<msg><line><![CDATA[{known}]]></line></msg>", "error", "12").body
            return Answer(status, body, {"X-Told": quote(known)})
        told = {"code": known, "message": known, "cli_error": known, "error": -1, "status": "error"}
        return json_answer(told, status if kind == "zia" else 500)

    return answer


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize("after_login", [True, False], ids=["later", "at once"])
def test_no_secret_comes_back_by_an_appliance_that_repeats_it(site, status, after_login, tally, monkeypatch) -> None:
    for kind, emulator in site.emulators.items():
        real, echo = emulator.answer, _echo(site, kind, status)

        def answer(request: Request, real=real, echo=echo, kind=kind) -> Answer:
            is_login = b"type=keygen" in request.body or request.path.endswith("/token")
            return real(request) if after_login and is_login else echo(request)

        monkeypatch.setattr(emulator, "answer", answer)
    watch = Watch()
    with watch.running():
        code, said = site.play("apply_mmd_allowlist")
        tally("playbooks", len(site.emulators))
    assert code != 0
    judged(site, {"apply": said}, watch)


WRONG: dict[str, dict[str, Any]] = {
    "a proxy with a login": {"proxy_url": "http://user:{}@127.0.0.1:9"},
    "half of a proxy": {"proxy_url": "http://user:{}@[::1"}, "no proxy": {"proxy_url": "{}"},
    "a login in the address": {"host": "https://user:{}@fw1.corp.example"},
    "a query in the address": {"host": "https://fw1.corp.example/?key={}"},
    "a secret of two lines": {"password": "{}\nx", "client_secret": "{}\nx", "access_token": "{}\nx"},
    "a secret too long": dict.fromkeys(("password", "client_secret", "access_token"), "{}" * 100),
    "all there are": {"password": "{}", "api_key": "{}", "client_secret": "{}", "access_token": "{}"},
}  # fmt: skip


@pytest.mark.parametrize("kind", ["panos", "zia", "fortios"])
@pytest.mark.parametrize("case", WRONG)
def test_no_module_repeats_what_is_wrong_with_a_secret(site: Site, kind, case, tally) -> None:
    secret = "mArk-planted9x7"
    own = dict(site.hosts[f"{kind}1"][f"egress_{kind}"], host=site.emulators[kind].url)
    known = {"panos": {"password", "api_key"}, "zia": {"client_secret", "api_key"}, "fortios": {"access_token"}}
    given = {name: text.replace("{}", secret) for name, text in WRONG[case].items()
             if name in known[kind] | {"host", "proxy_url"}}  # fmt: skip
    options = {**own, "entries": NAMES, "clients": ["10.20.0.0/16"], **given}
    file = site.folder / "arguments.json"
    file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": options}), encoding="utf-8")
    words = [sys.executable, "-m", f"ansible_collections.egress.allowlist.plugins.modules.{kind}", str(file)]
    paths = str(Path(os.environ.get("ANSIBLE_COLLECTIONS_PATH", "") or ROOT.parents[2]))
    ran = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**site.environment(), "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    tally("modules")
    told = json.loads(ran.stdout.strip().splitlines()[-1])
    assert told.get("failed"), told
    assert "Traceback" not in ran.stdout + ran.stderr
    # What Ansible itself notes of the call: options that are no secret by their kind, host among them, as they are.
    told.pop("invocation", None)
    assert not found_in(json.dumps(told) + ran.stderr, [secret])
