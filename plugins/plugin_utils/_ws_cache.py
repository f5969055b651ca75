# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the web service said, kept on disk for all plays of this machine.

One folder for each list (instance, tenant, service), in it `state.json`, and a file for each version of the list and of
the records of changes. Every file is written aside and renamed, and carries a checksum: one that was damaged counts as
missing and is replaced. With *writes* false nothing is ever written, not even a folder or a lock; what would have been
written, or could not be, is known to this process all the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

FORMAT = 1
KEPT = 24  # versions of a list: two years of Microsoft's monthly ones
_CLIENT = "client.json"
_STATE = "state.json"
_PAUSE = 0.05
_LONG_ENOUGH = 5
_DRAFT = ".new"
_ABANDONED = 600


class Cache:
    """The folder of one list. *problems* says what could not be written, for the user.

    *scratch*: a folder that ends with the run, which takes what *writes* forbids, for the other processes of the run.
    """

    def __init__(self, folder: str, name: str, *, writes: bool, scratch: str | None = None) -> None:
        self._top = os.path.abspath(os.path.expanduser(folder))
        self._name = name
        self._target = self._top if writes else scratch
        # Where files are looked for, the nearest first.
        self._places = [self._top] if self._target in (None, self._top) else [str(self._target), self._top]
        self._memory: dict[str, dict[str, Any]] = {}
        self._locks: dict[str, bool] = {}
        self.problems: list[str] = []

    @property
    def folder(self) -> str:
        return os.path.join(self._top, self._name)

    def client_id(self) -> str:
        """The id of this machine for the service, made once."""
        known = self._id()
        if known is None:
            # Of two plays that come first at once, the one that is later by a moment takes what the other wrote.
            with self.locked(_LONG_ENOUGH, of=os.curdir):
                known = self._id() or str(uuid.uuid4())
                self._write(_CLIENT, {"id": known})
        return known

    def _id(self) -> str | None:
        known = (self._read(_CLIENT) or {}).get("id")
        return known if isinstance(known, str) and _is_uuid(known) else None

    def state(self) -> dict[str, Any]:
        return self._read(self._file(_STATE)) or {}

    def write_state(self, state: dict[str, Any]) -> None:
        self._write(self._file(_STATE), state)

    def read(self, kind: str, version: str) -> str | None:
        """The text of an answer, as it came; None where there is none, or it was damaged."""
        found = self._read(self._file(f"{kind}-{version}.json"))
        text = found.get("text") if found else None
        return text if isinstance(text, str) else None

    def write(self, kind: str, version: str, text: str) -> None:
        self._write(self._file(f"{kind}-{version}.json"), {"version": version, "text": text})

    def versions(self, kind: str) -> list[str]:
        """The versions there are, the oldest first."""
        names = {name for place in self._places for name in _names(os.path.join(place, self._name))}
        names |= {os.path.basename(file) for file in self._memory}
        found = (re.fullmatch(rf"{kind}-([0-9]+)\.json", name) for name in names)
        return sorted(match[1] for match in found if match)

    def forget_old(self, kind: str, keep: int = KEPT, *, but: str | None = None) -> None:
        versions = [version for version in self.versions(kind) if version != but]
        for version in versions[: max(len(versions) - keep, 0)]:
            file = self._file(f"{kind}-{version}.json")
            self._memory.pop(file, None)
            if self._target is not None:
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self._target, file))

    def forget_drafts(self) -> None:
        """What a process left that was killed in the middle of a write."""
        if self._target is None:
            return
        for folder in (self._target, os.path.join(self._target, self._name)):
            for name in (name for name in _names(folder) if name.startswith(".") and name.endswith(_DRAFT)):
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    if time.time() - os.stat(path).st_mtime > _ABANDONED:
                        os.unlink(path)

    @contextlib.contextmanager
    def locked(self, seconds: float, *, of: str | None = None) -> Iterator[bool]:
        """Alone among the plays that write to the same place; False where that could not be had in time.

        Within it, it is what it was: whoever is alone stays so, and whoever waited in vain does not wait again.
        """
        name = of or self._name
        if name in self._locks:
            yield self._locks[name]
            return
        handle = None if self._target is None else self._lock_file(os.path.join(self._target, name))
        if handle is None:
            yield False
            return
        try:
            self._locks[name] = _lock(handle, seconds)
            yield self._locks[name]
        finally:
            self._locks.pop(name, None)
            os.close(handle)

    def _lock_file(self, folder: str) -> int | None:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            return os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._complain(folder, error)
            return None

    def _file(self, name: str) -> str:
        return os.path.join(self._name, name)

    def _read(self, file: str) -> dict[str, Any] | None:
        if file in self._memory:
            return self._memory[file]
        found = (_read(os.path.join(place, file)) for place in self._places)
        return next((data for data in found if data is not None), None)

    def _write(self, file: str, data: dict[str, Any]) -> None:
        self._memory[file] = data
        if self._target is None:
            return
        path = os.path.join(self._target, file)
        body = json.dumps(data, sort_keys=True, ensure_ascii=True)
        whole = {"format": FORMAT, "sha256": _digest(body), "body": body}
        aside = None
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            handle, aside = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".", suffix=_DRAFT)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                json.dump(whole, stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(aside, path)
            aside = None
        except OSError as error:
            self._complain(path, error)
        finally:
            if aside is not None:
                with contextlib.suppress(OSError):
                    os.unlink(aside)

    def _complain(self, path: str, error: OSError) -> None:
        text = f"the cache {path} cannot be written: {error.strerror}. Choose another folder with cache_dir"
        if text not in self.problems:
            self.problems.append(text)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def name_of(instance: str, tenant: str | None, url: str, default_url: str) -> str:
    """The folder's name: lists of other tenants and other services are other lists."""
    parts = [instance, *([tenant] if tenant else [])]
    return "-".join(parts if url == default_url else [*parts, _digest(url)[:12]])


def checked_folder(folder: str) -> str:
    """*folder*, unless something else is there."""
    path = os.path.abspath(os.path.expanduser(folder))
    if os.path.lexists(path) and not os.path.isdir(path):
        raise AllowlistError(f"cache_dir: {path} is not a folder: name one, or take the file away")
    return path


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="ascii") as file:
            whole = json.load(file)
        if whole["format"] != FORMAT or whole["sha256"] != _digest(whole["body"]):
            return None
        data = json.loads(whole["body"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _lock(handle: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(_PAUSE)
        except OSError:
            return False  # a file system without locks, which waiting does not change
