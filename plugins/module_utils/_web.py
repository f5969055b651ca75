# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of an entry an appliance carries that knows names in web traffic only, whatever its port. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._entry_type import HOST_PORTS
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict


def on_the_web(holding: Holding) -> Tuple[Optional[Holding], Optional[Verdict]]:
    """What of a name such an appliance carries, and a verdict for what it does not."""
    entry = holding.entry
    if entry.type == "network":
        return holding, None
    ports = effective_ports(entry)
    kept = tuple(port for port in ports if port in HOST_PORTS)
    if kept == ports:
        return holding, None
    lost = f"{', '.join(port for port in ports if port not in kept)}: not of the web, so it leaves through the firewall"
    rest = replace(holding, entry=replace(entry, ports=kept)) if kept else None
    written = (rest.entry.line(()),) if rest else ()
    return rest, Verdict(entry.line(()), holding.intents, lost=lost, loses="foreign", written=written)


def with_all_ports(
    old: Optional[Verdict], entry: Entry, intents: Sequence[str], lines: Sequence[str]
) -> Optional[Verdict]:
    """The verdict of a name that was asked for on one port of the web, and is held on both."""
    if entry.path is not None or effective_ports(entry) == HOST_PORTS:
        return old
    old = old or Verdict(entry.line(()), tuple(intents), written=tuple(lines))
    gained = "the same name on the other port of the web"
    gains = "address" if old.gains == "none" else old.gains
    return replace(old, gained=f"{old.gained}, {gained}" if old.gained else gained, gains=gains)
