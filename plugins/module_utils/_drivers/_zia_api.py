# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cloud service API of Zscaler ZIA, by OneAPI or with a session of the older API; its refusals in words."""

from __future__ import annotations

import json
import re
import time
from typing import Any, Dict, List, Mapping, Optional
from urllib.parse import urlencode

from ansible_collections.egress.allowlist.plugins.module_utils._api import (
    GROWING,
    Api,
    Uncertain,
    Waiting,
    json_of,
    retry_after,
    settled,
)
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_options import Login
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, one_line, shown
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpAnswer

_JSON = {"Content-Type": "application/json"}
_AUDIENCE = "https://api.zscaler.com"
_DEEPEST_JSON = 50
_PAGE = 1000


class ZiaRefusal(ApplianceError):  # noqa: N818  # what the service calls it
    def __init__(self, text: str, status: int, code: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


class ZiaApi(Api):
    def __init__(self, connection: Connection, login: Login) -> None:
        super().__init__(connection)
        self._login = login
        for secret in (login.client_secret, login.password, login.api_key):
            self.keep(secret or "")
        self._token = ""
        self._has_session = False
        self._logins = 0
        self._prefix = "/api/v1" if login.legacy else "/zia/api/v1"

    # Who asks

    def login_headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def log_in(self) -> None:
        if self._token or self._has_session:
            return
        self._logins += 1
        if self._login.legacy:
            self._begin_session()
        else:
            self._fetch_token()

    def _fetch_token(self) -> None:
        login = self._login
        form = {"grant_type": "client_credentials", "client_id": login.client_id, "client_secret": login.client_secret,
                "audience": _AUDIENCE}  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._session.request(
            "POST", f"{login.identity}/oauth2/v1/token", headers=headers, body=urlencode(form).encode()
        )
        if answer.status != 200:
            raise ApplianceError(
                f"{login.identity} gives the client {login.client_id} no token (status {answer.status}). Check "
                "client_id, client_secret and vanity_domain, and that the client has a role for ZIA"
            )
        token = parsed(answer, self.host, dict).get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise ApplianceError(f"{login.identity}: expected an access token, got none")
        self._token = self.keep(token)

    def _begin_session(self) -> None:
        login, stamp = self._login, str(int(time.time() * 1000))
        body = {"username": login.username, "password": login.password, "timestamp": stamp,
                "apiKey": self.keep(obfuscated(login.api_key, stamp))}  # fmt: skip
        answer = self.call("POST", f"{self._prefix}/authenticatedSession", headers=_JSON, body=_bytes(body))
        if answer.status != 200:
            raise ApplianceError(
                f"{self.host} does not let {login.username} in (status {answer.status}, {_code(answer) or 'no code'}). "
                "Check username, password, api_key and cloud"
            )
        self._has_session = True

    def logged_out(self, answer: HttpAnswer) -> bool:
        ended = answer.status == 401 or (answer.status == 403 and "Resource Access Blocked" in _message(answer))
        if not ended or self._logins > 1 or not (self._token or self._has_session):
            return False
        self._token, self._has_session = "", False
        self.log_in()
        return True

    def log_out(self) -> None:
        """End a session of the older API. What its administrator had not activated is activated by that."""
        if self._has_session:
            try:
                self.call("DELETE", f"{self._prefix}/authenticatedSession")
            except ApplianceError:
                return  # it ends by itself
            finally:
                self._has_session = False

    # Waiting

    def pause_asked(self, answer: HttpAnswer) -> Optional[float]:
        if answer.status == 429:
            return max(1.0, _seconds_asked(answer))
        return GROWING if _is_locked(answer) else None

    def still_busy(self, answer: HttpAnswer) -> str:
        if answer.status == 429:
            return super().still_busy(answer)
        return (
            f"{self.host}: another administrator holds the organisation's edit lock, still after "
            f"{self.connection.wait_timeout} s (wait_timeout). Run again once that one has saved"
        )

    # Reading

    def get(self, path: str, kind: type, **params: str) -> Any:
        self.log_in()
        answer = self.call("GET", self._prefix + path, params=params)
        if answer.status != 200:
            raise self._refusal(answer, f"read {path}")
        return parsed(answer, f"{self.host}{path}", kind)

    def rows(self, path: str) -> List[Dict[str, Any]]:
        """A whole list, page by page; a tenant that does not have the feature has none."""
        found: List[Dict[str, Any]] = []
        page = 1
        while True:
            rows = self.get(path, list, page=str(page), pageSize=str(_PAGE))
            if any(not isinstance(row, dict) or isinstance(row.get("id"), (dict, list)) for row in rows):
                raise ApplianceError(f"{self.host}{path}: expected a list of objects, got {shown(rows)}")
            known = {row.get("id") for row in found}
            new = [row for row in rows if row.get("id") not in known]
            found += new
            # Lists that are not paged answer the same for each page.
            if len(rows) < _PAGE or not new:
                return found
            page += 1

    # Writing

    def write(self, method: str, path: str, body: Any = None, **params: str) -> None:
        self.log_in()
        raw = None if body is None else _bytes(body)
        answer = self.call(method, self._prefix + path, params=params, headers=_JSON, body=raw, write=True)
        if answer.status not in (200, 201, 204):
            raise self._refusal(answer, f"{method} {path}")
        # What is no JSON is the answer of something on the way to the service.
        if answer.status != 204 and method != "DELETE" and not isinstance(json_of(answer), (dict, list)):
            raise Uncertain(f"{self.host}{path}: expected what was written, got {shown(answer.text[:200])}")

    def status(self) -> str:
        """``ACTIVE``, ``PENDING`` or ``INPROGRESS``."""
        told = self.get("/status", dict).get("status")
        if told not in ("ACTIVE", "PENDING", "INPROGRESS"):
            raise ApplianceError(f"{self.host}: expected ACTIVE, PENDING or INPROGRESS, got {shown(told)}")
        return str(told)

    def activate(self) -> None:
        """Put in force what is saved. To do it twice is the same as once."""
        settled(lambda: self.write("POST", "/status/activate"), lambda: self.status() != "PENDING")

    def wait_until_active(self) -> None:
        waiting = Waiting(self.connection.wait_timeout)
        while True:
            try:
                told = self.status()
            except ApplianceError as error:
                raise ApplianceError(
                    f"{error}. Everything is saved and its activation was begun; whether it is in force is not known. "
                    "Run again to see it"
                ) from error
            if told == "ACTIVE":
                return
            if not waiting.pause():
                raise ApplianceError(
                    f"{self.host}: everything is saved, and the activation is still {told} after "
                    f"{self.connection.wait_timeout} s (wait_timeout). Another administrator is editing and has not "
                    "activated; it comes into force when that one does"
                )

    def _refusal(self, answer: HttpAnswer, what: str) -> ZiaRefusal:
        code, message = _code(answer), _message(answer)
        said = ", ".join(filter(None, (f"status {answer.status}", code, message)))
        hint = ""
        if answer.headers.get("x-zscaler-mode") == "read-only" or code == "STATE_READONLY":
            hint = ". ZIA is in maintenance and takes no writes; run again when that is over"
        elif answer.status in (401, 403) and code != "LIMIT_EXCEEDED":
            hint = ". The administrator or API client may not do that, or the tenant does not have the feature"
        elif code == "RESOURCE_IN_USE":
            hint = ". A rule of the site uses it: take it out of that rule first"
        return ZiaRefusal(f"{self.host} refused to {what}: {said}{hint}", answer.status, code)


def obfuscated(api_key: str, stamp: str) -> str:
    """The API key as the service wants it, picked apart by the digits of the time in milliseconds."""
    last = stamp[-6:]
    half = str(int(last) >> 1).zfill(6)
    if len(api_key) < 12:
        raise ApplianceError("api_key: expected the organisation's API key, which has 12 characters")
    return "".join(api_key[int(digit)] for digit in last) + "".join(api_key[int(digit) + 2] for digit in half)


def parsed(answer: HttpAnswer, what: str, kind: type) -> Any:
    """The JSON of an answer, of the kind that is expected; never taken for empty when it is not understood."""
    found = json_of(answer)
    if found is None:
        raise ApplianceError(f"{what}: expected JSON, got {shown(answer.text[:200])}")
    if not isinstance(found, kind):
        expected = "a list" if kind is list else "an object"
        raise ApplianceError(f"{what}: expected {expected}, got {shown(answer.text[:200])}")
    return found


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _field(answer: HttpAnswer, name: str) -> str:
    found = json_of(answer)
    text = found.get(name) if isinstance(found, dict) else None
    return one_line(shown(text)[1:-1] if not isinstance(text, str) else text) if text is not None else ""


def _code(answer: HttpAnswer) -> str:
    return _field(answer, "code")


def _message(answer: HttpAnswer) -> str:
    return _field(answer, "message")


def _seconds_in(answer: HttpAnswer) -> float:
    """The body says how long where the header does not ("0 seconds")."""
    found = re.match(r"\s*([0-9]{1,5})", _field(answer, "Retry-After"))
    return float(found.group(1)) if found else 0.0


def _seconds_asked(answer: HttpAnswer) -> float:
    """Retry-After, in header and body; where neither is there, when OneAPI's gateway begins to count anew."""
    said = _seconds_in(answer)
    if said or "retry-after" in answer.headers:
        return max(retry_after(answer), said)
    found = re.fullmatch(r"[0-9]{1,5}", answer.headers.get("x-ratelimit-reset", ""))
    return float(found.group()) if found else 0.0


def _is_locked(answer: HttpAnswer) -> bool:
    if answer.status == 409:
        return _code(answer) == "EDIT_LOCK_NOT_AVAILABLE" or "Resource Access Blocked" in _message(answer)
    return answer.status == 412 and "Org barrier" in _message(answer)
