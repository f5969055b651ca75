# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the report does with a large fleet: synthetic results, the real code, a real browser.

.venv/bin/python tests/benchmarks/bench_report.py [HOSTS] [ENDPOINTS] [FOLDER]

Prints seconds, the peak of memory, the size of the page, and how long Chromium takes to show and to filter it (where
Chromium and its driver are installed). With a FOLDER the results, the report and pictures of the page stay there.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_verdict
from ansible_collections.egress.allowlist.plugins.module_utils._probe_advice import advice
from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import judge_fleet
from ansible_collections.egress.allowlist.plugins.plugin_utils._report import write_report

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


def main() -> None:
    hosts, endpoints = (int(word) for word in (sys.argv[1:3] + ["1000", "350"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[3] if len(sys.argv) > 3 else temporary)
        folder.mkdir(exist_ok=True)
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
        kinds = ("html", "junit")
        write_report(str(folder), marks, verdict, title="Verification", kinds=kinds, fail_on="required")
        print(f"{hosts} hosts x {endpoints} endpoints: judged in {judged - start:.1f} s, report in "
              f"{time.monotonic() - judged:.1f} s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"peak of memory {peak / 1024:.0f} MB, {before / 1024:.0f} MB of it before (this script's own data)")
        for name in ("report.html", "report.xml"):
            print(f"{name}: {(folder / name).stat().st_size / 1e6:.2f} MB")
        look(folder)


def look(folder: Path) -> None:
    done = subprocess.run(["which", "chromium", "chromedriver"], capture_output=True, check=False)
    if done.returncode:
        print("Chromium and chromedriver are not installed, so the page was not looked at")
        return
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
    from chromium import Chromium  # noqa: PLC0415  # only where there is one

    with Chromium() as browser:
        start = time.monotonic()
        browser.open(folder / "report.html")
        print(f"shown in {time.monotonic() - start:.2f} s, Chromium's start not counted")
        filters = {"filter-endpoint": "service12", "filter-host": "desktop01", "filter-outcome": "timeout"}
        for field, text in filters.items():
            print(f"{field} {text!r}: {browser.filter(field, text) * 1000:.0f} ms")
        if len(sys.argv) > 3:
            browser.open(folder / "report.html")
            browser.pictures(folder)


if __name__ == "__main__":
    main()
