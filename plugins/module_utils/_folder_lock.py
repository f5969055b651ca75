# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time in a folder."""

from __future__ import annotations

import fcntl
import time

from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

LOCK_SECONDS = 60
LOCK_INTERVAL = 0.1


def wait_for_lock(descriptor: int, folder: str) -> None:
    """Wait until no other run holds the folder, which is open as *descriptor*; the lock ends when that is closed.

    Raises ApplianceError when another run keeps it.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise ApplianceError(
                    f"another run has held {folder} for more than {LOCK_SECONDS} s; try again later"
                ) from error
            time.sleep(LOCK_INTERVAL)
