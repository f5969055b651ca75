#!/usr/bin/python
# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nftables
short_description: Allow endpoints through a Linux firewall with nftables, names included
version_added: 0.2.0
description:
  - For the catalog C(mmd) choose O(widen=any), or name what you need in O(known_names). No address rule and no line of
    dnsmasq can hold V(*.*.x) or V(*cdn.x.net). With the defaults the whole catalog is accepted, with two known names in
    place of V(*cdn.onenote.net), and its group C(onenote) alone is refused.
  - Runs on a Linux firewall that forwards the packets of its clients, and lets these clients reach a list of names and
    networks on the entries' own ports, over IPv4 and IPv6. Where the firewall queues packets to a content inspector
    (NFQUEUE), it can keep listed traffic out of that as well.
  - Owns one table for what it computes and one that DNS fills, both named after O(name). The tables and files of the
    site are read and never edited. One transaction decides what is live, and a second run changes nothing.
  - Names follow DNS. dnsmasq, the resolver of the clients, adds the addresses of a listed name as a client asks for it.
    What was learnt survives every later run.
  - An address rule is never exact for a name. Other names share the address, and dnsmasq covers subdomains.
    RV(translation) says so for each entry; where that is too much, allow the names on a proxy, such as
    M(egress.allowlist.squid).
  - See R(the nftables guide,ansible_collections.egress.allowlist.docsite.guide_nftables) for how it attaches to a
    ruleset, what is written, and where its limits are.
author:
  - The egress.allowlist authors (@egress-allowlist)
extends_documentation_fragment:
  - egress.allowlist.attributes
  - egress.allowlist.allowlist
options:
  attach:
    description:
      - How it meets the site's policy. In nftables an accept in one table never overrides a drop in another.
      - V(mark) sets one bit of the packet mark on allowed traffic, before the site's rules run. The site accepts what
        has that bit. As long as the running ruleset has no such rule, the run fails after writing, and RV(rules) holds
        the line. It looks at what is loaded, and follows jumps.
      - V(own) is the same, plus a chain of ours that drops everything else that comes from O(clients).
      - V(include) writes a file of sets and one chain, which the site includes inside O(site_table) and jumps to.
    type: str
    choices: [mark, own, include]
    default: mark
  mark:
    description: The one bit of the packet mark that allowed traffic of O(clients) gets. Nobody else may use it.
    type: str
    default: "0x10000"
  bypass_mark:
    description: The one bit, another one, of traffic that goes around content inspection.
    type: str
    default: "0x20000"
  priority:
    description:
      - Where in the forward hook our chains run. It must come before the chains of the site, which mostly have
        priority 0.
    type: int
    default: -10
  site_table:
    description:
      - The site's table that includes our file, as family and name, such as V(inet filter). Needed for
        O(attach=include), and for nothing else.
    type: str
  names:
    description:
      - What becomes of entries that are names.
      - V(dnsmasq) lets the dnsmasq of this host fill the sets. It must be the resolver of O(clients). Clients that ask
        another one, or use DNS over HTTPS, never fill them.
      - V(fail) refuses such entries, V(skip) leaves them out and tells so in RV(translation).
    type: str
    choices: [dnsmasq, fail, skip]
    default: dnsmasq
  names_lifetime:
    description:
      - Seconds that a learnt address stays allowed after the last packet to it, from a minute to 30 days. 25 hours by
        default, which outlasts the DNS cache of Windows, where a name stays for a day at most.
    type: int
    default: 90000
  known_names:
    description:
      - Full names that are known to exist, besides the literal names of the list itself. A pattern that dnsmasq cannot
        express becomes those of them that it matches, where O(narrow=known) and not O(widen=any).
    type: list
    elements: str
    default: []
  dnsmasq_dir:
    description: The folder that dnsmasq reads files from. Ours is called C(egress_), O(name) and C(.conf) there.
    type: path
    default: /etc/dnsmasq.d
  dnsmasq_restart:
    description:
      - The command that restarts dnsmasq, as a list of words. Without it systemd restarts the unit in which it runs;
        where there is none, the running process is ended and started again with its own command line.
      - It is called only where our file has changed, and after all that dnsmasq reads has passed C(dnsmasq --test).
    type: list
    elements: str
  dnsmasq_timeout:
    description: Seconds within which a restarted dnsmasq must answer. Else the old file is put back.
    type: int
    default: 20
  directory:
    description: The folder of our persistent files.
    type: path
    default: /etc/egress_allowlist
  config_file:
    description: The site's persistent ruleset. It is read with O(attach=include), and never edited.
    type: path
    default: /etc/nftables.conf
  service_dir:
    description:
      - The folder for our addition to the service that loads the site's ruleset at boot, so that our file is loaded
        after it.
    type: path
    default: /etc/systemd/system/nftables.service.d
  executable:
    description: The program C(nft), where it is not in the path.
    type: path
  dnsmasq_executable:
    description: The program C(dnsmasq), where it is not in the path.
    type: path
attributes:
  platform:
    support: full
    platforms: posix
    description: A Linux host with nftables and Python 3.8 or later. Nothing else is needed there.
requirements:
  - nftables 1.0.6 or later
  - dnsmasq 2.87 or later, built with nftset (as Debian's is), for entries that are names
notes:
  - O(intents) of this appliance are V(allow) and V(bypass_content_inspection). Others are an error, since a packet
    filter neither inspects TLS nor asks for credentials. O(intents_by_risk) may name all of them.
  - O(clients) are networks, names of interfaces that the clients' packets come in by, or V(any). Networks and
    interfaces may stand side by side.
  - O(rules=reference) works with O(attach=include) alone. Only the sets are written then.
  - Only forwarded packets are looked at. What the firewall itself sends, and what is sent to it, stays as it is.
  - "Open flows of a removed entry live on where the site's ruleset accepts what is established, as nearly all do. End
    them with C(conntrack -D -d ADDRESS)."
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.squid
  - module: egress.allowlist.probe
"""

EXAMPLES = r"""
# The ruleset of the site accepts what we have marked. In its forward chain, before its own drop or reject:
#
#   meta mark & 0x00010000 == 0x00010000 accept
#
- name: Let the company's desktops reach everything of Microsoft Managed Desktop
  egress.allowlist.nftables:
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.30.0.0/24, "fd00:30::/64"]
    widen: any

- name: Be the whole policy of a gateway for what comes in by two interfaces
  egress.allowlist.nftables:
    attach: own
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [eth1, wlan0]
    widen: any

# Two lines of the site in /etc/nftables.conf: the first inside of `table inet filter`, the second in its forward chain.
#
#   include "/etc/egress_allowlist/egress_mmd.inc"
#   jump egress_mmd
#
- name: The same as a chain in the site's own table
  egress.allowlist.nftables:
    attach: include
    site_table: inet filter
    entries: "{{ query('egress.allowlist.endpoints', tenant='contoso') }}"
    clients: [10.30.0.0/24]
    widen: any

- name: Allow networks alone, without any DNS
  egress.allowlist.nftables:
    name: branch
    entries: ["198.51.100.0/24", "2001:db8:40::/48"]
    default_ports: [tcp/443, udp/3478-3481]
    clients: [10.30.0.0/16]
    names: skip

- name: See which groups of entries are used
  egress.allowlist.nftables:
    state: gathered
  register: found

- name: Show it
  ansible.builtin.debug:
    var: found.counters
"""

RETURN = r"""
before:
  description:
    - The entries that the firewall held, one canonical line each. A line that is no entry is told as C(unknown).
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
  description: Every entry that is not held exactly as asked. All names are here, networks are not.
  returned: always
  type: list
  elements: dict
  sample:
    - entry: host login.live.com tcp/80,443
      intents: [allow, bypass_content_inspection]
      verdict: broader
      gained: its subdomains, every other name at the same addresses
      lost: ""
      written: [login.live.com]
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
    - All that we own on the firewall as it was before this run; for O(state=restored). What DNS has learnt is not part
      of it.
  returned: when an appliance was read
  type: dict
  sample: {"appliance": "NftablesDriver", "format": 1, "name": "mmd", "objects": {}}
commands:
  description:
    - What was written, or would be. Texts above 64 KiB are told as size and SHA-256. Empty when nothing changes.
  returned: when an appliance was read
  type: list
  elements: dict
  sample: [{"action": "activate", "object": "running configuration"}]
gathered:
  description: The entries on the firewall, in a form that O(entries) accepts but for their C(intents).
  returned: O(state=gathered)
  type: list
  elements: dict
  sample: [{"type": "host", "value": "*.update.microsoft.com", "path": null, "ports": ["tcp/80", "tcp/443"],
            "intents": ["allow", "bypass_content_inspection"]}]
counters:
  description:
    - Packets and bytes to the entries of each group, by the group's id in the catalog, zeros for a group that nobody
      used. Those of a name count since its address was learnt, and an address that several groups share counts for
      each of them. Entries without a group, as those of O(entries) given as plain text, do not appear.
  returned: O(state=gathered)
  type: dict
  sample: {"teams": {"packets": 5120, "bytes": 731904}, "power_bi": {"packets": 0, "bytes": 0}}
rendered:
  description: The entries and the texts that would be written.
  returned: O(state=rendered)
  type: dict
  sample: {"entries": ["network 198.51.100.0/24 tcp/443"], "objects": {}}
notes:
  description: What is worth knowing about this run and needs no action.
  returned: when entries are rendered
  type: list
  elements: str
  sample: []
rules:
  description:
    - The lines that the site's ruleset must have. The run fails, after writing, as long as one of them is missing.
      None with O(attach=own), unless chains of the site drop forwarded packets.
  returned: when entries are rendered
  type: list
  elements: str
  sample: ["meta mark & 0x00010000 == 0x00010000 accept"]
"""

from ansible_collections.egress.allowlist.plugins.module_utils._drivers.nftables import NftablesDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import run


def main() -> None:
    run(NftablesDriver)


if __name__ == "__main__":
    main()
