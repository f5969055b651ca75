# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Catalogs of one's own that are no catalogs: each in a process of its own, with little memory and little time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import corpus
import pytest

MEMORY, SECONDS = 1024 * 1024 * 1024, 20
GOOD = 'catalog: {id: own}\ngroups:\n  office:\n    names: ["*.corp.example"]\n'
# A lookup as Ansible calls it, in a process of its own for each catalog, forked from one that has imported Ansible.
ASK = f"""
import json, os, resource, signal, sys, time, traceback
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
if AnsibleCollectionConfig.collection_finder is None:
    init_plugin_loader()
lookup = lookup_loader.get("egress.allowlist.endpoints", loader=DataLoader())
lookup.run([], tenant="contoso")

def answer(place):
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
    resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
    signal.alarm(2 * {SECONDS})
    try:
        return ["found", str(len(lookup.run([], catalog=[place], tenant="contoso")))]
    except AnsibleError as error:
        return ["refused", str(error)]
    except BaseException:
        return ["broken", traceback.format_exc()[-600:]]

for line in sys.stdin:
    began, (reading, writing) = time.monotonic(), os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, json.dumps([part[-20_000:] for part in answer(json.loads(line))]).encode())
        os._exit(0)
    os.close(writing)
    status = os.waitpid(child, 0)[1]
    told = os.read(reading, 65_536) or json.dumps(["killed", str(status)]).encode()
    os.close(reading)
    print(json.dumps([*json.loads(told), time.monotonic() - began]), flush=True)
"""
_LAUGHS = "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))
TEXTS: dict[str, str | bytes] = {
    "nothing": "", "a blank": " \n", "a word": "x", "a number": "5", "a list": "- x", "null": "~",
    "only a comment": "# x",
    "a billion laughs": f"a0: &a0 x\n{_LAUGHS}groups: *a9\n", "a loop": "groups: &x [*x]\n",
    "merged": "<<: {groups: {}}\n",
    "a deep list": "groups: " + "[" * 100_000, "a deep mapping": "groups: " + "{a: " * 100_000,
    "deep blocks": "- " * 50_000,
    "deep keys": "? " * 50_000, "deep by indent": "".join(f"{' ' * n}a:\n" for n in range(2000)),
    "deep flow that ends": "groups: " + "[" * 9000 + "]" * 9000,
    "many anchors": "".join(f"- &a{n} x\n" for n in range(100_000)),
    "no day": "catalog: {id: own, version: 2026-99-99}\ngroups: {}\n", "no day as a key": "2026-13-45: x\n",
    "no time": "catalog: {version: 2026-01-01 99:99:99}\n",
    "no zone": "catalog: {version: 2026-01-01 00:00:00 +99:99}\n",
    "a long number": "catalog: {version: " + "1" * 5000 + "}\n",
    "a long hex number": "catalog: {version: 0x" + "f" * 9000 + "}",
    "a sexagesimal number": "catalog: {version: " + "1:" * 3000 + "1}\n",
    "infinity": "catalog: {version: .inf}\ngroups: {}\n",
    "an int of text": "groups: !!int x\n", "a float of text": "groups: !!float x\n",
    "a bool of text": "groups: !!bool x\n",
    "a time of text": "groups: !!timestamp x\n", "an empty int": "groups: !!int ''\n",
    "no base64": "groups: !!binary '*'\n",
    "a null of text": "groups: !!null x\n", "a set": "groups: !!set {a, b}\n", "pairs": "groups: !!pairs [a: b]\n",
    "an omap": "groups: !!omap [a: b]\n", "no omap": "groups: !!omap x\n",
    "an object": "groups: !!python/object:os.system {}\n",
    "a call": "groups: !!python/object/apply:os.system ['touch /tmp/called']\n", "our own tag": "groups: !vault x\n",
    "a key twice": GOOD + "groups: {}\n", "a key of a list": "groups: {[a]: x}\n",
    "a key of a mapping": "? {a: b}\n: x\n",
    "a key of null": "~: x\n", "a key that is a megabyte": "x" * 1_000_000 + ": y\n", "another key": GOOD + "evil: 1\n",
    "an unknown escape": 'groups: "\\q"\n', "a surrogate": 'groups: {"\\ud800": {names: [a.example]}}\n',
    "a tab": "groups:\n\tx: y\n",
    "two documents": GOOD + "---\n" + GOOD, "a directive": "%YAML 9.9\n---\n" + GOOD, "an end": GOOD + "...\nx",
    "NUL": "groups: \0\n", "control": "groups: \x1b[2J\n", "turned": "groups: \u202e\n",
    "UTF-16": GOOD.encode("utf-16"),
    "Latin-1": "groups: \u00e9".encode("latin-1"), "UTF-7": b"+ACI-", "bytes": bytes(range(256)) * 100,
    "a BOM": "\ufeff" + GOOD,
    "9 MiB": "#" * 9 * 1024 * 1024, "8 MB of one text": "groups: " + "x" * 8_000_000,
    "8 MB of lists": "[" + "[]," * 2_600_000 + "]",
    "1,000,000 keys": "{" + ",".join(f"a{n}" for n in range(900_000)) + "}",
    "a Jinja text": "groups: '{{ lookup(\"pipe\", \"id\") }}'",
    "JSON": '{"groups": {"office": {"names": ["a.corp.example"]}}}', "JSON cut short": '{"groups": {"office": ',
    "JSON with Infinity": '{"groups": Infinity}', "JSON, deep": '{"groups":' * 20_000,
    "names of a text": "groups: {office: {names: x}}\n", "names of null": "groups: {office: {names: ~}}\n",
    "names of names": "groups: {office: {names: [[a.example]]}}\n",
    "a name with a line": 'groups: {o: {names: ["a.example\\nb"]}}\n',
    "a name of everything": 'groups: {o: {names: ["*"]}}\n',
    "a network of everything": "groups: {o: {names: [0.0.0.0/0]}}\n",
    "a name that is a number": "groups: {o: {names: [1.5, 0x1f, 1e3, yes, 2026-01-01]}}\n",
    "a group of a megabyte": "groups: {" + "x" * 900_000 + ": {}}",
    "50,000 names": "groups: {o: {names: [" + ", ".join(f"h{n}.corp.example" for n in range(50_000)) + "]}}\n",
    "many errors": "groups: {o: {names: [" + ", ".join(["'*'"] * 100_000) + "]}}\n",
}  # fmt: skip


def _written(folder: Path, name: str, text: str | bytes) -> str:
    path = folder / f"{name.replace(' ', '-').replace(',', '')}.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return str(path)


def _fifo(folder: Path) -> str:
    os.mkfifo(folder / "fifo.yml")
    return str(folder / "fifo.yml")


def _link(folder: Path) -> str:
    (folder / "loop.yml").symlink_to(folder / "loop.yml")
    return str(folder / "loop.yml")


def _socket(folder: Path) -> str:
    import socket  # noqa: PLC0415

    path = folder / "s.yml"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    return str(path)


PLACES: dict[str, Callable[[Path], str]] = {
    "a folder": lambda folder: str(folder) + "/.", "a FIFO": _fifo, "a loop of links": _link, "a socket": _socket,
    "zeros without end": lambda _folder: "/dev/zero", "a terminal": lambda _folder: "/dev/tty",
    "memory": lambda _folder: "/proc/self/mem",
    "nothing there": lambda folder: str(folder / "none.yml"),
    "a name too long": lambda folder: str(folder / ("x" * 5000)),
    "NUL in the name": lambda folder: f"{folder}/x\0.yml",
    "half a character in it": lambda folder: f"{folder}/\ud800.yml",
    "a terminal's commands in it": lambda folder: f"{folder}/\x1b[2J\u202e.yml",
    "a megabyte of name": lambda _folder: "/" + "x" * 100_000,
    "nobody's home": lambda _folder: "~nobody-there/x.yml", "a URL": lambda _folder: "https://catalog.example/x.yml",
    "a blank": lambda _folder: " ", "a dot": lambda _folder: "./",
}  # fmt: skip


def asked(places: Sequence[str]) -> list[tuple[str, str, float]]:
    """What became of each: found, refused, broken or killed; the words; the seconds."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], input="".join(json.dumps(place) + "\n" for place in places), capture_output=True,
        text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


@pytest.mark.parametrize("kind", ["texts", "places"])
def test_each_is_refused_in_words_within_bounds(kind, tmp_path: Path, tally) -> None:
    texts = {name: _written(tmp_path, name, text) for name, text in TEXTS.items()} if kind == "texts" else {}
    places = {name: place(tmp_path) for name, place in PLACES.items()} if kind == "places" else {}
    wanted = texts | places
    told = dict(zip(wanted, asked(list(wanted.values())), strict=True))
    found = []
    for name, (outcome, said, seconds) in told.items():
        tally("lookup")
        wrong = corpus.is_told_well(said.replace(wanted[name], "")) if outcome == "refused" else ""
        if outcome not in ("found", "refused") or wrong or seconds > 2 * SECONDS:
            found.append(f"{name}: {outcome} after {seconds:.1f} s: {wrong} {said[-200:]!r}")
    assert not found, "\n".join(found)
    assert kind == "places" or told["JSON"][0] == told["a BOM"][0] == told["50,000 names"][0] == "found"
    assert not Path("/tmp/called").exists()
