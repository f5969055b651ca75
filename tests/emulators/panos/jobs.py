# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commits and pushes as jobs: queued, active, finished, with what they found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos.configuration import Refused
from ansible_collections.egress.allowlist.tests.emulators.server import Answer

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

_XML = {"Content-Type": "application/xml; charset=UTF-8"}


@dataclass
class Job:
    number: int
    kind: str
    admin: str
    only: str | None  # the administrator whose changes are committed; None: of all
    group: str = ""
    left: int = 1  # requests until it is finished
    status: str = "ACT"
    result: str = "PEND"
    lines: list[str] = field(default_factory=list)


class Jobs:
    def __init__(self, emulator: PanosEmulator) -> None:
        self._emulator = emulator
        self._jobs: list[Job] = []
        self.requests_per_job = 2  # after how many further requests a job is done

    def begin(self, admin: str, fields: dict[str, str]) -> Answer:
        emulator, command = self._emulator, fromstring(fields.get("cmd", ""))
        emulator.require_unlocked(admin, emulator.commit_locks, "Commit")
        emulator.require_unlocked(admin, emulator.config_locks, "Configuration")
        if self.under_way():
            raise Refused("13", "Another commit is in progress. Please try again later.")
        if command.tag == "commit-all":
            return self._push(admin, command)
        only = command.findtext("partial/admin/member")
        if command.find("force") is not None and only is not None:
            raise Refused("17", "force with partial is not possible")
        if not emulator.configuration.is_pending(only):
            text = b'<response status="success" code="19"><msg>There are no changes to commit.</msg></response>'
            return Answer(200, text, _XML)
        return self._started(Job(self._next(), "Commit", admin, only))

    def _push(self, admin: str, command: Element) -> Answer:
        group = command.find("shared-policy/device-group/entry")
        if group is None or not self._emulator.panorama:
            raise Refused("17", "commit-all -> shared-policy -> device-group is missing")
        return self._started(Job(self._next(), "CommitAll", admin, None, group.get("name", "")))

    def _started(self, job: Job) -> Answer:
        job.left = self.requests_per_job
        self._jobs.append(job)
        line = f"{job.kind} job enqueued with jobid {job.number}"
        inner = f"<result><msg><line>{line}</line></msg><job>{job.number}</job></result>"
        return Answer(200, f'<response status="success" code="19">{inner}</response>'.encode(), _XML)

    def _next(self) -> int:
        return len(self._jobs) + 2

    def under_way(self) -> list[Job]:
        return [job for job in self._jobs if job.status != "FIN"]

    def advance(self) -> None:
        """Time goes on: one request nearer to the end."""
        for job in self.under_way():
            job.left -= 1
            if job.left <= 0:
                self._finish(job)

    def _finish(self, job: Job) -> None:
        emulator = self._emulator
        job.status, job.result = "FIN", "OK"
        if job.kind == "CommitAll":
            self._pushed(job.group)
            return
        job.lines = emulator.problems(job.only)
        if job.lines:
            job.result = "FAIL"
            job.lines.append("Commit failed")
        else:
            emulator.configuration.commit(job.only)
            job.lines = ["Configuration committed successfully"]

    def _pushed(self, name: str) -> None:
        groups = self._emulator.configuration.running.iterfind("devices/entry/device-group/entry")
        for group in (one for one in groups if one.get("name") == name):
            for device in group.iterfind("devices/entry"):
                self._emulator.pushed[device.get("name", "")] = tostring(group, encoding="unicode")

    def text(self, number: str | None) -> str:
        found = [job for job in self._jobs if number in (None, str(job.number))]
        if number is not None and not found:
            raise Refused("17", f"job {number} not found")
        return "".join(self._job(job) for job in found)

    @staticmethod
    def _job(job: Job) -> str:
        lines = "".join(f"<line>{line.replace('>', '&gt;')}</line>" for line in job.lines)
        return (
            f"<job><tenq>2026/11/23 05:14:00</tenq><id>{job.number}</id><user>{job.admin}</user><type>{job.kind}</type>"
            f"<status>{job.status}</status><queued>NO</queued><stoppable>no</stoppable><result>{job.result}</result>"
            f"<progress>{100 if job.status == 'FIN' else 55}</progress><details>{lines}</details><warnings/></job>"
        )
