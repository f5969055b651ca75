# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile entries, a few hundred written down and as many more as a run has time for, and what each of them asks for.

What a text asks for is decided here without the pattern core: the characters that it has, the IDNA encoder of another
author, and the meaning of a star by the collection's documentation. Whatever is accepted must be just that.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import idna
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

SCALE = float(os.environ.get("TORTURE_SCALE", "1"))
EVIL = "evil.example"

# What an injected text would smuggle in, and where it would have to be found.
_SYNTAX = (
    "\n", "\r", "\r\n", "\0", "\t", " ", "\v", "\f", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\u00a0", "\u200b",
    "\ufeff", "\u202e", "\u2066", '"', "'", "`", "\\", "#", ";", ",", "$", "%", "&", "|", "<", ">", "(", ")", "{", "}",
    "[", "]", "!", "?", "=", "+", "^", "~", "@", ":", "/", "//", "\\\\", "%2e", "%00", "\\n", "&#10;", "${x}", "$(id)",
    "{{ x }}", "{% x %}", "]]>", "<!--", "-->", "/*", "*/", "' or '1'='1", '"; evil(); "',
)  # fmt: skip
INJECTED = [f"a.corp.example{char}{EVIL}" for char in _SYNTAX] + [f"{EVIL}{char}a.corp.example" for char in _SYNTAX]
INJECTED += [f"a.corp.example{char}" for char in _SYNTAX] + [f"{char}a.corp.example" for char in _SYNTAX]
INJECTED += [
    "a.corp.example\nacl all src all\nhttp_access allow all", "a.corp.example\nnftset=/#/4#inet#filter#all",
    "a.corp.example/</member><member>evil.example/", "a.corp.example</string><string>evil.example",
    'a.corp.example","evil.example', "a.corp.example'][@name='x'] | //entry", "a.corp.example\\.*|evil.example",
    "(a|evil).example", "a.corp.example$|^evil.example", ".*", "^.*$", "[a-z]+.corp.example", "a.corp.example/#evil",
    "#", "//", "all", "any", "ALL", "/evil.example/", "|evil.example", "!a.corp.example", "-i evil.example",
    "regex:.*", "*.corp.example evil.example", "a.corp.example # evil", "0", "-1", "-", "_", "__proto__", "constructor",
    "toString", "hasOwnProperty", "null", "true", "~",
]  # fmt: skip

_BASE = "corp.example"
STARS = [
    "*", "**", "*.*", "*.*.*", "*.", ".*", "*.example", "*.co.uk", "*.com.au", "*..corp.example", "**.corp.example",
    "*.corp.*", "corp.*", "*.corp.exam*le", "*corp.example", "c*rp.example", "corp*.example", "*.c*.example",
    "a.*.*", "*.*.example", "*example", "*.e*", "a*.b*", "*a*.corp.example", "*-*.corp.example", "-*.corp.example",
    "*-.corp.example", "*.-.corp.example", "a.*b*c*.corp.example", "*xn--bcher-kva.corp.example",
    "*.xn--bcher-kva.example", "xn--*.corp.example", "*.\u0431.example", "*\u0431.corp.example",
    "\uff0a.corp.example", "\u2217.corp.example", "\u204e.corp.example", "?.corp.example", "%2a.corp.example",
    *(".".join([*["*"] * count, _BASE]) for count in range(1, 8)), "*." * 120 + _BASE, "*a." * 80 + _BASE,
    *(f"{'a*' * count}.{_BASE}" for count in (1, 5, 31, 40)),
]  # fmt: skip
STARS += [f"{_BASE[:at]}*{_BASE[at:]}" for at in range(len(_BASE) + 1)]
STARS += [f"{_BASE[:at]}*.{_BASE[at:]}" for at in range(len(_BASE) + 1)]
STARS += [f"a.b.{_BASE}"[:at] + "*" + f"a.b.{_BASE}"[at + 1 :] for at in range(len(_BASE) + 4)]

# All of these are names that can be allowed.
VALID = [
    ".".join([*labels, base]) for base in (_BASE, "b.co.uk", "xn--bcher-kva.example", "1-2.example")
    for labels in (
        (), ("a",), ("*",), ("*", "*"), ("*", "*", "*"), ("a", "*"), ("*", "a"), ("*a",), ("a*",), ("a*b",), ("*a*",),
        ("*", "a*"), ("a*", "*"), ("a", "*", "b"), ("*a", "b*"), ("*", "*", "a*b*c"), ("_x",), ("a--b",),
        ("*", "_dmarc"), ("a" * 63,), ("a*" + "b" * 60,), ("xn--80ak6aa92e",), ("*", "xn--80ak6aa92e"), ("0",),
        ("*-x",), ("*0*",),
    )
]  # fmt: skip

LOOKALIKES = [
    "\u0440\u0430\u0443\u0440\u0430l.example", "p\u0430ypal.example", "microsoft\u2024com.example",
    "go\u043egle.example",
    "\u217fogin.example", "lo\u0261in.example", "\uff4c\uff4f\uff47\uff49\uff4e.corp.example",
    "login\u3002corp.example",
    "login\uff0ecorp.example", "login\uff61corp.example", "login\ufe52corp.example", "\u212aelvin.corp.example",
    "\u017fecret.corp.example", "\u0130stanbul.corp.example", "\u0131d.corp.example", "stra\u00dfe.example",
    "\u1e9etrasse.example", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2.example", "caf\u00e9.example",
    "cafe\u0301.example", "\u0065\u0301x.example", "b\u00fccher.example", "B\u00dcCHER.EXAMPLE", "bu\u0308cher.example",
    "a\u0430.example", "\u4e2d\u6587.example", "\u05d0\u05d1.example", "a\u05d0.example", "\u0627\u0661.example",
    "\u0661\u0662.example", "\u06f1.example", "\u0ea1.example", "\U0001f600.example", "\u2603.example",
    "\u2160.example",
    "\u00b9.example", "\u2488.example", "\u00bd.example", "\ufb01le.example", "\u01c4.example", "\u0149x.example",
    "\u200cx.example", "x\u200cy.example", "\u0915\u094d\u200d\u0937.example", "x\u00ady.example", "x\u034fy.example",
    "\u115fx.example", "x\u180ey.example", "\u0300x.example", "\ud800x.example", "x\udfff.example",
    "\U000e0061x.example",
    "xn--a.example", "xn--a-.example", "xn--.example", "XN--BCHER-KVA.example", "xn--xn--a.example", "xn--ls8h.example",
    "xn--80ak6aa92e.com", "xn--pypal-4ve.com", "xn--bcher-kva.example", "xn--fa-hia.example", "xn--zzzzzzzzz.example",
    "xn--login-.corp.example", "xn--corp-.example", "xn--0.example", "xn---.example", "xn--a\u0430.example",
    "\u1680.example", "\u3164.example", "\u2800.example", "l\u0338ogin.example", "\u0f0b.example", "\u00b7.example",
    "l\u00b7l.example", "\u30fb.example", "\u0375a.example", "\u05f3.example", "3com\u0430.example", "\uff13.example",
]  # fmt: skip

NETWORKS = [
    "0.0.0.0/0", "0.0.0.0", "::/0", "::", "0/0", "0.0.0.0/00", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "10.0.0.0/8",
    "2000::/3", "2000::/18", "2000::/19", "198.51.100.0/24", "198.51.100.7", "198.51.100.7/24", "198.51.100.7/32",
    "198.51.100.0/24/24", "198.51.100.0/33", "198.51.100.0/-1", "198.51.100.0/024", "198.51.100.0/+24",
    "198.51.100.0/ 24", "198.51.100.0/\u0662\u0664", "198.51.100.0/255.255.255.0", "198.51.100.0/0.0.0.255",
    "198.51.100.0/0.0.0.0", "198.51.100.0/255.0.255.0", "198.51.100", "198.51", "3325256704", "0xc6336400",
    "0306.063.0144.0", "0xc6.51.100.7", "198.051.100.007", "198.51.100.07", "198.51.100.256", "198.51.100.7.",
    "198.51.100.7.1", "198.51.100.*", "198.51.100.0-198.51.100.255", "198.51.100.0-255", "198.51.100.0:255.255.255.0",
    "198.51.100.7:443", "[198.51.100.7]", "[2001:db8::7]", "[2001:db8::7]:443", "[2001:db8::7", "2001:db8::7]",
    "2001:db8::/32", "2001:db8::1/32", "2001:db8::7%eth0", "2001:db8::7%25eth0", "fe80::1%1/64", "::ffff:198.51.100.7",
    "::ffff:0:0/96", "::198.51.100.7", "64:ff9b::198.51.100.7", "2001:DB8:0:0::7", "2001:db8:0000:0000::7",
    "2001:0db8::7", "2001:db8::7::", "2001:db8:::7", ":::", "1::2::3", "12345::", "2001:db8::/129", "2001:db8::/32/32",
    "2001:db8::/\uff13\uff12", "\uff11\uff19\uff18.51.100.7", "\u0661.\u0662.\u0663.\u0664", "198\u30022.51.100.7",
    "198.51.100.7\n", "198.51.100.0/24\n0.0.0.0/0", "198.51.100.0/24 0.0.0.0/0", "198.51.100.0/24,0.0.0.0/0",
    "198.51.100.0/24;", "198.51.100.0/24#", "198.51.100.0/24\0", "%", "%%", "1.1", "1.1/8", "127.1", "127.0.0.1",
    "255.255.255.255", "224.0.0.1", "224.0.0.0/4", "240.0.0.0/4", "ff00::/8", "fe80::/10", "::1", "169.254.169.254",
    "1" * 5000, "1." * 2000, ":" * 5000, "1:" * 2000, "/" * 5000, "198.51.100.0/" + "2" * 5000, "%" * 5000,
]  # fmt: skip

LONG = [
    "a" * 63 + ".example", "a" * 64 + ".example", ".".join(["a" * 62] * 4), ".".join(["a" * 63] * 4), "a." * 126 + "b",
    "a." * 127 + "b", "\u0430" * 30 + ".example", "\u0430" * 63 + ".example", "\u0430." * 40 + "example",
    *(char * 1_000_000 for char in ("a", "*", ".", "-", "\u0430", "\n", "\u202e", "\0", "1", "[", ":", "%", "<", "{{")),
    *(f"{part * 300_000}.example" for part in ("a.", "*.", "xn--", "\u0430\u05d0", "1.", "a*")),
    "https://" * 200_000, "http://a@" * 200_000, "a" * 1_000_000 + ".example", "x." * 1_000_000 + "<",
    "198.51.100.0/" * 90_000,
]  # fmt: skip


class Odd:
    """What no YAML makes, and a caller of the core may hand in."""

    def __repr__(self) -> str:
        return "\x1b[31m\u202eodd\n" * 1000


def nested(kind: type, depth: int) -> Any:
    value: Any = "a.corp.example"
    for _level in range(depth):
        value = [value] if kind is list else {"value": value}
    return value


HUGE = 16**9000  # more digits than Python writes
ODD_ITEMS: list[Any] = [
    None, True, False, 0, -1, 443, 1.5, float("nan"), float("inf"), 10**4000, HUGE, b"a.corp.example",
    b"\xff" * 1_000_000,
    dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, tzinfo=dt.UTC), [], {}, (), set(), [[]], ["a.corp.example"], Odd(),
    {"value": None}, {"value": []}, {"value": {}}, {"value": True}, {"value": 443}, {"value": HUGE}, {"value": Odd()},
    {"value": ""}, {"Value": "a.corp.example"}, {"value": "a.corp.example", "type": "Host"}, {"type": "host"},
    {"value": "a.corp.example", "evil": 1}, {"value": "a.corp.example", "\x1b\u202e\n" * 999: 1},
    {"value": "a.corp.example", 1: 1}, {"value": "a.corp.example", None: 1}, {"value": "a.corp.example", ("a",): 1},
    {"value": "a.corp.example", HUGE: 1}, {"value": "a.corp.example", "x" * 1_000_000: 1},
    {"value": "a.corp.example", "type": HUGE}, {"value": "a.corp.example", "type": nested(list, 5000)},
    nested(list, 5000), nested(dict, 5000), {"value": nested(list, 5000)}, nested(list, 100_000),
]  # fmt: skip
_ODD_VALUES: list[Any] = [
    "", "x", "x" * 1_000_000, "\x1b[31m\u202e\n", 0, -1, 1.5, float("inf"), HUGE, True, [], {}, [[]], [None], [HUGE],
    [1],
    ["x" * 1_000_000], ["\n"], ["\u202e"], [Odd()], Odd(), nested(list, 5000), b"x", dt.date(2026, 1, 1), ["tcp/0"],
    ["tcp/65536"], ["tcp/1-65535"], ["tcp/443\n"], ["tcp/\u0664"], ["any"], ["tcp/443", {}], "/", "//", "/../x", "/a b",
    "/a\nb", '/a"b', "/a#b", "/a?b", "/a*b", "/a%0ab", "/a%", "/%2e%2e/", "/" + "a" * 1024, "/a;b", "/a$b", "/./x",
    "/a^b", "/a|b", "/a\\b", "/\u0430", "x/y", ["\ud800"], "\ud800",
]  # fmt: skip
_FIELDS = ("path", "ports", "groups", "category", "required", "critical", "risk", "sources", "type")
ODD_ITEMS += [{"value": "a.corp.example", name: value} for name in _FIELDS for value in _ODD_VALUES]
ODD_ITEMS += [{"value": "198.51.100.0/24", "path": "/x"}, {"value": "a.corp.example", "type": "network"},
              {"value": "198.51.100.0/24", "type": "host"}, {"value": "a.corp.example", "path": "/x",
              "ports": ["udp/1"]}]

TEXTS: list[str] = [*VALID, *INJECTED, *STARS, *LOOKALIKES, *NETWORKS, *LONG]
ITEMS: list[Any] = [*TEXTS, *({"value": text} for text in TEXTS if len(text) < 10_000), *ODD_ITEMS]

# Generated: texts near to names, with what does harm put in anywhere.
_PIECES = st.sampled_from(
    ["a", "b", "corp", "example", "com", "co", "uk", "*", "**", ".", "..", "-", "_", "xn--", "1", "0x", ":", "/",
     "%", "[", "]", "\u0430", "\u00fc", "\u05d0", "\u0661", "\u200d", "\u0301", "\u3002", "\ud800", *_SYNTAX]
)  # fmt: skip
_SOUP = st.lists(_PIECES, min_size=1, max_size=14).map("".join)
_NEAR = st.builds(
    lambda text, at, piece, end: text[: at % (len(text) + 1)] + piece + text[at % (len(text) + 1) :] + end,
    st.sampled_from(["a.corp.example", "*.corp.example", "*cdn.corp.example", "a.*.corp.example", "198.51.100.0/24",
                     "2001:db8::/32"]), st.integers(0, 40), _PIECES, st.sampled_from(["", ".", ".example", "\n"]),
)  # fmt: skip
_LABEL = st.one_of(st.text("ab-_*", min_size=1, max_size=8), st.text(min_size=1, max_size=4), st.just("*"))
_NAMES = st.lists(_LABEL, min_size=1, max_size=5).map(lambda labels: ".".join([*labels, _BASE]))
ANY_TEXT = st.one_of(st.text(), _SOUP, _NEAR, _NAMES)
_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), ANY_TEXT, st.binary(max_size=20), st.dates())
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(ANY_TEXT, inner, max_size=4)),
    max_leaves=8,
)
_ODD_FIELD = st.one_of(_ANYTHING, st.sampled_from(_ODD_VALUES))
ANY_ITEM = st.one_of(
    ANY_TEXT, _ANYTHING,
    st.fixed_dictionaries({"value": ANY_TEXT}, optional=dict.fromkeys(_FIELDS, _ODD_FIELD)),
)  # fmt: skip


def generated(examples: int) -> settings:
    """How many examples are drawn; what fails is printed with what brings it back (@reproduce_failure)."""
    return settings(
        max_examples=max(10, int(examples * SCALE)), deadline=None, derandomize=False, database=None, print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
    )  # fmt: skip


# What is asked for


def asked_value(text: str) -> str | None:
    """The canonical text that *text* may become when it is accepted; None for what must never be."""
    if re.fullmatch(r"[0-9a-fA-F:.]+(/[0-9]+)?", text) and re.fullmatch(r"[0-9.]+(/[0-9]+)?|.*:.*", text):
        try:
            return str(ipaddress.ip_network(text))
        except ValueError:
            return None
    labels = [_asked_label(label) for label in text.removesuffix(".").split(".")]
    return None if None in labels else ".".join(label or "" for label in labels)


def _asked_label(label: str) -> str | None:
    if label.isascii():
        return label.lower() if re.fullmatch(r"[A-Za-z0-9_*-]+", label) else None
    lowered = unicodedata.normalize("NFC", label).lower()
    if unicodedata.normalize("NFKC", label) != unicodedata.normalize("NFC", label):
        return None  # other characters than those that stand there
    try:
        return "xn--" + lowered.encode("punycode").decode("ascii") if idna.encode(lowered) else None
    except (idna.IDNAError, UnicodeError):
        # Names of the older IDNA, or none: the encoding alone is what it may be.
        return "xn--" + lowered.encode("punycode", "replace").decode("ascii")


def asked(pattern: str, name: str) -> bool:
    """Whether the pattern, in its canonical form, asks for the name: straight from the collection's documentation."""
    labels, parts = pattern.split("."), name.lower().split(".")
    leading = next((at for at, label in enumerate(labels) if label != "*"), len(labels))
    tail = labels[leading:]
    if len(parts) < len(labels) or (not leading and len(parts) != len(labels)) or not all(parts):
        return False
    return all(map(_label_asked, tail, parts[len(parts) - len(tail) :]))


def _label_asked(glob: str, label: str) -> bool:
    if glob == "*":
        return bool(label)
    reached = {0}  # how many characters of the label the glob up to here may have taken
    for char in glob:
        if char == "*":
            reached = set(range(min(reached), len(label) + 1))
        else:
            reached = {at + 1 for at in reached if label[at : at + 1] == char}
        if not reached:
            return False
    return len(label) in reached


def near_names(pattern: str) -> Iterator[str]:
    """Names that the pattern asks for, and many that it just does not."""
    for filled in (pattern.replace("*", "q"), pattern.replace("*", "made-up"), pattern.replace("*", "")):
        name = re.sub(r"\.+", ".", filled).strip(".-")
        yield from (name, f"deep.er.{name}", f"x{name}", f"x-{name}", f"{name}x", f"{name}.{EVIL}", f"{name}-{EVIL}")
        yield from (name.partition(".")[2], *(name.replace(".", char, 1) for char in ("-", "x", "")))
        yield from (f"{EVIL}.{name}", f"{name}.{name}", name.replace("o", "0", 1), name.replace("-", "", 1))
    base = pattern.rpartition("*")[2].partition(".")[2] or pattern
    yield from (base, f"look{base}", f"a.b.c.d.e.f.g.{base}", base.partition(".")[2] or base, EVIL, f"a.{EVIL}")


def questions(patterns: Sequence[str]) -> list[str]:
    """All names to ask a matcher for: near to any of the patterns, and what the corpus would smuggle in."""
    names = {name for pattern in patterns for name in near_names(pattern)}
    smuggled = {part.strip(".-*") for text in TEXTS if len(text) < 300 for part in re.split(r"[^A-Za-z0-9.-]+", text)}
    return sorted(name for name in names | smuggled if is_name(name))


def is_name(name: str) -> bool:
    labels = name.split(".")
    return len(labels) > 1 and len(name) < 254 and all(
        re.fullmatch(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", label) for label in labels
    ) and not labels[-1].isdigit()  # fmt: skip


def accepted_texts() -> list[str]:
    """The names of the corpus that the collection accepts, each once, in their canonical form."""
    from ansible_collections.egress.allowlist.plugins.module_utils._entry import normalise  # noqa: PLC0415
    from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError  # noqa: PLC0415

    found = set()
    for text in TEXTS:
        try:
            found.add(normalise([text])[0])
        except AllowlistError:
            continue
    return sorted(entry.value for entry in found if entry.type == "host" and "." in entry.value)


def is_told_well(text: str) -> str:
    """What is wrong with the words of an error, "" for nothing: one that a terminal obeys, or that has no end."""
    if len(text) > 2000:
        return f"{len(text)} characters"
    bad = [char for char in text if not (char.isprintable() or char == "\n")]
    if bad:
        return f"characters that a terminal may obey: {bad[:5]!r}"
    return "a traceback" if "Traceback" in text else ""
