# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe_script
short_description: Write the probe as one script for hosts that Ansible does not reach
description:
  - Desktops rarely accept WinRM or ssh. This writes, on the control node, one self-contained script with the targets
    and options inside, to be run there by what manages the desktops, such as an Intune remediation, a login script or a
    scheduled task.
  - The script does what M(egress.allowlist.win_probe) or M(egress.allowlist.probe) does and writes the answers as JSON.
    Whether they are as intended is judged on the control node, where the files are collected, by the role
    P(egress.allowlist.verify#role).
  - It ends with 0 when the file is written, whatever the answers are, and with 1 and one line of reason when not. An
    endpoint that fails is no failure of the script, since the desktop does not know what is intended.
  - For V(powershell) it needs Windows PowerShell 5.1 or later in full language mode, for V(python) Python 3.8 or later,
    and nothing else.
  - The PowerShell script has not met a Windows host yet.
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
attributes:
  check_mode:
    support: full
    description: The answer is the very same as without check mode, and nothing is written.
  diff_mode:
    support: full
    description: The text of the script, without the part of it that is compressed.
  idempotent:
    support: full
    description: The same options give the same file.
options:
  kind:
    description:
      - What the script is written in.
    type: str
    choices: [powershell, python]
    required: true
  dest:
    description:
      - The file to write on the control node.
    type: path
    required: true
  mode:
    description:
      - Its permissions, as three octal digits.
    type: str
    default: "0644"
  results_path:
    description:
      - The file in which each host writes its answers, for example V(C:\\ProgramData\\egress\\{host}.json) or a share.
      - C({host}) stands for the host's name. Variables of the environment such as V(%ProgramData%), or V($HOME) on
        Linux, are those of the host.
    type: str
    required: true
  entries:
    description:
      - As O(egress.allowlist.probe#module:entries). The control node chooses what is asked for each entry.
    type: list
    elements: raw
  targets:
    description:
      - As O(egress.allowlist.probe#module:targets).
    type: list
    elements: str
  proxy:
    description:
      - As O(egress.allowlist.probe#module:proxy).
    type: str
  proxy_settings:
    description:
      - As O(egress.allowlist.probe#module:proxy_settings).
    type: str
    choices: [none, system, user]
    default: none
  pac:
    description:
      - As O(egress.allowlist.probe#module:pac). For V(powershell) it must be a URL.
    type: str
  families:
    description:
      - As O(egress.allowlist.probe#module:families).
    type: list
    elements: str
    choices: [any, ipv4, ipv6]
    default: [any]
  retries:
    description:
      - As O(egress.allowlist.probe#module:retries).
    type: int
    default: 1
  timeout:
    description:
      - As O(egress.allowlist.probe#module:timeout).
    type: float
    default: 5
  deadline:
    description:
      - As O(egress.allowlist.probe#module:deadline).
    type: float
    default: 60
  threads:
    description:
      - As O(egress.allowlist.probe#module:threads). Less than there, since it runs beside a person's work.
    type: int
    default: 16
  min_tls:
    description:
      - As O(egress.allowlist.probe#module:min_tls).
    type: str
    choices: ["1.2", "1.3"]
    default: "1.2"
  public_ca_path:
    description:
      - As O(egress.allowlist.probe#module:public_ca_path), a path on the hosts.
    type: str
  public_fingerprints:
    description:
      - As O(egress.allowlist.probe#module:public_fingerprints).
    type: list
    elements: str
  inspection_ca_path:
    description:
      - As O(egress.allowlist.probe#module:inspection_ca_path), a path on the hosts.
    type: str
  witnesses:
    description:
      - As O(egress.allowlist.probe#module:witnesses).
    type: dict
  witnesses_per_wildcard:
    description:
      - As O(egress.allowlist.probe#module:witnesses_per_wildcard).
    type: int
    default: 2
  made_up_witnesses:
    description:
      - As O(egress.allowlist.probe#module:made_up_witnesses).
    type: bool
    default: false
  range_targets:
    description:
      - As O(egress.allowlist.probe#module:range_targets).
    type: list
    elements: str
  control_name:
    description:
      - As O(egress.allowlist.probe#module:control_name).
    type: str
seealso:
  - module: egress.allowlist.probe
  - module: egress.allowlist.win_probe
"""

EXAMPLES = r"""
- name: Write the script for an Intune remediation
  egress.allowlist.probe_script:
    kind: powershell
    dest: ./egress-probe.ps1
    results_path: '\\files.example.com\egress$\{host}.json'
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    proxy_settings: user

- name: Write the script for Linux desktops
  egress.allowlist.probe_script:
    kind: python
    dest: ./egress-probe.py
    mode: "0755"
    results_path: /var/tmp/egress/{host}.json
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    proxy: http://proxy.example.com:3128
"""

RETURN = r"""
dest:
  description: The file, as an absolute path.
  returned: success
  type: str
  sample: /home/admin/egress-probe.ps1
targets:
  description: How many targets it asks for.
  returned: success
  type: int
  sample: 412
size:
  description: Its size in bytes.
  returned: success
  type: int
  sample: 131072
sha256:
  description: Its SHA-256, for the allowlist of what may run on the hosts.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC: Dict[str, Any] = {
    "kind": {"type": "str", "choices": ["powershell", "python"], "required": True},
    "dest": {"type": "path", "required": True},
    "mode": {"type": "str", "default": "0644"},
    "results_path": {"type": "str", "required": True},
    "entries": {"type": "list", "elements": "raw"},
    "targets": {"type": "list", "elements": "str"},
    "proxy": {"type": "str"},
    "proxy_settings": {"type": "str", "choices": ["none", "system", "user"], "default": "none"},
    "pac": {"type": "str"},
    "families": {"type": "list", "elements": "str", "choices": ["any", "ipv4", "ipv6"], "default": ["any"]},
    "retries": {"type": "int", "default": 1},
    "timeout": {"type": "float", "default": 5},
    "deadline": {"type": "float", "default": 60},
    "threads": {"type": "int", "default": 16},
    "min_tls": {"type": "str", "choices": ["1.2", "1.3"], "default": "1.2"},
    "public_ca_path": {"type": "str"},
    "public_fingerprints": {"type": "list", "elements": "str"},
    "inspection_ca_path": {"type": "str"},
    "witnesses": {"type": "dict"},
    "witnesses_per_wildcard": {"type": "int", "default": 2},
    "made_up_witnesses": {"type": "bool", "default": False},
    "range_targets": {"type": "list", "elements": "str"},
    "control_name": {"type": "str"},
}
RULES: Dict[str, Any] = {
    "mutually_exclusive": [("entries", "targets"), ("proxy", "pac")],
    "required_one_of": [("entries", "targets")],
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, **RULES)
    module.fail_json(msg="egress.allowlist.probe_script works on the control node only: call it by its full name")


if __name__ == "__main__":
    main()
