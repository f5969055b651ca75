# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in for Microsoft's web service says what the real one does, driven by nothing but urllib."""

from __future__ import annotations

import csv
import http.client
import io
import socket
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from ansible_collections.egress.allowlist.tests.unit.web_service.asking import GUID, applied, asked, data, whole
from ansible_collections.egress.allowlist.tests.web_service.history import (
    ADDED,
    FIRST,
    LAST,
    MOVED,
    SAME,
    small_history,
)
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

EVERY = "Common,Exchange,SharePoint,Skype,MEM,Copilot"
NO_GUID = (
    "Valid ClientRequestId Guid is required in the query string. Documentation is available at http://aka.ms/ipurlws"
)
NO_TENANT = (
    "Tenant Name, if specified, should be a valid alphanumeric string with up to 27 characters. "
    "Documentation is available at http://aka.ms/ipurlws"
)


@pytest.fixture
def service() -> Iterator[WebService]:
    with WebService(small_history()) as running:
        yield running


def names(service: WebService, path: str, **query: str) -> set[str]:
    return {url for record in data(service, path, **query) for url in record.get("urls", ())}


def areas(service: WebService, **query: str) -> set[str]:
    return {record["serviceArea"] for record in data(service, "/endpoints/worldwide", **query)}


# /version


def test_it_is_at_the_first_version_until_it_is_moved(service: WebService) -> None:
    assert data(service, "/version/worldwide") == {"instance": "Worldwide", "latest": FIRST}
    assert data(service, "/changes/worldwide/0000000000") == []
    service.publish(LAST)
    assert data(service, "/version/worldwide") == {"instance": "Worldwide", "latest": LAST}
    assert {record["version"] for record in data(service, "/changes/worldwide/0000000000")} == {ADDED, MOVED, LAST}


def test_it_begins_where_it_is_told() -> None:
    with WebService(small_history(), version=MOVED) as service:
        assert data(service, "/version/worldwide")["latest"] == MOVED
        assert data(service, "/version/china")["latest"] == FIRST  # its newest that is no newer


def test_one_instance_moves_alone(service: WebService) -> None:
    service.publish(LAST, instance="china")
    assert {one["instance"]: one["latest"] for one in data(service, "/version")} == {
        "Worldwide": FIRST,
        "USGovDoD": FIRST,
        "China": LAST,
    }


@pytest.mark.parametrize(("version", "instance"), [("2024010100", None), (MOVED, "China"), (FIRST, "Germany")])
def test_a_version_that_there_is_not_cannot_be_published(service: WebService, version, instance) -> None:
    with pytest.raises(ValueError, match="there are Worldwide: 2025092900"):
        service.publish(version, instance)


def test_all_versions_are_those_published_the_newest_first(service: WebService) -> None:
    service.publish(MOVED)
    assert data(service, "/version/WORLDWIDE", allversions="TRUE") == {
        "instance": "Worldwide",
        "latest": MOVED,
        "versions": [MOVED, ADDED, FIRST],
    }
    assert "versions" not in data(service, "/version/worldwide", AllVersions="false")


def test_the_instance_may_be_a_parameter(service: WebService) -> None:
    assert data(service, "/version", Instance="usgovdod") == {"instance": "USGovDoD", "latest": FIRST}


def test_the_version_may_be_cached_for_an_hour(service: WebService) -> None:
    headers = asked(service, "/version", ClientRequestId=GUID)[2]
    assert "max-age=3600" in headers["cache-control"]


def test_the_version_as_csv(service: WebService) -> None:
    status, text, headers = asked(service, "/version/worldwide", ClientRequestId=GUID, Format="CSV")
    assert (status, text.splitlines()) == (200, ["instance,latest", f"Worldwide,{FIRST}"])
    assert headers["content-type"].startswith("text/csv")


def test_the_feed_leads_to_the_changes_of_each_version(service: WebService) -> None:
    service.publish(LAST)
    text = asked(service, "/version/worldwide", ClientRequestId=GUID, Format="RSS", AllVersions="true")[1]
    items = {item.findtext("guid"): item for item in ET.fromstring(text.encode()).iter("item")}
    assert list(items) == [LAST, SAME, MOVED, ADDED, FIRST]
    described = items[ADDED].findtext("description")
    assert described == f"Version {ADDED} includes 2 changes. IPs: 2 added and 0 removed. URLs: 1 added and 1 removed."
    link = urlsplit(str(items[ADDED].findtext("link")))
    assert f"{link.scheme}://{link.netloc}" == service.url
    assert {one["version"] for one in data(service, f"{link.path}", singleVersion="")} == {ADDED}


# /endpoints


def test_intune_comes_only_when_asked_for_and_common_always(service: WebService) -> None:
    assert areas(service) == {"Common", "Exchange", "SharePoint", "Skype", "Copilot"}
    assert areas(service, ServiceAreas="exchange") == {"Common", "Exchange"}
    assert areas(service, ServiceAreas=" mem , Skype") == {"Common", "MEM", "Skype"}


def test_the_tenant_is_filled_in_where_the_service_does_so_and_nowhere_else(service: WebService) -> None:
    without = names(service, "/endpoints/worldwide")
    filled = names(service, "/endpoints/worldwide", TenantName="contoso")
    assert without - filled == {
        "*.sharepoint.com",
        "*-files.sharepoint.com",
        "*-my.sharepoint.com",
        "autodiscover.*.onmicrosoft.com",
    }
    assert filled - without == {
        "contoso.sharepoint.com",
        "contoso-files.sharepoint.com",
        "contoso-my.sharepoint.com",
        "autodiscover.contoso.onmicrosoft.com",
    }
    assert {"*.onmicrosoft.com", "*.lync.com", "watson.*.microsoft.com", "*cdn.onenote.net"} <= filled
    assert {"contoso.config.dod.office365.us", "autodiscover.contoso.mail.onmicrosoft.us"} <= names(
        service, "/endpoints/USGOVDoD", TenantName="contoso"
    )


@pytest.mark.parametrize("tenant", ["", "a" * 28, "contoso.onmicrosoft.com", "con-toso", "contoso\n", "ｃｏｎｔｏｓｏ"])
def test_what_is_no_tenant_gets_the_services_own_words(service: WebService, tenant) -> None:
    assert asked(service, "/endpoints/worldwide", ClientRequestId=GUID, TenantName=tenant)[:2] == (400, NO_TENANT)


def test_the_longest_tenant_is_one(service: WebService) -> None:
    assert f"{'a' * 27}.sharepoint.com" in names(service, "/endpoints/worldwide", TenantName="a" * 27)


def test_without_ipv6_nothing_else_is_missing(service: WebService) -> None:
    both, only = (data(service, "/endpoints/worldwide", NoIPv6=word) for word in ("false", "TRUE"))
    for full, less in zip(both, only, strict=True):
        assert less.get("ips", []) == [network for network in full.get("ips", []) if ":" not in network]
        assert ("ips" in less) == bool(less.get("ips"))
        assert {**full, "ips": None} == {**less, "ips": None}
    assert any(":" in network for record in both for network in record.get("ips", ()))


def test_the_list_as_csv_says_the_same(service: WebService) -> None:
    status, text, headers = asked(service, "/endpoints/worldwide", ClientRequestId=GUID, format="csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    records = data(service, "/endpoints/worldwide")
    assert status == 200 and headers["content-type"].startswith("text/csv")
    assert [(row["id"], row["urls"], row["tcpPorts"]) for row in rows] == [
        (str(one["id"]), ",".join(one.get("urls", ())), one.get("tcpPorts", "")) for one in records
    ]


def test_the_history_has_the_oddities_that_clients_must_stand(service: WebService) -> None:
    records = data(service, "/endpoints/worldwide", ServiceAreas=EVERY)
    ports = {one.get(name) for one in records for name in ("tcpPorts", "udpPorts")}
    assert {"143, 587, 993, 995", "443,80", "443, 80", "50000-50059", "3480, 3478, 3479,3481", None} <= ports
    assert any("urls" not in one for one in records) and any("ips" not in one for one in records)
    assert any("tcpPorts" not in one and "udpPorts" not in one for one in records)
    assert any(one.get("notes") == "" for one in records) and any("deliveryRing" in one for one in records)
    categories = [one["category"] for one in records if "outlook.office365.com" in one.get("urls", ())]
    assert categories == ["Optimize", "Allow"]


# /changes


def test_the_changes_since_any_version_lead_to_the_list_of_today(service: WebService) -> None:
    history = small_history()["Worldwide"]
    for latest in (FIRST, ADDED, MOVED, SAME, LAST):
        service.publish(latest)
        today = whole(data(service, "/endpoints/worldwide", ServiceAreas=EVERY))
        for since in (version for version in history if version <= latest):
            service.publish(since)
            before = data(service, "/endpoints/worldwide", ServiceAreas=EVERY)
            service.publish(latest)
            assert applied(before, data(service, f"/changes/worldwide/{since}")) == today


@pytest.mark.parametrize(
    ("set_id", "version", "impact"),
    [
        (2, ADDED, "RemovedIpOrUrl"),
        (56, ADDED, "AddedIpAndUrl"),
        (172, MOVED, "AddedUrl"),
        (31, MOVED, "OtherNonPriorityChanges"),
        (2, LAST, "RemovedDuplicateIpOrUrl"),
        (11, LAST, "MovedIpOrUrl"),
        (12, LAST, "MovedIpOrUrl"),
        (39, LAST, "ChangedIsExpressRoute"),
        (1, LAST, "RemovedIpOrUrl"),
    ],
)
def test_each_change_has_the_services_word_for_its_impact(service: WebService, set_id, version, impact) -> None:
    service.publish(LAST)
    found = data(service, "/changes/Worldwide/0000000000")
    assert [one["impact"] for one in found if (one["endpointSetId"], one["version"]) == (set_id, version)] == [impact]


def test_a_name_that_a_second_set_has_too_is_an_addition(service: WebService) -> None:
    """With it come other ports, so a firewall's owner has something to do."""
    records = small_history()["China"][LAST]
    records[3]["urls"].append("partner.outlook.cn")
    service.save("2026020100", records, "China")
    service.publish("2026020100", "China")
    (change,) = data(service, f"/changes/china/{LAST}")
    assert (change["endpointSetId"], change["impact"], change["add"]["urls"]) == (9, "AddedUrl", ["partner.outlook.cn"])


def test_a_network_that_comes_alone(service: WebService) -> None:
    service.publish(LAST)
    (change,) = data(service, "/changes/China/0000000000")
    assert (change["impact"], change["disposition"]) == ("AddedIp", "Change")
    assert change["add"] == {"effectiveDate": "20260131", "ips": ["42.159.161.192/27"]}


def test_a_field_that_changed_has_its_value_before_and_after(service: WebService) -> None:
    service.publish(MOVED)
    found = {one["endpointSetId"]: one for one in data(service, f"/changes/worldwide/{ADDED}")}
    assert (found[31]["previous"], found[31]["current"]) == ({"tcpPorts": "80,443"}, {"tcpPorts": "443"})
    assert found[97]["current"] == {"required": True} and "notes" in found[97]["previous"]
    assert "previous" not in found[172] and found[172]["disposition"] == "Add"
    assert "current" not in found[26] and found[26]["disposition"] == "Remove"


def test_a_new_version_of_the_same_list_has_no_changes(service: WebService) -> None:
    service.publish(SAME)
    assert data(service, f"/changes/worldwide/{MOVED}") == []


def test_a_record_keeps_its_id(service: WebService) -> None:
    service.publish(MOVED)
    before = data(service, "/changes/worldwide/0000000000")
    service.publish(LAST)
    after = data(service, "/changes/worldwide/0000000000")
    assert after[: len(before)] == before and len({one["id"] for one in after}) == len(after)


def test_dates_can_be_told_and_be_missing() -> None:
    with WebService(small_history(), version=LAST, effective={ADDED: "20251105", MOVED: None}) as service:
        added = {one["version"]: one["add"] for one in data(service, "/changes/worldwide/0000000000") if "add" in one}
    assert added[ADDED]["effectiveDate"] == "20251105"
    assert "effectiveDate" not in added[MOVED]
    assert added[LAST]["effectiveDate"] == "20260131"


def test_what_is_announced_is_in_the_changes_and_not_in_the_list(service: WebService) -> None:
    service.announce(56, urls=["login.microsoft.com"], effective="20251110")
    service.announce(190, ips=["20.20.32.0/19"], version=ADDED, fields={"tcpPorts": "443", "category": "Allow"})
    (change,) = data(service, "/changes/worldwide/0000000000")
    assert change["add"] == {"effectiveDate": "20251110", "urls": ["login.microsoft.com"]}
    assert (change["version"], change["disposition"], change["impact"]) == (FIRST, "Change", "AddedUrl")
    assert "login.microsoft.com" not in names(service, "/endpoints/worldwide")
    service.publish(ADDED)
    later = data(service, f"/changes/worldwide/{FIRST}")
    new = [one for one in later if one["endpointSetId"] == 190]
    assert [(one["disposition"], one["current"]["tcpPorts"]) for one in new] == [("Add", "443")]
    assert len({one["id"] for one in later}) == len(later)


def test_what_was_announced_keeps_its_date_when_it_comes(service: WebService) -> None:
    service.announce(
        56, urls=["login.microsoft.com"], ips=["20.20.32.0/19", "2603:1007:200::/48"], effective="20251110"
    )
    service.publish(ADDED)
    (change,) = (one for one in data(service, f"/changes/worldwide/{FIRST}") if one["endpointSetId"] == 56)
    assert change["add"]["effectiveDate"] == "20251110"


def test_one_more_list_can_be_published(service: WebService) -> None:
    records = small_history()["Worldwide"][LAST]
    service.publish(LAST)
    service.save("2026020100", [record for record in records if record["id"] != 156])
    service.publish("2026020100")
    assert [one["endpointSetId"] for one in data(service, f"/changes/worldwide/{LAST}")] == [156]
    service.save("2026030100", records)
    service.publish("2026030100")
    assert [one["disposition"] for one in data(service, f"/changes/worldwide/{LAST}")] == ["Remove", "Add"]


# Errors


@pytest.mark.parametrize("path", ["/version", "/version/china", "/endpoints/china", "/changes/china/0000000000"])
@pytest.mark.parametrize(
    "guid", [None, "", "42", GUID[1:], f"{GUID}0", GUID.replace("-", ""), f"g{GUID[1:]}", f"{GUID}\n"]
)
def test_no_method_answers_without_a_guid(service: WebService, path, guid) -> None:
    query = {} if guid is None else {"ClientRequestId": guid}
    assert asked(service, path, **query)[:2] == (400, NO_GUID)


def test_names_of_parameters_and_methods_are_taken_in_any_case(service: WebService) -> None:
    assert asked(service, "/Version/WorldWide", clientrequestid=GUID.upper())[0] == 200
    assert asked(service, "/ENDPOINTS/usgovdod", CLIENTREQUESTID=GUID)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/", "/version/mars", "/endpoints/mars", "/endpoints", "/endpoints/usgov_dod", "/endpoints/germany",
        "/changes/mars/0000000000", "/changes/worldwide", "/endpoints/worldwide/1", "/nothing",
    ],
)  # fmt: skip
def test_what_there_is_not_is_not_found(service: WebService, path) -> None:
    assert asked(service, path, ClientRequestId=GUID)[0] == 404


@pytest.mark.parametrize("since", ["202509290", "20250929000", "latest", "2025-09-29", "٢٠٢٥٠٩٢٩٠٠"])
def test_a_version_has_ten_digits(service: WebService, since) -> None:
    status, text, _headers = asked(service, f"/changes/worldwide/{quote(since)}", ClientRequestId=GUID)
    assert status == 400 and "10 digits" in text


def test_a_form_that_there_is_not(service: WebService) -> None:
    assert asked(service, "/endpoints/worldwide", ClientRequestId=GUID, Format="RSS")[0] == 400


# The records of a test, and the wire


def test_every_request_is_kept(service: WebService) -> None:
    data(service, "/version/worldwide")
    data(service, "/endpoints/Worldwide", ServiceAreas="MEM")
    asked(service, "/endpoints/worldwide")
    assert [request.path for request in service.requests] == ["/version/worldwide", "/endpoints/Worldwide"] + [
        "/endpoints/worldwide"
    ]
    assert (service.asked("version"), service.asked("endpoints"), service.asked("changes")) == (1, 2, 0)
    assert service.requests[1].query == {"ClientRequestId": GUID, "ServiceAreas": "MEM"}
    assert service.requests[1].parameter("clientrequestid") == GUID
    assert service.requests[0].headers["user-agent"].startswith("Python-urllib")


def test_a_connection_stays(service: WebService) -> None:
    parts = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    seen = set()
    for method in ("GET", "HEAD", "GET", "POST"):
        connection.request(method, f"/version?ClientRequestId={GUID}", body=b"x" if method == "POST" else None)
        answer = connection.getresponse()
        body = answer.read()
        assert (answer.status, bool(body)) == (405 if method == "POST" else 200, method != "HEAD")
        assert connection.sock is not None
        seen.add(connection.sock.getsockname())
    connection.close()
    assert len(seen) == 1


def test_head_has_no_body(service: WebService) -> None:
    parts = urlsplit(service.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as connection:
        for method in ("HEAD", "GET"):
            wish = f"{method} /version/china?ClientRequestId={GUID} HTTP/1.1\r\nHost: x\r\nConnection: "
            connection.sendall(f"{wish}{'close' if method == 'GET' else 'keep-alive'}\r\n\r\n".encode())
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    body = text.rpartition("\r\n\r\n")[2]
    assert text.count(f"Content-Length: {len(body)}\r\n") == text.count("HTTP/1.1 200") == 2
    assert text.count('"latest"') == 1
