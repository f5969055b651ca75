# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe_compare
short_description: Tell whether a fleet is worse off than before
description:
  - Compares the result files of M(egress.allowlist.probe) from before a change with those from after it.
  - An entry got worse when it was as intended before, is not now, and the suspect is on the path that a change of the
    allowlist can reach. What a server, a resolver or the host itself does is no reason to take a change back.
  - A host that answered before and does not answer now is lost, which is worse than anything.
  - Runs on the control node alone and reads the files of one host at a time. Call it with C(run_once).
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.read_only
options:
  before:
    description:
      - The O(egress.allowlist.probe#module:results_dir) of the probe before.
    type: path
    required: true
  after:
    description:
      - The O(egress.allowlist.probe#module:results_dir) of the probe after.
    type: path
    required: true
  hosts:
    description:
      - The hosts that answered before.
    type: list
    elements: str
    required: true
  register:
    description:
      - The name of the variable in which the task with the probe after registered its result.
    type: str
    required: true
  mark:
    description:
      - The text that the probe after was given as its O(egress.allowlist.probe#module:mark).
    type: str
    default: ''
  among:
    description:
      - RV(pairs) of an earlier comparison. Only what got worse there counts, so that an entry has to be bad each time.
      - What was bad on a host that is silent now stays under suspicion, since nothing shows it to be well again.
    type: list
    elements: list
  severities:
    description:
      - Which entries count.
    type: list
    elements: str
    choices: [critical, required, optional]
    default: [critical, required]
  blames:
    description:
      - Whose fault counts.
    type: list
    elements: str
    choices: [client, resolver, firewall, proxy, inspection, server, unknown]
    default: [firewall, proxy, inspection]
seealso:
  - module: egress.allowlist.probe
  - module: egress.allowlist.probe_summary
"""

EXAMPLES = r"""
- name: See whether anything got worse
  egress.allowlist.probe_compare:
    before: results/before
    after: results/after
    hosts: "{{ answered_before }}"
    register: probed_after
  run_once: true
  register: compared

- name: Stop where it did
  ansible.builtin.fail:
    msg: "{{ compared.message }}"
  when: compared.regressed
"""

RETURN = r"""
regressed:
  description: Whether an entry got worse or a host was lost.
  returned: success
  type: bool
  sample: true
worse:
  description: What got worse, once for all hosts that say the same, at most 20, with C(hosts) and C(count).
  returned: success
  type: list
  elements: dict
  sample:
    - entry: login.live.com
      severity: required
      outcome: proxy_auth_required
      blame: proxy
      evidence: >-
        the proxy http://192.0.2.1:3128 answered CONNECT with 407 for https://login.live.com: it asks for credentials
      hosts: [desktop1]
      count: 1
pairs:
  description: >-
    Host and entry of all that got worse, for O(among) of the next comparison. An empty entry stands for a host that
    is lost.
  returned: success
  type: list
  elements: list
  sample: [["desktop1", "login.live.com"]]
lost:
  description: The hosts that answered before and not now.
  returned: success
  type: list
  elements: str
  sample: []
lines:
  description: The same as text for people.
  returned: success
  type: list
  elements: str
  sample: ["login.live.com (required): was as intended, is proxy_auth_required, suspect: proxy, on desktop1"]
message:
  description: The same in one line.
  returned: success
  type: str
  sample: "Nothing got worse."
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: Dict[str, Any] = {
    "before": {"type": "path", "required": True},
    "after": {"type": "path", "required": True},
    "hosts": {"type": "list", "elements": "str", "required": True},
    "register": {"type": "str", "required": True},
    "mark": {"type": "str", "default": ""},
    "among": {"type": "list", "elements": "list"},
    "severities": {
        "type": "list",
        "elements": "str",
        "choices": ["critical", "required", "optional"],
        "default": ["critical", "required"],
    },
    "blames": {
        "type": "list",
        "elements": "str",
        "choices": ["client", "resolver", "firewall", "proxy", "inspection", "server", "unknown"],
        "default": ["firewall", "proxy", "inspection"],
    },
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="egress.allowlist.probe_compare works on the control node only: call it by its full name")


if __name__ == "__main__":
    main()
