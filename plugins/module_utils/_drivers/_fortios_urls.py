# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as rows of a URL filter of FortiOS (style urlfilter), exactly, and back. Pure.

A regular expression there is held against the whole URL, so no part of it may run over a slash: else
``evil.example/www.x.com`` would be a name below ``x.com``.
"""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse

LONGEST_URL = 511
_END = "(:[0-9]+)?(/.*)?$"
_PORT = "(:[0-9]+)?"
_BACK = (
    (r"([^./]+\.){2,}", "*.*."), (r"([^./]+\.)+", "*."), ("[^./]*", "*"), ("[^./]+", "*"), (r"\.", "."), (r"\-", "-"),
)  # fmt: skip


def filter_row(entry: Entry) -> Dict[str, str]:
    """The row of one name. AllowlistError for one that is longer than FortiOS keeps."""
    path = entry.path or ""
    if entry.pattern.is_literal:
        row = {"url": entry.value + path, "type": "simple"}
    else:
        host = entry.pattern.regex()[:-1].replace("[^.]", "[^./]")
        row = {"url": host + (f"{_PORT}{re.escape(path)}$" if path else _END), "type": "regex"}
    if len(row["url"]) > LONGEST_URL:
        length = len(row["url"])
        raise AllowlistError(f"{entry.value}: its row has {length} characters, and FortiOS keeps {LONGEST_URL}")
    return {**row, "action": "exempt", "exempt": EXEMPT, "status": "enable"}


# What is passed by: everything that a FortiGate would do with the content.
EXEMPT = "all"


def read_row(row: Mapping[str, Any]) -> Optional[Tuple[str, Optional[str]]]:
    """The pattern and the path of a row of ours; None for a row that we would not write like this."""
    url = str(row.get("url") or "")
    if row.get("action") != "exempt" or row.get("exempt") != EXEMPT or row.get("status") != "enable":
        return None
    if row.get("type") == "simple":
        host, slash, path = url.partition("/")
        return (host, slash + path or None) if "*" not in host else None
    if row.get("type") != "regex":
        return None
    host, path_text = (url[: -len(_END)], None) if url.endswith(_END) else _with_path(url)
    text = host[1:]
    for old, new in _BACK:
        text = text.replace(old, new)
    try:
        pattern = parse(text)
    except AllowlistError:
        return None
    is_ours = pattern.regex()[:-1].replace("[^.]", "[^./]") == host
    return (text, path_text) if is_ours else None


def _with_path(url: str) -> Tuple[str, Optional[str]]:
    host, _port, path = url.partition(_PORT)
    return host, re.sub(r"\\(.)", r"\1", path[:-1]) if path.endswith("$") else None
