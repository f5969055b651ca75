# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The REST API of FortiOS: tables, transactions, feeds; its errors in words."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, Dict, List, Mapping, Optional, Tuple
from urllib.parse import quote

from ansible_collections.egress.allowlist.plugins.module_utils._api import GROWING, Api, Uncertain, json_of
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_shapes import odd_field
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, one_line, shown
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpAnswer

Row = Dict[str, Any]
_PAGE = 1000
_TRANSACTION_SECONDS = 60
_ERRORS = {
    -3: "it is not there", -5: "it exists already", -8: "a value is not valid", -15: "the name is not valid",
    -23: "it is still in use", -37: "the right is missing", -56: "a value is empty", -61: "a value is not valid",
    -651: "a value is not valid", -9998: "the object is locked by another transaction",
}  # fmt: skip


class FortiosRefusal(ApplianceError):  # noqa: N818  # what the appliance calls it
    def __init__(self, text: str, status: int, error: int) -> None:
        super().__init__(text)
        self.status = status
        self.error = error


class FortiosApi(Api):
    """The token goes into a header and nowhere else: in a URL it would be in logs."""

    def __init__(self, connection: Connection, token: str, vdom: str) -> None:
        super().__init__(connection)
        self._token = self.keep(token)
        self._vdom = vdom
        self._transaction = ""
        self.knows_transactions = True

    def login_headers(self) -> Mapping[str, str]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        return dict(headers, **({"X-TRANSACTION-ID": self._transaction} if self._transaction else {}))

    def pause_asked(self, answer: HttpAnswer) -> Optional[float]:
        """429 is a lock-out after failed logins here: to ask again would only make it longer."""
        if answer.status == 429:
            raise ApplianceError(
                f"{self.host} has locked this address out after failed logins (429). Check the token, and wait for as "
                "long as admin-lockout-duration says"
            )
        return GROWING if answer.status in (423, 424, 500) and _is_locked(answer) else None

    def is_answer(self, answer: HttpAnswer) -> bool:
        return answer.status == 500 and _error(answer) != 0

    def still_busy(self, answer: HttpAnswer) -> str:  # noqa: ARG002  # only a lock is waited for
        return (
            f"{self.host}: another transaction locks what is to be written, still after "
            f"{self.connection.wait_timeout} s (wait_timeout). Run again once it has ended"
        )

    # Reading

    def rows(self, path: str, **params: str) -> List[Row]:
        """A whole table, page by page; [] for one that this version does not have."""
        found: List[Row] = []
        while True:
            answer = self._asked("cmdb", path, start=str(len(found)), count=str(_PAGE), **params)
            if answer.status == 404:
                return found
            rows = self._results(answer, path)
            if isinstance(rows, dict):
                rows = [rows]  # a table of one row, such as system/central-management
            if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
                raise ApplianceError(f"{self.host}: expected a list of objects at {path}, got {shown(rows)}")
            odd = [(odd_field(row), row) for row in rows if odd_field(row)]
            if odd:
                raise ApplianceError(f"{self.host}: {path} has {odd[0][0]!r} in an unknown form: {shown(odd[0][1])}")
            if found and rows and rows[0] == found[0]:
                raise ApplianceError(f"{self.host} sends the same page of {path} again and again")
            found += rows
            if len(rows) != _PAGE:  # the last page; or all at once, by a version that knows no pages
                return found

    def monitor(self, path: str, **params: str) -> Tuple[Row, Any]:
        """The envelope and the results; both empty where this version does not have it."""
        answer = self._asked("monitor", path, **params)
        if answer.status == 404:
            return {}, None
        return self._envelope(answer, path), self._results(answer, path)

    def _asked(self, kind: str, path: str, **params: str) -> HttpAnswer:
        return self.call("GET", f"/api/v2/{kind}/{path}", params={"vdom": self._vdom, **params})

    def _envelope(self, answer: HttpAnswer, what: str, deed: str = "") -> Row:
        """What is around each answer. *deed*: what was asked for, where it is not reading."""
        found = json_of(answer)
        if not isinstance(found, dict):
            raise self._strange(answer, what)
        if answer.status != 200 or found.get("status") != "success":
            raise self._refusal(answer, deed or f"read {what}")
        return found

    def _results(self, answer: HttpAnswer, what: str) -> Any:
        return self._envelope(answer, what).get("results")

    def _strange(self, answer: HttpAnswer, what: str) -> ApplianceError:
        if answer.status in (401, 403):
            words = (
                f"{self.host} does not let this token in (status {answer.status}, {what}). Check access_token, "
                "the administrator's trusted hosts, the rights of its profile, and vdom"
            )
            return FortiosRefusal(words, answer.status, 0)
        return ApplianceError(f"{self.host}: expected JSON for {what}, got status {answer.status}: "
                              f"{shown(answer.text[:200])}")  # fmt: skip

    # Writing

    def write(self, method: str, path: str, body: Any = None, key: str = "", **params: str) -> Row:
        """One write to a table; *key* is the name or number of a row."""
        where = f"/api/v2/cmdb/{path}" + (f"/{quote(key, safe='')}" if key else "")
        raw = None if body is None else json.dumps(body).encode()
        answer = self.call(method, where, params={"vdom": self._vdom, **params}, body=raw, write=True)
        return self._written(answer, f"{method} {path} {key}".strip())

    def fill(self, feeds: Mapping[str, List[str]]) -> None:
        """The contents of all these feeds, in one request."""
        commands = [{"name": name, "command": "snapshot", "entries": lines} for name, lines in sorted(feeds.items())]
        body = json.dumps({"commands": commands}).encode()
        path = "system/external-resource/dynamic"
        answer = self.call("POST", f"/api/v2/monitor/{path}", params={"vdom": self._vdom}, body=body, write=True)
        self._written(answer, f"POST {path}")

    def begin(self) -> None:
        """A transaction for what follows, where this version has them for this administrator."""
        params = {"action": "transaction-start", "vdom": self._vdom}
        body = json.dumps({"timeout": _TRANSACTION_SECONDS}).encode()
        answer = self.call("POST", "/api/v2/cmdb", params=params, body=body)
        if answer.status in (400, 403, 404, 405, 501):
            self.knows_transactions = False
            return
        number = self._written(answer, "begin a transaction").get("results", {}).get("transaction-id")
        if not isinstance(number, int):
            raise ApplianceError(f"{self.host}: expected the number of a transaction, got {shown(number)}")
        self._transaction = str(number)

    def end(self, word: str) -> None:
        """``commit`` or ``abort``. Where the answer to a commit got lost it is aborted, since it may still be open."""
        if not self._transaction:
            return
        try:
            self._send_end(word)
        except Uncertain:
            if word == "commit":
                with contextlib.suppress(ApplianceError):
                    self._send_end("abort")
            raise
        finally:
            self._transaction = ""

    def _send_end(self, word: str) -> None:
        params = {"action": f"transaction-{word}", "vdom": self._vdom}
        answer = self.call("POST", "/api/v2/cmdb", params=params, write=True)
        self._written(answer, f"{word} the transaction")

    def _written(self, answer: HttpAnswer, what: str) -> Row:
        return self._envelope(answer, what, deed=what)

    def _refusal(self, answer: HttpAnswer, what: str) -> ApplianceError:
        if answer.status in (401, 403):
            return self._strange(answer, what)
        error = _error(answer)
        words = f" ({_ERRORS[error]})" if error in _ERRORS else ""
        number = f", error {error}{words}" if error else ""
        said = f": {_message(answer)}" if _message(answer) else ""
        text = f"{self.host} refused to {what}: status {answer.status}{number}{said}"
        return FortiosRefusal(text, answer.status, error)


def _field(answer: HttpAnswer, name: str) -> Any:
    found = json_of(answer)
    return found.get(name) if isinstance(found, dict) else None


def _error(answer: HttpAnswer) -> int:
    found = _field(answer, "error")
    return found if isinstance(found, int) else 0


def _message(answer: HttpAnswer) -> str:
    found = _field(answer, "cli_error")
    return one_line(found if isinstance(found, str) else shown(found)) if found else ""


def _is_locked(answer: HttpAnswer) -> bool:
    return _error(answer) == -9998 or re.search(r"\block(ed)?\b", _message(answer), re.IGNORECASE) is not None
