# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Feeds as the appliances read them: readers written from the vendors' words, beside the pattern core.

What the text lets through is what the entries say, but for what a verdict tells, and never more than that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.filter.feed import feed
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse
from hypothesis import example, given, settings
from hypothesis import strategies as st

BASES = ("x.example", "y.x.example", "z.example")
LABELS = ("a", "cdn", "acdn", "b", "y", "ab")
STARRED = ("*", "*cdn", "a*", "*a*", "a*b")


def tokens(pattern: Sequence[str], labels: Sequence[str]) -> bool:
    """Tokens of PAN-OS: * is one or more, ^ exactly one."""
    if not pattern:
        return not labels
    if not labels:
        return False
    if pattern[0] == "*":
        return tokens(pattern[1:], labels[1:]) or tokens(pattern, labels[1:])
    return pattern[0] in ("^", labels[0]) and tokens(pattern[1:], labels[1:])


def panos_url(line: str, name: str) -> bool:
    assert line.endswith("/"), "open on the right side"
    assert all(token in ("*", "^") or not {"*", "^"} & set(token) for token in line[:-1].split("."))
    assert "*.*" not in line
    return tokens(line[:-1].split("."), name.split("."))


def below(line: str, name: str) -> bool:
    assert "*" not in line[1:]
    return name.endswith(line[1:]) and name != line[2:] if line.startswith("*.") else line == name


def below_and_itself(line: str, name: str) -> bool:
    return below(line, name) or line == "*." + name


def fortios(line: str, name: str) -> bool:
    """A star at the beginning stands for any text, dots included."""
    assert "*" not in line[1:]
    return below_and_itself(line, name) or (line.startswith("*") and line[1] != "." and name.endswith(line[1:]))


def regex(line: str, name: str) -> bool:
    return re.search(line, name) is not None


def cpl(line: str, name: str) -> bool:
    if line.startswith(("define", "end")):
        return False
    match = re.fullmatch(r"  url\.host\.(exact|suffix|regex)=(\S+) url\.port=(?:80|443)", line)
    assert match is not None, line
    test, value = match[1], match[2].strip('"')
    return {"exact": name == value, "suffix": name.endswith(value), "regex": re.search(value, name) is not None}[test]


READERS: dict[str, Callable[[str, str], bool]] = {
    "panos_url": panos_url,
    "panos_domain": below,
    "fortios_category": fortios,
    "checkpoint_network_feed": below_and_itself,
    "proxysg_cpl": cpl,
    "domains": below,
    "hosts_regex": regex,
}


def test_every_dialect_of_names_has_a_reader() -> None:
    from ansible_collections.egress.allowlist.plugins.plugin_utils._feed import DIALECTS  # noqa: PLC0415

    assert set(READERS) == {name for name, dialect in DIALECTS.items() if dialect.hosts}


def joined(labels: Sequence[str], base: str) -> str:
    return ".".join([*labels, base])


PATTERNS = st.builds(joined, st.lists(st.sampled_from((*LABELS, *STARRED, "*")), max_size=3), st.sampled_from(BASES))
NAMES = st.builds(joined, st.lists(st.sampled_from((*LABELS, "acdnb", "xcdn")), max_size=4), st.sampled_from(BASES))
LISTS = st.lists(PATTERNS, min_size=1, max_size=6, unique=True)
EVIL = ("evilx.example", "x.example.evil.example", "acdn.x.example.evil", "example")


def read(dialect: str, entries: Sequence[str], **options: Any) -> tuple[list[str], dict[str, str]]:
    """The lines, and what became of each entry that is not exact."""
    full = feed([*entries, "always.example"], dialect=dialect, output="full", **options)
    lines = [line for line in full["text"].splitlines() if not line.startswith(("#", ";"))]
    return lines, {one["entry"].split()[1]: one["verdict"] for one in full["translation"]}


def said(patterns: Sequence[Pattern], verdicts: dict[str, str], kinds: Sequence[str]) -> list[Pattern]:
    return [pattern for pattern in patterns if verdicts.get(pattern.text) in kinds]


@pytest.mark.parametrize("dialect", READERS)
@settings(max_examples=150, deadline=None)
@given(entries=LISTS, names=st.lists(NAMES, max_size=12), bare=st.booleans())
@example(entries=["*cdn.x.example", "b.a.x.example"], names=["b.a.x.example", "acdn.x.example"], bare=False)
@example(entries=["a.*.x.example", "*.x.example"], names=["x.example", "a.b.x.example"], bare=True)
@example(entries=["*.*.x.example"], names=["a.x.example", "b.a.x.example"], bare=False)
def test_the_text_lets_through_what_the_entries_say_and_the_verdicts_tell(dialect, entries, names, bare) -> None:
    patterns = [parse(text) for text in {parse(text).text: text for text in entries}]
    names = [*names, *EVIL, *BASES, *(text.replace("*", "a") for text in entries)]
    for options in ({"widen": "any"}, {"unsupported": "skip", "widen": "none" if bare else "apex"}):
        lines, verdicts = read(dialect, entries, **options)
        for name in names:
            wanted = [pattern for pattern in patterns if pattern.matches(name)]
            let_through = any(READERS[dialect](line, name) for line in lines)
            if wanted and not let_through:
                lost = said(wanted, verdicts, ("narrower", "impossible"))
                assert lost == wanted, (name, lines)
                assert "unsupported" in options
            if let_through and not wanted:
                gained = said(patterns, verdicts, ("broader",))
                assert any(name == one.base or name.endswith("." + one.base) for one in gained), (name, lines, verdicts)
                if "unsupported" in options:
                    assert not bare
                    assert name in [one.base for one in gained if one.is_subtree], (name, lines)
