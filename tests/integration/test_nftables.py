# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The firewall, with real nftables and a real dnsmasq: what a desktop behind it reaches, and what it does not."""

from __future__ import annotations

from typing import Any

import inlab
import pytest
from inlab import ACCEPT_MARK, ESTABLISHED, Firewall, lookup, on, reach

CLIENT, OUTSIDER = "10.30.0.13", "10.30.0.99"
OUTSIDER6 = "fd00:30::63"
NETWORK = {"value": "198.51.100.0/24", "ports": ["tcp/443", "tcp/8000-8010"], "groups": ["servers"]}
NETWORK6 = {"value": "2001:db8:51::/48", "ports": ["tcp/443"], "groups": ["servers"]}
INSIDE, INSIDE6 = "198.51.100.7", "2001:db8:51::7"


def outcome(host: str, port: int = 443, *, source: str | None = None) -> str:
    return reach("desktop3", [(host, port)], source=source)[host, port]


def outcomes(*asks: tuple[str, int], source: str | None = None) -> list[str]:
    found = reach("desktop3", list(asks), source=source)
    return [found[one] for one in asks]


# Networks and ports


@pytest.mark.parametrize(("inside", "beside", "outsider"), [
    (INSIDE, "198.51.101.7", OUTSIDER), (INSIDE6, "2001:db8:52::7", OUTSIDER6),
])
def test_networks_with_their_ports_and_nothing_beside_them(
    firewall: Firewall, inside: str, beside: str, outsider: str
) -> None:
    assert outcome(inside) == "timeout"
    answer = firewall.run(entries=[NETWORK, NETWORK6])
    assert answer["changed"]
    assert answer["rules"] == ["meta mark & 0x00010000 == 0x00010000 accept"]
    assert outcomes((inside, 443), (inside, 444), (inside, 80), (beside, 443)) == ["open"] + ["timeout"] * 3
    assert outcome(inside, source=outsider) == "timeout"
    assert not firewall.run(entries=[NETWORK, NETWORK6])["changed"]


def test_ranges_of_ports_and_udp(firewall: Firewall) -> None:
    firewall.run(entries=[NETWORK, {"value": "100.64.7.128/25", "ports": ["udp/3478-3481"]}])
    # Nothing listens there: an answer that it is refused is proof that the packet came through.
    assert outcomes((INSIDE, 7999), (INSIDE, 8000), (INSIDE, 8010), (INSIDE, 8011)) == [
        "timeout", "refused", "refused", "timeout",
    ]
    asks = [("100.64.7.200", port) for port in (3477, 3478, 3481, 3482)]
    assert list(reach("desktop3", asks, udp=True).values()) == ["timeout", "refused", "refused", "timeout"]
    assert outcome("100.64.7.200", 3478) == "timeout"


def test_entries_inside_each_other(firewall: Firewall) -> None:
    nested = [
        {"value": "198.51.100.0/24", "ports": ["tcp/443"]},
        {"value": "198.51.100.0/28", "ports": ["tcp/443", "tcp/8000"]},
        {"value": "198.51.100.7", "ports": ["tcp/7990-8005"]},
    ]
    firewall.run(entries=nested)
    asks = [("198.51.100.200", 443), ("198.51.100.200", 8000), ("198.51.100.9", 8000), ("198.51.100.9", 7995),
            ("198.51.100.7", 7995)]
    assert outcomes(*asks) == ["open", "timeout", "refused", "timeout", "refused"]
    gathered = firewall.run(state="gathered")["gathered"]
    assert [(one["value"], one["ports"]) for one in gathered] == [
        ("198.51.100.0/24", ["tcp/443"]),
        ("198.51.100.0/28", ["tcp/443", "tcp/8000"]),
        ("198.51.100.7/32", ["tcp/7990-8005"]),
    ]
    firewall.run(entries=nested[1:])
    assert outcomes(*asks) == ["timeout", "timeout", "refused", "timeout", "refused"]


# The three ways to attach


def test_mark_is_an_error_until_the_site_accepts_it(firewall: Firewall) -> None:
    firewall.load_site(ESTABLISHED)
    answer = firewall.run(entries=[NETWORK], fails=True)
    assert "chain forward of table inet filter" in answer["msg"]
    assert "meta mark & 0x00010000 == 0x00010000 accept" in answer["msg"]
    assert outcome(INSIDE) == "timeout"
    firewall.load_site(ESTABLISHED, ACCEPT_MARK)
    again = firewall.run(entries=[NETWORK])
    assert again["changed"]  # the site's file begins with `flush ruleset`
    assert outcome(INSIDE) == "open"


def test_mark_without_a_rule_about_established_connections(firewall: Firewall) -> None:
    firewall.load_site(ACCEPT_MARK)
    firewall.run(entries=[NETWORK, "www.example.org"], widen="apex")
    assert outcomes((INSIDE, 443), ("www.example.org", 443)) == ["open", "open"]  # the answers carry the mark too


def test_a_mark_of_somebody_else_is_no_pass(firewall: Firewall) -> None:
    firewall.run(entries=[NETWORK])
    firewall.nft("add table inet other; add chain inet other early { type filter hook prerouting priority -150 ; }")
    firewall.nft("add rule inet other early meta mark set 0x10000")
    assert outcomes(("198.51.101.7", 443), (INSIDE, 443)) == ["timeout", "open"]
    assert outcome("198.51.101.7", source=OUTSIDER) == "open"  # the site marks it itself, and it is no client of ours
    told = firewall.run(entries=[NETWORK])
    assert any("chain early of table inet other" in text for text in told["warnings"])


def test_own_is_the_default_deny_for_the_clients_alone(firewall: Firewall) -> None:
    firewall.load_site("accept")
    assert outcomes((INSIDE, 443), ("198.51.101.7", 443)) == ["open", "open"]
    firewall.run(entries=[NETWORK, "www.example.org"], attach="own")
    assert outcomes((INSIDE, 443), ("198.51.101.7", 443), ("www.example.org", 443)) == ["open", "timeout", "open"]
    assert outcome("198.51.101.7", source=OUTSIDER) == "open"
    assert not firewall.run(entries=[NETWORK, "www.example.org"], attach="own")["changed"]
    firewall.run(state="deleted")
    assert outcome("198.51.101.7") == "open"


def test_include_in_the_sites_own_table(firewall: Firewall) -> None:
    options: dict[str, Any] = {"attach": "include", "site_table": "inet filter"}
    entries = [NETWORK, NETWORK6, "www.example.org"]
    firewall.load_site(ESTABLISHED)
    missing = firewall.run(entries=entries, fails=True, **options)["msg"]
    assert 'include "/etc/egress_allowlist/egress_mmd.inc"' in missing
    assert "jump egress_mmd" in missing
    firewall.load_site(
        ESTABLISHED, "jump egress_mmd", outside='include "/etc/egress_allowlist/egress_mmd.inc"'
    )
    firewall.run(entries=entries, **options)  # what the site's reload has flushed comes back
    asks = [(INSIDE, 443), (INSIDE6, 443), ("198.51.101.7", 443), ("www.example.org", 443), ("www.example.net", 443)]
    assert outcomes(*asks) == ["open", "open", "timeout", "open", "timeout"]
    assert outcome(INSIDE, source=OUTSIDER) == "timeout"
    assert not firewall.run(entries=entries, **options)["changed"]
    firewall.run(entries=[NETWORK6, "www.example.org"], **options)
    assert outcomes(*asks) == ["timeout", "open", "timeout", "open", "timeout"]
    told = firewall.run(entries=[NETWORK], attach="mark", fails=True)["msg"]  # another way, while the site still jumps
    assert "meta mark" in told
    assert outcomes(*asks) == ["timeout"] * 5
    firewall.run(state="deleted")
    assert "jump egress_mmd" in firewall.nft("list", "ruleset")  # the site's line, so the chain stays, and is empty
    firewall.nft("-c", "-f", "/etc/nftables.conf")


def test_open_connections_of_an_entry_that_goes_stay_open(firewall: Firewall) -> None:
    firewall.run(entries=[NETWORK, NETWORK6])
    script = (
        "import socket,sys\ns=socket.create_connection(('198.51.100.7',443),5)\nprint('open',flush=True)\n"
        "sys.stdin.readline()\ns.settimeout(3)\ns.send(b'no TLS')\n"
        "try: s.recv(100)\nexcept ConnectionResetError: pass\nprint('answered',flush=True)"
    )
    with inlab.started("desktop3", "python3", "-I", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "open\n"
        firewall.run(entries=[NETWORK6])
        assert outcome(INSIDE) == "timeout"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "answered\n"


# Names


def test_names_are_reachable_once_they_were_asked_for(firewall: Firewall) -> None:
    answer = firewall.run(entries=["www.example.org", "*.example.net"])
    verdicts = {one["entry"]: one["verdict"] for one in answer["translation"]}
    assert verdicts == {"host *.example.net tcp/80,443": "broader", "host www.example.org tcp/80,443": "broader"}
    for kind in ("A", "AAAA"):
        names = ["www.example.org", "a.b.example.net", "www.example.com"]
        asks = [(lookup("desktop3", name, kind)[0], 443) for name in names]
        assert outcomes(*asks) == ["open", "open", "timeout"]
    address = lookup("desktop3", "www.example.org")[0]
    assert outcomes((address, 80), (address, 8080)) == ["open", "timeout"]
    assert outcome(address, source=OUTSIDER) == "timeout"
    assert not firewall.run(entries=["www.example.org", "*.example.net"])["changed"]


def test_what_dns_has_learnt_survives_everything(firewall: Firewall) -> None:
    """The client asks once and keeps the addresses, as a desktop's own cache does."""
    names = ["www.example.org", "login.example.org", "mail.example.net"]
    entries = [*names[:2], "*.example.net"]
    firewall.run(entries=entries)
    asks = [(lookup("desktop3", name, kind)[0], 443) for name in names for kind in ("A", "AAAA")]
    beside = (lookup("desktop3", "www.example.com")[0], 443)
    open_ = ["open"] * len(asks)
    assert outcomes(*asks, beside) == [*open_, "timeout"]
    assert not firewall.run(entries=entries)["changed"]
    assert outcomes(*asks) == open_
    firewall.restart_dnsmasq()
    assert outcomes(*asks) == open_
    firewall.run(entries=[*entries, "www.example.edu", NETWORK])
    assert outcomes(*asks) == open_
    firewall.run(entries=[*entries, "www.example.edu"], names_lifetime=7200)
    assert outcomes(*asks, beside) == [*open_, "timeout"]


def test_a_flushed_ruleset_is_drift(firewall: Firewall) -> None:
    entries = ["www.example.org", NETWORK]
    firewall.run(entries=entries)
    address = lookup("desktop3", "www.example.org")[0]
    assert outcomes((address, 443), (INSIDE, 443)) == ["open", "open"]
    on("firewall1", "nft", "flush", "ruleset")
    firewall.nft("-f", "/etc/nftables.conf")
    told = firewall.run(entries=entries, check_mode=True)
    assert told["changed"]
    assert {one["after_header"] for one in told["diff"]} == {"table inet egress_mmd", "table inet egress_mmd-dns"}
    assert outcome(INSIDE) == "timeout"
    assert firewall.run(entries=entries)["changed"]
    # Neither the client nor anybody else has asked again: a cached answer leaves no name blocked.
    assert outcomes((address, 443), (INSIDE, 443)) == ["open", "open"]
    assert not firewall.run(entries=entries)["changed"]


def test_a_persisted_reload_and_a_reboot(firewall: Firewall) -> None:
    entries = ["www.example.org", NETWORK, NETWORK6]
    firewall.run(entries=entries)
    loaded = firewall.nft("-j", "list", "table", "inet", "egress_mmd")
    address = lookup("desktop3", "www.example.org")[0]
    for actions in (["reload"], ["stop", "start"]):
        for action in actions:
            firewall.service(action)
        assert lookup("desktop3", "www.example.org") == [address]
        assert outcomes((address, 443), (INSIDE, 443), (INSIDE6, 443), ("198.51.101.7", 443)) == [
            "open", "open", "open", "timeout",
        ]
        assert not firewall.run(entries=entries)["changed"]
    assert firewall.nft("list", "tables").count("egress_mmd") == 2
    assert '"198.51.100.0"' in loaded


def test_the_persistent_file_is_what_runs(firewall: Firewall) -> None:
    """Also after small changes, which are made in place."""
    file = "/etc/egress_allowlist/egress_mmd.json"
    entries = ["www.example.org", NETWORK]
    first = firewall.run(entries=entries)
    assert first["commands"][0]["text"] == on("firewall1", "cat", file)
    entries += ["www.example.net", NETWORK6]
    firewall.run(entries=entries)
    address = lookup("desktop3", "www.example.org")[0]
    # While the table that DNS fills is there, nothing can be lost by loading it once more.
    firewall.nft("-j", "-f", file, check=False)
    assert outcomes((address, 443), (INSIDE, 443)) == ["open", "open"]
    firewall.nft("flush", "ruleset")
    firewall.nft("-f", "/etc/nftables.conf")
    firewall.nft("-j", "-f", file)
    assert not firewall.run(entries=entries)["changed"]


def test_a_name_that_goes_is_blocked_at_once_and_its_neighbours_are_not(firewall: Firewall) -> None:
    firewall.run(entries=["www.example.org", "login.example.org", "*.example.net"])
    asks = [(lookup("desktop3", name)[0], 443) for name in ("www.example.org", "login.example.org", "a.example.net")]
    assert outcomes(*asks) == ["open"] * 3
    firewall.run(entries=["login.example.org", "*.example.net"])
    assert outcomes(*asks) == ["timeout", "open", "open"]
    firewall.run(entries=["login.example.org", "www.example.net"])
    assert outcomes(*asks) == ["timeout", "open", "timeout"]


def test_addresses_follow_their_name_to_other_ports(firewall: Firewall) -> None:
    name = "www.example.org"
    firewall.run(entries=[{"value": name, "ports": ["tcp/443"]}])
    address = lookup("desktop3", name)[0]
    assert outcomes((address, 443), (address, 8443)) == ["open", "timeout"]
    firewall.run(entries=[{"value": name, "ports": ["tcp/8443"]}])
    assert outcomes((address, 443), (address, 8443)) == ["timeout", "open"]


def test_traffic_refreshes_what_was_learnt_and_counts_for_its_group(firewall: Firewall) -> None:
    entry = {"value": "www.example.org", "groups": ["web"]}
    firewall.run(entries=[entry, dict(NETWORK)])
    address = lookup("desktop3", "www.example.org")[0]
    (name,) = [word for word in firewall.nft("list", "sets").split() if word.startswith("names4_")]
    element = f"inet egress_mmd-dns {name} {{ {address} }}"
    firewall.nft(f"delete element {element}; add element inet egress_mmd-dns {name} {{ {address} expires 300s }}")
    assert outcomes((address, 443), (INSIDE, 443)) == ["open", "open"]
    assert "expires 1d" in firewall.nft("list", "set", "inet", "egress_mmd-dns", name)
    counters = firewall.run(state="gathered")["counters"]
    assert counters["servers"]["packets"] > 0
    assert counters["web"]["packets"] > 0


def test_only_the_desktops_resolver_fills_the_sets(firewall: Firewall) -> None:
    """A client with another resolver (DNS over HTTPS, say) is blocked: that is documented, and seen by the probe."""
    firewall.run(entries=["fresh.example.org"], check_mode=False)
    address = on("firewall1", "python3", "-I", "-c",
                 "import socket;print(socket.getaddrinfo('other.example.org',443,socket.AF_INET)[0][4][0])").strip()
    assert outcome(address) == "timeout"


# dnsmasq


def test_a_dnsmasq_that_does_not_come_back_is_rolled_back(firewall: Firewall) -> None:
    firewall.run(entries=["www.example.org", NETWORK])
    before = firewall.files(), firewall.nft("list", "ruleset")
    address = lookup("desktop3", "www.example.org")[0]
    answer = firewall.run(
        entries=["www.example.org", "www.example.net"], fails=True, dnsmasq_restart=["true"], dnsmasq_timeout=1
    )
    assert "has not read our file" in answer["msg"]
    assert "put back" in answer["msg"]
    assert firewall.files() == before[0]
    assert outcomes((address, 443), (INSIDE, 443)) == ["open", "open"]
    assert not firewall.run(entries=["www.example.org", NETWORK])["changed"]
    assert firewall.run(entries=["www.example.org", "www.example.net"])["changed"]


def test_a_dnsmasq_that_would_not_start_again_is_left_alone(firewall: Firewall) -> None:
    """Somebody broke its configuration and has not restarted it yet: that must not become our outage."""
    firewall.run(entries=["www.example.org"])
    firewall.write("/etc/dnsmasq.d/broken.conf", "no-such-option\n")
    before = firewall.files(), on("firewall1", "cat", "/run/dnsmasq/dnsmasq.pid")
    told = firewall.run(entries=["www.example.org", "www.example.net"], fails=True)["msg"]
    assert "broken.conf" in told
    assert "nothing was changed" in told
    assert (firewall.files(), on("firewall1", "cat", "/run/dnsmasq/dnsmasq.pid")) == before
    assert outcome(lookup("desktop3", "www.example.org")[0]) == "open"
    assert firewall.run(entries=["www.example.org", NETWORK])["changed"]  # dnsmasq has no part in this
    on("firewall1", "rm", "/etc/dnsmasq.d/broken.conf")


def test_no_restart_without_a_change_of_its_file(firewall: Firewall) -> None:
    firewall.run(entries=["www.example.org"])
    pid = on("firewall1", "cat", "/run/dnsmasq/dnsmasq.pid")
    firewall.run(entries=["www.example.org", NETWORK])
    assert on("firewall1", "cat", "/run/dnsmasq/dnsmasq.pid") == pid
    firewall.run(entries=["www.example.org", NETWORK, "www.example.net"])
    assert on("firewall1", "cat", "/run/dnsmasq/dnsmasq.pid") != pid


def test_a_line_of_somebody_else_for_the_same_names(firewall: Firewall) -> None:
    firewall.write("/etc/dnsmasq.d/other.conf", "nftset=/login.example.org/4#inet#filter#mine\n")
    firewall.restart_dnsmasq()
    before = firewall.files()
    answer = firewall.run(entries=["*.example.org"], fails=True)
    assert "/etc/dnsmasq.d/other.conf:1" in answer["msg"]
    assert firewall.files() == before
    assert firewall.run(entries=["*.example.net"])["changed"]


def test_hand_edits_are_told_as_entries_and_corrected(firewall: Firewall) -> None:
    entries = [NETWORK, "www.example.org"]
    firewall.run(entries=entries)
    firewall.nft("add element inet egress_mmd networks4_allow_bypass { 100.64.7.99 . tcp . 443 }")
    assert outcome("100.64.7.99") == "open"
    told = firewall.run(entries=entries, check_mode=True)
    assert (told["added"], told["removed"]) == ([], ["network 100.64.7.99/32 tcp/443"])
    assert outcome("100.64.7.99") == "open"
    firewall.run(entries=entries)
    assert outcome("100.64.7.99") == "timeout"
    firewall.nft("flush", "chain", "inet", "egress_mmd", "out")
    assert outcome(INSIDE) == "timeout"
    firewall.run(entries=entries)
    assert outcome(INSIDE) == "open"


def test_two_lists_and_the_sites_own_tables(firewall: Firewall) -> None:
    firewall.nft("add table inet fail2ban; add set inet fail2ban bad { type ipv4_addr ; }")
    firewall.nft("add element inet fail2ban bad { 192.0.2.66 }")
    firewall.run(entries=[NETWORK, "www.example.org"])
    firewall.run(entries=[NETWORK6, "www.example.net"], name="branch")
    names = ("www.example.org", "www.example.net")
    asks = [(INSIDE, 443), (INSIDE6, 443), *((lookup("desktop3", name)[0], 443) for name in names)]
    assert outcomes(*asks) == ["open"] * 4
    assert "/etc/dnsmasq.d/egress_branch.conf" in firewall.run(
        entries=[NETWORK, "*.example.net"], fails=True
    )["msg"]
    firewall.run(state="deleted", name="branch")
    assert outcomes(*asks) == ["open", "timeout", "open", "timeout"]
    firewall.run(state="deleted")
    assert "192.0.2.66" in firewall.nft("list", "ruleset")


def test_delete_and_restore(firewall: Firewall) -> None:
    untouched = firewall.files(), firewall.nft("list", "ruleset")
    entries = [NETWORK, "www.example.org"]
    nothing = firewall.run(entries=entries)["snapshot"]
    snapshot = firewall.run(state="gathered")["snapshot"]
    files = firewall.files()
    firewall.run(state="restored", snapshot=nothing)
    assert firewall.files() == untouched[0]
    assert "egress" not in firewall.nft("list", "ruleset")
    assert firewall.run(state="restored", snapshot=snapshot)["changed"]
    assert firewall.files() == files
    assert outcomes((INSIDE, 443), (lookup("desktop3", "www.example.org")[0], 443)) == ["open", "open"]
    assert not firewall.run(entries=entries)["changed"]
    assert not firewall.run(state="restored", snapshot=snapshot)["changed"]


# An inline inspector, as iptables-nft writes it (this kernel has no other way to a queue); nobody serves the queue,
# so what comes to it is lost


def test_content_inspection(firewall: Firewall) -> None:
    queue = "-m mark ! --mark 0x20000/0x20000 -j NFQUEUE --queue-num 7".split()
    firewall.run(entries=[NETWORK, {"value": "100.64.7.128/25", "ports": ["tcp/443"], "risk": "shared_hosting"}],
                 intents_by_risk={"shared_hosting": ["allow"]})
    asks = [(INSIDE, 443), ("100.64.7.200", 443)]
    assert outcomes(*asks) == ["open", "refused"] or outcomes(*asks) == ["open", "open"]
    on("firewall1", "iptables-nft", "-A", "FORWARD", "-s", "10.30.0.0/24", *queue)
    assert outcomes(*asks) == ["open", "timeout"]
    answer = firewall.run(entries=[NETWORK])
    assert answer["notes"] == []
    on("firewall1", "iptables-nft", "-F", "FORWARD")
    on("firewall1", "iptables-nft", "-A", "FORWARD", "-s", "10.30.0.0/24", "-j", "NFQUEUE", "--queue-num", "7")
    assert outcome(INSIDE) == "timeout"
    told = firewall.run(entries=[NETWORK], fails=True)["msg"]
    assert "chain FORWARD of table ip filter" in told
    assert "meta mark & 0x00020000 == 0x00020000 accept" in told
    on("firewall1", "iptables-nft", "-I", "FORWARD", "-m", "mark", "--mark", "0x20000/0x20000", "-j", "ACCEPT")
    firewall.run(entries=[NETWORK])
    assert outcome(INSIDE) == "open"
