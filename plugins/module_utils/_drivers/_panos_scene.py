# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PAN-OS appliance holds where we write: its tables, candidate and running, ours and the site's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Dict, Iterator, List, Mapping, Tuple
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_api import PanosApi, PanosRefusal
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_xml import canonical, plain, text_of
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own, key_parts

_UNKNOWN_COMMAND = ("1", "17")  # of an operational command that a version does not have
_NO_RIGHT = ("15", "16")
_DEVICE = "/config/devices/entry[@name='localhost.localdomain']"
RULES = {option: f"{option} rule" for option in ("security", "decryption", "authentication")}
# In the order in which they may be written; they are taken away the other way round.
TABLES = {
    "address": "address",
    "address group": "address-group",
    "service": "service",
    "url category": "profiles/custom-url-category",
    **{kind: f"{{rulebase}}/{option}/rules" for option, kind in RULES.items()},
}
Table = Dict[str, Element]  # entries by name, in their order


@dataclass(frozen=True)
class Place:
    """Where on the appliance we write."""

    vsys: str = "vsys1"
    device_group: str = ""

    @property
    def root(self) -> str:
        if self.device_group == "shared":
            return "/config/shared"
        if self.device_group:
            return f"{_DEVICE}/device-group/entry[@name='{self.device_group}']"
        return f"{_DEVICE}/vsys/entry[@name='{self.vsys}']"

    def container(self, kind: str) -> str:
        return f"{self.root}/{TABLES[kind].format(rulebase='pre-rulebase' if self.device_group else 'rulebase')}"

    def xpath(self, kind: str, name: str) -> str:
        return f"{self.container(kind)}/entry[@name='{name}']"


@dataclass
class Scene:
    """``running`` is the very same as ``candidate`` where nothing is pending."""

    version: Tuple[int, ...]
    candidate: Mapping[str, Table]
    running: Mapping[str, Table]
    pending: Mapping[str, List[str]] = field(default_factory=dict)  # xpaths by administrator

    def objects(self, prefix: str, running: bool = False) -> Dict[str, str]:
        """Everything of ours, canonical, by its key."""
        return {f"{kind} {name}": canonical(entry) for kind, name, entry in self.own(prefix, running)}

    def own(self, prefix: str, running: bool = False) -> Iterator[Tuple[str, str, Element]]:
        for kind, table in (self.running if running else self.candidate).items():
            for name, entry in table.items():
                if is_own(name, prefix):
                    yield kind, name, entry

    def rules(self, kind: str, running: bool = False) -> List[str]:
        """Names in their order."""
        return list((self.running if running else self.candidate)[kind])


def split_key(key: str) -> Tuple[str, str]:
    """The kind and the name in the key of an object; ValueError for none."""
    return key_parts(key, TABLES)


def read_scene(api: PanosApi, place: Place) -> Scene:
    """All tables in which we write; the running ones are read where something is pending."""
    version = _version(api)
    is_pending = _is_pending(api)
    candidate = {kind: _table(api, place.container(kind), running=False) for kind in TABLES}
    if not any(candidate.values()):
        _require_place(api, place)
    if not is_pending:
        return Scene(version, candidate, candidate)
    running = {kind: _table(api, place.container(kind), running=True) for kind in TABLES}
    return Scene(version, candidate, running, _pending(api))


def _require_place(api: PanosApi, place: Place) -> None:
    """Where nothing is, a write would make the very place: a virtual system or device group with a name mistyped."""
    if place.device_group == "shared":
        return
    if not place.device_group:
        if api.get(f"{place.root}/zone") is None:
            raise ApplianceError(
                f"vsys: {api.host} has no zones, rules or objects in {place.vsys!r}: does it exist? If this is "
                "Panorama, name a device_group"
            )
        return
    try:
        api.op(f"<show><devicegroups><name>{place.device_group}</name></devicegroups></show>")
    except PanosRefusal as error:
        if error.code in _NO_RIGHT:
            raise
        raise ApplianceError(
            f"device_group: {api.host} has no {place.device_group!r}. If this is a firewall, leave device_group out"
        ) from error


def _version(api: PanosApi) -> Tuple[int, ...]:
    told = text_of(api.op("<show><system><info></info></system></show>"), "system/sw-version")
    numbers = told.split("-")[0].split(".")
    if not all(re.fullmatch("[0-9]{1,6}", number) for number in numbers):
        raise ApplianceError(f"{api.host}: expected a version of PAN-OS, got {shown(told)}")
    return tuple(int(number) for number in numbers)


def _table(api: PanosApi, xpath: str, running: bool) -> Table:
    found = api.get(xpath, running)
    tag = xpath.rsplit("/", 1)[1]
    if found is None:
        return {}
    if found.tag != tag or any(child.tag != "entry" or not child.get("name") for child in found):
        raise ApplianceError(f"{api.host}: expected <{tag}> with entries at {xpath}, got {shown(plain(found)[:200])}")
    return {child.get("name", ""): child for child in found}


def _is_pending(api: PanosApi) -> bool:
    """Whether anything waits for a commit. A version that cannot tell is asked for both configurations."""
    try:
        pending = api.op("<check><pending-changes></pending-changes></check>")
    except PanosRefusal as error:
        if error.code not in _UNKNOWN_COMMAND:
            raise
        return True
    told = "".join(pending.itertext()).strip()
    if told not in ("yes", "no"):
        raise ApplianceError(f"{api.host}: expected yes or no for pending changes, got {shown(plain(pending)[:200])}")
    return told == "yes"


def _pending(api: PanosApi) -> Dict[str, List[str]]:
    """Who has changed what and not committed it, as far as this version tells."""
    found: Dict[str, List[str]] = {}
    try:
        changes = api.op("<show><config><list><changes></changes></list></config></show>")
    except PanosRefusal as error:
        if error.code not in _UNKNOWN_COMMAND:
            raise
        return found
    for entry in changes.iterfind("journal/entry"):
        found.setdefault(text_of(entry, "owner"), []).append(text_of(entry, "xpath"))
    return found


def require_writable(api: PanosApi, place: Place, centrally_managed: str) -> bool:
    """Whether this member of an HA pair is the active one; ApplianceError for a box that Panorama governs."""
    if not place.device_group and centrally_managed == "refuse":
        panorama = api.get(f"{_DEVICE}/deviceconfig/system/panorama")
        servers = [one for one in (panorama.iter() if panorama is not None else ()) if (one.text or "").strip()]
        if any(one.tag.startswith("panorama-server") for one in servers):
            raise ApplianceError(
                f"{api.host} is governed by Panorama ({', '.join((one.text or '').strip() for one in servers)}), which "
                "does not know what is written here. Write there, with device_group; or say centrally_managed: accept"
            )
    state = api.op("<show><high-availability><state></state></high-availability></show>")
    if text_of(state, "enabled") != "yes":
        return True
    told = text_of(state, "group/local-info/state") or text_of(state, "local-info/state")
    return told in ("active", "active-primary", "primary-active")
