# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of what the lookups over catalogs have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """The options that choose a catalog."""

    DOCUMENTATION = r"""
options:
  catalog:
    description:
      - The catalogs to take the groups from.
      - >-
        The collection brings V(mmd), the endpoints of Microsoft Managed Desktop and of the products that it needs, as
        the document of Microsoft names them; V(linked_pages), the products that the document only links to;
        V(windows_autopatch), the list that came after the document; and V(microsoft_365), the list of Microsoft's
        endpoint web service, which is asked for it.
      - >-
        A catalog of your own is named by its file, ending in C(.yml) or with a slash in it; a relative path is looked
        for as Ansible looks for files, beside the playbook and in the C(files) folder of a role.
      - >-
        Several catalogs are merged. A group that two of them have is one group with the names of both, and an entry
        of both has both in its RV(egress.allowlist.endpoints#lookup:_raw[].sources).
    type: list
    elements: str
    default: [mmd]
    env:
      - name: EGRESS_CATALOG
    ini:
      - section: egress
        key: catalog
    vars:
      - name: egress_catalog
"""
