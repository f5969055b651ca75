# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reader may ask of a table: filters, fields and pages, as the vendor's schema of 6.4.14 describes them.

Conditions with commas between them are alternatives, and all filters of a request have to hold. A field that refers to
several objects is held against their names: the schema does not say so, and that is our guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.fortios.tables import Row

_CONDITION = re.compile(r"([^=!<>@]+)(==|!=|=@|!@|<=|>=|<|>)(.*)", re.DOTALL)
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "==": lambda value, pattern: value == pattern,
    "!=": lambda value, pattern: value != pattern,
    "=@": lambda value, pattern: pattern in value,
    "!@": lambda value, pattern: pattern not in value,
    "<=": lambda value, pattern: _number(value) <= _number(pattern),
    ">=": lambda value, pattern: _number(value) >= _number(pattern),
    "<": lambda value, pattern: _number(value) < _number(pattern),
    ">": lambda value, pattern: _number(value) > _number(pattern),
}


class QueryError(Exception):
    """A filter that is none."""


def filtered(rows: Iterable[Row], filters: Sequence[str]) -> list[Row]:
    wanted = [[_condition(text) for text in one.split(",")] for one in filters]
    return [row for row in rows if all(any(_holds(row, *one) for one in either) for either in wanted)]


def _condition(text: str) -> tuple[str, str, str]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise QueryError(text)
    return found[1], found[2], found[3]


def _holds(row: Row, field: str, operator: str, pattern: str) -> bool:
    value = row.get(field)
    if isinstance(value, list):
        value = " ".join(str(one.get("name", one.get("id", ""))) for one in value if isinstance(one, dict))
    return field in row and _TESTS[operator](str(value).lower(), pattern.lower())


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def page(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    start, count = int(query.get("start", 0)), int(query.get("count", len(rows) or 1))
    return [only(row, query.get("format", "")) for row in rows[start : start + count]]


def only(row: Row, fields: str) -> dict[str, Any]:
    """The fields that are asked for, and the origin key, which is always told."""
    names = {*fields.split("|"), "q_origin_key"}
    return {name: value for name, value in row.items() if not fields or name in names}
