# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._driver import INTENTS
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_lists import (
    classes,
    read_classes,
    translate,
)
from ansible_collections.egress.allowlist.plugins.module_utils._entry import effective_ports, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternSet, parse
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from hypothesis import given
from hypothesis import strategies as st

LABEL = st.sampled_from(["a", "b", "ab", "x-y"])
TAIL = st.sampled_from(["one.example", "b.one.example", "two.example", "a.two.example"])
TEXT = st.one_of(
    TAIL,
    st.builds("{}.{}".format, LABEL, TAIL),
    st.builds("*.{}".format, TAIL),
    st.builds("*.*.{}".format, TAIL),
    st.builds("*{}.{}".format, LABEL, TAIL),
    st.builds("{}*.{}".format, LABEL, TAIL),
    st.builds("{}.*.{}".format, LABEL, TAIL),
)
NAME = st.one_of(TAIL, st.builds("{}.{}".format, LABEL, TAIL), st.builds("{}.{}.{}".format, LABEL, LABEL, TAIL),
                 st.builds("{}{}".format, LABEL, TAIL), st.builds("{}.{}.{}.{}".format, LABEL, LABEL, LABEL, TAIL))


def holdings(*items: object, intents: tuple[str, ...] = INTENTS) -> list[Holding]:
    return [Holding(replace(entry, ports=effective_ports(entry)), intents) for entry in normalise(list(items))]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def squid_matches(lists: Mapping[str, str], name: str) -> bool:
    """What Squid does with such lists: `.x` takes x and everything below it, and `except` is taken off again."""

    def listed(kind: str) -> bool:
        words = lines(lists.get(kind, ""))
        return any(name == word.lstrip(".") or (word.startswith(".") and name.endswith(word)) for word in words)

    shapes = any(re.search(shape, name) for shape in lines(lists.get("shape", "")))
    return (listed("names") and not listed("except")) or shapes


@given(st.lists(TEXT, min_size=1, max_size=8), st.lists(NAME, min_size=1, max_size=12))
def test_the_lists_take_exactly_the_names_of_the_entries(texts, names) -> None:
    found = classes("mmd", holdings(*texts))
    assert len(found) == 1
    wanted = PatternSet([parse(text) for text in texts])
    for name in names:
        assert squid_matches(found[0].lists, name) == (wanted.match(name) is not None), (texts, name)


@given(st.lists(TEXT, min_size=1, max_size=8))
def test_no_line_is_a_parent_or_a_twin_of_another(texts) -> None:
    """Squid refuses some orders of these and warns about the others."""
    words = lines(classes("mmd", holdings(*texts))[0].lists.get("names", ""))
    for word in words:
        for other in words:
            if word is not other:
                assert word.lstrip(".") != other.lstrip(".")
                assert not (word.startswith(".") and other.endswith(word))


@given(st.lists(TEXT, min_size=1, max_size=8), st.booleans())
def test_what_was_written_is_read_back_whole(texts, with_more) -> None:
    held = holdings(*texts)
    if with_more:
        held += holdings({"value": "198.51.100.0/24", "ports": ["tcp/8443", "tcp/1000-1010"]}, intents=INTENTS[:1])
        held += holdings({"value": "*.one.example", "path": "/p.txt"}, intents=(INTENTS[0], *INTENTS[2:]))
    found = classes("mmd", held)
    include = "\n".join(one.comment() for one in found)
    lists = {one.title(kind): text for one in found for kind, text in one.lists.items()}
    back, unread = read_classes(include, lists)
    assert unread == []
    assert sorted(h.line(()) for h in back) == sorted(h.line(()) for h in held)


def test_order_of_the_entries_does_not_matter() -> None:
    texts = ["b.example", "*.a.example", "a.example", "*x.example.org", "198.51.100.0/24"]
    entries = normalise(texts, default_ports=["tcp/443"])
    held = [Holding(replace(entry, ports=("tcp/443",)), INTENTS) for entry in entries]
    assert classes("mmd", held) == classes("mmd", held[::-1])


def test_a_list_of_ten_thousand_is_a_tree_and_no_regular_expression() -> None:
    found = classes("mmd", holdings(*[f"h{index}.example.com" for index in range(10_000)], "*.example.net"))
    assert set(found[0].lists) == {"names", "except"}


@pytest.mark.parametrize(
    ("url", "matches"),
    [
        ("http://www.msftncsi.com/ncsi.txt", True),
        ("http://a.b.msftncsi.com:80/ncsi.txt", True),
        ("http://msftncsi.com/ncsi.txt", False),
        ("http://evil.example/x.msftncsi.com/ncsi.txt", False),
        ("http://evil.example:80/.msftncsi.com/ncsi.txt", False),
        ("http://evil.example?.msftncsi.com/ncsi.txt", False),
        ("http://evil@www.msftncsi.com/ncsi.txt", False),
        ("http://www.msftncsi.com/ncsi.txt?", False),
        ("http://www.msftncsi.com/ncsi.txtx", False),
        ("http://www.msftncsi.com/ncsi-txt", False),
        ("https://www.msftncsi.com/ncsi.txt", False),
    ],
)
def test_a_path_belongs_to_its_host(url, matches) -> None:
    found = classes("mmd", holdings({"value": "*.msftncsi.com", "path": "/ncsi.txt"}))
    shapes = lines(found[0].lists["url"])
    assert any(re.search(shape, url) for shape in shapes) == matches


def test_what_no_web_proxy_carries_is_told() -> None:
    held = holdings({"value": "198.51.100.0/24", "ports": ["udp/3478-3481", "tcp/443", "tcp/25"]},
                    {"value": "mail.example.com", "ports": ["tcp/587"]})
    carried, verdicts = translate(held)
    assert [holding.line(INTENTS) for holding in carried] == ["network 198.51.100.0/24 tcp/443"]
    assert [(v.verdict, v.loses) for v in verdicts] == [("impossible", "foreign"), ("narrower", "foreign")]
    assert "udp/3478-3481" in verdicts[1].lost and "tcp/25" in verdicts[1].lost
