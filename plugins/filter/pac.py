# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries as a PAC file."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pac
short_description: Write a PAC file for browsers
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
description:
  - >-
    Renders entries as a script for automatic proxy configuration: C(FindProxyForURL(url, host)) sends what the entries
    allow one way and everything else another.
  - >-
    It decides exactly as the entries say: C(*.x) without C(x) itself, wildcards inside a label, ports, paths of plain
    http, IPv4 and IPv6 networks against addresses that stand in the URL. Upper case and a final dot make no difference.
  - >-
    A question costs a few looks into a table, however long the list is. The script is ES3 and plain ASCII, so that old
    engines read it, and it asks DNS nothing unless O(resolve) says so.
  - The same input gives the same bytes. There is no date in it.
options:
  _input:
    description: The entries, as P(egress.allowlist.endpoints#lookup) gives them; plain names and networks will do.
    type: list
    elements: raw
    required: true
  allowed:
    description:
      - >-
        Where what is allowed goes, in the words of PAC files. Several ways are tried in order,
        V(PROXY a.example:8080; DIRECT).
      - There is no default, since V(DIRECT) works only where the firewall lets these clients out to the entries.
    type: str
    required: true
  default:
    description: Where everything else goes.
    type: str
    required: true
  plain_hosts:
    description: Where host names without a dot go that neither O(rules) nor the entries name. As O(default) without it.
    type: str
  rules:
    description:
      - What the site decides by itself. Looked at in order, before the entries, so that it can also take a name out.
      - Hosts are taken on any port, unless they are written as entries that state ports.
    type: list
    elements: dict
    default: []
    suboptions:
      hosts:
        description: Names, patterns and networks, written as entries are.
        type: list
        elements: raw
        required: true
      to:
        description: Where they go.
        type: str
        required: true
  resolve:
    description:
      - Look a name up that nothing else allows, and compare its addresses with the networks. All must be allowed.
      - It makes a browser wait for DNS before each such request, and needs a resolver that knows the outside.
    type: bool
    default: false
  default_ports:
    description: Ports of networks that state none; without it such a network is an error. It never means any port.
    type: list
    elements: str
    default: []
  name:
    description: What the list is called in the head of the file.
    type: str
    default: mmd
  version:
    description: What to write as version into the head. A digest of the content without it.
    type: str
  output:
    description:
      - V(text) is the file. V(translation) is a list of what a PAC file cannot hold, as the modules return it, which is
        only what is for UDP.
      - >-
        V(full) is a dictionary with C(dialect), C(text), C(lines), C(entries) (what it holds), C(ports),
        C(translation), C(counts), C(sha256) and C(warnings).
    type: str
    choices: [text, translation, full]
    default: text
notes:
  - >-
    Browsers tell a PAC file no path of https, and some tell it none at all. An entry with a path then goes the way of
    O(default).
seealso:
  - plugin: egress.allowlist.feed
    plugin_type: filter
  - ref: ansible_collections.egress.allowlist.docsite.guide_pac
    description: How browsers get it, and what the file decides
"""

EXAMPLES = r"""
- name: Write the PAC file
  ansible.builtin.copy:
    dest: /srv/www/mmd.pac
    content: >-
      {{ query('egress.allowlist.endpoints', tenant='contoso')
         | egress.allowlist.pac(allowed='DIRECT', default='PROXY proxy.example.com:8080') }}
    mode: "0644"

- name: Through another proxy, and the company's own names direct
  ansible.builtin.copy:
    dest: /srv/www/mmd.pac
    content: >-
      {{ query('egress.allowlist.endpoints', tenant='contoso')
         | egress.allowlist.pac(allowed='PROXY clean.example.com:8080; PROXY clean2.example.com:8080',
                                default='PROXY proxy.example.com:8080', plain_hosts='DIRECT', rules=site_rules) }}
    mode: "0644"
  vars:
    site_rules:
      - hosts: ["*.corp.example.com", 10.0.0.0/8]
        to: DIRECT
"""

RETURN = r"""
_value:
  description: The text of the file, or what O(output) asks for.
  type: raw
  sample: "// egress.allowlist name=mmd dialect=pac version=e75e8bbdf42b\n…"
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._translation import without_udp
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_options import settings
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_script import pac_script
from ansible_collections.egress.allowlist.plugins.plugin_utils._rendering import Rendering, read_entries


def pac(
    entries: Any,
    allowed: Any = None,
    default: Any = None,
    rules: Any = (),
    plain_hosts: Any = None,
    resolve: Any = False,
    default_ports: Any = (),
    name: Any = "mmd",
    version: Any = None,
    output: Any = "text",
) -> Any:
    """Render entries as a PAC file; AnsibleFilterError says which option or which entry cannot be used."""
    options = {"allowed": allowed, "default": default, "rules": rules, "plain_hosts": plain_hosts}
    options.update(resolve=resolve, name=name, version=version)
    try:
        return _rendering(entries, default_ports, options).output(output)
    except AllowlistError as error:
        raise AnsibleFilterError(f"egress.allowlist.pac: {error}") from error


def _rendering(items: Any, default_ports: Any, options: dict[str, Any]) -> Rendering:
    chosen = settings(options)
    entries = read_entries(items, default_ports, require_ports=True)
    carried = [without_udp(entry) for entry in entries]
    held = [entry for entry, _verdict in carried if entry is not None]
    if not held:
        raise AllowlistError(
            "entries: none of them is for a browser, and a PAC file without any would send everything to `default`. "
            "Give it at least one, or write that file by hand"
        )
    verdicts = [verdict for _entry, verdict in carried if verdict is not None]
    return Rendering("pac", pac_script(held, chosen), len(held), len(entries), held, verdicts)


class FilterModule:
    """The filter, by its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Ansible asks for this."""
        return {"pac": pac}
