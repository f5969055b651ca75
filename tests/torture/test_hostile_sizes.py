# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A million entries: within bounds of memory and time that grow no faster than the list, or a clear error."""

from __future__ import annotations

import json
import subprocess
import sys

import corpus
import pytest
from ansible_collections.egress.allowlist.plugins.plugin_utils._feed import DIALECTS

MEMORY = 3 * 1024**3
MOST = 1_000_000 if corpus.SCALE >= 1 else int(1_000_000 * corpus.SCALE)
OF_LISTS = max(1000, int(10_000 * corpus.SCALE))  # each dialect looks at each entry several times
ASK = f"""
import json, resource, sys, time
from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig
if AnsibleCollectionConfig.collection_finder is None:
    init_plugin_loader()
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
from ansible.errors import AnsibleError
from ansible_collections.egress.allowlist.plugins.filter.feed import feed
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.module_utils._entry import minimise, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
what, count = sys.argv[1], int(sys.argv[2])
items = [f"h{{number}}.d{{number % 1000}}.example" for number in range(count - 1)] + ["*.d7.example"]
did = {{
    "core": lambda: len(minimise(normalise(items))),
    "pac": lambda: len(pac(items, allowed="DIRECT", default="PROXY proxy.example.com:8080")),
    "refusals": lambda: feed([f"a*b.x{{number}}.example" for number in range(count)], dialect="domains"),
}}.get(what, lambda: len(feed(items, dialect=what, default_ports=["tcp/443"])))
began = time.process_time()
try:
    told = ["done", did()]
except (AllowlistError, AnsibleError) as error:
    told = ["refused", str(error)]
print(json.dumps([*told, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024]))
"""


def asked(what: str, count: int) -> tuple[str, object, float, int]:
    words = [sys.executable, "-c", ASK, what, str(count)]
    ran = subprocess.run(words, capture_output=True, text=True, check=False, timeout=1200)
    assert ran.returncode == 0, ran.stderr[-2000:]
    outcome, told, seconds, megabytes = json.loads(ran.stdout.splitlines()[-1])
    print(f"{what}: {count} entries, {outcome}, {seconds:.1f} s, {megabytes} MB")
    return outcome, told, seconds, megabytes


def test_a_million_entries_in_the_core(tally) -> None:
    small, many = asked("core", MOST // 10), asked("core", MOST)
    tally("core", MOST)
    assert many[0] == "done"
    assert many[1] == MOST - MOST // 1000
    assert many[2] < 25 * max(small[2], 0.5)  # ten times as many


@pytest.mark.parametrize("what", [*DIALECTS, "json", "pac"])
def test_many_entries_in_a_list(what, tally) -> None:
    small, many = asked(what, OF_LISTS // 5), asked(what, OF_LISTS)
    tally(what, OF_LISTS)
    assert many[0] == "done" or not corpus.is_told_well(str(many[1]))
    assert many[2] < 12 * max(small[2], 0.5)  # five times as many


def test_as_many_refusals_are_no_flood(tally) -> None:
    outcome, told, _seconds, _megabytes = asked("refusals", OF_LISTS)
    tally("refusals", OF_LISTS)
    assert outcome == "refused"
    assert len(str(told)) < 300_000
