# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on the emulated firewall decides what becomes of a request, by the vendor's rules of matching."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from ansible_collections.egress.allowlist.tests.emulators.panos import urls
from ansible_collections.egress.allowlist.tests.emulators.panos.emulator import PanosEmulator
from ansible_collections.egress.allowlist.tests.emulators.panos.traffic import Flow

from .panos_clients import VSYS

# The first column's lines are the examples of the vendor's guidelines, or made like them.
MATCHES = [
    ("example.com/", "example.com/ example.com/search EXAMPLE.com/",
     "www.example.com/ example.com.evil.test/ notexample.com/"),
    ("example.com", "example.com/ example.com/search example.com.evil.test/", "www.example.com/ example.comx/"),
    ("*.example.com/", "www.example.com/ a.b.example.com/x", "example.com/ www.example.com.evil.test/ xexample.com/"),
    ("*.example.com", "www.example.com/ www.example.com.evil.test/", "example.com/"),
    ("*.example.com/", "", "evil.test/www.example.com/"),
    ("^.example.com/", "www.example.com/", "a.b.example.com/ example.com/"),
    ("^.^.example.com/", "a.b.example.com/", "www.example.com/ a.b.c.example.com/"),
    ("a.*.example.com/", "a.b.example.com/ a.b.c.example.com/", "a.example.com/ xa.b.example.com/"),
    ("www.example.*", "www.example.com/ www.example.co.uk/ www.example.com/x", "www.example/ example.com/"),
    ("*.example.com/p.txt", "www.example.com/p.txt", "www.example.com/ www.example.com/q.txt"),
    ("example.com/*", "example.com/x example.com/x/y", "example.com/ example.org/x"),
    ("http://example.com/", "", "example.com/"),
]  # fmt: skip
EACH = [
    pytest.param(line, url, wanted, id=f"{line} {url}")
    for line, yes, no in MATCHES for wanted, some in ((True, yes), (False, no)) for url in some.split()
]  # fmt: skip


@pytest.mark.parametrize(("line", "url", "wanted"), EACH)
def test_lines_of_a_url_list(line, url, wanted) -> None:
    host, _slash, path = url.partition("/")
    assert urls.matches(line, host, f"/{path}") is wanted


def test_the_ending_token_closes_a_line() -> None:
    for line in ("example.com", "*.example.com"):
        host = "www.example.com.evil.test"[4 * (line[0] == "e") :]
        assert urls.matches(line, host) is True
        assert urls.matches(line, host, append_ending_token=True) is False
    assert urls.matches("www.example.*", "www.example.com", append_ending_token=True)


RULE = (
    "<entry name='{}'><from><member>trust</member></from><to><member>untrust</member></to><source><member>{}</member>"
    "</source><destination><member>{}</member></destination><service><member>{}</member></service><category><member>{}"
    "</member></category>{}</entry>"
)
ALLOW = "<application><member>any</member></application><action>allow</action>"
NO_DECRYPT = "<action>no-decrypt</action><type><ssl-forward-proxy/></type>"
NO_LOGIN = "<authentication-enforcement>default-no-captive-portal</authentication-enforcement>"
WITH_PROFILES = "<profile-setting><group><member>Strict</member></group></profile-setting>"


LIST = (
    "<entry name='mmd'><list><member>*.x.example/</member><member>x.example/p/</member></list>"
    "<type>URL List</type></entry>"
)
SERVICE = "<entry name='alt'><protocol><tcp><port>8443,9000-9009</port></tcp></protocol></entry>"


@pytest.fixture
def firewall() -> Iterator[PanosEmulator]:
    with PanosEmulator() as emulator:
        emulator.by_hand("bob", "set", f"{VSYS}/profiles/custom-url-category", LIST)
        emulator.by_hand("bob", "set", f"{VSYS}/service", SERVICE)
        yield emulator


def ruled(firewall: PanosEmulator, kind: str, *words: str, where: str = "top") -> None:
    rules = f"{VSYS}/rulebase/{kind}/rules"
    firewall.by_hand("bob", "set", rules, RULE.format(*words))
    if where != "bottom":
        firewall.by_hand("bob", "move", f"{rules}/entry[@name='{words[0]}']", where=where)
    firewall.configuration.commit(None)


def test_before_anything_is_allowed_all_is_decrypted_blocked_and_asked_who_it_is(firewall) -> None:
    found = firewall.verdict(Flow("www.x.example"))
    assert (found.allowed, found.decrypted, found.authenticated, found.inspected) == (False, True, True, False)
    assert found.rules == ("Block the rest", "Inspect", "Log in")


def test_each_rulebase_decides_one_thing(firewall) -> None:
    kinds = {"security": ALLOW, "decryption": NO_DECRYPT, "authentication": NO_LOGIN}
    for kind, action in kinds.items():
        ruled(firewall, kind, "ours", "Staff", "any", "service-https", "mmd", action)
    found = firewall.verdict(Flow("www.x.example"))
    assert (found.allowed, found.decrypted, found.authenticated, found.inspected) == (True, False, False, False)
    assert found.rules == ("ours",) * 3
    others = (
        Flow("other.example"), Flow("www.x.example", client="10.21.0.5"), Flow("www.x.example", port=8443),
        Flow("www.x.example", zones=("untrust", "trust")),
    )  # fmt: skip
    for flow in others:
        assert "ours" not in firewall.verdict(flow).rules


def test_what_is_not_committed_does_not_run(firewall) -> None:
    ruled(firewall, "security", "ours", "any", "any", "any", "mmd", ALLOW)
    firewall.by_hand("bob", "delete", f"{VSYS}/rulebase/security/rules/entry[@name='ours']")
    assert firewall.verdict(Flow("www.x.example")).allowed
    firewall.configuration.commit("bob")
    assert not firewall.verdict(Flow("www.x.example")).allowed


def test_the_first_rule_that_is_not_disabled_decides(firewall) -> None:
    ruled(firewall, "security", "late", "any", "any", "any", "mmd", ALLOW, where="bottom")
    assert firewall.verdict(Flow("www.x.example")).rules[0] == "Block the rest"
    ruled(firewall, "security", "early", "any", "any", "any", "mmd", ALLOW + WITH_PROFILES)
    found = firewall.verdict(Flow("www.x.example"))
    assert (found.rules[0], found.inspected) == ("early", True)
    firewall.by_hand("bob", "set", f"{VSYS}/rulebase/security/rules/entry[@name='early']", "<disabled>yes</disabled>")
    firewall.configuration.commit("bob")
    assert not firewall.verdict(Flow("www.x.example")).allowed


def test_a_path_is_seen_only_where_it_can_be(firewall) -> None:
    ruled(firewall, "security", "ours", "any", "any", "any", "mmd", ALLOW)
    at = Flow("x.example", path="/p/q")
    assert firewall.verdict(at).allowed
    ruled(firewall, "decryption", "ours", "any", "any", "any", "any", NO_DECRYPT)
    assert not firewall.verdict(at).allowed
    assert firewall.verdict(Flow("x.example", port=80, path="/p/q")).allowed


@pytest.mark.parametrize(
    ("service", "ports"),
    [("any", (1, 80, 443, 8443)), ("service-http", (80, 8080)), ("service-https", (443,)), ("alt", (8443, 9000, 9009)),
     ("application-default", (80, 443))],
)  # fmt: skip
def test_services(firewall, service, ports) -> None:
    ruled(firewall, "security", "ours", "any", "any", service, "mmd", ALLOW)
    tried = (1, 80, 443, 8080, 8443, 8999, 9000, 9009, 9010)
    found = tuple(port for port in tried if firewall.verdict(Flow("www.x.example", port)).allowed)
    assert found == ports or (service == "any" and found == tried)


@pytest.mark.parametrize(
    ("source", "client", "wanted"),
    [
        ("10.0.0.0/8", "10.9.9.9", True), ("10.0.0.0/8", "11.0.0.1", False), ("Desktops", "10.20.1.1", True),
        ("Staff", "10.20.1.1", True), ("Staff", "10.21.0.1", False), ("Branch", "10.40.0.1", True),
        ("10.0.0.5-10.0.0.9", "10.0.0.7", True), ("2001:db8::/32", "2001:db8::1", True), ("any", "203.0.113.1", True),
    ],
)  # fmt: skip
def test_sources_and_destinations(firewall, source, client, wanted) -> None:
    if "-" in source:
        firewall.by_hand("bob", "set", f"{VSYS}/address",
                         f"<entry name='range'><ip-range>{source}</ip-range></entry>")  # fmt: skip
        source = "range"
    ruled(firewall, "security", "from", source, "any", "any", "mmd", ALLOW)
    assert firewall.verdict(Flow("www.x.example", client=client)).allowed is wanted
    ruled(firewall, "security", "to", "any", source, "any", "any", ALLOW)
    assert firewall.verdict(Flow("other.example", server=client)).allowed is wanted


def test_all_but_some_clients(firewall) -> None:
    ruled(firewall, "security", "ours", "Staff", "any", "any", "mmd", ALLOW + "<negate-source>yes</negate-source>")
    found = [firewall.verdict(Flow("www.x.example", client=client)).allowed for client in ("10.20.0.1", "10.21.0.1")]
    assert found == [False, True]


def test_a_line_without_its_slash_lets_more_through_unless_the_firewall_closes_it(firewall) -> None:
    firewall.by_hand("bob", "set", f"{VSYS}/profiles/custom-url-category/entry[@name='mmd']/list",
                     "<member>y.example</member>")  # fmt: skip
    ruled(firewall, "security", "ours", "any", "any", "any", "mmd", ALLOW)
    found = {}
    for append, name in itertools.product((False, True), ("y.example", "y.example.evil.test")):
        firewall.append_ending_token = append
        found[append, name] = firewall.verdict(Flow(name)).allowed
    assert found == {(False, "y.example"): True, (False, "y.example.evil.test"): True,
                     (True, "y.example"): True, (True, "y.example.evil.test"): False}  # fmt: skip
