# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a browser may ask a PAC file, what the entries say of it, and lists of entries to make files of.

What is right comes from the pattern core and from Python's ``ipaddress``, never from the script.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import add

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._network import Network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternError, parse
from hypothesis import strategies as st

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SCHEMES = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21, "HTTPS": 443, "gopher": None, "ldap": None}
PORTS = (None, None, None, 80, 443, 21, 8443, 8079, 8080, 8090, 8091, 1, 65535)
# What stands before the host, and after it, must not be taken for the host, its port or the path.
USERS = ("", "", "", "login.live.com@", "login.live.com:443@", "x:80@", "login.live.com:443@x:8443@", "%40:1@")
PATHS = ("/", "", "/p.txt", "/P.txt", "/p.txt?q", "/p.txt#f", "/p.txt/", "/a/p.txt", "?p", "?login.live.com:80",
         "#@login.live.com", "/@login.live.com:443", "/x:443", "\\@login.live.com:443", "/p.txt?http://a.example:443/")


@dataclass(frozen=True)
class Question:
    """One call of FindProxyForURL; *host* is what it is told, *written* what stands in the URL."""

    host: str
    scheme: str = "https"
    port: int | None = None
    user: str = ""
    path: str = "/"
    written: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """The two arguments."""
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{self.user}{self.written or self.host}{port}{self.path}", self.host

    @property
    def asked_port(self) -> int | None:
        return SCHEMES[self.scheme] if self.port is None else self.port

    @property
    def asked_path(self) -> str | None:
        """What an entry with a path is compared with: of plain http, and nothing that stands after a #."""
        return (self.path.partition("#")[0] or "/") if self.scheme == "http" else None


def address_of(host: str) -> Address | None:
    """The address that a host is, in the spellings that URLs have; a scope means something on one machine only."""
    bare = host[1:-1] if host.startswith("[") else host.removesuffix(".")
    try:
        return None if "%" in bare else ipaddress.ip_address(bare)
    except ValueError:
        return None


def holds(entries: Iterable[Entry], question: Question, *, any_port: bool = False) -> bool:
    """Whether the entries hold what is asked for; *any_port* where those that state no ports mean all."""
    address = address_of(question.host)
    return any(
        _holds_thing(entry, question, address) and ((any_port and not entry.ports) or _holds_port(entry, question))
        for entry in entries
    )


def holds_address(entries: Iterable[Entry], address: str, question: Question) -> bool:
    """Whether they hold what a name was resolved to."""
    told = Question(address, question.scheme, question.port)
    return holds(entries, told)


def _holds_thing(entry: Entry, question: Question, address: Address | None) -> bool:
    if entry.type == "network":
        return address is not None and address in entry.network
    return address is None and entry.pattern.matches(question.host) and entry.path in (None, question.asked_path)


def _holds_port(entry: Entry, question: Question) -> bool:
    asked = question.asked_port
    for port in effective_ports(entry):
        protocol, _slash, numbers = port.partition("/")
        low, _dash, high = numbers.partition("-")
        if protocol == "tcp" and asked is not None and int(low) <= asked <= int(high or low):
            return True
    return False


# Few words, so that they meet, and some that every object of JavaScript has.
_WORDS = ("a", "b", "x", "login", "constructor", "__proto__", "hasownproperty", "tostring", "valueof", "watch",
          "length", "xn--bcher-kva", "a-b", "_dmarc", "10", "w" * 63)
_BASES = ("example.com", "x.example", "constructor.example", "__proto__.y.example", "tostring.example", "a.b.x.example",
          "live.com")
_DEEP = ".".join(["a"] * 100)
_LABELS = st.one_of(
    st.just("*"), st.sampled_from(_WORDS), st.text("ab*", min_size=1, max_size=4).filter(lambda text: "**" not in text)
)


def _is_pattern(text: str) -> bool:
    try:
        parse(text)
    except PatternError:
        return False
    return True


PATTERNS = st.one_of(
    st.builds(lambda labels, base: ".".join([*labels, base]), st.lists(_LABELS, max_size=3), st.sampled_from(_BASES)),
    st.sampled_from([f"{_DEEP}.x.example", f"*.{_DEEP}.x.example", f"a*.{_DEEP}.x.example", "xn--bcher-kva.example"]),
).filter(_is_pattern)
HOST_PORTS = st.one_of(
    st.just(()),
    st.lists(
        st.sampled_from(["tcp/443", "tcp/80", "tcp/8443", "tcp/8080-8090", "udp/3478-3481", "tcp/1-65535"]), max_size=3
    ).map(tuple),
)
HOSTS = st.fixed_dictionaries({"value": PATTERNS, "ports": HOST_PORTS.map(list)})
WITH_PATHS = st.fixed_dictionaries(
    {
        "value": PATTERNS,
        "path": st.sampled_from(["/", "/p.txt", "/a/p.txt"]),
        "ports": st.sampled_from([[], ["tcp/8080"]]),
    }
)


def _address(number: int, bits: int) -> Address:
    return ipaddress.IPv4Address(number) if bits == 32 else ipaddress.IPv6Address(number)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, object]:
    """IPv4 from /8 to /32 and IPv6 from /19 to /128, a few of them beside or in each other."""
    if draw(st.booleans()):
        base, length, bits = 0xC6336407, draw(st.integers(8, 32)), 32
    else:
        base, length, bits = 0x20010DB8_0001_0000_0000_0000_C6336407, draw(st.integers(19, 128)), 128
    address = base ^ (draw(st.sampled_from([0, 1, 3])) << (bits - length))
    value = f"{_address(address >> (bits - length) << (bits - length), bits)}/{length}"
    ports = draw(st.sampled_from([["tcp/443"], ["tcp/80", "tcp/443"], ["tcp/8080-8090"], ["tcp/443", "udp/3478"]]))
    return {"value": value, "ports": ports}


def _canonical(items: Sequence[object]) -> list[Entry]:
    return normalise(items, require_ports=True)


LISTS = st.lists(st.one_of(HOSTS, HOSTS, WITH_PATHS, networks()), min_size=1, max_size=8).map(_canonical)


# Hosts that are no name, or names that every object of JavaScript has.
ODD = ("localhost", "intranet", "", ".", "..", "a..b", "-", "1.2.3", "198.51.100", "256.1.1.1", "198.51.100.07",
       "198.51.100.7.5", "198.051.100.7", "0xc6.51.100.7", "3325256711", "::", ":::", "1::2::3", "1:2:3",
       "2001:db8:::1", "2001:db8::12345", "2001:db8::g", "::198.51.100.7", "::ffff:198.51.100.7", "::1.2.3.4.5",
       "1.2.3.4::", "fe80::1%eth0", "2001:db8:1::c633:6407%1", "a b.example.com", "ex\u00e4mple.com",
       "login.live.com\u0000.example", "*.example.com", "*", "www.\u212aa.example", "a" * 64 + ".example.com",
       "a." * 125 + "example.com",
       "constructor", "__proto__", "toString", "hasOwnProperty", "valueOf", "example.com/", "example.com:443", "/",
       "//")


def odd() -> st.SearchStrategy[str]:
    return st.sampled_from(ODD)


def name_of(pattern: Pattern) -> st.SearchStrategy[str]:
    """A name of the pattern, straight from what each form means."""
    few = st.text("abz9-", min_size=1, max_size=3)
    run = st.lists(few, min_size=pattern.leading, max_size=pattern.leading + 2 if pattern.leading else 0)
    tail = [_label_text(label, few).map(lambda text: [text]) for label in pattern.tail]
    return st.tuples(run, *tail).map(lambda parts: ".".join(chain(*parts)))


def _label_text(label: str, few: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    if label == "*":
        return few
    first, *others = label.split("*")
    runs = st.tuples(*(st.text("abz9-", max_size=3) for _star in others))
    return runs.map(lambda texts: first + "".join(map(add, texts, others)))


def disguises(name: str) -> list[str]:
    """The name itself, other spellings of it, and names that a careless script takes for it."""
    first, _dot, rest = name.partition(".")
    last = name.rpartition(".")[2]
    return [
        name, name, name.upper(), name.title(), f"{name}.", f"{name}..", rest or name, rest.partition(".")[2] or name,
        f"a.{name}", f"b.a.{name}", f"evil{name}", f"evil-{name}", f"{first}evil.{rest}", f"{name}.evil.example",
        f"{name}x", f"{name[:-1]}", name.replace(".", "-"), name.replace(".", "x", 1), f".{name}",
        f"{first}..{rest}", f"{first}.x.{rest}", f"{first}x.{rest}", f"x{first}.{rest}", last, f"{name}.{name}",
    ]  # fmt: skip


def spellings(address: Address) -> list[str]:
    """How an address may stand in a URL; those of IPv6 also with brackets."""
    if isinstance(address, ipaddress.IPv4Address):
        return [str(address), f"{address}."]
    long, short = address.exploded, str(address)
    last = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    words = [f"{int(word, 16):x}" for word in long.split(":")]
    found = [long, long.upper(), short, short.upper(), ":".join(words), f"{':'.join(words[:6])}:{last}"]
    return [*found, *(f"[{text}]" for text in found)]


@st.composite
def around(draw: st.DrawFn, network: Network) -> str:
    """An address in the network, at its ends, or just outside, in some spelling."""
    first, last = int(network.network_address), int(network.broadcast_address)
    number = draw(st.one_of(st.integers(first, last), st.sampled_from([first - 1, first, last, last + 1])))
    bits = network.max_prefixlen
    return draw(st.sampled_from(spellings(_address(max(0, min(number, 2**bits - 1)), bits))))


def host_for(entry: Entry) -> st.SearchStrategy[str]:
    if entry.type == "network":
        return around(entry.network)
    return name_of(entry.pattern).flatmap(lambda name: st.sampled_from(disguises(name)))


@st.composite
def questions(draw: st.DrawFn, entries: Sequence[Entry]) -> Question:
    """A question that has to do with some entry of the list, or with none."""
    host = draw(st.one_of(st.sampled_from(list(entries)).flatmap(host_for), odd()))
    written = f"[{host}]" if ":" in host and not host.startswith("[") else ""
    scheme = draw(st.one_of(st.sampled_from(["http", "https"]), st.sampled_from(list(SCHEMES))))
    port, user, path = draw(st.sampled_from(PORTS)), draw(st.sampled_from(USERS)), draw(st.sampled_from(PATHS))
    return Question(host, scheme, port, user, path, written)


@st.composite
def swarms(draw: st.DrawFn, entries: Sequence[Entry]) -> list[Question]:
    """All that is next to one entry of the list, asked on a port that this entry has."""
    entry = draw(st.sampled_from(list(entries)))
    port = draw(st.sampled_from([int(number) for text in effective_ports(entry) for number in _ends(text)]))
    if entry.path:
        host = draw(name_of(entry.pattern))
        return [Question(host, scheme, port, path=path) for scheme in SCHEMES for path in _beside(entry.path)]
    hosts = _edges(entry.network) if entry.type == "network" else disguises(draw(name_of(entry.pattern)))
    scheme = draw(st.sampled_from(["http", "https"]))
    return [
        Question(host, scheme, port, written=f"[{host}]" if ":" in host and "[" not in host else "") for host in hosts
    ]


def _beside(path: str) -> list[str]:
    return [path, f"{path}#f", f"{path}?q", f"{path}/", path[:-1], f"/{path}", path.upper(), "/", ""]


def _ends(port: str) -> list[str]:
    return port.partition("/")[2].split("-")


def _edges(network: Network) -> list[str]:
    first, last = network.network_address, network.broadcast_address
    inside = int(first) > 0 and int(last) < 2**network.max_prefixlen - 1
    beside = [first - 1, last + 1] if inside else []
    return [text for address in (first, last, *beside) for text in (*spellings(address), *_broken(address))]


def _broken(address: Address) -> list[str]:
    """Nearly its spelling, and no address at all."""
    parts = [part.lstrip("0") or "0" for part in address.exploded.replace(":", ".").split(".")]
    if isinstance(address, ipaddress.IPv4Address):
        return [f"0{address}", ".".join(parts[:3]), f"{address}.1", f"{address}..", f"::{address}", f"::ffff:{address}"]
    cut, whole = ":".join(parts[:7]), ":".join(parts)
    halves, last = "::".join(map(":".join, (parts[:4], parts[4:]))), ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return [cut, f"{cut}:", f":{whole}", f"{whole}:0", f"{cut}:0{parts[7]:0>4}", halves, f"{cut}:{last}", f"{whole}%1"]


def is_asked_in_earnest(question: Question) -> bool:
    """Whether the URL has one meaning: what is no host cannot stand in one together with a port."""
    host = question.written or question.host
    return not set(host) & set("/\\@?#") and (host.startswith("[") or ":" not in host)
