# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever happened before, in whatever order, one apply ends in the bytes of a clean apply.

What happens: the web service moves to another version, colleagues edit by hand, runs are killed, lists are taken away.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring, tostring

import inlab
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers import conftest as drivers
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.host import Guard, Host, Killed
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.zia_host import ZiaHost
from ansible_collections.egress.allowlist.tests.web_service.history import small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService
from appliances import PROGRAMS, InLab
from killing import killed, points

SEQUENCES = 500
ON_REAL_PROGRAMS = 12
STEPS = 6  # at most, before the last apply
Entries = list[Any]


@cache
def versions() -> list[Entries]:
    """What the lookup gives for each version of the web service."""
    found = []
    history = small_history()
    with WebService(history) as service:
        for version in history["Worldwide"]:
            service.publish(version)
            with tempfile.TemporaryDirectory() as folder:
                found.append(_looked_up(service.url, folder))
    return found


def _looked_up(url: str, cache_folder: str) -> Entries:
    variables = {"egress_web_service_url": url, "egress_cache_dir": cache_folder, "egress_grace": 0}
    query = "query('egress.allowlist.endpoints', catalog='microsoft_365', tenant='contoso')"
    words = ["ansible.builtin.debug", "-a", f"msg={{{{ {query} | to_json }}}}", "-e", json.dumps(variables)]
    done = inlab.ansible("ansible", "localhost", "-m", *words)
    text = re.search(r'"msg": (".*")', done.stdout)
    assert text is not None, done.stdout
    entries: Entries = json.loads(json.loads(text[1]))
    return entries


def without_order(state: Any) -> Any:
    """Objects in the order of their names: an API keeps them as they were made. Rules of others stay as they are."""
    if isinstance(state, dict):
        return {name: without_order(value) for name, value in state.items()}
    if isinstance(state, str) and state.startswith("<config"):
        root = fromstring(state)
        for path in ("address", "address-group", "service", "profiles/custom-url-category"):
            for table in root.iterfind(f".//{path}"):
                table[:] = sorted(table, key=lambda entry: entry.get("name", ""))
        return [line.strip() for line in tostring(root, encoding="unicode").replace("><", ">\n<").splitlines()]
    if not isinstance(state, list) or not all(isinstance(row, dict) for row in state):
        return state
    return _rows(state)


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rules, which have an order, with those of ours that stand together by their names; other rows by their names."""
    if not rows or "order" not in rows[0]:
        return sorted(rows, key=_name)
    found: list[dict[str, Any]] = []
    ordered = sorted(rows, key=lambda row: int(row["order"]))
    for ours, together in groupby(ordered, key=lambda row: _name(row).startswith("egress_")):
        group = list(together)
        found += sorted(group, key=_name) if ours else group
    return [{key: value for key, value in row.items() if key != "order"} for row in found]


def _name(row: dict[str, Any]) -> str:
    return str(row.get("configuredName") or row.get("name"))


class Appliance:
    """One host of the unit tests, and what a clean apply of each list leaves on it."""

    def __init__(self, host: Host, lists: list[Entries]) -> None:
        self.host = host
        self.lists = [[*host.old, *one] for one in lists]
        self._clean: dict[int, Any] = {}

    def apply(self, number: int) -> None:
        given: dict[str, Any] = {"max_shrink": 100, "widen": "any", "narrow": "any", "default_ports": ["tcp/443"]}
        if not isinstance(self.host, ZiaHost):  # whose lists hold no IPv6
            given["clients"] = ["10.20.0.0/24", "fd00:20::/64"]
        self.host.run(*self.lists[number], **given)

    def clean(self, number: int) -> Any:
        if number not in self._clean:
            self.settle()
            self.apply(number)
            self._clean[number] = self.state()
        return self._clean[number]

    def state(self) -> Any:
        return without_order(self.host.state())

    def settle(self) -> None:
        self.host.recover()
        self.host.run(state="deleted")

    # What happens

    def drift(self, chance: random.Random) -> None:
        change, _removed, _added = self.host.drifts[chance.choice(sorted(self.host.drifts))]
        with contextlib.suppress(Exception):  # what it would change is not there at the moment
            change(self.host)

    def killed(self, chance: random.Random, number: int) -> None:
        with contextlib.suppress(Killed, AllowlistError), self.host.guarded(Guard(chance.randint(1, 25))):
            self.apply(number)
        self.host.recover()

    def happen(self, chance: random.Random) -> str:
        number = chance.randrange(len(self.lists))
        word = chance.choice(["apply", "apply", "drift", "drift", "killed", "killed", "delete"])
        if word == "apply":
            with contextlib.suppress(AllowlistError):  # a drift may be in its way, and only `adopt` takes that over
                self.apply(number)
        elif word == "drift":
            self.drift(chance)
        elif word == "killed":
            self.killed(chance, number)
        else:
            with contextlib.suppress(AllowlistError):
                self.settle()
        return f"{word} {number}" if word in ("apply", "killed") else word


@pytest.fixture
def appliance(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Appliance]:
    with drivers.started(drivers.HOSTS[request.param], tmp_path, monkeypatch) as host:
        yield Appliance(host, versions())


@pytest.mark.parametrize("appliance", drivers.HOSTS, indirect=True)
def test_sequences(appliance: Appliance, seed: int, scale: float, tally: Any) -> None:
    kind = type(appliance.host).__name__.removesuffix("Host").lower()
    wrong: list[str] = []
    for number in range(max(3, round(SEQUENCES * scale))):
        chance = random.Random(f"{seed} {number}")
        last = chance.randrange(len(appliance.lists))
        wanted = appliance.clean(last)
        told = [appliance.happen(chance) for _unused in range(chance.randint(2, STEPS))]
        try:
            appliance.host.recover()
            appliance.apply(last)
            assert appliance.state() == wanted, "not the bytes of a clean apply"
        except (AssertionError, AllowlistError) as error:
            wrong.append(f"sequence {number} of seed {seed}: {', '.join(told)}, apply {last}: {str(error)[:1000]}")
            appliance.settle()
        tally(kind)
    assert not wrong, "\n".join(wrong[:5])


# On the real programs

BY_HAND: dict[str, list[str]] = {
    "squid": [
        "sed -i '$a evil.example' /etc/squid/egress_mmd/names_*.acl && squid -k reconfigure",
        "rm -f /etc/squid/conf.d/10-egress_mmd.conf && squid -k reconfigure",
        "echo '# mine' >> /etc/squid/conf.d/10-egress_mmd.conf",
    ],
    "nftables": [
        "nft delete table inet egress_mmd",
        "nft flush chain inet egress_mmd out",
        "nft add element inet egress_mmd networks4_allow_bypass '{ 192.0.2.0/24 . tcp . 443 }'",
        "sed -i '/live.com/d' /etc/dnsmasq.d/egress_mmd.conf",
        "kill \"$(cat /run/dnsmasq/dnsmasq.pid)\"",
    ],
}  # fmt: skip


@pytest.mark.parametrize("target", PROGRAMS, indirect=True)
def test_sequences_on_real_programs(target: InLab, seed: int, scale: float, tally: Any) -> None:
    chance = random.Random(seed)
    lists = [{"entries": [*target.old, *one], "max_shrink": 100} for one in versions()[:3]]
    clean, steps = [], []
    for wanted in lists:
        target.settle()
        done, found = points(target, wanted)
        assert done.answer()["changed"]
        clean.append(target.state())
        steps.append(found)
    for _unused in range(max(2, round(ON_REAL_PROGRAMS * scale))):
        told: list[str] = []
        for _step in range(chance.randint(2, STEPS)):
            number = chance.randrange(len(lists))
            script, point = chance.choice(BY_HAND[target.kind]), chance.choice(steps[number])
            deeds: dict[str, Callable[[], Any]] = {
                f"apply {number}": partial(target.run, lists[number]),
                f"by hand {script}": partial(inlab.on, target.host, "sh", "-c", script, check=False),
                f"killed {number} at {point}": partial(killed, target, lists[number], point),
                "delete": partial(target.run, {"state": "deleted"}),
            }
            told.append(chance.choice(list(deeds)))
            deeds[told[-1]]()
            target.recover()
        last = chance.randrange(len(lists))
        target.run(lists[last])
        assert target.state() == clean[last], f"seed {seed}: {told}, apply {last}"
        tally(target.kind)
