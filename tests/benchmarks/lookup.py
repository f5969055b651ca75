# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup in a play over 200 hosts: how often it is evaluated, and what each time costs.

Evaluations are counted in a run of their own, which is not timed, by Python's monitoring (3.12 and newer).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import plays
from appliances import Certificate
from measuring import Bench, Figure, Row, rounds
from play import host_of, site_of

TITLE = "The lookup in a play over many hosts"
QUERY = "query('egress.allowlist.endpoints', tenant='contoso')"
COUNTER = """\
import os, sys
tool, events = 4, sys.monitoring.events
def started(code, _offset):
    if code.co_name == "answer" and code.co_filename.endswith("plugins/lookup/endpoints.py"):
        file = os.open(os.environ["COUNTED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, b".")
        os.close(file)
        return None
    return sys.monitoring.DISABLE
sys.monitoring.use_tool_id(tool, "counter")
sys.monitoring.register_callback(tool, events.PY_START, started)
sys.monitoring.set_events(tool, events.PY_START)
"""
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def _said(text: str, **more: Any) -> dict[str, Any]:
    return plays.task("Say", "ansible.builtin.debug", {"msg": text}, **more)


def _fact(**more: Any) -> dict[str, Any]:
    return plays.task("Resolve", "ansible.builtin.set_fact", {"found": f"{{{{ {QUERY} }}}}"}, **more)


# By what is written: the tasks, and the variables of the play.
WAYS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "no lookup": ([_said("346")], {}),
    "in a task": ([_said(f"{{{{ {QUERY} | length }}}}")], {}),
    "in a variable of the play, used twice": (
        [_said("{{ listed | length }}"), _said("{{ listed | length }}")], {"listed": f"{{{{ {QUERY} }}}}"}
    ),
    "as a fact, run once": ([_fact(run_once=True), _said("{{ found | length }}")], {}),
}  # fmt: skip


def rows(bench: Bench) -> Iterator[Row]:
    hosts = [f"host{number:03}" for number in range(20 if bench.quick else 200)]
    with tempfile.TemporaryDirectory(dir=bench.folder) as temporary:
        site = plays.Site(Path(temporary), plays.local_inventory(Path(temporary), **dict.fromkeys(hosts, LOCAL)))
        bench.say("timed")
        found = rounds(bench.runs, {name: partial(_seconds, site, name) for name in WAYS})
        floor = found["no lookup"]
        for name in WAYS:
            if name == "no lookup":
                continue
            bench.say(f"{name}: counted")
            count = _counted(site, name)
            note = f"evaluated {count} times" if count is not None else "not counted: Python is older than 3.12"
            yield Row(f"{len(hosts)} hosts, {name}", found[name], "the same play without it", floor, note)
            if count and count >= len(hosts):
                each = tuple((one - floor.median) / count * 1000 for one in found[name].values)
                yield Row(f"{len(hosts)} hosts, {name}: each evaluation", Figure(each, "ms"))
        yield from _of_the_playbook(bench)


def _run(site: plays.Site, name: str, more: dict[str, str] | None = None) -> plays.Ran:
    tasks, values = WAYS[name]
    return site.play("lookup", plays.of_host("all:!here", *tasks, vars=values), more=more)


def _seconds(site: plays.Site, name: str) -> float:
    return _run(site, name).seconds


def _counted(site: plays.Site, name: str) -> int | None:
    return counted(site.folder, lambda more: _run(site, name, more))


def counted(folder: Path, work: Any) -> int | None:
    """How often the lookup was evaluated; None where it cannot be counted."""
    if sys.version_info < (3, 12):
        return None
    (folder / "sitecustomize.py").write_text(COUNTER, encoding="utf-8")
    marks = folder / "counted"
    marks.write_bytes(b"")
    work({"PYTHONPATH": str(folder), "COUNTED": str(marks)})
    return len(marks.read_bytes())


def _of_the_playbook(bench: Bench) -> Iterator[Row]:
    """The apply playbook over several appliances: it resolves the entries itself."""
    counts: list[float] = []
    appliances: Sequence[int] = (2, 6)
    for count in appliances:
        bench.say(f"the playbook over {count} appliances: counted")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=bench.folder)))
            certificate = Certificate(folder)
            hosts = {f"appliance{number}": host_of(stack, number, certificate, folder) for number in range(count)}
            site = site_of(folder, "egress_appliances", hosts, egress_tenant="contoso", egress_entries=None)
            words = ("egress.allowlist.apply_mmd_allowlist", "-e", "egress_verify=false")
            told = counted(folder, lambda more, site=site, words=words: site.run("ansible-playbook", *words, more=more))
            if told is None:
                return
            counts.append(told)
    few, many = (Figure((one,), "evaluations") for one in counts)
    what = f"apply_mmd_allowlist over {appliances[1]} appliances"
    yield Row(what, many, f"over {appliances[0]} appliances", few)
