# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of entries: one order, merging that loses nothing, reducing that loses no traffic."""

from __future__ import annotations

import random
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import (
    Entry,
    effective_ports,
    merge,
    minimise,
    normalise,
)
from hypothesis import given, settings
from hypothesis import strategies as st

# How long one example takes says something about the machine only.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

PORT = st.sampled_from(["tcp/80", "tcp/443", "tcp/80-443", "udp/53", "tcp/81"])
PORTS = st.lists(PORT, max_size=2)
PORTS_STATED = st.lists(PORT, min_size=1, max_size=2)
HOSTS = st.sampled_from(["x.com", "*.x.com", "*.*.x.com", "a.x.com", "*a.x.com", "b.a.x.com", "*.a.x.com", "b.*.x.com"])
NETWORKS = st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "2001:db8::/32", "2001:db8::1"])
ITEMS = st.one_of(
    st.fixed_dictionaries({"value": HOSTS, "ports": PORTS, "groups": st.lists(st.sampled_from("abc"), max_size=2)}),
    st.builds(lambda value: {"value": value, "path": "/p.txt"}, HOSTS),
    st.fixed_dictionaries({"value": NETWORKS, "ports": PORTS_STATED}),
)
NAMES = ["x.com", "a.x.com", "aa.x.com", "b.a.x.com", "c.a.x.com", "b.c.x.com", "d.c.b.x.com"]
ADDRESSES = ["10.9.9.9", "10.1.9.9", "10.1.2.9", "10.1.2.3", "2001:db8::1", "2001:db8::2"]


def values(entries: list[Entry]) -> list[str]:
    return [entry.value + (entry.path or "") for entry in entries]


def allowed(entries: list[Entry]) -> set[tuple[str, str | None, str, int]]:
    """The traffic of a small world that a list allows."""
    found: set[tuple[str, str | None, str, int]] = set()
    for entry in entries:
        for protocol, port in [("tcp", 80), ("tcp", 81), ("tcp", 100), ("tcp", 443), ("udp", 53)]:
            if not has_port(effective_ports(entry), protocol, port):
                continue
            if entry.type == "network":
                found |= {(a, None, protocol, port) for a in ADDRESSES if ip_address(a) in entry.network}
            else:
                paths = [entry.path] if entry.path else ["/p.txt", "/other"]
                found |= {(n, p, protocol, port) for n in NAMES if entry.pattern.matches(n) for p in paths}
    return found


def has_port(ports: tuple[str, ...], protocol: str, port: int) -> bool:
    for item in ports:
        kind, _slash, numbers = item.partition("/")
        low, _dash, high = numbers.partition("-")
        if kind == protocol and int(low) <= port <= int(high or low):
            return True
    return False


def test_order() -> None:
    texts = [
        "2001:db8::/32", "198.51.100.0/24", "9.0.0.0/8", "198.51.100.0/25", "b.x.com", "*.x.com", "x.com", "a.net",
        "a.b.x.com",
    ]  # fmt: skip
    expected = [
        "x.com", "*.x.com", "b.x.com", "a.b.x.com", "a.net", "9.0.0.0/8", "198.51.100.0/24", "198.51.100.0/25",
        "2001:db8::/32",
    ]  # fmt: skip
    random.Random(1).shuffle(texts)
    assert values(normalise(texts)) == expected
    paths = [{"value": "x.com", "path": path} for path in ("/b", None, "/a")]
    assert values(normalise(paths)) == ["x.com", "x.com/a", "x.com/b"]


def test_merging_keeps_what_each_asked_for() -> None:
    weak: dict[str, Any] = {
        "value": "X.com", "groups": ["b"], "category": "default", "required": False, "sources": ["s2"],
    }  # fmt: skip
    strong: dict[str, Any] = {
        "value": "x.com.", "groups": ["a", "b"], "category": "optimize", "critical": True, "risk": "retired",
        "sources": ["s1"],
    }  # fmt: skip
    for items in ([weak, strong], [strong, weak]):
        (entry,) = normalise(items)
        assert entry == Entry("host", "x.com", None, (), ("a", "b"), "optimize", True, True, "retired", ("s1", "s2"))


@pytest.mark.parametrize(
    ("left", "right", "category"),
    [
        ("optimize", "allow", "optimize"),
        ("default", "allow", "allow"),
        (None, "default", "default"),
        (None, None, None),
    ],
)
def test_the_strongest_category_wins(left: str | None, right: str | None, category: str | None) -> None:
    for one, two in [(left, right), (right, left)]:
        (entry,) = normalise([{"value": "x.com", "category": one}, {"value": "x.com", "category": two}])
        assert entry.category == category


@pytest.mark.parametrize(
    ("left", "right", "risk"),
    [("retired", None, "retired"), ("third_party", "shared_hosting", "shared_hosting"), (None, None, None)],
)
def test_risk_is_kept(left: str | None, right: str | None, risk: str | None) -> None:
    for one, two in [(left, right), (right, left)]:
        (entry,) = normalise([{"value": "x.com", "risk": one}, {"value": "x.com", "risk": two}])
        assert entry.risk == risk


@pytest.mark.parametrize(
    ("value", "path", "left", "right", "ports"),
    [
        ("x.com", None, [], [], ()),
        ("x.com", None, ["tcp/25"], ["udp/53"], ("tcp/25", "udp/53")),
        # No ports stated stands for 80 and 443, which another source's 8443 must not take away.
        ("x.com", None, [], ["tcp/8443"], ("tcp/80", "tcp/443", "tcp/8443")),
        ("x.com", "/p", [], ["tcp/8080"], ("tcp/80", "tcp/8080")),
        ("198.51.100.0/24", None, [], ["tcp/443"], ("tcp/443",)),
    ],
)
def test_merging_ports(value: str, path: str | None, left: list[str], right: list[str], ports: object) -> None:
    for one, two in [(left, right), (right, left)]:
        items = [{"value": value, "path": path, "ports": one}, {"value": value, "path": path, "ports": two}]
        (entry,) = normalise(items)
        assert entry.ports == ports


def test_merging_a_network_counts_the_default_ports() -> None:
    items = ["198.51.100.0/24", {"value": "198.51.100.0/24", "ports": ["tcp/443"]}]
    (entry,) = normalise(items, default_ports=["udp/3478"])
    assert entry.ports == ("tcp/443", "udp/3478")


def test_host_path_and_network_are_different_things() -> None:
    assert (
        len(normalise(["x.com", {"value": "x.com", "path": "/a"}, {"value": "x.com", "path": "/b"}, "10.0.0.1"])) == 4
    )


@given(st.lists(ITEMS, max_size=6), st.randoms(use_true_random=False))
def test_merging_is_the_same_in_any_order_and_twice(items: list[object], shuffler: random.Random) -> None:
    entries = normalise(items)
    shuffled = list(items)
    shuffler.shuffle(shuffled)
    assert normalise(shuffled) == entries
    assert merge(entries) == normalise(entries) == normalise([entry.as_dict() for entry in entries]) == entries
    assert allowed(merge(entries + entries)) == allowed(entries)


@given(st.lists(ITEMS, max_size=6), st.sampled_from("abc"))
def test_a_group_keeps_all_its_names_whoever_else_asks_for_them(items: list[dict[str, Any]], group: str) -> None:
    asked = normalise(item for item in items if group in item.get("groups", []))
    assert {entry.key for entry in normalise(items) if group in entry.groups} == {entry.key for entry in asked}


@given(st.lists(ITEMS, max_size=8))
def test_minimise_allows_the_very_same_traffic(items: list[object]) -> None:
    entries = normalise(items)
    reduced = minimise(entries)
    assert allowed(reduced) == allowed(entries)
    assert reduced == [entry for entry in entries if entry in reduced]
    assert minimise(reduced) == reduced


@pytest.mark.parametrize(
    ("items", "kept"),
    [
        (["x.com", "*.x.com", "a.x.com", "*.*.x.com", "*a.x.com"], ["x.com", "*.x.com"]),
        (["*.x.com", {"value": "a.x.com", "ports": ["tcp/8443"]}], ["*.x.com", "a.x.com"]),
        (["*.x.com", {"value": "a.x.com", "ports": ["tcp/443"]}], ["*.x.com"]),
        ([{"value": "*.x.com", "ports": ["tcp/443"]}, "a.x.com"], ["*.x.com", "a.x.com"]),
        (["*.x.com", {"value": "*.x.com", "path": "/p"}, {"value": "a.x.com", "path": "/p"}], ["*.x.com"]),
        (["x.com", {"value": "x.com", "path": "/p"}], ["x.com"]),
        ([{"value": "*.x.com", "path": "/p"}, "a.x.com"], ["*.x.com/p", "a.x.com"]),
        ([{"value": "*.x.com", "path": "/p"}, {"value": "a.x.com", "path": "/p"}], ["*.x.com/p", "a.x.com/p"]),
        ([{"value": "x.com", "ports": ["tcp/443"]}, {"value": "x.com", "path": "/p"}], ["x.com", "x.com/p"]),
        (["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"], ["10.0.0.0/8"]),
        (["10.0.0.0/8", {"value": "10.1.0.0/16", "ports": ["tcp/25"]}], ["10.0.0.0/8", "10.1.0.0/16"]),
        ([{"value": "10.0.0.0/8", "ports": ["tcp/25"]}, "10.1.0.0/16"], ["10.0.0.0/8", "10.1.0.0/16"]),
        (
            [{"value": "2001:db8::/32", "ports": ["tcp/1-9"]}, {"value": "2001:db8::1", "ports": ["tcp/5"]}],
            ["2001:db8::/32"],
        ),
        (["10.0.0.0/9", "10.128.0.0/9"], ["10.0.0.0/9", "10.128.0.0/9"]),
    ],
)
def test_minimise_drops_what_another_contains_with_all_its_ports(items: list[object], kept: list[str]) -> None:
    assert values(minimise(normalise(items))) == kept


def test_minimise_changes_no_entry_that_it_keeps() -> None:
    wide, narrow = normalise([{"value": "*.x.com", "groups": ["a"]}, {"value": "a.x.com", "groups": ["b"]}])
    assert minimise([narrow, wide]) == [wide]
    assert minimise([narrow, replace(wide, ports=("tcp/443",))]) == [replace(wide, ports=("tcp/443",)), narrow]
