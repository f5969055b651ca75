# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ProxySG: a named condition in its Content Policy Language. Pure.

A line is a list of tests that must all hold, and one line that holds is enough. ``url.host.suffix=".x.com"`` begins
with its dot, so ``x.com`` itself is not meant.
"""

from __future__ import annotations

import re
from typing import Iterator, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form
from ansible_collections.egress.allowlist.plugins.module_utils._network import Network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern


class ProxysgCpl(Dialect):
    """``define condition egress_<name>``, to be used by the site's own rules."""

    name = "proxysg_cpl"
    networks = True
    ports = True
    comment = ";"

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.is_literal:
            test = f"url.host.exact={pattern.text}"
        elif pattern.is_subtree:
            test = f"url.host.suffix=.{pattern.base}"
        else:
            test = f'url.host.regex="{pattern.regex()}"'
        yield Form((test,), (pattern,))

    def path(self, pattern: Pattern, path: str) -> Iterator[Form]:
        for form in self.forms(pattern):
            yield Form((f'url.scheme=http {form.lines[0]} url.path.regex="^{re.escape(path)}$"',), ())

    def network(self, network: Network) -> str:
        return f"url.address={network}"

    def with_ports(self, line: str, ports: Sequence[str]) -> Tuple[str, ...]:
        numbers = [port.partition("/")[2] for port in ports if port.startswith("tcp/")]
        return tuple(f"{line} url.port={_range(number)}" for number in numbers)

    def around(self, lines: Sequence[str], name: str) -> Sequence[str]:
        return [f"define condition egress_{name}", *(f"  {line}" for line in lines), "end"]


def _range(number: str) -> str:
    low, dash, high = number.partition("-")
    return f"{low}..{high}" if dash else low
