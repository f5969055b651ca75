# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that goes wrong between a control node and the web service, to be switched on in a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# On the wire: the answer is right, and does not arrive as it should.
WIRE = ("reset", "timeout", "closed", "truncated", "slow", "huge")
PORTAL = (
    '<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head><body><form action="/login">'
    "<h1>Guest network</h1><input name=code></form></body></html>\n"
)


@dataclass
class Fault:
    """*path*: the beginning of the paths that it concerns; *count*: for how many requests, None for all."""

    kind: str
    count: int | None = None
    path: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    def concerns(self, path: str) -> bool:
        if self.path is None and self.kind == "429":
            return not path.lower().startswith("/version")  # that method never says 429
        return path.lower().startswith((self.path or "/").lower())


@dataclass
class Reply:
    """An answer before it goes on the wire."""

    status: int
    body: bytes
    kind: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def spoiled(reply: Reply, fault: Fault) -> Reply:
    """The answer with the fault in it; those of WIRE leave it as it is."""
    if fault.kind.isdigit():
        return _status(int(fault.kind), fault.options.get("retry_after"))
    return reply if fault.kind in WIRE else SPOILERS[fault.kind](reply, fault.options)


def _status(status: int, retry_after: int | None) -> Reply:
    text = "Too many requests" if status == 429 else f"The service is not able to answer (status {status})"
    wait = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Reply(status, text.encode(), "text/plain; charset=utf-8", wait)


def _html(reply: Reply, options: dict[str, Any]) -> Reply:
    return Reply(200, PORTAL.encode(), "text/html; charset=utf-8")


def _redirect(reply: Reply, options: dict[str, Any]) -> Reply:
    return Reply(302, b"", "text/html", {"Location": options.get("to", "http://192.0.2.1/login?from=guest")})


def _error_text(reply: Reply, options: dict[str, Any]) -> Reply:
    text = options.get("text", "The service is unavailable. Documentation is available at http://aka.ms/ipurlws")
    return Reply(200, text.encode(), "text/plain; charset=utf-8")


def _cut(reply: Reply, options: dict[str, Any]) -> Reply:
    return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.kind, reply.headers)


def _empty(reply: Reply, options: dict[str, Any]) -> Reply:
    return Reply(reply.status, b"", reply.kind, reply.headers)


def _empty_list(reply: Reply, options: dict[str, Any]) -> Reply:
    return Reply(reply.status, b"[]", reply.kind, reply.headers)


def _not_json(reply: Reply, options: dict[str, Any]) -> Reply:
    return Reply(reply.status, b"[{'id': 1, 'serviceArea': 'Common', urls: undefined}]", reply.kind, reply.headers)


def _lost_field(reply: Reply, options: dict[str, Any]) -> Reply:
    """A field has another name in all records: `urls`, or what else is told."""

    def rename(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        known = {name for record in records for name in record}
        usual = next((name for name in ("urls", "latest", "endpointSetId") if name in known), "id")
        lost = options.get("field", usual)
        return [{(f"{name}V2" if name == lost else name): value for name, value in one.items()} for one in records]

    return _edited(reply, rename)


def _shrunk(reply: Reply, options: dict[str, Any]) -> Reply:
    """Only the first part of the sets, at least one."""
    keep = float(options.get("keep", 0.5))
    return _edited(reply, lambda records: records[: max(1, int(len(records) * keep))])


def _poisoned(reply: Reply, options: dict[str, Any]) -> Reply:
    """What nobody may allow, in the first record that has something."""
    values = options.get("values", ("0.0.0.0/0", "*.com"))

    def poison(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for record in records:
            part = record.get("add", record)
            if "add" in record or "serviceArea" in record:
                for value in values:
                    name = "ips" if "/" in value else "urls"
                    part[name] = [*(part.get(name) or ()), value]
                break
        return records

    return _edited(reply, poison)


def _edited(reply: Reply, edit: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Reply:
    if reply.status != 200 or "json" not in reply.kind:
        return reply
    data = json.loads(reply.body)
    records = edit(data if isinstance(data, list) else [data])
    edited = records if isinstance(data, list) else records[0]
    return Reply(reply.status, json.dumps(edited).encode(), reply.kind, reply.headers)


SPOILERS: dict[str, Callable[[Reply, dict[str, Any]], Reply]] = {
    "html": _html,
    "redirect": _redirect,
    "error_text": _error_text,
    "cut": _cut,
    "empty": _empty,
    "empty_list": _empty_list,
    "not_json": _not_json,
    "lost_field": _lost_field,
    "shrunk": _shrunk,
    "poisoned": _poisoned,
}
KINDS = (*WIRE, *SPOILERS)


def checked(kind: str | int, count: int | None, path: str | None, options: dict[str, Any]) -> Fault:
    """ValueError for a kind that there is not: a fault that does nothing would let a test pass."""
    word = str(kind)
    if word not in KINDS and not (word.isdigit() and 300 <= int(word) <= 599):
        raise ValueError(f"expected one of {', '.join(KINDS)}, or a status such as 503; got {word!r}")
    return Fault(word, count, path, options)
