# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of our include file: ACLs that name the lists, and the rules that use them. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import List, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_lists import EntryClass

MARK = "# egress.allowlist name="
CHANGE = "# change_id: "
QUOTED = "configuration_includes_quoted_values"


@dataclass(frozen=True)
class Surroundings:
    """What of the site the rules depend on."""

    tls_rules: bool = True  # Squid inspects TLS, so a bypass has a meaning
    inspectors: Tuple[str, ...] = ()
    redirector: bool = False
    authenticates: bool = False
    intercepted_ports: Tuple[str, ...] = ()  # names of intercepting ports where SNI alone may decide
    opened_ports: Tuple[int, ...] = ()
    quoted_values: bool = False  # the site has quoted words read as text; our lists are named in quotes
    connect_acl: str = "SSL_ports"  # the ACL of the site that says where CONNECT may go


@dataclass
class Include:
    """Builds the file; ``acls`` and ``rules`` apart, since with ``rules: reference`` the site writes the rules."""

    name: str
    list_dir: str
    clients: Sequence[str]
    around: Surroundings
    acls: List[str] = field(default_factory=list)
    rules: List[str] = field(default_factory=list)
    who: str = ""  # the ACL of the clients, once it is defined

    def text(self, classes: Sequence[EntryClass], change_id: str, with_rules: bool) -> str:
        self._clients_acl()
        for one in classes:
            self._class_acls(one)
        self._rules(classes)
        head = [
            f"{MARK}{self.name}",
            "# Written by Ansible, module egress.allowlist.squid. Edits are undone by its next run.",
        ]
        if change_id:
            head.append(CHANGE + change_id)
        if self.around.quoted_values:
            self.acls = [f"{QUOTED} off", "", *self.acls, "", f"{QUOTED} on"]
        body = self.acls + (["", *self.rules] if with_rules and self.rules else [])
        return "\n".join([*head, "", *body]) + "\n"

    def acl(self, what: str) -> str:
        return f"egress_{self.name}-{what}"  # no name holds a hyphen, so two lists never share an ACL

    def _define(self, what: str, definition: str) -> str:
        self.acls.append(f"acl {self.acl(what)} {definition}")
        return self.acl(what)

    def _group(self, what: str, members: Sequence[str]) -> str:
        return members[0] if len(members) == 1 else self._define(what, "any-of " + " ".join(members))

    def _clients_acl(self) -> None:
        networks = [client for client in self.clients if is_network(client)]
        named = ["all" if client == "any" else client for client in self.clients if not is_network(client)]
        if networks:
            named.append(self._define("addresses" if named else "clients", "src " + " ".join(networks)))
        if len(named) > 1:
            self._define("clients", "any-of " + " ".join(named))
        self.who = self.acl("clients") if len(named) > 1 or not named or networks else named[0]

    def _class_acls(self, one: EntryClass) -> None:
        self.acls += ["", one.comment()]
        self._define(f"port_{one.index}", "port " + one.port_words)
        hosts = self._hosts(one, "dstdomain -n", "dstdom_regex -n -i", "")
        if "nets" in one.lists:
            hosts.append(self._file(one, "nets", "dst -n"))
        if one.key.by_path:
            host = self._group(f"host_{one.index}", hosts)
            url = self._file(one, "url", "url_regex")
            self._define(f"to_{one.index}", f"all-of {host} {url}")
        else:
            self._define(f"to_{one.index}", "any-of " + " ".join(hosts))
        if self._splices(one):
            names = self._hosts(one, "ssl::server_name", "ssl::server_name_regex -i", "sni_")
            if names:
                self._define(f"sni_{one.index}", "any-of " + " ".join(names))

    def _hosts(self, one: EntryClass, tree: str, regex: str, prefix: str) -> List[str]:
        found = []
        if "names" in one.lists:
            names = self._file(one, "names", tree, prefix)
            if "except" in one.lists:
                apart = self._file(one, "except", tree, prefix)
                names = self._define(f"{prefix}exact_{one.index}", f"all-of {names} !{apart}")
            found.append(names)
        if "shape" in one.lists:
            found.append(self._file(one, "shape", regex, prefix))
        return found

    def _file(self, one: EntryClass, kind: str, acl_type: str, prefix: str = "") -> str:
        return self._define(f"{prefix}{one.title(kind)}", f'{acl_type} "{self.list_dir}/{one.file_name(kind)}"')

    def _splices(self, one: EntryClass) -> bool:
        return self.around.tls_rules and "bypass_tls_inspection" in one.key.intents

    # Rules

    def _rules(self, classes: Sequence[EntryClass]) -> None:
        tls = [one for one in classes if self._splices(one)]
        if tls:
            self._tls_rules(tls)
        for one in classes:
            request = f"{self.who} {self.acl(f'port_{one.index}')} {self.acl(f'to_{one.index}')}"
            if "bypass_content_inspection" in one.key.intents:
                self.rules += [f"adaptation_access {service} deny {request}" for service in self.around.inspectors]
            if "allow" in one.key.intents:
                if self.around.redirector:
                    self.rules.append(f"url_rewrite_access deny {request}")
                self._allow(one, request)
        if self.around.opened_ports:
            self._opened_ports()

    def _allow(self, one: EntryClass, request: str) -> None:
        known = self.around.authenticates and "bypass_authentication" not in one.key.intents
        if known and not any("proxy_auth" in line for line in self.acls):
            self._define("user", "proxy_auth REQUIRED")
        self.rules.append(f"http_access allow {request}" + (f" {self.acl('user')}" if known else ""))

    def _tls_rules(self, tls: Sequence[EntryClass]) -> None:
        """Spliced only where the CONNECT name and the SNI are ours; an address is the destination itself."""
        self.acls.append("")
        self._define("step1", "at_step SslBump1")
        asked = [self.acl(f"sni_{one.index}") for one in tls if {"names", "shape"} & set(one.lists)]
        sni = self._group("sni", asked) if asked else ""
        for one in tls:
            to = f"{self.who} {self.acl(f'port_{one.index}')} {self.acl(f'to_{one.index}')}"
            self.rules.append(f"ssl_bump peek {self.acl('step1')} {to}")
            if "nets" in one.lists:
                nets = f"{self.who} {self.acl(f'port_{one.index}')} {self.acl(one.title('nets'))}"
                self.rules.append(f"ssl_bump splice {nets}")
            if {"names", "shape"} & set(one.lists):
                self.rules.append(f"ssl_bump splice {to} {sni}")
        if self.around.intercepted_ports and sni:
            where = self._define("intercepted", "myportname " + " ".join(self.around.intercepted_ports))
            self.rules.append(f"ssl_bump peek {self.acl('step1')} {self.who} {where}")
            self.rules.append(f"ssl_bump splice {self.who} {where} {sni}")

    def _opened_ports(self) -> None:
        """Open the site's port list for our names and close it again for everyone else."""
        ports = " ".join(str(port) for port in self.around.opened_ports)
        self.acls.append("")
        self.acls.append(f"acl {self.around.connect_acl} port {ports}")
        opened = self._define("opened", f"port {ports}")
        self.rules.append(f"http_access deny CONNECT {opened}")


def is_network(client: str) -> bool:
    try:
        ipaddress.ip_network(client, strict=False)
    except ValueError:
        return False
    return True
