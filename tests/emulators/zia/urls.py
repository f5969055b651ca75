# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""URLs as ZIA takes and matches them, from help.zscaler.com/zia/url-format-guidelines."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_URL = 1024
LONGEST_HOST = 255
LONGEST_LABEL = 63
DEEPEST = 5  # levels of names that a leading period stands for
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")


def what_is_wrong(url: str) -> str:
    """Why the URL is not taken; empty where it is."""
    if not url.isascii() or re.search(r"[\s\x00-\x1f\x7f]", url):
        return "characters other than printable ASCII"
    if len(url) > LONGEST_URL:
        return f"longer than {LONGEST_URL} characters"
    if "://" in url:
        return "a scheme"
    if "*" in url:
        return "an asterisk"
    host, port, _path = parts(url)
    if host != host.lower():
        return "upper case"
    if port and not port.isdigit():
        return "a port that is not a number"
    return _wrong_host(host.removeprefix("."))


def _wrong_host(host: str) -> str:
    labels = host.split(".")
    if len(host) > LONGEST_HOST:
        return f"a host of more than {LONGEST_HOST} characters"
    if len(labels) < 2:
        return "a top-level domain alone"
    if any(len(label) > LONGEST_LABEL for label in labels):
        return f"a label of more than {LONGEST_LABEL} characters"
    if not all(LABEL.fullmatch(label) for label in labels):
        return "a label that is not one"
    if "_" in labels[-1] or (len(labels) > 2 and "_" in labels[-2]) or "_" in labels[:-1]:
        return "an underscore where none may be"
    return ""


def parts(url: str) -> tuple[str, str, str]:
    """Host (with a leading period), port and path."""
    place, slash, path = url.partition("/")
    host, _colon, port = place.partition(":")
    return host, port, slash + path


@dataclass(frozen=True)
class Target:
    """What a client asks for, as far as the proxy sees it: *path* is empty for TLS that is not decrypted."""

    host: str
    port: int
    path: str = ""


Closeness = tuple[int, int, int, int]


def closeness(entry: str, target: Target) -> Closeness | None:
    """How closely an entry of a category describes the target; None where it does not.

    An exact name is closer than any wildcard, a longer name closer than a shorter one ("The exact match takes
    priority over the wildcard matches"); among equals the path decides. That the host comes before the path is
    unverified.
    """
    host, port, path = parts(entry)
    exact = not host.startswith(".")
    depth = _levels(host, target.host)
    if depth is None or (port and int(port) != target.port):
        return None
    kind = _path_kind(path, target.path)
    if kind is None:
        return None
    return int(exact), host.count(".") + 1, kind, len(path)


def _levels(host: str, name: str) -> int | None:
    """How many levels *name* lies below the host of an entry."""
    if not host.startswith("."):
        return 0 if host == name else None
    if name == host[1:]:
        return 0
    if not name.endswith(host):
        return None
    levels = name[: -len(host)].count(".") + 1
    return levels if levels <= DEEPEST else None


def _path_kind(path: str, asked: str) -> int | None:
    """A path with a slash at its end stands for all below it, one without for itself; no path for any."""
    if path in ("", "/"):
        return 0
    if path.endswith("/"):
        return 1 if asked.startswith(path) else None
    return 2 if asked.partition("?")[0] == path else None
