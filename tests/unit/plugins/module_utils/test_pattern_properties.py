# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pattern language by properties: what it decides about patterns agrees with what they match."""

from __future__ import annotations

import re
from itertools import chain, product
from operator import add

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._labels import label_covers, shortest_common
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import (
    Pattern,
    PatternError,
    PatternSet,
    minimal_cover,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

# How long one example takes says something about the machine only.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# Few letters, so that patterns meet; q stands in no pattern, so a star that becomes q is taken in by stars only.
GLOBS = st.text("ab*", min_size=1, max_size=5).filter(lambda label: "**" not in label)
LABELS = st.one_of(st.just("*"), st.sampled_from(["a", "b"]), GLOBS)
BASES = st.sampled_from(["x.com", "a.x.com", "b.a.x.com"])
PATTERNS = st.builds(lambda labels, base: parse(".".join([*labels, base])), st.lists(LABELS, max_size=4), BASES)
NAMES = st.builds(
    lambda labels, base: ".".join([*labels, base]), st.lists(st.text("abz", min_size=1, max_size=5), max_size=5), BASES
)


def names_of(pattern: Pattern) -> st.SearchStrategy[str]:
    """Names that the pattern stands for, straight from what each form means."""
    parts = [st.lists(st.text("abz", min_size=1, max_size=3), min_size=pattern.leading, max_size=pattern.leading + 2)]
    if not pattern.leading:
        parts = [st.just([])]
    parts += [label_texts(label).map(lambda text: [text]) for label in pattern.labels[pattern.leading :]]
    return st.tuples(*parts).map(lambda runs: ".".join(chain(*runs)))


def label_texts(label: str) -> st.SearchStrategy[str]:
    if label == "*":
        return st.text("abz", min_size=1, max_size=3)
    first, *others = label.split("*")
    runs = st.tuples(*(st.text("abz", max_size=3) for _star in others))
    return runs.map(lambda texts: first + "".join(map(add, texts, others)))


def fresh_names(pattern: Pattern) -> list[str]:
    """The names of the pattern with the fewest labels and one more, in which each star became a text of its own."""
    shortest = pattern.text.replace("*", "q")
    return [shortest, f"q.{shortest}"] if pattern.leading else [shortest]


@given(st.data(), PATTERNS)
def test_a_pattern_matches_its_names(data: st.DataObject, pattern: Pattern) -> None:
    assert pattern.matches(data.draw(names_of(pattern)))


@given(PATTERNS, NAMES)
def test_the_regular_expression_agrees_with_matches(pattern: Pattern, name: str) -> None:
    assert bool(re.search(pattern.regex(), name)) == pattern.matches(name)


@st.composite
def narrowed(draw: st.DrawFn) -> tuple[Pattern, Pattern]:
    """A pattern, and one in which some of its stars became less than a star is."""
    wide = draw(PATTERNS)
    labels = [draw(narrowed_label(label)) for label in wide.labels]
    more = draw(st.lists(LABELS, max_size=2)) if wide.leading else []
    return wide, parse(".".join(more + labels))


def narrowed_label(label: str) -> st.SearchStrategy[str]:
    if label == "*":
        return LABELS
    first, *others = label.split("*")
    runs = st.tuples(*(st.one_of(st.just("*"), st.text("abz", max_size=3), GLOBS) for _star in others))
    joined = runs.map(lambda texts: first + "".join(map(add, texts, others)))
    return joined.filter(lambda text: "**" not in text)


@given(st.data(), narrowed())
def test_a_narrowed_pattern_is_covered_and_so_are_its_names(data: st.DataObject, pair: tuple[Pattern, Pattern]) -> None:
    wide, narrow = pair
    assert wide.covers(narrow)
    assert wide.overlaps(narrow)
    assert wide.matches(data.draw(names_of(narrow)))


@given(st.data(), PATTERNS, PATTERNS)
def test_what_covers_matches_every_name(data: st.DataObject, wide: Pattern, narrow: Pattern) -> None:
    name = data.draw(names_of(narrow))
    assert wide.matches(name) or not wide.covers(narrow)


@given(st.one_of(st.tuples(PATTERNS, PATTERNS), narrowed().map(lambda pair: (pair[1], pair[0]))))
def test_what_does_not_cover_misses_a_name(pair: tuple[Pattern, Pattern]) -> None:
    wide, narrow = pair
    names = fresh_names(narrow)
    assert all(map(narrow.matches, names))
    assert wide.covers(narrow) == all(map(wide.matches, names))


@given(PATTERNS, PATTERNS)
def test_patterns_that_cover_each_other_are_equal(left: Pattern, right: Pattern) -> None:
    assert (left.covers(right) and right.covers(left)) == (left == right) == (left.text == right.text)


@given(PATTERNS, NAMES)
def test_a_name_is_covered_like_a_literal(pattern: Pattern, name: str) -> None:
    literal = parse(name)
    assert pattern.covers(literal) == pattern.overlaps(literal) == literal.overlaps(pattern) == pattern.matches(name)


@given(st.data(), PATTERNS, PATTERNS)
def test_a_common_name_is_an_overlap(data: st.DataObject, left: Pattern, right: Pattern) -> None:
    name = data.draw(names_of(left))
    assert left.overlaps(right) == right.overlaps(left)
    assert left.overlaps(right) or not right.matches(name)


@given(
    st.lists(st.sampled_from(["*", "a", "b", "a*", "*b"]), max_size=3),
    st.lists(st.sampled_from(["*", "a", "b", "a*", "*b"]), max_size=3),
)
def test_an_overlap_has_a_common_name(left_labels: list[str], right_labels: list[str]) -> None:
    left, right = (parse(".".join([*labels, "x.com"])) for labels in (left_labels, right_labels))
    runs = (product(["a", "b", "ab"], repeat=length) for length in range(4))
    names = [".".join([*run, "x.com"]) for group in runs for run in group]
    assert left.overlaps(right) == any(left.matches(name) and right.matches(name) for name in names)


@given(GLOBS, GLOBS)
def test_the_shortest_common_text_of_two_globs(left: str, right: str) -> None:
    texts = ("".join(run) for length in range(1, 7) for run in product("ab", repeat=length))
    found = next((len(text) for text in texts if label_covers(left, text) and label_covers(right, text)), None)
    common = shortest_common(left, right)
    assert found == (common if common is None or common <= 6 else None)


@given(st.data(), st.lists(PATTERNS, min_size=1, max_size=8))
def test_the_minimal_cover_matches_the_same_names(data: st.DataObject, patterns: list[Pattern]) -> None:
    cover = minimal_cover(patterns)
    assert cover == sorted(set(cover) & set(patterns))
    name = data.draw(names_of(data.draw(st.sampled_from(patterns))))
    assert any(kept.matches(name) for kept in cover)


@given(st.lists(PATTERNS, max_size=12))
def test_the_minimal_cover_drops_exactly_what_another_covers(patterns: list[Pattern]) -> None:
    unique = set(patterns)
    kept = {one for one in unique if not any(other != one and other.covers(one) for other in unique)}
    assert set(minimal_cover(patterns)) == kept


@given(st.lists(PATTERNS, max_size=12), PATTERNS, NAMES)
def test_the_set_agrees_with_its_patterns(patterns: list[Pattern], asked: Pattern, name: str) -> None:
    index = PatternSet(patterns)
    covering = {one for one in patterns if one != asked and one.covers(asked)}
    assert set(index.all_covering(asked)) == covering
    assert (index.covering(asked) in covering) if covering else (index.covering(asked) is None)
    matching = [one for one in patterns if one.matches(name)]
    assert (index.match(name) in matching) if matching else (index.match(name) is None)


@given(st.one_of(st.text(), st.text("aB1*.-_ \n\"'#$;\\/:xn\u200f\uff0eß", max_size=20)))
def test_any_text_is_canonical_or_refused_in_one_line(text: str) -> None:
    refusal = ""
    try:
        pattern = parse(text)
    except PatternError as error:
        refusal = str(error)
    if refusal:
        assert refusal.isprintable()
        assert len(refusal) < 600
    else:
        assert re.fullmatch(r"[a-z0-9*_.-]{1,253}", pattern.text)
        assert parse(pattern.text) == pattern
        assert parse(pattern.text.upper() + ".") == pattern


@given(st.text(st.characters(categories=["L", "M", "N"]), min_size=1, max_size=12))
def test_a_label_beyond_ascii_encodes_as_python_does(label: str) -> None:
    try:
        pattern = parse(f"{label}.example")
    except PatternError:
        return
    assert pattern.text == label.lower().encode("idna").decode("ascii") + ".example"


@pytest.mark.parametrize("pattern", ["*.x.com", "a.*.x.com", "*a*b*.x.com", "*.*cdn.x.com"])
@given(data=st.data())
def test_near_misses_never_match(pattern: str, data: st.DataObject) -> None:
    name = data.draw(names_of(parse(pattern)))
    host = name[: -len(".x.com")]
    for near in [f"{name}.evil.org", f"{host}.evil-x.com", f"{host}.evilx.com", f"{host}.x.com.evil.org", "x.com"]:
        assert not parse(pattern).matches(near)
