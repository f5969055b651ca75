# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's own authorities: each text is what its row says, and each is signed by what it claims."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
import urllib.parse

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._probe_microsoft import (
    AUTHORITIES,
    MICROSOFT_FINGERPRINTS,
    Authority,
    microsoft_pem,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts
from ansible_collections.egress.allowlist.plugins.module_utils._probe_x509 import read_certificate
from cryptography import x509

WITH_TEXT = [authority for authority in AUTHORITIES if authority.pem]
BY_SUBJECT = {x509.load_pem_x509_certificate(one.pem.encode()).subject: one for one in WITH_TEXT}


def label(authority: Authority) -> str:
    return f"{authority.name} {authority.sha256[:8]}"


@pytest.mark.parametrize("authority", WITH_TEXT, ids=label)
def test_the_text_is_what_the_row_says(authority: Authority) -> None:
    der = ssl.PEM_cert_to_DER_cert(authority.pem)
    certificate = x509.load_der_x509_certificate(der)
    assert hashlib.sha256(der).hexdigest() == authority.sha256
    assert certificate.not_valid_after_utc.date().isoformat() == authority.not_after
    assert authority.name in read_certificate(der).subject
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


@pytest.mark.parametrize("authority", WITH_TEXT, ids=label)
def test_each_is_signed_by_itself_or_by_another_of_them(authority: Authority) -> None:
    certificate = x509.load_pem_x509_certificate(authority.pem.encode())
    issuer = x509.load_pem_x509_certificate(BY_SUBJECT[certificate.issuer].pem.encode())
    certificate.verify_directly_issued_by(issuer)


@pytest.mark.parametrize("authority", AUTHORITIES, ids=label)
def test_each_row_is_complete(authority: Authority) -> None:
    bytes.fromhex(authority.sha256)
    assert (len(authority.sha256), authority.sha256) == (64, authority.sha256.lower())
    # What had expired when it was looked at proves nothing, so it has no place here.
    assert dt.date.fromisoformat(authority.not_after) > dt.date.fromisoformat(authority.date)
    assert urllib.parse.urlsplit(authority.url).hostname == "www.microsoft.com"
    assert authority.found and authority.checked


def test_sorted_and_each_once() -> None:
    keys = [(one.name, one.sha256) for one in AUTHORITIES]
    assert keys == sorted(set(keys))
    assert len(MICROSOFT_FINGERPRINTS) == len(AUTHORITIES)
    assert MICROSOFT_FINGERPRINTS["847df6a78497943f27fc72eb93f9a637320a02b561d0a91b09e87a7807ed7c61"] == (
        "Microsoft Root Certificate Authority 2011"
    )


def test_the_public_trust_holds_them() -> None:
    held = {hashlib.sha256(der).hexdigest() for der in Contexts().get("public").get_ca_certs(binary_form=True)}
    assert {one.sha256 for one in WITH_TEXT} <= held
    assert microsoft_pem().count("BEGIN CERTIFICATE") == len(WITH_TEXT)
