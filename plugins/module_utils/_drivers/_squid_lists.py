# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Squid's lists: entries to the text of ACL files and back. Pure.

Why so many files: `dstdomain` is a tree and fast, and its `.x` takes `x` as well, so what must not be taken stands in
a second list (`except`); a name with a star elsewhere needs a regular expression (`shape`); `x` beside `.x`, or a
child before its parent, is FATAL to some versions and a warning to others, so what another line covers is left out of
the list and kept in a comment, where the next run finds it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Dict, Iterable, List, Mapping, NamedTuple, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import INTENTS
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, minimise, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict

KINDS = ("names", "except", "shape", "nets", "url")
MAIL_PORTS = frozenset((25, 110, 143, 465, 587, 993, 995))
_COVERED = "# covered: "
_CLASS = re.compile(r"^# class (?P<index>\d+): (?P<ports>[^;]+); (?P<intents>[a-z_, ]+)(?P<path>; by path)?$")


class ClassKey(NamedTuple):
    """Entries that are treated alike share their lists and their rules."""

    by_path: bool
    ports: Tuple[str, ...]  # tcp/…, sorted
    intents: Tuple[str, ...]


@dataclass(frozen=True)
class EntryClass:
    """One numbered class: its key and the text of its lists by kind (only those that are not empty)."""

    index: int
    key: ClassKey
    lists: Mapping[str, str]

    @property
    def port_words(self) -> str:
        return " ".join(sorted((port.partition("/")[2] for port in self.key.ports), key=_first_port))

    def title(self, kind: str) -> str:
        return f"{kind}_{self.index}"

    def file_name(self, kind: str) -> str:
        """The content is in the name: a list never changes, it is replaced, and one rename decides what is live."""
        digest = hashlib.sha256(self.lists[kind].encode("utf-8")).hexdigest()[:16]
        return f"{self.title(kind)}.{digest}.acl"

    def comment(self) -> str:
        tail = "; by path" if self.key.by_path else ""
        return f"# class {self.index}: {','.join(self.key.ports)}; {', '.join(self.key.intents)}{tail}"


def _first_port(words: str) -> int:
    return int(words.partition("-")[0])


# Entries to classes


def translate(holdings: Iterable[Holding]) -> Tuple[List[Holding], List[Verdict]]:
    """What of each entry a web proxy can carry, and a verdict for what it cannot (UDP, mail)."""
    carried: List[Holding] = []
    verdicts: List[Verdict] = []
    for holding in holdings:
        ports = tuple(port for port in holding.entry.ports if _is_web(port))
        intents = holding.intents
        if holding.entry.path is not None:  # TLS shows no path, so this intent does not exist for it
            intents = tuple(intent for intent in intents if intent != "bypass_tls_inspection")
        foreign = [port for port in holding.entry.ports if port not in ports]
        entry = replace(holding.entry, ports=ports)
        if foreign:
            written = (entry.line(()),) if ports else ()
            lost = f"{', '.join(foreign)}: a web proxy does not carry that, it leaves through the firewall"
            verdicts.append(Verdict(holding.entry.line(()), intents, lost=lost, loses="foreign", written=written))
        if ports and intents:
            carried.append(Holding(entry, intents))
    return carried, verdicts


def _is_web(port: str) -> bool:
    protocol, _unused, number = port.partition("/")
    return protocol == "tcp" and number not in {str(mail) for mail in MAIL_PORTS}


def classes(name: str, holdings: Iterable[Holding]) -> List[EntryClass]:
    """Group the entries and write their lists; numbered in a stable order."""
    groups: Dict[ClassKey, List[Entry]] = {}
    for holding in holdings:
        key = ClassKey(holding.entry.path is not None, tuple(sorted(holding.entry.ports)), holding.intents)
        groups.setdefault(key, []).append(holding.entry)
    return [
        EntryClass(index, key, _lists(name, index, groups[key]))
        for index, key in enumerate(sorted(groups, key=_class_order), 1)
    ]


def _class_order(key: ClassKey) -> Tuple[bool, Tuple[str, ...], Tuple[int, ...]]:
    return key.by_path, key.ports, tuple(INTENTS.index(intent) for intent in key.intents)


def _lists(name: str, index: int, entries: Sequence[Entry]) -> Dict[str, str]:
    kept = minimise(entries)
    keys = {entry.key for entry in kept}
    covered = sorted(_subject(entry) for entry in entries if entry.key not in keys)
    hosts = {entry.pattern for entry in kept if entry.type == "host"}
    lines = {
        "names": _name_lines(hosts),
        "except": sorted(p.base for p in hosts if p.is_subtree and parse(p.base) not in hosts),
        "shape": [line for p in sorted(hosts, key=_text) if not _in_tree(p) for line in (f"# {p.text}", p.regex())],
        "nets": [entry.value for entry in kept if entry.type == "network"],
        "url": [line for entry in kept if entry.path is not None for line in (f"# {_subject(entry)}", _url(entry))],
    }
    first = next(kind for kind in ("names", "shape", "nets") if lines[kind])
    texts = {}
    for kind in KINDS:
        if lines[kind]:
            notes = [_COVERED + text for text in covered] if kind == first else []
            head = f"# egress.allowlist name={name} list={kind}_{index}"
            texts[kind] = "\n".join([head, *notes, *lines[kind]]) + "\n"
    return texts


def _text(pattern: Pattern) -> str:
    return pattern.text


def _subject(entry: Entry) -> str:
    return entry.value + (entry.path or "")


def _in_tree(pattern: Pattern) -> bool:
    return pattern.is_literal or pattern.is_subtree


def _name_lines(hosts: Set[Pattern]) -> List[str]:
    """`.x` for `*.x`, also where `x` is listed itself; sorted from the right, so that a parent would come first."""
    trees = {p.base for p in hosts if p.is_subtree}
    names = [(p.text.split(".")[::-1], p.text) for p in hosts if p.is_literal and p.text not in trees]
    names += [(base.split(".")[::-1], "." + base) for base in trees]
    return [text for _unused, text in sorted(names)]


def _url(entry: Entry) -> str:
    """The whole URL of a plain http request; a star never leaves the host part."""
    host = entry.pattern.regex()[1:-1].replace("[^.]", "[^./:@?]")
    return f"^http://{host}(:[0-9]+)?{re.escape(entry.path or '')}$"


# Back from the texts


def read_classes(include: str, lists: Mapping[str, str]) -> Tuple[List[Holding], List[str]]:
    """The entries in an include file and its lists (text by title such as ``names_1``), and lines that are none."""
    holdings: List[Holding] = []
    unread: List[str] = []
    for line in include.splitlines():
        match = _CLASS.match(line)
        if match:
            _read_class(match, lists, holdings, unread)
    return holdings, unread


def _read_class(
    match: re.Match[str], lists: Mapping[str, str], holdings: List[Holding], unread: List[str]
) -> None:
    index, by_path = match.group("index"), bool(match.group("path"))
    intents = tuple(intent for intent in match.group("intents").split(", ") if intent in INTENTS)
    ports = match.group("ports").split(",")
    texts = {kind: lists.get(f"{kind}_{index}", "") for kind in KINDS}
    subjects: List[str] = []
    excluded = set(_active(texts["except"]))
    for line in [] if by_path else _active(texts["names"]):
        subjects += _from_name(line, excluded)
    shapes = texts["url" if by_path else "shape"]
    subjects += _from_commented(shapes, by_path, unread)
    subjects += _active(texts["nets"])
    subjects += [line[len(_COVERED) :] for text in texts.values() for line in text.splitlines() if _is_covered(line)]
    for subject in subjects:
        try:
            entry = _entry(subject, ports)
        except AllowlistError:
            unread.append(subject)
        else:
            holdings.append(Holding(entry, intents))


def _is_covered(line: str) -> bool:
    return line.startswith(_COVERED)


def _active(text: str) -> List[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _from_name(line: str, excluded: Set[str]) -> List[str]:
    if not line.startswith("."):
        return [line]
    base = line[1:]
    return ["*." + base] if base in excluded else ["*." + base, base]


def _from_commented(text: str, by_path: bool, unread: List[str]) -> List[str]:
    """A regular expression is ours when it is the one that its comment stands for."""
    found: List[str] = []
    comment = ""
    for line in text.splitlines():
        if line.startswith("#"):
            comment = line[2:]
            continue
        if _expected(comment, by_path) == line:
            found.append(comment)
        elif line.strip():
            unread.append(line)
        comment = ""
    return found


def _expected(comment: str, by_path: bool) -> str:
    try:
        return _url(_entry(comment, ["tcp/80"])) if by_path else parse(comment).regex()
    except AllowlistError:
        return ""


def _entry(subject: str, ports: Sequence[str]) -> Entry:
    if "/" in subject and not re.match(r"^[0-9a-f.:]+/[0-9]+$", subject):
        value, _unused, path = subject.partition("/")
        return normalise([{"type": "host", "value": value, "path": "/" + path, "ports": list(ports)}])[0]
    return normalise([{"value": subject, "ports": list(ports)}])[0]
