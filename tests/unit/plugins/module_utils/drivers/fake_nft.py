# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the program nft and the kernel behind it: JSON transactions and lists, as nft 1.0.6 and 1.1.3 do them.

test_fake_nft.py sends the same transactions here and to the real nft. Everything is in one folder (for the program:
FAKE_NFT): state.json, writes.log (a line for each transaction) and knobs.json, by which a test has it misbehave:
``version``; ``fail``, ``die_before`` and ``die_after`` (the number of a transaction since writes.log was begun);
``fail_check`` (what is said instead of a check); ``refuse_text`` (text files do not parse).
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

RELEASES = {"1.0.6": "Lester Gooch #5", "1.1.3": "Commodore Bullmoose #4"}
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 58: "ipv6-icmp", 132: "sctp"}
NUMBERS = {name: number for number, name in PROTOCOLS.items()}
BITS = {"ipv4_addr": 32, "ipv6_addr": 128, "inet_proto": 8, "inet_service": 16, "mark": 32, "ifname": 0}
FAMILIES = ("ip", "ip6", "inet", "arp", "bridge", "netdev")
FLAGS = ("constant", "interval", "timeout")
EXISTS, MISSING, BUSY = "File exists", "No such file or directory", "Device or resource busy"
OVERLAP = "interval overlaps with an existing one"
Body = Dict[str, Any]
Span = Tuple[Any, Any]  # first and last


class RefusedError(Exception):
    """What nft says on stderr."""


class Died(BaseException):
    """nft was killed. Not an Exception: nothing may catch it, as nothing catches SIGKILL."""


def kernel(text: str) -> RefusedError:
    return RefusedError(f"Could not process rule: {text}")


class FakeNft:
    """One network namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # The program

    def call(self, words: list[str], stdin: str = "") -> tuple[int, str, str]:
        """Exit status, standard output and standard error; Died where it would not live to say so."""
        options = [word for word in words if word.startswith("-") and word != "-"]
        rest = [word for word in words if word not in options]
        try:
            if options == ["--version"]:
                return 0, f"nftables v{self.version} ({RELEASES[self.version]})\n", ""
            if "-f" in options:
                self._load(_file(rest[0], stdin), "-j" in options, "-c" in options)
                return 0, "", ""
            if rest == ["flush", "ruleset"]:
                self._load("flush ruleset\n", False, False)
                return 0, "", ""
            return 0, json.dumps({"nftables": self._listed(rest, "-t" in options)}) + "\n", ""
        except RefusedError as error:
            return 1, "", f"internal:0:0-0: Error: {error}\n\n"

    @property
    def version(self) -> str:
        return str(self.knobs().get("version", "1.0.6"))

    @property
    def is_old(self) -> bool:
        return self.version == "1.0.6"

    def knobs(self) -> Body:
        try:
            return dict(json.loads((self.folder / "knobs.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def set_knobs(self, **knobs: Any) -> None:
        """And the count of transactions starts again."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "writes.log").unlink()
        (self.folder / "knobs.json").write_text(json.dumps(dict(self.knobs(), **knobs)), encoding="utf-8")

    def writes(self) -> list[Body]:
        """All transactions since the log was begun, without those that were only checked."""
        return [one for one in self._log() if not one["check"]]

    def _log(self) -> list[Body]:
        try:
            lines = (self.folder / "writes.log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    # One transaction

    @contextlib.contextmanager
    def _state(self) -> Iterator[Body]:
        """The state, and nobody else has it meanwhile."""
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                state = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
            except FileNotFoundError:
                state = {"handle": 0, "tables": []}
            now = time.time()
            for table in state["tables"]:
                for one in table["sets"].values():
                    one["elem"] = [elem for elem in one["elem"] if elem.get("until", now + 1) > now]
            yield state

    def _commit(self, state: Body) -> None:
        aside = self.folder / "state.new"
        aside.write_text(json.dumps(state), encoding="utf-8")
        aside.rename(self.folder / "state.json")

    def _load(self, text: str, as_json: bool, check: bool) -> None:
        knobs = self.knobs()
        number = 0 if check else len(self.writes()) + 1
        entry: Body = {"check": check, "text": text, "done": False}
        with self._state() as state:
            try:
                if number and number == knobs.get("die_before"):
                    raise Died
                if check and knobs.get("fail_check"):
                    raise RefusedError(knobs["fail_check"])
                if number and number == knobs.get("fail"):
                    raise kernel("Cannot allocate memory")
                Transaction(state, self.is_old).run(_commands(text) if as_json else _text(text, check, knobs))
                entry["done"] = True
                if not check:
                    self._commit(state)
                if number and number == knobs.get("die_after"):
                    raise Died
            finally:
                with (self.folder / "writes.log").open("a", encoding="utf-8") as log:
                    log.write(json.dumps(entry) + "\n")

    def learn(self, family: str, table: str, name: str, address: str) -> None:
        """What dnsmasq does with an answer."""
        with self._state() as state:
            body = {"family": family, "table": table, "name": name, "elem": [address]}
            Transaction(state, self.is_old).run([{"add": {"element": body}}])
            self._commit(state)

    # Lists

    def _listed(self, words: list[str], terse: bool) -> list[Body]:
        info = {"version": self.version, "release_name": RELEASES[self.version], "json_schema_version": 1}
        found: List[Body] = [{"metainfo": info}]
        with self._state() as state:
            if words == ["list", "ruleset"]:
                for table in state["tables"]:
                    found += self._whole(table, terse)
                return found
            named = [one for one in state["tables"] if [one["family"], one["name"]] == words[2:4]]
            if words[:2] == ["list", "table"] and len(words) == 4 and named:
                return found + self._whole(named[0], terse)
            if words[:2] == ["list", "set"] and len(words) == 5 and named and words[4] in named[0]["sets"]:
                return [*found, self._set(named[0], words[4], terse)]
        raise RefusedError(MISSING if words[:1] == ["list"] else f"syntax error, unexpected {words}")

    def _whole(self, table: Body, terse: bool) -> list[Body]:
        own = {"family": table["family"], "name": table["name"], "handle": table["handle"]}
        if table.get("comment") and not self.is_old:
            own["comment"] = table["comment"]
        place = {"family": table["family"], "table": table["name"]}
        sets = [self._set(table, name, terse) for name in table["sets"]]
        chains = [{"chain": dict(place, **body)} for body in table["chains"].values()]
        rules = [{"rule": dict(place, **rule)} for name in table["chains"] for rule in table["rules"]
                 if rule["chain"] == name]
        return [{"table": own}, *(sets + chains if self.is_old else chains + sets), *rules]

    def _set(self, table: Body, name: str, terse: bool) -> Body:
        one = table["sets"][name]
        body = dict(one["body"], family=table["family"], table=table["name"], handle=one["handle"])
        if one["dynamic"] and not self.is_old:
            body["flags"] = [*body.get("flags", []), "dynamic"]
        if one["elem"] and not terse:
            body["elem"] = [_element(body, elem) for elem in one["elem"]]
        return {"set": body}


def _file(path: str, stdin: str) -> str:
    if path == "-":
        return stdin
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise RefusedError(f'Could not open file "{path}": {error.strerror}') from error


def _commands(text: str) -> list[Body]:
    try:
        return list(json.loads(text)["nftables"])
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError("Object item not found: nftables") from error


def _text(text: str, check: bool, knobs: Body) -> list[Body]:
    """nft's own language is not spoken here."""
    if text.split() == ["flush", "ruleset"]:
        return [{"flush": {"ruleset": None}}]
    if not check or knobs.get("refuse_text"):
        raise RefusedError("syntax error, unexpected string")
    return []


class Transaction:
    """Commands one after the other; whoever gives the state throws it away when one is refused."""

    def __init__(self, state: Body, is_old: bool) -> None:
        self._tables: List[Body] = state["tables"]
        self._state = state
        self._is_old = is_old
        self._new_sets: List[Body] = []
        self._updated: List[Tuple[str, str, str]] = []  # sets that a rule of this transaction updates

    def run(self, commands: list[Body]) -> None:
        for command in commands:
            self._note_updates(command)
        for command in commands:
            for verb, target in command.items():
                self._do(verb, target)

    def _note_updates(self, command: Body) -> None:
        rule = (command.get("add") or {}).get("rule", {})
        for one in rule.get("expr", []):
            if isinstance(one.get("set"), dict):
                self._updated.append((rule["family"], rule["table"], one["set"]["set"][1:]))

    def _do(self, verb: str, target: Body) -> None:
        if verb == "metainfo":
            if target.get("json_schema_version", 1) > 1:
                raise RefusedError("Metainfo verification failed.")
            return
        kind, body = next(iter(target.items()))
        action = getattr(self, f"_{verb}_{kind}", None)
        if action is None:
            raise RefusedError("Unknown object passed to add command.")
        action(body)

    def _table(self, body: Body) -> Body:
        place = (body["family"], body["table"])
        for table in self._tables:
            if (table["family"], table["name"]) == place:
                return table
        raise kernel(MISSING)

    def _held(self, body: Body, kind: str) -> Body:
        return _one(self._table(body)[kind], body["name"])

    # Tables

    def _add_table(self, body: Body) -> None:
        if body["family"] not in FAMILIES:
            raise RefusedError(f"Unknown family '{body['family']}'.")
        if not [one for one in self._tables if (one["family"], one["name"]) == (body["family"], body["name"])]:
            self._state["handle"] += 1
            empty: Body = {"next": 0, "sets": {}, "chains": {}, "rules": []}
            self._tables.append(dict(empty, **body, handle=self._state["handle"]))

    def _delete_table(self, body: Body) -> None:
        self._tables.remove(self._table({"family": body["family"], "table": body["name"]}))

    def _flush_ruleset(self, body: Body) -> None:
        self._tables.clear()

    # Sets

    def _add_set(self, body: Body) -> None:
        table = self._table(body)
        wanted: Body = {key: body[key] for key in ("name", "type", "size", "flags", "timeout", "stmt") if key in body}
        dynamic = "dynamic" in wanted.get("flags", [])
        flags = [flag for flag in wanted.get("flags", []) if flag != "dynamic"]
        if "timeout" in wanted and "timeout" not in flags:
            flags.append("timeout")
        if (dynamic and self._is_old) or not set(flags) <= set(FLAGS):
            raise RefusedError("Invalid set flag at index 0.")
        if not set(_types(wanted)) <= set(BITS):
            raise RefusedError("Invalid set type.")
        wanted["flags"] = flags
        if not flags:
            del wanted["flags"]
        there = table["sets"].get(body["name"])
        if there is None:
            one = {"body": wanted, "handle": _next(table), "dynamic": dynamic, "elem": []}
            table["sets"][body["name"]] = one
            self._new_sets.append(one)
        else:
            self._add_again(there, wanted, dynamic, (body["family"], body["table"], body["name"]))
        if "elem" in body:
            self._add_element(body)

    def _add_again(self, there: Body, wanted: Body, dynamic: bool, place: tuple[str, str, str]) -> None:
        """Size and timeout may change. A set that rules update counts as dynamic, which an old nft forgets to say."""
        same = all(there["body"].get(key) == wanted.get(key) for key in ("type", "stmt"))
        same = same and set(there["body"].get("flags", ())) == set(wanted.get("flags", ()))
        if there["dynamic"]:
            same = same and not self._is_old and (dynamic or place in self._updated)
        if not same or (dynamic and not there["dynamic"]):
            raise kernel(EXISTS)
        there["body"] = dict(wanted)

    def _delete_set(self, body: Body) -> None:
        table = self._table(body)
        _one(table["sets"], body["name"])
        if f'"@{body["name"]}"' in json.dumps(table["rules"]):
            raise kernel(BUSY)
        del table["sets"][body["name"]]

    # Elements

    def _add_element(self, body: Body) -> None:
        one = self._held(body, "sets")
        for value in body["elem"]:
            elem = _parsed(one["body"], value)
            there = _met(one, elem["key"])
            if there is None:
                one["elem"].append(elem)
            elif "until" in elem and isinstance(value, dict) and "elem" in value:
                there.update(elem)
            if len(one["elem"]) > one["body"].get("size", 1 << 32):
                raise kernel("Too many open files in system")

    def _delete_element(self, body: Body) -> None:
        one = self._held(body, "sets")
        for value in body["elem"]:
            firsts = [first for first, _last in _parsed(one["body"], value)["key"]]
            found = next((elem for elem in one["elem"] if _holds(elem["key"], firsts)), None)
            if found is None:
                raise kernel(MISSING)
            one["elem"].remove(found)

    # Chains

    def _add_chain(self, body: Body) -> None:
        table = self._table(body)
        wanted: Body = {key: body[key] for key in ("name", "type", "hook", "prio", "policy") if key in body}
        there = table["chains"].get(body["name"])
        if there is None:
            if "hook" in wanted:
                wanted.setdefault("policy", "accept")
            table["chains"][body["name"]] = dict(wanted, handle=_next(table))
        elif "hook" in wanted:
            if any(there.get(key) != wanted[key] for key in ("hook", "prio")):
                raise kernel("Operation not supported")
            if there["type"] != wanted["type"]:
                raise kernel(EXISTS)
            there["policy"] = wanted.get("policy", there["policy"])

    def _flush_chain(self, body: Body) -> None:
        self._held(body, "chains")
        table = self._table(body)
        table["rules"] = [rule for rule in table["rules"] if rule["chain"] != body["name"]]

    def _delete_chain(self, body: Body) -> None:
        self._flush_chain(body)
        table = self._table(body)
        if any(body["name"] in _targets(rule["expr"]) for rule in table["rules"]):
            raise kernel(BUSY)
        del table["chains"][body["name"]]

    # Rules

    def _add_rule(self, body: Body) -> None:
        table = self._table(body)
        _one(table["chains"], body["chain"])
        for target in _targets(body["expr"]):
            _one(table["chains"], target)
        for name in _sets_of(body["expr"]):
            if name not in table["sets"]:
                raise RefusedError(MISSING)
        for one in body["expr"]:
            if isinstance(one.get("set"), dict):
                self._updates(table["sets"][one["set"]["set"][1:]])
        expr = [_told(one) for one in body["expr"]]
        rule = {"chain": body["chain"], "handle": _next(table), "expr": expr}
        if "comment" in body:
            rule["comment"] = body["comment"]
        table["rules"].append(rule)

    def _updates(self, one: Body) -> None:
        if "timeout" not in one["body"].get("flags", []):
            raise kernel("Operation not supported")
        if any(one is new for new in self._new_sets):
            one["dynamic"] = True

    def _delete_rule(self, body: Body) -> None:
        table = self._table(body)
        kept = [rule for rule in table["rules"] if (rule["chain"], rule["handle"]) != (body["chain"], body["handle"])]
        if len(kept) == len(table["rules"]):
            raise kernel(MISSING)
        table["rules"] = kept


def _one(held: Body, name: str) -> Body:
    if name not in held:
        raise kernel(MISSING)
    found: Body = held[name]
    return found


def _next(table: Body) -> int:
    table["next"] += 1
    return int(table["next"])


def _targets(expr: list[Body]) -> list[str]:
    return [one[verb]["target"] for one in expr for verb in ("jump", "goto") if verb in one]


def _sets_of(expr: list[Body]) -> list[str]:
    found = []
    for one in expr:
        for body in one.values():
            values = body.values() if isinstance(body, dict) else ()
            found += [value[1:] for value in values if isinstance(value, str) and value.startswith("@")]
    return found


# Elements as spans of numbers


def _types(body: Body) -> list[str]:
    types = body.get("type", "?")
    return list(types) if isinstance(types, list) else [types]


def _parsed(body: Body, value: Any) -> Body:
    """The element of a set that is meant by what stands in a transaction."""
    told = value["elem"] if isinstance(value, dict) and "elem" in value else {"val": value}
    types = _types(body)
    parts = told["val"]["concat"] if isinstance(told["val"], dict) and "concat" in told["val"] else [told["val"]]
    if len(parts) != len(types):
        raise RefusedError("invalid data type")
    elem: Body = {"key": [list(_span(kind, part)) for kind, part in zip(types, parts)]}
    timed = "timeout" in body.get("flags", [])
    if "timeout" in told and not timed:
        raise kernel("Invalid argument")
    timeout = told.get("timeout", body.get("timeout"))
    if timeout is not None:
        left = told.get("expires", timeout)
        if left > timeout:
            raise kernel("Numerical result out of range")
        elem.update(timeout=timeout, until=time.time() + left)
    return elem


def _span(kind: str, value: Any) -> Span:
    if isinstance(value, dict) and "range" in value:
        first, last = value["range"]
        return _span(kind, first)[0], _span(kind, last)[1]
    if isinstance(value, dict):
        network = ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}", strict=False)
        return int(network.network_address), int(network.broadcast_address)
    if kind == "ifname":
        return value, value
    if isinstance(value, str):
        value = _number(kind, value)
    if not 0 <= value < 1 << BITS[kind]:
        raise RefusedError("Service out of range")
    return value, value


def _number(kind: str, text: str) -> int:
    """The real one asks the resolver about anything that is none of these."""
    try:
        if kind in ("ipv4_addr", "ipv6_addr"):
            address = ipaddress.ip_address(text)
            return int(address) if address.max_prefixlen == BITS[kind] else -1
        return NUMBERS[text] if kind == "inet_proto" else int(text)
    except (ValueError, KeyError) as error:
        raise RefusedError(f"Could not resolve {text}") from error


def _holds(key: list[Span], values: list[Any]) -> bool:
    return all(first <= value <= last for (first, last), value in zip(key, values))


def _met(one: Body, key: list[Span]) -> Body | None:
    """The element that is there already.

    In sets of several fields, one that holds the first or the last values of a new one is in its way, and one that
    lies inside it is not.
    """
    same: List[Body] = [elem for elem in one["elem"] if elem["key"] == key]
    if "interval" in one["body"].get("flags", []):
        for values in zip(*key):
            first = next((elem for elem in one["elem"] if _holds(elem["key"], list(values))), None)
            if first is not None and first not in same:
                raise kernel(EXISTS) if len(key) > 1 else RefusedError(OVERLAP)
        if len(key) == 1 and not same and any(_holds(key, [elem["key"][0][0]]) for elem in one["elem"]):
            raise RefusedError(OVERLAP)
    return same[0] if same else None


def _element(body: Body, elem: Body) -> Any:
    parts = [_word(kind, first, last) for kind, (first, last) in zip(_types(body), elem["key"])]
    value = {"concat": parts} if len(parts) > 1 else parts[0]
    told: Body = {"val": value}
    if "until" in elem:
        if elem["timeout"] != body.get("timeout"):
            told["timeout"] = elem["timeout"]
        told["expires"] = int(elem["until"] - time.time())
    if body.get("stmt"):
        told["counter"] = {"packets": 0, "bytes": 0}
    return {"elem": told} if len(told) > 1 else value


def _word(kind: str, first: Any, last: Any) -> Any:
    if kind in ("ipv4_addr", "ipv6_addr"):
        bits = BITS[kind]
        size = last - first + 1
        if size > 1 and size & (size - 1) == 0 and first % size == 0:
            return {"prefix": {"addr": _address(bits, first), "len": bits - size.bit_length() + 1}}
        first, last = _address(bits, first), _address(bits, last)
    elif kind == "inet_proto" and first == last:
        return PROTOCOLS.get(first, first)
    return first if first == last else {"range": [first, last]}


def _address(bits: int, value: int) -> str:
    """As the C library writes it."""
    family = socket.AF_INET if bits == 32 else socket.AF_INET6
    return socket.inet_ntop(family, value.to_bytes(bits // 8, "big"))


# Rules as they are told


def _told(one: Body) -> Body:
    if "counter" in one:
        return {"counter": {"packets": 0, "bytes": 0}}
    right = one.get("match", {}).get("right")
    if isinstance(right, dict) and isinstance(right.get("set"), list):
        return {"match": dict(one["match"], right=_anonymous(_kind_of(one["match"]["left"]), right["set"]))}
    return one


def _kind_of(left: Body) -> str:
    payload = left.get("payload", {})
    if payload.get("field") in ("saddr", "daddr"):
        return "ipv4_addr" if payload["protocol"] == "ip" else "ipv6_addr"
    if payload.get("field") in ("sport", "dport"):
        return "inet_service"
    return "ifname" if left.get("meta", {}).get("key") in ("iifname", "oifname") else ""


def _anonymous(kind: str, values: list[Any]) -> Any:
    """One value needs no set; neighbours become one where ranges are; names of interfaces come in another order."""
    if len(values) == 1:
        return values[0]
    if kind not in BITS or kind == "ifname":
        return {"set": values[::-1]}
    spans = sorted({_span(kind, value) for value in values})
    if any(first != last for first, last in spans):
        spans = _joined(spans)
    return {"set": [_word(kind, first, last) for first, last in spans]}


def _joined(spans: list[Span]) -> list[Span]:
    found: List[Span] = []
    for first, last in spans:
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


if __name__ == "__main__":
    try:
        given = sys.stdin.read() if "-" in sys.argv else ""
        code, out, err = FakeNft(Path(os.environ["FAKE_NFT"])).call(sys.argv[1:], given)
    except Died:
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdout.write(out)
    sys.stderr.write(err)
    sys.exit(code)
