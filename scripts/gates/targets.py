# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments like the Pythons of managed hosts.

They hold what Ansible sends there and nothing else: ansible.module_utils of a leg, and of the collection its modules
and module_utils. An import of anything that exists only on the control node fails in them as it would on the host."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from .places import NEWEST, OLDEST, ROOT, TEST, Leg, environment
from .shell import Shell

REQUIREMENTS = ROOT / "requirements" / "targets.txt"
SENT = ("plugins/modules", "plugins/module_utils", "tests")
TESTS = ("tests/unit/plugins/modules", "tests/unit/plugins/module_utils")


def is_of_apis(path: Path) -> bool:
    """Tests of what only the control node runs; the conftest.py beside them leaves them out on managed hosts."""
    return any(path.match(f"drivers/{name}") for name in ("test_api_*.py", "test_panos*", "test_zia*", "test_fortios*"))


def leg_for(version: str) -> Leg:
    """The newest ansible-core does without Python 3.8 on managed hosts; 2.19 is the last one with it."""
    return OLDEST if version == "3.8" and OLDEST.venv.is_dir() else NEWEST


def prepare(version: str, python: str, shell: Shell) -> Leg:
    leg = leg_for(version)
    target = Leg(f"target-{version}", TEST / "targets" / version)
    stamp = target.venv / ".stamp"
    wanted = hashlib.sha256(f"{ROOT} {python} {leg.site_packages}\n{REQUIREMENTS.read_text()}".encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(target.venv, ignore_errors=True)
        shell.run([python, "-m", "venv", target.venv], environment(leg))
        shell.run([target.python, "-m", "pip", "install", "-q", "-r", REQUIREMENTS], environment(leg))
        (target.site_packages / "ansible").mkdir()
        (target.site_packages / "ansible" / "__init__.py").touch()
        _link(target.site_packages / "ansible" / "module_utils", leg.site_packages / "ansible" / "module_utils")
        for name in SENT:
            _link(target.site_packages / "ansible_collections" / "egress" / "allowlist" / name, ROOT / name)
        stamp.write_text(wanted)
    return target


def _link(link: Path, to: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(to)
