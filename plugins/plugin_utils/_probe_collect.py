# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Result files that came in another way than through Ansible: from the stand-alone script, from a share, by mail."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_verdict import summarise
from ansible_collections.egress.allowlist.plugins.modules.probe import ARGUMENT_SPEC
from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_action import Inquiry, inquiry, judge_raw

_BIG = ("entries", "answers")


def collect(folder: str, questions: Mapping[str, Any] | None, results_dir: str) -> dict[str, dict[str, Any]]:
    """The numbers of each host that has a file in *folder*, read one by one.

    Raw results are judged by *questions*. With *results_dir* each becomes a result file there, for the report.
    """
    names = _names(folder)
    wanted: Inquiry | None = None
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        path = os.path.join(folder, name)
        read = _probe_file.read(path, "results")
        if read.get("raw"):
            wanted = wanted or _inquiry(questions, path)
        data = _judged(read, wanted, path)
        host = data["host"]
        if host in found:
            raise AllowlistError(f"results: {path} is of host {host!r}, and so is another file; keep the newer one")
        if results_dir:
            data["results_file"] = target = _probe_file.host_file(results_dir, host)
            if os.path.abspath(path) != target or read.get("raw"):
                _probe_file.write(target, data)
        found[host] = {key: value for key, value in data.items() if key not in _BIG}
    return found


def _judged(data: Mapping[str, Any], wanted: Inquiry | None, path: str) -> dict[str, Any]:
    try:
        return _counted(judge_raw(data, wanted, f"results: {path}") if wanted and data.get("raw") else data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        why = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise AllowlistError(f"results: {path} is no result file of a probe: {why}") from error


def _names(folder: str) -> list[str]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith("."))
    except OSError as error:
        raise AllowlistError(f"results: cannot read {folder} on the control node: {error.strerror}") from error
    names = [name for name in names if name != os.path.basename(_probe_file.summary_file(folder))]
    if not names:
        raise AllowlistError(f"results: {folder} holds no result file (.json) of any host")
    return names


def _inquiry(questions: Mapping[str, Any] | None, path: str) -> Inquiry:
    if not questions or not questions.get("entries"):
        raise AllowlistError(f"questions: {path} is not judged yet, so the entries that it answers have to be named")
    unknown = sorted(set(questions) - set(ARGUMENT_SPEC))
    if unknown:
        raise AllowlistError(f"questions: {', '.join(unknown)}: no options of the probe")
    defaults = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
    return inquiry({**defaults, **{name: value for name, value in questions.items() if value is not None}})


def _counted(data: Mapping[str, Any]) -> dict[str, Any]:
    """A result file, with numbers that are ours: they are what the fleet is judged by."""
    if not isinstance(data["host"], str) or not data["host"]:
        raise ValueError("host is no name")
    entries = data["entries"]
    strangers = {str(entry["severity"]) for entry in entries} - set(SEVERITIES)
    if strangers:
        raise ValueError(f"severity {', '.join(sorted(strangers))}")
    return {**data, "answered": True, **summarise(entries)}
