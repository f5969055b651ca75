# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entries of the catalogs' groups."""

from __future__ import annotations

DOCUMENTATION = r"""
name: endpoints
short_description: The names and networks that products need
version_added: 0.1.0
author:
  - The egress.allowlist authors (@egress-allowlist)
description:
  - Returns the entries of the groups of a catalog, sorted, each once, as all modules of this collection take them.
  - Taking a group away never takes an entry that another chosen group needs; such an entry names all its groups.
extends_documentation_fragment:
  - egress.allowlist.catalog
  - egress.allowlist.selection
  - egress.allowlist.web_service
options:
  _terms:
    description:
      - The ids of groups, as P(egress.allowlist.endpoint_groups#lookup) lists them. A term may be a list of ids.
      - Without terms, all groups.
      - A group that the source document only links to has no entries, and is an error as a term.
    type: list
    elements: raw
  minimize:
    description:
      - Drop each entry that another one contains with all its ports, as V(*.microsoft.com) contains V(c.microsoft.com).
      - The names that are let through stay the very same; the groups of what is dropped are no longer seen.
    type: bool
    default: false
    env:
      - name: EGRESS_MINIMIZE
    ini:
      - section: egress
        key: minimize
    vars:
      - name: egress_minimize
  query:
    description:
      - A JMESPath expression over the list of entries; what it finds is returned in place of the entries.
      - Needs the Python library C(jmespath) on the control node.
    type: str
notes:
  - >-
    Ansible evaluates a variable that holds a lookup again at each use. For many hosts or tasks resolve the entries
    once, with M(ansible.builtin.set_fact) and C(run_once).
seealso:
  - plugin: egress.allowlist.endpoint_groups
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: How many entries does Microsoft Managed Desktop need?
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoints', tenant='contoso') | length }} entries"

- name: Only the updates of Windows
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoints', wanted) | map(attribute='value') }}"
  vars:
    wanted: [windows_update_for_business, delivery_optimization]

# In group_vars/all.yml, for every use of the lookup:
#   egress_tenant: contoso
#   egress_exclude: [power_bi, "*.hotmail.com"]
#   egress_include:
#     - "*.contoso.com"
#     - {value: 198.51.100.0/24, ports: [tcp/443]}
- name: Resolve the entries once for all hosts
  ansible.builtin.set_fact:
    entries: "{{ query('egress.allowlist.endpoints') }}"
  run_once: true

- name: Allow them on a Squid, but let it go on inspecting what anyone can put content under
  egress.allowlist.squid:
    entries: "{{ entries }}"
    clients: [10.0.0.0/8]
    intents_by_risk:
      shared_hosting: [allow]

- name: The document's catalog and one of your own, as short a list as lets the same through
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoints', catalog=catalogs, tenant='contoso', minimize=true) }}"
  vars:
    catalogs: [mmd, files/contoso.yml]

# Asks Microsoft's web service, at most once an hour, and keeps its answers for all plays of this control node.
- name: The document with the ports, categories and networks of the web service
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoints', catalog=both, tenant='contoso') | length }} entries"
  vars:
    both: [mmd, microsoft_365]

- name: Teams as the list that comes with the collection has it, its heaviest traffic only
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoints', 'skype', catalog='microsoft_365', categories=most, offline=true) }}"
  vars:
    most: [optimize]

- name: The wildcards under which anyone can put content
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoints', tenant='contoso', query=expression) }}"
  vars:
    expression: "[?risk=='shared_hosting'].value"
"""

RETURN = r"""
_raw:
  description:
    - >-
      The entries, sorted. Names first, by their labels from the right, so that what belongs together stands together;
      then networks.
    - With O(query), what the expression finds; what is not a list becomes a list of one element.
  type: list
  elements: dict
  contains:
    type:
      description: V(host) or V(network).
      type: str
      sample: host
    value:
      description: The name, a wildcard included, or the network.
      type: str
      sample: "*.update.microsoft.com"
    path:
      description: The path, where the source names one. It has a meaning in plain HTTP only.
      type: str
      sample: /ncsi.txt
    ports:
      description: >-
        The ports. Empty where the source states none, which means tcp/80 and tcp/443 for a name, and never any port.
      type: list
      elements: str
      sample: []
    groups:
      description: The chosen groups that need it.
      type: list
      elements: str
      sample: [delivery_optimization, windows_update_for_business]
    category:
      description: V(optimize), V(allow) or V(default), where the source has categories.
      type: str
    required:
      description: Whether the source says that it must be reachable; third parties' names are optional in judgement.
      type: bool
      sample: true
    critical:
      description: Whether it must be reachable always.
      type: bool
      sample: false
    risk:
      description:
        - V(shared_hosting) where anyone can put content under a name of the wildcard.
        - V(third_party) where another company answers.
        - V(retired) where later official lists no longer ask for it.
      type: str
    sources:
      description:
        - The catalogs that ask for it, V(include) for what only the option O(include) asks for.
        - >-
          Of the web service also instance, version and set, as in V(microsoft_365 worldwide 2025120100 set 56). What is
          announced says from when, as in V(microsoft_365 worldwide 2025120100 set 56, effective 2026-01-01), and what
          was removed until when it is kept, as in V(microsoft_365 worldwide 2026010100 set 56, removed 2026010100, kept
          until 2026-01-31).
      type: list
      elements: str
      sample: [mmd]
"""

from typing import Any

try:
    import jmespath

    HAS_JMESPATH = True
except ImportError:
    HAS_JMESPATH = False

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, load_all
from ansible_collections.egress.allowlist.plugins.plugin_utils._lookup import CatalogLookup, plain
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select, successors_of

_OPTIONS = (
    "tenant",
    "tenant_missing",
    "include",
    "exclude",
    "required_only",
    "retired",
    "uncertain",
    "ipv6",
    "minimize",
    "successors",
)


class LookupModule(CatalogLookup):
    """The entries of the groups that the terms name."""

    NAME = "egress.allowlist.endpoints"

    def answer(self, groups: list[str], catalogs: tuple[Catalog, ...]) -> list[Any]:
        options = {name: plain(self.get_option(name)) for name in _OPTIONS}
        others = load_all(successors_of(catalogs), self.online_catalog) if self._needs_others(catalogs) else ()
        selection = select(catalogs, Request(groups=groups, **options), others)
        for warning in selection.warnings:
            self.warn(warning)
        return _queried([entry.as_dict() for entry in selection.entries], plain(self.get_option("query")))

    def _needs_others(self, catalogs: tuple[Catalog, ...]) -> bool:
        return bool(self.get_option("successors") and successors_of(catalogs))


def _queried(entries: list[dict[str, Any]], expression: str | None) -> list[Any]:
    if not expression:
        return entries
    if not HAS_JMESPATH:
        raise AllowlistError(
            "query: needs the Python library jmespath on the control node, in the environment of ansible-core: "
            "pip install jmespath"
        )
    try:
        found = jmespath.search(expression, entries)
    except jmespath.exceptions.JMESPathError as error:
        raise AllowlistError(f'query: "{expression}" is not a JMESPath expression over entries: {error}') from None
    if found is None:
        return []
    return found if isinstance(found, list) else [found]
