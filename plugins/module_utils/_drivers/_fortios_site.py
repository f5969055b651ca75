# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site itself has on FortiOS: objects that our rules name, profiles, rules that use our lists, and defects."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_api import FortiosApi, Row
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_objects import NETWORKS, Who
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_options import (
    FIRST_CATEGORY,
    LAST_CATEGORY,
    RULES,
    require_object_name,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_rows import TLS, WEB
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_scene import Scene
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_shapes import number
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EVERYONE, client_networks
from ansible_collections.egress.allowlist.plugins.module_utils._order import wrong_positions

OLDEST_FEED = (7, 2, 1)
# Feeds of URLs that policies in flow mode do not match: from these builds on. Source: community.fortinet.com 391554.
_DEFECT: Dict[Tuple[int, ...], int] = {(7, 2): 11, (7, 4): 7}


class Site:
    def __init__(self, api: FortiosApi, scene: Scene) -> None:
        self.api = api
        self.scene = scene

    # For whom

    def who(self, clients: Sequence[str]) -> Tuple[Who, List[str]]:
        """The clients as rules name them, and what is wrong with them."""
        networks, names = client_networks(clients)
        for name in names:
            require_object_name(name, f"clients[{list(clients).index(name)}]")
        if names == [EVERYONE]:
            return Who((), ("all",), ("all",)), []
        known = self._addresses() if names else ({}, {})
        unknown = [name for name in names if not any(name in family for family in known)]
        errors = [
            f"clients[{list(clients).index(name)}]: there is no address or group {name!r} on {self.api.host}"
            for name in unknown
        ]
        # What is not there counts for both families, so that nothing else is said of it.
        by_family = [tuple(sorted(name for name in names if name in family or name in unknown)) for family in known]
        return Who(tuple(sorted(networks)), by_family[0], by_family[1]), errors

    def _addresses(self) -> Tuple[Dict[str, Row], Dict[str, Row]]:
        found: List[Dict[str, Row]] = []
        for family in ("", "6"):
            rows = [*self.scene.tables[f"address{family}"], *self.api.rows(f"firewall/addrgrp{family}")]
            found.append({str(row.get("name")): row for row in rows})
        return found[0], found[1]

    # What would make the rules void

    def errors(self, options: Mapping[str, Any], prefix: str, keys: Iterable[str]) -> List[str]:
        errors = [
            f"{option}: there is no {kind} {name!r} on {self.api.host}"
            for option, kind in (("webfilter_profiles", WEB), ("ssl_profiles", TLS))
            for name in options[option] if name not in self.scene.profiles.get(kind, {})
        ]
        errors += [
            f"{kind} {name} already has another URL filter (number {used}), and a profile has one. Name another "
            "profile, or take style: feed"
            for kind, name, used in self._other_filters(options, prefix)
        ]
        wrong = wrong_positions(options, RULES, self.scene.rules, prefix, keys)
        return errors + [f"{one} (#12 stands for number 12)" if "policy '" in one else one for one in wrong]

    def _other_filters(self, options: Mapping[str, Any], prefix: str) -> List[Tuple[str, str, Any]]:
        if options["style"] != "urlfilter":
            return []
        ours = (self.scene.row("url filter", prefix) or {}).get("id")
        found = []
        for name in options["webfilter_profiles"]:
            used = (self.scene.profiles.get(WEB, {}).get(name, {}).get("web") or {}).get("urlfilter-table")
            found += [(WEB, name, used)] if used and used != ours else []
        return found

    def defects(self, options: Mapping[str, Any]) -> List[str]:
        """The documented defect of feeds in flow mode, where this version and these profiles have it."""
        fixed = _DEFECT.get(self.scene.version[:2])
        patch = self.scene.version[2] if len(self.scene.version) > 2 else 0
        if options["style"] != "feed" or fixed is None or patch < fixed:
            return []
        profiles = self.scene.profiles.get(WEB, {})
        flow = [name for name in options["webfilter_profiles"] if profiles.get(name, {}).get("feature-set") == "flow"]
        return [
            f"FortiOS {'.'.join(map(str, self.scene.version))}: category feeds were seen to match nothing in flow mode "
            f"(community.fortinet.com 391554), and webfilter profile {name} is in flow mode. Prove it with verify, or "
            "take style: urlfilter"
            for name in flow
        ]

    def require_feeds(self, style: str) -> None:
        if self.scene.version < OLDEST_FEED:
            way = "Take style: urlfilter" if style == "feed" else "Leave the networks out: they need a feed"
            raise ApplianceError(
                f"{self.api.host} has FortiOS {'.'.join(map(str, self.scene.version))}, and feeds that are written by "
                f"the API are there from 7.2.1 on. {way}"
            )

    def category(self, name: str, first: int, taken: set[int]) -> int:
        """The number of a feed: the one that it has, else the first from *first* on that nobody has."""
        row = self.scene.row("external resource", name)
        own = number(row.get("category")) if row is not None and row.get("type") == "category" else 0
        if FIRST_CATEGORY <= own <= LAST_CATEGORY:
            return own
        used = {number(row.get("category")) for row in self.scene.tables["external resource"]} | taken
        free = [number for number in range(first, LAST_CATEGORY + 1) if number not in used]
        free += [number for number in range(FIRST_CATEGORY, first) if number not in used]
        if not free:
            raise ApplianceError(
                f"{self.api.host}: all numbers of category feeds from {FIRST_CATEGORY} to {LAST_CATEGORY} are taken"
            )
        return free[0]

    # Rules that the site writes itself

    def missing_rules(self, needed: Sequence[Tuple[str, str, Any]]) -> List[str]:
        """Of what the lists need, what no profile or policy of the site has yet: words, kind, number or name."""
        return [words for words, kind, what in needed if not self._is_used(kind, what)]

    def _is_used(self, kind: str, what: Any) -> bool:
        if kind == "policy":
            rows = (row for row in self.scene.tables["policy"] if row.get("status") != "disable")
            accepted = [row for row in rows if row.get("action") == "accept"]
            return any(what in [one.get("name") for one in row.get("dstaddr", [])] for row in accepted)
        if kind == WEB:
            profiles = self.scene.profiles.get(WEB, {}).values()
            filters = [row for profile in profiles for row in (profile.get("ftgd-wf") or {}).get("filters") or []]
            return any(row.get("category") == what and row.get("action") in ("monitor", "allow") for row in filters)
        exempt = (profile.get("ssl-exempt") or [] for profile in self.scene.profiles.get(TLS, {}).values())
        return any(row.get("fortiguard-category") == what for rows in exempt for row in rows)


def needed_rules(name: str, category: int, intents: Sequence[str], *, networks: bool) -> List[Tuple[str, str, Any]]:
    """With ``rules: reference``, what the site must have, in words, with what can be looked for."""
    found: List[Tuple[str, str, Any]] = []
    if category and "allow" in intents:
        found.append((f"a webfilter profile that allows category {category} ({name})", WEB, category))
    if category and "bypass_tls_inspection" in intents:
        found.append((f"an SSL inspection profile that exempts category {category} ({name})", TLS, category))
    if networks and "allow" in intents:
        found.append((f"a policy that accepts what goes to {name}{NETWORKS}", "policy", name + NETWORKS))
    return found
