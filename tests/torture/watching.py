# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real connections from a desktop, in a loop, while something is done to the appliance that they go through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import inlab
from appliances import FirewallInLab, InLab

SCRIPT = (Path(__file__).parent / "watcher.py").read_text(encoding="utf-8")
KEPT = ("login.live.com", "a.mesh.com")
NEVER = "www.example.org"


@dataclass
class Watch:
    """What a desktop met: *fine* connections, those *refused* while the program itself restarts, and *wrong* ones."""

    fine: int = 0
    refused: int = 0
    wrong: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def watching(target: InLab, *kept: str) -> Iterator[Watch]:
    """``wrong`` is filled when the block ends."""
    watch = Watch()
    proxy = None if isinstance(target, FirewallInLab) else list(inlab.PROXY)
    task = json.dumps({"proxy": proxy, "kept": kept, "never": NEVER})
    with inlab.started(target.client, "python3", "-I", "-c", SCRIPT, task) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield watch
        finally:
            out, _err = process.communicate(timeout=60)
            told = json.loads(out)
            watch.fine, watch.refused, watch.wrong = told["fine"], told["refused"], told["wrong"]
