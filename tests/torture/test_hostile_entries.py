# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile entries: each is refused in plain words, or becomes what it says and nothing beside it, everywhere."""

from __future__ import annotations

import ipaddress
import json
import re
import time
from typing import Any

import corpus
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.egress.allowlist.plugins.filter.feed import feed
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse
from ansible_collections.egress.allowlist.plugins.plugin_utils._feed import DIALECTS
from ansible_collections.egress.allowlist.tests.unit.pac_engines import Node
from ansible_collections.egress.allowlist.tests.unit.plugins.plugin_utils.test_feed_dialects import READERS
from hypothesis import given

FIRST = "always.corp.example"
REFUSALS = (AllowlistError, AnsibleFilterError)
ALLOWED, OTHERS = "DIRECT", "PROXY proxy.example.com:8080"


def taken(item: object) -> Entry | None:
    """The entry that became of it; None where it was refused in words that can be shown."""
    started = time.process_time()
    try:
        entries = normalise([FIRST, item])
    except AllowlistError as error:
        assert time.process_time() - started < 1
        text = str(error)
        assert not corpus.is_told_well(text), text[:300]
        assert "entries[1]" in text, text[:300]
        return None
    assert time.process_time() - started < 1
    return next((entry for entry in entries if entry.value != FIRST), entries[0])


def text_of(item: object) -> str | None:
    """The text that an item is, or has; None for what can be no entry."""
    value = item.get("value") if isinstance(item, dict) else item
    return value if isinstance(value, str) else None


def judge(item: object) -> None:
    entry = taken(item)
    if entry is None:
        return
    text = text_of(item)
    assert text is not None, f"{item!r:.80} became {entry}"
    assert entry.value == corpus.asked_value(text), (text, entry.value)
    if entry.type == "network":
        network = ipaddress.ip_network(entry.value)
        assert network.prefixlen >= (8 if network.version == 4 else 19)
        return
    assert re.fullmatch(r"[a-z0-9_.*-]{1,253}", entry.value)
    assert entry.path is None or re.fullmatch(r"/[!-~]*", entry.path)
    pattern = parse(entry.value)
    for name in filter(corpus.is_name, corpus.near_names(entry.value)):
        assert pattern.matches(name) == corpus.asked(entry.value, name), (entry.value, name)


def test_the_corpus_is_refused_in_words_or_is_what_it_says(tally) -> None:
    for item in corpus.ITEMS:
        judge(item)
    tally("core", len(corpus.ITEMS))


@corpus.generated(2000)
@given(corpus.ANY_ITEM)
def test_any_item_is_refused_in_words_or_is_what_it_says(tally, item) -> None:
    judge(item)
    tally("core, generated")


# Lists and scripts that others fetch


def feed_of(items: list[Any], **options: Any) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = feed(items, output="full", **options)
    except REFUSALS as error:
        assert not corpus.is_told_well(str(error)), str(error)[:300]
        return None
    return found


@pytest.mark.parametrize("dialect", [*DIALECTS, "json"])
def test_no_dialect_breaks_on_an_item_or_writes_a_character_of_it_that_it_should_not(dialect, tally) -> None:
    for item in corpus.ITEMS:
        items = [FIRST, item, "198.51.100.0/24"]
        found = feed_of(items, dialect=dialect, unsupported="skip", default_ports=["tcp/443"])
        if found is not None and dialect != "json":
            assert re.fullmatch(r"[\n -~]*", found["text"]), found["text"][:300]
            assert found["lines"] <= 20
    tally(f"feed {dialect}", len(corpus.ITEMS))


@pytest.mark.parametrize("dialect", READERS)
@pytest.mark.parametrize("widen", ["none", "any"])
def test_no_dialect_lets_a_name_through_that_nobody_asked_for(dialect, widen, tally) -> None:
    patterns = corpus.accepted_texts()
    names = corpus.questions(patterns)
    found = feed(patterns, dialect=dialect, widen=widen, unsupported="skip", output="full")
    lines = [line for line in found["text"].splitlines() if not line.startswith(("#", ";"))]
    told = {one["entry"].split()[1] for one in found["translation"] if one["gained"] and one["written"]}
    assert widen == "any" or not told
    bases = [pattern.rpartition("*")[2].partition(".")[2] or pattern for pattern in told]
    for name in names:
        if any(READERS[dialect](line, name) for line in lines):
            is_told = any(name == base or name.endswith("." + base) for base in bases)
            assert is_told or any(corpus.asked(pattern, name) for pattern in patterns), (name, lines[:5])
    tally(f"feed {dialect}", len(names))


def test_no_pac_script_lets_a_name_through_that_nobody_asked_for(tally) -> None:
    for item in corpus.ITEMS:
        try:
            text = pac([FIRST, item], allowed=ALLOWED, default=OTHERS, default_ports=["tcp/443"])
        except REFUSALS as error:
            assert not corpus.is_told_well(str(error)), str(error)[:300]
            continue
        assert re.fullmatch(r"[\n -~]*", text)
    patterns = corpus.accepted_texts()
    names = corpus.questions(patterns)
    script = pac(patterns, allowed=ALLOWED, default=OTHERS)
    disguises = [(f"https://{name}/", name) for name in names]
    disguises += [(f"https://{name.upper()}/", name.upper()) for name in names[::7]]
    disguises += [(f"https://{corpus.EVIL}/{name}", corpus.EVIL) for name in names[::7]]
    disguises += [(f"https://{name}:8443/", name) for name in names[::7]]
    with Node() as node:
        answers = node(script, disguises)
    for (url, host), answer in zip(disguises, answers, strict=True):
        wanted = any(corpus.asked(pattern, host.lower()) for pattern in patterns) and ":8443" not in url
        assert (answer == ALLOWED) == wanted, (url, answer)
    tally("pac", len(corpus.ITEMS) + len(disguises))


@corpus.generated(400)
@given(corpus.ANY_ITEM)
def test_any_item_in_all_dialects(tally, item) -> None:
    tally("dialects, generated", len(DIALECTS))
    entry = taken(item)
    for dialect in DIALECTS:
        found = feed_of([FIRST, item, "203.0.113.0/24"], dialect=dialect, widen="any", default_ports=["tcp/443"])
        if found is None:
            continue
        assert entry is not None
        assert re.fullmatch(r"[\n -~]*", found["text"])
        if dialect not in READERS or entry.type != "host" or entry.path or entry.ports:
            continue
        told = [one for one in found["translation"] if one["gained"] and one["entry"].split()[1] == entry.value]
        for name in filter(corpus.is_name, corpus.near_names(entry.value)):
            lines = [line for line in found["text"].splitlines() if not line.startswith(("#", ";", "  url.address"))]
            if any(READERS[dialect](line, name) for line in lines):
                assert told or name == FIRST or corpus.asked(entry.value, name), (dialect, entry.value, name)


def test_json_of_the_feed_is_json(tally) -> None:
    found = feed(corpus.accepted_texts(), dialect="json")
    assert {entry["value"] for entry in json.loads(found)["entries"]} == set(corpus.accepted_texts())
    tally("feed json", len(corpus.accepted_texts()))
