# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The company's category filter: sends some names to the block page.

Squid asks "ID URL client user method ..." and is answered "ID OK ..." or "ID ERR" (leave it alone).
"""

import sys

BLOCK_PAGE = "block.example"
BLOCKED = ("account.live.com", "casino.example", "fabric.io")  # a redirect, also for the CONNECT of https
DETOURED = ("crashlytics.com",)  # the CONNECT of https leads to the block page's server instead


def main() -> None:
    for line in sys.stdin:
        number, url, *rest = line.split()
        method = rest[2] if len(rest) > 2 else "GET"
        print(number, answer(url, method), flush=True)


def answer(url: str, method: str) -> str:
    host = host_of(url)
    if method == "CONNECT" and within(host, DETOURED):
        return f'OK rewrite-url="{BLOCK_PAGE}:443"'
    if within(host, BLOCKED + DETOURED):
        return f'OK status=302 url="http://{BLOCK_PAGE}/?blocked={host}"'
    return "ERR"


def host_of(url: str) -> str:
    """The host of "scheme://host:port/path", or of the "host:port" of a CONNECT."""
    authority = url.rpartition("://")[2].partition("/")[0]
    return authority.rpartition(":")[0] or authority


def within(host: str, names: tuple[str, ...]) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in names)


if __name__ == "__main__":
    main()
