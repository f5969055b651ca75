# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module does on the real Squid of the lab, among rules of a site that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

import inlab
import pytest
from inlab import LOGIN, ask, connect, get

PUBLIC = "Lab Public Intermediate CA"
COMPANY = "Example Company TLS Inspection CA"
INCLUDE = "/etc/squid/conf.d/10-egress_mmd.conf"
SOME = ["login.live.com", "*.update.microsoft.com", "*cdn.onenote.net", "a.*.onmicrosoft.com", "*.*.storage.msn.com"]


# The edges of "exact"


def test_what_the_client_says_twice_must_be_ours_twice(squid: inlab.Squid) -> None:
    squid.run(entries=SOME)
    asks = [
        connect("login.live.com", sni="www.example.org", ident="ours, other sni"),
        connect("www.example.org", sni="login.live.com", ident="other, our sni"),
        connect("update.microsoft.com", sni="x.update.microsoft.com", ident="apex, our sni"),
        connect("x.update.microsoft.com", sni="update.microsoft.com", ident="ours, apex sni"),
        connect("login.live.com", sni="x.update.microsoft.com", ident="ours, another of ours"),
        connect("login.live.com", sni="", ident="ours, no sni"),
        connect("LOGIN.Live.COM", ident="upper case"),
        connect("zz-cdn.onenote.net", sni="a.zz-cdn.onenote.net", ident="glued, deeper sni"),
    ]
    known = ask("desktop1", asks, user=LOGIN)
    assert {name: one.issuer for name, one in known.items()} == {
        "ours, other sni": COMPANY,
        "other, our sni": COMPANY,
        "apex, our sni": COMPANY,
        "ours, apex sni": COMPANY,
        "ours, another of ours": PUBLIC,
        "ours, no sni": PUBLIC,
        "upper case": PUBLIC,
        "glued, deeper sni": COMPANY,
    }
    unknown = ask("desktop1", asks)
    assert unknown["other, our sni"].connect == unknown["apex, our sni"].connect == 407


def test_dots_and_addresses_open_nothing(squid: inlab.Squid) -> None:
    squid.run(entries=SOME + ["198.51.100.0/24"], default_ports=["tcp/443"])
    found = ask("desktop1", [
        connect("update.microsoft.com.", sni="update.microsoft.com", ident="apex with a dot"),
        connect("update.microsoft.com", sni="update.microsoft.com.", ident="apex, sni with a dot"),
        connect(".update.microsoft.com", sni="x", ident="leading dot"),
        connect("198.51.100.7", sni="www.example.org", ident="address of ours"),
        connect("198.51.101.7", sni="login.live.com", ident="other address"),
        get("198.51.100.7"),
        connect("login.live.com", port=8443, ident="other port"),
        get("login.live.com", at=":8080"),
    ])
    assert found["address of ours"].issuer == PUBLIC
    assert found["198.51.100.7/"].status == 407  # port 80 was not asked for
    for name in ("apex with a dot", "apex, sni with a dot", "other address"):
        assert found[name].connect == 407, name
    assert found["leading dot"].connect in (400, 407)
    assert found["other port"].status == 403
    assert found["login.live.com:8080/"].status == 407


def test_a_path_is_allowed_over_plain_http_and_nothing_around_it(squid: inlab.Squid) -> None:
    squid.run(entries=[{"value": "*.msftncsi.com", "path": "/ncsi.txt"}])
    paths = ["/ncsi.txt", "/ncsi.txt?x", "/ncsi.txtx", "/x/ncsi.txt", "/NCSI.TXT", "/"]
    asks = [get("www.msftncsi.com", path) for path in paths]
    asks += [get("evil.example", "/www.msftncsi.com/ncsi.txt"), get("msftncsi.com", "/ncsi.txt"),
             get("www.msftncsi.com", "/ncsi.txt", at=":8080"), connect("www.msftncsi.com")]
    found = ask("desktop1", asks)
    assert found.pop("www.msftncsi.com/ncsi.txt").status == 200
    assert {one.status if one.connect is None else one.connect for one in found.values()} == {407}


def test_ports_beyond_the_sites_are_told_and_opened_only_when_asked(squid: inlab.Squid) -> None:
    entries = [{"value": "portal.example.net", "ports": ["tcp/8443"]}]
    asks = [connect("portal.example.net", port=8443), connect("www.example.org", port=8443)]
    before = ask("outsider", asks, proxy=inlab.OUTSIDE_PROXY)
    answer = squid.run(entries=entries)
    assert any("8443" in warning and "open_ports" in warning for warning in answer["warnings"])
    assert ask("desktop1", asks)["portal.example.net"].status == 403
    squid.run(entries=entries, open_ports=True)
    found = ask("desktop1", asks, user=LOGIN)
    assert found["portal.example.net"].issuer == PUBLIC
    assert found["www.example.org"].status == 403
    assert ask("outsider", asks, proxy=inlab.OUTSIDE_PROXY) == before


@pytest.mark.parametrize(
    ("intents", "allowed", "inspected"),
    [(["allow", "bypass_authentication"], True, True), (["bypass_tls_inspection"], False, False)],
)
def test_intents_apart(squid: inlab.Squid, intents: list[str], allowed: bool, inspected: bool) -> None:
    squid.run(entries=SOME, intents=intents)
    assert (ask("desktop1", [connect("login.live.com")])["login.live.com"].connect == 200) == allowed
    known = ask("desktop1", [connect("login.live.com")], user=LOGIN)["login.live.com"]
    assert known.issuer == (COMPANY if inspected else PUBLIC)


def test_allowed_and_still_asked_for_a_login(squid: inlab.Squid) -> None:
    intents = ["allow", "bypass_tls_inspection"]
    assert "auth_param" in squid.run(entries=["www.example.org"], intents=intents, fails=True)["msg"]
    squid.write("/etc/squid/conf.d/05-login.conf", AUTH)
    squid.run(entries=["www.example.org"], intents=intents)
    asks = [connect("www.example.org")]
    assert ask("desktop1", asks)["www.example.org"].connect == 407
    assert ask("desktop1", asks, user=LOGIN)["www.example.org"].issuer == PUBLIC


def test_risks_get_fewer_intents(squid: inlab.Squid) -> None:
    entries = [{"value": "*.blob.core.windows.net", "risk": "shared_hosting"}, "login.live.com"]
    squid.run(entries=entries, intents_by_risk={"shared_hosting": ["allow", "bypass_authentication"]})
    found = ask("desktop1", [connect("x.blob.core.windows.net"), connect("login.live.com")])
    assert found["x.blob.core.windows.net"].issuer == COMPANY
    assert found["login.live.com"].issuer == PUBLIC
    assert not squid.run(
        entries=entries, intents_by_risk={"shared_hosting": ["allow", "bypass_authentication"]}
    )["changed"]


# Among the rules of the site

AUTH = "auth_param basic program /usr/lib/squid/basic_ncsa_auth /etc/squid/passwords\n"
EARLIER = {
    "http_access allow office employees": "asks for credentials",
    "http_access deny all": "denies everything",
    "ssl_bump bump all": "TLS inspection",
    "adaptation_access inspect_requests allow all": "content inspection",
    "url_rewrite_access allow all": "redirection",
}


@pytest.mark.parametrize(("line", "reason"), EARLIER.items(), ids=EARLIER)
def test_a_rule_that_would_win_is_an_error_with_its_place(squid: inlab.Squid, line: str, reason: str) -> None:
    early = "acl office src 10.20.0.0/24\nacl employees proxy_auth REQUIRED\n" if "employees" in line else ""
    auth = AUTH if early else ""
    squid.write("/etc/squid/conf.d/05-early.conf", auth + early + line + "\n")
    files = squid.files()
    number = (auth + early).count("\n") + 1
    message = squid.run(entries=SOME, fails=True)["msg"]
    assert f"/etc/squid/conf.d/05-early.conf:{number}" in message
    assert reason in message
    assert "position" in message
    assert squid.files() == files
    if reason != "denies everything":
        squid.run(entries=SOME, position="04", check_mode=True)


def test_without_an_include_line_the_error_holds_the_line(squid: inlab.Squid) -> None:
    main = squid.files()["/etc/squid/squid.conf"]
    squid.write("/etc/squid/squid.conf", main.replace("include /etc/squid/conf.d/*.conf", "# nothing"))
    message = squid.run(entries=SOME, fails=True)["msg"]
    assert "include /etc/squid/conf.d/*.conf" in message


def test_what_of_the_site_can_still_hit_our_names_is_told(squid: inlab.Squid) -> None:
    squid.write(
        "/etc/squid/conf.d/95-limits.conf",
        "acl movies rep_mime_type video/mp4\nhttp_reply_access deny movies\nreply_body_max_size 10 MB\n",
    )
    squid.write(
        "/etc/squid/conf.d/05-early.conf",
        "acl bad dstdomain .live.com\nacl worse dstdomain .other.example\nacl kiosk src 10.20.0.12\n"
        "http_access deny bad\nhttp_access deny worse\nhttp_access deny kiosk\n",
    )
    told = "\n".join(squid.run(entries=SOME)["warnings"])
    for place in ("95-limits.conf:2", "95-limits.conf:3", "05-early.conf:4", "05-early.conf:6"):
        assert place in told
    assert "05-early.conf:5" not in told


def test_clients_by_an_acl_of_the_site(squid: inlab.Squid) -> None:
    assert "after our file is read" in squid.run(entries=SOME, clients=["office"], fails=True)["msg"]
    assert "neither a network nor an ACL" in squid.run(entries=SOME, clients=["nobody"], fails=True)["msg"]
    squid.write("/etc/squid/conf.d/05-office.conf", AUTH + "acl desk2 src 10.20.0.12\nacl login proxy_auth REQUIRED\n")
    assert "proxy_auth" in squid.run(entries=SOME, clients=["login"], fails=True)["msg"]
    squid.run(entries=SOME, clients=["desk2"])
    assert ask("desktop2", [connect("login.live.com")])["login.live.com"].issuer == PUBLIC
    assert ask("desktop1", [connect("login.live.com")])["login.live.com"].connect == 407


def test_two_lists_for_two_clients(squid: inlab.Squid) -> None:
    squid.run(entries=SOME, clients=["10.20.0.11"])
    squid.run(entries=["*.branch.example", "login.live.com"], clients=["10.20.0.12"], name="mmd_sni")
    assert not squid.run(entries=SOME, clients=["10.20.0.11"])["changed"]
    asks = [connect("login.live.com"), connect("a.update.microsoft.com"), connect("a.branch.example")]
    first, second = ask("desktop1", asks, user=LOGIN), ask("desktop2", asks, user=LOGIN)
    assert [first[name].issuer for name in first] == [PUBLIC, PUBLIC, COMPANY]
    assert [second[name].issuer for name in second] == [PUBLIC, COMPANY, PUBLIC]
    squid.run(state="deleted")
    assert ask("desktop2", asks)["a.branch.example"].issuer == PUBLIC
    squid.run(state="deleted", name="mmd_sni")


def test_a_renamed_inspector_is_drift(squid: inlab.Squid) -> None:
    squid.run(entries=SOME)
    path = "/etc/squid/conf.d/90-inspection.conf"
    squid.write(path, squid.files()[path].replace("inspect_requests", "look_at_requests"))
    squid.reload()
    squid.wait_for_reload()
    assert squid.run(entries=SOME, check_mode=True)["changed"]
    assert squid.run(entries=SOME)["changed"]
    assert "adaptation_access look_at_requests deny egress_mmd-clients" in squid.files()[INCLUDE]


def test_a_site_where_quoted_words_are_text(squid: inlab.Squid) -> None:
    squid.write("/etc/squid/conf.d/05-quotes.conf", "configuration_includes_quoted_values on\n")
    after = 'acl quoted dstdomain "text.example"\nconfiguration_includes_quoted_values off\n'
    squid.write("/etc/squid/conf.d/11-after.conf", after)
    assert "warnings" not in squid.run(entries=SOME)
    found = ask("desktop1", [connect("login.live.com"), connect("zz-cdn.onenote.net"), connect("update.microsoft.com")])
    assert found["login.live.com"].issuer == found["zz-cdn.onenote.net"].issuer == PUBLIC
    assert found["update.microsoft.com"].connect == 407


def test_the_sites_own_decisions_at_step_one_stay(squid: inlab.Squid) -> None:
    asks = [connect("www.dropbox.example"), connect("www.bank.example"), connect("www.example.org")]
    chairman = [{**one, "source": "10.20.0.99"} for one in asks]
    before, spared = ask("desktop1", asks, user=LOGIN), ask("desktop2", chairman, user=LOGIN)
    squid.run(entries=SOME)
    after = ask("desktop1", asks, user=LOGIN)
    assert spared["www.example.org"].issuer == PUBLIC  # a rule of the site by source, at the first step
    assert ask("desktop2", chairman, user=LOGIN) == spared
    assert before["www.dropbox.example"].connect is None  # ended at once
    assert before["www.bank.example"].issuer == PUBLIC
    assert before["www.example.org"].issuer == COMPANY
    assert after == before


def test_reference_writes_lists_and_asks_for_the_rules(squid: inlab.Squid) -> None:
    refused = squid.run(entries=SOME, rules="reference", fails=True)
    assert refused["changed"]
    rules = refused["rules"]
    assert all(rule in refused["msg"] for rule in rules)
    assert "http_access" not in squid.files()[INCLUDE]
    squid.write("/etc/squid/conf.d/20-ours.conf", "\n".join(rules) + "\n")
    squid.reload()
    squid.wait_for_reload()
    assert not squid.run(entries=SOME, rules="reference")["changed"]
    assert ask("desktop1", [connect("login.live.com")])["login.live.com"].issuer == PUBLIC


# Failing, drifting, healing


def test_a_configuration_that_does_not_parse_is_never_loaded(squid: inlab.Squid) -> None:
    squid.run(entries=SOME)
    squid.write("/etc/squid/conf.d/99-broken.conf", "no_such_directive on\n")
    files = squid.files()
    message = squid.run(entries=[*SOME, "www.example.org"], fails=True)["msg"]
    assert "no_such_directive" in message
    assert squid.files() == files
    assert ask("desktop1", [connect("login.live.com")])["login.live.com"].issuer == PUBLIC


def test_a_hand_edit_is_shown_and_corrected(squid: inlab.Squid) -> None:
    squid.run(entries=SOME)
    files = squid.files()
    path = next(path for path in files if "/names_1." in path)
    squid.write(path, files[path] + "evil.example\n")
    squid.reload()
    squid.wait_for_reload()
    assert ask("desktop1", [connect("evil.example")])["evil.example"].connect == 200
    told = squid.run(entries=SOME, check_mode=True)
    assert told["removed"] == ["host evil.example tcp/80,443"]
    assert [part["before_header"] for part in told["diff"] if "evil.example" in part["before"]] == ["entries"]
    assert squid.run(entries=SOME)["changed"]
    assert squid.files() == files
    assert ask("desktop1", [connect("evil.example")])["evil.example"].connect == 407


def test_killed_between_the_rename_and_the_reload_the_next_run_reloads(squid: inlab.Squid) -> None:
    squid.run(entries=SOME)
    killer = "#!/bin/sh\ncase \"$*\" in *reconfigure*) kill -9 $PPID; exit 1;; esac\nexec /usr/sbin/squid \"$@\"\n"
    squid.write("/etc/squid/killer", killer)
    inlab.on("proxy1", "chmod", "+x", "/etc/squid/killer")
    wanted = [*SOME, "www.example.org"]
    squid.run(entries=wanted, executable="/etc/squid/killer", fails=True)
    assert "www.example.org" in "".join(text for path, text in squid.files().items() if "/names_1" in path)
    assert ask("desktop1", [connect("www.example.org")])["www.example.org"].connect == 407  # on disk and not running
    inlab.on("proxy1", "rm", "/etc/squid/killer")
    assert squid.run(entries=wanted)["changed"]
    assert ask("desktop1", [connect("www.example.org")])["www.example.org"].issuer == PUBLIC
    assert not squid.run(entries=wanted)["changed"]


def test_open_tunnels_survive(squid: inlab.Squid) -> None:
    squid.run(entries=SOME)
    hold = (
        "import socket,ssl,sys\n"
        "s=socket.create_connection(('10.20.0.10',3128),10)\n"
        "s.sendall(b'CONNECT login.live.com:443 HTTP/1.1\\r\\nHost: login.live.com\\r\\n\\r\\n'); s.recv(4096)\n"
        "c=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); c.check_hostname=False; c.verify_mode=ssl.CERT_NONE\n"
        "t=c.wrap_socket(s,server_hostname='login.live.com'); print('open',flush=True)\n"
        "sys.stdin.readline()\n"
        "t.sendall(b'GET / HTTP/1.1\\r\\nHost: login.live.com\\r\\nConnection: close\\r\\n\\r\\n')\n"
        "print(t.recv(12).decode(),flush=True)\n"
    )
    with inlab.started("desktop1", "python3", "-I", "-u", "-c", hold) as tunnel:
        assert tunnel.stdout is not None
        assert tunnel.stdin is not None
        assert tunnel.stdout.readline() == "open\n"
        assert squid.run(entries=["www.example.org", *SOME])["changed"]
        assert squid.run(state="deleted")["changed"]
        tunnel.stdin.write("go\n")
        tunnel.stdin.flush()
        assert tunnel.stdout.readline().startswith("HTTP/1.1 200")


def test_snapshots_bring_back_every_byte(squid: inlab.Squid, untouched: dict[str, str]) -> None:
    nothing = squid.run(state="gathered")["snapshot"]
    squid.run(entries=SOME, change_id="CHG1")
    files = squid.files()
    snapshot = squid.run(entries=["www.example.org"], max_shrink=100)["snapshot"]
    squid.run(state="restored", snapshot=snapshot)
    assert squid.files() == files
    squid.run(state="restored", snapshot=nothing)
    assert squid.files() == untouched


INSIDE = (
    "https_port 3130 intercept ssl-bump generate-host-certificates=on tls-cert=/etc/squid/company-ca.pem name=inside"
)
REDIRECT = [
    "add table ip intercepted",
    "add chain ip intercepted before { type nat hook prerouting priority -100; }",
    "add rule ip intercepted before ip saddr 10.20.0.0/24 tcp dport 443 redirect to :3130",
]


@pytest.fixture
def intercepting(squid: inlab.Squid) -> Iterator[inlab.Squid]:
    """The proxy also takes connections of desktops that know no proxy."""
    main = squid.files()["/etc/squid/squid.conf"]
    allow = "acl inside myportname inside\nhttp_access allow office inside\n"
    site = main.replace("http_access deny forbidden", allow + "http_access deny forbidden")
    squid.write("/etc/squid/squid.conf", f"{site}\n{INSIDE}\n")
    squid.reload()
    squid.wait_for_reload()
    inlab.on("proxy1", "nft", "; ".join(REDIRECT))
    yield squid
    inlab.on("proxy1", "nft", "delete table ip intercepted")


def test_ports_that_intercept_need_a_decision(intercepting: inlab.Squid) -> None:
    message = intercepting.run(entries=SOME, fails=True)["msg"]
    assert "squid.conf:" in message
    assert "intercepted: sni" in message
    intercepting.run(entries=SOME, intercepted="sni")
    directly = {
        name: ask("desktop1", [connect("unused", sni=name)], proxy=None)["unused"].issuer
        for name in ("login.live.com", "x.update.microsoft.com", "update.microsoft.com", "www.example.org")
    }
    assert directly == {
        "login.live.com": PUBLIC,
        "x.update.microsoft.com": PUBLIC,
        "update.microsoft.com": COMPANY,
        "www.example.org": COMPANY,
    }
    asks = [connect("login.live.com"), connect("www.example.org", sni="login.live.com")]
    explicit = ask("desktop1", asks, user=LOGIN)
    assert explicit["login.live.com"].issuer == PUBLIC
    assert explicit["www.example.org"].issuer == COMPANY  # the claim alone counts on that port and nowhere else


def test_a_squid_without_a_port_that_inspects(squid: inlab.Squid) -> None:
    main = squid.files()["/etc/squid/squid.conf"]
    squid.write("/etc/squid/squid.conf", main.replace(" ssl-bump generate-host-certificates=on", " #"))
    explicit = squid.run(entries=SOME, intents=["allow", "bypass_authentication", "bypass_tls_inspection"], fails=True)
    assert "inspects no TLS" in explicit["msg"]
    told = squid.run(entries=SOME)
    assert any("inspects no TLS" in note for note in told["notes"])
    assert "ssl_bump" not in squid.files()[INCLUDE]
