# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed at any system call, the next run ends right, and nothing that was to stay is blocked meanwhile."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest
from appliances import ALL, InLab, Options, Target, part_of
from killing import Point, killed, points
from watching import KEPT, Watch, watching

CHANGES = ("first", "replace", "delete", "rearrange")


def change_of(target: Target, change: str) -> tuple[Options, Options, Sequence[str]]:
    """The run before, the run that is killed, and what both lists let through."""
    old, new = {"entries": list(target.old)}, {"entries": list(target.new)}
    changes: dict[str, tuple[Options, Options, Sequence[str]]] = {
        "first": ({"state": "deleted"}, old, ()),
        "replace": (old, new, KEPT),
        "delete": (old, {"state": "deleted"}, ()),
        "rearrange": (old, {**old, **target.rearranged}, KEPT),
    }
    return changes[change]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("target", ALL, indirect=True)
def test_killed_anywhere(target: Target, change: str, scale: float, tally: Any) -> None:
    before, wanted, kept = change_of(target, change)
    target.settle(before)
    start = target.state()
    done, found = points(target, wanted)
    assert done.answer()["changed"]
    end = target.state()
    assert len(found) >= 8, found
    trouble: list[str] = []
    times: list[tuple[float, Point]] = []
    survived = 0
    watched: Any = watching(target, *kept) if isinstance(target, InLab) and kept else nullcontext(Watch())
    with watched as watch:
        for point in part_of(found, scale):
            times.append((time.monotonic(), point))
            target.settle(before)
            if target.state() != start:
                trouble.append(f"{point}: not back at the start")
            was_killed = killed(target, wanted, point).killed
            survived += not was_killed
            target.recover()
            trouble += healed(target, wanted, end, point)
            tally(target.kind)
    for one in watch.wrong:
        point = [point for begun, point in times if begun <= one["begun"]][-1]
        trouble.append(f"{point}: {one['name']} met {one['met']} for {one['ended'] - one['begun']:.2f} s")
    assert not trouble, "\n".join(trouble)
    assert survived <= len(found) // 10, f"{survived} runs of {len(found)} were not killed: counts move too much"
    if isinstance(target, InLab) and kept:
        assert watch.fine > 100


def healed(target: Target, wanted: Options, end: Any, point: Point) -> list[str]:
    try:
        target.run(wanted)
        assert target.state() == end
        target.holds(wanted.get("entries", ()))
    except AssertionError as error:
        return [f"{point}: {str(error)[:2000]}"]
    return []
