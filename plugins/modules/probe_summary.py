# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe_summary
short_description: Judge a fleet by the answers of its probes
description:
  - Reads what M(egress.allowlist.probe) returned on each managed host of the play and makes one judgement of it.
    Who answered, how many endpoints are as intended for each group and severity, what is not and who is to blame.
  - A host that did not answer is never a pass, and no host that answered is a failure.
  - It never fails by itself for what it finds. RV(passed) and RV(reasons) say what to do.
  - Runs on the control node alone. Call it with C(run_once) in a play without C(serial), after the probes.
version_added: 0.1.0
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.read_only
options:
  hosts:
    description:
      - The managed hosts that should have answered, as names of the inventory.
    type: list
    elements: str
    required: true
  register:
    description:
      - The name of the variable in which the task with the probe registered its result.
    type: str
    required: true
  mark:
    description:
      - The text that the probes were given as their O(egress.allowlist.probe#module:mark). An answer with another
        one is from an earlier run and does not count.
    type: str
    default: ''
  fail_on:
    description:
      - The least severity that prevents a pass. With V(never) only hosts that did not answer do.
      - With V(worse) only a critical or required endpoint that is worse than in O(baseline) does, and hosts that did
        not answer. Check mode writes no result files, so it cannot tell.
    type: str
    choices: [required, critical, worse, never]
    default: required
  title:
    description:
      - What the report calls this verification.
    type: str
    default: Verification
  results_dir:
    description:
      - Folder on the control node in which F(summary.json) is written, mode V(0600). Not in check mode.
    type: path
  report:
    description:
      - What is written beside F(summary.json). V(html) is one page, F(report.html), that needs no network and nothing
        else. V(junit) is F(report.xml) for pipelines.
    type: list
    elements: str
    choices: [html, junit]
    default: []
    version_added: 0.2.0
  baseline:
    description:
      - The O(results_dir) of an earlier verification, or the F(summary.json) in it, not the O(results_dir) of this one.
        What is worse than then, and what is better, is told. Worse is what failed now and did not fail then, also where
        it was not asked for, and a host that fell silent. Hosts that were not asked then are not compared.
    type: path
    version_added: 0.2.0
  results:
    description:
      - Folder on the control node with result files that came in another way, such as those of the stand-alone script.
        Their hosts need not be in the inventory, and count besides O(hosts).
    type: path
    version_added: 0.2.0
  questions:
    description:
      - Options of M(egress.allowlist.probe) that say what was asked, by which O(results) of the stand-alone script are
        judged. C(entries) above all, and C(intents), C(witnesses) and the like where they were given.
    type: dict
    version_added: 0.2.0
seealso:
  - module: egress.allowlist.probe
"""

EXAMPLES = r"""
- name: Judge the fleet
  egress.allowlist.probe_summary:
    hosts: "{{ ansible_play_hosts_all }}"
    register: probed
    results_dir: ./results
  run_once: true
  register: fleet

- name: Show the judgement
  ansible.builtin.debug:
    msg: "{{ fleet.lines }}"
  run_once: true
"""

RETURN = r"""
passed:
  description: Whether every host answered and nothing of the severity of O(fail_on) or above failed.
  returned: success
  type: bool
  sample: true
reasons:
  description: Why it is not a pass.
  returned: success
  type: list
  elements: str
  sample: []
answered:
  description: How many managed hosts answered.
  returned: success
  type: int
  sample: 2
total:
  description: How many should have.
  returned: success
  type: int
  sample: 2
silent:
  description: The hosts that did not answer, with the reason.
  returned: success
  type: list
  elements: dict
  sample: []
counts:
  description: The sums over all hosts of what M(egress.allowlist.probe) returns under this name.
  returned: success
  type: dict
  sample: {"total": 124, "ok": 118, "failed": 2, "not_provable": 4, "gone": 0}
by_severity:
  description: The same for each severity.
  returned: success
  type: dict
  sample: {"critical": {"total": 6, "ok": 6, "failed": 0, "not_provable": 0, "gone": 0}}
by_group:
  description: The same for each group.
  returned: success
  type: dict
  sample: {"quick_assist": {"total": 12, "ok": 10, "failed": 2, "not_provable": 0, "gone": 0}}
by_outcome:
  description: How often what happened, and the first suspect, among what is not as intended.
  returned: success
  type: dict
  sample: {"proxy_auth_required, suspect: proxy": 2}
failures:
  description:
    - What is not as intended, once for all hosts that say the same, at most 20. As
      RV(egress.allowlist.probe#module:failures), with C(hosts) (at most 20 names) and C(count).
  returned: success
  type: list
  elements: dict
  sample:
    - entry: "*.lync.com"
      severity: required
      target: https://webdir.online.lync.com
      outcome: proxy_auth_required
      blame: proxy
      evidence: >-
        the proxy http://192.0.2.1:3128 answered CONNECT with 407 for https://webdir.online.lync.com:
        it asks for credentials
      hosts: [desktop1, desktop2]
      count: 2
failures_more:
  description: How many more checks failed than RV(failures) stands for.
  returned: success
  type: int
  sample: 0
not_provable:
  description: Entries that could not be asked on some host, at most 20.
  returned: success
  type: list
  elements: str
  sample: []
gone:
  description: Entries whose names do not exist any more, at most 20.
  returned: success
  type: list
  elements: str
  sample: []
lines:
  description: The judgement as text for people.
  returned: success
  type: list
  elements: str
  sample: ["Verification: 2 of 2 managed hosts answered"]
message:
  description: Whether it is a pass, why not, and the worst, in one line.
  returned: success
  type: str
  sample: Passed.
wildcards:
  description: How many wildcards were asked for, and how many of them some known name could show.
  returned: success
  type: dict
  sample: {"total": 86, "provable": 71}
worse:
  description: What is worse than in the baseline, at most 200, optional endpoints last.
  returned: with O(baseline)
  type: list
  elements: str
  sample: ["desktop1: login.live.com (required) was as intended, is proxy_denied, suspect: proxy"]
worse_count:
  description: How many checks are worse than in the baseline, hosts that are lost included.
  returned: with O(baseline)
  type: int
  sample: 1
worse_serious:
  description: How many of RV(worse_count) are not of optional endpoints.
  returned: with O(baseline)
  type: int
  sample: 1
not_compared:
  description: How many of the hosts that answered were not asked at the time of the baseline.
  returned: with O(baseline)
  type: int
  sample: 0
better:
  description: How many checks failed then and do not now.
  returned: with O(baseline)
  type: int
  sample: 12
reports:
  description: The files of the report that were written, by kind.
  returned: success
  type: dict
  sample: {"html": "/home/admin/results/report.html"}
summary_file:
  description: The file that was written, or null.
  returned: success
  type: str
  sample: /home/admin/results/summary.json
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: Dict[str, Any] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "register": {"type": "str", "required": True},
    "mark": {"type": "str", "default": ""},
    "fail_on": {"type": "str", "choices": ["required", "critical", "worse", "never"], "default": "required"},
    "title": {"type": "str", "default": "Verification"},
    "results_dir": {"type": "path"},
    "report": {"type": "list", "elements": "str", "choices": ["html", "junit"], "default": []},
    "baseline": {"type": "path"},
    "results": {"type": "path"},
    "questions": {"type": "dict"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="egress.allowlist.probe_summary works on the control node only: call it by its full name")


if __name__ == "__main__":
    main()
