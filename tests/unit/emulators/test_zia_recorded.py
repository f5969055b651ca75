# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of ZIA beside the real one: recorded requests are sent to it, and the answers are compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from ansible_collections.egress.allowlist.tests.emulators.zia.doors import AUDIENCE
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator

RECORDED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "zia"
NAMES = (
    "TestActivate", "TestCloudFirewallIPDestinationGroup", "TestExemptedUrls", "TestSSLInspectionRules",
    "TestURLCategories", "TestURLFiltering",
)  # fmt: skip
NOT_EMULATED = ("/urlCategories/review/domains",)
# Documented in Zscaler's client libraries; the recorded organisation decrypts nothing and has rules for all.
UNRECORDED = {"decryptSubActions", "locations", "groups", "departments"}
OPTIONAL = {"doNotDecryptSubActions"}
DIFFERENT = ("id", "val", "lastModifiedTime", "lastModifiedBy")


def exchanges(path: Path) -> Iterator[tuple[dict[str, Any], int, Any]]:
    for exchange in yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["interactions"]:
        text = exchange["response"]["body"].get("string")
        yield exchange["request"], exchange["response"]["status"]["code"], json.loads(text) if text else None


def kind(value: Any) -> str:
    return "text" if value is None else type(value).__name__


def differences(samples: list[Any], ours: Any, where: str, given: frozenset[str] = frozenset()) -> list[str]:
    """Where an answer differs in keys and types from those recorded for the same thing.

    What all samples have must be there (but for what is *given* or not by who writes), and what none has must not.
    """
    kinds = {kind(sample) for sample in samples}
    if kind(ours) not in kinds:
        return [f"{where}: {kind(ours)} instead of {' or '.join(sorted(kinds))}"]
    if isinstance(ours, list):
        items = [item for sample in samples for item in sample]
        return [one for item in ours if items for one in differences(items, item, f"{where}[]", given)]
    if not isinstance(ours, dict):
        return []
    ever, always = set().union(*samples), set.intersection(*(set(sample) for sample in samples))
    found = [f"{where}.{name}: too much" for name in sorted(set(ours) - ever - UNRECORDED)]
    found += [f"{where}.{name}: missing" for name in sorted(always - set(ours) - given - OPTIONAL)]
    for name in sorted(set(ours) & ever):
        inner = [sample[name] for sample in samples if name in sample]
        found += differences(inner, ours[name], f"{where}.{name}", given)
    return found


def samples_of(path: Path, request: dict[str, Any], recorded: Any) -> list[Any]:
    """What to compare an answer with: itself, and for a list all that was recorded of the same kind."""
    if not isinstance(recorded, list):
        return [recorded]
    table = table_of(request)
    answers = [answer for other, _status, answer in exchanges(path) if table_of(other) == table]
    return [answer if isinstance(answer, list) else [answer] for answer in answers if with_number(answer)]


def given_in(path: Path, request: dict[str, Any], recorded: Any) -> frozenset[str]:
    """For lists: the fields that requests name, which may be absent from what others wrote."""
    if not isinstance(recorded, list):
        return frozenset()
    bodies = [json.loads(other["body"]) for other, *_rest in exchanges(path) if table_of(other) == table_of(request)]
    return frozenset(name for body in bodies if isinstance(body, dict) for name in body)


def table_of(request: dict[str, Any]) -> str:
    return str(urlsplit(request["uri"]).path.split("/")[4])


def with_number(answer: Any) -> bool:
    return isinstance(answer, list) or (isinstance(answer, dict) and "id" in answer)


def values(answer: Any) -> Any:
    """An answer without what is new each time and without the order of its lists."""
    if isinstance(answer, dict):
        return {name: values(value) for name, value in answer.items() if name not in DIFFERENT}
    return sorted(map(str, answer)) if isinstance(answer, list) else answer


class Replay:
    """Sends what was recorded, with the numbers that the emulator gave."""

    def __init__(self, emulator: ZiaEmulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.numbers: dict[str, str] = {}  # recorded -> ours
        self.written: set[str] = set()
        token = self._token().json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def _token(self) -> requests.Response:
        own = self.emulator.credentials
        form = {"client_id": own.client_id, "client_secret": own.client_secret, "audience": AUDIENCE}
        url = f"{self.emulator.url}/oauth2/v1/token"
        return self.session.post(url, {"grant_type": "client_credentials", **form}, timeout=10)

    def send(self, request: dict[str, Any], busy: bool) -> requests.Response:
        path = request["uri"].split(".com", 1)[1]
        if path == "/oauth2/v1/token":
            return self._token()
        if busy:
            self.emulator.hold_edit_lock(reads=True, times=1)
        path = "".join(self.numbers.get(part, part) for part in re.split(r"([/?])", path))
        headers = {"Content-Type": "application/json"}
        url = self.emulator.url + path
        return self.session.request(request["method"], url, data=request["body"], headers=headers, timeout=10)

    def learn(self, recorded: Any, ours: Any, method: str) -> None:
        """Numbers of what was written, and of what has the same name on both sides."""
        if isinstance(recorded, dict) and "id" in recorded and method == "POST":
            self.numbers[str(recorded["id"])] = str(ours["id"])
            self.written.add(str(recorded["id"]))
        if isinstance(recorded, list) and recorded and isinstance(recorded[0], dict):
            named = {item["name"]: item["id"] for item in ours if "name" in item}
            same = {str(item["id"]): str(named[item["name"]]) for item in recorded if item.get("name") in named}
            self.numbers.update({old: new for old, new in same.items() if old not in self.written})


@pytest.fixture
def replay() -> Iterator[Replay]:
    with ZiaEmulator() as emulator:
        yield Replay(emulator)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded exchanges do not lie beside the checkout")
@pytest.mark.parametrize("name", NAMES)
def test_answers_as_zscaler_did(replay: Replay, name: str) -> None:
    path = RECORDED / f"{name}.yaml"
    for request, status, recorded in exchanges(path):
        if request["uri"].endswith(NOT_EMULATED):
            continue
        response = replay.send(request, busy=status == 409)
        where = f"{request['method']} {request['uri'].split('.com', 1)[1]}"
        assert response.status_code == status, f"{where}: {response.text}"
        if recorded is None:
            assert not response.content
            continue
        samples, given = samples_of(path, request, recorded), given_in(path, request, recorded)
        assert differences(samples, response.json(), where, given) == []
        replay.learn(recorded, response.json(), request["method"])
        if isinstance(recorded, dict) and str(recorded.get("id")) in replay.written:
            assert values(response.json()) == values(recorded), where


def test_the_comparison_sees_what_differs() -> None:
    recorded = [[{"id": 1, "name": "a", "urls": ["x"]}, {"id": 2, "name": "b"}]]
    assert differences(recorded, [{"id": 1, "name": "c"}], "") == []
    assert differences(recorded, [{"id": "1", "name": "c"}], "") == ["[].id: str instead of int"]
    assert differences(recorded, [{"id": 1, "more": 1}], "") == ["[].more: too much", "[].name: missing"]
    assert differences([{"urls": []}], {}, "a") == ["a.urls: missing"]
    assert values({"id": 5, "urls": ["b", "a"]}) == values({"id": 6, "urls": ["a", "b"]})
