# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookups as Ansible runs them: found by its loader, with its own handling of options."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible_collections.egress.allowlist.plugins.plugin_utils import _lookup

Run = Callable[..., list[Any]]


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EGRESS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(name="run_lookup")
def fixture_run_lookup(tmp_path: Path) -> Run:
    """Runs a lookup: its name, terms, variables, and options by keyword; the play lies in tmp_path."""

    def run(name: str, *terms: object, variables: dict[str, Any] | None = None, **options: Any) -> list[Any]:
        loader = DataLoader()
        loader.set_basedir(str(tmp_path))
        lookup = lookup_loader.get(f"egress.allowlist.{name}", loader=loader, templar=None)
        known = {"ansible_search_path": [str(tmp_path)], **(variables or {})}
        answer: list[Any] = lookup.run(list(terms), variables=known, **options)
        return answer

    return run


@pytest.fixture(name="warnings")
def fixture_warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user is warned of."""
    said: list[str] = []
    monkeypatch.setattr(_lookup.display, "warning", lambda text, *_args, **_kwargs: said.append(text))
    return said
