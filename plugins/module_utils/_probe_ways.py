# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which way does a target go: direct, or through which proxies, and in which order?"""

from __future__ import annotations

import os
import socket
from typing import Callable, Dict, List, Mapping, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_run import PacFile
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, Resolver, StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_pac import pac_text
from ansible_collections.egress.allowlist.plugins.module_utils._probe_settings import (
    EnvironmentSettings,
    WayError,
    environment_file,
    proxy_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import (
    DEFAULT_PORTS,
    Proxy,
    Target,
    bracketed,
    parse_proxy,
)

ENVIRONMENT_FILE = "/etc/environment"
# No packet is sent to these: the kernel only says which of the host's addresses it would use.
_FAR = ((socket.AF_INET, "8.8.8.8"), (socket.AF_INET6, "2001:4860:4860::8888"))
_KINDS = ("PROXY", "HTTP", "HTTPS", "QUIC", "SOCKS", "SOCKS4", "SOCKS5")
Way = List[Optional[Proxy]]


class Ways:
    """The way of each target. *source* says in one line where that is known from; empty where all go direct."""

    def __init__(self, choose: Callable[[Target], Way], source: str) -> None:
        self.source = source
        self._choose = choose
        self._known: Dict[Tuple[str, str, int, str], Way] = {}

    def of(self, target: Target) -> Way:
        """The proxies to be tried in this order, None is the direct way; WayError where the probe cannot go it.

        A datagram passes no HTTP proxy, so it goes direct. A script is asked once for each URL, whatever the family.
        """
        if target.scheme == "udp":
            return [None]
        key = (target.scheme, target.host, target.port, target.path)
        if key not in self._known:
            self._known[key] = self._choose(target)
        return list(self._known[key])


def ways(
    proxy: str = "",
    pac: str = "",
    proxy_settings: str = "none",
    timeout: float = 5.0,
    resolve: Optional[Callable[[str], List[str]]] = None,
    environment: Optional[Mapping[str, str]] = None,
    file: str = ENVIRONMENT_FILE,
) -> Ways:
    """From the options of the probe, of which one at most may be set.

    A PAC file is got here, once, within *timeout* seconds: PacError where that fails. *resolve* gives the addresses of
    a name to it (see resolving()). *environment* and *file* stand in for the process and /etc/environment in tests.
    """
    if proxy:
        fixed = parse_proxy(proxy)
        return Ways(lambda _target: [fixed], fixed.url)
    if pac:
        return _by_pac(PacFile(pac_text(pac, timeout), pac, resolve or (lambda _host: []), _once(own_addresses)))
    if proxy_settings == "none":
        return Ways(lambda _target: [None], "")
    if proxy_settings == "user":
        settings = EnvironmentSettings(os.environ if environment is None else environment, "the environment")
        return Ways(lambda target: [settings.of(target)], "the environment")
    settings = EnvironmentSettings(_system_variables(file), file)
    return Ways(lambda target: [settings.of(target)], file)


def resolving(resolver: Resolver, budget: Budget) -> Callable[[str], List[str]]:
    """What a PAC file resolves with: the cache of the probe, and no addresses where that fails."""

    def resolve(host: str) -> List[str]:
        try:
            return [address[0] for _family, address in resolver.resolve(host, 0, budget)]
        except (StepError, ValueError):
            return []

    return resolve


def _system_variables(path: str) -> Dict[str, str]:
    """A host without the file has no settings."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return environment_file(file.read(1 << 20))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WayError("proxy_settings", f"{path}: cannot be read: {error.strerror}") from None


def _by_pac(pac: PacFile) -> Ways:
    def choose(target: Target) -> Way:
        try:
            answers = pac.find(pac_url(target), target.host)
        except PacError as error:
            raise WayError("pac", f"{error}; the URL was {pac_url(target)}") from None
        return way_of(answers, f"PAC file {pac.where}")

    return Ways(choose, f"PAC file {pac.where}")


def pac_url(target: Target) -> str:
    """What a PAC file is shown of a target: as in browsers, of https no path; and a bare port looks like https."""
    scheme = "http" if target.scheme == "http" else "https"
    port = "" if target.port == DEFAULT_PORTS[scheme] else f":{target.port}"
    return f"{scheme}://{bracketed(target.host)}{port}{target.path if scheme == 'http' else '/'}"


def way_of(answers: List[str], where: str) -> Way:
    """The proxies of what a PAC file answered, up to the first that the probe does not speak to.

    WayError where that is the very first, since it is the one that a desktop would use.
    """
    found: Way = []
    for answer in answers:
        kind, _blank, address = answer.partition(" ")
        try:
            if kind.upper() == "DIRECT":
                found.append(None)
            elif kind.upper() in _KINDS and address:  # browsers leave out what they do not know
                found.append(proxy_of(kind, address, where))
        except WayError:
            if found:
                break
            raise
    return found or [None]


def own_addresses() -> List[str]:
    """The addresses of this host, the one towards the internet first; as Chromium finds them."""
    found = [address for family, far in _FAR for address in _own_towards(family, far)]
    return found or _own_by_name()


def _once(work: Callable[[], List[str]]) -> Callable[[], List[str]]:
    """A script may ask for each target again; the answer does not change within a run."""
    known: List[List[str]] = []

    def get() -> List[str]:
        if not known:
            known.append(work())
        return list(known[0])

    return get


def _own_towards(family: int, far: str) -> List[str]:
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((far, 53))
            return [str(sock.getsockname()[0])]
    except OSError:
        return []


def _own_by_name() -> List[str]:
    try:
        rows = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(row[4][0]) for row in rows))
