# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a PAC file takes to decide, against the usual style: one shExpMatch after the other.

The list is the document's catalog with that of the Microsoft 365 service. The note counts the names that the usual
style decides otherwise than the entries say. Node is what browsers come close to; the others do not compile.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._labels import name_labels
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_snapshot
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_script import Settings, pac_script
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Served
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_catalog import Narrowed, build
from ansible_collections.egress.allowlist.tests.unit.pac_engines import Engine, Node, Timed, ours, pypac
from ansible_collections.egress.allowlist.tests.unit.pac_questions import Question, disguises, holds
from measuring import Bench, Figure, Row

TITLE = "PAC files"
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


def rows(bench: Bench) -> Iterator[Row]:
    count = 1_000 if bench.quick else 10_000
    entries = merged()
    asked = questions_about(entries, count)
    right = [ALLOWED if holds(entries, question) else OTHERS for question in asked]
    pairs = [question.pair for question in asked]
    files = {"tables": pac_script(entries, Settings("mmd", ALLOWED, OTHERS, OTHERS)), "chain": usual(entries)}
    sizes = {style: Figure((len(text.encode()) / 1024,), "KiB") for style, text in files.items()}
    yield Row(f"size of a PAC file, {len(entries)} names", sizes["tables"], "a chain of shExpMatch", sizes["chain"])
    with Node() as node:
        engines: dict[str, Engine] = {"Node": node, "PyPAC": pypac, "ours": ours}
        for engine, run in engines.items():
            yield from _engine(bench, engine, run, files, pairs, right)


def _engine(
    bench: Bench, name: str, run: Engine, files: Mapping[str, str], pairs: Sequence[tuple[str, str]], right: list[str]
) -> Iterator[Row]:
    bench.say(name)
    told: dict[str, list[Timed]] = {style: [] for style in files}
    for _run in range(bench.few(2)):
        for style, text in files.items():
            told[style].append(timed(run, text, pairs))
    asked = len(pairs)
    each = {style: _figure([one.seconds / asked * 1e6 for one in several], "µs") for style, several in told.items()}
    first = {style: _figure([one.first * 1e3 for one in several], "ms") for style, several in told.items()}
    yield Row(f"{name}: one question", each["tables"], "a chain of shExpMatch", each["chain"], _wrong(right, told))
    yield Row(f"{name}: first answer", first["tables"], "a chain of shExpMatch", first["chain"])


def _figure(values: list[float], unit: str) -> Figure:
    return Figure(tuple(values), unit)


def _wrong(right: Sequence[str], told: Mapping[str, Sequence[Timed]]) -> str:
    words = []
    for style, several in told.items():
        answers = several[-1].answers
        wrong = [got for wanted, got in zip(right, answers, strict=False) if wanted != got]
        allowed = sum(got == ALLOWED for got in wrong)
        words.append(f"{style}: of {len(answers)}, {allowed} wrongly allowed, {len(wrong) - allowed} wrongly not")
    return "; ".join(words)
