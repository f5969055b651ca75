# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a PAC script decides is what the entries say, in every engine of JavaScript that is here."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._labels import name_labels
from ansible_collections.egress.allowlist.plugins.module_utils._pac_tokens import tokens
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_snapshot
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_script import Rule, Settings, pac_script
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Served
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_catalog import Narrowed, build
from ansible_collections.egress.allowlist.tests.unit.pac_engines import (
    AskedError,
    Engine,
    Node,
    Questions,
    ours,
    pypac,
)
from ansible_collections.egress.allowlist.tests.unit.pac_questions import (
    HOSTS,
    LISTS,
    ODD,
    PATHS,
    PORTS,
    SCHEMES,
    USERS,
    Question,
    disguises,
    holds,
    holds_address,
    is_asked_in_earnest,
    questions,
    swarms,
)
from dukpy import JSRuntimeError  # type: ignore[import-untyped]
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypac.parser import MalformedPacError  # type: ignore[import-untyped]

ALLOWED, OTHERS, PLAIN = "DIRECT", "PROXY proxy.example.com:8080", "PROXY plain.example.com:8080"
unhurried = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with Node() as running:
        yield running


def engines(node: Node) -> dict[str, Engine]:
    return {"node": node, "pypac": pypac, "ours": ours}


def script(entries: Sequence[Entry], rules: Sequence[Rule] = (), *, resolve: bool = False) -> str:
    return pac_script(entries, Settings("mmd", ALLOWED, OTHERS, PLAIN, rules, resolve))


def expected(entries: Sequence[Entry], question: Question, rules: Sequence[Rule] = ()) -> str:
    for rule in rules:
        if holds(rule.entries, question, any_port=True):
            return rule.to
    if holds(entries, question):
        return ALLOWED
    return PLAIN if is_plain(question.host) else OTHERS


def is_plain(host: str) -> bool:
    labels = name_labels(host)
    return labels is not None and len(labels) == 1


def drawn(data: st.DataObject, entries: Sequence[Entry]) -> list[Question]:
    """Many that are near to a few of the entries, and some of all kinds."""
    mixed = data.draw(st.lists(questions(entries).filter(is_asked_in_earnest), min_size=6, max_size=12))
    near = data.draw(st.lists(swarms(entries), min_size=2, max_size=3))
    return [*mixed, *(question for swarm in near for question in swarm)]


def agreed(node: Node, text: str, asked: Sequence[Question], right: Sequence[str], *, ours_each: int = 1) -> None:
    """Our own engine is by far the slowest: it may be asked each so many of the questions only."""
    pairs: Questions = [question.pair for question in asked]
    for name, engine in engines(node).items():
        some = slice(None, None, ours_each if name == "ours" else 1)
        wrong = [
            (name, pair, told, wanted)
            for pair, told, wanted in zip(pairs[some], engine(text, pairs[some]), right[some], strict=True)
            if told != wanted
        ]
        assert not wrong, wrong[:5]


@unhurried
@given(st.data(), LISTS)
def test_every_engine_says_what_the_entries_say(node, data: st.DataObject, entries: list[Entry]) -> None:
    asked = drawn(data, entries)
    agreed(node, script(entries), asked, [expected(entries, question) for question in asked])


@unhurried
@given(st.data(), st.lists(LISTS, min_size=1, max_size=2), LISTS)
def test_rules_come_first_in_their_order(node, data: st.DataObject, lists: list[list[Entry]], entries) -> None:
    rules = [Rule(held, f"PROXY rule{number}.example.com:80") for number, held in enumerate(lists)]
    every = [*entries, *(entry for held in lists for entry in held)]
    asked = drawn(data, every)
    right = [expected(entries, question, rules) for question in asked]
    agreed(node, script(entries, rules), asked, right, ours_each=5)


ADDRESSES = ("198.51.100.7", "198.51.100.6", "192.0.2.1", "2001:db8:1::c633:6407", "2001:DB8:1::C633:6405", "::1")


@unhurried
@given(st.data(), LISTS, st.lists(st.sampled_from(ADDRESSES), max_size=3))
def test_names_that_are_resolved_need_all_their_addresses(node, data, entries: list[Entry], told: list[str]) -> None:
    host = "unheard-of.other.example"
    asked = [Question(host, scheme, data.draw(st.sampled_from([None, 8080]))) for scheme in ("https", "http")]
    right = [
        ALLOWED if told and all(holds_address(entries, one, question) for one in told) else OTHERS for question in asked
    ]
    text = script(entries, resolve=True)
    pairs = [question.pair for question in asked]
    for name, engine in engines(node).items():
        assert engine(text, pairs, {host: ";".join(told)}) == right, name


# One host for each kind of port, and for a path; with which they are asked in every way that there is.
BY_PORT = [("none", []), ("ftp", ["tcp/21"]), ("http", ["tcp/80"]), ("https", ["tcp/443"]), ("all", ["tcp/1-65535"]),
           ("many", ["tcp/8079-8090", "udp/443"])]  # fmt: skip


def test_every_way_to_write_a_url(node) -> None:
    items = [{"value": f"{name}.example.com", "ports": ports} for name, ports in BY_PORT]
    entries = normalise([*items, {"value": "path.example.com", "path": "/p.txt"}])
    hosts = [entry.value for entry in entries]
    ways = list(product(hosts, SCHEMES, sorted({port or 0 for port in PORTS}), sorted(set(USERS)), PATHS))
    chance = random.Random(6)
    asked = [Question(host, scheme, port or None, *rest) for host, scheme, port, *rest in chance.sample(ways, 12000)]
    right = [expected(entries, question) for question in asked]
    assert node(script(entries), [question.pair for question in asked]) == right
    agreed(node, script(entries), asked[:500], right[:500])


def merged() -> list[Entry]:
    """The document's catalog, and the list of the web service that comes with the collection."""
    day = dt.date(2026, 1, 1)
    service = build(Served(_ws_snapshot.load("worldwide")), Narrowed(), grace=0, today=day)
    request = Request(tenant="contoso", uncertain="include")
    return [one for one in select([load("mmd"), service], request).entries if one.type == "host" or one.ports]


def witnesses() -> list[str]:
    return sorted({name for names in load("mmd").witnesses.values() for name in names})


def test_the_catalogs_with_all_their_names_and_what_looks_like_them(node) -> None:
    entries = merged()
    assert len(entries) > 500
    names = [entry.value.replace("*", "w") for entry in entries if entry.type == "host"] + witnesses()
    hosts = [host for name in names for host in disguises(name)]
    hosts += [str(entry.network[at]) for entry in entries if entry.type == "network" for at in (0, -1)]
    chance = random.Random(6)
    hosts = chance.sample(hosts, 4000)
    asked = [
        Question(host, chance.choice(["https", "http"]), chance.choice([None, None, 443, 8443]), chance.choice(USERS),
                 chance.choice(PATHS), f"[{host}]" if ":" in host else "")
        for host in hosts
    ]  # fmt: skip
    right = [expected(entries, question) for question in asked]
    assert {ALLOWED, OTHERS} <= set(right)
    text = script(entries)
    pairs = [question.pair for question in asked]
    assert node(text, pairs) == right
    some = sorted(chance.sample(range(len(pairs)), 400))
    for engine in (pypac, ours):
        assert engine(text, [pairs[at] for at in some]) == [right[at] for at in some]


@pytest.mark.parametrize("host", ODD)
def test_what_is_no_host_never_stops_the_script(node, host: str) -> None:
    entries = normalise(["*.example.com", {"value": "198.51.100.0/24", "ports": ["tcp/443"]}])
    told = [engine(script(entries), [(f"https://{host}/", host)]) for engine in engines(node).values()]
    assert told[0][0] in (OTHERS, PLAIN)
    assert told[1:] == told[:1] * 2


def test_what_a_url_says_beside_its_host_allows_nothing(node) -> None:
    entries = normalise(["login.live.com"])
    for url in (
        "http://login.live.com@evil.example/", "http://evil.example/#@login.live.com", "http://evil.example?login.live.com",
        "http://login.live.com:443@evil.example:443/", "http://evil.example\\@login.live.com/",
    ):  # fmt: skip
        agreed_on = {engine(script(entries), [(url, "evil.example")])[0] for engine in engines(node).values()}
        assert agreed_on == {OTHERS}, url


@settings(deadline=None)
@given(st.lists(HOSTS, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_the_same_entries_in_any_order_give_the_same_bytes(items: list[dict[str, object]], chance) -> None:
    mixed = chance.sample(items, len(items))
    assert script(normalise(mixed)) == script(normalise(items))
    assert script(normalise(items)).isascii()


def test_the_tables_are_in_the_order_of_the_entries() -> None:
    """Whose order is the same in each process, which that of a set is not."""
    entries = normalise([f"host{number}.example.com" for number in range(30)])
    text = script(entries)
    places = [text.index(f'".{entry.value}"') for entry in entries]
    assert places == sorted(places)


HOSTILE = (
    "</script>", "*/ throw 1; /*", "\u2028throw 1;", "\u2029throw 1;", "\rthrow 1;", '";throw 1;//', "\\u000athrow 1"
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("place", ["name", "version", "sources"])
def test_what_the_head_tells_stays_in_its_line(node, place: str, text: str) -> None:
    """Or it is refused, since it is no line."""
    entry = {"value": "a.example.com", "sources": [text if place == "sources" else "mmd"]}
    options = {place: text} if place != "sources" else {}
    try:
        made = pac([entry], allowed=ALLOWED, default=OTHERS, **options)
    except AnsibleFilterError as error:
        assert place in str(error)
        return
    assert made.isascii()
    agreed(node, made, [Question("a.example.com"), Question("b.example.com")], [ALLOWED, OTHERS])


# Words that came after ES3, or that old engines take for syntax where others see a name.
TOO_NEW = frozenset(
    "let const class extends super import export yield enum get set of async await static JSON Promise Symbol Map Set"
    " forEach map filter every some reduce trim keys create isArray bind includes startsWith endsWith padStart repeat"
    " defineProperty freeze now codePointAt flat from assign entries values __proto__ __defineGetter__".split()
)
# What is looked into by number or key: none of these is a text, since ES3 has no characters by number.
INDEXED = frozenset(
    "EGRESS_LISTS EGRESS_PORTS parts exact shaped below networks ports ranges numbers found bytes halves left groups"
    " addresses shapes tail lengths written".split()
)


def everything() -> str:
    """A script with all that a script can have."""
    rules = [Rule(normalise(["*.corp.example.com", {"value": "10.0.0.0/8", "ports": ["tcp/443"]}]), "DIRECT")]
    more = normalise(["*cdn.x.example", {"value": "a.*.x.example", "path": "/p.txt"}, "*.*.x.example"])
    return script([*merged(), *more], rules, resolve=True)


def test_it_is_es3() -> None:
    found = tokens(everything())
    for before, word, after in zip(found, found[1:], found[2:], strict=False):
        assert word.kind != "template" and word.value not in ("=>", "..."), word
        assert word.kind not in ("name", "keyword") or word.value not in TOO_NEW, word
        assert not (word.value == "," and after.value in ("]", "}", ")")), f"a comma too many in line {word.line}"
        assert not (before.value == "." and word.kind == "keyword"), f"{word.value} as a property, line {word.line}"
        if word.kind == "keyword" and after.value == ":":
            assert before.value == "?", f"{word.value} as a key, line {word.line}"
        if word.kind == "mark" and word.value == "[" and before.kind == "name" and not word.breaks:
            assert before.value in INDEXED, f"is {before.value} a text? line {word.line}"


def test_its_regular_expressions_are_es3() -> None:
    regexes = [token for token in tokens(everything()) if token.kind == "regex"]
    assert len(regexes) > 5
    for regex in regexes:
        body, flags = regex.value
        assert set(flags) <= set("gim"), regex
        assert not re.search(r"\(\?(?![:=!])|\\[pk]|\\u\{", body), regex


def test_the_sandbox_of_node_finds_what_es3_does_not_have(node) -> None:
    for later in ("[1].indexOf(1)", "JSON.stringify(1)", "' a '.trim()", "Object.keys({})", "[].forEach(String)"):
        told = node(f"function FindProxyForURL() {{ return {later} }}", [("x", "y")])
        assert told[0].startswith("throws"), later


@pytest.mark.parametrize("name", ["dnsResolve", "isInNet", "myIpAddress", "isResolvable"])
def test_engines_find_out_who_asks_dns(node, name: str) -> None:
    text = f"function FindProxyForURL(url, host) {{ return String({name}(host, '192.0.2.0', '255.255.255.0')) }}"
    asked = [("http://a.example/", "a.example")]
    assert node(text, asked)[0].startswith("throws")
    for engine in (pypac, ours):
        with pytest.raises((AskedError, JSRuntimeError, MalformedPacError)):
            engine(text, asked)
