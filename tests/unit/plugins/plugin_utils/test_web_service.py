# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of the web service: polite, distrustful, and never without a reason."""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _web_service, _ws_cache, _ws_client
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import lately_removed
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Served, Settings
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import WebService as Subject
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import Answer
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_trust import Limits
from ansible_collections.egress.allowlist.tests.web_service.history import ADDED, FIRST, MOVED, SAME, small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

RISKS = RiskTable([load("mmd")])
HOUR, DAY = 3600, 86400
# What is there at noon of 2025-11-30, in the life of the small history.
NOON = 1764504000.0
NOONS_DAY = dt.date(2025, 11, 30)


class Node:
    """A control node: its cache, its clock, and runs that follow each other."""

    def __init__(self, service: WebService, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service = service
        self.folder = folder
        self.now = NOON
        self.run = 1
        monkeypatch.setattr(_web_service, "_run", lambda: self.run)
        monkeypatch.setattr(_ws_client, "_PAUSES", (0, 0))

    def ask(self, **settings: Any) -> Served:
        """A lookup of a run of its own."""
        self.run += 1
        return self.ask_again(**settings)

    def ask_again(self, **settings: Any) -> Served:
        """One more lookup of the same run."""
        told = {"url": self.service.url, "folder": str(self.folder), "timeout": 0.3, **settings}
        return Subject(Settings(**told), RISKS, now=lambda: self.now).serve()

    def fails(self, **settings: Any) -> str:
        with pytest.raises(AllowlistError) as error:
            self.ask(**settings)
        return str(error.value)

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """All that is there, with the time of its last change."""
        found = sorted([self.folder, *self.folder.rglob("*")])
        return {str(one): (one.stat().st_mtime_ns, one.read_bytes() if one.is_file() else b"") for one in found}

    def asked(self) -> list[int]:
        return [self.service.asked(method) for method in ("version", "endpoints", "changes")]

    def move(self, version: str, **settings: Any) -> Served:
        """A lookup an hour later, when the service is at that version."""
        self.service.publish(version)
        self.now += HOUR
        return self.ask(**settings)

    def damage(self, pattern: str, how: str) -> None:
        for path in self.folder.rglob(pattern):
            text = path.read_text()
            path.write_text({"cut": text[: len(text) // 2], "empty": "", "edited": text.replace("contoso", "evil"),
                             "list": "[]", "changed": text.replace("login", "l0gin")}[how])  # fmt: skip


@pytest.fixture(name="node")
def fixture_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    with WebService(small_history()) as service:
        yield Node(service, tmp_path / "cache", monkeypatch)


def names(served: Served) -> set[str]:
    return {name for one in served.answer.sets for name in one.urls}


# Polite


def test_the_version_is_asked_for_hourly_and_the_list_when_it_moved(node: Node) -> None:
    assert node.ask().answer.version == FIRST
    for _minute in range(3):
        node.now += HOUR / 3 - 1
        node.ask()
    assert [node.service.asked(method) for method in ("version", "endpoints", "changes")] == [1, 1, 1]
    node.now += HOUR
    node.ask()
    assert [node.service.asked(method) for method in ("version", "endpoints", "changes")] == [2, 1, 1]
    node.service.publish(ADDED)
    assert node.ask().answer.version == FIRST  # not yet asked
    node.now += HOUR
    assert node.ask().answer.version == ADDED
    assert [node.service.asked(method) for method in ("version", "endpoints", "changes")] == [3, 2, 2]


def test_one_id_for_all_requests_and_the_rows_of_intune(node: Node) -> None:
    node.ask()
    node.now += HOUR
    node.service.publish(ADDED)
    node.ask(instance="china")
    node.ask()
    asked = [request.query for request in node.service.requests]
    assert len({str(query).lower().split("clientrequestid")[1][:50] for query in asked}) == 1
    areas = [request for request in node.service.requests if request.method_name == "endpoints"]
    assert len(areas) == 3 and all("MEM" in str(request.query) for request in areas)
    assert any(one.area == "MEM" for one in node.ask().answer.sets)


def test_a_clock_that_was_set_back_is_no_reason_to_wait(node: Node) -> None:
    node.ask()
    node.now -= 30 * DAY
    node.service.publish(ADDED)
    assert node.ask().answer.version == ADDED


def test_429_is_waited_for_as_microsoft_asks(node: Node) -> None:
    node.ask()
    node.service.publish(ADDED)
    node.service.fault(429)
    node.now += HOUR
    served = node.ask()
    assert served.answer.version == FIRST and "asked too often (429)" in served.warnings[0]
    assert "last confirmed" in served.warnings[0]
    node.service.mend()
    count = len(node.service.requests)
    node.now += HOUR - 1
    assert "429" in node.ask().warnings[0] and len(node.service.requests) == count
    node.now += 1
    assert node.ask().answer.version == ADDED


def test_429_with_a_short_wait_is_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    client = _web_service._connect(Settings(url=node.service.url, timeout=1), "b10c5ed1-bad1-445f-b386-b919946339a7")
    client._sleep = slept.append
    node.service.fault(429, count=1, retry_after=3)
    assert client.endpoints("worldwide", None).startswith("[")
    assert slept == [3]


@pytest.mark.parametrize("wait", [10**12, "9" * 400, "\u00b2", "soon", "-5", ""])
def test_a_wait_that_makes_no_sense_ends(node: Node, wait: Any) -> None:
    node.ask()
    node.service.fault(429, count=1, retry_after=wait)
    assert "429" in node.move(ADDED).warnings[0]
    asked = node.asked()
    node.now += HOUR - 1
    node.ask()
    assert node.asked() == asked
    node.now += DAY
    assert node.ask().answer.version == ADDED


def test_a_clock_that_was_years_ahead_at_429_is_no_reason_to_wait(node: Node) -> None:
    node.ask()
    node.now += 1000 * DAY
    node.service.fault(429, count=1)
    node.service.publish(ADDED)
    node.ask(stale="allow")
    node.now -= 1000 * DAY
    assert node.move(ADDED).answer.version == ADDED


def test_a_run_is_told_from_the_next_by_more_than_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = _web_service._run()
    assert ours == _web_service._run() and ours.startswith(f"{os.getpid()} ")
    assert int(ours.split()[1]) > 0
    monkeypatch.setattr(os, "getpid", lambda: 2**30)
    assert _web_service._run() == f"{2**30} -"


def test_a_service_that_is_down_is_asked_once_in_a_run(node: Node) -> None:
    node.ask()
    node.now += HOUR
    node.service.fault("timeout")
    node.ask()
    count = len(node.service.requests)
    assert "did not answer" in node.ask_again().warnings[0]
    assert len(node.service.requests) == count
    node.ask()
    assert len(node.service.requests) > count


# Distrustful

DAMAGE = [
    "reset", "timeout", "closed", "truncated", "html", "redirect", "error_text", 500, 503, "not_json", "lost_field",
    "poisoned", "cut", "empty", "empty_list",
]  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_leaves_the_old_list_in_use(node: Node, kind: str | int) -> None:
    before = node.ask()
    node.service.publish(ADDED)
    node.service.fault(kind, path="/endpoints")
    node.now += HOUR
    served = node.ask()
    assert served.answer == before.answer
    assert any(f"Version {FIRST} is used" in warning for warning in served.warnings)
    node.service.mend()
    assert node.ask().answer.version == ADDED


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_without_an_old_list_is_an_error(node: Node, kind: str | int) -> None:
    node.service.fault(kind, path="/endpoints")
    assert "offline=true" in node.fails()
    node.service.mend()
    assert node.ask().answer.version == FIRST


@pytest.mark.parametrize("kind", [one for one in DAMAGE if one != "poisoned"])
def test_damage_of_the_version_leaves_the_old_list_in_use(node: Node, kind: str | int) -> None:
    before = node.ask()
    node.service.fault(kind, path="/version")
    served = node.move(ADDED)
    assert served.answer == before.answer and f"Version {FIRST} is used, last confirmed" in served.warnings[0]
    assert node.asked()[1:] == [1, 1]


def test_a_record_of_changes_that_is_wrong_inside_costs_only_the_announcements(node: Node) -> None:
    """Not the list, as it would where it is found only when the two are put together."""
    node.service.announce(56, urls=["soon.contoso.com"], effective="20260101", fields={"tcpPorts": "any"})
    served = node.ask()
    assert served.answer.version == FIRST and served.changes == ()
    assert "tcpPorts" in served.warnings[0]


def test_damaged_records_of_changes_cost_only_the_announcements(node: Node) -> None:
    node.service.fault("html", path="/changes")
    served = node.ask()
    assert served.changes == () and "what Microsoft announces is not known" in served.warnings[0]
    node.service.mend()
    node.now += HOUR
    assert node.ask().warnings == ()


def test_a_list_that_shrank_waits(node: Node) -> None:
    node.ask()
    node.service.publish(ADDED)
    node.service.fault("shrunk", path="/endpoints")
    node.now += HOUR
    served = node.ask(limits=Limits(max_shrink=5))
    assert served.answer.version == FIRST and "max_shrink=5" in served.warnings[0]
    asked = node.service.asked("endpoints")
    assert node.ask(limits=Limits(max_shrink=100)).answer.version == ADDED
    assert node.service.asked("endpoints") == asked


def _grown(kind: str) -> list[dict[str, Any]]:
    records = small_history()["Worldwide"][FIRST]
    extra = {"many": [f"n{number}.contoso.com" for number in range(40)], "shared": ["*.blob.core.windows.net"],
             "own": ["x.blob.core.windows.net"], "within": ["sub.msauth.net"]}[kind]  # fmt: skip
    return [{**one, "urls": [*one["urls"], *extra]} if one["id"] == 56 else one for one in records]


@pytest.mark.parametrize(("kind", "reason"), [("many", "max_growth=25"), ("shared", "anyone can put content")])
def test_what_grew_waits_for_a_person(node: Node, kind: str, reason: str) -> None:
    node.ask()
    node.service.save("2025110500", _grown(kind))
    node.service.publish("2025110500")
    node.now += HOUR
    served = node.ask()
    assert served.answer.version == FIRST
    assert reason in served.warnings[0] and "accept_new=true" in served.warnings[0]
    asked = len(node.service.requests)
    node.now += 1
    assert reason in node.ask().warnings[0]
    accepted = node.ask(limits=Limits(accept_new=True))
    assert accepted.answer.version == "2025110500" and accepted.warnings == ()
    assert len(node.service.requests) == asked
    assert node.ask().warnings == ()


@pytest.mark.parametrize("kind", ["own", "within"])
def test_what_grew_a_little_does_not_wait(node: Node, kind: str) -> None:
    node.ask()
    node.service.save("2025110500", _grown(kind))
    node.service.publish("2025110500")
    node.now += HOUR
    assert node.ask().answer.version == "2025110500"


def test_the_way_back_to_an_older_version_is_a_move_too(node: Node) -> None:
    node.service.publish(ADDED)
    node.ask()
    node.service.publish(FIRST)
    node.now += HOUR
    assert node.ask().answer.version == FIRST


def test_after_the_way_back_the_records_of_that_version_are_kept(node: Node) -> None:
    for version in (FIRST, ADDED, MOVED, SAME):
        node.move(version)
    for path in node.folder.rglob(f"changes-{FIRST}.json"):
        path.unlink()
    assert node.move(FIRST).answer.version == FIRST
    asked = node.asked()
    node.now += HOUR
    assert node.ask().answer.version == FIRST
    assert node.asked() == [asked[0] + 1, *asked[1:]]


def test_a_list_that_waits_while_the_service_goes_away(node: Node) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    assert "max_growth" in node.move("2025110500").warnings[0]
    node.service.fault("closed")
    node.now += HOUR
    waits, away = node.ask().warnings[:2]
    assert "max_growth" in waits and f"Version {FIRST} is used, last confirmed" in away
    # A person may take it all the same; nobody has to be asked for it.
    served = node.ask(limits=Limits(accept_new=True))
    assert served.answer.version == "2025110500"
    node.service.mend()
    node.now += HOUR
    assert node.ask().warnings == ()


def test_a_list_that_waits_and_is_damaged_is_asked_for_again(node: Node) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    node.move("2025110500")
    node.damage("held-*.json", "cut")
    node.now += HOUR
    assert "max_growth" in node.ask().warnings[0]
    assert node.asked()[1] == 3


def test_a_list_that_waited_and_was_replaced_by_the_next(node: Node) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    node.move("2025110500")
    served = node.move(MOVED)
    assert served.answer.version == MOVED and served.warnings == ()
    # What was never in use is not kept for having been removed.
    kept = lately_removed(served.older, served.answer, served.changes, 30, NOONS_DAY)
    assert not [row.value for row in kept if row.value.endswith(".contoso.com")]
    assert not [path for path in node.files() if "held" in path]


# What was removed


def _with(**extra: list[str]) -> list[dict[str, Any]]:
    """The list of ADDED with more names in a set of Office, or of Intune."""
    places = {"office": 56, "intune": 163}
    more = {places[name]: urls for name, urls in extra.items()}
    records = small_history()["Worldwide"][ADDED]
    assert more.keys() <= {one["id"] for one in records}
    return [{**one, "urls": [*one["urls"], *more[one["id"]]]} if one["id"] in more else one for one in records]


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("used", [True, False])
def test_what_came_with_one_version_and_went_with_the_next_stays_where_it_was_in_use(
    node: Node, records: bool, used: bool
) -> None:
    node.service.save("2025111500", _with(office=["short.contoso.com"]))
    node.service.save("2025112000", _with())
    if not records:
        node.service.fault("html", path="/changes")
    for version in (ADDED, *(["2025111500"] if used else [])):
        node.move(version)
    served = node.move("2025112000")
    assert bool(served.changes) is records
    kept = lately_removed(served.older, served.answer, served.changes, 30, NOONS_DAY)
    assert {(row.value, row.remark) for row in kept} == (
        {("short.contoso.com", ", removed 2025112000, kept until 2025-12-20")} if used else set()
    )


@pytest.mark.parametrize("damaged", [True, False])
def test_what_was_removed_is_found_by_the_lists_and_by_the_records(node: Node, damaged: bool) -> None:
    node.service.save("2025111500", [one for one in _with() if one["id"] != 170])
    node.service.save("2025112000", _with(office=["new.contoso.com"]))
    gone = {"*.delivery.mp.microsoft.com", "*.do.dsp.mp.microsoft.com"}
    node.move(ADDED)
    served = node.move("2025111500")
    if damaged:
        node.damage(f"endpoints-{ADDED}.json", "cut")
        served = node.ask()
    kept = lately_removed(served.older, served.answer, served.changes, 30, NOONS_DAY)
    assert {(row.value, row.remark) for row in kept} == {
        (name, ", removed 2025111500, kept until 2025-12-15") for name in gone
    }


def test_what_no_record_tells_of_is_seen_in_the_lists(node: Node) -> None:
    """Whether the service's records tell of the rows of Intune is not documented."""
    node.service.save("2025111500", _with(intune=["gone.contoso.com"]))
    node.service.save("2025112000", _with(office=["new.contoso.com"]))
    tell = node.service.published.changes
    node.service.published.changes = lambda *words, **more: [  # type: ignore[method-assign]
        one for one in tell(*words, **more) if one["endpointSetId"] != 163
    ]
    node.move("2025111500")
    served = node.move("2025112000")
    assert served.changes
    kept = lately_removed(served.older, served.answer, served.changes, 30, NOONS_DAY)
    assert {(row.value, row.remark) for row in kept} == {
        ("gone.contoso.com", ", removed 2025112000, kept until 2025-12-20")
    }


def _said_to_be_gone(node: Node, **gone: list[str]) -> None:
    """The service tells of a removal that never was."""
    tell = node.service.published.changes
    record = {"id": 999999, "endpointSetId": 56, "disposition": "Change", "version": MOVED, "remove": gone}
    node.service.published.changes = lambda *words, **more: [  # type: ignore[method-assign]
        *tell(*words, **more), *([record] if node.service.published.latest()["Worldwide"] == MOVED else ())
    ]  # fmt: skip


def test_what_nobody_may_allow_is_not_kept_because_it_is_said_to_be_gone(node: Node) -> None:
    _said_to_be_gone(node, urls=["*.com", "localhost"], ips=["10.0.0.0/8", "0.0.0.0/0", "x"])
    served = node.move(MOVED)
    kept = lately_removed(served.older, served.answer, served.changes, 30, NOONS_DAY)
    assert served.changes and not {"*.com", "localhost", "10.0.0.0/8", "0.0.0.0/0", "x"} & {row.value for row in kept}
    assert all(row.set != 56 for row in kept)


def test_what_is_said_to_be_gone_waits_for_a_person_as_what_is_new(node: Node) -> None:
    """Where the list of then is not here, and only the records lead back to it."""
    node.ask()
    _said_to_be_gone(node, urls=["*.blob.core.windows.net"])
    waits = node.move(MOVED)
    assert waits.answer.version == FIRST and "*.blob.core.windows.net" in waits.warnings[0]
    assert node.ask(grace=0).answer.version == MOVED


def test_without_grace_nothing_is_looked_up(node: Node) -> None:
    node.ask()
    assert node.move(MOVED, grace=0).older == ()
    assert node.ask(grace=30).older != ()
    # What is older than that needs no list of before.
    node.now += 300 * DAY
    assert node.ask().older == ()


# The cache


@pytest.mark.parametrize("how", ["cut", "empty", "edited", "list", "changed"])
@pytest.mark.parametrize("file", ["state.json", "endpoints-*.json", "changes-*.json", "client.json"])
def test_a_damaged_file_is_replaced(node: Node, file: str, how: str) -> None:
    served = node.ask()
    whole = set(node.files())
    node.damage(file, how)
    node.now += HOUR  # the records of changes alone can wait until the version is asked for
    again = node.ask()
    assert (again.answer, again.changes, again.warnings) == (served.answer, served.changes, ())
    assert set(node.files()) == whole
    count = len(node.service.requests)
    node.ask()
    assert len(node.service.requests) == count


def test_a_damaged_list_is_replaced_at_once_and_not_by_an_older_one(node: Node) -> None:
    node.ask()
    served = node.move(ADDED)
    asked = node.asked()
    node.damage(f"endpoints-{ADDED}.json", "cut")
    again = node.ask()
    assert (again.answer, again.warnings) == (served.answer, ())
    assert node.asked() == [asked[0] + 1, asked[1] + 1, asked[2]]
    node.damage(f"endpoints-{ADDED}.json", "cut")
    node.service.fault("closed")
    assert "of unknown age" in node.fails()
    old = node.ask(stale="allow")
    assert old.answer.version == FIRST and f"Version {FIRST} is used, of unknown age" in old.warnings[0]


def test_a_damaged_list_that_has_to_be_accepted_again_is_no_reason_to_ask_all_the_time(node: Node) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    node.move("2025110500", limits=Limits(accept_new=True))
    node.damage("endpoints-2025110500.json", "cut")
    assert "max_growth" in node.ask().warnings[0]
    asked = node.asked()
    assert "max_growth" in node.ask().warnings[0] and node.asked() == asked


def test_damage_while_the_service_is_away(node: Node) -> None:
    node.ask()
    node.service.fault("closed")
    node.damage("state.json", "cut")
    assert "of unknown age" in node.fails()
    served = node.ask(stale="allow")
    assert served.answer.version == FIRST and "of unknown age" in served.warnings[0]
    node.damage("endpoints-*.json", "changed")
    assert "no earlier list" in node.fails(stale="allow")


def test_how_old_a_list_may_be(node: Node) -> None:
    node.ask()
    node.service.fault("closed")
    node.now += 7 * DAY
    assert node.ask().answer.version == FIRST
    node.now += 1
    told = node.fails()
    assert "max_age is 7 days" in told and "stale=allow" in told and "offline=true" in told
    assert node.ask(stale="allow").answer.version == FIRST
    assert node.ask(max_age=8 * DAY).answer.version == FIRST


def test_what_only_reads_writes_nothing(node: Node) -> None:
    assert node.ask(writes=False).answer.version == FIRST
    assert not node.folder.exists()
    node.ask()
    before = node.tree()
    assert node.move(ADDED, writes=False).answer.version == ADDED
    assert node.ask(writes=False, limits=Limits(accept_new=True)).answer.version == ADDED
    node.service.fault("closed")
    assert node.ask(writes=False).answer.version == FIRST
    assert node.tree() == before


def test_a_clock_that_was_set_right_by_a_little_is_no_reason_to_fail(node: Node) -> None:
    node.ask()
    node.service.fault("closed")
    node.now -= 2
    assert node.ask(check_interval=1).answer.version == FIRST
    node.now -= DAY
    assert "max_age" in node.fails()


def test_what_only_reads_asks_once_in_a_run(node: Node, tmp_path: Path) -> None:
    scratch = str(tmp_path / "scratch")
    for _lookup in range(3):
        assert node.ask_again(writes=False, scratch=scratch).answer.version == FIRST
    assert node.service.asked("endpoints") == 1 and not node.folder.exists()


def test_a_folder_that_cannot_be_written(node: Node, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    assert "is not a folder" in node.fails()
    (tmp_path / "cache").unlink()
    inside = tmp_path / "file"
    inside.write_text("")
    served = node.ask(folder=str(inside / "cache"))
    assert served.answer.version == FIRST
    assert any("cannot be written" in warning and "cache_dir" in warning for warning in served.warnings)


def test_a_full_disk_leaves_nothing_half(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.ask()
    before = node.files()
    node.service.publish(ADDED)
    node.now += HOUR
    monkeypatch.setattr(os, "fsync", _full)
    served = node.ask()
    assert served.answer.version == ADDED and any("No space left" in warning for warning in served.warnings)
    assert node.files() == before


def _full(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_tenants_and_services_have_lists_of_their_own(node: Node) -> None:
    assert "contoso.sharepoint.com" in names(node.ask(tenant="contoso"))
    assert "contoso.sharepoint.com" not in names(node.ask())
    assert "fabrikam.sharepoint.com" in names(node.ask(tenant="fabrikam"))


SHARED = """
import sys
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Settings, WebService
served = WebService(Settings(url=sys.argv[1], folder=sys.argv[2]), RiskTable([load("mmd")])).serve()
print(served.answer.version, len(served.answer.sets), served.warnings)
"""


def test_processes_that_come_at_once_share_one_answer(node: Node) -> None:
    words = [sys.executable, "-c", SHARED, node.service.url, str(node.folder)]
    found = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _number in range(4)]
    told = {process.communicate(timeout=60)[0] for process in found}
    assert len(told) == 1 and told.pop().startswith(FIRST)
    assert node.asked() == [1, 1, 1]
    assert len({request.parameter("ClientRequestId") for request in node.service.requests}) == 1


def before_it_is_accepted(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens once, between a lookup's judgement of a list and its first use."""
    real, left = Subject._accept, [happens]

    def accept(subject: Subject, fresh: Answer) -> Answer:
        while left:
            left.pop()()
        return real(subject, fresh)

    monkeypatch.setattr(Subject, "_accept", accept)


@pytest.mark.parametrize("version", [FIRST, ADDED])
def test_a_play_that_comes_while_another_judges_waits_for_it(
    node: Node, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """On the very first run too, where there is no list that it could use."""
    if version != FIRST:
        node.ask()
    node.service.publish(version)
    node.now += HOUR
    arrived, found, slept = threading.Event(), [], time.sleep

    def second() -> None:
        found.append(node.ask_again(timeout=5, check_interval=HOUR if version == FIRST else 0))
        arrived.set()

    def sleeps(seconds: float) -> None:
        arrived.set()
        slept(seconds)

    def comes() -> None:
        other.start()
        arrived.wait(5)
        assert found == []  # it waits

    other = threading.Thread(target=second)
    monkeypatch.setattr("time.sleep", sleeps)
    before_it_is_accepted(monkeypatch, comes)
    served = node.ask(timeout=5)
    other.join()
    assert served.answer.version == version and found[0].answer == served.answer
    # Whoever asks each time still asks after that.
    assert node.asked() == ([1, 1, 1] if version == FIRST else [3, 2, 2])


@pytest.mark.parametrize("locks", [True, False])
def test_a_list_that_another_play_accepts_meanwhile_stays_whole(
    node: Node, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """Also where the file system has no locks."""
    if not locks:
        monkeypatch.setattr(_ws_cache, "_lock", lambda *_words: False)
    node.ask()
    node.service.save("2025110500", _grown("many"))
    assert "max_growth" in node.move("2025110500").warnings[0]
    asked, accepting = node.asked(), Limits(accept_new=True)
    before_it_is_accepted(monkeypatch, lambda: node.ask_again(limits=accepting))
    for _play in range(2):
        assert node.ask(limits=accepting).answer.version == "2025110500"
    assert node.ask().warnings == () and node.asked() == asked


def test_a_list_that_comes_while_another_is_accepted_keeps_waiting(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    node.move("2025110500")
    node.service.save("2025110600", _grown("shared"))

    def comes() -> None:
        node.service.publish("2025110600")
        node.ask_again(check_interval=0)

    before_it_is_accepted(monkeypatch, comes)
    assert node.ask(limits=Limits(accept_new=True)).answer.version == "2025110500"
    asked, served = node.asked(), node.ask()
    assert served.answer.version == "2025110500"  # what a person accepted once stays in use
    assert "version 2025110600" in served.warnings[0]
    assert node.ask(limits=Limits(100, accept_new=True)).answer.version == "2025110600" and node.asked() == asked


def test_a_list_that_is_withdrawn_while_it_is_accepted_is_not_kept(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    node.move("2025110500")

    def goes() -> None:
        node.service.publish(FIRST)
        node.ask_again(check_interval=0)

    before_it_is_accepted(monkeypatch, goes)
    node.ask(limits=Limits(accept_new=True))
    assert node.ask().answer.version == FIRST


def test_whoever_accepts_a_list_that_waited_is_alone(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.ask()
    node.service.save("2025110500", _grown("many"))
    node.move("2025110500")
    real, others = _ws_cache.Cache.write_state, []

    def writes(cache: _ws_cache.Cache, state: dict[str, Any]) -> None:
        with _ws_cache.Cache(str(node.folder), os.path.basename(cache.folder), writes=True).locked(0) as is_alone:
            others.append(is_alone)
        real(cache, state)

    monkeypatch.setattr(_ws_cache.Cache, "write_state", writes)
    assert node.ask(limits=Limits(accept_new=True)).answer.version == "2025110500"
    assert others == [False]


def test_a_lock_is_had_once_by_each_and_as_often_as_it_likes_by_one(tmp_path: Path) -> None:
    one, other = (_ws_cache.Cache(str(tmp_path), "worldwide", writes=True) for _number in range(2))
    with one.locked(0) as first, one.locked(0) as again, other.locked(0) as theirs:
        assert (first, again, theirs) == (True, True, False)
    with other.locked(0) as theirs, one.locked(0) as first, one.locked(60) as again:
        assert (theirs, first, again) == (True, False, False)  # it does not wait twice


def test_a_file_system_without_locks_is_not_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_words: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setattr("time.sleep", lambda _seconds: pytest.fail("slept"))
    assert node.ask().answer.version == FIRST


def test_killed_at_each_write_the_next_run_is_right(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was written before the process died, the next one ends in the right state."""
    real, left = os.replace, 0

    def dies(old: str, new: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        real(old, new)

    for writes in range(12):
        left = writes
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", dies)
            try:
                node.ask()
            except KeyboardInterrupt:
                finished = False
            else:
                finished = True
        assert not list(node.folder.rglob("*.new"))
        node.service.publish([FIRST, ADDED, MOVED, SAME][writes % 4])
        node.now += HOUR
        assert node.ask().answer.version == [FIRST, ADDED, MOVED, SAME][writes % 4]
        node.now += HOUR
    assert finished


def test_what_a_killed_process_left_is_taken_away(node: Node) -> None:
    node.ask()
    (folder,) = (path.parent for path in node.folder.rglob("state.json"))
    for path in (folder, node.folder):
        for name, age in ((".old.new", 3600), (".young.new", 1), ("other.new", 3600)):
            (path / name).write_text('{"format')
            os.utime(path / name, (time.time() - age,) * 2)
    node.move(ADDED, writes=False)
    assert len(list(node.folder.rglob("*.new"))) == 6
    node.ask()
    assert {path.name for path in node.folder.rglob("*.new")} == {".young.new", "other.new"}


def test_versions_of_before(node: Node) -> None:
    node.ask()
    first = node.ask().answer
    for version in (ADDED, MOVED):
        node.service.publish(version)
        node.now += HOUR
        node.ask()
    subject = Subject(Settings(url=node.service.url, folder=str(node.folder)), RISKS, now=lambda: node.now)
    assert subject.at(FIRST) == first
    node.damage(f"endpoints-{FIRST}.json", "cut")
    assert {name for one in subject.at(FIRST).sets for name in one.urls} == {
        name for one in first.sets for name in one.urls
    }
    with pytest.raises(AllowlistError, match="2018010100 is not known"):
        subject.at("2018010100")


def test_offline_asks_nobody_and_tells_its_date(node: Node) -> None:
    served = node.ask(offline=True)
    assert len(served.answer.sets) == 79 and "2025-12-01" in served.warnings[0]
    assert node.service.requests == [] and not node.folder.exists()


@pytest.mark.parametrize(("url", "reason"), [
    ("http://endpoints.office.com", "plain http"), ("http://127.0.0.1.evil.example", "plain http"), ("ftp://x", "URL"),
    ("https://user:secret@contoso.com", "without a login"), ("https://contoso.com/?a=b", "without a login"),
    ("", "URL"), ("https://contoso.com\n", "URL"), ("https://contoso.com:99999", "URL"),
])  # fmt: skip
def test_which_services_are_asked(node: Node, url: str, reason: str) -> None:
    told = node.fails(url=url)
    assert reason in told and "secret" not in told


def test_microsoft_is_not_asked_more_than_hourly(node: Node) -> None:
    assert "at most one check an hour" in node.fails(url="https://endpoints.office.com", check_interval=60)


def test_what_is_kept_is_no_secret_and_for_nobody_else(node: Node) -> None:
    node.ask()
    assert {path.stat().st_mode & 0o777 for path in node.folder.rglob("*") if path.is_file()} == {0o600}
    state = json.loads(next(node.folder.rglob("state.json")).read_text())
    assert json.loads(state["body"])["version"] == FIRST
