# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in for nft answers as the real one: the same transactions, each in an empty network namespace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .fake_nft import RELEASES, Died, FakeNft

LAB = Path(__file__).resolve().parents[5] / ".lab" / "packages" / "root" / "usr"
PLACE = {"family": "inet", "table": "t"}
TABLE = {"add": {"table": {"family": "inet", "name": "t"}}}
GONE = {"delete": {"table": {"family": "inet", "name": "t"}}}
NETWORKS = dict(PLACE, name="s", type=["ipv4_addr", "inet_proto", "inet_service"], flags=["interval"])
COUNTED = dict(NETWORKS, stmt=[{"counter": None}])
LEARNT = dict(PLACE, name="n", type="ipv4_addr", flags=["timeout"], timeout=90000, size=3, stmt=[{"counter": None}])
BASE = dict(PLACE, name="f", type="filter", hook="forward", prio=-10, policy="accept")
MARK = {"meta": {"key": "mark"}}
ACCEPT = {"accept": None}


def like(body: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {**body, **other}


def add(kind: str, **body: Any) -> dict[str, Any]:
    return {"add": {kind: body}}


def chain(name: str) -> dict[str, Any]:
    return dict(PLACE, name=name)


def rule(name: str, *expr: Any, **more: Any) -> dict[str, Any]:
    return add("rule", **like(PLACE, chain=name, expr=list(expr), **more))


def element(verb: str, name: str, *values: Any) -> dict[str, Any]:
    return {verb: {"element": dict(PLACE, name=name, elem=list(values))}}


def delete(kind: str, name: str) -> dict[str, Any]:
    return {"delete": {kind: dict(PLACE, name=name)}}


def flush(name: str) -> dict[str, Any]:
    return {"flush": {"chain": chain(name)}}


def match(left: Any, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


def field(protocol: str, name: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": name}}


def prefix(address: str, length: int) -> dict[str, Any]:
    return {"prefix": {"addr": address, "len": length}}


def span(first: Any, last: Any) -> dict[str, Any]:
    return {"range": [first, last]}


def three(address: Any, protocol: Any, port: Any) -> dict[str, Any]:
    return {"concat": [address, protocol, port]}


REFRESH = {"set": {"op": "update", "set": "@n", "elem": {"elem": {"val": field("ip", "daddr"), "timeout": 90000}}}}
UPDATES = rule("c", match(field("ip", "daddr"), "@n"), REFRESH, {"mangle": {"key": MARK, "value": {"|": [MARK, 1]}}})
TIMED = {"elem": {"val": "192.0.2.2", "timeout": 90000, "expires": 77}}
START = [TABLE, add("chain", **chain("c")), add("chain", **BASE), add("set", **COUNTED)]
NET = prefix("198.51.100.0", 24)
PORTS = three(prefix("203.0.113.0", 24), 6, span(400, 500))

# Each transaction is followed by a list of everything.
SCRIPTS: dict[str, list[list[dict[str, Any]]]] = {
    "tables": [
        [add("set", **NETWORKS)], [TABLE], [TABLE], [add("table", family="inet", name="u", comment="hello")],
        [add("table", family="ip", name="t")], [GONE], [GONE], [TABLE, GONE, TABLE], [TABLE, GONE, GONE],
        [{"metainfo": {"json_schema_version": 1, "entry": {"host": "a.example"}}}],
        [{"metainfo": {"json_schema_version": 2}}], [], [add("table", family="frob", name="t")],
        [{"flush": {"ruleset": None}}],
    ],
    "sets": [
        [TABLE, add("set", **NETWORKS)], [add("set", **NETWORKS)], [add("set", **COUNTED)],
        [add("set", **like(NETWORKS, type="ipv4_addr"))], [add("set", **like(NETWORKS, flags=["interval", "timeout"]))],
        [add("set", **like(PLACE, name="m", type="mark"))], [add("set", **LEARNT)], [add("set", **LEARNT)],
        [add("set", **like(PLACE, name="d", type="ipv4_addr", flags=["timeout", "dynamic"], timeout=60))],
        [add("set", **like(PLACE, name="l", type="ipv6_addr", timeout=60))], [delete("set", "m")], [delete("set", "m")],
        [add("set", **like(PLACE, name="x", type="frob"))], [delete("set", "s"), add("set", **COUNTED)],
    ],
    "sets that a rule updates": [
        [TABLE, add("chain", **chain("c")), add("set", **LEARNT), UPDATES], [add("set", **LEARNT)],
        [add("set", **LEARNT), flush("c"), UPDATES], [GONE, *START, add("set", **LEARNT)], [UPDATES],
        [add("set", **LEARNT), flush("c"), UPDATES], [delete("set", "n")], [delete("set", "n"), flush("c")],
        [flush("c"), delete("set", "n")], [add("set", **like(PLACE, name="n", type="ipv4_addr")), UPDATES],
    ],
    "elements of several fields": [
        START, [element("add", "s", three(NET, 6, 443))], [element("add", "s", three(NET, "tcp", 443))],
        [element("add", "s", three(prefix("198.51.100.0", 25), 6, 443))],
        [element("add", "s", three(prefix("198.51.100.0", 23), 6, 443))],
        [element("add", "s", three(prefix("198.51.0.0", 16), 6, 443))], [element("add", "s", PORTS)],
        [element("add", "s", three(prefix("203.0.113.0", 24), 6, span(450, 600)))],
        [element("add", "s", three(prefix("203.0.113.0", 24), 6, span(350, 450)))],
        [element("add", "s", three(prefix("203.0.113.0", 24), 6, span(300, 700)))],
        [element("delete", "s", PORTS)], [element("delete", "s", three("192.0.2.1", 6, 443))],
        [element("delete", "s", three("203.0.113.9", 6, 600))],  # one that holds it goes
        [element("add", "s", three("192.0.2.1", 6, 443), three(prefix("192.0.2.2", 32), 17, 443))],
        [element("add", "s", three(span("192.0.2.128", "192.0.2.255"), 17, span(1024, 2047)))],
        [element("add", "s", three(span("192.0.2.64", "192.0.2.100"), 132, span(5, 5)))],
        [element("add", "s", three(prefix("192.9.2.77", 24), 17, span(0, 65535)))],
        [element("delete", "s", three(NET, 6, 443)), element("add", "s", three(prefix("198.51.100.0", 25), 6, 443))],
        [element("add", "s", three("9.9.9.9", 6, 1)), element("delete", "s", three("9.9.9.8", 6, 1))],
        [element("add", "s", three("9.9.9.9", 6, 1)), element("delete", "s", three("9.9.9.9", 6, 1))],
        [element("add", "s", "192.0.2.1")], [element("add", "s", three("192.0.2.1", 6, 70000))],
        [element("add", "nothing", three("192.0.2.1", 6, 70))],
        [add("set", **like(COUNTED, elem=[three("9.9.9.7", 6, 1), three("9.9.9.7", 6, 1)]))],
        [add("set", **like(COUNTED, name="v", type=["ipv6_addr", "inet_proto", "inet_service"], elem=[
            three("2001:db8::1", 6, 443), three(prefix("2001:db8:1::", 48), 17, span(3478, 3481)),
            three("::ffff:192.0.2.1", 6, 1)]))],
        [GONE, *START, element("add", "s", three(NET, 6, 443))],
    ],
    "elements of one field": [
        [TABLE, add("set", **like(PLACE, name="a", type="ipv4_addr", flags=["interval"])), add("set", **LEARNT)],
        [element("add", "a", prefix("10.0.0.0", 8), "192.0.2.1", span("192.0.2.16", "192.0.2.31"))],
        [element("add", "a", prefix("10.0.0.0", 8))], [element("add", "a", prefix("10.1.0.0", 16))],
        [element("add", "a", prefix("192.0.0.0", 8))],
        [element("add", "n", "192.0.2.1"), element("add", "n", TIMED)], [element("add", "n", "192.0.2.1")],
        [element("add", "n", {"elem": {"val": "192.0.2.3", "timeout": 60}})], [element("add", "n", "192.0.2.4")],
        [element("delete", "n", TIMED)], [element("delete", "n", "192.0.2.2")],
        [element("add", "a", {"elem": {"val": "192.0.2.5", "timeout": 10}})],
    ],
    "chains": [
        START, START, [add("chain", **like(BASE, policy="drop"))], [add("chain", **like(BASE, prio=5))],
        [add("chain", **like(BASE, hook="input"))], [add("chain", **like(BASE, type="nat"))],
        [add("chain", **chain("f"))], [add("chain", **like(BASE, name="c"))],
        [add("chain", **like(PLACE, name="g", type="filter", hook="forward", prio=5))],
        [rule("f", {"jump": {"target": "c"}})], [delete("chain", "c")], [flush("f"), delete("chain", "c")],
        [rule("f", ACCEPT)], [delete("chain", "f")], [delete("chain", "f")], [flush("f")],
    ],
    "rules": [
        START, [rule("nothing", ACCEPT)], [rule("f", {"jump": {"target": "nothing"}})],
        [rule("f", match(field("ip", "daddr"), "@nothing"), ACCEPT)],
        [rule("f", match(field("ip", "saddr"), prefix("10.20.0.0", 24)), {"jump": {"target": "c"}})],
        [rule("f", match({"ct": {"key": "direction"}}, "reply"), {"counter": None}, {"drop": None})],
        [rule("f", match({"ct": {"key": "state"}}, ["established", "related"], "in"), ACCEPT, comment="site")],
        [rule("f", match({"&": [MARK, 196608]}, 0, "!="), {"mangle": {"key": MARK, "value": {"&": [MARK, 65535]}}})],
        [rule("c", match({"concat": [field("ip", "daddr"), {"meta": {"key": "l4proto"}}, field("th", "dport")]}, "@s"),
              ACCEPT)],
        [delete("set", "s")], [flush("c"), delete("set", "s")],
        [rule("c", match({"meta": {"key": "iifname"}}, {"set": ["wan1", "eth0", "lan3"]}), ACCEPT)],
        [rule("c", match({"meta": {"key": "oifname"}}, {"set": ["eth0"]}), ACCEPT)],
        [rule("c", match(field("ip", "saddr"), {"set": ["10.1.1.2", "10.1.1.1"]}), ACCEPT)],
        [rule("c", match(field("ip", "saddr"), {"set": ["10.1.1.1", "10.1.1.2", NET]}), ACCEPT)],
        [rule("c", match(field("ip", "saddr"), {"set": [prefix("10.1.0.0", 24), prefix("10.1.1.0", 24)]}), ACCEPT)],
        [rule("c", match(field("ip6", "saddr"), {"set": [prefix("2001:db8::", 64), "2001:db9::1"]}), ACCEPT)],
        [rule("c", match(field("tcp", "dport"), {"set": [443, 80]}), ACCEPT)],
        [rule("c", match(field("tcp", "dport"), {"set": [443, 80, span(81, 90)]}), ACCEPT)],
        [rule("c", match(field("tcp", "dport"), {"set": [span(80, 90)]}), ACCEPT)],
        [{"delete": {"rule": dict(PLACE, chain="c", handle=999)}}], [{"frob": {"rule": {}}}],
    ],
}
WITHIN = """\
import json, subprocess, sys
found = []
for words, text in json.load(sys.stdin):
    done = subprocess.run([*sys.argv[1:], *words], input=text, capture_output=True, text=True)
    found.append([done.returncode, done.stdout, done.stderr])
json.dump(found, sys.stdout)
"""


def _programs() -> list[list[str]]:
    """The machine's nft, and the lab's with the libraries that came with it."""
    found = [[path] for path in [shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")] if path]
    libraries = sorted((LAB / "lib").glob("*/libnftables.so.1"))
    if libraries:
        found.append(["env", f"LD_LIBRARY_PATH={libraries[0].parent}", str(LAB / "sbin" / "nft")])
    return found


def _real(program: list[str], calls: list[tuple[list[str], str]]) -> list[list[Any]]:
    apart = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    words = [*apart, sys.executable, "-c", WITHIN, *program]
    done = subprocess.run(words, input=json.dumps(calls), capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        pytest.skip(f"no network namespace of our own: {done.stderr.strip()[:200]}")
    return list(json.loads(done.stdout))


def _calls(script: list[list[dict[str, Any]]]) -> list[tuple[list[str], str]]:
    calls: list[tuple[list[str], str]] = []
    for commands in script:
        text = json.dumps({"nftables": commands})
        calls += [(["-c", "-j", "-f", "-"], text), (["-j", "-f", "-"], text), (["-j", "list", "ruleset"], "")]
    places = [["table", "inet", "t"], ["table", "inet", "zz"], ["set", "inet", "t", "s"], ["set", "inet", "t", "n"],
              ["set", "inet", "t", "zz"]]
    calls += [(["-j", "list", *words], "") for words in places]
    return [*calls, (["-j", "-t", "list", "ruleset"], ""), (["flush", "ruleset"], ""), (["-j", "list", "ruleset"], "")]


def _plain(value: Any) -> Any:
    """Without what no two runs have in common."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("set"), list):
        return {"set": sorted(map(json.dumps, value["set"]))}  # names of interfaces come in the order of a hash
    found = {key: _plain(item) for key, item in value.items() if key != "handle"}
    if "elem" in found and isinstance(found["elem"], list):
        found["elem"] = sorted(found["elem"], key=json.dumps)
    if "expires" in found:
        found["expires"] = round(found["expires"] / 10)
    if "concat" in found:
        found["concat"] = [{6: "tcp", 17: "udp", 132: "sctp"}.get(part, part) if isinstance(part, int) else part
                           for part in found["concat"][:2]] + found["concat"][2:]
    return found


def _answer(code: int, out: str, err: str) -> tuple[int, Any]:
    return code, [_plain(one) for one in json.loads(out)["nftables"] if "metainfo" not in one] if out else []


def _reason(err: str) -> str:
    """What the kernel says; nft finds some errors before it does, each release in words of its own."""
    return err.splitlines()[0].rpartition(": ")[2] if "Could not process rule" in err else ""


@pytest.fixture(params=_programs() or [[]], ids=lambda words: words[-1] if words else "none")
def program(request) -> list[str]:
    """Its words and, last, its version."""
    if not request.param:
        pytest.skip("no nft on this machine and none in the lab's packages")
    ((code, out, err),) = _real(request.param, [(["--version"], "")])
    version = out.split(" ")[1][1:] if code == 0 else err.strip()
    if version not in RELEASES:
        pytest.skip(f"nft {version} is none of those that the stand-in imitates")
    return [*request.param, version]


@pytest.mark.parametrize("name", SCRIPTS)
def test_as_the_real_one(tmp_path, program, name) -> None:
    *words, version = program
    fake = FakeNft(tmp_path)
    fake.set_knobs(version=version)
    calls = _calls(SCRIPTS[name])
    real = _real(words, calls)
    for call, theirs in zip(calls, real):
        ours = fake.call(*call)
        assert _answer(*ours) == _answer(*theirs), f"{call[0]} {call[1]}: {ours[2]!r}, {theirs[2]!r}"
        reasons = {_reason(ours[2]), _reason(theirs[2])} - {""}
        assert len(reasons) <= 1, f"{call[0]} {call[1]}"


def test_knobs(tmp_path) -> None:
    fake = FakeNft(tmp_path)
    load, listed = ["-j", "-f", "-"], ["-j", "list", "ruleset"]
    text = json.dumps({"nftables": [TABLE]})
    nothing = fake.call(listed)
    fake.set_knobs(fail=2, die_before=3, die_after=4)
    assert fake.call(["-c", *load], text)[0] == 0
    assert fake.call(load, json.dumps({"nftables": [GONE]}))[0] == 1
    assert fake.call(load, text)[0] == 1
    with pytest.raises(Died):
        fake.call(load, text)
    assert fake.call(listed) == nothing
    with pytest.raises(Died):
        fake.call(load, text)
    assert fake.call(listed) != nothing
    assert [one["done"] for one in fake.writes()] == [False, False, False, True]
    assert fake.call(["-c", "-f", "-"], "table inet t {\n}\n")[0] == 0
    fake.set_knobs(refuse_text=True)
    assert fake.call(["-c", "-f", "-"], "table inet t {\n}\n")[0] == 1


def test_as_a_program(tmp_path) -> None:
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"nftables": [TABLE]}), encoding="utf-8")
    words = [sys.executable, str(Path(__file__).with_name("fake_nft.py"))]
    env = dict(os.environ, FAKE_NFT=str(tmp_path))

    def call(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, *more], env=env, capture_output=True, text=True, timeout=60, check=False)

    assert call("--version").stdout == "nftables v1.0.6 (Lester Gooch #5)\n"
    assert call("-j", "-f", str(path)).returncode == 0
    assert '"name": "t"' in call("-j", "list", "ruleset").stdout
    assert MISSING_SET in call("-j", "list", "set", "inet", "t", "s").stderr
    FakeNft(tmp_path).set_knobs(die_after=1)
    assert call("-j", "-f", str(path)).returncode == -9


MISSING_SET = "Error: No such file or directory"
