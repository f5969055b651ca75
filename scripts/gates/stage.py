# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the working tree where Ansible's tools want it: …/ansible_collections/egress/allowlist.

ansible-test refuses symbolic links and silently skips everything in a folder that some outer git ignores; hence a
copy, with a git of its own. `ansible-galaxy collection build` does not read .gitignore; hence only files that git
would commit."""

from __future__ import annotations

import filecmp
import functools
import os
import shutil
import subprocess
import threading
from pathlib import Path

from .places import ROOT, TEST, collection_in

READERS = TEST / "stage" / "readers"
_one_at_a_time = threading.Lock()


@functools.cache
def _readers() -> Path:
    return refresh(READERS)


def for_readers() -> Path:
    """One copy for all gates that only read, brought up to date once."""
    with _one_at_a_time:
        return _readers()


def refresh(stage: Path) -> Path:
    """Brings the copy up to date and returns its folder. What tools left in tests/output stays: it is their cache."""
    target = collection_in(stage)
    target.mkdir(parents=True, exist_ok=True)
    wanted = _tracked_and_new()
    for name in wanted:
        _copy(ROOT / name, target / name)
    for name in _present(target) - wanted:
        (target / name).unlink()
    _remove_empty_folders(target)
    _git(target, "init", "--quiet")
    _git(target, "add", "--all")
    return target


def _tracked_and_new() -> set[str]:
    listed = _git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return {name for name in listed if name and (ROOT / name).is_file()}


def _copy(source: Path, target: Path) -> None:
    same = target.is_file() and filecmp.cmp(source, target, shallow=False)
    if not same or os.access(source, os.X_OK) != os.access(target, os.X_OK):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _present(target: Path) -> set[str]:
    kept = {target / ".git", target / "tests" / "output"}
    found: set[str] = set()
    for folder, folders, files in os.walk(target):
        folders[:] = [name for name in folders if Path(folder, name) not in kept]
        found.update(str(Path(folder, name).relative_to(target)) for name in files)
    return found


def _remove_empty_folders(target: Path) -> None:
    for folder, _folders, _files in os.walk(target, topdown=False):
        if ".git" not in Path(folder).relative_to(target).parts and not os.listdir(folder):
            os.rmdir(folder)


def _git(folder: Path, *words: str) -> str:
    # A git hook or an outer `git` may have named another repository in the environment.
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(["git", "-C", str(folder), *words], env=env, check=True, capture_output=True, text=True)
    return done.stdout
