# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carries a snapshot from an appliance to a file on the control node, and back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules.snapshot import ARGUMENT_SPEC, BY_API
from ansible_collections.egress.allowlist.plugins.plugin_utils import _snapshot_file

Result = dict[str, Any]
# What the module's answer tells about a restored snapshot; its own snapshot is the big part, and stays behind.
_TOLD = ("changed", "added", "removed", "diff", "notes")
_DEFAULT_NAME = "mmd"


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        task_vars = task_vars or {}
        result: Result = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        host = str(task_vars["inventory_hostname"])
        if options["appliance"] not in BY_API:  # there, who is delegated to is only who asks
            host = str(self._task.delegate_to or host)
        act = {"taken": self._take, "dropped": self._drop, "restored": self._restore}[options["state"]]
        try:
            return {**result, **act(os.path.abspath(options["dir"]), host, options, task_vars)}
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error

    def _take(self, folder: str, host: str, options: Mapping[str, Any], task_vars: Result) -> Result:
        _snapshot_file.run_folder(folder, options["run"])  # a name that is none is told before anything is read
        answer = self._module(options, task_vars, {"state": "gathered"})
        if "snapshot" not in answer:
            return answer
        if self._task.check_mode:
            return {"changed": False, "path": None}
        data = {
            "host": host,
            "appliance": options["appliance"],
            "name": _name(options),
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "snapshot": answer["snapshot"],
        }
        return {"changed": False, "path": _snapshot_file.write(folder, options["run"], data)}

    def _drop(self, folder: str, host: str, options: Mapping[str, Any], _task_vars: Result) -> Result:
        if not self._task.check_mode:
            run = _snapshot_file.run_folder(folder, options["run"])
            _snapshot_file.remove(_probe_file.host_file(run, host))
        return {"changed": False, "path": None}

    def _restore(self, folder: str, host: str, options: Mapping[str, Any], task_vars: Result) -> Result:
        run, path = _snapshot_file.find(folder, options["run"], host, options["hosts"])
        if path is None:
            return {"changed": False, "path": None, "run": run, "taken": None, "added": [], "removed": []}
        kept = _snapshot_file.read(path, host=host, appliance=options["appliance"], name=_name(options))
        answer = self._module(options, task_vars, {"state": "restored", "snapshot": kept["snapshot"]})
        if "snapshot" not in answer:
            return answer
        told = {name: answer[name] for name in _TOLD if name in answer}
        return {**told, "path": path, "run": run, "taken": kept.get("time")}

    def _module(self, options: Mapping[str, Any], task_vars: Result, more: Result) -> Result:
        own = {name: value for name, value in options["options"].items() if value is not None}
        answer: Result = self._execute_module(
            module_name=f"egress.allowlist.{options['appliance']}", module_args={**own, **more}, task_vars=task_vars
        )
        answer.pop("invocation", None)  # holds the whole snapshot once more
        return answer


def _name(options: Mapping[str, Any]) -> str:
    return str(options["options"].get("name", _DEFAULT_NAME))
