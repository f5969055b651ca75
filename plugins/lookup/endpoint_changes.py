# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed in the list of the web service."""

from __future__ import annotations

DOCUMENTATION = r"""
name: endpoint_changes
short_description: What changed in the list of Microsoft's endpoint web service
version_added: 0.2.0
author:
  - The egress.allowlist authors (@egress-allowlist)
description:
  - >-
    Compares two versions of the list of Microsoft's endpoint web service, and returns each name and network that was
    added, removed or moved, which means that its ports, its category or whether it is required are others.
  - >-
    A name that went from one set to another with the same ports is no change, since no proxy or firewall would see it.
  - >-
    A version that is not kept in the cache is found by undoing the changes that the service itself reports since. Both
    ways give the same answer.
  - What is announced and not yet in the list counts as added to the latest version, with its effective date.
extends_documentation_fragment:
  - egress.allowlist.web_service
options:
  _terms:
    description: None.
  since:
    description:
      - >-
        The older version, ten digits such as V(2025110100); or the file of a saved answer; or V(applied), the oldest
        version that M(egress.allowlist.applied) recorded for any appliance.
      - Without it, the version before O(until) as far as it is known.
    type: str
  until:
    description: The newer version, the file of a saved answer, or V(latest).
    type: str
    default: latest
  tenant:
    description: As in P(egress.allowlist.endpoints#lookup).
    type: str
    env:
      - name: EGRESS_TENANT
    ini:
      - section: egress
        key: tenant
    vars:
      - name: egress_tenant
  appliances:
    description: With O(since=applied), the appliances that count; all where nothing is said.
    type: list
    elements: str
    default: []
seealso:
  - plugin: egress.allowlist.endpoints
    plugin_type: lookup
  - module: egress.allowlist.applied
"""

EXAMPLES = r"""
- name: What did Microsoft change since the list was applied?
  ansible.builtin.debug:
    msg: "{{ item.change }} {{ item.value }} {{ item.effective or '' }}"
  loop: "{{ query('egress.allowlist.endpoint_changes', since='applied') }}"

- name: What was removed between two versions?
  ansible.builtin.debug:
    msg: "{{ changes | selectattr('change', 'eq', 'removed') | map(attribute='value') }}"
  vars:
    changes: "{{ query('egress.allowlist.endpoint_changes', since='2025110100', until='2025120100') }}"

- name: What is new in an answer that somebody saved?
  ansible.builtin.debug:
    msg: "{{ query('egress.allowlist.endpoint_changes', since='files/worldwide.2025110100.json') }}"
"""

RETURN = r"""
_raw:
  description: The changes, sorted by C(change), C(type) and C(value).
  type: list
  elements: dict
  contains:
    change:
      description: V(added), V(removed) or V(moved).
      type: str
      sample: added
    type:
      description: V(host) or V(network).
      type: str
      sample: host
    value:
      description: The name or network.
      type: str
      sample: "*.static.microsoft"
    sets:
      description: The sets that ask for it, or asked.
      type: list
      elements: int
      sample: [184]
    service_areas:
      description: Their service areas, in small letters.
      type: list
      elements: str
      sample: [common]
    services:
      description: Their services, as Microsoft calls them.
      type: list
      elements: str
      sample: [Microsoft 365 Common and Office Online]
    version:
      description: The version that did it, where known.
      type: str
      sample: "2025120100"
    effective:
      description: The day from which it is needed, where the service tells.
      type: str
      sample: "2026-01-01"
    impact:
      description: The service's own word for the change, where it tells.
      type: str
      sample: AddedUrl
    before:
      description: Its C(ports), its C(category) and whether it was C(required); null for what is added.
      type: dict
    after:
      description: The same of today; null for what is removed.
      type: dict
      sample: {ports: [tcp/443], category: default, required: true}
"""

import os
import re
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _applied
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import difference, with_announced
from ansible_collections.egress.allowlist.plugins.plugin_utils._lookup import OptionsLookup, plain
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import WINDOW, WebService, parse_endpoints
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import Answer, is_version

_LATEST = "latest"
_APPLIED = "applied"
_IN_NAME = re.compile(r"(?<![0-9])20[0-9]{8}(?![0-9])")


class LookupModule(OptionsLookup):
    """The difference of two lists."""

    NAME = "egress.allowlist.endpoint_changes"

    def looked_up(self, terms: list[Any]) -> list[Any]:
        if terms:
            raise AllowlistError("there are no terms; the versions are options: since='2025110100', until='latest'")
        since, until = plain(self.get_option("since")), plain(self.get_option("until"))
        # Two files need no service.
        if since and not (_is_word(since) or _is_word(until)):
            return difference(self._file(since, "since"), self._file(until, "until"))
        service = self.web_service()
        served = service.serve()
        for warning in served.warnings:
            self.warn(warning)
        new = self._list(until, "until", service)
        old = self._list(since or service.before(new.version), "since", service)
        if until == _LATEST:
            # What had been announced by then was in the list by then.
            by_then = [change for change in served.changes if old.version and change.version <= old.version]
            old, new = with_announced(old, by_then, WINDOW), with_announced(new, served.changes, WINDOW)
        return difference(old, new, served.changes)

    def _list(self, word: str, option: str, service: WebService) -> Answer:
        if word == _APPLIED:
            word = self._applied()
        if is_version(word):
            return service.at(word)
        if word == _LATEST:
            return service.serve().answer
        return self._file(word, option)

    def _applied(self) -> str:
        instance = plain(self.get_option("instance"))
        found = _applied.versions(plain(self.get_option("cache_dir")), instance, plain(self.get_option("appliances")))
        if not found:
            raise AllowlistError(
                f"since: no version of the web service's list of {instance} was applied from this control node yet, as "
                f"far as {plain(self.get_option('cache_dir'))} tells; name a version or a file"
            )
        return min(found.values())

    def _file(self, word: str, option: str) -> Answer:
        path = self.find_file_in_search_path(self._variables, "files", os.path.expanduser(word), ignore_missing=True)
        try:
            with open(path or os.path.expanduser(word), encoding="utf-8-sig") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise AllowlistError(
                f'{option}: expected a version of ten digits, the file of a saved answer, {_APPLIED} or {_LATEST}, got '
                f'"{word}": {getattr(error, "strerror", None) or "it is no text"}'
            ) from None
        versions = [found for found in _IN_NAME.findall(os.path.basename(word)) if is_version(found)]
        return parse_endpoints(text, plain(self.get_option("instance")), versions[0] if len(versions) == 1 else None)


def _is_word(text: str) -> bool:
    return text in (_LATEST, _APPLIED) or is_version(text)
