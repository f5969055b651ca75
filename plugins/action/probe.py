# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chooses the targets, runs the module on the host, files its full answer here and returns the numbers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file, _probe_verdict
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import (
    Question,
    WitnessChoice,
    questions,
    questions_of_targets,
    urls,
)
from ansible_collections.egress.allowlist.plugins.modules.probe import ARGUMENT_SPEC, RULES
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import witnesses_for

# The part of the options that the module on the host works by.
_FOR_THE_HOST = ("proxy", "timeout", "deadline", "threads", "public_ca_path", "inspection_ca_path")


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC, **RULES)
        try:
            asked = _questions(options)
            answer = self._ask_host(urls(asked), task_vars)
            if answer.get("failed") or "results" not in answer:
                return {**result, **answer, "answered": False}
            return {**result, **self._report(asked, answer, options, task_vars["inventory_hostname"])}
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error

    def _ask_host(self, targets: list[str], task_vars: dict[str, Any]) -> dict[str, Any]:
        arguments = {name: self._task.args[name] for name in _FOR_THE_HOST if name in self._task.args}
        answer: dict[str, Any] = self._execute_module(
            module_name="egress.allowlist.probe", module_args={**arguments, "targets": targets}, task_vars=task_vars
        )
        return answer

    def _report(
        self, asked: list[Question], answer: dict[str, Any], options: dict[str, Any], host: str
    ) -> dict[str, Any]:
        answers = answer["results"]
        judged = _probe_verdict.judge_all(asked, answers)
        report = {
            "changed": False,
            "answered": True,
            "mark": options["mark"],
            "seconds": answer["seconds"],
            **_probe_verdict.summarise(judged),
            "results_file": None,
        }
        if not options["results_dir"]:
            return {**report, "results": answers}
        if not self._task.check_mode:
            path = _probe_file.host_file(os.path.abspath(options["results_dir"]), str(host))
            whole = {
                "format": 1,
                "host": str(host),
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "proxy": options["proxy"],
                **report,
                "results_file": path,
                "entries": judged,
                "answers": answers,
            }
            _probe_file.write(path, whole)
            report["results_file"] = path
        return report


def _questions(options: dict[str, Any]) -> list[Question]:
    if options["entries"] is None:
        return questions_of_targets(options["targets"])
    most = options["witnesses_per_wildcard"]
    if most < 1:
        raise AllowlistError(f"witnesses_per_wildcard: expected at least 1, got {most}")
    entries = normalise(options["entries"])
    if not entries:
        raise AllowlistError("entries: the list is empty, so nothing would be proven")
    wildcards = [entry.value for entry in entries if entry.type == "host" and not entry.pattern.is_literal]
    choice = WitnessChoice(
        known=witnesses_for(wildcards),
        given=options["witnesses"] or {},
        most=most,
        made_up=options["made_up_witnesses"],
    )
    return questions(entries, choice)
