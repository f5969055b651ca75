# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The emulator of ZIA under Zscaler's own client library (PyPI zscaler-sdk-python), which was written without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Client

library = pytest.importorskip("zscaler.oneapi_client")
# The library asks for the time in a way that newer Pythons warn of.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
DESKTOP = Client(address="10.20.0.10")


@pytest.fixture
def emulator() -> Iterator[ZiaEmulator]:
    with ZiaEmulator() as emulator:
        yield emulator


@pytest.fixture
def zia(emulator: ZiaEmulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ZIA_OVERRIDE_URL", emulator.url)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    own = emulator.credentials
    config = {"username": own.username, "password": own.password, "api_key": own.api_key, "cloud": "zscaler"}
    with library.LegacyZIAClient(config) as client:
        yield client.zia


def done(answer: tuple[Any, Any, Any]) -> Any:
    result, _response, error = answer
    assert error is None, error
    return result


def test_a_list_with_its_rules_is_written_activated_read_and_removed(emulator: ZiaEmulator, zia: Any) -> None:
    before = emulator.state()
    category = done(
        zia.url_categories.add_url_category(
            configured_name="egress_mmd", super_category="USER_DEFINED", urls=[".office.example", "login.live.example"]
        )
    )
    desktops = next(one for one in done(zia.cloud_firewall.list_ip_source_groups()) if one.name == "Desktops")
    common: dict[str, Any] = {"order": 1, "rank": 7, "state": "ENABLED", "url_categories": [category.id]}
    allow = done(
        zia.url_filtering.add_rule(
            name="egress_mmd", action="ALLOW", protocols=["ANY_RULE"], source_ip_groups=[desktops.id], **common
        )
    )
    inner = {"bypassOtherPolicies": False, "serverCertificates": "ALLOW", "minTLSVersion": "SERVER_TLS_1_2"}
    untouched = {"type": "DO_NOT_DECRYPT", "doNotDecryptSubActions": inner}
    keep = done(zia.ssl_inspection_rules.add_rule(name="egress_mmd", action=untouched, **common))
    done(zia.authentication_settings.add_urls_to_exempt_list([".office.example"]))

    wanted = "https://www.office.example/"
    assert not emulator.reader().decide(wanted, DESKTOP).allowed, "nothing is in force before the activation"
    assert done(zia.activate.status()).status == "PENDING"
    assert done(zia.activate.activate()).status == "ACTIVE"
    found = emulator.reader().decide(wanted, DESKTOP)
    assert (found.allowed, found.decrypted, found.authenticated) == (True, False, False)
    assert not emulator.reader().decide("https://www.office.example.attacker.example/", DESKTOP).allowed

    read = done(zia.url_categories.get_category(category.id))
    assert sorted(read.urls) == [".office.example", "login.live.example"]
    assert [rule.order for rule in done(zia.url_filtering.list_rules()) if rule.name == "egress_mmd"] == [1]
    assert ".office.example" in done(zia.authentication_settings.get_exempted_urls())

    error = zia.url_categories.delete_category(category.id)[2]
    assert "RESOURCE_IN_USE" in str(error)
    done(zia.url_filtering.delete_rule(allow.id))
    done(zia.ssl_inspection_rules.delete_rule(keep.id))
    done(zia.url_categories.delete_category(category.id))
    done(zia.authentication_settings.delete_urls_from_exempt_list([".office.example"]))
    done(zia.activate.activate())
    assert emulator.state() == before


def test_a_list_is_changed_in_parts_and_as_a_whole(zia: Any) -> None:
    add = zia.url_categories.add_url_category
    category = done(add(configured_name="egress_mmd", super_category="USER_DEFINED", urls=["a.example"]))

    def urls() -> list[str]:
        return sorted(done(zia.url_categories.get_category(category.id)).urls)

    named = {"configured_name": "egress_mmd"}
    done(zia.url_categories.add_urls_to_category(category.id, urls=["b.example", "c.example"], **named))
    assert urls() == ["a.example", "b.example", "c.example"]
    done(zia.url_categories.delete_urls_from_category(category.id, urls=["a.example"], **named))
    assert urls() == ["b.example", "c.example"]
    whole = {"super_category": "USER_DEFINED", "urls": ["d.example"], **named}
    done(zia.url_categories.update_url_category(category.id, **whole))
    assert urls() == ["d.example"]
    error = zia.url_categories.update_url_category(category.id, **{**whole, "urls": ["d.example", "*.bad.example"]})[2]
    assert "INVALID_INPUT_ARGUMENT" in str(error)
    assert urls() == ["d.example"], "one bad URL refuses the whole request"
    assert zia.url_categories.get_quota()["remainingUrlsQuota"] == 25_000 - 5


def test_networks_go_through_the_firewall(emulator: ZiaEmulator, zia: Any) -> None:
    add_group = zia.cloud_firewall.add_ip_destination_group
    group = done(add_group(name="egress_mmd", type="DSTN_IP", addresses=["192.0.2.0/24"]))
    service = done(zia.cloud_firewall.add_network_service(name="egress_mmd", ports=[("dest", "udp", "3478", "3481")]))
    rule: dict[str, Any] = {"name": "egress_mmd", "action": "ALLOW", "order": 1, "rank": 7, "state": "ENABLED"}
    done(zia.cloud_firewall_rules.add_rule(**rule, dest_ip_groups=[group.id], nw_services=[service.id]))
    assert not emulator.reader().passes("192.0.2.9", 3479, "udp", DESKTOP)
    done(zia.activate.activate())
    assert emulator.reader().passes("192.0.2.9", 3479, "udp", DESKTOP)
    assert not emulator.reader().passes("192.0.2.9", 3479, "tcp", DESKTOP)
    assert not emulator.reader().passes("192.0.3.9", 3479, "udp", DESKTOP)
