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

from ansible_collections.egress.allowlist.plugins.module_utils._probe_fleet import FAIL_ON
from ansible_collections.egress.allowlist.plugins.plugin_utils._report_model import Endpoint, Host, Kind, Report

_MOST_HOSTS = 20
# What XML 1.0 has no way to write, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
HOSTS = "managed hosts"
LEFT_OUT = "it answered, and its result file of this run is not in the folder"
BASELINE = "compared with the baseline"


def junit(report: Report, verdict: Mapping[str, Any], title: str, fail_on: str) -> str:
    """The whole document. It has a failure where *verdict*, the judgement by *fail_on*, is no pass, and only there.

    What failed and is no reason not to pass is a skipped case.
    """
    root = ET.Element("testsuites", name=_clean(title))
    fails = FAIL_ON[fail_on]
    answered = [_answered(host) for host in report.hosts]
    left_out = [_left_out(host, verdict["passed"]) for host in report.left_out]
    _suite(root, HOSTS, [*answered, *left_out, *(_silent(one) for one in _missing(verdict))])
    if "worse" in verdict:
        _suite(root, BASELINE, _worse(verdict, fail_on == "worse"))
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


def _left_out(host: str, passed: bool) -> ET.Element:
    """It may hold what prevented a pass, and then it must not look like one here."""
    case = ET.Element("testcase", name=_clean(f"{host} answers"), time="0")
    ET.SubElement(case, "skipped" if passed else "failure", message=LEFT_OUT, type="no result file")
    return case


def _missing(verdict: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    if verdict["answered"] or verdict["silent"]:
        silent: Sequence[Mapping[str, str]] = verdict["silent"]
        return silent
    return [{"host": "any managed host", "reason": "no managed host answered, so nothing is proven"}]


def _worse(verdict: Mapping[str, Any], fails: bool) -> list[ET.Element]:
    cases = []
    for index, line in enumerate(verdict["worse"]):
        case = ET.Element("testcase", name=_clean(line), time="0")
        tag = "failure" if fails and index < verdict["worse_serious"] else "skipped"
        ET.SubElement(case, tag, message=_clean(line), type="worse")
        cases.append(case)
    return cases or [ET.Element("testcase", name="nothing is worse", time="0")]


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
    evidence = report.details[index, report.kinds.index(kind)].evidence
    more = f" and {len(names) - _MOST_HOSTS} more" if len(names) > _MOST_HOSTS else ""
    return f"{evidence} (on {', '.join(names[:_MOST_HOSTS])}{more})"


def _clean(text: Any) -> str:
    return _ILLEGAL.sub("?", str(text))
