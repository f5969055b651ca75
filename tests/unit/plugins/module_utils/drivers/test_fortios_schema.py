# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module sends, held against Fortinet's own schema of FortiOS 6.4.14."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.egress.allowlist.tests.emulators.server import Request
from ansible_collections.egress.allowlist.tests.unit.emulators.fortios_schema import body_of, wrong

from .fortios_host import FortiosHost

# What later versions have, and this one had not: feeds that are filled by the API, and destinations of logins.
LATER = {("system/external-resource", "update-method"), ("authentication/rule", "dstaddr")}


@pytest.fixture
def host(fortigate: Callable[..., FortiosHost]) -> FortiosHost:
    return fortigate()


def _schema(request: Request) -> tuple[str, dict[str, Any]]:
    table = "/".join(request.path.split("/")[4:6])
    return table, body_of(table, request.method.lower())


def _sent(host: FortiosHost) -> list[Request]:
    return [one for one in host.requests if one.path.startswith("/api/v2/cmdb/") and one.method in ("POST", "PUT")]


def _complaints(requests: list[Request]) -> list[str]:
    found = []
    for request in requests:
        if request.query.get("action") == "move":
            continue
        table, schema = _schema(request)
        body = {name: one for name, one in request.json.items() if (table, name) not in LATER}
        found += list(wrong(body, schema, table))
    return found


ENTRIES = ["login.live.com", "*.mesh.com", "*cdn.onenote.net", "198.51.100.0/24", "2001:db8::/32"]
EXACT = {"style": "urlfilter", "proxy_policy": False, "ssl_profiles": [], "webfilter_profiles": ["default"]}


@pytest.mark.parametrize("options", [{}, EXACT])
def test_each_request_is_of_the_vendors_schema(host, options) -> None:
    clients = ["Clients", "10.20.0.0/24", "2001:db8:1::/64"]
    host.run(*ENTRIES, default_ports=["tcp/443", "udp/3478-3481"], clients=clients, **options)
    for row in host.fortios.store.tables["firewall/policy"]:
        if "egress_" in row.get("name", ""):
            row.update({"groups": [{"name": "Staff"}], "utm-status": "enable"})
    host.run("login.live.com", "203.0.113.0/24", default_ports=["tcp/443"], clients=["any"], max_shrink=100, **options)
    sent = _sent(host)
    assert len({request.path.split("/")[5] for request in sent}) >= (6 if options else 9)
    assert {request.method for request in sent} == {"POST", "PUT"}
    assert not _complaints(sent)


def test_the_schema_is_looked_at(host) -> None:
    host.run("login.live.com", "198.51.100.0/24", default_ports=["tcp/443"])
    request = next(one for one in _sent(host) if one.path.endswith("/policy") and one.method == "POST")
    spoilt_by = {"action": "allow", "srcaddr": ["all"], "comments": "x" * 1024, "policyid": -1, "a": 1}
    for name, value in spoilt_by.items():
        body = json.dumps({**request.json, name: value}).encode()
        spoilt = Request(request.method, request.path, request.query, request.headers, body)
        assert len(_complaints([spoilt])) == 1, name
