# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's list moves, and the appliances follow: the same bytes by way of all versions and by the last alone."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inlab
import pytest

sys.path.insert(0, str(inlab.ROOT))

from ansible_collections.egress.allowlist.tests.web_service.history import (
    ADDED,
    FIRST,
    LAST,
    MOVED,
    SAME,
    load_history,
    small_history,
)
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

RECORDED = inlab.ROOT.parent / "shared" / "data" / "webservice-history"
APPLY = "playbooks/apply_mmd_allowlist.yml"
BOTH = ["firewall1", "proxy1"]


class Site:
    """A control node with the service, its cache, and the appliances of the lab."""

    def __init__(self, service: WebService, folder: Path) -> None:
        self.service = service
        self.cache = folder / "cache"
        self.options: dict[str, Any] = {
            "egress_catalog": ["microsoft_365"], "egress_web_service_url": service.url, "egress_tenant": "contoso",
            "egress_cache_dir": str(self.cache), "egress_check_interval": 0, "egress_verify": False,
            "egress_grace": 0, "egress_accept_new": True, "egress_max_shrink": 100, "egress_web_service_timeout": 60,
            # Of China's set 18 and others nobody says which ports they need.
            "egress_default_ports": ["tcp/443"], "egress_snapshot_dir": str(folder / "snapshots"),
        }  # fmt: skip

    def play(self, playbook: str = APPLY, *words: str, passes: bool = True, **options: Any) -> str:
        done = inlab.ansible(
            "ansible-playbook", playbook, "-e", json.dumps({**self.options, **options}), *words, check=False
        )
        output: str = done.stdout + done.stderr
        assert (done.returncode == 0) == passes, output[-6000:]
        return output

    def held(self) -> dict[str, str]:
        """Every byte of ours on both appliances, and what the kernel holds."""
        firewall = inlab.Firewall()
        files = {**inlab.Squid().files(), **firewall.files()}
        ours = {path: text for path, text in files.items() if "egress" in path or "egress" in text}
        return {**ours, "ruleset": _lasting(firewall.nft("list", "ruleset"))}

    def remembered(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.cache.rglob("*")) if path.is_file()}


def _lasting(ruleset: str) -> str:
    """Its sets in order, since the kernel lists them as they came; without counters, and without learnt addresses."""
    plain = re.sub(r"counter packets \d+ bytes \d+|counter(?= [,}])", "counter", ruleset)
    sets = re.findall(r"^\t(?:set|map) (\S+) \{\n(.*?)^\t\}$", plain, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^\t(?:set|map) \S+ \{\n.*?^\t\}\n", "", plain, flags=re.MULTILINE | re.DOTALL)
    bodies = {name: "" if "timeout" in body else "".join(sorted(re.split(r"[\s,]+", body))) for name, body in sets}
    return rest + "\n".join(f"{name} {bodies[name]}" for name in sorted(bodies))


def changed(output: str) -> list[str]:
    return re.findall(r"^(\S+) .*changed=[1-9]", output, re.MULTILINE)


@pytest.fixture(name="site")
def fixture_site(squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path) -> Iterator[Site]:
    with WebService(small_history()) as service:
        yield Site(service, tmp_path)


def _by_all_and_by_the_last(site: Site, versions: list[str]) -> None:
    for version in versions:
        site.service.publish(version)
        assert "is used" not in site.play()
    followed = site.held()
    site.play(egress_state="deleted")
    assert site.held().keys().isdisjoint(path for path in followed if "egress" in path)
    site.play(egress_cache_dir=str(site.cache.parent / "fresh"))
    assert site.held() == followed


def test_version_by_version_is_the_last_one(site: Site) -> None:
    _by_all_and_by_the_last(site, [FIRST, ADDED, MOVED, SAME, LAST])


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded history is not on this machine")
def test_recorded_version_by_version_is_the_last_one(
    squid: inlab.Squid, firewall: inlab.Firewall, tmp_path: Path
) -> None:
    """By the modules themselves, since eight plays of the whole playbook would show no more."""
    history = load_history(RECORDED)["Worldwide"]
    with WebService({"Worldwide": history}) as service:
        site = Site(service, tmp_path)
        for version in sorted(history):
            service.publish(version)
            _give(site, site.cache)
        followed = site.held()
        assert len(squid.run(state="gathered")["gathered"]) > 400
        for appliance in (squid, firewall):
            appliance.run(state="deleted")
        _give(site, tmp_path / "fresh")
        assert site.held() == followed


def _give(site: Site, cache: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The list through the modules themselves; what became of each entry on the proxy, and on the firewall."""
    told = {name.removeprefix("egress_"): value for name, value in site.options.items()}
    wanted = ("catalog", "web_service_url", "tenant", "check_interval", "grace", "accept_new", "max_shrink",
              "web_service_timeout")  # fmt: skip
    words = json.dumps({"cache_dir": str(cache), **{name: told[name] for name in wanted}})
    entries = "{{ query('egress.allowlist.endpoints', **(" + repr(words) + " | from_json)) }}"
    found = []
    for appliance, widen in ((inlab.Squid(), "apex"), (inlab.Firewall(), "any")):
        answer = appliance.run(entries=entries, default_ports=["tcp/443"], max_shrink=100, widen=widen)
        found.append({row["entry"]: row for row in answer["translation"]})
    return found[0], found[1]


def test_mail_and_udp_leave_through_the_firewall_alone(site: Site) -> None:
    site.service.publish(MOVED)
    proxy, firewall = _give(site, site.cache)
    for entry, verdict, written in (
        ("host smtp.office365.com tcp/143,587,993,995", "impossible", []),
        ("host time.windows.com udp/123", "impossible", []),
        ("network 52.112.0.0/14 tcp/80,443 udp/3478-3481,50000-50059", "narrower",
         ["network 52.112.0.0/14 tcp/80,443"]),
    ):  # fmt: skip
        assert (proxy[entry]["verdict"], proxy[entry]["written"]) == (verdict, written)
        assert "a web proxy does not carry that" in proxy[entry]["lost"]
        assert entry not in firewall or not firewall[entry]["lost"]
    # Nothing listens there: an answer that it is refused is proof that the packet came through.
    mail = [("smtp.office365.com", port) for port in (25, 443, 587, 993)]
    assert list(inlab.reach("desktop3", mail).values()) == ["timeout", "timeout", "refused", "refused"]
    calls = [("52.112.0.9", port) for port in (443, 3478, 3481, 3482, 50059, 50060)]
    assert list(inlab.reach("desktop3", calls, udp=True).values()) == [
        "timeout", "refused", "refused", "timeout", "refused", "timeout",
    ]  # fmt: skip
    assert list(inlab.reach("desktop3", [("52.112.0.9", 443), ("52.112.0.9", 3478)]).values()) == ["open", "timeout"]


def test_a_version_without_changes_changes_nothing(site: Site) -> None:
    site.service.publish(MOVED)
    assert changed(site.play()) == BOTH
    site.service.publish(SAME)
    asked = site.service.asked("endpoints")
    assert changed(site.play()) == []
    assert site.service.asked("endpoints") > asked


def test_check_mode_asks_and_writes_nothing(site: Site) -> None:
    site.play()
    before = (site.remembered(), site.held())
    site.service.publish(ADDED)
    told = site.play(APPLY, "--check", "--diff")
    assert changed(told) == BOTH
    assert "+host login.microsoft.com" in told
    assert (site.remembered(), site.held()) == before


def test_a_list_that_is_damaged_or_does_not_come_changes_nothing(site: Site) -> None:
    site.play()
    held = site.held()
    site.service.publish(ADDED)
    for kind, path in (("poisoned", "/endpoints"), ("truncated", "/endpoints"), ("html", "/endpoints"), ("closed", "")):
        site.service.fault(kind, path=path)
        told = site.play()
        assert changed(told) == []
        assert f"Version {FIRST} is used" in " ".join(told.split())
        site.service.mend()
    site.service.fault("closed")
    told = site.play(passes=False, egress_cache_dir=str(site.cache.parent / "empty"))
    assert "There is no earlier list in" in " ".join(told.split())
    site.service.mend()
    assert site.held() == held
    assert changed(site.play()) == BOTH


def test_what_was_removed_stays_for_a_while(site: Site) -> None:
    history = small_history()["Worldwide"]
    today = dt.datetime.now(dt.UTC).date()
    with WebService({"Worldwide": {FIRST: history[FIRST], f"{today:%Y%m%d}00": history[ADDED]}}) as service:
        site.options |= {"egress_web_service_url": service.url, "egress_grace": 30}
        site.play()
        names = {url for one in history[FIRST] for url in one.get("urls", ())}
        gone = names - {url for one in history[ADDED] for url in one.get("urls", ())}
        service.publish(f"{today:%Y%m%d}00")
        site.play()
        kept = "\n".join(site.held().values())
        assert gone and all(name.lstrip("*") in kept for name in gone)
        site.play(egress_grace=0)
        kept = "\n".join(site.held().values())
        assert not any(name.lstrip("*") in kept for name in gone)


def test_what_changed_since_it_was_applied(site: Site, tmp_path: Path) -> None:
    asked = tmp_path / "changes.yml"
    asked.write_text(
        "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - ansible.builtin.copy:\n"
        "        content: \"{{ query('egress.allowlist.endpoint_changes', since='applied') | to_json }}\"\n"
        f"        dest: {tmp_path}/changes.json\n"
    )

    def since() -> set[tuple[str, str]]:
        site.play(str(asked))
        return {(row["change"], row["value"]) for row in json.loads((tmp_path / "changes.json").read_text())}

    site.play()
    site.service.publish(ADDED)
    added = since()
    assert added == {
        ("added", "login.microsoft.com"), ("added", "20.20.32.0/19"), ("added", "2603:1007:200::/48"),
        ("removed", "pop.office365.example"),
    }  # fmt: skip
    site.play()
    assert since() == set()
    site.play("playbooks/rollback_mmd_allowlist.yml", "-e", "snapshot=latest")
    assert since() == added
