# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes between versions: as the two whole lists differ, by whichever way they are found."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import (
    announced,
    difference,
    first_seen,
    lately_removed,
    rewind,
    rows,
    with_announced,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import (
    Answer,
    Change,
    read_changes,
    read_endpoints,
)
from ansible_collections.egress.allowlist.tests.unit.web_service.asking import GUID, data
from ansible_collections.egress.allowlist.tests.web_service.history import (
    ADDED,
    FIRST,
    LAST,
    MOVED,
    SAME,
    load_history,
    small_history,
)
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

RECORDED = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "webservice-history"
HISTORIES = ["small", pytest.param("recorded", marks=pytest.mark.skipif(
    not RECORDED.exists(), reason="the recorded history does not lie beside the checkout"))]  # fmt: skip


class History:
    """All versions of an instance, and what the service says changed."""

    def __init__(self, records: dict[str, list[dict[str, Any]]]) -> None:
        self.records = records
        self.versions = sorted(records)
        self.lists = {
            version: read_endpoints(json.dumps(one), "worldwide", version) for version, one in records.items()
        }
        with WebService({"Worldwide": records}) as service:
            service.publish(self.versions[-1])
            told = data(service, "/changes/Worldwide/0000000000", ClientRequestId=GUID)
        self.changes = read_changes(json.dumps(told))

    def plain(self, version: str) -> dict[tuple[str, str], tuple[Any, ...]]:
        """Values and what matters of them, straight from the saved answer."""
        found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for one in self.records[version]:
            for kind, values in (("host", one.get("urls", ())), ("network", one.get("ips", ()))):
                for value in values:
                    found.setdefault((kind, value.lower()), []).append(one)
        return {key: (_ports(key[0], sets), _category(sets), any(one["required"] for one in sets))
                for key, sets in found.items()}  # fmt: skip


def _ports(kind: str, sets: list[dict[str, Any]]) -> frozenset[str]:
    """Every single port."""
    ports: set[str] = set()
    for one in sets:
        tcp, udp = (_single(word, one.get(f"{word}Ports")) for word in ("tcp", "udp"))
        ports |= (tcp | udp if kind == "network" else tcp or udp) or ({"stated none"} if kind == "host" else set())
    if "stated none" in ports and len(ports) > 1:
        ports = ports - {"stated none"} | {"tcp/80", "tcp/443"}
    return frozenset(ports)


def _single(protocol: str, text: str | None) -> set[str]:
    ports = set()
    for part in filter(None, (part.strip() for part in (text or "").split(","))):
        low, _dash, high = part.partition("-")
        ports |= {f"{protocol}/{port}" for port in range(int(low), int(high or low) + 1)}
    return ports


def _category(sets: list[dict[str, Any]]) -> str:
    return min((one["category"] for one in sets), key=["Optimize", "Allow", "Default"].index)


@pytest.fixture(name="history", params=HISTORIES, scope="module")
def fixture_history(request: pytest.FixtureRequest) -> History:
    if request.param == "small":
        return History(small_history()["Worldwide"])
    return History(load_history(RECORDED)["Worldwide"])


def test_each_step_is_the_difference_of_the_two_lists(history: History) -> None:
    for old, new in pairwise(history.versions):
        before, after = history.plain(old), history.plain(new)
        found = difference(history.lists[old], history.lists[new], history.changes)
        by_word = {word: {(row["type"], row["value"]) for row in found if row["change"] == word}
                   for word in ("added", "removed", "moved")}  # fmt: skip
        assert by_word["added"] == after.keys() - before.keys()
        assert by_word["removed"] == before.keys() - after.keys()
        assert by_word["moved"] == {key for key in before.keys() & after.keys() if before[key] != after[key]}
        assert all(row["version"] == new for row in found)


def test_both_ways_agree(history: History) -> None:
    """From two whole lists, and from one and the service's own records: neighbours, and from each to the last."""
    last = history.versions[-1]
    for old, new in {*pairwise(history.versions), *((version, last) for version in history.versions)}:
        now = history.lists[new]
        back = rewind(now, history.changes, old)
        assert difference(back, now, history.changes) == difference(history.lists[old], now, history.changes)


def test_what_the_service_says_of_it() -> None:
    history = History(small_history()["Worldwide"])
    found = difference(history.lists[FIRST], history.lists[ADDED], history.changes)
    (row,) = [row for row in found if row["value"] == "login.microsoft.com"]
    assert row == {
        "change": "added", "type": "host", "value": "login.microsoft.com", "sets": [56], "service_areas": ["common"],
        "services": ["Microsoft 365 Common and Office Online"], "version": ADDED, "effective": "2025-11-28",
        "impact": "AddedIpAndUrl", "before": None,
        "after": {"ports": ["tcp/80", "tcp/443"], "category": "allow", "required": True},
    }  # fmt: skip
    assert difference(history.lists[MOVED], history.lists[SAME], history.changes) == []
    assert {row["change"] for row in difference(history.lists[SAME], history.lists[LAST])} == {"moved", "removed"}


def _one(**fields: Any) -> Answer:
    record = {"id": 7, "serviceArea": "Common", "category": "Default", "required": True, "urls": ["a.contoso.com"],
              "tcpPorts": "443"}  # fmt: skip
    return read_endpoints(json.dumps([{**record, **fields}]), "worldwide", "2025120100")


def _change(**fields: Any) -> Change:
    return Change(**{"id": 1, "set": 7, "disposition": "change", "version": "2025120100", **fields})


def test_what_is_announced_is_there_before_its_day() -> None:
    effective = dt.date(2026, 1, 1)
    known = _change(add_urls=("b.contoso.com",), add_ips=("198.51.100.0/24",), effective=effective)
    new = _change(
        id=2, set=9, disposition="add", add_urls=("c.contoso.com",),
        current={"serviceArea": "MEM", "tcpPorts": "8443", "category": "Allow", "required": False},
    )  # fmt: skip
    found = {row.value: row for row in announced(_one(), [known, new], 90)}
    assert set(found) == {"b.contoso.com", "198.51.100.0/24", "c.contoso.com"}
    assert found["b.contoso.com"].remark == ", effective 2026-01-01" and found["b.contoso.com"].ports == ("tcp/443",)
    row = found["c.contoso.com"]
    assert (row.area, row.ports, row.category, row.required, row.remark) == (
        "MEM", ("tcp/8443",), "allow", False, ", announced",
    )  # fmt: skip
    joined = {row.value for row in rows(with_announced(_one(), [known, new], 90))}
    assert joined == {"a.contoso.com", *found}


def test_what_is_announced_no_more() -> None:
    add = _change(add_urls=("b.contoso.com",))
    assert announced(_one(), [add, _change(id=2, remove_urls=("b.contoso.com",))], 90) == []
    assert announced(_one(urls=["b.contoso.com"]), [add], 90) == []
    old = _change(version="2025080100", add_urls=("b.contoso.com",))
    assert announced(_one(), [old], 90) == []
    assert len(announced(_one(), [old], 365)) == 1


def test_what_was_removed_stays_for_a_while() -> None:
    sets = _one(urls=["a.contoso.com", "b.contoso.com"], ips=["198.51.100.0/24"]).sets
    before = Answer("worldwide", "2025110100", sets)
    now = _one()
    for day, kept in ((dt.date(2025, 12, 31), True), (dt.date(2026, 1, 1), False)):
        found = lately_removed([before], now, [], 30, day)
        assert {row.value for row in found} == ({"b.contoso.com", "198.51.100.0/24"} if kept else set())
        assert all(row.remark == ", removed 2025120100, kept until 2025-12-31" for row in found)
    # What came back, or is there by another set, is not of the past.
    assert lately_removed([before], before, [], 30, dt.date(2025, 12, 2)) == []


def test_since_when_a_name_is_there() -> None:
    history = History(small_history()["Worldwide"])
    seen = first_seen(history.lists[LAST], history.changes)
    assert seen["host", "login.microsoft.com"] == ADDED
    assert ("host", "outlook.office365.com") not in seen
    gone = [_change(add_urls=("a.contoso.com",), version="2025010100"),
            _change(remove_urls=("a.contoso.com",), version="2025020100"),
            _change(add_urls=("a.contoso.com",), version="2025030100")]  # fmt: skip
    assert first_seen(_one(), gone) == {("host", "a.contoso.com"): "2025030100"}


def test_a_set_that_is_there_twice_loses_nothing() -> None:
    both = Answer("worldwide", "2025120100", (*_one().sets, *_one(urls=["b.contoso.com"], category="Allow").sets))
    change = _change(add_urls=("c.contoso.com",))
    assert {row.value for row in rows(with_announced(both, [change], 90))} == {f"{n}.contoso.com" for n in "abc"}
    assert {row.value for row in rows(rewind(both, [change], "2025110100"))} == {"a.contoso.com", "b.contoso.com"}
