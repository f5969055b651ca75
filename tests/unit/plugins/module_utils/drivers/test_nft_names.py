# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as dnsmasq holds them: what is written, what is gained and lost, and which class a name belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import (
    Domains,
    Names,
    Use,
    class_by_domain,
    lines,
)
from ansible_collections.egress.allowlist.plugins.module_utils._entry import effective_ports, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

INTENTS = ("allow", "bypass_content_inspection")
WEB = ("tcp/80", "tcp/443")


def names(*items: Any, widen: str = "apex", narrow: str = "known", known: tuple[str, ...] = ()) -> Names:
    holdings = [
        Holding(entry.__class__(entry.type, entry.value, entry.path, effective_ports(entry)), INTENTS)
        for entry in normalise(list(items))
    ]
    return Names(holdings, widen, narrow, known)


def verdict(found: Names, entry: str) -> tuple[str, str, str, tuple[str, ...]]:
    (one,) = [each for each in found.verdicts if each.entry.split()[1] == entry]
    return one.verdict, one.gains, one.loses, one.written


def test_each_form_of_pattern() -> None:
    listed = ("login.x.com", "*.y.com", "*.z.com", "z.com", "*cdn.q.com", "*.*.r.com", "a.*.s.com")
    found = names(*listed, known=("mycdn.q.com",))
    assert verdict(found, "login.x.com") == ("broader", "address", "none", ("login.x.com",))
    assert verdict(found, "*.y.com") == ("broader", "apex", "none", ("y.com",))
    assert verdict(found, "*.z.com") == ("broader", "address", "none", ("z.com",))  # z.com is listed anyway
    assert verdict(found, "*cdn.q.com") == ("narrower", "address", "known", ("mycdn.q.com",))
    assert verdict(found, "*.*.r.com") == ("impossible", "none", "any", ())
    assert verdict(found, "a.*.s.com") == ("impossible", "none", "any", ())


def test_what_may_be_gained_decides_how_a_pattern_is_written() -> None:
    found = names("*cdn.q.com", widen="any", known=("mycdn.q.com",))
    assert verdict(found, "*cdn.q.com") == ("broader", "any", "none", ("q.com",))
    assert "every name under q.com" in found.verdicts[0].gained


def test_what_the_list_allows_anyway_is_not_gained() -> None:
    assert verdict(names("*cdn.q.com", "*.q.com"), "*cdn.q.com") == ("broader", "address", "none", ("q.com",))
    other_ports = names("*cdn.q.com", {"value": "*.q.com", "ports": ["tcp/8443"]}, widen="any")
    assert verdict(other_ports, "*cdn.q.com")[1] == "any"


def test_names_of_the_list_itself_are_known() -> None:
    assert verdict(names("*cdn.q.com", "xcdn.q.com"), "*cdn.q.com") == ("narrower", "address", "known", ("xcdn.q.com",))


@pytest.mark.parametrize("name", ["*.x.com", "x..com", "x.com/4#inet#a#b", "x.com\nserver=192.0.2.1", ""])
def test_known_names_are_names(name: str) -> None:
    with pytest.raises(AllowlistError, match=r"known_names\[0\]"):
        names("*cdn.q.com", known=(name,))


def test_a_path_opens_the_whole_host() -> None:
    found = names({"value": "x.com", "path": "/ncsi.txt"})
    assert found.verdicts[0].gained.startswith("all its paths")
    assert Domains(found.written, 60).uses == {"x.com": (Use(("tcp/80",), INTENTS),)}


def test_the_most_specific_line_serves_everybody_that_a_name_belongs_to() -> None:
    found = names("*.x.com", {"value": "a.x.com", "ports": ["tcp/8443"]}, {"value": "x.com", "ports": ["tcp/25"]})
    uses = Domains(found.written, 60).uses
    assert uses["a.x.com"] == (Use(WEB, INTENTS), Use(("tcp/8443",), INTENTS))
    assert uses["x.com"] == (Use(("tcp/25",), INTENTS), Use(WEB, INTENTS))


def test_a_literal_gives_nothing_to_longer_names() -> None:
    found = names({"value": "x.com", "ports": ["tcp/25"]}, "a.x.com")
    assert Domains(found.written, 60).uses["a.x.com"] == (Use(WEB, INTENTS),)


def test_the_class_follows_from_the_use_and_the_lifetime_alone() -> None:
    one, two = (Domains(names("a.com", "b.com").written, lifetime) for lifetime in (60, 120))
    assert len(one.classes) == 1
    assert set(one.classes) != set(two.classes)
    assert Domains(names("a.com", "c.com").written, 60).class_of["a.com"] == one.class_of["a.com"]


def test_the_lines_can_be_read_back() -> None:
    domains = Domains(names("*.x.com", "b.y.com").written, 60)
    text = "\n".join(lines(domains, "egress_mmd-dns"))
    assert class_by_domain(text) == domains.class_of
    assert max(map(len, text.splitlines())) < 1025  # dnsmasq reads no longer ones


def test_the_longest_line_that_can_be() -> None:
    name = ".".join(["a" * 63] * 3 + ["b" * 57, "com"])
    domains = Domains(names(name).written, 60)
    assert max(map(len, lines(domains, "egress_" + "n" * 16 + "-dns"))) < 1025
