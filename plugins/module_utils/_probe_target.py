# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one probe asks for: a scheme, a host, a port and, for plain http, a path."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Optional, Tuple
from urllib.parse import SplitResult, urlsplit

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError

DEFAULT_PORTS = {"http": 80, "https": 443}
# Bare ports: a connection, or a datagram, and nothing more is asked.
PORT_SCHEMES = ("tcp", "udp")
FAMILIES = {"any": "", "ipv4": "IPv4", "ipv6": "IPv6"}
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,62})?(\.[a-z0-9_]([a-z0-9_-]{0,62})?)*")
_VISIBLE = re.compile(r"[!-~]+")


class TargetError(AllowlistError):
    """A target or proxy that cannot be asked for; the text says why."""


@dataclass(frozen=True)
class Target:
    """One question: can this be reached as intended?"""

    scheme: str
    host: str
    port: int
    path: str = "/"
    family: str = "any"  # any, ipv4 or ipv6

    @property
    def url(self) -> str:
        """What is asked for."""
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{bracketed(self.host)}{port}{'' if self.path == '/' else self.path}"

    @property
    def label(self) -> str:
        """The canonical text; two targets are the same when this is the same."""
        family = FAMILIES[self.family]
        return f"{self.url} ({family})" if family else self.url

    def over(self, family: str) -> Target:
        """The same, asked over one family of addresses only."""
        return replace(self, family=family)

    @property
    def authority(self) -> str:
        """Host and port as CONNECT wants them."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def is_tls(self) -> bool:
        return self.scheme == "https"


def parse_target(text: object, where: str = "targets") -> Target:
    """Read V(https://name), V(https://name:8443), V(http://name/path), V(tcp://name:5671) or V(udp://name:3478)."""
    if not isinstance(text, str):
        raise TargetError(f"{where}: expected a URL as text, got {text!r}")
    problem = f"{where}: {text!r} cannot be probed: "
    parts = _split(str(text), problem)
    if parts.scheme not in DEFAULT_PORTS and parts.scheme not in PORT_SCHEMES:
        raise TargetError(f"{problem}expected http://, https://, tcp:// or udp:// at the beginning")
    path = parts.path or "/"
    if parts.scheme != "http" and path != "/":
        raise TargetError(f"{problem}a path is only visible to the network in plain http; leave it out")
    if parts.query or parts.fragment:
        raise TargetError(f"{problem}a query or fragment does not belong here")
    host, port = _authority(parts, problem)
    if port is None and parts.scheme in PORT_SCHEMES:
        raise TargetError(f"{problem}the port is missing, expected {parts.scheme}://host:port")
    return Target(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path)


@dataclass(frozen=True)
class Proxy:
    """The proxy to go through."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{bracketed(self.host)}:{self.port}"


def parse_proxy(text: str) -> Proxy:
    """Read V(http://name:port); credentials are refused, since sending none is what shows the bypass."""
    problem = f"proxy: {_without_secret(text)!r} cannot be used: "
    parts = _split(text if "://" in text else f"http://{text}", problem)
    if parts.scheme != "http":
        raise TargetError(f"{problem}expected http://host:port, the probe speaks plain http to the proxy")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise TargetError(f"{problem}expected http://host:port and nothing after it")
    host, port = _authority(parts, problem)
    if port is None:
        raise TargetError(f"{problem}the port is missing, expected http://host:port")
    return Proxy(host, port)


def parse_control(text: str) -> str:
    """Read the option *control_name*: a plain name."""
    host = text.lower().rstrip(".")
    if len(host) > 253 or not _NAME.fullmatch(host) or "." not in host:
        raise TargetError(f"control_name: expected a name that does not exist, such as none.example.com, got {text!r}")
    return host


def _split(text: str, problem: str) -> SplitResult:
    if not _VISIBLE.fullmatch(text):
        raise TargetError(f"{problem}expected visible ASCII without blanks (write the xn-- form of a name)")
    try:
        return urlsplit(text)
    except ValueError as error:
        raise TargetError(f"{problem}{error}") from error


def _authority(parts: SplitResult, problem: str) -> Tuple[str, Optional[int]]:
    if "@" in parts.netloc:
        raise TargetError(f"{problem}user and password do not belong here, the probe sends none to anybody")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise TargetError(f"{problem}{error}") from error
    if port == 0:
        raise TargetError(f"{problem}port 0 is none")
    if not (is_address(host) or (len(host) <= 253 and _NAME.fullmatch(host))):
        raise TargetError(f"{problem}{host!r} is neither a host name nor an address")
    return host, port


def is_address(host: str) -> bool:
    """An address instead of a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _without_secret(text: str) -> str:
    return re.sub(r"(^|//)[^/@]*@", r"\1", text)
