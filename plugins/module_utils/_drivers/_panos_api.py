# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML API of PAN-OS: requests, their codes in words, jobs and commits.

Error codes: "PAN-OS XML API Error Codes" of the vendor's API guide.
"""

from __future__ import annotations

import re
from typing import Dict, List, Mapping, Optional
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.plugins.module_utils._api import Api, Uncertain, Waiting
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_xml import parsed, plain, text_of
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, one_line, shown
from ansible_collections.egress.allowlist.plugins.module_utils._http import HttpAnswer

_LOGIN = "log in"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NOT_PRESENT = "7"
_CODES = {
    "1": "the operational command is unknown to this version", "6": "the xpath does not exist",
    NOT_PRESENT: "the object is not present",
    "10": "it is still in use", "12": "an object is not valid", "13": "an object that is named does not exist",
    "14": "the operation is not possible", "15": "it is denied", "16": "this administrator's role lacks the right",
    "17": "the command is not valid", "18": "the command is not well formed", "22": "the session has ended",
}  # fmt: skip
_BUSY = ("commit is in progress", "commit in progress", "commit is pending", "pending commit", "other commit",
         "locked by", "config is locked", "configuration is locked", "commit is currently", "please try again",
         "is not ready", "lock for", "held by", "are holding")  # fmt: skip
_TIMED_OUT = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<response[^>]*\scode=[\"']22[\"']")


class PanosRefusal(ApplianceError):  # noqa: N818  # what the appliance calls it
    """An answer of status error; *code* is its number, "" if it has none."""

    def __init__(self, text: str, code: str, busy: bool) -> None:
        super().__init__(text)
        self.code = code
        self.busy = busy


class JobFailed(ApplianceError):  # noqa: N818  # what the appliance calls it
    """A commit that has ended and changed nothing, or a push that not every firewall has taken."""


class JobUnfinished(ApplianceError):  # noqa: N818  # it goes on, and may end well
    """A commit or push of which nobody knows how it ends: no time is left to wait for it, or nobody answers."""


class PanosApi(Api):
    """One firewall or Panorama. *key*, or else *username* and *password* for one that is asked for."""

    def __init__(self, connection: Connection, key: str, username: str, password: str) -> None:
        super().__init__(connection)
        self._key = self.keep(key)
        self._login = (username, self.keep(password))
        self._logins = 0

    def login_headers(self) -> Mapping[str, str]:
        return dict(_FORM, **({"X-PAN-KEY": self._key} if self._key else {}))

    def logged_out(self, answer: HttpAnswer) -> bool:
        """A key that has expired is asked for again, once."""
        ended = answer.status in (401, 403) or _TIMED_OUT.match(answer.text)
        if not ended or not self._login[1] or self._logins > 1 or not self._key:
            return False
        self._key = ""
        self.login()
        return True

    def login(self) -> None:
        if self._key:
            return
        self._logins += 1
        user, secret = self._login
        root = self._ask({"type": "keygen", "user": user, "password": secret}, _LOGIN)
        self._key = self.keep(text_of(root, "result/key"))
        if not self._key:
            raise ApplianceError(f"{self.host}: expected an API key for {user}, got none")

    # Reading

    def op(self, command: str) -> Element:
        """The result of an operational command that only reads."""
        return _result(self._ask({"type": "op", "cmd": command}, command), command)

    def get(self, xpath: str, running: bool = False) -> Optional[Element]:
        """What is at an xpath in the candidate or the running configuration, None for nothing."""
        try:
            action = "show" if running else "get"
            root = self._ask({"type": "config", "action": action, "xpath": xpath}, f"read {xpath}")
        except PanosRefusal as error:
            if error.code == NOT_PRESENT or "no such node" in str(error).lower():
                return None
            raise
        result = root.find("result")
        if result is None:
            if root.get("code") == NOT_PRESENT:
                return None
            raise ApplianceError(f"{self.host}: expected a result for {xpath}, got {shown(plain(root)[:200])}")
        found = list(result)
        if len(found) > 1:
            raise ApplianceError(f"{self.host}: expected one element at {xpath}, got {len(found)}")
        if not found and (result.text or "").strip():
            raise ApplianceError(f"{self.host}: expected an element at {xpath}, got {shown((result.text or '')[:200])}")
        return found[0] if found else None

    # Writing

    def multi_config(self, actions: str) -> None:
        """All of the actions or none. The vendor: first this administrator's own uncommitted changes are undone."""
        body = {"type": "config", "action": "multi-config", "element": f"<multi-config>{actions}</multi-config>"}
        root = self._patiently({**body, "strict-transactional": "yes"}, "write")
        failed = [one for one in root.iter("response") if one.get("status") != "success"]
        if failed:
            raise self._refusal(failed[-1], "write")

    def commit(self, admin: str, description: str) -> None:
        """Put in force what this administrator changed, or what all did where none is named."""
        inner = f"<description>{_text(description)}</description>" if description else ""
        fields = {"type": "commit"}
        if admin:
            fields["action"] = "partial"
            inner = f"<partial><admin><member>{_text(admin)}</member></admin></partial>{inner}"
        root = self._patiently({**fields, "cmd": f"<commit>{inner}</commit>"}, "commit")
        self._finish(root, "commit")

    def push(self, device_group: str) -> None:
        """Give the firewalls of a device group what Panorama has committed."""
        group = f'<device-group><entry name="{_text(device_group)}"/></device-group>'
        command = f"<commit-all><shared-policy>{group}</shared-policy></commit-all>"
        self._finish(self._patiently({"type": "commit", "action": "all", "cmd": command}, "push"), "push")

    def commits_under_way(self) -> List[str]:
        """Numbers of the jobs that change what runs and are not finished."""
        jobs = self.op("<show><jobs><all></all></jobs></show>").findall("job")
        return [
            text_of(job, "id") for job in jobs
            if "commit" in text_of(job, "type").lower() and text_of(job, "status") in ("ACT", "PEND")
        ]

    def wait_for_commits(self) -> None:
        waiting = Waiting(self.connection.wait_timeout)
        while self.commits_under_way():
            if not waiting.pause():
                raise ApplianceError(f"{self.host}: a commit is still under way after {self.connection.wait_timeout} s")

    # Within

    def _patiently(self, fields: Dict[str, str], what: str) -> Element:
        """A write, sent again while a lock or a commit of somebody else refuses it."""
        waiting = Waiting(self.connection.wait_timeout)
        while True:
            try:
                return self._ask(fields, what, write=True)
            except PanosRefusal as error:
                if not error.busy:
                    raise
                if not waiting.pause():
                    raise PanosRefusal(
                        f"{error} ({self._who_locks()}still so after {self.connection.wait_timeout} s, wait_timeout). "
                        "Run again once that is over",
                        error.code,
                        True,
                    ) from None

    def _who_locks(self) -> str:
        found = []
        for kind in ("config-locks", "commit-locks"):
            try:
                locks = self.op(f"<show><{kind}></{kind}></show>")
            except PanosRefusal:
                continue
            found += [f"{one.get('name')} holds a lock: {text_of(one, 'comment') or 'no comment'}" for one in
                      locks.iter("entry")]  # fmt: skip
        return "".join(f"{one}; " for one in found)

    def _finish(self, root: Element, what: str) -> None:
        """Wait for the job of a commit or push; there is none where nothing was to be done."""
        number = text_of(root, "result/job")
        if not number:
            if "no changes" in "".join(root.itertext()).lower() or root.get("code") in ("13", "19", "20"):
                return
            raise ApplianceError(f"{self.host}: expected a job for the {what}, got {shown(plain(root)[:300])}")
        job, waiting = None, Waiting(self.connection.wait_timeout)
        while job is None or text_of(job, "status") != "FIN":
            if job is not None and not waiting.pause():
                raise JobUnfinished(
                    f"{self.host}: job {number} ({what}) is not finished after {self.connection.wait_timeout} s "
                    "(wait_timeout). It goes on there; run again to see what came of it"
                )
            job = self._job(number, what)
        if text_of(job, "result") != "OK":
            lines = [(line.text or "").strip() for line in job.iter("line")] + _of_devices(job)
            said = one_line(" / ".join(filter(None, lines)), 1000)
            raise JobFailed(f"{self.host}: the {what} failed (job {number}): {said}")

    def _job(self, number: str, what: str) -> Element:
        try:
            job = self.op(f"<show><jobs><id>{number}</id></jobs></show>").find("job")
        except ApplianceError as error:
            raise JobUnfinished(
                f"{error}. Job {number} ({what}) was begun, and nobody knows how it ends; run again to see what came "
                "of it"
            ) from error
        if job is None:
            raise JobUnfinished(
                f"{self.host}: job {number} ({what}) was begun and is not known there any more, perhaps after a "
                "restart; run again to see what came of it"
            )
        return job

    def _ask(self, fields: Mapping[str, str], what: str, write: bool = False) -> Element:
        if fields["type"] != "keygen":
            self.login()
        answer = self.call("POST", "/api/", body=urlencode(fields).encode(), write=write)
        try:
            root = self._response(answer)
        except ApplianceError as error:
            if write:  # it comes from something on the way, or is the half of an answer
                raise Uncertain(f"{error} (the answer to a write, which may be done or not)") from error
            raise
        if root.get("status") != "success" or answer.status >= 400:
            raise self._refusal(root, what, answer.status)
        return root

    def _response(self, answer: HttpAnswer) -> Element:
        if not answer.text.lstrip().startswith("<"):
            raise ApplianceError(f"{self.host}: expected XML, got status {answer.status}: {shown(answer.text[:200])}")
        root = parsed(answer.text, self.host)
        if root.tag != "response":
            raise ApplianceError(f"{self.host}: expected a response of the XML API, got <{root.tag}>")
        return root

    def is_answer(self, answer: HttpAnswer) -> bool:
        return answer.text.lstrip().startswith("<response")

    def _refusal(self, root: Element, what: str, status: int = 200) -> PanosRefusal:
        failed = [one for one in root.findall("response") if one.get("status") != "success"]
        told = failed[-1] if failed else root  # of a multi-config, the action that failed
        code = one_line(told.get("code", ""), 20)
        said = one_line(" ".join(told.itertext()), 1000)
        if status in (401, 403):
            wrong = "username and password" if what == _LOGIN else "api_key"
            text = (
                f"{self.host} does not let us in (HTTP {status}): {said or 'no reason given'}. Check {wrong}, and that "
                "the administrator's role has the XML API"
            )
        else:
            number = f", code {code} ({_CODES.get(code, 'see the API guide')})" if code else ""
            text = f"{self.host} refused to {what[:200]}: {said or 'no reason given'}{number}"
        return PanosRefusal(text, code, any(word in said.lower() for word in _BUSY))


def _result(root: Element, command: str) -> Element:
    result = root.find("result")
    if result is None:
        raise ApplianceError(f"expected a result of {command}, got {shown(plain(root)[:200])}")
    return result


def _of_devices(job: Element) -> List[str]:
    """What each firewall said about a push."""
    return [
        f"{entry.get('name') or text_of(entry, 'serial-no')}: {text_of(entry, 'result')}"
        for entry in job.iterfind("devices/entry") if text_of(entry, "result") != "OK"
    ]


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
