# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URL categories: the list that rules refer to."""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.zia.refusals import (
    bad_body,
    bad_input,
    duplicate,
    in_use,
    limit_reached,
    not_found,
)
from ansible_collections.egress.allowlist.tests.emulators.zia.rows import users_of
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import CUSTOM_VALUE, Row, Tenant
from ansible_collections.egress.allowlist.tests.emulators.zia.urls import what_is_wrong

TABLE = "urlCategories"
MOST_CATEGORIES = 64
MOST_URLS = 25_000
MOST_RANGES = 2_000
LONGEST_DESCRIPTION = 256
NAME = re.compile(r"[A-Za-z0-9_.() -]{1,255}")
LISTS = (
    "urls", "dbCategorizedUrls", "keywords", "keywordsRetainingParentCategory", "ipRanges",
    "ipRangesRetainingParentCategory", "regexPatterns", "regexPatternsRetainingParentCategory",
)  # fmt: skip
TEXTS = ("id", "configuredName", "superCategory", "description", "type", "categoryGroup", "urlType")
OTHERS = (
    "customCategory", "editable", "scopes", "val", "customUrlsCount", "urlsRetainingParentCategoryCount",
    "customIpRangesCount", "ipRangesRetainingParentCategoryCount", "urlKeywordCounts",
)  # fmt: skip


class Categories:
    """*most_urls*: the quota of the organisation. *ip_ranges*: whether it may put networks into categories."""

    def __init__(self, tenant: Tenant, shuffle: random.Random, most_urls: int, ip_ranges: bool) -> None:
        self.tenant, self.shuffle, self.most_urls, self.ip_ranges = tenant, shuffle, most_urls, ip_ranges

    @property
    def rows(self) -> list[Row]:
        return self.tenant.saved.rows(TABLE)

    # What is asked

    def all(self, query: Mapping[str, str]) -> list[Row]:
        custom_only = query.get("customOnly", "").lower() == "true"
        counts_only = query.get("includeOnlyUrlKeywordCounts", "").lower() == "true"
        kind = query.get("type", "URL_CATEGORY")
        rows = [row for row in self.rows if row["customCategory"] or not custom_only]
        rows = [row for row in rows if kind in ("ALL", row["type"])]
        return [self.shown(row, counts_only) for row in rows]

    def lite(self) -> list[Row]:
        """"a list of URL category IDs and names"; the keys are unverified."""
        return [{name: row[name] for name in ("id", "configuredName") if name in row} for row in self.rows]

    def one(self, wanted: str) -> Row:
        row = self.tenant.saved.by_id(TABLE, wanted)
        if row is None:
            raise not_found(f"URL category {wanted}")
        return row

    def quota(self) -> Row:
        used = len(self._urls(self.rows))
        return {"uniqueUrlsProvisioned": used, "remainingUrlsQuota": self.most_urls - used}

    # What is written

    def add(self, body: Any) -> Row:
        given = self._checked(body, None)
        if not given.get("superCategory"):
            raise bad_input("superCategory cannot be null")  # unverified words
        if sum(row["customCategory"] for row in self.rows) >= MOST_CATEGORIES:
            raise limit_reached(f"Maximum {MOST_CATEGORIES} custom categories are allowed. Limit has exceeded.")
        number = self.tenant.new_category_number()
        row = {**given, "id": f"CUSTOM_{number:02}", "val": number + CUSTOM_VALUE, "customCategory": True}
        self.rows.append(row)
        return self.shown(row)

    def replace(self, wanted: str, body: Any) -> Row:
        """The whole category: what is not given is gone, the parent too (recorded)."""
        row = self.one(wanted)
        return self._put(row, self._checked(body, row))

    def change(self, wanted: str, body: Any, action: str) -> Row:
        """ADD_TO_LIST and REMOVE_FROM_LIST."""
        row = self.one(wanted)
        if action not in ("ADD_TO_LIST", "REMOVE_FROM_LIST"):
            raise bad_input(f"Invalid action {action}")  # unverified words
        given = self._checked(body, row)
        new = dict(row)
        for name in LISTS:
            here, asked = row.get(name, []), given.get(name, [])
            if action == "ADD_TO_LIST":
                new[name] = here + [item for item in asked if item not in here]
            else:
                new[name] = [item for item in here if item not in asked]
        self._check_limits(new, row)
        return self._put(row, new)

    def remove(self, wanted: str) -> None:
        row = self.one(wanted)
        if not row["customCategory"]:
            raise bad_input(f"{wanted} cannot be deleted")  # unverified words
        users = users_of(self.tenant.saved, TABLE, row["id"])
        if users:
            raise in_use(users)
        self.rows.remove(row)

    def _put(self, row: Row, new: Row) -> Row:
        kept = {name: row[name] for name in ("id", "val", "customCategory", "type")}
        index = self.rows.index(row)
        self.rows[index] = {**new, **kept}
        return self.shown(self.rows[index])

    # How a category is given back

    def shown(self, row: Row, counts_only: bool = False) -> Row:
        """urls and dbCategorizedUrls are always there, the other lists only with something in them (recorded)."""
        answer = {name: value for name, value in row.items() if value not in ([], "", None)}
        answer.setdefault("urls", [])
        answer.setdefault("dbCategorizedUrls", [])
        if "keywords" in answer:
            answer.setdefault("keywordsRetainingParentCategory", [])
        for name in LISTS:
            if name in answer:
                answer[name] = self.shuffle.sample(answer[name], len(answer[name]))
        answer |= {"editable": True, "categoryGroup": "REGULAR", **self._counts(row)}
        answer.setdefault("urlType", "EXACT")
        if counts_only:
            answer = {name: value for name, value in answer.items() if name not in LISTS}
            answer["urlKeywordCounts"] = {"totalUrlCount": len(row.get("urls", []))}
        return answer

    def _counts(self, row: Row) -> Row:
        return {
            "customUrlsCount": len(row.get("urls", [])),
            "urlsRetainingParentCategoryCount": len(row.get("dbCategorizedUrls", [])),
            "customIpRangesCount": len(row.get("ipRanges", [])),
            "ipRangesRetainingParentCategoryCount": len(row.get("ipRangesRetainingParentCategory", [])),
        }

    # What a body must be

    def _checked(self, body: Any, old: Row | None) -> Row:
        if not isinstance(body, dict) or set(body) - {*LISTS, *TEXTS, *OTHERS}:
            raise bad_body()
        for name in {*LISTS, *TEXTS} & set(body):
            _check_type(name, body[name])
        given = {name: body[name] for name in (*LISTS, *TEXTS, "scopes") if body.get(name) not in (None, "")}
        self._check_texts(str(given.get("configuredName", "")), str(given.get("description", "")), old)
        given = {"type": "URL_CATEGORY", **{n: list(dict.fromkeys(v)) if n in LISTS else v for n, v in given.items()}}
        self._check_urls(given)
        self._check_limits(given, old)
        return given

    def _check_texts(self, name: str, description: str, old: Row | None) -> None:
        if old is not None and not old["customCategory"]:
            return
        if not NAME.fullmatch(name):
            raise bad_input("Category name is missing or has characters that are not allowed")  # unverified words
        if len(description) > LONGEST_DESCRIPTION:
            raise bad_input("Description is too long")  # unverified words
        if any(row.get("configuredName") == name and row is not old for row in self.rows):
            raise duplicate()

    def _check_urls(self, given: Row) -> None:
        """"if a single URL uses an invalid format, the request is rejected"."""
        for url in [*given.get("urls", []), *given.get("dbCategorizedUrls", [])]:
            wrong = what_is_wrong(url)
            if wrong and given["type"] == "URL_CATEGORY":
                raise bad_input(f"Invalid URL {url}: {wrong}")  # unverified words
        for network in [*given.get("ipRanges", []), *given.get("ipRangesRetainingParentCategory", [])]:
            if not self.ip_ranges or not _is_network(network):
                raise bad_input(f"Invalid IP range {network}")  # unverified words

    def _check_limits(self, given: Row, old: Row | None) -> None:
        if not any(given.get(name) for name in LISTS):
            raise bad_input("At least 1 URL or keyword should be entered")
        others = [row for row in self.rows if row is not old]
        if len(self._urls([*others, given])) > self.most_urls:
            raise limit_reached(f"Maximum {self.most_urls} URLs are allowed. Limit has exceeded.")
        if sum(len(row.get("ipRanges", [])) for row in [*others, given]) > MOST_RANGES:
            raise limit_reached(f"Maximum {MOST_RANGES} IP ranges are allowed. Limit has exceeded.")

    def _urls(self, rows: list[Row]) -> set[str]:
        return {url for row in rows for name in ("urls", "dbCategorizedUrls") for url in row.get(name, [])}


def _check_type(name: str, value: Any) -> None:
    """null stands for "not given"."""
    texts = [value] if name in TEXTS else value
    if value is not None and not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise bad_body()


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
