# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of what we published: which files are ours, what each holds, and since when. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, Mapping, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

FORMAT = 1
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def is_plain(name: object) -> bool:
    """Whether this is the name of a file that leads nowhere else and that no server hides or obeys."""
    return isinstance(name, str) and _PLAIN.fullmatch(name) is not None


@dataclass(frozen=True)
class Published:
    """One file as it was published."""

    sha256: str
    size: int
    since: str  # when this content came, UTC
    dialect: str
    entries: Tuple[str, ...]
    counts: Mapping[str, int]
    signature: str = ""  # the name of its signature's file
    signature_sha256: str = ""


@dataclass(frozen=True)
class Record:
    """All that is ours in the folder. A run that was killed leaves what it was about to write as ``pending``."""

    name: str
    files: Mapping[str, Published] = field(default_factory=dict)
    pages: Tuple[str, ...] = ()  # index and checksums
    pending: Mapping[str, Tuple[str, str]] = field(default_factory=dict)  # name: (SHA-256, since)

    @property
    def names(self) -> Set[str]:
        """Every file that is ours."""
        signatures = {published.signature for published in self.files.values()} - {""}
        return {*self.files, *signatures, *self.pages, *self.pending}

    def since(self, name: str, sha256: str) -> str:
        """Since when the file has had this content; "" where it is new."""
        published = self.files.get(name)
        if published is not None and published.sha256 == sha256:
            return published.since
        pending = self.pending.get(name, ("", ""))
        return pending[1] if pending[0] == sha256 else ""

    def text(self) -> str:
        return json.dumps(dict(asdict(self), format=FORMAT), sort_keys=True, indent=1) + "\n"


def read_record(text: str, name: str) -> Record:
    """The record from its file; AllowlistError when it is damaged."""
    try:
        return _record(json.loads(text), name)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise AllowlistError(
            f"the record of what is ours is damaged ({type(error).__name__}). Nothing was written. Look at what lies "
            "in the folder, then run once with adopt: true: that writes the record anew and takes over the files "
            "that it publishes"
        ) from error


def _record(data: Mapping[str, Any], name: str) -> Record:
    if data["format"] != FORMAT or data["name"] != name:
        raise ValueError("another format, or the record of another list")
    pending = {key: (_text(value[0]), _text(value[1])) for key, value in data["pending"].items()}
    files = {key: _published(value) for key, value in data["files"].items()}
    record = Record(name, files, tuple(data["pages"]), pending)
    if not all(map(is_plain, record.names)):
        raise ValueError("a name in it is no plain file name")
    return record


def _published(data: Mapping[str, Any]) -> Published:
    texts: Dict[str, str] = {
        key: _text(data[key]) for key in ("sha256", "since", "dialect", "signature", "signature_sha256")
    }
    entries = tuple(map(_text, data["entries"]))
    counts = {_text(key): int(value) for key, value in data["counts"].items()}
    return Published(size=int(data["size"]), entries=entries, counts=counts, **texts)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value
