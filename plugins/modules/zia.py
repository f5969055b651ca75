#!/usr/bin/python
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: zia
short_description: Allow endpoints through Zscaler Internet Access, undecrypted and without asking for a login
version_added: 0.2.0
description:
  - The catalog C(mmd) is accepted with the defaults. Each C(*.x) becomes C(.x), which is C(x) as well and ends five
    levels below it; names that are known to lie deeper are listed themselves. RV(translation) tells it for each entry.
  - Runs on the control node, by OneAPI or the older API of a tenant. One custom URL category holds all names with the
    same ports and intents, a destination group all networks, and rules of SSL inspection, URL filtering and the
    firewall refer to them.
  - ZIA has no transactions. Each object is one request, lists come before the rules that use them and go after them,
    and at the end everything is activated at once. A run that was interrupted is finished by the next one.
  - No real tenant has met this module. It was tried against an emulator that is checked by recorded exchanges with a
    real one and by Zscaler's own client. See R(the guide,ansible_collections.egress.allowlist.docsite.guide_zia).
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes.api
  - egress.allowlist.allowlist
  - egress.allowlist.connection
options:
  host:
    description:
      - The host of the API. C(api.zsapi.net) by default, with O(cloud) that of the cloud.
    type: str
  cloud:
    description:
      - The cloud of the tenant, such as V(zscalertwo) for the older API; also from E(ZSCALER_CLOUD) or E(ZIA_CLOUD).
        For OneAPI it is needed only where it is not the production cloud.
    type: str
  vanity_domain:
    description: The organisation's domain of ZIdentity, for OneAPI; also from E(ZSCALER_VANITY_DOMAIN).
    type: str
  identity_host:
    description: The host that gives tokens, where O(vanity_domain) does not tell it.
    type: str
  client_id:
    description: The API client of OneAPI, also from E(ZSCALER_CLIENT_ID).
    type: str
  client_secret:
    description: Its secret, also from E(ZSCALER_CLIENT_SECRET).
    type: str
  username:
    description: An administrator of the older API, also from E(ZIA_USERNAME).
    type: str
  password:
    description: The administrator's password, also from E(ZIA_PASSWORD).
    type: str
  api_key:
    description:
      - The organisation's key of the older API, also from E(ZIA_API_KEY).
      - Where O(password) or O(api_key) is given, and neither O(client_id) nor O(client_secret), the environment is not
        asked for a client of OneAPI.
    type: str
  position:
    description:
      - Where new rules go, for each policy, as V(before RULE), V(after RULE), V(top) or V(bottom). The rule for the
        rest always stays behind.
      - Needed where a rule is new. A rule that stands where it may is never moved.
    type: dict
    suboptions:
      ssl:
        description: For the rule that leaves TLS as it is.
        type: str
      url:
        description: For the rule that allows names.
        type: str
      firewall:
        description: For the rule that allows networks.
        type: str
  rank:
    description: The admin rank of the rules.
    type: int
    default: 7
  exempted_urls:
    description:
      - Whether names of this list are put among the URLs that are exempted from authentication. That is one list for
        the whole organisation and all its clients, so it is touched only with V(true), and V(bypass_authentication)
        is one of the intents only then.
      - What was there before stays there. A category of ours that no rule uses tells which of them are ours.
    type: bool
    default: false
  known_names:
    description:
      - Full names that are known to exist, besides the literal names of the list itself. A pattern that ZIA cannot hold
        becomes those of them that it matches, and names that lie too deep below a C(*.x) are added.
    type: list
    elements: str
    default: []
  publish_others:
    description:
      - Go on where edits of somebody else wait for their activation. ZIA then puts ours and theirs in force together,
        once everybody who has edited has activated. Otherwise the run stops before it writes.
    type: bool
    default: false
  record_dir:
    description:
      - A folder on the control node. While a run has written and not yet activated, a small file there says so, and
        tells the next run that what waits is ours.
    type: path
    default: ~/.ansible/egress_allowlist
attributes:
  platform:
    support: full
    platforms: posix
    description: Runs on the control node (C(delegate_to), or C(connection=local)).
notes:
  - O(clients) are networks, or names as V(location:HQ), V(group:Managed desktops) and V(department:Sales), or V(any). A
    rule of ZIA wants all of its conditions, so clients of one kind stand in one list.
  - V(bypass_content_inspection) is what comes of TLS that is left as it is and passes the other policies. It needs
    V(allow) and V(bypass_tls_inspection) beside it. Plain http is scanned whatever the rules say.
  - ZIA goes by the closest entry of all categories. Where a category of the site has a name below one of ours, its
    rules are met there, and the run warns.
  - Groups of addresses hold IPv4 alone. IPv6 networks are told in RV(translation) and left out, and IPv6 clients are an
    error.
  - A category knows no ports. An entry for port 443 alone is allowed on port 80 too, and RV(translation) says so. Other
    ports leave through the firewall.
  - With O(activate=false) everything is saved. ZIA puts it in force when anybody activates, and when the session of
    this login ends, some minutes later.
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.panos
"""

EXAMPLES = r"""
# ZSCALER_CLIENT_ID, ZSCALER_CLIENT_SECRET and ZSCALER_VANITY_DOMAIN are in the environment.
- name: Let the desktops of two locations reach everything of Microsoft Managed Desktop
  egress.allowlist.zia:
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: ["location:Headquarters", "location:Branch Oslo"]
    position: {ssl: top, url: after Security blocks}
  delegate_to: localhost

- name: The same with the older API, and without asking these names for a login
  egress.allowlist.zia:
    cloud: zscalertwo
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.20.0.0/16]
    exempted_urls: true
    position: {ssl: top, url: after Security blocks}
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
    - entry: host *.example.com tcp/80,443
      intents: [allow, bypass_tls_inspection, bypass_content_inspection]
      verdict: narrower
      gained: example.com itself
      lost: names more than 5 levels below example.com, but for known ones
      written: [".example.com"]
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
  sample: {"appliance": "ZiaDriver", "format": 1, "name": "mmd", "objects": {}}
commands:
  description:
    - What was sent, or would be. Texts above 64 KiB are told as size and SHA-256. Empty when nothing
      changes.
  returned: when an appliance was read
  type: list
  elements: dict
  sample:
    - action: write
      object: url category egress_mmd
      text: '{"description": "Managed by egress.allowlist: mmd; ...", "urls": [".contoso.com"]}'
    - {"action": "activate", "object": "running configuration"}
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
  sample: ["ssl rule: URL category egress_mmd, action DO_NOT_DECRYPT"]
"""

from ansible_collections.egress.allowlist.plugins.module_utils._drivers.zia import ZiaDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import run


def main() -> None:
    run(ZiaDriver)


if __name__ == "__main__":
    main()
