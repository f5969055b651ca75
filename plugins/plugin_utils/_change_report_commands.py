# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that apply a change and take it back, as the run that reports it was started. Pure."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_COLLECTION = "egress.allowlist."
_REPORT, _APPLY, _ROLLBACK = "report_changes", "apply_mmd_allowlist", "rollback_mmd_allowlist"
_PLAIN = re.compile(r"[A-Za-z0-9._/:@,-]+")
_SECRET = re.compile(r"pass|secret|token|key|credential|private", re.IGNORECASE)
_CREDENTIALS = re.compile(r"://[^/\s]*@")
# Of this report alone.
_OWN = ("egress_report_dir",)
# What a rollback reads.
_FOR_ROLLBACK = ("egress_appliance", "egress_name", "egress_host", "egress_squid", "egress_nftables", "egress_panos",
                 "egress_zia", "egress_fortios", "egress_snapshot_dir", "egress_appliance_hosts", "egress_lookup",
                 "egress_cache_dir")  # fmt: skip


def commands(
    started: Mapping[str, Any], *, change_id: str, appliances: Sequence[str], managed_hosts: str, snapshots: str
) -> dict[str, Any]:
    """C(check), C(apply), C(rollback), where the run keeps what was before, and the variables that are not repeated.

    *started* are the words of the command line: playbook, inventory, limit, extra_vars (parsed), files, options.
    """
    shared = [word for source in started["inventory"] for word in ("-i", source)]
    files = [word for file in started["files"] for word in ("-e", f"@{file}")]
    given = {name: value for name, value in started["extra_vars"].items() if name not in _OWN}
    kept = {name: value for name, value in given.items() if not _is_secret(name, value)}
    left_out = sorted(set(given) - set(kept))
    limit = ["--limit", ",".join(filter(None, [started["limit"], managed_hosts]))] if started["limit"] else []
    words = ["ansible-playbook", _beside(started["playbook"], _APPLY), *shared, *started["options"]]
    apply = [*words, *limit, *files, *_variables(kept)]
    own = {name: value for name, value in kept.items() if name in _FOR_ROLLBACK}
    back = ["ansible-playbook", _beside(started["playbook"], _ROLLBACK), *shared, *started["options"]]
    back += ["--limit", ",".join(appliances)] if appliances else []
    words_of_change = re.sub(r"[^A-Za-z0-9._-]+", "-", change_id)[:60]
    run = f"{snapshots}/<time>-{words_of_change}" if words_of_change else f"{snapshots}/<time of the run, in UTC>"
    return {
        "check": shlex.join([*apply, "--check", "--diff"]),
        "apply": shlex.join(apply),
        "rollback": shlex.join([*back, *files, *_variables({**own, "snapshot": "latest"})]),
        "run": run,
        "left_out": left_out,
    }


def _beside(playbook: str, name: str) -> str:
    """The playbook *name* as the one of the report was called: by its collection, or as a file beside it."""
    folder, file = os.path.split(playbook)
    stem, extension = os.path.splitext(file)
    if stem == _REPORT and extension in (".yml", ".yaml"):
        return os.path.join(folder, name + extension)
    return _COLLECTION + name


def _variables(kept: Mapping[str, Any]) -> list[str]:
    words = []
    for name in sorted(kept):
        value = kept[name]
        is_plain = isinstance(value, str) and _PLAIN.fullmatch(value) is not None
        words += ["-e", f"{name}={value}" if is_plain else json.dumps({name: value}, sort_keys=True)]
    return words


def _is_secret(name: str, value: Any) -> bool:
    """Whether it may be: what is none of the collection's variables is not known here."""
    return not name.startswith("egress_") or _holds_secret(value) or _SECRET.search(name) is not None


def _holds_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_SECRET.search(str(name)) or _holds_secret(one) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return any(map(_holds_secret, value))
    return isinstance(value, str) and _CREDENTIALS.search(value) is not None
