# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One appliance behind an API: a kept session, and what is done when an answer says wait, or does not come.

A read is asked again, a few times. A write whose answer got lost may have arrived: it is never repeated before
somebody has looked.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any, Callable, Mapping, Optional, Set
from urllib.parse import quote, quote_plus

from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpAnswer, HttpError

READS = 3  # how often a read is tried
FIRST_PAUSE = 1.0  # seconds; doubled from one try to the next
LONGEST_PAUSE = 30.0
GROWING = -1.0  # a pause that the appliance asked for without a number: each is longer than the last


class Uncertain(ApplianceError):  # noqa: N818  # not an error yet
    """A write was sent and its answer did not come: it may be done, or not."""


class Clock:
    """The time, in one place, so that a test can make hours pass."""

    now: Callable[[], float] = staticmethod(time.monotonic)
    sleep: Callable[[float], None] = staticmethod(time.sleep)


class Waiting:
    """Pauses that grow, until *seconds* have gone by since the first."""

    def __init__(self, seconds: float) -> None:
        self._end = Clock.now() + seconds
        self._next = FIRST_PAUSE

    def pause(self, asked: Optional[float] = None) -> bool:
        """Wait, as long as the appliance asked for where it did; False when there is no time left for it."""
        pause = max(asked, 0.05) if asked is not None else self._next
        if Clock.now() + pause > self._end:
            return False
        Clock.sleep(pause)
        self._next = min(self._next * 2, LONGEST_PAUSE)
        return True


class Api:
    """Calls to one appliance. A driver's own subclass says how its requests look and what its answers mean."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.host = connection.base_url.partition("://")[2]
        self._session = connection.session()
        self._secrets: Set[str] = set()

    def keep(self, secret: str) -> str:
        """Note a credential, one that the appliance made too, so that nothing it repeats shows it."""
        if len(secret) > 1:  # as Ansible does
            self._secrets |= {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        return secret

    def masked(self, text: str) -> str:
        """A text for people without the credentials in it."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "********")
        return text

    def close(self) -> None:
        self._session.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Optional[Mapping[str, str]] = None,
        headers: Optional[Mapping[str, str]] = None,
        body: Optional[bytes] = None,
        write: bool = False,
    ) -> HttpAnswer:
        """The answer, after the waits that it asked for. Uncertain where a write may have arrived."""
        waiting, tries = Waiting(self.connection.wait_timeout), 0
        while True:
            tries += 1
            try:
                sent = dict(self.login_headers(), **(headers or {}))
                answer = self._session.request(
                    method, self.connection.base_url + path, params=params, headers=sent, body=body
                )
            except HttpError as error:
                self._after_loss(error, write, tries, waiting)
                continue
            if not self._is_final(answer, write, tries, waiting):
                continue
            return answer

    # What a subclass knows

    def login_headers(self) -> Mapping[str, str]:
        """Headers of each request that say who asks; may log in."""
        return {}

    def pause_asked(self, answer: HttpAnswer) -> Optional[float]:
        """Seconds (or GROWING) after which to send the same again, since nothing was done; None for an answer."""
        return retry_after(answer) if answer.status == 429 else None

    def logged_out(self, answer: HttpAnswer) -> bool:  # noqa: ARG002  # an appliance may have no sessions
        """Whether the session has ended and a new one was begun: nothing was done, the request is sent again."""
        return False

    # What all share

    def _is_final(self, answer: HttpAnswer, write: bool, tries: int, waiting: Waiting) -> bool:
        if self.logged_out(answer):
            return False
        asked = self.pause_asked(answer)
        if asked is not None:
            if not waiting.pause(asked if asked != GROWING else None):
                raise ApplianceError(self.still_busy(answer))
            return False
        if answer.status in (500, 502, 503, 504) and not self.is_answer(answer):
            if write:
                raise Uncertain(f"{self.host} answered {answer.status} to a write, which may be done or not")
            if tries < READS and waiting.pause():
                return False
            raise ApplianceError(f"{self.host} answered {answer.status} {tries} times. Nothing was written")
        return True

    def is_answer(self, answer: HttpAnswer) -> bool:  # noqa: ARG002  # for those that answer 500 to what was wrong
        """Whether a status of 5xx is a considered answer of the API and not the failure of a server."""
        return False

    def still_busy(self, answer: HttpAnswer) -> str:
        return (
            f"{self.host} still answers {answer.status} (wait) after {self.connection.wait_timeout} s (wait_timeout). "
            "Run again later"
        )

    def _after_loss(self, error: HttpError, write: bool, tries: int, waiting: Waiting) -> None:
        if write and not error.unsent:
            raise Uncertain(f"{error} (the write may have arrived)") from None
        if write or error.unsent or tries >= READS or not waiting.pause():
            raise ApplianceError(str(error)) from None


def json_of(answer: HttpAnswer) -> Any:
    """The JSON of an answer, None where it is none."""
    try:
        return json.loads(answer.text)
    except (ValueError, RecursionError):
        return None


def retry_after(answer: HttpAnswer) -> float:
    """Seconds of the header Retry-After (``1`` or ``1 seconds``); one second where it says none."""
    found = re.match(r"\s*([0-9]{1,5})", answer.headers.get("retry-after", ""))
    return float(found.group(1)) if found else 1.0


def settled(write: Callable[[], None], is_done: Callable[[], bool]) -> None:
    """Carry out a write. Where its answer got lost, look; where it did not arrive, write once more.

    A refusal that comes out of it is always one of the write, never of a look.
    """
    try:
        write()
    except Uncertain as lost:
        if _looked(is_done, lost):
            return
        try:
            write()
        except Uncertain as again:
            if not _looked(is_done, again):
                raise ApplianceError(
                    f"{lost}. Written again, and again no answer came ({again}); it was not done. Run again once the "
                    "appliance answers"
                ) from None


def _looked(is_done: Callable[[], bool], lost: Uncertain) -> bool:
    try:
        return is_done()
    except ApplianceError as error:
        raise ApplianceError(
            f"{lost}. To look whether it was done did not work either: {error}. So that is not known; run again, and "
            "the next run looks"
        ) from error
