# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as one page that needs nothing else: no network, no other file.

All foreign text comes as data and is put on the page as text, never as markup. The policy in the page's head lets only
our own script and style run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import (
    CLASSES,
    STEPS,
    Culprit,
    Report,
    percentile,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_words import headline

_FOLDER = Path(__file__).with_name("report")
_MOST_NAMES = 400
_MOST_CULPRITS = 100
# One character for each kind of answer: printable, and none that JSON or we would have to escape.
ALPHABET = "".join(char for char in map(chr, range(35, 1024)) if char.isprintable() and char not in '"\\<>&')[:256]


def page(report: Report, verdict: Mapping[str, Any], title: str, time: str) -> str:
    """The whole page. *verdict* is the judgement over the fleet, *time* when it was made."""
    style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    parts = {
        "policy": f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
        "style": style,
        "script": script,
        "data": _json(_data(report, verdict, title, time)),
        "title": html.escape(title),
    }
    text = (_FOLDER / "page.html").read_text(encoding="utf-8")
    for name, part in parts.items():  # what is foreign comes last, since it may look like a placeholder
        before, _mark, after = text.partition(f"{{{{{name}}}}}")
        text = before + part + after
    return text


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _json(data: Mapping[str, Any]) -> str:
    """JSON that ends no script element and begins no comment, whatever is in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _data(report: Report, verdict: Mapping[str, Any], title: str, time: str) -> dict[str, Any]:
    groups = sorted({group for endpoint in report.endpoints for group in endpoint.groups})
    number = {group: index for index, group in enumerate(groups)}
    told = (
        "passed", "reasons", "answered", "total", "counts", "by_severity", "by_group", "wildcards", "worse",
        "worse_count", "better", "not_compared",
    )
    return {
        "title": title,
        "time": time,
        "verdict": {name: verdict[name] for name in told if name in verdict},
        "silent": verdict["silent"][:_MOST_NAMES],
        "silentCount": len(verdict["silent"]),
        "leftOut": len(report.left_out),
        "groups": groups,
        "hosts": [[host.name, host.system, host.proxy, host.seconds] for host in report.hosts],
        "endpoints": [[one.label, one.severity, [number[group] for group in one.groups]] for one in report.endpoints],
        "kinds": [list(kind) for kind in report.kinds],
        "alphabet": ALPHABET[: len(report.kinds)],
        "rows": [_row(row, len(report.endpoints)) for row in report.rows],
        "details": {
            f"{endpoint},{kind}": [one.evidence, one.target, one.host]
            for (endpoint, kind), one in report.details.items()
        },
        "culprits": [_culprit(report, one) for one in report.sorted_culprits()[:_MOST_CULPRITS]],
        "culpritCount": len(report.culprits),
        "times": _times(report),
    }


def _row(row: bytearray, width: int) -> str:
    return "".join(ALPHABET[code] for code in row.ljust(width, b"\0"))


def _culprit(report: Report, one: Culprit) -> dict[str, Any]:
    endpoints = sorted(one.endpoints.items(), key=lambda item: (-item[1], report.endpoints[item[0]].label))
    hosts = sorted(one.hosts)
    return {
        "headline": headline(one.blame, one.outcome, one.who, sorted(one.proxies), len(endpoints)),
        "blame": one.blame,
        "outcome": one.outcome,
        "severity": one.severity,
        "count": one.count,
        "evidence": one.evidence,
        "advice": one.advice,
        "endpoints": [index for index, _count in endpoints[:_MOST_NAMES]],
        "endpointCount": len(endpoints),
        "hosts": hosts[:_MOST_NAMES],
        "hostCount": len(hosts),
    }


def _times(report: Report) -> list[dict[str, Any]]:
    found = []
    for step in STEPS:
        counts = report.times[step]
        if any(counts):
            shares = {name: percentile(counts, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p100", 1.0))}
            found.append({"step": step, "count": sum(counts), "counts": counts, "ends": list(CLASSES), **shares})
    return found
