# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of all tables and the contents of feeds; what FortiOS refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.fortios.tables import TABLES, Row, Table, site

MOST_ENTRIES, LONGEST_ENTRY = 131_072, 4096
CATEGORIES = range(192, 222)
FORBIDDEN = set("<>()#\"'")


@dataclass(frozen=True)
class Refused(Exception):  # noqa: N818  # an answer of the appliance
    status: int
    error: int
    text: str = ""


class Store:
    def __init__(self) -> None:
        self.tables: dict[str, list[Row]] = site()
        self.feeds: dict[str, list[str]] = {}
        self.revision = "1"

    def comparable(self) -> dict[str, Any]:
        numbers = {row["id"]: row["name"] for row in self.rows("webfilter/urlfilter")}
        found: dict[str, Any] = {}
        for path, rows in [(path, rows) for path, rows in self.tables.items() if rows]:
            table = TABLES[path]
            shown = [_told(table, row) for row in rows]
            found[path] = shown if table.ordered else sorted(shown, key=lambda row: str(row.get("name")))
        for profile in found.get("webfilter/profile", []):
            used = (profile.get("web") or {}).get("urlfilter-table")
            if used:
                profile["web"] = {**profile["web"], "urlfilter-table": numbers.get(used)}
        live = {row["name"] for row in self.rows("system/external-resource")}
        feeds = {name: sorted(lines) for name, lines in self.feeds.items() if name in live}
        return {"tables": copy.deepcopy(found), "feeds": feeds}

    def rows(self, path: str) -> list[Row]:
        return self.tables.setdefault(path, [])

    def is_single(self, path: str) -> bool:
        return path in TABLES and TABLES[path].single

    def _table(self, path: str) -> Table:
        if path not in TABLES:
            raise Refused(404, 0)
        return TABLES[path]

    # Reading

    def read(self, path: str, key: str) -> list[Row]:
        table = self._table(path)
        if not key:
            return [self._shown(table, row) for row in self.rows(path)]
        return [self._shown(table, self._one(table, path, key))]

    def _one(self, table: Table, path: str, key: str) -> Row:
        row = next((row for row in self.rows(path) if str(row.get(table.key)) == key), None)
        if row is None:
            raise Refused(404, -3, "entry not found in datasource")
        return row

    def _shown(self, table: Table, row: Row) -> Row:
        """Every default, and an origin key at each row and each member."""
        answer = copy.deepcopy({**table.defaults, **row})
        for value in answer.values():
            for one in value if isinstance(value, list) else []:
                if isinstance(one, dict):
                    one["q_origin_key"] = one.get("name", one.get("id"))
        return {**answer, "q_origin_key": row.get(table.key)}

    def entries(self, name: str) -> list[Row]:
        if all(row["name"] != name for row in self.rows("system/external-resource")):
            raise Refused(404, -3, "entry not found in datasource")
        return [{"entry": line, "valid": True} for line in sorted(self.feeds.get(name, []), key=hash)]

    # Writing

    def write(self, method: str, path: str, key: str, body: Row) -> Any:
        """Sends back what it is called; what changes nothing makes no new revision."""
        table, before = self._table(path), copy.deepcopy(self.tables)
        try:
            found = self._written(method, table, path, key, _without_origins(body))
        except Refused:
            self.tables = before
            raise
        self._count_revision(before)
        return found

    def _written(self, method: str, table: Table, path: str, key: str, body: Row) -> Any:
        if method == "DELETE":
            return self._delete(table, path, key)
        return self._put(table, path, key, body) if method == "PUT" else self._post(table, path, body)

    def _count_revision(self, before: Mapping[str, list[Row]]) -> None:
        if self.tables != before:
            self.revision = str(int(self.revision) + 1)

    def _post(self, table: Table, path: str, body: Row) -> Any:
        row = dict(body)
        if table.number and not row.get(table.key):
            row[table.key] = max((int(one.get(table.key, 0)) for one in self.rows(path)), default=0) + 1
        if any(one.get(table.key) == row.get(table.key) or (one.get("name") and one.get("name") == row.get("name"))
               for one in self.rows(path)):  # fmt: skip
            raise Refused(500, -5, "duplicate entry already exists")
        self.rows(path).append(row)
        self._check(table, path, row)
        return row[table.key]

    def _put(self, table: Table, path: str, key: str, body: Row) -> Any:
        """Fields that are not given stay; lists are replaced as a whole."""
        row = self._one(table, path, key)
        for name, value in body.items():
            old = row.get(name)
            row[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        self._check(table, path, row)
        return row[table.key]

    def _delete(self, table: Table, path: str, key: str) -> Any:
        row = self._one(table, path, key)
        if any(self._users(path, row)):
            raise Refused(500, -23, "entry is used in other tables")
        self.rows(path).remove(row)
        if path == "system/external-resource":
            self.feeds.pop(row["name"], None)
        return row[table.key]

    def move(self, path: str, key: str, query: Mapping[str, str]) -> None:
        """A rule or a neighbour that is not there is told with 500, as fortigate-api documents it."""
        table, rows = self._table(path), self.rows(path)
        before = copy.deepcopy(self.tables)
        word = "before" if "before" in query else "after"
        by_key = {str(row.get(table.key)): row for row in rows}
        row, target = by_key.get(key), by_key.get(query.get(word, ""))
        if row is None or target is None:
            raise Refused(500, -3, "entry not found in datasource")
        if not table.ordered or target is row:
            raise Refused(500, -61, "cannot move")
        rows.remove(row)
        rows.insert(rows.index(target) + (word == "after"), row)
        self._count_revision(before)

    def push(self, body: Any) -> None:
        """All commands of a request, or none."""
        commands = body.get("commands") if isinstance(body, dict) else None
        if not isinstance(commands, list):
            raise Refused(400, -651, "commands are missing")
        new = dict(self.feeds)
        for one in commands:
            new[one["name"]] = self._pushed(new, one)
        self.feeds = new

    def _pushed(self, feeds: Mapping[str, list[str]], one: Row) -> list[str]:
        row = next((row for row in self.rows("system/external-resource") if row["name"] == one.get("name")), None)
        if row is None or row.get("update-method") != "push":
            raise Refused(404, -3, f"{one.get('name')} takes no entries")
        entries, here = [str(entry) for entry in one.get("entries", [])], list(feeds.get(one["name"], []))
        rest = [line for line in here if line not in entries]
        found = {"snapshot": entries, "add": [*here, *entries], "remove": rest}
        if one.get("command") not in found:
            raise Refused(400, -651, f"command {one.get('command')}")
        lines = list(dict.fromkeys(found[one["command"]]))
        if len(lines) > MOST_ENTRIES or any(len(line) > LONGEST_ENTRY for line in lines):
            raise Refused(413, -1, "too large")
        return lines

    # What is refused

    def _check(self, table: Table, path: str, row: Row) -> None:
        name = row.get("name", "")
        if (not name and not table.number) or len(name) > table.longest or FORBIDDEN & set(name):
            raise Refused(500, -15, f"name {name!r}")
        for label in ("comment", "comments"):
            if len(row.get(label, "")) > table.comment or FORBIDDEN & set(row.get(label, "")):
                raise Refused(500, -651, f"{label} is not valid")
        for label, choices in table.choices.items():
            if row.get(label) is not None and row[label] not in choices:
                raise Refused(424, -651, f"{label} {row[label]!r}")
        for label, paths in table.refers.items():
            self._check_references(label, paths, row.get(label))
        if path == "system/external-resource":
            self._check_resource(row)
        if path == "firewall/policy":
            self._check_families(row)
        self._check_categories(path, row)

    def _check_categories(self, path: str, row: Row) -> None:
        for used in _categories(path, row):
            if used in CATEGORIES and all(one.get("category") != used for one in self.rows("system/external-resource")):
                raise Refused(424, -3, f"category {used} is not there")

    def _check_families(self, row: Row) -> None:
        """Sources and destinations are of the same ones. Source: community.fortinet.com, ta-p/191945."""
        for label in ("", "6"):
            if bool(row.get(f"srcaddr{label}")) != bool(row.get(f"dstaddr{label}")):
                raise Refused(500, -61, f"srcaddr{label} and dstaddr{label} belong together")

    def _check_references(self, label: str, paths: tuple[str, ...], value: Any) -> None:
        names = _names(value)
        known = {row.get("name") for path in paths for row in self.rows(path)}
        for name in names if paths else []:
            if name not in known:
                raise Refused(424, -3, f"{label} {name!r} entry not found in datasource")

    def _check_resource(self, row: Row) -> None:
        if row.get("type") != "category":
            return
        number = row.get("category")
        if number not in CATEGORIES:
            raise Refused(424, -651, f"category {number!r}")
        if sum(one.get("category") == number for one in self.rows("system/external-resource")) > 1:
            raise Refused(500, -5, f"category {number} is used by another resource")
        if row.get("update-method") != "push" and not row.get("resource"):
            raise Refused(424, -56, "resource")

    def _users(self, path: str, row: Row) -> Iterator[str]:
        for other, table in TABLES.items():
            for one in self.rows(other):
                for label, paths in table.refers.items():
                    if path in paths and row.get("name") and row["name"] in _names(one.get(label)):
                        yield f"{other} {one.get('name')}"
                if path == "system/external-resource" and row.get("category") in {*_categories(other, one)} - {None}:
                    yield f"{other} {one.get('name')}"
                if path == "webfilter/urlfilter" and (one.get("web") or {}).get("urlfilter-table") == row["id"]:
                    yield f"{other} {one.get('name')}"


def _without_origins(value: Any) -> Any:
    """A copy of what is written, without the keys that FortiOS itself adds to what it tells."""
    if isinstance(value, dict):
        return {name: _without_origins(one) for name, one in value.items() if name != "q_origin_key"}
    return [_without_origins(one) for one in value] if isinstance(value, list) else value


def _names(value: Any) -> list[Any]:
    """The names in a field that refers: one of them as text, or a list of objects."""
    if isinstance(value, str):
        return [value] if value else []
    return [one.get("name") for one in value or [] if isinstance(one, dict)]


def _told(table: Table, row: Row) -> Row:
    """A row without its number, where it has a name, and without what is so by default."""
    dropped = table.key if table.number and row.get("name") else ""
    return {
        name: value for name, value in row.items()
        if name != dropped and not (name in table.defaults and value in (table.defaults[name], None, ""))
    }


def _categories(path: str, row: Row) -> list[Any]:
    if path == "webfilter/profile":
        return [one.get("category") for one in (row.get("ftgd-wf") or {}).get("filters", [])]
    if path == "firewall/ssl-ssh-profile":
        return [one.get("fortiguard-category") for one in row.get("ssl-exempt", [])]
    if path == "firewall/proxy-address":
        return [one.get("id") for one in row.get("category", [])]
    return []
