# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PAC file in the browser that it is for: which proxy does Chromium really ask for which URL?

Two proxies on loopback write down what they are asked for and send nothing on. A page fetches a few hundred URLs, and
what the browser knows by itself (such as names that it only asks in https) is taken as it comes: each request that a
proxy saw must be one that the entries send there.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from chromium import Chromium

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ansible_collections.egress.allowlist.tests.unit.pac_questions import Question, address_of, disguises, holds

NAMES = 300
ALWAYS = ["*.update.example", "login.live.example", "*cdn.x.example", "a.*.y.example", "*.*.deep.example",
          "constructor.example", {"value": "odd.example", "ports": ["tcp/8443"]},
          {"value": "path.example", "path": "/p.txt"}, {"value": "198.51.100.0/25", "ports": ["tcp/80", "tcp/443"]},
          {"value": "2001:db8:1::/48", "ports": ["tcp/443"]}]  # fmt: skip
WRITTEN = [
    "http://evil.example/#@login.live.example", "http://evil.example/?login.live.example", "https://login.live.example/",
    "https://login.live.example./", "https://LOGIN.live.example/", "https://evillogin.live.example/",
    "https://login.live.example.evil.example/", "https://update.example/", "https://a.update.example/",
    "https://b.a.UPDATE.example/", "https://mycdn.x.example/", "https://cdn.x.example/", "https://a.cdn.x.example/",
    "https://a.b.y.example/", "https://a.y.example/", "https://b.a.b.y.example/", "https://a.deep.example/",
    "https://b.a.deep.example/", "https://constructor.example/", "https://constructor/", "https://odd.example/",
    "https://odd.example:8443/", "http://path.example/p.txt", "http://path.example/q.txt", "https://path.example/p.txt",
    "http://198.51.100.127/", "http://198.51.100.128/", "https://198.51.100.1:8443/", "https://[2001:db8:1::1]/",
    "https://[2001:DB8:1:0:0:0:198.51.100.1]/", "https://[2001:db8:2::1]/", "http://[2001:db8:1::1]/",
]  # fmt: skip
PAGE = """<!doctype html><title>PAC</title><script>
async function ask(urls) {
  const one = async () => { while (urls.length) await fetch(urls.pop(), {mode: 'no-cors', cache: 'no-store'})
    .catch(() => 0) };
  await Promise.all(Array.from({length: 24}, one));
  document.documentElement.dataset.ready = 'yes';
}
</script>"""


class Server(ThreadingHTTPServer):
    """On loopback: a proxy that keeps what it was asked for, or the site of the page and its PAC file."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, files: dict[str, tuple[str, str]] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files or {}
        self.seen: list[str] = []
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """A tunnel is refused: what counts is who was asked for it."""

    server: Server

    def do_CONNECT(self) -> None:
        self.server.seen.append(f"https://{self.path}")
        self.send_error(502)

    def do_GET(self) -> None:
        kind, text = self.server.files.get(self.path, ("text/plain", ""))
        self.server.seen.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    document = select([load("mmd")], Request(tenant="contoso")).entries
    return normalise([*document, *ALWAYS])


def urls_of(entries: list[Entry]) -> list[str]:
    """Names of the document and what looks like them, and what was written by hand."""
    chance = random.Random(6)
    names = [entry.value.replace("*", "w") for entry in entries if entry.type == "host"]
    hosts = {host.lower() for name in names for host in disguises(name) if is_url_host(host)}
    chosen = chance.sample(sorted(hosts), NAMES)
    ports = ("", "", ":8443")
    return [*WRITTEN, *(f"{chance.choice(['http', 'https'])}://{host}{chance.choice(ports)}/" for host in chosen)]


def is_url_host(host: str) -> bool:
    return 0 < len(host) < 250 and all(0 < len(label) < 64 for label in host.split(".")) and "." in host


def question_of(seen: str) -> Question:
    """What a proxy was asked for, as a call of FindProxyForURL."""
    parts = urlsplit(seen)
    host = parts.hostname or ""
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Question(host, parts.scheme, parts.port, path=path, written=f"[{host}]" if ":" in host else "")


@pytest.fixture(scope="module")
def asked(entries: list[Entry]) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """The URLs, and what each of the proxies saw."""
    urls = urls_of(entries)
    with Server() as allowed, Server() as others:
        script = pac([entry.as_dict() for entry in entries], f"PROXY {allowed.place}", f"PROXY {others.place}")
        files = {"/x.pac": ("application/x-ns-proxy-autoconfig", script), "/": ("text/html", PAGE)}
        with Server(files) as site, Chromium(
            f"--proxy-pac-url=http://{site.place}/x.pac", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        ) as browser:
            browser.visit(f"http://{site.place}/")
            browser.run("ask(arguments[0])", urls)
            browser.wait("return document.documentElement.dataset.ready === 'yes'")
            assert "/x.pac" in site.seen
        yield urls, list(allowed.seen), list(others.seen)


def test_each_request_goes_where_the_entries_send_it(entries: list[Entry], asked: Any) -> None:
    _urls, allowed, others = asked
    assert [seen for seen in allowed if not holds(entries, question_of(seen))] == []
    assert [seen for seen in others if holds(entries, question_of(seen))] == []
    assert len(set(allowed)) > 80 and len(set(others)) > 80


def test_the_browser_asked_a_proxy_for_each_host(asked: Any) -> None:
    """None of them went past both, and none was looked up."""
    urls, allowed, others = asked
    seen = {host_of(one) for one in (*allowed, *others)}
    assert sorted({host_of(url) for url in urls} - seen) == []


def host_of(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return str(address_of(host) or host)
