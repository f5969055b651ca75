# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Getting a PAC file, from the managed host's own disk or as its desktops get it: over HTTP, without any proxy."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import closing
from typing import Tuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError

MOST_BYTES = 1 << 20  # as Chromium has it
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


def pac_text(where: str, timeout: float) -> str:
    """The text of a PAC file, *where* is a URL or a path; within *timeout* seconds, and of 1 MiB at most."""
    scheme = where.partition(":")[0].lower()
    if scheme in ("http", "https"):
        data, charset = _in_time(where, timeout)
    elif scheme == "file":
        data, charset = _read(unquote(urlsplit(where).path)), ""
    else:
        data, charset = _read(where), ""
    if len(data) > MOST_BYTES:
        raise PacError(f"PAC file {shown(_public(where))}: more than {MOST_BYTES} bytes")
    return _decoded(data, charset)


def _public(url: str) -> str:
    """A URL without user and password."""
    return re.sub(r"//[^/?#]*@", "//", url)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PacError(f"PAC file {shown(path)}: cannot be read on the managed host: {reason}") from None


def _decoded(data: bytes, charset: str) -> str:
    """As browsers do: a byte order mark, then what the server says, then UTF-8, then Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    for name in (charset, "utf-8-sig"):
        try:
            return data.decode(name) if name else data.decode("utf-8-sig")
        except (LookupError, UnicodeError):
            continue
    return data.decode("latin-1")


def _in_time(url: str, timeout: float) -> Tuple[bytes, str]:
    """In a thread beside: neither a resolver nor a server that sends a byte a second may hold the probe up."""
    answer: Future[Tuple[bytes, str]] = Future()
    threading.Thread(target=_fetch, args=(url, timeout, answer), daemon=True).start()
    try:
        return answer.result(timeout)
    except FutureTimeout:
        raise PacError(f"PAC file {shown(_public(url))}: cannot be fetched: not within {timeout:g} seconds") from None


def _fetch(url: str, timeout: float, answer: Future[Tuple[bytes, str]]) -> None:
    try:
        answer.set_result(_fetched(url, timeout))
    except Exception as error:  # noqa: BLE001 - whatever happens, the thread that waits must be told
        answer.set_exception(error)


def _fetched(url: str, timeout: float) -> Tuple[bytes, str]:
    start = url
    for _number in range(_MOST_REDIRECTS + 1):
        problem = f"PAC file {shown(_public(url))}: "
        if url != start:
            problem = f"PAC file {shown(_public(start))}, redirected to {shown(_public(url))}: "
        try:
            status, location, data, charset = _ask(_parts(url, problem), timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise PacError(f"{problem}cannot be fetched: {reason}") from None
        if not (status in _REDIRECTS and location):
            break
        url = urljoin(url, location)
    if status != 200:
        raise PacError(f"{problem}expected the status 200, got {status}")
    return data, charset


def _parts(url: str, problem: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PacError(f"{problem}expected http://host/path or https://host/path")
    if "@" in parts.netloc:
        raise PacError(f"{problem}user and password do not belong here, the probe sends none to anybody")
    return parts


def _ask(parts: SplitResult, timeout: float) -> Tuple[int, str, bytes, str]:
    """Status, redirection, body and character set of one answer."""
    host = str(parts.hostname)
    if parts.scheme == "https":
        context = ssl.create_default_context()  # the desktop's own trust, a company's CA included
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout)
    with closing(connection):
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"User-Agent": "egress.allowlist probe", "Accept": "*/*"})
        response = connection.getresponse()
        data = response.read(MOST_BYTES + 1) if response.status == 200 else b""
        charset = _CHARSET.search(response.getheader("Content-Type") or "")
        return response.status, response.getheader("Location") or "", data, charset.group(1) if charset else ""
