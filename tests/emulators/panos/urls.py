# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a line of a URL list matches a URL, by the vendor's "Guidelines for URL Category Exceptions".

Tokens are what stands between ``. / ? & = ; +``. ``*`` is one or more tokens, ``^`` is one. A line that ends in a slash
says all of the host; one that does not goes on as if ``.*`` stood behind it, unless the firewall is told to append the
slash (*append ending token*, 10.2 and later, where it can be switched off). That ``*`` before the first slash stays
within the host is our reading: the guidelines speak of subdomains there.
"""

from __future__ import annotations

import re
from functools import cache

_SEPARATORS = "./?&=;+"
_TOKEN = "[^./?&=;+]+"
_HOST_TOKENS = rf"{_TOKEN}(?:\.{_TOKEN})*"
_PATH_TOKENS = rf"{_TOKEN}(?:[./?&=;+]+{_TOKEN})*"


def refused(text: str) -> str:
    """What is wrong with a line of a URL list, "" for nothing."""
    if not 1 <= len(text) <= 255:
        return f"can be at most 255 characters, but current length: {len(text)}"
    for token in re.split(r"[./?&=;+]", text):
        if token not in ("*", "^") and ("*" in token or "^" in token):
            return "a wildcard must be the only character of its token"
    return ""


def matches(line: str, host: str, path: str = "/", append_ending_token: bool = False) -> bool:
    if append_ending_token and "/" not in line and not line.endswith("*"):
        line += "/"
    return _pattern(line.lower()).fullmatch(host.lower() + path) is not None


@cache
def _pattern(line: str) -> re.Pattern[str]:
    host, slash, path = line.partition("/")
    text = _tokens(host, _HOST_TOKENS) + ("/" + _tokens(path, _PATH_TOKENS) if slash else "")
    return re.compile(text + _rest(line))


def _tokens(text: str, any_number: str) -> str:
    wild = {"*": any_number, "^": _TOKEN}
    return "".join(wild.get(part, re.escape(part)) for part in re.split(r"([./?&=;+])", text))


def _rest(line: str) -> str:
    """What may follow."""
    if line.endswith("/"):
        return ".*"
    return f"(?:[{re.escape(_SEPARATORS)}].*)?"
