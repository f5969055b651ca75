# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots of appliances on the control node: a folder for each run, a file for each appliance.

The name of a run begins with its time in UTC, so that names sort as runs did. A run that changed an appliance keeps its
file; the file of an appliance that was not changed goes, so the latest one is always what was before the last change.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
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
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = _probe_file.host_file(run_folder(folder, run), str(data["host"]))
    _probe_file.write(path, {"format": FORMAT, "run": run, **data})
    return path


def remove(path: str) -> None:
    """Forget a snapshot of what was not changed; an empty folder of a run goes with it."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with contextlib.suppress(OSError):  # other appliances were changed in this run
        os.rmdir(os.path.dirname(path))


def find(folder: str, run: str, host: str) -> str:
    """The file of a host in a run, or in the latest run that has one. Raises AllowlistError where there is none."""
    if run != LATEST:
        path = _probe_file.host_file(run_folder(folder, run), host)
        if not os.path.isfile(path):
            known = ", ".join(runs_of(folder, host)[-10:]) or "none"
            raise AllowlistError(f"snapshot: {path} is not there; runs with a snapshot of {host}: {known}")
        return path
    runs = runs_of(folder, host)
    if not runs:
        raise AllowlistError(f"snapshot: there is no snapshot of {host} below {folder}")
    return _probe_file.host_file(os.path.join(folder, runs[-1]), host)


def runs_of(folder: str, host: str) -> list[str]:
    """The runs that have a snapshot of a host, oldest first."""
    try:
        names = sorted(name for name in os.listdir(folder) if _RUN.fullmatch(name))
    except FileNotFoundError:
        return []
    return [name for name in names if os.path.isfile(_probe_file.host_file(os.path.join(folder, name), host))]


def read(path: str, *, host: str, appliance: str, name: str) -> dict[str, Any]:
    """A snapshot, refused where it is of something else."""
    data = _probe_file.read(path, "snapshot")
    if data.get("format") != FORMAT:
        raise AllowlistError(f"snapshot: {path} has format {data.get('format')!r}, and this version reads {FORMAT}")
    for key, wanted in (("host", host), ("appliance", appliance), ("name", name)):
        if data.get(key) != wanted:
            raise AllowlistError(f"snapshot: {path} is of {key} {data.get(key)!r}, and this is {wanted!r}")
    return data
