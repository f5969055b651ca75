# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site itself has on ZIA: places that our rules name, rules that use our lists, the limits of the tenant."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, List, Mapping

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_api import ZiaApi
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_options import RULES, clients_of
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_scene import (
    EXEMPTED,
    Scene,
    name_of,
    split_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own
from ansible_collections.egress.allowlist.plugins.module_utils._order import wrong_positions

MOST_CATEGORIES = 64
LONGEST_URL, LONGEST_HOST = 1024, 255


class Site:
    def __init__(self, api: ZiaApi, scene: Scene) -> None:
        self.api = api
        self.scene = scene

    def errors(self, options: Mapping[str, Any], prefix: str, rules: Iterable[str]) -> List[str]:
        """What would make the rules void."""
        keys = list(rules)
        wrong = wrong_positions(options, RULES, self.scene.rules, prefix, keys)
        return [*self._unknown_clients(options), *wrong] if keys else []

    def _unknown_clients(self, options: Mapping[str, Any]) -> List[str]:
        clients = clients_of(options)
        if not clients.names:
            return []
        rows = self.scene.tables[clients.table] = self.api.rows(f"/{clients.table}")  # type: ignore[index]
        known = {str(row.get("name")) for row in rows}
        given = [client.partition(":")[2].strip() for client in options["clients"]]
        return [
            f"clients[{given.index(name)}]: {self.api.host} has no {name!r} among its {clients.table}"
            for name in clients.names if name not in known
        ]

    # Rules that the site writes itself

    def missing(self, rules: Mapping[str, str]) -> List[str]:
        """With ``rules: reference``, what no rule of the site does yet."""
        return [self.in_words(key, text) for key, text in sorted(rules.items()) if not self._is_done(key, text)]

    def _is_done(self, key: str, text: str) -> bool:
        kind, wanted = split_key(key)[0], json.loads(text)
        rows = (self.scene.canonical(kind, row) for row in self.scene.tables[kind])
        return any(_does(row, wanted) for row in rows)

    @staticmethod
    def in_words(key: str, text: str) -> str:
        kind, rule = split_key(key)[0], json.loads(text)
        who = next((f"{f} {', '.join(rule[f])}" for f in ("locations", "groups", "departments") if f in rule), "")
        what = f"URL category {rule['urlCategories'][0]}" if "urlCategories" in rule else (
            f"destination group {rule['destIpGroups'][0]}"
        )
        action = rule["action"] if isinstance(rule["action"], str) else rule["action"]["type"]
        return f"{kind}: {what}{', ' + who if who else ''}, action {action}"

    def closer(self, prefix: str, objects: Mapping[str, str]) -> List[str]:
        """ZIA takes the closest entry of all categories, so an entry of the site below one of ours wins."""
        ours = _urls(objects)
        trees = {url[1:] for url in ours if url.startswith(".")}
        found: List[str] = []
        for row in self.scene.tables["url category"]:
            name = name_of("url category", row)
            urls = [] if is_own(name, prefix) else [str(url) for url in row.get("urls", [])]
            hidden = [url for url in urls if url not in ours and _is_below(url.partition("/")[0].lstrip("."), trees)]
            if hidden:
                more = f" and {len(hidden) - 1} more" if hidden[1:] else ""
                found.append(
                    f"the category {name!r} has {hidden[0]}{more}, closer than an entry of this list above it: there "
                    "ZIA goes by the rules for that category"
                )
        return found

    # Limits

    def require_room(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """AllowlistError for what the service would refuse as a whole, with its figure."""
        new = [key for key in after if key.startswith("url category ") and key not in before]
        count = len(self.scene.tables["url category"])
        if count + len(new) > MOST_CATEGORIES:
            raise AllowlistError(
                f"the tenant has {count} custom categories, this list needs {len(new)} more, and ZIA takes "
                f"{MOST_CATEGORIES}. Nothing was written. Delete some there, or give the entries the same ports"
            )
        urls = _urls(after)
        _require_short(urls)
        added = len(urls - _urls(before))
        if added:
            left = self.api.get("/urlCategories/urlQuota", dict).get("remainingUrlsQuota")
            if isinstance(left, int) and added > left:
                raise AllowlistError(
                    f"this list needs {added} more URLs, and the tenant has {left} left of its quota. Nothing was "
                    "written. Take fewer groups of the catalog, or ask Zscaler for a larger quota"
                )


def _urls(objects: Mapping[str, str]) -> set[str]:
    found: set[str] = set()
    for key, text in objects.items():
        if key.startswith("url category ") and key != EXEMPTED:
            found.update(json.loads(text).get("urls", []))
    return found


def _require_short(urls: Iterable[str]) -> None:
    for url in urls:
        if len(url) > LONGEST_URL or len(url.partition("/")[0]) > LONGEST_HOST:
            raise AllowlistError(
                f"ZIA takes URLs of {LONGEST_URL} characters and names of {LONGEST_HOST}, and one of these is longer: "
                f"{url[:80]}…"
            )


def _does(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    if row.get("state") != "ENABLED":
        return False
    lists: Dict[str, set[str]] = {field: set(wanted.get(field, [])) for field in ("urlCategories", "destIpGroups")}
    actions = [one.get("action") for one in (row, wanted)]
    kinds = [one.get("type") if isinstance(one, dict) else one for one in actions]
    return kinds[0] == kinds[1] and all(names <= set(row.get(field, [])) for field, names in lists.items())


def _is_below(host: str, trees: set[str]) -> bool:
    labels = host.split(".")
    return any(".".join(labels[start:]) in trees for start in range(len(labels) - 1))
