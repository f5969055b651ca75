# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a script can do with arrays."""

from __future__ import annotations

import math
from functools import cmp_to_key
from typing import Any, Callable, Dict, List

from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import (
    same,
    to_boolean,
    to_integer,
    to_number,
    to_text,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_text import joined
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    MOST_ITEMS,
    UNDEFINED,
    JsArray,
    NativeCode,
    Value,
    argument,
)

Work = Callable[[Any, JsArray, List[Value]], Value]


def _method(work: Work) -> NativeCode:
    def method(realm: Any, this: Value, arguments: List[Value]) -> Value:
        if not isinstance(this, JsArray):
            raise realm.error("TypeError", "a method of arrays was called on something else")
        realm.steps.spend(1 + (len(this.items) >> 2))
        return work(realm, this, arguments)

    return method


def _quick(work: Work) -> NativeCode:
    """The same for what does not look at all items."""

    def method(realm: Any, this: Value, arguments: List[Value]) -> Value:
        if not isinstance(this, JsArray):
            raise realm.error("TypeError", "a method of arrays was called on something else")
        return work(realm, this, arguments)

    return method


def place(realm: Any, value: Value, size: int, default: float = 0.0) -> int:
    """A position in an array; negative ones count from its end."""
    number = to_integer(realm, value, default)
    number = number + size if number < 0 else number
    return int(min(max(number, 0.0), float(size)))


def _push(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    realm.steps.spend(24 * len(arguments))
    start = len(this.items)
    this.resize(float(start + len(arguments)))
    this.items[start:] = arguments
    return float(len(this.items))


def _pop(_realm: Any, this: JsArray, _arguments: List[Value]) -> Value:
    return this.items.pop() if this.items else UNDEFINED


def _shift(_realm: Any, this: JsArray, _arguments: List[Value]) -> Value:
    return this.items.pop(0) if this.items else UNDEFINED


def _unshift(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    items = list(this.items)
    this.resize(float(len(items) + len(arguments)))
    this.items[:] = [*arguments, *items]
    realm.steps.spend(len(items))
    return float(len(this.items))


def _concat(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    made = realm.array(list(this.items))
    for one in arguments:
        _push(realm, made, list(one.items) if isinstance(one, JsArray) else [one])
    return made


def _slice(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    size = len(this.items)
    start, end = place(realm, argument(arguments, 0), size), place(realm, argument(arguments, 1), size, math.inf)
    return realm.array(this.items[start:end])


def _splice(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    size = len(this.items)
    start = place(realm, argument(arguments, 0), size)
    count = to_integer(realm, argument(arguments, 1), math.inf if len(arguments) == 1 else 0.0)
    end = int(min(max(start + count, start), size))
    removed = this.items[start:end]
    after = [*this.items[:start], *arguments[2:], *this.items[end:]]
    this.resize(float(len(after)))
    this.items[:] = after
    return realm.array(removed)


def _join(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    mark = argument(arguments, 0)
    realm.steps.spend(4 * len(this.items))
    texts = ["" if one is None or one is UNDEFINED else to_text(realm, one) for one in this.items]
    return joined(realm, texts, "," if mark is UNDEFINED else to_text(realm, mark))


def _reverse(_realm: Any, this: JsArray, _arguments: List[Value]) -> Value:
    this.items.reverse()
    return this


def _sort(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    """Python's sort compares n log n times, each of which counts."""
    order = argument(arguments, 0)
    items = [one for one in this.items if one is not UNDEFINED]
    realm.steps.spend(10 * len(items))
    if order is UNDEFINED:
        items.sort(key=lambda one: to_text(realm, one))
    else:
        items.sort(key=cmp_to_key(lambda a, b: _sign(to_number(realm, realm.call(order, UNDEFINED, [a, b])))))
    this.items[:] = items + [UNDEFINED] * (min(len(this.items), MOST_ITEMS) - len(items))
    return this


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)


def _index_of(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    start = place(realm, argument(arguments, 1), len(this.items))
    wanted = argument(arguments, 0)
    return next((float(at) for at in range(start, len(this.items)) if same(this.items[at], wanted)), -1.0)


def _last_index_of(_realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    wanted = argument(arguments, 0)
    return next((float(at) for at in range(len(this.items) - 1, -1, -1) if same(this.items[at], wanted)), -1.0)


def _includes(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    return _index_of(realm, this, arguments) >= 0


def _each(realm: Any, this: JsArray, arguments: List[Value]) -> Any:
    """Call the script's function for each item; yields the item and the answer."""
    work, of_what = argument(arguments, 0), argument(arguments, 1)
    for index, item in enumerate(list(this.items)):
        realm.steps.spend(4)
        yield item, realm.call(work, of_what, [item, float(index), this])


def _for_each(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    for _item, _answer in _each(realm, this, arguments):
        pass
    return UNDEFINED


def _map(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    return realm.array([answer for _item, answer in _each(realm, this, arguments)])


def _filter(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    return realm.array([item for item, answer in _each(realm, this, arguments) if to_boolean(answer)])


def _some(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    return any(to_boolean(answer) for _item, answer in _each(realm, this, arguments))


def _every(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    return all(to_boolean(answer) for _item, answer in _each(realm, this, arguments))


def _find(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    return next((item for item, answer in _each(realm, this, arguments) if to_boolean(answer)), UNDEFINED)


def _reduce(realm: Any, this: JsArray, arguments: List[Value]) -> Value:
    items = list(this.items)
    if len(arguments) < 2 and not items:
        raise realm.error("TypeError", "reduce of an empty array without a first value")
    first = 0 if len(arguments) > 1 else 1
    found = arguments[1] if len(arguments) > 1 else items[0]
    for index in range(first, len(items)):
        found = realm.call(argument(arguments, 0), UNDEFINED, [found, items[index], float(index), this])
    return found


ARRAY_METHODS: Dict[str, NativeCode] = {
    "concat": _method(_concat),
    "every": _method(_every),
    "filter": _method(_filter),
    "find": _method(_find),
    "forEach": _method(_for_each),
    "includes": _method(_includes),
    "indexOf": _method(_index_of),
    "join": _method(_join),
    "lastIndexOf": _method(_last_index_of),
    "map": _method(_map),
    "pop": _quick(_pop),
    "push": _quick(_push),
    "reduce": _method(_reduce),
    "reverse": _method(_reverse),
    "shift": _method(_shift),
    "slice": _method(_slice),
    "some": _method(_some),
    "sort": _method(_sort),
    "splice": _method(_splice),
    "toString": _method(lambda realm, this, _arguments: _join(realm, this, [])),
    "unshift": _method(_unshift),
}


def new_array(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    """Array(3) is an array of three; Array(1, 2) one of these two."""
    if len(arguments) != 1 or not isinstance(arguments[0], float):
        return realm.array(list(arguments))
    made = realm.array([])
    made.resize(arguments[0])
    realm.steps.spend(len(made.items))
    return made
