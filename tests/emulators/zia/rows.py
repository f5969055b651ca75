# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of the tables: what a body must be, how a row is stored, and how it is given back."""

from __future__ import annotations

import copy
import ipaddress
import random
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.zia import kinds
from ansible_collections.egress.allowlist.tests.emulators.zia.kinds import Kind
from ansible_collections.egress.allowlist.tests.emulators.zia.refusals import (
    bad_body,
    bad_input,
    duplicate,
    in_use,
    limit_reached,
    not_found,
)
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Config, Row, Tenant

MOST_REFERENCES = 32  # locations, groups, departments in one rule
LONGEST_DESCRIPTION = 10_240
MOST_ADDRESSES = 16_000  # of all groups of a kind together


def _numbers(value: Any) -> bool:
    """Numbers in quotes are taken too (recorded: idleTimeInMinutes)."""
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, str) and value.isdigit())


def _ports(value: Any) -> bool:
    return _list_of(value, lambda port: isinstance(port, dict) and _numbers(port.get("start")))


def _list_of(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


TYPES: Mapping[str, Callable[[Any], bool]] = {
    kinds.TEXT: lambda value: isinstance(value, str),
    kinds.NUMBER: _numbers,
    kinds.FLAG: lambda value: isinstance(value, bool),
    kinds.TEXTS: lambda value: _list_of(value, lambda item: isinstance(item, str)),
    kinds.REFERENCES: lambda value: _list_of(value, lambda item: isinstance(item, dict) and _numbers(item.get("id"))),
    kinds.PORTS: _ports,
    kinds.OBJECT: lambda value: isinstance(value, dict),
    kinds.IGNORED: lambda _value: True,
}


class Table:
    """One table of the saved configuration."""

    def __init__(self, kind: Kind, tenant: Tenant, shuffle: random.Random, ipv6: bool) -> None:
        self.kind, self.tenant, self.shuffle, self.ipv6 = kind, tenant, shuffle, ipv6

    @property
    def rows(self) -> list[Row]:
        return self.tenant.saved.rows(self.kind.path)

    # What is asked

    def all(self, query: Mapping[str, str]) -> list[Row]:
        """In no order that means anything; paged where the real list is."""
        found = [self.shown(row, "GET") for row in self.rows if query.get("search", "") in row["name"]]
        if not self.kind.page:
            return found
        size = min(int(query.get("pageSize", self.kind.page)), max(self.kind.page, 1000))
        start = (int(query.get("page", 1)) - 1) * size
        return found[start : start + size]

    def one(self, wanted: str) -> Row:
        row = self.tenant.saved.by_id(self.kind.path, wanted)
        if row is None:
            raise not_found(f"{self.kind.path} {wanted}")
        return row

    # What is written

    def add(self, body: Any) -> Row:
        given = self._checked(body, None)
        if self.kind.limit and len(self.rows) >= self.kind.limit:
            raise limit_reached(f"Maximum {self.kind.limit} {self.kind.path} are allowed. Limit has exceeded.")
        row: Row = {"id": self.tenant.new_id(), **given}
        self._place(row)
        self.rows.append(row)
        return self._written(row, "POST", body)

    def replace(self, wanted: str, body: Any) -> Row:
        """The whole row: what is not given is gone."""
        row = self.one(wanted)
        if row.get("builtin"):
            raise bad_input(f"{row['name']} cannot be changed")  # unverified words
        given = self._checked(body, row)
        new: Row = {"id": row["id"], **given}
        self.rows.remove(row)
        self._close_gap(row)
        try:
            self._place(new)
        except Exception:
            self._open_gap(row)
            self.rows.append(row)
            raise
        self.rows.append(new)
        return self._written(new, "PUT", body)

    def remove(self, wanted: str) -> None:
        row = self.one(wanted)
        if row.get("builtin"):
            raise bad_input(f"{row['name']} cannot be deleted")  # unverified words
        users = users_of(self.tenant.saved, self.kind.path, row["id"])
        if users:
            raise in_use(users)
        self.rows.remove(row)
        self._close_gap(row)

    # How a row is given back

    def _written(self, row: Row, method: str, body: Row) -> Row:
        """Of any category the answer to a write still has a word (recorded)."""
        anything = {"urlCategories": ["ANY"]} if body.get("urlCategories") == ["ANY"] else {}
        return {**self.shown(row, method), **anything}

    def shown(self, row: Row, method: str) -> Row:
        if row.get("builtin"):
            return {name: value for name, value in row.items() if name != "builtin"}
        added = {"GET": self.kind.on_get, "PUT": self.kind.on_put}.get(method, {})
        answer = copy.deepcopy({**self.kind.defaults, **added, **row})
        for name, table in self.kind.refers.items():
            answer[name] = [self._named(table, reference) for reference in row.get(name, [])]
        if self.kind is kinds.DESTINATION_GROUPS and method == "GET":
            answer["ipAddresses"] = list(answer.get("addresses", []))
        return {n: self._as_read(n, value) for n, value in answer.items() if self._is_shown(n, value, added)}

    def _is_shown(self, name: str, value: Any, added: Mapping[str, Any]) -> bool:
        """A list of nothing is not there, but for those that always are."""
        return value != [] or name in self.kind.defaults or name in added

    def _as_read(self, name: str, value: Any) -> Any:
        if name in self.kind.shuffled and isinstance(value, list):
            return self.shuffle.sample(value, len(value))
        return value

    def _named(self, table: str, reference: Row) -> Row:
        row = self.tenant.saved.by_id(table, reference["id"])
        return {"id": int(reference["id"]), "name": row["name"] if row else ""}

    # What a body must be

    def _checked(self, body: Any, old: Row | None) -> Row:
        if not isinstance(body, dict) or not all(self._fits(name, value) for name, value in body.items()):
            raise bad_body()
        self._check_builtin(body)
        for name in self.kind.required:
            if not body.get(name) and body.get(name) != 0:
                raise bad_input(f"{name} cannot be null")
        if any(row["name"] == body["name"] and row is not old for row in self.rows):
            raise duplicate()
        if len(body.get("description") or "") > LONGEST_DESCRIPTION or len(body["name"]) > self.kind.longest_name:
            raise bad_input("name or description is too long")  # unverified words
        self._check_addresses(body)
        self._check_choices(body)
        return self._stored(body)

    def _fits(self, name: str, value: Any) -> bool:
        return name in self.kind.fields and (value is None or TYPES[self.kind.fields[name]](value))

    def _check_builtin(self, body: Row) -> None:
        """Of Zscaler's own rules these are read-only ("Request body is invalid" on predefined rule reorder)."""
        if body.get("predefined") or body.get("defaultRule"):
            raise bad_body()

    def _check_addresses(self, body: Row) -> None:
        """"User-defined groups for IPv6 addresses are currently not supported" (Zscaler's Python SDK)."""
        given = [place for name in self.kind.addresses for place in body.get(name) or []]
        if body.get("type", "DSTN_IP") == "DSTN_IP" and not all(is_place(place, self.ipv6) for place in given):
            raise bad_input("Invalid IP address")  # unverified words
        others = [row for row in self.rows if row["name"] != body["name"]]
        there = sum(len(row.get(name, [])) for row in others for name in self.kind.addresses)
        if len(given) + there > MOST_ADDRESSES:
            raise limit_reached(f"Maximum {MOST_ADDRESSES} IP addresses are allowed. Limit has exceeded.")

    def _check_choices(self, body: Row) -> None:
        for name, allowed in self.kind.choices.items():
            values = body.get(name) if isinstance(body.get(name), list) else [body.get(name)]
            if any(value is not None and value not in allowed for value in values or []):
                raise bad_body()
        if self.kind is kinds.SSL_RULES and body["action"].get("type") not in ("BLOCK", "DECRYPT", "DO_NOT_DECRYPT"):
            raise bad_body()

    def _stored(self, body: Row) -> Row:
        ignored = {name for name, kind in self.kind.fields.items() if kind == kinds.IGNORED}
        kept = {n: copy.deepcopy(v) for n, v in body.items() if n not in {"id", *ignored} and v not in (None, [], "")}
        for name, table in self.kind.refers.items():
            self._check_references(name, table, kept.get(name, []))
        if kept.get("urlCategories") == ["ANY"]:
            del kept["urlCategories"]  # any: not there when it is read (recorded)
        for category in kept.get("urlCategories", []):
            if self.tenant.saved.by_id("urlCategories", category) is None:
                raise bad_input(f"URL category {category} does not exist")  # unverified words
        return kept

    def _check_references(self, name: str, table: str, references: list[Row]) -> None:
        if len(references) > MOST_REFERENCES and table in kinds.WHO:
            raise bad_input(f"At most {MOST_REFERENCES} {name} can be in one rule")
        for reference in references:
            if self.tenant.saved.by_id(table, reference["id"]) is None:
                raise bad_input(f"{name}: {reference['id']} does not exist")  # unverified words

    # The order of rules: 1, 2, 3 … without a gap

    def _ordered_rows(self) -> list[Row]:
        return [row for row in self.rows if row.get("order", 0) >= 1]

    def _place(self, row: Row) -> None:
        """Rules of a higher rank (a lower number) come first, and there are no gaps."""
        if not self.kind.ordered:
            return
        row["order"], row["rank"] = int(row["order"]), int(row.get("rank", 7))
        order, rank, others = row["order"], row["rank"], self._ordered_rows()
        fits = all((o["rank"] <= rank) if o["order"] < order else (o["rank"] >= rank) for o in others)
        if not 1 <= order <= len(others) + 1 or not fits:
            raise bad_input(f"Rule with rank {rank} is not allowed at order {order}")
        self._open_gap(row)

    def _open_gap(self, row: Row) -> None:
        for other in self._ordered_rows() if self.kind.ordered else ():
            other["order"] += int(other["order"] >= row["order"])

    def _close_gap(self, row: Row) -> None:
        for other in self._ordered_rows() if self.kind.ordered else ():
            other["order"] -= int(other["order"] > row["order"])


def is_place(text: str, ipv6: bool) -> bool:
    """An address, a network or a range with a hyphen."""
    ends = text.split("-") if "/" not in text else [text]
    try:
        networks = [ipaddress.ip_network(end, strict=False) for end in ends]
    except ValueError:
        return False
    versions = {network.version for network in networks}
    if len(networks) > 2 or len(versions) > 1 or (versions == {6} and not ipv6):
        return False
    return int(networks[0].network_address) <= int(networks[-1].network_address)


def users_of(config: Config, table: str, wanted: Any) -> int:
    """How many rules refer to the row."""
    found = 0
    for kind in kinds.KINDS.values():
        fields = [name for name, target in kind.refers.items() if target == table]
        for row in config.rows(kind.path):
            ids = [str(item["id"]) for name in fields for item in row.get(name, [])]
            ids += row.get("urlCategories", []) if table == "urlCategories" else []
            found += int(str(wanted) in ids)
    return found
