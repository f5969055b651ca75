# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the tree to Python functions: statements. Each gives None when it just ended, or how it ended instead."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_compile import Names
from ansible_collections.egress.allowlist.plugins.module_utils._pac_compile_loops import (
    BREAK,
    LoopCompiler,
    Setter,
    Statement,
    inner_scope,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import Thrown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_expression import Node
from ansible_collections.egress.allowlist.plugins.module_utils._pac_names import declared
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import same, to_boolean
from ansible_collections.egress.allowlist.plugins.module_utils._pac_realm import Code, Jump, Scope, Template
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import UNDEFINED


def compile_file(statements: Sequence[Node]) -> Template:
    """A whole file as one function; its variables are those of the realm."""
    return StatementCompiler().file(statements)


class StatementCompiler(LoopCompiler):
    """Makes a function of each statement."""

    def file(self, statements: Sequence[Node]) -> Template:
        template = Template("", (), 0, False)
        for name, how in declared(statements, True):
            if how == "const":
                self.constants[name] = how
            elif how == "var":
                template.variables[name] = UNDEFINED
        self._fill(template, statements)
        return template

    def template(self, node: Node, expression: bool = False) -> Template:
        name, parameters, statements, arrow = node.parts
        made = Template(name, parameters, node.line, arrow)
        around, count = self.names, self.count
        self.names, self.count = Names(around, made), 0
        self.names.declared.update(dict.fromkeys(parameters, "parameter"))
        made.variables.update(dict.fromkeys(parameters, UNDEFINED))
        for inner, how in declared(statements, True):
            self.names.declared[inner] = how
            if how == "var":
                made.variables[inner] = UNDEFINED
        if expression and name and name not in self.names.declared:
            self.names.declared[name] = "var"
            made.knows_itself = True
        self._fill(made, statements)
        self.names, self.count = around, count
        return made

    def _fill(self, template: Template, statements: Sequence[Node]) -> None:
        for node in statements:
            if node.kind == "function":
                template.functions.append((node.parts[0], self.template(node)))
        template.code = self.statements(statements)
        template.cost = self.count + 1

    def statements(self, nodes: Sequence[Node]) -> List[Code]:
        return [self.statement(node) for node in nodes if node.kind not in ("function", "empty")]

    def statement(self, node: Node) -> Code:
        self.count += 1
        if node.kind not in ("loop", "until", "each", "label"):
            self.labels = ()
        made: Code = getattr(self, f"_do_{node.kind}")(node)
        return made

    def _do_do(self, node: Node) -> Code:
        value = self.expression(node.parts[0])

        def run(scope: Scope) -> None:
            value(scope)

        return run

    def _do_empty(self, _node: Node) -> Code:
        return lambda _scope: None

    def _do_function(self, node: Node) -> Code:
        """One that stands alone behind an if."""
        return self._do_block(Node("block", node.line, (node,)))

    def _do_declare(self, node: Node) -> Code:
        keyword, names = node.parts
        work: List[Tuple[Setter, Code]] = []
        for name, value in names:
            if value is not None:
                work.append((self.first_setter(name), self.expression(value)))
            elif keyword != "var":
                work.append((self.first_setter(name), lambda _scope: UNDEFINED))

        def run(scope: Scope) -> None:
            for put, value in work:
                put(scope, value(scope))

        return run

    def _do_if(self, node: Node) -> Code:
        arms: List[Tuple[Code, Statement]] = [
            (self.expression(condition), self.statement(then)) for condition, then in node.parts[0]
        ]
        otherwise = self.statement(node.parts[1]) if node.parts[1] else None

        def run(scope: Scope) -> Optional[Jump]:
            for condition, then in arms:
                if to_boolean(condition(scope)):
                    return then(scope)
            return otherwise(scope) if otherwise else None

        return run

    def _do_block(self, node: Node) -> Code:
        return self._block(node.parts)

    def _block(self, nodes: Sequence[Node], also: Sequence[str] = ()) -> Code:
        """Statements in braces; a scope of their own only where they declare something that ends with them."""
        names = [name for name, how in declared(nodes, False) if how != "var"]
        functions = [node for node in nodes if node.kind == "function"]
        own = bool(names or also)
        around = self.names
        if own:
            self.names = Names(around)
            self.names.declared.update(dict.fromkeys(also, "let"))
            self.names.declared.update({name: how for name, how in declared(nodes, False) if how != "var"})
        made = [(self.first_setter(node.parts[0]), self.template(node)) for node in functions]
        code = self.statements(nodes)
        self.names = around

        def run(scope: Scope) -> Optional[Jump]:
            for put, template in made:
                put(scope, scope.realm.function(template, scope))
            for statement in code:
                jump: Optional[Jump] = statement(scope)
                if jump is not None:
                    return jump
            return None

        return (lambda scope: run(inner_scope(scope))) if own and not also else run

    # Other statements

    def _do_switch(self, node: Node) -> Code:
        value = self.expression(node.parts[0])
        tests: List[Tuple[int, Code]] = []
        code: List[Code] = []
        default: Optional[int] = None
        for test, statements in node.parts[1]:
            if test is None:
                default = len(code)
            else:
                tests.append((len(code), self.expression(test)))
            code += self.statements(statements)

        def run(scope: Scope) -> Optional[Jump]:
            found = value(scope)
            start = next((place for place, test in tests if same(test(scope), found)), default)
            for statement in code[start:] if start is not None else ():
                jump: Optional[Jump] = statement(scope)
                if jump is not None:
                    return None if jump is BREAK else jump
            return None

        return run

    def _do_return(self, node: Node) -> Code:
        if node.parts[0] is None:
            return lambda _scope: Jump("return")
        value = self.expression(node.parts[0])
        return lambda scope: Jump("return", "", value(scope))

    def _do_throw(self, node: Node) -> Code:
        value, line = self.expression(node.parts[0]), node.line

        def run(scope: Scope) -> None:
            raise Thrown(value(scope), line)

        return run

    def _do_try(self, node: Node) -> Code:
        attempt: Statement = self._block(node.parts[0])
        name = node.parts[1]
        handler: Optional[Statement] = self._block(node.parts[2], [name or " "]) if node.parts[2] is not None else None
        last: Optional[Statement] = self._block(node.parts[3]) if node.parts[3] is not None else None

        def guarded(scope: Scope) -> Optional[Jump]:
            try:
                return attempt(scope)
            except Thrown as thrown:
                if handler is None:
                    raise
                inner = inner_scope(scope)
                inner.variables[name or " "] = thrown.value
                return handler(inner)

        def run(scope: Scope) -> Optional[Jump]:
            try:
                jump = guarded(scope)
            except Thrown:
                instead = last(scope) if last else None
                if instead is not None:
                    return instead
                raise
            instead = last(scope) if last else None
            return instead if instead is not None else jump

        return run
