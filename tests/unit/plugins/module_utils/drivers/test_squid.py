# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only Squid has; the promises of every driver are in test_contract.py."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_process import CLOCK_MARGIN
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

from .squid_host import SITE

OLD = ("login.live.com", "*.mesh.com", "*cdn.onenote.net")


def test_the_rule_allows_the_clients_the_names_on_their_ports(squid) -> None:
    squid.run(*OLD)
    assert "http_access allow egress_mmd-clients egress_mmd-port_1 egress_mmd-to_1" in squid.running


def test_deleted_leaves_a_file_where_the_include_line_would_match_none(squid) -> None:
    (squid.etc / "conf.d" / "debian.conf").unlink()
    squid.include.write_text("# egress.allowlist name=mmd\n", encoding="utf-8")
    squid.run(*OLD)
    assert squid.run(state="deleted")["changed"]
    assert squid.include.exists()
    assert "egress_mmd-clients" not in squid.running
    assert not squid.run(state="deleted")["changed"]


def test_a_change_on_disk_that_was_never_loaded_is_reloaded(squid) -> None:
    squid.run(*OLD)
    running = squid.running
    text = squid.include.read_text(encoding="utf-8")
    squid.include.write_text(text.replace("allow", "deny"), encoding="utf-8")
    squid.include.write_text(text, encoding="utf-8")  # the same bytes again, and nobody knows what was loaded meanwhile
    (squid.home / "loaded.conf").write_text("something else runs", encoding="utf-8")
    assert squid.run(*OLD)["changed"]
    assert squid.running == running


def test_a_restarted_squid_has_read_the_files(squid) -> None:
    squid.run(*OLD)
    squid.stop()
    newest = max(path.stat().st_ctime for path in squid.etc.rglob("*"))
    while time.time() < newest + 3 * CLOCK_MARGIN:  # closer than that, nobody could tell which came first
        os.sched_yield()
    squid.start()
    assert not squid.run(*OLD)["changed"]


def test_a_squid_that_is_not_running_is_prepared_and_told(squid) -> None:
    squid.stop()
    (squid.home / "squid.pid").unlink()
    answer = squid.run(*OLD)
    assert answer["changed"]
    assert any("not running" in warning for warning in answer["warnings"])
    assert not squid.run(*OLD)["changed"]


def test_new_position_moves_the_file(squid) -> None:
    squid.run(*OLD)
    assert squid.run(*OLD, position="05")["changed"]
    assert [path.name for path in squid.include.parent.glob("*egress*")] == ["05-egress_mmd.conf"]
    assert not squid.run(*OLD, position="05")["changed"]


def test_lists_with_alike_names_share_no_acl(squid) -> None:
    squid.run(*OLD)
    for name in ("mmd_sni", "mmd_names", "m"):  # names that begin as the ACLs of others do
        squid.run("*.other.example", "*x.other.example", name=name)
    defined = [line.split()[1] for path, text in squid.files().items() if path.endswith(".conf")
               for line in text.splitlines() if line.startswith("acl egress_")]
    assert len(defined) == len(set(defined)) > 30


def test_everyone_is_written_out(squid) -> None:
    squid.run(*OLD, clients=["any"])
    assert "http_access allow all egress_mmd-port_1 egress_mmd-to_1" in squid.running


def test_a_complaint_that_was_there_before_does_not_block(squid) -> None:
    squid.conf.write_text(squid.conf.read_text(encoding="utf-8") + "# GRUMBLE\nGRUMBLE\n", encoding="utf-8")
    assert squid.run(*OLD)["changed"]


def test_a_squid_without_tls_says_what_to_install(squid, monkeypatch) -> None:
    monkeypatch.setenv("FAKE_SQUID_BUILD", "'--with-gnutls'")
    squid.write_site(SITE.replace("ssl_bump bump all\n", "").replace(" ssl-bump tls-cert=/etc/squid/ca.pem", ""))
    with pytest.raises(ApplianceError, match="built without OpenSSL.*squid-openssl"):
        squid.run(*OLD, intents=["allow", "bypass_authentication", "bypass_tls_inspection"])
    answer = squid.run(*OLD)
    assert any("built without OpenSSL" in note for note in answer["notes"])
    assert "ssl" not in squid.include.read_text(encoding="utf-8")
