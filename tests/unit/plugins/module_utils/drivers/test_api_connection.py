# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to an appliance with an API: certificates, a proxy on the way, and options that cannot be meant."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection, base_url
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .panos_host import PanosHost


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "firewall")])
    now = dt.datetime.now(dt.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "firewall.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def host(tmp_path: Path, certificate: Path) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Secured(PanosHost):
        def made(self) -> PanosEmulator:
            return PanosEmulator(tls=context)

    host = Secured(tmp_path)
    host.start()
    yield host
    host.stop()


def test_a_certificate_that_nobody_trusts_is_refused_before_a_credential_is_sent(host) -> None:
    with pytest.raises(AllowlistError, match="TLS with 127.0.0.1:.*(self.signed|verify).*Give ca_path"):
        host.run("login.live.com")
    assert not host.emulator.seen


def test_a_certificate_that_the_user_names_is_trusted(host, certificate) -> None:
    answer = host.run("login.live.com", ca_path=str(certificate))
    assert answer["changed"] and not answer["warnings"]


def test_without_verification_each_run_warns(host) -> None:
    assert "pose as the appliance" in host.run("login.live.com", validate_certs=False)["warnings"][0]


def test_by_a_proxy(tmp_path) -> None:
    """The emulator is asked for another host, as a proxy is."""
    host = PanosHost(tmp_path)
    host.start()
    proxy = host.emulator.url.replace("http://", "http://user:s3cret-of-the-proxy@")
    try:
        assert host.run("login.live.com", host="http://127.0.0.1:9", proxy_url=proxy)["changed"]
        assert all("proxy-authorization" in one.request.headers for one in host.emulator.seen)
    finally:
        host.stop()
    with pytest.raises(AllowlistError, match="(?i)prox") as told:
        host.run("login.live.com", host="http://127.0.0.1:9", proxy_url=proxy)
    assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("fw1.example.com", "https://fw1.example.com"),
        ("fw1.example.com:8443", "https://fw1.example.com:8443"),
        ("192.0.2.7", "https://192.0.2.7"),
        ("2001:db8::7", "https://[2001:db8::7]"),
        ("https://fw1.example.com/", "https://fw1.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_host_is_a_name_an_address_or_a_url(given, url) -> None:
    assert base_url(given) == url


@pytest.mark.parametrize(
    "given",
    ["", "http://fw1.example.com", "https://user:word@fw1.example.com", "fw1/api", "fw1 x", "ftp://fw1", "fw1?x=1",
     "fw1.example.com:0", "fw1.example.com:99999", "fw1\n.example.com", "user@fw1.example.com"],
)  # fmt: skip
def test_what_is_no_host_is_refused(given) -> None:
    with pytest.raises(AllowlistError, match="host: "):
        base_url(given)


@pytest.mark.parametrize(
    ("option", "value"),
    [("timeout", 0), ("timeout", 100_000), ("wait_timeout", -1), ("ca_path", "/nowhere.pem"), ("proxy_url", "proxy"),
     ("proxy_url", "socks5://proxy:1080")],
)  # fmt: skip
def test_options_that_cannot_be_meant_are_named(tmp_path, option, value) -> None:
    host = PanosHost(tmp_path)
    host.start()
    try:
        with pytest.raises(AllowlistError, match=f"^{option}: "):
            Connection(host.options(**{option: value}))
    finally:
        host.stop()
