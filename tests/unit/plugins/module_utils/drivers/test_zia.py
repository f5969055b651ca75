# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Zscaler ZIA alone can do to a run: the edit lock, limits of requests, other administrators, its one list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._zia import too_deep
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Client

from .host import ReadOnly
from .zia_host import ZiaHost

NAMES = ("login.live.com", "*.mesh.com")
INSIDE, OUTSIDE = Client("10.20.0.10"), Client("10.30.0.10")


@pytest.fixture
def host(made: Callable[[type[ZiaHost]], ZiaHost]) -> ZiaHost:
    return made(ZiaHost)


def _legacy(host: ZiaHost) -> dict[str, Any]:
    given = host.zia.credentials
    own = {"username": given.username, "password": given.password, "api_key": given.api_key}
    return {**own, "client_id": None, "client_secret": None}


def test_what_is_in_force_does_what_was_asked_for_and_no_more(host) -> None:
    host.run(*NAMES)
    reader = host.zia.reader()
    for url in ("https://login.live.com/", "https://a.mesh.com/", "http://a.b.mesh.com/x"):
        assert reader.decide(url, INSIDE).allowed
    assert not reader.decide("https://a.mesh.com/", INSIDE).decrypted
    for url in ("https://login.live.com.evil.example/", "https://xlogin.live.com/", "https://live.com/"):
        assert not reader.decide(url, INSIDE).allowed
    assert not reader.decide("https://a.mesh.com/", OUTSIDE).allowed
    assert reader.decide("https://a.mesh.com/", OUTSIDE).decrypted


def test_networks_pass_the_firewall_on_their_ports(host) -> None:
    host.run("198.51.100.0/24", default_ports=["tcp/443", "udp/3478-3481"])
    reader = host.zia.reader()
    assert reader.passes("198.51.100.7", 443, "tcp", INSIDE)
    assert reader.passes("198.51.100.7", 3480, "udp", INSIDE)
    assert not reader.passes("198.51.100.7", 22, "tcp", INSIDE)
    assert not reader.passes("198.51.100.7", 3480, "udp", OUTSIDE)


def test_clients_that_are_places_and_departments(host) -> None:
    sites = {"clients": ["location:Headquarters", "location:Branch Oslo"]}
    host.run(*NAMES, **sites)
    found = host.run(*NAMES, **sites)
    assert not found["changed"]
    host.run(state="deleted")
    assert host.run(state="restored", snapshot=found["snapshot"])["changed"]
    assert not host.run(*NAMES, **sites)["changed"]


def test_a_place_that_is_gone_since_the_snapshot_is_told(host) -> None:
    snapshot = [host.run(*NAMES, clients=["department:Sales"])["snapshot"] for _time in "12"][-1]
    host.run(state="deleted")
    host.zia.by_hand(lambda config: config.rows("departments").clear())
    with pytest.raises(ApplianceError, match="no 'Sales' among its departments"):
        host.run(state="restored", snapshot=snapshot)


@pytest.mark.parametrize("answer", ["lock", "barrier", "blocked"])
def test_the_edit_lock_is_waited_for(host, answer) -> None:
    host.zia.hold_edit_lock(answer=answer, times=3)
    host.run(*NAMES)
    assert host.clock.slept >= 1 + 2 + 4


def test_a_lock_that_stays_is_told(host) -> None:
    state = host.state()
    host.zia.hold_edit_lock()
    with pytest.raises(ApplianceError, match="edit lock, still after 600 s"):
        host.run(*NAMES)
    host.zia.release_edit_lock()
    assert host.state() == state


@pytest.mark.parametrize(
    ("header", "body", "least"),
    [("7", "", 7), ("0 seconds", "9 seconds", 9), ("", "", 1)],
)
def test_too_many_requests_are_asked_again_when_it_says(host, header, body, least) -> None:
    headers = {"Retry_After": header} if header else {}
    answer = json_answer({"message": "Rate Limit (1/SECOND) exceeded", "Retry-After": body}, 429, **headers)
    host.emulator.fail(lambda request: request.method == "POST" and "urlCategories" in request.path, answer)
    host.run(*NAMES)
    assert least <= host.clock.slept < least + 1


def test_the_older_api(host) -> None:
    host.run(*NAMES, **_legacy(host))
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES, **_legacy(host))["changed"]
    assert host.zia.reader().decide("https://a.mesh.com/", INSIDE).allowed


@pytest.mark.parametrize("blocked", [False, True], ids=["401", "403"])
def test_a_session_that_ended_is_begun_again(host, blocked) -> None:
    host.zia.doors.says_blocked = blocked
    asked = 0

    def ended(_request: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 5:
            host.zia.end_sessions()
        return False

    host.emulator.fail(ended, "drop")
    assert host.run(*NAMES)["changed"]


def test_maintenance_is_told(host) -> None:
    host.zia.read_only = True
    with pytest.raises(ApplianceError, match="maintenance"):
        host.run(*NAMES)


def test_edits_of_somebody_else_are_not_put_in_force(host) -> None:
    host.zia.somebody_edits()
    state = host.state()
    with pytest.raises(ApplianceError, match="no run for this list has made them.*publish_others"):
        host.run(*NAMES)
    assert host.state() == state
    host.zia.somebody_activates()
    host.run(*NAMES)
    host.zia.somebody_edits()
    answer = host.run(*NAMES)
    assert not answer["changed"]
    assert "wait for their activation" in answer["warnings"][0]


def test_the_note_of_an_interrupted_run_is_gone_once_its_rest_is_in_force(host) -> None:
    """Else the edits that a colleague saves later would be taken for ours."""
    host.run(*NAMES, activate=False)
    host.zia.somebody_activates("automation@contoso.com")
    for session in list(host.zia.tenant.editing):
        host.zia.somebody_activates(session)
    assert not host.run(*NAMES)["changed"]
    host.zia.somebody_edits()
    with pytest.raises(ApplianceError, match="publish_others"):
        host.run("login.live.com")


def test_publish_others_waits_for_them_and_says_so(host) -> None:
    host.zia.somebody_edits()
    with pytest.raises(ApplianceError, match="everything is saved.*Another administrator"):
        host.run(*NAMES, publish_others=True)
    host.zia.somebody_activates()
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES)["changed"]


def test_staged_work_is_finished_by_a_later_run(host) -> None:
    answer = host.run(*NAMES, activate=False)
    assert "when the session of this login ends" in " ".join(answer["warnings"])
    assert "egress_mmd" not in host.running
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES, activate=False)["changed"]
    assert host.run(*NAMES)["changed"]
    assert "egress_mmd" in host.running


def test_only_what_we_have_put_among_the_exempted_urls_is_taken_out(host) -> None:
    before = set(host.zia.tenant.in_force.urls("exemptedUrls"))
    theirs = "status.contoso.example"
    assert theirs in before
    host.run(*NAMES, theirs, exempted_urls=True)
    assert host.zia.tenant.in_force.urls("exemptedUrls") == before | {"login.live.com", ".mesh.com"}
    host.run("login.live.com", theirs, exempted_urls=True)
    assert host.zia.tenant.in_force.urls("exemptedUrls") == before | {"login.live.com"}
    host.run(state="deleted")
    assert host.zia.tenant.in_force.urls("exemptedUrls") == before
    assert "egress" not in host.running


def test_the_exempted_urls_are_not_touched_unless_named(host) -> None:
    with pytest.raises(AllowlistError, match="no bypass_authentication"):
        host.run(*NAMES, intents=["bypass_authentication"])
    host.run(*NAMES)
    assert not [one for one in host.emulator.seen if "exemptedUrls" in one.request.path]


def test_names_that_lie_too_deep_are_listed_themselves(host) -> None:
    deep = "a.b.c.d.e.f.mesh.com"
    answer = host.run("*.mesh.com", known_names=[deep])
    assert host.zia.reader().decide(f"https://{deep}/", INSIDE).allowed
    assert answer["translation"][0]["verdict"] == "narrower"
    with pytest.raises(AllowlistError, match="more than 5 levels"):
        host.run("*.mesh.com", narrow="none")


def test_five_levels_are_held_and_the_sixth_is_not() -> None:
    five, six = "b.c.d.e.f.mesh.com", "a.b.c.d.e.f.mesh.com"
    assert too_deep([five, six, "mesh.com"]) == {"mesh.com": [six], "com": [five, six]}
    assert too_deep([]) == {}


def test_a_closer_entry_of_the_site_is_told(host) -> None:
    host.run("*.fabrikam.example", "*.tailspin.example")
    warnings = " ".join(host.run("*.tailspin.example", "www.tailspin.example")["warnings"])
    assert "'Partner portals' has portal.tailspin.example/orders/" in warnings


def test_ports_of_no_web_and_ipv6_leave_by_another_way(host) -> None:
    entries = [{"type": "host", "value": "smtp.example.com", "ports": ["tcp/587"]}, "2001:db8::/32", "login.live.com"]
    answer = host.run(*entries, default_ports=["tcp/443"])
    assert answer["after"] == ["host login.live.com tcp/80,443"]
    assert len(answer["translation"]) == 2
    with pytest.raises(AllowlistError, match=r"clients\[0\].*IPv4"):
        host.run(*NAMES, clients=["2001:db8:1::/64"])


def test_the_quota_is_asked_before_the_write(host) -> None:
    host.zia.categories.most_urls = 10
    state = host.state()
    with pytest.raises(AllowlistError, match="needs 20 more URLs, and the tenant has [0-9]+ left"):
        host.run(*(f"host{number}.example.com" for number in range(20)))
    assert host.state() == state


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"clients": ["location:Nowhere"]}, "no 'Nowhere' among its locations"),
        ({"clients": ["10.0.0.0/8", "location:Headquarters"]}, "clients of one kind"),
        ({"position": {"ssl": "before Nobody", "url": "top"}}, "no ssl rule 'Nobody'"),
        ({"position": {"ssl": "top"}}, "position.url: needed"),
        ({"intents": ["bypass_content_inspection"]}, "needs allow and bypass_tls_inspection"),
    ],
)
def test_what_cannot_be_is_told_before_the_write(host, given, words) -> None:
    state = host.state()
    with pytest.raises(AllowlistError, match=words):
        host.run(*NAMES, **given)
    assert host.state() == state


def test_a_category_that_the_site_uses_elsewhere_is_not_deleted(host) -> None:
    host.run(*NAMES)

    def use(config: Any) -> None:
        number = next(row["id"] for row in config.rows("urlCategories") if row.get("configuredName") == "egress_mmd")
        rule = next(row for row in config.rows("urlFilteringRules") if row["name"] == "Partners")
        rule["urlCategories"].append(number)

    host.zia.somebody_edits(use)
    host.zia.somebody_activates()
    with pytest.raises(ApplianceError, match="RESOURCE_IN_USE.*take it out of that rule"):
        host.run(state="deleted")


def test_an_activation_that_takes_its_time_is_waited_for(host) -> None:
    host.zia.tenant.slow_answers = 5
    assert host.run(*NAMES)["changed"]
    assert host.clock.slept >= 1 + 2 + 4 + 8


def test_a_token_that_is_none_is_an_error(host) -> None:
    for body in (b"{}", b'{"access_token": "a\\nb"}', b"<html>"):
        host.emulator.fail(lambda request: "token" in request.path, Answer(200, body))
        with pytest.raises(AllowlistError, match="expected"):
            host.run(*NAMES)


def test_an_administrator_among_the_options_wins_over_a_client_in_the_environment(host, monkeypatch) -> None:
    monkeypatch.setenv("ZSCALER_CLIENT_ID", "somebody")
    monkeypatch.setenv("ZSCALER_CLIENT_SECRET", "of-somebody")
    assert host.run(*NAMES, **_legacy(host))["after"]


WRONG = [
    ("ipSourceGroups", "id", []), ("ipSourceGroups", "description", 1.5), ("urlCategories", "urls", True),
    ("urlCategories", "urls", [5]), ("urlCategories", "description", {"x": 1}), ("ipDestinationGroups", "addresses", 5),
    ("sslInspectionRules", "id", {}), ("urlFilteringRules", "description", [[]]), ("networkServices", "id", True),
]  # fmt: skip


@pytest.mark.parametrize(("table", "field", "value"), WRONG)
def test_a_field_in_another_form_is_refused_in_words(host, table, field, value) -> None:
    host.run(*host.old, default_ports=["tcp/443"])
    state = host.state()
    real = host.emulator.answer

    def answer(request):
        true = real(request)
        if not request.path.endswith(f"/{table}") or request.method != "GET":
            return true
        rows = json.loads(true.body)
        rows[-1][field] = value
        return json_answer(rows)

    with pytest.MonkeyPatch.context() as patch, host.guarded(ReadOnly()):
        patch.setattr(host.emulator, "answer", answer)
        with pytest.raises(ApplianceError, match=table):
            host.run("login.live.com", max_shrink=100)
    assert host.state() == state
