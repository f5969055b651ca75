# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TLS handshake, and who signed the certificate that came back.

The first handshake verifies against the public roots. Only when that fails do further connections find out why: one
that trusts what the host trusts, one that trusts everybody (to see the certificate), one that trusts a certificate of
the chain that is known by its fingerprint to be genuine, one that speaks old versions.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Callable, FrozenSet, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response, ask, shown
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, StepError, step_error
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts
from ansible_collections.egress.allowlist.plugins.module_utils._probe_x509 import Certificate, read_certificate

Opener = Callable[[], socket.socket]

# X509_V_ERR_*: OpenSSL looks at the chain first, then at the name, then at the dates. So a complaint about name or
# date says that the chain was fine.
_DATE_CODES = (9, 10)
_NAME_CODES = (62, 63, 64)
# The plain text of a proxy or a portal where a TLS record was due, in the words of OpenSSL 1.1 to 3.5.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)
_TOO_OLD = ("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION", "VERSION_TOO_LOW")


@dataclass(frozen=True)
class Tls:
    """What a handshake showed."""

    trust: str = ""  # public: signed by a public root; known: by one that only this company trusts; none; '' unknown
    problem: str = ""  # expired, wrong_name, or untrusted
    detail: str = ""
    version: str = ""
    cipher: str = ""
    seconds: float = 0.0
    certificate: Certificate = field(default_factory=Certificate)
    chain: Tuple[Certificate, ...] = ()  # as the server sent it, its own certificate first
    named: bool = False  # the issuer is a CA that was named as one that inspects
    mentions: bool = False  # the certificate holds the name that was asked for


class PlainAnswerError(Exception):
    """Where a TLS record was due, an HTTP answer in the clear came back."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status))
        self.response = response


def handshake(target: Target, contexts: Contexts, opener: Opener, budget: Budget) -> Tuple[ssl.SSLSocket, Tls]:
    """An open TLS connection, whatever its certificate is, with what is known about it."""
    try:
        return _identify(target, contexts, opener, budget, old_tls=False)
    except StepError as fault:
        if fault.step != "tls" or fault.word not in ("tls", "closed", "reset", "tls_too_old"):
            raise
        modern = fault
    if modern.word == "tls" and any(word in modern.detail for word in _NOT_TLS):
        _raise_plain_answer(target, contexts, opener, budget)
    try:
        return _identify(target, contexts, opener, budget, old_tls=True)
    except (StepError, ValueError):  # ValueError: an OpenSSL without the old versions
        raise modern from None


def _identify(
    target: Target, contexts: Contexts, opener: Opener, budget: Budget, old_tls: bool
) -> Tuple[ssl.SSLSocket, Tls]:
    def shake(trust: str, known: Tls) -> Tuple[ssl.SSLSocket, Tls]:
        return _shake(target, contexts.get(trust, old_tls), opener, budget, known, contexts.inspectors)

    try:
        return shake("public", Tls(trust="public"))
    except ssl.SSLCertVerificationError as error:
        complaint = _complaint(error, "public")
    if complaint.problem != "untrusted":
        return shake("none", complaint)
    try:
        sock, tls = shake("known", Tls(trust="known"))
    except ssl.SSLCertVerificationError as error:
        own = _complaint(error, "known")
        sock, tls = shake("none", own if own.trust else complaint)
    return _by_fingerprint(sock, tls, shake, contexts)


def _by_fingerprint(
    sock: ssl.SSLSocket, tls: Tls, shake: Callable[[str, Tls], Tuple[ssl.SSLSocket, Tls]], contexts: Contexts
) -> Tuple[ssl.SSLSocket, Tls]:
    """A chain that holds a certificate known to be genuine: is it really signed by that one?"""
    trust = contexts.trust_genuine(_presented(sock))
    if not trust:
        return sock, tls
    try:
        found = shake(trust, Tls(trust="public"))
    except ssl.SSLCertVerificationError as error:
        complaint = _complaint(error, "public")
        if complaint.problem == "untrusted":  # anybody can send a certificate along that did not sign anything
            return sock, tls
        found = shake("none", complaint)
    except StepError:
        return sock, tls
    sock.close()
    return found


def _presented(sock: ssl.SSLSocket) -> List[bytes]:
    """The certificates that the server sent (DER). Only its own one where Python is older than 3.10."""
    own = sock.getpeercert(binary_form=True) or b""
    getter: Optional[Callable[[], List[Any]]] = getattr(sock, "get_unverified_chain", None)
    if getter is None:
        getter = getattr(getattr(sock, "_sslobj", None), "get_unverified_chain", None)
    try:
        sent = (getter() if getter else None) or [own]
        return [one if isinstance(one, bytes) else ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in sent]
    except (ssl.SSLError, ValueError, AttributeError):
        return [own]


def _complaint(error: ssl.SSLCertVerificationError, trust: str) -> Tls:
    detail = shown(error.verify_message)
    if error.verify_code in _DATE_CODES:
        return Tls(trust=trust, problem="expired", detail=detail)
    if error.verify_code in _NAME_CODES:
        return Tls(trust=trust, problem="wrong_name", detail=detail)
    return Tls(problem="untrusted", detail=detail)


def _shake(
    target: Target,
    context: ssl.SSLContext,
    opener: Opener,
    budget: Budget,
    known: Tls,
    inspectors: FrozenSet[str] = frozenset(),
) -> Tuple[ssl.SSLSocket, Tls]:
    sock = opener()
    try:
        sock.settimeout(budget.step())
        start = time.monotonic()
        wrapped = context.wrap_socket(sock, server_hostname=target.host)
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        fault = _fault(error, budget)
        fault.step = "tls"
        raise fault from error
    finally:
        sock.close()  # wrap_socket took the connection over; what is left here is ours when it failed
    cipher = wrapped.cipher()
    sent = _presented(wrapped)
    chain = tuple(read_certificate(one) for one in sent)
    return wrapped, Tls(
        trust=known.trust or "none",
        problem=known.problem,
        detail=known.detail,
        version=wrapped.version() or "",
        cipher=cipher[0] if cipher else "",
        seconds=round(time.monotonic() - start, 3),
        certificate=chain[0],
        chain=chain,
        named=bool(inspectors) and any(one.issuer in inspectors for one in chain),
        mentions=target.host.encode("ascii") in sent[0],
    )


def _fault(error: OSError, budget: Budget) -> StepError:
    if isinstance(error, socket.timeout):
        return budget.expired()
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return StepError("closed")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or str(error)
        if "UNEXPECTED_EOF" in reason:
            return StepError("closed")
        return StepError("tls_too_old" if any(word in reason for word in _TOO_OLD) else "tls", reason)
    return step_error(error)


def _raise_plain_answer(target: Target, contexts: Contexts, opener: Opener, budget: Budget) -> None:
    """Say hello once more by hand, and read what comes back as text: ssl does not hand out what it rejects."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = contexts.get("none").wrap_bio(incoming, outgoing, server_hostname=target.host)
    with contextlib.suppress(ssl.SSLWantReadError):
        hello.do_handshake()
    sock = opener()
    try:
        response = ask(sock, outgoing.read(), budget)
    except StepError:
        return  # it was not HTTP either
    finally:
        sock.close()
    raise PlainAnswerError(response)
