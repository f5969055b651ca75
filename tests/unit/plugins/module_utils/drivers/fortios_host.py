# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A FortiGate, emulated, for test_contract.py."""

from __future__ import annotations

import contextlib
import json
from typing import Any, ClassVar, Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.fortios import FortiosDriver
from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request, json_answer

from .api_host import ApiHost
from .host import Drifts, Strangers


def _feed(host: FortiosHost, added: str = "", removed: str = "") -> None:
    lines = host.fortios.store.feeds["egress_mmd"]
    lines += [added] if added else []
    if removed:
        lines.remove(removed)


def _policy(host: FortiosHost, **fields: Any) -> None:
    host.fortios.by_hand("firewall/proxy-policy", "egress_mmd", **fields)


def _rows(host: FortiosHost) -> None:
    """Somebody takes our row out of the site's profile."""
    profile = next(row for row in host.fortios.store.tables["webfilter/profile"] if row["name"] == "corporate")
    profile["ftgd-wf"]["filters"] = [row for row in profile["ftgd-wf"]["filters"] if row["category"] != 192]


def _move(host: FortiosHost) -> None:
    rows = host.fortios.store.tables["firewall/policy"]
    row = next(row for row in rows if str(row.get("name")).startswith("egress_mmd"))
    rows.remove(row)
    rows.append(row)


class FortiosHost(ApiHost):
    driver: ClassVar[type[Driver]] = FortiosDriver
    odd = "*cdn.onenote.net"
    fewest_steps = 2
    secret_options = ("access_token",)
    rearranged: ClassVar[dict[str, Any]] = {"source_interfaces": ["guest"]}
    everyone = ("all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "Nobody knows me", "a<b", "any", "")
    strange_paths = ("policy Card payments", "external resource threats", "entries of threats", "place of policy x")
    drifts: ClassVar[Drifts] = {
        "a name added": (lambda host: _feed(host, added="evil.example"), "host evil.example tcp/80,443", ""),
        "a name taken away": (lambda host: _feed(host, removed="*.mesh.com"), "", "host *.mesh.com tcp/80,443"),
        "a line that is no entry": (lambda host: _feed(host, added="*.evil.*"), "unknown *.evil.*", ""),
        "a policy for everyone": (lambda host: _policy(host, srcaddr=[{"name": "all"}]), "", ""),
        "a policy that asks for a login": (lambda host: _policy(host, groups=[{"name": "Staff"}]), "", ""),
        "a policy switched off": (lambda host: _policy(host, status="disable"), "", ""),
        "a policy moved below": (_move, "", ""),
        "a row taken out of a profile": (_rows, "", ""),
    }  # fmt: skip
    strangers: ClassVar[Strangers] = {
        "a feed": (
            lambda host: host.fortios.store.write(
                "POST", "system/external-resource", "",
                {"name": "egress_mmd", "type": "category", "category": 200, "update-method": "push"}),
            "external resource egress_mmd"),
    }  # fmt: skip

    @property
    def fortios(self) -> FortiosEmulator:
        assert isinstance(self.emulator, FortiosEmulator)
        return self.emulator

    def made(self) -> FortiosEmulator:
        return FortiosEmulator()

    @property
    def requests(self) -> list[Request]:
        """What was asked, in its order."""
        return [one.request for one in self.emulator.seen]

    def row(self, table: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.fortios.store.tables[table] if one.get("name") == name)
        return found

    def names(self, table: str) -> list[Any]:
        """In their order; a number for a row without a name."""
        return [one.get("name", one.get("policyid")) for one in self.fortios.store.tables[table]]

    def usual(self) -> dict[str, Any]:
        return {
            "host": self.emulator.url, "access_token": self.fortios.token, "clients": ["10.20.0.0/24"],
            "proxy_policy": True, "source_interfaces": ["lan"], "destination_interfaces": ["wan1"],
            "webfilter_profiles": ["corporate"], "ssl_profiles": ["deep-inspection-own"], "widen": "any",
            "position": {"policy": "before Staff to the web", "proxy_policy": "top", "authentication_rule": "top"},
        }  # fmt: skip

    def is_write(self, request: Request) -> bool:
        return self.emulator.changes(request)

    def refusal(self, text: str) -> Answer:
        return json_answer({"status": "error", "http_status": 500, "error": -651, "cli_error": text}, 500)

    def recover(self) -> None:
        """A minute goes by."""
        self.fortios.end_transactions()

    @property
    def running(self) -> str:
        return json.dumps(self.fortios.state())

    @contextlib.contextmanager
    def refuses(self) -> Iterator[None]:
        self.emulator.fail(lambda request: request.path.endswith("/dynamic"), self.refusal("no"), 1)
        yield
        self.emulator.faults.clear()
