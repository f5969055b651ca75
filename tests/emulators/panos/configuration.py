# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The candidate and the running configuration, who has changed what in the candidate, and what a commit takes over."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from xml.etree.ElementTree import Element, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos import checks, schema
from ansible_collections.egress.allowlist.tests.emulators.panos.answers import Missing, Refused
from ansible_collections.egress.allowlist.tests.emulators.panos.tree import (
    BadXpath,
    Step,
    child,
    ensure,
    find,
    merge,
    steps,
)

Path = tuple[Step, ...]
_TIME = "2026/11/23 05:14:00"


class Configuration:
    def __init__(self, text: str) -> None:
        self.running = fromstring(text)
        self._rules_made = 0
        for rule in self.running.iterfind(".//rules/entry"):
            self._identify(rule)
        self.candidate = copy.deepcopy(self.running)
        self.pending: dict[str, dict[Path, str]] = {}  # by administrator: entries, and what was done last to them

    # One action

    def act(self, admin: str, action: str, xpath: str, given: Element | None, where: Mapping[str, str]) -> None:
        """Refused (nothing is changed then) or Missing where the appliance does not do it."""
        path = _place(xpath)
        self._require_vsys(path)
        before = self.copy()
        try:
            getattr(self, f"_{action}")(admin, path, given, where)
        except Refused:
            self.candidate, self.pending = before
            raise

    def _require_vsys(self, path: list[Step]) -> None:
        """A firewall has the virtual systems that it has (what it says of others is a guess); Panorama makes the device
        groups that it is told of."""
        scope = path[: schema.scope_of(path)]
        if len(scope) > 1 and scope[-2][0] == "vsys" and find(self.candidate, scope) is None:
            raise Refused("12", f" vsys '{scope[-1][1]}' is not a valid reference\n vsys is invalid")

    def _set(self, admin: str, path: list[Step], given: Element | None, _where: object) -> None:
        if given is None:
            raise Refused("12", f" {path[-1][0]} is missing its element")
        written = list(schema.entries_in(path, given))
        had = [find(self.candidate, one) is not None for one in written]
        merge(ensure(self.candidate, path), given)
        for one, was_there in zip(written, had, strict=True):
            self._written(admin, one, "SET" if was_there else "CREATE")

    def _edit(self, admin: str, path: list[Step], given: Element | None, _where: object) -> None:
        only = given[0] if given is not None and len(given) == 1 else None
        if only is None or (only.tag, only.get("name")) != path[-1]:
            raise Refused("12", f" {path[-1][0]} -> edit: the element is not the node of the xpath")
        parent = ensure(self.candidate, path[:-1])
        found = child(parent, *path[-1])
        if found is None:
            parent.append(only)
        else:
            parent[list(parent).index(found)] = only
        for one in schema.entries_in(path, only):
            self._written(admin, one, "EDIT")

    def _delete(self, admin: str, path: list[Step], _given: object, _where: object) -> None:
        parent, found = self._found(path)
        if parent is None or found is None:
            raise Missing("Object doesn't exist")
        name = path[-1][1]
        users = checks.users(self.candidate, path)
        if users:
            raise Refused("10", "\n".join([f" {name} cannot be deleted because of references from:", *users]))
        parent.remove(found)
        self._checked(schema.entry_of(path))
        self._noted(admin, schema.entry_of(path), "DELETE")

    def _move(self, admin: str, path: list[Step], _given: object, where: Mapping[str, str]) -> None:
        parent, found = self._found(path)
        if parent is None or found is None:
            raise Missing("Object doesn't exist")
        target = _target([one.get("name") for one in parent if one is not found], where)
        if list(parent).index(found) == target:
            raise Refused("14", f" {path[-1][1]} is there already, nothing to move")
        parent.remove(found)
        parent.insert(target, found)
        self._noted(admin, path, "MOVE")

    def _found(self, path: list[Step]) -> tuple[Element | None, Element | None]:
        parent = find(self.candidate, path[:-1])
        return parent, None if parent is None else child(parent, *path[-1])

    def _written(self, admin: str, path: list[Step], action: str) -> None:
        self._checked(path)
        self._noted(admin, path, action)
        found = find(self.candidate, path)
        if found is not None and len(path) > 1 and path[-2][0] == "rules":
            self._identify(found)

    def _identify(self, rule: Element) -> None:
        """From 9.0 on each rule has an identity, which clients have taken for a change."""
        if rule.get("uuid") is None:
            self._rules_made += 1
            rule.set("uuid", str(uuid.uuid5(uuid.NAMESPACE_OID, str(self._rules_made))))

    def _checked(self, path: list[Step]) -> None:
        entry = find(self.candidate, path)
        wrong = checks.invalid(self.candidate, path, entry) if entry is not None else ""
        if wrong:
            raise Refused("12", wrong)

    def _noted(self, admin: str, path: list[Step], action: str) -> None:
        self.pending.setdefault(admin, {})[tuple(path)] = action

    # Commit and revert

    def commit(self, admin: str | None) -> None:
        """Take over what this administrator has changed; everything where none is named."""
        if admin is None:
            self.running = copy.deepcopy(self.candidate)
            self.pending.clear()
            return
        for path in self.pending.pop(admin, {}):
            _carry(self.candidate, self.running, path)
        for others in self.pending.values():  # what two have changed is committed with the first
            for path in [one for one in others if _same(self.candidate, self.running, one)]:
                del others[path]

    def revert(self, admin: str | None) -> None:
        if admin is None:
            self.candidate = copy.deepcopy(self.running)
            self.pending.clear()
            return
        for path in self.pending.pop(admin, {}):
            _carry(self.running, self.candidate, path)

    def is_pending(self, admin: str | None = None) -> bool:
        return any(changes for name, changes in self.pending.items() if admin in (None, name))

    def copy(self) -> tuple[Element, dict[str, dict[Path, str]]]:
        return copy.deepcopy(self.candidate), copy.deepcopy(self.pending)

    def marked(self, path: list[Step]) -> Element | None:
        """A part of the candidate as it is read: what has changed carries who, when and a number."""
        found = find(self.candidate, path)
        if found is None:
            return None
        shown = copy.deepcopy(found)
        for number, (admin, changes) in enumerate(sorted(self.pending.items()), 2):
            for changed in changes:
                one = _inside(shown, path, list(changed))
                for node in one.iter() if one is not None else ():
                    node.attrib.update({"admin": admin, "dirtyId": str(number), "time": _TIME})
        return shown


def _place(xpath: str) -> list[Step]:
    try:
        path = steps(xpath)
    except BadXpath:
        raise Refused("17", f"Invalid xpath: {xpath}") from None
    if not path or not schema.is_known(path):
        raise Refused("6", f"Could not find schema node for xpath {xpath}")
    return path


def _target(others: list[str | None], where: Mapping[str, str]) -> int:
    """At which place among the others a rule is to stand."""
    word, name = where.get("where", ""), where.get("dst", "")
    if word in ("top", "bottom"):
        return 0 if word == "top" else len(others)
    if word not in ("before", "after") or not name:
        raise Refused("7", "no target specified in move" if word else "no where specified in move")
    if name not in others:
        raise Refused("13", f" {name} is not there to move {word} it")
    return others.index(name) + (word == "after")


def _inside(shown: Element, path: list[Step], changed: list[Step]) -> Element | None:
    """What of a changed entry is in that which is read."""
    if path[: len(changed)] == changed:
        return shown
    return find(shown, changed[len(path) :]) if changed[: len(path)] == path else None


def _same(one: Element, other: Element, path: Path) -> bool:
    texts = [None if (found := find(root, list(path))) is None else tostring(found) for root in (one, other)]
    return texts[0] == texts[1]


def _carry(source: Element, target: Element, path: Path) -> None:
    """Make an entry of the target what it is in the source, place included."""
    new = find(source, list(path))
    old = find(target, list(path))
    parent = ensure(target, list(path[:-1]))
    if old is not None:
        parent.remove(old)
    if new is None:
        return
    siblings = find(source, list(path[:-1]))
    after = list(siblings if siblings is not None else [])
    following = [one.get("name") for one in after[after.index(new) + 1 :]]
    at = next((index for name in following for index, one in enumerate(parent) if one.get("name") == name), len(parent))
    parent.insert(at, copy.deepcopy(new))
