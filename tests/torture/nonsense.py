# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""True answers of an API, each with one thing in it that is nonsense."""

from __future__ import annotations

import copy
import json
import random
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

Changed = tuple[str, bytes]  # what was done, and the answer


def _deep(levels: int) -> Any:
    found: Any = "x"
    for _level in range(levels):
        found = [found]
    return found


VALUES: list[Any] = [
    None, True, False, 0, -1, 2**63, 10**400, 1.5, float("inf"), float("nan"), "", "x", "\x1b[31m\u202e\n\0", "\ud800",
    "x" * 300_000, [], {}, [[]], [None], [{}], [5], {"x": 1}, _deep(100), _deep(700), "0.0.0.0/0", "*", "any", "all",
]  # fmt: skip
HUGE = "1" * 5000  # a number that Python does not read


def changed(body: bytes, drawn: random.Random) -> Changed:
    """One change of the answer, drawn anew each time."""
    text = body.decode("utf-8")
    return _changed_xml(text, drawn) if text.lstrip().startswith("<") else _changed_json(text, drawn)


def _changed_json(text: str, drawn: random.Random) -> Changed:
    data = json.loads(text)
    places = list(_places(data))
    put, was, where = drawn.choice(places)
    kind = drawn.randrange(len(VALUES) + 3)
    if kind < len(VALUES):
        put(VALUES[kind])
        said = f"{where}: {_short(VALUES[kind])} in place of {_short(was)}"
        return said, json.dumps(data).encode("utf-8", "surrogatepass")
    marker = "@@marker@@"
    put(marker)
    raw = {0: HUGE, 1: "1e999999", 2: '{"x": 1, "x": 2, "name": null, "name": []}'}[kind - len(VALUES)]
    return f"{where}: {raw[:20]} in place of {_short(was)}", json.dumps(data).replace(f'"{marker}"', raw).encode()


def _places(data: Any, where: str = "$") -> Iterator[tuple[Callable[[Any], None], Any, str]]:
    """Each place where a value stands: how to put another one there, the value, and the way to it."""
    items = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    for key, value in items:
        way = f"{where}.{key}" if isinstance(data, dict) else f"{where}[{key}]"
        yield partial(data.__setitem__, key), value, way
        yield from _places(value, way)
    if not items:
        yield (lambda _new: None), data, where


def _short(value: Any) -> str:
    return repr(value)[:40]


def _changed_xml(text: str, drawn: random.Random) -> Changed:
    root = ET.fromstring(text)
    target = drawn.choice(list(root.iter()))
    name = drawn.choice(sorted(XML))
    XML[name](root, target)
    return f"<{target.tag} {dict(target.attrib)}>: {name}", _written(root).encode("utf-8", "surrogatepass")


def _written(root: ET.Element) -> str:
    text = ET.tostring(root, encoding="unicode")
    return text.replace("<deep-one />", "<a>" * 50_000 + "</a>" * 50_000)


def _text(text: str) -> Callable[[ET.Element, ET.Element], None]:
    def put(_root: ET.Element, target: ET.Element) -> None:
        target.text = text

    return put


def _attributes(_root: ET.Element, target: ET.Element) -> None:
    for name in target.attrib:
        target.attrib[name] = "\u202ex\u2028"


def _parent(root: ET.Element, target: ET.Element) -> ET.Element | None:
    return next((one for one in root.iter() if target in list(one)), None)


def _gone(root: ET.Element, target: ET.Element) -> None:
    parent = _parent(root, target)
    if parent is not None:
        parent.remove(target)


def _twice(root: ET.Element, target: ET.Element) -> None:
    parent = _parent(root, target)
    if parent is not None:
        parent.append(copy.deepcopy(target))


def _tag(_root: ET.Element, target: ET.Element) -> None:
    target.tag = "\u4e2d\u6587"


XML: dict[str, Callable[[ET.Element, ET.Element], None]] = {
    "an empty text": _text(""), "a number": _text("-1"), "a huge number": _text(HUGE), "infinity": _text("1e999999"),
    "a megabyte": _text("x" * 300_000), "what turns text": _text("\u202e\u2066\u2028x"), "any": _text("any"),
    "everyone": _text("0.0.0.0/0"), "a command": _text("']</x><!-- &amp; //*"), "json": _text('{"x": [}'),
    "other attributes": _attributes, "no attributes": lambda _root, target: target.attrib.clear(), "gone": _gone,
    "twice": _twice, "another tag": _tag, "no children": lambda _root, target: target.clear(),
    "itself inside": lambda _root, target: target.append(copy.deepcopy(target)),
    "nested deep": lambda _root, target: target.append(ET.Element("deep-one")),
}  # fmt: skip
