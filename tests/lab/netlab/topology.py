# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as data: which networks there are, which hosts, what runs on them.

Everything else in this folder only reads these tables. To add a host, add a row to HOSTS
(README.md shows one) and, where it needs files of its own, a folder site/<host>/.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

IPInterface = ipaddress.IPv4Interface | ipaddress.IPv6Interface


@dataclass(frozen=True)
class Network:
    """An Ethernet segment: a bridge inside the switch, never on the machine itself."""

    name: str
    ipv4: ipaddress.IPv4Network
    ipv6: ipaddress.IPv6Network

    def addresses(self, number: int) -> tuple[IPInterface, IPInterface]:
        """The number-th address of the network, both families, with prefix length."""
        return (
            ipaddress.ip_interface(f"{self.ipv4[number]}/{self.ipv4.prefixlen}"),
            ipaddress.ip_interface(f"{self.ipv6[number]}/{self.ipv6.prefixlen}"),
        )


@dataclass(frozen=True)
class Nic:
    """A host's leg in a network; further numbers are further addresses of the same leg."""

    network: str
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Service:
    """A program that belongs to a host: run `prepare`, start `command`, wait until `ready` accepts."""

    name: str
    command: tuple[str, ...]
    ready: tuple[str, int]
    prepare: tuple[tuple[str, ...], ...] = ()
    folders: tuple[tuple[str, str], ...] = ()  # (folder, owner): made empty, and the host's own
    logs: tuple[tuple[str, str], ...] = ()  # (folder under /var/log, owner): also seen outside, in .lab/logs/<host>


@dataclass(frozen=True)
class Host:
    """A machine of the lab: one network, mount, process, name and IPC namespace."""

    name: str
    nics: tuple[Nic, ...] = ()
    gateway: tuple[str, int] | None = None
    routes: tuple[tuple[str, str, int], ...] = ()  # (network, via this network, number in it)
    forwards: bool = False
    owns_every_address: bool = False
    trusts_company: bool = False
    users: tuple[str, ...] = ()
    etc: tuple[str, ...] = ()  # folders of /etc that start as the packages have them, whatever the machine has there
    secrets: tuple[tuple[str, str], ...] = ()  # (file on the host, file of .lab/pki)
    resolver: tuple[str, int] | None = None  # (network, number in it) of the host that it asks; None: the lab's DNS
    services: tuple[Service, ...] = ()
    group: str | None = None  # its group in the inventory; None: nobody logs in
    variables: tuple[tuple[str, str | tuple[str, ...]], ...] = ()


def _network(name: str, ipv4: str, ipv6: str) -> Network:
    return Network(name, ipaddress.IPv4Network(ipv4), ipaddress.IPv6Network(ipv6))


NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (
        _network("office", "10.20.0.0/24", "fd00:20::/64"),
        _network("branch", "10.30.0.0/24", "fd00:30::/64"),
        _network("uplink", "192.0.2.0/24", "fd00:2::/64"),
        _network("stranger", "203.0.113.0/24", "fd00:113::/64"),
    )
}

# Every name gets an address of its own out of these two; both are reserved for tests, so an address
# that turns up in a log is known at a glance.
NAME_POOL_IPV4 = ipaddress.IPv4Network("198.18.0.0/15")
NAME_POOL_IPV6 = ipaddress.IPv6Network("2001:db8:18::/64")

DNS_NUMBER = 53
GATEWAY_NUMBER = 1
PROXY_NUMBER = 10
VIP_NUMBER = 99  # a second address: of desktop2, where the proxy never inspects; of desktop3, outside of the clients
FIREWALL_NUMBER = 30
WEB_NUMBER = 20
PROXY_PORT = 3128
PLAIN_PROXY_PORT = 3129
BLOCK_PAGE = "block.example"  # where the proxy's redirector sends people: a server that knows no name but its own
TENANT = "contoso"
PROXY_USER = "demo"
PROXY_PASSWORD = "lab-only"  # of the lab's own proxy; its hash is in site/proxy1/etc/squid/passwords

C_ICAP = Service(
    name="c-icap",
    command=("c-icap", "-f", "/etc/c-icap/c-icap.conf"),
    ready=("127.0.0.1", 1344),
    folders=(("/run/c-icap", "c-icap"),),
    logs=(("c-icap", "c-icap"),),
)
SQUID = Service(
    name="squid",
    prepare=(
        ("/usr/lib/squid/security_file_certgen", "-c", "-s", "/var/spool/squid/ssl_db", "-M", "16MB"),
        ("chown", "-R", "proxy:proxy", "/var/spool/squid"),
        ("chown", "root:proxy", "/etc/squid/passwords"),
        ("chmod", "640", "/etc/squid/passwords"),
    ),
    command=("squid",),
    ready=("127.0.0.1", PROXY_PORT),
    folders=(("/var/spool/squid", "proxy"),),
    logs=(("squid", "proxy"),),
)
DNSMASQ = Service(
    name="dnsmasq",
    prepare=(("nft", "-f", "/etc/nftables.conf"),),
    command=("dnsmasq", "--conf-file=/etc/dnsmasq.conf"),
    ready=("127.0.0.1", DNS_NUMBER),
    folders=(("/run/dnsmasq", "dnsmasq"),),
    logs=(("dnsmasq", "dnsmasq"),),
)
NGINX = Service(
    name="nginx",
    command=("nginx",),
    ready=("127.0.0.1", 80),
    folders=(("/var/lib/nginx", "www-data"), ("/var/www", "www-data"), ("/etc/nginx/snippets", "root")),
    logs=(("nginx", "www-data"),),
)
INTERNET = Service(
    name="internet",
    command=("@python", "-I", "@lab/internet_main.py"),
    ready=("127.0.0.1", 443),
    logs=(("web", "root"),),
)

HOSTS: dict[str, Host] = {
    host.name: host
    for host in (
        Host(name="switch"),
        Host(
            name="internet",
            nics=(Nic("uplink", (GATEWAY_NUMBER, DNS_NUMBER)),),
            routes=(
                ("office", "uplink", PROXY_NUMBER),
                ("stranger", "uplink", PROXY_NUMBER),
                ("branch", "uplink", FIREWALL_NUMBER),
            ),
            owns_every_address=True,
            services=(INTERNET,),
        ),
        Host(
            name="proxy1",
            nics=(
                Nic("office", (PROXY_NUMBER, GATEWAY_NUMBER)),
                Nic("uplink", (PROXY_NUMBER,)),
                Nic("stranger", (PROXY_NUMBER, GATEWAY_NUMBER)),
            ),
            gateway=("uplink", GATEWAY_NUMBER),
            forwards=True,
            users=("c-icap",),
            etc=("squid", "c-icap"),
            secrets=(("/etc/squid/company-ca.pem", "company-ca-with-key.pem"),),
            services=(C_ICAP, SQUID),
            group="egress_appliances",
            variables=(("egress_appliance", "squid"),),
        ),
        Host(
            name="firewall1",
            nics=(Nic("branch", (GATEWAY_NUMBER,)), Nic("uplink", (FIREWALL_NUMBER,))),
            gateway=("uplink", GATEWAY_NUMBER),
            forwards=True,
            users=("dnsmasq",),
            etc=("dnsmasq.d",),
            services=(DNSMASQ,),
            group="egress_appliances",
            variables=(
                ("egress_appliance", "nftables"),
                ("egress_clients", ("10.30.0.0/26", "fd00:30::/122")),
                ("egress_widen", "any"),  # dnsmasq has no wildcard inside a name, and the document has six
            ),
        ),
        Host(
            name="desktop1",
            nics=(Nic("office", (11,)),),
            gateway=("office", GATEWAY_NUMBER),
            trusts_company=True,
            group="managed_hosts",
        ),
        Host(
            name="desktop2",
            nics=(Nic("office", (12, VIP_NUMBER)),),
            gateway=("office", GATEWAY_NUMBER),
            trusts_company=True,
            group="managed_hosts",
        ),
        Host(
            name="desktop3",
            nics=(Nic("branch", (13, VIP_NUMBER)),),
            gateway=("branch", GATEWAY_NUMBER),
            resolver=("branch", GATEWAY_NUMBER),
            trusts_company=True,
            group="managed_hosts",
        ),
        Host(
            name="web1",
            nics=(Nic("office", (WEB_NUMBER,)),),
            gateway=("office", GATEWAY_NUMBER),
            etc=("nginx",),
            services=(NGINX,),
            group="egress_publishers",
        ),
        Host(
            name="outsider",
            nics=(Nic("stranger", (20,)),),
            gateway=("stranger", GATEWAY_NUMBER),
            group="lab_others",
        ),
    )
}


def address_of(host: str, network: str) -> str:
    """The first IPv4 address of a host in a network."""
    nic = next(nic for nic in HOSTS[host].nics if nic.network == network)
    return str(NETWORKS[network].ipv4[nic.numbers[0]])


def proxy_url(network: str) -> str:
    return f"http://{address_of('proxy1', network)}:{PROXY_PORT}"


def dns_addresses() -> tuple[str, str]:
    """The addresses where the lab's DNS answers."""
    return _both("uplink", DNS_NUMBER)


def nameservers(host: Host) -> tuple[str, str]:
    """The addresses where a host asks: the lab's DNS, or the resolver beside it."""
    return _both(*host.resolver) if host.resolver else dns_addresses()


def _both(network: str, number: int) -> tuple[str, str]:
    return str(NETWORKS[network].ipv4[number]), str(NETWORKS[network].ipv6[number])
