# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site's rules mean for ours, from rules as `nft -j list ruleset` tells them (1.0.6 and 1.1.3 alike)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_files import Files
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_kernel import Ruleset
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_options import shape_of
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_policy import Findings, Policy, judge
from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

BOTH = ("allow", "bypass_content_inspection")
DROP: dict[str, Any] = {"drop": None}
ACCEPT: dict[str, Any] = {"accept": None}
COUNTER: dict[str, Any] = {"counter": {"packets": 1, "bytes": 60}}
QUEUE: dict[str, Any] = {"queue": {"num": 0}}


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def mark(mask: int, value: int, op: str = "==") -> dict[str, Any]:
    return match({"&": [{"meta": {"key": "mark"}}, mask]}, value, op)


def iif(name: Any) -> dict[str, Any]:
    return match({"meta": {"key": "iifname"}}, name)


def saddr(address: str, length: int) -> dict[str, Any]:
    return match({"payload": {"protocol": "ip", "field": "saddr"}}, {"prefix": {"addr": address, "len": length}})


ESTABLISHED = [match({"ct": {"key": "state"}}, ["established", "related"], "in"), ACCEPT]
OUR_LINE = [mark(0x10000, 0x10000), COUNTER, ACCEPT]


def site(*rules: list[Any], policy: str = "drop", priority: int = 0, family: str = "inet",
         chains: dict[str, list[list[Any]]] | None = None, hook: str = "forward") -> list[dict[str, Any]]:
    place = {"family": family, "table": "filter"}
    objects: list[dict[str, Any]] = [
        {"table": {"family": family, "name": "filter"}},
        {"chain": {**place, "name": "main", "type": "filter", "hook": hook, "prio": priority, "policy": policy}},
    ]
    for name, found in {"main": list(rules), **(chains or {})}.items():
        if name != "main":
            objects.append({"chain": {**place, "name": name}})
        objects += [{"rule": {**place, "chain": name, "expr": expr}} for expr in found]
    return objects


def found(objects: list[dict[str, Any]], *intents: tuple[str, ...], **options: Any) -> Findings:
    given = {
        "name": "mmd", "attach": "mark", "mark": "0x10000", "bypass_mark": "0x20000", "priority": -10,
        "names_lifetime": 90000, "clients": ["10.20.0.0/24"], "rules": "manage", "config_file": "/nowhere", **options,
    }
    entry = normalise([{"value": "198.51.100.0/24", "ports": ["tcp/443"]}])[0]
    files = Files("mmd", "/etc/egress_allowlist", "/etc/dnsmasq.d", "/etc/systemd/system/nftables.service.d")
    place = ("inet", "filter") if given["attach"] == "include" else None
    holdings = [Holding(entry, one) for one in intents or (BOTH,)]
    return judge(Policy(given, shape_of(given), place, files, False, holdings), Ruleset(objects))


TO_LAN = ["lan", {"jump": {"target": "lan"}}]
PASSES = {
    "the line that we print": site(ESTABLISHED, OUR_LINE),
    "any of the two bits": site([mark(0x30000, 0, "!="), ACCEPT]),
    "a rule of iptables-nft": site(
        [{"xt": {"type": "match", "name": "conntrack"}}, COUNTER, ACCEPT], OUR_LINE,
        [COUNTER, {"xt": {"type": "target", "name": "REJECT"}}], family="ip",
    ),
    "in a chain that it jumps to": site([iif("lan"), {"jump": {"target": "lan"}}], chains={"lan": [OUR_LINE, [DROP]]}),
    "behind a map of verdicts": site(
        [{"vmap": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [TO_LAN, ["wan", DROP]]}}}],
        chains={"lan": [OUR_LINE]},
    ),
    "for packets from the clients' interface": site([iif("lan"), mark(0x10000, 0x10000), ACCEPT]),
    "everything is accepted": site([ACCEPT]),
    "nothing is dropped but what is invalid": site(
        [match({"ct": {"key": "state"}}, "invalid"), DROP], policy="accept", priority=5
    ),
    "one bad host is dropped": site(
        [match({"payload": {"protocol": "ip", "field": "saddr"}}, "10.20.0.66"), DROP], policy="accept"
    ),
    "a table that never sees the clients": site(family="ip6"),
    "another hook": site(hook="input"),
}
BLOCKS = {
    "no line": site(ESTABLISHED),
    "a line behind the drop": site([COUNTER, DROP], OUR_LINE, policy="accept"),
    "a line for something else": site([match({"payload": {"protocol": "tcp", "field": "dport"}}, 80), *OUR_LINE]),
    "a line for another bit": site([mark(0x40000, 0x40000), ACCEPT]),
    "a line for the mark without the bit": site([mark(0x10000, 0x10000, "!="), ACCEPT]),
    "a drop by interface": site([iif("lan"), DROP], policy="accept"),
    "a drop by the clients' network": site([saddr("10.0.0.0", 8), DROP], policy="accept"),
    "a reject": site([{"reject": {"type": "icmpx", "expr": "admin-prohibited"}}], policy="accept"),
    "a drop in the chain for the clients": site(
        [saddr("10.20.0.0", 16), {"jump": {"target": "lan"}}], chains={"lan": [[DROP]]}, policy="accept"
    ),
}


@pytest.mark.parametrize("name", PASSES)
def test_nothing_is_missing(name: str) -> None:
    told = found(PASSES[name])
    assert (told.missing, told.errors) == ([], [])


@pytest.mark.parametrize("name", BLOCKS)
def test_the_line_is_missing(name: str) -> None:
    told = found(BLOCKS[name])
    line = "meta mark & 0x00010000 == 0x00010000 accept"
    assert told.missing == [f"chain main of table inet filter, before it drops: {line}"]
    assert told.rules == [line]


def test_own_asks_for_the_line_too_where_the_site_drops() -> None:
    assert found(site(ESTABLISHED), attach="own").missing
    assert not found(site(policy="accept"), attach="own").missing


def test_a_site_that_drops_nothing_is_told_so() -> None:
    (warning,) = found(site(policy="accept")).warnings
    assert "limits nothing" in warning
    assert found(site(policy="accept"), attach="own").warnings == []


def test_a_deny_that_comes_before_us() -> None:
    (error,) = found(site(OUR_LINE, priority=-100)).errors
    assert "chain main of table inet filter" in error
    assert found(site(OUR_LINE, priority=-100), priority=-150).errors == []


def test_our_other_lists_are_not_the_site() -> None:
    text = json.dumps(site(policy="drop")).replace('"filter"', '"egress_branch"')
    assert found(json.loads(text)).missing == []


def test_somebody_who_sets_our_bit() -> None:
    mangle = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": 0x10000}}
    assert any("sets a bit" in text for text in found(site(OUR_LINE, [mangle])).warnings)
    other = {"mangle": {"key": {"meta": {"key": "mark"}}, "value": {"|": [{"meta": {"key": "mark"}}, 0x40000]}}}
    assert found(site(OUR_LINE, [other])).warnings == []


# Inspectors


def queue_missing(*rules: list[Any], **more: Any) -> list[str]:
    return [text for text in found(site(*rules, **more)).missing if "queues" in text]


@pytest.mark.parametrize("queue", [QUEUE, {"queue": None}, {"xt": {"type": "target", "name": "NFQUEUE"}}])
def test_an_inspector_that_sees_our_packets(queue: dict[str, Any]) -> None:
    (line,) = queue_missing([iif("lan"), queue], OUR_LINE)
    assert line.endswith("before it queues: meta mark & 0x00020000 == 0x00020000 accept")


@pytest.mark.parametrize("rules", [
    ([mark(0x20000, 0x20000), ACCEPT], [QUEUE]),
    ([mark(0x20000, 0), QUEUE], OUR_LINE),
    ([mark(0x20000, 0x20000, "!="), QUEUE], OUR_LINE),
    (OUR_LINE, [QUEUE]),
])
def test_an_inspector_that_lets_ours_pass(rules: tuple[list[Any], ...]) -> None:
    assert queue_missing(*rules) == []
    assert found(site(*rules)).notes == []


def test_an_inspector_before_our_mark_is_set() -> None:
    told = found([*site(OUR_LINE), *site([QUEUE], hook="prerouting", family="ip", policy="accept")])
    assert "runs before our mark is set" in told.errors[0]


def test_entries_that_are_allowed_and_inspected() -> None:
    told = found(site(OUR_LINE, [QUEUE]), ("allow",))
    assert any("not inspected either" in text for text in told.warnings)
    fine = found(site([mark(0x20000, 0), QUEUE], OUR_LINE), ("allow",), BOTH)
    assert (fine.warnings, fine.missing) == ([], [])


def test_no_inspector_needs_no_rule() -> None:
    assert "no rule of the site sends packets to an inspector" in found(site(OUR_LINE)).notes[0]


# Inside the site's own table


def include(tmp_path: Path, text: str, *rules: list[Any], **more: Any) -> Findings:
    config = tmp_path / "nftables.conf"
    config.write_text(text, encoding="utf-8")
    return found(site(*rules, chains={"egress_mmd": []}), attach="include", config_file=str(config), **more)


def test_include_wants_its_file_and_a_jump(tmp_path: Path) -> None:
    jump = [{"jump": {"target": "egress_mmd"}}]
    line = 'include "/etc/egress_allowlist/egress_mmd.inc"'
    assert len(include(tmp_path, "table inet filter {}\n").missing) == 2
    assert len(include(tmp_path, f"table inet filter {{\n  {line}\n}}\n").missing) == 1
    assert len(include(tmp_path, "# " + line, jump).missing) == 1
    assert include(tmp_path, f"table inet filter {{\n  {line};\n}}\n", jump).missing == []
    assert include(tmp_path, line, jump).rules == [line, "jump egress_mmd"]


def test_the_include_line_may_stand_in_a_file_that_is_included(tmp_path: Path) -> None:
    (tmp_path / "more.nft").write_text('include "/etc/egress_allowlist/egress_mmd.inc"\n', encoding="utf-8")
    told = include(tmp_path, f'include "{tmp_path}/*.nft"\n', [{"jump": {"target": "egress_mmd"}}])
    assert told.missing == []


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.nft").write_text(f'include "{tmp_path}/*.nft"\n', encoding="utf-8")
    (tmp_path / "b.nft").write_text(f'include "{tmp_path}/*.nft"\n', encoding="utf-8")
    assert len(include(tmp_path, f'include "{tmp_path}/*.nft"\n').missing) == 2


def test_include_in_a_table_that_is_not_there() -> None:
    told = found([], attach="include")
    assert "there is no table inet filter" in told.errors[0]
