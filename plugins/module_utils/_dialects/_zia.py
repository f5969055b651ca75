# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zscaler ZIA: URLs of custom categories and of the exempted URLs. Pure.

A period at the beginning stands for the name itself and up to five levels below it; there is no other wildcard. Source:
URL Format Guidelines, help.zscaler.com/zia/url-format-guidelines.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form, tree
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse

DEEPEST = 5


class ZiaUrl(Dialect):
    """What lies deeper than five levels is lost; that is said by ``too_deep``, since forms only say what they hold."""

    name = "zia_url"
    comment = ""
    most_lines = 25_000
    longest_line = 1_024

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text,), (pattern,))
        else:
            yield tree(pattern, "." + pattern.base)

    def path(self, pattern: Pattern, path: str) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text + path,), ())
        elif pattern.is_subtree:
            yield Form((f".{pattern.base}{path}",), (pattern, parse(pattern.base)))


def too_deep(names: Iterable[str]) -> Dict[str, List[str]]:
    """The names that are deeper below a base than a line for it reaches, by each such base."""
    found: Dict[str, List[str]] = {}
    for name in names:
        labels = name.split(".")
        for above in range(DEEPEST + 1, len(labels)):
            found.setdefault(".".join(labels[above:]), []).append(name)
    return found
