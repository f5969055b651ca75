# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PAN-OS driver: one URL category, one group of addresses and their rules, by the XML API from the control node."""

from __future__ import annotations

from typing import Any, ClassVar, Dict, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._api import settled
from ansible_collections.egress.allowlist.plugins.module_utils._api_driver import ApiDriver
from ansible_collections.egress.allowlist.plugins.module_utils._connection import Connection
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import Accepted
from ansible_collections.egress.allowlist.plugins.module_utils._driver import Desired, Present, RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_api import (
    JobFailed,
    PanosApi,
    PanosRefusal,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_change import Change
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_objects import (
    INTENTS,
    LONGEST_MEMBER,
    MOST_MEMBERS,
    Policy,
    Reader,
    Renderer,
    over_tcp,
    translated,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_options import (
    ARGUMENT_SPEC,
    Login,
    place_of,
    require_client_name,
    require_options,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_scene import (
    RULES,
    TABLES,
    Scene,
    read_scene,
    require_writable,
    split_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_site import Site
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_xml import from_canonical, text_of
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import classes, client_networks
from ansible_collections.egress.allowlist.plugins.module_utils._marks import read_mark, with_old_changes
from ansible_collections.egress.allowlist.plugins.module_utils._objects import is_own
from ansible_collections.egress.allowlist.plugins.module_utils._order import (
    all_wanted,
    places,
    plain_objects,
    split_place,
)
from ansible_collections.egress.allowlist.plugins.module_utils._plan import RUNNING, Holding, Plan, shortened


class PanosDriver(ApiDriver):
    """Reads a Scene, renders objects with Renderer, writes a Change; Site judges what the site has."""

    intents: ClassVar[Tuple[str, ...]] = INTENTS
    argument_spec: ClassVar[Dict[str, Any]] = ARGUMENT_SPEC
    product = "PAN-OS"
    lists = ("url category ", "address ", "address group ")
    kinds = tuple(TABLES)

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        super().__init__(options, run_command)
        require_options(options)
        self.place = place_of(options)
        self._api: Optional[PanosApi] = None
        self._asked: Optional[PanosApi] = None  # the same, and before it is known to be the one to write to
        self._admin = ""
        self._scene: Optional[Scene] = None
        self._change: Optional[Change] = None

    # Reading

    @property
    def api(self) -> PanosApi:
        if self._api is None:
            self._api = self._active_member()
        return self._api

    def _active_member(self) -> PanosApi:
        login, options = Login(self.options), self.options
        self._admin = login.admin
        for host in (options["host"], options["peer"]):
            if host is None and options["peer"] is None and options["host"] is not None:
                break
            connection = Connection(options, host or "")
            api = self._asked = PanosApi(connection, login.key, login.admin, login.password)
            self._warnings = list(connection.warnings())
            if require_writable(api, self.place, options["centrally_managed"]):
                return api
            api.close()
        raise ApplianceError(
            f"{options['host']} is not the active member of its HA pair, and only that one is written. Give `host` the "
            "active one, or `peer` the other one, so that whichever is active is found"
        )

    def read(self) -> Present:
        scene = self._scene = read_scene(self.api, self.place)
        objects = self._objects(scene)
        found = Reader(objects)
        live = not self.options["activate"] or objects == self._objects(scene, running=True)
        if live and self.options["activate"] and self.place.device_group and self.options["push"]:
            live = Site(self.api, self.place, scene).is_pushed() is not False
        self._foreign = tuple(key for key, text in plain_objects(objects).items() if not self._is_marked(text))
        return Present(tuple(found.holdings), objects, tuple(found.unread), live, self._foreign)

    def _objects(self, scene: Scene, running: bool = False) -> Dict[str, str]:
        objects = scene.objects(self.prefix, running)
        for kind in RULES.values():
            own = [name for name in scene.rules(kind, running) if is_own(name, self.prefix)]
            objects.update(self._places(scene, kind, own, running))
        return objects

    def _places(self, scene: Scene, kind: str, own: Sequence[str], running: bool) -> Dict[str, str]:
        """The places of our rules. A rule that somebody has added and not committed moves none of them."""
        candidate, live = scene.rules(kind), scene.rules(kind, running=True)
        found = places(kind, candidate, own)
        if running:
            shared = set(candidate) & set(live)
            before, after = (places(kind, [one for one in rules if one in shared], own) for rules in (candidate, live))
            found = {
                key: found[key] if key in found and before.get(key) == after.get(key) else text
                for key, text in places(kind, live, own).items()
            }
        return found

    def _is_marked(self, text: str) -> bool:
        mark = read_mark(text_of(from_canonical(text), "description"))
        return mark is not None and mark.name == self.options["name"]

    def holdings_of(self, objects: Mapping[str, str]) -> Sequence[Holding]:
        return Reader(objects).holdings

    # Rendering

    def render(self, holdings: Sequence[Holding], present: Present) -> Desired:
        if self._scene is None:
            raise ApplianceError("the appliance was not read")
        if not holdings:
            return Desired(objects={}, warnings=tuple(self._warnings))
        return self._rendered(holdings, Site(self.api, self.place, self._scene), present)

    def render_offline(self, holdings: Sequence[Holding]) -> Desired:
        return self._rendered(holdings, None, Present())

    def _rendered(self, holdings: Sequence[Holding], site: Optional[Site], present: Present) -> Desired:
        options = self.options
        manage = options["rules"] == "manage"
        renderer = Renderer(self.prefix, options["change_id"] or "", self._policy())
        lists = Renderer(self.prefix, options["change_id"] or "", None)
        accepted = Accepted(options["widen"], options["narrow"], tuple(options["known_names"]))
        objects: Dict[str, str] = {}
        errors, rules = [], {}
        kept, verdicts = over_tcp(holdings)
        for found in classes(kept, self.intents):
            lines, told = translated(found, accepted)
            verdicts += told
            errors += self._errors(found.intents, lines, manage)
            whole = renderer.objects(found, lines)
            rules.update({key: text for key, text in whole.items() if key.split(" ")[1:2] == ["rule"]})
            objects.update(whole if manage else lists.objects(found, lines))
        missing: Tuple[str, ...] = ()
        if site is not None:
            errors += site.errors(options, self.prefix, rules if manage else {})
            missing = () if manage else tuple(site.missing(rules))
        if manage and site is not None and not errors:
            objects.update(all_wanted(options, RULES, site.scene.rules, rules))
        return Desired(
            objects=with_old_changes(objects, present.objects),
            verdicts=tuple(verdicts),
            warnings=tuple(self._warnings),
            errors=tuple(errors),
            missing_rules=missing,
            facts={"rules": [] if manage else [Site.in_words(key, text) for key, text in sorted(rules.items())]},
        )

    def _policy(self) -> Policy:
        options = self.options
        networks, names = client_networks(options["clients"] or ["any"])
        for index, client in enumerate(options["clients"] or []):
            if client in names:
                require_client_name(client, index)
        zones = (tuple(sorted(options["from_zones"])), tuple(sorted(options["to_zones"])))
        sources = tuple(sorted([*networks, *names]))
        return Policy(sources, *zones, options["profile_group"] or "", options["log_setting"] or "")

    def _errors(self, intents: Sequence[str], lines: Sequence[str], manage: bool) -> List[str]:
        errors = [
            f"{line[:60]}…: a line of {len(line)} characters, and a URL category takes {LONGEST_MEMBER}"
            for line in lines if len(line) > LONGEST_MEMBER
        ]
        if len(lines) > MOST_MEMBERS:
            errors.append(f"{len(lines)} lines in one URL category, and it holds {MOST_MEMBERS}: take several `name`s")
        inspected = "bypass_content_inspection" not in intents
        if manage and not inspected and "allow" not in intents:
            errors.append("bypass_content_inspection is a property of the rule that allows: it needs allow beside it")
        if manage and inspected and "allow" in intents and not self.options["profile_group"]:
            errors.append(
                "entries that are allowed and inspected (without bypass_content_inspection) need profile_group: "
                "the site's security profile group that inspects them"
            )
        return errors

    # Writing

    def check(self, desired: Desired) -> None:
        """PAN-OS checks a configuration when it is committed; what can be known before is known by now."""
        if self._scene is None:
            raise ApplianceError("the appliance was not read")
        scene = self._scene
        Site(self.api, self.place, scene).require_nothing_else_pending(self._admin, self.prefix)
        had = (self._objects(scene), self._objects(scene, running=True))
        self._change = Change(self.place, *had, desired.objects)

    def apply(self, present: Present, desired: Desired) -> None:
        if self._change is None:
            self.check(desired)
        actions = self._change.actions if self._change is not None else ""
        if actions:
            settled(lambda: self.api.multi_config(actions), lambda: self._holds(desired.objects))
        if not self.options["activate"]:
            return
        try:
            self._commit(desired.objects)
        except (PanosRefusal, JobFailed) as error:
            # After anything else, what was written may be in force, or still come into force.
            raise ApplianceError(f"{error}. {self._put_back(present.objects)}") from error
        self._require_running(desired.objects)
        self._push()

    def _commit(self, objects: Mapping[str, str]) -> None:
        options = self.options
        admin = "" if options["publish_others"] else self._admin
        text = f"egress.allowlist {options['name']} {options['change_id'] or ''}".strip()
        settled(lambda: self.api.commit(admin, text), lambda: self._runs(objects))

    def _require_running(self, objects: Mapping[str, str]) -> None:
        try:
            runs = self._runs(objects)
        except ApplianceError as error:
            raise ApplianceError(
                f"{error}. {self.api.host} has committed, and what runs could not be read back; run again to see it"
            ) from error
        if not runs:
            raise ApplianceError(
                f"{self.api.host}: committed, and what runs is not what was written. Another administrator has pending "
                "changes in the same objects; commit or revert these, and run again"
            )

    def _push(self) -> None:
        """To push the same twice is the same as once."""
        group = self.place.device_group
        if not group or not self.options["push"]:
            return
        try:
            settled(lambda: self.api.push(group), self._is_pushed)
        except (PanosRefusal, JobFailed) as error:
            raise ApplianceError(
                f"{error}. Panorama has committed what was asked for, and not every firewall of {group} has it; the "
                "next run pushes again"
            ) from error
        except ApplianceError as error:
            raise ApplianceError(
                f"{error}. Panorama has committed what was asked for, and whether every firewall of {group} has it is "
                "not known; the next run looks, and pushes again where it is not so"
            ) from error

    def _is_pushed(self) -> bool:
        self.api.wait_for_commits()
        return self._scene is not None and Site(self.api, self.place, self._scene).is_pushed() is True

    def _holds(self, objects: Mapping[str, str]) -> bool:
        return self._objects(read_scene(self.api, self.place)) == dict(objects)

    def _runs(self, objects: Mapping[str, str]) -> bool:
        self.api.wait_for_commits()
        return self._objects(read_scene(self.api, self.place), running=True) == dict(objects)

    def _put_back(self, objects: Mapping[str, str]) -> str:
        """The candidate as it was. What nobody could put back is told, and the next run deals with it."""
        try:
            scene = read_scene(self.api, self.place)
            had = (self._objects(scene), self._objects(scene, running=True))
            change = Change(self.place, *had, objects)
            if change.actions:
                self.api.multi_config(change.actions)
        except ApplianceError as error:
            return f"The candidate could not be put back ({error}); what runs is as before"
        return "The candidate was put back, and what runs is as before"

    def commands(self, plan: Plan) -> List[Dict[str, Any]]:
        if not plan.changed or self._change is None:
            return []
        found = [dict(shortened(self._change.actions), action="multi-config", object=self.place.root)]
        found = found if self._change.actions else []
        return found + ([{"action": "commit", "object": RUNNING}] if self.options["activate"] else [])

    # Back

    def _rules(self, kind: str) -> Optional[Sequence[str]]:
        return None if self._scene is None else self._scene.rules(kind)

    def _may_write(self, key: str, text: str, objects: Mapping[str, Any]) -> bool:  # noqa: ARG002  # each by itself
        try:
            kind, name = split_key(split_place(key) or key)
            if split_place(key) is not None:
                return kind.endswith(" rule") and is_own(name, self.prefix) and text.count("\n") == 1
            return is_own(name, self.prefix) and from_canonical(text).get("name") == name and self._is_marked(text)
        except (ValueError, AllowlistError):
            return False

    def masked(self, text: str) -> str:
        return text if self._asked is None else self._asked.masked(text)

    def close(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None
