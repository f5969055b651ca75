# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile entries through all drivers: what the appliance then lets through, by the rules of its vendor.

Squid and the packet filter themselves are asked in test_hostile_squid.py and test_hostile_dnsmasq.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import corpus
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.tests.emulators.panos.traffic import Flow
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Client
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.conftest import HOSTS, started
from ansible_collections.egress.allowlist.tests.unit.plugins.plugin_utils.test_feed_dialects import READERS
from hypothesis import given

FIRST = "always.corp.example"
Asked = Callable[[str], Any]


@pytest.fixture(params=HOSTS)
def host(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with started(HOSTS[request.param], tmp_path, monkeypatch) as one:
        vars(one)["kind"] = request.param
        yield one


def refused(host: Any, *entries: Any, **options: Any) -> str:
    """Why a run was refused, "" where it was not; the words must be fit to be shown."""
    try:
        host.run(*entries, **options)
    except AllowlistError as error:
        assert not corpus.is_told_well(str(error)), str(error)[:300]
        return str(error) or "no reason"
    return ""


def met(host: Any) -> Asked:
    """What the appliance does with a name now."""
    if host.kind == "panos":
        return lambda name: (host.panos.verdict(Flow(name)), host.panos.verdict(Flow(name, port=80)))
    if host.kind == "zia":
        reader = host.zia.reader()
        return lambda name: tuple(reader.decide(f"{scheme}://{name}/", Client()) for scheme in ("http", "https"))
    if host.kind == "fortios":
        lines = [line for lines in host.fortios.store.feeds.values() for line in lines]
        return lambda name: any(READERS["fortios_category"](line, name) for line in lines if "/" not in line)
    if host.kind == "nftables":
        text = "\n".join(host.files().values())
        domains = {one for found in re.findall(r"^nftset=/(\S+)/", text, re.MULTILINE) for one in found.split("/")}
        return lambda name: any(name == one or name.endswith(f".{one}") for one in domains)
    return lambda _name: False  # the running program is asked


def test_no_driver_breaks_on_an_item(host, tally) -> None:
    for item in corpus.ITEMS:
        refused(host, FIRST, item, state="rendered", widen="any", default_ports=["tcp/443"])
        tally(host.kind)


@corpus.generated(150)
@given(item=corpus.ANY_ITEM)
def test_no_driver_breaks_on_any_item(host, tally, item) -> None:
    refused(host, FIRST, item, state="rendered", widen="any", default_ports=["tcp/443"])
    tally(f"{host.kind}, generated")


@pytest.mark.parametrize("widen", ["none", "any"])
def test_no_name_is_let_through_that_nobody_asked_for(host, tally, widen) -> None:
    options = {"widen": widen, "narrow": "any"}
    patterns = acceptable(host, corpus.accepted_texts(), options)
    if host.kind == "nftables" and widen == "none":
        assert not patterns  # it holds addresses, so no name is ever exact
        return
    assert len(patterns) > 40
    names = corpus.questions(patterns)
    before = {name: met(host)(name) for name in names}
    told = host.run(*patterns, **options)["translation"]
    written = "\n".join([*host.files().values(), host.running])
    assert not re.search(r"[^\n\t -~]", written)
    asks = met(host)
    held = 0
    for name in names:
        if asks(name) == before[name]:
            continue
        held += 1
        wanted = any(corpus.asked(pattern, name) for pattern in patterns)
        assert wanted or is_told(name, told, widen), name
    tally(host.kind, len(names))
    assert held > 100 or host.kind == "squid"
    with host.guarded(_read_only()):
        assert not host.run(*patterns, **options)["changed"]


def acceptable(host: Any, patterns: list[str], options: dict[str, Any]) -> list[str]:
    """Those that a run takes: with ``widen: none`` each that gains something has to go, and then what stood by it."""
    while options["widen"] == "none" and patterns:
        told = host.run(*patterns, state="rendered", **options)["translation"]
        wider = {one["entry"].split()[1] for one in told if one["gained"] or not one["written"]}
        if not wider:
            break
        gaining = {one["entry"] for one in told if one["gained"]}
        if gaining:
            with pytest.raises(AllowlistError, match=f"cannot express {len(gaining)} of the entries"):
                host.run(*patterns, **options)
        patterns = [pattern for pattern in patterns if pattern not in wider]
    return patterns


def is_told(name: str, told: Sequence[dict[str, Any]], widen: str) -> bool:
    """Whether the answer said that this name is let through too."""
    for one in told:
        pattern = one["entry"].split()[1]
        base = pattern.rpartition("*")[2].partition(".")[2] or pattern
        if one["gained"] and (name == base or name.endswith(f".{base}")):
            return widen == "any"
    return False


def _read_only() -> Any:
    from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.host import ReadOnly  # noqa: PLC0415

    return ReadOnly()
