# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a PAC file: JavaScript of ECMAScript 5, and what newer files have of let, const, => and templates."""

from __future__ import annotations

import re
from typing import Any, List, Match, NamedTuple, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError

KEYWORDS = frozenset(
    "break case catch const continue debugger default delete do else false finally for function if in instanceof let"
    " new null return switch this throw true try typeof var void while with class extends super import export yield"
    " enum".split()
)
# No pattern here can backtrack: the alternatives of each repetition exclude each other.
_WORD = re.compile(
    r"""(?P<blank>[ \t\v\f\xa0\ufeff]+|//[^\n\r\u2028\u2029]*)
    |(?P<break>\r\n?|[\n\u2028\u2029])
    |(?P<comment>/\*)
    |(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<name>[^\W\d][\w$]*|\$[\w$]*)
    |(?P<string>"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*')
    |(?P<template>`)
    |(?P<mark>>>>=|===|!==|>>>|<<=|>>=|=>|==|!=|<=|>=|&&|\|\||\+\+|--|\+=|-=|\*=|/=|%=|&=|\|=|\^=|<<|>>
        |[{}()\[\];,<>+\-*/%&|^!~?:=.])""",
    re.VERBOSE,
)
_REGEX = re.compile(r"/((?:[^/\\\[\n\r]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+)/([A-Za-z]*)")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(\r\n|[\s\S]))")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_NEWLINES = ("\n", "\r", "\r\n", "\u2028", "\u2029")
_VALUES = ("name", "number", "string", "regex", "template")
_DEEPEST_TEMPLATE = 4


class Token(NamedTuple):
    """A word: its kind (name, keyword, number, string, regex, template, mark, end), what it stands for, and where."""

    kind: str
    value: Any
    line: int
    breaks: bool  # a line ends between the word before and this one


def tokens(text: str) -> List[Token]:
    """All words of a file, the last one of kind V(end); PacError for what is none."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.found


class _Scanner:
    def __init__(self, text: str, at: int = 0, line: int = 1, depth: int = 0) -> None:
        self.text = text
        self.at = at
        self.line = line
        self.found: List[Token] = []
        self._breaks = False
        self._depth = depth
        self._heads: List[bool] = []  # for each open parenthesis: is it the head of an if, for, while?
        self._closed_head = False  # the same for the one that was closed last

    def scan(self, until_brace: bool = False) -> None:
        """To the end of the text, or to the } that closes a piece of a template."""
        braces = 0
        while self.at < len(self.text):
            match = _WORD.match(self.text, self.at)
            if match is None:
                raise PacError(f"{shown(self.text[self.at : self.at + 20])} is not understood", self.line)
            if until_brace and match.group() == "}" and braces == 0:
                break
            braces += {"{": 1, "}": -1}.get(match.group(), 0)
            self._take(match)
        self._add("end", "")

    def _take(self, match: Match[str]) -> None:
        kind, word = str(match.lastgroup), match.group()
        if kind == "mark" and word in ("/", "/=") and self._may_be_regex():
            self._regex()
            return
        self.at = match.end()
        if kind == "break":
            self.line += 1
            self._breaks = True
        elif kind == "comment":
            self._comment()
        elif kind == "template":
            self._add(kind, self._template())
        elif kind != "blank":
            self._add(*_word(kind, word, self.line))
            self.line += word.count("\n") if kind == "string" else 0

    def _add(self, kind: str, value: Any) -> None:
        if kind == "mark" and value == "(":
            self._heads.append(bool(self.found) and self.found[-1].value in ("if", "for", "while"))
        elif kind == "mark" and value == ")" and self._heads:
            self._closed_head = self._heads.pop()
        self.found.append(Token(kind, value, self.line, self._breaks))
        self._breaks = False

    def _comment(self) -> None:
        end = self.text.find("*/", self.at)
        if end < 0:
            raise PacError("a comment /* has no end", self.line)
        lines = self.text.count("\n", self.at, end)
        self._breaks = self._breaks or bool(lines)
        self.line += lines
        self.at = end + 2

    def _may_be_regex(self) -> bool:
        """A slash after a value divides; anywhere else it begins a regular expression."""
        if not self.found:
            return True
        last = self.found[-1]
        if last.kind == "mark" and last.value == ")":
            return self._closed_head
        return not (last.kind in _VALUES or last.value in ("]", "this", "null", "true", "false"))

    def _regex(self) -> None:
        match = _REGEX.match(self.text, self.at)
        if match is None:
            raise PacError("a regular expression has no end", self.line)
        self.at = match.end()
        self._add("regex", (match.group(1), match.group(2)))

    def _template(self) -> List[Any]:
        """Its pieces: texts, and lists of words."""
        pieces: List[Any] = []
        start = self.at
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "\\":
                self.at += 2
            elif char == "`":
                pieces.append(unescaped(self.text[start : self.at]))
                self.at += 1
                return pieces
            elif self.text.startswith("${", self.at):
                pieces += [unescaped(self.text[start : self.at]), self._embedded()]
                start = self.at
            else:
                self.line += char == "\n"
                self.at += 1
        raise PacError("a template ` has no end", self.line)

    def _embedded(self) -> List[Token]:
        if self._depth >= _DEEPEST_TEMPLATE:
            raise PacError("templates are nested too deep", self.line)
        inner = _Scanner(self.text, self.at + 2, self.line, self._depth + 1)
        inner.scan(until_brace=True)
        self.at, self.line = inner.at + 1, inner.line
        return inner.found


def _word(kind: str, word: str, line: int) -> Tuple[str, Any]:
    if kind == "name":
        return ("keyword" if word in KEYWORDS else "name", word)
    if kind == "string":
        return (kind, unescaped(word[1:-1]))
    if kind == "number":
        return (kind, _number(word, line))
    return (kind, word)


def _number(word: str, line: int) -> float:
    if len(word) > 200:
        raise PacError("a number of more than 200 digits", line)
    if word[:2] in ("0x", "0X"):
        return float(int(word, 16))
    if re.fullmatch("0[0-7]+", word):  # as browsers read it in scripts that are not strict
        return float(int(word, 8))
    try:
        return float(word)
    except ValueError:
        raise PacError(f"{shown(word)} is no number", line) from None


def unescaped(text: str) -> str:
    """The text that a string literal stands for."""
    return _ESCAPE.sub(_escaped, text) if "\\" in text else text


def _escaped(match: Match[str]) -> str:
    code: Optional[str] = match.group(1) or match.group(2) or match.group(3)
    if code is not None:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    char = match.group(4)
    return "" if char in _NEWLINES else _ESCAPES.get(char, char)
