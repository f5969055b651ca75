# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The promises of every driver, on the files of a Squid host and a stand-in for its program."""

from __future__ import annotations

import copy
import fcntl
import os
import time
from typing import Any, Callable

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _squid_files
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_files import Files
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_process import CLOCK_MARGIN, Program
from ansible_collections.egress.allowlist.plugins.module_utils._drivers.squid import SquidDriver
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError

from .conftest import SITE

OLD = ("login.live.com", "*.mesh.com", "*cdn.onenote.net")
NEW = ("login.live.com", "*.mesh.com", "mesh.com", "198.51.100.0/24")
PORTS = {"default_ports": ["tcp/443"]}


def test_first_run_writes_and_is_loaded(squid) -> None:
    answer = squid.run(*OLD)
    assert answer["changed"]
    assert answer["before"] == []
    assert answer["after"] == ["host *.mesh.com tcp/80,443", "host *cdn.onenote.net tcp/80,443",
                               "host login.live.com tcp/80,443"]
    assert "http_access allow egress_mmd-clients egress_mmd-port_1 egress_mmd-to_1" in squid.loaded
    assert answer["warnings"] == []


def test_second_run_changes_nothing_and_does_not_reload(squid, monkeypatch) -> None:
    squid.run(*OLD)
    monkeypatch.setattr(Program, "reload", lambda *_: pytest.fail("reloaded"))
    monkeypatch.setattr(Files, "_write", lambda *_: pytest.fail("written"))
    answer = squid.run(*reversed(OLD))
    assert not answer["changed"]
    assert answer["commands"] == answer["diff"] == answer["added"] == answer["removed"] == []


def test_check_mode_gives_the_same_answer_and_writes_nothing(squid) -> None:
    squid.run(*OLD)
    files, loaded = squid.files(), squid.loaded
    told = squid.run(*NEW, check_mode=True, **PORTS)
    assert squid.files() == files
    assert squid.loaded == loaded
    done = squid.run(*NEW, **PORTS)
    assert done == told


def test_replaced_merged_deleted(squid) -> None:
    squid.run(*OLD)
    assert squid.run(*NEW, state="merged", **PORTS)["removed"] == []
    merged = squid.run(state="gathered")["after"]
    assert len(merged) == 5
    answer = squid.run("*.mesh.com", state="deleted")
    assert answer["removed"] == ["host *.mesh.com tcp/80,443"]
    assert squid.run("*.mesh.com", state="deleted")["changed"] is False
    assert squid.run(*NEW, **PORTS)["after"] == sorted(
        ["host login.live.com tcp/80,443", "host *.mesh.com tcp/80,443", "host mesh.com tcp/80,443",
         "network 198.51.100.0/24 tcp/443"]
    )


def test_taking_a_wildcard_away_keeps_the_name_under_it_that_was_asked_for_itself(squid) -> None:
    squid.run("*.live.com", "login.live.com")
    answer = squid.run("*.live.com", state="deleted")
    assert answer["after"] == ["host login.live.com tcp/80,443"]
    assert "\nlogin.live.com\n" in squid.loaded


def test_deleted_leaves_the_host_as_it_was(squid) -> None:
    files = squid.files()
    squid.run(*OLD)
    assert squid.run(state="deleted")["changed"]
    assert squid.files() == files
    assert not squid.lists.exists()
    assert "egress" not in squid.loaded
    assert not squid.run(state="deleted")["changed"]


def test_deleted_leaves_a_file_where_the_include_line_would_match_none(squid) -> None:
    (squid.etc / "conf.d" / "debian.conf").unlink()
    squid.include.write_text("# egress.allowlist name=mmd\n", encoding="utf-8")
    squid.run(*OLD)
    assert squid.run(state="deleted")["changed"]
    assert squid.include.exists()
    assert "egress_mmd-clients" not in squid.loaded
    assert not squid.run(state="deleted")["changed"]


def test_restored_brings_back_every_byte(squid) -> None:
    nothing = squid.run(state="gathered")["snapshot"]
    squid.run(*OLD, change_id="CHG1")
    files = squid.files()
    snapshot = squid.run(*NEW, **PORTS)["snapshot"]
    assert squid.run(state="restored", snapshot=snapshot)["changed"]
    assert squid.files() == files
    assert not squid.run(state="restored", snapshot=snapshot)["changed"]
    squid.run(state="restored", snapshot=nothing)
    assert "egress" not in squid.loaded


@pytest.mark.parametrize("path", ["/etc/passwd", "conf.d/../squid.conf", "conf.d/20-egress_other.conf"])
def test_a_snapshot_writes_only_what_is_ours(squid, path) -> None:
    snapshot = squid.run(*OLD)["snapshot"]
    evil = dict(snapshot, objects={str(squid.etc / path): "x"})
    with pytest.raises(AllowlistError, match="is not a file of name mmd"):
        squid.run(state="restored", snapshot=evil)


def _edit(squid: Any, kind: str, old: str, new: str) -> None:
    path = next(squid.lists.glob(f"{kind}_*"))
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


DRIFTS: list[tuple[str, Callable[[Any], Any], str, str]] = [
    ("a name added by hand", lambda s: _edit(s, "names", "login.live.com\n", "login.live.com\nevil.example\n"),
     "host evil.example tcp/80,443", ""),
    ("a name taken away by hand", lambda s: _edit(s, "names", "login.live.com\n", ""),
     "", "host login.live.com tcp/80,443"),
    ("a line that is no entry", lambda s: _edit(s, "shape", "^[^.]*cdn", "^.*cdn"),
     "unknown ^.*cdn\\.onenote\\.net$", "host *cdn.onenote.net tcp/80,443"),
    ("an exclusion taken away", lambda s: next(s.lists.glob("except_*")).unlink(),
     "host mesh.com tcp/80,443", ""),
    ("the rules edited", lambda s: s.include.write_text(
        s.include.read_text(encoding="utf-8").replace("http_access allow egress_mmd-clients", "http_access allow all"),
        encoding="utf-8"), "", ""),
    ("the include file deleted", lambda s: s.include.unlink(), "", "host login.live.com tcp/80,443"),
]


@pytest.mark.parametrize(("change", "removed", "added"), [d[1:] for d in DRIFTS], ids=[d[0] for d in DRIFTS])
def test_drift_is_shown_and_corrected(squid, change, removed, added) -> None:
    squid.run(*OLD)
    files = squid.files()
    change(squid)
    told = squid.run(*OLD, check_mode=True)
    assert told["changed"]
    assert told["diff"]
    assert not removed or removed in told["removed"]
    assert not added or added in told["added"]
    squid.run(*OLD)
    assert squid.files() == files
    assert not squid.run(*OLD)["changed"]


def test_a_change_on_disk_that_was_never_loaded_is_reloaded(squid) -> None:
    squid.run(*OLD)
    running = squid.loaded
    text = squid.include.read_text(encoding="utf-8")
    squid.include.write_text(text.replace("allow", "deny"), encoding="utf-8")
    squid.include.write_text(text, encoding="utf-8")  # the same bytes again, and nobody knows what was loaded meanwhile
    (squid.home / "loaded.conf").write_text("something else runs", encoding="utf-8")
    assert squid.run(*OLD)["changed"]
    assert squid.loaded == running


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


def test_a_strangers_file_is_not_touched_without_adopt(squid) -> None:
    squid.include.write_text("# mine\n", encoding="utf-8")
    with pytest.raises(ApplianceError, match="10-egress_mmd.conf.*adopt"):
        squid.run(*OLD)
    assert squid.include.read_text(encoding="utf-8") == "# mine\n"
    answer = squid.run(*OLD, adopt=True)
    assert any("# mine" in element["before"] for element in answer["diff"])
    assert not squid.run(*OLD)["changed"]


def test_what_is_not_ours_in_our_folder_stays(squid) -> None:
    squid.run(*OLD)
    (squid.lists / "notes.txt").write_text("mine\n", encoding="utf-8")
    squid.run(state="deleted")
    assert [path.name for path in squid.lists.iterdir()] == ["notes.txt"]


def test_new_position_moves_the_file(squid) -> None:
    squid.run(*OLD)
    assert squid.run(*OLD, position="05")["changed"]
    assert [path.name for path in squid.include.parent.glob("*egress*")] == ["05-egress_mmd.conf"]
    assert not squid.run(*OLD, position="05")["changed"]


def test_two_lists_share_nothing(squid) -> None:
    squid.run(*OLD)
    files = squid.files()
    for name in ("mmd_sni", "mmd_names", "m"):  # names that begin as the ACLs of others do
        squid.run("*.other.example", "*x.other.example", name=name)
    defined = [line.split()[1] for path, text in squid.files().items() if path.endswith(".conf")
               for line in text.splitlines() if line.startswith("acl egress_")]
    assert len(defined) == len(set(defined)) > 30
    assert not squid.run(*OLD)["changed"]
    for name in ("mmd_sni", "mmd_names", "m"):
        squid.run(name=name, state="deleted")
    assert squid.files() == files


def test_change_id_alone_changes_nothing(squid) -> None:
    squid.run(*OLD, change_id="CHG1")
    assert not squid.run(*OLD, change_id="CHG2")["changed"]
    assert "CHG1" in squid.include.read_text(encoding="utf-8")
    squid.run(*NEW, change_id="CHG3", **PORTS)
    assert "CHG3" in squid.include.read_text(encoding="utf-8")


@pytest.mark.parametrize("change_id", ["a\nhttp_access allow all", "a\r\nhttp_access allow all", "a\x00b"])
def test_a_change_id_cannot_become_configuration(squid, change_id) -> None:
    with pytest.raises(AllowlistError, match="change_id"):
        squid.run(*OLD, change_id=change_id)


def test_max_shrink(squid) -> None:
    many = [f"h{index}.example.com" for index in range(20)]
    squid.run(*many)
    with pytest.raises(AllowlistError, match="15 of the 20 names.*max_shrink: 75"):
        squid.run(*many[:5])
    assert squid.run("*.example.com")["changed"]  # still covered: nothing is lost
    squid.run(*many[:5], max_shrink=100)


@pytest.mark.parametrize("state", ["replaced", "merged"])
def test_an_empty_list_is_refused(squid, state) -> None:
    with pytest.raises(AllowlistError, match="at least one"):
        squid.run(state=state, entries=[])


def test_clients_are_required(squid) -> None:
    with pytest.raises(AllowlistError, match="clients"):
        squid.run(*OLD, clients=None)


@pytest.mark.parametrize("client", ["all", "0.0.0.0/0", "::/0", "10.0.0.1/8", "10.0.0.0/8 all", "!localnet", "a b", ""])
def test_clients_that_are_everyone_or_nobody_are_refused(squid, client) -> None:
    with pytest.raises(AllowlistError, match=r"clients\[1\]"):
        squid.run(*OLD, clients=["localnet", client])


def test_everyone_is_written_out(squid) -> None:
    squid.run(*OLD, clients=["any"])
    assert "http_access allow all egress_mmd-port_1 egress_mmd-to_1" in squid.loaded


def test_a_failed_parse_leaves_everything(squid) -> None:
    squid.run(*OLD)
    files, loaded = squid.files(), squid.loaded
    squid.write_site(SITE_WITH_BROKEN_AFTER)
    files = squid.files()
    with pytest.raises(ApplianceError, match="BROKEN"):
        squid.run(*NEW, **PORTS)
    assert squid.files() == files
    assert squid.loaded == loaded


def test_a_complaint_that_was_there_before_does_not_block(squid) -> None:
    squid.conf.write_text(squid.conf.read_text(encoding="utf-8") + "# GRUMBLE\nGRUMBLE\n", encoding="utf-8")
    assert squid.run(*OLD)["changed"]


def test_two_runs_at_once_wait_for_each_other(squid, monkeypatch) -> None:
    monkeypatch.setattr(_squid_files, "LOCK_SECONDS", 0)
    holder = os.open(squid.include.parent, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(ApplianceError, match="another run"):
            squid.run(*OLD)
    finally:
        os.close(holder)
    assert squid.run(*OLD)["changed"]


def test_no_other_run_comes_between_the_write_and_the_reading_back(squid, monkeypatch) -> None:
    events: list[str] = []

    def noted(word: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            events.append(word)
            return real(*args)

        return call

    monkeypatch.setattr(Files, "read", noted("read", Files.read))
    monkeypatch.setattr(Files, "unlock", noted("unlock", Files.unlock))
    squid.run(*OLD)
    assert events.count("read") >= 2
    assert events.index("unlock") == len(events) - 1


def test_what_is_read_back_must_be_what_was_written(squid, monkeypatch) -> None:
    monkeypatch.setattr(SquidDriver, "apply", lambda *_args: None)
    with pytest.raises(ApplianceError, match=r"not what was written.*10-egress_mmd\.conf"):
        squid.run(*OLD)


def test_a_refused_reload_puts_the_old_files_back(squid) -> None:
    squid.run(*OLD)
    files, loaded = squid.files(), squid.loaded
    (squid.home / "refuse-reload").touch()
    with pytest.raises(ApplianceError, match="put back"):
        squid.run(*NEW, **PORTS)
    assert squid.files() == files
    assert squid.loaded == loaded
    (squid.home / "refuse-reload").unlink()
    squid.run(*NEW, **PORTS)
    assert "198.51.100.0/24" in squid.loaded


def test_a_squid_without_tls_says_what_to_install(squid, monkeypatch) -> None:
    monkeypatch.setenv("FAKE_SQUID_BUILD", "'--with-gnutls'")
    squid.write_site(SITE.replace("ssl_bump bump all\n", "").replace(" ssl-bump tls-cert=/etc/squid/ca.pem", ""))
    with pytest.raises(ApplianceError, match="built without OpenSSL.*squid-openssl"):
        squid.run(*OLD, intents=["allow", "bypass_authentication", "bypass_tls_inspection"])
    answer = squid.run(*OLD)
    assert any("built without OpenSSL" in note for note in answer["notes"])
    assert "ssl" not in squid.include.read_text(encoding="utf-8")


class Killed(BaseException):
    """Not an Exception: nothing may catch it, as nothing catches SIGKILL."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, step: int, after: bool) -> None:
    """End the run at the step-th operation that changes the disk or the running program, before or after it."""
    count = [0]

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            count[0] += 1
            mine = count[0]
            if mine == step and not after:
                raise Killed
            result = real(*args, **kwargs)
            if mine == step and after:
                raise Killed
            return result

        return call

    monkeypatch.setattr(Program, "reload", watched(Program.reload))
    for name in ("rename", "unlink", "makedirs", "rmdir", "fchmod"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))


def _killed(squid: Any, step: int, after: bool, **run: Any) -> bool:
    """Whether the run was ended at that step; False when it has fewer steps."""
    with pytest.MonkeyPatch.context() as patch:
        _kill_at(patch, step, after)
        try:
            squid.run(*run.pop("entries", ()), **run)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("change", ["first", "replace", "delete", "move"])
def test_killed_anywhere_the_next_run_heals(squid, change, after) -> None:
    runs: dict[str, dict[str, Any]] = {
        "first": {"entries": OLD},
        "replace": {"entries": NEW, **PORTS},
        "delete": {"state": "deleted"},
        "move": {"entries": OLD, "position": "05"},
    }
    wanted = runs[change]

    def settle() -> None:
        squid.run(state="deleted")
        if change != "first":
            squid.run(*OLD)

    again = copy.deepcopy(wanted)
    settle()
    squid.run(*again.pop("entries", ()), **again)
    files, loaded = squid.files(), squid.loaded
    step = 0
    while True:
        step += 1
        settle()
        if not _killed(squid, step, after, **copy.deepcopy(wanted)):
            break
        again = copy.deepcopy(wanted)
        squid.run(*again.pop("entries", ()), **again)
        assert squid.files() == files, f"step {step}"
        assert squid.loaded == loaded, f"step {step}"
        assert list((squid.home.parent / "tmp").iterdir()) == [], f"step {step}"
    assert step > 5


SITE_WITH_BROKEN_AFTER = """\
acl SSL_ports port 443
include {etc}/conf.d/*.conf
pid_filename {home}/squid.pid
BROKEN
http_access deny all
http_port 3128
"""
