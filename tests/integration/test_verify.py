# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe and verification on the lab's hosts: each fault gets its own word, direct and through the real Squid."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import inlab
import pytest
from inlab import ROOT, Squid

PROXY = "http://10.20.0.10:3128"
TUNNEL_PROXY = "http://10.20.0.10:3129"  # only tunnels, no inspection
TRUST = {"public_ca_path": "/etc/egress-lab/public-root.pem", "inspection_ca_path": "/etc/egress-lab/company-ca.pem"}

# kind of fault -> outcome and suspect for https and for http
OK = ("reachable", None)
DIRECT = {
    "none": (OK, OK),
    "404": (OK, OK),
    "403": (OK, OK),
    "503": (OK, OK),
    "tls12": (OK, OK),
    "cname": (OK, OK),
    "v4only": (OK, OK),
    "v6only": (OK, OK),
    "nx": (("dns_failure", "resolver"),) * 2,
    "nodata": (("dns_failure", "resolver"),) * 2,
    "servfail": (("dns_failure", "resolver"),) * 2,
    "dnsrefused": (("dns_failure", "resolver"),) * 2,
    "dnssilent": (("dns_failure", "resolver"),) * 2,
    "refused": (("refused", "server"),) * 2,
    "silent": (("timeout", "firewall"),) * 2,
    "unreachable": (("unreachable", "firewall"),) * 2,
    "reset": (("reset", "firewall"),) * 2,
    "eof": (("reset", "firewall"),) * 2,
    "hang": (("timeout", "firewall"),) * 2,
    "alert": (("tls_failure", "server"), OK),
    "tls11": (("tls_too_old", "server"), OK),
    "expired": (("tls_expired", "server"), OK),
    "untrusted": (("tls_untrusted", "unknown"), OK),
    "wrongname": (("tls_wrong_name", "server"), OK),
    "portal": (OK, ("not_provable", "unknown")),
    "sinkhole": (("dns_sinkhole", "resolver"),) * 2,
    "blockpage": (OK, OK),  # no made-up name gets it too, so it is the server's page
    "norange": (OK, OK),  # nobody asked for a part
}
# Through a Squid that lets the names through untouched. It does not say that a name does not resolve, and ends the
# tunnel in the same way whether the server refused, reset or vanished.
LOST = ("upstream_failure", "unknown")
CUT = ("reset", "unknown")
SPLICED = {
    **DIRECT,
    "nx": (LOST, LOST),
    "nodata": (LOST, LOST),
    "servfail": (LOST, LOST),
    "dnsrefused": (LOST, LOST),
    "dnssilent": (("timeout", "unknown"),) * 2,
    "refused": (CUT, ("upstream_failure", "server")),
    "silent": (CUT, ("upstream_failure", "firewall")),
    "unreachable": (CUT, ("upstream_failure", "firewall")),
    "sinkhole": (CUT, ("upstream_failure", "server")),
    "reset": (CUT, ("upstream_failure", "server")),
    "eof": (CUT, ("upstream_failure", "server")),
    "hang": (("timeout", "unknown"),) * 2,
}


def probe(host: str, *urls: str, **options: Any) -> dict[str, tuple[str, str | None]]:
    """Outcome and suspect of each target."""
    return {url: (one["outcome"], one["blame"]) for url, one in full_probe(host, *urls, **options).items()}


def full_probe(host: str, *urls: str, **options: Any) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        arguments = {**TRUST, "targets": list(urls), "results_dir": folder, **options}
        inlab.ansible("ansible", host, "-m", "egress.allowlist.probe", "-a", json.dumps(arguments))
        whole = json.loads((Path(folder) / f"{host}.json").read_text(encoding="utf-8"))
    return {one["target"]: one for one in whole["answers"]}


def pairs(table: dict[str, tuple[Any, Any]]) -> dict[str, tuple[str, str | None]]:
    return {
        f"{scheme}://fault-{kind}.allowed.example": expected
        for kind, both in table.items()
        for scheme, expected in zip(("https", "http"), both, strict=True)
    }


def playbook(*words: str, inventory: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".venv" / "bin" / "ansible-playbook"), "-i", str(inventory or inlab.LAB / "inventory.yml")]
    return subprocess.run(
        [*command, "egress.allowlist.verify_mmd_allowlist", *words],
        capture_output=True, text=True, timeout=inlab.COMMAND_SECONDS, check=False, cwd=ROOT,
    )


def variables(**values: Any) -> list[str]:
    return ["-e", json.dumps({"egress_made_up_witnesses": True, **values})]


def test_each_fault_has_its_own_word_on_the_direct_way() -> None:
    expected = pairs(DIRECT)
    assert probe("desktop1", *expected, timeout=2) == expected


def test_each_fault_has_its_own_word_through_a_proxy_that_does_not_interfere(squid: Squid) -> None:
    squid.run(entries=["*.allowed.example"])
    expected = pairs(SPLICED)
    assert probe("desktop2", *expected, proxy=PROXY, timeout=5) == expected


def test_what_a_made_up_name_gets_too_is_nobodys_server() -> None:
    page = ["http://fault-blockpage.allowed.example"]
    blocked = {page[0]: ("block_page", "firewall")}
    assert probe("desktop1", *page, control_name="fault-blockpage.made-up.example") == blocked
    astray = "https://fault-astray.allowed.example", "http://fault-astray.allowed.example", "https://a.example"
    assert probe("desktop1", *astray, control_name="fault-astray.made-up.example") == {
        astray[0]: ("dns_sinkhole", "resolver"), astray[1]: ("dns_sinkhole", "resolver"), astray[2]: OK,
    }


def test_a_captive_portal_catches_the_check_for_it_too() -> None:
    led_away = "http://fault-portal.allowed.example"
    with inlab.fault("www.msftconnecttest.com", "portal"):
        assert probe("desktop1", led_away) == {led_away: ("captive_portal", "firewall")}


def test_a_part_is_asked_for_and_the_whole_comes() -> None:
    whole, part = "http://fault-norange.allowed.example", "http://part.allowed.example"
    found = full_probe("desktop1", whole, part, range_targets=[whole, part])
    assert (found[whole]["outcome"], found[part]["outcome"]) == ("range_stripped", "reachable")
    assert found[part]["steps"]["http"]["status"] == 206


def test_bare_ports_tell_what_they_can() -> None:
    expected = {
        "tcp://a.example:443": OK,
        "tcp://a.example:5671": ("refused", "server"),
        "tcp://fault-silent.allowed.example:5671": ("timeout", "firewall"),
        "udp://a.example:3478": ("refused", "server"),
        "udp://fault-silent.allowed.example:3478": ("not_provable", "unknown"),
    }
    assert probe("desktop1", *expected, timeout=2) == expected


def test_each_family_by_itself() -> None:
    both = ["ipv4", "ipv6"]
    found = full_probe("desktop1", "https://fault-v4only.allowed.example", "https://a.example", families=both)
    assert {label: one["outcome"] for label, one in found.items()} == {
        "https://fault-v4only.allowed.example (IPv4)": "reachable",
        "https://fault-v4only.allowed.example (IPv6)": "not_provable",
        "https://a.example (IPv4)": "reachable",
        "https://a.example (IPv6)": "reachable",
    }


def test_inspection_by_a_ca_that_the_host_does_not_know(squid: Squid) -> None:
    asked = "https://a.guest.example"
    stranger = {"proxy": "http://203.0.113.10:3128", "inspection_ca_path": None}
    found = full_probe("outsider", asked, **stranger)[asked]
    assert (found["outcome"], found["blame"]) == ("tls_inspected", "inspection")
    assert "signs for a name that does not exist" in found["evidence"]
    # A server's own unknown CA is not taken for it.
    squid.run(entries=["*.allowed.example"])
    untrusted = "https://fault-untrusted.allowed.example"
    assert probe("desktop1", untrusted, proxy=PROXY) == {untrusted: ("tls_untrusted", "unknown")}


def test_each_interference_of_the_proxy_has_its_own_word() -> None:
    expected = {
        "https://other.example": ("proxy_auth_required", "proxy"),
        "http://other.example": ("proxy_auth_required", "proxy"),
        "https://www.forbidden.example": ("proxy_denied", "proxy"),
        "http://www.forbidden.example": ("proxy_denied", "proxy"),
    }
    found = full_probe("desktop1", *expected, proxy=PROXY)
    assert {url: (one["outcome"], one["blame"]) for url, one in found.items()} == expected
    # The denial of an inspecting port comes inside a tunnel that was opened with 200.
    assert found["https://www.forbidden.example"]["steps"]["connect"]["status"] == 200
    assert probe("desktop1", "https://www.forbidden.example", proxy=TUNNEL_PROXY) == {
        "https://www.forbidden.example": ("proxy_denied", "proxy")
    }
    assert probe("desktop1", "https://a.example", proxy="http://10.20.0.10:9") == {
        "https://a.example": ("proxy_unreachable", "proxy")
    }


def test_a_name_that_is_allowed_but_inspected(squid: Squid) -> None:
    squid.run(entries=["*.allowed.example"], intents=["allow", "bypass_authentication"])
    expected = {
        "https://a.allowed.example": ("tls_inspected", "inspection"),
        "https://fault-refused.allowed.example": ("upstream_failure", "server"),
        "https://fault-nx.allowed.example": LOST,
    }
    found = full_probe("desktop1", *expected, proxy=PROXY)
    assert {url: (one["outcome"], one["blame"]) for url, one in found.items()} == expected
    # The inspector marks some of the answers that it saw, and leaves others as they are.
    seen = probe("desktop1", *(f"http://{number}.allowed.example" for number in range(30)), proxy=PROXY)
    assert ("content_inspected", "inspection") in seen.values()
    assert set(seen.values()) <= {("content_inspected", "inspection"), OK}
    # desktop1 trusts the company CA, and is not fooled without being told about it either.
    public_only = {"public_ca_path": TRUST["public_ca_path"], "inspection_ca_path": None, "proxy": PROXY}
    assert probe("desktop1", "https://a.allowed.example", **public_only) == {
        "https://a.allowed.example": ("tls_inspected", "inspection")
    }


def test_a_block_page_of_the_redirector(squid: Squid) -> None:
    include = "/etc/squid/conf.d/10-guest.conf"
    squid.write(include, "acl lab_open dstdomain .casino.example\nhttp_access allow lab_open\n")
    squid.reload()
    squid.wait_for_reload()
    expected = {
        "https://www.casino.example": ("block_page", "proxy"),
        "http://www.casino.example": ("block_page", "proxy"),
    }
    assert probe("desktop1", *expected, proxy=PROXY) == expected


def test_outside_the_clients_nothing_changes(squid: Squid) -> None:
    squid.run(entries=["*.allowed.example"])
    expected = {
        "https://a.allowed.example": ("proxy_denied", "proxy"),
        "https://a.guest.example": ("tls_inspected", "inspection"),
    }
    assert probe("outsider", *expected, proxy="http://203.0.113.10:3128") == expected


def test_the_playbook_fails_before_and_passes_after(squid: Squid, tmp_path: Path) -> None:
    names = {"egress_groups": ["managed_desktop", "quick_assist"]}
    office = ("--limit", "desktop1:desktop2")
    before = playbook(*office, *variables(**names, egress_results_dir=str(tmp_path / "before")))
    assert before.returncode == 2
    assert "2 of 2 managed hosts answered" in before.stdout
    assert "mmdls.microsoft.com on desktop1, desktop2: proxy_auth_required" in before.stdout + before.stderr
    entries = json.loads((tmp_path / "before" / "desktop1.json").read_text(encoding="utf-8"))["entries"]
    squid.run(entries=[one["entry"] for one in entries])
    after = playbook(*office, *variables(**names, egress_results_dir=str(tmp_path / "after")))
    assert after.returncode == 0, after.stdout
    assert sorted(path.name for path in (tmp_path / "after").iterdir()) == [
        "desktop1.json",
        "desktop2.json",
        "report.html",
        "report.xml",
        "summary.json",
    ]
    summary = json.loads((tmp_path / "after" / "summary.json").read_text(encoding="utf-8"))
    assert summary["counts"] == {"total": 18, "ok": 18, "failed": 0, "not_provable": 0, "gone": 0}
    checked = playbook("--check", *office, *variables(**names, egress_results_dir=str(tmp_path / "checked")))
    assert checked.returncode == 0
    assert not (tmp_path / "checked").exists()


def test_a_host_on_another_way_tells_who_it_is(tmp_path: Path) -> None:
    names = ["a.allowed.example", "fault-nx.allowed.example", "fault-silent.allowed.example"]
    verified = playbook(
        "--limit", "desktop3", *variables(
            egress_entries=names, egress_reference_host="desktop1", egress_timeout=1, egress_results_dir=str(tmp_path)
        ),
    )
    assert verified.returncode == 2
    entries = json.loads((tmp_path / "desktop3.json").read_text(encoding="utf-8"))["entries"]
    assert {one["entry"]: (one["outcome"], one["blame"], one["status"]) for one in entries} == {
        names[0]: ("timeout", "firewall", "failed"),
        names[1]: ("gone", None, "gone"),
        names[2]: ("timeout", "server", "failed"),
    }
    assert "desktop1 reaches it" in entries[0]["evidence"]


def test_a_desktop_that_ansible_does_not_reach(tmp_path: Path) -> None:
    asked = variables(egress_entries=["a.example", "*.made-up.example"], egress_proxy=PROXY)
    script, there = tmp_path / "probe.py", "/tmp/egress-alone-{host}.json"
    inlab.ansible(
        "ansible-playbook", "playbooks/render_probe_script.yml", *asked, "-e", "egress_script_kind=python",
        "-e", f"egress_script_dest={script}", "-e", json.dumps({"egress_script_results_path": there}),
    )
    inlab.on("desktop1", "python3", "-I", "-", stdin=script.read_text(encoding="utf-8"))
    collected = tmp_path / "collected"
    collected.mkdir()
    answers = inlab.on("desktop1", "sh", "-c", "cat /tmp/egress-alone-*.json && rm /tmp/egress-alone-*.json")
    (collected / "1.json").write_text(answers, encoding="utf-8")
    results = tmp_path / "results"
    judged = playbook(*asked, *variables(egress_results=str(collected), egress_results_dir=str(results)))
    assert judged.returncode == 2, judged.stdout
    assert "1 of 1 managed hosts answered" in judged.stdout
    summary = json.loads((results / "summary.json").read_text(encoding="utf-8"))
    assert summary["by_outcome"] == {"proxy_auth_required, suspect: proxy": 2}
    assert (results / "report.html").is_file()


def test_measuring_does_not_fail(tmp_path: Path) -> None:
    folder = str(tmp_path / "results")
    measured = playbook(*variables(egress_entries=["a.example"], egress_judge=False, egress_results_dir=folder))
    assert measured.returncode == 0
    assert "NOT passed" in measured.stdout


def test_a_limit_without_managed_hosts_is_an_error() -> None:
    limited = playbook("--limit", "proxy1", *variables(egress_entries=["a.example"]))
    assert limited.returncode == 2
    assert "No managed host is in this run" in limited.stdout + limited.stderr


def test_an_inventory_without_managed_hosts_is_an_error(tmp_path: Path) -> None:
    for number, content in enumerate(("all: {}\n", "all: {hosts: {other: {}}}\n")):
        inventory = tmp_path / f"{number}.yml"
        inventory.write_text(content, encoding="utf-8")
        empty = playbook(*variables(egress_entries=["a.example"]), inventory=inventory)
        assert empty.returncode == 2
        assert "No managed host is in this run" in empty.stdout + empty.stderr


@pytest.mark.parametrize(("limit", "answered"), [("managed_hosts:!desktop3", "1 of 2"), ("desktop2", "0 of 1")])
def test_a_host_that_is_down_is_never_a_pass(squid: Squid, tmp_path: Path, limit: str, answered: str) -> None:
    squid.run(entries=["a.allowed.example"])
    down = tmp_path / "down.yml"
    down.write_text("all: {hosts: {desktop2: {ansible_port: 1, ansible_ssh_common_args: ''}}}\n", encoding="utf-8")
    partial = playbook(
        "-i", str(down), "--limit", limit,
        *variables(egress_entries=["a.allowed.example"], egress_results_dir=str(tmp_path / "results")),
    )
    assert partial.returncode == 2
    assert f"{answered} managed hosts answered" in partial.stdout
    assert "did not answer" in partial.stdout
