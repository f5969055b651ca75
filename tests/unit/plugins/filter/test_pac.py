# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``pac``: its options, its errors and its answers. What the script decides has tests of its own."""

from __future__ import annotations

import hashlib
import random

import dukpy  # type: ignore[import-untyped]
import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.egress.allowlist.plugins.filter.pac import FilterModule, pac

PROXY = "PROXY proxy.example.com:8080"


def script(entries, **options):
    return pac(entries, **{"allowed": "DIRECT", "default": PROXY, **options})


def way(text: str, url: str, host: str, functions: str = "") -> str:
    return str(dukpy.evaljs([functions, text, "FindProxyForURL(dukpy['url'], dukpy['host'])"], url=url, host=host))


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"pac": pac}


def test_what_is_allowed_goes_one_way_and_the_rest_another() -> None:
    text = script(["*.update.example.com"])
    assert way(text, "https://a.update.example.com/", "a.update.example.com") == "DIRECT"
    assert way(text, "https://update.example.com/", "update.example.com") == PROXY


def test_the_head_says_what_it_is_and_where_it_comes_from() -> None:
    entries = [
        {"value": "login.example.com", "sources": ["mmd"]},
        {"value": "198.51.100.0/24", "ports": ["tcp/443"], "sources": ["microsoft_365", "mmd"]},
    ]
    head = [line for line in script(entries, name="office").splitlines() if line.startswith("//")]
    assert head[0].startswith("// egress.allowlist name=office dialect=pac version=")
    assert head[1:3] == ["// 1 names and 1 networks", "// from microsoft_365, mmd"]


def test_many_sources_are_written_on_several_lines() -> None:
    entries = [{"value": "login.example.com", "sources": [f"source number {number}" for number in range(30)]}]
    lines = [line for line in script(entries).splitlines() if "source number" in line]
    assert len(lines) > 1
    assert max(map(len, lines)) < 130
    assert " ".join(lines).count("source number") == 30


def test_the_version_is_a_digest_of_what_it_decides() -> None:
    def version(**options):
        return script(["a.example.com"], **options).partition("version=")[2].partition("\n")[0]

    assert version() == version(name="other") != version(default="PROXY other.example:8080")
    assert version(version="2026112300") == "2026112300"


def test_the_same_list_in_any_order_gives_the_same_bytes() -> None:
    entries = [f"host{number}.example.com" for number in range(50)] + ["*.x.example", "*cdn.y.example", "a.*.y.example"]
    first = script(entries)
    for seed in range(5):
        mixed = random.Random(seed).sample(entries, len(entries))
        assert script(mixed + mixed[:3]) == first


def test_nothing_that_comes_in_as_text_can_leave_its_place() -> None:
    entries = [{"value": "a.example.com", "sources": ["*/ evil(); /*", "über evil()", "</script>"]}]
    text = script(entries, version='1"; evil(); // \u00e9')
    assert text.isascii()
    assert way(text, "https://a.example.com/", "a.example.com", "function evil() { throw 'evil' }") == "DIRECT"


def test_a_rule_of_the_site_comes_first_and_counts_on_any_port() -> None:
    rules = [{"hosts": ["10.0.0.0/8"], "to": "DIRECT"}, {"hosts": ["a.example.com"], "to": "proxy Other.example:81"}]
    text = script(["*.example.com"], rules=rules)
    assert way(text, "https://a.example.com:8443/", "a.example.com") == "PROXY other.example:81"
    assert way(text, "https://b.example.com:8443/", "b.example.com") == PROXY
    assert way(text, "ldap://10.1.2.3/", "10.1.2.3") == "DIRECT"


def test_a_rule_keeps_the_ports_that_it_states() -> None:
    rules = [{"hosts": [{"value": "a.example.com", "ports": ["tcp/8443"]}], "to": "SOCKS5 [2001:db8::1]:1080;DIRECT"}]
    text = script(["b.example.com"], rules=rules)
    assert way(text, "https://a.example.com:8443/", "a.example.com") == "SOCKS5 [2001:db8::1]:1080; DIRECT"
    assert way(text, "https://a.example.com/", "a.example.com") == PROXY


@pytest.mark.parametrize(("plain", "expected"), [(None, PROXY), ("DIRECT", "DIRECT")])
def test_a_name_without_a_dot_goes_where_it_is_told(plain, expected) -> None:
    text = script(["a.example.com", "known"], plain_hosts=plain, allowed="PROXY a.example:1")
    assert way(text, "http://intranet/", "intranet") == expected
    assert way(text, "http://known/", "known") == "PROXY a.example:1"
    assert way(text, "http://[2001:db8::1]/", "2001:db8::1") == PROXY


ASKS_DNS = "function dnsResolve(name) { if (name.indexOf('b.') == 0) return null; return '198.51.100.7' }"


def test_dns_is_asked_only_where_that_was_wanted() -> None:
    entries = [{"value": "198.51.100.0/24", "ports": ["tcp/443"]}]
    asleep = "function dnsResolve(name) { throw new Error('asked DNS') }"
    assert way(script(entries), "https://a.example.com/", "a.example.com", asleep) == PROXY
    text = script(entries, resolve=True)
    assert way(text, "https://a.example.com/", "a.example.com", ASKS_DNS) == "DIRECT"
    assert way(text, "http://a.example.com/", "a.example.com", ASKS_DNS) == PROXY
    assert way(text, "https://b.example.com/", "b.example.com", ASKS_DNS) == PROXY
    assert way(script(["c.example.com"], resolve=True), "https://a.example.com/", "a.example.com", asleep) == PROXY


def test_each_address_of_a_name_has_to_be_allowed() -> None:
    entries = [{"value": value, "ports": ["tcp/443"]} for value in ("198.51.100.0/24", "2001:db8:1::/48")]
    text = script(entries, resolve=True)
    for told, expected in (("198.51.100.1;2001:DB8:1::5", "DIRECT"), ("198.51.100.1;192.0.2.1", PROXY), ("", PROXY)):
        both = f"{ASKS_DNS}; function dnsResolveEx(name) {{ return '{told}' }}"
        assert way(text, "https://a.example.com/", "a.example.com", both) == expected, told


def test_what_is_for_udp_alone_is_no_matter_of_a_browser() -> None:
    entries = ["a.example.com", {"value": "198.51.100.0/24", "ports": ["udp/3478-3481"]}]
    found = script(entries, output="full")
    assert found["entries"] == ["a.example.com"]
    assert found["counts"] == {"exact": 1, "broader": 0, "narrower": 0, "impossible": 0, "elsewhere": 1}
    assert script(entries, output="translation") == found["translation"]
    assert found["translation"][0]["entry"] == "network 198.51.100.0/24 udp/3478-3481"
    with pytest.raises(AnsibleFilterError, match="none of them is for a browser"):
        script(entries[1:])


def test_the_full_answer_tells_all_about_the_file() -> None:
    found = script(["b.example.com", {"value": "*.a.example.com", "path": "/x.txt"}], output="full")
    assert found["text"] == script(["b.example.com", {"value": "*.a.example.com", "path": "/x.txt"}])
    assert found["entries"] == ["*.a.example.com/x.txt", "b.example.com"]
    assert found["ports"] == ["tcp/80", "tcp/443"]
    assert found["sha256"] == hashlib.sha256(found["text"].encode()).hexdigest()
    assert (found["dialect"], found["lines"], found["warnings"]) == ("pac", 2, [])


def test_networks_without_ports_take_those_of_the_option() -> None:
    with pytest.raises(AnsibleFilterError, match="states no ports, and that never means any port"):
        script(["198.51.100.0/24"])
    text = script(["198.51.100.0/24"], default_ports=["tcp/8443"])
    assert way(text, "https://198.51.100.1:8443/", "198.51.100.1") == "DIRECT"
    assert way(text, "https://198.51.100.1/", "198.51.100.1") == PROXY


REFUSED = [
    ({"allowed": None}, "allowed: expected where to go"),
    ({"default": ""}, "default: expected where to go"),
    ({"default": "PROXY a.example"}, 'fails at "PROXY a.example"'),
    ({"default": "DIRECT a.example:80"}, "fails at"),
    ({"default": "NONSENSE a.example:80"}, "fails at"),
    ({"default": "PROXY a.example:80\nDIRECT"}, "fails at"),
    ({"default": 'PROXY a"+evil()+".example:80'}, "neither a name nor an address"),
    ({"default": "PROXY a.example:65536"}, "a port is from 1 to 65535"),
    ({"default": "PROXY 198.51.100.0/24:80"}, "neither a name nor an address"),
    ({"default": "PROXY 300.1.1.1:80"}, "neither a name nor an address"),
    ({"allowed": "DIRECT; PROXY http://a.example:80"}, 'fails at "PROXY http://a.example:80"'),
    ({"plain_hosts": "direkt"}, "plain_hosts: expected"),
    ({"rules": "DIRECT"}, "rules: expected a list"),
    ({"rules": [{"host": ["a.example.com"], "to": "DIRECT"}]}, r"rules\[0\]: expected a dictionary with hosts"),
    ({"rules": [{"hosts": [], "to": "DIRECT"}]}, r"rules\[0\]\.hosts: empty"),
    ({"rules": [{"hosts": ["*"], "to": "DIRECT"}]}, r"rules\[0\]\.hosts\[0\]"),
    ({"rules": [{"hosts": ["a.example.com"], "to": "?"}]}, r"rules\[0\]\.to: expected"),
    ({"resolve": "yes"}, "resolve: expected true or false"),
    ({"name": "A list"}, "name: expected a letter"),
    ({"version": "1\n2"}, "version: expected one line"),
    ({"output": "json"}, "output: expected one of text, translation, full"),
    ({"default_ports": ["443"]}, r"default_ports\[0\]"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_used_is_refused_with_its_place(options, words) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        script(["a.example.com"], **options)


@pytest.mark.parametrize("entries", ["a.example.com", [], None, {"value": "a.example.com"}, [True], ["a b"]])
def test_a_list_that_is_none_is_refused(entries) -> None:
    with pytest.raises(AnsibleFilterError, match="entries"):
        script(entries)
