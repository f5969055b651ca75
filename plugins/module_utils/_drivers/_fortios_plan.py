# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a FortiGate shall hold for these entries, by the options; judged against the site where it was read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import Accepted
from ansible_collections.egress.allowlist.plugins.module_utils._driver import INTENTS, Desired
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _fortios_rows as rows
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_objects import (
    MOST_BYTES,
    MOST_ENTRIES,
    Renderer,
    Settings,
    Who,
    translated,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_options import (
    RULES,
    by_policy,
    carried,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_scene import ROWS, Scene
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_site import Site, needed_rules
from ansible_collections.egress.allowlist.plugins.module_utils._lists import (
    EVERYONE,
    EntryClass,
    classes,
    client_networks,
)
from ansible_collections.egress.allowlist.plugins.module_utils._order import all_wanted
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict
from ansible_collections.egress.allowlist.plugins.module_utils._web import on_the_web, with_all_ports


class Rendering:
    """One list for one appliance. *site* is None where nothing was read."""

    def __init__(self, options: Mapping[str, Any], prefix: str, site: Optional[Site]) -> None:
        self.options = options
        self.prefix = prefix
        self.site = site
        self.manage = options["rules"] == "manage"
        self.errors: List[str] = []
        self.verdicts: List[Verdict] = []
        self._needed: List[Tuple[str, str, Any]] = []
        self._taken: Set[int] = set()
        self._renderer = Renderer(self._settings())
        self._accepted = Accepted(options["widen"], options["narrow"], tuple(options["known_names"]))
        self._by_intent: Dict[str, List[int]] = {}

    def _settings(self) -> Settings:
        options = self.options
        clients = options["clients"] or [EVERYONE]
        if self.site is not None and self.manage:
            who, errors = self.site.who(clients)
            self.errors += errors
        else:
            networks, names = client_networks(clients)
            who = Who(tuple(networks), ("all",) if names == [EVERYONE] else tuple(names))
        sources, destinations = tuple(options["source_interfaces"]), tuple(options["destination_interfaces"])
        change = options["change_id"] or ""
        return Settings(self.prefix, change, who, sources, destinations, options["nat"], options["proxy_policy"])

    def desired(self, holdings: Sequence[Holding], scene: Optional[Scene]) -> Desired:
        usual = carried(self.options) if self.manage else INTENTS
        objects: Dict[str, str] = {}
        rules: Dict[str, str] = {}
        for found in classes(self._carried(holdings), usual):
            self._class(found, objects, rules)
        if self.options["style"] == "urlfilter":
            objects.update(self._url_filter(holdings))
        if self.manage:
            objects.update({**rules, **(self._renderer.addresses() if rules else {}), **self._rows(objects)})
        if self.site is not None and scene is not None:
            self._judge(scene, objects, rules)
        words = [words for words, _kind, _what in self._needed]
        return Desired(
            objects=objects,
            verdicts=tuple(self.verdicts),
            warnings=tuple(self.site.defects(self.options) if self.site is not None else ()),
            errors=tuple(dict.fromkeys(self.errors)),
            missing_rules=tuple(self.site.missing_rules(self._needed)) if self.site and not self.manage else (),
            facts={"rules": [] if self.manage else words},
        )

    # Which entries, for which intents

    def _carried(self, holdings: Sequence[Holding]) -> List[Holding]:
        """The holdings with the intents that the options can carry; what cannot be carried at all is an error."""
        found = []
        for holding in holdings:
            rest, verdict = on_the_web(holding)
            self.verdicts += [verdict] if verdict is not None else []
            if rest is None or (rest.entry.type == "host" and self.options["style"] == "urlfilter"):
                continue
            if self.manage and rest.entry.type == "host":
                intents = carried(self.options)
                rest = replace(rest, intents=tuple(one for one in rest.intents if one in intents))
            found.append(rest)
        if self.manage:
            self._require_carriers(found)
        return [holding for holding in found if holding.intents]

    def _require_carriers(self, holdings: Sequence[Holding]) -> None:
        names = [one for one in holdings if one.entry.type == "host" and not one.intents]
        networks = [one for one in holdings if one.entry.type == "network"]
        if names:
            self.errors.append(
                f"{_counted('name', names)}, such as {names[0].entry.value}, and nothing that uses their list: say "
                "webfilter_profiles (allow), ssl_profiles (bypass_tls_inspection) or proxy_policy (all), or rules: "
                "reference"
            )
        if networks and not by_policy(self.options):
            self.errors.append(
                f"{_counted('network', networks)}, such as {networks[0].entry.value}: a policy lets them through, and "
                "needs source_interfaces and destination_interfaces"
            )
        bare = [one for one in networks if set(one.intents) < {"allow", "bypass_content_inspection"}]
        if bare:
            self.errors.append(
                f"{bare[0].entry.value}: a policy for networks has no security profiles, so a network needs allow and "
                "bypass_content_inspection"
            )

    # What becomes of a class

    def _class(self, found: EntryClass, objects: Dict[str, str], rules: Dict[str, str]) -> None:
        lines, told = translated(found, self._accepted)
        self.verdicts += told
        self._require_size(lines)
        self._require_size([entry.value for entry in found.networks])
        name = self.prefix + found.suffix
        category = self._category(name) if lines else None
        objects.update(self._renderer.lists(found, lines, category or 0))
        self._needed += needed_rules(name, category or 0, found.intents, networks=bool(found.networks))
        if category is not None:
            for intent in found.intents:
                self._by_intent.setdefault(intent, []).append(category)
        proxied = self.options["proxy_policy"] and lines and "allow" in found.intents
        if self.manage and proxied and "bypass_content_inspection" not in found.intents:
            self.errors.append("proxy_policy allows without security profiles, so it needs bypass_content_inspection")
        rules.update(self._renderer.rules(found, category))

    def _require_size(self, lines: Sequence[str]) -> None:
        size = sum(len(line) + 1 for line in lines)
        if len(lines) > MOST_ENTRIES or size > MOST_BYTES:
            self.errors.append(
                f"{len(lines)} lines ({size} bytes) in one feed, and it holds {MOST_ENTRIES} lines and {MOST_BYTES} "
                "bytes: take several `name`s"
            )

    def _category(self, name: str) -> int:
        first = self.options["category"]
        number = self.site.category(name, first, self._taken) if self.site else first + len(self._taken)
        self._taken.add(number)
        return int(number)

    def _url_filter(self, holdings: Sequence[Holding]) -> Dict[str, str]:
        on_web = (on_the_web(holding)[0] for holding in holdings)
        hosts = [holding for holding in on_web if holding is not None and holding.entry.type == "host"]
        intents = {tuple(one for one in holding.intents if one in carried(self.options)) for holding in hosts}
        if len(intents) > 1:
            self.errors.append("style: urlfilter: one table has one set of intents; give the others another `name`")
        for holding in hosts:
            verdict = with_all_ports(None, holding.entry, holding.intents, (holding.entry.value,))
            self.verdicts += [verdict] if verdict is not None else []
        ports = ("tcp/80", "tcp/443")
        whole = EntryClass("", ports, min(intents) if intents else (), (), ())
        return self._renderer.url_filter(whole, [holding.entry for holding in hosts])

    # Rows in the site's profiles

    def _rows(self, objects: Mapping[str, str]) -> Dict[str, str]:
        is_filter = f"url filter {self.prefix}" in objects
        web, tls = (sorted(self._by_intent.get(intent, [])) for intent in ("allow", "bypass_tls_inspection"))
        found = {}
        for name in self.options["webfilter_profiles"]:
            found[f"{ROWS}{rows.WEB} {name}"] = rows.wanted(rows.WEB, web, url_filter=is_filter)
        for name in self.options["ssl_profiles"]:
            found[f"{ROWS}{rows.TLS} {name}"] = rows.wanted(rows.TLS, tls)
        return {key: text for key, text in found.items() if text}

    # The site

    def _judge(self, scene: Scene, objects: Dict[str, str], rules: Mapping[str, str]) -> None:
        if self.site is None:
            return
        if any(key.startswith("external resource ") for key in objects):
            self.site.require_feeds(self.options["style"])
        if not self.manage:
            return
        self.errors += self.site.errors(self.options, self.prefix, rules)
        if self.errors:
            return
        objects.update(all_wanted(self.options, RULES, scene.rules, rules))


def _counted(what: str, found: Sequence[Holding]) -> str:
    return f"{len(found)} {what}{'s' if found[1:] else ''}"
