# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the lookups' options to the settings of the web service."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Settings
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_trust import Limits

# Those of the fragment `web_service` that say how the list comes here, not which part of it is wanted.
NAMES = (
    "instance", "web_service_url", "cache_dir", "max_age", "stale", "offline", "max_shrink", "max_growth", "accept_new",
    "grace", "check_interval", "web_service_timeout", "web_service_ca_path", "read_only",
)  # fmt: skip
_AGE = re.compile(r"([0-9]{1,9})\s*([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def settings(options: Mapping[str, Any], *, checks: bool, scratch: str) -> Settings:
    """The settings. AllowlistError for a value that makes no sense.

    With *checks* nothing is written but to *scratch*, a folder that ends with the run.
    """
    for name, least, most in (("max_shrink", 0, 100), ("max_growth", 0, 10**6), ("grace", 0, 3650)):
        if not least <= options[name] <= most:
            raise AllowlistError(f"{name}: expected a number from {least} to {most}, got {options[name]}")
    if not 0 < options["web_service_timeout"] <= 600:
        raise AllowlistError(
            f"web_service_timeout: expected more than 0 and at most 600 seconds, got {options['web_service_timeout']:g}"
        )
    if "-" in (options["tenant"] or "") and not options["offline"]:
        raise AllowlistError(
            f"tenant: the web service takes letters and digits only, got {shown(options['tenant'])}. Without a tenant "
            "it gives the list with wildcards in place of its name"
        )
    ca_path = options["web_service_ca_path"]
    if ca_path and not os.path.exists(ca_path):
        raise AllowlistError(f"web_service_ca_path: there is no file {ca_path}")
    return Settings(
        instance=options["instance"],
        tenant=options["tenant"],
        url=options["web_service_url"],
        folder=options["cache_dir"],
        max_age=seconds_of(options["max_age"], "max_age"),
        stale=options["stale"],
        offline=options["offline"],
        limits=Limits(options["max_shrink"], options["max_growth"], options["accept_new"]),
        grace=options["grace"],
        check_interval=options["check_interval"],
        timeout=options["web_service_timeout"],
        ca_path=ca_path,
        writes=not (checks or options["read_only"]),
        scratch=os.path.join(scratch, "egress.allowlist"),
    )


def seconds_of(text: str, option: str) -> int:
    """``7d``, ``36h``, ``90m`` or ``3600`` as seconds."""
    match = _AGE.fullmatch(str(text).strip().lower())
    if match is None:
        raise AllowlistError(f"{option}: expected a time such as 7d, 36h or 3600, got {shown(str(text))}")
    return int(match[1]) * _SECONDS[match[2]]
