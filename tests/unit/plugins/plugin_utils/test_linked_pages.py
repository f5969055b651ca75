# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The products that the document only links to, and what came after it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load, load_all
from ansible_collections.egress.allowlist.plugins.plugin_utils._groups import by_id
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select

PAGES = Path(__file__).resolve().parents[4].parent / "shared" / "data" / "docs"
LINKED = load("linked_pages")
AUTOPATCH = load("windows_autopatch")

with_pages = pytest.mark.skipif(not PAGES.exists(), reason="the saved pages do not lie beside the checkout")


def entries(group: str, *catalogs: str) -> dict[str, Entry]:
    chosen = select(load_all(catalogs or ["linked_pages"]), Request(groups=[group], tenant="contoso"))
    return {entry.value: entry for entry in chosen.entries}


@pytest.mark.parametrize(("group", "count"), [
    ("windows_10_enterprise", 46), ("windows_11_enterprise", 103), ("delivery_optimization", 47), ("autopilot", 9),
    ("intune", 69), ("defender_for_endpoint", 22), ("hybrid_identity", 17),
])
def test_how_many(group: str, count: int) -> None:
    assert len(entries(group)) == count


def test_the_links_of_the_document_get_names() -> None:
    """Each group that the document only links to has names once both catalogs are chosen, and none before."""
    for id_, same in by_id(load_all(["mmd", "linked_pages"])).items():
        if not any(group.enumerated for group in same if group.catalog == "mmd") and same[0].catalog == "mmd":
            assert entries(id_, "mmd", "linked_pages")
            with pytest.raises(AllowlistError, match=r"catalog=\[mmd, linked_pages\]"):
                entries(id_, "mmd")


def test_the_document_alone_is_as_it_was() -> None:
    assert len(select(load_all(["mmd"]), Request(tenant="contoso")).entries) == 346


def test_ports_are_those_of_the_pages() -> None:
    assert entries("autopilot")["time.windows.com"].ports == ("udp/123",)
    assert entries("delivery_optimization")["*.download.windowsupdate.com"].ports == ("tcp/80",)
    assert entries("intune")["13.67.13.176/28"].ports == ("tcp/80", "tcp/443")
    assert entries("windows_11_enterprise")["login.live.com"].ports == ()


def test_what_windows_needs_and_what_can_be_turned_off() -> None:
    for group in ("windows_10_enterprise", "windows_11_enterprise"):
        found = entries(group)
        assert found["*.update.microsoft.com"].required and found["ctldl.windowsupdate.com"].required
        assert not found["www.bing.com"].required and not found["arc.msn.com"].required


def test_glued_and_inner_wildcards_stay_what_they_are() -> None:
    found = entries("windows_10_enterprise")
    assert {"*smartscreen.microsoft.com", "watson.*.microsoft.com", "*login.live.com"} <= set(found)
    assert "payloadprod*.blob.core.windows.net" in entries("windows_autopatch", "windows_autopatch")


def test_risks_and_sources() -> None:
    assert entries("hybrid_identity")["*.servicebus.windows.net"].risk == "shared_hosting"
    assert entries("autopilot")["ftpm.amd.com"].risk == "third_party"
    autopatch = entries("windows_autopatch", "windows_autopatch")
    assert autopatch["payloadprod*.blob.core.windows.net"].risk == "shared_hosting"
    assert autopatch["mmdls.microsoft.com"].critical
    both = entries("managed_desktop", "mmd", "windows_autopatch")
    assert both["mmdls.microsoft.com"].sources == ("mmd", "windows_autopatch")
    assert both["support.mmd.microsoft.com"].sources == ("windows_autopatch",)
    assert len(both) == 6


@with_pages
def test_intune_is_the_page() -> None:
    text = (PAGES / "intune-endpoints.2022-08-31.aa9e22b0.md").read_text(encoding="utf-8")
    found = {value for value, entry in entries("intune").items() if entry.type == "network"}
    assert found == set(re.findall(r"\d+\.\d+\.\d+\.\d+/\d+", text))
    for name in entries("intune").keys() - found:
        assert name in text.replace("\\", "")


@with_pages
def test_delivery_optimization_is_the_page() -> None:
    text = (PAGES / "delivery-optimization-endpoints.excerpt.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in text.splitlines() if line.startswith("| *.")]
    expected: dict[str, set[str]] = {}
    for names, protocols in rows[:-1]:  # the last is for the servers of Connected Cache
        for name in names.split(","):
            expected.setdefault(name.strip(), set()).update(f"tcp/{port}" for port in re.findall(r"/ (\d+)", protocols))
    assert {value: set(entry.ports) for value, entry in entries("delivery_optimization").items()} == expected


@with_pages
def test_autopilot_is_the_page() -> None:
    text = (PAGES / "networking-requirements.2022-08-23.d1d17263.md").read_text(encoding="utf-8")
    assert all(name in text for name in entries("autopilot"))
    urls = {re.sub(r"https?://|/.*", "", url) for url in re.findall(r"`(https?://[^`]+)`", text)}
    assert urls <= set(entries("autopilot"))


@with_pages
def test_autopatch_is_the_page() -> None:
    text = (PAGES / "autopatch-network.excerpt.md").read_text(encoding="utf-8")
    newest = text.rpartition("## B")[2]
    assert set(re.findall(r"<li>([^<]+)</li>", newest)) == set(entries("windows_autopatch", "windows_autopatch"))
