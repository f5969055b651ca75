# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Regular expressions, with every step counted.

Python's own re would be quicker, but it cannot be stopped: an expression such as (a+)+$ in a foreign file would hold
the whole process. This one runs on an allowance, and it means what JavaScript means.
"""

from __future__ import annotations

from typing import List, Optional

from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex_match import (
    NO,
    Builder,
    Span,
    State,
    Steps,
    finish,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex_syntax import Piece, read


class Regex:
    """An expression that is ready to match."""

    def __init__(self, source: str, flags: str) -> None:
        expression = read(source, flags)
        self.source = source
        self.flags = "".join(flag for flag in "gimsu" if flag in expression.flags)
        self.groups = expression.groups
        self._fold = "i" in expression.flags
        builder = Builder(expression)
        self._matcher = builder.build(expression.piece, finish)
        self._loops = builder.loops
        self._prefix = _prefix(expression.piece)
        self._anchored = "m" not in expression.flags and _is_anchored(expression.piece)

    def search(self, text: str, start: int, steps: Steps) -> Optional[List[Optional[Span]]]:
        """The first match from *start* on, as the spans of the whole and of each group; None without one."""
        if self._fold:
            text = _lower(text)
        last = start if self._anchored else len(text)
        while start <= last:
            if self._prefix:
                found = text.find(self._prefix, start)
                steps.spend((found - start if found >= 0 else len(text) - start) // 16 + 1)
                if found < 0 or found > last:
                    return None
                start = found
            state = State(text, steps, self.groups, self._loops)
            end = self._matcher(state, start)
            if end != NO:
                state.caught[0] = (start, end)
                return state.caught
            steps.spend(6)
            start += 1
        return None


def _lower(text: str) -> str:
    """Lower case, each character for itself, so that all indexes stay what they are."""
    return text.lower() if text.isascii() else "".join(char.lower()[:1] or char for char in text)


def _first(piece: Piece) -> Optional[Piece]:
    while piece.kind == "row":
        if not piece.parts:
            return None
        piece = piece.parts[0]
    return piece


def _prefix(piece: Piece) -> str:
    """What each match begins with."""
    text = ""
    for part in piece.parts if piece.kind == "row" else ():
        if part.kind != "text":
            break
        text += part.parts[0]
    return text


def _is_anchored(piece: Piece) -> bool:
    if piece.kind == "either":
        return all(_is_anchored(one) for one in piece.parts)
    first = _first(piece)
    return first is not None and first.kind == "start"
