# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe on a host that Ansible does not reach: the answers become a file, which the control node judges later."""

from __future__ import annotations

import os
import socket
import sys
from datetime import datetime, timezone
from typing import Any, Dict, Mapping

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_ask, _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

FORMAT = 2


def main(options: Mapping[str, Any], results_path: str) -> int:
    """Ask, and write the file. 0: the file is written, whatever it says. 1: it is not, and one line says why."""
    host = socket.gethostname().lower()
    name = os.path.basename(_probe_file.host_file("", host))[: -len(".json")]
    path = os.path.abspath(os.path.expandvars(results_path).replace("{host}", name))
    try:
        answer = result(options, host)
    except AllowlistError as error:
        return _complain(str(error))
    try:
        _probe_file.write(path, answer)
    except AllowlistError as error:
        return _complain(f"cannot write {path}: {error.__cause__}")
    sys.stdout.write(f"egress probe: {len(options['targets'])} targets asked, the answers are in {path}\n")
    return 0


def _complain(text: str) -> int:
    sys.stderr.write(f"egress probe: {text}\n")
    return 1


def result(options: Mapping[str, Any], host: str) -> Dict[str, Any]:
    """What the file holds: the answers as they are, without a judgement."""
    answer = _probe_ask.run(options)
    settings = options["proxy_settings"]
    return {
        "format": FORMAT,
        "raw": True,
        "host": host,
        "system": "linux",
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "proxy": options["proxy"] or options["pac"] or (None if settings == "none" else f"{settings} settings"),
        "seconds": answer["seconds"],
        "answers": answer["results"],
    }
