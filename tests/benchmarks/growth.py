# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How time and memory grow from 100 entries to 100,000: reading, cover, translation, plan, Squid and nftables.

Each row tells what one length takes, against ten times what a tenth of it took: one is linear, ten is quadratic.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import plays
from appliances import script
from measuring import Bench, Figure, Row, number

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import inlab

TITLE = "Growth from 100 entries to 100,000"
SIZES = (100, 1_000, 10_000, 100_000)
# Less than this is mostly the work of starting, and tells nothing about ten times as much.
SHORTEST = 0.01
PURE = (
    "lookup", "read", "cover", "plan", "PAC file", "translation for Squid", "translation for nftables",
    "translation for PAN-OS", "translation for FortiOS", "translation for ZIA",
)
# What an appliance takes at most, or what can be waited for, where that is less than the longest list.
MOST = {"translation for ZIA": 10_000, "names": 1_000}
MOST_WITH_PATIENCE = {**MOST, "names": 10_000}
HOSTS = {"squid": ("Squid", "proxy1"), "networks": ("nftables, networks", "firewall1"),
         "names": ("nftables and dnsmasq, names", "firewall1")}  # fmt: skip
# Beside ours: what the program itself takes for the same.
FLOORS = {"squid": "squid -k parse", "networks": "nft -f of the same table"}


def rows(bench: Bench) -> Iterator[Row]:
    for step in PURE:
        yield from _grown(bench, step, step, script("growth_steps.py"))
    for step, (title, host) in HOSTS.items():
        words = " ".join(shlex.quote(word) for word in [sys.executable, script("growth_steps.py")[1]])
        yield from _grown(bench, step, title, inlab.ssh(host, words))


def _sizes(bench: Bench, step: str) -> list[int]:
    quick = 1_000 if step in HOSTS else 10_000
    most = (MOST_WITH_PATIENCE if bench.whole else MOST).get(step, SIZES[-1])
    most = min(most, quick if bench.quick else most)
    return [size for size in SIZES if size <= most]


def _grown(bench: Bench, step: str, title: str, words: Sequence[str]) -> Iterator[Row]:
    """A row for each size and part; the floor of a program beside the longest list."""
    smaller: dict[str, Figure] = {}
    for size in _sizes(bench, step):
        bench.say(f"{title}: {size:,} entries")
        parts, megabytes = _measured(bench, step, size, words)
        for part, figure in parts.items():
            before = smaller.get(part)
            useful = before is not None and before.median >= SHORTEST
            what = f"{title}, {size:,} entries" + (f": {part}" if part else "")
            against = f"ten times {size // 10:,} entries" if useful else ""
            note = f"peak of memory +{number(megabytes)} MB" if part in ("", "first") else ""
            yield Row(what, figure, against, before.scaled(10) if before and useful else None, note)
        smaller = parts
    floor = FLOORS.get(step)
    if floor:
        for part in ("first", "one change"):
            yield Row(f"{title}, {size:,} entries: {part}", parts[part], floor, parts[floor])


def _measured(bench: Bench, step: str, size: int, words: Sequence[str]) -> tuple[dict[str, Figure], float]:
    values: dict[str, list[float]] = defaultdict(list)
    peaks = []
    for _run in range(bench.few(1) if size >= SIZES[-2] and step in HOSTS else bench.runs):
        ending = [shlex.quote(step), str(size)] if step in HOSTS else [step, str(size)]
        command = [*words[:-1], f"{words[-1]} {' '.join(ending)}"] if step in HOSTS else [*words, *ending]
        out = plays.measured(command, plays.environment(), bench.folder).out
        told = json.loads(out.splitlines()[-1])
        peaks.append(told["megabytes"])
        for part, seconds in told["parts"].items():
            values[part].append(seconds)
    return {part: Figure(tuple(found)) for part, found in values.items()}, max(peaks)
