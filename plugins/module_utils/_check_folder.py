# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private folder for what only an appliance's own checker reads."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError


@contextmanager
def folder_for_check(driver: str, locked: str) -> Iterator[str]:
    """Its path; it is gone afterwards, and what a killed run has left of its own goes too.

    Runs that hold the lock on the folder *locked* never meet here. Raises ApplianceError where none can be made.
    """
    sweep(driver, locked)
    try:
        folder = tempfile.mkdtemp(prefix=_prefix(driver, locked))
    except OSError as error:
        raise ApplianceError(f"cannot prepare the check in a temporary folder: {error.strerror or error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(driver: str, locked: str) -> None:
    """Take away what killed runs have left."""
    try:
        left = [name for name in os.listdir(tempfile.gettempdir()) if name.startswith(_prefix(driver, locked))]
    except OSError:
        return  # not even a temporary folder: whoever needs one says so
    for path in (os.path.join(tempfile.gettempdir(), name) for name in left):
        if os.lstat(path).st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)


def _prefix(driver: str, locked: str) -> str:
    return f"egress-{driver}-{hashlib.sha256(locked.encode()).hexdigest()[:12]}-"
