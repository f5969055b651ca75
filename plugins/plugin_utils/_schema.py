# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks data against a schema that is data too, and says of each problem where it is and what was expected."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown

_LONGEST_NUMBER = 128  # bits

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Problem:
    """What is wrong with the value at *path*, or with its key."""

    path: Path
    text: str
    at_key: bool = False


class Schema(ABC):
    """What a value has to be."""

    @abstractmethod
    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        """Each thing that is wrong with the value at *path*, or below it."""


@dataclass(frozen=True)
class Text(Schema):
    """A text; *pattern* and *choices* narrow it, *shape* says in words what the pattern asks for."""

    pattern: str = r"(?s).*\S.*"
    shape: str = "a text that is not empty"
    choices: tuple[str, ...] = ()

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(path, f"expected {self._expected()}, got {found(value)}")
        elif self.choices and value not in self.choices:
            yield Problem(path, f"expected {self._expected()}, got {found(value)}{near(value, self.choices)}")
        elif re.fullmatch(self.pattern, value) is None:
            yield Problem(path, f"expected {self.shape}, got {found(value)}")

    def _expected(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else self.shape


@dataclass(frozen=True)
class Flag(Schema):
    """true or false."""

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, bool):
            yield Problem(path, f"expected true or false, got {found(value)}")


@dataclass(frozen=True)
class Number(Schema):
    """A whole number."""

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(path, f"expected a whole number, got {found(value)}")


@dataclass(frozen=True)
class ListOf(Schema):
    """A list whose elements are all *item*."""

    item: Schema

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(path, f"expected a list, got {found(value)}")
            return
        for index, element in enumerate(value):
            yield from self.item.problems(element, (*path, index))


@dataclass(frozen=True)
class MapOf(Schema):
    """A mapping from keys of the user's choice to values that are all *value*."""

    key: Text
    value: Schema

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, f"expected a mapping, got {found(value)}")
            return
        for key, element in value.items():
            here = (*path, str(key))
            yield from (Problem(here, problem.text, at_key=True) for problem in self.key.problems(key, here))
            yield from self.value.problems(element, here)


@dataclass(frozen=True)
class Record(Schema):
    """A mapping with the named fields and no others."""

    fields: Mapping[str, Schema]
    required: frozenset[str] = field(default_factory=frozenset)

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(path, f"expected a mapping with the fields {', '.join(self.fields)}, got {found(value)}")
            return
        for name in sorted(self.required - value.keys()):
            yield Problem(path, f"the field {name} is missing")
        for key, element in value.items():
            here = (*path, str(key))
            if key in self.fields:
                yield from self.fields[key].problems(element, here)
            else:
                known = ", ".join(self.fields)
                yield Problem(here, f"unknown field{near(str(key), self.fields)}; known are {known}", at_key=True)


@dataclass(frozen=True)
class TextOr(Schema):
    """A text, or else *other*."""

    text: Text
    other: Schema

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        schema = self.other if isinstance(value, dict) else self.text
        yield from schema.problems(value, path)


def near(wrong: str, known: Iterable[str]) -> str:
    """`` (did you mean …?)`` with the nearest known words, or nothing."""
    close = difflib.get_close_matches(wrong, list(known), n=3)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def found(value: object) -> str:
    """What came instead, in words; what YAML made of a text that stood without quotes is told how to stay one."""
    if isinstance(value, str):
        return shown(value)
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()} (if you meant a text, quote it)"
    if isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        return f"a number of {value.bit_length()} bits"
    if isinstance(value, (int, float)):
        return f'the number {value} (if you meant a text, quote it: "{value}")'
    if isinstance(value, (dt.date, dt.datetime)):
        return f'the date {value} (if you meant a text, quote it: "{value}")'
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"a value of type {type(value).__name__}"


def dotted(path: Path) -> str:
    """``groups.contoso.names[2]``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.lstrip(".") or "the file"
