# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the tree to Python functions: values and variables. A tree that is walked anew each time would be far slower."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import Thrown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_expression import Node
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import to_text
from ansible_collections.egress.allowlist.plugins.module_utils._pac_realm import Code, Scope, Template
from ansible_collections.egress.allowlist.plugins.module_utils._pac_text import make_regex
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    MISSING,
    UNDEFINED,
    Value,
)

_CONSTANTS = {"null": None, "true": True, "false": False}


class Names:
    """The names that a function or block declares, with how: var, let, const, function, parameter."""

    def __init__(self, parent: Optional[Names], template: Optional[Template] = None) -> None:
        self.declared: Dict[str, str] = {}
        self.parent = parent
        self.template = template  # of a function; None for a block


class ValueCompiler:
    """Makes a function of each expression; *count* grows by one for each place."""

    def __init__(self) -> None:
        self.names: Optional[Names] = None
        self.constants: Dict[str, str] = {}  # of the whole file
        self.count = 0

    def expression(self, node: Node) -> Code:
        self.count += 1
        made: Code = getattr(self, f"_{node.kind}")(node)
        return made

    def all(self, nodes: Any) -> List[Code]:
        return [self.expression(node) for node in nodes]

    # Values

    def _value(self, node: Node) -> Code:
        value = node.parts[0]
        return lambda _scope: value

    _text = _number = _value

    def _constant(self, node: Node) -> Code:
        if node.parts[0] == "this":
            return lambda scope: scope.this
        value = _CONSTANTS[node.parts[0]]
        return lambda _scope: value

    def _hole(self, _node: Node) -> Code:
        return lambda _scope: UNDEFINED

    def _regex(self, node: Node) -> Code:
        source, flags = node.parts[0]
        line = node.line

        def make(scope: Scope) -> Value:
            return at_line(line, lambda: make_regex(scope.realm, source, flags))

        return make

    def _template(self, node: Node) -> Code:
        pieces = self.all(node.parts[0])

        def make(scope: Scope) -> Value:
            realm = scope.realm
            return realm.sized("".join([to_text(realm, piece(scope)) for piece in pieces]))

        return make

    def _array(self, node: Node) -> Code:
        items = self.all(node.parts)
        return lambda scope: scope.realm.array([item(scope) for item in items])

    def _object(self, node: Node) -> Code:
        items = [(key, self.expression(value)) for key, value in node.parts]

        def make(scope: Scope) -> Value:
            made = scope.realm.object()
            for key, value in items:
                made.put(key, value(scope))
            return made

        return make

    def _function(self, node: Node) -> Code:
        template = self.template(node, expression=True)
        return lambda scope: scope.realm.function(template, scope)

    def template(self, node: Node, expression: bool = False) -> Template:
        """A function of the source; the class below knows its statements."""
        raise NotImplementedError

    # Variables

    def place(self, name: str) -> Tuple[int, str]:
        """How many scopes out a variable lives, and how it was declared; -1 for those of the whole file."""
        out, names = 0, self.names
        while names is not None:
            if name in names.declared:
                return out, names.declared[name]
            if name == "arguments" and names.template is not None and not names.template.arrow:
                names.declared[name] = "var"
                names.template.wants_arguments = True
                return out, "var"
            out, names = out + 1, names.parent
        return -1, self.constants.get(name, "var")

    def _name(self, node: Node) -> Code:
        name, line = node.parts[0], node.line
        if name == "undefined":
            return lambda _scope: UNDEFINED
        out, _how = self.place(name)

        def unknown(scope: Scope) -> Thrown:
            thrown = scope.realm.error("ReferenceError", f"{shown(name)} is not defined")
            thrown.line = line
            return thrown

        def read(scope: Scope) -> Value:
            found = holder(scope, out).get(name, MISSING)
            if found is MISSING:
                raise unknown(scope)
            return found

        def read_own(scope: Scope) -> Value:
            found = scope.variables.get(name, MISSING)
            if found is MISSING:
                raise unknown(scope)
            return found

        def read_global(scope: Scope) -> Value:
            found = scope.realm.scope.variables.get(name, MISSING)
            if found is MISSING:
                raise unknown(scope)
            return found

        return {0: read_own, -1: read_global}.get(out, read)

    def variable_setter(self, name: str, line: int) -> Callable[[Scope, Value], None]:
        out, how = self.place(name)

        def put(scope: Scope, value: Value) -> None:
            holder(scope, out)[name] = value

        def refuse(scope: Scope, _value: Value) -> None:
            thrown = scope.realm.error("TypeError", f"{shown(name)} is a constant")
            thrown.line = line
            raise thrown

        return refuse if how == "const" else put


def holder(scope: Scope, out: int) -> Dict[str, Value]:
    """Where a variable lives."""
    if out < 0:
        return scope.realm.scope.variables
    while out:
        scope = scope.parent  # type: ignore[assignment] # as deep as the compiler has counted
        out -= 1
    return scope.variables


def at_line(line: int, work: Callable[[], Value]) -> Value:
    """Do it; what it throws gets the line."""
    try:
        return work()
    except Thrown as thrown:
        thrown.line = thrown.line or line
        raise
