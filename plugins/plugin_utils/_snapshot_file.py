# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of appliances on the control node: a folder for each run, a file for each appliance.

The name of a run begins with its time in UTC, so that names sort as runs did. A run that changed an appliance keeps its
file; the file of an appliance that was not changed goes, so the latest run is the last one that changed anything.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

FORMAT = 1
LATEST = "latest"
_RUN = re.compile(r"\d{8}T\d{6}Z(-[A-Za-z0-9._-]{1,80})?")


def run_folder(folder: str, run: str) -> str:
    """The folder of a run; its name must not lead out of the folder of all."""
    if not _RUN.fullmatch(run):
        raise AllowlistError(f"run: expected a time such as 20261123T051400Z, or with -words behind it, got {run!r}")
    return os.path.join(folder, run)


def write(folder: str, run: str, data: Mapping[str, Any]) -> str:
    """Write the snapshot of a host, whole and for nobody else to read; returns its path."""
    path = _probe_file.host_file(run_folder(folder, run), str(data["host"]))
    if os.path.lexists(path):  # it holds what was before the run changed anything, and what is now would not
        raise AllowlistError(f"run: {path} is there already; a run keeps one snapshot of each host, name another run")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    _probe_file.write(path, {"format": FORMAT, "run": run, **data})
    return path


def remove(path: str) -> None:
    """Forget a snapshot of what was not changed; an empty folder of a run goes with it."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with contextlib.suppress(OSError):  # other appliances were changed in this run
        os.rmdir(os.path.dirname(path))


def find(folder: str, run: str, host: str, hosts: Sequence[str]) -> tuple[str, str | None]:
    """The run that is meant, and the file of a host in it; without one where only others of *hosts* have one.

    The latest run is the latest that has a file of any of them: taking back a run that ended after the first appliance
    must not take the others back to an earlier one. Raises AllowlistError where none of them has a file.
    """
    among = list(dict.fromkeys([host, *hosts]))
    if run != LATEST:
        run_folder(folder, run)  # its name must not lead out of the folder
    for name in reversed(_runs(folder)):
        if run in (LATEST, name) and any(_has(folder, name, one) for one in among):
            path = _probe_file.host_file(os.path.join(folder, name), host)
            return name, path if _has(folder, name, host) else None
    known = [name for name in _runs(folder) if any(_has(folder, name, one) for one in among)]
    what = "there is no snapshot" if run == LATEST else f"run {run} has no snapshot"
    raise AllowlistError(
        f"snapshot: {what} of {', '.join(among[:5])}{' …' if len(among) > 5 else ''} below {folder}"
        + (f"; runs that have one: {', '.join(known[-10:])}" if known else "")
    )


def _runs(folder: str) -> list[str]:
    """Oldest first."""
    try:
        return sorted(name for name in os.listdir(folder) if _RUN.fullmatch(name))
    except FileNotFoundError:
        return []


def _has(folder: str, run: str, host: str) -> bool:
    return os.path.isfile(_probe_file.host_file(os.path.join(folder, run), host))


def read(path: str, *, host: str, appliance: str, name: str) -> dict[str, Any]:
    """A snapshot, refused where it is of something else."""
    data = _probe_file.read(path, "snapshot")
    if data.get("format") != FORMAT:
        raise AllowlistError(f"snapshot: {path} has format {data.get('format')!r}, and this version reads {FORMAT}")
    for key, wanted in (("host", host), ("appliance", appliance), ("name", name)):
        if data.get(key) != wanted:
            raise AllowlistError(f"snapshot: {path} is of {key} {data.get(key)!r}, and this is {wanted!r}")
    return data
