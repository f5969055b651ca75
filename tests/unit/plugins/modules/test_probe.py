# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module that runs on a host."""

from __future__ import annotations

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_ask
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules import probe


def options(**changes):
    defaults = {name: option.get("default") for name, option in probe.ARGUMENT_SPEC.items()}
    return {**defaults, "targets": [], **changes}


@pytest.mark.parametrize("name", ["timeout", "deadline", "threads"])
def test_numbers_that_make_no_sense_are_refused(name):
    with pytest.raises(AllowlistError, match=f"{name}: expected more than 0, got 0"):
        _probe_ask.run(options(**{name: 0}))


def test_the_option_at_fault_is_named(tmp_path):
    with pytest.raises(AllowlistError, match="public_ca_path: "):
        _probe_ask.run(options(public_ca_path=str(tmp_path / "none.pem")))
    with pytest.raises(AllowlistError, match=r"targets\[1\]: 'x' cannot be probed"):
        _probe_ask.run(options(targets=["https://a.example", "x"]))


def test_nothing_to_ask_is_no_answer():
    assert _probe_ask.run(options())["results"] == []
