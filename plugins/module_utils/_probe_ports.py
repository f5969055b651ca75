# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports that speak neither http nor https: what can be known of them, and no more.

Over TCP a connection shows that the way is open. Over UDP only an answer shows anything, so services that answer to
anybody are asked in their own tongue: STUN (RFC 8489) on 3478 to 3481, NTP (RFC 5905) on 123, QUIC (RFC 9000) on 443.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from typing import Callable, Dict, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import shown
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import (
    Address,
    Budget,
    StepError,
    step_error,
)

_GREETING_SECONDS = 1.0


def greeting(sock: socket.socket, budget: Budget, said: bytes) -> str:
    """What the other end says by itself, as some do (SMTP, SSH); empty when it waits to be spoken to.

    *said* is what it has said already."""
    try:
        sock.settimeout(min(_GREETING_SECONDS, budget.step()))
        data = said[:200] or sock.recv(200)
    except socket.timeout:
        return ""
    except OSError as error:
        raise step_error(error) from error
    if not data:
        raise StepError("closed")
    return f"it greets with {shown(data.decode('latin-1').strip())!r}"


def ask_datagram(addresses: Sequence[Address], port: int, budget: Budget) -> str:
    """Send one datagram to the first address, and tell what came back."""
    family, address = addresses[0]
    name, question = _question(port)
    try:
        with contextlib.closing(socket.socket(family, socket.SOCK_DGRAM)) as sock:
            sock.settimeout(budget.step())
            sock.connect(address)
            sock.send(question)
            return f"{len(sock.recv(2048))} bytes came back ({name})"
    except socket.timeout:
        raise budget.expired() from None
    except OSError as error:
        raise step_error(error) from error


def _question(port: int) -> Tuple[str, bytes]:
    if 3478 <= port <= 3481:
        return "asked in STUN", _stun()
    if port in _QUESTIONS:
        name, make = _QUESTIONS[port]
        return name, make()
    return "asked with an empty datagram", b""


def _stun() -> bytes:
    """A binding request without attributes."""
    return struct.pack("!HHI", 0x0001, 0, 0x2112A442) + os.urandom(12)


def _ntp() -> bytes:
    """A client's question of version 4."""
    return b"\x23" + bytes(47)


def _quic() -> bytes:
    """An Initial of a version that nobody speaks, padded to 1,200 bytes: the server tells the versions it speaks."""
    head = b"\xc0" + struct.pack("!I", 0x1A2A3A4A) + b"\x08" + os.urandom(8) + b"\x08" + os.urandom(8)
    return head + bytes(1200 - len(head))


_QUESTIONS: Dict[int, Tuple[str, Callable[[], bytes]]] = {
    123: ("asked in NTP", _ntp),
    443: ("asked in QUIC", _quic),
}
