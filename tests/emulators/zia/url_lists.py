# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists of URLs that belong to the whole organisation: exempted from authentication, and not scanned."""

from __future__ import annotations

import random
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia.refusals import bad_body, bad_input
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Tenant
from ansible_collections.egress.allowlist.tests.emulators.zia.urls import what_is_wrong


class UrlList:
    """``exemptedUrls`` is changed by additions and removals, ``whitelistUrls`` is replaced as a whole."""

    def __init__(self, name: str, tenant: Tenant, shuffle: random.Random) -> None:
        self.name, self.tenant, self.shuffle = name, tenant, shuffle
        self.field = "urls" if name == "exemptedUrls" else name

    def answer(self, request: Request) -> Answer:
        if request.method == "GET":
            here = self.tenant.saved.urls(self.name)
            return json_answer(self._shown(here) if here else {})  # a list of nothing is not there (recorded)
        if request.method == ("POST" if self.name == "exemptedUrls" else "PUT"):
            return json_answer(self._change(self._given(request), request.query.get("action", "")))
        return Answer(405)

    def _change(self, given: list[str], action: str) -> dict[str, list[str]]:
        """The answer has what was asked, and not what is there now (recorded for additions)."""
        here = self.tenant.saved.urls(self.name)
        if self.name == "whitelistUrls":
            here.clear()
            here.update(given)
        elif action == "ADD_TO_LIST":
            here.update(given)
        elif action == "REMOVE_FROM_LIST":
            here.difference_update(given)
        else:
            raise bad_input(f"Invalid action {action}")  # unverified words
        return self._shown(set(given))

    def _shown(self, urls: set[str]) -> dict[str, list[str]]:
        return {self.field: self.shuffle.sample(sorted(urls), len(urls))}

    def _given(self, request: Request) -> list[str]:
        try:
            body: Any = request.json
        except ValueError:
            raise bad_body() from None
        urls = body.get(self.field) if isinstance(body, dict) and set(body) == {self.field} else None
        if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
            raise bad_body()
        for url in urls:
            if what_is_wrong(url):
                raise bad_input(f"Invalid URL {url}: {what_is_wrong(url)}")  # unverified words
        return urls
