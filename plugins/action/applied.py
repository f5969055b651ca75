# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records on the control node which version of the web service's list an appliance was given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules.applied import ARGUMENT_SPEC
from ansible_collections.egress.allowlist.plugins.plugin_utils import _applied

Result = dict[str, Any]


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Result:
        task_vars = task_vars or {}
        result: Result = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        host = str(self._task.delegate_to or task_vars["inventory_hostname"])
        folder = options["cache_dir"] or _cache_dir(task_vars)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            data = _record(folder, host, options, now)
            if data is None:
                return {**result, "changed": False, "versions": {}, "path": None}
            path = None if self._task.check_mode else _applied.write(folder, data)
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error
        # A note of ours beside the cache is no change of the appliance.
        return {**result, "changed": False, "versions": data["versions"], "path": path}


def _record(folder: str, host: str, options: Mapping[str, Any], now: str) -> _applied.Record | None:
    if options["state"] == "taken_back":
        return _applied.taken_back(folder, host, options["name"], now)
    found = _applied.versions_of(options["entries"])
    if not found and not _applied.known(folder, host, options["name"]):
        return None
    return _applied.recorded(folder, host, options["name"], found, now)


def _cache_dir(task_vars: Mapping[str, Any]) -> str:
    """Where the lookup keeps its answers, however that was set."""
    lookup = lookup_loader.get("egress.allowlist.endpoints")
    lookup.set_options(var_options=task_vars)
    return str(lookup.get_option("cache_dir"))
