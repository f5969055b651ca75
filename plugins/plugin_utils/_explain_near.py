# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an entry lets through, and what nearly does and why it does not. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from ipaddress import collapse_addresses

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports
from ansible_collections.egress.allowlist.plugins.module_utils._ports import ports_contain, written
from ansible_collections.egress.allowlist.plugins.plugin_utils._explain_ask import Question

EXACTLY, BY_WILDCARD, BY_NETWORK, IN_PART = "exactly", "by wildcard", "by network", "in part"
SAME_DOMAIN = "same_domain"
_MOST_NEAR = 8
_MOST_SIBLINGS = 4
_MOST_ALIKE = 2
# Characters that people take for others; enough for names in ASCII, Cyrillic and Greek.
_ALIKE = str.maketrans("01358аеорсухіѕԁӏονи", "olesbaeopcyxisdlovu")


@dataclass(frozen=True)
class Near:
    """An entry that nearly lets the thing through; *relation* is a word for programs, *why* a sentence."""

    entry: Entry
    relation: str
    why: str


def ports_of(entry: Entry) -> tuple[str, ...]:
    """The ports that are let through; none where a network states none."""
    return entry.ports if entry.type == "network" else effective_ports(entry)


def reaches(entry: Entry, asked: Question) -> bool:
    """Whether the entry has all of the name or network, on whatever ports."""
    thing = asked.thing
    if entry.type != thing.type:
        return False
    if entry.type == "host":
        return entry.pattern.covers(thing.pattern)
    return entry.network.version == thing.network.version and thing.network.subnet_of(entry.network)  # type: ignore[arg-type]


def on_port(entry: Entry, asked: Question) -> bool:
    return asked.port is None or ports_contain(ports_of(entry), (asked.port,))


def on_path(entry: Entry, asked: Question) -> bool:
    return entry.path is None or entry.path == asked.path


def lets_through(entry: Entry, asked: Question) -> bool:
    """Whether the entry alone lets all of it through."""
    return reaches(entry, asked) and on_port(entry, asked) and on_path(entry, asked)


def answering(entries: Iterable[Entry], asked: Question) -> list[tuple[Entry, str]]:
    """The entries that let it through, the most exact first, each with how; several networks may do it together."""
    listed = list(entries)
    found = [(entry, _how(entry, asked)) for entry in listed if lets_through(entry, asked)]
    if not found and asked.thing.type == "network":
        parts = [entry for entry in listed if _meets(entry, asked) and on_port(entry, asked)]
        if _together(parts, asked):
            found = [(entry, IN_PART) for entry in parts]
    return sorted(found, key=lambda pair: (pair[1] != EXACTLY, -_size(pair[0]), pair[0].sort_key))


def _how(entry: Entry, asked: Question) -> str:
    if entry.value == asked.thing.value:
        return EXACTLY
    return BY_WILDCARD if entry.type == "host" else BY_NETWORK


def _size(entry: Entry) -> int:
    return len(entry.pattern.labels) if entry.type == "host" else entry.network.prefixlen


def _meets(entry: Entry, asked: Question) -> bool:
    network = asked.thing.network
    return entry.type == "network" and entry.network.version == network.version and entry.network.overlaps(network)


def _together(parts: Sequence[Entry], asked: Question) -> bool:
    joined = collapse_addresses([entry.network for entry in parts])  # type: ignore[type-var]
    return any(asked.thing.network.subnet_of(network) for network in joined)  # type: ignore[arg-type]


def near(entries: Sequence[Entry], asked: Question) -> list[Near]:
    """What nearly lets it through, the likeliest first."""
    found: dict[tuple[str, str, str | None], Near] = {}
    for rule in _RULES:
        for one in rule(entries, asked):
            found.setdefault(one.entry.key, one)
    return list(found.values())[:_MOST_NEAR]


def _other_port(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    for entry in entries:
        if reaches(entry, asked) and on_path(entry, asked) and not on_port(entry, asked):
            ports = written(ports_of(entry))
            yield Near(entry, "port", f"is let through on {ports or 'ports that are not stated'}, not on {asked.port}")


def _other_path(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    for entry in entries:
        if reaches(entry, asked) and not on_path(entry, asked):
            yield Near(entry, "path", f"is let through in plain http for the path {entry.path} alone")


def _apex(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    if asked.thing.type != "host" or asked.is_wildcard:
        return
    labels = asked.thing.pattern.labels
    for entry in _hosts(entries):
        pattern = entry.pattern
        if pattern.leading and labels[-len(pattern.tail) :] == pattern.tail and len(labels) < len(pattern.labels):
            under = ".".join(pattern.tail)
            if labels == pattern.tail:
                yield Near(entry, "apex", f"stands for the names under {under}, and not for {under} itself")
            else:
                yield Near(entry, "depth", f"wants {pattern.leading} labels or more before {under}")


def _deeper(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    for entry in _hosts(entries):
        if asked.thing.type == "host" and asked.thing.value.endswith(f".{entry.value}"):
            yield Near(entry, "deeper", f"is that name alone, and {asked.thing.value} is under it")


def _inner_star(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    for entry in _hosts(entries):
        if asked.thing.type == "host" and entry.pattern.form in ("glued", "inner") and not reaches(entry, asked):
            longer = ".*".join(map(re.escape, entry.value.split("*")))
            if re.fullmatch(longer, asked.thing.value):
                yield Near(entry, "star", "has a star that stands for text inside of one label only")


def _part_of_it(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    for entry in entries:
        if asked.thing.type == "network" and _meets(entry, asked):
            yield Near(entry, "part", f"is a part of {asked.name}, and the rest of it is in no entry")
        elif asked.is_wildcard and entry.type == "host" and not reaches(entry, asked):
            if asked.thing.pattern.covers(entry.pattern):
                yield Near(entry, "part", f"is only some of the names that {asked.thing.value} stands for")
            elif asked.thing.pattern.overlaps(entry.pattern):
                yield Near(entry, "part", f"has some of the names that {asked.thing.value} stands for, and not all")


def _embedded(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    if asked.thing.type != "host" or asked.is_wildcard:
        return
    labels = asked.thing.value.split(".")
    beginnings = [".".join(labels[:count]) for count in range(len(labels) - 1, 1, -1)]
    for entry in _hosts(entries):
        found = next((name for name in beginnings if entry.pattern.matches(name)), None)
        if found is not None:
            why = f"lets {found} through, with which the name only begins: it belongs to whoever has {_domain(labels)}"
            yield Near(entry, "beginning", why)


def _look_alike(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    if asked.thing.type != "host":
        return
    labels = asked.thing.value.split(".")
    ours = {_domain(entry.value.split(".")) for entry in _hosts(entries)}
    domain = _domain(labels)
    for other in sorted(ours - {domain}) if domain not in ours else ():
        if _is_alike(domain, other):
            meant = ".".join([*labels[:-2], other])
            same = [entry for entry in _hosts(entries) if _domain(entry.value.split(".")) == other]
            same.sort(key=lambda entry: (not entry.pattern.matches(meant), -_ratio(entry.value, meant), entry.sort_key))
            for entry in same[:_MOST_ALIKE]:
                why = f"reads almost the same, and {domain} is not {other}: a slip, or somebody else's name"
                yield Near(entry, "look_alike", why)


def _siblings(entries: Sequence[Entry], asked: Question) -> Iterator[Near]:
    if asked.thing.type != "host":
        return
    domain = _domain(asked.thing.value.split("."))
    same = [entry for entry in _hosts(entries) if _domain(entry.value.split(".")) == domain]
    same.sort(key=lambda entry: (-_ratio(entry.value, asked.thing.value), entry.sort_key))
    for entry in same[:_MOST_SIBLINGS]:
        yield Near(entry, SAME_DOMAIN, f"is another name in {domain}")


_RULES: tuple[Callable[[Sequence[Entry], Question], Iterator[Near]], ...] = (
    _other_port, _other_path, _apex, _deeper, _part_of_it, _inner_star, _embedded, _look_alike, _siblings,
)  # fmt: skip


def _hosts(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry.type == "host")


def _domain(labels: Sequence[str]) -> str:
    """The last two labels: not always what somebody registers, but what people look at."""
    return ".".join(labels[-2:])


def _ratio(one: str, two: str) -> float:
    return SequenceMatcher(None, one, two, autojunk=False).ratio()


def _is_alike(one: str, two: str) -> bool:
    first, second = _skeleton(one), _skeleton(two)
    return first == second or _one_edit(first, second)


def _skeleton(name: str) -> str:
    """The name as a tired eye reads it."""
    labels = [_decoded(label) for label in name.split(".")]
    return ".".join(labels).translate(_ALIKE).replace("rn", "m").replace("vv", "w").replace("-", "").replace("i", "l")


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label


def _one_edit(one: str, two: str) -> bool:
    """One character more, less or other, or two neighbours swapped; short names are alike by chance."""
    if min(len(one), len(two)) < 7 or abs(len(one) - len(two)) > 1:
        return False
    start = next((at for at, (left, right) in enumerate(zip(one, two, strict=False)) if left != right), None)
    if start is None:
        return True
    left, right = one[start:], two[start:]
    swapped = left[:2] == right[1::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]
