# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects and rules of ours on PAN-OS, from entries and back. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Form, below
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._panos import PanosUrl
from ansible_collections.egress.allowlist.plugins.module_utils._dialects._translate import Accepted, Translation
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._panos_xml import (
    canonical,
    element,
    from_canonical,
    members,
    members_of,
    text_of,
)
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._lists import EntryClass
from ansible_collections.egress.allowlist.plugins.module_utils._marks import Mark, read_mark
from ansible_collections.egress.allowlist.plugins.module_utils._objects import address_name
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict, without_udp

INTENTS = ("allow", "bypass_tls_inspection", "bypass_content_inspection", "bypass_authentication")
LONGEST_NAME = 63  # of an address; those of rules and lists are far shorter here
LONGEST_MEMBER = 255
MOST_MEMBERS = 25_000
ACTIONS = {
    "decryption": (("action", "no-decrypt"),),
    "authentication": (("authentication-enforcement", "default-no-captive-portal"),),
}


class PanosCategory(PanosUrl):
    """A custom URL category. What is read back from it must say as much as it allows, so ``^`` stands only for a
    label between others."""

    name = "panos_category"
    most_lines = MOST_MEMBERS

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.form == "glued":
            yield Form((f"*.{pattern.base}/",), (below(pattern.base),), True)
        else:
            yield from super().forms(pattern)


@dataclass(frozen=True)
class Policy:
    """What the rules of all classes have in common."""

    sources: Tuple[str, ...]
    from_zones: Tuple[str, ...]
    to_zones: Tuple[str, ...]
    profile_group: str
    log_setting: str


def translated(found: EntryClass, accepted: Accepted) -> Tuple[List[str], List[Verdict]]:
    """The members of a category, all of them: an entry below another one stays, so that it outlives the other."""
    translation = Translation(PanosCategory(), found.hosts, accepted)
    lines = sorted({line for one in translation.written for line in one.lines})
    return lines, [replace(verdict, intents=found.intents) for verdict in translation.verdicts]


def over_tcp(holdings: Sequence[Holding]) -> Tuple[List[Holding], List[Verdict]]:
    """A URL category knows names in HTTP and TLS, so nothing of a name over UDP; verdicts for what is left out."""
    kept: List[Holding] = []
    verdicts: List[Verdict] = []
    for holding in holdings:
        if holding.entry.type == "network":
            kept.append(holding)
            continue
        entry, verdict = without_udp(holding.entry)
        kept += [replace(holding, entry=entry)] if entry is not None else []
        verdicts += [replace(verdict, intents=holding.intents)] if verdict is not None else []
    return kept, verdicts


class Renderer:
    """Entries of one list to objects."""

    def __init__(self, prefix: str, change: str, policy: Optional[Policy]) -> None:
        self.prefix = prefix
        self.name = prefix[len("egress_") :]
        self.change = change
        self.policy = policy  # None: the lists only

    def objects(self, found: EntryClass, lines: Sequence[str]) -> Dict[str, str]:
        objects: Dict[str, Element] = {}
        base = self.prefix + found.suffix
        if lines:
            objects[f"url category {base}"] = self._category(base, found, lines)
        if found.networks:
            objects.update(dict(self._networks(base, found)))
        if self.policy is not None:
            services = self._services(base, found)
            objects.update({f"service {one.get('name')}": one for one in services})
            names = [one.get("name") or "" for one in services]
            if lines:
                objects.update(dict(self._rules(base, found, names, (base, "any"))))
            if found.networks:
                objects.update(dict(self._rules(f"{base}-net", found, names, ("any", base))))
        return {key: canonical(one) for key, one in objects.items()}

    def _mark(self, found: Optional[EntryClass] = None) -> Element:
        """The lists tell what their entries are for, and the ticket of their last change."""
        mark = Mark(self.name) if found is None else Mark(self.name, found.ports, found.intents, self.change)
        return element("description", mark.text())

    def _category(self, name: str, found: EntryClass, lines: Sequence[str]) -> Element:
        return element(
            "entry", "", self._mark(found), members("list", lines), element("type", "URL List"), name=name
        )

    def _networks(self, base: str, found: EntryClass) -> Iterator[Tuple[str, Element]]:
        names = []
        for entry in found.networks:
            name = address_name(self.prefix, entry.value, LONGEST_NAME)
            names.append(name)
            address = element("ip-netmask", entry.value)
            yield f"address {name}", element("entry", "", self._mark(), address, name=name)
        group = element("static", "", *members("static", names))
        yield f"address group {base}", element("entry", "", self._mark(found), group, name=base)

    def _services(self, base: str, found: EntryClass) -> List[Element]:
        services = []
        for protocol in ("tcp", "udp"):
            ports = ",".join(port[4:] for port in found.ports if port.startswith(protocol))
            if ports:
                inner = element("protocol", "", element(protocol, "", element("port", ports)))
                services.append(element("entry", "", self._mark(), inner, name=f"{base}-{protocol}"))
        return services

    def _rules(
        self, name: str, found: EntryClass, services: Sequence[str], where: Tuple[str, str]
    ) -> Iterator[Tuple[str, Element]]:
        category, destination = where
        common = {"service": list(services), "category": [category], "destination": [destination]}
        if "allow" in found.intents:
            yield f"security rule {name}", self._security(name, found, common)
        if "bypass_tls_inspection" in found.intents:
            kind = element("type", "", element("ssl-forward-proxy"))
            tcp = [one for one in services if one.endswith("-tcp")]
            if tcp:
                rule = self._rule(name, dict(common, service=tcp), ACTIONS["decryption"], kind)
                yield f"decryption rule {name}", rule
        if "bypass_authentication" in found.intents:
            yield f"authentication rule {name}", self._rule(name, common, ACTIONS["authentication"])

    def _security(self, name: str, found: EntryClass, common: Mapping[str, List[str]]) -> Element:
        rule = self._rule(name, common, (("action", "allow"),), members("application", ["any"]))
        policy = self.policy
        if policy is not None and "bypass_content_inspection" not in found.intents:
            rule.append(element("profile-setting", "", members("group", [policy.profile_group])))
        if policy is not None and policy.log_setting:
            rule.append(element("log-setting", policy.log_setting))
        return rule

    def _rule(
        self, name: str, common: Mapping[str, List[str]], action: Sequence[Tuple[str, str]], *more: Element
    ) -> Element:
        policy = self.policy or Policy(("any",), ("any",), ("any",), "", "")
        lists = dict(common)
        lists.update({"from": list(policy.from_zones), "to": list(policy.to_zones), "source": list(policy.sources)})
        lists["source-user"] = ["any"]
        children = [members(tag, values) for tag, values in lists.items()]
        children += [element(tag, text) for tag, text in action]
        return element("entry", "", self._mark(), *children, *more, name=name)


class Reader:
    """Objects back to entries; what is none of ours is kept as text in ``unread``."""

    def __init__(self, objects: Mapping[str, str]) -> None:
        self.unread: List[str] = []
        self._found: Dict[Tuple[str, str, Optional[str]], Holding] = {}
        addresses: Dict[str, str] = {}
        for key, text in objects.items():
            if key.startswith("address ") and not key.startswith("address group "):
                addresses[key[len("address ") :]] = text_of(from_canonical(text), "ip-netmask")
        for key, text in objects.items():
            if key.startswith("url category "):
                self._take(text, "list", _entry_of_member)
            elif key.startswith("address group "):
                self._take(text, "static", lambda name: addresses.get(name) or f"?{name}")

    @property
    def holdings(self) -> List[Holding]:
        return sorted(self._found.values(), key=lambda holding: holding.entry.sort_key)

    def _take(self, text: str, tag: str, value_of: Callable[[str], object]) -> None:
        entry = from_canonical(text)
        mark = read_mark(text_of(entry, "description"))
        for member in members_of(entry, tag):
            read = _read(value_of(member), mark) if mark is not None and mark.ports else None
            if read is None or mark is None:
                self.unread.append(member)
            else:
                self._found[read.key] = Holding(read, mark.intents)


def _entry_of_member(member: str) -> Dict[str, object]:
    host, slash, path = member.partition("/")
    labels = host.split(".")
    text = ".".join([labels[0], *("*" if label == "^" else label for label in labels[1:])])
    closed = bool(slash) and labels[0] != "^" and "*" not in labels[1:]
    return {"type": "host", "value": text if closed else "", "path": f"/{path}" if path else None}


def _read(value: object, mark: Mark) -> Optional[Entry]:
    item = dict(value) if isinstance(value, dict) else {"type": "network", "value": value}
    try:
        return normalise([dict(item, ports=list(mark.ports))])[0]
    except AllowlistError:
        return None
