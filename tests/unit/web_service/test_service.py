# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for Microsoft's web service says what the real one does, driven by nothing but urllib."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from ansible_collections.egress.allowlist.tests.web_service.history import FIRST, LAST, small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

GUID = "5f1e0b7c-3c5e-4a52-9c0d-0c7f3a1f2b11"


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService(small_history()) as running:
        yield running


def asked(service: WebService, path: str, **query: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"{service.url}{path}?{urlencode(query)}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def data(service: WebService, path: str, **query: str) -> Any:
    status, text = asked(service, path, ClientRequestId=GUID, **query)
    assert status == 200, text
    return json.loads(text)


def test_it_is_at_the_first_version_until_it_is_moved(service: WebService) -> None:
    assert data(service, "/version/worldwide") == {"instance": "Worldwide", "latest": FIRST}
    assert data(service, "/changes/worldwide/0000000000") == []
    service.publish(LAST)
    assert data(service, "/version/worldwide") == {"instance": "Worldwide", "latest": LAST}
    assert {record["version"] for record in data(service, "/changes/worldwide/0000000000")} > {LAST}
