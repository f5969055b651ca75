# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table by which every probe judges: each row can be met, and says only what it can know."""

from __future__ import annotations

import json
import string

from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import (
    BLAMES,
    OUTCOMES,
    Facts,
    Scene,
    judge,
    signs,
    words,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_rules import PROMISES, RULES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import parse_target

FACTS = Facts(parse_target("https://a.example"))
FROM_ELSEWHERE = {"gone"}  # only a reference can show it


def wanted(condition):
    return {condition} if isinstance(condition, str) else set(condition)


def covers(earlier, later):
    """Does each case of the later row fit the earlier one?"""
    return all(name in later and wanted(later[name]) <= wanted(words_) for name, words_ in earlier.items())


def test_no_row_hides_behind_an_earlier_one():
    hidden = [
        (index, later["evidence"])
        for index, later in enumerate(RULES)
        for earlier in RULES[:index]
        if covers(earlier["when"], later["when"])
    ]
    assert hidden == []


def test_rows_speak_the_documented_words():
    known = set(words(FACTS, Scene()))
    for rule in RULES:
        assert rule["outcome"] in OUTCOMES
        assert rule["blame"] is None or rule["blame"] in BLAMES
        assert {name for _text, name, _spec, _conv in string.Formatter().parse(rule["evidence"]) if name} <= known
        assert set(rule) - {"when", "outcome", "blame", "evidence"} <= set(PROMISES)
        assert set(rule["when"]) <= set(signs(FACTS, Scene()))


def test_every_outcome_has_a_row():
    assert {rule["outcome"] for rule in RULES} | FROM_ELSEWHERE == set(OUTCOMES)


def test_the_last_row_fits_everything():
    assert RULES[-1]["when"] == {}
    assert judge(FACTS).outcome == "not_probed"


def test_the_rows_are_plain_data():
    assert json.loads(json.dumps(RULES)) == list(RULES)


def test_braces_of_strangers_stay_what_they_are():
    facts = Facts(parse_target("https://a.example"), fault=StepError("no_such_name", "{host.__class__}", "resolve"))
    assert judge(facts).evidence == "a.example does not resolve: {host.__class__}"
