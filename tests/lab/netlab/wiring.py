# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `ip -batch` texts that wire the hosts to each other. Pure: topology in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .topology import HOSTS, NETWORKS, Host, Nic


def switch_batch(pids: Mapping[str, int]) -> str:
    """Run inside the switch: a bridge per network, a cable per leg; the other end goes straight into the host.

    `pids` are the hosts' process ids as the machine sees them.
    """
    lines: list[str] = []
    for network in NETWORKS:
        lines.append(f"link add br-{network} type bridge stp_state 0 forward_delay 0 mcast_snooping 0")
        lines.append(f"link set br-{network} up")
    for port, (host, leg, nic) in enumerate(_legs()):
        lines.append(f"link add port{port} type veth peer name eth{leg} netns {pids[host]}")
        lines.append(f"link set port{port} master br-{nic.network} up")
    return "\n".join(lines) + "\n"


def host_batch(host: Host) -> str:
    """Run inside a host once its cables are there."""
    lines = ["link set lo up"]
    for leg, nic in enumerate(host.nics):
        lines.append(f"link set eth{leg} up")
        lines += [f"address add {address} dev eth{leg}" for address in _addresses(nic)]
    if host.gateway:
        network, number = host.gateway
        lines += [f"route add default via {address.ip}" for address in NETWORKS[network].addresses(number)]
    lines += _any_ip(host) if host.owns_every_address else _routes(host, "main")
    return "\n".join(lines) + "\n"


def sysctls(host: Host) -> list[tuple[str, str]]:
    settings = [
        ("net/ipv4/conf/all/rp_filter", "0"),
        ("net/ipv4/conf/default/rp_filter", "0"),
        ("net/ipv6/conf/all/accept_ra", "0"),
        ("net/ipv6/conf/default/accept_ra", "0"),
        # No waiting for duplicate address detection: we hand the addresses out.
        ("net/ipv6/conf/default/accept_dad", "0"),
        ("net/ipv6/conf/default/disable_ipv6", "0" if host.nics else "1"),
    ]
    if host.forwards:
        settings += [("net/ipv4/ip_forward", "1"), ("net/ipv6/conf/all/forwarding", "1")]
    return settings


def _legs() -> Iterator[tuple[str, int, Nic]]:
    for host in HOSTS.values():
        for leg, nic in enumerate(host.nics):
            yield host.name, leg, nic


def _addresses(nic: Nic) -> Iterator[str]:
    for number in nic.numbers:
        ipv4, ipv6 = NETWORKS[nic.network].addresses(number)
        yield str(ipv4)
        # Who does not say from where it asks, asks from the first address.
        yield f"{ipv6} nodad" + ("" if number == nic.numbers[0] else " preferred_lft 0")


def _routes(host: Host, table: str) -> list[str]:
    return [
        f"route add {destination} via {via.ip} table {table}"
        for network, via_network, number in host.routes
        for destination, via in zip(
            (NETWORKS[network].ipv4, NETWORKS[network].ipv6), NETWORKS[via_network].addresses(number), strict=True
        )
    ]


def _any_ip(host: Host) -> list[str]:
    """Make every address there is one of the host's own.

    The way back to the clients has to stand in table `local` too, more specific than the default there:
    a separate table with an `ip rule` makes every client a martian.
    """
    own = [
        f"route add {prefix} dev eth{leg} table local"
        for leg, nic in enumerate(host.nics)
        for prefix in (NETWORKS[nic.network].ipv4, NETWORKS[nic.network].ipv6, "fe80::/64")
    ]
    everything = [f"route add local {prefix} dev lo table local" for prefix in ("0.0.0.0/0", "::/0")]
    return [*own, *_routes(host, "local"), *everything]
