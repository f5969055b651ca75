# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that choose entries out of catalogs."""

from __future__ import annotations


class ModuleDocFragment:
    """What is taken out of the catalogs, added, and left out."""

    DOCUMENTATION = r"""
options:
  tenant:
    description:
      - >-
        The name of your tenant, C(contoso) for C(contoso.onmicrosoft.com): letters, digits and hyphens, at most 27. It
        replaces the C(<tenant>) of names such as C(<tenant>.sharepoint.com).
      - Microsoft's web service takes letters and digits only.
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
      include: >-
        Return them, marked with RV(egress.allowlist.endpoints#lookup:_raw[].risk) V(retired), since the document asks
        for them.
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
"""
