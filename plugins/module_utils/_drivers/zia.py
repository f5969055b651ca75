# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Zscaler ZIA driver: a custom URL category, its rules, and an activation, by the cloud service API."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._api import Clock
from ansible_collections.egress.allowlist.plugins.module_utils._api_driver import ApiDriver
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import Accepted
from ansible_collections.egress.allowlist.plugins.module_utils._driver import Desired, Present, RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_api import ZiaApi, ZiaRefusal
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_objects import (
    INTENTS,
    Reader,
    Renderer,
    over_ipv4,
    translated,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_options import (
    ARGUMENT_SPEC,
    RULES,
    clients_of,
    login_of,
    require_options,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_record import Record
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_scene import (
    EXEMPTED,
    RECORD,
    TABLES,
    Scene,
    read_exempted,
    read_scene,
    split_key,
    without_theirs,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_site import Site
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._zia_write import Change, Writer
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EntryClass, classes
from ansible_collections.egress.allowlist.plugins.module_utils._marks import read_mark, with_old_changes
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own, json_text
from ansible_collections.egress.allowlist.plugins.module_utils._order import (
    all_wanted,
    places,
    plain_objects,
    split_place,
)
from ansible_collections.egress.allowlist.plugins.module_utils._plan import RUNNING, Holding, Plan, shortened
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict
from ansible_collections.egress.allowlist.plugins.module_utils._web import on_the_web

_STAGED = (
    "activate: false: ZIA puts in force what is saved when anybody activates, and when the session of this login ends, "
    "some minutes from now"
)

_TRIES = 4  # to save what another run does not write over
_APART = (0.5, 3.0)  # seconds: two runs that met must not meet again


class ZiaDriver(ApiDriver):
    """Reads a Scene, renders objects with Renderer, writes a Change with Writer; Site judges what the tenant has."""

    argument_spec: ClassVar[Dict[str, Any]] = ARGUMENT_SPEC
    product = "ZIA"
    lists = ("url category ", "destination group ")
    kinds = tuple(TABLES)
    intents: Tuple[str, ...] = INTENTS  # type: ignore[misc]  # fewer where the exempted URLs are not ours to change

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        super().__init__(options, run_command)
        require_options(options)
        if not options["exempted_urls"]:
            self.intents = INTENTS[:3]
        self._api: Optional[ZiaApi] = None
        self._record: Optional[Record] = None
        self._scene: Optional[Scene] = None
        self._change: Optional[Change] = None
        self._clean = False  # whether an end of the session would put nothing in force

    # Reading

    @property
    def api(self) -> ZiaApi:
        if self._api is None:
            login = login_of(self.options)
            connection = Connection(self.options, login.host)
            self._warnings += connection.warnings()
            self._asked = self._api = ZiaApi(connection, login)
            account = login.client_id or login.username
            self._record = Record(self.options["record_dir"], self._api.host, f"{account} {self.options['name']}")
        return self._api

    @property
    def record(self) -> Record:
        if self._record is None:
            raise ApplianceError("the tenant was not read")
        return self._record

    def read(self) -> Present:
        scene = self._scene = read_scene(self.api, self.prefix, exempted=self.options["exempted_urls"])
        self._clean = scene.status == "ACTIVE"
        if self._clean:
            self.record.end()  # whatever was staged is in force, by whomever; what waits later is not ours
        objects = self._objects(scene)
        found = Reader(objects)
        self._foreign = tuple(key for key, text in self._marked(objects).items() if not self._is_marked(text))
        live = not self.options["activate"] or scene.status == "ACTIVE"
        if not live and not self.record.exists() and not self.options["publish_others"]:
            live = True  # a colleague's edits; whether we may write beside them is said by `check`
            self._warnings.append(
                f"{self.api.host} has edits that wait for their activation, and no run for this list has made them"
            )
        return Present(tuple(found.holdings), objects, tuple(found.unread), live, self._foreign)

    def _objects(self, scene: Scene) -> Dict[str, str]:
        objects = scene.objects(self.prefix)
        for kind in RULES.values():
            rules = scene.rules(kind)
            objects.update(places(kind, rules, [name for name in rules if is_own(name, self.prefix)]))
        record = objects.get(f"url category {self.prefix}{RECORD}")
        ours = set(json.loads(record).get("urls", [])) & set(scene.exempted) if record else set()
        return dict(objects, **({EXEMPTED: json_text(sorted(ours))} if ours else {}))

    @staticmethod
    def _marked(objects: Mapping[str, str]) -> Dict[str, str]:
        """Objects that must carry our mark."""
        return {key: text for key, text in plain_objects(objects).items() if key != EXEMPTED}

    def _is_marked(self, text: str) -> bool:
        mark = read_mark(json.loads(text).get("description"))
        return mark is not None and mark.name == self.options["name"]

    def holdings_of(self, objects: Mapping[str, str]) -> Sequence[Holding]:
        return Reader(objects).holdings

    # Rendering

    def render(self, holdings: Sequence[Holding], present: Present) -> Desired:
        if self._scene is None:
            raise ApplianceError("the tenant was not read")
        if not holdings:
            return Desired(objects={}, warnings=tuple(self._warnings))
        return self._rendered(holdings, self._scene, present)

    def render_offline(self, holdings: Sequence[Holding]) -> Desired:
        return self._rendered(holdings, None, Present())

    def _rendered(self, holdings: Sequence[Holding], scene: Optional[Scene], present: Present) -> Desired:
        options = self.options
        manage = options["rules"] == "manage"
        renderer = Renderer(self.prefix, options["change_id"] or "", clients_of(options), options["rank"])
        accepted = Accepted(options["widen"], options["narrow"], tuple(options["known_names"]))
        kept, verdicts = _held(holdings)
        objects: Dict[str, str] = {}
        exempt, errors = set(), []
        for found in classes(kept, self.intents):
            urls, told = translated(found, accepted)
            verdicts += told
            errors += _errors(found) if manage else []
            exempt.update(urls if "bypass_authentication" in found.intents else [])
            objects.update(renderer.objects(found, urls))
        rules = {key: text for key, text in objects.items() if " rule " in key}
        if manage:
            objects.update(renderer.source_group())
        else:
            objects = {key: text for key, text in objects.items() if key.startswith(self.lists)}
        objects.update(self._exempted(exempt, scene, present, renderer))
        return self._desired(objects, rules, verdicts, errors, scene, present)

    def _desired(
        self, objects: Dict[str, str], rules: Dict[str, str], verdicts: List[Verdict], errors: List[str],
        scene: Optional[Scene], present: Present,
    ) -> Desired:  # fmt: skip
        manage = self.options["rules"] == "manage"
        missing: Tuple[str, ...] = ()
        if scene is not None:
            site = Site(self.api, scene)
            errors += site.errors(self.options, self.prefix, rules if manage else ())
            missing = () if manage else tuple(site.missing(rules))
            if manage and not errors:
                objects.update(all_wanted(self.options, RULES, scene.rules, rules))
        warnings = [*self._warnings, *([_STAGED] if not self.options["activate"] else [])]
        warnings += Site(self.api, scene).closer(self.prefix, objects) if scene is not None else []
        told = [] if manage else [Site.in_words(key, text) for key, text in sorted(rules.items())]
        return Desired(
            objects=with_old_changes(objects, present.objects),
            verdicts=tuple(verdicts),
            warnings=tuple(warnings),
            errors=tuple(errors),
            missing_rules=missing,
            facts={"rules": told},
        )

    def _exempted(
        self, urls: set[str], scene: Optional[Scene], present: Present, renderer: Renderer
    ) -> Dict[str, str]:
        """Our part of the organisation's list: what nobody else had put there before us."""
        ours = set(json.loads(present.objects.get(EXEMPTED, "[]")))
        theirs = set(scene.exempted) - ours if scene is not None else set()
        wanted_urls = sorted(urls - theirs)
        if not wanted_urls:
            return {}
        return {EXEMPTED: json_text(wanted_urls), **renderer.record(wanted_urls)}

    # Writing

    def check(self, desired: Desired) -> None:
        """The limits, and whether an activation would put in force what somebody else has not finished."""
        if self._scene is None:
            raise ApplianceError("the tenant was not read")
        options, objects = self.options, self._objects(self._scene)
        pending = self._scene.status != "ACTIVE" and not self.record.exists()
        if pending and options["activate"] and not options["publish_others"]:
            raise ApplianceError(
                f"{self.api.host} has edits that wait for their activation, and no run for this list has made them. An "
                "activation would put them in force with ours, so nothing was written. Have them activated or undone; "
                "or say publish_others: true, or activate: false"
            )
        Site(self.api, self._scene).require_room(objects, desired.objects)
        self._change = Change(objects, desired.objects)

    def apply(self, present: Present, desired: Desired) -> None:
        if self._scene is None or self._change is None:
            raise ApplianceError("the tenant was not read")
        self.record.begin()
        self._clean = False
        writer = Writer(self.api, self._scene, self.prefix, exempted=self.options["exempted_urls"])
        writer.carry_out(self._change, desired.objects)
        if self.options["activate"]:
            self._settle(writer, desired)
            self._activate(writer, present, desired)
            self.record.end()

    def _settle(self, writer: Writer, desired: Desired) -> None:
        """There is no transaction: another run for the same list may have saved between our requests. Each of them
        waits for a time of its own and writes what differs once more, so that one of them ends last, and whole."""
        for tries in range(1, _TRIES + 1):
            writer.look_again()
            found = self._objects(writer.scene)
            wrong = sorted(key for key in {*found, *desired.objects} if found.get(key) != desired.objects.get(key))
            if not wrong:
                return
            theirs = [key for key, text in self._marked(found).items() if not self._is_marked(text)]
            if tries == _TRIES or theirs:
                raise ApplianceError(
                    f"{self.api.host}: saved, and read back it is not what was written: {', '.join(wrong[:3])}. "
                    "Nothing was activated. Somebody or something else writes there; run again once that has stopped"
                )
            Clock.sleep(random.uniform(*_APART) * tries)
            writer.look_again()
            writer.carry_out(Change(self._objects(writer.scene), desired.objects), desired.objects)

    def _activate(self, writer: Writer, present: Present, desired: Desired) -> None:
        """What is refused is taken back; what waits for another administrator stays saved."""
        try:
            self.api.activate()
        except ZiaRefusal as error:
            writer.carry_out(Change(desired.objects, present.objects), present.objects)
            raise ApplianceError(f"{error}. What was saved was put back, and what is in force is as before") from error
        self.api.wait_until_active()

    def commands(self, plan: Plan) -> List[Dict[str, Any]]:
        if not plan.changed or self._change is None:
            return []
        found = [
            dict(shortened(one["text"]), action=one["action"], object=one["object"]) if "text" in one else one
            for one in self._change.commands()
        ]
        return found + ([{"action": "activate", "object": RUNNING}] if self.options["activate"] else [])

    # Back

    def from_snapshot(self, snapshot: Mapping[str, Any]) -> Desired:
        desired = super().from_snapshot(snapshot)
        if self._scene is None or EXEMPTED not in desired.objects:
            return desired
        ours = set(json.loads(self._objects(self._scene).get(EXEMPTED, "[]")))
        theirs = set(read_exempted(self.api)) - ours
        return replace(desired, objects=without_theirs(desired.objects, self.prefix, theirs))

    def _rules(self, kind: str) -> Optional[Sequence[str]]:
        return None if self._scene is None else self._scene.rules(kind)

    def _may_write(self, key: str, text: str, objects: Mapping[str, Any]) -> bool:  # noqa: ARG002  # each by itself
        try:
            if key == EXEMPTED:
                return all(isinstance(url, str) for url in json.loads(text))
            kind, name = split_key(split_place(key) or key)
            if split_place(key) is not None:
                return kind.endswith(" rule") and is_own(name, self.prefix) and text.count("\n") == 1
            return is_own(name, self.prefix) and isinstance(json.loads(text), dict) and self._is_marked(text)
        except (ValueError, AllowlistError):
            return False

    def close(self) -> None:
        if self._api is not None:
            if self._clean:
                self._api.log_out()
            self._api.close()
            self._api = None


def _errors(found: EntryClass) -> List[str]:
    """What no rule of ZIA can do. A path is asked for by plain http, which is inspected whatever the rules say."""
    intents = set(found.intents)
    is_path = all(entry.path is not None for entry in found.hosts) and not found.networks
    if "bypass_content_inspection" not in intents or {"allow", "bypass_tls_inspection"} <= intents or is_path:
        return []
    text = (
        "bypass_content_inspection needs allow and bypass_tls_inspection beside it: on ZIA content goes uninspected "
        "only where TLS is left as it is and the other policies are passed by"
    )
    return [text]


def _held(holdings: Sequence[Holding]) -> Tuple[List[Holding], List[Verdict]]:
    """What of the entries a tenant can hold, and verdicts for what it cannot."""
    kept: List[Holding] = []
    verdicts: List[Verdict] = []
    for holding in holdings:
        rest, verdict = on_the_web(holding)
        verdicts += [verdict] if verdict is not None else []
        if rest is not None:
            rest, verdict = over_ipv4(rest)
            verdicts += [verdict] if verdict is not None else []
        kept += [rest] if rest is not None else []
    return kept, verdicts
