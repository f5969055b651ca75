# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A note on the control node that a run has begun to write to a tenant and has not activated.

ZIA tells that something is waiting for its activation, and not whose it is. This note tells the rest of a run of ours
that was killed from the edits of a colleague. It holds no secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile

from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError


class Record:
    def __init__(self, folder: str, host: str, account: str) -> None:
        digest = hashlib.sha256(f"{host} {account}".encode()).hexdigest()[:16]
        self.path = os.path.join(os.path.expanduser(folder), f"zia-{digest}.json")
        self._text = json.dumps({"host": host, "staged_by": "egress.allowlist"}) + "\n"

    def exists(self) -> bool:
        return os.path.exists(self.path)

    def begin(self) -> None:
        """Before the first write."""
        folder = os.path.dirname(self.path)
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(self._text)
            os.replace(name, self.path)
        except OSError as error:
            raise ApplianceError(
                f"record_dir: cannot write {self.path} on the control node ({error.strerror}), and without it an "
                "interrupted run could not be told from a colleague's edits. Nothing was written"
            ) from error

    def end(self) -> None:
        """After the activation."""
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise ApplianceError(f"record_dir: cannot remove {self.path}: {error.strerror}") from error
