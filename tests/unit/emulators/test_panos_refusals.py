# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the emulator of PAN-OS does not accept, and says as the firewalls of others' reports did."""

from __future__ import annotations

from collections.abc import Iterator

import pan.xapi
import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

from .panos_clients import CATEGORY, IP, RULE, RULES, VSYS, connected, key_of, refused


@pytest.fixture
def firewall() -> Iterator[PanosEmulator]:
    with PanosEmulator() as emulator:
        yield emulator


@pytest.fixture
def api(firewall) -> pan.xapi.PanXapi:
    return connected(firewall, key_of(firewall))


NAMES = [
    ("address", "a" * 64, IP, "can be at most 63 characters, but current length: 64"),
    ("address", "-a", IP, "is invalid"),
    ("address", "a", "<ip-netmask>192.0.2.300</ip-netmask>", "is an invalid ipv4/v6 address"),
    ("address", "a", f"{IP}<fqdn>a.example</fqdn>", "fqdn unexpected here"),
    ("address", "a", "<description>x</description>", "ip-netmask is missing"),
    ("address-group", "g", "<static><member>none</member></static>", "static 'none' is not a valid reference"),
    ("service", "s", "<protocol><tcp><port>80-</port></tcp></protocol>", "is invalid"),
    ("service", "s", "<protocol><tcp><port>70000</port></tcp></protocol>", "is invalid"),
    ("profiles/custom-url-category", "m" * 32, "<type>URL List</type>", "can be at most 31 characters"),
    ("profiles/custom-url-category", "m", "<list><member>x/</member></list>", "has to be type specified"),
    ("profiles/custom-url-category", "m", "<odd/>", "odd unexpected here"),
]
LINES = [
    (["x" * 256], "current length: 256"),
    (["*x.example/"], "a wildcard must be the only character of its token"),
    (["a^.example/"], "a wildcard must be the only character of its token"),
    (["a.example/", "a.example/"], "is a duplicate node"),
]


@pytest.mark.parametrize(("table", "name", "inner", "told"), NAMES)
def test_what_is_not_valid_is_refused_and_not_there(firewall, api, table, name, inner, told) -> None:
    state = firewall.state()
    assert told in refused(api.set, f"{VSYS}/{table}/entry[@name='{name}']", inner)
    assert api.status_code == "12"
    assert {**firewall.state(), "candidate": ""} == {**state, "candidate": ""}
    api.get(f"{VSYS}/{table}/entry[@name='{name}']")
    assert api.status_code == "7"


@pytest.mark.parametrize(("lines", "told"), LINES)
def test_lines_that_a_url_list_refuses(api, lines, told) -> None:
    inner = "".join(f"<member>{line}</member>" for line in lines)
    entry = f'<entry name="mmd"><list>{inner}</list><type>URL List</type></entry>'
    assert told in refused(api.edit, CATEGORY, entry)
    api.edit(CATEGORY, '<entry name="mmd"><list/><type>URL List</type></entry>')
    if len(set(lines)) == 1 == len(lines):
        assert told in refused(api.set, f"{CATEGORY}/list", inner)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("<member>mmd</member>", "<member>none</member>"), "category 'none' is not a valid reference"),
        (("Desktops", "Nobody"), "source 'Nobody' is not a valid reference"),
        (("service-https", "none"), "service 'none' is not a valid reference"),
        (("<action>allow</action>", "<action>permit</action>"), "action 'permit' is not an allowed keyword"),
        (("<action>allow</action>", ""), "action is missing"),
        (("<from>", "<odd/><from>"), "odd unexpected here"),
        (("<member>Desktops</member>", "<member>any</member><member>Desktops</member>"), "'any' cannot be used"),
        (("<from>", "<profile-setting><group><member>none</member></group></profile-setting><from>"),
         "group 'none' is not a valid reference"),
    ],
)  # fmt: skip
def test_rules_that_are_refused(api, change, told) -> None:
    api.set(CATEGORY, "<list><member>a.example/</member></list><type>URL List</type>")
    good = RULE.format("mmd")
    assert told in refused(api.set, f"{RULES}/entry[@name='r']", good.replace(*change))
    api.set(f"{RULES}/entry[@name='r']", good)
    assert api.status_code == "20"


def test_xpaths_that_do_not_exist(api) -> None:
    assert "vsys7" in refused(api.set, f"{VSYS.replace('vsys1', 'vsys7')}/address/entry[@name='a']", IP)
    refused(api.set, f"{VSYS}/adress/entry[@name='a']", IP)
    assert api.status_code == "6"
    refused(api.set, f"{VSYS}/address/entry[@name='a", IP)
    assert api.status_code == "17"
