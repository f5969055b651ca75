# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list on the lab's Squid and on its firewall, against the usual play: copy a file, check it, load it."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plays
from appliances import catalog, listed
from measuring import Bench, Figure, Row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import inlab

STEPS = ("first", "no change", "one change")
USUAL = "copy, check and load a file"


@dataclass(frozen=True)
class Program:
    """*options*: of our module; *usual*: the tasks of a play that copies a file of names or networks."""

    host: str
    module: str
    options: dict[str, Any]
    usual: tuple[dict[str, Any], ...]


def _command(words: str) -> dict[str, Any]:
    return plays.task(words, "ansible.builtin.command", {"cmd": words}, when="put is changed")


def _copy(path: str) -> dict[str, Any]:
    options = {"dest": path, "content": "{{ text }}", "mode": "0644"}
    return plays.task("Copy", "ansible.builtin.copy", options, register="put")


# The usual files take effect nowhere: what is measured is the way there.
PROGRAMS = {
    "Squid": Program(
        "proxy1", "squid", {"clients": list(inlab.Squid.clients)},
        (_copy("/etc/squid/usual.txt"), _command("squid -k parse"), _command("squid -k reconfigure")),
    ),
    "nftables": Program(
        "firewall1", "nftables", {"clients": list(inlab.Firewall.clients), "widen": "any"},
        (_copy("/etc/usual.nft"), _command("nft -c -f /etc/usual.nft"), _command("nft -f /etc/usual.nft")),
    ),
}  # fmt: skip


def on_hosts(bench: Bench) -> Iterator[Row]:
    whole = len(catalog())
    for name, program in PROGRAMS.items():
        for count in (whole,) if bench.quick else (whole, 700):
            yield from _rows(bench, name, program, listed(count))


def _rows(bench: Bench, name: str, program: Program, entries: list[Any]) -> Iterator[Row]:
    title = f"{name}, {len(entries)} entries"
    site = plays.Site(bench.folder, str(inlab.LAB / "inventory.yml"))
    values: dict[str, list[float]] = defaultdict(list)
    lists = (entries, entries, [*entries[:-1], "changed.example.net"])
    try:
        for run in range(bench.runs):
            bench.say(f"{title}: run {run + 1} of {bench.runs}")
            _ours(site, program, {"state": "deleted"}, [])
            site.play("away", plays.of_host(program.host, _away(program)))
            for step, wanted in zip(STEPS, lists, strict=True):
                seconds, changed = _ours(site, program, {"max_shrink": 100, **program.options}, wanted)
                if changed != (step != "no change"):
                    raise SystemError(f"{title}: {step}: changed={changed}")
                values[step].append(seconds)
                values[f"usual {step}"].append(_usual(site, program, wanted))
            trivial = plays.task("Nothing", "ansible.builtin.ping", {})
            values["trivial"].append(site.play("trivial", plays.of_host(program.host, trivial)).seconds)
    finally:
        _ours(site, program, {"state": "deleted"}, [])
        site.play("away", plays.of_host(program.host, _away(program)))
    for step in STEPS:
        figure = Figure(tuple(values[step]))
        yield Row(f"{title}: {step}", figure, "a play with one trivial module", Figure(tuple(values["trivial"])))
        yield Row(f"{title}: {step}", figure, USUAL, Figure(tuple(values[f"usual {step}"])))


def _away(program: Program) -> dict[str, Any]:
    path = program.usual[0]["ansible.builtin.copy"]["dest"]
    return plays.task("Away", "ansible.builtin.file", {"path": path, "state": "absent"})


def _ours(site: plays.Site, program: Program, options: dict[str, Any], entries: Sequence[Any]) -> tuple[float, bool]:
    more = {"entries": "{{ listed }}"} if entries else {}
    given = plays.variables(site.folder, "list", {"listed": list(entries)})
    task = plays.task("Ours", f"egress.allowlist.{program.module}", {**options, **more})
    ran = site.play("ours", plays.of_host(program.host, task), "-e", given)
    return ran.seconds, bool(ran.changed)


def _usual(site: plays.Site, program: Program, entries: Sequence[Any]) -> float:
    names = [one if isinstance(one, str) else one["value"] for one in entries]
    text = "".join(f"{name.replace('*', '')}\n" for name in names)
    if program.module == "nftables":
        text = _ruleset(len(names), json.dumps(names[-1]))
    given = plays.variables(site.folder, "text", {"text": text})
    return site.play("usual", plays.of_host(program.host, *program.usual), "-e", given).seconds


def _ruleset(count: int, mark: str) -> str:
    """A table of its own with as many addresses as there are names, which nothing uses."""
    addresses = ", ".join(f"198.51.{number >> 8}.{number & 255}" for number in range(count))
    head = f"# {mark}\nadd table inet usual\ndelete table inet usual\n"
    return f"{head}table inet usual {{\n set names {{\n type ipv4_addr\n elements = {{ {addresses} }}\n }}\n}}\n"
