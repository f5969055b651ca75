# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that a site includes inside its own table, and rules as people write them. Pure."""

from __future__ import annotations

from typing import Any, Callable, Dict, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import Part, element_text


def include_text(head: str, part: Part) -> str:
    """Sets and chains without the table around them."""
    lines = [head.rstrip("\n")]
    for name in sorted(part.sets):
        body = part.sets[name]
        types = body["type"] if isinstance(body["type"], list) else [body["type"]]
        lines += [f"set {name} {{", f"    type {' . '.join(types)}"]
        lines += [f"    flags {','.join(body['flags'])}"] if body.get("flags") else []
        lines += ["    counter"] if body.get("stmt") else []
        if part.elements.get(name):
            lines.append("    elements = {")
            lines += [f"        {element}," for element in sorted(part.elements[name])]
            lines.append("    }")
        lines.append("}")
    for chain in sorted(part.chains):
        rules = [f"    {rule_text(expr)}" for name, expr in part.rules if name == chain]
        lines += [f"chain {chain} {{", *rules, "}"]
    return "\n".join(lines) + "\n"


def rule_text(expr: Sequence[Any]) -> str:
    """A rule of ours as nft's own text."""
    return " ".join(_statement(one) for one in expr)


def _statement(one: Any) -> str:
    for kind, body in one.items():
        if kind == "match":
            return _match(body)
        if kind in ("jump", "goto"):
            return f"{kind} {body['target']}"
        if kind == "mangle":
            return f"{_value(body['key'])} set {_value(body['value'])}"
        if kind in ("accept", "drop", "counter", "return"):
            return str(kind)
    raise ValueError(f"no text for {one!r}")


def _match(body: Any) -> str:
    left, right = _value(body["left"]), body["right"]
    if isinstance(right, list):
        return f"{left} {','.join(right)}"
    sign = f"{body['op']} " if body["op"] not in ("==", "in") or "&" in body["left"] else ""
    text = f'"{right}"' if "ifname" in left and isinstance(right, str) else _value(right)
    return f"{left} {sign}{text}"


def _value(value: Any) -> str:
    if isinstance(value, int):
        return f"0x{value:08x}" if value > 65535 or value == 0 else str(value)
    if isinstance(value, str):
        return value
    for kind, body in value.items():
        if kind in _KEYS:
            return _KEYS[kind](body)
        if kind in ("&", "|"):
            return f"{_value(body[0])} {kind} {_value(body[1])}"
        if kind in ("range", "prefix"):
            return element_text(value)
    raise ValueError(f"no text for {value!r}")


def _meta(key: str) -> str:
    return key if key in ("iifname", "oifname") else f"meta {key}"


def _word(value: Any) -> str:
    """A member of an anonymous set; names of interfaces are quoted."""
    if isinstance(value, str) and not value[:1].isdigit() and ":" not in value:
        return f'"{value}"'
    return element_text(value)


def _members(body: Any) -> str:
    return "{ " + ", ".join(_word(part) for part in body) + " }"


def _parts(body: Any) -> str:
    return " . ".join(_value(part) for part in body)


_KEYS: Dict[str, Callable[[Any], str]] = {
    "meta": lambda body: _meta(body["key"]),
    "ct": lambda body: f"ct {body['key']}",
    "payload": lambda body: f"{body['protocol']} {body['field']}",
    "concat": _parts,
    "set": _members,
}
