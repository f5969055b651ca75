# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the report does with a large fleet: synthetic results, the real code, a real browser where there is one.

    .venv/bin/python tests/benchmarks/report.py FOLDER        # leaves the results, the report and pictures of it there
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import plays
from ansible_collections.egress.allowlist.plugins.module_utils import _probe_verdict
from ansible_collections.egress.allowlist.plugins.module_utils._probe_advice import advice
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet
from ansible_collections.egress.allowlist.plugins.plugin_utils._report import write_report
from measuring import Bench, Figure, Row

TITLE = "The report of a large fleet"
MEMORY, SIZE = "memory beyond the data", "size of report.html"
UNITS = {MEMORY: "MB", SIZE: "MB"}
GROUPS = ("managed_desktop", "windows_update_for_business", "delivery_optimization", "intune", "office", "get_help")
STEPS = ("resolve", "connect", "tls", "http")
PROXY = "http://proxy.example.com:3128"
INSPECTOR = "CN=Example Company TLS Inspection CA, O=Example"
KINDS = (
    ("tls_inspected", "inspection", f"the certificate is by '{INSPECTOR}', no public CA: TLS is inspected"),
    ("proxy_auth_required", "proxy", f"the proxy {PROXY} answered CONNECT with 407: it asks for credentials"),
    ("timeout", "firewall", "silent: no answer to the connection in time"),
    ("dns_failure", "resolver", "does not resolve: Name or service not known"),
)


def results(host: int, endpoints: int) -> dict[str, Any]:
    """The result file of a host: most is well, one host in ten sits behind an inspector, one in twenty has no DNS."""
    chance = random.Random(host)
    entries, answers = [], []
    for index in range(endpoints):
        name = f"{'*.' if index % 4 == 0 else ''}service{index}.example.com"
        kind = _kind(host, index, chance)
        outcome, blame, evidence = kind or ("reachable", None, "the server answered 200 over TLSv1.3")
        for scheme in ("https", "http"):
            seconds = {step: round(chance.lognormvariate(-4, 1), 3) for step in STEPS}
            steps = {
                "seconds": seconds, "addresses": ["192.0.2.1"], "proxy": PROXY,
                "tls": {"issuer": INSPECTOR, "chain": [{"subject": name, "sha256": "0" * 64}] * 2},
            }
            answers.append({"target": f"{scheme}://service{index}.example.com", "outcome": outcome, "steps": steps})
        entries.append({
            "entry": name, "severity": "critical" if index < 9 else "required" if index % 5 else "optional",
            "groups": [GROUPS[index % len(GROUPS)]], "wildcard": name.startswith("*"),
            "status": "failed" if kind else "not_provable" if index % 40 == 0 else "ok",
            "target": f"https://service{index}.example.com", "outcome": outcome, "blame": blame,
            "evidence": f"service{index}.example.com: {evidence}" if kind else evidence,
            "advice": advice(outcome, blame), "targets": [], "seconds": 0.1,
        })
    return {
        "format": 2, "host": f"desktop{host:04}", "system": "linux", "time": "2026-01-01T00:00:00+00:00",
        "proxy": PROXY, "mark": "", "answered": True, "seconds": round(chance.uniform(2, 9), 2),
        **_probe_verdict.summarise(entries),
        "entries": entries, "answers": answers,
    }


def _kind(host: int, index: int, chance: random.Random) -> tuple[str, str, str] | None:
    if host % 10 == 3 and index % 12 == 0:
        return KINDS[0]
    if host % 7 == 2 and 30 < index < 44:
        return KINDS[1]
    if host % 20 == 11 and chance.random() < 0.3:
        return KINDS[3]
    return KINDS[2] if chance.random() < 0.002 else None


def rows(bench: Bench) -> Iterator[Row]:
    sizes = ((10, 350), (100, 350)) if bench.quick else ((100, 350), (1000, 350))
    smaller: dict[str, Figure] = {}
    for hosts, endpoints in sizes:
        bench.say(f"{hosts} hosts")
        values: dict[str, list[float]] = defaultdict(list)
        for _run in range(bench.few(2)):
            command = [sys.executable, __file__, "measure", str(hosts), str(endpoints)]
            told = json.loads(plays.measured(command, plays.environment(), bench.folder).out.splitlines()[-1])
            for name, value in told.items():
                values[name].append(value)
        found = {name: Figure(tuple(several), UNITS.get(name, "s")) for name, several in values.items()}
        for name, figure in found.items():
            before = smaller.get(name)
            against = f"ten times {sizes[0][0]} hosts" if before else ""
            yield Row(f"{hosts} hosts: {name}", figure, against, before.scaled(10) if before else None)
        smaller = found


def measure(folder: Path, hosts: int, endpoints: int, *, pictures: bool = False) -> dict[str, float]:
    registered = {}
    for host in range(hosts):
        data = results(host, endpoints)
        (folder / f"{data['host']}.json").write_text(json.dumps(data), encoding="utf-8")
        registered[data["host"]] = {key: data[key] for key in data if key not in ("entries", "answers")}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    verdict = judge_fleet([*registered, "desktop9999"], registered, "required")
    judged = time.monotonic()
    marks = dict.fromkeys(registered, "")
    write_report(str(folder), marks, verdict, title="Verification", kinds=("html", "junit"), fail_on="required")
    told = {"judged": judged - start, "report written": time.monotonic() - judged}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told[MEMORY] = (peak - before) / 1024
    told[SIZE] = (folder / "report.html").stat().st_size / 1e6
    return {**told, **look(folder, pictures)}


def look(folder: Path, pictures: bool) -> dict[str, float]:
    """What Chromium takes to show the page and to filter it; nothing where there is none."""
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        return {}
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
    from chromium import Chromium  # noqa: PLC0415  # only where there is one

    with Chromium() as browser:
        start = time.monotonic()
        browser.open(folder / "report.html")
        told = {"page shown": time.monotonic() - start}
        filters = {"filter-endpoint": "service12", "filter-host": "desktop01", "filter-outcome": "timeout"}
        told["slowest filter"] = max(browser.filter(field, text) for field, text in filters.items())
        if pictures:
            browser.open(folder / "report.html")
            browser.pictures(folder)
    return told


def main() -> None:
    if sys.argv[1] == "measure":
        with tempfile.TemporaryDirectory() as temporary:
            print(json.dumps(measure(Path(temporary), int(sys.argv[2]), int(sys.argv[3]))))
        return
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    print(json.dumps(measure(folder, 1000, 350, pictures=True), indent=1))


if __name__ == "__main__":
    main()
