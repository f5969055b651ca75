# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # How the API of an appliance is reached from the control node.
    DOCUMENTATION = r"""
options:
  host:
    description:
      - The name or address of the appliance, with its port where that is not 443, or a URL that begins with C(https).
      - Plain http is taken for this machine's own addresses only.
    type: str
  validate_certs:
    description:
      - Whether the certificate of the appliance must be trusted. With V(false) anyone on the way can read its
        credentials, and each run warns. Better give O(ca_path) the certificate that the appliance has.
    type: bool
    default: true
  ca_path:
    description:
      - A file on the control node with the certificates that are trusted, in PEM. Those of the system, by default.
      - With Python 3.13 and later, an authority's certificate must have a key usage extension.
    type: path
  proxy_url:
    description:
      - The proxy by which the control node reaches the appliance, with a login if it needs one. Without it the
        environment (E(HTTPS_PROXY), E(NO_PROXY)) decides.
    type: str
  timeout:
    description: Seconds within which an answer must begin, and between two parts of it.
    type: int
    default: 60
  wait_timeout:
    description:
      - Seconds that a run waits, all in all for one request, for a lock that somebody holds, a limit of requests, or
        a job of the appliance.
    type: int
    default: 600
  activate:
    description:
      - Whether what was written is put in force. With V(false) it is staged for a second person, who looks at it and
        puts it in force on the appliance itself; what runs is not looked at then.
    type: bool
    default: true
requirements:
  - The Python library requests, on the control node
"""
