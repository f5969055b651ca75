# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filters that render a file have in common.

What they are given, and what they answer: a text, what became of the entries, or all that is known of the file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict

OUTPUTS = ("text", "translation", "full")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")


def list_name(value: object) -> str:
    """The option ``name``, checked."""
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise AllowlistError(f"name: expected a letter and up to 15 of a-z, 0-9 and _, got {shown(value)}")
    return str(value)


def read_entries(items: Any, default_ports: Iterable[object], *, require_ports: bool) -> list[Entry]:
    """The canonical list; networks that state no ports get those of the option ``default_ports``."""
    ports = canonical_ports(default_ports, "default_ports")
    return [
        replace(entry, ports=ports) if entry.type == "network" and not entry.ports else entry
        for entry in normalise(items, default_ports=ports, require_ports=require_ports)
    ]


@dataclass(frozen=True)
class Rendering:
    """A file: the entries that it was asked to hold, those that it holds, and what is not exact about it."""

    dialect: str
    text: str
    lines: int  # those that count: no comments
    asked: int  # entries that it was asked to hold
    held: Sequence[Entry]
    verdicts: Sequence[Verdict] = ()
    warnings: Sequence[str] = ()

    def output(self, form: str) -> Any:
        """A text, a list of verdicts, or a dictionary of everything."""
        if form not in OUTPUTS:
            raise AllowlistError(f"output: expected one of {', '.join(OUTPUTS)}, got {shown(form)}")
        if form == "text":
            return self.text
        translation = [verdict.as_dict() for verdict in self.verdicts]
        return translation if form == "translation" else self._full(translation)

    def _full(self, translation: list[dict[str, Any]]) -> dict[str, Any]:
        stated = (port for entry in self.held if entry.type == "host" or entry.ports for port in effective_ports(entry))
        return {
            "dialect": self.dialect,
            "text": self.text,
            "lines": self.lines,
            "entries": [entry.value + (entry.path or "") for entry in self.held],
            "ports": list(canonical_ports(stated, "ports")),
            "translation": translation,
            "counts": self._counts(),
            "sha256": hashlib.sha256(self.text.encode("utf-8")).hexdigest(),
            "warnings": list(self.warnings),
        }

    def _counts(self) -> dict[str, int]:
        kinds = ["elsewhere" if verdict.loses == "foreign" else verdict.verdict for verdict in self.verdicts]
        counts = {kind: kinds.count(kind) for kind in ("broader", "narrower", "impossible", "elsewhere")}
        return {"exact": self.asked - sum(counts.values()), **counts}
