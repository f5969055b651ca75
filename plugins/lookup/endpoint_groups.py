# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups of the catalogs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: endpoint_groups
short_description: The groups of endpoints that a catalog has
version_added: 0.1.0
author:
  - The egress.allowlist authors (@egress-allowlist)
description:
  - Returns the groups of a catalog, one for each product, with what is to be known before one chooses.
  - Their ids are the terms of P(egress.allowlist.endpoints#lookup).
extends_documentation_fragment:
  - egress.allowlist.catalog
  - egress.allowlist.web_service
options:
  _terms:
    description:
      - The ids of groups. A term may be a list of ids. Without terms, all groups.
    type: list
    elements: raw
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: What is there?
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoint_groups') | map(attribute='id') }}"

- name: Groups with their titles and how many entries they have
  ansible.builtin.debug:
    msg: "{{ item.id }}: {{ item.title }}, {{ item.count }}"
  loop: "{{ query('egress.allowlist.endpoint_groups') }}"
  loop_control:
    label: "{{ item.id }}"

- name: Which wildcards cannot be shown to be reachable, since no name under them is known?
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoint_groups') | map(attribute='not_provable') | flatten | unique }}"

- name: Which names no longer stand in later official lists, and what does instead?
  ansible.builtin.debug:
    msg: "{{ item.names | join(', ') }}: {{ item.why }} ({{ item.date }}) {{ item.instead | join(', ') }}"
  loop: >-
    {{ query('egress.allowlist.endpoint_groups') | map(attribute='risks') | flatten
       | selectattr('risk', 'eq', 'retired') }}
  loop_control:
    label: "{{ item.names | first }}"

- name: Where do the names in use differ from the text of the document?
  ansible.builtin.debug:
    msg: "{{ item.text | join('<br>') }} is read as {{ item.used }} ({{ item.certainty }}): {{ item.evidence }}"
  loop: "{{ query('egress.allowlist.endpoint_groups') | map(attribute='corrections') | flatten }}"
  loop_control:
    label: "{{ item.used }}"
"""

RETURN = r"""
_raw:
  description: The groups, in the order of the catalog.
  type: list
  elements: dict
  contains:
    id:
      description: The id, a term of P(egress.allowlist.endpoints#lookup).
      type: str
      sample: power_bi
    title:
      description: The product.
      type: str
      sample: Power BI
    why:
      description: What the product needs its endpoints for.
      type: str
    catalogs:
      description: The catalogs that have this group.
      type: list
      elements: str
      sample: [mmd]
    tables:
      description: The tables of the source document in which it stands.
      type: list
      elements: int
      sample: [3]
    required:
      description: Whether the source says that its entries must be reachable.
      type: bool
    critical:
      description: Whether its entries must be reachable always.
      type: bool
    enumerated:
      description: Whether the source lists its names. Where it does not, there are only links.
      type: bool
    count:
      description: How many entries it has, those of the tenant included.
      type: int
      sample: 21
    counts:
      description: How many of them are names, wildcards, names with the tenant in them, and networks.
      type: dict
      sample: {names: 14, wildcards: 7, tenant: 0, networks: 0}
    part_of:
      description: >-
        The group that has all its entries too. Such a group, a set of the web service, counts only where it is named.
      type: str
      version_added: 0.2.0
    successor:
      description: The groups that O(egress.allowlist.endpoints#lookup:successors) answers this one with.
      type: list
      elements: str
      version_added: 0.2.0
      sample: []
    not_provable:
      description: Those of its wildcards under which no name is known, so that no probe can show them to be reachable.
      type: list
      elements: str
      version_added: 0.2.0
      sample: ["*.mktoresp.com"]
    links:
      description: Pages about its endpoints, each with C(title) and C(url).
      type: list
      elements: dict
    risks:
      description: What is to be known of names that carry a risk.
      type: list
      elements: dict
      contains:
        risk:
          description: Its kind, as in RV(egress.allowlist.endpoints#lookup:_raw[].risk).
          type: str
          sample: retired
        names:
          description: The names of this group that it is about.
          type: list
          elements: str
          sample: [powerbi.uservoice.com]
        why:
          description: What it is about.
          type: str
        date:
          description: Since when.
          type: str
          sample: "2022-03-24"
        source:
          description: The page that shows it, with C(title) and C(url).
          type: dict
        instead:
          description: For what is retired, what a later list has in its place, where that is known.
          type: list
          elements: str
          sample: []
    corrections:
      description: Where its names differ from the text of the source document.
      type: list
      elements: dict
      contains:
        text:
          description: The pieces of the document's text.
          type: list
          elements: str
          sample: ['\*.msecnd.com']
        used:
          description: What is used instead.
          type: str
          sample: "*.msecnd.net"
        doubtful:
          description: >-
            The name as the document has it, where that is a name; O(egress.allowlist.endpoints#lookup:uncertain) brings
            it back.
          type: str
          sample: "*.msecnd.com"
        what:
          description: What is wrong with the text.
          type: str
          sample: wrong ending
        certainty:
          description: V(certain), V(by_form) (clear by its neighbours) or V(strong) (very probable, not proven).
          type: str
          sample: strong
        evidence:
          description: How we know.
          type: str
        source:
          description: The page that shows it, with C(title) and C(url).
          type: dict
"""

from typing import Any

from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog
from ansible_collections.egress.allowlist.plugins.plugin_utils._describe import describe
from ansible_collections.egress.allowlist.plugins.plugin_utils._lookup import CatalogLookup


class LookupModule(CatalogLookup):
    """The groups that the terms name."""

    NAME = "egress.allowlist.endpoint_groups"

    def answer(self, groups: list[str], catalogs: tuple[Catalog, ...]) -> list[Any]:
        return describe(catalogs, groups)
