# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of appliances is the one that the drivers and emulators give."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_guide_shows_what_each_appliance_makes_of_the_catalog(monkeypatch) -> None:
    spec = importlib.util.spec_from_file_location("appliance_table", ROOT / "scripts" / "appliance_table.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, script)  # its dataclasses look for it
    spec.loader.exec_module(script)
    page = (ROOT / "docs" / "docsite" / "rst" / "guide_appliances.rst").read_text(encoding="utf-8")
    written = page.partition(script.BEGIN)[2].partition(script.END)[0]
    assert written == script.tables(), "run scripts/appliance_table.py --write"
