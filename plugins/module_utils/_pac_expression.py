# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Expressions of a PAC file, from words to a tree."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError, PacLimitError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_tokens import Token

_DEEPEST = 60  # of Python's own stack, which is never made larger here, each level takes a dozen frames
_ASSIGNMENTS = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>=")
_UNARY = ("!", "-", "+", "~", "typeof", "void", "delete")
_RANKS = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!=", "===", "!=="),
    ("<", ">", "<=", ">=", "in", "instanceof"),
    ("<<", ">>", ">>>"),
    ("+", "-"),
    ("*", "/", "%"),
)
_RANK: Dict[str, int] = {word: rank for rank, words in enumerate(_RANKS) for word in words}
# Long rows of these are usual, and one node for a row keeps the tree flat.
_ROWS = ("||", "&&", "+")


class Node(NamedTuple):
    """A place in the tree: what it is, the line where it begins, and its parts, which depend on the kind."""

    kind: str
    line: int
    parts: Tuple[Any, ...]


class ExpressionParser:
    """Reads expressions; statements are the business of the class below it."""

    def __init__(self, words: List[Token]) -> None:
        self.words = words
        self.at = 0
        self.depth = 0
        self._closing = _closings(words)

    @property
    def word(self) -> Token:
        return self.words[self.at]

    def next(self) -> Token:
        word = self.words[self.at]
        if word.kind != "end":
            self.at += 1
        return word

    def sees(self, *values: str) -> bool:
        """Is the next word a mark or keyword of these?"""
        word = self.words[self.at]
        return word.kind in ("mark", "keyword") and word.value in values

    def takes(self, *values: str) -> bool:
        found = self.sees(*values)
        self.at += found
        return found

    def expect(self, value: str) -> Token:
        if not self.sees(value):
            raise self.unexpected(f"expected {value}")
        return self.next()

    def unexpected(self, wanted: str = "") -> PacError:
        word = self.word
        if word.kind == "end":
            found = "the file ends too early"
        elif word.kind in ("mark", "name", "keyword"):
            found = f"{shown(word.value)} is not understood here"
        else:
            found = f"a {word.kind} is not understood here"
        return PacError(f"{found}, {wanted}" if wanted else found, word.line)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PacLimitError("nested too deep", self.word.line)

    def name(self) -> str:
        if self.word.kind != "name":
            raise self.unexpected("expected a name")
        return str(self.next().value)

    def expression(self) -> Node:
        """One or more, parted by commas."""
        first = self.assignment()
        if not self.sees(","):
            return first
        items = [first]
        while self.takes(","):
            items.append(self.assignment())
        return Node("comma", first.line, tuple(items))

    def assignment(self) -> Node:
        self.deeper()
        made = self._arrow() if self._sees_arrow() else self._assigned()
        self.depth -= 1
        return made

    def _assigned(self) -> Node:
        left = self._conditional()
        if not self.sees(*_ASSIGNMENTS):
            return left
        if left.kind not in ("name", "member"):
            raise PacError("only a variable or a property can be assigned to", left.line)
        operator = str(self.next().value)[:-1]
        return Node("assign", left.line, (operator, left, self.assignment()))

    def _conditional(self) -> Node:
        """a ? b : c ? d : e as one node, however long."""
        first = self._binary(0)
        line = first.line
        arms: List[Tuple[Node, Node]] = []
        while self.takes("?"):
            then = self.assignment()
            self.expect(":")
            arms.append((first, then))
            if self._sees_arrow():
                first = self._arrow()
                break
            first = self._binary(0)
        if not arms:
            return first
        if self.sees(*_ASSIGNMENTS):
            raise self.unexpected()
        return Node("choose", line, (tuple(arms), first))

    def _binary(self, rank: int) -> Node:
        """Precedence climbing: only as deep as the expression needs."""
        left = self._unary()
        while True:
            word = self.word
            mine = _RANK.get(word.value, -1) if word.kind in ("mark", "keyword") else -1
            if mine < rank:
                return left
            self.next()
            right = self._binary(mine + 1)
            if word.value in _ROWS and left.kind == "row" and left.parts[0] == word.value:
                left.parts[1].append(right)
            elif word.value in _ROWS:
                left = Node("row", left.line, (word.value, [left, right]))
            else:
                left = Node("binary", left.line, (word.value, left, right))

    def _unary(self) -> Node:
        word = self.word
        if self.takes(*_UNARY):
            self.deeper()
            made = Node("unary", word.line, (word.value, self._unary()))
            self.depth -= 1
            return made
        if self.takes("++", "--"):
            return self._step(self._calls(self._primary()), word, False)
        value = self._calls(self._primary())
        if self.sees("++", "--") and not self.word.breaks:
            return self._step(value, self.next(), True)
        return value

    def _step(self, target: Node, word: Token, after: bool) -> Node:
        if target.kind not in ("name", "member"):
            raise PacError(f"{word.value} wants a variable or a property", word.line)
        return Node("step", word.line, (1.0 if word.value == "++" else -1.0, target, after))

    def _calls(self, value: Node) -> Node:
        """What follows a value: .name, [index], (arguments)."""
        length = 0
        while True:
            line = self.word.line
            if self.takes("."):
                value = Node("member", line, (value, Node("text", line, (self._property(),))))
            elif self.takes("["):
                value = Node("member", line, (value, self._inside("]")))
            elif self.sees("("):
                value = Node("call", line, (value, self._arguments()))
            elif self.word.kind == "template":
                raise PacError("tagged templates are not supported", line)
            else:
                return value
            length += 1
            if length > _DEEPEST:
                raise PacLimitError("a chain of calls is too long", line)

    def _inside(self, end: str) -> Node:
        value = self.expression()
        self.expect(end)
        return value

    def _property(self) -> str:
        if self.word.kind not in ("name", "keyword"):
            raise self.unexpected("expected the name of a property")
        return str(self.next().value)

    def _arguments(self) -> Tuple[Node, ...]:
        self.expect("(")
        found: List[Node] = []
        while not self.takes(")"):
            found.append(self.assignment())
            if not self.sees(")"):
                self.expect(",")
        return tuple(found)

    def _primary(self) -> Node:
        word = self.next()
        if word.kind in ("name", "number", "regex"):
            return Node(word.kind, word.line, (word.value,))
        if word.kind == "string":
            return Node("text", word.line, (word.value,))
        if word.kind == "template":
            return Node("template", word.line, (tuple(self._piece(piece) for piece in word.value),))
        makers = {"(": self._paren, "[": self._array, "{": self._object, "new": self._new, "function": self._function}
        if word.kind in ("mark", "keyword") and word.value in makers:
            made: Node = makers[word.value](word.line)
            return made
        if word.kind == "keyword" and word.value in ("this", "null", "true", "false"):
            return Node("constant", word.line, (word.value,))
        self.at -= word.kind != "end"
        raise self.unexpected()

    def _piece(self, piece: Any) -> Node:
        if isinstance(piece, str):
            return Node("text", self.word.line, (piece,))
        inner = ExpressionParser(piece)
        inner.depth = self.depth
        value = inner.expression()
        if inner.word.kind != "end":
            raise inner.unexpected()
        return value

    def _paren(self, _line: int) -> Node:
        return self._inside(")")

    def _array(self, line: int) -> Node:
        items: List[Node] = []
        while not self.takes("]"):
            items.append(Node("hole", line, ()) if self.sees(",") else self.assignment())
            if not self.sees("]"):
                self.expect(",")
        return Node("array", line, tuple(items))

    def _object(self, line: int) -> Node:
        items: List[Tuple[str, Node]] = []
        while not self.takes("}"):
            word = self.next()
            if word.kind not in ("name", "keyword", "string", "number"):
                self.at -= 1
                raise self.unexpected("expected the name of a property")
            if self.sees("("):
                items.append((_key(word), self._method(word)))
            elif word.kind == "name" and self.sees(",", "}"):
                items.append((_key(word), Node("name", word.line, (word.value,))))
            else:
                self.expect(":")
                items.append((_key(word), self.assignment()))
            if not self.sees("}"):
                self.expect(",")
        return Node("object", line, tuple(items))

    def _new(self, line: int) -> Node:
        callee = self._new(self.next().line) if self.sees("new") else self._primary()
        while self.sees(".", "["):
            if self.takes("."):
                callee = Node("member", line, (callee, Node("text", line, (self._property(),))))
            else:
                self.next()
                callee = Node("member", line, (callee, self._inside("]")))
        return Node("new", line, (callee, self._arguments() if self.sees("(") else ()))

    # Functions: their parts are name, parameters, statements, arrow?

    def _function(self, line: int) -> Node:
        name = self.name() if self.word.kind == "name" else ""
        return self.function(name, line)

    def _method(self, word: Token) -> Node:
        return self.function(_key(word), word.line)

    def function(self, name: str, line: int) -> Node:
        """What follows the word function and its name."""
        self.expect("(")
        parameters: List[str] = []
        while not self.takes(")"):
            parameters.append(self.name())
            if not self.sees(")"):
                self.expect(",")
        return Node("function", line, (name, tuple(parameters), self.body(), False))

    def body(self) -> Tuple[Node, ...]:
        """Statements in braces."""
        raise PacError("a function inside a template is not supported", self.word.line)

    def _sees_arrow(self) -> bool:
        """Does an arrow function begin here: x => …, or (x, y) => …?"""
        if self.word.kind == "name":
            after = self.at + 1
        elif self.sees("("):
            after = self._closing.get(self.at, self.at) + 1
        else:
            return False
        return after < len(self.words) and self.words[after].kind == "mark" and self.words[after].value == "=>"

    def _arrow(self) -> Node:
        line = self.word.line
        parameters: List[str] = []
        if self.takes("("):
            while not self.takes(")"):
                parameters.append(self.name())
                if not self.sees(")"):
                    self.expect(",")
        else:
            parameters.append(self.name())
        self.expect("=>")
        if self.sees("{"):
            return Node("function", line, ("", tuple(parameters), self.body(), True))
        value = self.assignment()
        return Node("function", line, ("", tuple(parameters), (Node("return", value.line, (value,)),), True))


def _key(word: Token) -> str:
    if word.kind != "number":
        return str(word.value)
    return str(int(word.value)) if word.value.is_integer() else repr(word.value)


def _closings(words: List[Token]) -> Dict[int, int]:
    """For each open parenthesis the one that closes it."""
    found: Dict[int, int] = {}
    waiting: List[int] = []
    for index, word in enumerate(words):
        if word.kind == "mark" and word.value == "(":
            waiting.append(index)
        elif word.kind == "mark" and word.value == ")" and waiting:
            found[waiting.pop()] = index
    return found
