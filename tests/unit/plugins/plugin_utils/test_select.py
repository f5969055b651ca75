# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the catalogs is chosen, what is left out, and what the user is told about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, load, load_all
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, Selection, select

OWN = """
catalog: {id: own}
groups:
  mail:
    names: [mx.contoso.com, "*.mail.contoso.com", shared.contoso.com]
  web:
    names: ["*.web.contoso.com", shared.contoso.com, old.contoso.com]
  sites:
    names: ["<tenant>.contoso.net", "<tenant>-my.contoso.net", fixed.contoso.net]
  networks:
    names:
      - {value: 198.51.100.0/24, ports: [tcp/443]}
      - {value: "2001:db8::/32", ports: [tcp/443]}
  later:
    title: Later Product
    enumerated: false
    links: [{title: Its page, url: "https://contoso.com/later"}]
risks:
  - {risk: retired, names: [old.contoso.com], why: Gone}
  - {risk: third_party, names: [mx.contoso.com], why: Another company, required: false}
"""


@pytest.fixture(name="own")
def fixture_own(tmp_path: Path) -> Catalog:
    (tmp_path / "own.yml").write_text(OWN, encoding="utf-8")
    return load(str(tmp_path / "own.yml"))


def chosen(own: Catalog, *groups: str, **options: object) -> Selection:
    return select([own], Request(groups=groups, **{"tenant_missing": "skip", **options}))  # type: ignore[arg-type]


def values(own: Catalog, *groups: str, **options: object) -> list[str]:
    return [entry.value for entry in chosen(own, *groups, **options).entries]


def refusal(own: Catalog, *groups: str, **options: object) -> str:
    with pytest.raises(AllowlistError) as caught:
        chosen(own, *groups, **options)
    return str(caught.value)


def test_no_groups_is_all_groups(own: Catalog) -> None:
    assert set(values(own)) == {value for id_ in own.groups if id_ != "later" for value in values(own, id_)}


def test_what_two_groups_need_is_one_entry_with_both(own: Catalog) -> None:
    (shared,) = [entry for entry in chosen(own, "mail", "web").entries if entry.value == "shared.contoso.com"]
    assert shared.groups == ("mail", "web")


def test_a_group_taken_away_leaves_what_another_needs(own: Catalog) -> None:
    assert values(own, "mail", "web", exclude=["web"]) == values(own, "mail")
    assert values(own, exclude=["web", "sites", "networks"]) == values(own, "mail")


def test_an_excluded_name_goes_whoever_needs_it(own: Catalog) -> None:
    assert "shared.contoso.com" not in values(own, exclude=["shared.contoso.com"])


def test_an_excluded_wildcard_takes_what_is_under_it(own: Catalog) -> None:
    selection = chosen(own, "mail", exclude=["*.contoso.com"])
    assert (selection.entries, selection.warnings) == ([], [])


def test_excluded_networks(own: Catalog) -> None:
    assert values(own, "networks", exclude=["198.51.0.0/16"]) == ["2001:db8::/32"]
    selection = chosen(own, "networks", exclude=["198.51.100.128/25"])
    assert selection.warnings == [
        "exclude: 198.51.100.128/25 is still allowed by 198.51.100.0/24 (networks); exclude that too, or not at all"
    ]


def test_an_excluded_path_takes_that_path_only(own: Catalog) -> None:
    include = [{"value": "a.fabrikam.com", "path": "/a"}, {"value": "a.fabrikam.com", "path": "/b"}, "b.fabrikam.com"]
    request = {"include": include, "exclude": ["mail", {"value": "*.fabrikam.com", "path": "/a"}]}
    left = chosen(own, "mail", **request)
    assert [(entry.value, entry.path) for entry in left.entries] == [("a.fabrikam.com", "/b"), ("b.fabrikam.com", None)]
    assert chosen(own, "mail", include=include, exclude=["mail", "*.fabrikam.com"]).entries == []


def test_exclude_wins_over_include(own: Catalog) -> None:
    assert values(own, "mail", include=["a.contoso.com"], exclude=["a.contoso.com", "mail"]) == []


def test_an_exclusion_inside_a_wildcard_that_stays_is_told(own: Catalog) -> None:
    selection = chosen(own, "mail", "web", exclude=["a.mail.contoso.com"])
    assert selection.warnings == [
        "exclude: a.mail.contoso.com is still allowed by *.mail.contoso.com (mail); exclude that too, or not at all"
    ]


def test_an_exclusion_that_another_wildcard_undoes_in_part_is_told(own: Catalog) -> None:
    selection = chosen(own, "web", include=["*-cdn.web.contoso.com"], exclude=["*.web.contoso.com", "a*.contoso.com"])
    assert selection.warnings == ["exclude: a*.contoso.com takes nothing away, no name of the catalogs is under it"]
    selection = chosen(own, "web", exclude=["*a.web.contoso.com"])
    assert "is still allowed by *.web.contoso.com (web)" in selection.warnings[0]
    selection = chosen(own, include=["*b.sub.contoso.com"], exclude=["a*.sub.contoso.com"])
    assert "is still in part allowed by *b.sub.contoso.com (include)" in selection.warnings[0]


def test_an_exclusion_of_nothing_is_told(own: Catalog) -> None:
    assert chosen(own, exclude=["mx.contso.com"]).warnings == [
        "exclude: mx.contso.com takes nothing away, no name of the catalogs is under it"
    ]


def test_an_exclusion_that_concerns_another_group_is_no_news(own: Catalog) -> None:
    """The same exclusions may stand in a site's variables for every use."""
    assert chosen(own, "mail", exclude=["old.contoso.com"]).warnings == []


def test_many_entries_in_a_warning_are_cut_short(own: Catalog) -> None:
    include = [f"a{number}*.fabrikam.com" for number in range(8)]
    (warning,) = chosen(own, "mail", include=include, exclude=["*z.fabrikam.com"]).warnings
    assert warning.count("fabrikam.com") == 1 + 5
    assert "and 3 more" in warning


def test_included_names_and_networks(own: Catalog) -> None:
    include = ["*.fabrikam.com", "203.0.113.7", {"value": "a.fabrikam.net", "ports": ["tcp/8443"], "required": False}]
    entries = {entry.value: entry for entry in chosen(own, "mail", include=include).entries}
    assert entries["*.fabrikam.com"].sources == ("include",)
    assert entries["203.0.113.7/32"].type == "network"
    assert (entries["a.fabrikam.net"].ports, entries["a.fabrikam.net"].required) == (("tcp/8443",), False)


def test_an_included_group_is_added(own: Catalog) -> None:
    assert values(own, "mail", include=["web"]) == values(own, "mail", "web")
    assert values(own, include=["web"]) == values(own)


def test_an_included_name_is_required_and_its_risk_is_shown(own: Catalog) -> None:
    (entry,) = chosen(own, "web", include=["mx.contoso.com"], exclude=["*.web.contoso.com", "web"]).entries
    assert (entry.risk, entry.required) == ("third_party", True)
    (entry,) = [entry for entry in chosen(own, "mail").entries if entry.value == "mx.contoso.com"]
    assert (entry.risk, entry.required) == ("third_party", False)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (True, "include[1]: expected a name or a network as text, got the boolean true: quote it"),
        ({"vlaue": "a.contoso.com"}, "include[1]: "),
        ("https://a.contoso.com/", "include[1]: "),
        ("*.co.uk", "include[1]: "),
        ("", "include[1]: "),
    ],
)
def test_an_item_that_is_no_entry(own: Catalog, item: object, expected: str) -> None:
    assert refusal(own, include=["a.contoso.com", item]).startswith(expected)


def test_unknown_groups(own: Catalog) -> None:
    assert refusal(own, "mial").startswith('there is no group "mial" in own (did you mean mail?); all groups: query(')
    assert refusal(own, "Later Product").startswith('there is no group "Later Product" in own (did you mean later?)')
    assert refusal(own, include=["wbe"]).startswith('include: there is no group "wbe" in own (did you mean web?)')
    assert refusal(own, exclude=["quite_another"]).startswith('exclude: there is no group "quite_another" in own; all')


def test_near_groups_by_a_word_of_the_title() -> None:
    with pytest.raises(AllowlistError, match=r"did you mean azure_active_directory\?"):
        select([load("mmd")], Request(groups=["azure_ad"], tenant="contoso"))


def test_a_group_of_links_only_is_refused_with_its_links(own: Catalog) -> None:
    message = refusal(own, "mail", "later")
    assert message.startswith("later: the source document does not list the names of Later Product")
    assert message.endswith("Its page: https://contoso.com/later")
    assert values(own, "mail", exclude=["later"]) == values(own, "mail")


def test_the_tenants_names(own: Catalog) -> None:
    expected = ["contoso.contoso.net", "contoso-my.contoso.net", "fixed.contoso.net"]
    assert values(own, "sites", tenant="Contoso") == expected
    assert {entry.groups for entry in chosen(own, "sites", tenant="contoso").entries} == {("sites",)}


def test_without_the_tenant_both_ways_out_are_told(own: Catalog) -> None:
    message = refusal(own, tenant_missing="error")
    assert message.startswith("the groups sites have names of your tenant")
    assert "option tenant" in message
    assert "tenant_missing=skip" in message
    assert values(own, "sites") == ["fixed.contoso.net"]
    assert values(own, "mail", tenant_missing="error") == values(own, "mail")
    assert refusal(own, "sites", tenant="", tenant_missing="error") == message


@pytest.mark.parametrize("tenant", ["contoso.onmicrosoft.com", "Contoso.sharepoint.com", "contoso-my.sharepoint.com"])
def test_a_domain_for_the_tenant(own: Catalog, tenant: str) -> None:
    assert refusal(own, tenant=tenant) == f'tenant: give "contoso" for "{tenant}"'


@pytest.mark.parametrize("tenant", ["con_toso", "-contoso", "contoso-", "c" * 28, "con toso", "*", "a.b", "contös"])
def test_what_is_no_tenant(own: Catalog, tenant: str) -> None:
    assert refusal(own, tenant=tenant).startswith("tenant: expected the first part of <tenant>.onmicrosoft.com")


@pytest.mark.parametrize("tenant", ["c", "c" * 27, "365contoso", "contoso-north"])
def test_what_is_a_tenant(own: Catalog, tenant: str) -> None:
    assert f"{tenant}.contoso.net" in values(own, "sites", tenant=tenant)


def test_required_only(own: Catalog) -> None:
    assert set(values(own, "mail")) - set(values(own, "mail", required_only=True)) == {"mx.contoso.com"}


def test_without_retired_names(own: Catalog) -> None:
    assert set(values(own)) - set(values(own, retired="exclude")) == {"old.contoso.com"}


def test_without_ipv6(own: Catalog) -> None:
    assert values(own, "networks", ipv6=False) == ["198.51.100.0/24"]


def test_minimized(own: Catalog) -> None:
    include = ["*.contoso.com"]
    assert values(own, "mail", include=include, minimize=True) == ["*.contoso.com"]
    assert len(values(own, "mail", include=include)) == 4


def test_minimizing_the_document_keeps_what_it_lets_through() -> None:
    whole = select([load("mmd")], Request(tenant="contoso")).entries
    least = select([load("mmd")], Request(tenant="contoso", minimize=True)).entries
    assert len(least) < len(whole) / 2
    kept = [entry.pattern for entry in least if entry.path is None]
    assert [
        entry.value
        for entry in whole
        if entry.path is None and not any(pattern.covers(entry.pattern) for pattern in kept)
    ] == []


def test_a_doubtful_name_follows_its_group() -> None:
    def doubtful(*groups: str) -> list[tuple[str, ...]]:
        entries = select([load("mmd")], Request(groups=groups, tenant="contoso", uncertain="include")).entries
        return [entry.groups for entry in entries if entry.value == "*.msecnd.com"]

    assert doubtful() == [("power_bi",)]
    assert doubtful("power_bi") == [("power_bi",)]
    assert doubtful("onenote") == []


def test_two_catalogs_with_the_same_group(own: Catalog, tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("groups: {mail: {names: [mx.contoso.com, mx2.contoso.com]}}", encoding="utf-8")
    both = load_all([own.file, str(tmp_path / "more.yml")])
    entries = {entry.value: entry for entry in select(both, Request(groups=["mail"])).entries}
    assert entries["mx.contoso.com"].sources == ("more", "own")
    assert entries["mx2.contoso.com"].sources == ("more",)
    assert entries["mx2.contoso.com"].groups == ("mail",)


def test_a_risk_holds_for_the_names_of_other_catalogs(tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text('groups: {a: {names: ["*.b.blob.core.windows.net", "*.windows.net"]}}')
    for catalogs in (["mmd", str(tmp_path / "own.yml")], [str(tmp_path / "own.yml"), "mmd"]):
        entries = select(load_all(catalogs), Request(groups=["a"])).entries
        assert [entry.risk for entry in entries] == ["shared_hosting", "shared_hosting"]


def test_the_order_of_groups_makes_no_difference(own: Catalog) -> None:
    assert chosen(own, "web", "mail").entries == chosen(own, "mail", "web", "mail").entries
