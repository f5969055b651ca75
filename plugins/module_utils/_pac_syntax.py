# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements of a PAC file, from words to a tree."""

from __future__ import annotations

from typing import List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_expression import ExpressionParser, Node
from ansible_collections.egress.allowlist.plugins.module_utils._pac_tokens import tokens

_STATEMENTS = frozenset("if for while do switch break continue return throw try debugger".split())
_DECLARATIONS = ("var", "let", "const")
_UNSUPPORTED = frozenset(("with", "class", "extends", "super", "import", "export", "yield", "enum"))


def parse(text: str) -> Tuple[Node, ...]:
    """The statements of a file; PacError where it is not understood."""
    parser = Parser(tokens(text))
    found: List[Node] = []
    while parser.word.kind != "end":
        found.append(parser.statement())
    return tuple(found)


class Parser(ExpressionParser):
    """Statements. Kinds and parts of the nodes:

    do (expression), declare (keyword, ((name, expression or None), …)), function (name, parameters, statements, arrow),
    if (((condition, statement), …), else or None), block (statements), loop (first, condition, step, statement),
    until (statement, condition), each (declared by, target, of?, expression, statement), switch (expression, cases),
    jump (break or continue, label), label (name, statement), return (expression or None), throw (expression),
    try (statements, name, statements or None, statements or None), empty.
    """

    def statement(self) -> Node:
        self.deeper()
        made = self._statement()
        self.depth -= 1
        return made

    def _statement(self) -> Node:
        word = self.word
        if self.sees("{"):
            return Node("block", word.line, self.body())
        if self.takes(";"):
            return Node("empty", word.line, ())
        if word.kind == "keyword" and word.value in _UNSUPPORTED:
            raise PacError(f"{shown(word.value)} is not supported", word.line)
        if self.sees(*_DECLARATIONS):
            made = self._declaration()
            self._end()
            return made
        if self.takes("function"):
            return self.function(self.name(), word.line)
        if word.kind == "keyword" and word.value in _STATEMENTS:
            other: Node = getattr(self, f"_{self.next().value}")(word.line)
            return other
        if word.kind == "name" and self.words[self.at + 1][:2] == ("mark", ":"):
            self.at += 2
            return Node("label", word.line, (word.value, self.statement()))
        made = Node("do", word.line, (self.expression(),))
        self._end()
        return made

    def body(self) -> Tuple[Node, ...]:
        self.expect("{")
        found: List[Node] = []
        while not self.takes("}"):
            if self.word.kind == "end":
                raise self.unexpected("expected }")
            found.append(self.statement())
        return tuple(found)

    def _end(self) -> None:
        """The end of a statement: a semicolon, or what stands for one."""
        if not self.takes(";") and not (self.sees("}") or self.word.kind == "end" or self.word.breaks):
            raise self.unexpected("expected ;")

    def _declaration(self) -> Node:
        word = self.next()
        found: List[Tuple[str, Optional[Node]]] = []
        while True:
            name = self.name()
            found.append((name, self.assignment() if self.takes("=") else None))
            if not self.takes(","):
                return Node("declare", word.line, (word.value, tuple(found)))

    def _if(self, line: int) -> Node:
        """With all its else ifs in one row."""
        arms = [(self._condition(), self.statement())]
        while self.takes("else"):
            if not self.takes("if"):
                return Node("if", line, (tuple(arms), self.statement()))
            arms.append((self._condition(), self.statement()))
        return Node("if", line, (tuple(arms), None))

    def _condition(self) -> Node:
        self.expect("(")
        return self._inside(")")

    def _while(self, line: int) -> Node:
        return Node("loop", line, (None, self._condition(), None, self.statement()))

    def _do(self, line: int) -> Node:
        statement = self.statement()
        self.expect("while")
        condition = self._condition()
        self.takes(";")
        return Node("until", line, (statement, condition))

    def _for(self, line: int) -> Node:
        self.expect("(")
        each = self._each(line)
        if each is not None:
            return each
        first: Optional[Node] = None
        if self.sees(*_DECLARATIONS):
            first = self._declaration()
        elif not self.sees(";"):
            first = Node("do", line, (self.expression(),))
        self.expect(";")
        condition = None if self.sees(";") else self.expression()
        self.expect(";")
        step = None if self.sees(")") else self.expression()
        self.expect(")")
        return Node("loop", line, (first, condition, step, self.statement()))

    def _each(self, line: int) -> Optional[Node]:
        """for (var name in …) and for (name of …); None where it is another for."""
        declared = self.sees(*_DECLARATIONS)
        name, word = self.words[self.at + declared : self.at + declared + 2]
        if name.kind != "name" or word.value not in ("in", "of") or word.kind == "string":
            return None
        keyword = str(self.next().value) if declared else ""
        self.at += 2
        values = self._inside(")")
        target = Node("name", name.line, (name.value,))
        return Node("each", line, (keyword, target, word.value == "of", values, self.statement()))

    def _switch(self, line: int) -> Node:
        value = self._condition()
        self.expect("{")
        cases: List[Tuple[Optional[Node], Tuple[Node, ...]]] = []
        while not self.takes("}"):
            test: Optional[Node] = None
            if not self.takes("default"):
                self.expect("case")
                test = self.expression()
            self.expect(":")
            statements: List[Node] = []
            while not self.sees("case", "default", "}"):
                statements.append(self.statement())
            cases.append((test, tuple(statements)))
        return Node("switch", line, (value, tuple(cases)))

    def _break(self, line: int) -> Node:
        return self._jump("break", line)

    def _continue(self, line: int) -> Node:
        return self._jump("continue", line)

    def _jump(self, word: str, line: int) -> Node:
        label = self.name() if self.word.kind == "name" and not self.word.breaks else ""
        self._end()
        return Node("jump", line, (word, label))

    def _return(self, line: int) -> Node:
        ends = self.sees(";", "}") or self.word.kind == "end" or self.word.breaks
        value = None if ends else self.expression()
        self._end()
        return Node("return", line, (value,))

    def _throw(self, line: int) -> Node:
        value = self.expression()
        self._end()
        return Node("throw", line, (value,))

    def _try(self, line: int) -> Node:
        attempt = self.body()
        name, handler, last = "", None, None
        if self.takes("catch"):
            if self.takes("("):
                name = self.name()
                self.expect(")")
            handler = self.body()
        if self.takes("finally"):
            last = self.body()
        if handler is None and last is None:
            raise self.unexpected("expected catch or finally")
        return Node("try", line, (attempt, name, handler, last))

    def _debugger(self, line: int) -> Node:
        self._end()
        return Node("empty", line, ())
