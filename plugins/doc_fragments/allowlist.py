# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # The options that every push module has.
    DOCUMENTATION = r"""
options:
  name:
    description:
      - Names what belongs to this list on the appliance. Everything of ours there is called C(egress_) and this name,
        and nothing else is ever changed.
      - A letter, then up to 15 of C(a-z), C(0-9) and C(_).
    type: str
    default: mmd
  entries:
    description:
      - What to allow, as the lookup P(egress.allowlist.endpoints#lookup) returns it. A plain string such as
        V(*.contoso.com) or V(198.51.100.0/24) stands for an entry with the defaults.
      - V(*.x) is one or more labels before V(x) and not V(x) itself.
      - An entry without ports means TCP 80 and 443. A network without ports needs O(default_ports).
      - Needed for O(state=replaced), O(state=merged) and O(state=rendered); an empty list is refused.
    type: list
    elements: raw
  default_ports:
    description: Ports such as V(tcp/443) or V(tcp/8000-8010) of the entries that state none.
    type: list
    elements: str
    default: []
  intents:
    description:
      - What the entries are for. All that the appliance has, by default.
      - V(allow) lets the clients reach them; V(bypass_tls_inspection) leaves their TLS as it is;
        V(bypass_content_inspection) keeps them from packet inspection, antivirus and data loss prevention;
        V(bypass_authentication) asks no proxy credentials for them.
    type: list
    elements: str
    choices: [allow, bypass_tls_inspection, bypass_content_inspection, bypass_authentication]
  intents_by_risk:
    description:
      - Intents that entries of a risk (V(shared_hosting), V(third_party), V(retired)) get at most. An empty list
        leaves such entries out.
    type: dict
    default: {}
  clients:
    description:
      - For whom the entries are, as networks, or as names of the site's own objects (on Squid an ACL, on a Linux
        firewall an interface). Every rule is bound to it, and other clients meet the policy that they met before.
      - Everyone has to be written out as V(any).
      - Needed whenever rules are written.
    type: list
    elements: str
  rules:
    description:
      - V(manage) writes the lists and the rules that use them.
      - V(reference) writes the lists alone, returns the rules that the site needs in RV(ignore:rules), and fails as
        long as the site's own configuration lacks one of them.
    type: str
    choices: [manage, reference]
    default: manage
  state:
    description:
      - V(replaced) makes the appliance hold exactly the entries and corrects what was changed by hand.
      - V(merged) adds the entries to what is there.
      - V(deleted) takes away the entries, or everything of this name where no entries are given.
      - V(gathered) reads and changes nothing.
      - V(rendered) returns what would be written, without an appliance.
      - V(restored) writes back a O(snapshot).
    type: str
    choices: [replaced, merged, deleted, gathered, rendered, restored]
    default: replaced
  snapshot:
    description: The value RV(ignore:snapshot) of an earlier run, for O(state=restored).
    type: dict
  widen:
    description:
      - What an entry may gain on an appliance that cannot hold it exactly. V(none), V(apex) (C(x) beside C(*.x)), or
        V(any).
      - More than this fails before anything is written.
    type: str
    choices: [none, apex, any]
    default: apex
  narrow:
    description:
      - What an entry may lose on such an appliance. V(none), V(known) (a pattern becomes the names that are known to
        lie under it), or V(any).
    type: str
    choices: [none, known, any]
    default: known
  max_shrink:
    description:
      - How many percent of the present names one run may take away. Names that the new list still covers do not
        count, and fewer than five never trip it.
      - O(state=deleted) and O(state=restored) are exempt.
    type: int
    default: 25
  adopt:
    description:
      - Take over what carries our name on the appliance and was not written by this collection. Without it that is an
        error.
    type: bool
    default: false
  change_id:
    description: A ticket number or the like, written beside the next real change. It never causes one.
    type: str
"""
