# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All hostile entries that are accepted, in one list on the running Squid, and thousands of names near to them."""

from __future__ import annotations

import ipaddress
import json
import random
from collections.abc import Iterator
from typing import Any

import corpus
import inlab
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from inlab import ask, connect, get

MOST = int(2000 * max(corpus.SCALE, 0.1))


@pytest.fixture
def squid() -> Iterator[inlab.Squid]:
    proxy = inlab.Squid()
    proxy.run(state="deleted")
    yield proxy
    proxy.run(state="deleted")


@pytest.fixture
def patterns(squid: inlab.Squid) -> list[str]:
    """The whole corpus, as the module takes it; what it refuses is refused before anything is written."""
    found = corpus.accepted_texts()
    before = squid.files()
    for text in ("a.corp.example\nacl all src all", "*", "*.co.uk", "a b.example", "\u202eevil.example", "0.0.0.0/0"):
        answer = squid.run(entries=[*found, text], fails=True)
        assert f"entries[{len(found)}]" in answer["msg"]
        assert not corpus.is_told_well(answer["msg"])
    assert squid.files() == before
    answer = squid.run(entries=found)
    assert answer["translation"] == []
    assert not squid.run(entries=found)["changed"]
    return found


def test_the_running_squid_allows_what_was_asked_for_and_nothing_beside_it(squid, patterns, tally) -> None:
    seed = random.randrange(2**32)
    print(f"names drawn with seed {seed}")
    names = corpus.questions(patterns)
    some = random.Random(seed).sample(names, min(len(names), MOST))
    wanted = {name: any(corpus.asked(pattern, name) for pattern in patterns) for name in some}
    assert 100 < sum(wanted.values()) < len(some)
    answers = ask("desktop1", [*map(connect, some), *map(get, some)])
    wrong = {}
    for name in some:
        tunnel, plain = answers[name].connect, answers[f"{name}/"].status
        tally("squid", 2)
        if (tunnel == 200) != wanted[name] or (plain == 200) != wanted[name]:
            wrong[name] = (tunnel, plain, answers[name].error)
    assert not wrong, f"seed {seed}: {dict(list(wrong.items())[:10])}"


def test_the_running_squid_is_not_taken_in_by_a_disguise(squid, patterns, tally) -> None:
    asks = [one for name in _names(patterns) for one in _disguises(name)]
    before = len(_met())
    answers = ask("desktop1", asks)
    tally("squid", len(asks))
    assert not {name: one for name, one in answers.items() if (one.connect, one.status) == (200, 200)}
    # Some are odd names below a name of the list, whose owner answers for them: what counts is who was asked.
    servers = {line["server"] for line in _met()[before:] if line["event"] == "http"}
    assert not [name for name in servers if not any(corpus.asked(pattern, name) for pattern in patterns)]
    assert not [name for name in servers if name.endswith(corpus.EVIL)]


def test_a_name_in_other_letters_is_the_same_name(squid, patterns, tally) -> None:
    names = [name.upper() for name in _names(patterns)]
    answers = ask("desktop1", [*map(connect, names), *map(get, names)])
    wrong = {name: one for name, one in answers.items() if 200 not in (one.connect, one.status)}
    tally("squid", 2 * len(names))
    assert not wrong, dict(list(wrong.items())[:10])


def _met() -> list[dict[str, Any]]:
    """What the internet has seen."""
    text = (inlab.LAB / "logs" / "internet" / "web" / "requests.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _names(patterns: list[str]) -> list[str]:
    """One name for each entry."""
    found = {name for name in (pattern.replace("*", "q") for pattern in patterns) if corpus.is_name(name)}
    return sorted(found)[:: max(1, int(2 / corpus.SCALE))]


def _disguises(name: str) -> Iterator[dict[str, Any]]:
    """Requests for another server, or another port, in which the name stands somewhere."""
    evil = corpus.EVIL
    for number, char in enumerate(("@", "#", "?", "/", "\\", ";", ":80@", "%40", "%2f", "%00", "\t", "&", "%23@")):
        yield connect(f"{name}{char}{evil}", sni=evil, ident=f"{name} connect {number}")
        yield get(name, at=f"{char}{evil}" if "@" in char else f".{evil}/{char}", ident=f"{name} get {number}")
        yield get(evil, at="" if "@" in char else f"{char}{name}", ident=f"{evil} {number} {name}")
    yield connect(name, port=8443, ident=f"{name} port")
    yield connect(f"{name}.{evil}", ident=f"{name} below")
    yield connect(evil, sni=name, ident=f"{name} as sni")
    yield connect("198.18.0.1", sni=name, ident=f"{name} as sni of an address")


def test_networks_are_held_as_they_are(squid, tally) -> None:
    networks = []
    for text in corpus.NETWORKS:
        try:
            networks += normalise([text])
        except AllowlistError:
            continue
    held = sorted(entry.value for entry in networks if entry.type == "network")
    assert len(held) > 8
    answer = squid.run(entries=held, default_ports=["tcp/443"])
    after = {ipaddress.ip_network(line.split()[1]) for line in answer["after"]}
    assert after <= {ipaddress.ip_network(text) for text in held}
    for network in map(ipaddress.ip_network, held):
        assert any(one.version == network.version and network.subnet_of(one) for one in after)  # type: ignore[arg-type]
    tally("squid", len(held))
