# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PAN-OS firewall, emulated, for test_contract.py."""

from __future__ import annotations

import contextlib
from typing import Any, ClassVar, Iterator
from xml.etree.ElementTree import fromstring, tostring

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.panos import PanosDriver
from ansible_collections.egress.allowlist.tests.emulators.panos.answers import response
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request

from .api_host import ApiHost
from .host import Drifts, Strangers

VSYS = "/config/devices/entry[@name='localhost.localdomain']/vsys/entry[@name='vsys1']"
CATEGORY = f"{VSYS}/profiles/custom-url-category/entry[@name='egress_mmd']"
SECURITY = f"{VSYS}/rulebase/security/rules/entry[@name='egress_mmd']"


def _by_hand(host: PanosHost, action: str, xpath: str, element: str = "", **where: str) -> None:
    """Somebody changes it and commits."""
    host.panos.by_hand("bob", action, xpath, element, **where)
    host.panos.configuration.commit("bob")


def _ordered(text: str) -> str:
    root = fromstring(text)
    for rules in root.iter("rules"):
        places = [index for index, rule in enumerate(rules) if (rule.get("name") or "").startswith("egress_mmd")]
        if places == list(range(places[0], places[-1] + 1)) if places else False:
            ours = sorted((rules[index] for index in places), key=lambda rule: rule.get("name") or "")
            for index, rule in zip(places, ours, strict=True):
                rules[index] = rule
    return tostring(root, encoding="unicode")


class PanosHost(ApiHost):
    driver: ClassVar[type[Driver]] = PanosDriver
    odd = "autodiscover.*.onmicrosoft.com"
    secret_options = ("password",)
    rearranged: ClassVar[dict[str, Any]] = {"from_zones": ["trust"]}
    everyone = ("all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "nobody'] | //x", "Nobody knows me", "any", "")
    strange_paths = ("security rule Block the rest", "url category egress_other", "address egress_mmdx", "place of x y")
    drifts: ClassVar[Drifts] = {
        "a name added": (lambda host: _by_hand(host, "set", f"{CATEGORY}/list", "<member>evil.example/</member>"),
                         "host evil.example tcp/80,443", ""),
        "a name without its slash": (
            lambda host: _by_hand(host, "set", f"{CATEGORY}/list", "<member>evil.example</member>"),
            "unknown evil.example", ""),
        "a name taken away": (lambda host: _by_hand(host, "delete", f"{CATEGORY}/list/member"),
                              "", "host *.mesh.com tcp/80,443"),
        "the clients of a rule": (lambda host: _by_hand(host, "edit", f"{SECURITY}/source",
                                                        "<source><member>any</member></source>"), "", ""),
        "a rule switched off": (lambda host: _by_hand(host, "set", SECURITY, "<disabled>yes</disabled>"), "", ""),
        "a rule moved below": (lambda host: _by_hand(host, "move", SECURITY, where="bottom"), "", ""),
        "a rule deleted": (lambda host: _by_hand(host, "delete", SECURITY), "", ""),
        "a change that nobody has committed": (
            lambda host: host.panos.by_hand("bob", "set", f"{CATEGORY}/list", "<member>evil.example/</member>"),
            "host evil.example tcp/80,443", ""),
    }  # fmt: skip
    strangers: ClassVar[Strangers] = {
        "a category": (
            lambda host: _by_hand(host, "set", CATEGORY.rpartition("/")[0], '<entry name="egress_mmd"><list><member>'
                                  "mine.example/</member></list><type>URL List</type></entry>"),
            "url category egress_mmd"),
    }  # fmt: skip

    @property
    def panos(self) -> PanosEmulator:
        assert isinstance(self.emulator, PanosEmulator)
        return self.emulator

    def made(self) -> PanosEmulator:
        return PanosEmulator()

    def usual(self) -> dict[str, Any]:
        position = {"security": "before Block the rest", "decryption": "top", "authentication": "top"}
        own = {"host": self.emulator.url, "username": "egress", "password": "example", "position": position}
        return dict(own, clients=["10.20.0.0/24"])

    def is_write(self, request: Request) -> bool:
        return request.form.get("action") == "multi-config"

    def refusal(self, text: str) -> Answer:
        return response(f"<msg><line>{text}</line></msg>", "error", "12")

    def state(self) -> dict[str, Any]:
        """In which order our own rules stand side by side makes no difference."""
        found = self.panos.state()
        return {"appliance": {**found, **{name: _ordered(found[name]) for name in ("candidate", "running")}}}

    @property
    def running(self) -> str:
        return str(self.panos.state()["running"])

    @contextlib.contextmanager
    def refuses(self) -> Iterator[None]:
        self.panos.commit_fails = "the dataplane did not take it"
        yield
        self.panos.commit_fails = ""


class PanoramaHost(PanosHost):
    def made(self) -> PanosEmulator:
        return PanosEmulator(panorama=True)

    def usual(self) -> dict[str, Any]:
        return dict(super().usual(), device_group="Branches")
