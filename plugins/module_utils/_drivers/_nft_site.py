# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site's own rules mean for ours: where our mark has to be accepted, and whether it is. Pure."""

from __future__ import annotations

import ipaddress
from typing import Any, FrozenSet, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_kernel import Place, Ruleset
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import element_text
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_tables import Shape

FAMILIES = ("inet", "ip", "ip6")
_XT_TARGETS = {"NFQUEUE": "queue", "REJECT": "reject", "DROP": "drop", "ACCEPT": "accept"}
_WHO = ("iif", "oif", "iifname", "oifname", "nfproto", "protocol", "l4proto")


class Rule(NamedTuple):
    """One rule on the way of a packet through a chain and the chains that it jumps to."""

    chain: str
    expr: Sequence[Any]
    conditional: bool  # it stands in a chain that only some packets come to


class Base(NamedTuple):
    """One of the site's chains in the forward hook."""

    place: Place
    name: str
    priority: int
    drops: bool  # its policy

    @property
    def title(self) -> str:
        return f"chain {self.name} of table {' '.join(self.place)}"


class Site:
    """The rules of everybody but us."""

    def __init__(self, ruleset: Ruleset, shape: Shape) -> None:
        self._ruleset = ruleset
        self._shape = shape
        self._own = (f"egress_{shape.name}", f"egress_{shape.name}-dns")

    def places(self) -> List[Place]:
        return [place for place in self._ruleset.tables if place[1] not in self._own and place[0] in FAMILIES]

    def forward_chains(self) -> List[Base]:
        found = []
        for place in self.places():
            if place[1].startswith("egress_") and place[0] == "inet":
                continue  # another list of ours
            for name, body in sorted(self._ruleset.chains(place).items()):
                if body.get("hook") == "forward":
                    found.append(Base(place, name, _priority(body), body.get("policy") == "drop"))
        return [base for base in found if self._concerns(base.place[0])]

    def _concerns(self, family: str) -> bool:
        versions = self._shape.clients.versions
        return family == "inet" or (family == "ip" and 4 in versions) or (family == "ip6" and 6 in versions)

    def rules(self, base: Base) -> Iterator[Rule]:
        yield from self._walk(base.place, base.name, False, frozenset())

    def _walk(self, place: Place, chain: str, conditional: bool, seen: FrozenSet[str]) -> Iterator[Rule]:
        if chain in seen or chain == self._own[0]:  # what stands in a chain of ours is about to change
            return
        for expr in self._ruleset.rules(place, chain):
            for target in _targets(expr):
                elsewhere = conditional or not all(map(self._is_our_source, _conditions(expr)))
                yield from self._walk(place, target, elsewhere, seen | {chain})
            yield Rule(chain, expr, conditional)

    # Which lines are missing

    def blocking(self, values: Sequence[int]) -> List[Base]:
        """Chains that would drop what carries one of these marks."""
        return [
            base for base in self.forward_chains()
            if base.priority > self._shape.priority and not all(self._passes(base, value) for value in values)
        ]

    def _passes(self, base: Base, value: int) -> bool:
        """Whether a packet of a client with this mark leaves the chain alive, as far as the rules tell."""
        for rule in self.rules(base):
            if _accepts_mark(rule.expr, value) or _accepts_all(rule):
                return True
            if self._denies(rule):
                return False
        return not base.drops

    def _denies(self, rule: Rule) -> bool:
        """A default-deny: a drop without conditions, or one that asks only where a packet comes from."""
        if rule.conditional or not verdicts(rule.expr) & {"drop", "reject"}:
            return False
        return all(self._is_about_clients(one) for one in _conditions(rule.expr))

    def _is_about_clients(self, condition: Mapping[str, Any]) -> bool:
        left = condition["left"]
        if not isinstance(left, dict):
            return False
        if left.get("meta", {}).get("key") in _WHO:
            return True
        if left.get("ct", {}).get("key") == "state":
            return "new" in str(condition["right"]) and "invalid" not in str(condition["right"])
        return self._is_our_source(condition)

    def _is_our_source(self, condition: Mapping[str, Any]) -> bool:
        left = condition["left"]
        payload = left.get("payload", {}) if isinstance(left, dict) else {}
        return payload.get("field") == "saddr" and self._meets_clients(condition["right"])

    def _meets_clients(self, right: Any) -> bool:
        try:
            network = ipaddress.ip_network(element_text(right))
        except ValueError:
            return False
        if network.prefixlen == network.max_prefixlen:
            return False  # one host that the site blocks is no policy
        ours = [ipaddress.ip_network(text) for text in self._shape.clients.networks.get(network.version, ())]
        return self._shape.clients.everyone or any(network.overlaps(one) for one in ours)

    def inspected(self, values: Iterable[int]) -> List[Tuple[str, str]]:
        """Rules that hand packets with our mark for uninspected traffic to an inspector: (place, reason)."""
        found = []
        for place in self.places():
            for name, body in sorted(self._ruleset.chains(place).items()):
                if body.get("hook") not in ("forward", "prerouting", "postrouting", "input", "output"):
                    continue
                base = Base(place, name, _priority(body), False)
                if not self._queues(base, values):
                    continue
                later = body["hook"] == "forward" and base.priority > self._shape.priority
                if later or body["hook"] == "postrouting":
                    found.append((base.title, ""))
                elif body["hook"] in ("prerouting", "forward"):
                    found.append((base.title, "it runs before our mark is set; move it to the forward hook"))
        return found

    def _queues(self, base: Base, values: Iterable[int]) -> bool:
        for value in values:
            for rule in self.rules(base):
                if _accepts_mark(rule.expr, value):
                    break
                if "queue" in verdicts(rule.expr) and mark_allows(rule.expr, value):
                    return True
        return False

    def accepts_before_queue(self, value: int) -> List[str]:
        """Chains with an inspector that accept this mark before it sees the packet."""
        found = []
        for base in self.forward_chains():
            accepted = False
            for rule in self.rules(base):
                accepted = accepted or _accepts_mark(rule.expr, value)
                if accepted and "queue" in verdicts(rule.expr):
                    found.append(base.title)
                    break
        return found

    def early_denies(self) -> List[str]:
        """Default-denies that decide before our mark is set."""
        return [
            base.title for base in self.forward_chains()
            if base.priority <= self._shape.priority and not self._passes(base, 0)
        ]

    def sets_bits(self, bits: int) -> List[str]:
        """Rules of others, after our chain has cleared our bits, that set one of them."""
        found = []
        for place in self.places():
            for name in sorted(self._ruleset.chains(place)):
                if place[1].startswith("egress_"):
                    continue
                for expr in self._ruleset.rules(place, name):
                    if any(_sets_mark(one.get("mangle"), bits) for one in expr if isinstance(one, dict)):
                        found.append(f"chain {name} of table {' '.join(place)}")
                        break
        return found

    # What uses ours inside a table of the site

    def jumps_to(self, place: Place, chain: str) -> bool:
        return any(
            chain in _targets(expr)
            for name in self._ruleset.chains(place) if name != chain
            for expr in self._ruleset.rules(place, name)
        )

    def uses_set(self, place: Place, name: str) -> bool:
        return any(
            f"@{name}" in str(expr)
            for chain in self._ruleset.chains(place) for expr in self._ruleset.rules(place, chain)
        )

    def queue_in(self, place: Place) -> bool:
        return any(
            "queue" in verdicts(expr)
            for chain in self._ruleset.chains(place) for expr in self._ruleset.rules(place, chain)
        )


def _priority(body: Mapping[str, Any]) -> int:
    return int(body.get("prio", 0))


def _targets(expr: Sequence[Any]) -> List[str]:
    """Chains that a rule sends packets to, also by a map of verdicts that stands in the rule itself."""
    found = []
    for one in expr:
        verdicts = [one]
        data = one["vmap"].get("data") if "vmap" in one else None
        if isinstance(data, dict) and isinstance(data.get("set"), list):
            verdicts = [pair[1] for pair in data["set"] if isinstance(pair, list) and isinstance(pair[-1], dict)]
        found += [str(each[verb]["target"]) for each in verdicts for verb in ("jump", "goto") if verb in each]
    return found


def verdicts(expr: Sequence[Any]) -> Set[str]:
    """accept, drop, reject, queue: what becomes of a packet; rules of iptables-nft say it as ``xt`` targets."""
    found = {key for one in expr for key in one if key in ("accept", "drop", "reject", "queue")}
    for one in expr:
        xt = one.get("xt")
        if isinstance(xt, dict) and xt.get("type") == "target":
            found.add(_XT_TARGETS.get(str(xt.get("name")), ""))
    return found - {""}


def _conditions(expr: Sequence[Any]) -> List[Mapping[str, Any]]:
    """What a packet has to meet; what cannot be read counts as a condition."""
    found = []
    for one in expr:
        if "match" in one:
            found.append(one["match"])
        elif one.get("xt") and one["xt"].get("type") == "target":
            continue
        elif not any(key in one for key in ("counter", "log", "limit", "accept", "drop", "reject", "comment", "jump",
                                            "goto", "mangle", "return", "queue")):
            found.append({"left": None, "right": one, "op": "=="})
    return found


def _accepts_mark(expr: Sequence[Any], value: int) -> bool:
    """Whether the rule accepts packets because of this mark; it may ask who sends them too, and nothing else."""
    if "accept" not in verdicts(expr):
        return False
    conditions = _conditions(expr)
    about_mark = [one for one in conditions if _mark_mask(one["left"]) is not None]
    rest = [one for one in conditions if one not in about_mark]
    return bool(about_mark) and all(_holds(one, value) for one in about_mark) and all(map(_is_who, rest))


def _accepts_all(rule: Rule) -> bool:
    return "accept" in verdicts(rule.expr) and not rule.conditional and not _conditions(rule.expr)


def _is_who(condition: Mapping[str, Any]) -> bool:
    left = condition["left"]
    if not isinstance(left, dict):
        return False
    return (
        left.get("meta", {}).get("key") in _WHO
        or left.get("payload", {}).get("field") == "saddr"
        or (left.get("ct", {}).get("key") == "state" and "new" in str(condition["right"]))
    )


def mark_allows(expr: Sequence[Any], value: int) -> bool:
    """Whether what the rule asks of the mark holds for this one."""
    about_mark = [one for one in _conditions(expr) if _mark_mask(one["left"]) is not None]
    return all(_holds(one, value) for one in about_mark)


def _mark_mask(left: Any) -> Optional[int]:
    """The mask under which a condition looks at the packet's mark; None where it looks at something else."""
    if not isinstance(left, dict):
        return None
    if left.get("meta", {}).get("key") == "mark":
        return 0xFFFFFFFF
    if "&" in left and isinstance(left["&"], list) and len(left["&"]) == 2:
        value, mask = left["&"]
        if isinstance(value, dict) and value.get("meta", {}).get("key") == "mark" and isinstance(mask, int):
            return mask
    return None


def _holds(condition: Mapping[str, Any], value: int) -> bool:
    seen = value & (_mark_mask(condition["left"]) or 0)
    right = condition["right"]
    values = right["set"] if isinstance(right, dict) and isinstance(right.get("set"), list) else [right]
    return bool(seen in values) != bool(condition["op"] == "!=")


def _sets_mark(mangle: Any, bits: int) -> bool:
    if not isinstance(mangle, dict) or mangle.get("key", {}).get("meta", {}).get("key") != "mark":
        return False
    value = mangle.get("value")
    if isinstance(value, dict) and "|" in value:
        value = value["|"][-1]
    return isinstance(value, int) and bool(value & bits)
