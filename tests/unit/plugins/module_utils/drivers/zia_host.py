# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An organisation on Zscaler ZIA, emulated, for test_contract.py."""

from __future__ import annotations

import contextlib
import json
from typing import Any, Callable, ClassVar, Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.zia import ZiaDriver
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator

from .api_host import ApiHost
from .host import Drifts, Strangers

Row = dict[str, Any]


def _edit(host: ZiaHost, table: str, name: str, edit: Callable[[Row], None]) -> None:
    """A colleague changes a row and activates."""

    def change(config: Any) -> None:
        edit(next(row for row in config.rows(table) if name in (row.get("name"), row.get("configuredName"))))

    host.zia.somebody_edits(change)
    host.zia.somebody_activates()


def _urls(host: ZiaHost, edit: Callable[[list[str]], None]) -> None:
    _edit(host, "urlCategories", "egress_mmd", lambda row: edit(row["urls"]))


def _stranger(host: ZiaHost) -> None:
    row = {"id": "CUSTOM_09", "val": 200, "type": "URL_CATEGORY", "customCategory": True,
           "configuredName": "egress_mmd", "superCategory": "USER_DEFINED", "urls": ["mine.example"]}  # fmt: skip
    host.zia.somebody_edits(lambda config: config.rows("urlCategories").append(row))
    host.zia.somebody_activates()


class ZiaHost(ApiHost):
    driver: ClassVar[type[Driver]] = ZiaDriver
    odd = "autodiscover.contoso.onmicrosoft.com"
    fewest_steps = 4
    secret_options = ("client_secret",)
    rearranged: ClassVar[dict[str, Any]] = {"rank": 7, "clients": ["location:Headquarters"]}
    everyone = ("all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "location:Nowhere", "Desktops", "any", "")
    strange_paths = ("url rule All else", "url category Partner portals", "ssl rule egress_mmdx", "place of x y")
    drifts: ClassVar[Drifts] = {
        "a name added": (lambda host: _urls(host, lambda urls: urls.append("evil.example")),
                         "host evil.example tcp/80,443", ""),
        "a name taken away": (lambda host: _urls(host, lambda urls: urls.remove(".mesh.com")),
                              "", "host *.mesh.com tcp/80,443"),
        "a rule for everyone": (
            lambda host: _edit(host, "urlFilteringRules", "egress_mmd", lambda row: row.pop("sourceIpGroups")), "", ""),
        "a rule switched off": (
            lambda host: _edit(host, "urlFilteringRules", "egress_mmd", lambda row: row.update(state="DISABLED")),
            "", ""),
        "a rule that decrypts": (
            lambda host: _edit(host, "sslInspectionRules", "egress_mmd",
                               lambda row: row.update(action={"type": "DECRYPT"})), "", ""),
        "a condition added": (
            lambda host: _edit(host, "sslInspectionRules", "egress_mmd",
                               lambda row: row.update(platforms=["SCAN_IOS"])), "", ""),
    }  # fmt: skip
    strangers: ClassVar[Strangers] = {"a category": (_stranger, "url category egress_mmd")}

    @property
    def zia(self) -> ZiaEmulator:
        assert isinstance(self.emulator, ZiaEmulator)
        return self.emulator

    def made(self) -> ZiaEmulator:
        return ZiaEmulator()  # an entry of the suite is a network of IPv6

    def usual(self) -> dict[str, Any]:
        given = self.zia.credentials
        own = {
            "host": self.emulator.url, "identity_host": self.emulator.url, "client_id": given.client_id,
            "client_secret": given.client_secret, "record_dir": str(self.folder / "record"),
            "position": {"ssl": "top", "url": "before All else", "firewall": "before Web and names"},
        }  # fmt: skip
        return dict(own, clients=["10.20.0.0/24"])

    def is_write(self, request: Request) -> bool:
        return self.emulator.changes(request)

    def refusal(self, text: str) -> Answer:
        return json_answer({"code": "INVALID_INPUT_ARGUMENT", "message": text}, 400)

    def state(self) -> dict[str, Any]:
        """Whether something that changes nothing waits for an activation makes no difference."""
        found = self.zia.state()
        return {"appliance": {name: found[name] for name in ("saved", "in force")}}

    @property
    def running(self) -> str:
        return json.dumps(self.zia.state()["in force"])

    @contextlib.contextmanager
    def refuses(self) -> Iterator[None]:
        self.emulator.fail(lambda request: "activate" in request.path, json_answer({"code": "NO"}, 400), times=1000)
        yield
        self.emulator.faults.clear()
