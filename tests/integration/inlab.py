# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab, as tests see it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LAB = ROOT / ".lab"
CLIENT = (HERE / "desktop_client.py").read_text(encoding="utf-8")
PROXY = ("10.20.0.10", 3128)
OUTSIDE_PROXY = ("203.0.113.10", 3128)
LOGIN = "demo:lab-only"
COMMAND_SECONDS = 300


def on(host: str, *words: str, stdin: str = "", check: bool = True) -> str:
    """Run a command on a lab host over ssh."""
    command = " ".join(shlex.quote(word) for word in words)
    done = subprocess.run(
        ["ssh", "-F", str(LAB / "ssh" / "config"), host, command],
        input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
    )
    assert not check or done.returncode == 0, f"{host}: {command[:200]}: {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


@contextmanager
def started(host: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs on a lab host meanwhile; ended with the block."""
    command = " ".join(shlex.quote(word) for word in words)
    process = subprocess.Popen(
        ["ssh", "-F", str(LAB / "ssh" / "config"), host, command],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@dataclass(frozen=True)
class Answer:
    """What a client met. ``issuer``: common name of the certificate's issuer inside the tunnel."""

    id: str
    connect: int | None
    issuer: str | None
    status: int | None
    error: str | None
    server: str | None


def connect(host: str, *, sni: str | None = None, port: int = 443, ident: str | None = None) -> dict[str, Any]:
    name = host if sni is None else sni
    return {"id": ident or host, "method": "CONNECT", "host": host, "port": port, "sni": name, "path": "/"}


def get(host: str, path: str = "/", *, at: str = "", ident: str | None = None) -> dict[str, Any]:
    return {"id": ident or host + at + path, "method": "GET", "host": host, "port": 80, "path": path, "at": at}


def ask(
    client: str, asks: list[dict[str, Any]], *, user: str | None = None, proxy: tuple[str, int] | None = PROXY
) -> dict[str, Answer]:
    """What the client meets; without a proxy it connects to the name in `sni` itself."""
    task = json.dumps({"proxy": proxy, "user": user, "asks": asks})
    found = json.loads(on(client, "python3", "-I", "-c", CLIENT, stdin=task))
    return {one["id"]: Answer(**one) for one in found}


def ansible(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(ROOT / ".venv" / "bin" / words[0]), "-i", str(LAB / "inventory.yml"), *words[1:]],
        capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, cwd=ROOT,
    )
    assert not check or done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done


class Squid:
    """The proxy of the lab: module runs against it over ssh, its files and its logs."""

    def run(self, *, check_mode: bool = False, fails: bool = False, **options: Any) -> dict[str, Any]:
        """One run of the module through Ansible; the parsed answer."""
        options.setdefault("clients", ["10.20.0.0/24", "fd00:20::/64"])
        if options.get("state") in ("gathered", "restored") or (
            options.get("state") == "deleted" and not options.get("entries")
        ):
            options.pop("clients")
        arguments = ROOT / ".test" / "integration-arguments.json"
        arguments.parent.mkdir(exist_ok=True)
        arguments.write_text(json.dumps({"arguments": options}), encoding="utf-8")
        named = json.dumps({name: "{{ arguments." + name + " }}" for name in options})  # a long list is no command line
        words = ["ansible", "proxy1", "-m", "egress.allowlist.squid", "-a", named, "-e", f"@{arguments}", "--diff"]
        return self._answer(words + (["--check"] if check_mode else []), fails)

    @staticmethod
    def _answer(words: list[str], fails: bool) -> dict[str, Any]:
        environment = {"ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"), "ANSIBLE_STDOUT_CALLBACK": "answer",
                       "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1"}
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / words[0]), "-i", str(LAB / "inventory.yml"), *words[1:]],
            capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, cwd=ROOT,
            env={**os.environ, **environment},
        )
        answers = [line[7:] for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
        assert len(answers) == 1, done.stdout[-4000:] + done.stderr[-4000:]
        answer: dict[str, Any] = json.loads(answers[0])
        assert (done.returncode != 0) == fails, json.dumps(answer)[:4000]
        return answer

    def files(self) -> dict[str, str]:
        """Every file below /etc/squid that can be configuration, by path."""
        script = (
            "import json,os,sys\nfound={}\n"
            "for top,_,names in os.walk('/etc/squid'):\n"
            "  for n in names:\n"
            "    p=os.path.join(top,n)\n"
            "    if n!='loaded.json': found[p]=open(p,errors='replace').read()\n"
            "json.dump(found,sys.stdout)"
        )
        found: dict[str, str] = json.loads(on("proxy1", "python3", "-I", "-c", script))
        return found

    def write(self, path: str, text: str) -> None:
        on("proxy1", "sh", "-c", f"cat > {shlex.quote(path)}", stdin=text)

    def reload(self) -> None:
        on("proxy1", "squid", "-k", "reconfigure")

    def wait_for_reload(self) -> None:
        """Until a connection is answered again."""
        deadline = time.monotonic() + 20
        while ask("desktop1", [get("www.example.org")])["www.example.org/"].status is None:
            assert time.monotonic() < deadline, "the proxy does not answer after a reload"

    def log_length(self, path: str) -> int:
        return int(on("proxy1", "sh", "-c", f"wc -l < {path}"))

    def log_since(self, path: str, line: int) -> str:
        return on("proxy1", "tail", "-n", f"+{line + 1}", path)


ACCESS_LOG = "/var/log/squid/access.log"
