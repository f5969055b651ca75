# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the site's own Squid configuration means for our rules: where they stand and what else can hit our names."""

from __future__ import annotations

from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Set

from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_config import Config, Line
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_include import MARK
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, PatternSet

# Rules that we never edit and that can still refuse, slow or reroute what we allow.
STILL_HITS = {
    "http_reply_access": "can refuse the answers of allowed names",
    "reply_body_max_size": "can cut off large answers of allowed names",
    "delay_access": "can slow allowed names down",
    "never_direct": "can send allowed names through a parent proxy, which has a policy of its own",
    "cache_peer_access": "can send allowed names through a parent proxy, which has a policy of its own",
    "request_body_max_size": "can refuse large uploads to allowed names",
}
AUTH_TYPES = ("proxy_auth", "proxy_auth_regex", "ext_user", "ext_user_regex")
GROUP_TYPES = ("any-of", "all-of")
BUILT_IN = {"all": "src", "manager": "url_regex", "localhost": "src", "to_localhost": "dst", "to_linklocal": "dst",
            "CONNECT": "method"}


class Site:
    """The configuration without us, and the place in it where our file is read.

    ``config`` holds our file (its text or a stand-in), so that what comes before and after it is decided. Other lists
    of this collection are not the site: their rules speak of their own entries alone.
    """

    def __init__(self, config: Config, our_file: str) -> None:
        self.config = config
        self.our_file = our_file
        self.lists = {path for path, line in config.first_lines.items() if line.startswith(MARK)} | {our_file}
        places = [index for index, line in enumerate(config.lines) if line.file == our_file]
        self.place: Optional[int] = places[0] if places else None
        self.before = [ln for ln in config.lines[: self.place or 0] if ln.active and ln.file not in self.lists]
        self.own = [ln for ln in config.lines if ln.active and ln.file not in self.lists]
        self.acls = self._acls()

    def _acls(self) -> Dict[str, List[Line]]:
        found: Dict[str, List[Line]] = {}
        for line in self.config.named("acl"):
            if line.file not in self.lists and len(line.words) > 2:
                found.setdefault(line.words[1], []).append(line)
        return found

    def lines(self, *directives: str) -> List[Line]:
        return [line for line in self.own if line.directive in directives]

    # What there is

    @property
    def ports(self) -> List[Line]:
        return self.lines("http_port", "https_port")

    @property
    def bumping_ports(self) -> List[Line]:
        return [line for line in self.ports if "ssl-bump" in line.words]

    @property
    def inspects_tls(self) -> bool:
        """Without an ssl-bump port or without any ssl_bump rule Squid tunnels TLS as it is."""
        return bool(self.bumping_ports) and bool(self.lines("ssl_bump"))

    @property
    def intercepting_ports(self) -> List[Line]:
        return [line for line in self.bumping_ports if {"intercept", "tproxy"} & set(line.words)]

    @property
    def inspectors(self) -> List[str]:
        """Services, sets and chains that the site's own adaptation_access lines name, in their order."""
        names = [line.words[1] for line in self.lines("adaptation_access") if len(line.words) > 1]
        return list(dict.fromkeys(names))

    @property
    def has_redirector(self) -> bool:
        return any(line.words[1:2] not in ((), ("none",)) for line in self.lines("url_rewrite_program"))

    @property
    def connect_acl(self) -> str:
        """The ACL in the site's `http_access deny CONNECT !…`, "" where CONNECT may go anywhere."""
        for line in self.before:
            words = line.words
            if words[:3] != ("http_access", "deny", "CONNECT") or len(words) != 4 or words[3][0] != "!":
                continue
            if self.acl_type(words[3][1:]) == "port":
                return words[3][1:]
        return ""

    @staticmethod
    def port_name(line: Line) -> str:
        """What `myportname` matches: the port's name, or else the address as it is written."""
        named = [word[5:] for word in line.words if word.startswith("name=")]
        return named[-1] if named else line.words[1]

    @property
    def quoted_values(self) -> bool:
        """Whether a quoted word is text and no file where our file is read."""
        lines = [line for line in self.before if line.directive == "configuration_includes_quoted_values"]
        return bool(lines) and lines[-1].words[1:2] == ("on",)

    @property
    def authenticates(self) -> bool:
        return bool(self.lines("auth_param"))

    # Whose rule comes first

    def order_errors(self, intents: Iterable[str]) -> List[str]:
        """What stands before us and would win: each with file, line and what to do."""
        if self.place is None:
            return [self._no_include()]
        asked = set(intents)
        found = []
        for line in self.before:
            reason = self._wins_over_us(line, asked)
            if reason:
                found.append(
                    f"{line.place}: `{' '.join(line.words)}` {reason}, and it is read before our file "
                    f"({self.our_file}). Move that line below the include, or let our file be read earlier "
                    "(option position)"
                )
        return found

    def _wins_over_us(self, line: Line, asked: Set[str]) -> str:
        if line.directive == "http_access" and {"allow", "bypass_authentication"} & asked:
            if self._authenticates(line.words[2:]):
                return "asks for credentials"
            return "denies everything" if line.words[1:3] == ("deny", "all") and len(line.words) == 3 else ""
        if line.directive == "ssl_bump" and "bypass_tls_inspection" in asked:
            return "decides about TLS inspection"
        if line.directive == "adaptation_access" and "bypass_content_inspection" in asked:
            return "decides about content inspection"
        if line.directive == "url_rewrite_access" and "allow" in asked:
            return "decides about redirection"
        return ""

    def login_errors(self) -> List[str]:
        """Rules that ask for a login can stand only after the site has said how logins work."""
        schemes = self.lines("auth_param")
        if not schemes or any(line in self.before for line in schemes):
            return []
        text = (
            f"intents: allow without bypass_authentication asks for the site's login, and {schemes[0].place} says how "
            "that works only after our file is read. Move the auth_param lines above the include, or add "
            "bypass_authentication"
        )
        return [text]

    def _no_include(self) -> str:
        return (
            f"no include line of {self.config.path} reaches {self.our_file}. Add this line before the site's first "
            f"http_access that asks for credentials or denies all, and before its first ssl_bump, adaptation_access "
            f"and url_rewrite_access: include {self.our_file.rpartition('/')[0]}/*.conf"
        )

    def _authenticates(self, acl_names: Sequence[str], seen: FrozenSet[str] = frozenset()) -> bool:
        return any(self._is_auth(name.lstrip("!"), seen) for name in acl_names)

    def _is_auth(self, name: str, seen: FrozenSet[str]) -> bool:
        if name in seen:
            return False
        for line in self.acls.get(name, []):
            kind, values = line.words[2], line.words[3:]
            if kind in AUTH_TYPES or (kind == "external" and self._external_needs_login(values)):
                return True
            if kind in GROUP_TYPES and self._authenticates(values, seen | {name}):
                return True
        return False

    def _external_needs_login(self, values: Sequence[str]) -> bool:
        if not values:
            return False
        formats = [ln.words for ln in self.lines("external_acl_type") if ln.words[1:2] == (values[0],)]
        return any(word in ("%LOGIN", "%un", "%ul", "%ue") for words in formats for word in words)

    # Whose clients

    def acl_type(self, name: str) -> str:
        lines = self.acls.get(name)
        return lines[0].words[2] if lines else BUILT_IN.get(name, "")

    def require_client_acl(self, name: str) -> None:
        """The ACL of the site that `clients` names must exist before us and decide without a question to anyone."""
        kind = self.acl_type(name)
        if not kind:
            raise AllowlistError(
                f"clients: {name!r} is neither a network nor an ACL of {self.config.path}; "
                f"it has {', '.join(sorted(self.acls)) or 'none'}"
            )
        if name in self.acls and not any(line in self.before for line in self.acls[name]):
            raise AllowlistError(
                f"clients: the ACL {name!r} is defined at {self.acls[name][0].place}, after our file is read "
                f"({self.our_file}); move its definition above the include"
            )
        if kind not in ("src", "arp", "eui64", "myip", "myport", "myportname", "localip", "localport"):
            raise AllowlistError(
                f"clients: the ACL {name!r} is of type {kind}; who a client is must be decided by its address or "
                "port (src, arp, myportname …), since TLS and authentication rules are decided before anything else "
                "is known"
            )

    # What else can hit us

    def warnings(self, names: Names, ports: Set[int], connect_ports: Set[int]) -> List[str]:
        """Lines of the site that we leave alone and that can still refuse, slow or reroute what we allow."""
        found = [
            f"{line.place}: `{' '.join(line.words)}` {STILL_HITS[line.directive]}; it is the site's rule and stays"
            for line in self.own
            if line.directive in STILL_HITS and not self._harmless(line)
        ]
        return found + list(self._earlier_denies(names, ports, connect_ports))

    @staticmethod
    def _harmless(line: Line) -> bool:
        if line.directive in ("http_reply_access", "cache_peer_access"):
            return line.words[-2:] == ("allow", "all")
        if line.directive in ("never_direct", "delay_access"):
            return "deny" in line.words and line.words[-1] == "all"
        return line.words[1:3] in (("0",), ("none",)) or line.words[1:2] in (("0",), ("none",))

    def _earlier_denies(self, names: Names, ports: Set[int], connect_ports: Set[int]) -> Iterator[str]:
        for line in self.before:
            if line.directive != "http_access" or line.words[1:2] != ("deny",):
                continue
            asked = connect_ports if "CONNECT" in line.words else ports
            if all(self._may_match(word, names, asked) for word in line.words[2:]):
                yield (
                    f"{line.place}: `{' '.join(line.words)}` is read before our rules and may deny what they allow; "
                    "it is the site's rule and stays"
                )

    def _may_match(self, word: str, names: Names, ports: Set[int]) -> bool:
        """Whether an ACL in an earlier deny can be true for a request that is ours; True where we cannot tell."""
        negated, name = word.startswith("!"), word.lstrip("!")
        kind = self.acl_type(name)
        if kind == "port":
            opened = self.port_numbers(name)
            return bool(ports - opened) if negated else bool(ports & opened)
        if name in ("manager", "to_localhost", "to_linklocal") and not negated:
            return False
        if kind == "dstdomain" and not negated:
            return any(names.overlap(value) for value in self.values(name))
        return True

    def values(self, acl: str) -> List[str]:
        """The values of an ACL with the files that it names read in; what cannot be read counts as empty."""
        found: List[str] = []
        for line in self.acls.get(acl, []):
            for word in line.words[3:]:
                found += _file_words(word.strip("\"'")) if word[:1] in "\"'" else [word]
        return [value for value in found if not value.startswith("-")]

    def port_numbers(self, acl: str) -> Set[int]:
        found: Set[int] = set()
        for value in self.values(acl):
            first, _unused, last = value.partition("-")
            if first.isdigit() and (last or first).isdigit():
                found |= set(range(int(first), int(last or first) + 1))
        return found


class Names:
    """Our patterns, for the question whether a `dstdomain` value of the site has a name in common with them."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._index = PatternSet(patterns)
        labels = [pattern.base.split(".") for pattern in patterns]
        self._suffixes = {".".join(parts[start:]) for parts in labels for start in range(len(parts))}

    def overlap(self, value: str) -> bool:
        bare = value.lstrip(".").lower()
        if self._index.match(bare) is not None:
            return True
        if not value.startswith("."):
            return False
        return bare in self._suffixes or self._index.match("any." + bare) is not None


def _file_words(path: str) -> List[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            lines = [line.strip() for line in handle]
    except OSError:
        return []
    return [line for line in lines if line and not line.startswith("#")]
