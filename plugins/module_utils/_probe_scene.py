# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one target alone cannot show, and the run as a whole can.

A name that does not exist is asked for as a control: who answers for it made the answer up. It is asked for only when
some answer needs it, so that a healthy network sees no odd questions.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import Callable, Dict, FrozenSet, List, Optional, Sequence, Set

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import Response, site
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import Facts, Scene
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_settings import WayError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Proxy, Target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_walk import Walker

# RFC 6761: nobody has a name below .invalid.
CONTROL_NAME = f"egress-probe-{uuid.uuid4().hex[:12]}.invalid"
# What Windows itself asks to find a captive portal.
_PORTAL_CHECK = Target("http", "www.msftconnecttest.com", 80, "/connecttest.txt")
# So many sites signed by one unknown issuer are no accident: nobody runs them all.
_MANY_SITES = 3


@dataclass(frozen=True)
class ScenePainter:
    """Finds out what is to be known about the network as a whole."""

    walker: Walker
    ways: Callable[[Target], Sequence[Optional[Proxy]]]
    control: str
    min_tls: str

    def paint(self, seen: Sequence[Facts]) -> Scene:
        """The scene in which the targets were seen."""
        pages: Dict[str, Response] = {}
        issuer = ""
        if any(_is_untrusted(facts) for facts in seen):
            control = self._ask(Target("https", self.control, 443))
            issuer = _issuer_of_made_up(control)
            _add_page(pages, control)
        if any(_needs_control_page(facts) for facts in seen):
            _add_page(pages, self._ask(Target("http", self.control, 80)))
        return Scene(
            min_tls=self.min_tls,
            control=self.control,
            control_addresses=self._control_addresses(seen),
            control_pages=pages,
            control_issuer=issuer,
            issuers=_signing_for_many(seen),
            portal=self._portal(seen),
        )

    def _ask(self, target: Target) -> Facts:
        try:
            return self.walker.walk(target, next(iter(self.ways(target))))
        except WayError as error:
            return Facts(target, fault=StepError(error.word, str(error), "way"))

    def _control_addresses(self, seen: Sequence[Facts]) -> FrozenSet[str]:
        """Where a made-up name leads, unless all names lead there: then that is how this network is made."""
        suspects = [facts for facts in seen if facts.addresses and not _is_proven(facts)]
        if not suspects:
            return frozenset()
        try:
            found = self.walker.resolver.resolve(self.control, 80, self.walker.budget)
        except StepError:
            return frozenset()
        addresses = frozenset(address[0] for _family, address in found)
        elsewhere = any(facts.addresses and not addresses.issuperset(facts.addresses) for facts in seen)
        return addresses if elsewhere else frozenset()

    def _portal(self, seen: Sequence[Facts]) -> str:
        """Where a captive portal sends this host, as far as it sends targets there too."""
        if not any(_is_led_away(facts) for facts in seen):
            return ""
        check = self._ask(_PORTAL_CHECK).response
        if check is None or not check.leads_away_from(_PORTAL_CHECK.host):
            return ""
        return check.location.split("?")[0]


def _is_proven(facts: Facts) -> bool:
    return facts.tls is not None and facts.tls.trust == "public" and not facts.tls.problem


def _is_untrusted(facts: Facts) -> bool:
    return facts.tls is not None and facts.tls.trust == "none"


def _is_led_away(facts: Facts) -> bool:
    response = facts.response
    return response is not None and not response.maker and response.leads_away_from(facts.target.host)


def _needs_control_page(facts: Facts) -> bool:
    """A page, or a refusal, over plain http: did the server say it?"""
    response = facts.response
    if response is None or facts.target.is_tls or response.status >= 500 or response.maker:
        return False
    return response.is_page or (bool(facts.proxy) and response.status >= 400)


def _add_page(pages: Dict[str, Response], control: Facts) -> None:
    """A control that is proven to exist by a public certificate is none."""
    if control.response is not None and not _is_proven(control):
        pages[control.target.scheme] = control.response


def _issuer_of_made_up(control: Facts) -> str:
    """Who signed a certificate that names what does not exist."""
    tls = control.tls
    return tls.certificate.issuer if tls is not None and tls.mentions and tls.trust != "public" else ""


def _signing_for_many(seen: Sequence[Facts]) -> Dict[str, str]:
    """Issuers that nobody knows and that sign for many sites, with how many names and sites those are."""
    names: Dict[str, Set[str]] = defaultdict(set)
    for facts in seen:
        if _is_untrusted(facts) and facts.tls is not None and facts.tls.certificate.issuer:
            names[facts.tls.certificate.issuer].add(facts.target.host)
    found = {}
    for issuer, hosts in names.items():
        sites: List[str] = sorted({site(host) for host in hosts})
        if len(sites) >= _MANY_SITES:
            found[issuer] = f"{len(hosts)} names of {len(sites)} sites"
    return found
