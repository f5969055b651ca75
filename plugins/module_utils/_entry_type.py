# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entry: a name pattern or a network, what it needs, and who asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Iterable

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._network import Network, parse_network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse
from ansible_collections.egress.allowlist.plugins.module_utils._ports import written

# Where two entries for the same thing differ, the one further left is kept.
CATEGORIES = ("optimize", "allow", "default")
RISKS = ("shared_hosting", "third_party", "retired")

HOST_PORTS = ("tcp/80", "tcp/443")
PATH_PORTS = ("tcp/80",)


@dataclass(frozen=True)
class Entry:
    """What may be reached. Canonical when it comes from ``normalise``, which also says what each default means."""

    type: str
    value: str
    path: str | None = None
    #: empty: the source states none
    ports: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    category: str | None = None
    required: bool = True
    critical: bool = False
    risk: str | None = None
    sources: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What makes two entries the same thing."""
        return self.type, self.value, self.path

    @cached_property
    def pattern(self) -> Pattern:
        """The names of a host entry."""
        if self.type != "host":
            raise AllowlistError(f"{self.value} is a network and has no pattern")
        return parse(self.value)

    @cached_property
    def network(self) -> Network:
        """The addresses of a network entry."""
        if self.type != "network":
            raise AllowlistError(f"{self.value} is a name and has no network")
        return parse_network(self.value)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Hosts by their labels from the right, then by path; then networks, IPv4 first, by address and prefix."""
        if self.type == "host":
            return self.type, self.pattern.sort_key, self.path or ""
        network = self.network
        return self.type, network.version, int(network.network_address), network.prefixlen

    def as_dict(self) -> dict[str, Any]:
        """The form that crosses a plugin boundary: lists and plain text, always in this order."""
        return {
            "type": self.type,
            "value": self.value,
            "path": self.path,
            "ports": list(self.ports),
            "groups": list(self.groups),
            "category": self.category,
            "required": self.required,
            "critical": self.critical,
            "risk": self.risk,
            "sources": list(self.sources),
        }

    def line(self, default_ports: Iterable[str] = ()) -> str:
        """One line for diffs: ``host *.x tcp/80,443``, ``host x/p.txt tcp/80``, ``network 198.51.100.0/24 tcp/443``."""
        ports = tuple(default_ports) if self.type == "network" and not self.ports else effective_ports(self)
        return f"{self.type} {self.value}{self.path or ''} {written(ports) or 'no ports stated'}"


def effective_ports(entry: Entry, default_ports: Iterable[str] = ()) -> tuple[str, ...]:
    """The ports that are meant: those of the entry, else what its kind stands for; *default_ports* for networks."""
    if entry.ports:
        return entry.ports
    if entry.type == "host":
        return PATH_PORTS if entry.path else HOST_PORTS
    ports = tuple(default_ports)
    if not ports:
        raise AllowlistError(f"the network {entry.value} states no ports, and that never means any port")
    return ports
