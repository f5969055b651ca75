# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe of 700 endpoints in https: healthy, one in twenty silent, through the proxy, and inspected there.

Against: the same names by `xargs -P64 curl` on the same desktop, and one connection to each with no work at all. A
silent one takes one timeout at least; all of them can be waited for at once.
"""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plays
from measuring import Bench, Figure, Row, rounds, wall

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import inlab

TITLE = "A probe of many endpoints"
HOST = "desktop1"
TIMEOUT = 3
ONE_IN = 20
PROXY = f"http://{inlab.PROXY[0]}:{inlab.PROXY[1]}"
ROOTS = {"public_ca_path": "/etc/egress-lab/public-root.pem", "inspection_ca_path": "/etc/egress-lab/company-ca.pem"}


@dataclass(frozen=True)
class Case:
    """*trusted*: what curl is to trust; *intents*: what our list asks of the proxy."""

    title: str
    silent: bool = False
    proxy: str = ""
    intents: tuple[str, ...] = ()
    trusted: str = ROOTS["public_ca_path"]
    outcome: str = "reachable"

    def names(self, count: int) -> list[str]:
        first = ["fault-silent" if self.silent and number % ONE_IN == 0 else "host" for number in range(count)]
        return [f"{word}.n{number}.probed.example" for number, word in enumerate(first)]


CASES = (
    Case("healthy"),
    Case("5 % silent", silent=True),
    Case("through the proxy", proxy=PROXY),
    Case("inspected", proxy=PROXY, intents=("allow", "bypass_authentication"), outcome="tls_inspected",
         trusted=ROOTS["inspection_ca_path"]),
)  # fmt: skip


def rows(bench: Bench) -> Iterator[Row]:
    count = 200 if bench.quick else 700
    for case in CASES:
        with _allowed(bench, case):
            yield from _rows(bench, case, case.names(count))


@contextmanager
def _allowed(bench: Bench, case: Case) -> Iterator[None]:
    """The proxy has the names on our list, with these intents, until the block ends."""
    if not case.proxy:
        yield
        return
    site = plays.Site(bench.folder, str(inlab.LAB / "inventory.yml"))

    def squid(**options: Any) -> None:
        site.play("squid", plays.of_host("proxy1", plays.task("Squid", "egress.allowlist.squid", options)))

    more = {"intents": list(case.intents)} if case.intents else {}
    squid(entries=["*.probed.example"], clients=list(inlab.Squid.clients), max_shrink=100, **more)
    try:
        yield
    finally:
        squid(state="deleted")


def _rows(bench: Bench, case: Case, names: list[str]) -> Iterator[Row]:
    title = f"{len(names)} endpoints, {case.title}"
    bench.say(title)
    if case.outcome != "reachable":
        _curl(case, names)  # the proxy makes a certificate for each name once
    told: list[dict[str, Any]] = []
    works = {"ours": lambda: _ours(bench, case, names, told), "curl": lambda: _curl(case, names)}
    if not case.proxy:
        asks = [(name, 443) for name in names]
        works["floor"] = lambda: wall(lambda: inlab.reach(HOST, asks, seconds=TIMEOUT))
    found = rounds(bench.runs, works)
    counts = Counter(one["outcome"] for one in told[-1]["answers"])
    if counts[case.outcome] < len(names) * 0.9:
        raise SystemExit(f"{title}: {counts}")
    note = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))
    yield Row(title, found["ours"], "xargs -P64 curl", found["curl"], note)
    if "floor" in found:
        yield Row(title, found["ours"], "one connection to each, 150 at once", found["floor"], note)
    if case.silent:
        timeout = Figure((float(TIMEOUT),))
        yield Row(title, found["ours"], "one timeout", timeout, "the silent ones are waited for together")
    whole = Figure(tuple(one["whole"] for one in told))
    yield Row(f"{title}: with Ansible", whole, "the module alone", found["ours"])


def _ours(bench: Bench, case: Case, names: list[str], told: list[dict[str, Any]]) -> float:
    """Seconds of the module on the desktop, as it tells them itself."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
        options: dict[str, Any] = {"targets": [f"https://{name}" for name in names], "timeout": TIMEOUT,
                                   "results_dir": folder, **ROOTS}  # fmt: skip
        if case.proxy:
            options["proxy"] = case.proxy
        site = plays.Site(Path(folder), str(inlab.LAB / "inventory.yml"))
        ran = site.play("probe", plays.of_host(HOST, plays.task("Probe", "egress.allowlist.probe", options)))
        answer = json.loads((Path(folder) / f"{HOST}.json").read_text(encoding="utf-8"))
    told.append({**answer, "whole": ran.seconds})
    seconds: float = answer["seconds"]
    return seconds


def _curl(case: Case, names: list[str]) -> float:
    words = ["curl", "--disable", "-s", "-o", "/dev/null", "-m", str(TIMEOUT), "--cacert", case.trusted]
    words += ["--proxy", case.proxy] if case.proxy else []
    command = " ".join(shlex.quote(word) for word in words)
    script = f"xargs -P64 -I@ {command} https://@/; true"
    return wall(lambda: inlab.on(HOST, "sh", "-c", script, stdin="\n".join(names) + "\n"))
