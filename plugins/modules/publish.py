#!/usr/bin/python
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: publish
short_description: Publish PAC files and feeds below a web root
version_added: 0.2.0
description:
  - Runs on the web host and keeps a set of files in a folder that a web server shows. A reader gets the old file or the
    new one, never half of one, and a file whose content stays is not touched, so C(ETag) and C(Last-Modified) stay.
  - A set that has lost too much (O(max_shrink)), or is empty, is refused, and the last good files stay.
  - What we published before and is not in O(files) any more is removed. Files of others are never touched.
  - What is ours is kept in C(.egress_<name>.json) in the folder, mode V(0600). A run that was killed anywhere is put
    right by the next one.
  - The role P(egress.allowlist.publish#role) renders, signs and calls this.
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes
options:
  directory:
    description:
      - The folder, as an absolute path; no link. It is made where only it is missing.
    type: path
    required: true
  name:
    description: Names the set, as C(^[a-z][a-z0-9_]{0,15}$).
    type: str
    default: mmd
  files:
    description: The whole set. Required with O(state=present).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: A plain file name of letters, digits, dots, C(-) and C(_), beginning with a letter or a digit.
        type: str
        required: true
      text:
        description: What the file holds, written as UTF-8.
        type: str
        required: true
      entries:
        description: The entries that the file holds, for O(max_shrink) and the index page.
        type: list
        elements: raw
        required: true
      dialect:
        description: What kind of file it is, shown on the index page.
        type: str
        default: ""
      counts:
        description: How many entries are C(exact), C(broader), C(narrower), C(impossible), C(elsewhere).
        type: dict
        default: {}
      signature:
        description:
          - A detached signature in base64, written beside the file. Without it a signature that belongs to this very
            content stays, and any other is removed. An empty text removes it.
        type: str
  state:
    description: V(absent) removes all files of O(name), and nothing else.
    type: str
    choices: [present, absent]
    default: present
  index:
    description: The page for people that lists the files; empty for none.
    type: str
    default: index.html
  checksums:
    description: The file that C(sha256sum -c) reads; empty for none.
    type: str
    default: SHA256SUMS
  signature_suffix:
    description: What the name of a signature adds to that of its file.
    type: str
    default: .sig
  max_shrink:
    description:
      - How many percent of the present names one run may take away, from each file and from all together. Names that
        the new list still covers do not count, and fewer than five never trip it.
    type: int
    default: 25
  adopt:
    description:
      - Take over files with our names that we did not write, and write a damaged record anew. What another O(name) has
        published is never taken over.
    type: bool
    default: false
  mode:
    description: Mode of the files, octal and in quotes.
    type: raw
    default: "0644"
  owner:
    description: Owner of the files; whoever runs the task by default.
    type: str
  group:
    description: Group of the files.
    type: str
attributes:
  diff_mode:
    description: One element for each file that changes.
  platform:
    support: full
    platforms: posix
    description: A host with Python 3.8 or later. Nothing else is needed there.
seealso:
  - plugin: egress.allowlist.pac
    plugin_type: filter
  - plugin: egress.allowlist.feed
    plugin_type: filter
  - ref: ansible_collections.egress.allowlist.docsite.guide_publish
    description: Web servers, signatures, and what lies there
"""

EXAMPLES = r"""
- name: Publish a PAC file
  egress.allowlist.publish:
    directory: /srv/www/egress
    files:
      - name: mmd.pac
        text: "{{ pac.text }}"
        dialect: "{{ pac.dialect }}"
        entries: "{{ pac.entries }}"
        counts: "{{ pac.counts }}"
  vars:
    pac: >-
      {{ query('egress.allowlist.endpoints', tenant='contoso')
         | egress.allowlist.pac(allowed='DIRECT', default='PROXY proxy.example.com:8080', output='full') }}

- name: Take everything away
  egress.allowlist.publish:
    directory: /srv/www/egress
    state: absent
"""

RETURN = r"""
files:
  description: The files that are there now, or would be; without signatures, index and checksums.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    path:
      description: Where it lies.
      type: str
    sha256:
      description: SHA-256 of its content.
      type: str
    size:
      description: Its size in bytes.
      type: int
    since:
      description: When this content came, in UTC.
      type: str
    changed:
      description: Whether this run wrote it, its signature or its mode.
      type: bool
    signed:
      description: Whether a signature that belongs to this content lies beside it.
      type: bool
  sample: [{"name": "mmd.pac", "path": "/srv/www/egress/mmd.pac", "sha256": "9f86d0…", "size": 20480,
            "since": "2026-11-23T05:14:00Z", "changed": true, "signed": false}]
removed:
  description: Files of ours that went, or would.
  returned: success
  type: list
  elements: str
  sample: ["mmd-panos_url.txt"]
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._publish import publish

FILE_SPEC: Dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "text": {"type": "str", "required": True},
    "entries": {"type": "list", "elements": "raw", "required": True},
    "dialect": {"type": "str", "default": ""},
    "counts": {"type": "dict", "default": {}},
    "signature": {"type": "str"},
}
ARGUMENT_SPEC: Dict[str, Any] = {
    "directory": {"type": "path", "required": True},
    "name": {"type": "str", "default": "mmd"},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE_SPEC},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "index": {"type": "str", "default": "index.html"},
    "checksums": {"type": "str", "default": "SHA256SUMS"},
    "signature_suffix": {"type": "str", "default": ".sig"},
    "max_shrink": {"type": "int", "default": 25},
    "adopt": {"type": "bool", "default": False},
    "mode": {"type": "raw", "default": "0644"},
    "owner": {"type": "str"},
    "group": {"type": "str"},
}


def main() -> None:
    # Not secret, but the system log is no place for whole files.
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True, no_log=True)
    try:
        answer = publish(module.params, module.check_mode, module._diff)
    except AllowlistError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
