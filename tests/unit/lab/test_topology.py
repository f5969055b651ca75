# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the lab do not contradict each other, nor the site's files."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.tests.lab.netlab import topology, wiring
from ansible_collections.egress.allowlist.tests.lab.netlab.topology import HOSTS, NETWORKS

SITE = Path(topology.__file__).parents[1] / "site"
SQUID = SITE / "proxy1" / "etc" / "squid"
FIREWALL = SITE / "firewall1" / "etc"


def test_no_address_is_given_twice() -> None:
    given = [(nic.network, number) for host in HOSTS.values() for nic in host.nics for number in nic.numbers]
    assert [address for address, count in Counter(given).items() if count > 1] == []


def test_networks_and_the_pools_of_names_do_not_overlap() -> None:
    ipv4 = [network.ipv4 for network in NETWORKS.values()] + [topology.NAME_POOL_IPV4]
    ipv6 = [network.ipv6 for network in NETWORKS.values()] + [topology.NAME_POOL_IPV6]
    assert not any(one.overlaps(other) for one, other in combinations(ipv4, 2))
    assert not any(one.overlaps(other) for one, other in combinations(ipv6, 2))


@pytest.mark.parametrize("host", [host for host in HOSTS.values() if host.gateway], ids=lambda host: host.name)
def test_a_gateway_is_a_forwarding_host_in_the_same_network(host: topology.Host) -> None:
    assert host.gateway
    network, number = host.gateway
    assert network in {nic.network for nic in host.nics}
    owners = [
        other for other in HOSTS.values() for nic in other.nics if nic.network == network and number in nic.numbers
    ]
    assert [owner.forwards or owner.owns_every_address for owner in owners] == [True]


def test_a_folder_of_files_belongs_to_a_host() -> None:
    assert {path.name for path in SITE.iterdir()} <= {"all", *HOSTS}


@pytest.mark.parametrize("family", [4, 6])
def test_the_proxys_policy_knows_the_networks(family: int) -> None:
    text = (SQUID / "squid.conf").read_text(encoding="utf-8")
    for acl, name in (("office", "office"), ("guests", "stranger")):
        network = NETWORKS[name]
        line = re.search(rf"^acl {acl} src (.+)$", text, re.MULTILINE)
        assert line
        assert str(network.ipv4 if family == 4 else network.ipv6) in line[1].split()


def test_the_proxys_vip_is_an_address_of_a_desktop() -> None:
    line = re.search(r"^acl vip src (.+)$", (SQUID / "conf.d" / "90-inspection.conf").read_text(), re.MULTILINE)
    assert line
    assert line[1].split() == [str(address.ip) for address in NETWORKS["office"].addresses(topology.VIP_NUMBER)]


def test_the_proxy_listens_where_the_inventory_says() -> None:
    ports = re.findall(r"^http_port (\d+)", (SQUID / "squid.conf").read_text(encoding="utf-8"), re.MULTILINE)
    assert ports == [str(topology.PROXY_PORT), str(topology.PLAIN_PROXY_PORT)]
    assert topology.proxy_url("office") == "http://10.20.0.10:3128"


def test_a_squid_rule_of_the_site_stands_behind_debians_include_line() -> None:
    lines = (SQUID / "squid.conf").read_text(encoding="utf-8").splitlines()
    include = lines.index("include /etc/squid/conf.d/*.conf")
    before = [line for line in lines[:include] if line.startswith(("http_access", "url_rewrite", "ssl_bump"))]
    assert before == [
        "http_access deny !Safe_ports",
        "http_access deny CONNECT !SSL_ports",
        "http_access allow localhost manager",
        "http_access deny manager",
    ]


def test_each_leg_gets_one_cable_into_the_right_process() -> None:
    pids = {name: 1000 + number for number, name in enumerate(HOSTS)}
    cables = re.findall(r"peer name (eth\d) netns (\d+)", wiring.switch_batch(pids))
    expected = [(f"eth{leg}", str(pids[host.name])) for host in HOSTS.values() for leg, _unused in enumerate(host.nics)]
    assert cables == expected
    names = re.findall(r"^link add (\S+)", wiring.switch_batch(pids), re.MULTILINE)
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 15


def test_a_desktop_reaches_everything_through_its_gateway() -> None:
    batch = wiring.host_batch(HOSTS["desktop1"]).splitlines()
    assert "address add 10.20.0.11/24 dev eth0" in batch
    assert [line for line in batch if line.startswith("route")] == [
        "route add default via 10.20.0.1",
        "route add default via fd00:20::1",
    ]


def test_the_way_back_is_there_before_every_address_is_the_internets_own() -> None:
    batch = [line for line in wiring.host_batch(HOSTS["internet"]).splitlines() if line.startswith("route")]
    assert batch[-2:] == [
        "route add local 0.0.0.0/0 dev lo table local",
        "route add local ::/0 dev lo table local",
    ]
    assert "route add 10.20.0.0/24 via 192.0.2.10 table local" in batch
    assert "route add fd00:113::/64 via fd00:2::a table local" in batch
    assert all(line.endswith("table local") for line in batch)


def test_only_who_forwards_forwards() -> None:
    forwarding = {name for name, host in HOSTS.items() if ("net/ipv4/ip_forward", "1") in wiring.sysctls(host)}
    assert forwarding == {"firewall1", "proxy1"}


def test_a_second_ipv6_address_is_not_the_one_to_ask_from() -> None:
    batch = wiring.host_batch(HOSTS["desktop3"]).splitlines()
    assert [line for line in batch if "fd00:30::" in line and line.startswith("address")] == [
        "address add fd00:30::d/64 nodad dev eth0",
        "address add fd00:30::63/64 nodad preferred_lft 0 dev eth0",
    ]


def test_the_branchs_resolver_listens_where_its_desktop_asks_and_asks_the_labs_dns() -> None:
    lines = (FIREWALL / "dnsmasq.conf").read_text(encoding="utf-8").splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert settings["listen-address"].split(",") == ["127.0.0.1", *topology.nameservers(HOSTS["desktop3"])]
    assert settings["server"] in topology.nameservers(HOSTS["desktop1"])
    assert settings["pid-file"].startswith(f"{topology.DNSMASQ.folders[0][0]}/")
    assert settings["user"] == topology.DNSMASQ.folders[0][1]


def test_the_firewalls_clients_are_the_first_address_of_the_desktop_and_not_the_second() -> None:
    clients = [ipaddress.ip_network(text) for text in dict(HOSTS["firewall1"].variables)["egress_clients"]]
    inside, outside = (NETWORKS["branch"].addresses(number) for number in HOSTS["desktop3"].nics[0].numbers)
    assert all(any(address.ip in network for network in clients) for address in inside)
    assert not any(address.ip in network for network in clients for address in outside)


def test_the_firewall_takes_questions_from_the_branch_only() -> None:
    text = (FIREWALL / "nftables.conf").read_text(encoding="utf-8")
    leg = [nic.network for nic in HOSTS["firewall1"].nics].index("branch")
    assert re.findall(r'iifname "(eth\d)" .* dport (\d+) accept', text) == [(f"eth{leg}", str(topology.DNS_NUMBER))]
    assert text.count("policy drop;") == 2
