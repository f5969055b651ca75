# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operational commands: what the box is, what is pending, who holds locks, jobs, and taking changes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring, tostring

from ansible_collections.egress.allowlist.tests.emulators.panos.answers import Refused, escaped, response
from ansible_collections.egress.allowlist.tests.emulators.server import Answer

if TYPE_CHECKING:
    from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator

_PEERS = {"active": "passive", "passive": "active", "primary-active": "secondary-passive",
          "secondary-passive": "primary-active", "active-primary": "active-secondary"}  # fmt: skip


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
        for known, does in self._commands(admin, last, parsed):
            if words == known or (known.endswith("*") and words.startswith(known[:-2])):
                return response(f"<result>{does()}</result>")
        raise Refused("17", f" {words.replace(' ', ' -> ')}  is unexpected")

    def _commands(self, admin: str, last: str, parsed: Element) -> list[tuple[str, Callable[[], str]]]:
        emulator = self._emulator
        config, commit = emulator.locks["config"], emulator.locks["commit"]
        return [
            ("show system info", self._system),
            ("show high-availability state", self._ha),
            ("show panorama-status", self._panorama),
            ("check pending-changes", lambda: "yes" if emulator.configuration.is_pending() else "no"),
            ("show config list changes *", lambda: self._changes(parsed.findtext(".//partial/admin/member"))),
            ("show jobs all", lambda: emulator.jobs.text(None)),
            ("show jobs id", lambda: emulator.jobs.text(last.strip('"'))),
            ("show config-locks *", config.text),
            ("show commit-locks *", commit.text),
            ("request config-lock add *", lambda: config.add(admin, parsed)),
            ("request commit-lock add *", lambda: commit.add(admin, parsed)),
            ("request config-lock remove *", lambda: config.remove(admin, parsed)),
            ("request commit-lock remove *", lambda: commit.remove(admin, parsed)),
            ("revert config *", lambda: self._revert(admin, parsed)),
            ("show devicegroups *", lambda: self._groups(parsed.findtext("devicegroups/name"))),
        ]

    def _system(self) -> str:
        emulator = self._emulator
        model, name = ("Panorama", "panorama") if emulator.panorama else ("PA-440", "fw1")
        return (
            f"<system><hostname>{name}</hostname><ip-address>192.0.2.1</ip-address><devicename>{name}</devicename>"
            f"<family>{'pc' if emulator.panorama else '400'}</family><model>{model}</model>"
            f"<serial>021201000001</serial><sw-version>{emulator.version}</sw-version><app-version>8780-8400</app-version>"
            "<av-version>0</av-version><url-db>paloaltonetworks</url-db><operational-mode>normal</operational-mode>"
            "<multi-vsys>off</multi-vsys></system>"
        )

    def _ha(self) -> str:
        state = self._emulator.ha
        if not state:
            return "<enabled>no</enabled>"
        local = f"<local-info><state>{state}</state><priority>100</priority></local-info>"
        peer = f"<peer-info><state>{_PEERS.get(state, 'unknown')}</state><conn-status>up</conn-status></peer-info>"
        inner = f"{local}{peer}<running-sync>synchronized</running-sync>"
        if self._emulator.panorama:
            return f"<enabled>yes</enabled>{inner}"
        return f"<enabled>yes</enabled><group><mode>Active-Passive</mode>{inner}</group>"

    def _panorama(self) -> str:
        """The command line's text; empty where no Panorama is configured."""
        server = self._emulator.managed_by
        return f"Panorama Server 1 : {server}\n    Connected     : yes\n    HA state      : Active\n" if server else ""

    def _changes(self, only: str | None) -> str:
        entries = []
        for admin, changes in sorted(self._emulator.configuration.pending.items()):
            for path, action in changes.items() if only in (None, admin) else ():
                inside = "".join(f"/{tag}" + (f"[@name='{name}']" if name else "") for tag, name in path)
                kind = "device-group" if self._emulator.panorama else "vsys"
                entries.append(
                    f"<entry><xpath>/config{escaped(inside)}</xpath><owner>{escaped(admin)}</owner><action> {action}"
                    f"</action><admin-history>{escaped(admin)}</admin-history><component-type>{kind}</component-type>"
                    "</entry>"
                )
        return f"<journal>{''.join(entries)}</journal>" if entries else ""

    def _revert(self, admin: str, parsed: Element) -> str:
        emulator = self._emulator
        if emulator.jobs.under_way():
            raise Refused("", "Local commit jobs are queued. Revert operation is not allowed.")
        emulator.require_unlocked(admin)
        emulator.configuration.revert(parsed.findtext("config/partial/admin/member"))
        return "<msg><line>All changes were reverted from configuration</line></msg>"

    def _groups(self, name: str | None) -> str:
        groups = self._emulator.configuration.running.iterfind("devices/entry/device-group/entry")
        found = [one for one in groups if name in (None, one.get("name"))]
        if name is not None and not found:
            raise Refused("17", f" show -> devicegroups -> name '{name}' is not a valid reference")
        return f"<devicegroups>{''.join(map(self._group, found))}</devicegroups>"

    def _group(self, group: Element) -> str:
        text = tostring(group, encoding="unicode")
        serials = [one.get("name", "") for one in group.iterfind("devices/entry")]
        lines = [
            f'<entry name="{serial}"><serial>{serial}</serial><connected>yes</connected><shared-policy-status>'
            f"{'In Sync' if self._emulator.pushed.get(serial) == text else 'Out of Sync'}</shared-policy-status>"
            f"<hostname>fw-{serial}</hostname><multi-vsys>no</multi-vsys><vsys/></entry>"
            for serial in serials
        ]
        return f'<entry name="{escaped(group.get("name", ""))}"><devices>{"".join(lines)}</devices></entry>'
