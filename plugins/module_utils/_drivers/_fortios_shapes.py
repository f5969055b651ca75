# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shapes of the rows of FortiOS, as far as they are looked into: what is otherwise is no answer. Pure.

A type, or several; a dict for an object with such fields, of which any may be missing; a list for many of one.
"""

from __future__ import annotations

from typing import Any, Mapping

_PLAIN = (str, int)
_NAMES = [{"name": str, "id": _PLAIN}]
_ROW = {
    "name": str, "id": _PLAIN, "policyid": _PLAIN, "category": (*_PLAIN, list), "comment": str, "comments": str,
    "type": str, "fmg": str, "mode": str, "status": str, "action": str, "tcp-portrange": str, "udp-portrange": str,
    "srcintf": _NAMES, "dstintf": _NAMES, "srcaddr": _NAMES, "dstaddr": _NAMES, "srcaddr6": _NAMES, "dstaddr6": _NAMES,
    "groups": _NAMES, "users": _NAMES, "fsso-groups": _NAMES, "entries": [{"url": str, "exempt": str}],
    "ftgd-wf": {"filters": [{"id": _PLAIN, "category": _PLAIN, "action": str}]},
    "web": {"urlfilter-table": _PLAIN},
    "ssl-exempt": [{"id": _PLAIN, "fortiguard-category": _PLAIN}],
}  # fmt: skip


def odd_field(row: Mapping[str, Any]) -> str:
    """The name of a field that has another shape than it should, "" for none."""
    return next((name for name, shape in _ROW.items() if not _fits(shape, row.get(name))), "")


def _fits(shape: Any, value: Any) -> bool:
    if value is None:
        return True
    if isinstance(shape, list):
        return isinstance(value, list) and all(one is not None and _fits(shape[0], one) for one in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(_fits(inner, value.get(name)) for name, inner in shape.items())
    return isinstance(value, shape)


def number(value: Any) -> int:
    """A number, also one that is told as text; 0 for anything else."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() else 0
    return value if isinstance(value, int) else 0
