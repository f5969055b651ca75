# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A FortiGate behind its REST API: tables, transactions, feeds that are pushed, and its envelopes."""

from __future__ import annotations

import copy
import ssl
from typing import Any

from ansible_collections.egress.allowlist.tests.emulators.fortios.query import QueryError, filtered, page
from ansible_collections.egress.allowlist.tests.emulators.fortios.store import Refused, Store
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Emulator, Request, json_answer

SERIAL = "FG100FTK00000001"
VDOMS = ("root", "dmz")  # that the token may enter; both show the same tables here


class FortiosEmulator(Emulator):
    """*token*: of the administrator. *managed_by*: a FortiManager. *secondary*: not the primary unit of its cluster."""

    def __init__(
        self,
        token: str = "tokenOfTheApiAdministrator",
        *,
        version: str = "7.4.4",
        managed_by: str = "",
        secondary: bool = False,
        transactions: bool = True,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(tls, port=port)
        self.token, self.version, self.secondary, self.transactions = token, version, secondary, transactions
        self.store = Store()
        if managed_by:
            self.store.tables["system/central-management"] = [{"type": "fortimanager", "fmg": f'"{managed_by}"'}]
        self._open: Store | None = None  # the configuration of an open transaction
        self._number = 0
        self.locked_out = False

    # For tests

    def state(self) -> Any:
        """Numbers that the appliance gives differ from run to run, so policies are told by their names."""
        return self.store.comparable()

    def by_hand(self, table: str, name: str, **fields: Any) -> None:
        """Somebody changes a row in the web interface; None takes a row away."""
        rows = self.store.tables[table]
        row = next(row for row in rows if row.get("name") == name)
        if fields:
            row.update(fields)
        else:
            rows.remove(row)

    def end_transactions(self) -> None:
        """Time goes by: an open transaction is discarded."""
        self._open = None

    def changes(self, request: Request) -> bool:
        return request.method in ("POST", "PUT", "DELETE")

    # The API

    def answer(self, request: Request) -> Answer:
        if self.locked_out:
            return Answer(429, b"<html>Too many requests</html>")
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, b"<html><head><title>401 Unauthorized</title></head></html>")
        if request.query.get("vdom", VDOMS[0]) not in VDOMS:
            return self._envelope(request, 403, error=-37)
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["api", "v2"] or len(parts) < 3:
            return Answer(404, b"<html>Not found</html>")
        try:
            if parts[2] == "monitor":
                return self._monitor(request, "/".join(parts[3:]))
            return self._cmdb(request, parts[3:])
        except Refused as refused:
            return self._envelope(request, refused.status, error=refused.error, cli_error=refused.text)

    def _envelope(self, request: Request, status: int = 200, **more: Any) -> Answer:
        told = {name: value for name, value in more.items() if value != ""}
        body = {
            "http_method": request.method, "revision": self.store.revision, "vdom": request.query.get("vdom", "root"),
            "status": "success" if status == 200 else "error", "http_status": status, "serial": SERIAL,
            "version": f"v{self.version}", "build": 2662, **told,
        }  # fmt: skip
        return json_answer(body, status)

    # Monitor

    def _monitor(self, request: Request, path: str) -> Answer:
        if path == "system/status":
            return self._envelope(request, results={"hostname": "fgt1", "model_name": "FortiGate"})
        if path == "system/ha-checksums":
            units = [{"serial_no": SERIAL, "is_root_primary": 0 if self.secondary else 1}]
            return self._envelope(request, results=units if self.secondary else [])
        if path == "system/external-resource/entry-list" and request.method == "GET":
            entries = self.store.entries(request.query.get("mkey", ""))
            told = {"status": "success", "resource_file_status": "download_finished", "entries": entries}
            return self._envelope(request, results=told)
        if path == "system/external-resource/dynamic" and request.method == "POST" and self._pushes:
            self.store.push(request.json)
            return self._envelope(request, results={})
        raise Refused(404, 0)

    @property
    def _pushes(self) -> bool:
        return tuple(int(part) for part in self.version.split(".")) >= (7, 2, 1)

    # Tables

    def _cmdb(self, request: Request, parts: list[str]) -> Answer:
        action = request.query.get("action", "")
        if action.startswith("transaction-"):
            return self._transaction(request, action[len("transaction-") :])
        inside = "x-transaction-id" in request.headers
        if inside and (self._open is None or request.headers["x-transaction-id"] != str(self._number)):
            raise Refused(424, -1, "transaction is not open")
        if request.method != "GET" and not inside and self._open is not None:
            raise Refused(500, -9998, "object is locked by a transaction")
        store = self._open if inside and self._open is not None else self.store
        path, key = "/".join(parts[:2]), "/".join(parts[2:])
        if request.method == "GET":
            return self._read(request, store, path, key)
        before = store.revision
        if request.method == "PUT" and action == "move":
            store.move(path, key, request.query)
            return self._envelope(request, revision_changed=store.revision != before)
        mkey = store.write(request.method, path, key, request.json if request.body else {})
        return self._envelope(request, mkey=mkey, revision_changed=store.revision != before)

    def _read(self, request: Request, store: Store, path: str, key: str) -> Answer:
        rows = store.read(path, key)
        try:
            found = filtered(rows, [value for name, value in request.pairs if name == "filter"])
        except QueryError as error:
            raise Refused(400, -1, f"filter {error}") from error
        shown: Any = found[0] if store.is_single(path) else page(found, request.query)
        return self._envelope(request, results=shown, matched_count=len(found), size=len(rows))

    def _transaction(self, request: Request, word: str) -> Answer:
        if not self.transactions:
            raise Refused(405, 0)
        if word == "start":
            if self._open is not None:
                raise Refused(500, -9998, "object is locked by a transaction")
            self._number += 1
            self._open = copy.deepcopy(self.store)
            return self._envelope(request, results={"transaction-id": self._number}, action="transaction-start")
        if self._open is None or request.headers.get("x-transaction-id") != str(self._number):
            raise Refused(424, -1, "transaction is not open")
        if word == "commit":
            feeds = self.store.feeds
            self.store, self.store.feeds = self._open, feeds
        self._open = None
        return self._envelope(request, action=f"transaction-{word}")
