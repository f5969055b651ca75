#!/usr/bin/python
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fortios
short_description: Allow endpoints through FortiGates, undecrypted and without asking for a login
version_added: 0.2.0
description:
  - For the catalog C(mmd) nothing has to be chosen but what uses the list. Each C(*.x) takes C(x) as well, as
    RV(translation) tells; with O(style=urlfilter) all names are held exactly.
  - Runs on the control node, by the REST API. Names and networks are pushed into external resources (threat feeds) of
    ours, all of them in one request. What uses them is rows in profiles that you name, a policy for the explicit proxy,
    and a policy for networks; these are one transaction.
  - A FortiGate has no configuration that waits, so what is written is in force. Feeds exist and are filled before
    anything uses them.
  - No real device has met this module. It was tried against an emulator of the documented behaviour, which a
    third-party client (fortigate-api) checks in part. See
    R(the guide,ansible_collections.egress.allowlist.docsite.guide_fortios).
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.api
  - egress.allowlist.allowlist
  - egress.allowlist.connection
options:
  access_token:
    description:
      - The token of a REST API administrator, also from E(FORTIOS_ACCESS_TOKEN). It is sent in a header.
    type: str
  vdom:
    description: The virtual domain.
    type: str
    default: root
  style:
    description:
      - V(feed) keeps the names in external resources, from FortiOS 7.2.1 on.
      - V(urlfilter) keeps them in a URL filter that O(webfilter_profiles) then use. Its rows are exact, and exempt from
        what a profile does with content.
    type: str
    choices: [feed, urlfilter]
    default: feed
  category:
    description:
      - The first number, from 192 to 221, that a category feed of ours may get. One that has a number keeps it, and
        numbers that others have are passed over.
    type: int
    default: 192
  webfilter_profiles:
    description:
      - Profiles of the site that get one row of ours for each list, which allows it. Their other rows stay as they are.
    type: list
    elements: str
    default: []
  ssl_profiles:
    description: SSL inspection profiles of the site that get one row of ours for each list, which exempts it.
    type: list
    elements: str
    default: []
  proxy_policy:
    description:
      - Write a policy for the explicit proxy that lets O(clients) reach the names without security profiles, and an
        authentication rule that asks them for nothing.
    type: bool
    default: false
  source_interfaces:
    description: Interfaces or zones by which the packets of O(clients) come in. Needed for networks.
    type: list
    elements: str
    default: []
  destination_interfaces:
    description: Interfaces or zones of the way to the internet. Needed for networks.
    type: list
    elements: str
    default: []
  nat:
    description: Whether the policy for networks translates the source address.
    type: bool
    default: true
  position:
    description:
      - Where what is new goes, as V(before NAME), V(after NAME), V(top) or V(bottom). V(#12) stands for the policy with
        number 12 that has no name.
      - Needed where a policy or rule is new. One that stands where it may is never moved.
    type: dict
    suboptions:
      policy:
        description: For the policy for networks.
        type: str
      proxy_policy:
        description: For the policy of the explicit proxy.
        type: str
      authentication_rule:
        description: For the authentication rule.
        type: str
  known_names:
    description:
      - Full names that are known to exist, besides the literal names of the list itself. A pattern that a feed cannot
        hold becomes those of them that it matches, where O(narrow=known) and not O(widen=any).
    type: list
    elements: str
    default: []
  centrally_managed:
    description: What becomes of a box that FortiManager governs. With V(accept) it is written all the same.
    type: str
    choices: [refuse, accept]
    default: refuse
attributes:
  platform:
    support: full
    platforms: posix
    description: Runs on the control node (C(delegate_to), or C(connection=local)). FortiOS 7.0 or later is written.
notes:
  - The intents are those that the options can carry. O(webfilter_profiles) carry V(allow), with O(style=urlfilter) also
    V(bypass_content_inspection); O(ssl_profiles) carry V(bypass_tls_inspection); O(proxy_policy) and the policy for
    networks carry all.
  - Rows in profiles of the site are for whomever the site's own policies give these profiles to. O(clients) bind what
    is ours, which are the policies and the authentication rule.
  - O(clients) are networks, names of addresses or address groups of the site, or V(any).
  - With O(state=deleted), name each profile that uses the list, so that our row is taken out of it.
  - O(activate=false) is refused, since nothing can be staged on a FortiGate.
  - A feed knows no ports. An entry for port 443 alone is held for port 80 too, and RV(translation) says so. Other ports
    leave through the firewall.
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.panos
"""

EXAMPLES = r"""
# FORTIOS_ACCESS_TOKEN is in the environment.
- name: Allow and leave undecrypted what the company's own profiles inspect
  egress.allowlist.fortios:
    host: fgt1.example.com
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.20.0.0/16]
    webfilter_profiles: [corporate]
    ssl_profiles: [deep-inspection-own]
  delegate_to: localhost

- name: The explicit proxy, and networks past it
  egress.allowlist.fortios:
    host: fgt1.example.com
    entries: ["*.contoso.com", "198.51.100.0/24"]
    default_ports: [tcp/443]
    clients: [Desktops]
    proxy_policy: true
    source_interfaces: [lan]
    destination_interfaces: [wan1]
    position: {policy: before Staff to the web, proxy_policy: top, authentication_rule: top}
  delegate_to: localhost

- name: Exact rows in a URL filter, also before FortiOS 7.2.1
  egress.allowlist.fortios:
    host: fgt2.example.com
    name: exact
    style: urlfilter
    entries: ["*.contoso.com"]
    clients: [any]
    webfilter_profiles: [default]
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
      gained: all of *.example.com, example.com itself
      lost: ""
      written: ["*.example.com"]
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
  sample: {"appliance": "FortiosDriver", "format": 1, "name": "mmd", "objects": {}}
commands:
  description:
    - What was written, or would be. Texts above 64 KiB are told as size and SHA-256. Empty when nothing
      changes.
  returned: when an appliance was read
  type: list
  elements: dict
  sample: [{"action": "write", "object": "entries of egress_mmd", "text": "*.contoso.com\n"}]
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
  sample: ["an SSL inspection profile that exempts category 192 (egress_mmd)"]
"""

from ansible_collections.egress.allowlist.plugins.module_utils._drivers.fortios import FortiosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import run


def main() -> None:
    run(FortiosDriver)


if __name__ == "__main__":
    main()
