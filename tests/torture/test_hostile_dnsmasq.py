# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All hostile entries that are accepted, on the real packet filter and the real dnsmasq: who is reached, who is not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import corpus
import inlab
import pytest
from inlab import on, reach

MOST = int(1500 * max(corpus.SCALE, 0.1))
RESOLVE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def ask(name):
    try:
        return [name, socket.getaddrinfo(name, 443, socket.AF_INET)[0][4][0]]
    except OSError:
        return [name, ""]
with ThreadPoolExecutor(20) as pool:
    json.dump(dict(pool.map(ask, json.load(sys.stdin))), sys.stdout)
"""


@pytest.fixture
def firewall() -> Iterator[inlab.Firewall]:
    host = inlab.Firewall()
    host.run(state="deleted")
    yield host
    host.run(state="deleted")


def test_no_server_is_reached_that_nobody_asked_for_and_that_was_not_told(firewall, tally) -> None:
    patterns = corpus.accepted_texts()
    answer = firewall.run(entries=patterns, widen="any", narrow="any")
    assert not firewall.run(entries=patterns, widen="any", narrow="any")["changed"]
    held = [one["entry"].split()[1] for one in answer["translation"] if one["written"]]
    domains = {pattern.rpartition("*")[2].partition(".")[2] or pattern for pattern in held}
    seed = random.randrange(2**32)
    print(f"names drawn with seed {seed}")
    names = corpus.questions(patterns)
    some = random.Random(seed).sample(names, min(len(names), MOST))
    addresses = json.loads(on("desktop3", "python3", "-I", "-c", RESOLVE, stdin=json.dumps(some)))
    asks = [(address, 443) for address in addresses.values() if address]
    assert len(asks) > len(some) * 0.9
    inlab.await_internet()
    met = {address: outcome for (address, _port), outcome in reach("desktop3", asks).items()}
    for name, address in addresses.items():
        tally("nftables")
        if not address:
            continue
        below = any(name == domain or name.endswith(f".{domain}") for domain in domains)
        if any(corpus.asked(pattern, name) for pattern in held):
            assert met[address] == "open", f"{name} is {met[address]} (seed {seed})"
        elif not below:
            assert met[address] == "timeout", f"{name} is {met[address]} (seed {seed})"
