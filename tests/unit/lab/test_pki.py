# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificates stand up to a strict client, and its faults are the only thing wrong with them."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.tests.lab.netlab import pki
from ansible_collections.egress.allowlist.tests.lab.netlab.internet.certificates import Mint

STRICT = 0x20  # X509_V_FLAG_X509_STRICT, the default of newer Pythons


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lab") / "pki"
    pki.ensure(path)
    return path


@pytest.fixture(scope="module")
def mint(folder: Path) -> Mint:
    return Mint(folder)


def handshake(server: ssl.SSLContext, root: Path, name: str) -> str:
    """A whole handshake in memory; returns the TLS version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VerifyFlags(STRICT)
    context.load_verify_locations(root)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _unused in range(4):
        for side in (client, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return str(client.version())


@pytest.mark.parametrize("name", ["www.example.org", "a." * 50 + "example", "13.107.6.152", "2001:db8::1"])
def test_any_name_is_trusted_through_the_whole_chain(folder: Path, mint: Mint, name: str) -> None:
    assert handshake(mint.context(name, "none"), folder / "public-root.pem", name) == "TLSv1.3"
    assert mint.context(name, "none") is mint.context(name, "none")


@pytest.mark.parametrize(("fault", "code"), [("expired", 10), ("untrusted", 19), ("wrongname", 62)])
def test_a_bad_certificate_is_bad_in_one_way(folder: Path, mint: Mint, fault: str, code: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        handshake(mint.context("www.example.org", fault), folder / "public-root.pem", "www.example.org")
    assert caught.value.verify_code == code


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_an_old_server_is_refused(folder: Path, mint: Mint) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        handshake(mint.context("www.example.org", "tls11"), folder / "public-root.pem", "www.example.org")
    assert handshake(mint.context("x.example", "tls12"), folder / "public-root.pem", "x.example") == "TLSv1.2"


def test_the_authorities_are_made_once_and_their_keys_are_private(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    pki.ensure(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert {path.name for path in folder.iterdir() if path.stat().st_mode & 0o077} == {
        name for name, data in before.items() if b"PRIVATE KEY" not in data
    }


def test_each_host_has_a_key_that_ssh_will_know(tmp_path: Path) -> None:
    pki.ensure_ssh(tmp_path, ["desktop1", "proxy1"])
    known = dict(line.split(" ", 1) for line in (tmp_path / "known_hosts").read_text(encoding="ascii").splitlines())
    assert known == {host: (tmp_path / f"host_{host}.pub").read_text(encoding="ascii").strip() for host in known}
    assert sorted(known) == ["desktop1", "proxy1"]
    assert (tmp_path / "id_ed25519").stat().st_mode & 0o777 == 0o600
