# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a probe trusts: the public roots, the company's own, or nobody.

Inspection is recognised by who signed the certificate, not by whether this host trusts it: a company's root is in
the trust store of every managed host. So the public set must not hold local additions.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import ssl
import threading
import warnings
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_microsoft import (
    MICROSOFT_FINGERPRINTS,
    microsoft_pem,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_x509 import read_certificate

# Mozilla's roots as the distributions ship them, before anything local is added.
PUBLIC_ROOTS = (
    "/usr/share/ca-certificates/mozilla",  # Debian, Ubuntu, Alpine
    "/usr/share/pki/ca-trust-source/ca-bundle.trust.p11-kit",  # Red Hat, Fedora
    "/usr/share/pki/trust/ca-certificates-mozilla.trust.p11-kit",  # SUSE
    "/usr/share/ca-certificates/trust-source/mozilla.trust.p11-kit",  # Arch
)
# What the system trusts, local additions included; OpenSSL's own default is read as well.
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN; the ssl module names it from Python 3.10 on


class TrustError(AllowlistError):
    """A set of roots that cannot be read; the text says what to give."""


def read_roots(path: str, option: str) -> str:
    """The certificates of a file or folder as PEM."""
    try:
        pem = "".join(block for name in _files(path) for block in _certificates(name))
    except OSError as error:
        raise TrustError(f"{option}: cannot read {path!r} on this host: {error.strerror}") from error
    if not pem:
        raise TrustError(f"{option}: {path!r} on this host holds no certificate in PEM form ({_BEGIN})")
    return pem


def public_roots(path: Optional[str]) -> str:
    """The roots that count as public: what the user named, or the distribution's Mozilla set."""
    if path:
        return read_roots(path, "public_ca_path")
    for candidate in PUBLIC_ROOTS:
        if os.path.exists(candidate):
            return read_roots(candidate, "public_ca_path")
    raise TrustError(
        "public_ca_path: this host has no set of public roots in any of the known places "
        f"({', '.join(PUBLIC_ROOTS)}); install the package ca-certificates, or name a file or folder that holds "
        "the public roots without your company's own"
    )


def _files(path: str) -> List[str]:
    if not os.path.isdir(path):
        return [path]
    return sorted(name for kind in ("crt", "pem", "cer") for name in glob.glob(os.path.join(path, f"*.{kind}")))


def _certificates(name: str) -> List[str]:
    """The PEM blocks of a file; of p11-kit's format only the trusted ones."""
    with open(name, encoding="utf-8", errors="replace") as handle:
        text = handle.read()
    objects = text.split("[p11-kit-object-v1]")
    if len(objects) > 1:
        objects = [part for part in objects[1:] if "\ntrusted: true" in part]
    return [block for part in objects for block in _blocks(part)]


def _blocks(text: str) -> List[str]:
    found = []
    for part in text.split(_BEGIN)[1:]:
        body, end, _rest = part.partition(_END)
        if end:
            found.append(f"{_BEGIN}{body}{_END}\n")
    return found


class Contexts:
    """One SSLContext for each need, made when first needed (each costs some 20 ms) and shared by all threads."""

    def __init__(
        self,
        public_ca_path: Optional[str] = None,
        inspection_ca_path: Optional[str] = None,
        public_fingerprints: Sequence[str] = (),
    ) -> None:
        self._public = public_roots(public_ca_path) + microsoft_pem()
        self._inspection = read_roots(inspection_ca_path, "inspection_ca_path") if inspection_ca_path else ""
        self._genuine = {*MICROSOFT_FINGERPRINTS, *fingerprints(public_fingerprints)}
        # The subjects of the CAs that were named as inspecting: a chain by one of them is inspected, also when
        # somebody put that CA among the public roots.
        self.inspectors = frozenset(read_certificate(der).subject for der in _ders(self._inspection)) - {""}
        self._lock = threading.Lock()
        self._made: Dict[Tuple[str, bool], ssl.SSLContext] = {}
        self._trust: Dict[str, Callable[[ssl.SSLContext], None]] = {
            "public": self._trust_public,
            "known": self._trust_known,
            "none": _trust_nobody,
        }
        self.get("public")  # a set of roots that OpenSSL cannot read is told before the first probe
        if inspection_ca_path:
            self.get("known")

    def get(self, trust: str, old_tls: bool = False) -> ssl.SSLContext:
        """The context that trusts C(public), C(known) (the system's store and the inspection CA) or C(none)."""
        with self._lock:
            key = (trust, old_tls)
            if key not in self._made:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                _set_versions(context, old_tls)
                self._trust[trust](context)
                self._made[key] = context
            return self._made[key]

    def trust_genuine(self, sent: Sequence[bytes]) -> str:
        """The trust that takes those of *sent* (DER) that are known by fingerprint; empty when none of them is."""
        anchors = [der for der in sent if hashlib.sha256(der).hexdigest() in self._genuine]
        if not anchors:
            return ""
        name = "genuine " + " ".join(sorted(hashlib.sha256(der).hexdigest() for der in anchors))
        pem = "".join(ssl.DER_cert_to_PEM_cert(der) for der in anchors)
        with self._lock:
            self._trust[name] = lambda context: _trust_anchors(context, pem)
        return name

    def _trust_public(self, context: ssl.SSLContext) -> None:
        context.verify_flags |= _PARTIAL_CHAIN  # Microsoft's issuing CAs are known, and not each of their roots
        _load(context, self._public, "public_ca_path")

    def _trust_known(self, context: ssl.SSLContext) -> None:
        context.check_hostname = False
        context.verify_flags |= _PARTIAL_CHAIN  # an inspecting proxy may be given as an intermediate CA
        context.set_default_verify_paths()
        for bundle in _SYSTEM_BUNDLES:
            with contextlib.suppress(OSError):  # absent or unreadable: then the system does not trust by it
                context.load_verify_locations(cafile=bundle)
        if self._inspection:
            _load(context, self._inspection, "inspection_ca_path")


def _load(context: ssl.SSLContext, pem: str, option: str) -> None:
    try:
        context.load_verify_locations(cadata=pem)
    except ssl.SSLError as error:
        raise TrustError(f"{option}: OpenSSL cannot read the certificates: {error}") from error


def _trust_anchors(context: ssl.SSLContext, pem: str) -> None:
    context.verify_flags |= _PARTIAL_CHAIN  # what is known may be an issuing CA, since servers seldom send the root
    _load(context, pem, "public_fingerprints")


def fingerprints(texts: Sequence[object]) -> List[str]:
    """SHA-256 of certificates, as people copy them: with or without colons, in any case."""
    found = []
    for index, text in enumerate(texts):
        plain = re.sub(r"[\s:]", "", str(text)).lower()
        if not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise TrustError(
                f"public_fingerprints[{index}]: expected the SHA-256 of a certificate, 64 hexadecimal digits, "
                f"got {text!r}"
            )
        found.append(plain)
    return found


def _ders(pem: str) -> List[bytes]:
    return [ssl.PEM_cert_to_DER_cert(block) for block in _blocks(pem)]


def _trust_nobody(context: ssl.SSLContext) -> None:
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE


def _set_versions(context: ssl.SSLContext, old_tls: bool) -> None:
    if not old_tls:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # asking for the old versions is the purpose here
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
