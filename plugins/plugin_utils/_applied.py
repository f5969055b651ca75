# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of the web service's list each appliance was given last: a small file for each, beside the cache."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import WEB_SERVICE
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import is_version

FORMAT = 1
_FOLDER = "applied"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
_SOURCE = re.compile(rf"{WEB_SERVICE} ([a-z_]+) (20[0-9]{{8}}) set ")

Record = dict[str, Any]


def versions_of(entries: Iterable[object]) -> dict[str, str]:
    """For each instance the version that the sources of *entries* name."""
    found: dict[str, str] = {}
    for entry in entries:
        sources = entry.get("sources") if isinstance(entry, Mapping) else None
        for source in sources if isinstance(sources, (list, tuple)) else ():
            match = _SOURCE.match(str(source))
            if match:
                found[match[1]] = max(match[2], found.get(match[1], ""))
    return found


def known(folder: str, host: str, name: str) -> bool:
    """Whether there is a record of the appliance."""
    return _read(_path(folder, host, name)) is not None


def recorded(folder: str, host: str, name: str, found: Mapping[str, str], time: str) -> Record:
    """The record once *found* was applied. What was applied before stays in it, for when that is given back."""
    old = _read(_path(folder, host, name)) or {"versions": {}, "previous": {}}
    previous = old["previous"] if old["versions"] == dict(found) else old["versions"]
    about = {"format": FORMAT, "host": host, "name": name, "time": time}
    return {**about, "versions": dict(found), "previous": previous}


def taken_back(folder: str, host: str, name: str, time: str) -> Record | None:
    """The record once the appliance holds again what it held before; None where there is no record."""
    old = _read(_path(folder, host, name))
    return None if old is None else {**old, "time": time, "versions": old["previous"]}


def write(folder: str, data: Record) -> str:
    """Write the record as a whole; returns its path."""
    path = _path(folder, data["host"], data["name"])
    try:
        _probe_file.write(path, data)
    except AllowlistError as error:
        raise AllowlistError(str(error).replace("results_dir", "cache_dir", 1)) from None
    return path


def versions(folder: str, instance: str, hosts: Sequence[str] = ()) -> dict[str, str]:
    """For each appliance the version that it was given last (of several lists the oldest), among *hosts* or all."""
    found: dict[str, str] = {}
    for data in _all(os.path.join(os.path.expanduser(folder), _FOLDER)):
        version = data["versions"].get(instance)
        if version and (not hosts or data["host"] in hosts):
            found[data["host"]] = min(version, found.get(data["host"], version))
    return found


def _all(top: str) -> Iterator[Record]:
    for folder, _folders, files in sorted(os.walk(top)):
        for file in sorted(files):
            data = _read(os.path.join(folder, file)) if file.endswith(".json") else None
            if data is not None:
                yield data


def _read(path: str) -> Record | None:
    """A record; one that is damaged counts as none."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        right = data["format"] == FORMAT and isinstance(data["host"], str)
        for versions_ in (data["versions"], data["previous"]):
            right = right and isinstance(versions_, dict) and all(map(is_version, versions_.values()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return data if right else None


def _path(folder: str, host: str, name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise AllowlistError(f"name: expected a letter, then up to 15 of a-z, 0-9 and _, got {shown(name)}")
    return _probe_file.host_file(os.path.join(os.path.expanduser(folder), _FOLDER, name), host)
