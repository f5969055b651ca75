# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""egress.allowlist.win_probe on the control node: the same as probe, for another module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.action.win_probe import ActionModule

from .test_probe import action


def test_the_windows_module_is_asked_and_its_answer_filed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def execute(_action: Any, *, module_name: str, module_args: dict[str, Any], **_rest: Any) -> dict[str, Any]:
        asked.update(module_args, module=module_name)
        url = module_args["targets"][0]
        steps = {"seconds": {}, "addresses": ["192.0.2.1"]}
        answer = {"target": url, "outcome": "reachable", "blame": None, "evidence": "fine", "steps": steps}
        return {"results": [{**answer, "allowed": True, "uninspected": True}], "seconds": 0.5, "changed": False}

    monkeypatch.setattr(ActionModule, "_execute_module", execute)
    arguments = {"targets": ["https://a.example.com"], "proxy_settings": "user", "results_dir": str(tmp_path)}
    result = action(ActionModule, arguments).run(task_vars={"inventory_hostname": "desktop7"})
    assert asked["module"] == "egress.allowlist.win_probe"
    assert asked["proxy_settings"] == "user"
    assert (result["answered"], result["counts"]["ok"]) == (True, 1)
    whole = json.loads((tmp_path / "desktop7.json").read_text(encoding="utf-8"))
    assert (whole["system"], whole["proxy"]) == ("windows", "user settings")
