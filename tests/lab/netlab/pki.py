# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and certificates of the lab: the "public" CA of its internet, the proxy's company CA, ssh keys."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey
DAY = dt.timedelta(days=1)


class Authority:
    """A CA that can sign: its certificate and its key."""

    def __init__(self, certificate: x509.Certificate, key: Key) -> None:
        self.certificate = certificate
        self.key = key

    @classmethod
    def new(cls, title: str, parent: Authority | None = None, path_length: int | None = None) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = name(title)
        issuer, signer = (parent.certificate.subject, parent.key) if parent else (subject, key)
        builder = _builder(subject, issuer, key.public_key(), -DAY, 3650 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        builder = builder.add_extension(_key_usage(ca=True), critical=True)
        builder = builder.add_extension(_authority_id(signer), critical=False)
        return cls(builder.sign(signer, hashes.SHA256()), key)

    @classmethod
    def load(cls, path: Path) -> Authority:
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{path}: expected an EC key, got {type(key).__name__}")
        return cls(x509.load_pem_x509_certificate(data), key)

    def issue(self, host: x509.GeneralName, public: ec.EllipticCurvePublicKey, *, expired: bool = False) -> bytes:
        """A server certificate, PEM."""
        start, end = (-90 * DAY, -30 * DAY) if expired else (-DAY, 90 * DAY)
        builder = _builder(name(str(host.value)[:64]), self.certificate.subject, public, start, end)
        builder = builder.add_extension(x509.SubjectAlternativeName([host]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(ca=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        builder = builder.add_extension(_authority_id(self.key), critical=False)
        return pem(builder.sign(self.key, hashes.SHA256()))


def name(title: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def key_pem(key: Key | ed25519.Ed25519PrivateKey, kind: Literal["PKCS8", "OpenSSH"] = "PKCS8") -> bytes:
    encoding = getattr(serialization.PrivateFormat, kind)
    return key.private_bytes(serialization.Encoding.PEM, encoding, serialization.NoEncryption())


def ensure(folder: Path) -> None:
    """The two CAs, once per checkout: a browser or a test may keep trusting them over many ups and downs."""
    if (folder / "company-ca-with-key.pem").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    root = Authority.new("Lab Public Root CA")
    _save(folder, "public-root", root)
    _save(folder, "public-intermediate", Authority.new("Lab Public Intermediate CA", root, path_length=0))
    _save(folder, "company-ca", Authority.new("Example Company TLS Inspection CA", path_length=0))


def ensure_ssh(folder: Path, hosts: list[str]) -> None:
    """The user's key, one key per host, and the known_hosts file that says so."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "id_ed25519").is_file():
        _save_ssh(folder / "id_ed25519")
    for host in hosts:
        if not (folder / f"host_{host}").is_file():
            _save_ssh(folder / f"host_{host}")
    lines = [f"{host} {(folder / f'host_{host}.pub').read_text(encoding='utf-8')}" for host in hosts]
    (folder / "known_hosts").write_text("".join(lines), encoding="utf-8")


def _save(folder: Path, stem: str, authority: Authority) -> None:
    _private(folder / f"{stem}-with-key.pem", pem(authority.certificate) + key_pem(authority.key))
    (folder / f"{stem}.pem").write_bytes(pem(authority.certificate))


def _save_ssh(path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    path.with_suffix(".pub").write_bytes(public + b"\n")
    _private(path, key_pem(key, "OpenSSH"))


def _private(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(data)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, start: dt.timedelta, end: dt.timedelta
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _authority_id(signer: Key) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
