# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fortinet's own schema of FortiOS 6.4.14, which fortigate-api carries, and what it does not allow."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fortigate_api

FOLDER = Path(fortigate_api.__file__).parent / "schema" / "6.4.14" / "cmdb"
TYPES: dict[str, Any] = {"string": str, "integer": int, "array": list, "object": dict, "number": (int, float)}
MANY = ("exempt",)  # several words of an enumeration, with blanks between them


@functools.lru_cache
def paths() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in ("authentication", "firewall", "system", "user", "webfilter"):
        file = next(FOLDER.glob(f"* {part}.json"))
        found.update(json.loads(file.read_text(encoding="utf-8"))["paths"])
    return found


def wrong(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    """What the schema does not allow in *value*, in words."""
    if schema.get("type") == "array" and isinstance(value, dict):
        schema = schema["items"]  # so it calls an object of which there is one as well
    kind = TYPES.get(schema.get("type", ""))
    if kind is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        yield f"{where}: {value!r} is no {schema['type']}"
    elif isinstance(value, dict):
        for name, one in value.items():
            known = schema.get("properties", {}).get(name)
            yield from wrong(one, known, f"{where}.{name}") if known else [f"{where}.{name} is not known"]
    elif isinstance(value, list):
        for one in value:
            yield from wrong(one, schema.get("items", {}), where)
    else:
        yield from _wrong_value(value, schema, where)


def _wrong_value(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    words = value.split() if isinstance(value, str) and where.endswith(MANY) else [value]
    if schema.get("enum") and any(word not in schema["enum"] for word in words):
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if isinstance(value, str) and len(value) > (schema.get("maxLength") or len(value)):
        yield f"{where}: longer than {schema['maxLength']}"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{where}: {value} is out of range"


def body_of(table: str, method: str) -> dict[str, Any]:
    """What may be sent to a table (post), or to one row of it (put)."""
    name = re.compile(rf"/{re.escape(table)}(/{{[^/]*}})?")
    found = next(one for path, one in paths().items() if name.fullmatch(path) and method in one)
    body: dict[str, Any] = next(one for one in found[method]["parameters"] if one["in"] == "body")
    return dict(body["schema"])
