#!/usr/bin/python
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: panos
short_description: Allow endpoints through PAN-OS firewalls, undecrypted and without asking for a login
version_added: 0.2.0
description:
  - The whole catalog C(mmd) is held exactly with the defaults, but for C(*cdn.onenote.net), for which the literal names
    that are known stand. O(known_names) or O(widen=any) change that.
  - Runs on the control node and writes by the XML API, on a firewall or on Panorama. One custom URL category holds all
    names with the same ports and intents, one address group all networks, and a rule for each intent refers to them.
    All of it is one transaction, and a second run reads and changes nothing.
  - Only what this administrator has changed is committed, so the pending work of others stays pending.
  - No real device has met this module. It was tried against an emulator of the documented behaviour, which
    third-party clients (pan-python, pan-os-python) check. See
    R(the guide,ansible_collections.egress.allowlist.docsite.guide_panos).
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.api
  - egress.allowlist.allowlist
  - egress.allowlist.connection
options:
  peer:
    description:
      - The other member of an HA pair. Whichever of O(host) and O(peer) is active is written.
      - Without it, a O(host) that is not the active member is an error.
    type: str
  username:
    description:
      - The administrator, also from E(PANOS_USERNAME). With O(api_key), the one whose key that is, so that only its
        changes are committed.
      - Give this collection an administrator of its own. PAN-OS begins the transaction by undoing what the same
        administrator has not committed. The run stops before that would undo what is not ours.
    type: str
  password:
    description: Its password, also from E(PANOS_PASSWORD), for which an API key is asked.
    type: str
  api_key:
    description:
      - An API key, also from E(PANOS_API_KEY). It is sent in a header, and needs no O(password).
      - Where O(api_key) or O(password) is given, the environment is not asked for the other one.
    type: str
  vsys:
    description: The virtual system.
    type: str
    default: vsys1
  device_group:
    description:
      - On Panorama, the device group whose objects and pre-rules are written, or V(shared).
      - Without it O(host) is a firewall.
    type: str
  push:
    description: On Panorama, whether a change is pushed to the firewalls of the device group once it is committed.
    type: bool
    default: true
  position:
    description:
      - Where new rules go, for each rulebase, as V(before RULE), V(after RULE), V(top) or V(bottom).
      - Needed where a rule is new. A rule that stands where it may is never moved, and none of the site is.
    type: dict
    suboptions:
      security:
        description: For the rule that allows.
        type: str
      decryption:
        description: For the rule that leaves TLS as it is.
        type: str
      authentication:
        description: For the rule that asks for no login.
        type: str
  from_zones:
    description: Zones that the clients are in.
    type: list
    elements: str
    default: [any]
  to_zones:
    description: Zones that the way to the internet is in.
    type: list
    elements: str
    default: [any]
  profile_group:
    description:
      - The security profile group of the site for entries that are allowed and inspected. Needed where an entry has
        V(allow) without V(bypass_content_inspection).
    type: str
  log_setting:
    description: The log forwarding profile of the rules that allow.
    type: str
  known_names:
    description:
      - Full names that are known to exist, besides the literal names of the list itself. A pattern that a URL category
        cannot hold becomes those of them that it matches, where O(narrow=known) and not O(widen=any).
    type: list
    elements: str
    default: []
  centrally_managed:
    description: What becomes of a firewall that Panorama governs. With V(accept) it is written all the same.
    type: str
    choices: [refuse, accept]
    default: refuse
  publish_others:
    description: Commit everything that is pending, also what other administrators have changed.
    type: bool
    default: false
attributes:
  platform:
    support: full
    platforms: posix
    description: Runs on the control node (C(delegate_to), or C(connection=local)). PAN-OS 10.1 or later is written.
notes:
  - O(clients) are networks, names of addresses or address groups of the site, or V(any), narrowed by O(from_zones).
  - Names are in the list with a slash at their end. Without it PAN-OS may take C(example.com.evil.example) for
    C(example.com).
  - The description of each object of ours says so. An object with our name and without it is not touched, unless
    O(adopt=true).
  - With O(activate=false) the candidate is written and nothing is committed.
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.squid
"""

EXAMPLES = r"""
# PANOS_USERNAME and PANOS_PASSWORD, or PANOS_API_KEY, are in the environment.
- name: Let the company's desktops reach everything of Microsoft Managed Desktop
  egress.allowlist.panos:
    host: fw1.example.com
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.20.0.0/16]
    from_zones: [trust]
    to_zones: [untrust]
    position:
      security: before Block the rest
      decryption: top
      authentication: top
    widen: any
  delegate_to: localhost

- name: Stage it for a second person, who commits it
  egress.allowlist.panos:
    host: fw1.example.com
    peer: fw2.example.com
    entries: ["*.contoso.com", "198.51.100.0/24"]
    default_ports: [tcp/443]
    clients: [Desktops]
    position: {security: top, decryption: top, authentication: top}
    activate: false
    change_id: CHG0012345
  delegate_to: localhost

- name: The same for a device group of Panorama
  egress.allowlist.panos:
    host: panorama.example.com
    device_group: Branches
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [Desktops]
    position: {security: top, decryption: top, authentication: top}
    widen: any
  delegate_to: localhost
"""

RETURN = r"""
before:
  description:
    - The entries that the appliance held, one canonical line each. A line that is no entry is told as C(unknown).
  returned: when an appliance was read
  type: list
  elements: str
  sample: ["network 198.51.100.0/24 tcp/443"]
after:
  description: The entries that it holds now, or would hold in check mode.
  returned: when an appliance was read
  type: list
  elements: str
  sample: ["host login.live.com tcp/80,443", "network 198.51.100.0/24 tcp/443"]
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
  sample:
    - entry: host *.*.example.com tcp/80,443
      intents: [allow, bypass_tls_inspection, bypass_content_inspection, bypass_authentication]
      verdict: broader
      gained: all of *.example.com
      lost: ""
      written: ["*.example.com/"]
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
  description:
    - All that we own on the appliance as it was before this run; for O(state=restored).
  returned: when an appliance was read
  type: dict
  sample: {"appliance": "PanosDriver", "format": 1, "name": "mmd", "objects": {}}
commands:
  description:
    - The request that was sent, or would be. Texts above 64 KiB are told as size and SHA-256. Empty when nothing
      changes.
  returned: when an appliance was read
  type: list
  elements: dict
  sample:
    - action: multi-config
      object: /config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']
      size: 70113
      sha256: 5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9
    - {"action": "commit", "object": "running configuration"}
gathered:
  description: The entries on the appliance, in a form that O(entries) accepts but for their C(intents).
  returned: O(state=gathered)
  type: list
  elements: dict
  sample: [{"type": "host", "value": "*.update.microsoft.com", "path": null, "ports": ["tcp/80", "tcp/443"],
            "intents": ["allow", "bypass_tls_inspection"]}]
rendered:
  description: The entries and the texts that would be written.
  returned: O(state=rendered)
  type: dict
  sample: {"entries": ["network 198.51.100.0/24 tcp/443"], "objects": {}}
rules:
  description:
    - With O(rules=reference), the rules that the site needs, in words. The run fails, after writing, as long as one of
      them is missing.
  returned: when entries are rendered
  type: list
  elements: str
  sample: ["decryption rule: source 10.20.0.0/24, category egress_mmd, action no-decrypt"]
"""

from ansible_collections.egress.allowlist.plugins.module_utils._drivers.panos import PanosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import run


def main() -> None:
    run(PanosDriver)


if __name__ == "__main__":
    main()
