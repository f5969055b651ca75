# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three methods of Microsoft's endpoint web service, and what each status of it means.

Source of the rules: Microsoft, "Office 365 IP Address and URL web service"
(https://learn.microsoft.com/microsoft-365/enterprise/microsoft-365-ip-web-service).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpAnswer, HttpError, HttpSession
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import AREAS, INSTANCES

MICROSOFT = "https://endpoints.office.com"
HOUR = 3600  # how long Microsoft asks a client to wait after 429
LONGEST_WAIT = 24 * HOUR  # what is told beyond that is a slip, and would end in a list that nobody renews
_ATTEMPTS = 3
_PAUSES = (0.5, 2.0)
# A wait that is this short is worth it; for a longer one the answer of last time does.
_SHORT_WAIT = 10


class ThrottledError(AllowlistError):
    """The service asked for a pause of *seconds*."""

    def __init__(self, seconds: float, text: str) -> None:
        super().__init__(text)
        self.seconds = seconds


class Client:
    """Asks one service for one instance, over one connection."""

    def __init__(
        self,
        session: HttpSession,
        url: str,
        client_id: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session = session
        self._url = url
        self._id = client_id
        self._sleep = sleep

    def version(self, instance: str) -> str:
        return self._text(f"version/{INSTANCES[instance]}", {"AllVersions": "true"})

    def endpoints(self, instance: str, tenant: str | None) -> str:
        """All areas at once; without MEM among them the service leaves out the rows of Intune."""
        asked = {"ServiceAreas": ",".join(AREAS), **({"TenantName": tenant} if tenant else {})}
        return self._text(f"endpoints/{INSTANCES[instance]}", asked)

    def changes(self, instance: str, since: str = "0" * 10) -> str:
        return self._text(f"changes/{INSTANCES[instance]}/{since}", {})

    def _text(self, method: str, params: dict[str, str]) -> str:
        answer = self._answer(method, params)
        if answer.status == 429 and _wait_of(answer) <= _SHORT_WAIT:
            self._sleep(_wait_of(answer))
            answer = self._answer(method, params)
        if answer.status == 200:
            return answer.text
        raise _refused(f"{self._url}/{method}", answer)

    def _answer(self, method: str, params: dict[str, str]) -> HttpAnswer:
        """Again where the connection broke: some addresses get a reset where others get 429."""
        asked = {**params, "ClientRequestId": self._id}
        for attempt in range(_ATTEMPTS):
            try:
                return self._session.get(f"{self._url}/{method}", asked)
            except HttpError as error:
                # Whoever is silent once is silent again, and each time costs the whole time-out.
                if attempt == _ATTEMPTS - 1 or error.kind not in ("reset", "cut short"):
                    raise
                self._sleep(_PAUSES[attempt])
        raise AllowlistError("unreachable")


def _wait_of(answer: HttpAnswer) -> float:
    text = answer.headers.get("retry-after", "").strip()
    return min(int(text[:9]), LONGEST_WAIT) if text.isascii() and text.isdigit() else HOUR


def _refused(url: str, answer: HttpAnswer) -> AllowlistError:
    said = " ".join(answer.text.split())
    words = f": {shown(said)}" if said and not said.startswith("<") else ""
    if answer.status == 429:
        wait = _wait_of(answer)
        minutes = f"{wait / 60:.0f} minutes"
        return ThrottledError(wait, f"{url} was asked too often (429), and wants to be left alone for {minutes}")
    if 300 <= answer.status < 400:
        to = shown(answer.headers.get("location", "nowhere"))
        return AllowlistError(f"{url} answered with a redirect ({answer.status}) to {to}, as a captive portal does")
    if answer.status == 407:
        return AllowlistError(f"the proxy of this machine wants a login (407) before it leads to {url}")
    return AllowlistError(f"{url} answered with status {answer.status}{words}")
