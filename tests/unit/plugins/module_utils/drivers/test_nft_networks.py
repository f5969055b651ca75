# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and ports as elements that never overlap, whatever is in the list."""

from __future__ import annotations

import ipaddress
import itertools
from typing import Tuple

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_networks import (
    disjoint,
    intents_of,
    network_elements,
    set_word,
    subtract,
)
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, merge, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from hypothesis import given
from hypothesis import strategies as st

Box = Tuple[int, int, str, int, int]  # first and last address, protocol, first and last port


def entry(value: str, *ports: str) -> Entry:
    return Entry("network", value, ports=ports)


def box(element: str) -> Box:
    value, protocol, ports = element.split(" . ")
    network = ipaddress.ip_network(value)
    low, _dash, high = ports.partition("-")
    return int(network[0]), int(network[-1]), protocol, int(low), int(high or low)


def overlap(one: Box, two: Box) -> bool:
    return (
        one[0] <= two[1] and two[0] <= one[1] and one[2] == two[2] and one[3] <= two[4] and two[3] <= one[4]
    )


def covers(boxes: list[Box], address: int, protocol: str, port: int) -> bool:
    return any(b[0] <= address <= b[1] and b[2] == protocol and b[3] <= port <= b[4] for b in boxes)


port_items = st.tuples(st.sampled_from(["tcp", "udp"]), st.integers(1, 9), st.integers(0, 4)).map(
    lambda item: f"{item[0]}/{item[1]}" + (f"-{item[1] + item[2]}" if item[2] else "")
)
networks = st.tuples(st.integers(0, 15), st.integers(28, 32)).map(
    lambda item: str(ipaddress.ip_network((int(ipaddress.ip_address("198.51.100.0")) + item[0], item[1]), strict=False))
)
entries = st.lists(
    st.builds(lambda value, ports: {"value": value, "ports": ports}, networks, st.lists(port_items, min_size=1)),
    min_size=1,
    max_size=8,
)


@given(entries)
def test_elements_are_apart_and_are_exactly_the_list(items: list[dict[str, object]]) -> None:
    listed = normalise(items)
    found = [box(text) for _unused, texts in disjoint(listed) for text in texts]
    assert not [pair for pair in itertools.combinations(found, 2) if overlap(*pair)]
    wanted = [box(f"{one.value} . {port.replace('/', ' . ')}") for one in listed for port in one.ports]
    for address in range(found[0][0] & ~15, (found[0][0] | 15) + 1):
        for protocol, port in itertools.product(("tcp", "udp"), range(1, 15)):
            assert covers(found, address, protocol, port) == covers(wanted, address, protocol, port)


@pytest.mark.parametrize(
    ("ranges", "taken", "left"),
    [
        ([(1, 10)], [], [(1, 10)]),
        ([(1, 10)], [(1, 10)], []),
        ([(1, 10)], [(3, 4), (8, 20)], [(1, 2), (5, 7)]),
        ([(5, 6), (9, 9)], [(1, 5)], [(6, 6), (9, 9)]),
    ],
)
def test_subtract(ranges: list[tuple[int, int]], taken: list[tuple[int, int]], left: list[tuple[int, int]]) -> None:
    assert subtract(ranges, taken) == left


def test_a_change_of_one_entry_changes_its_own_elements_alone() -> None:
    many = [entry(f"10.{i}.{j}.0/24", "tcp/443") for i in range(20) for j in range(20)]
    before = {text for _unused, texts in disjoint(many) for text in texts}
    after = {text for _unused, texts in disjoint([*many, entry("10.3.0.0/16", "tcp/443")]) for text in texts}
    assert after - before == {"10.3.0.0/16 . tcp . 443"}
    assert len(before - after) == 20


def test_sets_by_family_and_intents() -> None:
    both, allow = ("allow", "bypass_content_inspection"), ("allow",)
    found = network_elements(
        [
            Holding(entry("198.51.100.0/24", "tcp/443"), both),
            Holding(entry("198.51.100.7/32", "tcp/443"), allow),
            Holding(entry("2001:db8::/32", "udp/3478-3481"), both),
            Holding(merge([Entry("host", "x.com", ports=("tcp/443",))])[0], both),
        ]
    )
    assert found == {
        "networks4_allow_bypass": ["198.51.100.0/24 . tcp . 443"],
        "networks4_allow": ["198.51.100.7 . tcp . 443"],
        "networks6_allow_bypass": ["2001:db8::/32 . udp . 3478-3481"],
    }


BOTH = ("allow", "bypass_content_inspection")


@pytest.mark.parametrize("intents", [BOTH[:1], BOTH[1:], BOTH])
def test_the_name_of_a_set_tells_its_intents(intents: tuple[str, ...]) -> None:
    assert intents_of(set_word(intents)) == intents
