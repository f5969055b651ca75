# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web service's list as a catalog: its groups, what of it is wanted, and what was and what will be."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import for_tenant, rewind
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Served
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import Answer, Change, read_endpoints
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_catalog import Narrowed, area_id, build
from ansible_collections.egress.allowlist.tests.web_service.history import FIRST, small_history

VERSION = "2025120100"
TODAY = dt.date(2025, 12, 10)


def record(number: int, urls: Sequence[str], **fields: Any) -> dict[str, Any]:
    return {
        "id": number, "serviceArea": "Common", "serviceAreaDisplayName": "Common things", "urls": list(urls),
        "tcpPorts": "443", "category": "Default", "required": True, **fields,
    }  # fmt: skip


def listed(*records: dict[str, Any], version: str | None = VERSION) -> Answer:
    return read_endpoints(json.dumps(records), "worldwide", version)


def catalog(
    *records: dict[str, Any],
    changes: Sequence[Change] = (),
    older: Sequence[Answer] = (),
    areas: Sequence[str] = (),
    categories: Sequence[str] = (),
    version: str | None = VERSION,
    date: str | None = None,
) -> Catalog:
    served = Served(listed(*records, version=version), tuple(changes), tuple(older), date, ("told",))
    return build(served, Narrowed(areas, categories), grace=30, today=TODAY)


def entries(one: Catalog, *groups: str, **wanted: Any) -> dict[str, Any]:
    found = select((one,), Request(groups=list(groups), **wanted))
    return {entry.value: entry for entry in found.entries}


def test_a_group_for_each_area_and_each_set() -> None:
    one = build(Served(listed(*small_history()["Worldwide"][FIRST])), Narrowed(), grace=30, today=TODAY)
    assert list(one.groups)[:7] == ["common", "exchange", "sharepoint", "skype", "mem", "copilot", "set_1"]
    assert {group.part_of for group in one.groups.values()} == {
        None, "common", "exchange", "sharepoint", "skype", "mem", "copilot",
    }  # fmt: skip
    assert one.groups["set_163"].part_of == "mem" and one.groups["set_163"].title == "Microsoft Intune, set 163"
    assert (one.version, one.instance) == (VERSION, "worldwide")
    # Every name and network is in its area and in its set, and in the list once.
    for number in (1, 12, 163):
        within = one.groups[f"set_{number}"]
        assert {str(item["value"]) for item in within.items} <= {
            str(item["value"]) for item in one.groups[str(within.part_of)].items
        }


@pytest.mark.parametrize(("area", "id_"), [
    ("MEM", "mem"), ("Copilot Plus", "copilot_plus"), ("a - b_", "a_b"), ("SharePoint", "sharepoint"),
])  # fmt: skip
def test_areas_as_ids(area: str, id_: str) -> None:
    assert area_id(area) == id_
    assert id_ in catalog(record(7, ["a.contoso.com"], serviceArea=area)).groups


def test_a_name_of_several_sets_is_one_entry() -> None:
    one = catalog(
        record(7, ["a.contoso.com"], tcpPorts="443", category="Allow", required=False),
        record(8, ["a.contoso.com"], tcpPorts="8443", category="Optimize", required=False, serviceArea="MEM"),
        record(9, ["a.contoso.com"], tcpPorts="443", required=True),
    )
    (entry,) = entries(one).values()
    assert (entry.ports, entry.category, entry.required) == (("tcp/443", "tcp/8443"), "optimize", True)
    assert entry.groups == ("common", "mem")
    assert entry.sources == tuple(f"microsoft_365 worldwide {VERSION} set {number}" for number in (7, 8, 9))
    (entry,) = entries(one, "set_7").values()
    assert entry.sources == (f"microsoft_365 worldwide {VERSION} set 7",) and entry.ports == ("tcp/443",)


def test_a_set_that_is_left_out_keeps_what_others_need() -> None:
    one = catalog(record(7, ["a.contoso.com", "b.contoso.com"]), record(8, ["b.contoso.com"]))
    assert set(entries(one, exclude=["set_7"])) == {"b.contoso.com"}
    assert set(entries(one, exclude=["set_8"])) == {"a.contoso.com", "b.contoso.com"}
    assert set(entries(one, "set_7", "set_8", exclude=["set_8"])) == {"a.contoso.com", "b.contoso.com"}


AREAS = (
    record(1, ["a.contoso.com"]), record(2, ["b.contoso.com"], serviceArea="Exchange"),
    record(3, ["c.contoso.com"], serviceArea="MEM"), record(4, ["d.contoso.com"], serviceArea="Copilot Plus"),
)  # fmt: skip


@pytest.mark.parametrize(("areas", "expected"), [
    ([], "abcd"), (["Common"], "a"), (["MEM"], "ac"), (["mem", "EXCHANGE"], "abc"), (["copilot_plus"], "ad"),
    (["Copilot Plus"], "ad"), (["Skype"], "a"),
])  # fmt: skip
def test_only_some_areas(areas: list[str], expected: str) -> None:
    """Common always; one that Microsoft has and this list does not is no mistake."""
    assert set(entries(catalog(*AREAS, areas=areas))) == {f"{letter}.contoso.com" for letter in expected}


def test_an_area_that_there_is_not() -> None:
    with pytest.raises(AllowlistError, match=r'service_areas: there is no area "Intune"'):
        catalog(*AREAS, areas=["Intune"])


def test_only_some_categories() -> None:
    """Of a name in two, the stronger one counts: in the weaker it is not found."""
    both = (record(7, ["a.contoso.com", "b.contoso.com"]), record(8, ["a.contoso.com"], category="Optimize"))
    assert set(entries(catalog(*both, categories=["optimize"]))) == {"a.contoso.com"}
    assert set(entries(catalog(*both, categories=["default"]))) == {"b.contoso.com"}
    assert set(entries(catalog(*both, categories=["optimize", "default"]))) == {"a.contoso.com", "b.contoso.com"}
    # The weaker set asks for the name too, and its ports stay.
    (entry,) = entries(catalog(*both, categories=["optimize"])).values()
    assert len(entry.sources) == 2


def test_a_list_without_a_version_has_its_date() -> None:
    one = catalog(record(7, ["a.contoso.com"]), version=None, date="2025-11-30")
    assert entries(one)["a.contoso.com"].sources == ("microsoft_365 worldwide 2025-11-30 set 7",)
    assert "2025-11-30" in one.title and one.warnings == ("told",)


# What was, and what will be


def change(**fields: Any) -> Change:
    return Change(**{"id": 1, "set": 7, "disposition": "change", "version": VERSION, **fields})


def test_what_is_announced_is_there_with_its_date() -> None:
    soon = change(add_urls=("b.contoso.com",), effective=dt.date(2026, 1, 1))
    undated = change(id=2, add_urls=("c.contoso.com",))
    found = entries(catalog(record(7, ["a.contoso.com"]), changes=[soon, undated]))
    assert {value: entry.sources for value, entry in found.items()} == {
        "a.contoso.com": (f"microsoft_365 worldwide {VERSION} set 7",),
        "b.contoso.com": (f"microsoft_365 worldwide {VERSION} set 7, effective 2026-01-01",),
        "c.contoso.com": (f"microsoft_365 worldwide {VERSION} set 7, announced",),
    }
    assert {entry.ports for entry in found.values()} == {("tcp/443",)}


def test_what_is_announced_is_narrowed_too() -> None:
    new = change(
        set=9, disposition="add", add_urls=("b.contoso.com",),
        current={"serviceArea": "MEM", "category": "Allow", "tcpPorts": "443", "required": False},
    )  # fmt: skip
    base = record(7, ["a.contoso.com"])
    assert set(entries(catalog(base, changes=[new], areas=["MEM"]))) == {"a.contoso.com", "b.contoso.com"}
    assert set(entries(catalog(base, changes=[new], areas=["Exchange"]))) == {"a.contoso.com"}
    assert set(entries(catalog(base, changes=[new], categories=["allow"]))) == {"b.contoso.com"}
    assert "set_9" in catalog(base, changes=[new]).groups


def test_what_was_removed_stays_with_its_last_day() -> None:
    before = listed(record(7, ["a.contoso.com", "gone.contoso.com"], tcpPorts="8443"), version="2025110100")
    found = entries(catalog(record(7, ["a.contoso.com"]), older=[before]))
    gone = found["gone.contoso.com"]
    assert gone.sources == (f"microsoft_365 worldwide {VERSION} set 7, removed {VERSION}, kept until 2025-12-31",)
    assert gone.ports == ("tcp/8443",)
    # The name that stays has today's ports.
    assert found["a.contoso.com"].ports == ("tcp/443",)


def test_what_came_back_is_not_of_the_past() -> None:
    lists = [
        listed(record(7, ["a.contoso.com", "b.contoso.com"]), version="2025110100"),
        listed(record(7, ["a.contoso.com"]), version="2025111500"),
    ]
    found = entries(catalog(record(7, ["a.contoso.com", "b.contoso.com"]), older=lists))
    assert found["b.contoso.com"].sources == (f"microsoft_365 worldwide {VERSION} set 7",)


def test_since_when_a_name_is_there() -> None:
    came = change(version="2025110100", add_urls=("a.contoso.com",))
    assert catalog(record(7, ["a.contoso.com"]), changes=[came]).first_seen == {
        ("host", "a.contoso.com"): "2025110100"
    }


@pytest.mark.parametrize(("told", "in_list"), [
    ("*.sharepoint.com", "contoso.sharepoint.com"), ("*-my.sharepoint.com", "contoso-my.sharepoint.com"),
    ("*.config.dod.office365.us", "contoso.config.dod.office365.us"),
    ("autodiscover.*.onmicrosoft.com", "autodiscover.contoso.onmicrosoft.com"),
    ("autodiscover.*.mail.onmicrosoft.us", "autodiscover.contoso.mail.onmicrosoft.us"),
    ("*.onmicrosoft.com", "*.onmicrosoft.com"), ("*.lync.com", "*.lync.com"),
])  # fmt: skip
def test_a_tenants_list_is_not_widened_by_the_records_of_changes(told: str, in_list: str) -> None:
    """The list names the tenant, the records have a wildcard; what is in the list is not announced once more."""
    came = for_tenant(change(add_urls=(told,), effective=dt.date(2026, 1, 1)), "contoso")
    base = record(7, ["a.contoso.com", in_list])
    assert set(entries(catalog(base, changes=[came]))) == {"a.contoso.com", in_list}
    assert rewind(listed(base), [came], "2025110100").sets[0].urls == ("a.contoso.com",)


def test_shared_hosting_is_marked() -> None:
    found = entries(catalog(record(7, ["*.sharepoint.com", "*.blob.core.windows.net", "a.contoso.com"])))
    assert {value: entry.risk for value, entry in found.items()} == {
        "*.sharepoint.com": "shared_hosting", "*.blob.core.windows.net": "shared_hosting", "a.contoso.com": None,
    }  # fmt: skip
