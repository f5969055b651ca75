# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of nobody: urllib alone, as in the sample script of Microsoft's reference."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from ansible_collections.egress.allowlist.tests.web_service.service import WebService

GUID = "5f1e0b7c-3c5e-4a52-9c0d-0c7f3a1f2b11"
_LISTS = ("urls", "ips")
# Proxies of the machine have no business with loopback.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(service: WebService, path: str, **query: str) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers (names in small letters)."""
    url = f"{service.url}{path}" + (f"?{urlencode(query)}" if query else "")
    try:
        with _opener.open(url, timeout=10) as answer:
            return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.headers.items()}
    except HTTPError as error:
        with error:
            return error.code, error.read().decode(), {k.lower(): v for k, v in error.headers.items()}


def data(service: WebService, path: str, **query: str) -> Any:
    status, text, headers = asked(service, path, **{"ClientRequestId": GUID, **query})
    assert status == 200, text
    assert headers["content-type"].startswith("application/json")
    return json.loads(text)


def applied(records: Iterable[dict[str, Any]], changes: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The list that the records of /changes lead to, as their reference describes them: without display names."""
    sets = {record["id"]: comparable(record) for record in records}
    for change in changes:
        number = change["endpointSetId"]
        if change["disposition"] == "Add":
            assert number not in sets, f"set {number} is added and was there"
            sets[number] = {name: set() for name in _LISTS}
        one = sets[number]
        for name, value in change.get("previous", {}).items():
            assert one.pop(name) == value, f"set {number}: {name} was not {value!r}"
        assert not change.get("current", {}).keys() & one.keys()
        one |= change.get("current", {})
        for name in _LISTS:
            added, removed = (set(change.get(part, {}).get(name, ())) for part in ("add", "remove"))
            assert not added & one[name], f"set {number}: {added & one[name]} added, and were there"
            assert removed <= one[name], f"set {number}: {removed - one[name]} removed, and were not there"
            one[name] = one[name] - removed | added
        if change["disposition"] == "Remove":
            assert sets.pop(number) == {name: set() for name in _LISTS}, f"set {number} went with something left in it"
    return sets


def comparable(record: dict[str, Any]) -> dict[str, Any]:
    known = ("expressRoute", "serviceArea", "category", "required", "tcpPorts", "udpPorts", "notes")
    fields = {name: record[name] for name in known if name in record}
    return fields | {name: set(record.get(name, ())) for name in _LISTS}


def whole(records: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {record["id"]: comparable(record) for record in records}
