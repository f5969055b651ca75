# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that runs on the host `internet`: DNS, HTTP and TLS for every name and every address."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from netlab import topology
from netlab.internet import control, dns
from netlab.internet.addresses import AddressBook
from netlab.internet.certificates import Mint
from netlab.internet.faults import Faults
from netlab.internet.path import PathFaults
from netlab.internet.web import Web

STATE = Path("/run/egress-lab/lab")
LOG = Path("/var/log/web/requests.jsonl")


def main() -> None:
    book, faults = AddressBook(), Faults()
    path_faults = PathFaults(book, faults)
    resolver = dns.Resolver(book, faults, path_faults.follow)
    for address in topology.dns_addresses():
        dns.serve(resolver, address)
    control.serve(STATE / "run" / "internet.control", faults, path_faults)
    Web(book, faults, Mint(STATE / "pki"), logger()).serve()
    threading.Event().wait()


def logger() -> Any:
    stream = LOG.open("a", encoding="utf-8", buffering=1)
    lock = threading.Lock()

    def log(entry: dict[str, Any]) -> None:
        with lock:
            stream.write(json.dumps({"time": round(time.time(), 3), **entry}) + "\n")

    return log


if __name__ == "__main__":
    main()
