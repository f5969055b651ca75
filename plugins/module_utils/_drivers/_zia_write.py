# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a tenant of ZIA has saved to what it shall hold: one request for each object that changes.

Lists come before the rules that use them, and go after them, so that whatever is in force in between (anybody's
activation, or the end of a session, puts it there) blocks nothing that stays allowed and allows nothing that was not
asked for.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional, Set

from ansible_collections.egress.allowlist.plugins.module_utils._api import settled
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_api import ZiaApi
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_options import WHO
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_scene import (
    EXEMPTED,
    RECORD,
    REFERS,
    TABLES,
    Row,
    Scene,
    name_of,
    order_of,
    read_scene,
    split_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._objects import json_text
from ansible_collections.egress.allowlist.plugins.module_utils._order import ORDER, before_of, split_place

_KINDS = list(TABLES)


class Change:
    """``written`` and ``gone``: keys of objects, each in the order in which they have to be."""

    def __init__(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        self._after = after
        moved = {split_place(key) for key in after if split_place(key) and before.get(key) != after[key]}
        changed = {key for key in after if _is_object(key) and (before.get(key) != after[key] or key in moved)}
        self.moved: Set[str] = {key for key in moved if key is not None and (key in before or key in after)}
        self.written = sorted(changed, key=_rank)
        self.gone = sorted((key for key in before if _is_object(key) and key not in after), key=_rank, reverse=True)
        old, new = (set(json.loads(side.get(EXEMPTED, "[]"))) for side in (before, after))
        self.exempt, self.unexempt = sorted(new - old), sorted(old - new)

    def commands(self) -> List[Dict[str, Any]]:
        found: List[Dict[str, Any]] = [{"action": "write", "object": k, "text": self._after[k]} for k in self.written]
        for action, urls in (("ADD_TO_LIST", self.exempt), ("REMOVE_FROM_LIST", self.unexempt)):
            found += [{"action": action, "object": EXEMPTED, "text": "".join(f"{u}\n" for u in urls)}] if urls else []
        return found + [{"action": "remove", "object": key} for key in self.gone]


class Writer:
    def __init__(self, api: ZiaApi, scene: Scene, prefix: str, *, exempted: bool) -> None:
        self.api = api
        self.scene = scene
        self.prefix = prefix
        self._exempted = exempted
        self._sites = {table: scene.tables[table] for table in WHO.values() if table in scene.tables}

    def carry_out(self, change: Change, after: Mapping[str, str]) -> None:
        lists = [key for key in change.written if not split_key(key)[0].endswith(" rule")]
        record = next((key for key in lists if key == f"url category {self.prefix}{RECORD}"), "")
        for key in lists:
            self._put(key, self._with_what_goes(after[key], change) if key == record else after[key], None)
        if lists:
            self.look_again()  # new objects have numbers now
        self._exempt("ADD_TO_LIST", change.exempt)
        for key in change.written:
            if key not in lists:
                place = after.get(ORDER + key) if key in change.moved or not self._row(key) else None
                self._put(key, after[key], place)
        self._exempt("REMOVE_FROM_LIST", change.unexempt)
        if record and change.unexempt:
            self._put(record, after[record], None)
        for key in change.gone:
            self._remove(key)

    @staticmethod
    def _with_what_goes(text: str, change: Change) -> str:
        """The record names all that we have put into the list, at every moment: it grows before and shrinks after."""
        value = json.loads(text)
        return json_text(dict(value, urls=sorted({*value["urls"], *change.unexempt})))

    def look_again(self) -> None:
        self.scene = read_scene(self.api, self.prefix, exempted=self._exempted)

    def _row(self, key: str) -> Optional[Row]:
        return self.scene.row(*split_key(key))

    def _put(self, key: str, text: str, place: Optional[str]) -> None:
        kind, name = split_key(key)
        row = self._row(key)
        body = self._body(kind, name, json.loads(text))
        if kind.endswith(" rule"):
            body["order"] = self._order(kind, row, place)
        path = f"/{TABLES[kind]}"

        def send() -> None:
            # What an answer got lost for may be there by now.
            there = self._row(key)
            if there is None:
                self.api.write("POST", path, body)
            else:
                self.api.write("PUT", f"{path}/{there['id']}", {**body, **({"id": there["id"]} if row else {})})

        settled(send, lambda: self._is_there(key, text))
        if kind.endswith(" rule"):
            self._renumber(kind, name, body)

    def _is_there(self, key: str, text: Optional[str]) -> bool:
        self.look_again()
        return self.scene.objects(self.prefix).get(key) == text

    def _body(self, kind: str, name: str, value: Mapping[str, Any]) -> Row:
        """As it is sent: references by number, ports as ranges, and what a kind always needs."""
        body = dict(value)
        body["configuredName" if kind == "url category" else "name"] = name
        if kind == "url category":
            body.update({"superCategory": "USER_DEFINED", "customCategory": True, "type": "URL_CATEGORY"})
        if kind == "network service":
            ports = {field: _ranges(value[field]) for field in value if field.endswith("Ports")}
            body.update({"type": "CUSTOM", **ports})
        if kind.endswith(" rule"):
            body.update({field: self._references(field, value[field]) for field in REFERS if field in value})
            if "urlCategories" in value:
                body["urlCategories"] = [self._category(one) for one in value["urlCategories"]]
        if kind == "ssl rule":
            body["action"] = _whole_action(value["action"])
        return body

    def _references(self, field: str, names: List[str]) -> List[Row]:
        rows = [row for kind, table in TABLES.items() if table == REFERS[field] for row in self.scene.tables[kind]]
        found = {name_of("", row): row["id"] for row in [*rows, *self._site_rows(field)]}
        missing = [name for name in names if name not in found]
        if missing:
            raise ApplianceError(
                f"{self.api.host} has no {missing[0]!r} among its {REFERS[field]}, and a rule of this list needs it. "
                "What was written before stays; put it there again, or name other clients, and run again"
            )
        return [{"id": found[name]} for name in names]

    def _site_rows(self, field: str) -> List[Row]:
        """Locations, groups and departments: read once, when a rule names one, also when nobody has looked before."""
        if field not in WHO.values():
            return []
        if field not in self._sites:
            self._sites[field] = self.api.rows(f"/{field}")
        return self._sites[field]

    def _category(self, name: str) -> str:
        row = self.scene.row("url category", name)
        return str(row["id"]) if row is not None else name

    # Order

    def _order(self, kind: str, row: Optional[Row], place: Optional[str]) -> int:
        """The number of a rule: its own where it stays, else that of the rule that it shall stand before."""
        if row is not None and place is None:
            return order_of(row)
        others = [one for one in self.scene.tables[kind] if order_of(one) > 0 and one is not row]
        below = [order_of(one) for one in others if row is not None and order_of(one) > order_of(row)]
        before = before_of(place or "")
        target = next((one for one in others if name_of(kind, one) == before), None)
        if target is None:
            return max((order_of(one) for one in others), default=0) + (0 if below else 1)
        return order_of(target) - (1 if row is not None and order_of(row) < order_of(target) else 0)

    def _renumber(self, kind: str, name: str, body: Row) -> None:
        """What the write did to the numbers of the other rules, as the service does it: there are no gaps."""
        rows = self.scene.tables[kind]
        mine = next((row for row in rows if name_of(kind, row) == name), None)
        for row in rows:
            if mine is not None and row is not mine and order_of(row) > order_of(mine):
                row["order"] = order_of(row) - 1
        for row in rows:
            if row is not mine and order_of(row) >= body["order"]:
                row["order"] = order_of(row) + 1
        if mine is None:
            rows.append({"id": "", "name": name, "order": body["order"]})
        else:
            mine["order"] = body["order"]

    # The list of the organisation, and what goes

    def _exempt(self, action: str, urls: List[str]) -> None:
        if not urls:
            return
        adding = action == "ADD_TO_LIST"

        def is_done() -> bool:
            self.look_again()
            return set(urls) <= set(self.scene.exempted) if adding else not set(urls) & set(self.scene.exempted)

        # To add and to remove the same twice is the same as once.
        settled(lambda: self.api.write("POST", "/authSettings/exemptedUrls", {"urls": urls}, action=action), is_done)

    def _remove(self, key: str) -> None:
        kind, _name = split_key(key)

        def send() -> None:
            row = self._row(key)
            if row is not None:
                self.api.write("DELETE", f"/{TABLES[kind]}/{row['id']}")

        settled(send, lambda: self._is_there(key, None))


def _is_object(key: str) -> bool:
    return key != EXEMPTED and split_place(key) is None


def _rank(key: str) -> Any:
    """What is referred to comes first."""
    return _KINDS.index(split_key(key)[0]), key


def _ranges(texts: List[str]) -> List[Row]:
    found = []
    for text in texts:
        start, _dash, end = text.partition("-")
        found.append({"start": int(start), **({"end": int(end)} if end else {})})
    return found


def _whole_action(action: Row) -> Row:
    """With the switches that the service wants to see even where they are off."""
    inner = {"bypassOtherPolicies": False, "ocspCheck": False, "blockSslTrafficWithNoSniEnabled": False}
    inner.update(action.get("doNotDecryptSubActions", {}))
    shown = {"showEUN": False, "showEUNATP": False, "overrideDefaultCertificate": False}
    return {"type": action["type"], "doNotDecryptSubActions": inner, **shown}
