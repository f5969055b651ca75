# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run is asked to publish: the options, checked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._network import looks_like_network
from ansible_collections.egress.allowlist.plugins.module_utils._publish_record import is_plain

KEPT = "the last good version stays; to take everything away on purpose say so with state: absent"
COUNTS = ("exact", "broader", "narrower", "impossible", "elsewhere")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,15}")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,15}")
_DIALECT = re.compile(r"[a-z0-9_]{0,40}")
_LONGEST_SIGNATURE = 64 * 1024


@dataclass(frozen=True)
class Offer:
    """One file that shall be there."""

    name: str
    data: bytes
    dialect: str
    entries: Tuple[str, ...]
    counts: Mapping[str, int]
    signature: Optional[bytes]  # None: keep the one that belongs to this content; b"": none

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Wanted:
    """The whole set."""

    offers: Tuple[Offer, ...]  # sorted by name
    suffix: str
    checksums: str
    index: str

    @property
    def pages(self) -> Tuple[str, ...]:
        return tuple(page for page in (self.checksums, self.index) if page)

    @property
    def names(self) -> List[str]:
        return [offer.name for offer in self.offers] + list(self.pages)


def wanted(options: Mapping[str, Any]) -> Wanted:
    """The options as one value; AllowlistError says which of them cannot be used."""
    _require_name(options["name"])
    if _SUFFIX.fullmatch(options["signature_suffix"]) is None:
        raise AllowlistError(f"signature_suffix: expected such as .sig, got {shown(options['signature_suffix'])}")
    if not 0 <= options["max_shrink"] <= 100:
        raise AllowlistError(f"max_shrink: expected a percentage from 0 to 100, got {options['max_shrink']}")
    files = options["files"] or []
    if options["state"] == "present" and not files:
        raise AllowlistError(f"files: expected at least one, got none; {KEPT}")
    offers = sorted((_offer(item, f"files[{index}]") for index, item in enumerate(files)), key=lambda one: one.name)
    found = Wanted(tuple(offers), options["signature_suffix"], options["checksums"], options["index"])
    _require_different(found)
    return found


def _require_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise AllowlistError(f"name: expected a small letter, then up to 15 letters, digits and _, got {shown(name)}")


def _require_different(found: Wanted) -> None:
    for option, page in (("checksums", found.checksums), ("index", found.index)):
        if page and not is_plain(page):
            raise AllowlistError(f"{option}: expected a plain file name or nothing, got {shown(page)}")
    signatures = [offer.name + found.suffix for offer in found.offers]
    seen = set()
    for name in [*found.names, *signatures]:
        if name.lower() in seen:
            raise AllowlistError(
                f"files: {shown(name)} would be written twice; each file, its signature, `index` and `checksums` need "
                "names of their own"
            )
        seen.add(name.lower())


def _offer(item: Mapping[str, Any], where: str) -> Offer:
    name = item["name"]
    if not is_plain(name):
        raise AllowlistError(
            f"{where}.name: expected a plain file name of letters, digits, dots, - and _ that begins with a letter or "
            f"a digit, got {shown(name)}"
        )
    if not (item["text"] or "").strip():
        raise AllowlistError(f"{where} ({name}): text is empty; {KEPT}")
    entries = item["entries"]
    if not entries:
        raise AllowlistError(f"{where} ({name}): entries: expected what the file holds, got none; {KEPT}")
    held = as_entries(entries, f"{where}.entries")
    dialect = item.get("dialect") or ""
    if _DIALECT.fullmatch(dialect) is None:
        raise AllowlistError(f"{where} ({name}): dialect: expected small letters, digits and _, got {shown(dialect)}")
    texts = tuple(entry.value + (entry.path or "") for entry in held)
    return Offer(name, _data(item["text"], where), dialect, texts, _counts(item, where), _signature(item, where))


def as_entries(items: Sequence[object], where: str) -> List[Entry]:
    """Entries from what files hold: a text may have a path here."""
    return list(normalise(_with_paths(items), where=where, default_ports=("tcp/443",)))


def _with_paths(items: Iterable[object]) -> Iterable[object]:
    for item in items:
        if isinstance(item, str) and "/" in item and not looks_like_network(item):
            value, _slash, path = item.partition("/")
            yield {"value": value, "path": f"/{path}"}
        else:
            yield item


def _data(text: str, where: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise AllowlistError(f"{where}.text: cannot be written as UTF-8: {error}") from error


def _counts(item: Mapping[str, Any], where: str) -> Mapping[str, int]:
    counts = item.get("counts") or {}
    for kind, count in counts.items():
        if kind not in COUNTS or isinstance(count, bool) or not str(count).isdigit():
            raise AllowlistError(f"{where}.counts: expected numbers of {', '.join(COUNTS)}, got {shown(counts)}")
    return {kind: int(counts[kind]) for kind in COUNTS if kind in counts}


def _signature(item: Mapping[str, Any], where: str) -> Optional[bytes]:
    text = item.get("signature")
    if text is None:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AllowlistError(f"{where}.signature: expected base64 in one line: {error}") from error
    if len(raw) > _LONGEST_SIGNATURE:
        raise AllowlistError(f"{where}.signature: {len(raw)} bytes, expected a detached signature")
    return raw
