# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pattern language by example: what each form matches, what it does not, and its parts."""

from __future__ import annotations

import re

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import (
    PatternSet,
    minimal_cover,
    parse,
)

LONG_LABEL = "a" * 63

MATCHES = [
    ("login.x.com", ["login.x.com", "LOGIN.X.com", "login.x.com."], ["x.com", "a.login.x.com", "loginx.com"]),
    ("*.x.com", ["a.x.com", "b.a.x.com", "_a.x.com", "-a.x.com"], ["x.com", ".x.com", "ax.com", "a.x.com.evil.org"]),
    ("*.*.x.com", ["b.a.x.com", "c.b.a.x.com"], ["x.com", "a.x.com"]),
    ("*.*.*.x.com", ["c.b.a.x.com", "d.c.b.a.x.com"], ["b.a.x.com"]),
    ("*cdn.x.net", ["cdn.x.net", "site-cdn.x.net"], ["a.cdn.x.net", "cdnx.x.net", "x.net"]),
    ("payload*.x.net", ["payload.x.net", "payload01.x.net"], ["payload.a.x.net", "apayload.x.net"]),
    ("a*b.x.net", ["ab.x.net", "a-b.x.net"], ["a.x.net", "a.b.x.net", "b.x.net"]),
    ("aba*aba.x.net", ["abaaba.x.net", "aba-aba.x.net"], ["aba.x.net", "ababa.x.net"]),
    ("*a*b*.x.com", ["ab.x.com", "xaxbx.x.com"], ["ba.x.com", "a.b.x.com"]),
    ("*a*a*.x.com", ["aa.x.com", "a-a.x.com"], ["a.x.com"]),
    ("auto.*.x.com", ["auto.t.x.com"], ["auto.x.com", "auto.t.u.x.com", "t.x.com", "b.auto.t.x.com"]),
    ("a.*.*.x.com", ["a.b.c.x.com"], ["a.b.x.com", "a.b.c.d.x.com"]),
    ("*.*cdn.x.com", ["a.cdn.x.com", "b.a.mycdn.x.com"], ["cdn.x.com", "a.cdn.b.x.com"]),
    ("*.a.*.x.com", ["q.a.r.x.com", "p.q.a.r.x.com"], ["a.r.x.com", "q.a.x.com"]),
    ("*-my.x.com", ["contoso-my.x.com", "-my.x.com"], ["my.x.com", "contoso-my.y.com"]),
    ("intranet", ["intranet", "Intranet."], ["intranet.x.com", "a.intranet", "intranets"]),
]


@pytest.mark.parametrize(("text", "inside", "outside"), MATCHES, ids=[row[0] for row in MATCHES])
def test_matches_its_names_and_no_others(text: str, inside: list[str], outside: list[str]) -> None:
    pattern = parse(text)
    assert [name for name in inside if not pattern.matches(name)] == []
    assert [name for name in outside if pattern.matches(name)] == []


@pytest.mark.parametrize(("text", "inside", "outside"), MATCHES, ids=[row[0] for row in MATCHES])
def test_the_regular_expression_says_the_same(text: str, inside: list[str], outside: list[str]) -> None:
    expression = re.compile(parse(text).regex())
    assert all(expression.search(name.lower().rstrip(".")) for name in inside)
    assert not any(expression.search(name) for name in outside)


@pytest.mark.parametrize("text", ["login.x.com", "*.x.com", "*.*.x.com", "*cdn.x.com", "a.*.x.com"])
@pytest.mark.parametrize(
    "near", ["evil-x.com", "evilx.com", "login.x.com.evil.org", "x.com.evil.org", "x.com", "com", "x.co", "x.comm"]
)
def test_look_alikes_never_match(text: str, near: str) -> None:
    assert not parse(text).matches(near)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..x.com",
        ".a.x.com",
        "a.x.com..",
        "a b.x.com",
        "a\n.x.com",
        "a.x.com\n",
        "*.x.com",
        "\u212a.x.com",  # the Kelvin sign, which lower-cases to k
        "ü.x.com",
        "a/b.x.com",
        f"{LONG_LABEL}a.x.com",
        f"{'a.' * 125}x.com",  # 255 characters
    ],
)
def test_what_is_no_name_matches_nothing(name: str) -> None:
    assert not parse("*.x.com").matches(name)
    assert PatternSet([parse("*.x.com")]).match(name) is None


def test_the_longest_names_match() -> None:
    assert parse("*.x.com").matches(f"{LONG_LABEL}.x.com")
    assert parse("*.x.com").matches(f"{'a.' * 124}x.com.")


@pytest.mark.parametrize(
    ("text", "form", "base", "leading", "regex"),
    [
        ("login.x.com", "literal", "login.x.com", 0, r"^login\.x\.com$"),
        ("*.x.com", "subtree", "x.com", 1, r"^([^.]+\.)+x\.com$"),
        ("*.*.x.com", "deep", "x.com", 2, r"^([^.]+\.){2,}x\.com$"),
        ("*cdn.x.com", "glued", "x.com", 0, r"^[^.]*cdn\.x\.com$"),
        ("a*b.y.x.com", "glued", "y.x.com", 0, r"^a[^.]*b\.y\.x\.com$"),
        ("a.*.x.com", "inner", "x.com", 0, r"^a\.[^.]+\.x\.com$"),
        ("*.*cdn.x.com", "glued", "x.com", 1, r"^([^.]+\.)+[^.]*cdn\.x\.com$"),
        ("*.a.*.x.com", "inner", "x.com", 1, r"^([^.]+\.)+a\.[^.]+\.x\.com$"),
        ("a*.*.x.com", "glued", "x.com", 0, r"^a[^.]*\.[^.]+\.x\.com$"),
    ],
)
def test_parts(text: str, form: str, base: str, leading: int, regex: str) -> None:
    pattern = parse(text)
    assert (pattern.form, pattern.base, pattern.leading, pattern.regex()) == (form, base, leading, regex)
    assert pattern.labels == tuple(text.split("."))
    assert (pattern.is_literal, pattern.is_subtree) == (form == "literal", form == "subtree")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Login.Live.COM", "login.live.com"),
        ("*.X.com.", "*.x.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example.", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("XN--bcher-KVA.example", "xn--bcher-kva.example"),
        ("b\u00fc-cher1.example", "xn--b-cher1-n2a.example"),
        ("xn--fa-hia.example", "xn--fa-hia.example"),  # the sharp s, which must be written so
        ("_dmarc.x.com", "_dmarc.x.com"),
        ("r2---sn.x.com", "r2---sn.x.com"),
        ("*.example.co.uk", "*.example.co.uk"),
        ("www.co.uk", "www.co.uk"),
    ],
)
def test_canonical_form(written: str, canonical: str) -> None:
    pattern = parse(written)
    assert pattern.text == canonical
    assert pattern == parse(canonical)
    assert hash(pattern) == hash(parse(canonical))


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("*.x.com", "a.x.com"),
        ("*.x.com", "*.*.x.com"),
        ("*.x.com", "*.a.x.com"),
        ("*.x.com", "*cdn.x.com"),
        ("*.x.com", "a.*.x.com"),
        ("*.x.com", "*.*cdn.x.com"),
        ("*.*.x.com", "*.a.x.com"),
        ("*.*.x.com", "a.*.x.com"),
        ("*.*.x.com", "a.*.*.x.com"),
        ("*cdn.x.com", "*-cdn.x.com"),
        ("*cdn.x.com", "cdn.x.com"),
        ("a*.x.com", "a*b*.x.com"),
        ("*a*.x.com", "*ba*.x.com"),
        ("a*.*.x.com", "a*b.c.x.com"),
        ("*.*cdn.x.com", "*.*.mycdn.x.com"),
    ],
)
def test_covers_in_one_direction(wide: str, narrow: str) -> None:
    assert parse(wide).covers(parse(narrow))
    assert not parse(narrow).covers(parse(wide))
    assert parse(narrow).overlaps(parse(wide))


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        ("*.x.com", "x.com", None),
        ("*.*.x.com", "a.x.com", None),
        ("a.*.x.com", "*.*.*.x.com", None),
        ("*.x.com", "*.y.com", None),
        ("a*.x.com", "b*.x.com", None),
        ("*.a.x.com", "*cdn.x.com", None),
        ("a*.x.com", "*b.x.com", "ab.x.com"),
        ("ab*.x.com", "*ba.x.com", "aba.x.com"),
        ("a*.*.x.com", "*b.c.x.com", "ab.c.x.com"),
        ("*.a.*.x.com", "b.c.*.x.com", None),
        ("*.a.*.x.com", "b.*.c.x.com", "b.a.c.x.com"),
        ("*.a.*.x.com", "*.b.*.c.x.com", "q.b.a.c.x.com"),
        ("*.*.*.a.x.com", "a.*.b.*.x.com", "a.q.b.a.x.com"),
        ("*.*.b.x.com", "*a.*.*.x.com", "a.q.b.x.com"),
        # The shortest label in both would have 80 characters, which no name has.
        (f"{'a' * 40}*.x.com", f"*{'b' * 40}.x.com", None),
        (f"{'a' * 31}*.x.com", f"*{'b' * 32}.x.com", f"{'a' * 31}{'b' * 32}.x.com"),
    ],
)
def test_crossing_patterns_cover_neither(left: str, right: str, common: str | None) -> None:
    one, two = parse(left), parse(right)
    assert not one.covers(two)
    assert not two.covers(one)
    assert one.overlaps(two) == two.overlaps(one) == (common is not None)
    assert common is None or (one.matches(common) and two.matches(common))


@pytest.mark.parametrize(("length", "common"), [(61, True), (62, False)])
def test_patterns_whose_common_names_are_all_too_long_do_not_overlap(length: int, common: bool) -> None:
    left = parse(f"{'a' * 40}.{'a' * 40}.{'a' * 40}.*.*.x.com")
    right = parse(f"*.*.*.{'b' * length}.{'c' * length}.x.com")
    name = f"{'a' * 40}.{'a' * 40}.{'a' * 40}.{'b' * length}.{'c' * length}.x.com"
    assert left.matches(name) == right.matches(name) == (len(name) <= 253) == common
    assert left.overlaps(right) == right.overlaps(left) == common


def test_order_puts_what_belongs_together_together() -> None:
    texts = ["b.x.com", "x.com", "*.*.x.com", "a.net", "*.x.com", "*b.x.com", "a.b.x.com"]
    ordered = [pattern.text for pattern in sorted(map(parse, texts))]
    assert ordered == ["x.com", "*.x.com", "*.*.x.com", "*b.x.com", "b.x.com", "a.b.x.com", "a.net"]


def test_minimal_cover_keeps_apex_and_drops_what_is_inside() -> None:
    texts = ["x.com", "*.x.com", "*.*.x.com", "a.x.com", "*cdn.x.com", "a.*.x.com", "*cdn.y.com", "cdn.y.com", "y.com"]
    assert [pattern.text for pattern in minimal_cover(map(parse, texts))] == ["x.com", "*.x.com", "y.com", "*cdn.y.com"]


def test_covering_is_another_pattern() -> None:
    patterns = PatternSet(map(parse, ["*.x.com", "*.*.x.com", "x.com"]))
    assert patterns.covering(parse("*.x.com")) is None
    assert patterns.covering(parse("*.*.x.com")) == parse("*.x.com")
    assert patterns.covering(parse("x.com")) is None
    assert patterns.covering(parse("a.x.com")) == parse("*.x.com")
    assert set(patterns.all_covering(parse("a.b.x.com"))) == {parse("*.x.com"), parse("*.*.x.com")}


def test_the_set_tells_which_pattern_matches() -> None:
    patterns = PatternSet(map(parse, ["x.com", "*.a.x.com", "pre*suf.x.com", "*mid*.x.com", "a.*.y.com"]))
    found = {name: patterns.match(name) for name in ["X.com.", "b.a.x.com", "presuf.x.com", "amidb.x.com", "a.b.y.com"]}
    assert {name: str(pattern) for name, pattern in found.items()} == {
        "X.com.": "x.com",
        "b.a.x.com": "*.a.x.com",
        "presuf.x.com": "pre*suf.x.com",
        "amidb.x.com": "*mid*.x.com",
        "a.b.y.com": "a.*.y.com",
    }
    assert [patterns.match(name) for name in ["a.x.com", "presu.x.com", "mi.x.com", "b.y.com", "y.com"]] == [None] * 5
