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
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import Change
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import BLAMES
from ansible_collections.egress.allowlist.plugins.module_utils._probe_question import SEVERITIES

# Whose fault a change of ours can be. What a server, a resolver or the host itself does, no restored list will mend.
ON_OUR_PATH = ("firewall", "proxy", "inspection")
MOST_SHOWN = 20
WHOLE_HOST = ""  # in place of an entry: any entry of that host
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
    silent: dict[str, set[str]] = field(default_factory=dict)  # by lost host: what was bad there before it fell silent

    @property
    def lost(self) -> list[str]:
        return sorted(self.silent)

    @property
    def regressed(self) -> bool:
        return bool(self.worse or self.silent)

    def pairs(self) -> list[list[str]]:
        """Host and entry of each, as plain data; the entry of a host that is lost is WHOLE_HOST."""
        lost = {(host, entry) for host, entries in self.silent.items() for entry in entries}
        return [list(pair) for pair in sorted(lost | set(self.worse))]

    def joined(self) -> list[dict[str, Any]]:
        """The same trouble on many hosts is one piece of news; the worst and the most frequent come first."""
        joined: dict[tuple[str, str, str], dict[str, Any]] = {}
        for (host, entry), item in sorted(self.worse.items()):
            one = joined.setdefault((entry, item["outcome"], str(item["blame"])), {**item, "hosts": [], "count": 0})
            one["count"] += 1
            if len(one["hosts"]) < MOST_SHOWN:
                one["hosts"].append(host)
        return sorted(joined.values(), key=lambda one: (SEVERITIES.index(one["severity"]), -one["count"]))

    def lines(self) -> list[str]:
        """For people."""
        told = [f"{host} answered before and does not answer now" for host in self.lost[:MOST_SHOWN]]
        if len(self.silent) > MOST_SHOWN:
            told.append(f"and so do {len(self.silent) - MOST_SHOWN} more hosts")
        news = self.joined()
        for one in news[:MOST_SHOWN]:
            more = one["count"] - len(one["hosts"])
            hosts = ", ".join(one["hosts"]) + (f" and {more} more" if more else "")
            now = f"was as intended, is {one['outcome']}, suspect: {one['blame']}"
            told += [f"{one['entry']} ({one['severity']}): {now}, on {hosts}", f"    {one['evidence']}"]
        if len(news) > MOST_SHOWN:
            told.append(f"and {len(news) - MOST_SHOWN} more like these")
        return told

    def message(self) -> str:
        """For those who see no more than one line."""
        if not self.regressed:
            return "Nothing got worse."
        names = {entry for _host, entry in self.worse}
        parts = [f"lost: {_first(self.lost, 'hosts')}"] if self.silent else []
        parts += [f"{one['entry']} is {one['outcome']}, {one['evidence']}" for one in self.joined()[:_MOST_TOLD]]
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
    and entry count that got worse in an earlier comparison: what is bad once may be chance. A host that is silent
    shows no entry to be well again, so what was bad there stays under suspicion.
    """
    suspects = None if among is None else _by_host(among)
    found = Comparison()
    for host, now in sorted(answered.items()):
        suspected = {WHOLE_HOST} if suspects is None else suspects.get(host, set())
        if not suspected:
            continue
        if not now:
            found.silent[host] = suspected
            continue
        old, new = (_entries(folder, host) for folder in (before, after))
        for item in worsened(old, new, severities, blames):
            if WHOLE_HOST in suspected or item["entry"] in suspected:
                found.worse[host, item["entry"]] = item
    return found


def _by_host(pairs: Iterable[Sequence[str]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for host, entry in pairs:
        found.setdefault(str(host), set()).add(str(entry))
    return found


def _first(names: Sequence[str], what: str) -> str:
    more = len(names) - _MOST_TOLD
    return ", ".join(names[:_MOST_TOLD]) + (f" and {more} more {what}" if more > 0 else "")


@dataclass
class _Tally:
    """Lines, not all of them, and how many there are."""

    lines: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, line: str) -> None:
        self.count += 1
        if len(self.lines) < _MOST_CHANGES:
            self.lines.append(line)


def changes(before: str, after: str, hosts: Sequence[str], answered: Sequence[str]) -> Change:
    """All that is worse and better than at an earlier time, whoever is to blame."""
    serious, optional = _Tally(), _Tally()
    better = fresh = 0
    now = set(answered)
    for host in sorted(hosts):
        if not os.path.exists(_probe_file.host_file(before, host)):
            fresh += host in now
        elif host not in now:
            serious.add(f"{host} answered then and does not answer now")
        else:
            old, new = (_entries(folder, host) for folder in (before, after))
            for item, then in _news(old, new):
                (optional if item["severity"] == "optional" else serious).add(_tell(host, item, then))
            better += sum(1 for _item in worsened(new, old, SEVERITIES, BLAMES))
    if fresh == len(hosts):
        raise AllowlistError(f"baseline: {before} holds no result of any of these hosts, so nothing can be compared")
    lines = tuple([*serious.lines, *optional.lines][:_MOST_CHANGES])
    return Change(lines, serious.count + optional.count, serious.count, better, fresh)


def _news(before: Iterable[Item], after: Iterable[Item]) -> Iterator[tuple[Item, str]]:
    """What failed, and was something else before: what nobody asked for or could show then is news as well."""
    then = {item["entry"]: str(item["status"]) for item in before}
    for item in after:
        was = then.get(item["entry"], "")
        if item["status"] == "failed" and was != "failed":
            yield item, was


def _tell(host: str, item: Item, then: str) -> str:
    was = {"ok": "as intended", "": "not asked for"}.get(then, then.replace("_", " "))
    suspect = f", suspect: {item['blame']}" if item["blame"] else ""
    return f"{host}: {item['entry']} ({item['severity']}) was {was}, is {item['outcome']}{suspect}"


def _entries(folder: str, host: str) -> list[Item]:
    path = _probe_file.host_file(folder, host)
    entries = _probe_file.read(path, "results").get("entries")
    if not isinstance(entries, list):
        raise AllowlistError(f"results: {path} is no result file of a probe, or not judged yet: it has no entries")
    return entries
