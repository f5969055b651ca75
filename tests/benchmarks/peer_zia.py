# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user writes with zscaler-sdk-python: a category that gets one URL after the other, a rule, an activation.

What the tenant refuses is passed over, as such scripts do: a handful of the document's names, each time.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")


def main() -> None:
    from zscaler.oneapi_client import LegacyZIAClient  # noqa: PLC0415  (it warns when it is imported)

    task = json.load(sys.stdin)
    os.environ["ZIA_OVERRIDE_URL"] = task["url"]
    login = {"username": task["login"][0], "password": task["login"][1], "api_key": task["login"][2]}
    with LegacyZIAClient({**login, "cloud": "zscaler"}) as client:
        zia = client.zia
        urls = [name.replace("*", "") for name in task["names"]]
        category = category_of(zia, urls[0])
        for url in urls:
            if url not in (category.urls or []):
                zia.url_categories.add_urls_to_category(category.id, configured_name="theirs", urls=[url])
        if not any(rule.name == "theirs" for rule in done(zia.url_filtering.list_rules())):
            rule: dict[str, Any] = {"order": 1, "rank": 7, "state": "ENABLED", "url_categories": [category.id]}
            done(zia.url_filtering.add_rule(name="theirs", action="ALLOW", protocols=["ANY_RULE"], **rule))
        done(zia.activate.activate())


def category_of(zia: Any, first: str) -> Any:
    found = [one for one in done(zia.url_categories.list_categories()) if one.configured_name == "theirs"]
    if found:
        return found[0]
    add = zia.url_categories.add_url_category
    return done(add(configured_name="theirs", super_category="USER_DEFINED", urls=[first]))


def done(answer: tuple[Any, Any, Any]) -> Any:
    result, _response, error = answer
    if error is not None:
        raise SystemExit(str(error))
    return result


if __name__ == "__main__":
    main()
