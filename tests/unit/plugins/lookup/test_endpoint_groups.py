# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup of groups, and what both lookups promise in their documentation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleLookupError
from ansible_collections.egress.allowlist.plugins.doc_fragments import catalog, selection, web_service
from ansible_collections.egress.allowlist.plugins.lookup import endpoint_groups, endpoints

Run = Callable[..., list[Any]]


def test_all_groups(run_lookup: Run) -> None:
    groups = run_lookup("endpoint_groups")
    assert len(groups) == 19
    assert sum(group["enumerated"] for group in groups) == 16
    assert json.loads(json.dumps(groups)) == groups


def test_one_group(run_lookup: Run) -> None:
    (group,) = run_lookup("endpoint_groups", "managed_desktop")
    assert (group["count"], group["critical"], group["required"], group["tables"]) == (3, True, True, [1])


def test_an_unknown_group(run_lookup: Run) -> None:
    with pytest.raises(AnsibleLookupError, match=r"did you mean intune\?"):
        run_lookup("endpoint_groups", "intun")


def test_what_is_returned_is_what_is_documented(run_lookup: Run) -> None:
    for name, module, options in (
        ("endpoint_groups", endpoint_groups, {}),
        ("endpoints", endpoints, {"tenant": "contoso"}),
    ):
        documented = yaml.safe_load(module.RETURN)["_raw"]["contains"]
        assert {key for element in run_lookup(name, **options) for key in element} == set(documented)
    documented = yaml.safe_load(endpoint_groups.RETURN)["_raw"]["contains"]
    (group,) = run_lookup("endpoint_groups", "power_bi")
    for field in ("corrections", "risks"):
        assert set(group[field][0]) == set(documented[field]["contains"])


def test_the_documented_sample_is_true(run_lookup: Run) -> None:
    contains = yaml.safe_load(endpoint_groups.RETURN)["_raw"]["contains"]
    (group,) = run_lookup("endpoint_groups", "power_bi")
    for field in ("title", "catalogs", "tables", "count", "counts", "not_provable"):
        assert group[field] == contains[field]["sample"]
    (retired,) = [risk for risk in group["risks"] if risk["risk"] == "retired"]
    for field in ("risk", "names", "date", "instead"):
        assert retired[field] == contains["risks"]["contains"][field]["sample"]
    for field in ("text", "used", "doubtful", "what", "certainty"):
        assert group["corrections"][0][field] == contains["corrections"]["contains"][field]["sample"]


def test_each_option_can_come_from_everywhere() -> None:
    fragments = [module.ModuleDocFragment.DOCUMENTATION for module in (catalog, selection, web_service)]
    options = {
        name: option
        for text in (endpoints.DOCUMENTATION, *fragments)
        for name, option in yaml.safe_load(text)["options"].items()
    }
    # An expression belongs to one use, and is nothing to set for a site.
    for name in set(options) - {"_terms", "query"}:
        assert options[name]["env"] == [{"name": f"EGRESS_{name.upper()}"}]
        assert options[name]["ini"] == [{"section": "egress", "key": name}]
        assert options[name]["vars"] == [{"name": f"egress_{name}"}]
