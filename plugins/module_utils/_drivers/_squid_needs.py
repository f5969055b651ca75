# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the intents need on this site: which rules, which of them mean nothing here, and what makes them void."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Sequence, Set

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_include import Surroundings
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_lists import EntryClass
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_site import Names, Site
from ansible_collections.egress.allowlist.plugins.module_utils._plan import Holding

PLAIN_HTTP = 80
HTTPS = 443


class Needs:
    """The entries of one run on one site; ``site`` is None where there is no appliance to look at."""

    def __init__(
        self,
        options: Mapping[str, Any],
        found: Sequence[EntryClass],
        site: Optional[Site],
        built_with_tls: Callable[[], bool],
    ) -> None:
        self.options = options
        self.site = site
        self.built_with_tls = built_with_tls
        self.asked: Set[str] = {intent for one in found for intent in one.key.intents}
        self.ports = _numbers(found)

    def surroundings(self) -> Surroundings:
        site = self.site
        if site is None:
            return Surroundings()
        intercepted = site.intercepting_ports if self.options["intercepted"] == "sni" else []
        opens = self.options["open_ports"] and "allow" in self.asked
        return Surroundings(
            tls_rules=site.inspects_tls,
            inspectors=tuple(site.inspectors),
            redirector=site.has_redirector,
            authenticates=site.authenticates,
            intercepted_ports=tuple(site.port_name(line) for line in intercepted),
            opened_ports=tuple(sorted(self._closed_ports(site))) if opens else (),
            connect_acl=site.connect_acl,
            quoted_values=site.quoted_values,
        )

    def _closed_ports(self, site: Site) -> Set[int]:
        """Ports of the entries that CONNECT may not go to on this site."""
        return self.ports - {PLAIN_HTTP} - site.port_numbers(site.connect_acl) if site.connect_acl else set()

    # What makes an intent void

    def errors(self, ordered: bool) -> List[str]:
        """``ordered``: our rules stand in our file, so what is read before it wins over them."""
        errors = []
        if "bypass_authentication" in self.asked and "allow" not in self.asked:
            errors.append(
                "intents: bypass_authentication without allow: in Squid one rule decides both, so nothing can be let "
                "through unasked without being allowed; add allow"
            )
        if self.site is None:
            return errors
        if "allow" in self.asked and "bypass_authentication" not in self.asked:
            errors += self.site.login_errors()
        if "bypass_tls_inspection" in self.asked:
            errors += self._tls_errors(self.site)
        if ordered or self.site.place is None:
            errors += self.site.order_errors(self.asked)
        return errors

    def _tls_errors(self, site: Site) -> List[str]:
        errors = []
        if self.options["intents"] is not None and not site.inspects_tls:
            errors.append(self._no_inspection(site))
        if site.intercepting_ports and self.options["intercepted"] == "refuse":
            places = ", ".join(line.place for line in site.intercepting_ports)
            errors.append(
                f"bypass_tls_inspection: {places} intercepts connections, where only the SNI that the client claims "
                "tells the name. Set intercepted: sni to accept that on these ports, or leave the intent out"
            )
        return errors

    def _no_inspection(self, site: Site) -> str:
        if not self.built_with_tls():
            return (
                "bypass_tls_inspection: this Squid was built without OpenSSL and cannot inspect TLS, so there is "
                "nothing to bypass. Leave the intent out, or install the package squid-openssl"
            )
        return (
            f"bypass_tls_inspection: {site.config.path} has no port with ssl-bump or no ssl_bump rule, so this Squid "
            "inspects no TLS and there is nothing to bypass. Leave the intent out"
        )

    # What is told

    def notes(self) -> List[str]:
        """Intents that hold here without a rule; told, since a later change of the site can give them a meaning."""
        site = self.site
        if site is None:
            return ["rendered without the site's configuration: rules about its content inspectors are missing"]
        notes = []
        if "bypass_tls_inspection" in self.asked and not site.inspects_tls:
            notes.append(self._no_inspection(site))
        if "bypass_content_inspection" in self.asked and not site.inspectors:
            notes.append(
                f"bypass_content_inspection: {site.config.path} has no adaptation_access line, so no content is "
                "inspected and no rule is needed"
            )
        return notes

    def warnings(self, carried: Sequence[Holding]) -> List[str]:
        """What of the site can still hit our names."""
        site = self.site
        if site is None:
            return []
        names = Names([holding.entry.pattern for holding in carried if holding.entry.type == "host"])
        opens = self.options["open_ports"]
        warnings = site.warnings(names, self.ports, set() if opens else self.ports & {HTTPS})
        closed = self._closed_ports(site)
        if closed and not opens:
            ports = ", ".join(str(port) for port in sorted(closed))
            warnings.append(
                f"port {ports}: the site's ACL {site.connect_acl} does not let CONNECT go there, so these entries stay "
                "blocked on it; open_ports: true opens it for these entries alone"
            )
        return warnings


def _numbers(found: Sequence[EntryClass]) -> Set[int]:
    """Every TCP port of these classes."""
    numbers: Set[int] = set()
    for one in found:
        for word in one.port_words.split():
            first, _separator, last = word.partition("-")
            numbers |= set(range(int(first), int(last or first) + 1))
    return numbers
