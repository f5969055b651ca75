# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the site's rules let what we allow through, for each way to attach: errors, missing lines, notes."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from typing import Any, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_files import Files
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_kernel import Place, Ruleset
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_networks import set_word
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_site import Site, verdicts
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_tables import VERSIONS, Shape, site_part
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_text import rule_text
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

DEEPEST_INCLUDE = 8


@dataclass
class Findings:
    """What is told: ``missing`` with place, ``rules`` as lines to copy."""

    errors: List[str] = field(default_factory=list)
    warnings: List[str] = field(default_factory=list)
    missing: List[str] = field(default_factory=list)
    rules: List[str] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)


class Policy:
    """What was asked for, as far as the site's rules matter for it."""

    def __init__(
        self,
        options: Mapping[str, Any],
        shape: Shape,
        site: Optional[Place],
        files: Files,
        with_names: bool,
        holdings: Sequence[Holding],
    ) -> None:
        self.shape = shape
        self.site = site
        self.include = files.include
        self.config_file: str = options["config_file"]
        self.attach: str = options["attach"]
        self.reference = options["rules"] == "reference"
        self.with_names = with_names
        self.holdings = holdings
        uses: Set[Tuple[str, ...]] = {holding.intents for holding in holdings}
        self.values = sorted({shape.value(intents) for intents in uses})
        self._require_allow(uses)
        self._require_family()

    def _require_family(self) -> None:
        seen = VERSIONS[self.site[0]] if self.site is not None else (4, 6)
        for holding in self.holdings:
            if holding.entry.type == "network" and holding.entry.network.version not in seen:
                raise AllowlistError(
                    f"site_table: a table of family {self.site[0] if self.site else ''} never sees packets for "
                    f"{holding.entry.value}; take a table of family inet, or leave the entry out"
                )

    def _require_allow(self, uses: Iterable[Tuple[str, ...]]) -> None:
        if self.attach != "mark" and any("allow" not in intents for intents in uses):
            raise AllowlistError(
                f"intents: attach: {self.attach} decides what is allowed, so each entry needs the intent allow; for "
                "bypass_content_inspection alone take attach: mark"
            )

    @property
    def allow(self) -> int:
        return self.shape.bits["allow"]

    @property
    def bypass(self) -> int:
        return self.shape.bits["bypass_content_inspection"]

    def site_rules(self) -> List[str]:
        """The lines that the site adds."""
        if self.attach == "mark":
            return [accept_line(self.allow)] if any(value & self.allow for value in self.values) else []
        if self.site is None:
            return []
        lines = [f'include "{self.include}"']
        if not self.reference:
            return [*lines, f"jump {self.shape.table}"]
        elements = self.elements()
        part = site_part(self.shape, self.site, elements, self.with_names, with_chain=True)
        return lines + [rule_text(expr) for _unused, expr in part.rules]

    def elements(self) -> Mapping[str, Sequence[str]]:
        """Names of our sets of networks; the rules do not depend on what is in them."""
        networks = [holding for holding in self.holdings if holding.entry.type == "network"]
        return {f"networks{one.entry.network.version}_{set_word(one.intents)}": () for one in networks}

    def offline(self) -> Findings:
        return Findings(rules=self.site_rules())


def accept_line(bit: int) -> str:
    return f"meta mark & 0x{bit:08x} == 0x{bit:08x} accept"


def judge(policy: Policy, ruleset: Ruleset) -> Findings:
    """Look at the running rules of everybody else."""
    site = Site(ruleset, policy.shape)
    found = Findings(rules=policy.site_rules())
    for title in site.early_denies():
        found.errors.append(
            f"{title} decides before our mark is set at priority {policy.shape.priority}; choose a lower priority"
        )
    for title in site.sets_bits(policy.allow | policy.bypass):
        found.warnings.append(
            f"{title} sets a bit of the packet mark that we use; what it marks may pass for allowed. Choose another "
            "mark or bypass_mark"
        )
    if policy.attach == "include":
        _judge_include(policy, site, ruleset, found)
    else:
        _judge_mark(policy, site, found)
        _judge_inspection(policy, site, found)
    return found


def _judge_mark(policy: Policy, site: Site, found: Findings) -> None:
    chains = site.forward_chains()
    line = accept_line(policy.allow)
    for base in site.blocking([value for value in policy.values if value & policy.allow]):
        found.missing.append(f"{base.title}, before it drops: {line}")
        if line not in found.rules:
            found.rules.append(line)
    if policy.attach == "mark" and not any(base.drops or _ends_in_drop(site, base) for base in chains):
        found.warnings.append(
            "no chain of the site drops forwarded traffic, so everything passes and the list limits nothing; give its "
            "forward chain `policy drop`, or take attach: own"
        )


def _ends_in_drop(site: Site, base: Any) -> bool:
    return any(verdicts(rule.expr) & {"drop", "reject"} for rule in site.rules(base))


def _judge_inspection(policy: Policy, site: Site, found: Findings) -> None:
    uninspected = [value for value in policy.values if value & policy.bypass]
    inspectors = site.inspected(uninspected) if uninspected else []
    for title, reason in inspectors:
        line = accept_line(policy.bypass)
        if reason:
            found.errors.append(f"{title} hands packets to an inspector, and {reason}")
            continue
        found.missing.append(f"{title}, before it queues: {line}")
        if line not in found.rules:
            found.rules.insert(0, line)
    inspected = [value for value in policy.values if value & policy.allow and not value & policy.bypass]
    for value in inspected:
        for title in site.accepts_before_queue(value):
            found.warnings.append(
                f"{title} accepts our mark before its inspector sees the packet, so entries without "
                "bypass_content_inspection are not inspected either; accept "
                f"{policy.bypass:#x} before the inspector and {policy.allow:#x} behind it"
            )
    if uninspected and not inspectors and not any(site.queue_in(place) for place in site.places()):
        found.notes.append("bypass_content_inspection: no rule of the site sends packets to an inspector")


def _judge_include(policy: Policy, site: Site, ruleset: Ruleset, found: Findings) -> None:
    place = policy.site
    if place is None:
        return
    if place not in ruleset.tables:
        there = ", ".join(" ".join(one) for one in site.places()) or "none"
        found.errors.append(f"site_table: there is no table {' '.join(place)}; the host has {there}")
        return
    title = " ".join(place)
    if not _includes(policy.config_file, policy.include):
        found.missing.append(f'table {title} in {policy.config_file}: include "{policy.include}"')
    if not policy.reference:
        if not site.jumps_to(place, policy.shape.table):
            found.missing.append(f"forward chain of table {title}, before it drops: jump {policy.shape.table}")
    else:
        for name in sorted(policy.elements()):
            own = f"{policy.shape.table}-{name}"
            if not site.uses_set(place, own):
                found.missing.append(f"forward chain of table {title}: a rule that accepts @{own} (see `rules`)")
    if site.queue_in(place) and any(not value & policy.bypass for value in policy.values):
        found.errors.append(
            f"attach: include accepts packets before the inspector of table {title} sees them, and some entries are "
            "without bypass_content_inspection; take attach: mark"
        )


def _includes(path: str, wanted: str, depth: int = 0) -> bool:
    """Whether a file of the site, or one that it includes, names ours."""
    if depth > DEEPEST_INCLUDE:
        return False
    for name in _included(path):
        if name == wanted:
            return True
        if name != path and os.path.isfile(name) and _includes(name, wanted, depth + 1):
            return True
    return False


def _included(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            lines = [line.strip() for line in handle]
    except OSError:
        return []
    found: List[str] = []
    for line in lines:
        if line.startswith("include "):
            name = line[len("include ") :].strip().strip("\"';")
            full = name if name.startswith("/") else os.path.join(os.path.dirname(path), name)
            found += [full, *sorted(glob.glob(full))]
    return found
