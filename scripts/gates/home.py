# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A home folder for ansible-test, with the pip that it wants.

ansible-test fetches a script that installs pip from a host of its own, which many networks do not reach. It looks
into its cache first, so we put an equivalent there that takes the same version of pip from the package index."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from .places import Leg

# Unpacked as it is: pip that installs itself out of an archive takes seconds of work, a dozen times in each leg.
INSTALLER = '''\
import sys, sysconfig, zipfile

wanted = [word for word in sys.argv[1:] if not word.startswith("-")]
if wanted != ["pip=={version}"]:
    sys.exit("expected to be asked for pip {version} alone; got " + " ".join(sys.argv[1:]))
zipfile.ZipFile({wheel!r}).extractall(sysconfig.get_path("purelib"))
'''


def prepare(leg: Leg) -> None:
    """Makes the leg's home folder, once for each version of pip."""
    _share_pip_settings(leg.home)
    version = _wanted_pip(leg)
    cache = leg.home / ".ansible" / "test" / "cache"
    script = cache / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists():
        return
    wheels = cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    download = [leg.python, "-m", "pip", "download", "-q", "--no-deps", f"pip=={version}", "-d", str(wheels)]
    subprocess.run(download, check=True, stderr=subprocess.DEVNULL)
    wheel = wheels / f"pip-{version}-py3-none-any.whl"
    script.write_text(INSTALLER.format(version=version, wheel=str(wheel)))


def _wanted_pip(leg: Leg) -> str:
    source = (leg.site_packages / "ansible_test" / "_internal" / "python_requirements.py").read_text()
    found = re.search(r"^\s+pip='([0-9.]+)'", source, re.MULTILINE)
    if not found:
        raise LookupError(f"expected pip's version in ansible-test's python_requirements.py of {leg.venv}, found none")
    return found[1]


def _share_pip_settings(home: Path) -> None:
    """pip's settings (a company's own index) and its cache are those of the user."""
    user = Path.home()
    for name in (".config/pip", ".pip", ".cache/pip"):
        link = home / name
        if (user / name).exists() and not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(user / name, link)
