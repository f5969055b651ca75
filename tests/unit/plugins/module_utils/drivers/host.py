# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What test_contract.py needs of a host, whatever its appliance: one class for each driver gives it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, ClassVar, Dict, Iterator, Tuple

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._driver import Driver
from ansible_collections.egress.allowlist.plugins.module_utils._run import Run, allowlist_argument_spec

Deed = Callable[[Any], Any]
Drifts = Dict[str, Tuple[Deed, str, str]]
Strangers = Dict[str, Tuple[Deed, str]]
WRITERS = ("rename", "unlink", "makedirs", "rmdir", "fchmod", "kill")


class Killed(BaseException):
    """Not an Exception: nothing may catch it, as nothing catches SIGKILL."""


class Guard:
    """Every operation of a run that changes the host comes by; the run is killed before that number *step*."""

    def __init__(self, step: int = 0) -> None:
        self._left = step
        self._dead = False

    def call(self, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self._dead = True
        if self._dead:  # nor does a dead process clean up behind itself
            raise Killed
        return real(*args, **kwargs)


class ReadOnly(Guard):
    """A run that must change nothing."""

    def call(self, real: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        pytest.fail(f"changed the host: {getattr(real, '__name__', real)} {args}")


class Host(ABC):
    """``run`` is one run of the module, ``state`` everything that a run can change, in a form that can be compared."""

    kind: str = ""  # as the tests call it
    driver: ClassVar[type[Driver]]
    odd: ClassVar[str] = "*cdn.onenote.net"  # a name that few appliances can hold
    fewest_steps: ClassVar[int] = 6  # how often a run that changes something can be killed, at least
    files_module: ClassVar[ModuleType]  # with Files
    rearranged: ClassVar[dict[str, Any]]  # options that hold the same entries otherwise
    everyone: ClassVar[tuple[str, ...]]  # clients that are refused, since they would be everyone or nobody
    strange_paths: ClassVar[tuple[str, ...]]  # which no snapshot may write, relative to `etc`
    # What somebody does by hand: the change, what is taken away again and what is added again.
    drifts: ClassVar[Drifts]
    strangers: ClassVar[Strangers]  # what is in our way: how it comes there, how it is called

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc = folder / "etc"
        self.home = folder / "run"
        self.etc.mkdir()
        self.home.mkdir()
        self.guard = Guard()

    @property
    def old(self) -> tuple[str, ...]:
        return "login.live.com", "*.mesh.com", self.odd, "203.0.113.0/24"

    @property
    def old_lines(self) -> list[str]:
        hosts = sorted(f"host {name} tcp/80,443" for name in self.old[:3])
        return [*hosts, "network 203.0.113.0/24 tcp/443"]

    def object_key(self, path: str) -> str:
        """The key of an object that is not ours."""
        return str(self.etc / path)

    # A run

    @abstractmethod
    def usual(self) -> dict[str, Any]:
        """Options that each run has."""

    def options(self, **given: Any) -> dict[str, Any]:
        spec = dict(allowlist_argument_spec(), **self.driver.argument_spec)
        options = {name: one.get("default") for name, one in spec.items()}
        options.update(self.usual())
        options.update(given)
        return options

    def run(self, *entries: Any, check_mode: bool = False, **given: Any) -> dict[str, Any]:
        options = self.options(**given)
        if entries:
            options["entries"] = list(entries)
        with self.guarded(ReadOnly()) if check_mode else contextlib.nullcontext():
            driver = self.driver(options, self.run_command)
            try:
                return Run(driver, options, check_mode).answer()
            finally:
                driver.close()

    def run_command(self, words: list[str]) -> tuple[int, str, str]:
        return self.guard.call(self.execute, words) if self.changes(words) else self.execute(words)

    def execute(self, words: list[str]) -> tuple[int, str, str]:
        # Without a timeout, which would look for the end now and then only.
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    @abstractmethod
    def changes(self, words: list[str]) -> bool:
        """Whether a command changes the host."""

    @contextlib.contextmanager
    def guarded(self, guard: Guard) -> Iterator[None]:
        """Runs come by this guard; what they do outside /etc does not count."""
        before, self.guard = self.guard, guard
        with pytest.MonkeyPatch.context() as patch:
            for name in WRITERS:
                patch.setattr(os, name, self._watched(getattr(os, name)))
            try:
                yield
            finally:
                self.guard = before

    def _watched(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(first, int) or str(first).startswith(f"{self.etc}/"):
                return self.guard.call(real, first, *args, **kwargs)
            return real(first, *args, **kwargs)

        call.__name__ = real.__name__
        return call

    # The host

    @abstractmethod
    def start(self) -> None:
        """Start what runs on the host."""

    @abstractmethod
    def stop(self) -> None:
        """End it."""

    @property
    @abstractmethod
    def running(self) -> str:
        """What is in force, whatever the files say."""

    def files(self) -> dict[str, str]:
        found = sorted(path for path in self.etc.rglob("*") if path.is_file())
        return {str(path.relative_to(self.etc)): path.read_text(encoding="utf-8") for path in found}

    def state(self) -> dict[str, Any]:
        return {"files": self.files(), "running": self.running, "left": os.listdir(self.folder / "tmp")}

    def settle(self, *runs: dict[str, Any]) -> None:
        """The state after these runs, on a host where nothing of ours was."""
        self.recover()
        self.run(state="deleted")
        for one in runs:
            self.run(**one)

    @abstractmethod
    def recover(self) -> None:
        """What the site's own supervisor does after a run was killed."""

    @property
    @abstractmethod
    def lock(self) -> Path:
        """What a run locks."""

    @contextlib.contextmanager
    @abstractmethod
    def checker_refuses(self) -> Iterator[None]:
        """The appliance's own checker finds something wrong."""

    @contextlib.contextmanager
    @abstractmethod
    def refuses(self) -> Iterator[None]:
        """What is written cannot be made what runs."""
