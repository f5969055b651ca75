# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Result files on the control node: one for each host, whole or not there, for nobody else to read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from typing import Any, Dict, Mapping
from urllib.parse import quote

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

SUMMARY = "summary"
_LONGEST = 200


def host_file(folder: str, host: str) -> str:
    """The file of a host. The name comes from an inventory, so it must not lead out of the folder."""
    name = quote(host, safe="")
    if name.startswith(".") or name.lower() == SUMMARY:
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 17]}-{hashlib.sha256(host.encode()).hexdigest()[:16]}"
    return os.path.join(folder, f"{name}.json")


def summary_file(folder: str) -> str:
    """The file of the fleet."""
    return os.path.join(folder, f"{SUMMARY}.json")


def write(path: str, data: Mapping[str, Any]) -> None:
    """Write a result file as a whole."""
    write_text(path, json.dumps(data) + "\n")


def write_text(path: str, text: str) -> None:
    """Write a file as a whole: a reader sees the old one or the new one, also when the disk is full."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _replace(folder, path, text)
    except OSError as error:
        raise AllowlistError(
            f"results_dir: cannot write {path} on the control node: {error.strerror or error}; "
            "make room, or name another folder"
        ) from error


def move(path: str, folder: str) -> None:
    """Move a result file to another folder, if there is one."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, os.path.join(folder, os.path.basename(path)))
    except OSError as error:
        raise AllowlistError(f"previous_dir: cannot move {path} to {folder}: {error.strerror or error}") from error


def read(path: str, where: str) -> Dict[str, Any]:
    """The content of a result file; *where* is the option that named it."""
    try:
        with open(path, encoding="utf-8") as handle:
            data = json.load(handle)
    except OSError as error:
        raise AllowlistError(f"{where}: cannot read {path} on the control node: {error.strerror or error}") from error
    except ValueError as error:
        raise AllowlistError(f"{where}: {path} is no result file of a probe, or damaged: {error}") from error
    if not isinstance(data, dict):
        raise AllowlistError(f"{where}: {path} is no result file of a probe, expected a JSON object")
    return data


def _replace(folder: str, path: str, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=folder)  # 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise
