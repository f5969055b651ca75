# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world of one running script: its variables, what it may still spend, and how it gets at its values."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacLimitError, Thrown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import to_text
from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex_match import Steps
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    UNDEFINED,
    Bound,
    Function,
    JsArray,
    JsError,
    JsObject,
    Native,
    NativeCode,
    Scripted,
    Value,
    index_of,
    type_name,
)

# What one call may spend, in visits to places of the script: a few seconds in Python. Most files need some thousands;
# the longest that was found in public, with 3,500 patterns and a wildcard match of its own in JavaScript, 20 million.
MOST_STEPS = 30000000
OBJECT_COST = 200  # so that what is made within the allowance fits into memory
MOST_TEXT = 100000
_DEEPEST = 40  # calls inside of each other
_KINDS = ("Object", "Function", "Array", "String", "Number", "Boolean", "RegExp", "Date", "Error")


class Scope:
    """The variables of a function or block, and where those around it are."""

    __slots__ = ("parent", "realm", "this", "variables")

    def __init__(self, variables: Dict[str, Value], parent: Optional[Scope], realm: Realm, this: Value) -> None:
        self.variables = variables
        self.parent = parent
        self.realm = realm
        self.this = this


Code = Callable[[Scope], Any]


class Jump:
    """How a statement ended that did not just end: break, continue or return."""

    __slots__ = ("label", "value", "word")

    def __init__(self, word: str, label: str = "", value: Value = UNDEFINED) -> None:
        self.word = word
        self.label = label
        self.value = value


class Template:
    """A function of the source, ready to be made."""

    def __init__(self, name: str, parameters: Tuple[str, ...], line: int, arrow: bool) -> None:
        self.name = name
        self.parameters = parameters
        self.line = line
        self.arrow = arrow
        self.variables: Dict[str, Value] = {}
        self.functions: List[Tuple[str, Template]] = []
        self.code: List[Code] = []
        self.cost = 1
        self.wants_arguments = False
        self.knows_itself = False


class Realm:
    """One script that runs. Not for two threads at once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.line = 0
        self.depth = 0
        self.total = 0  # steps of the calls before this one
        self.steps = Steps(MOST_STEPS, lambda: PacLimitError("the script takes too long", self.line))
        self.prototypes: Dict[str, JsObject] = {}
        for kind in _KINDS:
            self.prototypes[kind] = JsObject(self.prototypes.get("Object"))
        self.outer = JsObject(self.prototypes["Object"])
        self.scope = Scope(self.outer.properties, None, self, self.outer)

    def renew(self) -> None:
        """Begin another call."""
        self.total += MOST_STEPS - self.steps.left
        self.steps.left = MOST_STEPS
        self.depth = 0

    @property
    def is_worn(self) -> bool:
        """One that has worked so much may have kept much."""
        return self.total > 2 * MOST_STEPS

    def run(self, file: Template) -> None:
        """Run a whole file."""
        for name, value in file.variables.items():
            self.outer.properties.setdefault(name, value)
        for name, template in file.functions:
            self.outer.properties[name] = self.function(template, self.scope)
        self.steps.spend(file.cost)
        for statement in file.code:
            statement(self.scope)

    # Making values

    def object(self) -> JsObject:
        self.steps.spend(OBJECT_COST)
        return JsObject(self.prototypes["Object"])

    def array(self, items: List[Value]) -> JsArray:
        self.steps.spend(OBJECT_COST + 4 * len(items))
        return JsArray(self.prototypes["Array"], items)

    def native(self, name: str, code: NativeCode, makes: Optional[NativeCode] = None) -> Native:
        return Native(self.prototypes["Function"], name, code, makes)

    def function(self, template: Template, scope: Scope) -> Scripted:
        self.steps.spend(OBJECT_COST)
        return Scripted(self.prototypes["Function"], template, scope)

    def sized(self, text: str) -> str:
        """A text that was just made, if it is not too long."""
        self.sized_before(len(text))
        self.steps.spend(len(text) >> 1)
        return text

    def sized_before(self, length: float) -> None:
        """The same before it is made."""
        if length > MOST_TEXT:
            raise PacLimitError(f"a text of more than {MOST_TEXT} characters", self.line)

    def text_of_this(self, this: Value) -> str:
        """What a method of texts was called on."""
        if isinstance(this, str):
            return this
        if this is None or this is UNDEFINED:
            raise self.error("TypeError", "a method of texts was called on nothing")
        return to_text(self, this)

    def error(self, kind: str, message: str) -> Thrown:
        """An error for the script to catch."""
        made = JsError(self.prototypes.get(kind, self.prototypes["Error"]))
        made.properties.update(name=kind, message=message)
        return Thrown(made)

    # Calling

    def call(self, function: Value, this: Value, arguments: List[Value]) -> Value:
        """Call what should be a function."""
        if isinstance(function, Native):
            return function.code(self, this, arguments)
        if isinstance(function, Scripted):
            return self._run(function, this, arguments)
        if isinstance(function, Bound):
            return self.call(function.target, function.this, function.arguments + arguments)
        raise self.error("TypeError", f"{type_name(function)} is not a function")

    def _run(self, function: Scripted, this: Value, arguments: List[Value]) -> Value:
        template = function.template
        self.line = template.line
        self.steps.spend(template.cost)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise PacLimitError(f"more than {_DEEPEST} calls inside of each other", template.line)
        scope = Scope(template.variables.copy(), function.scope, self, function.scope.this if template.arrow else this)
        self._bind(function, scope, arguments)
        try:
            for statement in template.code:
                jump = statement(scope)
                if jump is not None:
                    return jump.value
            return UNDEFINED
        finally:
            self.depth -= 1

    def _bind(self, function: Scripted, scope: Scope, arguments: List[Value]) -> None:
        template, variables = function.template, scope.variables
        if template.knows_itself:
            variables[template.name] = function
        if template.wants_arguments:
            variables["arguments"] = self.array(list(arguments))
        for name, value in zip(template.parameters, arguments):
            variables[name] = value
        for name, inner in template.functions:
            variables[name] = self.function(inner, scope)

    def construct(self, function: Value, arguments: List[Value]) -> Value:
        """New."""
        if isinstance(function, Native):
            return (function.makes or function.code)(self, UNDEFINED, arguments)
        if not isinstance(function, Scripted) or function.template.arrow:
            raise self.error("TypeError", f"{type_name(function)} cannot be used with new")
        self.steps.spend(OBJECT_COST)
        made = JsObject(self.prototype_of(function))
        result = self.call(function, made, arguments)
        return result if isinstance(result, JsObject) else made

    def prototype_of(self, function: Function) -> JsObject:
        found = function.get("prototype")
        return found if isinstance(found, JsObject) else self.prototypes["Object"]

    # Properties

    def get(self, value: Value, key: Value) -> Value:
        """The value of value[key]."""
        if isinstance(value, JsArray) and isinstance(key, float) and 0 <= key < len(value.items) and key == int(key):
            return value.items[int(key)]
        if isinstance(value, JsObject):
            name = to_text(self, key)
            if name == "__proto__":
                return value.prototype
            return value.get(name)
        if isinstance(value, str):
            return self._of_text(value, key)
        if value is None or value is UNDEFINED:
            of_what = "null" if value is None else "undefined"
            raise self.error("TypeError", f"{of_what} has no property {to_text(self, key)[:40]!r}")
        return self.prototypes[type_name(value).title()].get(to_text(self, key))

    def _of_text(self, value: str, key: Value) -> Value:
        name = to_text(self, key)
        if name == "length":
            return float(len(value))
        index = index_of(name)
        if index >= 0:
            return value[index] if index < len(value) else UNDEFINED
        return self.prototypes["String"].get(name)

    def put(self, value: Value, key: Value, item: Value) -> None:
        """Do value[key] = item."""
        if isinstance(value, JsObject):
            self.steps.spend(40)
            value.put(to_text(self, key), item)
        elif value is None or value is UNDEFINED:
            of_what = "null" if value is None else "undefined"
            raise self.error("TypeError", f"{of_what} can have no property {to_text(self, key)[:40]!r}")

    def names(self, value: Value) -> List[str]:
        """What for-in goes through."""
        if isinstance(value, str):
            return [str(index) for index in range(len(value))]
        found: Dict[str, None] = {}
        one = value if isinstance(value, JsObject) else None
        while one is not None and len(found) <= MOST_TEXT:
            names = one.names()
            self.steps.spend(1 + len(names))
            found.update(dict.fromkeys(names))
            one = one.prototype
        return list(found)

    def primitive(self, value: JsObject, hint: str) -> Value:
        """An object as a text or number."""
        texts_first = hint == "string" or (hint == "default" and value.kind == "Date")
        for name in ("toString", "valueOf") if texts_first else ("valueOf", "toString"):
            function = value.get(name)
            if isinstance(function, Function):
                found = self.call(function, value, [])
                if not isinstance(found, JsObject):
                    return found
        raise self.error("TypeError", "an object is neither a text nor a number")
