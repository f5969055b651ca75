# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The FortiOS driver: feeds that the API fills, and what uses them, from the control node."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, ClassVar, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._api_driver import ApiDriver
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._driver import (
    INTENTS,
    Desired,
    Present,
    RunCommand,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _fortios_rows as rows
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_api import FortiosApi
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_objects import Reader
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_options import (
    ARGUMENT_SPEC,
    RULES,
    by_policy,
    carried,
    require_options,
    token_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_plan import Rendering
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_scene import (
    FEED,
    PROFILES,
    ROWS,
    TABLES,
    Scene,
    is_known,
    read_scene,
    require_writable,
    split_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_site import Site
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._fortios_write import Change, Writer
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._marks import read_mark, with_old_changes
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own
from ansible_collections.egress.allowlist.plugins.module_utils._order import places, split_place
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding, Plan, shortened

RESOURCE = "external resource "


class FortiosDriver(ApiDriver):
    """Reads a Scene, lets Rendering say what shall be, writes a Change with Writer."""

    argument_spec: ClassVar[Dict[str, Any]] = ARGUMENT_SPEC
    product = "FortiOS"
    lists = (RESOURCE, FEED, "url filter ")
    kinds = tuple(TABLES)
    intents: Tuple[str, ...] = INTENTS  # type: ignore[misc]  # those that the options can carry

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        super().__init__(options, run_command)
        require_options(options)
        if options["rules"] == "manage" and not by_policy(options) and carried(options):
            self.intents = carried(options)
        self.named = {rows.WEB: options["webfilter_profiles"], rows.TLS: options["ssl_profiles"]}
        self._api: Optional[FortiosApi] = None
        self._scene: Optional[Scene] = None
        self._change: Optional[Change] = None

    # Reading

    @property
    def api(self) -> FortiosApi:
        if self._api is None:
            connection = Connection(self.options)
            self._warnings += connection.warnings()
            self._api = FortiosApi(connection, token_of(self.options), self.options["vdom"])
            require_writable(self._api, self.options["centrally_managed"])
        return self._api

    @property
    def scene(self) -> Scene:
        if self._scene is None:
            raise ApplianceError("the appliance was not read")
        return self._scene

    def read(self) -> Present:
        scene = self._scene = self._look()
        objects = self._objects(scene)
        found = Reader(objects)
        self._foreign = tuple(key for key in objects if _is_object(key) and not self._is_marked(key, objects[key]))
        return Present(tuple(found.holdings), objects, tuple(found.unread), True, self._foreign)

    def _look(self) -> Scene:
        return read_scene(self.api, self.prefix, self.named)

    def _objects(self, scene: Scene) -> Dict[str, str]:
        objects = scene.objects(self.prefix)
        objects.update(rows.present(scene, self.named, self.prefix))
        for kind in RULES.values():
            names = scene.rules(kind)
            objects.update(places(kind, names, [name for name in names if is_own(name, self.prefix)]))
        return objects

    def _is_marked(self, key: str, text: str) -> bool:
        mark = read_mark(json.loads(text).get(TABLES[split_key(key)[0]].comment))
        return mark is not None and mark.name == self.options["name"]

    def holdings_of(self, objects: Mapping[str, str]) -> Sequence[Holding]:
        return Reader(objects).holdings

    # Rendering

    def render(self, holdings: Sequence[Holding], present: Present) -> Desired:
        if not holdings:
            return Desired(objects={}, errors=self._used_elsewhere(), warnings=tuple(self._warnings))
        found = Rendering(self.options, self.prefix, Site(self.api, self.scene)).desired(holdings, self.scene)
        warnings = (*self._warnings, *found.warnings)
        objects = with_old_changes(found.objects, present.objects, lambda key: key.replace(RESOURCE, FEED, 1))
        return replace(found, objects=objects, warnings=warnings)

    def render_offline(self, holdings: Sequence[Holding]) -> Desired:
        return Rendering(self.options, self.prefix, None).desired(holdings, None)

    def _used_elsewhere(self) -> Tuple[str, ...]:
        return tuple(
            f"{name} uses this list, and the options do not name it: name it, so that our row is taken out of it"
            for name in rows.elsewhere(self.scene, self.named, self.prefix)
        )

    # Writing

    def check(self, desired: Desired) -> None:
        """FortiOS has no checker of its own; what can be known before is known by now."""
        self._change = Change(self._objects(self.scene), desired.objects)

    def apply(self, present: Present, desired: Desired) -> None:
        if self._change is None:
            self.check(desired)
        writer = Writer(self.api, self.scene, self.prefix, self._look)
        try:
            writer.carry_out(self._change or Change(present.objects, desired.objects))
        except ApplianceError as error:
            raise ApplianceError(f"{error}. {self._put_back(writer, present)}") from error

    def _put_back(self, writer: Writer, present: Present) -> str:
        """A transaction that fails changes nothing; the feeds that were filled before it get their old contents."""
        try:
            scene = writer.look_again()
            writer.carry_out(Change(self._objects(scene), present.objects))
        except ApplianceError as error:
            return f"What was there could not be put back ({error})"
        return "What was there was put back"

    def commands(self, plan: Plan) -> List[Dict[str, Any]]:
        if not plan.changed or self._change is None:
            return []
        return [
            dict(shortened(one["text"]), action=one["action"], object=one["object"]) if "text" in one else one
            for one in self._change.commands()
        ]

    # Back

    def _rules(self, kind: str) -> Optional[Sequence[str]]:
        return None if self._scene is None else self._scene.rules(kind)

    def _may_write(self, key: str, text: str, objects: Mapping[str, Any]) -> bool:
        try:
            if key.startswith(ROWS):
                kinds = {f"{ROWS}{kind} {name}": kind for kind in PROFILES for name in self.named[kind]}
                return key in kinds and rows.are_ours(kinds[key], json.loads(text), _categories(objects))
            if key.startswith(FEED):
                return is_own(key[len(FEED) :], self.prefix)
            name = split_key(split_place(key) or key)[1]
            if split_place(key) is not None:
                return is_own(name, self.prefix) and text.count("\n") == 1
            return is_own(name, self.prefix) and is_known(key, json.loads(text)) and self._is_marked(key, text)
        except (ValueError, LookupError, TypeError, AttributeError, AllowlistError):
            return False

    def masked(self, text: str) -> str:
        return text if self._api is None else self._api.masked(text)

    def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None


def _categories(objects: Mapping[str, Any]) -> FrozenSet[Any]:
    """The numbers of the category feeds in a snapshot: no other row of a profile is ours."""
    found = set()
    for key, text in objects.items():
        if key.startswith(RESOURCE) and isinstance(text, str):
            try:
                found.add(json.loads(text).get("category"))
            except (ValueError, AttributeError, TypeError):
                continue
    return frozenset(found)


def _is_object(key: str) -> bool:
    """Whether it is an object that must carry our mark."""
    return not key.startswith((FEED, ROWS)) and split_place(key) is None
