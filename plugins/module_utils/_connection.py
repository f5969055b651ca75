# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an appliance's API is reached: the options of the fragment ``connection``, checked."""

from __future__ import annotations

import os
import re
from typing import Any, Dict, Mapping, Optional, Sequence
from urllib.parse import urlsplit

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpSession, checked_url

CONNECTION_SPEC: Dict[str, Any] = {
    "host": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "proxy_url": {"type": "str", "no_log": True},
    "timeout": {"type": "int", "default": 60},
    "wait_timeout": {"type": "int", "default": 600},
    "activate": {"type": "bool", "default": True},
}
UNVERIFIED = (
    "validate_certs: false: anyone on the way can pose as the appliance and read its credentials. Give ca_path the "
    "appliance's own certificate, or that of the authority that signed it"
)

DISTRUST = "Give ca_path the certificate of the authority that signed the appliance's own, and host the name in it"


class Connection:
    """The checked options; ``session`` opens nothing by itself."""

    def __init__(self, options: Mapping[str, Any], fixed_host: str = "") -> None:
        self._options = options
        self.base_url = base_url(fixed_host or options["host"] or "")
        self.wait_timeout: int = _seconds(options, "wait_timeout", 0)
        self._timeout = _seconds(options, "timeout", 1)
        ca_path = options["ca_path"]
        if ca_path is not None and not os.path.isfile(ca_path):
            raise AllowlistError(f"ca_path: {shown(ca_path)} is no file on the control node")
        if options["proxy_url"]:
            _require_proxy(options["proxy_url"])

    def session(self) -> HttpSession:
        options = self._options
        return HttpSession(
            timeout=self._timeout,
            ca_path=options["ca_path"],
            verify=options["validate_certs"],
            proxy=options["proxy_url"],
            distrust=DISTRUST,
        )

    def warnings(self) -> Sequence[str]:
        return () if self._options["validate_certs"] else (UNVERIFIED,)


def base_url(host: str) -> str:
    """``fw1.example.net``, ``fw1.example.net:8443`` or a URL, as a URL without a slash at its end."""
    if not host:
        raise AllowlistError("host: expected the name or address of the appliance, got nothing")
    if "://" in host:
        return checked_url(host, "host")
    literal = f"[{host}]" if re.fullmatch(r"[0-9A-Fa-f:]+:[0-9A-Fa-f:.]+", host) and host.count(":") > 1 else host
    url = f"https://{literal}"
    if _has_path(url) or re.search(r"[\s?#@\\]", host):
        raise AllowlistError(f"host: expected a name, name:port or a URL, got {shown(host)}")
    return checked_url(url, "host")


def _has_path(url: str) -> bool:
    try:
        return bool(urlsplit(url).path)
    except ValueError:  # a bracket that is not closed, or a character that becomes a slash
        return True


def credential(options: Mapping[str, Any], option: str, *variables: str) -> Optional[str]:
    """An option, else the first of these environment variables that is set; one line of printable text."""
    found = options.get(option) or next((os.environ[name] for name in variables if os.environ.get(name)), None)
    if found is not None and (not found.isprintable() or found != found.strip()):
        # Its value is not for the eyes of whoever reads this.
        raise AllowlistError(f"{option}: expected one line of printable text without blanks around it")
    return found


def _seconds(options: Mapping[str, Any], option: str, least: int) -> int:
    seconds: int = options[option]
    if not least <= seconds <= 86_400:
        raise AllowlistError(f"{option}: expected seconds from {least} to 86400, got {seconds}")
    return seconds


def _require_proxy(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_right = False
    if not is_right or not url.isprintable():
        raise AllowlistError("proxy_url: expected a URL such as http://proxy.example.com:3128 (its text is not shown)")
