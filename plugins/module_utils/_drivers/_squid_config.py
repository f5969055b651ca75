# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a Squid configuration the way Squid does: includes, conditionals, macros, continued lines.

Source: parseOneConfigFile() and ConfigParser of Squid 5 to 7 (https://github.com/squid-cache/squid).
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

DEEPEST_INCLUDE = 16
_WORD = re.compile(r""" "[^"]*" | '[^']*' | \S+ """, re.VERBOSE)


@dataclass(frozen=True)
class Line:
    """One directive, continued lines joined. ``raw`` is what stands in the file, for writing it elsewhere.

    Number 0 with no words is the beginning of a file.
    """

    file: str
    number: int
    words: Tuple[str, ...]
    raw: str
    active: bool  # False: inside an `if` that is known to be false

    @property
    def directive(self) -> str:
        return self.words[0] if self.words else ""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.number}"


def split_words(text: str) -> Tuple[str, ...]:
    """Words as Squid sees them; a word that begins with ``#`` ends the line, quotes hold blanks together."""
    words: List[str] = []
    for match in _WORD.finditer(text):
        if match.group().startswith("#"):
            break
        words.append(match.group())
    return tuple(words)


class Config:
    """All lines that Squid would read, in its order.

    ``proposed`` stands in for files on disk: a text for a file that does not exist yet, None for one that is gone.
    """

    def __init__(
        self, path: str, service: str = "squid", proposed: Optional[Mapping[str, Optional[str]]] = None
    ) -> None:
        self.path = path
        self.service = service
        self.proposed: Dict[str, Optional[str]] = dict(proposed or {})
        self.first_lines: Dict[str, str] = {}  # of each file that was read, comments too
        self.lines: List[Line] = list(self._file(path, 0, "the main configuration"))

    def text(self) -> str:
        """The whole configuration as one file without includes, for a check before anything is live."""
        return "".join(line.raw for line in self.lines if line.active or line.directive in ("if", "else", "endif"))

    def named(self, *directives: str) -> List[Line]:
        return [line for line in self.lines if line.active and line.directive in directives]

    def _file(self, path: str, depth: int, origin: str) -> Iterator[Line]:
        if depth > DEEPEST_INCLUDE:
            raise ApplianceError(f"{origin}: includes are nested more than {DEEPEST_INCLUDE} deep, Squid refuses that")
        whole = self._read(path, origin)
        self.first_lines[path] = whole.split("\n", 1)[0]
        yield Line(path, 0, (), "", True)  # where the file begins, also when it says nothing
        states: List[Optional[bool]] = []
        for number, raw, text in _logical_lines(whole):
            words = split_words(self._macros(text))
            active = not states or states[-1] is not False  # as Squid: the innermost decides
            line = Line(path, number, words, raw, active)
            _track_condition(words, states)
            if active and line.directive == "include":
                yield from self._included(line, depth)
            else:
                yield line

    def _included(self, line: Line, depth: int) -> Iterator[Line]:
        for word in line.words[1:]:
            for path in self._matches(word, line):
                yield from self._file(path, depth + 1, line.place)

    def _matches(self, pattern: str, line: Line) -> List[str]:
        pattern = pattern.strip("\"'")
        if pattern[:1] in "!|":
            raise ApplianceError(f"{line.place}: includes what a command prints ({pattern}), which cannot be followed")
        pattern = os.path.join(os.path.dirname(self.path), pattern)
        found = {path for path in glob.glob(pattern) if self.proposed.get(path, "") is not None}
        found |= {path for path, text in self.proposed.items() if text is not None and _globbed(path, pattern)}
        if not found:
            raise ApplianceError(f"{line.place}: no file matches {pattern}, and Squid does not start with such a line")
        return sorted(found, key=os.fsencode)

    def _read(self, path: str, origin: str) -> str:
        text = self.proposed.get(path)
        if text is not None:
            return text
        try:
            with open(path, encoding="utf-8", errors="surrogateescape") as handle:
                return handle.read()
        except OSError as error:
            raise ApplianceError(f"{origin}: cannot read {path}: {error.strerror}") from error

    def _macros(self, text: str) -> str:
        return text.replace("${service_name}", self.service)


def _globbed(path: str, pattern: str) -> bool:
    """Whether glob(3) would find the path: stars stop at slashes and do not match a leading dot."""
    if os.path.dirname(path) != os.path.dirname(pattern):
        return False
    name, wanted = os.path.basename(path), os.path.basename(pattern)
    return fnmatch.fnmatchcase(name, wanted) and (not name.startswith(".") or wanted.startswith("."))


def _logical_lines(text: str) -> Iterator[Tuple[int, str, str]]:
    """(number of the last physical line, raw text, joined text); comments inside a continuation are dropped."""
    joined, raw, number = "", "", 0
    for number, physical in enumerate(text.split("\n"), 1):
        piece = physical.split("\r", 1)[0].strip()
        if not piece or piece.startswith("#"):
            continue
        joined += piece
        raw += physical + "\n"
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        yield number, raw, joined
        joined, raw = "", ""
    if joined:
        yield number, raw, joined


def _track_condition(words: Sequence[str], states: List[Optional[bool]]) -> None:
    """Follow if/else/endif; None stands for a condition that depends on the worker."""
    first = words[0] if words else ""
    if first == "if":
        states.append(_condition(" ".join(words[1:])))
    elif first == "else" and states:
        states[-1] = None if states[-1] is None else not states[-1]
    elif first == "endif" and states:
        states.pop()


def _condition(expression: str) -> Optional[bool]:
    if expression in ("true", "false"):
        return expression == "true"
    left, equals, right = (part.strip() for part in expression.partition("="))
    try:
        return int(left, 0) == int(right, 0) if equals else None
    except ValueError:
        return None
