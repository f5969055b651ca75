# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site itself has on PAN-OS: objects that our rules name, rules that use our lists, work that is pending."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_api import PanosApi, PanosRefusal
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_scene import (
    RULES,
    TABLES,
    Place,
    Scene,
    split_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_xml import (
    canonical,
    from_canonical,
    members_of,
    text_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EVERYONE, client_networks
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own
from ansible_collections.egress.allowlist.plugins.module_utils._order import wrong_positions

_WORDS = {"security": "action allow", "decryption": "action no-decrypt",
          "authentication": "authentication enforcement default-no-captive-portal"}  # fmt: skip
_ACTIONS = {"security": ("action", "allow"), "decryption": ("action", "no-decrypt")}


class Site:
    def __init__(self, api: PanosApi, place: Place, scene: Scene) -> None:
        self.api = api
        self.place = place
        self.scene = scene

    # What our rules name

    def errors(self, options: Mapping[str, Any], prefix: str, rules: Mapping[str, str]) -> List[str]:
        """What would make the rules void, or the commit fail."""
        if not rules:
            return []
        errors = [*self._unknown_clients(options["clients"]), *self._unknown_zones(options)]
        group = options["profile_group"]
        if group and not self.place.device_group and not self._exists("profile-group", group):
            errors.append(f"profile_group: there is no security profile group {group!r}")
        return errors + wrong_positions(options, RULES, self.scene.rules, prefix, rules)

    def _unknown_clients(self, clients: List[str]) -> List[str]:
        names = [name for name in client_networks(clients)[1] if name != EVERYONE]
        return [
            f"clients[{clients.index(name)}]: there is no address or address group {name!r} on {self.api.host}"
            for name in names
            if not self.place.device_group
            and name not in self.scene.candidate["address"]
            and name not in self.scene.candidate["address group"]
            and not any(self._exists(kind, name) for kind in ("address", "address-group"))
        ]

    def _unknown_zones(self, options: Mapping[str, Any]) -> List[str]:
        named = {(o, zone) for o in ("from_zones", "to_zones") for zone in options[o] if zone != EVERYONE}
        if not named or self.place.device_group:
            return []
        found = self.api.get(f"{self.place.root}/zone")
        zones = {entry.get("name") for entry in found} if found is not None else set()
        return [f"{option}: there is no zone {zone!r}" for option, zone in sorted(named) if zone not in zones]

    def _exists(self, kind: str, name: str) -> bool:
        roots = (self.place.root, "/config/shared")
        return any(self.api.get(f"{root}/{kind}/entry[@name='{name}']") is not None for root in roots)

    # Rules that the site writes itself

    def missing(self, rules: Mapping[str, str]) -> List[str]:
        """With ``rules: reference``, what no rule of the site does yet."""
        return [self.in_words(key, text) for key, text in sorted(rules.items()) if not self._is_done(key, text)]

    def _is_done(self, key: str, text: str) -> bool:
        kind = split_key(key)[0].partition(" ")[0]
        ours = from_canonical(text)
        return any(self._does(kind, rule, ours) for rule in self.scene.candidate[f"{kind} rule"].values())

    @staticmethod
    def _does(kind: str, rule: Element, ours: Element) -> bool:
        if text_of(rule, "disabled") == "yes":
            return False
        tag, action = _ACTIONS.get(kind, ("authentication-enforcement", text_of(rule, "authentication-enforcement")))
        where = "category" if members_of(ours, "category") != [EVERYONE] else "destination"
        return text_of(rule, tag) == action and set(members_of(ours, where)) <= set(members_of(rule, where))

    @staticmethod
    def in_words(key: str, text: str) -> str:
        kind = split_key(key)[0].partition(" ")[0]
        rule = from_canonical(text)
        told = [
            f"{tag} {', '.join(members_of(rule, tag))}" for tag in ("from", "to", "source", "destination", "category")
            if members_of(rule, tag) not in ([], [EVERYONE])
        ]
        profiles = ", no security profiles" if kind == "security" and rule.find("profile-setting") is None else ""
        return f"{kind} rule: {', '.join(told)}, {_WORDS[kind]}{profiles}"

    # What is pending

    def require_nothing_else_pending(self, admin: str, prefix: str) -> None:
        """The strict transaction would undo what this administrator has not committed elsewhere."""
        containers = {self.place.container(kind) for kind in TABLES}
        elsewhere = [
            xpath for xpath in self.scene.pending.get(admin, [])
            if not any(xpath == one or xpath.startswith(f"{one}/") for one in containers)
        ]
        for kind in TABLES:
            elsewhere += self._of_others(kind, admin, prefix)
        if elsewhere:
            more = f" and {len(elsewhere) - 5} more" if elsewhere[5:] else ""
            raise ApplianceError(
                f"{self.api.host}: the administrator {admin} has uncommitted changes beside this list, and our write "
                f"would undo them: {', '.join(elsewhere[:5])}{more}. Commit or revert them first. Another list of this "
                "collection that was staged (activate: false) has to be committed too; and give this collection an "
                "administrator of its own"
            )

    def _of_others(self, kind: str, admin: str, prefix: str) -> List[str]:
        candidate, running = self.scene.candidate[kind], self.scene.running[kind]
        if candidate is running or not admin:
            return []
        changed = [
            name for name, entry in candidate.items()
            if not is_own(name, prefix) and any(one.get("admin") == admin for one in entry.iter())
            and (name not in running or canonical(entry) != canonical(running[name]))
        ]
        return [f"{kind} {name}" for name in changed]

    def is_pushed(self) -> Optional[bool]:
        """Whether all firewalls of the device group have what Panorama has committed; None where it does not tell."""
        command = f"<show><devicegroups><name>{self.place.device_group}</name></devicegroups></show>"
        try:
            found = self.api.op(command)
        except PanosRefusal:
            return None
        told = [(one.text or "").strip().lower() for one in found.iter("shared-policy-status")]
        return all(one == "in sync" for one in told)
