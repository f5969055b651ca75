# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pattern language: which names a text such as ``*.update.example.com`` stands for.

========================= ==============================================================
``login.example.com``     that name only
``*.x.example``           one or more labels before ``x.example``, not ``x.example``
``*.*.x.example``         two or more
``*cdn.x.example``        any run of characters, also none, inside that one label
``auto.*.x.example``      exactly one label
========================= ==============================================================

``covers`` is decided for names of any length, which errs on the safe side: a pattern whose fixed text nearly fills
a name may be kept although no name is left that another pattern does not match.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Iterable

from ansible_collections.egress.allowlist.plugins.module_utils._labels import (
    MAX_NAME,
    label_covers,
    label_regex,
    name_labels,
    shortest,
    shortest_common,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pattern_set import PatternSet
from ansible_collections.egress.allowlist.plugins.module_utils._pattern_text import PatternError, canonical

__all__ = ["Pattern", "PatternError", "PatternSet", "minimal_cover", "parse"]


@dataclass(frozen=True)
class Pattern:
    """One pattern in its canonical form; made by :func:`parse`."""

    text: str
    labels: tuple[str, ...] = field(compare=False, repr=False)
    #: how many whole stars it begins with: n > 0 stands for n or more labels
    leading: int = field(compare=False, repr=False)
    is_literal: bool = field(compare=False, repr=False)
    #: exactly one star and then literal labels
    is_subtree: bool = field(compare=False, repr=False)
    #: literal, subtree (*.x), deep (*.*.x), glued (*cdn.x, a*b.x), inner (a.*.x); glued if it is both of the last
    form: str = field(compare=False, repr=False)
    #: the literal labels after the last label with a star; the whole text of a literal
    base: str = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: Pattern) -> bool:
        return self.sort_key < other.sort_key

    @property
    def sort_key(self) -> tuple[str, ...]:
        """Orders by the labels from the right: x.com, *.x.com, *.*.x.com, a.x.com, b.a.x.com."""
        return self.labels[::-1]

    @property
    def tail(self) -> tuple[str, ...]:
        """The labels after the leading stars, each of which is exactly one label of a name."""
        return self.labels[self.leading :]

    def matches(self, name: str) -> bool:
        """Whether *name*, in any case and with or without a final dot, is one of the names."""
        labels = name_labels(name)
        return labels is not None and self._contains(labels)

    def covers(self, other: Pattern) -> bool:
        """Whether every name that *other* matches is matched by this pattern too."""
        return self._contains(other.labels)

    def _contains(self, labels: tuple[str, ...]) -> bool:
        # The leading stars of the other need no case of their own: our tail begins with a label that is no whole
        # star, so it never takes one in, and what stands before our tail may be any run of labels that is long enough.
        if len(labels) < len(self.labels) or (len(labels) > len(self.labels) and not self.leading):
            return False
        return all(map(label_covers, reversed(self.tail), reversed(labels)))

    def overlaps(self, other: Pattern) -> bool:
        """Whether some name is matched by both patterns."""
        few, many = sorted((self, other), key=lambda pattern: len(pattern.tail))
        count = max(len(few.labels), len(many.labels))
        if (not few.leading and count > len(few.labels)) or (not many.leading and count > len(many.labels)):
            return False
        # The shortest name that both match must still be a name; labels of the runs of stars are one character.
        length = 2 * count - 1 - len(many.tail)
        for left, right in zip_longest(reversed(many.tail), reversed(few.tail)):
            common = shortest(left) if right is None else shortest_common(left, right)
            if common is None:
                return False
            length += common
        return length <= MAX_NAME

    def regex(self) -> str:
        """An anchored regular expression (POSIX extended, and Python) over a lower-case name without final dot."""
        run = {0: "", 1: r"([^.]+\.)+"}.get(self.leading, rf"([^.]+\.){{{self.leading},}}")
        return "^" + run + r"\.".join(map(label_regex, self.tail)) + "$"


def parse(text: str) -> Pattern:
    """The pattern that *text* writes; PatternError with the reason for what is none."""
    plain = canonical(text)
    labels = tuple(plain.split("."))
    if "*" not in plain:
        return Pattern(plain, labels, 0, True, False, "literal", plain)
    leading = 0
    while labels[leading] == "*":
        leading += 1
    starred = [label for label in labels[leading:] if "*" in label]
    base = plain[plain.rindex("*") :].partition(".")[2]
    if not starred:
        return Pattern(plain, labels, leading, False, leading == 1, "subtree" if leading == 1 else "deep", base)
    form = "inner" if all(label == "*" for label in starred) else "glued"
    return Pattern(plain, labels, leading, False, False, form, base)


def minimal_cover(patterns: Iterable[Pattern]) -> list[Pattern]:
    """The patterns that no other one covers, sorted: fewer patterns, the very same names."""
    unique = sorted(set(patterns))
    index = PatternSet(unique)
    return [pattern for pattern in unique if index.covering(pattern) is None]
