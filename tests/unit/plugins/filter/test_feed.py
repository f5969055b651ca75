# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``feed``: its texts, its verdicts, its options and its errors."""

from __future__ import annotations

import hashlib
import json
import random

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.egress.allowlist.plugins.filter.feed import FilterModule, feed
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.module_utils._dialects import _fortios, _panos
from ansible_collections.egress.allowlist.plugins.plugin_utils._feed import DIALECTS

NAMES = ["login.x.example", "*.x.example", "*.*.y.example", "*cdn.z.example", "a.*.z.example"]
NETWORKS = ["198.51.100.0/24", "2001:db8::/32"]
PATH = {"value": "*.p.example", "path": "/p.txt"}
OF_NAMES = sorted(name for name, dialect in DIALECTS.items() if dialect.hosts)
OF_NETWORKS = sorted(name for name, dialect in DIALECTS.items() if dialect.networks)


def lines(entries, dialect, **options):
    text = feed(entries, dialect=dialect, **options)
    return [line for line in text.splitlines() if not line.startswith(("#", ";"))]


def verdicts(entries, dialect, **options):
    found = feed(entries, dialect=dialect, output="translation", **options)
    return {one["entry"].split()[1]: (one["verdict"], one["gained"], one["lost"]) for one in found}


def test_ansible_finds_it() -> None:
    assert FilterModule().filters() == {"feed": feed}


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("panos_url", ["*.p.example/p.txt", "*.x.example/", "*.y.example/", "^.z.example/", "a.^.z.example/"]),
        ("panos_domain", ["*.p.example", "*.x.example", "*.y.example", "*.z.example"]),
        ("fortios_category", ["*.p.example/p.txt", "*.x.example", "*.y.example", "*.z.example"]),
        ("checkpoint_network_feed", ["*.p.example", "*.x.example", "*.y.example", "*.z.example"]),
        ("domains", ["*.p.example", "*.x.example", "*.y.example", "*.z.example"]),
        (
            "hosts_regex",
            [
                r"^([^.]+\.)+p\.example$",
                r"^([^.]+\.)+x\.example$",
                r"^([^.]+\.){2,}y\.example$",
                r"^[^.]*cdn\.z\.example$",
                r"^a\.[^.]+\.z\.example$",
            ],
        ),
    ],
)
def test_each_form_of_a_name_in_each_dialect(dialect, expected) -> None:
    assert lines([*NAMES, PATH], dialect, widen="any") == expected


@pytest.mark.parametrize("dialect", OF_NETWORKS)
def test_networks_are_collapsed_and_sorted(dialect) -> None:
    entries = [{"value": value, "ports": ["tcp/443"]} for value in [*NETWORKS, "198.51.100.128/25"]]
    found = lines(entries, dialect)
    assert [line for line in found if "198.51" in line] == [line for line in found if "198.51.100.0/24" in line]
    assert len([line for line in found if "2001:db8::/32" in line]) == 1


def test_a_condition_of_proxysg_says_host_port_and_path() -> None:
    entries = [*NAMES, {**PATH, "ports": ["tcp/8080-8081"]}, {"value": NETWORKS[0], "ports": ["tcp/443", "udp/443"]}]
    assert lines(entries, "proxysg_cpl", name="office") == [
        "define condition egress_office",
        "  url.address=198.51.100.0/24 url.port=443",
        r'  url.host.regex="^([^.]+\.){2,}y\.example$" url.port=443',
        r'  url.host.regex="^([^.]+\.){2,}y\.example$" url.port=80',
        r'  url.host.regex="^[^.]*cdn\.z\.example$" url.port=443',
        r'  url.host.regex="^[^.]*cdn\.z\.example$" url.port=80',
        r'  url.host.regex="^a\.[^.]+\.z\.example$" url.port=443',
        r'  url.host.regex="^a\.[^.]+\.z\.example$" url.port=80',
        "  url.host.suffix=.x.example url.port=443",
        "  url.host.suffix=.x.example url.port=80",
        r'  url.scheme=http url.host.suffix=.p.example url.path.regex="^/p\.txt$" url.port=8080..8081',
        "end",
    ]


def test_json_holds_everything_as_it_is() -> None:
    found = json.loads(feed([*NAMES, PATH, *NETWORKS], dialect="json"))
    assert (found["format"], found["name"], len(found["entries"])) == (1, "mmd", 8)
    assert feed(found["entries"], dialect="json") == feed([*NAMES, PATH, *NETWORKS], dialect="json")


def test_an_apex_that_is_listed_anyway_is_not_gained() -> None:
    assert verdicts(["*.x.example"], "fortios_category") == {"*.x.example": ("broader", "x.example itself", "")}
    assert verdicts(["*.x.example", "x.example"], "fortios_category") == {}
    with pytest.raises(AnsibleFilterError, match=r"\*\.x\.example .*: would also allow x\.example itself"):
        feed(["*.x.example"], dialect="fortios_category", widen="none")


def test_a_pattern_becomes_the_names_that_are_known_under_it() -> None:
    entries = ["*cdn.z.example", "onecdn.z.example"]
    options = {"known_names": ["TwoCDN.z.example.", "other.example"]}
    found = verdicts(entries, "domains", **options)
    assert found == {"*cdn.z.example": ("narrower", "", "all names but onecdn.z.example, twocdn.z.example")}
    assert lines(entries, "domains", **options) == ["onecdn.z.example", "twocdn.z.example"]
    with pytest.raises(AnsibleFilterError, match="would also allow all of"):
        feed(entries, dialect="domains", narrow="none", **options)
    with pytest.raises(AnsibleFilterError, match=r"known_names\[0\]"):
        feed(entries, dialect="domains", known_names=["*.z.example"])


def test_what_is_too_broad_is_refused_and_can_be_accepted_or_left_out() -> None:
    with pytest.raises(AnsibleFilterError) as error:
        feed([*NAMES, "b.example"], dialect="domains")
    assert "3 of the entries" in str(error.value)
    assert "widen: any" in str(error.value)
    assert "*.z.example" in lines([*NAMES, "b.example"], "domains", widen="any")
    assert lines([*NAMES, "b.example"], "domains", unsupported="skip") == ["*.x.example", "b.example"]
    found = verdicts([*NAMES, "b.example"], "domains", unsupported="skip")
    assert {verdict for verdict, _gained, _lost in found.values()} == {"impossible"}
    assert "would also allow all of *.z.example" in found["*cdn.z.example"][2]


def test_a_path_is_held_where_the_dialect_knows_paths() -> None:
    assert verdicts([PATH], "panos_url") == {}
    assert verdicts([{"value": "p.example", "path": "/p.txt"}], "fortios_category") == {}
    assert verdicts([PATH], "fortios_category") == {"*.p.example/p.txt": ("broader", "p.example itself", "")}
    assert verdicts([PATH], "domains") == {"*.p.example/p.txt": ("broader", "all its paths", "")}
    assert verdicts([PATH, "*.p.example"], "domains") == {}


def test_what_belongs_into_another_list_is_told() -> None:
    entries = ["a.example", {"value": NETWORKS[0], "ports": ["tcp/443"]}]
    names = feed(entries, dialect="domains", output="full")
    assert names["entries"] == ["a.example"]
    assert names["counts"] == {"exact": 1, "broader": 0, "narrower": 0, "impossible": 0, "elsewhere": 1}
    assert feed(entries, dialect="cidrs", output="full")["entries"] == [NETWORKS[0]]
    assert feed(entries, dialect="checkpoint_network_feed", output="full")["counts"]["exact"] == 2


PORTS = ["a.example", {"value": "b.example", "ports": ["tcp/443"]}, {"value": "c.example", "ports": ["tcp/8443"]}]


FOR_RULES = [(["tcp/443"], ["a.example", "b.example"]), (["tcp/80"], ["a.example"])]


@pytest.mark.parametrize(("ports", "expected"), FOR_RULES)
def test_a_list_for_the_ports_of_a_rule_has_what_needs_them_all(ports, expected) -> None:
    assert lines(PORTS, "domains", ports=ports) == expected
    assert feed(PORTS, dialect="domains", ports=ports, output="full")["entries"] == expected


def test_different_ports_in_one_list_are_told() -> None:
    found = feed(PORTS, dialect="domains", output="full")
    assert found["ports"] == ["tcp/80", "tcp/443", "tcp/8443"]
    assert len(found["warnings"]) == 1
    assert "opens more than asked for 3 of them" in found["warnings"][0]
    assert feed(PORTS[:1], dialect="domains", output="full")["warnings"] == []
    assert feed(PORTS, dialect="proxysg_cpl", output="full")["warnings"] == []


def test_networks_need_ports_only_where_ports_matter() -> None:
    assert lines(NETWORKS, "cidrs") == NETWORKS
    assert lines(NETWORKS, "cidrs", ports=["tcp/443"], default_ports=["tcp/443"]) == NETWORKS
    for options in ({"dialect": "cidrs", "ports": ["tcp/443"]}, {"dialect": "proxysg_cpl"}):
        with pytest.raises(AnsibleFilterError, match="never means any port"):
            feed(NETWORKS, **options)


@pytest.mark.parametrize("dialect", OF_NAMES)
def test_the_same_list_in_any_order_gives_the_same_bytes(dialect) -> None:
    entries = [*NAMES, PATH, *(f"h{number}.x.example" for number in range(20))]
    first = feed(entries, dialect=dialect, widen="any", output="full")
    assert feed(random.Random(1).sample(entries, len(entries)), dialect=dialect, widen="any") == first["text"]
    assert first["text"].isascii()
    assert "\r" not in first["text"]
    assert first["text"].endswith("\n")
    assert not first["text"].endswith("\n\n")
    assert first["sha256"] == hashlib.sha256(first["text"].encode()).hexdigest()
    assert "h1.x.example" in first["entries"]


def test_the_head_says_what_it_is_only_where_comments_are_read() -> None:
    entries = [{"value": "a.example", "sources": ["mmd", "\u00e9 # list"]}]
    assert feed(entries, dialect="domains", name="office").splitlines()[0].startswith(
        "# egress.allowlist name=office dialect=domains lines=1 version="
    )
    assert feed(entries, dialect="domains").splitlines()[0].endswith(r"sources=mmd,\xe9 # list")
    assert feed(entries, dialect="proxysg_cpl").startswith("; egress.allowlist")
    for name, dialect in DIALECTS.items():
        if not dialect.comment and dialect.hosts:
            assert "egress" not in feed(entries, dialect=name)


@pytest.mark.parametrize("dialect", [*DIALECTS, "json"])
def test_a_list_without_a_line_is_never_written(dialect) -> None:
    kind = DIALECTS.get(dialect)
    entries = [] if kind is None or (kind.hosts and kind.networks) else NETWORKS if kind.hosts else ["a.example"]
    with pytest.raises(AnsibleFilterError, match="no entry is left for this list"):
        feed(entries, dialect=dialect, default_ports=["tcp/443"])


def test_more_or_longer_lines_than_the_appliance_reads_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(_panos.PanosUrl, "most_lines", 1)
    with pytest.raises(AnsibleFilterError, match="2 lines, and such a list holds 1"):
        feed(["a.example", "b.example"], dialect="panos_url")
    monkeypatch.setattr(_fortios.FortiosCategory, "longest_line", 20)
    with pytest.raises(AnsibleFilterError, match="a line of 22 characters, and 20 are read: aaaaaaaaaaaaaa.example"):
        feed(["aaaaaaaaaaaaaa.example"], dialect="fortios_category")


REFUSED = [
    ({"dialect": "panos"}, "dialect: expected one of panos_url"),
    ({"dialect": None}, "dialect: expected one of"),
    ({"dialect": "domains", "widen": "all"}, "widen: expected one of none, apex, any"),
    ({"dialect": "domains", "narrow": "apex"}, "narrow: expected one of none, known, any"),
    ({"dialect": "domains", "unsupported": "drop"}, "unsupported: expected one of fail, skip"),
    ({"dialect": "domains", "ports": []}, "ports: empty"),
    ({"dialect": "domains", "ports": "tcp/443"}, "ports: expected a list"),
    ({"dialect": "domains", "ports": ["443"]}, r"ports\[0\]"),
    ({"dialect": "domains", "known_names": "a.example"}, "known_names: expected a list"),
    ({"dialect": "domains", "name": "a\nb"}, "name: expected a letter"),
    ({"dialect": "domains", "output": "yaml"}, "output: expected one of"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_used_is_refused_with_its_place(options, words) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        feed(["a.example"], **options)


INJECTED = ["a.example\nevil.example", "a.example # x", "a.example;b", 'a".example', "a.example\r"]


@pytest.mark.parametrize("item", INJECTED)
@pytest.mark.parametrize("dialect", [*DIALECTS, "json"])
def test_no_entry_can_bring_a_line_of_its_own(dialect, item) -> None:
    with pytest.raises(AnsibleFilterError, match=r"entries\[1\]"):
        feed(["b.example", item], dialect=dialect)


def test_what_a_proxy_does_not_carry_is_told_and_the_rest_is_held() -> None:
    entries = [{"value": "x.example", "ports": ["tcp/80", "udp/3478"]}]
    for found in (feed(entries, dialect="proxysg_cpl", output="full"), pac(entries, "DIRECT", "DIRECT", output="full")):
        assert found["entries"] == ["x.example"]
        assert found["ports"] == ["tcp/80"]
        assert (found["counts"]["exact"], found["counts"]["elsewhere"]) == (0, 1)
        assert found["translation"][0]["lost"].startswith("udp/3478: ")
        assert found["translation"][0]["written"] == ["host x.example tcp/80"]


def test_what_is_for_udp_alone_is_not_held_on_the_ports_of_the_web() -> None:
    entries = ["y.example", {"value": "x.example", "ports": ["udp/3478"]}]
    assert "x.example" not in feed(entries, dialect="proxysg_cpl")
    assert "x.example" not in pac(entries, "DIRECT", "DIRECT")
