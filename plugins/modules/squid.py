#!/usr/bin/python
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: squid
short_description: Allow endpoints through a Squid proxy, uninspected and unauthenticated
version_added: 0.1.0
description:
  - Runs on the host where Squid runs and gives its clients access to a list of names and networks, without TLS
    inspection, content inspection or proxy credentials.
  - Writes one include file and the lists that it names, all called after O(name). What decides is one rename of that
    file. The site's own configuration is read and never edited.
  - The whole configuration is parsed before it goes live, Squid is reloaded once, and the reload is confirmed by its
    listening ports being opened anew. Open tunnels survive it. A second run changes nothing and does not reload.
  - "Exact: V(*.x) does not take V(x), V(*cdn.x) stays inside its label, other ports and other clients are not
    allowed."
  - A rule of the site that stands before ours and would win is an error with file, line and what to do. A rule that
    can still refuse, slow or reroute our names is a warning, and stays.
  - See R(the Squid guide,ansible_collections.egress.allowlist.docsite.guide_squid) for what is written and why.
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes
  - egress.allowlist.allowlist
options:
  config_file:
    description: Squid's main configuration file.
    type: path
    default: /etc/squid/squid.conf
  include_dir:
    description:
      - The folder whose C(*.conf) files O(config_file) includes, before the site's rules about credentials, TLS and
        content inspection. C(conf.d) beside O(config_file) by default, as on Debian.
      - Our lists go to a folder C(egress_) and O(name) beside it.
    type: path
  position:
    description:
      - Two digits that our file's name begins with. Squid reads the files of a folder in the order of their names, so
        this decides which files of the site are read before ours.
    type: str
    default: "10"
  instance:
    description: The service name of this Squid (its C(-n) option) where more than one runs on the host.
    type: str
  executable:
    description: The Squid program, where it is neither in the path nor in a usual place.
    type: path
  intercepted:
    description:
      - On ports with C(intercept) or C(tproxy) the destination's name is only what the client claims in the SNI.
        V(refuse) refuses V(bypass_tls_inspection) on a Squid that has such a port; V(sni) accepts that claim there,
        and only there.
    type: str
    choices: [refuse, sni]
    default: refuse
  open_ports:
    description:
      - Squid denies CONNECT to ports outside of the site's port list (C(SSL_ports) on Debian). Ports of entries beyond
        it are reported; with this option they are opened, for these entries and clients alone.
    type: bool
    default: false
  reload_timeout:
    description: Seconds within which a reload must be confirmed.
    type: int
    default: 60
attributes:
  platform:
    support: full
    platforms: posix
    description: A host with Squid 5 or later and Python 3.8 or later. Nothing else is needed there.
requirements:
  - Squid 5 or later; built with OpenSSL where it inspects TLS (Debian's package squid-openssl).
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.probe
"""

EXAMPLES = r"""
- name: Let the company's desktops reach everything of Microsoft Managed Desktop
  egress.allowlist.squid:
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.20.0.0/24]

- name: The same for an ACL that the site has already, with a ticket number in the file
  egress.allowlist.squid:
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [localnet]
    change_id: CHG0031337

- name: Keep inspecting names under which anyone can put content
  egress.allowlist.squid:
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.20.0.0/24]
    intents_by_risk:
      shared_hosting: [allow, bypass_authentication]

- name: Write a second list of our own, without touching the first
  egress.allowlist.squid:
    name: branch
    entries: ["*.contoso.com", 198.51.100.0/24]
    default_ports: [tcp/443]
    clients: [10.30.0.0/16]

- name: See what is there
  egress.allowlist.squid:
    state: gathered
  register: found

- name: Put an earlier state back
  egress.allowlist.squid:
    state: restored
    snapshot: "{{ found.snapshot }}"
"""

RETURN = r"""
before:
  description: The entries that the proxy held, one canonical line each. A line that is no entry is told as C(unknown).
  returned: when an appliance was read
  type: list
  elements: str
  sample: ["host *.update.microsoft.com tcp/80,443"]
after:
  description: The entries that it holds now, or would hold in check mode.
  returned: when an appliance was read
  type: list
  elements: str
  sample: ["host *.update.microsoft.com tcp/80,443", "host login.live.com tcp/80,443"]
added:
  description: Lines that are new.
  returned: when an appliance was read
  type: list
  elements: str
  sample: ["host login.live.com tcp/80,443"]
removed:
  description: Lines that are gone.
  returned: when an appliance was read
  type: list
  elements: str
  sample: []
translation:
  description: Every entry that is not held exactly as asked.
  returned: always
  type: list
  elements: dict
  sample: []
  contains:
    entry:
      description: The entry as a canonical line.
      type: str
    intents:
      description: The intents concerned.
      type: list
      elements: str
    verdict:
      description: V(broader), V(narrower) or V(impossible).
      type: str
    gained:
      description: What is allowed beyond the entry, in words.
      type: str
    lost:
      description: What of the entry is not allowed, in words.
      type: str
    written:
      description: What was written instead.
      type: list
      elements: str
snapshot:
  description: All that we own on the proxy as it was before this run; for O(state=restored).
  returned: when an appliance was read
  type: dict
  sample: {"appliance": "SquidDriver", "format": 1, "name": "mmd", "objects": {}}
commands:
  description:
    - What was written, or would be. Texts above 64 KiB are told as size and SHA-256. Empty when nothing changes.
  returned: when an appliance was read
  type: list
  elements: dict
  sample: [{"action": "activate", "object": "running configuration"}]
gathered:
  description: The entries on the proxy, in a form that O(entries) accepts but for their C(intents).
  returned: O(state=gathered)
  type: list
  elements: dict
  sample: [{"type": "host", "value": "*.update.microsoft.com", "path": null, "ports": ["tcp/80", "tcp/443"],
            "intents": ["allow"]}]
rendered:
  description: The entries and the texts that would be written.
  returned: O(state=rendered)
  type: dict
  sample: {"entries": ["host login.live.com tcp/80,443"], "objects": {}}
notes:
  description: Intents that need no rule on this proxy, and why.
  returned: when entries are rendered
  type: list
  elements: str
  sample: []
rules:
  description: The lines that the site's configuration must have.
  returned: O(rules=reference)
  type: list
  elements: str
  sample: ["http_access allow egress_mmd-clients egress_mmd-port_1 egress_mmd-to_1"]
"""

from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import run


def main() -> None:
    run(SquidDriver)


if __name__ == "__main__":
    main()
