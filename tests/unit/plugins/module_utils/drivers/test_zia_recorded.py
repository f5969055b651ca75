# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our client reads what a real tenant of ZIA has answered (recorded exchanges, which a user's machine does not have).

test_zia.py has the same behaviour on the emulator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_api import ZiaApi
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_scene import (
    TABLES,
    Scene,
    name_of,
    order_of,
    read_scene,
)
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Emulator, Request, json_answer

from .zia_host import ZiaHost

RECORDED = Path(__file__).resolve().parents[6] / "shared" / "data" / "zia"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded exchanges are not on this machine")


def _exchanges() -> Iterator[tuple[str, str, int, str]]:
    for path in sorted(RECORDED.glob("Test*.yaml")):
        for one in yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["interactions"]:
            url = urlsplit(one["request"]["uri"])
            told = one["response"]
            yield one["request"]["method"], url.path.rpartition("/api/v1")[2], told["status"]["code"], str(
                told["body"].get("string") or ""
            )


class Replayed(Emulator):
    """Answers as it was recorded, the longest answer to each request; an empty list to what nobody has asked."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[tuple[str, str], str] = {}
        for method, path, status, text in _exchanges():
            if status == 200 and len(text) > len(self.answers.get((method, path), "")):
                self.answers[(method, path)] = text

    def answer(self, request: Request) -> Answer:
        if request.path == "/oauth2/v1/token":
            return json_answer({"access_token": "recorded", "token_type": "Bearer", "expires_in": 83999})
        text = self.answers.get((request.method, request.path.removeprefix("/zia/api/v1")), "[]")
        return Answer(200, text.encode(), {"Content-Type": "application/json"})

    def changes(self, request: Request) -> bool:
        return request.method != "GET"

    def state(self) -> Any:
        return None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    host = ZiaHost(tmp_path)
    host.start()
    with Replayed() as tenant:
        driver = host.driver(host.options(host=tenant.url, identity_host=tenant.url), host.run_command)
        assert isinstance(driver.api, ZiaApi)  # type: ignore[attr-defined]
        yield read_scene(driver.api, "egress_mmd", exempted=True)  # type: ignore[attr-defined]
        driver.close()
    host.stop()


def test_every_recorded_row_is_understood(scene) -> None:
    assert scene.status == "ACTIVE"
    assert ".newexample2.com" in scene.exempted
    rows = 0
    for kind in TABLES:
        for row in scene.tables[kind]:
            assert name_of(kind, row)
            json.dumps(scene.canonical(kind, row))
            rows += 1
    assert rows > 20
    assert not list(scene.own("egress_mmd"))


def test_recorded_rules_have_their_order_and_action(scene) -> None:
    rules = {name_of("ssl rule", row): row for row in scene.tables["ssl rule"]}
    exemptions = rules["Zscaler Recommended Exemptions"]
    assert order_of(exemptions) == 1
    assert scene.canonical("ssl rule", exemptions)["action"] == {
        "type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": {"bypassOtherPolicies": True},
    }  # fmt: skip
    assert scene.rules("ssl rule")[0] == "Zscaler Recommended Exemptions"
    assert all(order_of(rules[name]) > 0 for name in scene.rules("ssl rule"))


def test_the_recorded_lock_is_taken_for_a_lock(tmp_path) -> None:
    locked = [text for _method, _path, status, text in _exchanges() if status == 409]
    assert locked
    host = ZiaHost(tmp_path)
    host.start()
    try:
        host.emulator.fail(lambda request: request.method == "PUT", Answer(409, locked[0].encode()), 2)
        host.run("login.live.com")
        host.run("www.example.com", max_shrink=100)
        assert host.clock.slept >= 3
    finally:
        host.stop()
