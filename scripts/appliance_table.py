# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each appliance makes of the document's catalog, and what a run costs there: the tables of guide_appliances.rst.

.venv/bin/python scripts/appliance_table.py            # print them
.venv/bin/python scripts/appliance_table.py --write    # put them into the page

The requests are counted on the emulators, with the login.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils import _api
from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.fortios import FortiosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.nftables import NftablesDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.panos import PanosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.zia import ZiaDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import Run, allowlist_argument_spec
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import Emulator
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator

PAGE = Path(__file__).resolve().parents[1] / "docs" / "docsite" / "rst" / "guide_appliances.rst"
BEGIN, END = "..\n  tables by scripts/appliance_table.py\n", "..\n  end of the tables\n"
KINDS = ("broader", "narrower", "impossible")
TOP = ("security", "decryption", "authentication")


@dataclass(frozen=True)
class Appliance:
    driver: type[Driver]
    options: Mapping[str, Any]
    emulator: type[Emulator] | None = None
    one_change: str = ""  # of a program, which is asked for nothing


APPLIANCES = {
    "Squid": Appliance(SquidDriver, {"executable": "/bin/true"}, one_change="one reload"),
    "nftables": Appliance(NftablesDriver, {"widen": "any"}, one_change="one transaction"),
    "PAN-OS": Appliance(PanosDriver, {
        "username": "egress", "password": "example", "position": dict.fromkeys(TOP, "top"),
    }, PanosEmulator),
    "Zscaler ZIA": Appliance(ZiaDriver, {
        "client_id": "mmd-automation", "client_secret": "s3cret-of-the-client",
        "position": {"ssl": "top", "url": "top"},
    }, ZiaEmulator),
    "FortiOS, feeds": Appliance(FortiosDriver, {
        "access_token": "tokenOfTheApiAdministrator", "webfilter_profiles": ["corporate"],
        "ssl_profiles": ["deep-inspection-own"],
    }, FortiosEmulator),
    "FortiOS, URL filter": Appliance(FortiosDriver, {
        "access_token": "tokenOfTheApiAdministrator", "webfilter_profiles": ["corporate"], "style": "urlfilter",
    }, FortiosEmulator),
}  # fmt: skip


def run(one: Appliance, entries: list[Any], **given: Any) -> dict[str, Any]:
    """One run of the module, without Ansible."""
    spec = dict(allowlist_argument_spec(), **one.driver.argument_spec)
    options: dict[str, Any] = {name: option.get("default") for name, option in spec.items()}
    options.update(one.options, clients=["10.20.0.0/16"], entries=entries, max_shrink=100, **given)
    driver = one.driver(options, lambda _words: (0, "", ""))
    try:
        return Run(driver, options, check_mode=False).answer()
    finally:
        driver.close()


def held(one: Appliance, entries: list[Any]) -> Iterator[str]:
    """How many entries are held exactly, and how many otherwise."""
    where = {"host": "nobody.invalid"} if one.emulator else {}
    told = run(one, entries, state="rendered", **where)["translation"]
    counts = Counter(verdict["verdict"] for verdict in told)
    yield str(len(entries) - len(told))
    yield from (str(counts[kind]) for kind in KINDS)


def calls(one: Appliance) -> Iterator[str]:
    """Requests for nothing, for one name of 600 and for all of them, and how many of those write."""
    if one.emulator is None:
        yield from ("nothing", one.one_change, one.one_change)
        return
    names = [f"host{number}.example.com" for number in range(600)]
    others = [f"host{number}.example.org" for number in range(600)]
    with tempfile.TemporaryDirectory() as folder, one.emulator() as emulator:
        where = {"host": emulator.url}
        if one.driver is ZiaDriver:
            where.update(identity_host=emulator.url, record_dir=folder)
        run(one, names, **where)
        for entries in (names, [*names[:-1], others[0]], [*others]):
            before = len(emulator.seen)
            run(one, entries, **where)
            seen = [one.request for one in emulator.seen[before:]]
            writes = sum(1 for request in seen if emulator.changes(request))
            yield f"{len(seen)}, {writes} of them write" if writes else f"{len(seen)}, all read"


def rows() -> Iterator[tuple[str, ...]]:
    entries = [entry.as_dict() for entry in select([load("mmd")], Request(tenant="contoso")).entries]
    yield ("appliance", "exact", *KINDS, "no change", "one name of 600", "600 names")
    for name, one in APPLIANCES.items():
        yield (name, *held(one, entries), *calls(one))


def tables() -> str:
    """What stands between the two marks of the page."""
    sleep = _api.Clock.sleep
    _api.Clock.sleep = staticmethod(lambda _seconds: None)  # a job of an emulator is done by being asked for
    try:
        lines = [f"   {'* -' if index == 0 else '  -'} {cell}" for row in rows() for index, cell in enumerate(row)]
    finally:
        _api.Clock.sleep = staticmethod(sleep)
    return "\n.. list-table::\n   :header-rows: 1\n\n" + "\n".join(lines) + "\n\n"


def main() -> None:
    if "--write" not in sys.argv:
        print(tables())
        return
    text = PAGE.read_text(encoding="utf-8")
    before, _mark, rest = text.partition(BEGIN)
    _old, _mark, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + tables() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
