# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares two probes of a fleet on the control node."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules.probe_compare import ARGUMENT_SPEC
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_compare import MOST_SHOWN, Comparison, compare


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        answered = {host: _answered(task_vars["hostvars"], host, options) for host in options["hosts"]}
        try:
            found = compare(
                os.path.abspath(options["before"]),
                os.path.abspath(options["after"]),
                answered,
                among=_pairs(options["among"]),
                severities=options["severities"],
                blames=options["blames"],
            )
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error
        return {**result, "changed": False, **_told(found)}


def _answered(hostvars: Mapping[str, Any], host: str, options: Mapping[str, Any]) -> bool:
    """Did the host answer the probe after, and not only an earlier one?"""
    answer = hostvars[host].get(options["register"]) if host in hostvars else None
    return bool(isinstance(answer, Mapping) and answer.get("answered") and answer.get("mark") == options["mark"])


def _pairs(among: list[list[str]] | None) -> list[list[str]] | None:
    for index, pair in enumerate(among or []):
        if len(pair) != 2:
            raise AnsibleActionFail(f"among[{index}]: expected a host and an entry, as `pairs` has them, got {pair!r}")
    return among


def _told(found: Comparison) -> dict[str, Any]:
    return {
        "regressed": found.regressed,
        "worse": found.joined()[:MOST_SHOWN],
        "pairs": found.pairs(),
        "lost": found.lost,
        "lines": found.lines(),
        "message": found.message(),
    }
