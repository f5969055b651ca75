# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Subject, issuer and expiry of a certificate that nobody vouches for.

ssl gives no fields of an unverified certificate, only its bytes (DER), and the standard library cannot read them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Dict, Iterator, List, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import shown

_SEQUENCE, _SET, _VERSION, _UTC_TIME, _BMP_STRING = 0x30, 0x31, 0xA0, 0x17, 0x1E
_NAMES = {b"\x55\x04\x03": "CN", b"\x55\x04\x0a": "O", b"\x55\x04\x0b": "OU", b"\x55\x04\x06": "C"}


@dataclass(frozen=True)
class Certificate:
    """What a person wants to know of a certificate."""

    subject: str = ""
    issuer: str = ""
    not_after: str = ""
    sha256: str = ""

    def as_dict(self) -> Dict[str, str]:
        """Plain data for an answer."""
        return {name: getattr(self, name) for name in ("subject", "issuer", "not_after", "sha256")}


def read_certificate(der: bytes) -> Certificate:
    """Read the three fields; a certificate that cannot be read has empty ones."""
    sha256 = hashlib.sha256(der).hexdigest() if der else ""
    try:
        (_tag, whole), *_rest = _items(der)
        (_tag, signed), *_rest = _items(whole)
        fields = [item for item in _items(signed) if item[0] != _VERSION]
        _serial, _algorithm, issuer, validity, subject = fields[:5]
        not_after = list(_items(validity[1]))[1]
        return Certificate(_name(subject[1]), _name(issuer[1]), _time(*not_after), sha256)
    except (ValueError, IndexError, UnicodeError):
        return Certificate(sha256=sha256)


def _items(data: bytes) -> Iterator[Tuple[int, bytes]]:
    """Tag and content of each element."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("truncated")
        yield tag, data[at : at + length]
        at += length


def _name(data: bytes) -> str:
    """A distinguished name, most telling part first: 'CN=Example CA, O=Example'."""
    parts: List[Tuple[str, str]] = []
    for _set, attributes in _items(data):
        for _sequence, pair in _items(attributes):
            (_oid, kind), (tag, value) = list(_items(pair))[:2]
            if kind in _NAMES:
                text = value.decode("utf-16-be" if tag == _BMP_STRING else "utf-8", "replace")
                parts.append((_NAMES[kind], shown(text)))
    order = list(_NAMES.values())
    return ", ".join(f"{kind}={text}" for kind, text in sorted(parts, key=lambda part: order.index(part[0])))


def _time(tag: int, value: bytes) -> str:
    """UTCTime and GeneralizedTime as ISO 8601."""
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
