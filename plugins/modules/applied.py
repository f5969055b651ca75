# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: applied
short_description: Record which version of the web service's list an appliance was given
description:
  - Writes on the control node which version of the list of Microsoft's endpoint web service an appliance holds now, as
    the sources of the entries tell. P(egress.allowlist.endpoint_changes#lookup) can then tell what changed since.
  - The role P(egress.allowlist.apply#role) does it after each success, and when it gives back what was there before.
  - Runs on the control node only; nothing is asked of the host.
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes
options:
  state:
    description:
      - V(recorded) writes the version of O(entries) down.
      - V(taken_back) writes the version before it down again.
    type: str
    choices: [recorded, taken_back]
    default: recorded
  entries:
    description:
      - What the appliance was given. Entries that the web service did not ask for do not count.
    type: list
    elements: raw
    default: []
  name:
    description:
      - The name of the list on the appliance.
    type: str
    default: mmd
  cache_dir:
    description:
      - The folder of O(egress.allowlist.endpoints#lookup:cache_dir), where that option says by default.
    type: path
seealso:
  - plugin: egress.allowlist.endpoint_changes
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Resolve the entries once
  ansible.builtin.set_fact:
    entries: "{{ query('egress.allowlist.endpoints', catalog='microsoft_365') }}"

- name: Give them to the proxy
  egress.allowlist.squid:
    entries: "{{ entries }}"
    clients: [10.0.0.0/8]

- name: Record which version it holds
  egress.allowlist.applied:
    entries: "{{ entries }}"
"""

RETURN = r"""
versions:
  description: For each instance the version; empty where the entries are from elsewhere.
  returned: success
  type: dict
  sample: {worldwide: "2025120100"}
path:
  description: The file on the control node; null when none is needed, and in check mode.
  returned: success
  type: str
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: Dict[str, Any] = {
    "state": {"type": "str", "choices": ["recorded", "taken_back"], "default": "recorded"},
    "entries": {"type": "list", "elements": "raw", "default": []},
    "name": {"type": "str", "default": "mmd"},
    "cache_dir": {"type": "path"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="egress.allowlist.applied runs on the control node, as an action plugin")


if __name__ == "__main__":
    main()
