# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the pattern core takes with large lists, one row for each shape of list: the worst tells.

Each is compared with ten times what a tenth of it takes: one is linear, ten is quadratic.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial

from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet, minimal_cover, parse
from measuring import Bench, Row, number, rounds

TITLE = "Patterns of every shape"
MIXTURE = ["h{n}.s{m}.x.com", "*.s{m}.x.com", "*cdn{n}.x.com", "a.*.s{n}.x.com", "*.*.y{m}.net", "p{n}*.y{m}.net"]
SHAPES: dict[str, Callable[[int], str]] = {
    "literals under subtrees": lambda n: f"*.s{n}.x.com" if n % 10 == 0 else f"h{n}.s{n // 20 * 10}.x.com",
    "literals, one suffix": lambda n: f"h{n}.x.com",
    "subtrees *.n.x.com": lambda n: f"*.n{n}.x.com",
    "deep *.*.n.x.com": lambda n: f"*.*.n{n}.x.com",
    "glued pre1*suf.x.com": lambda n: f"pre{n}*suf.x.com",
    "glued, nested pre*": lambda n: f"{n:06b}*.x.com",
    "glued *1suf.x.com": lambda n: f"*{n}suf.x.com",
    "glued in the middle *1*": lambda n: f"*m{n}m*.x.com",
    "glued both ends a1*b1": lambda n: f"a{n % 300}*b{n // 300}.x.com",
    "inner a1.*.x.com": lambda n: f"a{n}.*.x.com",
    "inner a.*.n1.x.com": lambda n: f"a.*.n{n}.x.com",
    "two inner a1.*.*.x.com": lambda n: f"a{n}.*.*.x.com",
    "a mixture": lambda n: MIXTURE[n % len(MIXTURE)].format(n=n, m=n // 50),
}


def rows(bench: Bench) -> Iterator[Row]:
    count = 10_000 if bench.quick else 100_000
    for name, shape in SHAPES.items():
        bench.say(name)
        works = {str(size): partial(_seconds, name, _texts(shape, size)) for size in (count // 10, count)}
        found = rounds(bench.few(2), works)
        whole, tenth = found[str(count)], found[str(count // 10)]
        note = f"{number(whole.median / count * 1e6)} µs each: read, cover, index, match"
        yield Row(f"{count:,} of {name}", whole, f"ten times {count // 10:,}", tenth.scaled(10), note)


def _texts(shape: Callable[[int], str], count: int) -> list[str]:
    texts = [shape(each) for each in range(count)]
    random.Random(1).shuffle(texts)
    return texts


def _seconds(name: str, texts: list[str]) -> float:
    """Seconds of one processor for all that is done with a list."""
    before = time.process_time()
    patterns = [parse(text) for text in texts]
    minimal_cover(patterns)
    index = PatternSet(patterns)
    hosts = [text.replace("*", "w") for text in texts]
    found = sum(index.match(host) is not None for host in hosts)
    if found != len(hosts):
        raise SystemExit(f"{name}: {len(hosts) - found} names of listed patterns were not matched")
    return time.process_time() - before
