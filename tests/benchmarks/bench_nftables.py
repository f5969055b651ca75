# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the firewall's driver takes with many networks, on the real nft, in a network namespace of its own.

    unshare --net python tests/benchmarks/bench_nftables.py [count …]        (root; nft in the path)

`write` is what nft itself takes for the transaction, checking it included: for one network it stays the same however
many there are. The rest is reading (one listing) and Python.
"""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._drivers.nftables import NftablesDriver
from ansible_collections.egress.allowlist.plugins.module_utils._run import Run, allowlist_argument_spec

SITE = (
    "add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; };"
    " add rule inet filter forward meta mark & 0x10000 == 0x10000 accept"
)
FIRST = {4: int(ipaddress.ip_address("10.0.0.0")), 6: int(ipaddress.ip_address("2001:db8::"))}
STEP = {4: 512, 6: 1 << 64}
LENGTH = {4: 24, 6: 64}


class Firewall:
    """Runs of the driver in a temporary folder; remembers how long nft took to write."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.writing = 0.0

    def command(self, words: list[str]) -> tuple[int, str, str]:
        started = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if "-f" in words:
            self.writing += time.perf_counter() - started
        return done.returncode, done.stdout, done.stderr

    def run(self, **options: Any) -> dict[str, Any]:
        spec = {**allowlist_argument_spec(), **NftablesDriver.argument_spec}
        given = {name: one.get("default") for name, one in spec.items()}
        places = {name: f"{self.folder}/{name}" for name in ("directory", "dnsmasq_dir", "service_dir")}
        given.update(places, clients=["10.20.0.0/24"], default_ports=["tcp/443"], max_shrink=100, **options)
        driver = NftablesDriver(given, self.command)
        try:
            return Run(driver, given, check_mode=False).answer()
        finally:
            driver.close()


def networks(version: int, count: int) -> list[str]:
    make = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
    return [str(make((FIRST[version] + number * STEP[version], LENGTH[version]))) for number in range(count)]


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [100, 1_000, 10_000, 100_000]
    subprocess.run(["nft", SITE], check=True)
    print(f"{'networks':<16}{'run':<16}{'seconds':>9}{'write':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for version in (4, 6):
            for count in counts:
                bench(Firewall(folder), version, networks(version, count + 1))


def bench(firewall: Firewall, version: int, listed: list[str]) -> None:
    steps: tuple[tuple[str, dict[str, Any], bool], ...] = (
        ("apply", {"entries": listed[:-1]}, True),
        ("no change", {"entries": listed[:-1]}, False),
        ("one more", {"entries": listed}, True),
        ("one less", {"entries": listed[:-1]}, True),
        ("take away", {"state": "deleted"}, True),
    )
    for name, options, changes in steps:
        firewall.writing = 0.0
        started = time.perf_counter()
        answer = firewall.run(**{"state": "replaced", **options})
        seconds = time.perf_counter() - started
        if answer["changed"] != changes:
            raise SystemExit(f"{name}: expected changed={changes}")
        title = f"{len(listed) - 1} IPv{version}"
        print(f"{title:<16}{name:<16}{seconds:>9.2f}{firewall.writing:>9.3f}", flush=True)


if __name__ == "__main__":
    if os.geteuid() != 0:
        raise SystemExit("run it as root: unshare --net python tests/benchmarks/bench_nftables.py")
    main()
