# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The candidate and the running configuration, who has changed what in the candidate, and what a commit takes over."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos import checks
from ansible_collections.egress.allowlist.tests.emulators.panos.tree import (
    BadXpath,
    child,
    ensure,
    find,
    merge,
    steps,
)

Path = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Refused(Exception):  # noqa: N818  # an answer of the appliance
    code: str
    text: str


class Configuration:
    def __init__(self, text: str) -> None:
        self.running = fromstring(text)
        self.candidate = copy.deepcopy(self.running)
        self.pending: dict[str, dict[Path, str]] = {}  # by administrator: entries, and what was done last to them

    # One action

    def act(self, admin: str, action: str, xpath: str, given: Element | None, where: dict[str, str]) -> None:
        try:
            path = steps(xpath)
        except BadXpath:
            raise Refused("17", f"{xpath} is not a valid xpath") from None
        getattr(self, f"_{action}")(admin, path, given, where)

    def _set(self, admin: str, path: list[tuple[str, str | None]], given: Element | None, _where: object) -> None:
        if given is None:
            raise Refused("12", "element is missing")
        wrapper = Element("x")
        wrapper.extend(given)
        parent = ensure(self.candidate, path)
        merge(parent, wrapper)
        entries = [(*path, ("entry", one.get("name"))) for one in given if one.tag == "entry"]
        for one in entries or [tuple(path)]:
            self._checked(one)
            self._noted(admin, one, "SET")

    def _edit(self, admin: str, path: list[tuple[str, str | None]], given: Element | None, _where: object) -> None:
        only = given[0] if given is not None and len(given) == 1 else None
        if only is None or (only.tag, only.get("name")) != path[-1]:
            raise Refused("12", "edit failed, may need to override template object first" if only is None
                          else f"node name {only.tag} {only.get('name')} does not match the xpath")  # fmt: skip
        parent = ensure(self.candidate, path[:-1])
        found = child(parent, *path[-1])
        if found is None:
            parent.append(only)
        else:
            parent[list(parent).index(found)] = only
        self._checked(tuple(path))
        self._noted(admin, tuple(path), "EDIT")

    def _delete(self, admin: str, path: list[tuple[str, str | None]], _given: object, _where: object) -> None:
        parent = find(self.candidate, path[:-1])
        found = None if parent is None else child(parent, *path[-1])
        if parent is None or found is None:
            raise Refused("7", "Object doesn't exist")
        users = checks.users(self.candidate, path)
        if users:
            raise Refused("10", f"{path[-1][1]} cannot be deleted because of references from:\n" + "\n".join(users))
        parent.remove(found)
        self._noted(admin, tuple(path), "DELETE")

    def _move(self, admin: str, path: list[tuple[str, str | None]], _given: object, where: dict[str, str]) -> None:
        parent = find(self.candidate, path[:-1])
        found = None if parent is None else child(parent, *path[-1])
        if parent is None or found is None:
            raise Refused("7", "Object doesn't exist")
        others = [one for one in parent if one is not found]
        word, dst = where.get("where", ""), where.get("dst", "")
        at = next((index for index, one in enumerate(others) if one.get("name") == dst), None)
        if word in ("before", "after") and at is None:
            raise Refused("13", f"{dst} does not exist")
        if word not in ("top", "bottom", "before", "after"):
            raise Refused("17", f"where {word!r} is not valid")
        target = {"top": 0, "bottom": len(others), "before": at or 0, "after": (at or 0) + 1}[word]
        if list(parent).index(found) == target:
            raise Refused("14", "Operation not possible: the rule is already there")
        parent.remove(found)
        parent.insert(target, found)
        self._noted(admin, tuple(path), "MOVE")

    def _checked(self, path: Path) -> None:
        entry = find(self.candidate, list(path))
        wrong = checks.invalid(self.candidate, list(path), entry) if entry is not None else ""
        if wrong:
            raise Refused("12", wrong)

    def _noted(self, admin: str, path: Path, action: str) -> None:
        at = next((index for index, (tag, name) in enumerate(path) if tag == "entry" and index and
                   path[index - 1][0] in checks.CONTAINERS), len(path) - 1)  # fmt: skip
        self.pending.setdefault(admin, {})[path[: at + 1]] = action

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

    def marked(self, path: list[tuple[str, str | None]]) -> Element | None:
        """A part of the candidate as it is read: changed entries carry who, when and a number."""
        found = find(self.candidate, path)
        if found is None:
            return None
        shown = copy.deepcopy(found)
        for number, (admin, changes) in enumerate(sorted(self.pending.items()), 2):
            for changed in changes:
                rest = list(changed[len(path) :])
                if list(changed[: len(path)]) == path and (one := find(shown, rest)) is not None:
                    for node in one.iter():
                        node.attrib.update({"admin": admin, "dirtyId": str(number), "time": "2026/11/23 05:14:00"})
        return shown


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
