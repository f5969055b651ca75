# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is particular to FortiOS: its refusals in words, transactions, feeds that are not taken, strange answers."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.tests.emulators.server import DROP, LOST, Answer, Request, json_answer

from .fortios_host import FortiosHost

PORTS = {"default_ports": ["tcp/443"]}
LOGIN, MESH = "host login.live.com tcp/80,443", "host *.mesh.com tcp/80,443"


@pytest.fixture
def host(fortigate: Callable[..., FortiosHost]) -> FortiosHost:
    return fortigate()


def refusal(status: int, error: int = 0, **more: Any) -> Answer:
    told = {"error": error} if error else {}
    return json_answer({"status": "error", "http_status": status, **told, **more}, status)


def writes_to(*paths: str) -> Callable[[Request], bool]:
    return lambda request: request.method != "GET" and request.path.endswith(paths) and "action" not in request.query


# What is sent


def test_the_token_is_in_a_header_alone_and_each_call_names_the_virtual_domain(host) -> None:
    host.run(*host.old, **PORTS, vdom="dmz")
    host.run(state="deleted", vdom="dmz")
    for request in host.requests:
        assert request.headers["authorization"] == f"Bearer {host.fortios.token}"
        assert request.query["vdom"] == "dmz"
        assert host.fortios.token.encode() not in request.body
        assert host.fortios.token not in f"{request.path}{request.query}"


def test_all_feeds_are_one_request_and_what_uses_them_is_one_transaction(host) -> None:
    host.run(*host.old, **PORTS)
    pushes = [request for request in host.requests if request.path.endswith("/dynamic")]
    assert [one["name"] for request in pushes for one in request.json["commands"]] == ["egress_mmd", _networks(host)]
    assert len(pushes) == 1
    inside = [request for request in host.requests if "x-transaction-id" in request.headers]
    assert {request.path.split("/")[-1] for request in inside[:-1] if request.method == "POST"} == {
        "address", "custom", "proxy-address", "policy", "proxy-policy", "rule"
    }  # fmt: skip
    assert inside[-1].query["action"] == "transaction-commit"


def _networks(host: FortiosHost) -> str:
    return next(name for name in host.fortios.store.feeds if name.endswith("-ip"))


def test_a_feed_is_filled_before_anything_uses_it_and_goes_after_everything(host) -> None:
    host.run(*host.old, **PORTS)
    paths = [request.path for request in host.requests if request.method != "GET"]
    assert paths.index("/api/v2/monitor/system/external-resource/dynamic") < paths.index("/api/v2/cmdb")
    host.emulator.seen.clear()
    host.run(state="deleted")
    deleted = [request.path.split("/")[4:6] for request in host.requests if request.method == "DELETE"]
    assert deleted[:3] == [["authentication", "rule"], ["firewall", "proxy-policy"], ["firewall", "policy"]]
    assert deleted[-2:] == [["system", "external-resource"]] * 2


def test_names_in_paths_are_encoded_and_a_profile_with_a_strange_name_is_found(host) -> None:
    profile = copy.deepcopy(host.fortios.store.tables["webfilter/profile"][0])
    host.fortios.store.tables["webfilter/profile"].append(dict(profile, name="a/b c?&"))
    host.run("login.live.com", webfilter_profiles=["a/b c?&"])
    rows = host.fortios.store.read("webfilter/profile", "a/b c?&")[0]["ftgd-wf"]["filters"]
    assert [row["category"] for row in rows] == [26, 193, 192]


# Refusals in words


@pytest.mark.parametrize(("answer", "words"), [
    (refusal(424, -3), "424.*it is not there"), (refusal(500, -5), "it exists already"),
    (refusal(500, -651, cli_error="node_check_object\n fail!"), "not valid.*node_check_object fail"),
    (refusal(500, -37), "the right is missing"), (refusal(413), "status 413"), (refusal(405), "status 405"),
    (refusal(400, -77), "error -77"), (Answer(403, b"<html>Forbidden</html>"), "rights of its profile"),
    (Answer(401), "Check access_token"),
])  # fmt: skip
def test_a_refused_write_is_told_and_what_was_there_is_put_back(host, answer, words) -> None:
    host.run("login.live.com", **PORTS)
    before = host.state()
    host.emulator.fail(writes_to("/policy"), answer, 1)
    with pytest.raises(ApplianceError, match=words) as told:
        host.run("*.mesh.com", "198.51.100.0/24", **PORTS, max_shrink=100)
    assert "What was there was put back" in str(told.value)
    assert host.state() == before


@pytest.mark.parametrize(("said", "waits"), [("invalid action block", False), ("Object is locked by admin", True)])
def test_only_what_is_locked_is_waited_for(host, said, waits) -> None:
    host.emulator.fail(writes_to("/proxy-address"), refusal(424, -61, cli_error=said), 1)
    if waits:
        assert host.run("login.live.com")["changed"]
    else:
        with pytest.raises(ApplianceError, match=said):
            host.run("login.live.com")
    assert bool(host.clock.slept) == waits


def test_what_cannot_be_put_back_is_told(host) -> None:
    host.run("login.live.com")
    pushed: list[Request] = []

    def later(request: Request) -> bool:
        """What uses the feeds, and the second time that they are filled."""
        pushed.extend([request] if request.path.endswith("/dynamic") else [])
        return writes_to("/default")(request) or (request is pushed[-1] and len(pushed) > 1 if pushed else False)

    host.emulator.fail(later, refusal(500, -651), 100)
    with pytest.raises(ApplianceError, match="not valid.*could not be put back"):
        host.run("*.mesh.com", webfilter_profiles=["default"], max_shrink=100)


def test_a_lock_out_is_not_asked_again(host) -> None:
    host.fortios.locked_out = True
    with pytest.raises(ApplianceError, match="locked this address out.*429"):
        host.run("login.live.com")
    assert len(host.requests) == 1


def test_a_feed_that_another_profile_uses_stays(host) -> None:
    host.run("login.live.com")
    before = host.fortios.state()
    host.fortios.by_hand("webfilter/profile", "default", **{"ftgd-wf": {"filters": [{"id": 1, "category": 192}]}})
    with pytest.raises(AllowlistError, match="webfilter profile default uses this list"):
        host.run(state="deleted")
    host.fortios.by_hand("webfilter/profile", "default", **{"ftgd-wf": {"filters": []}})
    assert host.fortios.state() == before
    assert host.run(state="deleted")["changed"]


# Transactions


def test_without_transactions_a_run_ends_in_the_same_state(fortigate) -> None:
    with_them, without = fortigate(), fortigate(transactions=False)
    for host in (with_them, without):
        host.run(*host.old, **PORTS)
    assert without.state() == with_them.state()
    assert not [request for request in without.requests if "x-transaction-id" in request.headers]


@pytest.mark.parametrize("path", ["/address", "/custom", "/proxy-address", "/policy", "/proxy-policy", "/rule",
                                  "/corporate", "/deep-inspection-own", "/dynamic", "/external-resource"])  # fmt: skip
def test_without_transactions_a_refusal_in_the_middle_leaves_what_was_there(fortigate, path) -> None:
    host = fortigate(transactions=False)
    before = host.state()
    host.emulator.fail(writes_to(path), refusal(424, -651), 1)
    with pytest.raises(ApplianceError, match="was put back"):
        host.run(*host.old, **PORTS)
    assert host.state() == before


def test_somebody_elses_transaction_is_waited_for(host) -> None:
    host.fortios._open = copy.deepcopy(host.fortios.store)
    slept = host.clock.sleep

    def sleep(seconds: float) -> None:
        slept(seconds)
        if host.clock.slept > 60:
            host.fortios.end_transactions()

    host._patch.setattr("ansible_collections.egress.allowlist.plugins.module_utils._api.Clock.sleep", sleep)
    assert host.run("login.live.com")["changed"]
    assert host.clock.slept > 60


def test_a_transaction_that_does_not_end_is_told(host) -> None:
    host.fortios._open = copy.deepcopy(host.fortios.store)
    before = host.state()
    with pytest.raises(ApplianceError, match="still after 30 s.*wait_timeout"):
        host.run("login.live.com", wait_timeout=30)
    host.fortios.end_transactions()
    assert host.state() == before


@pytest.mark.parametrize("how", [DROP, LOST])
def test_a_commit_of_profiles_alone_whose_answer_is_lost(host, how) -> None:
    """Nothing of our own shows whether it was done: the profile has to be looked at."""
    host.run("login.live.com")
    end = host.state()
    web, tls = (host.fortios.store.tables[table][0] for table in ("webfilter/profile", "firewall/ssl-ssh-profile"))
    web["ftgd-wf"]["filters"], tls["ssl-exempt"] = web["ftgd-wf"]["filters"][:2], tls["ssl-exempt"][:2]
    host.emulator.fail(lambda request: request.query.get("action") == "transaction-commit", how, 1)
    assert host.run("login.live.com")["changed"]
    assert host.state() == end


# Feeds


def _told(**more: Any) -> Answer:
    return json_answer({"status": "success", "http_status": 200, "results": more})


@pytest.mark.parametrize(("more", "words"), [
    ({"entries": [{"entry": "login.live.com", "valid": False}], "invalid_count": 1}, "does not use 1 lines.*login"),
    ({"entries": [{"entry": "login.live.com", "valid": True}], "overflow": True}, "cut egress_mmd off"),
])  # fmt: skip
def test_lines_that_are_taken_and_not_used_are_an_error(host, more, words) -> None:
    before = host.state()

    def after_the_push(request: Request) -> bool:
        return request.path.endswith("/entry-list") and any(one.path.endswith("/dynamic") for one in host.requests)

    host.emulator.fail(after_the_push, _told(**more), 1)
    with pytest.raises(ApplianceError, match=words):
        host.run("login.live.com")
    assert host.state() == before


def test_pages_are_read_to_the_end(host) -> None:
    rows = [{"name": f"n{number:04}", "subnet": "192.0.2.1 255.255.255.255"} for number in range(2500)]
    host.fortios.store.tables["firewall/address"] += rows
    host.run("login.live.com", clients=["n2499"])
    starts = [r.query["start"] for r in host.requests if r.path.endswith("/firewall/address") and r.method == "GET"]
    assert starts[:3] == ["0", "1000", "2000"]


@pytest.mark.parametrize("count", [1000, 1001])
def test_an_appliance_that_knows_no_pages_is_not_asked_for_ever(host, count) -> None:
    rows = [{"name": f"n{number}", "policyid": number, "q_origin_key": number} for number in range(count)]
    page = json_answer({"status": "success", "http_status": 200, "results": rows})
    host.emulator.fail(lambda request: request.path.endswith("/firewall/address"), page, 10_000)
    if count == 1000:
        with pytest.raises(ApplianceError, match="the same page"):
            host.run("login.live.com")
    else:
        assert host.run("login.live.com", clients=["n1000"], check_mode=True)["changed"]


# Strange answers


ODD: list[Any] = [None, "x", 7, [], {}, [1], ["x"], [{}], {"a": 1}, True]


def _spoilt(value: Any, odd: Any) -> Iterator[Any]:
    """*value* with one thing in it, at any depth, being *odd*."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield {**value, name: odd}
            yield from ({**value, name: inner} for inner in _spoilt(one, odd))
    elif isinstance(value, list):
        for index, one in enumerate(value[:3]):
            yield [*value[:index], odd, *value[index + 1 :]]
            yield from ([*value[:index], inner, *value[index + 1 :]] for inner in _spoilt(one, odd))


def _answers(host: FortiosHost) -> dict[str, Any]:
    """What a run reads, by path; of tables the rows of ours and one of the site."""
    found: dict[str, Any] = {}
    for request in host.requests:
        body = json.loads(host.emulator.answer(request).body)
        if isinstance(body.get("results"), list) and len(body["results"]) > 2:
            body["results"] = [one for one in body["results"] if "egress_" in json.dumps(one)][:1] + body["results"][:1]
        found[request.path] = {name: body[name] for name in ("status", "results", "version", "serial") if name in body}
    return found


def test_an_answer_of_a_strange_shape_is_an_error_and_never_a_crash(host) -> None:
    host.run("login.live.com", "198.51.100.0/24", **PORTS)
    host.emulator.seen.clear()
    host.run("login.live.com", "198.51.100.0/24", **PORTS)
    state, crashes = host.state(), []
    for path, answer in _answers(host).items():
        for number, spoilt in enumerate(one for odd in ODD for one in _spoilt(answer, odd)):
            if number % 19:
                continue  # a part of them is enough
            host.emulator.faults.clear()
            host.emulator.seen.clear()
            host.emulator.fail(lambda request, path=path: request.path == path, json_answer(spoilt), 10_000)
            try:
                host.run("*.mesh.com", "198.51.100.0/24", **PORTS, max_shrink=100, check_mode=True)
            except AllowlistError:
                continue
            except Exception as error:  # noqa: BLE001  # what the user would see as a traceback
                crashes.append(f"{path}: {error!r} for {json.dumps(spoilt)[:300]}")
    assert not crashes, "\n".join(crashes)
    assert host.state() == state
