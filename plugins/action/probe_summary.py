# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a fleet on the control node, from the numbers that the hosts registered or from files that they sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import (
    Change,
    judge_fleet,
    message,
    render,
)
from ansible_collections.egress.allowlist.plugins.modules.probe_summary import ARGUMENT_SPEC
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_collect import collect
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_compare import changes
from ansible_collections.egress.allowlist.plugins.plugin_utils._report import write_report

Answers = dict[str, Mapping[str, Any] | None]


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        hosts = [str(host) for host in options["hosts"]]
        answers: Answers = {host: _answer(task_vars["hostvars"], host, options) for host in hosts}
        try:
            return {**result, "changed": False, **self._judge(answers, options)}
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error

    def _judge(self, answers: Answers, options: Mapping[str, Any]) -> dict[str, Any]:
        folder = os.path.abspath(options["results_dir"]) if options["results_dir"] else ""
        writes = bool(folder) and not self._task.check_mode
        if options["results"]:
            collected = collect(os.path.abspath(options["results"]), options["questions"], folder if writes else "")
            answers = {**answers, **collected}
        change = _change(answers, options, folder, writes)
        verdict = judge_fleet(list(answers), answers, options["fail_on"], change)
        verdict["lines"] = render(verdict, options["title"])
        verdict["message"] = message(verdict)
        verdict["summary_file"] = None
        verdict["reports"] = {}
        if writes:
            verdict.update(_write(folder, verdict, answers, options))
        return verdict


def _answer(hostvars: Mapping[str, Any], host: str, options: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a host registered in this run; the variable of an earlier run may still be there."""
    if host not in hostvars:
        raise AnsibleActionFail(f"hosts: {host!r} is not a host of the inventory")
    answer = hostvars[host].get(options["register"])
    if not isinstance(answer, Mapping):
        return None
    if answer.get("answered") and answer.get("mark") != options["mark"]:
        return None
    return answer


def _answered(answers: Answers) -> list[str]:
    return [host for host, answer in answers.items() if answer and answer.get("answered")]


def _change(answers: Answers, options: Mapping[str, Any], folder: str, writes: bool) -> Change | None:
    needed = options["fail_on"] == "worse"
    if not options["baseline"]:
        if needed:
            raise AllowlistError("baseline: fail_on: worse needs the results of an earlier verification")
        return None
    if not folder:
        raise AllowlistError("results_dir: a baseline is compared with the result files of this verification")
    if not writes:  # what lies there is of another time
        if needed:
            raise AllowlistError("fail_on: worse cannot be judged in check mode, which writes no result files")
        return None
    earlier = os.path.abspath(options["baseline"])
    if earlier == _probe_file.summary_file(os.path.dirname(earlier)):
        earlier = os.path.dirname(earlier)
    if os.path.realpath(earlier) == os.path.realpath(folder):
        raise AllowlistError(f"baseline: {earlier} is where this verification writes its own results; name another one")
    return changes(earlier, folder, list(answers), _answered(answers))


def _write(folder: str, verdict: Mapping[str, Any], answers: Answers, options: Mapping[str, Any]) -> dict[str, Any]:
    marks = {host: answer.get("mark") for host, answer in answers.items() if answer and answer.get("answered")}
    told = {"title": options["title"], "kinds": options["report"], "fail_on": options["fail_on"]}
    reports = write_report(folder, marks, verdict, **told)
    path = _probe_file.summary_file(folder)
    _probe_file.write(path, {"format": 2, **verdict, "reports": reports, "summary_file": path})
    return {"summary_file": path, "reports": reports}
