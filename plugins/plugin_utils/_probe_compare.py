# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Did something get worse between two probes of a fleet? Reads one host at a time, so a thousand are no burden."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import Change
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import BLAMES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES

# Whose fault a change of ours can be. What a server, a resolver or the host itself does, no restored list will mend.
ON_OUR_PATH = ("firewall", "proxy", "inspection")
MOST_SHOWN = 20
_MOST_TOLD = 3
_MOST_CHANGES = 200
Item = Mapping[str, Any]


def worsened(
    before: Iterable[Item],
    after: Iterable[Item],
    severities: Sequence[str] = ("critical", "required"),
    blames: Sequence[str] = ON_OUR_PATH,
) -> Iterator[dict[str, Any]]:
    """The judged entries that were C(ok) before and C(failed) after, with blame and severity among those asked for."""
    was = {item["entry"]: item for item in before}
    for item in after:
        old = was.get(item["entry"])
        if old is None or old["status"] != "ok" or item["status"] != "failed":
            continue
        if item["severity"] in severities and (item["blame"] or "unknown") in blames:
            yield {name: item[name] for name in ("entry", "severity", "outcome", "blame", "evidence")}


@dataclass
class Comparison:
    """What got worse: which entries on which hosts, and which hosts are lost."""

    worse: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # by host and entry
    lost: list[str] = field(default_factory=list)

    @property
    def regressed(self) -> bool:
        return bool(self.worse or self.lost)

    def pairs(self) -> list[list[str]]:
        """Host and entry of each, as plain data."""
        return [list(key) for key in sorted(self.worse)]

    def shown(self) -> list[dict[str, Any]]:
        """The same trouble on many hosts is one piece of news; the worst and the most frequent come first."""
        joined: dict[tuple[str, str, str], dict[str, Any]] = {}
        for (host, entry), item in sorted(self.worse.items()):
            one = joined.setdefault((entry, item["outcome"], str(item["blame"])), {**item, "hosts": [], "count": 0})
            one["count"] += 1
            if len(one["hosts"]) < MOST_SHOWN:
                one["hosts"].append(host)
        order = sorted(joined.values(), key=lambda one: (SEVERITIES.index(one["severity"]), -one["count"]))
        return order[:MOST_SHOWN]

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{host} answered before and does not answer now" for host in self.lost[:MOST_SHOWN]]
        for one in self.shown():
            more = one["count"] - len(one["hosts"])
            hosts = ", ".join(one["hosts"]) + (f" and {more} more" if more else "")
            now = f"was as intended, is {one['outcome']}, suspect: {one['blame']}"
            told += [f"{one['entry']} ({one['severity']}): {now}, on {hosts}", f"    {one['evidence']}"]
        return told

    def message(self) -> str:
        """For those who see no more than one line."""
        if not self.regressed:
            return "Nothing got worse."
        names = sorted({entry for _host, entry in self.worse})
        parts = [f"lost: {', '.join(self.lost[:_MOST_TOLD])}"] if self.lost else []
        parts += [f"{one['entry']} is {one['outcome']}, {one['evidence']}" for one in self.shown()[:_MOST_TOLD]]
        more = f"; and {len(names) - _MOST_TOLD} more endpoints" if len(names) > _MOST_TOLD else ""
        return "Worse than before: " + "; ".join(parts) + more + "."


def compare(
    before: str,
    after: str,
    answered: Mapping[str, bool],
    *,
    among: Iterable[Sequence[str]] | None = None,
    severities: Sequence[str] = ("critical", "required"),
    blames: Sequence[str] = ON_OUR_PATH,
) -> Comparison:
    """Compare two folders of result files.

    *answered* says of each host that answered before whether it answered now. With *among*, only those pairs of host
    and entry count that got worse in an earlier comparison: what is bad once may be chance.
    """
    candidates = None if among is None else {(str(host), str(entry)) for host, entry in among}
    found = Comparison(lost=sorted(host for host, now in answered.items() if not now))
    for host, now in sorted(answered.items()):
        if not now or (candidates is not None and not any(pair[0] == host for pair in candidates)):
            continue
        old, new = (_entries(folder, host) for folder in (before, after))
        for item in worsened(old, new, severities, blames):
            if candidates is None or (host, item["entry"]) in candidates:
                found.worse[host, item["entry"]] = item
    return found


def changes(before: str, after: str, hosts: Sequence[str], answered: Sequence[str]) -> Change:
    """All that is worse and better than at an earlier time, of any severity and whoever is to blame."""
    worse: list[str] = []
    count = better = 0
    now = set(answered)
    for host in sorted(hosts):
        if not os.path.exists(_probe_file.host_file(before, host)):
            continue
        if host not in now:
            count += 1
            worse.append(f"{host} answered then and does not answer now")
            continue
        old, new = (_entries(folder, host) for folder in (before, after))
        for item in worsened(old, new, SEVERITIES, BLAMES):
            count += 1
            if len(worse) < _MOST_CHANGES:
                suspect = f", suspect: {item['blame']}" if item["blame"] else ""
                worse.append(f"{host}: {item['entry']} was as intended, is {item['outcome']}{suspect}")
        better += sum(1 for _item in worsened(new, old, SEVERITIES, BLAMES))
    return Change(tuple(worse[:_MOST_CHANGES]), count, better)


def _entries(folder: str, host: str) -> list[Item]:
    data = _probe_file.read(_probe_file.host_file(folder, host), "results")
    entries: list[Item] = data["entries"]
    return entries
