# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for 127.0.0.1, right ones and wrong ones."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Files:
    """PEM: ``chain`` with the key, ``authority`` to be trusted."""

    chain: Path
    authority: Path


def certificate(folder: Path, fault: str = "") -> Files:
    """``fault``: "another name" or "out of date"."""
    folder.mkdir()
    now = dt.datetime.now(dt.UTC)
    key, signer = (ec.generate_private_key(ec.SECP256R1()) for _unused in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority of {folder.name}")])
    name = x509.IPAddress(ip_address("127.0.0.9" if fault == "another name" else "127.0.0.1"))
    until = now - DAY if fault == "out of date" else now + DAY
    one = x509.CertificateBuilder(
        issuer_name=issuer, subject_name=x509.Name([]), public_key=key.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=now - 3 * DAY, not_valid_after=until,
        extensions=[x509.Extension(x509.SubjectAlternativeName.oid, True, x509.SubjectAlternativeName([name]))],
    ).sign(signer, hashes.SHA256())  # fmt: skip
    root = x509.CertificateBuilder(
        issuer_name=issuer, subject_name=issuer, public_key=signer.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=now - 3 * DAY, not_valid_after=now + DAY,
        extensions=[x509.Extension(x509.BasicConstraints.oid, True, x509.BasicConstraints(True, None))],
    ).sign(signer, hashes.SHA256())  # fmt: skip
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = Files(folder / "chain.pem", folder / "authority.pem")
    files.chain.write_bytes(private + one.public_bytes(serialization.Encoding.PEM))
    files.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return files
