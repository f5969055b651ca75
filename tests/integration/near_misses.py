# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that a list contains and names that it just does not contain, made from the whole list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternSet

ELSEWHERE = "elsewhere.example"


def witnesses(pattern: Pattern) -> list[str]:
    """Names under the pattern: itself, or with its stars filled in, one level deep and deeper."""
    if pattern.is_literal:
        return [pattern.text]
    labels = [label.replace("*", "made-up") for label in pattern.labels]
    found = [".".join(labels)]
    if pattern.leading:
        found.append("deeper." + found[0])
    if pattern.form == "glued":  # a glued star also stands for nothing
        found.append(pattern.text.replace("*", ""))
    return found


def _candidates(pattern: Pattern) -> Iterator[str]:
    name = witnesses(pattern)[0]
    yield pattern.base
    yield f"look{name}" if pattern.is_literal else f"look{pattern.base}"
    yield f"look-{pattern.base}"
    yield f"{name}.{ELSEWHERE}"
    yield f"{pattern.base}.{ELSEWHERE}"
    yield f"{name}m"
    yield f"child.{name}"
    yield ".".join(["sibling", *name.split(".")[1:]])
    yield ".".join(name.split(".")[pattern.leading or 1 :])
    for gone in range(1, pattern.leading):
        yield ".".join(name.split(".")[gone:])
    yield name.replace(".", "-", 1)


def near_misses(patterns: Iterable[Pattern]) -> list[str]:
    """Every candidate that no pattern of the list contains; sorted, each once."""
    known = list(patterns)
    index = PatternSet(known)
    names = {name for pattern in known for name in _candidates(pattern)}
    return sorted(name for name in names if "." in name and index.match(name) is None)
