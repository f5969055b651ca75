# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our exceptions, and the one way in which error texts quote what the user wrote."""

from __future__ import annotations

import reprlib
from typing import Sequence

SHOWN_LENGTH = 80
LISTED = 1000


class AllowlistError(Exception):
    """Input that cannot be used; the text is for the user."""


class ApplianceError(AllowlistError):
    """The appliance did not do, or cannot do, what was asked."""


def shown(value: object) -> str:
    """Quote *value* for an error text: one line, cut short, nothing in it that a terminal would obey."""
    text = value if isinstance(value, str) else _written(value)
    quoted = "".join(_visible(char) for char in text[:SHOWN_LENGTH])
    if len(text) > SHOWN_LENGTH:
        return f'"{quoted}…" ({len(text)} characters)'
    return f'"{quoted}"'


def listed(items: Sequence[str], between: str) -> str:
    """Items in an error text: all that a person may want to look at, and how many more there are."""
    more = [f"and {len(items) - LISTED} more"] if len(items) > LISTED else []
    return between.join([*items[:LISTED], *more])


def one_line(text: str, most: int = 300) -> str:
    """What somebody else said, for an error text: as ``shown``, and without quotes around it."""
    return "".join(char if char.isprintable() else _visible(char) for char in " ".join(text[: most * 4].split()))[:most]


def _written(value: object) -> str:
    """Python writes no number of thousands of digits, and nothing that is nested as deep."""
    for write in (repr, reprlib.repr):
        try:
            return write(value)
        except (ValueError, RecursionError):
            continue
    return f"{type(value).__name__} that is too large to be shown"


def _visible(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
