# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading regular expressions as JavaScript writes them."""

from __future__ import annotations

from typing import Any, Callable, FrozenSet, List, NamedTuple, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown

Test = Callable[[str], bool]
ENDLESS = 1 << 30
_MOST_REPEATS = 1000
_DEEPEST = 30
_DIGITS = frozenset("0123456789")
WORD_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
NEWLINES = frozenset("\n\r\u2028\u2029")
_BLANKS = frozenset(
    " \t\v\f\xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
) | (NEWLINES | frozenset("\u205f\u3000"))
_CLASSES = {"d": _DIGITS, "w": WORD_CHARS, "s": _BLANKS}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "0": "\0"}


class RegexError(Exception):
    """An expression that is wrong, or that is not supported."""


class Piece(NamedTuple):
    """A part of an expression: its kind, its parts, and for a repetition how often, and whether it prefers many.

    Kinds: text (str), one (a test for one character), start, end, edge (bool), back (number), either (alternatives),
    row (in order), group (number or None, piece), look (ahead is wanted?, piece), repeat (piece, low, high, greedy).
    """

    kind: str
    parts: Tuple[Any, ...]


class Expression(NamedTuple):
    """A whole expression."""

    piece: Piece
    groups: int
    flags: FrozenSet[str]


def read(source: str, flags: str) -> Expression:
    """Read an expression; RegexError tells what is wrong with it."""
    if len(set(flags)) != len(flags) or not set(flags) <= set("gimsu"):
        raise RegexError(f"the flags {shown(flags)} are not supported, expected some of g, i, m, s and u")
    reader = _Reader(source, frozenset(flags))
    piece = reader.either(0)
    if reader.at < len(source):
        raise RegexError("a ) without its (")
    if reader.most_back > reader.groups:
        raise RegexError(f"\\{reader.most_back} is no group")
    return Expression(piece, reader.groups, frozenset(flags))


def one_of(chars: FrozenSet[str]) -> Test:
    """A test for a few characters."""
    return chars.__contains__


class _Reader:
    def __init__(self, source: str, flags: FrozenSet[str]) -> None:
        self.source = source
        self.at = 0
        self.groups = 0
        self.most_back = 0
        self._fold = "i" in flags
        self._dot_all = "s" in flags

    def either(self, depth: int) -> Piece:
        if depth > _DEEPEST:
            raise RegexError("groups are nested too deep")
        rows = [self._row(depth)]
        while self._takes("|"):
            rows.append(self._row(depth))
        return rows[0] if len(rows) == 1 else Piece("either", tuple(rows))

    def _takes(self, text: str) -> bool:
        found = self.source.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _row(self, depth: int) -> Piece:
        pieces: List[Piece] = []
        while self.at < len(self.source) and self.source[self.at] not in "|)":
            pieces.append(self._repeated(self._atom(depth)))
        return Piece("row", tuple(pieces))

    def _atom(self, depth: int) -> Piece:
        char = self.source[self.at]
        if char in "*+?":
            raise RegexError(f"nothing before {char} that could be repeated")
        self.at += 1
        if char == "^":
            return Piece("start", ())
        if char == "$":
            return Piece("end", ())
        if char == "(":
            return self._group(depth)
        if char == "[":
            return Piece("one", (self._set(),))
        if char == "\\":
            return self._escape()
        if char == ".":
            return Piece("one", ((lambda _char: True) if self._dot_all else lambda one: one not in NEWLINES,))
        return Piece("text", (self._folded(char),))

    def _folded(self, char: str) -> str:
        return char.lower() if self._fold else char

    def _group(self, depth: int) -> Piece:
        number: Optional[int] = None
        look: Optional[bool] = None
        if self._takes("?="):
            look = True
        elif self._takes("?!"):
            look = False
        elif not self._takes("?:"):
            if self._takes("?"):
                raise RegexError("only the groups (…), (?:…), (?=…) and (?!…) are supported")
            self.groups += 1
            number = self.groups
        inner = self.either(depth + 1)
        if not self._takes(")"):
            raise RegexError("a ( without its )")
        return Piece("group", (number, inner)) if look is None else Piece("look", (look, inner))

    def _repeated(self, piece: Piece) -> Piece:
        bounds = self._bounds()
        if bounds is None:
            return piece
        if piece.kind in ("start", "end", "edge", "look"):
            raise RegexError("what has no length cannot be repeated")
        greedy = not self._takes("?")
        if self.at < len(self.source) and self.source[self.at] in "*+?":
            raise RegexError("a repetition of a repetition")
        return Piece("repeat", (piece, bounds[0], bounds[1], greedy))

    def _bounds(self) -> Optional[Tuple[int, int]]:
        for mark, bounds in (("*", (0, ENDLESS)), ("+", (1, ENDLESS)), ("?", (0, 1))):
            if self._takes(mark):
                return bounds
        if not self.source.startswith("{", self.at):
            return None
        end = self.source.find("}", self.at)
        low, comma, high = self.source[self.at + 1 : max(end, self.at + 1)].partition(",")
        if end < 0 or not (_is_number(low) and (not high or _is_number(high))):
            return None  # as in browsers, such a brace stands for itself
        self.at = end + 1
        least, most = int(low), int(high) if high else (ENDLESS if comma else int(low))
        if least > most or least > _MOST_REPEATS:
            raise RegexError(f"{{{low}{comma}{high}}} is no useful number of repetitions")
        return (least, most)

    def _escape(self) -> Piece:
        char = self._next()
        if char in "bB":
            return Piece("edge", (char == "b",))
        if char.lower() in _CLASSES:
            return Piece("one", (_class(char),))
        if char in "123456789":
            start = self.at - 1
            while self.at < len(self.source) and self.source[self.at] in _DIGITS and self.at - start < 2:
                self.at += 1
            number = int(self.source[start : self.at])
            self.most_back = max(self.most_back, number)
            return Piece("back", (number,))
        return Piece("text", (self._folded(self._literal(char)),))

    def _next(self) -> str:
        if self.at >= len(self.source):
            raise RegexError("a \\ at the end")
        self.at += 1
        return self.source[self.at - 1]

    def _literal(self, char: str) -> str:
        """The character that an escape stands for."""
        if char in "xu":
            digits = self.source[self.at : self.at + (2 if char == "x" else 4)]
            if len(digits) == (2 if char == "x" else 4) and set(digits) <= set("0123456789abcdefABCDEF"):
                self.at += len(digits)
                return chr(int(digits, 16))
        if char in "kpP":
            raise RegexError(f"\\{char} is not supported")
        return _CONTROLS.get(char, char)

    def _set(self) -> Test:
        """A test for [ … ]."""
        wanted = not self._takes("^")
        chars, tests = set(), []
        ranges: List[Tuple[str, str]] = []
        while not self._takes("]"):
            first = self._member()
            if (
                isinstance(first, str)
                and self.source.startswith("-", self.at)
                and self.source[self.at + 1 :][:1] != "]"
            ):
                self.at += 1
                last = self._member()
                if not isinstance(last, str) or last < first:
                    raise RegexError(f"[{first}-…] is no range")
                ranges.append((first, last))
            elif isinstance(first, str):
                chars.add(first)
            else:
                tests.append(first)
        return _union(frozenset(chars), ranges, tests, wanted, self._fold)

    def _member(self) -> Any:
        """A character, or the test of a class such as \\d."""
        if self.at >= len(self.source):
            raise RegexError("a [ without its ]")
        char = self._next()
        if char != "\\":
            return char
        char = self._next()
        if char.lower() in _CLASSES:
            return _class(char)
        return "\b" if char == "b" else self._literal(char)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _class(char: str) -> Test:
    chars = _CLASSES[char.lower()]
    return one_of(chars) if char.islower() else lambda one: one not in chars


def _union(chars: FrozenSet[str], ranges: List[Tuple[str, str]], tests: List[Test], wanted: bool, fold: bool) -> Test:
    def holds(char: str) -> bool:
        return (
            char in chars or any(low <= char <= high for low, high in ranges) or any(test(char) for test in tests)
        ) is wanted

    def holds_folded(char: str) -> bool:
        small, large = char.lower(), char.upper()
        either = [one in chars or any(low <= one <= high for low, high in ranges) for one in (small, large)]
        return (any(either) or any(test(char) for test in tests)) is wanted

    # What a few characters of ASCII answer is looked up; nothing else is asked often.
    test = holds_folded if fold else holds
    known = frozenset(chr(code) for code in range(128) if test(chr(code)))
    return lambda char: char in known if char < "\x80" else test(char)
