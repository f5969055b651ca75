# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of the web service: each oddity of the real ones is stood, each damage is refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._changes import rows
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import (
    Answer,
    read_changes,
    read_endpoints,
    read_versions,
)

SAVED = Path(__file__).resolve().parents[4].parent / "shared" / "data"
SET = {
    "id": 7, "serviceArea": "Common", "serviceAreaDisplayName": "Common things", "urls": ["a.contoso.com"],
    "ips": ["198.51.100.0/24"], "tcpPorts": "443", "expressRoute": False, "category": "Default", "required": True,
}  # fmt: skip


def read(*records: Any) -> Answer:
    return read_endpoints(json.dumps(list(records)), "worldwide", "2025120100")


def changed(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in {**SET, **fields}.items() if value is not ...}


def refused(*records: Any) -> str:
    with pytest.raises(AllowlistError, match="was refused") as error:
        read(*records)
    return str(error.value)


@pytest.mark.parametrize(("tcp", "ports"), [
    ("80,443", ("tcp/80", "tcp/443")), ("443, 80", ("tcp/80", "tcp/443")), (" 443 ,80,", ("tcp/80", "tcp/443")),
    ("143, 587, 993", ("tcp/143", "tcp/587", "tcp/993")), ("3478-3481", ("tcp/3478-3481",)),
    ("3480,3478, 3479,3481", ("tcp/3478-3481",)), (443, ("tcp/443",)),
])  # fmt: skip
def test_ports_as_the_service_writes_them(tcp: Any, ports: tuple[str, ...]) -> None:
    assert read(changed(tcpPorts=tcp)).sets[0].tcp == ports


@pytest.mark.parametrize("blank", [..., None, "", " "])
def test_ports_that_are_missing(blank: Any) -> None:
    one = read(SET, changed(id=8, tcpPorts=blank)).sets[1]
    assert one.tcp == () and one.udp == ()


@pytest.mark.parametrize("ports", [
    "any", "*", "0", "70000", "443-80", "80;443", ["443"], True, {}, "1-65535", "443, 20000-60000", "0-65535", "\u0664",
])  # fmt: skip
def test_ports_that_are_none(ports: Any) -> None:
    assert "tcpPorts" in refused(changed(tcpPorts=ports))


def test_lists_that_are_missing() -> None:
    answer = read(SET, changed(id=8, urls=...), changed(id=9, ips=...), changed(id=10, urls=[], ips=...))
    assert [(len(one.urls), len(one.ips)) for one in answer.sets] == [(1, 1), (0, 1), (1, 0), (0, 0)]
    assert "set 8 has neither" in refused(SET, changed(id=8, urls=..., ips=...))


def test_udp_belongs_to_networks() -> None:
    only_udp = changed(id=9, tcpPorts=..., udpPorts="123", urls=["t.contoso.com"])
    answer = read(SET, changed(id=8, udpPorts="3478"), only_udp)
    found = {(row.set, row.type): row.ports for row in rows(answer)}
    assert found[8, "host"] == ("tcp/443",) and found[8, "network"] == ("tcp/443", "udp/3478")
    # Without any TCP port the name would mean the two of the web, which nobody asked for.
    assert found[9, "host"] == ("udp/123",)


def test_what_nobody_knows_is_used_and_told_once() -> None:
    answer = read(changed(serviceArea="Copilot Plus", moon="full"), changed(id=8, serviceArea="Copilot Plus", moon=""))
    assert [one.area for one in answer.sets] == ["Copilot Plus"] * 2
    assert len(answer.notes) == 2
    assert "moon" in answer.notes[0] and "Copilot Plus" in answer.notes[1]
    assert read(changed(category="Gold")).sets[0].category is None


def test_a_field_whose_name_would_steer_a_terminal() -> None:
    (note,) = read(changed(**{"mo\x1b[2Jon": 1})).notes
    assert note.isprintable()


def test_a_set_that_is_there_twice() -> None:
    answer = read(SET, changed(category="Optimize", urls=["b.contoso.com"]))
    assert [(one.id, one.category, one.urls) for one in answer.sets] == [
        (7, "default", ("a.contoso.com",)), (7, "optimize", ("b.contoso.com",)),
    ]  # fmt: skip


def test_names_become_canonical() -> None:
    names = ["WWW.Contoso.com", "https://b.contoso.com/path", "www.contoso.com", "<tenant>-my.contoso.com"]
    assert read(changed(urls=names)).sets[0].urls == ("www.contoso.com", "b.contoso.com", "<tenant>-my.contoso.com")


@pytest.mark.parametrize("name", [
    "*.com", "*", "*.co.uk", "", "a..contoso.com", "a.contoso.com\nacl x", "a b.contoso.com", "*.<tenant>",
    "a.contoso.com;b", "x" * 64 + ".contoso.com", "ä\u202econtoso.com", "localhost", "intranet", "intranet.",
])  # fmt: skip
def test_names_that_nobody_may_allow(name: str) -> None:
    assert "set 7" in refused(changed(urls=["good.contoso.com", name]))


@pytest.mark.parametrize("network", [
    "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.1.2.3/32", "192.168.1.0/24", "172.16.0.0/12",
    "127.0.0.1", "169.254.0.0/16", "224.0.0.0/8", "255.255.255.255", "fe80::/10", "fd00::/8", "::1", "ff02::1",
    "198.51.100.1/24", "198.51.100.0/33", "www.contoso.com", "",
])  # fmt: skip
def test_networks_that_nobody_may_allow(network: str) -> None:
    assert "set 7" in refused(changed(ips=["198.51.100.0/24", network]))


@pytest.mark.parametrize("field", ["id", "serviceArea", "category", "required"])
def test_a_field_that_got_lost(field: str) -> None:
    assert f"lost the field {field}" in refused(SET, changed(**{field: ...}))


@pytest.mark.parametrize("field", ["urls", "tcpPorts"])
def test_a_field_that_no_set_has_any_more(field: str) -> None:
    assert f"no set has the field {field}" in refused(changed(**{field: ...}))


@pytest.mark.parametrize(("field", "value"), [
    ("id", "7"), ("id", True), ("serviceArea", 5), ("serviceArea", "Common\nx"), ("required", "true"),
    ("urls", "a.b.c"), ("urls", [5]), ("ips", {}), ("category", None),
])  # fmt: skip
def test_a_field_of_another_kind(field: str, value: Any) -> None:
    assert field in refused(changed(**{field: value}))


@pytest.mark.parametrize(("text", "reason"), [
    ("", "empty"), ("  \n", "empty"), ("[]", "empty"), ("{}", "list of endpoint sets"), ("null", "list of endpoint"),
    ("<!DOCTYPE html><html>", "web page"), ("Valid ClientRequestId Guid is required", "Valid ClientRequestId"),
    ('[{"id": 1, "serviceArea"', "cut short"), ("[NaN]", "NaN"), ("[" * 100000, "deep"), ("[5]", "record"),
    ("[[]]", "record"), ("\x00\x01", "text and not JSON"),
])  # fmt: skip
def test_what_is_no_list(text: str, reason: str) -> None:
    with pytest.raises(AllowlistError, match=reason) as error:
        read_endpoints(text, "worldwide", None)
    assert str(error.value).isprintable()


def test_versions() -> None:
    one = json.dumps({"instance": "worldwide", "latest": "2025120100", "versions": ["2025110100", "2025120100", "x"]})
    assert read_versions(one, "worldwide").known == ("2025120100", "2025110100")
    for odd in (None, 5, "2025110100", {"2025110100": 1}, [5, None, ["2025110100"]]):
        text = json.dumps({"instance": "WORLDWIDE", "latest": "2025120100", "versions": odd})
        assert read_versions(text, "worldwide").known == ("2025120100",)
    many = json.dumps([{"instance": "China", "latest": "2025110100"}, {"instance": "USGovDoD", "latest": "2025100100"}])
    assert read_versions(many, "usgov_dod").latest == "2025100100"
    with pytest.raises(AllowlistError, match="no record of Worldwide"):
        read_versions(many, "worldwide")


@pytest.mark.parametrize(("text", "reason"), [
    ('{"instance": "Worldwide"}', "ten digits"), ("[]", "no record"), ("5", "records"),
    ('{"instance": "Worldwide", "latest": "2025023000"}', "ten digits"), ("<html>", "web page"),
])  # fmt: skip
def test_versions_that_are_damaged(text: str, reason: str) -> None:
    with pytest.raises(AllowlistError, match=reason):
        read_versions(text, "worldwide")


CHANGE = {
    "id": 2, "endpointSetId": 7, "disposition": "Change", "version": "2025120100",
    "add": {"effectiveDate": "20260101", "urls": ["B.contoso.com"]}, "remove": {"ips": ["10.0.0.0/8"]},
}  # fmt: skip


def test_changes() -> None:
    first, second = read_changes(json.dumps([CHANGE, {**CHANGE, "id": 1, "disposition": "add", "add": None}]))
    assert (first.id, first.disposition, second.id) == (1, "add", 2)
    assert second.add_urls == ("b.contoso.com",) and str(second.effective) == "2026-01-01"
    assert second.remove_ips == ("10.0.0.0/8",)  # what goes may be anything


def test_what_goes_is_written_as_it_stood_in_the_list() -> None:
    gone = {"urls": ["https://A.contoso.com/x", "*.COM"], "ips": ["2603:1006:0000::/40", "nonsense"]}
    (change,) = read_changes(json.dumps([{**CHANGE, "remove": gone}]))
    assert change.remove_urls == ("a.contoso.com", "*.com") and change.remove_ips == ("2603:1006::/40", "nonsense")


@pytest.mark.parametrize("damage", [
    {"version": "20251201"}, {"version": "2025023000"}, {"disposition": "burn"}, {"add": {"urls": ["*.com"]}},
    {"add": {"effectiveDate": "2026-01-01"}}, {"endpointSetId": None}, {"add": []}, {"add": {"ips": ["0.0.0.0/0"]}},
    {"current": {"tcpPorts": "any"}}, {"previous": {"udpPorts": ["3478"]}}, {"current": {"serviceArea": "\x1b[2J"}},
    {"remove": {"urls": [5]}}, {"current": {"serviceArea": 5}},
])  # fmt: skip
def test_changes_that_are_damaged(damage: dict[str, Any]) -> None:
    """Here, and not later in a list that is put together from them."""
    with pytest.raises(AllowlistError, match="^the answer of /changes was refused: change 2"):
        read_changes(json.dumps([CHANGE, {**CHANGE, **damage}]))


@pytest.mark.skipif(not SAVED.exists(), reason="the saved answers do not lie beside the checkout")
def test_saved_answers_are_read_whole() -> None:
    files = [*SAVED.glob("webservice/*.json"), *SAVED.glob("webservice-history/*.json")]
    assert len(files) == 11
    for file in files:
        saved = json.loads(file.read_text(encoding="utf-8"))
        answer = read_endpoints(file.read_text(encoding="utf-8"), "worldwide", None)
        assert answer.notes == ()
        for record, one in zip(saved, answer.sets, strict=True):
            assert {name.lower() for name in record.get("urls", ())} == set(one.urls)
            assert set(record.get("ips", ())) == set(one.ips)
    samples = SAVED / "webservice-samples"
    assert len(read_changes((samples / "changes.since-2018062700.json").read_text(encoding="utf-8"))) == 2
    versions = (samples / "version.all-instances.json").read_text(encoding="utf-8")
    assert read_versions(versions, "china").latest == "2018063000"
