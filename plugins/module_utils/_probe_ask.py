# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options of a probe to its answers: the same for the module and for the script without a connection."""

from __future__ import annotations

import time
from typing import Any, Dict, List, Mapping

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, Resolver
from ansible_collections.egress.allowlist.plugins.module_utils._probe_run import Probe
from ansible_collections.egress.allowlist.plugins.module_utils._probe_scene import CONTROL_NAME
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import (
    Target,
    parse_control,
    parse_proxy,
    parse_target,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts, fingerprints
from ansible_collections.egress.allowlist.plugins.module_utils._probe_ways import resolving, ways


def run(options: Mapping[str, Any]) -> Dict[str, Any]:
    """Probe the targets; the other half of the options is for the action plugin."""
    check(options)
    budget = Budget(options["timeout"], options["deadline"])
    resolver = Resolver()
    probe = Probe(
        contexts=Contexts(
            options["public_ca_path"], options["inspection_ca_path"], options["public_fingerprints"] or []
        ),
        budget=budget,
        resolver=resolver,
        ways=ways(
            proxy=options["proxy"] or "",
            pac=options["pac"] or "",
            proxy_settings=options["proxy_settings"],
            timeout=options["timeout"],
            resolve=resolving(resolver, budget),
        ),
        threads=options["threads"],
        retries=options["retries"],
        min_tls=options["min_tls"],
        ranged=frozenset(target.url for target in _targets(options, "range_targets")),
        control=parse_control(options["control_name"]) if options["control_name"] else CONTROL_NAME,
    )
    start = time.monotonic()
    asked = [target.over(family) for target in _targets(options, "targets") for family in options["families"]]
    results = probe.run(asked)
    return {"changed": False, "results": results, "seconds": round(time.monotonic() - start, 3)}


def check(options: Mapping[str, Any]) -> None:
    """Refuse what cannot be asked for, as far as that is known without the host. Raises AllowlistError."""
    for name in ("timeout", "deadline", "threads"):
        if options[name] <= 0:
            raise AllowlistError(f"{name}: expected more than 0, got {options[name]}")
    if options["retries"] < 0:
        raise AllowlistError(f"retries: expected 0 or more, got {options['retries']}")
    if options["proxy_settings"] != "none" and (options["proxy"] or options["pac"]):
        raise AllowlistError("proxy_settings: only one of proxy, pac and proxy_settings says which way to go")
    if options["proxy"]:
        parse_proxy(options["proxy"])
        if options["families"] != ["any"]:
            raise AllowlistError("families: through a proxy it is the proxy that chooses between IPv4 and IPv6")
    if options["control_name"]:
        parse_control(options["control_name"])
    fingerprints(options["public_fingerprints"] or [])
    for name in ("targets", "range_targets"):
        _targets(options, name)


def _targets(options: Mapping[str, Any], name: str) -> List[Target]:
    return [parse_target(text, f"{name}[{index}]") for index, text in enumerate(options[name] or [])]
