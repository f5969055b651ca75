# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One step with one length of list, in a process of its own, so that its memory is its own.

    python tests/benchmarks/growth_steps.py STEP COUNT [FOLDER]

Prints {"parts": seconds by name, "megabytes": what the peak of memory grew by}. The steps `squid`, `networks` and
`names` want a host of the lab, where the program runs.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dns_client import Server, ask_all
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.fortios import FortiosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.nftables import NftablesDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.panos import PanosDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.zia import ZiaDriver
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, minimise, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding, Plan, View, require_no_collapse
from ansible_collections.egress.allowlist.plugins.module_utils._run import Run, allowlist_argument_spec
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._pac_script import Settings, pac_script
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select

Parts = dict[str, float]
MIXTURE = ("h{n}.s{m}.x.com", "*.s{m}.x.com", "*cdn{n}.x.com", "a.*.s{n}.x.com", "*.t{n}.y.net", "p{n}*.y{m}.net")
# Those that each proxy and firewall can hold.
SIMPLE = ("h{n}.s{m}.x.com", "*.t{n}.y.net")
CLIENTS = ["10.20.0.0/24"]
POSITION = {
    "panos": dict.fromkeys(("security", "decryption", "authentication"), "top"), "zia": {"ssl": "top", "url": "top"},
}


def names(count: int, shapes: Sequence[str] = MIXTURE) -> list[str]:
    found = [shapes[number % len(shapes)].format(n=number, m=number // 50) for number in range(count)]
    random.Random(1).shuffle(found)
    return found


def networks(count: int) -> list[str]:
    """Every second network of 256 addresses, so that no two of them are one."""
    return [f"{10 + (number >> 15)}.{number >> 7 & 255}.{number * 2 & 255}.0/24" for number in range(count)]


def took(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def computed(work: Callable[[], object]) -> float:
    """Seconds of one processor, which other programs on the machine do not add to."""
    before = time.process_time()
    work()
    return time.process_time() - before


def options_of(driver: type[Driver], **given: Any) -> dict[str, Any]:
    spec = {**allowlist_argument_spec(), **driver.argument_spec}
    options = {name: one.get("default") for name, one in spec.items()}
    return {**options, "clients": CLIENTS, "max_shrink": 100, "widen": "any", "narrow": "any", **given}


def command(words: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def run(driver: type[Driver], **given: Any) -> dict[str, Any]:
    options = options_of(driver, **given)
    one = driver(options, command)
    try:
        return Run(one, options, check_mode=False).answer()
    finally:
        one.close()


# Without an appliance


def lookup(count: int) -> Parts:
    """What `egress.allowlist.endpoints` does with names of the user's own beside the catalog."""
    own = names(count)
    return {"": computed(lambda: select([load("mmd")], Request(tenant="contoso", include=own)))}


def read(count: int) -> Parts:
    given = [{"value": name, "ports": ["tcp/443"]} for name in names(count)]
    return {"": computed(lambda: normalise(given))}


def cover(count: int) -> Parts:
    entries = normalise(list(names(count)))
    return {"": computed(lambda: minimise(entries))}


def translate(driver: type[Driver], count: int, **given: Any) -> Parts:
    """All that state `rendered` does: entries read, translated, and written as the appliance holds them."""
    wanted = names(count, SIMPLE)
    return {"": computed(lambda: run(driver, state="rendered", entries=wanted, **given))}


def plan(count: int) -> Parts:
    """One list that is to become another one, a name of which differs."""
    old = [_holding(entry) for entry in normalise(list(names(count)))]
    new = [*old[:-1], _holding(normalise(["changed.example.net"])[0])]

    def work() -> None:
        require_no_collapse(old, new, 25)
        before, after = (_view(holdings) for holdings in (old, new))
        told = Plan(before, after, live=True)
        assert told.changed
        assert len(told.added) == 1
        assert told.diff()

    return {"": computed(work)}


def _holding(entry: Entry) -> Holding:
    return Holding(entry, ("allow",))


def _view(holdings: Sequence[Holding]) -> View:
    lines = tuple(sorted(holding.line(("allow",)) for holding in holdings))
    return View(lines, {"list": "\n".join(lines)}, {"list": "\n".join(lines)})


def pac(count: int) -> Parts:
    entries = normalise(list(names(count)))
    return {"": computed(lambda: pac_script(entries, Settings("mmd", "DIRECT", "DIRECT", "DIRECT")))}


# On a host of the lab


def squid(count: int) -> Parts:
    """The driver on the real Squid, and Squid's own part of that, once more without us."""
    wanted = names(count, SIMPLE)
    parts = stepped(SquidDriver, wanted, "changed.example.net", clients=["10.20.0.0/24"])
    run(SquidDriver, entries=wanted)
    parts["squid -k parse"] = took(lambda: command(["squid", "-k", "parse"]))
    parts["take away"] = took(lambda: run(SquidDriver, state="deleted", clients=None))
    return parts


def firewall_networks(count: int) -> Parts:
    return _firewall(networks(count), "203.0.113.0/24")


def firewall_names(count: int) -> Parts:
    wanted = names(count, SIMPLE)
    trees = [name[2:] for name in wanted if name.startswith("*.")]
    asked = {
        "dnsmasq's first answer to a listed name": [f"new{number}.{base}" for number, base in enumerate(trees[:50])],
        "dnsmasq's first answer to another name": [f"new{number}.{count}.example" for number in range(50)],
    }

    def answers() -> Parts:
        return {part: took(partial(_answered, some)) / len(some) / 2 for part, some in asked.items()}

    return _firewall(wanted, "changed.example.net", answers)


def _answered(some: list[str]) -> None:
    """Both addresses of each name, from the resolver of the branch."""
    came = ask_all(Server("127.0.0.1", 53), some, 60)
    assert came == 2 * len(some), f"{came} of {2 * len(some)} answers came"


def _firewall(wanted: list[str], other: str, more: Callable[[], Parts] | None = None) -> Parts:
    given = {"clients": ["10.30.0.0/26"], "default_ports": ["tcp/443"]}
    parts = stepped(NftablesDriver, wanted, other, **given)
    parts.update(more() if more else {"nft -f of the same table": _loaded(wanted, given)})
    parts["take away"] = took(lambda: run(NftablesDriver, **{**given, "state": "deleted", "clients": None}))
    return parts


def _loaded(wanted: list[str], given: dict[str, Any]) -> float:
    """What nft takes for all of it at once."""
    run(NftablesDriver, entries=wanted, **given)
    text = command(["nft", "list", "table", "inet", "egress_mmd"])[1]
    path = "/run/growth.nft"
    with open(path, "w", encoding="utf-8") as file:
        file.write("delete table inet egress_mmd\n" + text)
    seconds = took(lambda: command(["nft", "-f", path]))
    os.unlink(path)
    return seconds


def stepped(driver: type[Driver], wanted: list[str], other: str, **given: Any) -> Parts:
    parts: Parts = {}
    lists = {"first": wanted, "no change": wanted, "one change": [*wanted[:-1], other]}
    for step, entries in lists.items():
        before = time.perf_counter()
        answer = run(driver, entries=entries, **given)
        parts[step] = time.perf_counter() - before
        if answer["changed"] != (step != "no change"):
            raise SystemExit(f"{step}: changed={answer['changed']}")
    return parts


STEPS: dict[str, Callable[[int], Parts]] = {
    "lookup": lookup,
    "read": read,
    "cover": cover,
    "plan": plan,
    "PAC file": pac,
    "translation for Squid": lambda count: translate(SquidDriver, count, executable=shutil.which("true")),
    "translation for nftables": lambda count: translate(NftablesDriver, count),
    "translation for PAN-OS": lambda count: translate(PanosDriver, count, host="x.invalid", position=POSITION["panos"]),
    "translation for FortiOS": lambda count: translate(
        FortiosDriver, count, host="x.invalid", webfilter_profiles=["corporate"]
    ),
    "translation for ZIA": lambda count: translate(ZiaDriver, count, host="x.invalid", position=POSITION["zia"]),
    "squid": squid,
    "networks": firewall_networks,
    "names": firewall_names,
}


def main() -> None:
    step, count = STEPS[sys.argv[1]], int(sys.argv[2])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts = step(count)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"parts": parts, "megabytes": grown / 1024}))


if __name__ == "__main__":
    main()
