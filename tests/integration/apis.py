# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One appliance of each kind that has an API, emulated on this machine, as an inventory has them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import Emulator
from ansible_collections.egress.allowlist.tests.emulators.zia.doors import Credentials
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator

# What an inventory may say about hosts that Ansible cannot be connected to.
UNREACHABLE = {
    "ansible_connection": "ssh", "ansible_port": 9, "ansible_become": True, "ansible_become_user": "nobody-there",
    "ansible_python_interpreter": "/nowhere/python",
}
# What each says to a wrong credential.
REFUSALS = {
    "panos": "does not let us in",
    "zia": "gives the client mmd-automation no token",
    "fortios": "does not let this token in",
}


@dataclass(frozen=True)
class Apis:
    emulators: dict[str, Emulator]
    hosts: dict[str, dict[str, Any]]  # variables of each, for the inventory

    def states(self) -> dict[str, Any]:
        return {name: emulator.state() for name, emulator in self.emulators.items()}


@contextmanager
def started(secret: str, folder: Path) -> Iterator[Apis]:
    """*secret* is the credential of all of them."""
    with ExitStack() as stack:
        emulators: dict[str, Emulator] = {
            "panos": stack.enter_context(PanosEmulator({"egress": secret})),
            "fortios": stack.enter_context(FortiosEmulator(secret)),
            "zia": stack.enter_context(ZiaEmulator(Credentials(client_secret=secret))),
        }
        yield Apis(emulators, {f"{name}1": host(name, one, secret, folder) for name, one in emulators.items()})


def host(name: str, emulator: Emulator, secret: str, folder: Path) -> dict[str, Any]:
    own = OWN[name] | dict.fromkeys(SECRETS[name], secret)
    if name == "zia":  # the cloud, and not an address of the site
        own |= {"host": emulator.url, "identity_host": emulator.url, "record_dir": str(folder / "records")}
    return {**UNREACHABLE, "egress_appliance": name, f"egress_{name}": own, "ansible_host": emulator.url}


SECRETS = {"panos": ["password"], "zia": ["client_secret"], "fortios": ["access_token"]}
OWN: dict[str, dict[str, Any]] = {
    "panos": {
        "username": "egress", "from_zones": ["trust"], "to_zones": ["untrust"],
        "position": {"security": "before Block the rest", "decryption": "top", "authentication": "top"},
    },
    "fortios": {
        "proxy_policy": True, "webfilter_profiles": ["corporate"], "ssl_profiles": ["deep-inspection-own"],
        "position": {"proxy_policy": "top", "authentication_rule": "top"},
    },
    "zia": {
        "client_id": "mmd-automation",
        "position": {"ssl": "before Partners by contract", "url": "before Security blocks", "firewall": "top"},
    },
}


def environment() -> dict[str, str]:
    """Of a control node: a proxy of the machine that runs the tests would be asked for 127.0.0.1."""
    return {**os.environ, "ANSIBLE_NOCOLOR": "1", "NO_PROXY": "*", "no_proxy": "*"}
