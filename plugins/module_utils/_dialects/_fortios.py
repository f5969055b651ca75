# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""FortiOS: external resources (threat feeds) of the types category and address. Pure.

That they read comments is said nowhere, so none is written.
"""

from __future__ import annotations

from typing import Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form, tree
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse


class FortiosCategory(Dialect):
    """A list of URLs: a star only at the beginning; ``*.x`` takes ``x`` as well, and a star crosses dots."""

    name = "fortios_category"
    comment = ""
    most_lines = 131_072
    longest_line = 4_096

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text,), (pattern,))
            return
        if pattern.form == "glued" and pattern.text.count("*") == 1 and pattern.text.startswith("*"):
            yield Form((pattern.text,), (pattern, parse("*." + pattern.text)))
        yield tree(pattern, "*." + pattern.base)

    def path(self, pattern: Pattern, path: str) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text + path,), ())
        elif pattern.is_subtree:
            yield Form((pattern.text + path,), (pattern, parse(pattern.base)))


class FortiosAddress(Dialect):
    """A list of addresses and networks of both families."""

    name = "fortios_address"
    comment = ""
    hosts = False
    networks = True
    most_lines = 131_072
