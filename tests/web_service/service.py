# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Microsoft's endpoint web service, on loopback: saved lists in, the service's answers out.

In a test:            with WebService(small_history()) as service: ... service.url ... service.publish("2025120100")
As a program:         python tests/web_service/service.py --answers FOLDER --version 2025103100
It prints its URL and serves until it is ended. What moves it is told over HTTP, with the arguments as JSON:
                      curl -d '{"version": "2025120100"}' URL/emulator/publish   (announce, fault, mend, save)
                      curl URL/emulator/requests
"""

from __future__ import annotations

import argparse
import signal
import ssl
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

if __name__ == "__main__" and not __package__:
    # As a program it finds what lies beside it in the same way as when it is imported.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    __package__ = "web_service"

from .faults import Fault, checked
from .history import load_history, small_history
from .methods import answer
from .published import History, Published
from .wire import Request, Server

_HERE = "127.0.0.1"


class WebService:
    """The service with the lists of *history*, by instance and version; at first it is at the first version of each.

    *effective*: dates (YYYYMMDD) of what a version adds, where not 30 days after it; None: the record has no date.
    *certificate* and *key*: files in PEM, for https.
    """

    def __init__(
        self,
        history: History,
        *,
        version: str | None = None,
        effective: Mapping[str, str | None] | None = None,
        port: int = 0,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> None:
        self.published = Published(history, effective)
        self.requests: list[Request] = []
        self._faults: list[Fault] = []
        self._lock = threading.RLock()
        self._port = port
        self._context: ssl.SSLContext | None = None
        self._server: Server | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate, key)
        if version is not None:
            self.publish(version)

    # What a test does with it

    def publish(self, version: str, instance: str | None = None) -> None:
        """Moves the service to a version; without an instance, each to its newest list that is no newer than that."""
        with self._lock:
            self.published.move(version, instance)

    def save(self, version: str, records: Sequence[dict[str, Any]], instance: str = "Worldwide") -> None:
        """One more list that can be published."""
        with self._lock:
            self.published.save(instance, version, records)

    def announce(
        self,
        set_id: int,
        *,
        urls: Sequence[str] = (),
        ips: Sequence[str] = (),
        effective: str | None = None,
        version: str | None = None,
        instance: str = "Worldwide",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """An addition in /changes that /endpoints does not have yet, under the version of today unless told.

        *effective*: YYYYMMDD; *fields*: what a set that is not there yet will have, such as tcpPorts and category.
        """
        with self._lock:
            self.published.announce(instance, set_id, urls, ips, effective, version, fields or {})

    def fault(self, kind: str | int, count: int | None = None, path: str | None = None, **options: Any) -> None:
        """Something goes wrong from now on: for *count* requests, for paths that begin with *path*. See faults.py.

        Options: retry_after (429), field (lost_field), keep (shrunk), values (poisoned), to (redirect), text
        (error_text), seconds (slow: for how long it drips), megabytes and told (huge: with its length told or not).
        """
        with self._lock:
            self._faults.append(checked(kind, count, path, options))

    def mend(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._faults.clear()

    def asked(self, method: str) -> int:
        """How often a method was asked for: ``version``, ``endpoints`` or ``changes``."""
        with self._lock:
            return sum(request.method_name == method for request in self.requests)

    @property
    def url(self) -> str:
        """Where it is; after its end, where nobody listens."""
        return f"{'https' if self._context else 'http'}://{_HERE}:{self._port}"

    # Its life

    def __enter__(self) -> Self:
        self._server = Server((_HERE, self._port), self, self._context)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_unused: object) -> None:
        if self._server is not None:
            broken = self._server.end()
            self._server = None
            if broken:
                raise RuntimeError("the emulator itself broke down") from broken[0]

    # What the server asks

    def reply_to(self, request: Request) -> tuple[Any, Fault | None]:
        """The right answer, and what shall go wrong with it."""
        with self._lock:
            self.requests.append(request)
            return answer(request, self.published, self.url), self._fault_of(request.path)

    def _fault_of(self, path: str) -> Fault | None:
        for fault in self._faults:
            if fault.concerns(path):
                if fault.count is not None:
                    fault.count -= 1
                    if fault.count <= 0:
                        self._faults.remove(fault)
                return fault
        return None

    def control(self, name: str, arguments: Mapping[str, Any]) -> object:
        """What a test in another process wants; ValueError or TypeError when it is not understood."""
        if name == "requests":
            with self._lock:
                return [request.told() for request in self.requests]
        if name not in ("publish", "save", "announce", "fault", "mend"):
            raise ValueError(f"expected publish, save, announce, fault, mend or requests; got {name!r}")
        getattr(self, name)(**arguments)
        return {"done": name, "versions": self.published.latest()}


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--answers", type=Path, help="folder of INSTANCE.VERSION.json; without: a small history")
    parser.add_argument("--version", help="the version that it begins with; without: the first")
    parser.add_argument("--certificate", type=Path, help="PEM, for https")
    parser.add_argument("--key", type=Path, help="PEM, where it is not in the file of the certificate")
    options = parser.parse_args(words)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        history = load_history(options.answers) if options.answers else small_history()
        service = WebService(
            history, version=options.version, port=options.port, certificate=options.certificate, key=options.key
        )
        with service:
            print(service.url, flush=True)
            while True:
                time.sleep(3600)
    except (ValueError, OSError, ssl.SSLError) as error:
        print(f"service.py: {error}", file=sys.stderr)
        return 2
    except SystemExit:
        return 0


def _leave(*_unused: object) -> None:
    raise SystemExit


if __name__ == "__main__":
    sys.exit(main())
