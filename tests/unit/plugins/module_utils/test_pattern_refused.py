# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is refused as a pattern, and that the error says why."""

from __future__ import annotations

import time

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import PatternError, parse

REFUSED = [
    ("", "empty"),
    (".", "empty label"),
    ("a..x.com", "empty label"),
    (".x.com", "empty label"),
    ("x.com..", "empty label"),
    ("*", "two labels after it"),
    ("*.com", "two labels after it"),
    ("*.*", "two labels after it"),
    ("*x.com", "two labels after it"),
    ("login.*", "two labels after it"),
    ("login.x.c*", "two labels after it"),
    ("198.51.100.*", "two labels after it"),
    ("**.x.com", "no meaning"),
    ("a**b.x.com", "no meaning"),
    ("*.co.uk", "co.uk is where a country registers names"),
    ("*.*.com.au", "com.au is where a country"),
    ("*bank.co.jp", "co.jp is where a country"),
    ("a.*.com.br", "com.br is where a country"),
    ("*.gov.zz", "gov.zz is where a country"),
    ("*.tokyo.jp", "tokyo.jp is where a country"),
    ("-a.x.com", "hyphen"),
    ("a-.x.com", "hyphen"),
    ("-*.x.com", "hyphen"),
    ("_.x.com", "neither letter nor digit"),
    ("198.51.100.7", "use type network"),
    ("2001:db8::1", "use type network"),
    ("[2001:db8::1]", "use type network"),
    ("198.51.100.0/24", "use type network"),
    ("1.2.3", "is a number"),
    ("1234", "is a number"),
    ("198.51.100.0-255", "a range of addresses"),
    ("10.0.0.0-7", "a range of addresses"),
    ("x.0x7f", "is a number"),
    ("https://x.com", "this is a URL"),
    ("x.com:443", "ends in a port"),
    ("x.com:443/a", "ends in a port"),
    ("x.com/a", "holds a path"),
    ("<tenant>.x.com", "placeholder"),
    ("{{ tenant }}.x.com", "placeholder"),
    (" x.com", "a blank"),
    ("a b.x.com", "a blank"),
    ("x.com\n", "U+000A"),
    ("x.com\r\nacl all", "U+000D"),
    ("x\0.com", "U+0000"),
    ('x".com', 'the character "'),
    ("x'.com", "the character '"),
    ("x#.com", "the character #"),
    ("x$.com", "the character $"),
    ("x;.com", "the character ;"),
    ("x\\.com", "the character \\"),
    ("a,b.x.com", "the character ,"),
    ("a@x.com", "the character @"),
    ("a.x.com?", "the character ?"),
    ("\u202eb\u00fc.com", "U+202E"),
    ("a\u200fb.com", "U+200F"),
    ("a\u00adb.com", "U+00AD"),
    ("a\u200db.com", "U+200D"),
    ("x\uff0ecom", "U+FF0E"),
    ("x\u3002com", "U+3002"),
    ("\uff58.com", "disagree"),
    ("stra\u00dfe.example", "disagree"),
    ("\u03bf\u03b4\u03bf\u03c2.example", "disagree"),
    ("\u212a.example", "disagree"),
    ("\u0130stanbul.example", "U+0130"),
    ("a\u0661.example", "U+0661"),  # digits of other scripts
    ("\u0308b.example", "disagree"),  # begins with a mark that has nothing to stand on
    ("\U0001f600.example", "U+1F600"),
    ("a\u05d0.example", "directions"),
    ("*b\u00fccher.x.com", "glued"),
    ("xn--*.x.com", "glued"),
    ("xn--.x.com", "hyphen"),
    ("xn---tda.x.com", "not the punycode"),  # decodes to the same as xn--tda
    ("xn--zzzzzz.x.com", "punycode"),
    ("xn--abc-.x.com", "hyphen"),
    ("XN--a-\u00fc.x.com", "half in its xn-- form"),
    ("xn--b-yq0i.x.com", "cannot hold"),  # encodes a full-width letter
    (f"{'a' * 64}.x.com", "at most 63"),
    ("\u00fc\u4e00" * 31 + ".x.com", "at most 63"),
    (f"{'a.' * 126}com", "at most 253"),
    ("b\u00fccher." * 30 + "example", "at most 253"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=[repr(text)[:30] for text, _reason in REFUSED])
def test_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse(text)
    assert reason in caught.value.reason
    assert str(caught.value).endswith(caught.value.reason)
    assert str(caught.value).isprintable()


def test_accepted_beside_what_is_refused() -> None:
    texts = [
        "co.uk",
        "a.co.uk",
        "*.a.co.uk",
        "*.org.example",
        "*.x.com",
        "a" * 63 + ".x.com",
        "a.b-c.x.com",
        "1.x.com",
        "3com.x.com",
    ]
    assert [parse(text).text for text in texts] == texts
    assert len(parse(f"{'a.' * 124}x.com").text) == 253


def test_megabytes_are_refused_at_once_and_quoted_in_short() -> None:
    for text in ["a" * 5_000_000, "*." * 2_000_000, "\u00fc" * 5_000_000, "\n" * 5_000_000, "1:" * 1_000_000]:
        before = time.process_time()
        with pytest.raises(PatternError) as caught:
            parse(text)
        assert time.process_time() - before < 0.2
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("value", [None, True, 5, b"x.com", ["x.com"]])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(PatternError, match="expected text"):
        parse(value)  # type: ignore[arg-type]


def test_the_quoted_text_cannot_fool_a_terminal() -> None:
    with pytest.raises(PatternError) as caught:
        parse('x\x1b[31m\u202e"\\.com')
    assert str(caught.value).startswith('"x\\x1b[31m\\u202e\\"\\\\.com" is not')
