# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PowerShell's values, operators and methods do, as far as the judging functions of the probe need them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class NotKnownError(Exception):
    """A construct that this interpreter does not carry out."""


class ThrownError(Exception):
    """What a script threw."""

    def __init__(self, value: Any) -> None:
        super().__init__(repr(value))
        self.value = value


class Table(dict[Any, Any]):
    """A hashtable: its keys know no upper and lower case."""

    def __init__(self, items: dict[str, Any] | None = None) -> None:
        super().__init__()
        for key, value in (items or {}).items():
            self[key] = value

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key.lower(), value)

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key.lower())

    def __contains__(self, key: object) -> bool:
        return super().__contains__(str(key).lower())


def is_true(value: Any) -> bool:
    if isinstance(value, list):
        return is_true(value[0]) if len(value) == 1 else bool(value)
    return True if isinstance(value, Table) else bool(value)


def same(left: Any, right: Any, exact: bool) -> bool:
    if isinstance(left, list):
        raise NotKnownError("a comparison with a list on the left is a filter")
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, str):
        right = as_text(right)
        return left == right if exact else left.lower() == right.lower()
    return bool(left == type(left)(right))


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return " ".join(map(as_text, value))
    return str(value)


def plus(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        return left + as_text(right)
    return [*left, *right] if isinstance(left, list) else left + right


def contains(items: Any, wanted: Any, exact: bool) -> bool:
    return any(same(item, wanted, exact) for item in (items if isinstance(items, list) else [items]))


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": plus,
    "-": operator.sub,
    "-eq": lambda a, b: same(a, b, False),
    "-ne": lambda a, b: not same(a, b, False),
    "-ceq": lambda a, b: same(a, b, True),
    "-cne": lambda a, b: not same(a, b, True),
    "-lt": operator.lt,
    "-le": operator.le,
    "-gt": operator.gt,
    "-ge": operator.ge,
    "-contains": lambda a, b: contains(a, b, False),
    "-notcontains": lambda a, b: not contains(a, b, False),
    "-ccontains": lambda a, b: contains(a, b, True),
    "-cnotcontains": lambda a, b: not contains(a, b, True),
    "-match": lambda a, b: bool(re.search(b, a, re.IGNORECASE)),
    "-notmatch": lambda a, b: not re.search(b, a, re.IGNORECASE),
    "-cmatch": lambda a, b: bool(re.search(b, a)),
    "-cnotmatch": lambda a, b: not re.search(b, a),
    "-split": lambda a, b: re.split(b, a),
    "-join": lambda a, b: b.join(map(as_text, a if isinstance(a, list) else [a])),
    "-replace": lambda a, b: re.sub(b[0], b[1], a, flags=re.IGNORECASE),
}


class Match:
    """What [regex]::Match gives."""

    def __init__(self, found: re.Match[str] | None) -> None:
        self.success = found is not None
        self.index = found.start() if found else -1
        self.value = found.group() if found else ""
        self.length = len(self.value)
        texts = [found.group(), *found.groups()] if found else []
        self.groups = Groups(SimpleNamespace(value=one or "", success=one is not None) for one in texts)


class Groups(list[SimpleNamespace]):
    """A group that is not there is an empty one."""

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(index) if index < len(self) else SimpleNamespace(value="", success=False)


class Properties:
    """An object of ConvertFrom-Json."""

    def __init__(self, items: dict[str, Any]) -> None:
        self.items = items

    def property(self, name: str) -> Any:
        return SimpleNamespace(name=name, value=self.items[name]) if name in self.items else None


METHODS: dict[str, Callable[..., Any]] = {
    "containskey": lambda table, key: key in table,
    "contains": lambda text, part: part in text,
    "tolowerinvariant": str.lower,
    "toupperinvariant": str.upper,
    "trim": str.strip,
    "trimend": str.rstrip,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "indexof": str.find,
    "lastindexof": str.rfind,
    "split": lambda text, mark: text.split(mark),
    "replace": str.replace,
    "substring": lambda text, start, length=None: text[start:] if length is None else text[start : start + length],
}
STATICS: dict[str, Callable[..., Any]] = {
    "regex.match": lambda text, pattern: Match(re.search(pattern, text)),
    "regex.matches": lambda text, pattern: [Match(found) for found in re.finditer(pattern, text)],
    "regex.escape": re.escape,
    "regex.replace": lambda text, pattern, new: re.sub(pattern, new, text),
}
CASTS: dict[str, Callable[[Any], Any]] = {
    "[int]": int,
    "[string]": as_text,
    "[char]": chr,
    "[bool]": is_true,
}


def plain_json(value: Any) -> Any:
    if isinstance(value, list):
        return [plain_json(item) for item in value]
    return Properties({k: plain_json(v) for k, v in value.items()}) if isinstance(value, dict) else value


def enumerated(items: Any) -> list[Any]:
    if isinstance(items, Properties):
        return [items.property(name) for name in items.items]
    return [] if items is None else items if isinstance(items, list) else [items]
