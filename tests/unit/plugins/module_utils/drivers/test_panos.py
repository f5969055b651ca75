# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PAN-OS alone can do to a run: locks, other administrators, jobs, pairs, Panorama."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_options import Login
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.tests.emulators.panos.answers import response
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import CUT, DROP, LOST, Answer, Request

from .host import ReadOnly
from .panos_host import CATEGORY, SECURITY, VSYS, PanosHost

NAMES = ("login.live.com", "*.mesh.com")
LOGIN_PAGE = Answer(200, b"<html><title>Log in</title></html>", {"Content-Type": "text/html"})
OTHER = f"{VSYS}/address"
THEIRS = '<entry name="Warehouse"><ip-netmask>10.50.0.0/16</ip-netmask></entry>'


@pytest.fixture
def host(made: Callable[[type[PanosHost]], PanosHost]) -> PanosHost:
    return made(PanosHost)


@pytest.mark.parametrize("kind", ["config", "commit"])
def test_a_lock_of_somebody_else_is_waited_for_and_named(host, kind) -> None:
    host.panos.locks[kind].held["bob"] = "tuning the policy"
    with pytest.raises(ApplianceError, match="(?s)bob holds a lock: tuning the policy.*wait_timeout"):
        host.run(*NAMES)
    assert host.clock.slept > 400
    host.panos.locks[kind].held.clear()
    assert host.run(*NAMES)["after"]


@pytest.mark.parametrize("code", ["403", "22"])
def test_a_session_that_ended_is_begun_again(host, code) -> None:
    host.run(*NAMES)
    seen = len(host.emulator.seen)
    asked = 0

    def ended(_request: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked == 4:
            host.panos.expire_keys(code)
        return False

    host.emulator.fail(ended, "drop")
    assert host.run(*NAMES, "www.example.com")["changed"]
    logins = [one for one in host.emulator.seen[seen:] if one.request.form.get("type") == "keygen"]
    assert len(logins) == 2


def test_what_others_have_not_committed_stays_uncommitted(host) -> None:
    host.panos.by_hand("bob", "set", OTHER, THEIRS)
    host.run(*NAMES)
    assert "Warehouse" not in host.running
    assert "Warehouse" in host.panos.state()["candidate"]
    assert "egress_mmd" in host.running
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES)["changed"]


def test_publish_others_commits_it_too(host) -> None:
    host.panos.by_hand("bob", "set", OTHER, THEIRS)
    host.run(*NAMES, publish_others=True)
    assert "Warehouse" in host.running


@pytest.mark.parametrize("xpath", [OTHER, "/config/shared/address"])
def test_other_work_of_the_same_administrator_is_not_thrown_away(host, xpath) -> None:
    host.panos.by_hand("egress", "set", xpath, THEIRS)
    state = host.state()
    with pytest.raises(ApplianceError, match="uncommitted changes beside this list"):
        host.run(*NAMES)
    assert host.state() == state


def test_staged_work_is_finished_by_a_later_run(host) -> None:
    answer = host.run(*NAMES, activate=False)
    assert answer["changed"] and "egress_mmd" not in host.running
    assert {one["action"] for one in answer["commands"]} == {"multi-config"}
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES, activate=False)["changed"]
    assert host.run(*NAMES)["changed"]
    assert "egress_mmd" in host.running
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES)["changed"]


def test_a_staged_list_is_staged_anew_as_a_whole(host) -> None:
    """The transaction undoes what was staged before, so what both runs have in common is written again."""
    host.run(*NAMES, activate=False)
    host.run(*NAMES, "www.example.com", activate=False)
    host.run(*NAMES, "www.example.com")
    assert host.run(state="gathered")["after"] == sorted(
        f"host {name} tcp/80,443" for name in (*NAMES, "www.example.com")
    )


def test_an_unfinished_commit_is_not_taken_back(host) -> None:
    host.panos.jobs.requests_per_job = 10_000
    with pytest.raises(ApplianceError, match="is not finished after") as told:
        host.run(*NAMES)
    assert "put back" not in str(told.value)
    host.panos.jobs.requests_per_job = 1
    for job in host.panos.jobs.under_way():
        job.left = 1
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES)["changed"]


@pytest.mark.parametrize("fault", [DROP, CUT, Answer(502, b"<html>Bad gateway</html>")], ids=["dropped", "cut", "502"])
@pytest.mark.parametrize("place", ["firewall", "panorama"])
def test_a_job_that_nobody_can_ask_after_is_not_taken_back(request, place, fault) -> None:
    """The commit may have taken effect, and here it has: what runs is not as before."""
    host = request.getfixturevalue("host" if place == "firewall" else "panorama")
    host.run(*NAMES)
    host.panos.fail(lambda request: "<jobs><id>" in request.form.get("cmd", ""), fault, times=1000)
    with pytest.raises(ApplianceError, match="was begun, and nobody knows how it ends") as told:
        host.run("www.example.com", max_shrink=100)
    assert "as before" not in str(told.value)
    host.panos.faults.clear()
    assert host.run("www.example.com", max_shrink=100)["after"] == ["host www.example.com tcp/80,443"]
    assert "www.example.com/" in host.running
    with host.guarded(ReadOnly()):
        assert not host.run("www.example.com", max_shrink=100)["changed"]


REFUSED = response("<msg><line>Server error: no right</line></msg>", "error", "16")


def _after(host: PanosHost, begun: str) -> Callable[[Request], bool]:
    """Whether a request is asked when a job of this type has ended, to which *begun* belongs."""

    def meant(request: Request) -> bool:
        fields = request.form
        if host.panos.changes(request) or "<jobs>" in fields.get("cmd", ""):
            return False
        return any(begun in one.request.form.get("cmd", "") for one in host.emulator.seen)

    return meant


def test_a_refusal_to_read_what_runs_takes_no_commit_back(host) -> None:
    host.run(*NAMES)
    host.emulator.seen.clear()
    host.panos.fail(_after(host, "<commit>"), REFUSED, times=1000)
    with pytest.raises(ApplianceError, match="has committed, and what runs could not be read back") as told:
        host.run("www.example.com", max_shrink=100)
    assert "as before" not in str(told.value) and "www.example.com/" in host.running
    host.panos.faults.clear()
    with host.guarded(ReadOnly()):
        assert not host.run("www.example.com", max_shrink=100)["changed"]


def test_a_commit_of_which_nothing_can_be_known_is_not_taken_back(host) -> None:
    """Its answer gets lost, and the right to look has ended."""
    host.run(*NAMES)
    host.emulator.seen.clear()
    host.panos.fail(lambda request: request.form.get("type") == "commit", LOST)
    host.panos.fail(_after(host, "<commit>"), REFUSED, times=1000)
    with pytest.raises(ApplianceError, match="To look whether it was done did not work either") as told:
        host.run("www.example.com", max_shrink=100)
    assert "as before" not in str(told.value)
    host.panos.faults.clear()
    host.run("www.example.com", max_shrink=100)
    assert "www.example.com/" in host.running
    with host.guarded(ReadOnly()):
        assert not host.run("www.example.com", max_shrink=100)["changed"]


@pytest.mark.parametrize("fault", [DROP, CUT, LOGIN_PAGE, Answer(502, b"")], ids=["dropped", "cut", "login", "502"])
def test_a_push_that_nobody_can_ask_after_is_told_as_such(panorama, fault) -> None:
    panorama.run(*NAMES)
    pushes = 0

    def is_poll(request: Request) -> bool:
        nonlocal pushes
        pushes += "<commit-all>" in request.form.get("cmd", "")
        return bool(pushes) and "<jobs><id>" in request.form.get("cmd", "")

    panorama.panos.fail(is_poll, fault, times=1000)
    with pytest.raises(ApplianceError, match="(?s)was begun, and nobody knows.*has committed.*is not known") as told:
        panorama.run("www.example.com", max_shrink=100)
    assert "not every firewall" not in str(told.value) and "www.example.com/" in panorama.running
    panorama.panos.faults.clear()
    panorama.run("www.example.com", max_shrink=100)
    assert all("www.example.com/" in text for text in panorama.panos.pushed.values())
    with panorama.guarded(ReadOnly()):
        assert not panorama.run("www.example.com", max_shrink=100)["changed"]


@pytest.mark.parametrize("fault", [LOST, CUT, LOGIN_PAGE], ids=["lost", "cut", "login"])
@pytest.mark.parametrize("kind", ["<commit>", "<commit-all>", "<multi-config>"])
def test_a_write_with_no_answer_of_its_own_is_looked_after(panorama, kind, fault) -> None:
    panorama.run(*NAMES)
    panorama.panos.fail(lambda request: kind in "".join(request.form.values()), fault)
    panorama.run("www.example.com", max_shrink=100)
    assert all("www.example.com/" in text for text in panorama.panos.pushed.values())
    with panorama.guarded(ReadOnly()):
        assert not panorama.run("www.example.com", max_shrink=100)["changed"]


def test_a_push_whose_answer_gets_lost_is_not_sent_again_where_it_was_done(panorama) -> None:
    panorama.run(*NAMES)
    panorama.emulator.seen.clear()
    panorama.panos.fail(lambda request: "<commit-all>" in request.form.get("cmd", ""), LOST)
    panorama.run("www.example.com", max_shrink=100)
    sent = [one for one in panorama.emulator.seen if "<commit-all>" in one.request.form.get("cmd", "")]
    assert len(sent) == 1
    assert all("www.example.com/" in text for text in panorama.panos.pushed.values())


def test_a_member_that_is_not_active_is_left_for_its_peer(tmp_path, host) -> None:
    with PanosEmulator(ha="passive") as passive:
        state = passive.state()
        with pytest.raises(ApplianceError, match="not the active member.*peer"):
            host.run(*NAMES, host=passive.url)
        assert host.run(*NAMES, host=passive.url, peer=host.emulator.url)["changed"]
        assert passive.state() == state
    assert "egress_mmd" in host.running


def test_a_firewall_that_panorama_governs_is_refused_unless_told(tmp_path, host) -> None:
    with PanosEmulator(managed_by="192.0.2.7") as governed:
        state = governed.state()
        with pytest.raises(ApplianceError, match="governed by Panorama .*192.0.2.7.*centrally_managed: accept"):
            host.run(*NAMES, host=governed.url)
        assert governed.state() == state
        assert host.run(*NAMES, host=governed.url, centrally_managed="accept")["changed"]


def test_panorama_commits_and_pushes(panorama) -> None:
    panorama.run(*NAMES)
    assert all("egress_mmd" in text for text in panorama.panos.pushed.values())
    assert len(panorama.panos.pushed) == 2
    with panorama.guarded(ReadOnly()):
        assert not panorama.run(*NAMES)["changed"]


def test_a_push_that_fails_is_told_and_done_by_the_next_run(panorama) -> None:
    panorama.panos.push_fails["0002B"] = "not connected"
    with pytest.raises(ApplianceError, match="(?s)0002B.*has committed.*next run pushes again") as told:
        panorama.run(*NAMES)
    assert "put back" not in str(told.value)
    panorama.panos.push_fails.clear()
    assert panorama.run(*NAMES)["changed"]
    assert all("egress_mmd" in text for text in panorama.panos.pushed.values())


def test_push_can_be_left_to_others(panorama) -> None:
    panorama.run(*NAMES, push=False)
    assert "egress_mmd" in panorama.running and not any("egress_mmd" in one for one in panorama.panos.pushed.values())
    with panorama.guarded(ReadOnly()):
        assert not panorama.run(*NAMES, push=False)["changed"]


def test_a_virtual_system_that_is_not_there_is_not_made(host) -> None:
    state = host.state()
    with pytest.raises(ApplianceError, match="vsys: .*'vsys7'"):
        host.run(*NAMES, vsys="vsys7")
    assert host.state() == state


def test_a_device_group_that_is_not_there_is_not_made(panorama) -> None:
    state = panorama.state()
    with pytest.raises(ApplianceError, match="device_group: .*'Nowhere'"):
        panorama.run(*NAMES, device_group="Nowhere")
    assert panorama.state() == state


def test_entries_that_are_inspected_need_a_profile_group_that_is_there(host) -> None:
    intents = ["allow", "bypass_tls_inspection"]
    with pytest.raises(ApplianceError, match="profile_group"):
        host.run(*NAMES, intents=intents)
    with pytest.raises(ApplianceError, match="no security profile group 'Soft'"):
        host.run(*NAMES, intents=intents, profile_group="Soft")
    host.run(*NAMES, intents=intents, profile_group="Strict")
    assert "<profile-setting><group><member>Strict</member></group></profile-setting>" in host.running


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"position": {"security": "before Nobody"}}, "no security rule 'Nobody'"),
        ({"position": {"security": "first"}}, "expected 'before RULE'"),
        ({"position": {}}, "position.security: needed"),
        ({"from_zones": ["dmz"]}, "no zone 'dmz'"),
        ({"clients": ["Nobody"]}, "no address or address group 'Nobody'"),
        ({"clients": ["x'] | //entry["]}, r"clients\[0\]"),
    ],
)
def test_what_the_site_does_not_have_is_told_before_the_write(host, given, words) -> None:
    state = host.state()
    with pytest.raises(AllowlistError, match=words.replace("[", r"\[") if words.startswith("clients[") else words):
        host.run(*NAMES, **given)
    assert host.state() == state


def test_a_rule_that_is_in_place_is_never_moved(host) -> None:
    host.run(*NAMES)
    host.panos.by_hand("bob", "set", SECURITY.rpartition("/")[0], _rule("New rule of the site"))
    host.panos.by_hand("bob", "move", SECURITY.replace("egress_mmd", "New rule of the site"), where="before",
                       dst="Block the rest")  # fmt: skip
    host.panos.configuration.commit("bob")
    with host.guarded(ReadOnly()):
        assert not host.run(*NAMES)["changed"]


def _rule(name: str) -> str:
    members = "".join(f"<{tag}><member>any</member></{tag}>" for tag in
                      ("from", "to", "source", "destination", "service", "application", "category", "source-user"))
    return f'<entry name="{name}">{members}<action>deny</action></entry>'


def test_an_entry_that_no_category_can_hold_is_refused_with_both_ways_out(host) -> None:
    state = host.state()
    with pytest.raises(AllowlistError, match="(?s)cdn.example.*known_names|widen"):
        host.run("*cdn.example.net", narrow="none")
    assert host.state() == state
    answer = host.run("*cdn.example.net", known_names=["a-cdn.example.net"])
    assert answer["translation"][0]["written"] == ["a-cdn.example.net/"]


def test_a_name_over_udp_is_told_and_left_out(host) -> None:
    entries = [{"type": "host", "value": "stun.example.com", "ports": ["tcp/443", "udp/3478"]}, "login.live.com"]
    answer = host.run(*entries)
    assert answer["after"] == ["host login.live.com tcp/80,443", "host stun.example.com tcp/443"]
    assert "udp/3478" in answer["translation"][0]["lost"]


def test_the_category_of_a_list_is_told_apart_from_one_that_begins_alike(host) -> None:
    theirs = '<entry name="egress_mmdx"><list><member>mine.example/</member></list><type>URL List</type></entry>'
    host.panos.by_hand("bob", "set", CATEGORY.rpartition("/")[0], theirs)
    host.panos.configuration.commit("bob")
    host.run(*NAMES)
    host.run(state="deleted")
    assert "mine.example/" in host.running


def test_a_login_among_the_options_wins_over_the_environment(host, monkeypatch) -> None:
    monkeypatch.setenv("PANOS_API_KEY", "an-old-key-of-somebody")
    assert Login(host.options()).key == ""
    monkeypatch.setenv("PANOS_PASSWORD", "of-somebody")
    login = Login(host.options(api_key="mine", password=None, username="egress"))
    assert (login.key, login.password) == ("mine", "")


def test_panorama_without_a_device_group_says_what_to_name(panorama) -> None:
    with pytest.raises(ApplianceError, match="If this is Panorama, name a device_group"):
        panorama.run(*NAMES, device_group=None)


def test_a_firewall_has_no_device_groups(host) -> None:
    with pytest.raises(ApplianceError, match="If this is a firewall, leave device_group out"):
        host.run(*NAMES, device_group="Branches")
