# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a ruleset: the same text for the same state, whoever tells it, and back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_change import main_change, site_change
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import (
    Part,
    element_text,
    element_value,
    part_from_kernel,
    part_from_text,
    plain,
    require_addresses,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_text import include_text, rule_text
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

SET = {"type": ["ipv4_addr", "inet_proto", "inet_service"], "flags": ["interval"], "stmt": [{"counter": None}]}
RULE: list[Any] = [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}, {"accept": None}]


def part(*elements: str, rules: bool = True) -> Part:
    return Part(
        "inet", "egress_mmd", {"n": SET}, {"out": {}}, [("out", RULE)] if rules else [], {"n": list(elements)}
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"concat": [{"prefix": {"addr": "198.51.100.0", "len": 24}}, "tcp", 443]}, "198.51.100.0/24 . tcp . 443"),
        ({"concat": ["198.51.100.7", 17, {"range": [3478, 3481]}]}, "198.51.100.7 . udp . 3478-3481"),
        ({"elem": {"val": "198.51.100.7", "expires": 9, "counter": {"packets": 1, "bytes": 60}}}, "198.51.100.7"),
        ({"range": ["198.51.100.1", "198.51.100.9"]}, "198.51.100.1-198.51.100.9"),
        ("::0.5.0.6", "::5:6"),
    ],
)
def test_elements_are_told_in_one_way(value: Any, text: str) -> None:
    assert element_text(value) == text


def test_protocols_are_sent_as_numbers() -> None:
    """nft looks names of protocols up in /etc/protocols, which a small host may lack."""
    assert element_value("198.51.100.7 . udp . 3478-3481") == {"concat": ["198.51.100.7", 17, {"range": [3478, 3481]}]}


def test_what_the_kernel_adds_is_no_difference() -> None:
    told = part_from_kernel(
        ("inet", "egress_mmd"),
        [
            {"set": {**SET, "family": "inet", "table": "egress_mmd", "name": "n", "handle": 4, "elem": []}},
            {"chain": {"family": "inet", "table": "egress_mmd", "name": "out", "handle": 1}},
            {"rule": {"family": "inet", "table": "egress_mmd", "chain": "out", "handle": 9, "expr": RULE}},
        ],
        {"n": ["198.51.100.7 . tcp . 443"]},
    )
    assert told.text() == part("198.51.100.7 . tcp . 443").text()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"set": ["eth1", "wg0"]}, {"set": ["wg0", "eth1"]}),
        ({"set": [443]}, 443),
        ({"counter": {"packets": 7, "bytes": 9}}, {"counter": None}),
        (
            {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["related", "established"]}},
            {"match": {"op": "==", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
        ),
    ],
)
def test_two_listings_of_one_rule(one: Any, other: Any) -> None:
    assert plain(one) == plain(other)


def test_an_object_that_we_never_write_is_a_difference() -> None:
    told = part_from_kernel(("inet", "t"), [{"flowtable": {"family": "inet", "table": "t", "name": "f"}}], {})
    assert "flowtable f" in told.text()


def test_the_text_can_be_read_back() -> None:
    text = part("198.51.100.7 . tcp . 443", "10.0.0.0/8 . udp . 1-9").text()
    assert part_from_text(text).text() == text


@pytest.mark.parametrize("text", ["", "table inet\n", "table inet t\n{no json\n", 'table inet t\n{"map": {}}\n'])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(AllowlistError):
        part_from_text(text)


@pytest.mark.parametrize("element", ["www.example.com . tcp . 443", "198.51.100.7", "198.51.100.7 . icmp . 8"])
def test_what_comes_from_outside_is_proven_to_be_an_address(element: str) -> None:
    """nft asks the resolver about anything that is none."""
    with pytest.raises(AllowlistError, match="no address"):
        require_addresses(part(element))


# Changes


def verbs(commands: list[dict[str, Any]]) -> list[str]:
    return [f"{verb} {kind}" for command in commands for verb, body in command.items() for kind in body]


def test_one_element_more_is_one_command() -> None:
    before = [f"10.0.{i}.0/24 . tcp . 443" for i in range(200)]
    (command,) = main_change(part(*before), part(*before, "192.0.2.1 . tcp . 443"))
    assert command["add"]["element"]["elem"] == [{"concat": ["192.0.2.1", 6, 443]}]


def test_what_goes_comes_first() -> None:
    """A wider element may take the place of one inside it, and nft refuses elements that overlap."""
    commands = main_change(part("10.1.0.0/16 . tcp . 443"), part("10.0.0.0/8 . tcp . 443"))
    assert verbs(commands) == ["delete element", "add element"]


def test_many_elements_make_the_set_new_and_never_empty_it() -> None:
    after = [f"10.{i // 250}.{i % 250}.0/24 . tcp . 443" for i in range(1500)]
    commands = main_change(part("192.0.2.1 . tcp . 443"), part(*after))
    assert verbs(commands) == ["flush chain", "delete set", "add set", "add chain", "add rule"]


def test_a_changed_rule_leaves_the_sets_alone() -> None:
    commands = main_change(part("192.0.2.1 . tcp . 443", rules=False), part("192.0.2.1 . tcp . 443"))
    assert verbs(commands) == ["flush chain", "add chain", "add rule"]


def test_no_change_is_no_command() -> None:
    assert main_change(part("192.0.2.1 . tcp . 443"), part("192.0.2.1 . tcp . 443")) == []


def test_in_a_table_of_the_site_only_ours_is_touched() -> None:
    assert verbs(site_change(part("192.0.2.1 . tcp . 443"), None)) == ["flush chain", "delete chain", "delete set"]
    assert verbs(site_change(None, part("192.0.2.1 . tcp . 443"))) == ["add set", "add chain", "add rule"]


# As people write it


def test_the_text_that_a_site_includes() -> None:
    assert include_text("# head\n", part("198.51.100.0/24 . tcp . 443")) == (
        "# head\nset n {\n    type ipv4_addr . inet_proto . inet_service\n    flags interval\n    counter\n"
        "    elements = {\n        198.51.100.0/24 . tcp . 443,\n    }\n}\n"
        'chain out {\n    iifname "eth0" accept\n}\n'
    )


def test_a_statement_that_has_no_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="no text"):
        rule_text([{"tproxy": {"port": 1}}])
