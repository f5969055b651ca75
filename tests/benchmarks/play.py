# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""1, 10 and 50 appliances in one run of the playbook, and 200 managed hosts verified, against the floor of Ansible.

The floor is a play with one trivial module on the same hosts. The appliances are FortiGates, firewalls and tenants in
turns; the managed hosts are the lab's desktops under many names.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import plays
from appliances import APPLIANCES, CLIENTS, Certificate, names, options_of
from measuring import Bench, Figure, Row

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import inlab

TITLE = "Many appliances, many managed hosts"
KINDS = ("FortiOS", "PAN-OS", "ZIA")
ENTRIES = 346
CASES = ((1, 5), (10, 5), (10, 1), (50, 25))  # how many, and the forks of Ansible
TRIVIAL = plays.task("Nothing", "ansible.builtin.ping", {})
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def rows(bench: Bench) -> Iterator[Row]:
    for count, forks in CASES[:2] if bench.quick else CASES:
        yield from _appliances(bench, count, forks)
    yield from _verified(bench, 20 if bench.quick else 200)


def _appliances(bench: Bench, count: int, forks: int) -> Iterator[Row]:
    title = f"{count} appliances, {forks} fork{'s' * (forks > 1)}" if count > 1 else "1 appliance"
    values: dict[str, list[float]] = defaultdict(list)
    for run in range(bench.few({1: bench.runs, 10: 2}.get(count, 1))):
        bench.say(f"{title}: run {run + 1}")
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=bench.folder)))
            certificate = Certificate(folder)
            hosts = {f"appliance{number:02}": host_of(stack, number, certificate, folder) for number in range(count)}
            site = site_of(folder, "egress_appliances", hosts)
            for step in ("first", "no change"):
                words = ("--forks", str(forks), "-e", "egress_verify=false")
                ran = site.run("ansible-playbook", "egress.allowlist.apply_mmd_allowlist", *words)
                values[step].append(ran.seconds)
                values[f"{step} peak"].append(ran.peak)
        with tempfile.TemporaryDirectory(dir=bench.folder) as temporary:
            site = site_of(Path(temporary), "egress_appliances", dict.fromkeys(hosts, LOCAL))
            trivial = plays.of_host("egress_appliances", TRIVIAL)
            values["floor"].append(site.play("trivial", trivial, "--forks", str(forks)).seconds)
    for step in ("first", "no change"):
        note = f"peak of memory {max(values[f'{step} peak']):.0f} MB"
        yield _row(f"{title}: {step}", values[step], values["floor"], note)


def _row(what: str, values: list[float], floor: list[float], note: str) -> Row:
    return Row(what, Figure(tuple(values)), "one trivial module on each", Figure(tuple(floor)), note)


def host_of(stack: ExitStack, number: int, certificate: Certificate, folder: Path) -> dict[str, Any]:
    one = APPLIANCES[KINDS[number % len(KINDS)]]
    emulator = stack.enter_context(one.make(None))
    own = options_of(one, emulator, certificate, folder)
    given = {name: own[name] for name in own if name not in ("clients", "max_shrink", "widen", "ca_path")}
    return {"egress_appliance": one.module, f"egress_{one.module}": given, "egress_widen": "any"}


def site_of(folder: Path, group: str, hosts: dict[str, Any], **more: Any) -> plays.Site:
    everywhere = {"egress_clients": CLIENTS, "egress_entries": names(ENTRIES), **more,
                  "egress_snapshot_dir": str(folder / "snapshots"), "egress_results_dir": str(folder / "results")}
    inventory = {"all": {"children": {group: {"hosts": hosts, "vars": everywhere}}}}
    path = folder / "inventory.json"
    path.write_text(json.dumps(inventory), encoding="utf-8")
    return plays.Site(folder, str(path))


def _verified(bench: Bench, count: int) -> Iterator[Row]:
    lab = json.loads(plays.measured(
        [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(inlab.LAB / "inventory.yml"), "--host",
         "desktop1"], plays.environment(), bench.folder,
    ).out)  # fmt: skip
    lab["ansible_ssh_common_args"] = f"-F '{inlab.LAB}/ssh/config'"
    lab.pop("egress_proxy", None)
    hosts = {f"desktop{number:04}": {"ansible_host": f"desktop{number % 3 + 1}"} for number in range(count)}
    for few in (20, ENTRIES) if not bench.quick else (20,):
        here = dict(list(hosts.items())[: count if few < ENTRIES else 20])
        with tempfile.TemporaryDirectory(dir=bench.folder) as temporary:
            more = {**lab, "egress_entries": names(few), "egress_tenant": "contoso"}
            site = site_of(Path(temporary), "managed_hosts", here, **more)
            yield from _verification(bench, site, len(here), few)


def _verification(bench: Bench, site: plays.Site, hosts: int, entries: int) -> Iterator[Row]:
    title = f"{hosts} managed hosts verify {entries} entries, 10 forks"
    bench.say(title)
    forks = ("--forks", "10")
    works: dict[str, Callable[[], plays.Ran]] = {
        "ours": lambda: site.run(
            "ansible-playbook", "egress.allowlist.verify_mmd_allowlist", *forks, "-e", "egress_fail_on=never"
        ),
        "floor": lambda: site.play("trivial", plays.of_host("managed_hosts", TRIVIAL), *forks),
    }
    ran = {name: [work() for _run in range(bench.few(1))] for name, work in works.items()}
    seconds = {name: [one.seconds for one in several] for name, several in ran.items()}
    note = f"peak of memory {max(one.peak for one in ran['ours']):.0f} MB"
    yield _row(title, seconds["ours"], seconds["floor"], note)
