# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the design promises, measured beside peers and floors in the same session.

    make bench                                                  # all questions, in a lab of their own
    .venv/bin/python tests/benchmarks/run.py growth lookup      # some of them; those that need the lab say so
    .venv/bin/python tests/benchmarks/run.py --from FILE --write-docs

Ratios are of things that were run in turns on the same machine; a figure is the median, with the smallest and the
largest. Ends with 1 where a question failed; the others go on.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import measuring
from measuring import Bench, Row

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "docsite" / "rst" / "measured.rst"
QUESTIONS = ("apply", "growth", "patterns", "play", "probe", "lookup", "pac", "report")


def main() -> int:
    given = arguments(sys.argv[1:])
    if given.read:
        found = json.loads(given.read.read_text(encoding="utf-8"))
        if found["format"] != measuring.FORMAT:
            raise SystemExit(f"expected format {measuring.FORMAT}, got {found['format']}")
    else:
        found = asked(given)
    if given.write_docs:
        text = PAGE.read_text(encoding="utf-8")
        new = measuring.between(text, measuring.BEGIN, measuring.END, measuring.page(found))
        PAGE.write_text(new, encoding="utf-8")
    for line in measuring.summary(found):
        print(line)
    return 1 if any(one["failed"] for one in found["questions"].values()) else 0


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("questions", nargs="*", help=f"some of {', '.join(QUESTIONS)}; none: all")
    parser.add_argument("--runs", type=int, help="of each (3; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="fewer runs and sizes, for a look: about three minutes")
    parser.add_argument("--whole", action="store_true", help="what takes many minutes as well")
    parser.add_argument("--json", type=Path, help="where the figures are kept")
    parser.add_argument("--from", dest="read", type=Path, metavar="FILE", help="measure nothing, read figures")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into the page")
    given = parser.parse_args(words)
    strangers = [name for name in given.questions if name not in QUESTIONS]
    if strangers:
        parser.error(f"there is no question {strangers[0]}, only {', '.join(QUESTIONS)}")
    return given


def asked(given: argparse.Namespace) -> dict[str, Any]:
    """Measures, and keeps what was found after each question."""
    started = dt.datetime.now(dt.UTC)
    path = given.json or ROOT / ".test" / "bench" / f"{started:%Y%m%dT%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = measuring.machine(versions())
    facts.update(date=f"{started:%Y-%m-%d}", quick=given.quick)
    found: dict[str, Any] = {}
    for name in given.questions or QUESTIONS:
        found[name] = question(name, given)
        path.write_text(measuring.document(facts, found), encoding="utf-8")
    print(f"figures: {path}", flush=True)
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def question(name: str, given: argparse.Namespace) -> dict[str, Any]:
    module = importlib.import_module(name)
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"[{name} {time.monotonic() - begun:5.0f} s] {text}", flush=True)

    found: list[Row] = []
    failed = ""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        runs = given.runs or (1 if given.quick else 3)
        bench = Bench(runs, given.quick, given.whole, Path(folder), say)
        try:
            for row in module.rows(bench):
                found.append(replace(row, question=name))
                say("  ".join(found[-1].cells))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the other questions go on)
            traceback.print_exc()
            failed = f"{type(error).__name__}: {str(error).replace(str(ROOT), '')[-300:]}"
            say(f"FAILED: {failed}")
    seconds = round(time.monotonic() - begun)
    return {"title": module.TITLE, "seconds": seconds, "failed": failed, "rows": [row.as_dict() for row in found]}


def versions() -> dict[str, str]:
    from ansible.release import __version__ as core  # noqa: PLC0415

    python = ".".join(str(part) for part in sys.version_info[:3])
    told = {"Python": python, "ansible-core": core}
    for name, words in {"curl": ["curl", "--version"], "OpenSSL": ["openssl", "version"]}.items():
        told[name] = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[1]
    return told


if __name__ == "__main__":
    sys.exit(main())
