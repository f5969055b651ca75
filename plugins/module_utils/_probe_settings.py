# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy settings of a Linux host: http_proxy, https_proxy, all_proxy and no_proxy, as programs there read them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Tuple, Union

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import (
    Proxy,
    Target,
    is_address,
    parse_proxy,
)

# Kinds of proxies that the probe does not speak to; the words of PAC files and of the environment.
_UNSPOKEN = {
    "HTTPS": "an HTTPS proxy",
    "QUIC": "a QUIC proxy",
    "SOCKS": "a SOCKS proxy",
    "SOCKS4": "a SOCKS proxy",
    "SOCKS4A": "a SOCKS proxy",
    "SOCKS5": "a SOCKS proxy",
    "SOCKS5H": "a SOCKS proxy",
}
_PROXY = re.compile(r"(?:([A-Za-z0-9+.-]+)://)?(?:.*@)?(\[[^\]@]+\]|[^:/?#@\[\]]+)(?::([0-9]{1,5}))?(?:[/?#][^@]*)?")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_NO_PROXY = re.compile(r"[\s,]+")


class WayError(AllowlistError):
    """The way of a target is known, and the probe cannot go it; *word* says why: V(proxy_kind) or V(proxy_settings)."""

    def __init__(self, word: str, text: str) -> None:
        super().__init__(text)
        self.word = word


def proxy_of(kind: str, text: str, where: str) -> Proxy:
    """A proxy from its kind (of a PAC file) and V(host:port); *where* it stands goes into the errors.

    Credentials in it are dropped, and never shown: that none are needed is what the probe is there to show.
    """
    match = _PROXY.fullmatch(text.strip())
    if match is None:
        raise WayError("proxy_settings", f"{where}: the proxy is not of the form http://host:port")
    scheme, host, port = match.groups()
    kind = (scheme or kind).upper()
    if kind in _UNSPOKEN:
        name = f"{host}:{port}" if port else host
        raise WayError(
            "proxy_kind", f"{where}: {shown(name)} is {_UNSPOKEN[kind]}; the probe speaks to HTTP proxies only"
        )
    if kind not in ("HTTP", "PROXY"):
        raise WayError("proxy_kind", f"{where}: {shown(kind)} is no kind of proxy that the probe knows")
    try:
        return parse_proxy(f"http://{host}:{port or 80}")
    except AllowlistError as error:
        raise WayError("proxy_settings", f"{where}: {error}") from None


@dataclass(frozen=True)
class Bypass:
    """One item of no_proxy: a name with all below it, or a network; perhaps one port only."""

    name: str
    below_only: bool
    network: Optional[Union[ipaddress.IPv4Network, ipaddress.IPv6Network]]
    port: Optional[int]

    def holds(self, target: Target) -> bool:
        if self.port not in (None, target.port):
            return False
        if self.name == "*":
            return True
        if self.network is not None:
            return is_address(target.host) and ipaddress.ip_address(target.host) in self.network
        return target.host.endswith("." + self.name) or (target.host == self.name and not self.below_only)


class EnvironmentSettings:
    """The settings in a set of variables; *where* they come from goes into the errors."""

    def __init__(self, variables: Mapping[str, str], where: str) -> None:
        self._where = where
        self._proxies: Dict[str, Tuple[str, str]] = {}
        for scheme in ("http", "https", "all"):
            found = _setting(variables, f"{scheme}_proxy")
            if found is not None:
                self._proxies[scheme] = found
        bypasses = _setting(variables, "no_proxy")
        items = _NO_PROXY.split(bypasses[1]) if bypasses else []
        self._bypasses = [bypass for bypass in map(_bypass, items) if bypass is not None]

    def of(self, target: Target) -> Optional[Proxy]:
        """The proxy of a target, or None for the direct way. A bare TCP port goes as https does."""
        scheme = "http" if target.scheme == "http" else "https"
        name, value = self._proxies.get(scheme) or self._proxies.get("all") or ("", "")
        if not value or any(bypass.holds(target) for bypass in self._bypasses):
            return None
        return proxy_of("HTTP", value, f"{name} in {self._where}")


def _setting(variables: Mapping[str, str], name: str) -> Optional[Tuple[str, str]]:
    """Lower case goes before upper case, and is the last word also when it is empty."""
    for written in (name, name.upper()):
        # In a CGI program HTTP_PROXY comes from whoever sent the request.
        if written in variables and not (written == "HTTP_PROXY" and "REQUEST_METHOD" in variables):
            value = variables[written].strip()
            return (written, value) if value else None
    return None


def _bypass(item: str) -> Optional[Bypass]:
    text = item.lower().rstrip(".")
    if not text:
        return None
    network = _network(text)
    if network is not None:
        return Bypass("", False, network, None)
    name, port = text, None
    head, colon, tail = text.rpartition(":")
    if colon and tail.isdigit() and (":" not in head or head.endswith("]")):
        name, port = head, int(tail)
    network = _network(name)
    if network is not None:
        return Bypass("", False, network, port)
    below_only = name.startswith("*.")
    name = name if name == "*" else name.lstrip("*").lstrip(".")
    return Bypass(name, below_only, None, port) if name else None


def _network(text: str) -> Optional[Union[ipaddress.IPv4Network, ipaddress.IPv6Network]]:
    try:
        return ipaddress.ip_network(text[1:-1] if text.startswith("[") and text.endswith("]") else text, strict=False)
    except ValueError:
        return None


def environment_file(text: str) -> Dict[str, str]:
    """The variables in the text of /etc/environment: NAME=value, perhaps quoted, perhaps after the word export."""
    found: Dict[str, str] = {}
    for line in text.splitlines():
        match = None if line.lstrip().startswith("#") else _LINE.fullmatch(line)
        if match is not None:
            value = match.group(2).strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[match.group(1)] = value[1:-1] if quoted else value
    return found
