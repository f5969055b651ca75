# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the tree to Python functions: operators, properties, calls."""

from __future__ import annotations

from typing import Any, List

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_compile import ValueCompiler, at_line
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError, Thrown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_expression import Node
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import (
    BINARY,
    UNARY,
    to_boolean,
    to_number,
    to_text,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_realm import Code, Scope
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    UNDEFINED,
    JsObject,
    Native,
    Value,
    type_name,
)


class ExpressionCompiler(ValueCompiler):
    """Makes a function of each expression that does something."""

    def _comma(self, node: Node) -> Code:
        items = self.all(node.parts)
        return lambda scope: [item(scope) for item in items][-1]

    def _assign(self, node: Node) -> Code:
        operator, target, source = node.parts
        if target.kind == "member":
            return self._assign_member(node)
        value, line = self.expression(source), node.line
        put = self.variable_setter(target.parts[0], line)
        if operator:
            change, before, plain = BINARY[operator], self.expression(target), value

            def value(scope: Scope) -> Value:
                return at_line(line, lambda: change(scope.realm, before(scope), plain(scope)))

        def assign(scope: Scope) -> Value:
            found = value(scope)
            put(scope, found)
            return found

        return assign

    def _assign_member(self, node: Node) -> Code:
        operator, target, line = node.parts[0], node.parts[1], node.line
        owner, key, value = self.all((*target.parts, node.parts[2]))
        change = BINARY.get(operator)

        def assign(scope: Scope) -> Value:
            realm = scope.realm
            try:
                one, name = owner(scope), key(scope)
                found = value(scope) if change is None else change(realm, realm.get(one, name), value(scope))
                realm.put(one, name, found)
            except Thrown as thrown:
                thrown.line = thrown.line or line
                raise
            return found

        return assign

    def _step(self, node: Node) -> Code:
        amount, target, after = node.parts
        line = node.line
        if target.kind == "member":
            owner, key = self.all(target.parts)

            def step_member(scope: Scope) -> Value:
                one, name = owner(scope), key(scope)
                found = to_number(scope.realm, at_line(line, lambda: scope.realm.get(one, name)))
                scope.realm.put(one, name, found + amount)
                return found if after else found + amount

            return step_member
        before, put = self.expression(target), self.variable_setter(target.parts[0], line)

        def step(scope: Scope) -> Value:
            found = to_number(scope.realm, before(scope))
            put(scope, found + amount)
            return found if after else found + amount

        return step

    def _choose(self, node: Node) -> Code:
        arms = [(self.expression(condition), self.expression(value)) for condition, value in node.parts[0]]
        otherwise = self.expression(node.parts[1])

        def choose(scope: Scope) -> Value:
            for condition, value in arms:
                if to_boolean(condition(scope)):
                    return value(scope)
            return otherwise(scope)

        return choose

    def _row(self, node: Node) -> Code:
        operator, items = node.parts[0], self.all(node.parts[1])
        wanted = operator == "||"

        def decide(scope: Scope) -> Value:
            found: Value = UNDEFINED
            for item in items:
                found = item(scope)
                if to_boolean(found) is wanted:
                    break
            return found

        def total(scope: Scope) -> Value:
            found = items[0](scope)
            for item in items[1:]:
                found = add(scope.realm, found, item(scope))
            return found

        add = BINARY["+"]
        return total if operator == "+" else decide

    def _binary(self, node: Node) -> Code:
        operator, line = BINARY[node.parts[0]], node.line
        left, right = self.expression(node.parts[1]), self.expression(node.parts[2])

        def work(scope: Scope) -> Value:
            try:
                return operator(scope.realm, left(scope), right(scope))
            except Thrown as thrown:
                thrown.line = thrown.line or line
                raise

        return work

    def _unary(self, node: Node) -> Code:
        word, operand = node.parts
        if word == "typeof" and operand.kind == "name" and self.place(operand.parts[0])[0] == -1:
            name = operand.parts[0]
            return lambda scope: type_name(scope.realm.scope.variables.get(name, UNDEFINED))
        if word == "delete":
            return self._delete(operand)
        work, value = UNARY[word], self.expression(operand)
        return lambda scope: work(scope.realm, value(scope))

    def _delete(self, operand: Node) -> Code:
        if operand.kind != "member":
            raise PacError("only a property can be deleted", operand.line)
        owner, key = self.expression(operand.parts[0]), self.expression(operand.parts[1])

        def delete(scope: Scope) -> Value:
            found = owner(scope)
            if isinstance(found, JsObject):
                found.delete(to_text(scope.realm, key(scope)))
            return True

        return delete

    # Properties and calls

    def _member(self, node: Node) -> Code:
        owner, key, line = self.expression(node.parts[0]), self.expression(node.parts[1]), node.line

        def get(scope: Scope) -> Value:
            try:
                return scope.realm.get(owner(scope), key(scope))
            except Thrown as thrown:
                thrown.line = thrown.line or line
                raise

        return get

    def _call(self, node: Node) -> Code:
        target, arguments, line = node.parts[0], self.all(node.parts[1]), node.line
        if target.kind == "member":
            return self._method_call(target, arguments, line)
        callee, label = self.expression(target), shown(str(target.parts[0])) if target.kind == "name" else "this"

        def call(scope: Scope) -> Value:
            function = callee(scope)
            realm = scope.realm
            try:
                if isinstance(function, Native):
                    return function.code(realm, UNDEFINED, [argument(scope) for argument in arguments])
                _must_be_function(realm, function, label)
                return realm.call(function, realm.outer, [argument(scope) for argument in arguments])
            except Thrown as thrown:
                thrown.line = thrown.line or line
                raise

        return call

    def _method_call(self, target: Node, arguments: List[Code], line: int) -> Code:
        owner, key = self.expression(target.parts[0]), self.expression(target.parts[1])

        def call(scope: Scope) -> Value:
            realm = scope.realm
            try:
                this, name = owner(scope), key(scope)
                realm.line = line
                function = realm.get(this, name)
                _must_be_function(realm, function, name)
                return realm.call(function, this, [argument(scope) for argument in arguments])
            except Thrown as thrown:
                thrown.line = thrown.line or line
                raise

        return call

    def _new(self, node: Node) -> Code:
        callee, arguments, line = self.expression(node.parts[0]), self.all(node.parts[1]), node.line
        return lambda scope: at_line(
            line, lambda: scope.realm.construct(callee(scope), [argument(scope) for argument in arguments])
        )


def _must_be_function(realm: Any, value: Value, name: Value) -> None:
    if type_name(value) != "function":
        raise realm.error("TypeError", f"{to_text(realm, name)[:60]} is not a function")
