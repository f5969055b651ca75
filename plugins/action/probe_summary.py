# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a fleet on the control node, from the numbers that the hosts registered."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet, message, render
from ansible_collections.egress.allowlist.plugins.modules.probe_summary import ARGUMENT_SPEC


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        hosts = [str(host) for host in options["hosts"]]
        answers = {host: _answer(task_vars["hostvars"], host, options) for host in hosts}
        verdict = judge_fleet(hosts, answers, options["fail_on"])
        verdict["lines"] = render(verdict, options["title"])
        verdict["message"] = message(verdict)
        verdict["summary_file"] = None
        if options["results_dir"] and not self._task.check_mode:
            try:
                verdict["summary_file"] = _write(os.path.abspath(options["results_dir"]), verdict)
            except AllowlistError as error:
                raise AnsibleActionFail(str(error)) from error
        return {**result, "changed": False, **verdict}


def _answer(hostvars: Mapping[str, Any], host: str, options: dict[str, Any]) -> Mapping[str, Any] | None:
    """What a host registered in this run; the variable of an earlier run may still be there."""
    if host not in hostvars:
        raise AnsibleActionFail(f"hosts: {host!r} is not a host of the inventory")
    answer = hostvars[host].get(options["register"])
    if not isinstance(answer, Mapping):
        return None
    if answer.get("answered") and answer.get("mark") != options["mark"]:
        return None
    return answer


def _write(folder: str, verdict: dict[str, Any]) -> str:
    path = _probe_file.summary_file(folder)
    _probe_file.write(path, {"format": 1, **verdict, "summary_file": path})
    return path
