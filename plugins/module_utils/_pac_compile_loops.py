# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the tree to Python functions: loops, and how they are left."""

from __future__ import annotations

from typing import Callable, Iterator, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_compile import Names
from ansible_collections.egress.allowlist.plugins.module_utils._pac_compile_operators import ExpressionCompiler
from ansible_collections.egress.allowlist.plugins.module_utils._pac_expression import Node
from ansible_collections.egress.allowlist.plugins.module_utils._pac_names import declared
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import to_boolean
from ansible_collections.egress.allowlist.plugins.module_utils._pac_realm import Code, Jump, Scope
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import JsArray, Value, type_name

Setter = Callable[[Scope, Value], None]
Statement = Callable[[Scope], Optional[Jump]]
BREAK, CONTINUE = Jump("break"), Jump("continue")


class LoopCompiler(ExpressionCompiler):
    """Makes a function of each loop, which knows what one turn costs."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: Tuple[str, ...] = ()  # those right before the statement that is made

    def statement(self, node: Node) -> Code:
        """A statement; the class below knows them."""
        raise NotImplementedError

    def first_setter(self, name: str) -> Setter:
        """Also a constant is set once."""
        out, _how = self.place(name)

        def put(scope: Scope, value: Value) -> None:
            _scope_at(scope, out).variables[name] = value

        return put

    def _do_label(self, node: Node) -> Code:
        label = node.parts[0]
        self.labels = (*self.labels, label)
        body = self.statement(node.parts[1])

        def run(scope: Scope) -> Optional[Jump]:
            jump: Optional[Jump] = body(scope)
            return None if jump is not None and (jump.word, jump.label) == ("break", label) else jump

        return run

    def _do_jump(self, node: Node) -> Code:
        word, label = node.parts
        jump = Jump(word, label) if label else (BREAK if word == "break" else CONTINUE)
        return lambda _scope: jump

    def _do_loop(self, node: Node) -> Code:
        labels, self.labels = ("", *self.labels), ()
        first, condition, step, body = node.parts
        names = [name for name, how in declared([first] if first else [], False) if how != "var"]
        around, count = self.names, self.count
        if names:
            self.names = Names(around)
            self.names.declared.update(dict.fromkeys(names, "let"))
        start = self.statement(first) if first else None
        test = self.expression(condition) if condition else None
        turn = self.statement(body)
        after = self.expression(step) if step else None
        self.names = around
        cost, line = self.count - count + 2, node.line

        def run(scope: Scope) -> Optional[Jump]:
            realm = scope.realm
            scope = inner_scope(scope) if names else scope
            if start:
                start(scope)
            while test is None or to_boolean(test(scope)):
                realm.line = line
                realm.steps.spend(cost)
                jump: Optional[Jump] = turn(scope)
                if jump is not None and not _continues(jump, labels):
                    return _after_loop(jump, labels)
                if names:  # functions that were made in this turn keep its variables
                    scope = Scope(scope.variables.copy(), scope.parent, realm, scope.this)
                if after:
                    after(scope)
            return None

        return run

    def _do_until(self, node: Node) -> Code:
        labels, self.labels = ("", *self.labels), ()
        count = self.count
        body, test = self.statement(node.parts[0]), self.expression(node.parts[1])
        cost, line = self.count - count + 2, node.line

        def run(scope: Scope) -> Optional[Jump]:
            while True:
                scope.realm.line = line
                scope.realm.steps.spend(cost)
                jump: Optional[Jump] = body(scope)
                if jump is not None and not _continues(jump, labels):
                    return _after_loop(jump, labels)
                if not to_boolean(test(scope)):
                    return None

        return run

    def _do_each(self, node: Node) -> Code:
        labels, self.labels = ("", *self.labels), ()
        keyword, target, of_values, source, body = node.parts
        values = self.expression(source)
        own = keyword in ("let", "const")
        around, count = self.names, self.count
        if own:
            self.names = Names(around)
            self.names.declared[target.parts[0]] = "let"
        put = self.first_setter(target.parts[0])
        turn = self.statement(body)
        self.names = around
        cost, line = self.count - count + 2, node.line

        def run(scope: Scope) -> Optional[Jump]:
            realm = scope.realm
            for value in _items(scope, values(scope), of_values, line):
                realm.line = line
                realm.steps.spend(cost)
                inner = inner_scope(scope) if own else scope
                put(inner, value)
                jump: Optional[Jump] = turn(inner)
                if jump is not None and not _continues(jump, labels):
                    return _after_loop(jump, labels)
            return None

        return run


def inner_scope(scope: Scope) -> Scope:
    return Scope({}, scope, scope.realm, scope.this)


def _scope_at(scope: Scope, out: int) -> Scope:
    if out < 0:
        return scope.realm.scope
    while out:
        scope = scope.parent  # type: ignore[assignment] # as deep as the compiler has counted
        out -= 1
    return scope


def _continues(jump: Jump, labels: Tuple[str, ...]) -> bool:
    return jump.word == "continue" and jump.label in labels


def _after_loop(jump: Jump, labels: Tuple[str, ...]) -> Optional[Jump]:
    return None if jump.word == "break" and jump.label in labels else jump


def _items(scope: Scope, value: Value, of_values: bool, line: int) -> Iterator[Value]:
    if not of_values:
        yield from scope.realm.names(value)
    elif isinstance(value, JsArray):
        index = 0
        while index < len(value.items):  # also those that are added meanwhile
            yield value.items[index]
            index += 1
    elif isinstance(value, str):
        yield from value
    else:
        thrown = scope.realm.error("TypeError", f"for-of wants an array or a text, not {type_name(value)}")
        thrown.line = line
        raise thrown
