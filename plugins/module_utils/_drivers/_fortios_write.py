# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a FortiGate holds to what it shall hold.

The contents of all feeds are one request. What uses them is one transaction, where this version has transactions; a
feed exists and is filled before anything uses it, and goes after nothing uses it any more.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._api import settled
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _fortios_rows as rows
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_api import FortiosApi, Row
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_scene import (
    FEED,
    PROFILES,
    ROWS,
    TABLES,
    Scene,
    canonical,
    require_taken,
    rule_name,
    split_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._order import ORDER, before_of, split_place

_KINDS = list(TABLES)
_RESOURCE = "external resource "


class Change:
    """Keys of objects in the order in which they have to be; *feeds*: contents by name of those that change."""

    def __init__(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        moved = {split_place(key) for key in after if split_place(key) and before.get(key) != after[key]}
        changed = {key for key in after if _is_object(key) and (before.get(key) != after[key] or key in moved)}
        gone = {key for key in before if _is_object(key) and key not in after}
        self.after = after
        self.moved = moved
        self.resources = sorted(key for key in changed if key.startswith(_RESOURCE))
        self.feeds = {key[len(FEED) :]: after[key].splitlines() for key in after
                      if key.startswith(FEED) and before.get(key, "") != after[key]}  # fmt: skip
        self.objects = sorted((key for key in changed if not key.startswith(_RESOURCE)), key=_rank)
        self.rules_gone = [key for key in sorted(gone, key=_rank, reverse=True) if _is_rule(key)]
        used = (key for key in {*before, *after} if key.startswith(ROWS))
        self.rows = sorted(key for key in used if before.get(key) != after.get(key))
        self.gone = [key for key in sorted(gone, key=_rank, reverse=True) if not _is_rule(key)]

    @property
    def in_transaction(self) -> bool:
        return bool(self.objects or self.rules_gone or self.rows)

    def commands(self) -> List[Dict[str, Any]]:
        written = [*self.resources, *(FEED + name for name in sorted(self.feeds)), *self.objects, *self.rows]
        found = [{"action": "write", "object": key, "text": self.after.get(key, "")} for key in written]
        return found + [{"action": "remove", "object": key} for key in (*self.rules_gone, *self.gone)]


class Writer:
    """*look* reads the appliance anew; *holds* says whether it holds these objects."""

    def __init__(self, api: FortiosApi, scene: Scene, prefix: str, look: Callable[[], Scene]) -> None:
        self.api = api
        self.scene = scene
        self.prefix = prefix
        self._look = look

    def carry_out(self, change: Change) -> None:
        for key in change.resources:
            self._one(lambda key=key: self._put(key, change), key, change.after[key])  # type: ignore[misc]
        if change.feeds:
            settled(lambda: self.api.fill(change.feeds), lambda: self._is_filled(change.feeds))
            for name in sorted(change.feeds):
                require_taken(self.api, name)
        if change.resources:
            self.look_again()
        if change.in_transaction:
            settled(lambda: self._transact(change), lambda: self._is_done(change))
        for key in change.gone:
            self._one(lambda key=key: self._remove(key), key, None)  # type: ignore[misc]

    def _one(self, send: Callable[[], None], key: str, text: Optional[str]) -> None:
        settled(send, lambda: self.look_again().objects(self.prefix).get(key) == text)

    def look_again(self) -> Scene:
        self.scene = self._look()
        return self.scene

    def _is_filled(self, feeds: Mapping[str, Sequence[str]]) -> bool:
        found = self.look_again().feeds
        return all(set(found.get(name, ())) == set(lines) for name, lines in feeds.items())

    # The transaction

    def _transact(self, change: Change) -> None:
        if self.api.knows_transactions:
            self.api.begin()
        try:
            for key in change.objects:
                self._put(key, change)
            for key in change.rows:
                self._put_rows(key, change.after.get(key, ""))
            for key in change.rules_gone:
                self._remove(key)
        except BaseException:
            self._abort()
            raise
        self.api.end("commit")

    def _abort(self) -> None:
        """Whatever went wrong is told; a transaction that cannot be aborted ends by itself after a minute."""
        try:
            self.api.end("abort")
        except Exception:  # noqa: BLE001
            return

    def _is_done(self, change: Change) -> bool:
        scene = self.look_again()
        found = {**scene.objects(self.prefix), **rows.present(scene, self._named(change), self.prefix)}
        are_written = all(found.get(key) == change.after.get(key) for key in (*change.objects, *change.rows))
        return are_written and not any(key in found for key in change.rules_gone)

    @staticmethod
    def _named(change: Change) -> Dict[str, List[str]]:
        """The profiles whose rows change."""
        heads = {kind: f"{ROWS}{kind} " for kind in PROFILES}
        return {kind: [key[len(head):] for key in change.rows if key.startswith(head)] for kind, head in heads.items()}

    def _put(self, key: str, change: Change) -> None:
        kind, name = split_key(key)
        table, row = TABLES[kind], self.scene.row(kind, name)
        body = self._body(kind, name, json.loads(change.after[key]), row)
        if row is None:
            if kind == "url filter":  # its schema gives a number; who leaves it out is not told what becomes of it
                body["id"] = max((int(one["id"]) for one in self.scene.tables[kind]), default=0) + 1
            answer = self.api.write("POST", table.path, body)
            row = {"name": name, table.key: answer.get("mkey", name)}
            self.scene.tables[kind].append(row)
        else:
            self.api.write("PUT", table.path, body, key=str(row[table.key]))
        if key in change.moved:
            self._move(kind, row, change.after[ORDER + key])

    def _move(self, kind: str, row: Row, place: str) -> None:
        table, before = TABLES[kind], before_of(place)
        others = [one for one in self.scene.tables[kind] if one is not row]
        target = next((one for one in others if rule_name(kind, one) == before), None)
        if target is None and not others:
            return
        word, other = ("before", target) if target is not None else ("after", others[-1])
        params = {"action": "move", word: str((other or {})[table.key])}
        self.api.write("PUT", table.path, key=str(row[table.key]), **params)

    def _body(self, kind: str, name: str, value: Mapping[str, Any], row: Optional[Row]) -> Row:
        """As it is sent: references as FortiOS wants them, and nothing where somebody has added something."""
        body: Row = {"name": name}
        for field, one in value.items():
            body[field] = _references(field, one)
        if row is not None:
            there = canonical(kind, row)
            for field in (*TABLES[kind].fields, *TABLES[kind].watched):
                if field in there and field not in value:
                    body[field] = _nothing(row[field])
        return body

    def _put_rows(self, key: str, text: str) -> None:
        kind = next(kind for kind in PROFILES if key.startswith(f"{ROWS}{kind} "))
        name = key[len(f"{ROWS}{kind} ") :]
        url_filter = self.scene.row("url filter", self.prefix)
        ours = set(self.scene.categories(self.prefix).values())
        ours.update(number for number in _numbers(text) if number is not None)
        body = rows.body(kind, self.scene.profiles[kind][name], text, ours, (url_filter or {}).get("id"))
        self.api.write("PUT", PROFILES[kind], body, key=name)

    def _remove(self, key: str) -> None:
        kind, name = split_key(key)
        row = self.scene.row(kind, name)
        if row is not None:
            self.api.write("DELETE", TABLES[kind].path, key=str(row[TABLES[kind].key]))


def _numbers(text: str) -> List[Any]:
    found = json.loads(text).get("rows", []) if text else []
    return [row.get("category", row.get("fortiguard-category")) for row in found]


def _is_object(key: str) -> bool:
    return not key.startswith((FEED, ROWS, ORDER))


def _is_rule(key: str) -> bool:
    return split_key(key)[0] in ("policy", "proxy policy", "authentication rule")


def _rank(key: str) -> Any:
    return _KINDS.index(split_key(key)[0]), key


def _references(field: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if field == "entries":
        return [{"id": number, **row} for number, row in enumerate(value, 1)]
    return [{"id": one} if field == "category" else {"name": one} for one in value]


def _nothing(value: Any) -> Any:
    if isinstance(value, list):
        return []
    return "disable" if value == "enable" else ""
