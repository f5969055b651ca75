# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the probe as one script on the control node."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_ask, _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.modules import probe
from ansible_collections.egress.allowlist.plugins.modules.probe_script import ARGUMENT_SPEC, RULES
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_action import inquiry
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_script import render

_DEFAULTS = {name: option.get("default") for name, option in probe.ARGUMENT_SPEC.items()}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars or {})
        _validated, options = self.validate_argument_spec(argument_spec=ARGUMENT_SPEC, **RULES)
        try:
            return {**result, **self._write(options)}
        except AllowlistError as error:
            raise AnsibleActionFail(str(error)) from error

    def _write(self, options: dict[str, Any]) -> dict[str, Any]:
        wanted = inquiry({**_DEFAULTS, **options})
        whole = {**options, "targets": wanted.targets, "range_targets": wanted.ranged}
        _check(whole)
        text = render(options["kind"], whole, options["results_path"])
        path, mode = os.path.abspath(options["dest"]), int(options["mode"], 8)
        before, old_mode = _present(path)
        if not self._task.check_mode:
            _put(path, text, mode, same=before == text)
        answer = {
            "changed": (before, old_mode) != (text, mode),
            "dest": path,
            "targets": len(wanted.targets),
            "size": len(text.encode("utf-8")),
            "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
        }
        return {**answer, "diff": _diff(path, before or "", text)} if self._task.diff else answer


def _check(options: dict[str, Any]) -> None:
    """What a host would refuse is refused here, before anybody distributes it."""
    _probe_ask.check(options)
    if not options["targets"]:
        raise AllowlistError("entries: none of them can be asked for, so the script would prove nothing")
    if options["kind"] == "powershell" and options["pac"] and not re.match("https?://", options["pac"]):
        raise AllowlistError(f"pac: expected http:// or https:// for Windows, got {options['pac']!r}")
    if not re.fullmatch("0?[0-7]{3}", options["mode"]):
        raise AllowlistError(f"mode: expected three octal digits such as '0644', quoted, got {options['mode']!r}")
    if not options["results_path"].strip() or not options["results_path"].isprintable():
        raise AllowlistError(f"results_path: expected a path on the hosts, got {options['results_path']!r}")


def _present(path: str) -> tuple[str | None, int | None]:
    try:
        with open(path, encoding="utf-8", newline="") as handle:
            return handle.read(), stat.S_IMODE(os.fstat(handle.fileno()).st_mode)
    except FileNotFoundError:
        return None, None
    except (OSError, UnicodeDecodeError) as error:
        raise AllowlistError(f"dest: cannot read {path} on the control node: {error}") from error


def _put(path: str, text: str, mode: int, same: bool) -> None:
    try:
        if not same:
            _probe_file.write_text(path, text)
        os.chmod(path, mode)
    except (OSError, AllowlistError) as error:
        reason = error.__cause__ or error
        raise AllowlistError(f"dest: cannot write {path} on the control node: {reason}") from error


def _diff(path: str, before: str, after: str) -> dict[str, str]:
    """Of the packed files only that they changed: nobody reads base64."""
    packed = re.compile(r"^[A-Za-z0-9+/=]{100,}$\n?", re.MULTILINE)
    return {
        "before_header": path,
        "after_header": path,
        "before": packed.sub("", before),
        "after": packed.sub("", after),
    }
