# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nftables driver: two tables of ours on a Linux firewall, and one file of dnsmasq that fills the second."""

from __future__ import annotations

import os
import re
from typing import Any, ClassVar, Dict, FrozenSet, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import (
    Desired,
    Driver,
    Present,
    RunCommand,
    require_name,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_apply import (
    Change,
    carry_out,
    inside_key,
    table_key,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dnsmasq import (
    Dnsmasq,
    clashes,
    config_text,
    record_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_files import (
    Files,
    commands_of,
    notes,
    without_change_id,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_kernel import (
    Nft,
    Ruleset,
    commands_text,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_names import Domains, Names, lines
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_networks import network_elements
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_options import (
    ARGUMENT_SPEC,
    missing_interfaces,
    require_paths,
    require_rules,
    shape_of,
    site_table,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import (
    Command,
    Part,
    part_from_text,
    require_addresses,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_policy import Policy, judge
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_tables import (
    FAMILY,
    MARKER,
    Shape,
    empty_site_part,
    main_part,
    names_part,
    site_part,
)
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_text import include_text
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_view import Held, group_counters, shown
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding, Plan, shortened
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict

USUAL_NFT = "/usr/sbin/nft"


class NftablesDriver(Driver):
    """Reads and writes through Nft, Dnsmasq and Files; what the site's rules mean is judged by Policy."""

    intents: ClassVar[Tuple[str, ...]] = ("allow", "bypass_content_inspection")
    argument_spec: ClassVar[Dict[str, Any]] = ARGUMENT_SPEC

    def __init__(self, options: Mapping[str, Any], run_command: RunCommand) -> None:
        super().__init__(options, run_command)
        self.name = require_name(options["name"])
        require_rules(options)
        require_paths(options)
        self.site_table = site_table(options)
        self.files = Files(self.name, options["directory"], options["dnsmasq_dir"], options["service_dir"])
        self.main = (FAMILY, f"egress_{self.name}")
        self.names = (FAMILY, f"egress_{self.name}-dns")
        self.dnsmasq = Dnsmasq(
            run_command,
            options["dnsmasq_dir"],
            options["dnsmasq_restart"],
            options["dnsmasq_timeout"],
            options["dnsmasq_executable"] or "",
        )
        self._nft: Optional[Nft] = None
        self._ruleset: Optional[Ruleset] = None
        self._present = Present()
        self._wanted: Tuple[Mapping[str, str], Sequence[Holding]] = ({}, ())
        self._change: Optional[Change] = None

    @property
    def nft(self) -> Nft:
        if self._nft is None:
            self._nft = Nft(self.run_command, self.options["executable"])
        return self._nft

    # Reading

    def read(self) -> Present:
        self.files.lock()
        ruleset = self._ruleset = self.nft.ruleset()
        objects = self.files.read()
        foreign = self.files.foreign(objects)
        for place in ruleset.tables:
            own = place in (self.main, self.names)
            found = ruleset.objects(place) if own else ruleset.named(place, self.main[1])
            if own or found:
                key = (table_key if own else inside_key)(*place)
                part = self.nft.part(place, found)
                objects[key] = part.text()
                if MARKER not in part.sets and f"{self.main[1]}-{MARKER}" not in part.sets:
                    foreign.append(key)
        held = self._held(objects)
        live = self._is_live(objects)
        self._present = Present(tuple(held.holdings), objects, tuple(held.unread), live, tuple(foreign))
        return self._present

    def _is_live(self, objects: Mapping[str, str]) -> bool:
        """Whether the running dnsmasq has read our file as it is, or knows nothing of us where there is none."""
        process = self.dnsmasq.process()
        if process is None:
            return True  # it reads its files when it starts
        expected = record_of(objects.get(self.files.dnsmasq, ""))
        found = self.dnsmasq.loaded(process, self.name)
        return found == expected or (found is None and not expected)

    def _held(self, objects: Mapping[str, str]) -> Held:
        tables = [text for key, text in objects.items() if key == table_key(*self.main) or key.startswith("in table ")]
        return Held(objects.get(self.files.rules, ""), objects.get(self.files.dnsmasq), tables)

    def holdings_of(self, objects: Mapping[str, str]) -> Sequence[Holding]:
        if objects is self._wanted[0]:
            return self._wanted[1]  # what was just written need not be read again
        return self._held(objects).holdings

    def gathered_facts(self, present: Present) -> Dict[str, Any]:
        counted = {}
        for key in present.objects:
            if key.startswith(("table ", "in table ")):
                family, table = key.split(" ")[-2:]
                counted.update(self.nft.counted((family, table)))
        rules, dnsmasq = (present.objects.get(path, "") for path in (self.files.rules, self.files.dnsmasq))
        return {"counters": group_counters(rules, dnsmasq, counted)}

    # Rendering

    def render(self, holdings: Sequence[Holding], present: Present) -> Desired:
        ruleset = self._ruleset or self.nft.ruleset()
        if not holdings:
            return Desired(objects=self._nothing(ruleset))
        return self._rendered(holdings, ruleset, present)

    def render_offline(self, holdings: Sequence[Holding]) -> Desired:
        return self._rendered(holdings, None, Present())

    def _rendered(self, holdings: Sequence[Holding], ruleset: Optional[Ruleset], present: Present) -> Desired:
        shape = shape_of(self.options)
        holdings = sorted(holdings, key=lambda holding: holding.entry.sort_key)  # equal lists are equal bytes
        networks = [holding for holding in holdings if holding.entry.type == "network"]
        hosts = [holding for holding in holdings if holding.entry.type == "host"]
        names, verdicts = self._names(hosts)
        domains = Domains(names.written, shape.lifetime)
        written = {one.holding.entry.key: one.domains for one in names.written}
        elements = network_elements(networks)
        carried = networks + [one.holding for one in names.written]
        policy = Policy(self.options, shape, self.site_table, self.files, bool(domains.uses), carried)
        objects = self._objects(shape, elements, domains, notes(self.name, self._change_id, carried, written))
        objects = {**(self._nothing(ruleset) if ruleset is not None else {}), **objects}
        found = judge(policy, ruleset) if ruleset is not None else policy.offline()
        errors = [*found.errors, *(self._dnsmasq_errors(domains) if ruleset is not None and domains.uses else [])]
        kept = self._keep_change_id(objects, present)
        self._wanted = (kept, carried)
        return Desired(
            objects=kept,
            verdicts=tuple(verdicts),
            warnings=(*found.warnings, *_interface_warnings(shape, ruleset)),
            errors=tuple(errors),
            missing_rules=tuple(found.missing),
            facts={"rules": list(found.rules), "notes": list(found.notes)},
        )

    def _names(self, hosts: Sequence[Holding]) -> Tuple[Names, List[Verdict]]:
        options = self.options
        if options["names"] == "dnsmasq":
            names = Names(hosts, options["widen"], options["narrow"], options["known_names"])
            return names, names.verdicts
        if options["names"] == "fail" and hosts:
            lines_ = "\n  - ".join(holding.entry.line(()) for holding in hosts)
            raise AllowlistError(
                f"names: fail: {len(hosts)} of the entries are names, and a packet filter knows addresses only; "
                "nothing was written. Take names: dnsmasq (addresses as the clients' resolver learns them), names: "
                f"skip (networks only), or a proxy:\n  - {lines_}"
            )
        lost = "the name: names: skip leaves names to another way out, such as a proxy"
        verdicts = [Verdict(holding.entry.line(()), holding.intents, lost=lost, loses="foreign") for holding in hosts]
        return Names([], "any", "any", []), verdicts

    def _dnsmasq_errors(self, domains: Domains) -> List[str]:
        process = self.dnsmasq.process()
        if process is None:
            return [self.dnsmasq.why_none()]
        return clashes(domains.class_of, self.dnsmasq.other_lines(self.files.dnsmasq))

    def _objects(
        self, shape: Shape, elements: Mapping[str, Sequence[str]], domains: Domains, noted: Sequence[Command]
    ) -> Dict[str, str]:
        parts: Dict[str, Part] = {}
        objects: Dict[str, str] = {}
        if self.site_table is None:
            parts[table_key(*self.main)] = main_part(shape, elements)
        else:
            chain = self.options["rules"] == "manage"
            inside = site_part(shape, self.site_table, elements, bool(domains.uses), chain)
            parts[inside_key(*self.site_table)] = inside
            objects[self.files.include] = include_text(self.files.head, inside)
        if domains.uses:
            parts[table_key(*self.names)] = names_part(shape, domains)
            objects[self.files.dnsmasq] = config_text(self.files.head, self.name, lines(domains, self.names[1]))
        objects[self.files.rules] = commands_text([*noted, *self._loaded(parts)])
        objects[self.files.service] = self._service_text(bool(domains.uses))
        objects.update({key: part.text() for key, part in parts.items()})
        return objects

    def _loaded(self, parts: Mapping[str, Part]) -> List[Command]:
        """What the persistent file loads, after a boot or a flushed ruleset.

        While the table that DNS fills is there, nft either refuses the file as a whole (1.0.6) or keeps the sets and
        writes the rules anew (1.1.3), so nothing that was learnt is lost.
        """
        commands: List[Command] = []
        main, names = parts.get(table_key(*self.main)), parts.get(table_key(*self.names))
        if main is not None:
            commands += [main.table_command("add"), main.table_command("delete"), main.table_command("add")]
            commands += main.added()
        if names is not None:
            commands += [names.table_command("add"), *names.added_sets(names.sets), *names.added_chains()]
            commands += [*names.named("flush", "chain", names.chains), *names.added_rules()]
        return commands

    def _service_text(self, with_names: bool) -> str:
        nft = os.path.realpath(self.nft.executable) if self._nft is not None else USUAL_NFT
        load = f"{nft} -j -f {self.files.rules}"
        # A cached answer adds nothing to a set, so dnsmasq has to forget what it knew before the sets were lost.
        forget = "-/bin/systemctl --no-block try-reload-or-restart dnsmasq.service"
        words = [f"ExecStartPost={load}"] + ([f"ExecStartPost={forget}"] if with_names else [])
        # A site whose own file flushes nothing keeps our tables through a reload: then there is nothing to load.
        words += [f"ExecReload=-{load}"] + ([f"ExecReload={forget}"] if with_names else [])
        return self.files.head + "[Service]\n" + "".join(f"{word}\n" for word in words)

    @property
    def _change_id(self) -> str:
        return self.options["change_id"] or ""

    def _keep_change_id(self, objects: Dict[str, str], present: Present) -> Dict[str, str]:
        """A change id alone never causes a change: the line of the last real change stays."""
        old = present.objects.get(self.files.rules, "")
        if old and without_change_id(old) == without_change_id(objects[self.files.rules]):
            return dict(objects, **{self.files.rules: old})
        return objects

    def _nothing(self, ruleset: Ruleset) -> Dict[str, str]:
        """Nothing at all, unless the site's own rules jump to our chain: then it stays, and is empty."""
        for place in ruleset.tables:
            if place not in (self.main, self.names) and self._is_used(ruleset, place):
                part = empty_site_part(self.main[1], place)
                return {inside_key(*place): part.text(), self.files.include: include_text(self.files.head, part)}
        return {}

    def _is_used(self, ruleset: Ruleset, place: Tuple[str, str]) -> bool:
        chains = (name for name in ruleset.chains(place) if name != self.main[1])
        target = {"target": self.main[1]}
        return any(
            one.get("jump") == target or one.get("goto") == target
            for chain in chains for expr in ruleset.rules(place, chain) for one in expr
        )

    # Checking and writing

    def check(self, desired: Desired) -> None:
        """nft's and dnsmasq's own parsers look at what is new, before anything is live."""
        texts = (self._present.objects, desired.objects)
        self._change = Change(self.nft, self.files, table_key(*self.names), *texts)
        text = self._change.first_text()
        if text:
            with self.files.aside(text) as path:
                self.nft.transact(path, check=True)
        include = desired.objects.get(self.files.include)
        if include is not None and self.site_table is not None:
            family, table = self.site_table
            with self.files.aside(f"table {family} {table}_egress_check {{\n{include}}}\n") as path:
                self.nft.transact(path, check=True, as_json=False)
        dnsmasq = desired.objects.get(self.files.dnsmasq)
        if dnsmasq is not None and (dnsmasq != texts[0].get(self.files.dnsmasq) or not self._present.live):
            with self.files.aside(dnsmasq) as path:
                self.dnsmasq.check(path)

    def apply(self, present: Present, desired: Desired) -> None:
        texts = (present.objects, desired.objects)
        change = self._change or Change(self.nft, self.files, table_key(*self.names), *texts)
        carry_out(change, self.files, self.dnsmasq, texts, present.live, self.run_command)

    def commands(self, plan: Plan) -> List[Dict[str, Any]]:
        if self._change is None:
            return []
        sent = self._change.first_text()
        found = [dict(shortened(sent), action="load", object="nft -j -f")] if sent else []
        found += [one for one in plan.commands if one["object"] in self.files.paths]
        before, after = (view.objects.get(self.files.dnsmasq) for view in (plan.before, plan.after))
        if before != after or not plan.live:
            found.append({"action": "restart", "object": "dnsmasq"})
        return found

    # For people, and back

    def show(self, objects: Mapping[str, str]) -> Dict[str, str]:
        return shown(objects, self.files.rules)

    def explained(self, objects: Mapping[str, str]) -> FrozenSet[str]:  # noqa: ARG002  # the same for all
        return frozenset((self.files.rules, self.files.dnsmasq, self.files.include))

    def from_snapshot(self, snapshot: Mapping[str, Any]) -> Desired:
        objects = snapshot["objects"]
        for key, text in objects.items():
            if not isinstance(text, str) or not self._is_ours(key, text):
                raise AllowlistError(
                    f"snapshot: {key!r} is no object of name {self.name} on this host, or not in a form that this "
                    "version writes; it was taken elsewhere"
                )
        return Desired(objects=dict(objects) or self._nothing(self._ruleset or self.nft.ruleset()))

    def _is_ours(self, key: str, text: str) -> bool:
        own = (self.main[1], self.names[1])
        if key in (table_key(*self.main), table_key(*self.names)) or key.startswith("in table "):
            part = part_from_text(text)
            require_addresses(part)
            if not key.endswith(f" {part.family} {part.table}"):
                return False
            inside = not key.startswith("table ")
            return not inside or all(name.startswith(own[0]) for name in (*part.sets, *part.chains, *part.elements))
        if key == self.files.rules:
            return all(_touches_only(command, own) for command in commands_of(text))
        if key == self.files.service:
            return text in (self._service_text(True), self._service_text(False))
        if key == self.files.dnsmasq:
            return all(re.match(r"^(#.*|txt-record=egress_\S+|nftset=/\S+)$", line) for line in text.splitlines())
        return key == self.files.include

    def sweep(self) -> None:
        self.files.sweep()

    def close(self) -> None:
        self.files.unlock()


def _touches_only(command: Mapping[str, Any], tables: Tuple[str, ...]) -> bool:
    if list(command) == ["metainfo"]:
        return True
    for verb, target in command.items():
        for kind, body in target.items():
            table = body.get("name") if kind == "table" else body.get("table")
            if verb not in ("add", "delete", "flush") or body.get("family") != FAMILY or table not in tables:
                return False
    return True


def _interface_warnings(shape: Shape, ruleset: Optional[Ruleset]) -> List[str]:
    missing = missing_interfaces(shape.clients) if ruleset is not None else []
    return [
        f"clients: this host has no interface {name} now; until it has, nothing is allowed for it" for name in missing
    ]
