# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as JUnit XML, for pipelines: a suite for each group, a case for each endpoint, over all hosts."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Endpoint, Host, Kind, Report

_MOST_HOSTS = 20
# What XML 1.0 has no way to write, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HOSTS = "managed hosts"


def junit(report: Report, silent: Sequence[Mapping[str, str]], title: str, fails: Sequence[str]) -> str:
    """The whole document. *fails* are the severities of which a failure is one; of others it is a skipped case."""
    root = ET.Element("testsuites", name=_clean(title))
    _suite(root, HOSTS, [_answered(host) for host in report.hosts] + [_silent(one) for one in silent])
    by_group: dict[str, list[ET.Element]] = defaultdict(list)
    for index, endpoint in enumerate(report.endpoints):
        by_group[endpoint.groups[0]].append(_case(report, index, endpoint, fails))
    for group in sorted(by_group):
        _suite(root, group, by_group[group])
    for name in ("tests", "failures", "skipped"):
        root.set(name, str(sum(int(suite.get(name) or 0) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, name: str, cases: Sequence[ET.Element]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_clean(name), tests=str(len(cases)), errors="0")
    for kind, tag in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(kind, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time') or 0) for case in cases):.3f}")
    for case in cases:
        case.set("classname", _clean(name))
        suite.append(case)


def _answered(host: Host) -> ET.Element:
    return ET.Element("testcase", name=_clean(f"{host.name} answers"), time=f"{host.seconds:.3f}")


def _silent(one: Mapping[str, str]) -> ET.Element:
    case = ET.Element("testcase", name=_clean(f"{one['host']} answers"), time="0")
    ET.SubElement(case, "failure", message=_clean(one["reason"]), type="silent").text = _clean(one["reason"])
    return case


def _case(report: Report, index: int, endpoint: Endpoint, fails: Sequence[str]) -> ET.Element:
    case = ET.Element("testcase", name=_clean(endpoint.label), time="0")
    hosts: dict[Kind, list[str]] = defaultdict(list)
    for host, kind in report.statuses(index):
        if kind[0] != "ok":
            hosts[kind].append(host.name)
    failed = {kind: names for kind, names in hosts.items() if kind[0] == "failed"}
    if failed:
        tag = "failure" if endpoint.severity in fails else "skipped"
        told = [_tell(report, index, kind, names) for kind, names in failed.items()]
        kinds = ", ".join(sorted({kind[1] for kind in failed}))
        message = _clean(f"{kinds} ({endpoint.severity}): {told[0]}")
        ET.SubElement(case, tag, message=message, type=_clean(kinds)).text = _clean("\n".join(told))
    elif hosts:
        kind, names = next(iter(hosts.items()))
        ET.SubElement(case, "skipped", message=_clean(f"{kind[0]}: {_tell(report, index, kind, names)}"))
    return case


def _tell(report: Report, index: int, kind: Kind, names: Sequence[str]) -> str:
    evidence, _target = report.details[index, report.kinds.index(kind)]
    more = f" and {len(names) - _MOST_HOSTS} more" if len(names) > _MOST_HOSTS else ""
    return f"{evidence} (on {', '.join(names[:_MOST_HOSTS])}{more})"


def _clean(text: Any) -> str:
    return _ILLEGAL.sub("?", str(text))
