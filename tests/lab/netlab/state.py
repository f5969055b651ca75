# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a lab keeps what it makes: everything lies in `.lab` of the checkout, and belongs to whoever ran it.

A checkout may have further labs beside the usual one, each with a name; they share nothing but the packages."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


class LabError(Exception):
    """Why the lab cannot do what was asked; the text is for the user."""


@dataclass(frozen=True)
class Lab:
    """The paths of a checkout's usual lab, or of the one with this name."""

    checkout: Path
    name: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w{0,40}", self.name, re.ASCII):
            raise LabError(f'expected a name of letters, digits and underscores for the lab; got "{self.name}"')

    @property
    def home(self) -> Path:
        return self.checkout / ".lab"

    @property
    def state(self) -> Path:
        return self.home / "beside" / self.name if self.name else self.home

    @property
    def code(self) -> Path:
        return self.checkout / "tests" / "lab"

    @property
    def run(self) -> Path:
        """Process records and sockets: there while the lab is up."""
        return self.state / "run"

    @property
    def packages(self) -> Path:
        return self.home / "packages"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def ssh(self) -> Path:
        return self.state / "ssh"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def inventory(self) -> Path:
        return self.state / "inventory.yml"

    def log_of(self, host: str) -> Path:
        return self.logs / f"{host}.log"


def find_lab(name: str = "") -> Lab:
    return Lab(Path(__file__).resolve().parents[3], name)


def every_lab() -> list[Lab]:
    """The usual one, and all that were ever up beside it."""
    usual = find_lab()
    others = sorted(path.name for path in (usual.home / "beside").glob("*") if path.is_dir())
    return [usual, *map(find_lab, others)]


def owner() -> tuple[int, int]:
    """The person behind sudo: sockets, keys and the inventory are theirs, so nothing but `up` and `down` needs root."""
    return int(os.environ.get("SUDO_UID", os.getuid())), int(os.environ.get("SUDO_GID", os.getgid()))


def give_away(folder: Path) -> None:
    """Hand a folder and what is in it to the owner."""
    uid, gid = owner()
    for path in [folder, *folder.rglob("*")]:
        os.lchown(path, uid, gid)


@contextmanager
def exclusive(lab: Lab) -> Iterator[None]:
    """One `up`, `down` or `packages` at a time in a checkout."""
    for folder in (lab.home, lab.state.parent, lab.state) if lab.name else (lab.home,):
        folder.mkdir(exist_ok=True)
        os.chown(folder, *owner())
    descriptor = os.open(lab.home, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
