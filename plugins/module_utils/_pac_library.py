# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The built-in objects and functions of JavaScript that a PAC file may meet."""

from __future__ import annotations

import math
import random
import re
from typing import Any, Callable, Dict, List
from urllib.parse import quote, unquote

from ansible_collections.egress.allowlist.plugins.module_utils._pac_array import ARRAY_METHODS, new_array
from ansible_collections.egress.allowlist.plugins.module_utils._pac_date import DATE_METHODS, date_as_text, new_date
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import (
    BLANKS,
    NAN,
    to_boolean,
    to_integer,
    to_number,
    to_text,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_realm import Realm
from ansible_collections.egress.allowlist.plugins.module_utils._pac_text import (
    REGEX_METHODS,
    STRING_METHODS,
    new_regex,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    MISSING,
    UNDEFINED,
    Bound,
    Function,
    JsArray,
    JsObject,
    NativeCode,
    Value,
    argument,
)

_ERRORS = ("Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError", "EvalError", "URIError")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FLOAT = re.compile(r"[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")


def furnish(realm: Realm) -> None:
    """Put everything of this page into the realm."""
    for kind, methods in _METHODS.items():
        for name, code in methods.items():
            realm.prototypes[kind].properties[name] = realm.native(name, code)
    makers = {**_MAKERS, **dict.fromkeys(_ERRORS, (None, None))}
    for name, (code, makes) in makers.items():
        made = realm.native(name, code or _error_maker(name), makes)
        made.properties["prototype"] = realm.prototypes.get(name) or JsObject(realm.prototypes["Error"])
        made.properties["prototype"].properties["constructor"] = made
        realm.outer.properties[name] = made
        realm.prototypes[name] = made.properties["prototype"]
    for owner, functions in _STATIC.items():
        holder = realm.outer.properties.setdefault(owner, JsObject(realm.prototypes["Object"]))
        for name, code in functions.items():
            holder.properties[name] = realm.native(name, code)
    realm.outer.properties["Math"].properties.update(_CONSTANTS)
    for name, code in _FUNCTIONS.items():
        realm.outer.properties[name] = realm.native(name, code)
    realm.outer.properties.update({"NaN": NAN, "Infinity": math.inf})
    realm.outer.properties["Number"].properties.update({"MAX_VALUE": 1.7976931348623157e308, "MIN_VALUE": 5e-324})


# Objects and functions


def _new_object(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    value = argument(arguments, 0)
    return value if isinstance(value, JsObject) else realm.object()


def _object_text(_realm: Any, this: Value, _arguments: List[Value]) -> Value:
    if isinstance(this, JsObject):
        return f"[object {this.kind}]"
    return "[object Null]" if this is None else "[object Undefined]"


def _error_text(realm: Any, this: Value, _arguments: List[Value]) -> Value:
    name, message = realm.get(this, "name"), realm.get(this, "message")
    return f"{to_text(realm, name)}: {to_text(realm, message)}" if message != "" else to_text(realm, name)


def _has_own(realm: Any, this: Value, arguments: List[Value]) -> Value:
    return isinstance(this, JsObject) and this.own(to_text(realm, argument(arguments, 0))) is not MISSING


def _keys(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    value = argument(arguments, 0)
    return realm.array(list(value.names()) if isinstance(value, JsObject) else [])


def _create(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    made, prototype = realm.object(), argument(arguments, 0)
    made.prototype = prototype if isinstance(prototype, JsObject) else None
    return made


def _first(_realm: Any, _this: Value, arguments: List[Value]) -> Value:
    return argument(arguments, 0)


def _no_code(realm: Any, _this: Value, _arguments: List[Value]) -> Value:
    raise realm.error("TypeError", "code cannot be made from text here")


def _call(realm: Any, this: Value, arguments: List[Value]) -> Value:
    return realm.call(this, argument(arguments, 0), arguments[1:])


def _apply(realm: Any, this: Value, arguments: List[Value]) -> Value:
    values = argument(arguments, 1)
    return realm.call(this, argument(arguments, 0), list(values.items) if isinstance(values, JsArray) else [])


def _bind(realm: Any, this: Value, arguments: List[Value]) -> Value:
    if not isinstance(this, Function):
        raise realm.error("TypeError", "bind was called on something that is no function")
    realm.steps.spend(200)
    return Bound(this, argument(arguments, 0), arguments[1:])


def _function_text(_realm: Any, this: Value, _arguments: List[Value]) -> Value:
    return f"function {this.name if isinstance(this, Function) else ''}() {{ [code] }}"


def _error_maker(name: str) -> NativeCode:
    def make(realm: Any, _this: Value, arguments: List[Value]) -> Value:
        message = argument(arguments, 0)
        return realm.error(name, "" if message is UNDEFINED else to_text(realm, message)).value

    return make


# Numbers


def _number_text(realm: Any, this: Value, arguments: List[Value]) -> Value:
    base = to_integer(realm, argument(arguments, 0), 10.0)
    number = to_number(realm, this)
    if base == 10 or not math.isfinite(number):
        return to_text(realm, number)
    if not 2 <= base <= 36 or number != int(number):
        raise realm.error("RangeError", "only whole numbers, to a base from 2 to 36")
    left, digits = abs(int(number)), ""
    while left:
        left, digit = divmod(left, int(base))
        digits = _DIGITS[digit] + digits
    return ("-" if number < 0 else "") + (digits or "0")


def _fixed(realm: Any, this: Value, arguments: List[Value]) -> Value:
    places = to_integer(realm, argument(arguments, 0))
    if not 0 <= places <= 20:
        raise realm.error("RangeError", "toFixed takes 0 to 20 places")
    number = to_number(realm, this)
    return f"{number:.{int(places)}f}" if math.isfinite(number) else to_text(realm, number)


def parse_int(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    text = to_text(realm, argument(arguments, 0)).strip(BLANKS).lower()
    base = int(to_number(realm, argument(arguments, 1)) or 0) if argument(arguments, 1) is not UNDEFINED else 0
    sign = -1.0 if text[:1] == "-" else 1.0
    text = text[1:] if text[:1] in ("+", "-") else text
    if base in (0, 16) and text[:2] == "0x":
        text, base = text[2:], 16
    base = base or 10
    if not 2 <= base <= 36:
        return NAN
    valid = _DIGITS[:base]
    end = next((index for index, char in enumerate(text) if char not in valid), len(text))
    return sign * float(int(text[:end], base)) if 0 < end < 190 else NAN


def _parse_float(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    match = _FLOAT.match(to_text(realm, argument(arguments, 0)).lstrip(BLANKS))
    return float(match.group().replace("Infinity", "inf")) if match else NAN


def _math(work: Callable[..., float], count: int = 1) -> NativeCode:
    def function(realm: Any, _this: Value, arguments: List[Value]) -> Value:
        try:
            return float(work(*[to_number(realm, argument(arguments, index)) for index in range(count)]))
        except (ValueError, OverflowError):
            return NAN

    return function


def _whole(work: Callable[[float], float]) -> NativeCode:
    return _math(lambda number: number if not math.isfinite(number) else work(number))


def _extreme(work: Callable[[List[float]], float], none: float) -> NativeCode:
    def function(realm: Any, _this: Value, arguments: List[Value]) -> Value:
        numbers = [to_number(realm, one) for one in arguments]
        return NAN if any(map(math.isnan, numbers)) else work(numbers) if numbers else none

    return function


def _code(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    return "".join([chr(int(to_integer(realm, one)) & 0xFFFF) for one in arguments])


def _as_number(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    return to_number(realm, arguments[0]) if arguments else 0.0


def _as_text(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    return to_text(realm, arguments[0]) if arguments else ""


def _as_boolean(_realm: Any, _this: Value, arguments: List[Value]) -> Value:
    return to_boolean(argument(arguments, 0))


def _encoded(keep: str) -> NativeCode:
    def function(realm: Any, _this: Value, arguments: List[Value]) -> Value:
        return realm.sized(quote(to_text(realm, argument(arguments, 0)), safe=keep, errors="replace"))

    return function


def _decoded(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    return unquote(to_text(realm, argument(arguments, 0)))


_METHODS: Dict[str, Dict[str, NativeCode]] = {
    "Object": {
        "hasOwnProperty": _has_own,
        "toString": _object_text,
        "valueOf": lambda _realm, this, _arguments: this,
    },
    "Function": {"apply": _apply, "bind": _bind, "call": _call, "toString": _function_text},
    "Array": ARRAY_METHODS,
    "String": STRING_METHODS,
    "RegExp": REGEX_METHODS,
    "Date": DATE_METHODS,
    "Number": {"toFixed": _fixed, "toString": _number_text, "valueOf": lambda _realm, this, _arguments: this},
    "Boolean": {"toString": lambda realm, this, _arguments: to_text(realm, this)},
    "Error": {"toString": _error_text},
}
_MAKERS: Dict[str, Any] = {
    "Object": (_new_object, None),
    "Function": (_no_code, None),
    "Array": (new_array, None),
    "String": (_as_text, None),
    "Number": (_as_number, None),
    "Boolean": (_as_boolean, None),
    "RegExp": (new_regex, None),
    "Date": (date_as_text, new_date),
}
_STATIC: Dict[str, Dict[str, NativeCode]] = {
    "Object": {"create": _create, "freeze": _first, "keys": _keys},
    "Array": {"isArray": lambda _realm, _this, arguments: isinstance(argument(arguments, 0), JsArray)},
    "String": {"fromCharCode": _code},
    "Date": {"now": lambda realm, _this, _arguments: float(math.floor(realm.now() * 1000))},
    "Math": {
        "abs": _math(abs),
        "ceil": _whole(math.ceil),
        "exp": _math(math.exp),
        "floor": _whole(math.floor),
        "log": _math(math.log),
        "max": _extreme(max, -math.inf),
        "min": _extreme(min, math.inf),
        "pow": _math(math.pow, 2),
        "random": lambda _realm, _this, _arguments: random.random(),
        "round": _whole(lambda number: math.floor(number + 0.5)),
        "sqrt": _math(math.sqrt),
        "trunc": _whole(math.trunc),
    },
}
_CONSTANTS = {"PI": math.pi, "E": math.e, "LN2": math.log(2), "LN10": math.log(10), "SQRT2": math.sqrt(2)}
_FUNCTIONS: Dict[str, NativeCode] = {
    "decodeURI": _decoded,
    "decodeURIComponent": _decoded,
    "encodeURI": _encoded(";/?:@&=+$,#-_.!~*'()"),
    "encodeURIComponent": _encoded("-_.!~*'()"),
    "escape": _encoded("@*_+-./"),
    "eval": _no_code,
    "isFinite": lambda realm, _this, arguments: math.isfinite(to_number(realm, argument(arguments, 0))),
    "isNaN": lambda realm, _this, arguments: math.isnan(to_number(realm, argument(arguments, 0))),
    "parseFloat": _parse_float,
    "parseInt": parse_int,
    "unescape": _decoded,
}
