# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists for programs that read plain names, networks or regular expressions, one on each line. Pure."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form, below
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern


class Domains(Dialect):
    """``x.com`` is that name, ``*.x.com`` what is below it at any depth and not ``x.com``."""

    name = "domains"

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text,), (pattern,))
        else:
            yield Form(("*." + pattern.base,), (below(pattern.base),))


class HostsRegex(Dialect):
    """Anchored regular expressions (POSIX extended, and what is near it) over the whole name in lower case."""

    name = "hosts_regex"

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        yield Form((pattern.regex(),), (pattern,))


class Cidrs(Dialect):
    """Networks of both families with their prefix."""

    name = "cidrs"
    hosts = False
    networks = True


class OpnsenseUrlTable(Cidrs):
    """An alias of the type URL Table (IPs); names in it are not resolved by every version, so there are none."""

    name = "opnsense_url_table"
