# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all appliances behind an API have in common for test_contract.py: an emulator, and a guard over each request."""

from __future__ import annotations

import contextlib
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _api, _http
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Emulator, Request

from .host import Guard, Host


class FakeClock:
    """Hours pass at once."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


class ApiHost(Host):
    """``state`` is all that the emulator has configured, staged and in force."""

    fewest_steps = 3
    secret_options: ClassVar[tuple[str, ...]]
    reference: ClassVar[dict[str, Any]] = {}  # options that rules: reference needs beside the usual ones

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.emulator = self.made()
        self.clock = FakeClock()
        self._patch = pytest.MonkeyPatch()

    @abstractmethod
    def made(self) -> Emulator:
        """The emulator, not started."""

    @abstractmethod
    def is_write(self, request: Request) -> bool:
        """Whether a request writes configuration."""

    def start(self) -> None:
        self._patch.setattr(_api.Clock, "now", self.clock.now)
        self._patch.setattr(_api.Clock, "sleep", self.clock.sleep)
        self.emulator.start()

    def stop(self) -> None:
        self.emulator.stop()
        self._patch.undo()

    def object_key(self, path: str) -> str:
        return path

    def changes(self, words: list[str]) -> bool:
        raise AssertionError(f"no program is called for an API: {words}")

    @contextlib.contextmanager
    def guarded(self, guard: Guard) -> Iterator[None]:
        real, changes = _http.HttpSession.request, self.emulator.changes

        def request(
            session: _http.HttpSession, method: str, url: str, *, params: Mapping[str, str] | None = None,
            headers: Mapping[str, str] | None = None, body: bytes | None = None,
        ) -> _http.HttpAnswer:  # fmt: skip
            told = Request(method, urlsplit(url).path, dict(params or {}), dict(headers or {}), body or b"")
            if changes(told):
                answer: _http.HttpAnswer = guard.call(
                    real, session, method, url, params=params, headers=headers, body=body
                )
                return answer
            return real(session, method, url, params=params, headers=headers, body=body)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_http.HttpSession, "request", request)
            yield

    def state(self) -> dict[str, Any]:
        return {"appliance": self.emulator.state()}

    def files(self) -> dict[str, str]:
        return {"running": self.running}

    def recover(self) -> None:
        """Nobody watches over a run."""

    @property
    def lock(self) -> Path:
        raise AssertionError("an API has no file to lock")

    @contextlib.contextmanager
    def checker_refuses(self) -> Iterator[None]:
        self.emulator.fail(self.is_write, self.refusal("BROKEN"), times=1000)
        yield
        self.emulator.faults.clear()

    @abstractmethod
    def refusal(self, text: str) -> Answer:
        """How the appliance refuses a write."""
