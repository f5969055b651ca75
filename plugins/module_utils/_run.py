# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a push module: the only place that knows order, check mode, diff and the wording of outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.egress.allowlist.plugins.module_utils._driver import INTENTS, Desired, Driver, Present
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports, merge, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._plan import (
    Holding,
    Plan,
    View,
    require_no_collapse,
)
from ansible_collections.egress.allowlist.plugins.module_utils._snapshot import SNAPSHOT_FORMAT, opened, sealed
from ansible_collections.egress.allowlist.plugins.module_utils._translation import (
    NARROW,
    WIDEN,
    require_acceptable,
)

STATES = ("replaced", "merged", "deleted", "gathered", "rendered", "restored")
RISKS = ("shared_hosting", "third_party", "retired")


def allowlist_argument_spec() -> Dict[str, Any]:
    """The options that every push module has; documented in the fragment ``allowlist``."""
    return {
        "name": {"type": "str", "default": "mmd"},
        "entries": {"type": "list", "elements": "raw"},
        "default_ports": {"type": "list", "elements": "str", "default": []},
        "intents": {"type": "list", "elements": "str", "choices": list(INTENTS)},
        "intents_by_risk": {"type": "dict", "default": {}},
        "clients": {"type": "list", "elements": "str"},
        "rules": {"type": "str", "choices": ["manage", "reference"], "default": "manage"},
        "state": {"type": "str", "choices": list(STATES), "default": "replaced"},
        "snapshot": {"type": "dict"},
        "widen": {"type": "str", "choices": list(WIDEN), "default": "apex"},
        "narrow": {"type": "str", "choices": list(NARROW), "default": "known"},
        "max_shrink": {"type": "int", "default": 25},
        "adopt": {"type": "bool", "default": False},
        "change_id": {"type": "str"},
    }


def run(driver_class: Type[Driver]) -> None:
    """Read, plan, apply: ``main()`` of every push module."""
    spec = dict(allowlist_argument_spec(), **driver_class.argument_spec)
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True)
    try:
        driver = driver_class(module.params, module.run_command)
        try:
            answer = Run(driver, module.params, module.check_mode).answer()
        except AllowlistError as error:
            raise AllowlistError(driver.masked(str(error))) from None
        finally:
            driver.close()
    except AllowlistError as error:
        module.fail_json(msg=str(error))
    if "snapshot" in answer:
        answer["snapshot"] = sealed(answer["snapshot"], module.no_log_values)
    for warning in answer.pop("warnings", []):
        module.warn(warning)
    missing = answer.pop("missing_rules", [])
    if missing:
        module.fail_json(msg=_ask_for_rules(missing), **answer)
    module.exit_json(**answer)


def _ask_for_rules(missing: Sequence[str]) -> str:
    return (
        "the lists are in place, but the site's own configuration does not use them yet. Add these before the site's "
        "own rules, put them in force (a reload, commit or activation), and run again:\n  {}".format(
            "\n  ".join(missing)
        )
    )


class Run:
    """One run against one appliance; ``answer()`` is what the module returns."""

    def __init__(self, driver: Driver, options: Mapping[str, Any], check_mode: bool) -> None:
        self.driver = driver
        self.options = options
        self.check_mode = check_mode
        self.state: str = options["state"]
        self.asked = self._asked_intents()
        self.usual = tuple(driver.supported(self.asked))

    def answer(self) -> Dict[str, Any]:
        self._require_options()
        wanted = self._wanted()
        if self.state == "rendered":
            return self._rendered(wanted)
        present = self.driver.read()
        if self.state == "gathered":
            return self._gathered(present)
        self._refuse_strangers(present)
        desired = self._desired(wanted, present)
        if desired.errors:
            raise ApplianceError("nothing was written:\n  - {}".format("\n  - ".join(desired.errors)))
        require_acceptable(desired.verdicts, self.options["widen"], self.options["narrow"])
        plan = self._plan(present, desired)
        if plan.changed:
            self.driver.check(desired)
            if not self.check_mode:
                self._write(present, desired)
        elif not self.check_mode:
            self.driver.sweep()
        return self._result(plan, present, desired)

    # What the options ask for

    def _asked_intents(self) -> Tuple[str, ...]:
        asked = self.options["intents"]
        if asked is None:
            return self.driver.intents
        missing = [intent for intent in asked if intent not in self.driver.intents]
        if missing:
            raise AllowlistError(
                f"intents: this appliance has no {', '.join(missing)}; it has {', '.join(self.driver.intents)}"
            )
        if not asked:
            raise AllowlistError(f"intents: empty, expected one or more of {', '.join(self.driver.intents)}")
        return tuple(intent for intent in INTENTS if intent in asked)

    def _require_options(self) -> None:
        entries, state = self.options["entries"], self.state
        if state in ("replaced", "merged", "rendered") and not entries:
            raise AllowlistError(
                f"entries: state: {state} needs at least one, got {'none' if entries is None else 'an empty list'}. "
                "To take everything away say so with state: deleted"
            )
        writes_rules = state in ("replaced", "merged", "rendered") or (state == "deleted" and entries)
        if writes_rules and not self.options["clients"]:
            raise AllowlistError(
                "clients: expected for whom the entries are (networks, or the site's own group), got nothing. "
                "Write 'any' to mean everyone; an allow rule without clients makes an open proxy"
            )
        if state == "restored" and self.options["snapshot"] is None:
            raise AllowlistError("snapshot: state: restored needs the `snapshot` that an earlier run returned")
        change_id = self.options["change_id"] or ""
        if not change_id.isprintable():
            raise AllowlistError(f"change_id: expected one line of printable text, got {change_id!r}")
        if not 0 <= self.options["max_shrink"] <= 100:
            raise AllowlistError(f"max_shrink: expected a percentage from 0 to 100, got {self.options['max_shrink']}")

    def _wanted(self) -> List[Holding]:
        removing = self.state == "deleted"
        ports = tuple(self.options["default_ports"]) or (("tcp/443",) if removing else ())  # what goes is found by name
        entries = normalise(
            self.options["entries"] or [], where="entries", default_ports=ports, require_ports=not removing
        )
        return [holding for holding in (self._holding(entry, ports) for entry in entries) if holding.intents]

    def _holding(self, entry: Entry, default_ports: Sequence[str]) -> Holding:
        by_risk = self.options["intents_by_risk"] or {}
        for risk, intents in by_risk.items():
            if risk not in RISKS:
                raise AllowlistError(f"intents_by_risk: unknown risk {shown(risk)}, expected one of {', '.join(RISKS)}")
            if not isinstance(intents, list) or any(intent not in INTENTS for intent in intents):
                raise AllowlistError(f"intents_by_risk.{risk}: expected a list of intents, got {shown(intents)}")
        allowed = by_risk.get(entry.risk, INTENTS)
        stated = replace(entry, ports=effective_ports(entry, default_ports))
        return Holding(stated, tuple(intent for intent in self.usual if intent in allowed))

    # What becomes of it

    def _desired(self, wanted: List[Holding], present: Present) -> Desired:
        if self.state == "restored":
            return self.driver.from_snapshot(opened(self.options["snapshot"], self.options["name"]))
        held = list(present.holdings)
        if self.state == "replaced":
            require_no_collapse(held, wanted, self.options["max_shrink"])
            after = wanted
        elif self.state == "merged":
            after = _merged(held, wanted)
        elif self.options["entries"]:
            gone = {holding.key for holding in wanted}
            after = [holding for holding in held if holding.key not in gone]
        else:
            after = []
        return self.driver.render(after, present)

    def _refuse_strangers(self, present: Present) -> None:
        if present.foreign and not self.options["adopt"]:
            raise ApplianceError(
                "found what carries our name and was not written by us: {}. Nothing was written. Rename it, choose "
                "another `name`, or take it over with adopt: true (look at --check --diff first)".format(
                    "; ".join(present.foreign)
                )
            )

    def _write(self, present: Present, desired: Desired) -> None:
        self.driver.apply(present, desired)
        found = self.driver.read()
        wrong = [name for name, text in desired.objects.items() if found.objects.get(name) != text]
        wrong += [name for name in found.objects if name not in desired.objects]
        if wrong:
            raise ApplianceError(
                "written, and read back it is not what was written: {}. Somebody or something else writes there; "
                "run again once that has stopped".format(", ".join(sorted(wrong)))
            )

    # What is told

    def _lines(self, holdings: Sequence[Holding], unread: Sequence[str] = ()) -> Tuple[str, ...]:
        lines = {holding.line(self.usual) for holding in holdings} | {f"unknown {raw}" for raw in unread}
        return tuple(sorted(lines))

    def _plan(self, present: Present, desired: Desired) -> Plan:
        driver = self.driver
        after = driver.holdings_of(desired.objects)
        return Plan(
            before=View(self._lines(present.holdings, present.unread), present.objects, driver.show(present.objects)),
            after=View(self._lines(after), desired.objects, driver.show(desired.objects)),
            live=present.live,
            explained=driver.explained(dict(present.objects, **desired.objects)),
        )

    def _result(self, plan: Plan, present: Present, desired: Desired) -> Dict[str, Any]:
        return dict(
            desired.facts,
            changed=plan.changed,
            before=list(plan.before.lines),
            after=list(plan.after.lines),
            added=plan.added,
            removed=plan.removed,
            translation=[verdict.as_dict() for verdict in desired.verdicts],
            snapshot=self._snapshot(present),
            commands=self.driver.commands(plan),
            diff=plan.diff(),
            warnings=list(desired.warnings),
            missing_rules=list(desired.missing_rules),
        )

    def _snapshot(self, present: Present) -> Dict[str, Any]:
        body = self.driver.snapshot(present)
        return dict(body, format=SNAPSHOT_FORMAT, appliance=type(self.driver).__name__, name=self.options["name"])

    def _gathered(self, present: Present) -> Dict[str, Any]:
        lines = list(self._lines(present.holdings, present.unread))
        gathered = [_gathered(holding) for holding in present.holdings]
        return dict(
            self.driver.gathered_facts(present),
            changed=False,
            before=lines,
            after=lines,
            added=[],
            removed=[],
            translation=[],
            commands=[],
            gathered=gathered,
            snapshot=self._snapshot(present),
        )

    def _rendered(self, wanted: List[Holding]) -> Dict[str, Any]:
        desired = self.driver.render_offline(wanted)
        lines = self._lines(self.driver.holdings_of(desired.objects))
        return dict(
            desired.facts,
            changed=False,
            rendered={"entries": list(lines), "objects": dict(desired.objects)},
            translation=[verdict.as_dict() for verdict in desired.verdicts],
            warnings=list(desired.warnings),
        )


def _gathered(holding: Holding) -> Dict[str, Any]:
    entry = holding.entry
    return {
        "type": entry.type,
        "value": entry.value,
        "path": entry.path,
        "ports": list(entry.ports),
        "intents": list(holding.intents),
    }


def _merged(held: Sequence[Holding], wanted: Sequence[Holding]) -> List[Holding]:
    """Everything held and everything wanted; the same entry twice keeps the ports and intents of both."""
    found: Dict[Tuple[str, str, Optional[str]], Holding] = {}
    for holding in [*held, *wanted]:
        other = found.get(holding.key, holding)
        intents = tuple(i for i in INTENTS if i in other.intents or i in holding.intents)
        found[holding.key] = Holding(merge([other.entry, holding.entry])[0], intents)
    return list(found.values())
