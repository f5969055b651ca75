# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of one organisation: what is saved, what is in force, and who has not activated yet.

Sources: help.zscaler.com "Saving and Activating Changes", and the activation guide of Zscaler's Terraform provider.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
CUSTOM_VALUE = 127  # CUSTOM_03 has val 130, CUSTOM_36 has 163 (recorded)


@dataclass
class Config:
    tables: dict[str, list[Row]] = field(default_factory=dict)
    lists: dict[str, set[str]] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        return self.tables.setdefault(table, [])

    def urls(self, name: str) -> set[str]:
        return self.lists.setdefault(name, set())

    def by_id(self, table: str, wanted: Any) -> Row | None:
        return next((row for row in self.rows(table) if str(row["id"]) == str(wanted)), None)


@dataclass
class Tenant:
    """*others_delay*: an activation waits in a queue until every admin who has edited activates too (documented)."""

    saved: Config = field(default_factory=Config)
    in_force: Config = field(default_factory=Config)
    editing: set[str] = field(default_factory=set)  # admins who saved and did not activate
    queued: set[str] = field(default_factory=set)  # admins who activated and wait for others
    others_delay: bool = True
    slow_answers: int = 0  # how many answers say INPROGRESS after an activation
    _last_id: int = 10_596_600
    _progress: int = 0

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def new_category_number(self) -> int:
        taken = {row["val"] for row in self.saved.rows("urlCategories")}
        return next(number for number in range(1, 10_000) if number + CUSTOM_VALUE not in taken)

    def touched(self, admin: str) -> None:
        """*admin* saved a change."""
        self.editing.add(admin)
        self.queued.discard(admin)

    def activate(self, admin: str) -> None:
        """All that is saved comes into force, whoever saved it; or the wish for it is queued."""
        if admin in self.editing:
            self.editing.discard(admin)
            self.queued.add(admin)
        if self.others_delay and self.editing:
            return
        if self.pending:
            self._progress = self.slow_answers
        self.in_force = copy.deepcopy(self.saved)
        self.editing.clear()
        self.queued.clear()

    def session_ended(self, admin: str) -> None:
        """"The platform activates pending changes automatically when a session ends"."""
        if admin in self.editing:
            self.activate(admin)

    @property
    def pending(self) -> bool:
        return bool(self.editing or self.queued)

    def status(self) -> str:
        """That a queued activation reads PENDING is unverified; the three words are documented."""
        if self.pending:
            return "PENDING"
        if self._progress:
            self._progress -= 1
            return "INPROGRESS"
        return "ACTIVE"


def comparable(config: Config) -> dict[str, Any]:
    """The configuration without what differs from run to run: numbers of rows, times, the order of lists."""
    names = _names(config)
    tables = {
        table: sorted((_comparable_row(row, names) for row in rows), key=lambda row: (str(row.get("order")), str(row)))
        for table, rows in config.tables.items()
    }
    everything = {**tables, **{name: sorted(urls) for name, urls in config.lists.items()}}
    return {name: found for name, found in everything.items() if found}


def _names(config: Config) -> dict[str, str]:
    rows = [row for table in config.tables.values() for row in table]
    return {str(row["id"]): str(row.get("configuredName") or row.get("name") or row["id"]) for row in rows}


def _comparable_row(row: Row, names: dict[str, str]) -> Row:
    dropped = ("id", "val", "lastModifiedTime", "lastModifiedBy")
    return {name: _comparable_value(value, names) for name, value in row.items() if name not in dropped}


def _comparable_value(value: Any, names: dict[str, str]) -> Any:
    if not isinstance(value, list):
        return value
    if all(isinstance(item, dict) and "id" in item for item in value):
        return sorted(names.get(str(item["id"]), "") for item in value)
    return sorted((names.get(str(item), item) for item in value), key=str)
