# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists that appliances fetch: entries to the text of one dialect, with what became of each entry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._checkpoint import CheckpointNetworkFeed
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._fortios import FortiosAddress, FortiosCategory
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._panos import PanosDomain, PanosIp, PanosUrl
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._plain import (
    Cidrs,
    Domains,
    HostsRegex,
    OpnsenseUrlTable,
)
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._proxysg import ProxysgCpl
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import (
    Accepted,
    Translation,
    limited,
    lines_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._ports import canonical_ports, ports_contain, written
from ansible_collections.egress.allowlist.plugins.module_utils._translation import NARROW, WIDEN, require_acceptable
from ansible_collections.egress.allowlist.plugins.plugin_utils._rendering import Rendering, list_name, read_entries

_ALL: tuple[type[Dialect], ...] = (
    PanosUrl,
    PanosDomain,
    PanosIp,
    FortiosCategory,
    FortiosAddress,
    CheckpointNetworkFeed,
    OpnsenseUrlTable,
    ProxysgCpl,
    Domains,
    Cidrs,
    HostsRegex,
)
JSON = "json"
DIALECTS: dict[str, type[Dialect]] = {dialect.name: dialect for dialect in _ALL}
_MOST_SOURCES = 100  # characters of them in the head
_MOST_SHOWN = 3


def feed(items: object, options: Mapping[str, Any]) -> Rendering:
    """The list that *options* (those of the filter ``feed``) ask for; AllowlistError names the option or the entry."""
    _check(options)
    dialect = DIALECTS[options["dialect"]]() if options["dialect"] != JSON else None
    entries = _chosen(items, options, states_ports=dialect is not None and dialect.ports)
    if dialect is None:
        return _json(entries, options["name"])
    accepted = Accepted(
        options["widen"], options["narrow"], tuple(options["known_names"]), options["unsupported"] == "skip"
    )
    translation = Translation(dialect, entries, accepted)
    if not accepted.skip:
        require_acceptable(translation.verdicts, accepted.widen, accepted.narrow)
    lines = lines_of(dialect, translation.written)
    limited(dialect, lines)
    held = [one.entry for one in translation.written]
    text = _text(dialect, lines, options["name"], held)
    warnings = () if dialect.ports else _mixed(held)
    return Rendering(dialect.name, text, len(lines), len(entries), held, translation.verdicts, warnings)


def _check(options: Mapping[str, Any]) -> None:
    choices = {"dialect": (*DIALECTS, JSON), "widen": WIDEN, "narrow": NARROW, "unsupported": ("fail", "skip")}
    for name, allowed in choices.items():
        if options[name] not in allowed:
            raise AllowlistError(f"{name}: expected one of {', '.join(allowed)}, got {shown(options[name])}")
    list_name(options["name"])
    for name in ("ports", "default_ports", "known_names"):
        if not isinstance(options[name], (list, tuple)) and not (name == "ports" and options[name] is None):
            raise AllowlistError(f"{name}: expected a list, got {shown(options[name])}")


def _chosen(items: object, options: Mapping[str, Any], *, states_ports: bool) -> list[Entry]:
    """The entries, with the ports of the option where they state none; those for one rule where ``ports`` says so."""
    only = options["ports"]
    entries = read_entries(items, options["default_ports"], require_ports=states_ports or only is not None)
    if only is None:
        return entries
    asked = canonical_ports(only, "ports")
    if not asked:
        raise AllowlistError("ports: empty, expected those of the rule that uses this list, or leave the option out")
    return [entry for entry in entries if ports_contain(effective_ports(entry), asked)]


def _text(dialect: Dialect, lines: Sequence[str], name: str, held: Sequence[Entry]) -> str:
    body = "".join(f"{line}\n" for line in dialect.around(lines, name))
    if not dialect.comment:
        return body
    sources = ",".join(sorted({source for entry in held for source in entry.sources}))
    words = f"name={name} dialect={dialect.name} lines={len(lines)} version={_version(body)}"
    head = f"{dialect.comment} egress.allowlist {words}"
    if sources:
        short = sources if len(sources) <= _MOST_SOURCES else sources[:_MOST_SOURCES] + "..."
        head += f" sources={short.encode('ascii', 'backslashreplace').decode('ascii')}"
    return f"{head}\n{body}"


def _version(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:12]


def _json(entries: list[Entry], name: str) -> Rendering:
    if not entries:
        raise AllowlistError("json: no entry is left for this list. Leave it out, or choose entries for it")
    rows = [json.dumps(entry.as_dict(), ensure_ascii=True) for entry in entries]
    body = ",\n".join(rows)
    head = f'"format": 1, "name": {json.dumps(name)}, "version": {json.dumps(_version(body))}'
    text = f'{{{head}, "entries": [\n{body}\n]}}\n'
    return Rendering(JSON, text, len(entries), len(entries), entries)


def _mixed(held: Sequence[Entry]) -> list[str]:
    """What one rule with the ports of all entries would open without being asked for."""
    stated = [entry for entry in held if entry.type == "host" or entry.ports]
    together = canonical_ports([port for entry in stated for port in effective_ports(entry)], "ports")
    # A path is seen in plain http alone, whatever else the rule opens.
    fewer = [entry for entry in stated if entry.path is None and not ports_contain(effective_ports(entry), together)]
    if not fewer:
        return []
    shown_ones = ", ".join(entry.line(()) for entry in fewer[:_MOST_SHOWN])
    rest = f" and {len(fewer) - _MOST_SHOWN} more" if len(fewer) > _MOST_SHOWN else ""
    warning = (
        f"the entries are not all for the same ports: a rule with {written(together)} opens more than asked for "
        f"{len(fewer)} of them ({shown_ones}{rest}). Make one list for each rule, with the option ports"
    )
    return [warning]
