# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Globs of one DNS label: ``*`` alone is any label, a star glued to text is any run of characters, also none.

A name is what may stand in DNS: up to 253 characters, labels of 1 to 63 letters, digits, hyphens and underscores.
Labels and names are lower-case ASCII here; whoever calls has made them so.
"""

from __future__ import annotations

import re

MAX_NAME = 253
MAX_LABEL = 63
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")


def name_labels(name: str) -> tuple[str, ...] | None:
    """The labels of a name in any case, with or without the final dot; None for what is not a name."""
    # Lower-casing makes ASCII of some other characters (the Kelvin sign becomes k), so look before it.
    if len(name) > MAX_NAME + 1 or not name.isascii():
        return None
    lowered = name.lower()
    if lowered.endswith("."):
        lowered = lowered[:-1]
    if len(lowered) > MAX_NAME or _NAME.fullmatch(lowered) is None:
        return None
    return tuple(lowered.split("."))


def label_covers(glob: str, other: str) -> bool:
    """Whether each text that *other* (a label or a glob) stands for is one that *glob* stands for."""
    if glob == "*" or glob == other:
        return True
    if "*" not in glob:
        return False
    # A star of `other` is kept as a character that no text of `glob` contains, so only a star of `glob` can
    # take it in; and what takes in one such character takes in whatever the star stands for.
    first, *middle, last = glob.split("*")
    end = len(other) - len(last)
    if end < len(first) or not other.startswith(first) or not other.endswith(last):
        return False
    position = len(first)
    for piece in middle:
        found = other.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def shortest(glob: str) -> int:
    """The length of the shortest text that *glob* stands for."""
    return 1 if glob == "*" else len(glob) - glob.count("*")


def shortest_common(one: str, two: str) -> int | None:
    """The length of the shortest text that both globs stand for, None if there is none."""
    if one == "*" or "*" not in two:
        return shortest(two) if label_covers(one, two) else None
    if two == "*" or "*" not in one:
        return shortest(one) if label_covers(two, one) else None
    length = _shortest_common(one, two)
    return length if length <= MAX_LABEL else None


def _shortest_common(glob: str, other: str) -> int:
    """Dynamic programming from the right: row i, column j is the answer for glob[i:] and other[j:]."""
    never = MAX_LABEL + 1
    below = [never] * (len(other) + 1)
    for i in range(len(glob), -1, -1):
        row = [never] * (len(other) + 1)
        star = i < len(glob) and glob[i] == "*"
        for j in range(len(other), -1, -1):
            if i == len(glob) and j == len(other):
                row[j] = 0
            elif star:
                row[j] = min(below[j], row[j + 1] + (other[j] != "*") if j < len(other) else never)
            elif j < len(other) and other[j] == "*":
                row[j] = min(row[j + 1], below[j] + 1 if i < len(glob) else never)
            elif i < len(glob) and j < len(other) and glob[i] == other[j]:
                row[j] = below[j + 1] + 1
        below = row
    return below[0]


def label_regex(glob: str) -> str:
    """The regular expression of one label; letters, digits, hyphen and underscore need no escape."""
    return "[^.]+" if glob == "*" else glob.replace("*", "[^.]*")
