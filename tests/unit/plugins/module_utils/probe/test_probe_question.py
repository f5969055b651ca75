# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked for each entry, and what the answers mean for it."""

from __future__ import annotations

from typing import Any, Dict, Optional

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import (
    WitnessChoice,
    questions,
    questions_of_targets,
    urls,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import MOST_SHOWN, judge_all, summarise
from ansible_collections.egress.allowlist.plugins.module_utils._probe_witness import made_up_name
from hypothesis import given
from hypothesis import strategies as st


def ask(*items, known=None, given=None, most=2, made_up=False):
    return questions(normalise(items), WitnessChoice(known or {}, given or {}, most, made_up))


def targets(*items, **choice):
    return urls(ask(*items, **choice))


def answer(url: str, outcome: str = "reachable", blame: Optional[str] = None, **steps: Any) -> Dict[str, Any]:
    seconds = {"proxy_connect": 0.1} if steps.pop("proxy", False) else {}
    return {
        "target": url,
        "outcome": outcome,
        "blame": blame,
        "evidence": f"{outcome} it is",
        "steps": {"seconds": seconds, **steps},
    }


def judge(asked, *answers):
    """The statuses; targets without an answer of their own are reachable."""
    known = {item["target"]: item for item in answers}
    complete = [known.get(url, answer(url, addresses=["192.0.2.1"])) for url in urls(asked)]
    return {item["entry"]: item["status"] for item in judge_all(asked, complete)}


NX = {"failed": "resolve", "fault": "no_such_name"}


def test_a_name_is_asked_on_both_ports_https_first():
    assert targets("a.example.com") == ["https://a.example.com", "http://a.example.com"]


def test_ports_and_paths_of_the_entry_decide():
    assert targets({"value": "a.example.com", "ports": ["tcp/443"]}) == ["https://a.example.com"]
    assert targets({"value": "a.example.com", "ports": ["tcp/8080", "tcp/8443"]}) == [
        "https://a.example.com:8443",
        "http://a.example.com:8080",
    ]
    assert targets({"value": "a.example.com", "path": "/ncsi.txt"}) == ["http://a.example.com/ncsi.txt"]


def test_each_target_once():
    assert targets("*.example.com", "a.example.com") == ["https://a.example.com", "http://a.example.com"]


def test_the_most_important_is_asked_first():
    entries = [
        {"value": "a.example.com", "required": False},
        {"value": "b.example.com"},
        {"value": "c.example.com", "critical": True},
        {"value": "d.example.com", "risk": "retired"},
        {"value": "e.example.com", "risk": "shared_hosting"},
    ]
    assert [(item.label[0], item.severity) for item in ask(*entries)] == [
        ("c", "critical"),
        ("b", "required"),
        ("e", "required"),
        ("a", "optional"),
        ("d", "optional"),
    ]


def test_witnesses_of_the_user_come_first_then_known_and_listed_ones_in_turns():
    choice = {
        "known": {"*.example.com": ["x.example.com", "a.example.com", "y.example.com"]},
        "given": {"*.example.com": ["Mine.example.com"]},
        "most": 4,
    }
    [wildcard] = [item for item in ask("*.example.com", "a.example.com", "b.example.com", **choice) if item.wildcard]
    assert [witness.name for witness in wildcard.witnesses] == [
        "mine.example.com",
        "x.example.com",
        "a.example.com",
        "y.example.com",
    ]


def test_a_retired_name_of_the_list_is_the_last_witness():
    entries = ["*.example.com", {"value": "a.example.com", "risk": "retired"}, "b.example.com"]
    [wildcard] = [item for item in ask(*entries, most=1) if item.wildcard]
    assert [witness.name for witness in wildcard.witnesses] == ["b.example.com"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"*.example.com": ["a.example.org"]}, "is not one that *.example.com contains"),
        ({"*.example.com": ["example.com"]}, "is not one that *.example.com contains"),
        ({"*.example.com": "a.example.com"}, "expected a list of names"),
        ({"*.example.com": [7]}, "expected a name as text, got 7"),
        ({"*": ["a.example.com"]}, "witnesses['*']"),
    ],
)
def test_witnesses_that_prove_something_else_are_refused(given, reason):
    with pytest.raises(AllowlistError) as error:
        ask("*.example.com", given=given)
    assert reason in str(error.value)


def test_a_witness_for_a_wildcard_that_is_not_asked_does_no_harm():
    assert targets("a.example.com", given={"*.example.org": ["a.example.org"]})[0] == "https://a.example.com"


@pytest.mark.parametrize(
    "text", ["*.example.com", "*.*.example.com", "*cdn.example.com", "pay*load.example.com", "auto.*.example.com"]
)
def test_a_made_up_name_is_one_that_the_wildcard_contains(text):
    assert parse(text).matches(made_up_name(parse(text)) or "")


@given(st.text("ab*", min_size=2, max_size=63).filter(lambda label: "**" not in label))
def test_a_made_up_name_fits_into_long_labels(label):
    pattern = parse(f"{label}.example.com")
    assert pattern.matches(made_up_name(pattern) or "")


def test_a_wildcard_without_room_for_a_made_up_name_is_not_provable():
    long = ".".join(["a" * 60] * 4) + ".com"
    [item] = judge_all(ask(f"*.{long}", made_up=True), [])
    assert item["status"] == "not_provable"


def test_nothing_known_is_not_provable_and_says_so():
    [item] = judge_all(ask("*.example.com"), [])
    assert item["status"] == "not_provable"
    assert "no name is known" in item["evidence"]
    assert item["target"] is None


@pytest.mark.parametrize(
    "entry",
    [
        "198.51.100.0/24",
        {"value": "a.example.com", "ports": ["udp/49152-53247"]},
    ],
)
def test_what_cannot_be_asked_is_not_provable(entry):
    assert list(judge(ask(entry)).values()) == ["not_provable"]


def test_half_provable_is_not_provable_but_half_bad_is_bad():
    asked = ask({"value": "a.example.com", "ports": ["tcp/443", "udp/50000-50019"]})
    assert judge(asked) == {"a.example.com": "not_provable"}
    assert judge(asked, answer("https://a.example.com", "tls_inspected")) == {"a.example.com": "failed"}


@pytest.mark.parametrize(
    ("on_80", "status"),
    [
        (answer("http://a.example.com", "refused"), "ok"),
        (answer("http://a.example.com", "timeout", failed="connect"), "ok"),
        (answer("http://a.example.com", "timeout", failed="http"), "failed"),
        (answer("http://a.example.com", "timeout", failed="http", proxy=True), "ok"),
        (answer("http://a.example.com", "upstream_failure"), "ok"),
        (answer("http://a.example.com", "not_provable"), "ok"),
        (answer("http://a.example.com", "proxy_denied"), "failed"),
        (answer("http://a.example.com", "proxy_auth_required"), "failed"),
        (answer("http://a.example.com", "content_inspected"), "failed"),
        (answer("http://a.example.com", "blocked"), "failed"),
        (answer("http://a.example.com", "reset"), "failed"),
        (answer("http://a.example.com", "not_probed"), "failed"),
    ],
)
def test_one_port_is_enough_unless_the_other_shows_interference(on_80, status):
    assert judge(ask("a.example.com"), on_80) == {"a.example.com": status}


@pytest.mark.parametrize("outcome", ["tls_inspected", "tls_wrong_name", "tls_untrusted", "tls_too_old", "reset"])
def test_a_good_port_80_does_not_excuse_tls(outcome):
    assert judge(ask("a.example.com"), answer("https://a.example.com", outcome)) == {"a.example.com": "failed"}


def test_stated_ports_must_all_be_as_intended():
    asked = ask({"value": "a.example.com", "ports": ["tcp/80", "tcp/443"]})
    assert judge(asked) == {"a.example.com": "ok"}
    assert judge(asked, answer("http://a.example.com", "refused")) == {"a.example.com": "failed"}


def test_neither_port_is_a_failure_told_by_https():
    asked = ask("a.example.com")
    answers = [answer("https://a.example.com", "refused"), answer("http://a.example.com", "timeout", failed="connect")]
    [item] = judge_all(asked, answers)
    assert (item["status"], item["outcome"]) == ("failed", "refused")


def both(name, outcome, **steps):
    return [answer(f"https://{name}", outcome, **steps), answer(f"http://{name}", outcome, **steps)]


KNOWN = {"*.example.com": ["x.example.com", "y.example.com"]}


def test_one_witness_is_enough_unless_another_shows_interference():
    asked = ask("*.example.com", known=KNOWN)
    assert judge(asked, *both("x.example.com", "dns_failure", **NX)) == {"*.example.com": "ok"}
    assert judge(asked, *both("x.example.com", "refused")) == {"*.example.com": "ok"}
    assert judge(asked, *both("x.example.com", "proxy_denied")) == {"*.example.com": "failed"}


def test_a_wildcard_none_of_whose_witnesses_exists_is_gone_if_other_names_resolve():
    dead = [*both("x.example.com", "dns_failure", **NX), *both("y.example.com", "dns_failure", **NX)]
    assert judge(ask("*.example.com", "a.example.org", known=KNOWN), *dead)["*.example.com"] == "gone"
    assert judge(ask("*.example.com", known=KNOWN), *dead) == {"*.example.com": "failed"}


def test_a_resolver_that_fails_is_a_failure():
    again = {"failed": "resolve", "fault": "resolver_failed"}
    dead = [*both("x.example.com", "dns_failure", **again), *both("y.example.com", "dns_failure", **again)]
    assert judge(ask("*.example.com", "a.example.org", known=KNOWN), *dead)["*.example.com"] == "failed"


def test_a_witness_that_a_willing_proxy_does_not_find_proves_nothing():
    lost = [
        item
        for name in ("x.example.com", "y.example.com")
        for item in (
            answer(f"https://{name}", "upstream_failure", "unknown", proxy=True),
            answer(f"http://{name}", "upstream_failure", "unknown", proxy=True),
        )
    ]
    assert judge(ask("*.example.com", "a.example.org", known=KNOWN), *lost)["*.example.com"] == "not_provable"


def test_a_name_that_does_not_resolve_is_a_failure_unless_it_is_retired():
    dead = both("a.example.com", "dns_failure", **NX)
    assert judge(ask("a.example.com", "b.example.com"), *dead)["a.example.com"] == "failed"
    retired = {"value": "a.example.com", "risk": "retired", "critical": True}
    assert judge(ask(retired, "b.example.com"), *dead)["a.example.com"] == "gone"
    assert judge(ask(retired), *both("a.example.com", "proxy_denied"))["a.example.com"] == "failed"


def test_a_made_up_name_can_fail_but_its_absence_proves_nothing():
    asked = ask("*.example.com", made_up=True)
    name = made_up_name(parse("*.example.com"))
    [item] = judge_all(asked, both(name, "reachable"))
    assert item["status"] == "ok"
    assert item["evidence"].endswith("(made-up name)")
    assert judge(asked, *both(name, "dns_failure", **NX)) == {"*.example.com": "not_provable"}
    assert judge(asked, *both(name, "tls_inspected")) == {"*.example.com": "failed"}


def test_targets_of_the_user_are_required_as_they_are():
    asked = questions_of_targets(["https://a.example.com", "https://A.example.com/", "http://a.example.com/x"])
    assert urls(asked) == ["https://a.example.com", "http://a.example.com/x"]
    assert {item.severity for item in asked} == {"required"}


def test_the_summary_counts_each_group_and_severity_and_stays_small():
    items = [{"value": f"n{number}.example.com", "groups": ["one", "two"]} for number in range(50)]
    asked = ask(*items, {"value": "c.example.com", "critical": True}, "198.51.100.0/24")
    bad = [item for number in range(30) for item in both(f"n{number}.example.com", "proxy_denied")]
    known = {item["target"]: item for item in bad}
    judged = judge_all(asked, [known.get(url, answer(url)) for url in urls(asked)])
    summary = summarise(judged)
    assert summary["counts"] == {"total": 52, "ok": 21, "failed": 30, "not_provable": 1, "gone": 0}
    assert summary["by_severity"]["critical"] == {"total": 1, "ok": 1, "failed": 0, "not_provable": 0, "gone": 0}
    assert summary["by_group"]["one"] == summary["by_group"]["two"]
    assert summary["by_group"]["ungrouped"]["total"] == 2
    assert summary["required_failed"] == 30
    assert len(summary["failures"]) == MOST_SHOWN
    assert summary["failures_more"] == 30 - MOST_SHOWN
    assert summary["not_provable"] == ["198.51.100.0/24"]
