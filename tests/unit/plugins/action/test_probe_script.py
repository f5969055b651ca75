# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""egress.allowlist.probe_script: one file that needs nothing beside it, and whose options stay data."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.egress.allowlist.plugins.action.probe_script import ActionModule
from ansible_collections.egress.allowlist.plugins.modules import probe, probe_script
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_action import inquiry, judge_raw

from ...powershell.syntax import functions, parse
from .test_probe import action

ROOT = Path(__file__).resolve().parents[4]
KINDS = ("powershell", "python")


def write(tmp_path: Path, check_mode: bool = False, diff: bool = False, **arguments: Any) -> dict[str, Any]:
    options = {"kind": "python", "dest": str(tmp_path / "script"), "results_path": str(tmp_path / "{host}.json")}
    one = action(ActionModule, {**options, **arguments}, check_mode)
    one._task.diff = diff
    result: dict[str, Any] = one.run(task_vars={})
    return result


def pythons() -> list[str]:
    """The one of these tests, and the oldest of this machine."""
    listed = subprocess.run([ROOT / "scripts" / "pythons"], check=True, capture_output=True, text=True).stdout
    return [sys.executable, listed.splitlines()[-1].split(" ", 1)[1]]


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Page) as one:
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{one.server_port}"
        one.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("roots")
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made = [*words, "-subj", "/CN=R", "-keyout", str(folder / "key.pem"), "-out", str(folder / "root.pem")]
    subprocess.run(made, check=True, capture_output=True)
    return str(folder / "root.pem")


@pytest.mark.parametrize("python", pythons())
def test_the_python_script_runs_alone_and_its_file_can_be_judged(
    python: str, tmp_path: Path, server: str, roots: str
) -> None:
    targets = [server, "tcp://127.0.0.1:1"]
    written = write(tmp_path, targets=targets, public_ca_path=roots)
    assert written["targets"] == 2
    done = subprocess.run([python, "-I", written["dest"]], cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    path = tmp_path / f"{socket.gethostname().lower()}.json"
    assert str(path) in done.stdout
    result = json.loads(path.read_text(encoding="utf-8"))
    assert (result["format"], result["raw"], result["system"], result["proxy"]) == (2, True, "linux", None)
    assert [one["outcome"] for one in result["answers"]] == ["reachable", "refused"]
    defaults = {name: option.get("default") for name, option in probe.ARGUMENT_SPEC.items()}
    judged = judge_raw(result, inquiry({**defaults, "targets": targets}), "x")
    assert judged["counts"]["ok"] == 1


def test_a_script_that_cannot_write_says_so(tmp_path: Path, server: str, roots: str) -> None:
    (tmp_path / "file").write_text("in the way", encoding="ascii")
    path = str(tmp_path / "file" / "x.json")
    written = write(tmp_path, targets=[server], public_ca_path=roots, results_path=path)
    done = subprocess.run([sys.executable, "-I", written["dest"]], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"egress probe: cannot write {path}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", KINDS)
def test_writing_again_changes_nothing(kind: str, tmp_path: Path) -> None:
    arguments: dict[str, Any] = {"kind": kind, "entries": ["a.example.com"], "mode": "0600"}
    assert write(tmp_path, check_mode=True, **arguments)["changed"]
    assert list(tmp_path.iterdir()) == []
    first = write(tmp_path, diff=True, **arguments)
    assert first["changed"]
    assert "a.example.com" in first["diff"]["after"]
    assert (tmp_path / "script").stat().st_mode & 0o777 == 0o600
    assert {**write(tmp_path, **arguments), "changed": True} == {k: v for k, v in first.items() if k != "diff"}
    assert not write(tmp_path, **arguments)["changed"]
    assert write(tmp_path, **{**arguments, "mode": "0644"})["changed"]
    assert [path.name for path in tmp_path.iterdir()] == ["script"]


EVIL = "'@\n\"\"\"'); Remove-Item C:\\ ; #${env:x}`$(calc)\u2019"


@pytest.mark.parametrize("kind", KINDS)
def test_options_stay_data(kind: str, tmp_path: Path) -> None:
    written = write(tmp_path, kind=kind, targets=["http://a.example.com/'@\"$(x)`"], inspection_ca_path=EVIL)
    text = Path(written["dest"]).read_text(encoding="ascii")
    if kind == "python":
        compile(text, "script", "exec")
        held = next(line for line in text.splitlines() if line.startswith("OPTIONS = "))
        options = eval(held.partition("json.loads")[2])
    else:
        lines = text.splitlines()
        at = lines.index("$OptionText = @'")
        assert lines[at + 2] == "'@"
        options = lines[at + 1]
        parse(text)
    assert json.loads(options)["inspection_ca_path"] == EVIL
    assert json.loads(options)["targets"] == ["http://a.example.com/'@\"$(x)`"]


def test_the_powershell_script_holds_every_function_and_nothing_of_a_module(tmp_path: Path) -> None:
    text = Path(write(tmp_path, kind="powershell", entries=["a.example.com"])["dest"]).read_text(encoding="ascii")
    files = (ROOT / "plugins" / "module_utils").glob("EgressProbe*.psm1")
    wanted = {name for path in files for name in functions(parse(path.read_text(encoding="utf-8")))}
    assert set(functions(parse(text))) == wanted
    assert "Export-ModuleMember" not in text
    assert "AnsibleRequires" not in text
    assert len(text) < 200_000, "Intune takes no larger script"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "one of the following is required: entries, targets"),
        ({"entries": []}, "the list is empty"),
        ({"entries": ["198.51.100.0/24"]}, "none of them can be asked for"),
        ({"targets": ["a.example.com"]}, r"targets\[0\]"),
        ({"targets": ["https://a.b"], "proxy": "http://u:p@x:1"}, "user and password do not belong here"),
        ({"targets": ["https://a.b"], "mode": "a+x"}, "mode: expected three octal digits"),
        ({"targets": ["https://a.b"], "kind": "powershell", "pac": "/etc/x.pac"}, "pac: expected http"),
        ({"targets": ["https://a.b"], "timeout": 0}, "timeout: expected more than 0"),
        ({"targets": ["https://a.b"], "public_fingerprints": ["ab"]}, r"public_fingerprints\[0\]"),
        ({"targets": ["https://a.b"], "results_path": "a\nb"}, "results_path"),
    ],
)
def test_what_a_host_would_refuse_is_refused_here(tmp_path: Path, arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(AnsibleActionFail, match=reason):
        write(tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_each_option_is_documented_and_is_one_of_the_probe() -> None:
    documented = yaml.safe_load(probe_script.DOCUMENTATION)["options"]
    assert set(documented) == set(probe_script.ARGUMENT_SPEC)
    own = ("kind", "dest", "mode", "results_path")
    for name, option in probe_script.ARGUMENT_SPEC.items():
        kept = {key: value for key, value in documented[name].items() if key != "description"}
        assert kept == option
        if name not in own:
            ours = probe.ARGUMENT_SPEC[name]
            assert option.get("choices") == ours.get("choices")
            assert option.get("default") == ours.get("default") or name == "threads"
