# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder below a web root: looked at, locked, written so that a reader never meets half a file."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import re
import stat
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._folder_lock import wait_for_lock

RECORD_MODE = 0o600  # it is for us alone; a server that runs as another user cannot show it


@dataclass(frozen=True)
class Rights:
    """Mode, owner and group of what we publish; None: whatever it is."""

    mode: int
    uid: Optional[int]
    gid: Optional[int]


@dataclass(frozen=True)
class Found:
    """What lies under a name: nothing, a plain file, or a link (which is never followed)."""

    data: Optional[bytes] = None
    there: bool = False
    rights: Rights = Rights(0, None, None)

    def has(self, wished: Rights) -> bool:
        same_owner = wished.uid in (None, self.rights.uid) and wished.gid in (None, self.rights.gid)
        return same_owner and self.rights.mode == wished.mode


class Folder:
    """The only place that touches the web host's disk."""

    def __init__(self, path: str, name: str) -> None:
        self.path = path
        self.record = f".egress_{name}.json"
        self._aside = re.compile(rf"\.egress_{re.escape(name)}\.[A-Za-z0-9._-]+\.new")
        self._prefix = f".egress_{name}."
        self._lock: Optional[int] = None
        self.exists = self._require_usable()

    def _require_usable(self) -> bool:
        if not os.path.isabs(self.path):
            raise AllowlistError(f"directory: expected an absolute path, got {shown(self.path)}")
        self.path = os.path.normpath(self.path)
        try:
            mode = os.lstat(self.path).st_mode
        except FileNotFoundError:
            if not os.path.isdir(os.path.dirname(self.path)):
                raise ApplianceError(
                    f"directory: {self.path} is not there, and neither is the folder above it; make that first"
                ) from None
            return False
        except OSError as error:
            raise ApplianceError(f"directory: cannot look at {self.path}: {_why(error)}") from error
        if stat.S_ISLNK(mode):
            raise ApplianceError(f"directory: {self.path} is a link; name the folder that it leads to")
        if not stat.S_ISDIR(mode):
            raise ApplianceError(f"directory: {self.path} is no folder")
        return True

    # Reading

    def at(self, name: str) -> str:
        return os.path.join(self.path, name)

    def look(self, name: str) -> Found:
        """What lies there. A link counts as something else than what we wrote."""
        path = self.at(name)
        try:
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                return Found(there=True)
            if not stat.S_ISREG(status.st_mode):
                raise ApplianceError(f"{path} is no plain file; move it away. Nothing was written")
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as handle:
                data = handle.read()
        except (FileNotFoundError, NotADirectoryError):
            return Found()
        except OSError as error:
            raise ApplianceError(f"cannot read {path}: {_why(error)}. Nothing was written") from error
        return Found(data, True, Rights(stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid))

    def others(self) -> List[str]:
        """The records of our other lists in the same folder."""
        names = sorted(name for name in self._names() if re.fullmatch(r"\.egress_[a-z][a-z0-9_]*\.json", name))
        return [name for name in names if name != self.record]

    def leftovers(self) -> List[str]:
        """What a killed run had written aside."""
        return sorted(name for name in self._names() if self._aside.fullmatch(name))

    def _names(self) -> List[str]:
        try:
            return os.listdir(self.path) if self.exists else []
        except OSError as error:
            raise ApplianceError(f"directory: cannot look into {self.path}: {_why(error)}") from error

    # Writing

    def make(self) -> None:
        """The folder itself, where only it is missing."""
        try:
            os.mkdir(self.path, 0o755)
            os.chmod(self.path, 0o755)  # whatever the umask: the server's own user reads here
        except OSError as error:
            raise ApplianceError(f"directory: cannot make {self.path}: {_why(error)}") from error
        self.exists = True

    def lock(self) -> None:
        """One run at a time; the lock is on the folder and ends with the process."""
        if self._lock is not None or not self.exists:
            return
        try:
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            raise ApplianceError(f"directory: cannot open {self.path}: {_why(error)}") from error
        wait_for_lock(self._lock, self.path)

    def unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def stage(self, texts: Mapping[str, bytes], rights: Rights) -> Dict[str, str]:
        """Write everything aside first, so that a full disk is met before anything is live: {name: name aside}."""
        staged: Dict[str, str] = {}
        for name, data in texts.items():
            staged[name] = f"{self._prefix}{name}.new"
            try:
                self._write(self.at(staged[name]), data, rights)
            except OSError as error:
                self.drop(staged.values())
                raise ApplianceError(
                    f"cannot write {self.at(name)}: {_why(error)}. Nothing was published, what was there stays"
                ) from error
        return staged

    def _write(self, path: str, data: bytes, rights: Rights) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with open(os.open(path, flags, 0o600), "wb") as handle:
            handle.write(data)
            handle.flush()
            _give(handle.fileno(), rights)
            os.fsync(handle.fileno())

    def switch(self, aside: str, name: str) -> None:
        """The one step in which a file becomes visible."""
        try:
            os.rename(self.at(aside), self.at(name))
        except OSError as error:
            raise ApplianceError(f"cannot put {self.at(name)} in place: {_why(error)}; run again") from error

    def correct(self, name: str, rights: Rights) -> None:
        """Mode and owner of a file whose content is right, without touching its time."""
        try:
            descriptor = os.open(self.at(name), os.O_RDONLY | os.O_NOFOLLOW)
            try:
                _give(descriptor, rights)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ApplianceError(f"cannot set mode and owner of {self.at(name)}: {_why(error)}") from error

    def remove(self, name: str) -> None:
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.at(name))
        except OSError as error:
            raise ApplianceError(f"cannot remove {self.at(name)}: {_why(error)}") from error

    def drop(self, names: Any) -> None:
        """Take away what is only aside; the first error is the one to tell."""
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(self.at(name))

    def sync(self) -> None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise ApplianceError(f"cannot make {self.path} lasting: {_why(error)}; run again") from error


def rights(options: Mapping[str, Any]) -> Rights:
    """Mode, owner and group from the options."""
    return Rights(
        _mode(options["mode"]),
        _id("owner", options["owner"], lambda name: pwd.getpwnam(name).pw_uid),
        _id("group", options["group"], lambda name: grp.getgrnam(name).gr_gid),
    )


def _mode(value: Any) -> int:
    """As Ansible reads modes: text is octal, a number is what YAML made of 0644."""
    text = str(value)
    number = value if isinstance(value, int) else int(text, 8) if re.fullmatch(r"[0-7]{3,4}", text) else -1
    if not 0o400 <= number <= 0o777:
        raise AllowlistError(f"mode: expected an octal number in quotes such as '0644', got {shown(value)}")
    return int(number)


def _id(option: str, value: Optional[str], find: Any) -> Optional[int]:
    if not value:
        return None
    try:
        return int(value) if value.isdigit() else int(find(value))
    except KeyError:
        raise AllowlistError(f"{option}: {shown(value)} is not known on this host") from None


def _give(descriptor: int, wished: Rights) -> None:
    if wished.uid is not None or wished.gid is not None:
        os.fchown(descriptor, -1 if wished.uid is None else wished.uid, -1 if wished.gid is None else wished.gid)
    os.fchmod(descriptor, wished.mode)


def _why(error: OSError) -> str:
    root = "; run the task as root (become: true)" if error.errno in (errno.EACCES, errno.EPERM) else ""
    return f"{error.strerror}{root}"
