# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the pattern core takes with large lists, one row for each shape of list.

    python tests/benchmarks/bench_patterns.py [count]

The numbers that matter are µs per item: they stay about the same when the count grows tenfold.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ansible_collections.egress.allowlist.plugins.module_utils._entry import minimise, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet, minimal_cover, parse

T = TypeVar("T")

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


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{count} patterns of each shape; seconds of one core")
    print(f"{'shape':<26}{'parse':>8}{'cover':>8}{'kept':>9}{'index':>8}{'match':>8}{'µs/item':>9}")
    for name, shape in SHAPES.items():
        texts = [shape(number) for number in range(count)]
        random.Random(1).shuffle(texts)
        bench_shape(name, texts)
    bench_entries(count)


def bench_shape(name: str, texts: list[str]) -> None:
    parsed, patterns = timed(lambda: [parse(text) for text in texts])
    covered, cover = timed(lambda: minimal_cover(patterns))
    indexed, index = timed(lambda: PatternSet(patterns))
    names = [text.replace("*", "w") for text in texts]
    matched, found = timed(lambda: sum(index.match(name) is not None for name in names))
    if found != len(names):
        raise SystemExit(f"{name}: {len(names) - found} names of listed patterns were not matched")
    per_item = (parsed + covered + indexed + matched) / len(texts) * 1e6
    print(f"{name:<26}{parsed:8.2f}{covered:8.2f}{len(cover):9}{indexed:8.2f}{matched:8.2f}{per_item:9.1f}")


def bench_entries(count: int) -> None:
    texts = [SHAPES["a mixture"](number) for number in range(count)]
    networks = [f"10.{n >> 8 & 255}.{n & 255}.0/24" for n in range(min(count, 65536))]
    items = [{"value": text, "groups": ["a"], "ports": ["tcp/443"]} for text in texts]
    lists: dict[str, list[object]] = {"texts": [*texts], "mappings": [*items], "networks": [*networks]}
    for name, given in lists.items():
        read, entries = timed(partial(normalise, given))
        reduced, kept = timed(partial(minimise, entries))
        print(
            f"{len(given)} {name}: normalise {read:.2f} s ({read / len(given) * 1e6:.0f} µs each), "
            f"minimise {reduced:.2f} s, {len(kept)} kept"
        )


def timed(work: Callable[[], T]) -> tuple[float, T]:
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


if __name__ == "__main__":
    main()
