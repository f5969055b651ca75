# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Both doors of ZIA: OneAPI with a token, and the older API with a session in a cookie.

Behind both is a session of the API that ends after some minutes (advanced setting, 5 by default), also where the
token is good for a day; what its admin had not activated is activated then.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia.refusals import Refused, bad_body
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Tenant

TOKEN_SECONDS = 83_999  # recorded
AUDIENCE = "https://api.zscaler.com"
ONEAPI, LEGACY = "/zia/api/v1", "/api/v1"


@dataclass(frozen=True)
class Credentials:
    """Of an API client, and of an admin with the organisation's API key."""

    client_id: str = "mmd-automation"
    client_secret: str = "s3cret-of-the-client"
    username: str = "automation@contoso.com"
    password: str = "s3cret-of-the-admin"
    api_key: str = "0aB1cD2eF3gH"


@dataclass
class Session:
    admin: str
    began: float
    used: float


class Doors:
    def __init__(self, credentials: Credentials, tenant: Tenant, clock: Callable[[], float], secure: bool) -> None:
        self.credentials, self.tenant, self.clock, self.secure = credentials, tenant, clock, secure
        self.session_seconds = 300.0
        self.says_blocked = False  # of a session that has ended; else that it is not valid. Both have been seen
        self._sessions: dict[str, Session] = {}
        self._ended: set[str] = set()

    # Who asks

    def admin_of(self, request: Request) -> str:
        """The name of the admin; Refused without a session that is good."""
        self.end_old()
        key = self._bearer(request) if request.path.startswith(ONEAPI) else self._cookie(request)
        session = self._sessions.get(key)
        if session is None:
            raise self._stranger(request, key)
        session.used = self.clock()
        return session.admin

    def end_old(self) -> None:
        now = self.clock()
        for key, session in list(self._sessions.items()):
            if now - session.used >= self.session_seconds or now - session.began >= TOKEN_SECONDS:
                self._end(key)

    def end_all(self) -> None:
        for key in list(self._sessions):
            self._end(key)

    def _end(self, key: str) -> None:
        self.tenant.session_ended(self._sessions.pop(key).admin)
        self._ended.add(key)

    def _stranger(self, request: Request, key: str) -> Refused:
        if request.path.startswith(ONEAPI) and key not in self._ended:
            return Refused(401, message="unauthorized")
        if self.says_blocked:
            return Refused(403, message="Resource Access Blocked")
        return Refused(401, "SESSION_NOT_VALID", "Session is not valid")

    def _bearer(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def _cookie(self, request: Request) -> str:
        found = re.search(r"JSESSIONID=([0-9A-F]+)", request.headers.get("cookie", ""))
        return found.group(1) if found else ""

    # OneAPI

    def token(self, request: Request) -> Answer:
        form = request.form
        if form.get("grant_type") != "client_credentials" or form.get("audience") != AUDIENCE:
            return json_answer({"error": "invalid_request"}, 400)  # unverified
        known = _same(form.get("client_id"), self.credentials.client_id)
        if not known or not _same(form.get("client_secret"), self.credentials.client_secret):
            return json_answer({"error": "invalid_client"}, 401)  # unverified
        token = self._begin(self.credentials.client_id)
        return json_answer({"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS})

    # The older API

    def session(self, request: Request) -> Answer:
        if request.method == "POST":
            return self._log_in(request)
        if request.method == "DELETE":
            return self._log_out(request)
        self.end_old()
        # "If authType is not present, the authenticated session has expired or it does not exist."
        return json_answer(_session_info() if self._cookie(request) in self._sessions else {"obfuscateApiKey": False})

    def _log_in(self, request: Request) -> Answer:
        try:
            given = {name: str(value) for name, value in request.json.items()}
        except (ValueError, AttributeError):
            raise bad_body() from None
        if not self._is_admin(given):
            raise Refused(400, "AUTHENTICATION_FAILED", "AUTHENTICATION_FAILED")
        cookie = f"JSESSIONID={self._begin(self.credentials.username)};Path=/;HttpOnly"
        return json_answer(_session_info(), Set_Cookie=cookie + (";Secure" if self.secure else ""))

    def _is_admin(self, given: dict[str, str]) -> bool:
        stamp = given.get("timestamp", "")
        if not re.fullmatch(r"[0-9]{13}", stamp):
            return False
        return (
            _same(given.get("username"), self.credentials.username)
            and _same(given.get("password"), self.credentials.password)
            and _same(given.get("apiKey"), obfuscated(self.credentials.api_key, stamp))
        )

    def _log_out(self, request: Request) -> Answer:
        """The answer is an activation status: what the admin had not activated is activated."""
        key = self._cookie(request)
        if key not in self._sessions:
            raise self._stranger(request, key)
        self._end(key)
        return json_answer({"status": self.tenant.status()})

    def _begin(self, admin: str) -> str:
        key = secrets.token_hex(16).upper()
        self._sessions[key] = Session(admin, self.clock(), self.clock())
        return key


def obfuscated(api_key: str, stamp: str) -> str:
    """The key as it is sent: twelve of its characters, picked by the digits of the time (help.zscaler.com)."""
    last = stamp[-6:]
    half = f"{int(last) >> 1:06}"
    return "".join([api_key[int(digit)] for digit in last] + [api_key[int(digit) + 2] for digit in half])


def _session_info() -> dict[str, Any]:
    return {"authType": "ADMIN_LOGIN", "obfuscateApiKey": True, "passwordExpiryTime": 0, "passwordExpiryDays": 0}


def _same(given: str | None, wanted: str) -> bool:
    return hmac.compare_digest((given or "").encode(), wanted.encode())
