# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of a script: numbers are float, texts str, truth bool, null None; everything else is of this page.

A script reaches nothing but what lies in *properties* and *items* of these objects, never an attribute of Python's.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacLimitError

Value = Any
MOST_ITEMS = 100000
_LONGEST_CHAIN = 50


class Undefined:
    """The one value undefined."""

    __slots__ = ()


UNDEFINED = Undefined()
MISSING = Undefined()  # no value at all: a property that does not exist


class JsObject:
    """Properties in the order in which they came, and the object that is asked for those that it has not."""

    __slots__ = ("properties", "prototype")
    kind = "Object"

    def __init__(self, prototype: Optional[JsObject]) -> None:
        self.properties: Dict[str, Value] = {}
        self.prototype = prototype

    def own(self, key: str) -> Value:
        """The value of a property of its own, or MISSING."""
        return self.properties.get(key, MISSING)

    def get(self, key: str) -> Value:
        """The value of a property, or UNDEFINED."""
        found = self.find(key)
        return UNDEFINED if found is MISSING else found

    def find(self, key: str) -> Value:
        """The value of a property, its own or inherited, or MISSING."""
        one: Optional[JsObject] = self
        for _number in range(_LONGEST_CHAIN):
            if one is None:
                return MISSING
            found = one.own(key)
            if found is not MISSING:
                return found
            one = one.prototype
        return MISSING

    def put(self, key: str, value: Value) -> None:
        """Set a property of its own; __proto__ is what newer browsers make of it."""
        if key == "__proto__":
            if value is None or isinstance(value, JsObject):
                self.prototype = value
        else:
            self.properties[key] = value

    def delete(self, key: str) -> None:
        self.properties.pop(key, None)

    def names(self) -> List[str]:
        """The names of its own properties that for-in shows, numbers first, as browsers order them."""
        names = [
            key for key, value in self.properties.items() if not isinstance(value, Native) and key != "constructor"
        ]
        numbers = [key for key in names if key.isdigit()]
        if not numbers:
            return names
        return sorted(numbers, key=lambda key: (len(key), key)) + [key for key in names if not key.isdigit()]


class JsArray(JsObject):
    """Items, and whatever else was set on it."""

    __slots__ = ("items",)
    kind = "Array"

    def __init__(self, prototype: Optional[JsObject], items: List[Value]) -> None:
        super().__init__(prototype)
        self.items = items

    def own(self, key: str) -> Value:
        if key == "length":
            return float(len(self.items))
        index = index_of(key)
        if index < 0:
            return self.properties.get(key, MISSING)
        return self.items[index] if index < len(self.items) else MISSING

    def put(self, key: str, value: Value) -> None:
        index = index_of(key)
        if key == "length":
            self.resize(value)
        elif index < 0:
            super().put(key, value)
        else:
            if index >= len(self.items):
                self.resize(float(index + 1))
            self.items[index] = value

    def resize(self, length: Value) -> None:
        """Cut it, or fill it up with undefined."""
        if not isinstance(length, float) or not 0 <= length <= MOST_ITEMS:
            raise PacLimitError(f"an array may have {MOST_ITEMS} items")
        wanted = int(length)
        del self.items[wanted:]
        self.items += [UNDEFINED] * (wanted - len(self.items))

    def delete(self, key: str) -> None:
        index = index_of(key)
        if 0 <= index < len(self.items):
            self.items[index] = UNDEFINED
        super().delete(key)

    def names(self) -> List[str]:
        return [str(index) for index in range(len(self.items))] + super().names()


class Function(JsObject):
    """Something that can be called."""

    __slots__ = ("name",)
    kind = "Function"

    def __init__(self, prototype: Optional[JsObject], name: str) -> None:
        super().__init__(prototype)
        self.name = name

    def names(self) -> List[str]:
        return [key for key in super().names() if key != "prototype"]


# What a function of ours gets: the realm, what it was called on, its arguments.
NativeCode = Callable[[Any, Value, List[Value]], Value]


class Native(Function):
    """A function of ours; *makes* where new means something else than a call."""

    __slots__ = ("code", "makes")

    def __init__(self, prototype: Optional[JsObject], name: str, code: NativeCode, makes: Optional[NativeCode]) -> None:
        super().__init__(prototype, name)
        self.code = code
        self.makes = makes


class Scripted(Function):
    """A function of the script, with the variables that it sees."""

    __slots__ = ("scope", "template")

    def __init__(self, prototype: Optional[JsObject], template: Any, scope: Any) -> None:
        super().__init__(prototype, template.name)
        self.template = template
        self.scope = scope

    def own(self, key: str) -> Value:
        if key == "prototype" and key not in self.properties:
            made = JsObject(self.scope.realm.prototypes["Object"])
            made.properties["constructor"] = self
            self.properties[key] = made
        return super().own(key)


class Bound(Function):
    """A function with its this and its first arguments."""

    __slots__ = ("arguments", "target", "this")

    def __init__(self, target: Function, this: Value, arguments: List[Value]) -> None:
        super().__init__(target.prototype, target.name)
        self.target = target
        self.this = this
        self.arguments = arguments


class JsRegExp(JsObject):
    """A regular expression; lastIndex is a property as any other."""

    __slots__ = ("regex",)
    kind = "RegExp"

    def __init__(self, prototype: Optional[JsObject], regex: Any) -> None:
        super().__init__(prototype)
        self.regex = regex


class JsDate(JsObject):
    """A time: milliseconds since 1970, in UTC."""

    __slots__ = ("time",)
    kind = "Date"

    def __init__(self, prototype: Optional[JsObject], time: float) -> None:
        super().__init__(prototype)
        self.time = time


class JsError(JsObject):
    """What the engine throws, and what scripts make to throw."""

    __slots__ = ()
    kind = "Error"


def index_of(key: str) -> int:
    """The index that a key stands for, or -1: "7" is one, "07" and "7.5" are none."""
    if key.isdigit() and len(key) < 10 and key.isascii() and (key == "0" or key[0] != "0"):
        return int(key)
    return -1


def type_name(value: Value) -> str:
    """What typeof says."""
    kinds: Tuple[Tuple[type, str], ...] = (
        (str, "string"),
        (float, "number"),
        (bool, "boolean"),
        (Undefined, "undefined"),
        (Function, "function"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "object")


def argument(arguments: List[Value], index: int) -> Value:
    """One argument, or UNDEFINED where it was left out."""
    return arguments[index] if index < len(arguments) else UNDEFINED
