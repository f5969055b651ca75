# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two control nodes apply different lists to one appliance: one wins whole or fails clearly, never a mixture."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest
from appliances import ALL, Done, Emulated, InLab, Options, Target
from watching import KEPT, watching

LATENCY = 0.03  # of each answer, so that requests of both come between each other
ROUNDS = 20


def both(target: Target, first: Options, second: Options, later: float) -> list[Done]:
    """Both runs, the second begun *later* (seconds) than the first."""
    done: list[Done | None] = [None, None]

    def run(index: int, options: Options, wait: float) -> None:
        time.sleep(wait)
        done[index] = target.attempt(options)

    threads = [threading.Thread(target=run, args=args) for args in ((0, first, 0.0), (1, second, later))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [one for one in done if one is not None]


@pytest.mark.parametrize("target", ALL, indirect=True)
def test_two_at_once(target: Target, scale: float, tally: Any, seed: int) -> None:
    chance = random.Random(seed)
    first, second = {"entries": list(target.old)}, {"entries": list(target.new)}
    ends = []
    for one in (first, second):
        target.settle(one)
        ends.append(target.state())
    if isinstance(target, Emulated):
        target.host.emulator.latency = LATENCY
    start = time.monotonic()
    target.settle(first)
    takes = time.monotonic() - start
    wrong: list[str] = []
    for _unused in range(max(2, round(ROUNDS * scale))):
        target.settle(first)
        later = chance.uniform(-takes, takes) * chance.random()  # mostly close together
        runs = (first, second) if later >= 0 else (second, first)
        if isinstance(target, InLab):
            with watching(target, *KEPT) as watch:
                done = both(target, *runs, abs(later))
            wrong += [f"{later:.2f} s: {one}" for one in watch.wrong]
        else:
            done = both(target, *runs, abs(later))
        wrong += [f"{later:.2f} s: {one}" for one in judged(target, done, ends)]
        tally(target.kind)
    assert not wrong, "\n".join(wrong)


def judged(target: Target, done: list[Done], ends: list[Any]) -> list[str]:
    told = [one.answer() for one in done]
    failures = [str(one["msg"]) for one in told if one.get("failed")]
    wrong = []
    if len(failures) == 2:
        wrong.append(f"both failed: {failures}")
    if target.state() not in ends:
        wrong.append(f"a mixture; told: {failures}")
        for entries in (target.old, target.new):  # and can it be mended?
            target.recover()
            target.run({"entries": list(entries)})
            if target.state() not in ends:
                wrong.append("and the next run does not heal it")
    return wrong + [f"no clear words: {one}" for one in failures if not 20 < len(one) < 1500]
