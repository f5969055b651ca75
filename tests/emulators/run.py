# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Serve one emulated appliance on loopback: prints its URL, and ends with SIGTERM or Ctrl-C.

For example ``python tests/emulators/run.py zia --port 8443 --cert cert.pem --key key.pem``.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.tests.emulators.server import Emulator

VENDORS = {
    "fortios": ("fortios.emulator", "FortiosEmulator"),
    "panos": ("panos.emulator", "PanosEmulator"),
    "zia": ("zia.emulator", "ZiaEmulator"),
}
COLLECTION = "ansible_collections.egress.allowlist"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("vendor", choices=sorted(VENDORS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--cert", help="certificate in PEM: the emulator speaks TLS")
    parser.add_argument("--key", help="its private key, where it is not in the same file")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    given = parser.parse_args(arguments)
    serve(made(given.vendor, given.port, given.cert, given.key, given.latency))


def made(vendor: str, port: int, cert: str | None, key: str | None, latency: float) -> Emulator:
    _make_importable()
    file, name = VENDORS[vendor]
    emulator: Emulator = getattr(importlib.import_module(f"{COLLECTION}.tests.emulators.{file}"), name)(
        tls=_context(cert, key), port=port
    )
    emulator.latency = latency
    return emulator


def serve(emulator: Emulator) -> None:
    signal.signal(signal.SIGTERM, lambda *_given: sys.exit(0))
    with emulator:
        print(emulator.url, flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


def _context(cert: str | None, key: str | None) -> ssl.SSLContext | None:
    if cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


def _make_importable() -> None:
    """The checkout stands for the collection, wherever it lies."""
    root = Path(__file__).resolve().parents[2]
    names = COLLECTION.split(".")
    for count, place in ((1, []), (2, []), (3, [str(root)])):
        name = ".".join(names[:count])
        if name not in sys.modules:
            module = ModuleType(name)
            module.__path__ = place
            sys.modules[name] = module


if __name__ == "__main__":
    main()
