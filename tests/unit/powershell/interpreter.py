# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries out the part of PowerShell in which the judging functions of the probe are written.

There is no PowerShell on the machines that test this collection. So the syntax tree of the real files is walked here,
strictly: what this does not know, a missing key and an output that a function would leak are errors. It shows that
the logic is that of the Python side; what a real PowerShell makes of the rest it cannot show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .syntax import Node, functions, parse, text_of, walk
from .values import (
    CASTS,
    METHODS,
    OPERATORS,
    STATICS,
    NotKnownError,
    Properties,
    Table,
    ThrownError,
    as_text,
    enumerated,
    is_true,
    plain_json,
)


class _Return(Exception):  # noqa: N818 - control flow
    pass


class _Continue(Exception):  # noqa: N818 - control flow
    pass


class Interpreter:
    """The functions of some files, to be called from Python."""

    def __init__(self, *paths: Path) -> None:
        self.globals: dict[str, Any] = {"true": True, "false": False, "null": None}
        self.functions: dict[str, Node] = {}
        self._parameters: dict[int, list[Node]] = {}
        for path in paths:
            root = parse(path.read_text(encoding="utf-8"))
            self.functions.update({name.lower(): node for name, node in functions(root).items()})
            self._run_top(root)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function with arguments by their position; its output is unrolled as PowerShell does it."""
        node = self.functions.get(name.lower())
        if node is None:
            raise NotKnownError(f"function {name}")
        return _Frame(self, node).run(list(arguments))

    def read(self, path: Path, name: str) -> Any:
        """The value of a variable that a script sets at its top, out of plain data."""
        root = parse(path.read_text(encoding="utf-8"))
        frame = _Frame(self, root)
        for statement in frame.statements(root):
            if re.match(r"\$\w+ = ", statement.text) and "::" not in statement.text:
                frame.execute(statement)
        return frame.names[name]

    def parameters(self, node: Node) -> list[Node]:
        """The parameters of a function, looked up once."""
        if id(node) not in self._parameters:
            self._parameters[id(node)] = [one for one in walk(node) if one.type == "script_parameter"]
        return self._parameters[id(node)]

    def _run_top(self, root: Node) -> None:
        frame = _Frame(self, root)
        for statement in frame.statements(root):
            if statement.type == "pipeline" and text_of(statement).startswith("$script:"):
                frame.execute(statement)


class _Frame:
    """One call."""

    def __init__(self, outer: Interpreter, node: Node) -> None:
        self.outer = outer
        self.node = node
        self.names: dict[str, Any] = {}
        self.output: list[Any] = []

    def run(self, arguments: list[Any]) -> Any:
        self._bind(arguments)
        try:
            for statement in self.statements(self.node):
                self.execute(statement)
        except _Return:
            pass
        return self.output[0] if len(self.output) == 1 else (self.output or None)

    def statements(self, node: Node) -> Iterator[Node]:
        for child in node.children:
            if child.type in ("script_block", "script_block_body", "statement_list", "statement_block"):
                yield from self.statements(child)
            elif child.is_named and child.type not in ("param_block", "function_name"):
                yield child

    def _bind(self, arguments: list[Any]) -> None:
        parameters = self.outer.parameters(self.node)
        if len(arguments) > len(parameters):
            raise NotKnownError(f"{len(arguments)} arguments for {text_of(self.node)[:40]!r}")
        for index, parameter in enumerate(parameters):
            name = text_of(next(c for c in parameter.children if c.type == "variable"))[1:].lower()
            default = next((c for c in parameter.children if c.type == "script_parameter_default"), None)
            value = arguments[index] if index < len(arguments) else self.ev(default.children[-1]) if default else None
            self.names[name] = value

    def execute(self, node: Node) -> None:
        handler = getattr(self, f"_do_{node.type}", None)
        if handler is None:
            raise NotKnownError(f"statement {node.type}: {text_of(node)[:80]!r}")
        handler(node)

    def _emit(self, value: Any) -> None:
        self.output += value if isinstance(value, list) else [value]

    def _do_pipeline(self, node: Node) -> None:
        if node.children[0].type == "assignment_expression":
            self._assign(node.children[0])
            return
        value = self.ev(node)
        if not (value is None and node.children[0].type == "command"):
            self._emit(value)

    def _do_flow_control_statement(self, node: Node) -> None:
        word = node.children[0].type
        value = self.ev(node.children[1]) if len(node.children) > 1 else None
        if word == "continue":
            raise _Continue
        if word == "throw":
            raise ThrownError(value)
        if len(node.children) > 1:
            self._emit(value)
        raise _Return

    def _do_if_statement(self, node: Node) -> None:
        for branch in self._branches(node):
            condition = next((child for child in branch.children if child.type == "pipeline"), None)
            if condition is None or is_true(self.ev(condition)):
                for statement in self.statements(next(c for c in branch.children if c.type == "statement_block")):
                    self.execute(statement)
                return

    def _branches(self, node: Node) -> Iterator[Node]:
        yield node
        for child in node.children:
            if child.type == "elseif_clauses":
                yield from child.children
            elif child.type == "else_clause":
                yield child

    def _do_foreach_statement(self, node: Node) -> None:
        name = next(text_of(child)[1:].lower() for child in node.children if child.type == "variable")
        items = self.ev(next(child for child in node.children if child.type == "pipeline"))
        body = next(child for child in node.children if child.type == "statement_block")
        for item in enumerated(items):
            self.names[name] = item
            try:
                for statement in self.statements(body):
                    self.execute(statement)
            except _Continue:
                continue

    def _assign(self, node: Node) -> None:
        left, sign, right = node.children
        if text_of(sign) != "=":
            raise NotKnownError(f"assignment {text_of(node)!r}")
        value = self.ev(right)
        target = _core(left)
        if target.type == "variable":
            name = text_of(target)[1:].lower()
            (self.outer.globals if name.startswith("script:") else self.names)[name] = value
        elif target.type == "member_access":
            self.ev(target.children[0])[text_of(target.children[-1])] = value
        elif target.type == "element_access":
            self.ev(target.children[0])[self.ev(target.children[2])] = value
        else:
            raise NotKnownError(f"assignment to {text_of(target)!r}")

    def ev(self, node: Node) -> Any:
        """The value of an expression."""
        handler = getattr(self, f"_ev_{node.type}", None)
        if handler is not None:
            return handler(node)
        if len(node.children) == 1:
            return self.ev(node.children[0])
        if len(node.children) == 3 and node.type.endswith("_expression"):
            return self._binary(*node.children)
        raise NotKnownError(f"{node.type}: {text_of(node)[:80]!r}")

    def _binary(self, left: Node, sign: Node, right: Node) -> Any:
        word = text_of(sign).lower()
        if word in ("-and", "-or"):
            first = is_true(self.ev(left))
            return first if first == (word == "-or") else is_true(self.ev(right))
        if word not in OPERATORS:
            raise NotKnownError(f"operator {word}")
        return OPERATORS[word](self.ev(left), self.ev(right))

    def _ev_array_literal_expression(self, node: Node) -> Any:
        items = [child for child in node.children if child.type != ","]
        return self.ev(items[0]) if len(node.children) == 1 else [self.ev(item) for item in items]

    def _ev_expression_with_unary_operator(self, node: Node) -> Any:
        if node.children[0].type == "cast_expression":
            return self.ev(node.children[0])
        word, value = text_of(node.children[0]), self.ev(node.children[1])
        if word in ("-not", "!"):
            return not is_true(value)
        if word == ",":
            return [value]
        raise NotKnownError(f"operator {word}")

    def _ev_cast_expression(self, node: Node) -> Any:
        word = text_of(node.children[0]).lower()
        if word not in CASTS:
            raise NotKnownError(f"cast {word}")
        return CASTS[word](self.ev(node.children[1]))

    def _ev_variable(self, node: Node) -> Any:
        name = text_of(node)[1:].lower()
        for names in (self.names, self.outer.globals):
            if name in names:
                return names[name]
        raise NotKnownError(f"variable ${name} has no value")

    def _ev_parenthesized_expression(self, node: Node) -> Any:
        return self.ev(node.children[1])

    def _ev_sub_expression(self, node: Node) -> Any:
        """@(…): always a list."""
        inner = _Frame(self.outer, node)
        inner.names = self.names
        for statement in inner.statements(node):
            inner.execute(statement)
        return inner.output

    _ev_array_expression = _ev_sub_expression

    def _ev_hash_literal_expression(self, node: Node) -> Table:
        table = Table()
        body = next((child for child in node.children if child.type == "hash_literal_body"), None)
        for entry in [one for one in body.children if one.type == "hash_entry"] if body else []:
            key, value = entry.children[0], next(c for c in entry.children[2:] if c.is_named)
            table[text_of(key).strip("'\"")] = self.ev(value)
        return table

    def _ev_decimal_integer_literal(self, node: Node) -> int:
        return int(text_of(node))

    def _ev_hexadecimal_integer_literal(self, node: Node) -> int:
        return int(text_of(node), 16)

    def _ev_real_literal(self, node: Node) -> float:
        return float(text_of(node))

    def _ev_verbatim_string_characters(self, node: Node) -> str:
        return text_of(node)[1:-1].replace("''", "'")

    def _ev_verbatim_here_string_characters(self, node: Node) -> str:
        return text_of(node)[2:-2].strip("\n")

    def _ev_expandable_string_literal(self, node: Node) -> str:
        text = text_of(node)[1:-1]
        escapes = {"`r": "\r", "`n": "\n", "`t": "\t"}

        def value(found: re.Match[str]) -> str:
            word = found.group()
            return escapes.get(word, word[1:]) if word[0] == "`" else as_text(self._named(word[1:].strip("{}")))

        if "$(" in text:
            raise NotKnownError("$( in a string")
        return re.sub(r"`.|\$\{?\w+\}?", value, text)

    def _named(self, name: str) -> Any:
        return self.names[name.lower()]

    def _ev_member_access(self, node: Node) -> Any:
        return self._member(self.ev(node.children[0]), text_of(node.children[-1]))

    def _member(self, value: Any, name: str) -> Any:
        plain = name.lower()
        if isinstance(value, Table):
            return list(value) if plain == "keys" else len(value) if plain == "count" else value[plain]
        if isinstance(value, (list, str)) and plain in ("count", "length"):
            return len(value) if isinstance(value, list) or plain == "length" else 1
        if isinstance(value, Properties):
            return value if plain in ("psobject", "properties") else value.items[name]
        if value is not None and hasattr(value, plain):
            return getattr(value, plain)
        raise NotKnownError(f".{name} of {value!r}")

    def _ev_element_access(self, node: Node) -> Any:
        owner, index = self.ev(node.children[0]), self.ev(node.children[2])
        return owner.property(index) if isinstance(owner, Properties) else owner[index]

    def _ev_invokation_expression(self, node: Node) -> Any:
        owner, sign, name = node.children[0], text_of(node.children[1]), text_of(node.children[2]).lower()
        arguments = [self.ev(one) for one in _walk_arguments(node.children[-1])]
        if sign == "::":
            return STATICS[f"{text_of(owner).strip('[]').lower()}.{name}"](*arguments)
        value = self.ev(owner)
        if value is None or name not in METHODS:
            raise NotKnownError(f"{name}() of {value!r}")
        return METHODS[name](value, *arguments)

    def _ev_command(self, node: Node) -> Any:
        name = text_of(node.children[0])
        elements = node.children[1].children if len(node.children) > 1 else []
        arguments = [self.ev(one) for one in elements if one.type != "command_argument_sep"]
        if name.lower() == "convertfrom-json":
            return plain_json(json.loads(arguments[0]))
        return self.outer.call(name, *arguments)


def _core(node: Node) -> Node:
    while len(node.children) == 1 and node.type not in ("variable", "member_access", "element_access"):
        node = node.children[0]
    return node


def _walk_arguments(node: Node) -> list[Node]:
    found = next((child for child in node.children if child.type == "argument_expression_list"), None)
    return [child for child in found.children if child.type != ","] if found else []
