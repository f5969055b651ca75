# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates made while the client waits: any name, signed by the lab's public CA (or wrongly, where asked)."""

from __future__ import annotations

import ipaddress
import os
import ssl
import threading
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from ..pki import Authority, key_pem, pem

KEPT = 1024  # ready-made contexts


class Mint:
    """One TLS context per name and fault; all share a key, since a key takes longer to make than a signature."""

    def __init__(self, pki: Path) -> None:
        self._public = Authority.load(pki / "public-intermediate-with-key.pem")
        self._stranger = Authority.new("Lab Unknown CA")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._lock = threading.Lock()
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}

    def context(self, name: str, fault: str) -> ssl.SSLContext:
        with self._lock:
            found = self._contexts.get((name, fault))
            if not found:
                if len(self._contexts) >= KEPT:
                    self._contexts.clear()
                found = self._contexts[name, fault] = self._make(name, fault)
            return found

    def _make(self, name: str, fault: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if fault == "tls11":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        elif fault == "tls12":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        _load(context, self._chain(name, fault))
        return context

    def _chain(self, name: str, fault: str) -> bytes:
        authority = self._stranger if fault == "untrusted" else self._public
        shown = "elsewhere.example" if fault == "wrongname" else name
        leaf = authority.issue(general_name(shown), self._key.public_key(), expired=fault == "expired")
        return leaf + pem(authority.certificate) + key_pem(self._key)


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _load(context: ssl.SSLContext, chain: bytes) -> None:
    """ssl reads certificates from files only; this one exists in memory only."""
    descriptor = os.memfd_create("chain")
    try:
        os.write(descriptor, chain)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
