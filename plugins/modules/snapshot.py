# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: snapshot
short_description: Keep on the control node what an appliance holds, and give it back
description:
  - Reads all that we own on an appliance and files it on the control node, before anything is changed, so that even
    a control node that dies in the middle of a run loses nothing. Later it is written back as one transaction.
  - The snapshot goes from the appliance to the file and back, and never becomes a variable. It may be megabytes.
  - Files have mode V(0600), folders V(0700), and each file is there as a whole or not at all. No credentials are in it.
  - The module of the appliance runs where this task runs. For an appliance with an API that is the control node
    (C(delegate_to=localhost), or C(connection=local)); the file is named after the host of the inventory all the same.
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes
options:
  state:
    description:
      - V(taken) reads the appliance and files what it holds.
      - V(dropped) forgets the snapshot of this run, for an appliance that was not changed.
      - V(restored) writes a snapshot back, byte for byte.
    type: str
    choices: [taken, dropped, restored]
    default: taken
  appliance:
    description:
      - What the host is.
    type: str
    choices: [squid, nftables, panos, zia, fortios]
    required: true
  options:
    description:
      - The options of the appliance's own module that say what and where, such as C(name) and C(config_file), or
        C(host) and the credentials of an appliance with an API.
    type: dict
    default: {}
  dir:
    description:
      - Folder on the control node with the snapshots of all runs.
    type: path
    required: true
  run:
    description:
      - The run, as its time in UTC, with or without words behind it, V(20261123T051400Z) for example.
      - With O(state=restored), V(latest) means the latest run that changed this host, or any of O(hosts).
    type: str
    required: true
  hosts:
    description:
      - With O(state=restored), all hosts that are given back what they held. A host that the run did not change, while
        it changed others of them, is left as it is.
      - Only this host by default, and then it is an error where the run has no snapshot of it.
    type: list
    elements: str
    default: []
seealso:
  - module: egress.allowlist.squid
  - module: egress.allowlist.nftables
  - module: egress.allowlist.panos
  - module: egress.allowlist.zia
  - module: egress.allowlist.fortios
"""

EXAMPLES = r"""
- name: Keep what the proxy holds
  egress.allowlist.snapshot:
    appliance: squid
    dir: ./snapshots
    run: 20261123T051400Z

- name: Give it back
  egress.allowlist.snapshot:
    state: restored
    appliance: squid
    dir: ./snapshots
    run: latest
"""

RETURN = r"""
path:
  description: >-
    The file on the control node, or null when there is none (check mode, O(state=dropped), or a run that did not
    change this host).
  returned: success
  type: str
  sample: /home/admin/snapshots/20261123T051400Z/proxy1.json
run:
  description: The run that was meant.
  returned: state is restored
  type: str
  sample: 20261123T051400Z
taken:
  description: When the snapshot was taken, in UTC; null when there is none.
  returned: state is restored
  type: str
  sample: "2026-11-23T05:14:00+00:00"
added:
  description: The entries that came back.
  returned: state is restored
  type: list
  elements: str
  sample: []
removed:
  description: The entries that went.
  returned: state is restored
  type: list
  elements: str
  sample: ["host www.example.com tcp/80,443"]
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

BY_API = ("panos", "zia", "fortios")  # asked from the control node
ARGUMENT_SPEC: Dict[str, Any] = {
    "state": {"type": "str", "choices": ["taken", "dropped", "restored"], "default": "taken"},
    "appliance": {"type": "str", "choices": ["squid", "nftables", *BY_API], "required": True},
    "options": {"type": "dict", "default": {}},
    "dir": {"type": "path", "required": True},
    "run": {"type": "str", "required": True},
    "hosts": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="egress.allowlist.snapshot begins on the control node: call it by its full name")


if __name__ == "__main__":
    main()
