# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the report of a fleet: reads the result files one by one, writes the page and the XML as a whole."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _probe_file
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_html import page
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_junit import junit
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Report

FILES = {"html": "report.html", "junit": "report.xml"}


def write_report(
    folder: str,
    hosts: Mapping[str, Any],
    verdict: Mapping[str, Any],
    *,
    title: str,
    kinds: Sequence[str],
    fail_on: str,
) -> dict[str, str]:
    """Write what is asked for of C(html) and C(junit) beside the result files; returns the paths by kind.

    *hosts* are those that answered, with the mark of their answer: a file with another one is of an earlier run.
    """
    paths = {kind: os.path.join(folder, FILES[kind]) for kind in kinds}
    if not paths:
        return {}
    report = _read(folder, hosts)
    make = {
        "html": lambda: page(report, verdict, title, datetime.now(UTC).isoformat(sep=" ", timespec="seconds")),
        "junit": lambda: junit(report, verdict, title, fail_on),
    }
    for kind, path in paths.items():
        _probe_file.write_text(path, make[kind]())
    return paths


def _read(folder: str, hosts: Mapping[str, Any]) -> Report:
    report = Report()
    for host, mark in hosts.items():
        path = _probe_file.host_file(folder, host)
        data = _probe_file.read(path, "results_dir") if os.path.exists(path) else None
        if data is None or (data.get("mark") or "") != (mark or ""):
            report.left_out.append(host)
            continue
        try:
            report.add(data)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise AllowlistError(
                f"results_dir: {path} is no result file of a probe, or damaged ({type(error).__name__}: {error}); "
                "remove it and ask that host again"
            ) from error
    return report
