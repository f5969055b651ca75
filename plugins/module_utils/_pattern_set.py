# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An index over many patterns: which of them match a name, which of them cover a pattern.

A tree over the labels from the right. A label is an edge: literal labels in a dictionary, the whole star on its own,
glued labels by their text before the first star, after the last one, and the longest in between; so a question looks
only at patterns that agree with it in all of that, however many stand under one suffix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, Iterator, TypeVar

from ansible_collections.egress.allowlist.plugins.module_utils._labels import label_covers, name_labels

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern

_T = TypeVar("_T")


class PatternSet:
    """Built once, near-linear; then each question costs about the length of its name."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._root = _Node()
        for pattern in patterns:
            node = self._root
            for label in reversed(pattern.tail):
                node = node.grow(label)
            node.ends[pattern.leading] = pattern

    def covering(self, pattern: Pattern) -> Pattern | None:
        """Some pattern of the set, other than an equal one, that covers *pattern*; None if there is none."""
        return next(self.all_covering(pattern), None)

    def all_covering(self, pattern: Pattern) -> Iterator[Pattern]:
        """Every pattern of the set, other than an equal one, that covers *pattern*."""
        return (found for found in self._find(pattern.labels) if found != pattern)

    def match(self, name: str) -> Pattern | None:
        """Some pattern of the set that matches *name*; None if there is none."""
        labels = name_labels(name)
        return None if labels is None else next(self._find(labels), None)

    def _find(self, labels: tuple[str, ...]) -> Iterator[Pattern]:
        count = len(labels)
        # The nodes still to visit at each depth; lazily, since most questions end with the first answer.
        levels: list[Iterator[_Node]] = [iter((self._root,))]
        while levels:
            node = next(levels[-1], None)
            if node is None:
                levels.pop()
                continue
            depth = len(levels) - 1
            for stars, pattern in node.ends.items():
                if depth + stars <= count if stars else depth == count:
                    yield pattern
            levels.append(node.walk(labels[count - 1 - depth]) if depth < count else iter(()))


class _Node:
    """Where the tree stands after some labels: the patterns that end here by their leading stars, and the edges."""

    __slots__ = ("ends", "globs", "literals", "star")

    def __init__(self) -> None:
        self.ends: dict[int, Pattern] = {}
        self.literals: dict[str, _Node] = {}
        self.star: _Node | None = None
        self.globs: _Globs | None = None

    def grow(self, label: str) -> _Node:
        if "*" not in label:
            child = self.literals.get(label)
            if child is None:
                child = self.literals[label] = _Node()
            return child
        if label == "*":
            self.star = self.star or _Node()
            return self.star
        self.globs = self.globs or _Globs()
        return self.globs.grow(label)

    def walk(self, label: str) -> Iterator[_Node]:
        """The children whose label covers *label*."""
        child = self.literals.get(label)
        if child is not None:
            yield child
        if self.star is not None:
            yield self.star
        if self.globs is not None:
            yield from self.globs.walk(label)


class _Globs:
    """The glued labels below one node."""

    __slots__ = ("_tree",)

    def __init__(self) -> None:
        # text before the first star -> text after the last one -> longest text between stars -> label -> node
        self._tree: dict[str, dict[str, dict[str, dict[str, _Node]]]] = {}

    def grow(self, label: str) -> _Node:
        first, *middle, last = label.split("*")
        piece = max(middle, key=len, default="")
        nodes = self._tree.setdefault(first, {}).setdefault(last, {}).setdefault(piece, {})
        node = nodes.get(label)
        if node is None:
            node = nodes[label] = _Node()
        return node

    def walk(self, label: str) -> Iterator[_Node]:
        first = label.partition("*")[0]
        last = label.rpartition("*")[2]
        for by_last in _present(self._tree, (first[:end] for end in range(len(first) + 1))):
            for by_piece in _present(by_last, (last[start:] for start in range(len(last) + 1))):
                for piece in _pieces(by_piece, label):
                    yield from (node for glob, node in by_piece[piece].items() if label_covers(glob, label))


def _present(table: dict[str, _T], keys: Iterable[str]) -> Iterator[_T]:
    return (table[key] for key in keys if key in table)


def _pieces(table: dict[str, _T], label: str) -> Iterator[str]:
    """The keys of *table* that stand somewhere in *label*."""
    if len(table) <= len(label):
        return (piece for piece in table if piece in label)
    inside = {label[start:end] for start in range(len(label) + 1) for end in range(start, len(label) + 1)}
    return (piece for piece in inside if piece in table)
