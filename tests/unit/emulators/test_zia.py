# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of ZIA: its doors, what is staged, who else is there, and what it refuses to do now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from ansible_collections.egress.allowlist.tests.emulators.zia.doors import AUDIENCE, obfuscated
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Client

NAME = "https://www.office.example/"
CATEGORY = {"configuredName": "egress_mmd", "superCategory": "USER_DEFINED", "urls": [".office.example"]}
RULE = {"name": "egress_mmd", "order": 1, "rank": 7, "action": "ALLOW", "protocols": ["ANY_RULE"]}


class Api:
    """A client with a token."""

    def __init__(self, emulator: ZiaEmulator, base: str = "/zia/api/v1") -> None:
        self.emulator, self.url = emulator, emulator.url + base
        self.session = requests.Session()

    def log_in(self, **other: str) -> requests.Response:
        own = self.emulator.credentials
        form = {"client_id": own.client_id, "client_secret": own.client_secret, "audience": AUDIENCE, **other}
        url = f"{self.emulator.url}/oauth2/v1/token"
        answer = self.session.post(url, {"grant_type": "client_credentials", **form}, timeout=10)
        self.session.headers["Authorization"] = f"Bearer {answer.json().get('access_token')}"
        return answer

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.send(method, path, body)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def allow(self) -> str:
        """One category and a rule for it; the number of the category."""
        category = self.done("POST", "/urlCategories", CATEGORY)["id"]
        self.done("POST", "/urlFilteringRules", {**RULE, "urlCategories": [category]})
        return str(category)


@pytest.fixture
def emulator() -> Iterator[ZiaEmulator]:
    with ZiaEmulator() as emulator:
        yield emulator


@pytest.fixture
def api(emulator: ZiaEmulator) -> Api:
    api = Api(emulator)
    api.log_in()
    return api


def is_allowed(emulator: ZiaEmulator, url: str = NAME) -> bool:
    return emulator.reader().decide(url, Client()).allowed


def legacy_login(emulator: ZiaEmulator, stamp: str = "1773372475123", **other: str) -> dict[str, str]:
    own = emulator.credentials
    body = {"username": own.username, "password": own.password, "timestamp": stamp}
    return {**body, "apiKey": obfuscated(own.api_key, stamp), **other}


# The doors


def test_a_token_opens_the_door(emulator: ZiaEmulator) -> None:
    api = Api(emulator)
    assert api.send("GET", "/status").status_code == 401
    assert api.log_in(client_secret="wrong").status_code == 401
    assert api.log_in(audience="other").status_code == 400
    assert set(api.log_in().json()) == {"access_token", "token_type", "expires_in"}
    assert api.done("GET", "/status") == {"status": "ACTIVE"}
    assert api.send("GET", "/nothing").status_code == 404


def test_a_session_opens_the_older_door(emulator: ZiaEmulator) -> None:
    api = Api(emulator, "/api/v1")
    for wrong in ({"password": "wrong"}, {"apiKey": emulator.credentials.api_key}, {"timestamp": "1773372475124"}):
        refused = api.send("POST", "/authenticatedSession", legacy_login(emulator, **wrong))
        assert (refused.status_code, refused.json()["code"]) == (400, "AUTHENTICATION_FAILED")
    assert api.send("GET", "/status").json()["code"] == "SESSION_NOT_VALID"
    assert api.done("POST", "/authenticatedSession", legacy_login(emulator))["authType"] == "ADMIN_LOGIN"
    assert api.done("GET", "/status") == {"status": "ACTIVE"}
    assert "authType" in api.done("GET", "/authenticatedSession")
    assert api.done("DELETE", "/authenticatedSession") == {"status": "ACTIVE"}
    assert "authType" not in api.done("GET", "/authenticatedSession")
    assert api.send("GET", "/status").status_code == 401


def test_the_obfuscated_key_is_as_documented() -> None:
    """By hand: digits 372475 pick six characters, half of that (186237) six more, two places further."""
    assert obfuscated("abcdefghijkl", "1773000372475") == "dhcehf" + "dkiefj"


def test_a_session_that_ends_activates_what_was_saved(emulator: ZiaEmulator, api: Api) -> None:
    api.allow()
    emulator.pass_time(299)
    assert api.done("GET", "/status") == {"status": "PENDING"}
    emulator.pass_time(299)
    assert not is_allowed(emulator)
    emulator.pass_time(2)
    assert is_allowed(emulator)
    assert api.send("GET", "/status").json()["code"] == "SESSION_NOT_VALID"
    assert api.log_in().ok
    assert api.done("GET", "/status") == {"status": "ACTIVE"}


def test_a_session_that_ended_is_told_of_in_two_ways(emulator: ZiaEmulator, api: Api) -> None:
    emulator.doors.says_blocked = True
    emulator.end_sessions()
    refused = api.send("GET", "/status")
    assert (refused.status_code, refused.json()) == (403, {"message": "Resource Access Blocked"})
    assert api.log_in().ok
    assert api.send("GET", "/status").ok


def test_a_logout_activates_too(emulator: ZiaEmulator) -> None:
    api = Api(emulator, "/api/v1")
    api.done("POST", "/authenticatedSession", legacy_login(emulator))
    api.allow()
    assert not is_allowed(emulator)
    api.done("DELETE", "/authenticatedSession")
    assert is_allowed(emulator)


# Saved and in force


def test_what_is_saved_is_in_force_after_the_activation(emulator: ZiaEmulator, api: Api) -> None:
    before = emulator.state()
    api.allow()
    state = emulator.state()
    assert (state["pending"], state["in force"]) == (True, before["in force"])
    assert not is_allowed(emulator)
    assert api.done("POST", "/status/activate", {}) == {"status": "ACTIVE"}
    assert is_allowed(emulator)
    state = emulator.state()
    assert state["saved"] == state["in force"] != before["in force"]
    api.done("POST", "/authSettings/exemptedUrls?action=ADD_TO_LIST", {"urls": ["later.example"]})
    assert emulator.state()["in force"] == state["in force"], "what comes later waits for the next activation"


def test_an_activation_waits_for_others_who_edit_and_publishes_their_work(emulator: ZiaEmulator, api: Api) -> None:
    emulator.somebody_edits(lambda saved: saved.urls("exemptedUrls").add("theirs.example"))
    assert api.done("GET", "/status") == {"status": "PENDING"}
    api.allow()
    assert api.done("POST", "/status/activate", {}) == {"status": "PENDING"}
    assert not is_allowed(emulator)
    emulator.somebody_activates()
    assert is_allowed(emulator)
    assert "theirs.example" in emulator.tenant.in_force.urls("exemptedUrls")
    assert api.done("GET", "/status") == {"status": "ACTIVE"}


def test_where_nobody_is_waited_for_their_work_is_published_as_well(emulator: ZiaEmulator, api: Api) -> None:
    emulator.tenant.others_delay = False
    emulator.somebody_edits(lambda saved: saved.urls("exemptedUrls").add("theirs.example"))
    assert api.done("POST", "/status/activate", {}) == {"status": "ACTIVE"}
    assert "theirs.example" in emulator.tenant.in_force.urls("exemptedUrls")


def test_an_activation_may_take_its_time(emulator: ZiaEmulator, api: Api) -> None:
    emulator.tenant.slow_answers = 2
    api.allow()
    assert api.done("POST", "/status/activate", {}) == {"status": "INPROGRESS"}
    assert [api.done("GET", "/status")["status"] for _time in range(2)] == ["INPROGRESS", "ACTIVE"]


def test_states_can_be_compared_whatever_the_numbers(emulator: ZiaEmulator, api: Api) -> None:
    category = api.done("POST", "/urlCategories", {**CATEGORY, "configuredName": "gone"})
    with ZiaEmulator() as other:
        second = Api(other)
        second.log_in()
        second.allow()
        api.allow()
        assert emulator.state() != other.state()
        api.done("DELETE", f"/urlCategories/{category['id']}")
        assert emulator.state() == other.state()


# Who else is there


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        ("lock", 409, "EDIT_LOCK_NOT_AVAILABLE"),
        ("barrier", 412, "Failed during enter Org barrier"),
        ("blocked", 409, "Resource Access Blocked"),
    ],
)
def test_the_edit_lock_refuses_writes(emulator: ZiaEmulator, api: Api, words: str, status: int, text: str) -> None:
    emulator.hold_edit_lock(answer=words, times=2)
    before = emulator.state()
    for _time in range(2):
        refused = api.send("POST", "/urlCategories", CATEGORY)
        assert (refused.status_code, text in refused.text) == (status, True)
        assert emulator.state() == before
        assert api.send("GET", "/urlCategories").ok, "reads do not need the lock"
    assert api.send("POST", "/urlCategories", CATEGORY).ok


def test_a_write_waits_for_the_edit_lock(emulator: ZiaEmulator, api: Api) -> None:
    emulator.lock_block = 30
    emulator.hold_edit_lock()
    threading.Timer(0.05, emulator.release_edit_lock).start()
    assert api.send("POST", "/urlCategories", CATEGORY).ok


def test_nothing_is_written_during_an_upgrade(emulator: ZiaEmulator, api: Api) -> None:
    assert api.send("GET", "/status").headers["x-zscaler-mode"] == "read-write"
    emulator.read_only = True
    refused = api.send("POST", "/urlCategories", CATEGORY)
    assert (refused.status_code, refused.headers["x-zscaler-mode"]) == (403, "read-only")
    assert refused.json()["code"] == "STATE_READONLY"
    assert api.send("GET", "/urlCategories").ok


# How often it may be asked


def test_too_many_requests_are_told_to_wait() -> None:
    with ZiaEmulator(rate_limits=True) as emulator:
        api = Api(emulator)
        api.log_in()
        answers = [api.send("GET", "/urlCategories") for _time in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["Retry-After"] == "1"
        assert answers[2].json() == {"message": "Rate Limit (2/SECOND) exceeded", "Retry-After": "1 seconds"}
        assert api.send("GET", "/status").ok, "each path has its own budget"
        emulator.pass_time(1)
        assert api.send("GET", "/urlCategories").ok


def test_the_older_door_words_the_wait_differently() -> None:
    with ZiaEmulator(rate_limits=True) as emulator:
        api = Api(emulator, "/api/v1")
        api.done("POST", "/authenticatedSession", legacy_login(emulator))
        api.send("POST", "/urlCategories", CATEGORY)
        assert api.send("POST", "/urlCategories", CATEGORY).headers["Retry-After"] == "0 seconds"


def test_deletions_are_the_dearest() -> None:
    with ZiaEmulator(rate_limits=True) as emulator:
        api = Api(emulator)
        found = []
        for _minute in range(5):
            emulator.pass_time(61)
            api.log_in()
            found.append(api.send("DELETE", "/urlCategories/CUSTOM_77").status_code)
        assert found == [404, 404, 404, 404, 429], "four in an hour"


def test_what_can_change_something(emulator: ZiaEmulator, api: Api) -> None:
    api.done("GET", "/status")
    api.done("POST", "/urlLookup", ["www.office.example"])
    assert not any(emulator.changes(seen.request) for seen in emulator.seen)
    api.done("POST", "/status/activate", {})
    api.send("DELETE", "/urlCategories/CUSTOM_77")
    assert [emulator.changes(seen.request) for seen in emulator.seen][-2:] == [True, True]
