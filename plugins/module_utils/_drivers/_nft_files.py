# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our files on a firewall's host: where they are, what is in them, and the way they are written."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from contextlib import contextmanager
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._check_folder import folder_for_check, sweep
from ansible_collections.egress.allowlist.plugins.module_utils._driver import INTENTS
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import Command
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._folder_lock import wait_for_lock
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

HEAD = "# egress.allowlist name="
WRITTEN_BY = "egress.allowlist"


class Files:
    """Paths and files of one ``name``."""

    def __init__(self, name: str, directory: str, dnsmasq_dir: str, service_dir: str) -> None:
        own = f"egress_{name}"
        self.name = name
        self.directory = directory.rstrip("/")
        self.rules = os.path.join(self.directory, f"{own}.json")
        self.include = os.path.join(self.directory, f"{own}.inc")
        self.dnsmasq = os.path.join(dnsmasq_dir, f"{own}.conf")
        self.service = os.path.join(service_dir, f"{own}.conf")
        self.staged = os.path.join(self.directory, f".{own}.new")
        self._lock: Optional[int] = None

    @property
    def paths(self) -> Tuple[str, ...]:
        return self.rules, self.include, self.dnsmasq, self.service

    @property
    def _locked(self) -> str:
        return os.path.dirname(self.directory) or "/"

    @property
    def head(self) -> str:
        return f"{HEAD}{self.name}\n"

    def read(self) -> Dict[str, str]:
        found = {path: _text(path) for path in self.paths}
        return {path: text for path, text in found.items() if text is not None}

    def foreign(self, objects: Mapping[str, str]) -> List[str]:
        """Files with our name that we did not write."""
        found = [path for path in self.paths[1:] if path in objects and not objects[path].startswith(self.head)]
        if self.rules in objects and WRITTEN_BY not in objects[self.rules][:300]:
            found.append(self.rules)
        return found

    # Writing

    def lock(self) -> None:
        """One run at a time on this host: lists look at each other's rules. The lock ends with the process."""
        if self._lock is not None:
            return
        try:
            self._lock = os.open(self._locked, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise ApplianceError(f"directory: cannot open {self._locked}: {_why(error)}") from error
        wait_for_lock(self._lock, self._locked)

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @staticmethod
    def _aside(path: str) -> str:
        folder, name = os.path.split(path)
        return os.path.join(folder, f".{name}.aside")

    def stage(self, path: str, text: str) -> None:
        """Write aside: what is left to do cannot meet a full disk any more."""
        aside = self._aside(path)
        try:
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
                handle.write(text)
                handle.flush()
                os.fchmod(handle.fileno(), 0o644)
                os.fsync(handle.fileno())
        except OSError as error:
            self.unstage()
            raise ApplianceError(f"cannot write {path}: {_why(error)}") from error

    def unstage(self) -> None:
        for path in (*self.paths, self.staged):
            with contextlib.suppress(OSError):  # what stays is taken away by the next run
                os.unlink(self._aside(path))

    def write(self, path: str, text: str) -> None:
        """Write aside, where it has not been staged, and rename: a reader sees the old text or the new one."""
        if _text(self._aside(path)) != text:
            self.stage(path, text)
        try:
            os.rename(self._aside(path), path)
        except OSError as error:
            self.unstage()
            raise ApplianceError(f"cannot write {path}: {_why(error)}") from error

    @contextmanager
    def aside(self, text: str) -> Iterator[str]:
        """A file that only a checker reads, in a folder of its own that is gone afterwards."""
        with folder_for_check("nftables", self._locked) as folder:
            path = os.path.join(folder, "checked")
            try:
                with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
                    handle.write(text)
            except OSError as error:
                raise ApplianceError(f"cannot prepare the check in {folder}: {_why(error)}") from error
            yield path

    def put(self, path: str, text: Optional[str]) -> None:
        if text is None:
            self.remove(path)
        else:
            self.write(path, text)

    def remove(self, path: str) -> None:
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ApplianceError(f"cannot remove {path}: {_why(error)}") from error

    def sweep(self) -> None:
        """What a killed run has left beside what is in force."""
        for path in (self.staged, *(self._aside(path) for path in (*self.paths, self.staged))):
            if os.path.lexists(path):
                self.remove(path)
        sweep("nftables", self._locked)

    def tidy(self) -> None:
        """What a killed run has left, and our folders where nothing is left in them."""
        self.sweep()
        for folder in (self.directory, os.path.dirname(self.service)):
            with contextlib.suppress(OSError):  # not there, or something of somebody else is in it
                os.rmdir(folder)


def _text(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as handle:
            return handle.read()
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise AllowlistError(f"{path} is a folder, expected a file of ours or nothing there") from error
    except OSError as error:
        raise ApplianceError(f"cannot read {path}: {_why(error)}") from error


def _why(error: OSError) -> str:
    root = "; run the task as root (become: true)" if error.errno in (errno.EACCES, errno.EPERM) else ""
    return f"{error.strerror}{root}"


# The entries, beside the rules that were made of them


def notes(
    name: str, change_id: str, holdings: Sequence[Holding], domains: Mapping[Any, Sequence[str]]
) -> List[Command]:
    """What nft does not need and we do, as lines that it skips. ``domains``: what dnsmasq has of a host, by key."""
    found: List[Command] = [{"metainfo": {"json_schema_version": 1, "name": name, "written_by": WRITTEN_BY}}]
    if change_id:
        found.append({"metainfo": {"change_id": change_id}})
    for holding in holdings:
        entry = holding.entry
        body: Dict[str, Any] = {
            entry.type: entry.value, "ports": list(entry.ports), "intents": list(holding.intents)
        }
        if entry.path is not None:
            body["path"] = entry.path
        if entry.groups:
            body["groups"] = list(entry.groups)
        if entry.key in domains:
            body["names"] = list(domains[entry.key])
        found.append({"metainfo": {"entry": body}})
    return found


def without_change_id(text: str) -> str:
    return "".join(line for line in text.splitlines(True) if not line.startswith('{"metainfo": {"change_id"'))


def commands_of(text: str) -> List[Dict[str, Any]]:
    """The commands of a file of ours; AllowlistError for another file."""
    try:
        found = json.loads(text)["nftables"]
        if isinstance(found, list) and all(isinstance(one, dict) for one in found):
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise AllowlistError("expected a file for nft -j, got something else")


class Noted:
    """The entries that a file of ours notes. ``unread``: notes that are none."""

    def __init__(self, text: str) -> None:
        self.holdings: List[Tuple[Holding, Tuple[str, ...]]] = []
        self.unread: List[str] = []
        try:
            commands = commands_of(text) if text else []
        except AllowlistError:
            self.unread.append("a rules file that cannot be read")
            return
        for command in commands:
            body = command.get("metainfo", {}).get("entry")
            if body is not None:
                self._take(body)

    def _take(self, body: Any) -> None:
        try:
            kind = "host" if "host" in body else "network"
            texts = [tuple(map(str, body.get(key, ()))) for key in ("ports", "groups", "names")]
            entry = Entry(kind, body[kind], body.get("path"), texts[0], groups=texts[1])
            entry.pattern if kind == "host" else entry.network  # noqa: B018  # proves that it is one
            intents = tuple(intent for intent in INTENTS if intent in body["intents"])
        except (AllowlistError, KeyError, TypeError, AttributeError):
            self.unread.append(json.dumps(body, sort_keys=True)[:200])
        else:
            self.holdings.append((Holding(entry, intents), texts[2]))
