# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: change_report
short_description: Write what the next apply would change, and why
description:
  - >-
    Makes one report of what the modules of several appliances answered in check mode, as Markdown for a ticket and as
    JSON. What is added, removed and changed on each, and why; what cannot be held exactly; what the web service
    changed; what to look at first; and the commands that apply it and take it back.
  - The report has no time in it. Equal answers make equal bytes, with everything in a stable order.
  - >-
    The commands repeat how this run was called. Variables of C(-e) that may hold secrets are named and not repeated.
  - It works on the control node alone. Call it with C(run_once), as the playbook C(report_changes) does.
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.read_only
options:
  hosts:
    description:
      - The appliances, as names of the inventory.
    type: list
    elements: str
    required: true
  register:
    description:
      - >-
        The name of the variable in which each of them has its plan, a mapping. C(appliance) and C(name) say what it is,
        C(answer) is what its module returned, C(entries) are those that it was given, and C(error) says what failed.
    type: str
    required: true
  known:
    description:
      - All entries that the catalogs have, nothing left out. They tell why an entry goes, and whether it is critical.
    type: list
    elements: raw
    default: []
  web_service:
    description:
      - What P(egress.allowlist.endpoint_changes#lookup) returns.
    type: list
    elements: dict
    default: []
  web_service_error:
    description:
      - Why that is not known.
    type: str
    default: ''
  change_id:
    description:
      - The id of the ticket. It is in the title, and names the files.
    type: str
    default: ''
  dir:
    description:
      - >-
        Folder on the control node for the two files, F(next.md) and F(next.json), or named by O(change_id). Each is
        written as a whole, mode V(0600). Without it, and in check mode, none is.
    type: path
  managed_hosts:
    description:
      - The pattern of the hosts that verify an apply. The command needs them where the run has a C(--limit).
    type: str
    default: managed_hosts
  snapshot_dir:
    description:
      - Where an apply keeps what appliances held before.
    type: str
    default: egress-snapshots
seealso:
  - module: egress.allowlist.snapshot
  - plugin: egress.allowlist.endpoint_changes
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: See what would change
  egress.allowlist.squid:
    entries: "{{ entries }}"
    clients: [10.20.0.0/24]
  check_mode: true
  register: answer

- name: Keep it
  ansible.builtin.set_fact:
    plan: {appliance: squid, name: mmd, answer: "{{ answer }}", entries: "{{ entries }}"}

- name: Write it down for the ticket
  egress.allowlist.change_report:
    hosts: "{{ ansible_play_hosts }}"
    register: plan
    web_service: "{{ query('egress.allowlist.endpoint_changes', since='applied') }}"
    change_id: CHG0031337
    dir: egress-changes
  run_once: true
"""

RETURN = r"""
appliances:
  description: >-
    For each appliance C(host), C(appliance), C(name), C(error), C(waits_for), C(changed), how many entries it holds
    C(before) and C(after), the rows C(added), C(removed) and C(moved), C(translation) and C(notes).
  returned: success
  type: list
  elements: dict
web_service:
  description: The C(changes) of the web service, each with the C(appliances) that it reaches, and C(error).
  returned: success
  type: dict
totals:
  description: Counts of appliances, and of different names over all of them.
  returned: success
  type: dict
  sample: {appliances: 2, changed: 1, failed: 0, added: 3, removed: 1, moved: 0, not_exact: 4}
cautions:
  description: What somebody should look at before it is applied.
  returned: success
  type: list
  elements: str
commands:
  description: >-
    C(check), C(apply) and C(rollback), each as one line of shell; C(run), the folder that will hold what was before;
    and C(left_out), the variables that are not repeated.
  returned: success
  type: dict
change_id:
  description: The id of the ticket, V(null) for none.
  returned: success
  type: str
format:
  description: The version of this form.
  returned: success
  type: int
  sample: 1
lines:
  description: A short summary for people.
  returned: success
  type: list
  elements: str
files:
  description: The paths of the files, by C(markdown) and C(json).
  returned: success
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: Dict[str, Any] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    "register": {"type": "str", "required": True},
    "known": {"type": "list", "elements": "raw", "default": []},
    "web_service": {"type": "list", "elements": "dict", "default": []},
    "web_service_error": {"type": "str", "default": ""},
    "change_id": {"type": "str", "default": ""},
    "dir": {"type": "path"},
    "managed_hosts": {"type": "str", "default": "managed_hosts"},
    "snapshot_dir": {"type": "str", "default": "egress-snapshots"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="egress.allowlist.change_report works on the control node only: call it by its full name")


if __name__ == "__main__":
    main()
