# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports such as ``tcp/443`` and ``udp/3478-3481``: checked, canonical, compared, written."""

from __future__ import annotations

import re
from typing import Iterable

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown

_PORTS = re.compile(r"(tcp|udp)/([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?")
_HIGHEST = 65535


def canonical_ports(items: Iterable[object], where: str) -> tuple[str, ...]:
    """Sorted and without overlaps: each port is in one item only, and neighbours are one range."""
    ranges = sorted(_parse(item, f"{where}[{index}]") for index, item in enumerate(items))
    joined: list[tuple[str, int, int]] = []
    for protocol, low, high in ranges:
        if joined and joined[-1][0] == protocol and low <= joined[-1][2] + 1:
            joined[-1] = (protocol, joined[-1][1], max(high, joined[-1][2]))
        else:
            joined.append((protocol, low, high))
    return tuple(f"{protocol}/{low}" if low == high else f"{protocol}/{low}-{high}" for protocol, low, high in joined)


def ports_contain(ports: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether each port of *others* is one of *ports*; both canonical."""
    return ports == others or canonical_ports(ports + others, "ports") == ports


def written(ports: tuple[str, ...]) -> str:
    """``tcp/80,443 udp/3478-3481``: each protocol once."""
    by_protocol: dict[str, list[str]] = {}
    for port in ports:
        protocol, _slash, numbers = port.partition("/")
        by_protocol.setdefault(protocol, []).append(numbers)
    return " ".join(f"{protocol}/{','.join(numbers)}" for protocol, numbers in by_protocol.items())


def _parse(item: object, where: str) -> tuple[str, int, int]:
    match = _PORTS.fullmatch(item.lower()) if isinstance(item, str) and len(item) < 20 else None
    if match is None:
        raise AllowlistError(f'{where}: expected ports such as "tcp/443" or "udp/3478-3481", got {shown(item)}')
    low = int(match[2])
    high = int(match[3] or low)
    if high > _HIGHEST:
        raise AllowlistError(f"{where}: {shown(item)} is above the highest port, {_HIGHEST}")
    if high < low:
        raise AllowlistError(f"{where}: {shown(item)} ends below its beginning: write {match[1]}/{high}-{low}")
    return match[1], low, high
