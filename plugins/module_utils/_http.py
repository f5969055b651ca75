# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one seam to HTTP: a kept session, bounded answers, and errors that name no secret.

The only file that imports requests; nothing that runs on managed hosts or on an appliance imports this file.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Tuple
from urllib.parse import urlsplit

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown

LONGEST = 16 * 1024 * 1024
_PIECE = 65536
_FEW = 1024
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=//)\S*@")


class HttpError(AllowlistError):
    """No whole answer came; *kind*: ``time-out``, ``reset``, ``cut short``, ``certificate``, ``proxy``, ``no way``."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    @property
    def unsent(self) -> bool:
        """Whether the server cannot have seen the request: there was no connection to it."""
        return self.kind in ("no way", "proxy") or (self.kind == "certificate" and "verif" in str(self))


@dataclass(frozen=True)
class HttpAnswer:
    """A whole answer; the names of *headers* are in small letters."""

    status: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


def is_loopback(url: str) -> bool:
    """Whether the host of *url* is this machine by its very name."""
    return _LOOPBACK.fullmatch(urlsplit(url).hostname or "") is not None


def checked_url(url: str, option: str) -> str:
    """*url* without a slash at its end. AllowlistError unless it is https, or http on this machine, and no secret."""
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        port_is_right, parts = False, urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_right or not url.isprintable():
        raise AllowlistError(f"{option}: expected a URL such as https://endpoints.office.com, got {shown(url)}")
    if parts.username is not None or parts.query or parts.fragment:
        raise AllowlistError(f"{option}: expected a URL without a login, ? and #; it is used for {parts.hostname}")
    if parts.scheme == "http" and not is_loopback(url):
        raise AllowlistError(
            f"{option}: {shown(url)} is plain http, which anyone on the way can change: write https (plain http is "
            "taken for 127.0.0.1, ::1 and localhost only)"
        )
    return url.rstrip("/")


class HttpSession:
    """Connections to one server, kept open; system proxies are used, except for this machine's own addresses."""

    def __init__(
        self,
        *,
        timeout: float,
        ca_path: str | None = None,
        agent: str = "egress.allowlist",
        verify: bool = True,
        proxy: str | None = None,
        distrust: str = "",
    ) -> None:
        self._requests, self._urllib3 = _libraries()
        self._timeout = timeout
        self._distrust = distrust  # what to do about a certificate that is not trusted
        self._verify: bool | str = (ca_path or True) if verify else False
        self._proxies = {"http": proxy, "https": proxy} if proxy else None
        if not verify:
            # The module warns once; urllib3 would again for each request.
            self._urllib3.disable_warnings(self._urllib3.exceptions.InsecureRequestWarning)
        self._session = self._requests.Session()
        self._session.headers.update({"User-Agent": agent, "Accept": "*/*"})
        # A login for this host in ~/.netrc is not for it to see.
        self._session.auth = _no_login

    def close(self) -> None:
        self._session.close()

    def get(self, url: str, params: Mapping[str, str]) -> HttpAnswer:
        """``request`` for what only reads."""
        return self.request("GET", url, params=params)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer:
        """The answer, whatever its status; redirects are not followed. HttpError when no whole answer comes."""
        # Of the environment only the proxy is wanted; where one is named, or none is needed, not even that.
        self._session.trust_env = self._proxies is None and not is_loopback(url)
        host = urlsplit(url).netloc
        try:
            with self._session.request(
                method,
                url,
                params=dict(params or {}),
                headers=dict(headers or {}),
                data=body,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
                verify=self._verify,
                proxies=self._proxies,
            ) as response:
                content = self._content(response, host)
        # OSError is what all of requests' own are, and a REQUESTS_CA_BUNDLE that is not there; the others come from
        # the address of a proxy.
        except (OSError, ValueError, TypeError) as error:
            raise self._in_words(error, host) from None
        named = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status_code, content.decode("utf-8-sig", "replace"), named)

    def _content(self, response: Any, host: str) -> bytes:
        """The body. A server that sends drop by drop, or without end, is cut off."""
        most = self._timeout * 4
        started = time.monotonic()
        content = bytearray()
        try:
            for piece in _pieces(response):
                content += piece
                if len(content) > LONGEST:
                    raise HttpError("cut short", f"{host} sent more than {LONGEST // 2**20} MiB, which is no list")
                if time.monotonic() - started > most:
                    raise HttpError("time-out", f"{host} had not sent its whole answer after {most:g} s")
        except self._urllib3.exceptions.ReadTimeoutError:
            raise HttpError("time-out", f"{host} stopped in the middle of its answer for {self._timeout:g} s") from None
        except self._urllib3.exceptions.HTTPError as error:
            raise HttpError("cut short", f"the answer of {host} broke off: {_clean(error)}") from None
        return _whole(response, bytes(content), host)

    def _in_words(self, error: Exception, host: str) -> HttpError:
        kinds = self._requests.exceptions
        if isinstance(error, (ValueError, TypeError)) and not isinstance(error, kinds.InvalidSchema):
            # Its own words quote the part of the address that is wrong, which may be half of a password.
            return HttpError(
                "no way",
                f"{host}, or the proxy of this machine where HTTPS_PROXY names one, is no address that can be read (in "
                "the login of a proxy, write / as %2F, # as %23, ? as %3F and @ as %40)",
            )
        if isinstance(error, kinds.Timeout):
            return HttpError("time-out", f"{host} did not answer within {self._timeout:g} s")
        if isinstance(error, kinds.ProxyError):
            return HttpError("proxy", f"the proxy of this machine did not lead to {host}: {_clean(error)}")
        if isinstance(error, kinds.SSLError):
            return HttpError("certificate", f"TLS with {host} failed: {_clean(error)}{self._hint(error)}")
        if isinstance(error, (kinds.ChunkedEncodingError, kinds.ContentDecodingError)):
            return HttpError("cut short", f"the answer of {host} broke off: {_clean(error)}")
        if "reset" in str(error).lower() or "aborted" in str(error).lower():
            return HttpError("reset", f"{host} closed the connection: {_clean(error)}")
        return HttpError("no way", f"{host} cannot be reached: {_clean(error)}")

    def _hint(self, error: Exception) -> str:
        return f". {self._distrust}" if self._distrust and "CERTIFICATE_VERIFY_FAILED" in _clean(error) else ""


def _libraries() -> Tuple[Any, Any]:
    """Loaded when they are needed: that takes longer than all of our own code, and most runs ask nobody."""
    try:
        import requests  # noqa: PLC0415
        import urllib3  # noqa: PLC0415
    except ImportError:
        raise AllowlistError(
            "needs the Python library requests on the control node, in the environment of ansible-core: "
            "pip install requests"
        ) from None
    return requests, urllib3


def _no_login(request: Any) -> Any:
    return request


def _pieces(response: Any) -> Iterator[bytes]:
    """What has come so far, as it comes; older versions of urllib3 can only wait for a number of bytes."""
    raw = response.raw
    if not hasattr(raw, "read1"):
        return iter(lambda: raw.read(_FEW, decode_content=True), b"")
    return iter(lambda: raw.read1(_PIECE, decode_content=True), b"")


def _whole(response: Any, content: bytes, host: str) -> bytes:
    """Older versions of urllib3 take an answer that broke off for a whole one."""
    promised = response.headers.get("Content-Length", "")
    is_told = promised.isascii() and promised.isdigit() and "Content-Encoding" not in response.headers
    if is_told and len(content) != int(promised):
        raise HttpError("cut short", f"the answer of {host} broke off: {len(content)} of {promised} bytes came")
    return content


def _clean(error: BaseException) -> str:
    """The innermost reason, on one line, without the login of a proxy."""
    reason: BaseException = error
    while reason.__context__ is not None or (reason.args and isinstance(reason.args[0], BaseException)):
        inner = reason.args[0] if reason.args and isinstance(reason.args[0], BaseException) else reason.__context__
        if inner is None:
            break
        reason = inner
    text = str(reason) or type(reason).__name__
    return _USERINFO.sub("", " ".join(text.split()))[:200]
