# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries as a list that an appliance fetches."""

from __future__ import annotations

DOCUMENTATION = r"""
name: feed
short_description: Write a list that an appliance fetches by itself
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
description:
  - >-
    Renders entries as text in the dialect of an appliance that fetches its lists. What the dialect cannot say
    exactly is refused, or accepted with O(widen), O(narrow) and O(unsupported), and always told in the translation.
  - Lines are sorted, and what other lines of the list hold anyway is left out. The same input gives the same bytes.
  - >-
    No appliance was at hand. The dialects follow the vendors' documentation; see the guide for the sources and for
    what is not certain.
options:
  _input:
    description: The entries, as P(egress.allowlist.endpoints#lookup) gives them; plain names and networks will do.
    type: list
    elements: raw
    required: true
  dialect:
    description:
      - V(panos_url), V(panos_domain), V(panos_ip) are external dynamic lists of PAN-OS.
      - V(fortios_category) and V(fortios_address) are external resources of FortiOS.
      - V(checkpoint_network_feed) is a network feed of Check Point in the form Flat List.
      - V(opnsense_url_table) is an alias of the type URL Table (IPs).
      - V(proxysg_cpl) is a named condition for a policy file of ProxySG. It states the ports.
      - V(domains) has names, and C(*.x) for what is below C(x). V(cidrs) has networks. V(hosts_regex) has anchored
        regular expressions over names in lower case. V(json) has the entries as they are.
    type: str
    required: true
    choices:
      - panos_url
      - panos_domain
      - panos_ip
      - fortios_category
      - fortios_address
      - checkpoint_network_feed
      - opnsense_url_table
      - proxysg_cpl
      - domains
      - cidrs
      - hosts_regex
      - json
  ports:
    description:
      - The ports of the rule that uses the list. Entries that need all of these ports go in, so that the rule opens
        nothing that was not asked for. Without it all entries go in, and a warning tells where they differ.
      - Most dialects say nothing about ports; these stand in the appliance's own rule.
    type: list
    elements: str
  widen:
    description:
      - >-
        What an entry may gain where the dialect cannot hold it exactly. Nothing, the bare parent of C(*.x), or
        anything.
    type: str
    choices: [none, apex, any]
    default: apex
  narrow:
    description:
      - What an entry may lose. Nothing, all but the names that are known to lie under it, or anything.
    type: str
    choices: [none, known, any]
    default: known
  unsupported:
    description:
      - What becomes of an entry that cannot be written within O(widen) and O(narrow). An error that names all of them,
        or the list without them.
      - >-
        Networks in a list of names, and names in a list of networks, belong into another list. They are told in the
        translation and are never an error.
    type: str
    choices: [fail, skip]
    default: fail
  known_names:
    description: Names that may stand for a wildcard above them, beside those that the list itself names.
    type: list
    elements: str
    default: []
  default_ports:
    description: Ports of networks that state none, where ports matter. Without it that is an error.
    type: list
    elements: str
    default: []
  name:
    description: What the list is called in its head, and in the name of a condition.
    type: str
    default: mmd
  output:
    description:
      - V(text) is the file. V(translation) is the list of entries that are not held exactly, as modules return it.
      - >-
        V(full) is a dictionary with C(dialect), C(text), C(lines) (how many count), C(entries) (what it holds),
        C(ports), C(translation), C(counts), C(sha256) and C(warnings).
    type: str
    choices: [text, translation, full]
    default: text
seealso:
  - plugin: egress.allowlist.pac
    plugin_type: filter
  - ref: ansible_collections.egress.allowlist.docsite.guide_feeds
    description: Each dialect, its limits, and how an appliance is told to fetch it
"""

EXAMPLES = r"""
- name: Write a list for PAN-OS
  ansible.builtin.copy:
    dest: /srv/www/mmd-urls.txt
    content: >-
      {{ query('egress.allowlist.endpoints', tenant='contoso') | egress.allowlist.feed(dialect='panos_url') }}
    mode: "0644"

- name: Show what FortiOS would hold otherwise
  ansible.builtin.debug:
    msg: >-
      {{ query('egress.allowlist.endpoints', tenant='contoso')
         | egress.allowlist.feed(dialect='fortios_category', output='translation') }}

- name: Write the networks of one rule
  ansible.builtin.copy:
    dest: /srv/www/m365-3478.txt
    content: >-
      {{ query('egress.allowlist.endpoints', catalog='microsoft_365')
         | egress.allowlist.feed(dialect='cidrs', ports=['udp/3478-3481']) }}
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The text of the list, or what O(output) asks for.
  type: raw
  sample: "*.update.microsoft.com/\nlogin.live.com/\n"
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _feed


def feed(
    entries: Any,
    dialect: Any = None,
    ports: Any = None,
    widen: Any = "apex",
    narrow: Any = "known",
    unsupported: Any = "fail",
    known_names: Any = (),
    default_ports: Any = (),
    name: Any = "mmd",
    output: Any = "text",
) -> Any:
    """Render entries as a list in a dialect; AnsibleFilterError says which option or which entry cannot be used."""
    options = {"dialect": dialect, "ports": ports, "widen": widen, "narrow": narrow, "unsupported": unsupported}
    options.update(known_names=known_names, default_ports=default_ports, name=name)
    try:
        return _feed.feed(entries, options).output(output)
    except AllowlistError as error:
        raise AnsibleFilterError(f"egress.allowlist.feed: {error}") from error


class FilterModule:
    """The filter, by its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Ansible asks for this."""
        return {"feed": feed}
