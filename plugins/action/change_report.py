# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes what the next apply would change, from what the appliances answered in check mode."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible import context
from ansible.errors import AnsibleActionFail
from ansible.parsing.splitter import parse_kv
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules.change_report import ARGUMENT_SPEC
from ansible_collections.egress.allowlist.plugins.plugin_utils._change_report import report
from ansible_collections.egress.allowlist.plugins.plugin_utils._change_report_commands import commands
from ansible_collections.egress.allowlist.plugins.plugin_utils._change_report_text import markdown, summary
from ansible_collections.egress.allowlist.plugins.plugin_utils._lookup import plain

_NEXT = "next"
_REPORT = "report_changes"
_FLAGS_WITH_VALUES = {"--vault-password-file": "vault_password_files", "--vault-id": "vault_ids"}
_FLAGS = {"--ask-vault-pass": "ask_vault_pass", "--ask-become-pass": "become_ask_pass", "--ask-pass": "ask_pass"}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC)
        try:
            return {**result, "changed": False, **self._told(plain(options), task_vars["hostvars"])}
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error

    def _told(self, options: Mapping[str, Any], hostvars: Mapping[str, Any]) -> dict[str, Any]:
        told = report(
            {host: _plan(hostvars, host, options["register"]) for host in options["hosts"]},
            known=options["known"],
            web_service=options["web_service"],
            web_service_error=options["web_service_error"],
            change_id=options["change_id"],
        )
        told["commands"] = commands(
            self._started(),
            change_id=options["change_id"],
            appliances=[one["host"] for one in told["appliances"] if one["changed"]],
            managed_hosts=options["managed_hosts"],
            snapshots=options["snapshot_dir"],
        )
        files = self._write(options, told) if options["dir"] and not self._task.check_mode else {}
        return {**told, "lines": summary(told), "files": files}

    def _write(self, options: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, str]:
        """Both files, each as a whole."""
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", options["change_id"])[:60].strip(".") or _NEXT
        stem = os.path.join(os.path.abspath(options["dir"]), name)
        texts = {"markdown": (f"{stem}.md", markdown(told, told["commands"]))}
        texts["json"] = (f"{stem}.json", json.dumps(told, indent=2, sort_keys=True) + "\n")
        for path, text in texts.values():
            try:
                _probe_file.write_text(path, text)
            except AllowlistError as error:
                raise AllowlistError(str(error).replace("results_dir", "dir", 1)) from None
        return {kind: path for kind, (path, _text) in texts.items()}

    def _started(self) -> dict[str, Any]:
        """How this run was called."""
        words: Mapping[str, Any] = context.CLIARGS
        given, files = self._extra_vars(words.get("extra_vars") or ())
        options = [word for flag, name in _FLAGS.items() if words.get(name) for word in [flag]]
        for flag, name in _FLAGS_WITH_VALUES.items():
            options += [word for value in words.get(name) or () for word in (flag, str(value))]
        return {
            "playbook": next((name for name in map(str, words.get("args") or ()) if _REPORT in name), ""),
            "inventory": [str(source) for source in words.get("inventory") or ()],
            "limit": str(words.get("subset") or ""),
            "extra_vars": given,
            "files": files,
            "options": options,
        }

    def _extra_vars(self, texts: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
        """The variables of the command line, and the files with variables that it names."""
        found: dict[str, Any] = {}
        files = []
        for text in map(str, texts):
            if text.startswith("@"):
                files.append(text[1:])
            elif text[:1] in ("{", "["):
                data = self._loader.load(text)
                found.update(plain(data) if isinstance(data, Mapping) else {})
            else:
                found.update(plain(parse_kv(text)))
        return found, files


def _plan(hostvars: Mapping[str, Any], host: str, register: str) -> Mapping[str, Any] | None:
    if host not in hostvars:
        raise AnsibleActionFail(f"hosts: {host!r} is not a host of the inventory")
    found = plain(hostvars[host].get(register))
    return found if isinstance(found, Mapping) else None
