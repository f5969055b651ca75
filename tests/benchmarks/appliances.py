# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The appliances that have an API, emulated in this process, and what was asked of them sent once more by curl."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import plays
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request as Selection
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import select
from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.server import Emulator, Seen
from ansible_collections.egress.allowlist.tests.emulators.zia.emulator import ZiaEmulator

CLIENTS = ["10.20.0.0/16"]
TOKEN = "tokenOfTheApiAdministrator"
FORTIOS = {"access_token": TOKEN, "webfilter_profiles": ["corporate"]}


@dataclass(frozen=True)
class Appliance:
    """*make*: an emulator with the site's own configuration; *options*: of our module, for its URL and a folder."""

    module: str
    make: Callable[[ssl.SSLContext | None], Emulator]
    options: dict[str, Any]
    tls: bool = False


APPLIANCES = {
    "FortiOS": Appliance(
        "fortios", lambda tls: FortiosEmulator(TOKEN, tls=tls),
        {**FORTIOS, "ssl_profiles": ["deep-inspection-own"]}, tls=True,
    ),
    "FortiOS, URL filter": Appliance(
        "fortios", lambda tls: FortiosEmulator(TOKEN, tls=tls), {**FORTIOS, "style": "urlfilter"}, tls=True
    ),
    "PAN-OS": Appliance("panos", lambda tls: PanosEmulator(tls=tls), {
        "username": "egress", "password": "example",
        "position": dict.fromkeys(("security", "decryption", "authentication"), "top"),
    }),
    "ZIA": Appliance("zia", lambda tls: ZiaEmulator(tls=tls), {
        "client_id": "mmd-automation", "client_secret": "s3cret-of-the-client",
        "position": {"ssl": "top", "url": "top"},
    }),
}  # fmt: skip


def catalog() -> list[dict[str, Any]]:
    """The entries of the document, as the lookup gives them."""
    return [entry.as_dict() for entry in select([load("mmd")], Selection(tenant="contoso")).entries]


def names(count: int) -> list[str]:
    return [f"host{number}.site{number % 50}.example.com" for number in range(count)]


def listed(count: int) -> list[Any]:
    """The catalog, and names of our own where more are wanted."""
    own = catalog()
    return own[:count] + names(max(0, count - len(own)))


class Certificate:
    """Of this machine, and its own authority."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "emulator.pem"
        key = folder / "emulator.key"
        words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subject = ["-subj", "/CN=emulator", "-addext", "subjectAltName=IP:127.0.0.1"]
        made = [*words, "-keyout", str(key), "-out", str(self.path), *subject]
        subprocess.run(made, check=True, capture_output=True)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(self.path, key)


def started(one: Appliance, certificate: Certificate, latency: float = 0.0) -> Emulator:
    emulator = one.make(certificate.context if one.tls else None)
    emulator.latency = latency
    return emulator


def options_of(one: Appliance, emulator: Emulator, certificate: Certificate, folder: Path) -> dict[str, Any]:
    where: dict[str, Any] = {"host": emulator.url, "clients": CLIENTS, "max_shrink": 100, "widen": "any"}
    if one.module == "zia":
        where.update(identity_host=emulator.url, record_dir=str(folder / "records"))
    return {**one.options, **where, **({"ca_path": str(certificate.path)} if one.tls else {})}


def by_curl(seen: Sequence[Seen], emulator: Emulator, certificate: Certificate, folder: Path) -> float:
    """Seconds of one curl that sends the same requests, one after the other over a kept connection.

    SystemError where the emulator does not answer as it did: then it is not the same work.
    """
    lines = []
    token = _fresh_token(seen, emulator)
    for number, one in enumerate(seen):
        asked = one.request
        query = f"?{urlencode(asked.query)}" if asked.query else ""
        lines += [f'url = "{emulator.url}{quote(asked.path)}{query}"', f'request = "{asked.method}"']
        lines += ['output = "/dev/null"', 'silent', f'cacert = "{certificate.path}"']
        kept = ("authorization", "content-type", "x-transaction-id", "x-pan-key", "cookie")
        given = {**asked.headers, **({"authorization": token} if token and "authorization" in asked.headers else {})}
        lines += [f'header = "{name}: {text}"' for name, text in given.items() if name in kept]
        if asked.body:
            body = folder / f"body-{number}"
            body.write_bytes(asked.body)
            lines.append(f'data-binary = "@{body}"')
        lines.append("next")
    (folder / "curl.config").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
    before = len(emulator.seen)
    words = ["curl", "--disable", "--noproxy", "*", "--config", str(folder / "curl.config")]
    seconds = plays.measured(words, plays.environment(), folder).seconds
    answered = [one.status for one in emulator.seen[before:]]
    if answered != [one.status for one in seen]:
        raise SystemError(f"the requests were answered otherwise by curl: {answered}")
    return seconds


def _fresh_token(seen: Sequence[Seen], emulator: Emulator) -> str:
    """Where the first request asks for a token, which is another one each time."""
    first = seen[0].request
    if not first.path.endswith("/token"):
        return ""
    headers = {name: first.headers[name] for name in ("content-type",)}
    asked = urllib.request.Request(emulator.url + first.path, first.body, headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
        return f"Bearer {json.load(answer)['access_token']}"


def script(name: str) -> list[str]:
    """A program beside this one."""
    return [sys.executable, str(Path(__file__).with_name(name))]
