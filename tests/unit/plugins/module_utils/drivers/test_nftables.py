# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only a firewall has; the promises of every driver are in test_contract.py."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _nft_dnsmasq
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError

from .fake_nft import RELEASES
from .host import Guard, Killed, ReadOnly
from .nftables_host import ACCEPT, ESTABLISHED, MARKED, NAMES, filter_table

LISTED = ("login.live.com", "*.mesh.com", "*cdn.onenote.net", "203.0.113.0/24")
PORTS = {"default_ports": ["tcp/443"]}
OTHERS = ("login.live.com", "mesh.com", "198.51.100.0/24", "198.51.100.0/28")


def addresses(*names: str) -> set[str]:
    return {address for name in names for address in NAMES[name]}


# nft


@pytest.mark.parametrize("version", RELEASES)
def test_each_release_of_nft(firewall, version) -> None:
    firewall.kernel.set_knobs(version=version)
    before = firewall.state()
    firewall.run(*LISTED, attach="own", **PORTS)
    for entries in (OTHERS, LISTED):
        firewall.run(*entries, **PORTS)
        with firewall.guarded(ReadOnly()):
            assert not firewall.run(*entries, **PORTS)["changed"]
    firewall.run(state="deleted")
    assert firewall.state() == before


@pytest.mark.parametrize("version", RELEASES)
def test_the_persistent_file_is_what_runs_however_often_it_is_loaded(firewall, version) -> None:
    firewall.kernel.set_knobs(version=version)
    firewall.run(*LISTED, **PORTS)
    firewall.ask("login.live.com")
    listed, allowed = firewall.listed(), firewall.allowed()
    load = ["-j", "-f", str(firewall.directory / "egress_mmd.json")]
    firewall.kernel.call(load)
    assert firewall.listed() == listed
    assert firewall.allowed() == allowed
    firewall.kernel.call(["flush", "ruleset"])
    firewall.load(*filter_table([ESTABLISHED, ACCEPT], [MARKED, ACCEPT]))
    assert firewall.kernel.call(load)[0] == 0
    assert firewall.listed() == listed


def test_a_small_change_is_a_small_transaction_and_restarts_nothing(firewall) -> None:
    many = [f"198.51.{index}.0/24" for index in range(100)]
    firewall.run("login.live.com", *many, **PORTS)
    firewall.ask("login.live.com")
    pid, allowed = firewall.pid, firewall.allowed()
    firewall.kernel.set_knobs()
    firewall.run("login.live.com", *many[1:], "203.0.113.0/24", **PORTS)
    (write,) = firewall.kernel.writes()
    assert len(write["text"].splitlines()) == 4  # one element goes, one comes
    assert (firewall.pid, firewall.allowed()) == (pid, allowed)


@pytest.mark.parametrize("knob", ["fail", "die_before", "die_after"])
@pytest.mark.parametrize(("before", "wanted"), [((), LISTED), (LISTED, OTHERS), (LISTED, ())])
def test_a_transaction_that_fails_is_told_and_the_next_run_heals(firewall, before, wanted, knob) -> None:
    def settle(entries: tuple[str, ...]) -> None:
        if entries:
            firewall.run(*entries, **PORTS)
        else:
            firewall.run(state="deleted")

    settle(wanted)
    end = firewall.state()
    number = 0
    while True:
        number += 1
        firewall.kernel.set_knobs(fail=0, die_before=0, die_after=0)
        settle(before)
        start = firewall.state()
        firewall.kernel.set_knobs(**{knob: number})
        try:
            settle(wanted)
            break
        except ApplianceError as error:
            assert "nft" in str(error)
        if number == 1 and knob != "die_after":
            assert firewall.state() == start
        firewall.kernel.set_knobs(**{knob: 0})
        settle(wanted)
        assert firewall.state() == end
    assert number > 1


@pytest.mark.parametrize("clients", [
    ["10.20.0.0/24", "10.20.1.0/25"], ["10.20.0.1", "10.20.0.2", "10.30.0.0/24"], ["10.20.0.0/25", "10.20.0.128/25"],
    ["10.20.0.7"], ["10.20.0.0/24", "10.20.0.7", "2001:db8::/64", "2001:db8:0:1::/65"], ["wan1", "eth0", "lan0"],
    ["eth0", "10.20.0.0/24"], ["any"],
])
@pytest.mark.parametrize("attach", ["mark", "own"])
def test_clients_come_back_as_they_were_written(firewall, clients, attach) -> None:
    firewall.run(*LISTED, clients=clients, attach=attach, **PORTS)
    with firewall.guarded(ReadOnly()):
        assert not firewall.run(*LISTED, clients=clients, attach=attach, **PORTS)["changed"]


def test_any_way_to_a_list_ends_in_the_same_tables(firewall) -> None:
    """Networks inside each other and ports that overlap, in place: each element has to make room for the next."""
    dice = random.Random(7)
    networks = ["198.51.100.0/24", "198.51.100.0/25", "198.51.100.128/25", "198.51.100.0/28", "198.51.100.7",
                "198.51.0.0/16", "2001:db8::/32", "2001:db8::1", "203.0.113.0/24"]
    ports = ["tcp/443", "tcp/80", "tcp/400-500", "udp/443", "udp/3478-3481"]
    for _round in range(25):
        wanted = [{"value": value, "type": "network", "ports": dice.sample(ports, dice.randint(1, 3))}
                  for value in dice.sample(networks, dice.randint(1, 6))]
        firewall.run(*wanted, max_shrink=100)
        listed = firewall.listed()
        with firewall.guarded(ReadOnly()):
            assert not firewall.run(*wanted)["changed"]
        firewall.load({"delete": {"table": {"family": "inet", "name": "egress_mmd"}}})
        firewall.run(*wanted)
        assert firewall.listed() == listed


# The ways to attach


def _include(firewall: Any) -> dict[str, Any]:
    return {"attach": "include", "site_table": "inet filter", **PORTS}


def _site_jumps(firewall: Any) -> None:
    firewall.load(*filter_table([ESTABLISHED, ACCEPT], [{"jump": {"target": "egress_mmd"}}]))
    text = f'table inet filter {{\n  include "{firewall.directory}/egress_mmd.inc"\n}}\n'
    (firewall.etc / "nftables.conf").write_text(text, encoding="utf-8")


def test_include_asks_for_its_two_lines_until_they_are_there(firewall) -> None:
    before = firewall.state()
    first = firewall.run(*LISTED, **_include(firewall))
    assert len(first["missing_rules"]) == 2
    _site_jumps(firewall)
    with firewall.guarded(ReadOnly()):
        answer = firewall.run(*LISTED, **_include(firewall))
    assert answer["changed"] is False
    assert answer["missing_rules"] == []
    for entries in (OTHERS, LISTED):
        firewall.run(*entries, **_include(firewall))
        with firewall.guarded(ReadOnly()):
            assert not firewall.run(*entries, **_include(firewall))["changed"]
    firewall.run(state="deleted", **_include(firewall))  # the site still jumps there, and its next load needs the file
    assert (firewall.directory / "egress_mmd.inc").exists()
    with firewall.guarded(ReadOnly()):
        assert not firewall.run(state="deleted", **_include(firewall))["changed"]
    firewall.load(*filter_table([ESTABLISHED, ACCEPT], [MARKED, ACCEPT]))
    (firewall.etc / "nftables.conf").write_text(before["files"]["nftables.conf"], encoding="utf-8")
    assert firewall.run(state="deleted", **_include(firewall))["changed"]
    assert firewall.state() == before


def test_include_from_one_way_to_attach_to_another(firewall) -> None:
    firewall.run(*LISTED, attach="own", **PORTS)
    own = firewall.state()
    firewall.run(*LISTED, **_include(firewall))
    assert any('"table": "filter", "name": "egress_mmd"' in one for one in firewall.listed())
    firewall.run(*LISTED, attach="own", **PORTS)
    assert firewall.state() == own


def test_include_shows_nft_its_text_before_anything_is_written(firewall) -> None:
    before = firewall.state()
    firewall.kernel.set_knobs(refuse_text=True)
    with pytest.raises(ApplianceError, match="does not accept"):
        firewall.run(*LISTED, **_include(firewall))
    assert firewall.state() == before


def test_include_drift_in_the_table_of_the_site(firewall) -> None:
    firewall.run(*LISTED, **_include(firewall))
    _site_jumps(firewall)
    state = firewall.state()
    firewall.load({"flush": {"chain": {"family": "inet", "table": "filter", "name": "egress_mmd"}}})
    assert firewall.run(*LISTED, **_include(firewall))["changed"]
    assert firewall.state() == state


def test_the_line_of_the_site_is_asked_for(firewall) -> None:
    firewall.load(*filter_table([ESTABLISHED, ACCEPT]))
    assert len(firewall.run(*LISTED, **PORTS)["missing_rules"]) == 1
    firewall.load(*filter_table([ESTABLISHED, ACCEPT], [MARKED, ACCEPT]))
    assert firewall.run(*LISTED, **PORTS)["missing_rules"] == []


# What DNS fills


def test_names_are_allowed_once_they_were_asked_for_and_not_when_they_have_gone(firewall) -> None:
    firewall.run(*LISTED, **PORTS)
    assert firewall.asked() >= {"login.live.com"}  # asked for at once, since clients may know it by heart
    firewall.ask("a.mesh.com", "b.mesh.com", "mesh.com", "xcdn.onenote.net", "www.other.example")
    everything = addresses("login.live.com", "a.mesh.com", "b.mesh.com", "mesh.com", "xcdn.onenote.net")
    assert firewall.allowed() == everything
    firewall.run("login.live.com", "*cdn.onenote.net", "203.0.113.0/24", **PORTS)
    assert firewall.allowed() == addresses("login.live.com", "xcdn.onenote.net")  # which shares one with b.mesh.com
    firewall.run("203.0.113.0/24", max_shrink=100, **PORTS)
    assert firewall.allowed() == set()


@pytest.mark.parametrize("other", [
    {"entries": [{"value": "login.live.com", "ports": ["tcp/8443"]}, "*.mesh.com"]},
    {"names_lifetime": 3600}, {"attach": "own"}, {"clients": ["10.99.0.0/16"]}, {"mark": "0x40000"}, {"priority": -20},
])
def test_what_was_learnt_survives_any_other_change(firewall, other) -> None:
    wanted: dict[str, Any] = {"entries": ["login.live.com", "*.mesh.com"]}
    firewall.run(**wanted)
    firewall.ask("login.live.com", "a.mesh.com")
    wanted.update(other)
    assert firewall.run(**wanted)["changed"]
    assert firewall.allowed() == addresses("login.live.com", "a.mesh.com")
    with firewall.guarded(ReadOnly()):
        assert not firewall.run(**wanted)["changed"]


@pytest.mark.parametrize("other", [
    {"names_lifetime": 3600}, {"attach": "own"}, {"clients": ["10.99.0.0/16"]}, {"mark": "0x40000"},
    {"priority": -20},
])
def test_a_name_that_goes_takes_its_addresses_with_it_whatever_else_changes(firewall, other) -> None:
    firewall.run("login.live.com", "a.mesh.com")
    firewall.ask("login.live.com", "a.mesh.com")
    firewall.run("a.mesh.com", **other)
    assert firewall.allowed() == addresses("a.mesh.com")


def test_a_name_that_goes_leaves_its_addresses_to_the_wildcard_above_it(firewall) -> None:
    firewall.run("a.mesh.com", "*.mesh.com")
    firewall.ask("a.mesh.com")
    firewall.run("*.mesh.com")
    assert firewall.allowed() == addresses("a.mesh.com")
    firewall.run("login.live.com", max_shrink=100)
    assert firewall.allowed() == addresses("login.live.com")


def test_killed_anywhere_names_that_go_take_their_addresses_with_them(firewall) -> None:
    before = {"entries": ["login.live.com", "*.mesh.com", {"value": "a.mesh.com", "ports": ["tcp/443"]}]}
    wanted = {"entries": [{"value": "login.live.com", "ports": ["tcp/443"]}, "a.mesh.com"], "max_shrink": 100}
    step = 0
    killed = True
    while killed:
        step += 1
        firewall.settle(before)
        firewall.ask("login.live.com", "a.mesh.com", "b.mesh.com")
        try:
            with firewall.guarded(Guard(step)):
                firewall.run(**wanted)
                killed = False
        except Killed:
            firewall.recover()
            firewall.run(**wanted)
        assert firewall.allowed() == addresses("login.live.com", "a.mesh.com"), f"step {step}"
    assert step > 5


@pytest.mark.parametrize("entries", [
    ["login.live.com", "b.mesh.com"], [{"value": "login.live.com", "ports": ["tcp/8443"]}, "*.mesh.com"],
])
def test_a_dnsmasq_that_does_not_come_back_keeps_what_was_learnt(firewall, entries) -> None:
    firewall.run("login.live.com", "*.mesh.com")
    firewall.ask("login.live.com", "a.mesh.com", "b.mesh.com")
    state, allowed = firewall.state(), firewall.allowed()
    with firewall.refuses(), pytest.raises(ApplianceError, match="put back"):
        firewall.run(*entries, max_shrink=100)
    assert firewall.state() == state
    assert firewall.allowed() == allowed


def _of_names(firewall: Any) -> dict[str, Any]:
    sets = [one["set"] for one in firewall.tables() if "set" in one]
    return next(one for one in sets if one["name"].startswith("names4_"))


@pytest.mark.parametrize("hand", [
    lambda one: [{"flush": {"chain": dict(one, name="out")}}],
    lambda one: [{"add": {"chain": dict(one, name="more")}}, {"add": {"set": dict(one, name="names4_more")}}],
    lambda one: [{"add": {"chain": dict(one, name="forward", type="filter", hook="forward", prio=-10,
                                        policy="drop")}}],
    lambda one: [{"delete": {"table": {"family": "inet", "name": "egress_mmd"}}}],
], ids=["rules", "more", "policy", "other table"])
def test_what_was_learnt_survives_the_correction_of_a_change_by_hand(firewall, hand) -> None:
    firewall.run(*LISTED, **PORTS)
    firewall.ask("login.live.com", "a.mesh.com")
    state = firewall.state()
    firewall.load(*hand({key: value for key, value in _of_names(firewall).items() if key != "elem"}))
    assert firewall.state() != state
    assert firewall.run(*LISTED, **PORTS)["changed"]
    assert firewall.state() == state
    assert firewall.allowed() == addresses("login.live.com", "a.mesh.com")


def test_what_was_learnt_survives_a_restored_snapshot(firewall) -> None:
    firewall.run("login.live.com", "*.mesh.com")
    firewall.ask("login.live.com", "a.mesh.com")
    snapshot = firewall.run("login.live.com", {"value": "*.mesh.com", "ports": ["tcp/8443"]})["snapshot"]
    firewall.run(state="restored", snapshot=snapshot)
    assert firewall.allowed() == addresses("login.live.com", "a.mesh.com")


def test_names_by_any_way(firewall) -> None:
    """What is allowed is what the names of the list have brought, whatever came before."""
    dice = random.Random(11)
    under = {"login.live.com": "login.live.com", "*.mesh.com": "mesh.com", "mesh.com": "mesh.com",
             "a.mesh.com": "a.mesh.com", "*.onenote.net": "onenote.net", "*cdn.onenote.net": "onenote.net"}
    for _round in range(12):
        chosen = dice.sample(sorted(under), dice.randint(1, 4))
        wanted = [{"value": value, "ports": dice.choice([["tcp/443"], ["tcp/80"], ["tcp/80", "tcp/443"]])}
                  for value in chosen]
        firewall.run(*wanted, max_shrink=100)
        firewall.ask(*NAMES)
        held = {under[value] for value in chosen}
        names = [name for name in NAMES if any(f".{name}".endswith(f".{domain}") for domain in held)]
        assert firewall.allowed() == addresses(*names)
        firewall.run(*[dict(one, ports=["tcp/8443"]) for one in wanted])
        assert firewall.allowed() == addresses(*names)


def test_after_a_flushed_ruleset_cached_names_are_learnt_again(firewall) -> None:
    firewall.run(*LISTED, **PORTS)
    firewall.ask("login.live.com", "a.mesh.com")
    pid = firewall.pid
    firewall.kernel.call(["flush", "ruleset"])
    firewall.load(*filter_table([ESTABLISHED, ACCEPT], [MARKED, ACCEPT]))
    assert firewall.run(*LISTED, **PORTS)["changed"]
    assert firewall.pid == pid
    assert firewall.allowed() == addresses("login.live.com")
    firewall.ask("a.mesh.com")
    assert firewall.allowed() == addresses("login.live.com", "a.mesh.com")


def test_counters_by_group(firewall) -> None:
    entries = [{"value": "login.live.com", "groups": ["sign_in"]},
               {"value": "203.0.113.0/24", "ports": ["tcp/443"], "groups": ["servers", "sign_in"]}]
    firewall.run(*entries)
    zero = {"packets": 0, "bytes": 0}
    assert firewall.run(state="gathered")["counters"] == {"sign_in": zero, "servers": zero}


# dnsmasq


def test_a_dnsmasq_that_has_not_read_our_file_is_restarted(firewall) -> None:
    firewall.run(*LISTED, **PORTS)
    text = firewall.conf.read_text(encoding="utf-8")
    firewall.conf.write_text("# egress.allowlist name=mmd\n", encoding="utf-8")
    firewall.stop()
    firewall.start()
    firewall.conf.write_text(text, encoding="utf-8")
    pid, running = firewall.pid, firewall.running
    assert firewall.run(*LISTED, check_mode=True, **PORTS)["changed"]
    assert firewall.run(*LISTED, **PORTS)["changed"]
    assert firewall.pid != pid
    assert firewall.running != running
    with firewall.guarded(ReadOnly()):
        assert not firewall.run(*LISTED, **PORTS)["changed"]


def test_a_restarted_dnsmasq_has_read_the_files(firewall) -> None:
    firewall.run(*LISTED, **PORTS)
    firewall.stop()
    firewall.start()
    with firewall.guarded(ReadOnly()):
        assert not firewall.run(*LISTED, **PORTS)["changed"]


def test_names_need_a_dnsmasq_that_reads_our_folder(firewall) -> None:
    firewall.stop()
    state = firewall.state()
    with pytest.raises(ApplianceError, match="nothing was written"):
        firewall.run(*LISTED, **PORTS)
    assert firewall.state() == state
    assert firewall.run("203.0.113.0/24", **PORTS)["changed"]  # networks need none


def test_everything_can_be_taken_away_without_a_dnsmasq(firewall) -> None:
    before = firewall.state()
    firewall.run(*LISTED, **PORTS)
    firewall.stop()
    firewall.run(state="deleted")
    firewall.start()
    assert firewall.state() == before


def test_names_skip_and_fail(firewall) -> None:
    with pytest.raises(AllowlistError, match="names: fail"):
        firewall.run(*LISTED, names="fail", **PORTS)
    answer = firewall.run(*LISTED, names="skip", narrow="any", **PORTS)
    assert answer["after"] == ["network 203.0.113.0/24 tcp/443"]
    assert not firewall.conf.exists()


def test_a_dnsmasq_in_the_foreground_is_started_again_as_it_was(firewall, monkeypatch) -> None:
    monkeypatch.setattr(_nft_dnsmasq, "PATIENCE", 0.2)  # no supervisor will come
    firewall.stop()
    words = [sys.executable, str(firewall.dnsmasq), f"--conf-file={firewall.etc / 'dnsmasq.conf'}", "-k"]
    with subprocess.Popen(words) as process:
        try:
            while firewall.pid != process.pid:
                assert process.poll() is None
            firewall.run(*LISTED, **PORTS)
            assert process.wait(5) == -signal.SIGTERM
        finally:
            process.kill()
    assert "login.live.com" in firewall.running
    with open(f"/proc/{firewall.pid}/cmdline", encoding="utf-8") as handle:
        assert handle.read().split("\0")[:-1] == words


def test_a_restart_command_of_the_site(firewall) -> None:
    script = firewall.home / "restart"
    script.write_text(f'#!/bin/sh\nkill {firewall.pid}\nexec "{sys.executable}" "{firewall.dnsmasq}" '
                      f'"--conf-file={firewall.etc / "dnsmasq.conf"}"\n', encoding="utf-8")
    script.chmod(0o755)
    firewall.run(*LISTED, dnsmasq_restart=["/usr/bin/env", str(script)], **PORTS)
    assert "login.live.com" in firewall.running


def test_a_restart_command_that_does_nothing_is_found_out(firewall) -> None:
    before = firewall.state()
    with pytest.raises(ApplianceError, match="has not read our file.*put back"):
        firewall.run(*LISTED, dnsmasq_restart=["/usr/bin/env", "true"], dnsmasq_timeout=1, **PORTS)
    assert firewall.state() == before


def test_a_dnsmasq_without_nftset(firewall) -> None:
    (firewall.home / "no-nftset").touch()
    before = firewall.state()
    with pytest.raises(ApplianceError, match="without nftset"):
        firewall.run(*LISTED, **PORTS)
    assert firewall.state() == before


def test_lines_of_somebody_else_for_our_names(firewall) -> None:
    other = firewall.conf.parent / "site.conf"
    other.write_text("nftset=/login.live.com/4#inet#filter#x\n", encoding="utf-8")
    before = firewall.state()
    with pytest.raises(ApplianceError, match=r"site\.conf:1: .*login\.live\.com"):
        firewall.run(*LISTED, **PORTS)
    assert firewall.state() == before


def test_two_that_read_our_folder(firewall) -> None:
    second = firewall.home / "second"
    second.mkdir()
    shutil.copy(firewall.home / "names.json", second)
    words = [sys.executable, str(firewall.dnsmasq), f"--conf-file={firewall.etc / 'dnsmasq.conf'}"]
    subprocess.run(words, env=dict(os.environ, FAKE_DNSMASQ=str(second)), check=True, timeout=60)
    try:
        with pytest.raises(ApplianceError, match="more than one dnsmasq"):
            firewall.run(*LISTED, **PORTS)
    finally:
        os.kill(int((second / "dnsmasq.pid").read_text(encoding="ascii")), signal.SIGKILL)


def test_systemd_is_told_of_our_file_and_reads_it(firewall) -> None:
    firewall.run(*LISTED, **PORTS)
    (unit,) = (text for name, text in firewall.files().items() if name.endswith("nftables.service.d/egress_mmd.conf"))
    assert f"-j -f {firewall.directory}/egress_mmd.json" in unit
    reloads = [["systemctl", "daemon-reload"]] if os.path.isdir("/run/systemd/system") else []
    assert firewall.commands == reloads


@pytest.mark.parametrize("name", ["egress_mmd.conf", "egress_mmd.json"])
def test_a_full_disk_changes_nothing(firewall, monkeypatch, name) -> None:
    firewall.run("203.0.113.0/24", default_ports=["tcp/443"])
    state, real = firewall.state(), os.open

    def full(path: Any, *args: Any, **kwargs: Any) -> int:
        if str(path).endswith(f".{name}.aside"):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        return real(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(ApplianceError, match="No space left"):
        firewall.run("198.51.100.0/24", "login.live.com", default_ports=["tcp/443"], max_shrink=100)
    assert firewall.state() == state
