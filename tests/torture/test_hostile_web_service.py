# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of the web service with one thing in them that is nonsense: refused in words, or without harm."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import Any

import corpus
import nonsense
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import (
    read_changes,
    read_endpoints,
    read_versions,
)

CASES = int(2000 * corpus.SCALE)  # for each method
SETS = [
    {"id": number, "serviceArea": area, "serviceAreaDisplayName": f"{area} things", "urls": ["*.a.corp.example", name],
     "ips": ["198.51.100.0/24", "2001:db8::/32"], "tcpPorts": "443,80", "udpPorts": "3478-3481", "expressRoute": False,
     "category": "Default", "required": True, "notes": "a note"}
    for number, area, name in ((1, "Common", "login.corp.example"), (2, "Skype", "*-files.corp.example"))
]  # fmt: skip
CHANGES = [
    {"id": 1, "endpointSetId": 2, "disposition": "Change", "impact": "AddedUrl", "version": "2025120100",
     "previous": {"serviceArea": "Common", "category": "Default", "required": "true", "tcpPorts": "443"},
     "current": {"serviceArea": "Common", "category": "Allow", "required": "true", "tcpPorts": "443"},
     "add": {"effectiveDate": "20260101", "urls": ["new.corp.example"], "ips": ["203.0.113.0/24"]},
     "remove": {"urls": ["old.corp.example"], "ips": ["192.0.2.0/24"]}},
]  # fmt: skip
VERSIONS = [{"instance": "Worldwide", "latest": "2025120100", "versions": ["2025120100", "2025110100"]}]
METHODS: dict[str, tuple[Any, Callable[[str], Any]]] = {
    "/endpoints": (SETS, lambda text: read_endpoints(text, "worldwide", "2025120100")),
    "/changes": (CHANGES, read_changes),
    "/version": (VERSIONS, lambda text: read_versions(text, "worldwide")),
}
WHOLE = [
    "", " ", "\0", "null", "true", "5", '"x"', "[]", "{}", "[[]]", "[null]", "[{}]", "<html>", "[" * 100_000,
    '{"a":' * 100_000,
    "1" * 5000, "[1e999999]", "[NaN]", "[Infinity]", '[{"id": 1, "id": []}]', "\ufeff[]", '["\\ud800"]', "[1,]", "[] x",
    "[" + "{}," * 300_000 + "{}]", '["' + "x" * 5_000_000 + '"]', "\u202e[2]", "x" * 5_000_000,
]  # fmt: skip


def outcome(read: Callable[[str], Any], text: str) -> str:
    """What is wrong with it, "" for nothing."""
    began = time.process_time()
    try:
        found = read(text)
    except AllowlistError as error:
        return corpus.is_told_well(str(error))
    except Exception as error:  # noqa: BLE001  # each is a finding
        return f"{type(error).__name__}: {str(error)[:200]}"
    if time.process_time() - began > 5:
        return f"{time.process_time() - began:.0f} s"
    return "everything" if {"*", "0.0.0.0/0", "::/0"} & set(opened(found)) else ""


def opened(found: Any) -> list[str]:
    """The names and networks that an answer asks to allow."""
    sets = found if isinstance(found, tuple) else getattr(found, "sets", ())
    fields = ("urls", "ips", "add_urls", "add_ips")
    return [text for one in sets for field in fields for text in getattr(one, field, ())]


@pytest.mark.parametrize("method", METHODS)
def test_each_is_refused_in_words_or_taken_without_harm(method, tally) -> None:
    true, read = METHODS[method]
    assert outcome(read, json.dumps(true)) == ""
    seed = random.randrange(2**32)
    drawn, found = random.Random(seed), []
    for _case in range(CASES):
        what, body = nonsense.changed(json.dumps(true).encode(), drawn)
        wrong = outcome(read, body.decode("utf-8", "surrogatepass"))
        if wrong:
            found.append(f"{what}: {wrong}")
        tally("web service")
    for text in WHOLE:
        wrong = outcome(read, text)
        if wrong:
            found.append(f"{text[:30]!r}: {wrong}")
        tally("web service")
    assert not found, "\n".join([f"seed {seed}", *found])
