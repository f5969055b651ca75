# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module that runs on a host."""

from __future__ import annotations

import inspect

import pytest
import yaml
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import BLAMES, OUTCOMES
from ansible_collections.egress.allowlist.plugins.modules import probe, probe_summary


def options(**changes):
    defaults = {name: option.get("default") for name, option in probe.ARGUMENT_SPEC.items()}
    return {**defaults, "targets": [], **changes}


@pytest.mark.parametrize("module", [probe, probe_summary])
def test_each_option_is_documented_as_it_is(module):
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert set(documented) == set(module.ARGUMENT_SPEC)
    for name, option in module.ARGUMENT_SPEC.items():
        assert documented[name].get("type") == option["type"]
        assert documented[name].get("default") == option.get("default")


def test_every_outcome_and_blame_is_documented():
    text = inspect.getsource(probe)
    assert [word for word in (*OUTCOMES, *BLAMES) if f"C({word})" not in text] == []


@pytest.mark.parametrize("name", ["timeout", "deadline", "threads"])
def test_numbers_that_make_no_sense_are_refused(name):
    with pytest.raises(AllowlistError, match=f"{name}: expected more than 0, got 0"):
        probe.run(options(**{name: 0}))


def test_the_option_at_fault_is_named(tmp_path):
    with pytest.raises(AllowlistError, match="public_ca_path: "):
        probe.run(options(public_ca_path=str(tmp_path / "none.pem")))
    with pytest.raises(AllowlistError, match=r"targets\[1\]: 'x' cannot be probed"):
        probe.run(options(targets=["https://a.example", "x"]))


def test_nothing_to_ask_is_no_answer():
    assert probe.run(options())["results"] == []
