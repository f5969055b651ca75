# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remote control of the internet: one JSON line asks, one answers. `lab.py fault` speaks it."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

from .faults import Faults
from .path import PathFaults


def serve(path: Path, faults: Faults, path_faults: PathFaults) -> None:
    server = socket.socket(socket.AF_UNIX)
    path.unlink(missing_ok=True)
    server.bind(str(path))
    path.chmod(0o600)
    folder = path.parent.stat()
    os.chown(path, folder.st_uid, folder.st_gid)
    server.listen(16)
    threading.Thread(target=_serve, args=(server, faults, path_faults), daemon=True).start()


def _serve(server: socket.socket, faults: Faults, path_faults: PathFaults) -> None:
    while True:
        connection, _unused = server.accept()
        with connection, connection.makefile("rw", encoding="utf-8") as stream:
            try:
                answer = obey(json.loads(stream.readline()), faults, path_faults)
                stream.write(json.dumps(answer) + "\n")
            except (OSError, ValueError, KeyError) as error:
                stream.write(json.dumps({"error": str(error)}) + "\n")


def obey(order: dict[str, Any], faults: Faults, path_faults: PathFaults) -> dict[str, Any]:
    """`set` is a map name → fault, `clear` a list of names; the answer holds what is set now."""
    for name in order.get("clear", []):
        faults.clear(name)
        path_faults.follow(name)
    for name, kind in order.get("set", {}).items():
        faults.choose(name, kind)
        path_faults.follow(name)
    return {"faults": faults.chosen()}


def ask(path: Path, order: dict[str, Any]) -> dict[str, Any]:
    """The other end."""
    here = os.open(path.parent, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(f"/proc/self/fd/{here}/{path.name}")  # a socket's path holds 107 bytes at most
            client.sendall(json.dumps(order).encode() + b"\n")
            with client.makefile("r", encoding="utf-8") as stream:
                answer: dict[str, Any] = json.loads(stream.readline())
                return answer
    finally:
        os.close(here)
