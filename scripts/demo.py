# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, shown on the lab: before, apply, again, drift, and what stays as it was.

Each step says what it expects; the exit code is 0 only when every step showed it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

sys.path.insert(0, str(ROOT))

import inlab
from ansible_collections.egress.allowlist.tests.web_service.history import FIRST, small_history
from ansible_collections.egress.allowlist.tests.web_service.service import WebService

RESULTS = ROOT / ".test" / "demo"
PLAYBOOKS = "playbooks"
INVENTORY = ".lab/inventory.yml"
APPLIANCES = ["firewall1", "proxy1"]
TABLES = ["inet egress_mmd", "inet egress_mmd-dns"]
LISTED = "login.live.com"
OUTSIDE = "www.example.org"
EDITED_IN = "evil.example"
NEW_IN_LIST, UNDER_IT, NEW_IN_SET, NEXT = "*.static.microsoft", "res.static.microsoft", 56, "2026110200"
COMPANY = "Example Company TLS Inspection CA"
PUBLIC = "Lab Public Intermediate CA"
COLOURS = {"head": "1;36", "good": "32", "bad": "1;31", "dim": "2"} if sys.stdout.isatty() else {}


def paint(kind: str, text: str) -> str:
    return f"\033[{COLOURS[kind]}m{text}\033[0m" if kind in COLOURS else text


class Demo:
    """Prints what it does as it goes along, and remembers what did not come as expected."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.started = time.monotonic()

    # Telling

    def step(self, number: int, title: str, *text: str) -> None:
        print(f"\n{paint('head', f'{number}. {title}')}")
        for line in text:
            print(f"   {line}")
        print(flush=True)

    def expect(self, shown: bool, text: str) -> None:
        print(f"   {paint('good', 'ok ') if shown else paint('bad', 'NO ')} {text}", flush=True)
        if not shown:
            self.wrong.append(text)

    def show(self, text: str) -> None:
        for line in text.splitlines():
            print(f"   {paint('dim', '|')} {line}")

    # Doing

    def playbook(self, name: str, *words: str, results: str = "last") -> subprocess.CompletedProcess[str]:
        command = [f"{PLAYBOOKS}/{name}.yml", "-i", INVENTORY, *words]
        print(paint("dim", f"   $ ansible-playbook {shlex.join(command)}"), flush=True)
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / "ansible-playbook"), *command,
             "-e", f"egress_results_dir={RESULTS / results}", "-e", f"egress_snapshot_dir={RESULTS / 'snapshots'}",
             # Where a firewall answers nothing at all, each question lasts as long as it may.
             "-e", "egress_timeout=2"],
            cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
        )
        log = RESULTS / f"{results}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(done.stdout + done.stderr, encoding="utf-8")
        return done

    def apply(self, results: str, *words: str) -> subprocess.CompletedProcess[str]:
        done = self.playbook("apply_mmd_allowlist", *words, results=results)
        if done.returncode != 0:
            self.show("\n".join((done.stdout + done.stderr).splitlines()[-25:]))
        self.expect(done.returncode == 0, f"ansible-playbook ended with {done.returncode}, expected 0")
        return done


def summary(results: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / results / "summary.json").read_text(encoding="utf-8"))
    return found


def changed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The hosts that were changed, as the recap says."""
    return sorted(re.findall(r"^(\S+) .*changed=[1-9]", done.stdout, re.MULTILINE))


def said(done: subprocess.CompletedProcess[str]) -> str:
    """What the role says of each appliance."""
    return "\n".join(re.findall(r'"msg": "(\S+ \((?:squid|nftables)\): .*?)"', done.stdout))


def table(before: dict[str, Any], after: dict[str, Any] | None = None) -> str:
    """A line per group: how many of its endpoints are as intended, summed over the managed hosts."""
    lines = [f"{'endpoints as intended':<34}{'before':>14}{'after' if after else '':>14}".rstrip()]
    rows = {**before["by_group"], "all, each once": before["counts"]}
    later = {**after["by_group"], "all, each once": after["counts"]} if after else {}
    for name, row in rows.items():
        new = later.get(name)
        lines.append(f"{name:<34}{_of(row):>14}{_of(new) if new else '':>14}".rstrip())
    return "\n".join(lines)


def _of(row: dict[str, int]) -> str:
    return f"{row['ok']} of {row['total']}"


def before_we_came(demo: Demo) -> dict[str, Any]:
    demo.step(
        1, "Before: what the managed hosts can reach",
        "Two managed hosts go through a Squid that inspects TLS, sends everything through ICAP and asks for a login; a",
        "third one goes through a firewall that lets nothing out. All of them ask, without a login, for every endpoint",
        "of the Microsoft Managed Desktop document.",
    )
    inlab.ansible("ansible-playbook", f"{PLAYBOOKS}/apply_mmd_allowlist.yml",
                  "-e", "egress_state=deleted", "-e", "egress_verify=false")
    done = demo.playbook("verify_mmd_allowlist", "-e", "egress_judge=false", results="before")
    demo.expect(done.returncode == 0, "all managed hosts were asked over ssh")
    found = summary("before")
    demo.show(table(found))
    reasons = ", ".join(f"{count} {outcome}" for outcome, count in found["by_outcome"].items())
    demo.show(f"why not: {reasons}")
    demo.expect(found["answered"] == found["total"] == 3, "3 of 3 managed hosts answered")
    demo.expect(found["counts"]["ok"] == 0, "no endpoint is allowed without a login, and none through the firewall")
    return found


def the_first_run(demo: Demo, before: dict[str, Any]) -> None:
    demo.step(
        2, "Apply, then verify", "One safe change on the proxy, one on the firewall; then the managed hosts ask again."
    )
    done = demo.apply("after")
    demo.show(said(done))
    after = summary("after")
    demo.show(table(before, after))
    demo.expect(changed(done) == APPLIANCES, "the proxy and the firewall were changed")
    counts = after["counts"]
    demo.expect(
        counts["ok"] == counts["total"] > 900,
        "every endpoint is allowed, not inspected, not asked for a login, over TLS 1.2 or better",
    )


def the_second_run(demo: Demo) -> None:
    demo.step(3, "Again", "A second run reads, compares, and finds nothing to do.")
    done = demo.apply("again")
    demo.show(said(done))
    demo.expect(changed(done) == [], "nothing changed; neither Squid was reloaded nor dnsmasq restarted")


def drift(demo: Demo) -> None:
    demo.step(
        4, "Somebody changes things by hand",
        f"On the proxy login.windows.net goes, {EDITED_IN} comes, and Squid is reloaded.",
        "On the firewall our tables are deleted.",
    )
    squid = inlab.Squid()
    path = next(path for path in squid.files() if "/names_1." in path)
    text = squid.files()[path].replace("\nlogin.windows.net\n", f"\n{EDITED_IN}\n")
    squid.write(path, text)
    squid.reload()
    squid.wait_for_reload()
    demo.expect(_unasked(EDITED_IN), f"{EDITED_IN} is now open to everyone in the office")
    for name in TABLES:
        inlab.on("firewall1", "nft", "delete", "table", *name.split())
    demo.expect(not _through_firewall(LISTED), f"{LISTED} is now closed to desktop3")
    done = demo.playbook(
        "apply_mmd_allowlist", "--check", "--diff", "-e", "egress_verify=false", results="check"
    )
    found = [line for line in done.stdout.splitlines() if re.match(r"^[-+](host|network|unknown|table) ", line)]
    demo.show("\n".join(found))
    wanted = {f"-host {EDITED_IN} tcp/80,443", "+host login.windows.net tcp/80,443"}
    wanted |= {f"+table {name}" for name in TABLES}
    demo.expect(set(found) == wanted, "--check --diff shows what was done, and nothing else")
    demo.expect(_unasked(EDITED_IN) and not _through_firewall(LISTED), "and wrote nothing: all is still as it was")
    done = demo.apply("corrected")
    demo.show(said(done))
    counts = summary("corrected")["counts"]
    demo.expect(
        changed(done) == APPLIANCES and counts["ok"] == counts["total"], "applied: every endpoint is as intended again"
    )
    demo.expect(not _unasked(EDITED_IN), f"{EDITED_IN} is closed again")


def a_change_that_breaks(demo: Demo) -> None:
    demo.step(
        5, "A change that breaks something",
        "Somebody gives the proxy's list to the wrong clients. The managed hosts notice, and it is taken back.",
    )
    squid = inlab.Squid()
    before = squid.files()
    wrong = ("--limit", "proxy1:desktop1", "-e", '{"egress_clients": ["192.0.2.99"]}')
    done = demo.playbook("apply_mmd_allowlist", *wrong, results="broken")
    reason = re.search(r'"msg": "(Worse than before: .*?)(?:; |\.")', done.stdout)
    demo.show(f"{reason[1]} …" if reason else done.stdout[-2000:])
    demo.expect(done.returncode == 2 and "given back to proxy1" in done.stdout, "the run fails and says what got worse")
    demo.expect(squid.files() == before and _unasked(LISTED), "the proxy holds again what it held, byte for byte")


def _unasked(name: str) -> bool:
    return inlab.ask("desktop1", [inlab.connect(name)])[name].connect == 200


def _through_firewall(name: str, port: int = 443) -> bool:
    """Whether desktop3, which has no proxy, can connect."""
    return inlab.reach("desktop3", [(name, port)])[name, port] == "open"


def everything_else(demo: Demo) -> None:
    demo.step(
        6, "What is not on the list", "The site's own policy holds for every other name, and for every other client."
    )
    asks = [inlab.connect(OUTSIDE)]
    unknown = inlab.ask("desktop1", asks)[OUTSIDE]
    demo.expect(unknown.connect == 407, f"desktop1 asks for {OUTSIDE}: the proxy wants a login (407)")
    known = inlab.ask("desktop1", asks, user=inlab.LOGIN)[OUTSIDE]
    demo.expect(known.issuer == COMPANY, f"with a login: allowed and inspected, the certificate is by '{known.issuer}'")
    listed = inlab.ask("desktop1", [inlab.connect("login.live.com")])["login.live.com"]
    demo.expect(listed.issuer == PUBLIC, f"login.live.com, on the list: the certificate is by '{listed.issuer}'")
    apex = inlab.ask("desktop1", [inlab.connect("microsoft.com")])["microsoft.com"]
    demo.expect(apex.connect == 407, "microsoft.com, since the list has only *.microsoft.com: the proxy wants a login")
    guest = inlab.ask("outsider", [inlab.connect("login.live.com")], proxy=inlab.OUTSIDE_PROXY)["login.live.com"]
    demo.expect(guest.status == 403, "login.live.com from outside of the company's networks: denied, as before")
    demo.expect(_through_firewall(LISTED), f"desktop3, through the firewall, reaches {LISTED}")
    demo.expect(not _through_firewall(OUTSIDE), f"{OUTSIDE}: dropped, as before")
    demo.expect(not _through_firewall(LISTED, 8443), f"{LISTED} on port 8443, which the list does not name: dropped")


def microsofts_list_moves(demo: Demo) -> None:
    demo.step(
        7, "Microsoft's list moves",
        "The list of Microsoft's endpoint web service joins the document; a stand-in for the service runs here, with a",
        f"small list. Then it moves by one version, {NEW_IN_LIST} is new, and both appliances follow.",
    )  # fmt: skip
    before = small_history()["Worldwide"][FIRST]
    after = [{**one, "urls": [*one["urls"], NEW_IN_LIST]} if one["id"] == NEW_IN_SET else one for one in before]
    with WebService({"Worldwide": {FIRST: before, NEXT: after}}) as service:
        options = {
            "egress_catalog": ["mmd", "microsoft_365"], "egress_web_service_url": service.url,
            "egress_check_interval": 0, "egress_cache_dir": str(RESULTS / "cache"), "egress_verify": False,
        }  # fmt: skip
        words = ("-e", json.dumps(options))
        demo.show(said(demo.apply("service", *words)))
        demo.expect(_ways_to(UNDER_IT) == {False}, f"{UNDER_IT} is closed, on the proxy and on the firewall")
        service.publish(NEXT)
        report = demo.playbook(
            "report_changes", *words, "-e", f"egress_report_dir={RESULTS / 'report'}", results="report"
        )
        demo.show("\n".join(re.findall(r'^ +"(.*?)",?$', report.stdout, re.MULTILINE)))
        demo.expect(report.returncode == 0, "what the next apply would change is written down, for the ticket")
        demo.expect(_ways_to(UNDER_IT) == {False}, f"and nothing else: {UNDER_IT} is still closed")
        done = demo.apply("moved", *words)
        demo.show(said(done))
        demo.expect(changed(done) == APPLIANCES, "applied: the proxy and the firewall were changed")
        demo.expect(_ways_to(UNDER_IT) == {True}, f"{UNDER_IT} is open, on the proxy and on the firewall")
        demo.expect(
            service.asked("endpoints") == 3, "the service was asked for its list 3 times, once in each of the 3 runs"
        )


def _ways_to(name: str) -> set[bool]:
    return {_unasked(name), _through_firewall(name)}


YOURS = """\
inventory.yml:
    egress_appliances:
      hosts:
        proxy.example.com:          # where Squid runs; ssh, and become where you are not root
          egress_appliance: squid
          egress_clients: [10.0.0.0/8]
        firewall.example.com:       # a Linux firewall, with the dnsmasq that its clients ask
          egress_appliance: nftables
          egress_clients: [10.30.0.0/24]
          egress_widen: any
    managed_hosts:
      hosts:
        desktop.example.com:
          egress_proxy: http://proxy.example.com:3128
        kiosk.example.com:          # goes through the firewall
    all:
      vars:
        egress_tenant: contoso

ansible-playbook egress.allowlist.apply_mmd_allowlist -i inventory.yml --check --diff
ansible-playbook egress.allowlist.apply_mmd_allowlist -i inventory.yml"""


def main() -> int:
    shutil.rmtree(RESULTS, ignore_errors=True)
    demo = Demo()
    before = before_we_came(demo)
    the_first_run(demo, before)
    the_second_run(demo)
    drift(demo)
    a_change_that_breaks(demo)
    everything_else(demo)
    microsofts_list_moves(demo)
    demo.step(8, "With your own proxy and firewall")
    demo.show(YOURS)
    seconds = time.monotonic() - demo.started
    if demo.wrong:
        print(f"\n{paint('bad', f'{len(demo.wrong)} steps did not show what they should')} ({seconds:.0f} s):")
        for text in demo.wrong:
            print(f"   - {text}")
        print(f"   The full output of each run is in {RESULTS.relative_to(ROOT)}.")
        return 1
    print(f"\n{paint('good', 'Every step showed what it should')} ({seconds:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
