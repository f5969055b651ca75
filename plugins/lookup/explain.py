# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why is a name allowed, or why not."""

from __future__ import annotations

DOCUMENTATION = r"""
name: explain
short_description: Tell whether a name is allowed, by whom, and why not
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
description:
  - Answers, for each term, whether the list of entries lets it through, and by which entry, group and catalog.
  - >-
    Where it does not, it tells which option took it away, or what comes near and why that does not let it through, and
    how to allow it.
  - >-
    The options are those of P(egress.allowlist.endpoints#lookup), and so is what they choose. Where a tenant is needed
    and not given, nothing fails, whatever O(tenant_missing) says.
  - It speaks of the list alone. What the site's own rules allow beside it is not known here.
extends_documentation_fragment:
  - egress.allowlist.catalog
  - egress.allowlist.web_service
  - egress.allowlist.selection
options:
  _terms:
    description:
      - >-
        What is asked about. A name (V(login.live.com)); a URL, of which scheme, port and path are read; a name and its
        port (V(login.live.com:8443)); an address or a network; a wildcard (V(*.live.com)), which is allowed where all
        of its names are.
      - V(udp://teams.example.com:3478) asks for a port of UDP.
    type: list
    elements: raw
    required: true
  groups:
    description: The ids of groups that are chosen, all without any; the terms of P(egress.allowlist.endpoints#lookup).
    type: list
    elements: str
    default: []
    env:
      - name: EGRESS_GROUPS
    ini:
      - section: egress
        key: groups
    vars:
      - name: egress_groups
  entries:
    description: The entries themselves, where they are not those of catalogs. Groups and catalogs count no more then.
    type: list
    elements: raw
    vars:
      - name: egress_entries
  held:
    description:
      - >-
        What an appliance holds, as the state C(gathered) of its module returns it in
        RV(egress.allowlist.squid#module:gathered).
      - With it, RV(_raw[].held) tells whether the appliance does what the list wants.
    type: list
    elements: dict
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.squid
"""

EXAMPLES = r"""
- name: Is it allowed, and by whom?
  ansible.builtin.debug:
    msg: "{{ lookup('egress.allowlist.explain', 'login.live.com', tenant='contoso').lines }}"

- name: Several at once
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ 'allowed' if item.allowed else item.advice }}"
  loop: "{{ query('egress.allowlist.explain', 'https://login.live.com:8443/x', '*.live.com', '52.112.0.1') }}"
  loop_control:
    label: "{{ item.name }}"

- name: Which of the names that a vendor sent are not allowed yet?
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.explain', names) | rejectattr('allowed') | map(attribute='name') }}"
  vars:
    names: [a.contoso.com, login.live.com]

- name: What does the proxy hold?
  egress.allowlist.squid:
    state: gathered
  register: found

- name: Does it hold what the list wants?
  ansible.builtin.debug:
    msg: "{{ lookup('egress.allowlist.explain', 'login.live.com', held=found.gathered).held.what }}"
"""

RETURN = r"""
_raw:
  description: One answer for each term, in their order.
  type: list
  elements: dict
  contains:
    name:
      description: What was asked about, in its canonical form, without what may be secret in a URL.
      type: str
      sample: login.live.com
    type:
      description: V(host) or V(network).
      type: str
    value:
      description: The name or network alone.
      type: str
    port:
      description: The port that was asked for, V(null) for whatever the entries have.
      type: str
      sample: tcp/443
    path:
      description: The path, where it was asked for in plain HTTP.
      type: str
    allowed:
      description: Whether the list lets all of it through.
      type: bool
    exact:
      description: Whether an entry is exactly that name, network or wildcard.
      type: bool
    entries:
      description:
        - The entries that let it through, the most exact first.
        - >-
          Besides the fields of P(egress.allowlist.endpoints#lookup), C(ports) as they are let through, C(covers)
          (V(exactly), V(by wildcard), V(by network), or V(in part) where only several networks together do it),
          C(groups) with C(id), C(title), C(why) and C(catalog), C(why) of the first of them, C(catalogs) with C(id),
          C(title), C(version) and C(instance), C(since) (the version that brought it, where the catalog knows),
          C(risk_why), and C(instead) (what took a retired name's place).
      type: list
      elements: dict
    near:
      description:
        - Where it is not allowed, the entries that come near, the likeliest first, with C(relation) and C(why).
        - >-
          C(relation) is V(port), V(path), V(apex), V(depth), V(deeper), V(part), V(star), V(beginning), V(look_alike)
          or V(same_domain).
      type: list
      elements: dict
    excluded:
      description: >-
        Where it is not allowed though a catalog has it, what took it away. C(by) is the option, C(item) what stands
        there, C(value) the entry that it took; C(why) and C(undo) are for people.
      type: list
      elements: dict
    advice:
      description: The way to allow it; V(null) where it is allowed.
      type: str
      sample: 'egress_include: ["login.contoso.com"]'
    lines:
      description: The same as text for people.
      type: list
      elements: str
    held:
      description: >-
        With O(held), whether the appliance C(holds) it, by which C(entries) (with C(intents)), what comes C(near)
        otherwise, C(drift) (V(none), V(missing), V(left_over), V(ports)), C(missing_ports), and C(what), a sentence.
      type: dict
"""

from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, load_all
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain import Explainer
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_ask import Question, read
from ansible_collections.egress.allowlist.plugins.plugin_utils._lookup import OptionsLookup, plain
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, successors_of

_OPTIONS = (
    "groups",
    "tenant",
    "tenant_missing",
    "include",
    "exclude",
    "required_only",
    "retired",
    "uncertain",
    "ipv6",
    "successors",
)


class LookupModule(OptionsLookup):
    """Explanations of what the terms ask."""

    NAME = "egress.allowlist.explain"

    def looked_up(self, terms: list[Any]) -> list[Any]:
        questions = _questions(terms)
        held = plain(self.get_option("held"))
        explainer = self._explainer()
        return [explainer.answer(question, held) for question in questions]

    def _explainer(self) -> Explainer:
        options = {name: plain(self.get_option(name)) for name in _OPTIONS}
        entries = plain(self.get_option("entries"))
        if entries is not None:
            return Explainer((), Request(), entries=entries)
        catalogs = self.catalogs()
        return Explainer(catalogs, Request(**options), self._others(catalogs))

    def _others(self, catalogs: tuple[Catalog, ...]) -> tuple[Catalog, ...]:
        names = successors_of(catalogs) if self.get_option("successors") else []
        return load_all(names, self.online_catalog) if names else ()


def _questions(terms: list[Any]) -> list[Question]:
    """The terms; one that is a list stands for its elements."""
    flat = [one for term in terms for one in (term if isinstance(term, list) else [term])]
    if not flat:
        raise AllowlistError("what is asked about? Expected a name, a URL, an address or a network as a term")
    return [read(one, f"terms[{index}]") for index, one in enumerate(flat)]
