# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A firewall or Panorama behind the XML API, as the vendor's API guide and the facts of others' clients describe it."""

from __future__ import annotations

import copy
import ssl
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos import checks, site
from ansible_collections.egress.allowlist.tests.emulators.panos.configuration import Configuration, Refused
from ansible_collections.egress.allowlist.tests.emulators.panos.jobs import Jobs
from ansible_collections.egress.allowlist.tests.emulators.panos.operations import Operations
from ansible_collections.egress.allowlist.tests.emulators.panos.tree import BadXpath, find, steps
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Emulator, Request

_XML = {"Content-Type": "application/xml; charset=UTF-8"}
_WRITES = ("set", "edit", "delete", "move", "multi-config")


def response(inner: str, status: str = "success", code: str = "") -> Answer:
    number = f' code="{code}"' if code else ""
    return Answer(200, f'<response status="{status}"{number}>{inner}</response>'.encode(), _XML)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


class PanosEmulator(Emulator):
    """*admins*: passwords by name. *panorama*: this is Panorama. *managed_by*: the Panorama that governs a firewall."""

    def __init__(
        self,
        admins: dict[str, str] | None = None,
        *,
        panorama: bool = False,
        managed_by: str = "",
        ha: str = "",
        version: str = "11.1.4",
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(tls, port=port)
        self.admins = dict(admins or {"egress": "example", "bob": "builder"})
        self.keys: dict[str, str] = {}  # administrators by key
        self.panorama, self.ha, self.version = panorama, ha, version
        self.configuration = Configuration(site.panorama() if panorama else site.firewall(managed_by))
        self.jobs = Jobs(self)
        self.operations = Operations(self)
        self.config_locks: dict[str, str] = {}
        self.commit_locks: dict[str, str] = {}
        self.commit_fails = ""  # what the next commits find, besides what is wrong
        self.pushed: dict[str, str] = {}  # what each firewall of Panorama runs
        self._keys_made = 0

    # For tests

    def state(self) -> Any:
        both = {"candidate": self.configuration.candidate, "running": self.configuration.running}
        texts = {name: tostring(root, encoding="unicode") for name, root in both.items()}
        return {**texts, "pushed": dict(self.pushed), "locks": dict(self.config_locks)}

    def expire_keys(self) -> None:
        self.keys.clear()

    def by_hand(self, admin: str, action: str, xpath: str, element: str = "", **where: str) -> None:
        """What somebody does in the web interface."""
        given = fromstring(f"<x>{element}</x>") if element else None
        self.configuration.act(admin, action, xpath, given, where)

    def changes(self, request: Request) -> bool:
        fields = self._fields(request)
        if fields.get("type") == "config":
            return fields.get("action") in _WRITES
        return fields.get("type") == "commit" or "<revert>" in fields.get("cmd", "") or "<add>" in fields.get("cmd", "")

    # The API

    @staticmethod
    def _fields(request: Request) -> dict[str, str]:
        return {**request.query, **(request.form if request.method == "POST" else {})}

    def answer(self, request: Request) -> Answer:
        if request.path.rstrip("/") != "/api" or request.method not in ("GET", "POST"):
            return Answer(404, b"<html>Not found</html>")
        fields = self._fields(request)
        if fields.get("type") == "keygen":
            return self._keygen(fields)
        admin = self.keys.get(request.headers.get("x-pan-key") or fields.get("key", ""))
        if admin is None:
            answer = response("<result><msg>Invalid Credential</msg></result>", "error", "403")
            return Answer(403, answer.body, _XML)
        try:
            return self._typed(admin, fields)
        except Refused as refused:
            lines = "".join(f"<line>{escaped(line)}</line>" for line in refused.text.split("\n"))
            return response(f"<msg>{lines}</msg>", "error", refused.code)
        except (ParseError, BadXpath) as error:
            return response(f"<msg><line>{escaped(str(error))}</line></msg>", "error", "17")

    def _keygen(self, fields: dict[str, str]) -> Answer:
        user = fields.get("user", "")
        if user not in self.admins or self.admins[user] != fields.get("password"):
            answer = response("<result><msg>Invalid Credential</msg></result>", "error", "403")
            return Answer(403, answer.body, _XML)
        self._keys_made += 1
        key = f"LUFRPT1{self._keys_made:04d}{user}=="
        self.keys[key] = user
        return response(f"<result><key>{key}</key></result>")

    def _typed(self, admin: str, fields: dict[str, str]) -> Answer:
        self.jobs.advance()
        kind = fields.get("type")
        if kind == "config":
            return self._config(admin, fields)
        if kind == "op":
            return self.operations.answer(admin, fields.get("cmd", ""))
        if kind == "commit":
            return self.jobs.begin(admin, fields)
        raise Refused("17", f"type {kind!r} is not valid")

    def _config(self, admin: str, fields: dict[str, str]) -> Answer:
        action = fields.get("action", "")
        if action in ("get", "show"):
            return self._read(action, fields.get("xpath", ""))
        if action not in _WRITES:
            raise Refused("17", f"action {action!r} is not valid")
        self.require_unlocked(admin, self.config_locks, "Configuration")
        if action == "multi-config":
            return self._multi(admin, fields)
        self._one(admin, action, fields.get("xpath", ""), fields.get("element", ""), fields)
        return response("<msg>command succeeded</msg>", code="20")

    def require_unlocked(self, admin: str, locks: dict[str, str], what: str) -> None:
        others = [name for name in locks if name != admin]
        if others:
            raise Refused("13", f"{what} is locked by {others[0]}")

    def _one(self, admin: str, action: str, xpath: str, element: str, where: dict[str, str]) -> None:
        given = fromstring(f"<x>{element}</x>") if element else None
        before = self.configuration.copy()
        try:
            self.configuration.act(admin, action, xpath, given, where)
        except Refused:
            self.configuration.candidate, self.configuration.pending = before
            raise

    def _read(self, action: str, xpath: str) -> Answer:
        path = steps(xpath)
        if action == "get":
            found = self.configuration.marked(path)
            if found is None:
                return response("<result/>", code="7")
            text = tostring(found, encoding="unicode")
            return response(f'<result total-count="1" count="1">{text}</result>', code="19")
        shown = find(self.configuration.running, path)
        if shown is None:
            return response("<msg><line>No such node</line></msg>", "error")
        return response(f"<result>{tostring(shown, encoding='unicode')}</result>")

    def _multi(self, admin: str, fields: dict[str, str]) -> Answer:
        strict = fields.get("strict-transactional") == "yes"
        if strict and self.jobs.under_way():
            raise Refused("13", "A commit is pending or in progress. Please try again later.")
        before = self.configuration.copy()
        if strict:
            self.configuration.revert(admin)
        answers, failed = [], False
        for action in fromstring(fields.get("element", "")):
            answers.append(self._action(admin, action))
            failed = 'status="error"' in answers[-1]
            if failed:
                break
        if failed:
            if strict:  # what the administrator had is gone all the same: the vendor undoes it first
                self.configuration.candidate, self.configuration.pending = before
                self.configuration.revert(admin)
            return response("".join(answers), "error", _code(answers[-1]))
        return response("".join(answers), code="20")

    def _action(self, admin: str, action: Element) -> str:
        number = action.get("id", "")
        inner = "".join(tostring(one, encoding="unicode") for one in action)
        try:
            self._one(admin, action.tag, action.get("xpath", ""), inner, dict(action.attrib))
        except Refused as refused:
            lines = "".join(f"<line>{escaped(line)}</line>" for line in refused.text.split("\n"))
            return f'<response status="error" code="{refused.code}" id="{number}"><msg>{lines}</msg></response>'
        return f'<response status="success" code="20" id="{number}"><msg>command succeeded</msg></response>'

    def problems(self, admin: str | None) -> list[str]:
        """Why a commit would fail, looked at on a copy."""
        trial = copy.deepcopy(self.configuration)
        trial.commit(admin)
        return [*([self.commit_fails] if self.commit_fails else []), *checks.at_commit(trial.running)]


def _code(answer: str) -> str:
    return fromstring(answer).get("code", "12")
