# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Squid driver: one include file of ours and its lists, on the host where Squid runs."""

from __future__ import annotations

import ipaddress
import os
import re
import tempfile
from typing import Any, ClassVar, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._check_folder import folder_for_check, sweep
from ansible_collections.egress.allowlist.plugins.module_utils._driver import (
    INTENTS,
    Desired,
    Driver,
    Present,
    RunCommand,
    require_name,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_config import Config
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_files import Files, split
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_include import (
    CHANGE,
    MARK,
    Include,
    is_network,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_lists import (
    EntryClass,
    classes,
    read_classes,
    translate,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_needs import Needs
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_process import (
    Process,
    Program,
    new_complaints,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_site import Site
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

_DIGEST = re.compile(r"\.[0-9a-f]{16}\.acl")
_ACL_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")


class SquidDriver(Driver):
    """Reads and writes through Files, asks Program, and lets Site say what the rules must look like."""

    intents: ClassVar[Tuple[str, ...]] = INTENTS
    argument_spec: ClassVar[Dict[str, Any]] = {
        "config_file": {"type": "path", "default": "/etc/squid/squid.conf"},
        "include_dir": {"type": "path"},
        "position": {"type": "str", "default": "10"},
        "instance": {"type": "str"},
        "executable": {"type": "path"},
        "intercepted": {"type": "str", "choices": ["refuse", "sni"], "default": "refuse"},
        "open_ports": {"type": "bool", "default": False},
        "reload_timeout": {"type": "int", "default": 60},
    }

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        super().__init__(options, run_command)
        name, position = options["name"], options["position"]
        require_name(name)
        if not re.match(r"^[0-9]{2}$", position):
            raise AllowlistError(f"position: expected two digits such as '10' (quote them), got {position!r}")
        self.config_file: str = options["config_file"]
        include_dir = options["include_dir"] or os.path.join(os.path.dirname(self.config_file), "conf.d")
        self.files = Files(include_dir.rstrip("/"), name, position)
        self.name: str = name
        self._program: Optional[Program] = None
        self._running: Optional[Process] = None

    @property
    def program(self) -> Program:
        if self._program is None:
            options = self.options
            self._program = Program(self.run_command, options["executable"], self.config_file, options["instance"])
        return self._program

    # Reading

    def read(self) -> Present:
        self.files.lock()
        objects = self.files.read()
        holdings, unread = self._read_texts(objects)
        foreign = [path for path in self.files.includes() if not objects[path].startswith(f"{MARK}{self.name}\n")]
        self._running = self.program.process(self._config(self._stand_in()))
        live = self.files.is_live(self._running, objects)
        return Present(tuple(holdings), objects, tuple(unread), live, tuple(foreign))

    def _read_texts(self, objects: Mapping[str, str]) -> Tuple[List[Holding], List[str]]:
        includes, lists = split(objects, self.files)
        return read_classes("\n".join(includes.values()), lists)

    def holdings_of(self, objects: Mapping[str, str]) -> Sequence[Holding]:
        return self._read_texts(objects)[0]

    def _config(self, ours: Mapping[str, str]) -> Config:
        """The whole configuration with these include files in place of those that we have on disk."""
        proposed: Dict[str, Optional[str]] = dict.fromkeys(self.files.includes())
        proposed.update(ours)
        return Config(self.config_file, self.options["instance"] or "squid", proposed)

    def _stand_in(self) -> Dict[str, str]:
        """A file that says nothing, in the place where ours is read."""
        return {self.files.include: "# stands in for our file\n"}

    # Rendering

    def render(self, holdings: Sequence[Holding], present: Present) -> Desired:
        if not holdings:
            return Desired(objects=self._nothing())
        site = Site(self._config(self._stand_in()), self.files.include)
        return self._rendered(holdings, site, present)

    def render_offline(self, holdings: Sequence[Holding]) -> Desired:
        return self._rendered(holdings, None, Present())

    def _rendered(self, holdings: Sequence[Holding], site: Optional[Site], present: Present) -> Desired:
        carried, verdicts = translate(holdings)
        found = classes(self.name, carried)
        needs = Needs(self.options, found, site, self.program.built_with_tls)
        include = Include(self.name, self.files.list_dir, self._clients(site), needs.surroundings())
        reference = self.options["rules"] == "reference"
        text = include.text(found, self.options["change_id"] or "", not reference)
        objects = {self.files.include: text}
        for one in found:
            objects.update({self._list_path(one, kind): lines for kind, lines in one.lists.items()})
        warnings = needs.warnings(carried)
        if site is not None and self._running is None:
            warnings.append(f"Squid is not running ({self.config_file}); it will read the files at its start")
        return Desired(
            objects=self._keep_change_id(objects, present),
            verdicts=tuple(verdicts),
            warnings=tuple(warnings),
            errors=tuple(needs.errors(ordered=not reference)),
            missing_rules=tuple(_missing(include.rules, site)) if reference and site is not None else (),
            facts=dict({"rules": include.rules} if reference else {}, notes=needs.notes()),
        )

    def _list_path(self, one: EntryClass, kind: str) -> str:
        return os.path.join(self.files.list_dir, one.file_name(kind))

    def _nothing(self) -> Dict[str, str]:
        """No file at all, unless Squid's include line would then match none, with which it does not start."""
        try:
            self._config({})
        except ApplianceError:
            self._config({self.files.include: ""})  # an error that has nothing to do with us comes out here
            return {self.files.include: f"{MARK}{self.name}\n# Holds nothing; an include line needs one file.\n"}
        return {}

    def _clients(self, site: Optional[Site]) -> List[str]:
        found = []
        for index, client in enumerate(self.options["clients"]):
            if client == "all" or client.endswith("/0"):
                raise AllowlistError(f"clients[{index}]: {client!r} is everyone; write 'any' if that is meant")
            if is_network(client):
                found.append(_network(client, index))
            elif client == "any":
                found.append(client)
            elif not _ACL_NAME.match(client):
                raise AllowlistError(f"clients[{index}]: expected a network or the name of an ACL, got {client!r}")
            else:
                if site is not None:
                    site.require_client_acl(client)
                found.append(client)
        return found

    def _keep_change_id(self, objects: Dict[str, str], present: Present) -> Dict[str, str]:
        """A change id alone never causes a change: the line of the last real change stays."""
        old = present.objects.get(self.files.include, "")
        if old and _without_change(old) == _without_change(objects[self.files.include]):
            return dict(objects, **{self.files.include: old})
        return objects

    # Checking and writing

    def check(self, desired: Desired) -> None:
        """Squid's own parser reads the whole configuration with our part in it, before anything is live."""
        try:
            with folder_for_check("squid", self.files.include_dir) as folder:
                _unused, before = self.program.complaints(self._config(self._stand_in()).text(), folder)
                accepted, after = self.program.complaints(self._proposed(desired, folder).text(), folder)
        except OSError as error:
            raise ApplianceError(f"cannot prepare the check in {tempfile.gettempdir()}: {error.strerror}") from error
        new = new_complaints(before, after)
        if new or not accepted:
            raise ApplianceError(
                "Squid's parser does not accept the configuration, nothing was changed: {}".format(
                    " / ".join(new or sorted(after)) or "squid -k parse failed without a word"
                )
            )

    def _proposed(self, desired: Desired, folder: str) -> Config:
        """The configuration with our part in it, whose lists lie in the folder for now."""
        ours = {}
        for path, text in desired.objects.items():
            if self.files.is_include(path):
                ours[path] = text.replace(f'"{self.files.list_dir}/', f'"{folder}/')
            else:
                _write(os.path.join(folder, os.path.basename(path)), text)
        return self._config(ours)

    def apply(self, present: Present, desired: Desired) -> None:
        old = {path: text for path, text in present.objects.items() if self.files.is_include(path)}
        new = {path: text for path, text in desired.objects.items() if self.files.is_include(path)}
        reload_needed = not present.live or old != new
        self.files.write_lists(desired.objects, present.objects)
        if reload_needed:
            self.files.forget()
            self._switch(coming=new, going=old)
            if self._running is not None:
                self._reload_or_put_back(self._running, present, old, new)
        if desired.objects:
            self.files.tidy(desired.objects)
            self.files.prove(self._running, desired.objects)
        else:
            self.files.tidy({})

    def _switch(self, coming: Mapping[str, str], going: Mapping[str, str]) -> None:
        path = next(iter(coming), self.files.include)
        self.files.switch(path, coming.get(path), [other for other in going if other != path])

    def _reload_or_put_back(
        self, running: Process, present: Present, old: Mapping[str, str], new: Mapping[str, str]
    ) -> None:
        try:
            self.program.reload(running, self.options["reload_timeout"])
        except ApplianceError as error:
            self._switch(coming=old, going=new)
            self.files.tidy(present.objects)
            raise ApplianceError(f"{error}. The old files were put back") from error

    # For people, and back

    def show(self, objects: Mapping[str, str]) -> Dict[str, str]:
        includes, lists = split(objects, self.files)
        shown = {os.path.basename(path): _DIGEST.sub(".acl", _without_change(text)) for path, text in includes.items()}
        shown.update(lists)
        used = "".join(includes.values())
        for path, text in objects.items():
            if path not in includes and path not in used:
                shown[f"{os.path.basename(path)} (left behind)"] = text
        return shown

    def explained(self, objects: Mapping[str, str]) -> FrozenSet[str]:
        return frozenset(self.files.title(path) for path in objects if self.files.title(path))

    def from_snapshot(self, snapshot: Mapping[str, Any]) -> Desired:
        objects = snapshot["objects"]
        for path, text in objects.items():
            if not isinstance(text, str) or not self.files.may_write(path):
                raise AllowlistError(
                    f"snapshot: {path!r} is not a file of name {self.name} below {self.files.include_dir} and "
                    f"{self.files.list_dir}; it was taken elsewhere"
                )
        return Desired(objects=dict(objects) or self._nothing())

    def sweep(self) -> None:
        sweep("squid", self.files.include_dir)

    def close(self) -> None:
        self.files.unlock()


def _missing(rules: Sequence[str], site: Site) -> List[str]:
    written = {line.words for line in site.own}
    return [rule for rule in rules if tuple(rule.split()) not in written]


def _network(client: str, index: int) -> str:
    try:
        return str(ipaddress.ip_network(client))
    except ValueError as error:
        raise AllowlistError(f"clients[{index}]: {client!r}: {error}") from error


def _without_change(text: str) -> str:
    return "".join(line for line in text.splitlines(True) if not line.startswith(CHANGE))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as handle:
        handle.write(text)
