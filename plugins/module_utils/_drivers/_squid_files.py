# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our files on a Squid host: finding, writing, proving that they are what runs."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_include import MARK
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_lists import KINDS
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_process import (
    Process,
    proof,
    read_at_start,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._folder_lock import wait_for_lock

_LIST = re.compile(r"^(?P<title>({})_[0-9]+)\.[0-9a-f]{{16}}\.acl$".format("|".join(KINDS)))


class Files:
    """Paths and files of one ``name``; the only place that writes to the Squid host's disk."""

    def __init__(self, include_dir: str, name: str, position: str) -> None:
        self.include_dir = include_dir
        self.name = name
        self.include = os.path.join(include_dir, f"{position}-egress_{name}.conf")
        self.list_dir = os.path.join(os.path.dirname(include_dir.rstrip("/")), f"egress_{name}")
        self.loaded = os.path.join(self.list_dir, "loaded.json")
        self._ours = re.compile(rf"^([0-9]{{2}}-)?egress_{re.escape(name)}\.conf$")
        self._staged = re.compile(rf"^\.egress_{re.escape(name)}\.[a-z]+$")
        self._lock: Optional[int] = None

    # Reading

    def is_include(self, path: str) -> bool:
        return os.path.dirname(path) == self.include_dir and bool(self._ours.match(os.path.basename(path)))

    def title(self, path: str) -> str:
        """``names_1`` of one of our lists, "" of anything else."""
        match = _LIST.match(os.path.basename(path)) if os.path.dirname(path) == self.list_dir else None
        return match.group("title") if match else ""

    def includes(self) -> List[str]:
        return [path for path in self._listed(self.include_dir) if self.is_include(path)]

    def read(self) -> Dict[str, str]:
        """Every file of ours by path: include files, lists, and what a killed run left behind."""
        found = {path: _text(path) for path in self.includes()}
        found.update({path: _text(path) for path in self._listed(self.include_dir) if self._is_staged(path)})
        used = "".join(found.values())
        for path in self._listed(self.list_dir):
            text = _text(path) if self.title(path) or self._is_staged(path) else ""
            if text.startswith(MARK) or (text and (path in used or self._is_staged(path))) or path in used:
                found[path] = text
        return found

    def _is_staged(self, path: str) -> bool:
        return bool(self._staged.match(os.path.basename(path)))

    def _listed(self, folder: str) -> List[str]:
        try:
            return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ApplianceError(f"cannot look into {folder}: {_why(error)}") from error

    def may_write(self, path: str) -> bool:
        return self.is_include(path) or bool(self.title(path))

    # What runs

    def is_live(self, running: Optional[Process], objects: Mapping[str, str]) -> bool:
        """Whether the running Squid is known to have read these very files.

        The proof is taken away before the first change and written back after a confirmed reload, so a run that
        was killed anywhere in between leaves none. A Squid started after the last change needs no proof.
        """
        if running is None or not objects:
            return True
        files = sorted(objects)
        try:
            with open(self.loaded, encoding="ascii") as handle:
                known = json.load(handle)
        except FileNotFoundError:
            known = None
        except (OSError, ValueError):
            return False
        return known == _plain(proof(running, files)) or read_at_start(running, files)

    def prove(self, running: Optional[Process], objects: Mapping[str, str]) -> None:
        text = json.dumps(proof(running, sorted(objects)), sort_keys=True) + "\n"
        try:
            self._write(self.loaded, text)
        except ApplianceError as error:
            raise ApplianceError(f"the change is live, and the next run will reload once more: {error}") from error

    # Writing

    def lock(self) -> None:
        """One run at a time, from the first read to the last; the lock is on the folder and ends with the process."""
        if self._lock is not None:
            return
        try:
            self._lock = os.open(self.include_dir, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise ApplianceError(
                f"cannot open {self.include_dir}: {error.strerror}. Expected the folder that squid.conf includes; "
                "make it, or name another with include_dir"
            ) from error
        wait_for_lock(self._lock, self.include_dir)

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_lists(self, objects: Mapping[str, str], present: Mapping[str, str]) -> None:
        """New lists go beside the old ones: their names differ, so nothing that runs is touched."""
        lists = {path: text for path, text in objects.items() if not self.is_include(path)}
        try:
            os.makedirs(self.list_dir, exist_ok=True)
            os.chmod(self.list_dir, 0o755)  # whatever the umask: Squid's own user reads here
        except OSError as error:
            raise ApplianceError(f"cannot make {self.list_dir}: {_why(error)}; nothing was changed") from error
        written: List[str] = []
        try:
            for path, text in sorted(lists.items()):
                if present.get(path) != text:
                    written += [] if path in present else [path]
                    self._write(path, text)
        except ApplianceError:
            self.remove(written)
            raise

    def forget(self) -> None:
        """From here until `prove` nothing is known of what runs."""
        self.remove([self.loaded])

    def switch(self, path: str, text: Optional[str], others: Sequence[str]) -> None:
        """The one step that decides what is live: our include file gets this text, or goes."""
        for other in others:
            if text is not None and not os.path.exists(path):
                os.rename(other, path)  # a changed position: never two of our files at once
            else:
                self.remove([other])
        if text is None:
            self.remove([path])
        else:
            self._write(path, text)
        _sync(self.include_dir)

    def remove(self, paths: Sequence[str]) -> None:
        for path in paths:
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ApplianceError(f"cannot remove {path}: {_why(error)}") from error

    def tidy(self, objects: Mapping[str, str]) -> None:
        """Take away what is ours and no longer used; the folder too when nothing of anyone's is left in it."""
        self.remove([path for path in self.read() if path not in objects])
        if not objects:
            self.remove([self.loaded])
            try:
                os.rmdir(self.list_dir)
            except OSError:
                return  # not there, or a file of somebody else is in it

    def _write(self, path: str, text: str) -> None:
        """Write aside and rename: a reader sees the old text or the new one."""
        aside = os.path.join(os.path.dirname(path), f".egress_{self.name}.new")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as handle:
                handle.write(text)
                handle.flush()
                os.fchmod(handle.fileno(), 0o644)
                os.fsync(handle.fileno())
            os.rename(aside, path)
        except OSError as error:
            with contextlib.suppress(OSError):  # the first error is the one to tell
                os.unlink(aside)
            raise ApplianceError(f"cannot write {path}: {_why(error)}") from error


def _why(error: OSError) -> str:
    root = "; run the task as root (become: true)" if error.errno in (errno.EACCES, errno.EPERM) else ""
    return f"{error.strerror}{root}"


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _sync(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as handle:
            return handle.read()
    except IsADirectoryError as error:
        raise AllowlistError(f"{path} is a folder, expected a file of ours or nothing there") from error
    except OSError as error:
        raise ApplianceError(f"cannot read {path}: {_why(error)}") from error


def split(objects: Mapping[str, str], files: Files) -> Tuple[Dict[str, str], Dict[str, str]]:
    """(include files, lists by title as far as an include file names them)."""
    includes = {path: text for path, text in objects.items() if files.is_include(path)}
    used = "".join(includes.values())
    lists = {files.title(path): text for path, text in objects.items() if files.title(path) and path in used}
    return includes, lists
