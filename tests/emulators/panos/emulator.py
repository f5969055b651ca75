# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A firewall or Panorama behind the XML API, as the vendor's API guide and the facts of others' clients describe it.

Where the guide is silent the answers follow the live tests of pan-python, recorded answers in the tests of pango (the
vendor's Go SDK) and reports of users; what neither of them tells is our guess: the codes of a locked configuration, of
an xpath that the schema does not know and of a rule that stands already where it is to be moved.
"""

from __future__ import annotations

import copy
import re
import ssl
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos import checks, site
from ansible_collections.egress.allowlist.tests.emulators.panos.answers import (
    Missing,
    Refused,
    answer,
    element,
    escaped,
    refusal,
    response,
)
from ansible_collections.egress.allowlist.tests.emulators.panos.configuration import Configuration
from ansible_collections.egress.allowlist.tests.emulators.panos.jobs import Jobs
from ansible_collections.egress.allowlist.tests.emulators.panos.locks import Locks
from ansible_collections.egress.allowlist.tests.emulators.panos.operations import Operations
from ansible_collections.egress.allowlist.tests.emulators.panos.traffic import Flow, Policy, Verdict
from ansible_collections.egress.allowlist.tests.emulators.panos.tree import BadXpath, find, steps
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Emulator, Request

_WRITES = ("set", "edit", "delete", "move", "multi-config")
_SUCCESS = "<msg>command succeeded</msg>"
_DEVICE = "devices/entry"
_UUID = re.compile(r' uuid="[^"]*"')


class PanosEmulator(Emulator):
    """*admins*: passwords by name. *panorama*: this is Panorama. *managed_by*: the Panorama that governs a firewall.

    *ha*: the state of this member of a pair. *readers*: administrators whose role lets them read only.
    """

    def __init__(
        self,
        admins: dict[str, str] | None = None,
        *,
        panorama: bool = False,
        managed_by: str = "",
        ha: str = "",
        version: str = "11.1.4",
        readers: tuple[str, ...] = ("auditor",),
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        super().__init__(tls, port=port)
        self.admins = dict(admins or {"egress": "example", "bob": "builder", "auditor": "looks"})
        self.readers = readers
        self.keys: dict[str, str] = {}  # administrators by key
        self.panorama, self.ha, self.version, self.managed_by = panorama, ha, version, managed_by
        self.configuration = Configuration(site.panorama() if panorama else site.firewall(managed_by))
        self.locks = {kind: Locks(kind) for kind in ("config", "commit")}
        self.jobs = Jobs(self)
        self.operations = Operations(self)
        self.commit_fails = ""  # what the next commits find, besides what is wrong
        self.push_fails: dict[str, str] = {}  # by firewall: why it does not take what Panorama gives it
        self.pushed: dict[str, str] = {}  # what each firewall of Panorama runs
        # From 10.2 on by default; without it a line that no slash closes matches longer names too.
        self.append_ending_token = False
        self._over: dict[str, str] = {}  # keys that are no longer good, and the code that tells it
        self._keys_made = 0

    # For tests

    def state(self) -> Any:
        both = {"candidate": self.configuration.candidate, "running": self.configuration.running}
        texts = {name: _UUID.sub("", tostring(root, encoding="unicode")) for name, root in both.items()}
        locks = {kind: dict(one.held) for kind, one in self.locks.items()}
        return {**texts, "pushed": dict(self.pushed), "locks": locks}

    def expire_keys(self, code: str = "403") -> None:
        """*code* 22: the session has timed out."""
        self._over.update(dict.fromkeys(self.keys, code))
        self.keys.clear()

    def by_hand(self, admin: str, action: str, xpath: str, inner: str = "", **where: str) -> None:
        """What somebody does in the web interface."""
        given = fromstring(f"<x>{inner}</x>") if inner else None
        self.configuration.act(admin, action, xpath, given, where)

    def group(self, name: str) -> Element | None:
        """A device group as Panorama has committed it."""
        groups = self.configuration.running.iterfind(f"{_DEVICE}/device-group/entry")
        return next((one for one in groups if one.get("name") == name), None)

    def verdict(self, flow: Flow, serial: str = "") -> Verdict:
        """What becomes of a request by what runs; with Panorama, on one of its firewalls."""
        running = self.configuration.running
        place = fromstring(self.pushed[serial]) if serial else running.find(f"{_DEVICE}/vsys/entry[@name='vsys1']")
        assert place is not None
        return Policy(place, running.find("shared"), self.append_ending_token).verdict(flow)

    def changes(self, request: Request) -> bool:
        fields = self._fields(request)
        if fields.get("type") == "config":
            return fields.get("action") in _WRITES
        return fields.get("type") == "commit" or any(
            word in fields.get("cmd", "") for word in ("<revert>", "<request>", "<load>")
        )

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
        key = request.headers.get("x-pan-key") or fields.get("key", "")
        if self._over.get(key) == "22":
            return response("<msg><line>Session timed out</line></msg>", "error", "22")
        admin = self.keys.get(key)
        return _forbidden("Invalid Credential") if admin is None else self._answered(admin, fields)

    def _answered(self, admin: str, fields: dict[str, str]) -> Answer:
        try:
            return self._typed(admin, fields)
        except Refused as refused:
            return answer(refusal(refused))
        except Missing as missing:
            return response(f"<msg>{missing}</msg>", code="7")
        except (ParseError, BadXpath) as error:
            return response(f"<msg><line>{escaped(str(error))}</line></msg>", "error", "18")

    def _keygen(self, fields: dict[str, str]) -> Answer:
        user = fields.get("user", "")
        if user not in self.admins or self.admins[user] != fields.get("password"):
            return _forbidden("Invalid Credential")
        self._keys_made += 1
        key = f"LUFRPT1{self._keys_made:04d}{user}=="
        self.keys[key] = user
        return response(f"<result><key>{key}</key></result>")

    def _typed(self, admin: str, fields: dict[str, str]) -> Answer:
        self.jobs.advance()
        kind, action = fields.get("type", ""), fields.get("action", "")
        if admin in self.readers and (kind == "commit" or action in _WRITES):
            return _forbidden(f"Type [{kind}] not authorized for user role.")
        if kind == "op":
            return self.operations.answer(admin, fields.get("cmd", ""))
        if kind == "commit":
            return self.jobs.begin(admin, fields)
        if kind == "config" and action in ("get", "show"):
            return self._read(action, fields.get("xpath", ""))
        if kind == "config" and action in _WRITES:
            return self._write(admin, action, fields)
        raise Refused("400", f"Unknown or missing parameter: type {kind!r}, action {action!r}")

    def require_unlocked(self, admin: str) -> None:
        others = self.locks["config"].others(admin)
        if others:
            raise Refused("14", f"Configuration is locked by {others[0]}")

    # Configuration

    def _read(self, action: str, xpath: str) -> Answer:
        path = steps(xpath)
        found = self.configuration.marked(path) if action == "get" else find(self.configuration.running, path)
        if found is None and action == "show":
            return response("<msg><line>No such node</line></msg>", "error")
        if found is None:
            return response("<result/>", code="7")
        text = tostring(found, encoding="unicode")
        if action == "show":
            return response(f"<result>{text}</result>")
        return response(f'<result total-count="1" count="1">{text}</result>', code="19")

    def _write(self, admin: str, action: str, fields: dict[str, str]) -> Answer:
        self.require_unlocked(admin)
        if action == "multi-config":
            return self._multi(admin, fields)
        self._one(admin, action, fields.get("xpath", ""), fields.get("element", ""), fields)
        return response(_SUCCESS, code="20")

    def _one(self, admin: str, action: str, xpath: str, inner: str, where: dict[str, str]) -> None:
        if action not in _WRITES[:-1]:
            raise Refused("17", f" {action} unexpected here")
        given = fromstring(f"<x>{inner}</x>") if inner else None
        self.configuration.act(admin, action, xpath, given, where)

    def _multi(self, admin: str, fields: dict[str, str]) -> Answer:
        """All or nothing. *strict*: what the administrator had not committed is undone first, and stays undone."""
        configuration, actions = self.configuration, fromstring(fields.get("element", ""))
        if fields.get("strict-transactional") == "yes":
            if self.jobs.under_way():
                raise Refused("13", "Another commit/validate is in progress. Please try again later")
            configuration.revert(admin)
        before = configuration.copy()
        answers = []
        for action in actions:
            answers.append(self._action(admin, action))
            if 'status="error"' in answers[-1][: len('<response status="error"')]:
                configuration.candidate, configuration.pending = before
                return response("".join(answers), "error", "13")
        return response("".join(answers), code="20")

    def _action(self, admin: str, action: Element) -> str:
        number = f' id="{escaped(action.get("id", ""))}"' if action.get("id") else ""
        inner = "".join(tostring(one, encoding="unicode") for one in action)
        try:
            self._one(admin, action.tag, action.get("xpath", ""), inner, dict(action.attrib))
        except Refused as refused:
            return refusal(refused, number)
        except Missing as missing:
            return element(f"<msg>{missing}</msg>", code="7", more=number)
        return element(_SUCCESS, code="20", more=number)

    def problems(self, admins: tuple[str, ...]) -> list[str]:
        """Why a commit would fail, looked at on a copy."""
        trial = copy.deepcopy(self.configuration)
        for admin in admins or (None,):
            trial.commit(admin)
        found = checks.at_commit(trial.running)
        return [*([self.commit_fails] if self.commit_fails else []), *(["Validation Error:", *found] if found else [])]


def _forbidden(text: str) -> Answer:
    return response(f"<result><msg>{text}</msg></result>", "error", "403", http=403)
