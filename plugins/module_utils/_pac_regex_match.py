# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Matchers: each part of a regular expression as a function that is given the one that comes after it."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex_syntax import (
    NEWLINES,
    WORD_CHARS,
    Expression,
    Piece,
)

Span = Tuple[int, int]
NO = -1


class Steps:
    """How many steps are left; *spend* raises what the owner wants when there are none."""

    def __init__(self, left: int, failure: Callable[[], Exception]) -> None:
        self.left = left
        self._failure = failure

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise self._failure()


class State:
    """One attempt: the text, what the groups caught, where the loops are."""

    __slots__ = ("caught", "loops", "steps", "text")

    def __init__(self, text: str, steps: Steps, groups: int, loops: int) -> None:
        self.text = text
        self.steps = steps
        self.caught: List[Optional[Span]] = [None] * (groups + 1)
        self.loops: List[Span] = [(0, NO)] * loops


# Where the rest of the expression ends when this one begins at an index, or -1. On failure the state is as before.
Matcher = Callable[[State, int], int]


def finish(_state: State, index: int) -> int:
    return index


class Builder:
    """Makes matchers; each is given the one that comes after it."""

    def __init__(self, expression: Expression) -> None:
        self.loops = 0
        self._lines = "m" in expression.flags

    def build(self, piece: Piece, after: Matcher) -> Matcher:
        made: Matcher = getattr(self, f"_{piece.kind}")(after, *piece.parts)
        return made

    def _row(self, after: Matcher, *pieces: Piece) -> Matcher:
        for piece in reversed(_joined(pieces)):
            after = self.build(piece, after)
        return after

    def _text(self, after: Matcher, text: str) -> Matcher:
        size = len(text)

        def match(state: State, index: int) -> int:
            return after(state, index + size) if state.text.startswith(text, index) else NO

        return match

    def _one(self, after: Matcher, test: Callable[[str], bool]) -> Matcher:
        def match(state: State, index: int) -> int:
            state.steps.left -= 1
            if index < len(state.text) and test(state.text[index]):
                return after(state, index + 1)
            return NO

        return match

    def _start(self, after: Matcher) -> Matcher:
        lines = self._lines

        def match(state: State, index: int) -> int:
            if index == 0 or (lines and state.text[index - 1] in NEWLINES):
                return after(state, index)
            return NO

        return match

    def _end(self, after: Matcher) -> Matcher:
        lines = self._lines

        def match(state: State, index: int) -> int:
            if index == len(state.text) or (lines and state.text[index] in NEWLINES):
                return after(state, index)
            return NO

        return match

    def _edge(self, after: Matcher, wanted: bool) -> Matcher:
        def match(state: State, index: int) -> int:
            before = index > 0 and state.text[index - 1] in WORD_CHARS
            behind = index < len(state.text) and state.text[index] in WORD_CHARS
            return after(state, index) if (before != behind) is wanted else NO

        return match

    def _back(self, after: Matcher, number: int) -> Matcher:
        def match(state: State, index: int) -> int:
            span = state.caught[number]
            text = state.text[span[0] : span[1]] if span else ""
            state.steps.spend(1 + len(text))
            return after(state, index + len(text)) if state.text.startswith(text, index) else NO

        return match

    def _either(self, after: Matcher, *pieces: Piece) -> Matcher:
        ways = [self.build(piece, after) for piece in pieces]

        def match(state: State, index: int) -> int:
            state.steps.spend(4 + len(ways))
            for way in ways:
                end = way(state, index)
                if end != NO:
                    return end
            return NO

        return match

    def _group(self, after: Matcher, number: Optional[int], piece: Piece) -> Matcher:
        if number is None:
            return self.build(piece, after)
        starts, slot = self.loops, number
        self.loops += 1

        def close(state: State, index: int) -> int:
            before = state.caught[slot]
            state.caught[slot] = (state.loops[starts][0], index)
            end = after(state, index)
            if end == NO:
                state.caught[slot] = before
            return end

        inner = self.build(piece, close)

        def match(state: State, index: int) -> int:
            before = state.loops[starts]
            state.loops[starts] = (index, NO)
            end = inner(state, index)
            if end == NO:
                state.loops[starts] = before
            return end

        return match

    def _look(self, after: Matcher, wanted: bool, piece: Piece) -> Matcher:
        inner = self.build(piece, finish)

        def match(state: State, index: int) -> int:
            state.steps.spend(1)
            caught = list(state.caught)
            if (inner(state, index) != NO) is not wanted:
                state.caught = caught
                return NO
            if not wanted:
                state.caught = list(caught)
            end = after(state, index)
            if end == NO:
                state.caught = caught
            return end

        return match

    def _repeat(self, after: Matcher, piece: Piece, low: int, high: int, greedy: bool) -> Matcher:
        test = _single(piece)
        if test is not None:
            return (_many if greedy else _few)(after, test, low, high)
        return self._loop(after, piece, low, high, greedy)

    def _loop(self, after: Matcher, piece: Piece, low: int, high: int, greedy: bool) -> Matcher:
        slot = self.loops
        self.loops += 1
        inside = sorted(_numbers(piece))

        def more(state: State, index: int, count: int, last: int) -> int:
            if count >= high or (index == last and count > low):
                return NO  # as in JavaScript, a turn that takes nothing is none
            caught = list(state.caught)
            state.loops[slot] = (count + 1, index)
            for number in inside:
                state.caught[number] = None
            end = body(state, index)
            if end == NO:
                state.loops[slot] = (count, last)
                state.caught = caught
            return end

        def turn(state: State, index: int) -> int:
            state.steps.spend(12 + len(state.caught))
            count, last = state.loops[slot]
            if index == last and count > low:
                return NO
            ways = (more, leave) if greedy else (leave, more)
            end = ways[0](state, index, count, last)
            return end if end != NO else ways[1](state, index, count, last)

        def leave(state: State, index: int, count: int, _last: int) -> int:
            return after(state, index) if count >= low else NO

        body = self.build(piece, turn)

        def match(state: State, index: int) -> int:
            before = state.loops[slot]
            state.loops[slot] = (0, NO)
            end = turn(state, index)
            if end == NO:
                state.loops[slot] = before
            return end

        return match


def _many(after: Matcher, test: Callable[[str], bool], low: int, high: int) -> Matcher:
    """One character again and again, as often as possible: without recursion."""

    def match(state: State, index: int) -> int:
        text, end = state.text, index
        most = min(len(text), index + high)
        while end < most and test(text[end]):
            end += 1
        state.steps.spend(1 + end - index)
        while end >= index + low:
            found = after(state, end)
            if found != NO:
                return found
            end -= 1
            state.steps.spend(4)
        return NO

    return match


def _few(after: Matcher, test: Callable[[str], bool], low: int, high: int) -> Matcher:
    """The same, as seldom as possible."""

    def match(state: State, index: int) -> int:
        text, end = state.text, index
        most = min(len(text), index + high)
        while True:
            state.steps.spend(4)
            if end >= index + low:
                found = after(state, end)
                if found != NO:
                    return found
            if end >= most or not test(text[end]):
                return NO
            end += 1

    return match


def _joined(pieces: Tuple[Piece, ...]) -> List[Piece]:
    """Neighbouring characters as one text."""
    found: List[Piece] = []
    for piece in pieces:
        if piece.kind == "text" and found and found[-1].kind == "text":
            found[-1] = Piece("text", (found[-1].parts[0] + piece.parts[0],))
        else:
            found.append(piece)
    return found


def _single(piece: Piece) -> Optional[Callable[[str], bool]]:
    """The test, where a piece is one character."""
    if piece.kind == "text" and len(piece.parts[0]) == 1:
        wanted = piece.parts[0]
        return lambda char: bool(char == wanted)
    if piece.kind == "one":
        test: Callable[[str], bool] = piece.parts[0]
        return test
    return None


def _numbers(piece: Any) -> List[int]:
    """The groups inside of a piece."""
    found = [piece.parts[0]] if piece.kind == "group" and piece.parts[0] is not None else []
    for part in piece.parts:
        if isinstance(part, Piece):
            found += _numbers(part)
    return found
