# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Known names under a wildcard: real ones, the best first, and never a near miss."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load, witnesses_for
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._witnesses import provable, without_known_name

OWN = """
groups:
  a: {names: ["*.contoso.com", "*.deep.contoso.com", old.deep.contoso.com, live.deep.contoso.com, contoso.com]}
risks:
  - {risk: retired, names: [old.deep.contoso.com], why: Gone}
witnesses:
  "*.contoso.com": {s: [www.contoso.com, x.deep.contoso.com]}
  "*.deep.contoso.com": {s: [written.deep.contoso.com]}
sources: {s: {title: S, url: "https://contoso.com"}}
"""


@pytest.fixture(name="own")
def fixture_own(tmp_path: Path) -> str:
    file = tmp_path / "own.yml"
    file.write_text(OWN, encoding="utf-8")
    return str(file)


def test_the_best_come_first(own: str) -> None:
    assert witnesses_for(["*.deep.contoso.com"], [own]) == {
        "*.deep.contoso.com": [
            "live.deep.contoso.com",  # the catalog's own
            "written.deep.contoso.com",  # written down for this wildcard
            "x.deep.contoso.com",  # written down for another one
            "old.deep.contoso.com",  # retired, so perhaps gone
        ]
    }


def test_a_near_miss_is_no_witness(own: str) -> None:
    assert "contoso.com" not in witnesses_for(["*.contoso.com"], [own])["*.contoso.com"]
    assert witnesses_for(["*.*.contoso.com"], [own])["*.*.contoso.com"][0] == "live.deep.contoso.com"
    assert "www.contoso.com" not in witnesses_for(["*.*.contoso.com"], [own])["*.*.contoso.com"]


def test_a_name_is_its_own_witness(own: str) -> None:
    assert witnesses_for(["Unknown.contoso.com"], [own]) == {"Unknown.contoso.com": ["unknown.contoso.com"]}


def test_none_known_is_an_empty_list(own: str) -> None:
    assert witnesses_for(["*.fabrikam.com"], [own]) == {"*.fabrikam.com": []}


def test_several_catalogs(own: str) -> None:
    found = witnesses_for(["*.contoso.com", "*.update.microsoft.com"], ["mmd", own])
    assert found["*.contoso.com"][0] == "live.deep.contoso.com"
    assert found["*.update.microsoft.com"][0] == "fe2.update.microsoft.com"


def test_what_is_no_pattern_is_refused() -> None:
    with pytest.raises(AllowlistError):
        witnesses_for(["*"])


def test_every_witness_of_the_document_is_under_its_wildcard() -> None:
    entries = select([load("mmd")], Request(tenant="contoso")).entries
    found = witnesses_for([entry.value for entry in entries])
    for value, names in found.items():
        assert [name for name in names if not parse(value).matches(name)] == []
        assert len(names) == len(set(names))
    assert found["*.microsoft.com"][0] == "mmdls.microsoft.com"
    assert found["*cdn.onenote.net"] == ["cdn.onenote.net", "site-cdn.onenote.net"]
    # A wildcard that nobody gives a name for stays without one: names are not invented.
    assert found["*.mesh.com"] == []


def test_how_many_wildcards_of_the_document_are_provable() -> None:
    """A known name that goes is noticed; one that comes raises the number here."""
    assert provable([load("mmd")]) == (50, 86)


def test_the_share_is_of_each_wildcard_once(own: str) -> None:
    assert provable([load(own)]) == (2, 2)
    assert provable([load(own), load(own)]) == (2, 2)
    assert without_known_name([load(own)]) == []


def test_what_is_not_provable_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none.yml"
    file.write_text(
        'groups: {a: {names: ["*.fabrikam.com", a.fabrikam.com, "*.b.contoso.com", "*.a.contoso.com"]}}',
        encoding="utf-8",
    )
    catalog = load(str(file))
    assert (provable([catalog]), without_known_name([catalog])) == ((1, 3), ["*.a.contoso.com", "*.b.contoso.com"])


def test_the_guide_says_the_same() -> None:
    """The guide is read where nothing can be run, so what it says must not fall behind."""
    guide = Path(__file__).resolve().parents[4] / "docs" / "docsite" / "rst" / "guide_catalog.rst"
    text = guide.read_text(encoding="utf-8")
    section = text[text.index("\nWitnesses\n") : text.index("\nA catalog of your own\n")]
    known, total = provable([load("mmd")])
    assert f"{known} of {total}" in section
    assert f"{known * 100 // total} %" in section
    assert sorted(re.findall(r"``(\*\.[^`]+)``", section)) == without_known_name([load("mmd")])


# Accounts, sites and namespaces under these belong to whoever has them: a witness must be Microsoft's own.
OWN_NAMES = {
    "*.azure-automation.net": {"scus-agentservice-prod-1"},
    "*.blob.core.windows.net": {"mlccdn", "onboardingpackagescusprd"},
    "*.files.1drv.com": {"public-sn3302"},
    "*.servicebus.windows.net": {"prodeastusmmrns-1-plck7l3prc43s", "prodwesteuropemmrns-1-il3kcpbupz3gm"},
    "*.sharepoint.com": {"microsoft", "microsoft-my"},
}


@pytest.mark.parametrize("wildcard", OWN_NAMES)
def test_no_strangers_place_is_asked(wildcard: str) -> None:
    names = witnesses_for([wildcard])[wildcard]
    assert {name.removesuffix(wildcard[1:]) for name in names} == OWN_NAMES[wildcard]
