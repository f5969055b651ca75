# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A question that fails does not keep the others from being answered, and is not forgotten."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "tests" / "benchmarks"
WORKS = """
from measuring import Bench, Figure, Row
TITLE = "Works"
def rows(bench):
    yield Row("ours", Figure((1.0,) * bench.runs), "theirs", Figure((4.0,)))
"""
BREAKS = WORKS.replace("Works", "Breaks") + "    raise SystemError('no such thing')\n"


@pytest.fixture
def script(monkeypatch, tmp_path) -> ModuleType:
    (tmp_path / "works.py").write_text(WORKS, encoding="utf-8")
    (tmp_path / "breaks.py").write_text(BREAKS, encoding="utf-8")
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("measuring", "works", "breaks"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    spec = importlib.util.spec_from_file_location("bench_run", FOLDER / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "QUESTIONS", ("breaks", "works"))
    monkeypatch.setattr(module, "versions", lambda: {"Python": "3.13.0"})
    return module


def test_all_are_asked_and_the_failed_one_is_told(script, monkeypatch, tmp_path, capsys) -> None:
    path = tmp_path / "found" / "figures.json"
    monkeypatch.setattr(sys, "argv", ["run.py", "--runs", "2", "--json", str(path)])
    assert script.main() == 1
    found = json.loads(path.read_text(encoding="utf-8"))["questions"]
    assert found["breaks"]["failed"] == "SystemError: no such thing"
    assert found["works"]["failed"] == ""
    assert [len(one["rows"]) for one in found.values()] == [1, 1]
    assert found["works"]["rows"][0]["runs"] == 2
    assert "FAILED: SystemError: no such thing" in capsys.readouterr().out


def test_figures_are_written_into_the_page(script, monkeypatch, tmp_path) -> None:
    path, page = tmp_path / "figures.json", tmp_path / "measured.rst"
    monkeypatch.setattr(sys, "argv", ["run.py", "works", "--json", str(path)])
    assert script.main() == 0
    page.write_text(f"before\n\n{script.measuring.BEGIN}old\n{script.measuring.END}after\n", encoding="utf-8")
    monkeypatch.setattr(script, "PAGE", page)
    monkeypatch.setattr(sys, "argv", ["run.py", "--from", str(path), "--write-docs"])
    assert script.main() == 0
    text = page.read_text(encoding="utf-8")
    assert "Works\n~~~~~\n" in text
    assert "old" not in text
    assert (text.split()[0], text.split()[-1]) == ("before", "after")


def test_a_question_that_is_not_there_is_refused(script, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "nothing"])
    with pytest.raises(SystemExit):
        script.main()
    assert "no question nothing, only breaks, works" in capsys.readouterr().err
