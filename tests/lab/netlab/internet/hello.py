# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server name in a TLS ClientHello, read before the handshake: the fault to show depends on it."""

from __future__ import annotations

import struct

RECORD_HEAD = 5
HANDSHAKE = 0x16
SERVER_NAME = 0


def record_length(head: bytes) -> int | None:
    """Length of the first record with its head, or None if this is no TLS handshake."""
    if len(head) < RECORD_HEAD or head[0] != HANDSHAKE:
        return None
    return RECORD_HEAD + int.from_bytes(head[3:5], "big")


def server_name(record: bytes) -> str | None:
    """The SNI of a ClientHello record; None where there is none, or where it cannot be read."""
    try:
        return _server_name(record)
    except (IndexError, struct.error, UnicodeDecodeError):
        return None


def _server_name(record: bytes) -> str | None:
    position = RECORD_HEAD + 4 + 2 + 32  # record, handshake head, version, random
    position += 1 + record[position]  # session
    position += 2 + struct.unpack_from("!H", record, position)[0]  # ciphers
    position += 1 + record[position]  # compression
    end = position + 2 + struct.unpack_from("!H", record, position)[0]
    position += 2
    while position + 4 <= end:
        kind, length = struct.unpack_from("!HH", record, position)
        position += 4
        if kind == SERVER_NAME:
            (size,) = struct.unpack_from("!H", record, position + 3)
            name = record[position + 5 : position + 5 + size]
            return name.decode("ascii").lower() if len(name) == size else None
        position += length
    return None
