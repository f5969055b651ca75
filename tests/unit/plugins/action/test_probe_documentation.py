# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the probes says is what they take and return."""

from __future__ import annotations

import inspect

import pytest
import yaml
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import BLAMES, OUTCOMES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import summarise
from ansible_collections.egress.allowlist.plugins.modules import probe, probe_compare, probe_summary, snapshot


@pytest.mark.parametrize("module", [probe, probe_compare, probe_summary, snapshot])
def test_each_option_is_documented_as_it_is(module):
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert set(documented) == set(module.ARGUMENT_SPEC)
    for name, option in module.ARGUMENT_SPEC.items():
        assert documented[name].get("type") == option["type"]
        assert documented[name].get("default") == option.get("default")
        assert documented[name].get("choices") == option.get("choices")


def test_every_outcome_and_blame_is_documented():
    text = inspect.getsource(probe)
    assert [word for word in (*OUTCOMES, *BLAMES) if f"C({word})" not in text] == []


def test_every_return_value_is_documented():
    assert set(summarise([])) <= set(yaml.safe_load(probe.RETURN))
    assert set(judge_fleet([], {}, "required")) <= set(yaml.safe_load(probe_summary.RETURN))
