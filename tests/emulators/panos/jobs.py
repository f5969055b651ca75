# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commits and pushes as jobs: queued, active, finished, with what they found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos.answers import Refused, escaped, response
from ansible_collections.egress.allowlist.tests.emulators.server import Answer

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

_IN_PROGRESS = "Another commit/validate is in progress. Please try again later"
# To an administrator's own commit the firewall says the second: pango's users met both.
_NOTHING = "There are no changes to commit."
_SAME = (
    "The result of this commit would be the same as the previous commit queued/processed. No edits have been made "
    "between these subsequent commits. Please check the previous commit status. If still needed, use commit force "
    "instead."
)


@dataclass
class Job:
    number: int
    kind: str
    admin: str
    only: tuple[str, ...]  # the administrators whose changes are committed; none: of all
    description: str = ""
    group: str = ""
    left: int = 1  # requests until it is finished
    status: str = "PEND"
    result: str = "PEND"
    lines: list[str] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)  # of a push: what went wrong, "" for nothing


class Jobs:
    def __init__(self, emulator: PanosEmulator) -> None:
        self._emulator = emulator
        self._jobs = [Job(1, "AutoCom", "", (), left=0, status="FIN", result="OK")]
        self.requests_per_job = 2  # after how many further requests a job is done

    def begin(self, admin: str, fields: dict[str, str]) -> Answer:
        command = fromstring(fields.get("cmd", ""))
        if command.tag not in ("commit", "commit-all"):
            raise Refused("17", f" {command.tag}  is unexpected")
        self._require_free(admin)
        return self._push(admin, command) if command.tag == "commit-all" else self._commit(admin, command)

    def _require_free(self, admin: str) -> None:
        emulator = self._emulator
        if emulator.locks["commit"].others(admin):
            raise Refused("14", "Other administrators are holding device wide commit locks.")
        if emulator.locks["config"].others(admin):
            raise Refused("14", "Other administrators are holding config locks.")
        if self.under_way():
            raise Refused("13", _IN_PROGRESS)

    def _commit(self, admin: str, command: Element) -> Answer:
        only = tuple(one.text or "" for one in command.findall("partial/admin/member"))
        if command.find("force") is not None and only:
            raise Refused("17", " commit -> force -> partial unexpected here\n commit -> force  is unexpected")
        pending = any(self._emulator.configuration.is_pending(one) for one in only or (None,))
        if not pending and command.find("force") is None:
            return response(f"<msg>{_SAME if only else _NOTHING}</msg>", code="13" if only else "19")
        return self._started(Job(self._next(), "Commit", admin, only, command.findtext("description") or ""))

    def _push(self, admin: str, command: Element) -> Answer:
        group = command.find("shared-policy/device-group/entry")
        if group is None or not self._emulator.panorama:
            raise Refused("17", " commit-all  is unexpected")
        name, emulator = group.get("name", ""), self._emulator
        found = emulator.group(name)
        if found is None:
            raise Refused("17", f" commit-all -> shared-policy -> device-group '{name}' is not a valid reference")
        job = Job(self._next(), "CommitAll", admin, (), command.findtext("shared-policy/description") or "", name)
        wanted = [one.get("name", "") for one in group.iterfind("devices/entry")]
        serials = [one.get("name", "") for one in found.iterfind("devices/entry")]
        job.devices = {one: emulator.push_fails.get(one, "") for one in serials if not wanted or one in wanted}
        return self._started(job)

    def _started(self, job: Job) -> Answer:
        job.left = self.requests_per_job
        self._jobs.append(job)
        line = f"{'Push' if job.group else job.kind} job enqueued with jobid {job.number}"
        return response(f"<result><msg><line>{line}</line></msg><job>{job.number}</job></result>", code="19")

    def _next(self) -> int:
        return len(self._jobs) + 1

    def under_way(self) -> list[Job]:
        return [job for job in self._jobs if job.status != "FIN"]

    def advance(self) -> None:
        """Time goes on: one request nearer to the end."""
        for job in self.under_way():
            job.left -= 1
            job.status = "ACT"
            if job.left <= 0:
                job.status = "FIN"
                self._finish(job)

    def _finish(self, job: Job) -> None:
        emulator = self._emulator
        if job.kind == "CommitAll":
            self._finish_push(job)
            return
        job.lines = emulator.problems(job.only)
        job.result = "FAIL" if job.lines else "OK"
        if job.lines:
            job.lines.append("Commit failed")
            return
        for admin in job.only or (None,):
            emulator.configuration.commit(admin)
        for locks in emulator.locks.values():
            locks.held.pop(job.admin, None)
        job.lines = ["Configuration committed successfully"]

    def _finish_push(self, job: Job) -> None:
        job.result = "FAIL" if any(job.devices.values()) else "OK"
        group = self._emulator.group(job.group)
        for serial, wrong in job.devices.items():
            if not wrong and group is not None:
                self._emulator.pushed[serial] = tostring(group, encoding="unicode")

    def text(self, number: str | None) -> str:
        found = [job for job in self._jobs if number in (None, str(job.number))]
        if not found:
            raise Refused("7", f"job {number} not found")
        return "".join(_told(job) for job in reversed(found))


def _told(job: Job) -> str:
    is_over = job.status == "FIN"
    lines = "".join(f"<line>{escaped(line)}</line>" for line in job.lines)
    details = "" if job.group and is_over else f"<details>{lines}</details>"
    return (
        f"<job><tenq>2026/11/23 05:14:00</tenq><tdeq>05:14:00</tdeq><id>{job.number}</id>"
        f"<user>{escaped(job.admin)}</user><type>{job.kind}</type><status>{job.status}</status><queued>NO</queued><stoppable>no</stoppable>"
        f"<result>{job.result}</result><tfin>{'2026/11/23 05:14:30' if is_over else 'Still Active'}</tfin>"
        f"<description>{escaped(job.description)}</description><positionInQ>0</positionInQ>"
        f"<progress>{100 if is_over else 55}</progress>{_devices(job) if is_over else ''}{details}<warnings/></job>"
    )


def _devices(job: Job) -> str:
    if not job.group:
        return ""
    entries = "".join(
        f"<entry><serial-no>{serial}</serial-no><devicename>fw-{serial}</devicename><multi-vsys>no</multi-vsys><vsys/>"
        f"<status>commit {'failed' if wrong else 'succeeded'}</status><result>{'FAIL' if wrong else 'OK'}</result>"
        "<tstart>05:14:10</tstart><tfin>05:14:30</tfin>"
        f'<details><msg cmd="push-data" dname="{serial}" dgname="{escaped(job.group)}" jobid="{job.number}" '
        f'result="{"fail" if wrong else "success"}"><errors><line>'
        f"{escaped(wrong) or 'Configuration committed successfully'}</line></errors><warnings/></msg></details></entry>"
        for serial, wrong in job.devices.items()
    )
    return f"<push_type>shared-policy</push_type><dgname>{escaped(job.group)}</dgname><devices>{entries}</devices>"
