# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # How every push module behaves; a module adds what is particular to it.
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: The answer is the very same as without check mode, and nothing is written.
  diff_mode:
    support: full
    description: One element for the entries and one for each object of ours that changes otherwise.
  idempotent:
    support: full
    description: A second run reads, compares and writes nothing.
  action_group:
    description: Options can be set once for the group C(egress.allowlist.egress) with C(module_defaults).
    support: full
    membership:
      - egress.allowlist.egress
"""

    # The same, for appliances that are asked by their APIs.
    API = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: The answer is the very same as without check mode, and nothing is written.
  diff_mode:
    support: full
    description: One element for the entries and one for each object of ours that changes otherwise.
  idempotent:
    support: full
    description: A second run reads, compares and writes nothing.
  action_group:
    description: >-
      Options can be set once for the group C(egress.allowlist.egress), those of the connection for
      C(egress.allowlist.egress_api), with C(module_defaults).
    support: full
    membership:
      - egress.allowlist.egress
      - egress.allowlist.egress_api
"""

    # For what only reads.
    READ_ONLY = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: It only reads, and does the same in check mode.
  diff_mode:
    support: none
    description: Nothing changes, so there is nothing to compare.
  idempotent:
    support: full
    description: It changes nothing.
"""
