# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the catalog calls retired, against an answer of Microsoft's web service that lies beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load

ANSWER = (
    Path(__file__).resolve().parents[4].parent
    / "shared"
    / "data"
    / "webservice"
    / "worldwide.2024-04-24.axisO365App.json"
)

pytestmark = pytest.mark.skipif(not ANSWER.exists(), reason="no answer of the web service lies beside the checkout")


def test_the_web_service_asks_for_nothing_that_is_retired() -> None:
    asked = {url.lower() for record in json.loads(ANSWER.read_text("utf-8")) for url in record.get("urls", ())}
    retired = [risk.pattern for risk in load("mmd").risks if risk.risk == "retired"]
    assert "*.outlook.com" in asked
    assert [url for url in asked if url in map(str, retired) or any(pattern.matches(url) for pattern in retired)] == []
