# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PAN-OS: external dynamic lists of URLs, domains and addresses. Pure.

In URLs a wildcard is a whole token (between dots): ``*`` stands for one or more of them, ``^`` for exactly one. Without
the slash at its end an entry would also match names that go on there.
"""

from __future__ import annotations

from typing import Iterator, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form, below
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern


class PanosUrl(Dialect):
    """External dynamic list of type url, and custom URL categories."""

    name = "panos_url"
    comment = ""
    most_lines = 50_000
    longest_line = 255

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        text, means, loose = _host(pattern)
        yield Form((text + "/",), (means,), loose)

    def path(self, pattern: Pattern, path: str) -> Iterator[Form]:
        if pattern.is_literal or pattern.is_subtree or pattern.form == "inner":
            yield Form((_host(pattern)[0] + path,), ())


def _host(pattern: Pattern) -> Tuple[str, Pattern, bool]:
    """How a pattern is written, what that is taken for, and whether this says more than is true."""
    if pattern.is_literal or pattern.is_subtree:
        return pattern.text, pattern, False
    # Two stars side by side are advised against, so two or more labels are written as one or more.
    labels = ["*" if pattern.leading else "", *("^" if "*" in label else label for label in pattern.tail)]
    text = ".".join(label for label in labels if label)
    if pattern.form == "inner" and pattern.leading < 2:
        return text, pattern, False
    return text, below(pattern.base), pattern.form != "deep"


class PanosDomain(Dialect):
    """External dynamic list of type domain: ``*.`` stands at the beginning, or no star at all."""

    name = "panos_domain"
    comment = ""
    most_lines = 50_000
    longest_line = 255

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text,), (pattern,))
        else:
            yield Form(("*." + pattern.base,), (below(pattern.base),))


class PanosIp(Dialect):
    """External dynamic list of type ip; a comment stands behind an address there, not on a line of its own."""

    name = "panos_ip"
    comment = ""
    hosts = False
    networks = True
    most_lines = 50_000
