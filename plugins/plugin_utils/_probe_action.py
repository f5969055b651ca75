# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the probes of all kinds of managed hosts share on the control node: what to ask, and what becomes of answers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file, _probe_verdict
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_expect import expectation
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import (
    Question,
    WitnessChoice,
    questions,
    questions_of_targets,
    ranged_urls,
    urls,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_reference import Reference, with_references
from ansible_collections.egress.allowlist.plugins.modules.probe import ARGUMENT_SPEC, RULES
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import witnesses_for

# The part of the options that is the control node's own business; the module on the host works by all the others.
_OURS = (
    "entries", "targets", "intents", "intents_by_risk", "witnesses", "witnesses_per_wildcard", "made_up_witnesses",
    "range_targets", "reference", "results_dir", "previous_dir", "mark",
)
FORMAT = 2


@dataclass(frozen=True)
class Inquiry:
    """What is asked, and by what the answers are judged."""

    asked: Sequence[Question]
    families: Sequence[str]
    references: Sequence[Reference]
    ranged: Sequence[str]

    @property
    def targets(self) -> list[str]:
        """What the host has to ask for."""
        return urls(self.asked)

    def judge(self, answers: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Each entry with its judgement, and the few numbers and failures of the host."""
        told = with_references(answers, self.references)
        judged = _probe_verdict.judge_all(self.asked, told, self.families)
        return judged, _probe_verdict.summarise(judged)


def inquiry(options: Mapping[str, Any]) -> Inquiry:
    """What the options of a probe ask for. Raises AllowlistError, with option and index."""
    asked = _questions(options)
    return Inquiry(
        asked=asked,
        families=options["families"],
        references=[read_reference(path, index) for index, path in enumerate(options["reference"] or [])],
        ranged=list(dict.fromkeys([*(options["range_targets"] or []), *ranged_urls(asked)])),
    )


def _questions(options: Mapping[str, Any]) -> list[Question]:
    expected = expectation(options["intents"], options["intents_by_risk"])
    if options["entries"] is None:
        return questions_of_targets(options["targets"], expected)
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
    return questions(entries, choice, expected)


def read_reference(path: str, index: int) -> Reference:
    """The answers of a result file of another host."""
    where = f"reference[{index}]"
    data = _probe_file.read(os.path.abspath(path), where)
    answers = data.get("answers")
    if not isinstance(answers, list) or not all(isinstance(one, Mapping) and "target" in one for one in answers):
        raise AllowlistError(f"{where}: {path} is no result file of a probe: it has no answers")
    return Reference(str(data.get("host") or path), {str(one["target"]): one for one in answers})


def judge_raw(data: Mapping[str, Any], wanted: Inquiry, where: str) -> dict[str, Any]:
    """A result file as the stand-alone script writes it, judged as if the host had been asked through Ansible."""
    answers = data.get("answers")
    if data.get("format") != FORMAT or not isinstance(answers, list):
        raise AllowlistError(f"{where}: expected a result of the stand-alone probe of format {FORMAT}, with answers")
    judged, numbers = wanted.judge(answers)
    kept = {name: value for name, value in data.items() if name != "raw"}
    return {"answered": True, "mark": "", **kept, **numbers, "entries": judged}


class ProbeAction(ActionBase):
    """Chooses the targets, runs the module on the host, files its full answer here and returns the numbers."""

    _supports_check_mode = True
    module = ""
    system = ""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC, **RULES)
        try:
            wanted = inquiry(options)
            answer = self._ask_host(wanted, task_vars)
            if answer.get("failed") or "results" not in answer:
                return {**result, **answer, "answered": False}
            return {**result, **self._report(wanted, answer, options, self._host(task_vars))}
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error

    def _host(self, task_vars: Mapping[str, Any]) -> str:
        """Who was asked: with delegate_to, that one."""
        return str(self._task.delegate_to or task_vars["inventory_hostname"])

    def _ask_host(self, wanted: Inquiry, task_vars: dict[str, Any]) -> dict[str, Any]:
        arguments = {name: value for name, value in self._task.args.items() if name not in _OURS}
        arguments["targets"] = wanted.targets
        if wanted.ranged:
            arguments["range_targets"] = wanted.ranged
        answer: dict[str, Any] = self._execute_module(
            module_name=f"egress.allowlist.{self.module}", module_args=arguments, task_vars=task_vars
        )
        return answer

    def _report(
        self, wanted: Inquiry, answer: Mapping[str, Any], options: Mapping[str, Any], host: str
    ) -> dict[str, Any]:
        answers = answer["results"]
        judged, numbers = wanted.judge(answers)
        report = {
            "changed": False,
            "answered": True,
            "mark": options["mark"],
            "seconds": answer["seconds"],
            **numbers,
            "results_file": None,
        }
        if not options["results_dir"]:
            return {**report, "results": answers}
        if not self._task.check_mode:
            path = _probe_file.host_file(os.path.abspath(options["results_dir"]), host)
            whole = {
                "format": FORMAT,
                "host": host,
                "system": self.system,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "proxy": options["proxy"] or options["pac"] or _settings(options["proxy_settings"]),
                **report,
                "results_file": path,
                "entries": judged,
                "answers": answers,
            }
            if options["previous_dir"]:
                _probe_file.move(path, os.path.abspath(options["previous_dir"]))
            _probe_file.write(path, whole)
            report["results_file"] = path
        return report


def _settings(chosen: str) -> str | None:
    return None if chosen == "none" else f"{chosen} settings"
