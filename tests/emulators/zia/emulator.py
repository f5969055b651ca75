# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zscaler Internet Access: its cloud service API on loopback, for one organisation.

Written from Zscaler's help pages and recorded exchanges, not from this collection's driver. What is added to the
configuration is saved, and in force only after an activation. ``reader.py`` says what the configuration in force does.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Emulator, Request, json_answer
from ansible_collections.egress.allowlist.tests.emulators.zia import documents
from ansible_collections.egress.allowlist.tests.emulators.zia.categories import MOST_URLS, Categories
from ansible_collections.egress.allowlist.tests.emulators.zia.doors import LEGACY, ONEAPI, Credentials, Doors
from ansible_collections.egress.allowlist.tests.emulators.zia.kinds import KINDS
from ansible_collections.egress.allowlist.tests.emulators.zia.limits import Budget, too_many
from ansible_collections.egress.allowlist.tests.emulators.zia.reader import Reader
from ansible_collections.egress.allowlist.tests.emulators.zia.refusals import Refused, bad_body
from ansible_collections.egress.allowlist.tests.emulators.zia.rows import Table
from ansible_collections.egress.allowlist.tests.emulators.zia.site import site
from ansible_collections.egress.allowlist.tests.emulators.zia.tenant import Tenant, comparable
from ansible_collections.egress.allowlist.tests.emulators.zia.url_lists import UrlList

WRITES = ("POST", "PUT", "DELETE")
NO_CHANGE = ("/urlLookup", "/urlCategories/review/domains", "/authenticatedSession")
LOCK_ANSWERS = {
    "lock": (409, "EDIT_LOCK_NOT_AVAILABLE", ""),
    "barrier": (412, "UNEXPECTED_ERROR", "Failed during enter Org barrier"),
    "blocked": (409, "", "Resource Access Blocked"),
}


class ZiaEmulator(Emulator):
    """*rate_limits*: count requests and answer 429 as documented. *lock_block*: seconds that a request waits for the
    edit lock before it is refused (30 in the cloud). *most_urls*: the quota. *ip_ranges*: categories take networks.
    *ipv6*: groups take IPv6, which no organisation's did when this was written."""

    def __init__(
        self,
        credentials: Credentials | None = None,
        *,
        rate_limits: bool = False,
        lock_block: float = 0.02,
        most_urls: int = MOST_URLS,
        ip_ranges: bool = True,
        ipv6: bool = False,
        with_site: bool = True,
        seed: int = 7,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(tls, port=port)
        self.credentials = credentials or Credentials()
        self.lock_block = lock_block
        self.read_only = False  # a scheduled upgrade: writes are refused
        self.tenant = site() if with_site else Tenant()
        self._ahead = 0.0
        self._budget = Budget(self.now) if rate_limits else None
        self._lock_free = threading.Event()
        self._lock_free.set()
        self._lock_answer, self._lock_reads, self._lock_times = "lock", False, -1
        self.doors = Doors(self.credentials, self.tenant, self.now, secure=tls is not None)
        shuffle = random.Random(seed)  # lists come back shuffled
        self.categories = Categories(self.tenant, shuffle, most_urls, ip_ranges)
        self.tables = {path: Table(kind, self.tenant, shuffle, ipv6) for path, kind in KINDS.items()}
        self.exempted = UrlList("exemptedUrls", self.tenant, shuffle)
        self.unscanned = UrlList("whitelistUrls", self.tenant, shuffle)

    # For tests

    def now(self) -> float:
        return time.monotonic() + self._ahead

    def pass_time(self, seconds: float) -> None:
        """Time goes by: sessions end, budgets come back."""
        self._ahead += seconds
        with self._lock:
            self.doors.end_old()

    def end_sessions(self) -> None:
        """Sessions are gone, as after a restart of the service; tokens look as good as before."""
        with self._lock:
            self.doors.end_all()

    def hold_edit_lock(self, *, answer: str = "lock", reads: bool = False, times: int = -1) -> None:
        """Somebody saves: requests wait and are refused, until *times* were or the lock is released."""
        self._lock_answer, self._lock_reads, self._lock_times = answer, reads, times
        self._lock_free.clear()

    def release_edit_lock(self) -> None:
        self._lock_free.set()

    def somebody_edits(self, edit: Callable[[Any], None] | None = None, admin: str = "colleague@contoso.com") -> None:
        """Another admin saves something (*edit* gets the saved configuration) and does not activate it."""
        with self._lock:
            if edit is not None:
                edit(self.tenant.saved)
            self.tenant.touched(admin)

    def by_hand(self, edit: Callable[[Any], None]) -> None:
        """Another admin changes something and activates it."""
        self.somebody_edits(edit)
        self.somebody_activates()

    def somebody_activates(self, admin: str = "colleague@contoso.com") -> None:
        with self._lock:
            self.tenant.activate(admin)

    def reader(self) -> Reader:
        """What the configuration in force does with traffic."""
        return Reader(self.tenant.in_force)

    # What the server asks

    def changes(self, request: Request) -> bool:
        """A logout activates what is pending; that it does so is seen in the state and not here."""
        path = request.path.removeprefix("/zia").removeprefix(LEGACY)
        return request.method in WRITES and path not in NO_CHANGE and not request.path.startswith("/oauth2")

    def state(self) -> Any:
        with self._lock:
            saved, in_force = comparable(self.tenant.saved), comparable(self.tenant.in_force)
            return {"saved": saved, "in force": in_force, "pending": self.tenant.pending}

    def answer(self, request: Request) -> Answer:
        try:
            answer = self._answer(request)
        except Refused as refused:
            answer = refused.answer()
        mode = "read-only" if self.read_only else "read-write"
        return Answer(answer.status, answer.body, {**answer.headers, "x-zscaler-mode": mode})

    def _answer(self, request: Request) -> Answer:
        if request.path == "/oauth2/v1/token" and request.method == "POST":
            return self.doors.token(request)
        base = next((base for base in (ONEAPI, LEGACY) if request.path.startswith(base + "/")), None)
        if base is None:
            return Answer(404)
        path = request.path[len(base) :]
        if path == "/authenticatedSession" and base == LEGACY:
            return self._over_budget(request, path) or self.doors.session(request)
        admin = self.doors.admin_of(request)
        refused = self._over_budget(request, path)
        if refused is not None:
            return refused
        self._check_gates(request)
        if (request.method, path) == ("POST", "/status/activate"):
            self.tenant.activate(admin)
            return json_answer({"status": self.tenant.status()})
        answer = self._carry_out(request, path)
        if self.changes(request) and answer.status < 300:
            self.tenant.touched(admin)
        return answer

    # Before anything is done

    def _over_budget(self, request: Request, path: str) -> Answer | None:
        over = self._budget.over(request.method, path) if self._budget else None
        return too_many(*over, legacy=not request.path.startswith(ONEAPI)) if over else None

    def _check_gates(self, request: Request) -> None:
        writes = request.method in WRITES
        if writes and self.read_only:
            raise Refused(403, "STATE_READONLY", "The API service is undergoing a scheduled upgrade and is read-only")
        json_type = request.headers.get("content-type", "").startswith("application/json")
        if writes and request.body and not json_type:
            raise Refused(415)
        if (self.changes(request) or self._lock_reads) and not self._lock_free.wait(self.lock_block):
            self._lock_times -= 1
            if self._lock_times == 0:
                self._lock_free.set()
            raise Refused(*LOCK_ANSWERS[self._lock_answer])

    # What is done

    def _carry_out(self, request: Request, path: str) -> Answer:
        fixed = self._fixed(request, path)
        if fixed is not None:
            return fixed
        table, _slash, wanted = path[1:].partition("/")
        if table == "urlCategories":
            return self._category(request, wanted)
        if table in self.tables:
            return self._row(request, self.tables[table], wanted)
        return Answer(404)

    def _fixed(self, request: Request, path: str) -> Answer | None:
        """Paths without a number in them."""
        asked = (request.method, path)
        if asked == ("GET", "/status"):
            return json_answer({"status": self.tenant.status()})
        if path == "/authSettings/exemptedUrls":
            return self.exempted.answer(request)
        if path == "/security":
            return self.unscanned.answer(request)
        if asked == ("POST", "/urlLookup"):
            return json_answer([documents.looked_up(url, self.reader()) for url in _body(request)])
        if request.method == "GET" and path in documents.FIXED:
            return json_answer(documents.FIXED[path])
        return None

    def _category(self, request: Request, wanted: str) -> Answer:
        asked, action = (request.method, wanted), request.query.get("action", "")
        if asked == ("GET", ""):
            return json_answer(self.categories.all(request.query))
        if asked == ("GET", "lite"):
            return json_answer(self.categories.lite())
        if asked == ("GET", "urlQuota"):
            return json_answer(self.categories.quota())
        if asked == ("POST", ""):
            return json_answer(self.categories.add(_body(request)))
        if request.method == "PUT" and wanted and action:
            return json_answer(self.categories.change(wanted, _body(request), action))
        return self._one(request, self.categories, wanted)

    def _row(self, request: Request, table: Table, wanted: str) -> Answer:
        if request.method == "GET" and wanted in ("", "lite"):
            rows = table.all(request.query)
            return json_answer([documents.lite(table.kind, row) for row in rows] if wanted else rows)
        if request.method in WRITES and not table.kind.writable:
            return Answer(405)
        if request.method == "POST" and not wanted:
            return json_answer(table.add(_body(request)))
        return self._one(request, table, wanted)

    def _one(self, request: Request, table: Table | Categories, wanted: str) -> Answer:
        if not wanted:
            return Answer(405)
        if request.method == "GET":
            row = table.one(wanted)
            return json_answer(table.shown(row, "GET") if isinstance(table, Table) else table.shown(row))
        if request.method == "PUT":
            return json_answer(table.replace(wanted, _body(request)))
        if request.method == "DELETE":
            table.remove(wanted)
            return Answer(204)
        return Answer(405)


def _body(request: Request) -> Any:
    try:
        return request.json
    except ValueError:
        raise bad_body() from None
