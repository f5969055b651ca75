# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operational commands: what the box is, what is pending, who holds locks, jobs, and taking changes back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos.configuration import Refused
from ansible_collections.egress.allowlist.tests.emulators.server import Answer

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

_XML = {"Content-Type": "application/xml; charset=UTF-8"}


def _words(command: Element) -> str:
    """``show jobs id`` of ``<show><jobs><id>2</id></jobs></show>``."""
    found, here = [], command
    while True:
        found.append(here.tag)
        if len(here) == 0:
            return " ".join(found)
        here = here[0]


class Operations:
    def __init__(self, emulator: PanosEmulator) -> None:
        self._emulator = emulator

    def answer(self, admin: str, command: str) -> Answer:
        parsed = fromstring(command)
        words = _words(parsed)
        last = (list(parsed.iter())[-1].text or "").strip()
        inner = self._inner(admin, words, last, parsed)
        return Answer(200, f'<response status="success"><result>{inner}</result></response>'.encode(), _XML)

    def _inner(self, admin: str, words: str, last: str, parsed: Element) -> str:
        emulator = self._emulator
        simple = {
            "show system info": self._system,
            "show high-availability state": self._ha,
            "check pending-changes": lambda: "yes" if emulator.configuration.is_pending() else "no",
            "show config list changes": self._changes,
            "show jobs all": lambda: emulator.jobs.text(None),
            "show config-locks": lambda: _locks("config-locks", emulator.config_locks),
            "show commit-locks": lambda: _locks("commit-locks", emulator.commit_locks),
            "show devicegroups name": lambda: self._groups(last),
        }
        if words in simple:
            return simple[words]()
        if words == "show jobs id":
            return emulator.jobs.text(last)
        if words.startswith("revert config"):
            emulator.configuration.revert(parsed.findtext("config/partial/admin/member"))
            return "reverted"
        if words.startswith("request config-lock add"):
            emulator.require_unlocked(admin, emulator.config_locks, "Configuration")
            emulator.config_locks[admin] = parsed.findtext("config-lock/add/comment") or ""
            return f"Successfully acquired lock. {admin}"
        if words.startswith("request config-lock remove"):
            if emulator.config_locks.pop(admin, None) is None:
                raise Refused("17", "Config is not currently locked")
            return "Config lock released"
        raise Refused("17", f"{words} is unexpected")

    def _system(self) -> str:
        emulator = self._emulator
        model = "Panorama" if emulator.panorama else "PA-440"
        return (
            f"<system><hostname>{model.lower()}</hostname><model>{model}</model><serial>021201000001</serial>"
            f"<sw-version>{emulator.version}</sw-version><multi-vsys>off</multi-vsys></system>"
        )

    def _ha(self) -> str:
        if not self._emulator.ha:
            return "<enabled>no</enabled>"
        local = f"<local-info><state>{self._emulator.ha}</state></local-info>"
        if self._emulator.panorama:
            return f"<enabled>yes</enabled>{local}"
        return f"<enabled>yes</enabled><group><mode>Active-Passive</mode>{local}</group>"

    def _changes(self) -> str:
        entries = []
        for admin, changes in self._emulator.configuration.pending.items():
            for path, action in changes.items():
                steps = "".join(f"/{tag}" + (f"[@name='{name}']" if name else "") for tag, name in path[:-1])
                entries.append(
                    f"<entry><xpath>/config{steps}</xpath><owner>{admin}</owner><action>{action}</action>"
                    f"<admin-history>{admin}</admin-history><component-type>vsys</component-type></entry>"
                )
        return f"<journal>{''.join(entries)}</journal>"

    def _groups(self, name: str) -> str:
        groups = self._emulator.configuration.running.iterfind("devices/entry/device-group/entry")
        found = next((one for one in groups if one.get("name") == name), None)
        if found is None:
            raise Refused("17", f"device group {name} is not known")
        text = tostring(found, encoding="unicode")
        devices = [one.get("name", "") for one in found.iterfind("devices/entry")]
        lines = [
            f'<entry name="{serial}"><serial>{serial}</serial><connected>yes</connected><vsys><entry name="vsys1">'
            f"<shared-policy-status>{'In Sync' if self._emulator.pushed.get(serial) == text else 'Out of Sync'}"
            "</shared-policy-status></entry></vsys></entry>"
            for serial in devices
        ]
        return f'<devicegroups><entry name="{name}"><devices>{"".join(lines)}</devices></entry></devicegroups>'


def _locks(kind: str, locks: dict[str, str]) -> str:
    entries = "".join(f'<entry name="{name}"><comment>{text}</comment></entry>' for name, text in locks.items())
    return f"<{kind}>{entries}</{kind}>"
