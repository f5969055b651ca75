# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a value is as another kind of value, and what the operators do; exactly as JavaScript has it."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any, Callable, Dict

from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    MISSING,
    UNDEFINED,
    JsDate,
    JsObject,
    Value,
    type_name,
)

NAN = math.nan
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
BLANKS = " \t\n\r\v\f\xa0\ufeff\u2028\u2029\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def to_boolean(value: Value) -> bool:
    if value is True or value is False:
        return bool(value)
    if isinstance(value, str):
        return bool(value)
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    return value is not None and value is not UNDEFINED


def to_number(realm: Any, value: Value) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, str):
        return number_of(value)
    if value is None or isinstance(value, bool):
        return 1.0 if value else 0.0
    if isinstance(value, JsObject):
        return to_number(realm, realm.primitive(value, "number"))
    return NAN


def number_of(text: str) -> float:
    """The number that a text stands for, or NaN."""
    text = text.strip(BLANKS)
    if not text:
        return 0.0
    if _NUMBER.fullmatch(text):
        return float(text)
    if text[:2] in ("0x", "0X"):
        return float(int(text, 0)) if re.fullmatch("[0-9a-fA-F]{1,200}", text[2:]) else NAN
    return {"Infinity": math.inf, "+Infinity": math.inf, "-Infinity": -math.inf}.get(text, NAN)


def to_text(realm: Any, value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return text_of(value)
    if isinstance(value, JsObject):
        return to_text(realm, realm.primitive(value, "string"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else "undefined"


def text_of(number: float) -> str:
    """A number as JavaScript writes it."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number) and abs(number) < 1e21:
        # Beyond 53 bits the shortest digits that mean this number, then zeros.
        return str(int(number)) if abs(number) < 1e15 else format(Decimal(repr(number)).to_integral(), "f")
    digits, _mark, exponent = repr(number).partition("e")
    if not exponent:
        return digits
    power = int(exponent)
    if -7 < power < 0:
        places = len(digits.replace("-", "").replace(".", "")) - 1 - power
        return f"{number:.{places}f}"
    return f"{digits.replace('.0', '') if digits.endswith('.0') else digits}e{'+' if power > 0 else '-'}{abs(power)}"


def to_integer(realm: Any, value: Value, default: float = 0.0) -> float:
    """A whole number or an infinite one; NaN is 0, and undefined the default."""
    if value is UNDEFINED:
        return default
    number = to_number(realm, value)
    if math.isnan(number):
        return 0.0
    return number if math.isinf(number) else float(math.trunc(number))


def to_bits(realm: Any, value: Value) -> int:
    """32 bits, without sign."""
    number = to_number(realm, value)
    return int(number) & 0xFFFFFFFF if math.isfinite(number) else 0


def signed(bits: int) -> float:
    bits &= 0xFFFFFFFF
    return float(bits - (1 << 32) if bits >= 1 << 31 else bits)


def same(left: Value, right: Value) -> bool:
    """===."""
    if type(left) is not type(right):
        return False
    if isinstance(left, (str, float, bool)):
        return bool(left == right)
    return left is right


def alike(realm: Any, left: Value, right: Value) -> bool:
    """==."""
    if type(left) is type(right):
        return same(left, right)
    if left is None or left is UNDEFINED or right is None or right is UNDEFINED:
        return (left is None or left is UNDEFINED) and (right is None or right is UNDEFINED)
    left_is, right_is = isinstance(left, JsObject), isinstance(right, JsObject)
    if left_is and right_is:
        return left is right
    if left_is:
        return alike(realm, realm.primitive(left, "default"), right)
    if right_is:
        return alike(realm, left, realm.primitive(right, "default"))
    return to_number(realm, left) == to_number(realm, right)


def add(realm: Any, left: Value, right: Value) -> Value:
    """+."""
    if isinstance(left, JsObject):
        left = realm.primitive(left, "string" if isinstance(left, JsDate) else "default")
    if isinstance(right, JsObject):
        right = realm.primitive(right, "string" if isinstance(right, JsDate) else "default")
    if isinstance(left, str) or isinstance(right, str):
        return realm.sized(to_text(realm, left) + to_text(realm, right))
    return to_number(realm, left) + to_number(realm, right)


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    if math.isnan(left) or left == 0 or math.isnan(right):
        return NAN
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _modulo(left: float, right: float) -> float:
    if not right or math.isnan(right) or not math.isfinite(left):
        return NAN
    return left if math.isinf(right) else math.fmod(left, right)


def _order(realm: Any, left: Value, right: Value, texts: Callable[[str, str], bool], numbers: Any) -> bool:
    if isinstance(left, JsObject):
        left = realm.primitive(left, "number")
    if isinstance(right, JsObject):
        right = realm.primitive(right, "number")
    if isinstance(left, str) and isinstance(right, str):
        return texts(left, right)
    return bool(numbers(to_number(realm, left), to_number(realm, right)))


def has(realm: Any, key: Value, value: Value) -> bool:
    """In."""
    if not isinstance(value, JsObject):
        raise realm.error("TypeError", f"in wants an object, not {type_name(value)}")
    return value.find(to_text(realm, key)) is not MISSING


def is_made_by(realm: Any, value: Value, maker: Value) -> bool:
    """Instanceof."""
    if type_name(maker) != "function":
        raise realm.error("TypeError", "instanceof wants a function")
    wanted = realm.prototype_of(maker)
    one = value.prototype if isinstance(value, JsObject) else None
    for _number in range(50):
        if one is None or one is wanted:
            break
        one = one.prototype
    return one is not None and one is wanted


BINARY: Dict[str, Callable[[Any, Value, Value], Value]] = {
    "+": add,
    "-": lambda realm, left, right: to_number(realm, left) - to_number(realm, right),
    "*": lambda realm, left, right: to_number(realm, left) * to_number(realm, right),
    "/": lambda realm, left, right: _divide(to_number(realm, left), to_number(realm, right)),
    "%": lambda realm, left, right: _modulo(to_number(realm, left), to_number(realm, right)),
    "&": lambda realm, left, right: signed(to_bits(realm, left) & to_bits(realm, right)),
    "|": lambda realm, left, right: signed(to_bits(realm, left) | to_bits(realm, right)),
    "^": lambda realm, left, right: signed(to_bits(realm, left) ^ to_bits(realm, right)),
    "<<": lambda realm, left, right: signed(to_bits(realm, left) << (to_bits(realm, right) & 31)),
    ">>": lambda realm, left, right: signed(int(signed(to_bits(realm, left))) >> (to_bits(realm, right) & 31)),
    ">>>": lambda realm, left, right: float(to_bits(realm, left) >> (to_bits(realm, right) & 31)),
    "===": lambda _realm, left, right: same(left, right),
    "!==": lambda _realm, left, right: not same(left, right),
    "==": alike,
    "!=": lambda realm, left, right: not alike(realm, left, right),
    "<": lambda realm, left, right: _order(realm, left, right, str.__lt__, float.__lt__),
    ">": lambda realm, left, right: _order(realm, left, right, str.__gt__, float.__gt__),
    "<=": lambda realm, left, right: _order(realm, left, right, str.__le__, float.__le__),
    ">=": lambda realm, left, right: _order(realm, left, right, str.__ge__, float.__ge__),
    "in": has,
    "instanceof": is_made_by,
}


def negative(realm: Any, value: Value) -> float:
    return -to_number(realm, value)


UNARY: Dict[str, Callable[[Any, Value], Value]] = {
    "!": lambda _realm, value: not to_boolean(value),
    "-": negative,
    "+": to_number,
    "~": lambda realm, value: signed(~to_bits(realm, value)),
    "void": lambda _realm, _value: UNDEFINED,
    "typeof": lambda _realm, value: type_name(value),
}
