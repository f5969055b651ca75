# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a PAC file takes to decide, against the usual style: one shExpMatch after the other.

    python tests/benchmarks/bench_pac.py [NAMES]

The list is the document's catalog with that of the Microsoft 365 service. Prints for each engine the milliseconds of
NAMES questions, of the first answer (reading the file included), the size of both files, and how many of the names the
usual style decides otherwise than the entries say. Node is what browsers come close to; the others do not compile.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._labels import name_labels
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_snapshot
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_script import Settings, pac_script
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Served
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_catalog import Narrowed, build

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ansible_collections.egress.allowlist.tests.unit.pac_engines import Engine, Node, Timed, ours, pypac
from ansible_collections.egress.allowlist.tests.unit.pac_questions import Question, disguises, holds

ALLOWED, OTHERS = "DIRECT", "PROXY proxy.example.com:8080"
SLOW = 500  # questions for the engines that do not compile; what they take is counted up
# As Mozilla's function of that name works: the pattern becomes a regular expression, anew at each call.
SH_EXP_MATCH = """function shExpMatch(text, pattern) {
  pattern = pattern.replace(/[.]/g, "\\\\.").replace(/[*]/g, ".*").replace(/[?]/g, ".");
  return new RegExp("^" + pattern + "$").test(text);
}
"""


def merged() -> list[Entry]:
    """All that a file can hold of the document and of the service's list as it comes with the collection."""
    service = build(Served(_ws_snapshot.load("worldwide")), Narrowed(), grace=0, today=dt.date(2026, 1, 1))
    entries = select([load("mmd"), service], Request(tenant="contoso")).entries
    return [entry for entry in entries if entry.type == "host"]


def usual(entries: Sequence[Entry]) -> str:
    """The usual style: no ports, and a star that is any text."""
    tests = "\n        || ".join(f'shExpMatch(host, "{entry.value}")' for entry in entries)
    decides = f"if ({tests})\n    {{ return {_quoted(ALLOWED)}; }}\n    return {_quoted(OTHERS)};"
    return f"{SH_EXP_MATCH}function FindProxyForURL(url, host) {{\n    {decides}\n}}\n"


def _quoted(text: str) -> str:
    return json.dumps(text)


def questions_about(entries: Sequence[Entry], count: int) -> list[Question]:
    """Half of them names of the list, a quarter strangers, a quarter look-alikes, all in lower case."""
    chance = random.Random(1)
    names = [entry.value.replace("*", "w") for entry in entries]
    strangers = [f"www{number}.shop{number % 97}.example" for number in range(count)]
    alike = [host for name in names for host in disguises(name) if name_labels(host) and host == host.lower()]
    kinds = (names, names, strangers, alike)
    return [Question(chance.choice(kinds[number % 4])) for number in range(count)]


def timed(engine: Engine, text: str, pairs: Sequence[tuple[str, str]]) -> Timed:
    if isinstance(engine, Node):
        return engine.timed(text, pairs)
    before = time.perf_counter()
    engine(text, pairs[:1])
    first = time.perf_counter() - before
    some = pairs[:SLOW]
    before = time.perf_counter()
    answers = engine(text, some)
    seconds = max(0.0, time.perf_counter() - before - first)
    return Timed(answers, seconds * len(pairs) / len(some), first)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    entries = merged()
    asked = questions_about(entries, count)
    right = [ALLOWED if holds(entries, question) else OTHERS for question in asked]
    files = {"tables": pac_script(entries, Settings("mmd", ALLOWED, OTHERS, OTHERS)), "chain": usual(entries)}
    print(f"{count} questions, {len(entries)} names; milliseconds")
    for style, text in files.items():
        print(f"{style}: {len(text.encode()):,} bytes, {text.count(chr(10)):,} lines")
    print(f"{'engine':<14}{'style':<9}{'all':>10}{'each, µs':>11}{'first':>9}{'wrong':>8}  so")
    with Node() as node:
        engines: dict[str, Engine] = {"Node": node, "PyPAC": pypac, "ours": ours}
        for engine, run in engines.items():
            for style, text in files.items():
                row(engine, style, asked, right, timed(run, text, [question.pair for question in asked]))


def row(engine: str, style: str, asked: Sequence[Question], right: Sequence[str], told: Timed) -> None:
    kinds: Counter[str] = Counter()
    for wanted, got in zip(right, told.answers, strict=False):
        if wanted != got:
            kinds["allowed and should not be" if got == ALLOWED else "not allowed and should be"] += 1
    each = told.seconds / len(asked) * 1e6
    wrong = f"{sum(kinds.values()):>5}/{len(told.answers)}"
    words = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    print(f"{engine:<14}{style:<9}{told.seconds * 1e3:10.1f}{each:11.1f}{told.first * 1e3:9.1f}{wrong:>14}  {words}")


if __name__ == "__main__":
    main()
