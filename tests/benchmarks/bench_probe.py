# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a probe of 700 endpoints takes when one in twenty is silent. Needs the lab: `scripts/in-lab` brings it up.

scripts/in-lab .venv/bin/python tests/benchmarks/bench_probe.py [ENDPOINTS]

The unavoidable wait is one timeout: all silent ones can be waited for at once. The goal is 1.6 times that.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import inlab

TIMEOUT = 3
ONE_IN = 20
TRUST = {"public_ca_path": "/etc/egress-lab/public-root.pem", "inspection_ca_path": "/etc/egress-lab/company-ca.pem"}


def names(number: int) -> list[str]:
    return [f"{'fault-silent' if index % ONE_IN == 0 else 'host'}.n{index}.example" for index in range(number)]


def probe(title: str, **options: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        arguments = {**TRUST, "timeout": TIMEOUT, "results_dir": folder, **options}
        inlab.ansible("ansible", "desktop1", "-m", "egress.allowlist.probe", "-a", json.dumps(arguments))
        whole = json.loads((Path(folder) / "desktop1.json").read_text(encoding="utf-8"))
    outcomes = ", ".join(f"{n} {word}" for word, n in Counter(one["outcome"] for one in whole["answers"]).items())
    print(f"{title:<46} {whole['seconds']:6.2f} s  {whole['seconds'] / TIMEOUT:5.2f} x  {outcomes}", flush=True)


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 700
    hosts = names(number)
    probe(f"{number} targets in https", targets=[f"https://{host}" for host in hosts])
    probe(f"{number} targets in http", targets=[f"http://{host}" for host in hosts])
    probe(f"{number} entries, each on 443 and 80", entries=hosts)
    for threads in (16, 32, 128):
        probe(f"{number} targets in https, {threads} threads", targets=[f"https://{host}" for host in hosts],
              threads=threads)


if __name__ == "__main__":
    main()
