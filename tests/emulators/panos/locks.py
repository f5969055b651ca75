# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Locks on the candidate configuration and on commits: the others wait; a commit of the holder releases them."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.tests.emulators.panos.answers import Refused, escaped

_TAKEN = (
    "Successfully acquired lock. Other administrators will not be able to {} configuration until lock is released "
    "by {}."
)
_TIMES = "<created>2026/11/23 05:14:00</created><last-activity>2026/11/23 05:14:00</last-activity>"


class Locks:
    """*kind*: config or commit. ``held``: comments by administrator."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self.held: dict[str, str] = {}

    def others(self, admin: str) -> list[str]:
        return sorted(name for name in self.held if name != admin)

    def add(self, admin: str, command: Element) -> str:
        if self.others(admin) and self._kind == "config":
            raise Refused("", f"Config for scope shared is currently locked by {self.others(admin)[0]}")
        if admin in self.held:
            raise Refused("", "You already own a config lock for scope shared" if self._kind == "config"
                          else f"Commit lock is already held by {admin}")  # fmt: skip
        self.held[admin] = command.findtext(".//comment") or "(null)"
        return _TAKEN.format("modify" if self._kind == "config" else "commit", admin)

    def remove(self, admin: str, command: Element) -> str:
        admin = command.findtext(".//admin") or admin
        if admin not in self.held:
            word = "Config is not currently locked" if self._kind == "config" else "Commit is not currently locked"
            raise Refused("", f"{word} for scope shared")
        del self.held[admin]
        return f"{self._kind.capitalize()} lock released for {admin}"

    def text(self) -> str:
        entries = "".join(
            f'<entry name="{escaped(name)}"><type>shared</type><name>shared</name>{_TIMES}<loggedin>yes</loggedin>'
            f"<comment><![CDATA[{comment}]]></comment></entry>"
            for name, comment in sorted(self.held.items())
        )
        return f"<{self._kind}-locks>{entries}</{self._kind}-locks>"
