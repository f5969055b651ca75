# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is expected of an endpoint, what a second host's answers tell, and what to do."""

from __future__ import annotations

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_advice import advice
from ansible_collections.egress.allowlist.plugins.module_utils._probe_expect import INTENTS, expectation, status
from ansible_collections.egress.allowlist.plugins.module_utils._probe_reference import Reference, with_references
from ansible_collections.egress.allowlist.plugins.module_utils._probe_rules import RULES


def answer(outcome, blame=None, **steps):
    return {
        "target": "https://a.example", "outcome": outcome, "blame": blame, "evidence": "seen here",
        "allowed": None, "uninspected": None, "unauthenticated": None, "tls12": None,
        "steps": {"seconds": {}, **steps},
    }


def signed(issuer, sha256):
    return {"tls": {"trust": "none", "chain": [{"issuer": issuer, "sha256": sha256}]}}


NX = {"failed": "resolve", "fault": "no_such_name"}
HTTP_206 = {"http": {"status": 206}}
HTTP_200 = {"http": {"status": 200}}
LED = {"http": {"status": 302, "location": "http://b.example/"}}
LED_ELSEWHERE = {"http": {"status": 302, "location": "http://c.example/"}}
PUBLIC = signed("CN=Public", "01")


@pytest.mark.parametrize(
    ("here", "there", "outcome", "blame"),
    [
        (answer("timeout", "firewall"), answer("reachable"), "timeout", "firewall"),
        (answer("refused", "server"), answer("reachable"), "refused", "firewall"),
        (answer("reset", "unknown", proxy="http://p:1"), answer("reachable"), "reset", "proxy"),
        (answer("dns_failure", "resolver", **NX), answer("reachable"), "dns_failure", "resolver"),
        (answer("dns_failure", "resolver", **NX), answer("dns_failure", "resolver", **NX), "gone", None),
        (answer("timeout", "firewall"), answer("timeout", "firewall"), "timeout", "server"),
        (answer("refused", "server"), answer("dns_failure", "resolver", **NX), "refused", "server"),
        (answer("timeout", "firewall"), answer("not_probed"), "timeout", "firewall"),
        (answer("tls_untrusted", "unknown", **signed("CN=X", "02")), answer("reachable", **PUBLIC), "tls_inspected",
         "inspection"),
        (answer("tls_untrusted", "unknown", **signed("CN=X", "02")),
         answer("tls_untrusted", "unknown", **signed("CN=X", "02")), "tls_untrusted", "server"),
        (answer("tls_untrusted", "unknown", **signed("CN=X", "02")),
         answer("tls_untrusted", "unknown", **signed("CN=Y", "03")), "tls_untrusted", "unknown"),
        (answer("tls_expired", "server", **PUBLIC), answer("reachable", **PUBLIC), "tls_expired", "client"),
        (answer("tls_failure", "server"), answer("reachable", **PUBLIC), "tls_failure", "firewall"),
        (answer("range_stripped", "unknown", **HTTP_200), answer("reachable", **HTTP_206), "range_stripped",
         "firewall"),
        (answer("range_stripped", "unknown", **HTTP_200), answer("range_stripped", "unknown", **HTTP_200), "reachable",
         None),
        (answer("not_provable", "unknown", **LED), answer("not_provable", "unknown", **LED), "reachable", None),
        (answer("not_provable", "unknown", **LED), answer("reachable"), "block_page", "firewall"),
        (answer("not_provable", "unknown", **LED), answer("not_provable", "unknown", **LED_ELSEWHERE), "not_provable",
         "unknown"),
        (answer("proxy_denied", "proxy"), answer("reachable"), "proxy_denied", "proxy"),
        (answer("reachable"), answer("timeout", "firewall"), "reachable", None),
    ],
)
def test_what_is_seen_elsewhere_tells_who_it_is(here, there, outcome, blame):
    [told] = with_references([here], [Reference("control", {there["target"]: there})])
    assert (told["outcome"], told["blame"]) == (outcome, blame)
    changed = (outcome, blame) != (here["outcome"], here["blame"])
    assert not changed or "control" in told["evidence"]


def test_what_nobody_else_asked_stays_as_it_is():
    here = answer("timeout", "firewall")
    assert with_references([here], [Reference("control", {})]) == [here]


@pytest.mark.parametrize(
    ("outcome", "more", "intents", "expected"),
    [
        ("reachable", {}, INTENTS, "ok"),
        ("proxy_denied", {}, [], "failed"),
        ("tls_inspected", {"tls": {"trust": "known"}}, INTENTS, "failed"),
        ("tls_inspected", {"tls": {"trust": "known"}}, ["allow"], "ok"),
        ("tls_inspected", {"tls": {"trust": "none"}}, ["allow"], "failed"),
        ("content_inspected", {}, INTENTS, "failed"),
        ("content_inspected", {}, ["allow"], "ok"),
        ("proxy_auth_required", {}, INTENTS, "failed"),
        ("proxy_auth_required", {}, ["allow"], "not_provable"),
        ("not_provable", {}, INTENTS, "not_provable"),
    ],
)
def test_only_what_was_asked_for_is_expected(outcome, more, intents, expected):
    assert status({**answer(outcome, **more), "allowed": True}, frozenset(intents)) == expected


def test_inspection_that_is_accepted_still_has_to_let_something_through():
    silent = answer("tls_inspected", tls={"trust": "known"})
    assert status(silent, frozenset(["allow"])) == "not_provable"


def test_a_risk_has_expectations_of_its_own():
    expected = expectation(INTENTS, {"shared_hosting": ["allow"]})
    assert expected.of("shared_hosting") == {"allow"}
    assert expected.of(None) == expected.of("third_party") == set(INTENTS)


@pytest.mark.parametrize(
    ("by_risk", "words"),
    [
        ({"rumour": ["allow"]}, r"intents_by_risk\['rumour'\]: expected one of shared_hosting"),
        ({"retired": "allow"}, r"intents_by_risk\['retired'\]: expected a list"),
        ({"retired": ["allow", "fly"]}, r"intents_by_risk\['retired'\]\[1\].*'fly'"),
    ],
)
def test_expectations_that_make_no_sense(by_risk, words):
    with pytest.raises(AllowlistError, match=words):
        expectation(INTENTS, by_risk)


def test_there_is_advice_for_each_failure():
    fine = ("reachable", "not_provable")
    without = {rule["outcome"] for rule in RULES if rule["outcome"] not in fine} - {
        rule["outcome"] for rule in RULES if advice(rule["outcome"], rule["blame"])
    }
    assert without == set()
    assert advice("reachable", None) is None
