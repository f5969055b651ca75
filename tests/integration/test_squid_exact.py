# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole list on the real Squid: every name that it contains, and names that it just does not contain."""

from __future__ import annotations

import re
from typing import Any

import inlab
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse
from inlab import ACCESS_LOG, LOGIN, OUTSIDE_PROXY, Answer, ask, connect, get
from near_misses import near_misses, witnesses

PUBLIC = "Lab Public Intermediate CA"
COMPANY = "Example Company TLS Inspection CA"
ICAP_LOG = "/var/log/c-icap/access.log"


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    found = inlab.catalog_entries("proxy1")
    assert len(found) == 347
    return found


@pytest.fixture(scope="module")
def patterns(entries: list[dict[str, Any]]) -> list[Pattern]:
    return [parse(entry["value"]) for entry in entries if entry["path"] is None]


@pytest.fixture(scope="module")
def good(patterns: list[Pattern]) -> list[str]:
    return sorted({name for pattern in patterns for name in witnesses(pattern)})


@pytest.fixture(scope="module")
def bad(patterns: list[Pattern]) -> list[str]:
    found = near_misses(patterns)
    assert len(found) > 600
    return found


def _both(names: list[str]) -> list[dict[str, Any]]:
    return [connect(name) for name in names] + [get(name) for name in names]


def test_every_name_is_allowed_uninspected_and_unauthenticated_and_no_other(
    squid: inlab.Squid, entries: list[dict[str, Any]], good: list[str], bad: list[str]
) -> None:
    others = [f"www.{site}.example" for site in ("dropbox", "bank", "forbidden")]
    known = _both(bad + others)
    some = [connect(name) for name in bad[::10] + others]  # with a login each is looked into, which takes its time
    before, before_known = ask("desktop1", known), ask("desktop1", some, user=LOGIN)
    outside = _both(good)
    outside_before = ask("outsider", outside, proxy=OUTSIDE_PROXY)

    answer = squid.run(entries=entries)
    assert answer["changed"]
    assert len(answer["after"]) == 347
    assert answer["translation"] == []
    assert not squid.run(entries=entries)["changed"]

    access, icap = squid.log_length(ACCESS_LOG), squid.log_length(ICAP_LOG)
    reached = ask("desktop2", _both(good))
    wrong = {name: one for name, one in reached.items() if not _as_promised(one)}
    assert not wrong
    inspected = squid.log_since(ICAP_LOG, icap)
    assert inspected == ""
    log = squid.log_since(ACCESS_LOG, access)
    assert len(log.splitlines()) >= 2 * len(good)
    assert "icap_ms=-" in log
    assert not re.search(r"icap_ms=\d|bump=bump|user=demo", log)

    assert _without_noise(ask("desktop1", known)) == _without_noise(before)
    assert _without_noise(ask("desktop1", some, user=LOGIN)) == _without_noise(before_known)
    assert _without_noise(ask("outsider", outside, proxy=OUTSIDE_PROXY)) == _without_noise(outside_before)
    for name in bad:  # and what "as before" means: nothing without a login, and with one it is looked into
        assert before[name].connect == 407
        assert before[name + "/"].status == 407
    icap = squid.log_length(ICAP_LOG)
    known_now = ask("desktop2", [connect(name) for name in bad], user=LOGIN)
    by_site = {302, 503}  # its redirector
    redirected = {name for name, one in known_now.items() if {one.connect, one.status} & by_site}
    assert len(redirected) < 5
    assert {one.issuer for name, one in known_now.items() if name not in redirected} == {COMPANY}
    sent = squid.log_since(ICAP_LOG, icap)
    assert [name for name in bad if f"https://{name}/" not in sent and name not in redirected] == []


def _as_promised(one: Answer) -> bool:
    if one.connect is None:
        return one.status == 200 and one.error is None and one.server == "egress-lab"
    return (one.connect, one.issuer, one.status, one.error) == (200, PUBLIC, 200, None)


def _without_noise(answers: dict[str, Answer]) -> dict[str, tuple[Any, ...]]:
    return {name: (one.connect, one.issuer, one.status, one.server, bool(one.error)) for name, one in answers.items()}
