# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all torture tests share: the table that is printed at the end, and the appliances that they torture."""

from __future__ import annotations

import json
import os
import platform
import secrets
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig

if AnsibleCollectionConfig.collection_finder is None:  # some of these tests call lookups and filters themselves
    init_plugin_loader()

import appliances
import inlab
from ansible.release import __version__ as ansible_core
from table import Row, Table

Tally = Callable[..., None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--json", type=Path, default=inlab.ROOT / ".test" / "torture.json", help="where the table goes")


@pytest.fixture(scope="session")
def scale() -> float:
    """TORTURE_SCALE: which part of all that can be tried is tried, more than 1 for what is drawn at random."""
    return float(os.environ.get("TORTURE_SCALE", "1"))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """TORTURE_SEED, or a new one; printed where the test fails."""
    chosen = int(os.environ.get("TORTURE_SEED") or secrets.randbelow(1_000_000))
    print(f"again: TORTURE_SEED={chosen} make torture TORTURE='{request.node.nodeid}'")
    return chosen


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """``tally(driver, cases)``: so many more cases were tried on it."""

    def add(driver: str, cases: int = 1) -> None:
        request.node.user_properties.append(("tally", (driver, cases)))

    return add


@pytest.fixture(scope="session")
def modules() -> Path:
    """A folder from which Python can import our modules, on every host of the lab."""
    return appliances.importable(inlab.LAB / "modules")


@pytest.fixture
def target(request: pytest.FixtureRequest, modules: Path, tmp_path: Path) -> Iterator[appliances.Target]:
    """The appliance that the parameter names, with nothing of ours on it; left so."""
    with appliances.started(request.param, modules, tmp_path) as one:
        yield one


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TABLE] = Table()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.failed:
        REPORTS.append(report)


REPORTS: list[pytest.TestReport] = []
TABLE = pytest.StashKey[Table]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    table = config.stash[TABLE]
    for report in REPORTS:
        topic = Path(report.location[0]).stem.removeprefix("test_").replace("_", " ")
        counts: list[Any] = [value for name, value in report.user_properties if name == "tally"] or [("", 1)]
        for driver, cases in counts:
            table.add(Row(topic, str(driver), int(cases), 0, report.duration / len(counts)))
        if report.failed:
            table.add(Row(topic, str(counts[0][0]), 0, 1, 0.0))
    if not table.rows:
        return
    terminalreporter.write_line("")
    terminalreporter.write_line(table.text())
    path: Path = config.getoption("--json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"about": about(), "rows": table.as_data()}, indent=2) + "\n", encoding="utf-8")
    terminalreporter.write_line(f"also in {os.path.relpath(path)}")


def about() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(), "scale": os.environ.get("TORTURE_SCALE", "1"),
        "ansible-core": ansible_core, "python": platform.python_version(), "processors": os.cpu_count(),
    }  # fmt: skip
