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
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_html import page
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_junit import junit
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Report

FILES = {"html": "report.html", "junit": "report.xml"}


def write_report(
    folder: str,
    hosts: Sequence[str],
    verdict: Mapping[str, Any],
    *,
    title: str,
    kinds: Sequence[str],
    fails: Sequence[str],
) -> dict[str, str]:
    """Write what is asked for of C(html) and C(junit) beside the result files; returns the paths by kind."""
    report = Report()
    for host in hosts:
        report.add(_probe_file.read(_probe_file.host_file(folder, host), "results_dir"))
    make = {
        "html": lambda: page(report, verdict, title, datetime.now(UTC).isoformat(sep=" ", timespec="seconds")),
        "junit": lambda: junit(report, verdict["silent"], title, fails),
    }
    paths = {kind: os.path.join(folder, FILES[kind]) for kind in kinds}
    for kind, path in paths.items():
        _probe_file.write_text(path, make[kind]())
    return paths
