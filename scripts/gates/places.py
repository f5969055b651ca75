# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie, and the environment that a gate's programs see."""

from __future__ import annotations

import os
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEST = ROOT / ".test"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Leg:
    """One ansible-core in one virtual environment."""

    name: str
    venv: Path

    @property
    def bin(self) -> Path:
        return self.venv / "bin"

    @property
    def python(self) -> str:
        return str(self.bin / "python")

    @property
    def site_packages(self) -> Path:
        return next(self.venv.glob("lib/python3.*/site-packages"))

    @property
    def home(self) -> Path:
        """A home folder of the gates' own: nobody's ~/.ansible is read or written."""
        return TEST / "home" / self.name

    @property
    def stage(self) -> Path:
        """The root of a staged copy, in which the collection lies at collection_in(stage)."""
        return TEST / "stage" / self.name


NEWEST = Leg("newest", ROOT / ".venv")
OLDEST = Leg("2.19", ROOT / ".venv-2.19")


def legs() -> list[Leg]:
    """Both legs, or one where the newest Python found is 3.11."""
    return [leg for leg in (NEWEST, OLDEST) if leg.venv.is_dir()]


def collection_in(stage: Path) -> Path:
    return stage / "ansible_collections" / "egress" / "allowlist"


def environment(leg: Leg) -> dict[str, str]:
    """The caller's environment without what would make the outcome depend on the caller."""
    leg.home.mkdir(parents=True, exist_ok=True)
    no_settings = TEST / "ansible.cfg"
    no_settings.write_text("[defaults]\n")
    env = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTEST_", "MAKE"))}
    env.update(
        HOME=str(leg.home),
        LC_ALL="C.UTF-8",
        PATH=os.pathsep.join([str(leg.bin), *python_folders(), SYSTEM_PATH]),
        ANSIBLE_CONFIG=str(no_settings),
        # hypothesis: the same examples in every run, and no deadline on a busy machine
        CI="true",
        NO_COLOR="1",
    )
    return env


def python_folders() -> list[str]:
    """The folders that the Makefile found to hold Pythons that run."""
    own = {sysconfig.get_path("scripts")}
    known = os.environ.get("PATH", "").split(os.pathsep)
    return [folder for folder in known if folder not in own and Path(folder).is_dir() and "shims" not in folder]
