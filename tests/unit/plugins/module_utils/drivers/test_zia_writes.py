# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes to ZIA that get lost, are killed, or have to wait: by the older API, and in the organisation's one list."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _api
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_write import Writer
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.tests.emulators.server import CUT, DROP, LOST, Answer, Request, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator

from .host import Guard, Killed, ReadOnly
from .zia_host import ZiaHost

NAMES = ("login.live.com", "*.mesh.com")
THEIRS = "status.contoso.example"  # which the organisation itself has exempted
FAULTS = (DROP, LOST, CUT, Answer(502, b"<html>Bad gateway</html>"))


class Counting(ZiaHost):
    """A tenant that counts requests, and whose time goes by while we wait."""

    def made(self) -> ZiaEmulator:
        return ZiaEmulator(rate_limits=True)

    def start(self) -> None:
        super().start()
        self._patch.setattr(_api.Clock, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.zia.pass_time(seconds)


class Older(ZiaHost):
    """By the older API."""

    def usual(self) -> dict[str, Any]:
        given = self.zia.credentials
        own = {"username": given.username, "password": given.password, "api_key": given.api_key}
        return {**super().usual(), **own, "client_id": None, "client_secret": None}


def _exempted(host: ZiaHost) -> set[str]:
    return set(host.zia.tenant.in_force.urls("exemptedUrls"))


def _fails_at(host: ZiaHost, step: int, fault: Any) -> None:
    met = iter(range(10_000))
    host.emulator.faults.clear()
    host.emulator.fail(lambda request: host.emulator.changes(request) and next(met) == step, fault)


def _writes(host: ZiaHost, before: int) -> int:
    return sum(1 for one in host.emulator.seen[before:] if host.emulator.changes(one.request))


@pytest.mark.parametrize(
    ("kind", "fault"),
    [*((ZiaHost, fault) for fault in FAULTS), (Older, LOST)],
    ids=["dropped", "lost", "cut", "gateway", "lost on the older API"],
)
def test_no_single_loss_makes_a_run_fail(made, kind, fault) -> None:
    host = made(kind)
    old = {"entries": ["login.live.com", "www.example.com", THEIRS], "exempted_urls": True}
    new = {"entries": [*NAMES, THEIRS, "198.51.100.0/24"], "default_ports": ["tcp/443"], "exempted_urls": True}
    host.settle(old)
    before = len(host.emulator.seen)
    host.run(**new)
    writes, end = _writes(host, before), host.state()
    assert writes > 8
    for step in range(writes):
        host.emulator.faults.clear()
        host.settle(old)
        _fails_at(host, step, fault)
        host.run(**new)
        assert host.state() == end, f"write {step}"


@pytest.mark.parametrize("ours", [[*NAMES, THEIRS], ["login.live.com", "www.example.com"], None])
def test_killed_anywhere_the_exempted_urls_of_others_stay_and_ours_go(made, ours) -> None:
    host = made(ZiaHost)
    before = _exempted(host)
    change = {"entries": ours, "exempted_urls": True} if ours else {"state": "deleted"}
    step, killed = 0, True
    while killed:
        step += 1
        host.settle({"entries": ["login.live.com", "*.mesh.com", "a.example.com"], "exempted_urls": True})
        try:
            with host.guarded(Guard(step)):
                host.run(**change)
                killed = False
        except Killed:
            host.zia.end_sessions()  # whatever was saved is in force then
        host.run(state="deleted")
        assert _exempted(host) == before, f"write {step}"
        assert "egress_" not in host.running
    assert step > 4


def test_what_others_have_exempted_since_a_snapshot_is_theirs(made) -> None:
    host = made(ZiaHost)
    host.run(*NAMES, exempted_urls=True)
    snapshot = host.run("login.live.com", exempted_urls=True)["snapshot"]
    host.run(state="deleted")
    host.zia.by_hand(lambda config: config.urls("exemptedUrls").add(".mesh.com"))
    theirs = _exempted(host)
    host.run(state="restored", snapshot=snapshot, exempted_urls=True)
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES, exempted_urls=True)["changed"]
    assert _exempted(host) == theirs | {"login.live.com"}
    host.run(state="deleted")
    assert _exempted(host) == theirs


def test_the_exempted_urls_go_when_the_option_does(made) -> None:
    host = made(ZiaHost)
    before = _exempted(host)
    host.run(*NAMES, exempted_urls=True)
    host.run(*NAMES)
    assert _exempted(host) == before
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES)["changed"]


def test_the_documented_numbers_of_requests_are_kept_within_the_wait(made) -> None:
    host = made(Counting)
    host.run(*NAMES, "198.51.100.0/24", default_ports=["tcp/443"])
    host.run("login.live.com", "203.0.113.0/24", default_ports=["tcp/443"], max_shrink=100)
    host.run(state="deleted")
    assert "egress_" not in host.running
    assert [one.status for one in host.emulator.seen].count(429) >= 3
    assert host.clock.slept > 60  # a deletion is taken once in a minute


def test_the_header_with_the_seconds_of_the_gateway(made) -> None:
    host = made(ZiaHost)
    for more, least in (({}, 44), ({"Retry-After": "2"}, 2)):  # what is said outright counts before it
        answer = json_answer({"message": "too many requests"}, 429, **{"x-ratelimit-reset": "44"}, **more)
        host.emulator.fail(lambda request: request.method == "POST" and "urlCategories" in request.path, answer)
        host.clock.slept = 0
        host.run(*NAMES)
        assert least <= host.clock.slept < least + 2
        host.run(state="deleted")


def test_a_session_of_the_older_api_is_left_by_who_has_activated(made) -> None:
    host = made(Older)
    for given in ({"entries": list(NAMES)}, {"entries": list(NAMES)}, {"state": "gathered"}, {"state": "deleted"}):
        host.run(**given)
        asked = [one.request for one in host.emulator.seen if one.request.path.endswith("/authenticatedSession")]
        assert [one.method for one in asked[-2:]] == ["POST", "DELETE"], given


@pytest.mark.parametrize("first", ["activate", "stop"])
def test_a_session_of_the_older_api_is_not_left_over_what_waits(made, first) -> None:
    """To leave is to activate: neither our staged work nor a colleague's is put in force by a look at it."""
    host = made(Older)
    if first == "activate":
        host.zia.somebody_edits()
        host.run(state="gathered")
    else:
        host.run(*NAMES, activate=False)
        host.run(state="gathered")
        assert "egress_mmd" not in host.running
    assert not [one for one in host.emulator.seen if one.request.method == "DELETE"]


def test_no_secret_of_the_older_api_is_told(made) -> None:
    host = made(Older)
    answers: list[Any] = [host.run(*NAMES), host.run(state="gathered")]
    for how in (Answer(403, b"no"), Answer(200, b"[]"), DROP, Answer(500, b"")):
        host.emulator.faults.clear()
        host.emulator.fail(lambda _request: True, how, 10_000)
        with pytest.raises(AllowlistError) as told:
            host.run(*NAMES)
        answers.append({"error": str(told.value), "cause": repr(told.value.__cause__)})
    given = host.zia.credentials
    text = json.dumps(answers) + " ".join(f"{one.request.path} {one.request.query}" for one in host.emulator.seen)
    assert given.password not in text
    assert given.api_key not in text
    assert not [one for one in host.emulator.seen if given.api_key.encode() in one.request.body]


def test_wrong_credentials_of_the_older_api_are_told(made) -> None:
    host = made(Older)
    for option, wrong in (("password", "wrong-example"), ("api_key", "000000000000"), ("api_key", "short")):
        with pytest.raises(ApplianceError) as told:
            host.run(*NAMES, **{option: wrong})
        assert wrong not in str(told.value)
        assert "api_key" in str(told.value)


GARBAGE = [Answer(200, b"<html>Log in</html>"), Answer(200, b'{"id": 12, "na'), Answer(200, b"null"), Answer(200, b"")]


@pytest.mark.parametrize("answer", GARBAGE, ids=lambda one: one.body.decode())
def test_an_answer_to_a_write_that_is_not_the_service_s_means_to_look(made, answer) -> None:
    """Nothing was done, whatever stands on the way says."""
    host = made(ZiaHost)
    host.run("www.example.com")
    host.zia.fail(lambda request: request.method == "PUT", answer)
    assert host.run("www.example.org", max_shrink=100)["after"] == ["host www.example.org tcp/80,443"]
    assert "www.example.org" in host.running


@pytest.mark.parametrize("often", [1, 3, 100])
def test_what_another_run_saves_meanwhile_is_not_activated(made, monkeypatch, often) -> None:
    """It is written over, once they are apart; a run that never is gives up, and in force is what was."""
    host = made(ZiaHost)
    host.run("www.example.com")
    before = host.running
    edits = iter([_with_evil] * often)
    pauses: list[float] = []
    real = Writer.carry_out

    def carry_out(writer: Writer, *words: Any) -> None:
        real(writer, *words)
        for edit in itertools.islice(edits, 1):
            host.zia.somebody_edits(edit)
            if often < 100:
                host.zia.somebody_activates()  # as long as somebody edits, nobody's activation is done

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        host.clock.sleep(seconds)

    monkeypatch.setattr(Writer, "carry_out", carry_out)
    monkeypatch.setattr(_api.Clock, "sleep", sleep)
    if often == 100:
        with pytest.raises(ApplianceError, match="url category egress_mmd. Nothing was activated"):
            host.run("www.example.org", max_shrink=100)
        assert host.running == before
        monkeypatch.setattr(Writer, "carry_out", real)
        host.zia.somebody_activates()
    assert host.run("www.example.org", max_shrink=100)["after"] == ["host www.example.org tcp/80,443"]
    assert '"evil.example"' not in host.running
    assert len(set(pauses)) == len(pauses) >= min(often, 3)  # each of its own length: two runs must not keep step


def _with_evil(config: Any) -> None:
    row = next(row for row in config.rows("urlCategories") if row.get("configuredName") == "egress_mmd")
    row["urls"].append("evil.example")


@pytest.mark.parametrize("lost", [False, True], ids=["an answer", "no answer"])
def test_an_activation_that_nobody_may_ask_after_is_not_taken_back(made, lost) -> None:
    """It was begun, and what is in force is not as before."""
    host = made(ZiaHost)
    host.run(*NAMES)
    host.emulator.seen.clear()

    def is_begun(request: Request) -> bool:
        paths = [one.request.path for one in host.emulator.seen]
        return request.path.endswith("/status") and any(path.endswith("/status/activate") for path in paths)

    if lost:
        host.emulator.fail(lambda request: request.path.endswith("/status/activate"), LOST)
    host.emulator.fail(is_begun, json_answer({"code": "NOT_PERMITTED", "message": "no right"}, status=403), times=1000)
    with pytest.raises(ApplianceError, match="(?i)not known.*run again") as told:
        host.run("www.example.com", max_shrink=100)
    assert "as before" not in str(told.value) and "www.example.com" in host.running
    host.emulator.faults.clear()
    with host.guarded(ReadOnly()):
        assert not host.run("www.example.com", max_shrink=100)["changed"]
