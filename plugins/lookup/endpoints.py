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
  - egress.allowlist.web_service
options:
  _terms:
    description:
      - The ids of groups, as P(egress.allowlist.endpoint_groups#lookup) lists them. A term may be a list of ids.
      - Without terms, all groups.
      - A group that the source document only links to has no entries, and is an error as a term.
    type: list
    elements: raw
  tenant:
    description:
      - >-
        The name of your tenant, C(contoso) for C(contoso.onmicrosoft.com): letters, digits and hyphens, at most 27. It
        replaces the C(<tenant>) of names such as C(<tenant>.sharepoint.com).
    type: str
    env:
      - name: EGRESS_TENANT
    ini:
      - section: egress
        key: tenant
    vars:
      - name: egress_tenant
  tenant_missing:
    description: What to do about names of the tenant where O(tenant) is not given.
    type: str
    choices:
      error: Fail, and name the groups that have such names.
      skip: Leave these names out.
    default: error
    env:
      - name: EGRESS_TENANT_MISSING
    ini:
      - section: egress
        key: tenant_missing
    vars:
      - name: egress_tenant_missing
  include:
    description:
      - What to add, ids of groups, names and networks.
      - A name or network is a text or a mapping of the fields of an entry.
    type: list
    elements: raw
    default: []
    env:
      - name: EGRESS_INCLUDE
    ini:
      - section: egress
        key: include
    vars:
      - name: egress_include
  exclude:
    description:
      - What to leave out, ids of groups, names and networks. It wins over O(include).
      - >-
        A name takes away the entries that it covers, so V(*.localytics.com) takes V(api.localytics.com) too. A warning
        says so when a name takes nothing away, or when a wildcard that stays still lets it through.
      - An id takes away the group, but no entry that another chosen group needs.
    type: list
    elements: raw
    default: []
    env:
      - name: EGRESS_EXCLUDE
    ini:
      - section: egress
        key: exclude
    vars:
      - name: egress_exclude
  required_only:
    description: Leave out what is optional, such as the third parties' names of the document.
    type: bool
    default: false
    env:
      - name: EGRESS_REQUIRED_ONLY
    ini:
      - section: egress
        key: required_only
    vars:
      - name: egress_required_only
  retired:
    description: What to do about names that later official lists no longer ask for.
    type: str
    choices:
      include: Return them, marked with RV(_raw[].risk) V(retired), since the document asks for them.
      exclude: Leave them out.
    default: include
    env:
      - name: EGRESS_RETIRED
    ini:
      - section: egress
        key: retired
    vars:
      - name: egress_retired
  uncertain:
    description: >-
      What to do about names that are very probably a slip of the document. What is probably meant is returned in any
      case; RV(egress.allowlist.endpoint_groups#lookup:_raw[].corrections) explains each.
    type: str
    choices:
      exclude: Leave them out.
      include: Return them too, as the document writes them.
    default: exclude
    env:
      - name: EGRESS_UNCERTAIN
    ini:
      - section: egress
        key: uncertain
    vars:
      - name: egress_uncertain
  ipv6:
    description: Whether to return IPv6 networks.
    type: bool
    default: true
    env:
      - name: EGRESS_IPV6
    ini:
      - section: egress
        key: ipv6
    vars:
      - name: egress_ipv6
  successors:
    description:
      - >-
        Answer groups of the document by what names the same product today: Intune by the web service's rows of Intune,
        Microsoft 365 by its service areas. RV(egress.allowlist.endpoint_groups#lookup:_raw[].successor) tells which
        groups that is; all others, Managed Desktop first of all, keep the document's names.
      - The web service is asked for it even where it is none of O(catalog).
    type: bool
    default: false
    version_added: 0.2.0
    env:
      - name: EGRESS_SUCCESSORS
    ini:
      - section: egress
        key: successors
    vars:
      - name: egress_successors
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
