# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile texts in every option of every driver: refused in words, or without a way out of their place."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._run import allowlist_argument_spec
from ansible_collections.egress.allowlist.tests.torture import corpus
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.conftest import HOSTS, started

FIRST = "always.corp.example"
# Entries have tests of their own; the host of the tests runs no dnsmasq but its stand-in.
LEFT_OUT = ("entries", "state", "dnsmasq_executable")
TEXTS = [
    "", " ", "x", "any", "all", "-", "--", "..", "/", "\n", "\0", "\x1b[31m", "\u202e", "'", '"', "\\", "`id`", "$(id)",
    "../../../etc/passwd", "/dev/zero", "a\nhttp_access allow all", "a'] | //x", "</member><member>any", "%00", "%s%n",
    "{{ 7*7 }}", "1" * 5000, "-1", "\ud800", "\uff0f", "a b", "a;b", "a/../b", "x" * 1_000_000, "\u202e" * 1_000_000,
    "before ", "before \n", "before " + "x" * 1_000_000, "after '", "location:", "location:\n", "http://", "https://[",
    "https://a@b", "https://\u2024.example", "http://127.0.0.1:99999", "127.0.0.1:0", "::", "[::1", "10.0.0.0/8\n",
]  # fmt: skip
BY_RISK: list[Any] = ["x" * 1_000_000, ["x"], [["x"]], {}, 16**9000]
OBJECTS: list[Any] = [
    None, [], "x", {"x": None}, {"x": 5}, {"x": ["a", "b"]}, {"x" * 1_000_000: "x"}, {"\n": "x"}, {"": ""},
    {"x": "\ud800"}, {"x": "x" * 1_000_000}, {1: 2}, {"place of x": "{}"}, {"../../x": "x"},
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "str": TEXTS, "path": TEXTS, "list": [[text] for text in TEXTS] + [[], [FIRST, ""], ["any", "any"]],
    "int": [-1, 0, 2**31, 2**63, 2**70], "bool": [True],
    "dict": [{}, {"x": "y"}, {"\n": "top"}, *({"security": text, "ssl": text, "policy": text} for text in TEXTS),
             *({"shared_hosting": value} for value in BY_RISK), {"x" * 1_000_000: []},
             *({"format": 1, "name": "mmd", "objects": value} for value in OBJECTS),
             {"format": "x" * 1_000_000}, {"format": corpus.nested(list, 5000)}, {"format": 1, "name": "x" * 10_000}],
}  # fmt: skip
OF_ALL_STATES = ("clients", "snapshot", "name")
PART = 0.5 * corpus.SCALE  # of them, in one run
LONGEST = 10  # seconds; a run waits for nothing here


@pytest.fixture(params=HOSTS)
def host(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with started(HOSTS[request.param], tmp_path, monkeypatch) as one:
        vars(one)["kind"] = request.param
        if request.param == "nftables":  # its stand-in takes an unknown program for one that changes things
            monkeypatch.setattr(one, "changes", lambda _words: False)
        yield one


def wrong(host: Any, state: str, option: str, value: Any) -> str:
    """What is wrong with a run of these options, "" for nothing."""
    began = time.monotonic()
    given: dict[str, Any] = {"entries": [FIRST], option: value}
    if state in ("gathered", "restored"):
        given.pop("entries")
    if state == "restored":
        given = {"snapshot": {}} | given
    try:
        host.run(state=state, check_mode=True, **given)
    except AllowlistError as error:
        if corpus.is_told_well(str(error)):
            return f"{corpus.is_told_well(str(error))}: {str(error)[:120]!r}"
    except Exception as error:  # noqa: BLE001  # each is a finding
        return f"{type(error).__name__}: {str(error)[:200]}"
    return f"{time.monotonic() - began:.1f} s" if time.monotonic() - began > LONGEST else ""


@pytest.mark.parametrize("state", ["replaced", "rendered", "restored"])
def test_every_option_takes_a_hostile_value_or_refuses_it_in_words(host, state, tally) -> None:
    spec = dict(allowlist_argument_spec(), **host.driver.argument_spec)
    before = host.state()
    found = []
    seed = random.randrange(2**32)
    print(f"values drawn with seed {seed}")
    drawn = random.Random(seed)
    for name, one in spec.items():
        if name in LEFT_OUT or "choices" in one or (state != "replaced" and name not in OF_ALL_STATES):
            continue
        values = VALUES[one.get("type", "str")]
        for value in drawn.sample(values, max(1, min(len(values), int(len(values) * PART)))):
            problem = wrong(host, state, name, value)
            if problem:
                found.append(f"{name}={shown(value)}: {problem}")
            tally(host.kind)
    assert host.state() == before
    assert not found, "\n".join([f"seed {seed}", *found])
