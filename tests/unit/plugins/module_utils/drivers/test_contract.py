# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The promises of every driver, on a host in a folder with stand-ins for its programs, or on an emulated API."""

from __future__ import annotations

import copy
import fcntl
import os
from typing import Any, Callable

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _folder_lock
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError

from .conftest import HOSTS, PROGRAMS
from .host import Guard, Killed, ReadOnly

NEW = ("login.live.com", "*.mesh.com", "mesh.com", "198.51.100.0/24")
PORTS = {"default_ports": ["tcp/443"]}  # names have their own
NEW_LINES = ["host *.mesh.com tcp/80,443", "host login.live.com tcp/80,443", "host mesh.com tcp/80,443",
             "network 198.51.100.0/24 tcp/443"]


HOSTILE: dict[str, Any] = {
    "a megabyte": "x" * 1_000_000, "a line of its own": "mmd\nall", "a terminal's": "\x1b[31m", "turned": "\u202edmm",
    "half a character": "\ud800", "nothing": "\0",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("option", ["name", "clients", "change_id"])
def test_a_text_that_cannot_be_shown_is_refused_in_words_that_can(host, option, text) -> None:
    with pytest.raises(AllowlistError, match=option) as told:
        host.run("login.live.com", **{option: [text] if option == "clients" else text})
    assert len(str(told.value)) < 300
    assert str(told.value).isprintable()


def test_first_run_writes_and_is_in_force(host) -> None:
    answer = host.run(*host.old, **PORTS)
    assert answer["changed"]
    assert answer["before"] == []
    assert answer["after"] == answer["added"] == host.old_lines
    assert "203.0.113.0" in host.running
    assert answer["warnings"] == answer["missing_rules"] == []
    assert host.run(state="gathered")["after"] == host.old_lines


def test_second_run_changes_nothing(host) -> None:
    host.run(*host.old, **PORTS)
    with host.guarded(ReadOnly()):
        answer = host.run(*reversed(host.old), **PORTS)
    assert not answer["changed"]
    assert answer["commands"] == answer["diff"] == answer["added"] == answer["removed"] == []


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_check_mode_gives_the_same_answer_and_writes_nothing(host, is_first) -> None:
    if not is_first:
        host.run(*host.old, **PORTS)
    state = host.state()
    told = host.run(*NEW, check_mode=True, **PORTS)
    assert told["changed"] and told["commands"] and told["diff"]
    assert host.state() == state
    assert host.run(*NEW, **PORTS) == told


def test_check_mode_of_a_deletion(host) -> None:
    host.run(*host.old, **PORTS)
    state = host.state()
    told = host.run(state="deleted", check_mode=True)
    assert told["removed"] == host.old_lines
    assert host.state() == state
    assert host.run(state="deleted") == told


def test_replaced_merged_deleted(host) -> None:
    host.run(*host.old, **PORTS)
    assert host.run(*NEW, state="merged", **PORTS)["removed"] == []
    assert host.run(state="gathered")["after"] == sorted({*host.old_lines, *NEW_LINES})
    answer = host.run("*.mesh.com", "203.0.113.0/24", state="deleted", **PORTS)
    assert answer["removed"] == ["host *.mesh.com tcp/80,443", "network 203.0.113.0/24 tcp/443"]
    with host.guarded(ReadOnly()):
        assert host.run("*.mesh.com", state="deleted")["changed"] is False
    assert host.run(*NEW, **PORTS)["after"] == NEW_LINES
    state = host.state()
    host.settle({"entries": NEW, **PORTS})
    assert host.state() == state  # by whatever way it came there


def test_merged_again_changes_nothing(host) -> None:
    host.run("*.mesh.com", "2001:db8::/32", "198.51.100.7", "login.live.com", **PORTS)
    host.run("203.0.113.0/24", "a.mesh.com", "login.live.com", state="merged", **PORTS)
    with host.guarded(ReadOnly()):
        assert not host.run("203.0.113.0/24", "a.mesh.com", "login.live.com", state="merged", **PORTS)["changed"]


def test_a_network_goes_without_its_ports(host) -> None:
    host.run(*host.old, **PORTS)
    assert host.run("203.0.113.0/24", state="deleted")["removed"] == host.old_lines[3:]


def test_taking_a_wildcard_away_keeps_the_name_under_it_that_was_asked_for_itself(host) -> None:
    host.run("*.live.com", "login.live.com")
    answer = host.run("*.live.com", state="deleted")
    assert answer["after"] == ["host login.live.com tcp/80,443"]
    assert "login.live.com" in host.running


def test_deleted_leaves_the_host_as_it_was(host) -> None:
    state = host.state()
    host.run(*host.old, **PORTS)
    assert host.run(state="deleted")["changed"]
    assert host.state() == state
    assert "egress" not in host.running
    with host.guarded(ReadOnly()):
        assert not host.run(state="deleted")["changed"]


def test_restored_brings_back_every_byte(host) -> None:
    nothing = host.run(state="gathered")["snapshot"]
    host.run(*host.old, change_id="CHG1", **PORTS)
    state = host.state()
    snapshot = host.run(*NEW, **PORTS)["snapshot"]
    assert host.run(state="restored", snapshot=snapshot)["changed"]
    assert host.state() == state
    with host.guarded(ReadOnly()):
        assert not host.run(state="restored", snapshot=snapshot)["changed"]
    host.run(state="restored", snapshot=nothing)
    assert "egress" not in host.running


def _of_hosts(attribute: str) -> list[Any]:
    found = [(kind, one) for kind, host in HOSTS.items() for one in getattr(host, attribute)]
    return [pytest.param(kind, one, id=f"{kind}: {one}") for kind, one in found]


@pytest.mark.parametrize(("host", "path"), _of_hosts("strange_paths"), indirect=["host"])
def test_a_snapshot_writes_only_what_is_ours(host, path) -> None:
    snapshot = host.run(*host.old, **PORTS)["snapshot"]
    evil = dict(snapshot, objects={host.object_key(path): "x"})
    with pytest.raises(AllowlistError, match="is no(t a file| object) of name mmd"):
        host.run(state="restored", snapshot=evil)


@pytest.mark.parametrize(("host", "drift"), _of_hosts("drifts"), indirect=["host"])
def test_drift_is_shown_and_corrected(host, drift) -> None:
    change, removed, added = host.drifts[drift]
    host.run(*host.old, **PORTS)
    state = host.state()
    change(host)
    assert host.state() != state
    told = host.run(*host.old, check_mode=True, **PORTS)
    assert told["changed"]
    assert told["diff"]
    assert not removed or removed in told["removed"]
    assert not added or added in told["added"]
    host.run(*host.old, **PORTS)
    assert host.state() == state
    with host.guarded(ReadOnly()):
        assert not host.run(*host.old, **PORTS)["changed"]


@pytest.mark.parametrize(("host", "stranger"), _of_hosts("strangers"), indirect=["host"])
def test_what_a_stranger_has_there_is_not_touched_without_adopt(host, stranger) -> None:
    plant, title = host.strangers[stranger]
    plant(host)
    state = host.state()
    with pytest.raises(ApplianceError, match=f"{title}.*adopt"):
        host.run(*host.old, **PORTS)
    assert host.state() == state
    answer = host.run(*host.old, adopt=True, **PORTS)
    assert any(title in element["before_header"] for element in answer["diff"])
    with host.guarded(ReadOnly()):
        assert not host.run(*host.old, **PORTS)["changed"]


@pytest.mark.parametrize("host", PROGRAMS, indirect=True)
def test_what_is_not_ours_beside_our_files_stays(host) -> None:
    host.run(*host.old, **PORTS)
    folders = {path.parent for path in host.etc.rglob("*egress_mmd*") if path.is_file()}
    for folder in folders:
        (folder / "notes.txt").write_text("mine\n", encoding="utf-8")
    host.run(state="deleted")
    for folder in folders:
        assert (folder / "notes.txt").exists()


def test_the_same_entries_arranged_otherwise(host) -> None:
    host.run(*host.old, **PORTS)
    state = host.state()
    assert host.run(*host.old, **host.rearranged, **PORTS)["changed"]
    assert host.state() != state
    with host.guarded(ReadOnly()):
        assert not host.run(*host.old, **host.rearranged, **PORTS)["changed"]
    host.run(*host.old, **PORTS)
    assert host.state() == state


def test_two_lists_share_nothing(host) -> None:
    host.run(*host.old, **PORTS)
    state = host.state()
    names = ("mmd_sni", "mmd_names", "m")  # that begin as objects of others do
    for name in names:
        host.run(f"*.{name.replace('_', '-')}.example", "192.0.2.0/24", name=name, **PORTS)
    with host.guarded(ReadOnly()):
        assert not host.run(*host.old, **PORTS)["changed"]
    for name in names:
        host.run(name=name, state="deleted")
    assert host.state() == state


def test_change_id_alone_changes_nothing(host) -> None:
    def files() -> str:
        return "".join(host.files().values())

    host.run(*host.old, change_id="CHG1", **PORTS)
    with host.guarded(ReadOnly()):
        assert not host.run(*host.old, change_id="CHG2", **PORTS)["changed"]
    assert "CHG1" in files()
    host.run(*NEW, change_id="CHG3", **PORTS)
    assert "CHG3" in files() and "CHG1" not in files()


@pytest.mark.parametrize("change_id", ["a\nhttp_access allow all", "a\r\nhttp_access allow all", "a\x00b"])
def test_a_change_id_cannot_become_configuration(host, change_id) -> None:
    with pytest.raises(AllowlistError, match="change_id"):
        host.run(*host.old, change_id=change_id, **PORTS)


def test_max_shrink(host) -> None:
    many = [f"h{index}.example.com" for index in range(20)]
    host.run(*many)
    with host.guarded(ReadOnly()), pytest.raises(AllowlistError, match="15 of the 20 names.*max_shrink: 75"):
        host.run(*many[:5])
    assert host.run("*.example.com")["changed"]  # still covered: nothing is lost
    host.run(*many[:5], max_shrink=100)


@pytest.mark.parametrize("state", ["replaced", "merged"])
def test_an_empty_list_is_refused(host, state) -> None:
    with pytest.raises(AllowlistError, match="at least one"):
        host.run(state=state, entries=[])


def test_clients_are_required(host) -> None:
    with pytest.raises(AllowlistError, match="clients"):
        host.run(*host.old, clients=None, **PORTS)


@pytest.mark.parametrize(("host", "client"), _of_hosts("everyone"), indirect=["host"])
def test_clients_that_are_everyone_or_nobody_are_refused(host, client) -> None:
    with pytest.raises(AllowlistError, match=r"clients\[1\]"):
        host.run(*host.old, clients=["10.20.0.0/24", client], **PORTS)


def test_what_the_checker_refuses_changes_nothing(host) -> None:
    host.run(*host.old, **PORTS)
    with host.checker_refuses():
        state = host.state()
        with pytest.raises(ApplianceError, match="BROKEN"):
            host.run(*NEW, **PORTS)
        assert host.state() == state
    assert host.run(*NEW, **PORTS)["after"] == NEW_LINES


def test_what_cannot_be_put_in_force_is_taken_back(host) -> None:
    host.run(*host.old, **PORTS)
    state = host.state()
    with host.refuses():
        with pytest.raises(ApplianceError, match="put back"):
            host.run(*NEW, **PORTS)
        assert host.state() == state
    host.run(*NEW, **PORTS)
    assert "198.51.100.0" in host.running


@pytest.mark.parametrize("host", PROGRAMS, indirect=True)
def test_two_runs_at_once_wait_for_each_other(host, monkeypatch) -> None:
    monkeypatch.setattr(_folder_lock, "LOCK_SECONDS", 0)
    holder = os.open(host.lock, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(ApplianceError, match="another run"):
            host.run(*host.old, **PORTS)
    finally:
        os.close(holder)
    assert host.run(*host.old, **PORTS)["changed"]


@pytest.mark.parametrize("host", PROGRAMS, indirect=True)
def test_no_other_run_comes_between_the_write_and_the_reading_back(host, monkeypatch) -> None:
    events: list[str] = []

    def noted(word: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            events.append(word)
            return real(*args)

        return call

    files = host.files_module.Files
    monkeypatch.setattr(files, "read", noted("read", files.read))
    monkeypatch.setattr(files, "unlock", noted("unlock", files.unlock))
    host.run(*host.old, **PORTS)
    assert events.count("read") >= 2
    assert events.index("unlock") == len(events) - 1


def test_what_is_read_back_must_be_what_was_written(host, monkeypatch) -> None:
    monkeypatch.setattr(host.driver, "apply", lambda *_args: None)
    with pytest.raises(ApplianceError, match="not what was written.*egress_mmd"):
        host.run(*host.old, **PORTS)


def _change(host: Any, change: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What comes before a run, and the run that ends somewhere."""
    old, new = {"entries": host.old, **PORTS}, {"entries": NEW, **PORTS}
    changes: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
        "first": ([], old),
        "replace": ([old], new),
        "delete": ([old], {"state": "deleted"}),
        "rearrange": ([old], {**old, **host.rearranged}),
    }
    return copy.deepcopy(changes[change])


@pytest.mark.parametrize("change", ["first", "replace", "delete", "rearrange"])
def test_killed_anywhere_the_next_run_heals(host, change) -> None:
    before, wanted = _change(host, change)
    host.settle(*before)
    host.run(**wanted)
    end = host.state()
    step = 0
    killed = True
    while killed:
        step += 1
        host.settle(*before)
        try:
            with host.guarded(Guard(step)):
                host.run(**wanted)
                killed = False
        except Killed:
            host.recover()
            host.run(**wanted)
        assert host.state() == end, f"step {step}"
    assert step >= host.fewest_steps
