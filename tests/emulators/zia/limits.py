# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often ZIA lets itself be asked (help.zscaler.com/oneapi/understanding-rate-limiting, API Rate Limit Summary)."""

from __future__ import annotations

import re
from collections.abc import Callable

from ansible_collections.egress.allowlist.tests.emulators.server import Answer, json_answer

SECOND, MINUTE, HOUR = 1, 60, 3600
WORDS = {SECOND: "SECOND", MINUTE: "MINUTE", HOUR: "HOUR"}
LIGHT = ((2, SECOND), (1000, HOUR))
MEDIUM = ((1, SECOND), (400, HOUR))
HEAVY = ((1, MINUTE), (4, HOUR))
WEIGHTS = {"GET": LIGHT, "POST": MEDIUM, "PUT": MEDIUM, "DELETE": HEAVY}
OTHERS = {
    ("POST", "/status/activate"): ((10, MINUTE), (40, HOUR)),
    ("POST", "/authenticatedSession"): LIGHT,
    ("DELETE", "/authenticatedSession"): LIGHT,
}


class Budget:
    """Counts the requests of each endpoint and method."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._times: dict[tuple[str, str], list[float]] = {}

    def over(self, method: str, endpoint: str) -> tuple[int, int, float] | None:
        """The limit that this request exceeds (number, seconds) and when it may come again; None where it may."""
        key = (method, re.sub(r"/(CUSTOM_)?[0-9]+(?=/|$)", "/{id}", endpoint))
        times, now = self._times.setdefault(key, []), self.clock()
        for number, seconds in OTHERS.get(key, WEIGHTS.get(method, LIGHT)):
            recent = [time for time in times if now - time < seconds]
            if len(recent) >= number:
                return number, seconds, recent[-number] + seconds - now
        times.append(now)
        return None


def too_many(number: int, seconds: int, wait: float, legacy: bool) -> Answer:
    """The header of the older door has a word in it, and less than it means (Zscaler's Python SDK)."""
    pause = max(1, round(wait + 0.5))
    body = {"message": f"Rate Limit ({number}/{WORDS[seconds]}) exceeded", "Retry-After": f"{pause} seconds"}
    header = f"{pause if pause > 1 else 0} seconds" if legacy else str(pause)
    return json_answer(body, 429, Retry_After=header)
