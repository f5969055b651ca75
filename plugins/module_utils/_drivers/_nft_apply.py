# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One change of a firewall: rules first, then dnsmasq, then what no longer belongs.

Additions come first, so that nothing that stays allowed is blocked in between: the new rules are one transaction, then
dnsmasq is restarted where its file changed, and only then the addresses of names that went are taken away, since until
then it would have put them back. A run that is killed anywhere leaves a difference that the next run sees.
"""

from __future__ import annotations

import os
from typing import List, Mapping, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_change import (
    Learning,
    main_change,
    names_change,
    names_cleanup,
    removed,
    seconds_left,
    site_change,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dnsmasq import Dnsmasq, Process, record_of
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_files import Files, Noted
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_kernel import Nft, commands_text
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import class_by_domain, parents
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import Command, Part, part_from_text
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

ATTEMPTS = 3  # an address that is to go may end by itself meanwhile, and then the transaction is refused
_TABLE, _INSIDE = "table ", "in table "


def table_key(family: str, table: str) -> str:
    """The name under which a table of ours stands among the objects."""
    return f"{_TABLE}{family} {table}"


def inside_key(family: str, table: str) -> str:
    """The same for our objects inside a table of the site."""
    return f"{_INSIDE}{family} {table}"


class State:
    """Objects as the parts that they stand for."""

    def __init__(self, objects: Mapping[str, str], names_key: str) -> None:
        parts = {
            key: part_from_text(text) for key, text in objects.items() if key.startswith((_TABLE, _INSIDE))
        }
        self.names: Optional[Part] = parts.pop(names_key, None)
        self.inside = {key: part for key, part in parts.items() if key.startswith(_INSIDE)}
        mains = [part for key, part in parts.items() if key.startswith(_TABLE)]
        self.main: Optional[Part] = mains[0] if mains else None


class Change:
    """From the objects that are there to those that shall be; computed once, checked, then carried out."""

    def __init__(
        self, nft: Nft, files: Files, names_key: str, present: Mapping[str, str], desired: Mapping[str, str]
    ) -> None:
        self._nft = nft
        self._files = files
        self._names_key = names_key
        self._present = present
        self._desired = desired
        self.old = State(present, names_key)
        self.new = State(desired, names_key)
        self._class_of = class_by_domain(desired.get(files.dnsmasq, ""))
        gone = set(class_by_domain(present.get(files.dnsmasq, ""))) - set(self._class_of)
        self._heirs = {domain: next((one for one in parents(domain) if one in self._class_of), None) for domain in gone}
        self.first = self._first()

    # What is sent

    def _learning(self) -> Learning:
        family, table = self._names_key[len(_TABLE) :].split(" ")
        counted = self._nft.counted((family, table)) if self.old.names is not None else {}
        return Learning(self._class_of, self._heirs, seconds_left(counted))

    def _first(self) -> List[Command]:
        """What comes before dnsmasq: everything new, and of the old all that DNS has no part in."""
        commands: List[Command] = []
        if self.old.main is not None or self.new.main is not None:
            commands += main_change(self.old.main, self.new.main)
        for key in sorted({*self.old.inside, *self.new.inside}):
            commands += site_change(self.old.inside.get(key), self.new.inside.get(key))
        if self.new.names is not None:
            learning = self._learning()
            commands += names_change(self.old.names, self.new.names, learning.learnt)
            if self.old.names is not None:
                commands += learning.additions(self.new.names)
        return commands

    def _last(self) -> List[Command]:
        """What goes once dnsmasq no longer fills it."""
        if self.new.names is None:
            return removed(self.old.names)
        if self.old.names is None or not self._has_leftovers():
            return []
        return names_cleanup(self._names_now(), self.new.names, self._learning())

    def _has_leftovers(self) -> bool:
        """Whether a name went or moved to another class; also what a killed run has left."""
        old, new = self.old.names, self.new.names
        if old is None or new is None:
            return False
        return bool(set(old.sets) - set(new.sets)) or class_by_domain(
            self._present.get(self._files.dnsmasq, "")
        ) != self._class_of

    def _names_now(self) -> Part:
        family, table = self._names_key[len(_TABLE) :].split(" ")
        return self._nft.part((family, table), self._nft.ruleset().objects((family, table)))

    @property
    def _is_whole_file(self) -> bool:
        """Nothing of ours is there, so what is loaded is the persistent file itself."""
        nothing = self.old.main is None and self.old.names is None and not self.old.inside
        return nothing and not self.new.inside and self._files.rules in self._desired

    def first_text(self) -> str:
        if not self.first:
            return ""
        return self._desired[self._files.rules] if self._is_whole_file else commands_text(self.first)

    # Carrying it out

    def load(self, text: str, *, check: bool = False, as_json: bool = True) -> None:
        if text:
            self._files.write(self._files.staged, text)
            try:
                self._nft.transact(self._files.staged, check=check, as_json=as_json)
            finally:
                self._files.remove(self._files.staged)

    def finish(self) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            commands = self._last()
            try:
                if commands:
                    self.load(commands_text(commands))
                return
            except ApplianceError:
                if attempt == ATTEMPTS:
                    raise

    def back_text(self) -> str:
        """The way back after the first step."""
        commands: List[Command] = []
        if self.old.main is not None or self.new.main is not None:
            commands += main_change(self.new.main, self.old.main)
        for key in sorted({*self.old.inside, *self.new.inside}):
            commands += site_change(self.new.inside.get(key), self.old.inside.get(key))
        if self.new.names is not None:
            if self.old.names is None:
                commands += removed(self.new.names)
            else:
                now = self._names_now()
                commands += names_change(now, self.old.names, self._learning().learnt)
                commands += now.named("delete", "set", set(now.sets) - set(self.old.names.sets))
        return commands_text(commands) if commands else ""


def carry_out(
    change: Change,
    files: Files,
    dnsmasq: Dnsmasq,
    texts: Tuple[Mapping[str, str], Mapping[str, str]],
    live: bool,
    run_command: RunCommand,
) -> None:
    """All steps. ``texts``: the objects before and after; ``live``: dnsmasq is known to run with its present file."""
    present, desired = texts
    changed = [path for path in files.paths if present.get(path) != desired.get(path)]
    for path in changed:
        if path in desired:
            files.stage(path, desired[path])
    try:
        change.load(change.first_text())
    except ApplianceError:
        files.unstage()
        raise
    restarted = _change_dnsmasq(change, files, dnsmasq, texts, live)
    change.finish()
    for path in changed:
        if path != files.dnsmasq:
            files.put(path, desired.get(path))
    if present.get(files.service) != desired.get(files.service) and os.path.isdir("/run/systemd/system"):
        run_command(["systemctl", "daemon-reload"])
    if change.new.names is not None:
        if change.old.names is None and not restarted:
            dnsmasq.forget_cache()
        dnsmasq.prime(_unlearnt(change, files, texts))
    files.tidy()


def _unlearnt(
    change: Change, files: Files, texts: Tuple[Mapping[str, str], Mapping[str, str]]
) -> List[str]:
    """Full names whose addresses cannot be in the sets yet, while clients may hold them in their own cache."""
    old, new = texts
    known = set(class_by_domain(old.get(files.dnsmasq, ""))) if change.old.names is not None else set()
    noted = [names for holding, names in Noted(new.get(files.rules, "")).holdings
             if holding.entry.type == "host" and holding.entry.pattern.is_literal]
    return sorted({name for names in noted for name in names} - known)


def _change_dnsmasq(
    change: Change, files: Files, dnsmasq: Dnsmasq, texts: Tuple[Mapping[str, str], Mapping[str, str]], live: bool
) -> bool:
    """Whether it was restarted. One that does not come back gets its old file again, and the rules go back too."""
    old, new = (one.get(files.dnsmasq) for one in texts)
    if old == new and live:
        return False
    process = dnsmasq.process()
    try:
        if old != new:
            files.put(files.dnsmasq, new)
    except ApplianceError as error:
        raise ApplianceError(f"{error}. {_put_back(change, files)}") from error
    if process is None:
        return False  # nobody to tell; it reads its files when it starts
    try:
        dnsmasq.restart(process, files.name, record_of(new or ""))
    except ApplianceError as error:
        files.put(files.dnsmasq, old)
        raise ApplianceError(f"{error}. {_put_back(change, files, dnsmasq, process)}") from error
    return True


def _put_back(
    change: Change, files: Files, dnsmasq: Optional[Dnsmasq] = None, process: Optional[Process] = None
) -> str:
    """The rules, and a *dnsmasq* that has been told of its new file."""
    failed = []
    files.unstage()
    try:
        if dnsmasq is not None and process is not None:
            dnsmasq.start_again(process)
    except ApplianceError as error:
        failed.append(f"dnsmasq could not be started again: {error}")
    try:
        change.load(change.back_text())
    except ApplianceError as error:
        failed.append(f"the rules could not be put back: {error}")
    return "; ".join(failed) or "The old file and the old rules were put back"
