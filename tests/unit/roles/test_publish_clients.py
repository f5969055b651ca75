# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entry point ``clients`` of the role publish: its options. What it does is tried on a host of the lab."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROLE = Path(__file__).resolve().parents[3] / "roles" / "publish"
OPTIONS = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["clients"]["options"]
DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())


def test_each_option_has_the_default_that_is_documented() -> None:
    documented = {name: option["default"] for name, option in OPTIONS.items() if "default" in option}
    assert documented == {name: value for name, value in DEFAULTS.items() if name.startswith("publish_clients_")}
    assert [name for name, option in OPTIONS.items() if option.get("required")] == ["publish_clients_url"]


@pytest.mark.parametrize("setting", OPTIONS["publish_clients_settings"]["choices"])
def test_each_setting_has_its_tasks(setting) -> None:
    policies = yaml.safe_load((ROLE / "vars" / "main.yml").read_text())["__publish_policies"]
    assert (setting in policies) != (ROLE / "tasks" / f"clients_{setting}.yml").is_file()
