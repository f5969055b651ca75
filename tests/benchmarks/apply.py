# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list on an appliance: first, again without a change, and with one name changed.

Against: a play with one trivial module, the same requests by curl, and the way of the vendor's own client: one object
for each entry, and what uses them. That way is measured with two short lists, and the whole list is told by the line
through them; with `--whole` it is run.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plays
from ansible_collections.egress.allowlist.tests.emulators.server import Emulator
from appliances import APPLIANCES, Appliance, Certificate, by_curl, catalog, listed, options_of, script, started
from apply_hosts import on_hosts
from measuring import Bench, Figure, Row, line_through, wall

TITLE = "A list on an appliance"
SLOW = 0.05  # seconds that a device takes for each answer, beside the emulator's own time
STEPS = ("first", "no change", "one change")
TRIVIAL = plays.of_host("here", plays.task("Nothing", "ansible.builtin.ping", {}))
POINTS, QUICK_POINTS = (10, 30), (2, 8)
Values = dict[str, list[float]]
Known = dict[tuple[str, float, tuple[int, ...]], dict[str, list[list[float]]]]


def rows(bench: Bench) -> Iterator[Row]:
    bench.say("the vendors' collections")
    plays.fetch_peers()
    certificate = Certificate(bench.folder)
    whole = len(catalog())
    known: Known = {}
    yield from on_hosts(bench)
    for name, one in APPLIANCES.items():
        cases = [(whole, 0.0), (whole, SLOW), (700, 0.0)]
        if bench.quick or one.options.get("style"):
            cases = cases[: 0 if bench.quick and one.options.get("style") else 1]
        for count, latency in cases:
            yield from Case(bench, certificate, known, name, count, latency).rows()


class Case:
    """One appliance, one length of list, one speed of answers.

    *known*: seconds of the vendor's client, so that the same short lists are not run once more for a longer list.
    """

    def __init__(
        self, bench: Bench, certificate: Certificate, known: Known, name: str, count: int, latency: float
    ) -> None:
        self.bench, self.certificate, self.known, self.latency = bench, certificate, known, latency
        self.one = APPLIANCES[name]
        self.entries = listed(count)
        self.title = f"{name}, {count} entries" + (f", each answer {latency * 1000:.0f} ms later" if latency else "")
        self.values: Values = defaultdict(list)
        self.requests: dict[str, int] = {}

    def rows(self) -> Iterator[Row]:
        for run in range(self.bench.runs):
            self.bench.say(f"{self.title}: run {run + 1} of {self.bench.runs}")
            with tempfile.TemporaryDirectory(dir=self.bench.folder) as folder:
                self._run(Path(folder))
        for step in STEPS:
            asked = f"{self.requests[step]} requests"
            yield self._row(step, "a play with one trivial module", "trivial", asked)
            yield self._row(step, "the same requests by curl", f"curl {step}", asked)
        yield from self._vendor()

    def _row(self, step: str, against: str, other: str, note: str) -> Row:
        return Row(f"{self.title}: {step}", Figure(tuple(self.values[step])), against, self._other(other), note)

    def _other(self, name: str) -> Figure:
        return Figure(tuple(self.values[name]))

    def _run(self, folder: Path) -> None:
        """Ours step by step on one appliance, and what was asked of it once more on a second one."""
        made = (started(self.one, self.certificate, self.latency) for _which in range(2))
        with next(made) as emulator, next(made) as second:
            for step, entries in zip(STEPS, self._lists(), strict=True):
                before = len(emulator.seen)
                self._ours(folder, emulator, step, entries)
                asked = emulator.seen[before:]
                self.requests[step] = len(asked)
                self.values[f"curl {step}"].append(by_curl(asked, second, self.certificate, folder))
        site = plays.Site(folder, plays.local_inventory(folder))
        self.values["trivial"].append(site.play("trivial", TRIVIAL).seconds)

    def _lists(self) -> Sequence[list[Any]]:
        return self.entries, self.entries, [*self.entries[:-1], "changed.example.net"]

    def _ours(self, folder: Path, emulator: Emulator, step: str, entries: list[Any]) -> None:
        site = plays.Site(folder, plays.local_inventory(folder))
        given = plays.variables(folder, "list", {"listed": entries})
        options = {**options_of(self.one, emulator, self.certificate, folder), "entries": "{{ listed }}"}
        task = plays.task("Ours", f"egress.allowlist.{self.one.module}", options)
        ran = site.play("ours", plays.of_host("here", task), "-e", given)
        if ran.changed != (step != "no change"):
            raise SystemError(f"{self.title}: {step}: changed={ran.changed}")
        self.values[step].append(ran.seconds)

    # The vendors' clients

    def _vendor(self) -> Iterator[Row]:
        vendor = VENDORS[self.one.module]
        told, points = vendor.told.format(plays.fetch_peers()), self._points(vendor)
        same = (told, self.latency, points)
        if same not in self.known:
            self.known[same] = self._vendor_runs(vendor, told, points)
        found = self.known[same]
        note = f"theirs by the line through {points[0]} and {points[1]} entries" if len(points) > 1 else ""
        for step, which in zip(STEPS, ("first", "again", "again"), strict=True):
            theirs = Figure(tuple(self._of_all(points, seconds) for seconds in found[which]))
            yield Row(f"{self.title}: {step}", Figure(tuple(self.values[step])), told, theirs, note)

    def _vendor_runs(self, vendor: Vendor, told: str, points: Sequence[int]) -> dict[str, list[list[float]]]:
        """Seconds of the first run and of the same again: for each run, by each length of list."""
        found: dict[str, list[list[float]]] = {"first": [], "again": []}
        for run in range(self.bench.few(1 if self.latency else 2)):
            both = []
            for count in points:
                self.bench.say(f"{self.title}: {told}, {count} entries, run {run + 1}")
                both.append(self._vendor_run(vendor, count))
            found["first"].append([first for first, _again in both])
            found["again"].append([again for _first, again in both])
        return found

    def _points(self, vendor: Vendor) -> tuple[int, ...]:
        """How many entries the vendor's way is given: all of them where that takes seconds, not minutes."""
        if self.bench.whole or not vendor.slow or self.one.options.get("style"):
            return (len(self.entries),)
        return QUICK_POINTS if self.bench.quick else POINTS

    def _of_all(self, points: Sequence[int], seconds: Sequence[float]) -> float:
        pairs = list(zip(points, seconds, strict=True))
        return max(seconds[-1], line_through(pairs, len(self.entries)) if len(pairs) > 1 else 0.0)

    def _vendor_run(self, vendor: Vendor, count: int) -> tuple[float, float]:
        """Seconds of the first run, and of the same run again."""
        wanted = [entry if isinstance(entry, str) else entry["value"] for entry in self.entries[:count]]
        emulator = started(self.one, self.certificate, self.latency)
        with emulator, tempfile.TemporaryDirectory(dir=self.bench.folder) as folder:
            work = vendor.work(Path(folder), emulator, self.certificate, wanted, self.one)
            return wall(work), wall(work)


@dataclass(frozen=True)
class Vendor:
    """*slow*: the whole list takes minutes."""

    told: str
    work: Callable[..., Callable[[], object]]
    slow: bool


def fortios_loop(
    folder: Path, emulator: Emulator, certificate: Certificate, wanted: list[str], one: Appliance
) -> Callable[[], object]:
    """What a user writes: an address for each name, a group of them, a policy; or one URL filter with all as rows."""
    port = emulator.url.rpartition(":")[2]
    host = {
        "ansible_host": "127.0.0.1", "ansible_connection": "ansible.netcommon.httpapi", "ansible_httpapi_port": port,
        "ansible_network_os": "fortinet.fortios.fortios", "ansible_httpapi_use_ssl": True,
        "ansible_httpapi_ca_path": str(certificate.path),
        "ansible_httpapi_session_key": {"access_token": one.options["access_token"]},
    }
    tasks = _url_filter() if one.options.get("style") else _addresses()
    members = [{"name": name} for name in wanted]
    rows = [{"id": number + 1, "url": name, "type": "wildcard" if "*" in name else "simple", "action": "exempt",
             "status": "enable"} for number, name in enumerate(wanted)]  # fmt: skip
    given = plays.variables(folder, "list", {"listed": wanted, "members": members, "rows": rows})
    site = plays.Site(folder, plays.local_inventory(folder, fgt1=host), peers=True)
    return lambda: site.play("theirs", plays.of_host("fgt1", *tasks), "-e", given)


def _addresses() -> list[dict[str, Any]]:
    module, state = "fortinet.fortios.fortios_firewall_", {"vdom": "root", "state": "present"}
    address = {"name": "{{ item }}", "type": "fqdn", "fqdn": "{{ item }}"}
    policy: dict[str, Any] = {
        "policyid": 50, "name": "theirs", "action": "accept", "schedule": "always", "status": "enable",
        "srcintf": [{"name": "lan"}], "dstintf": [{"name": "wan1"}], "srcaddr": [{"name": "Desktops"}],
        "dstaddr": [{"name": "theirs"}], "service": [{"name": "HTTPS"}],
    }
    group = {"name": "theirs", "member": "{{ members }}"}
    return [
        plays.task("Each", f"{module}address", {**state, "firewall_address": address}, loop="{{ listed }}"),
        plays.task("Group", f"{module}addrgrp", {**state, "firewall_addrgrp": group}),
        plays.task("Policy", f"{module}policy", {**state, "firewall_policy": policy}),
    ]


def _url_filter() -> list[dict[str, Any]]:
    own = {"id": 40, "name": "theirs", "entries": "{{ rows }}"}
    options = {"vdom": "root", "state": "present", "webfilter_urlfilter": own}
    return [plays.task("All", "fortinet.fortios.fortios_webfilter_urlfilter", options)]


def sdk(name: str) -> Callable[..., Callable[[], object]]:
    """A script of the vendor's Python library, as a user writes it."""

    def work(
        folder: Path, emulator: Emulator, _certificate: Certificate, wanted: list[str], one: Appliance
    ) -> Callable[[], object]:
        task = {"url": emulator.url, "names": wanted, "login": _zia_login(emulator), "options": one.options}
        return lambda: plays.measured(script(name), plays.environment(), folder, json.dumps(task))

    return work


def _zia_login(emulator: Emulator) -> list[str]:
    own = getattr(emulator, "credentials", None)
    return [own.username, own.password, own.api_key] if own else []


VENDORS = {
    "fortios": Vendor("fortinet.fortios {}", fortios_loop, slow=True),
    "panos": Vendor("a loop with pan-os-python", sdk("peer_panos.py"), slow=False),
    "zia": Vendor("a loop with zscaler-sdk-python", sdk("peer_zia.py"), slow=False),
}
