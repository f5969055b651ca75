# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a site's configuration, and what of it wins over us or can still hit our names."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_config import Config
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._squid_site import Names, Site
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse

EVERYTHING = ("allow", "bypass_tls_inspection", "bypass_content_inspection", "bypass_authentication")


def write(folder: Path, **files: str) -> str:
    (folder / "conf.d").mkdir(exist_ok=True)
    for name, text in files.items():
        path = folder / (name.replace("__", "/").replace("_conf", ".conf"))
        path.write_text(text.replace("@", str(folder)), encoding="utf-8")
    return str(folder / "squid.conf")


def site(folder: Path, text: str, **files: str) -> Site:
    path = write(folder, squid_conf=text, **files)
    ours = str(folder / "conf.d" / "10-egress_mmd.conf")
    return Site(Config(path, proposed={ours: "# ours\n"}), ours)


def words(config: Config) -> list[str]:
    return [" ".join(line.words) for line in config.lines if line.words]


def test_lines_as_squid_reads_them(tmp_path) -> None:
    path = write(tmp_path, squid_conf=(
        "# comment\n\n  acl a src \\\n   10.0.0.0/8 # rest\n"
        'acl b dstdomain "/etc/squid/my list"\n'
        "visible_hostname x#y\r\nacl\tc\tport\t80\n"
    ))
    config = Config(path)
    assert words(config) == [
        "acl a src 10.0.0.0/8", 'acl b dstdomain "/etc/squid/my list"', "visible_hostname x#y", "acl c port 80",
    ]
    assert [line.number for line in config.lines if line.words] == [4, 5, 6, 7]


def test_includes_are_read_in_the_order_of_their_names(tmp_path) -> None:
    path = write(tmp_path, squid_conf="one 1\ninclude @/conf.d/*.conf @/more_conf\nlast 1\n".replace("_conf", ".conf"),
                 **{"conf.d__20_conf": "three 1\n", "conf.d__10_conf": "two 1\n", "more_conf": "four 1\n",
                    "conf.d__.hidden_conf": "never 1\n"})
    assert words(Config(path)) == ["one 1", "two 1", "three 1", "four 1", "last 1"]


def test_conditions(tmp_path) -> None:
    path = write(tmp_path, squid_conf=(
        "if false\ninclude /nowhere.conf\nacl no src all\nelse\nacl yes src all\nendif\n"
        "if ${process_number} = 1\nacl maybe src all\nendif\nif 1 = 2\nacl never src all\nendif\n"
    ))
    assert [line.words[1] for line in Config(path).named("acl")] == ["yes", "maybe"]


def test_the_text_for_a_check_has_no_includes_and_keeps_conditions(tmp_path) -> None:
    path = write(tmp_path, squid_conf="if true\ninclude @/conf.d/*.conf\nendif\nlast \\\n  1\n",
                 **{"conf.d__a_conf": "inside 1\n"})
    assert Config(path).text() == "if true\ninside 1\nendif\nlast \\\n  1\n"


@pytest.mark.parametrize("include", ["include @/none/*.conf", "include !/bin/date", "include @/squid.conf"])
def test_includes_that_cannot_be_followed(tmp_path, include) -> None:
    with pytest.raises(ApplianceError, match=r"squid\.conf:1"):
        Config(write(tmp_path, squid_conf=include + "\n"))


INCLUDE = "include @/conf.d/*.conf\n"
LOGIN = "acl users proxy_auth REQUIRED\n"
NESTED = LOGIN + "acl either any-of inside users\nacl inside src 10.0.0.0/8\n"
OUTER = "external_acl_type group %un /bin/true\nacl staff external group\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (LOGIN + "http_access allow users\n", "asks for credentials"),
        (LOGIN + "http_access deny !users\n", "asks for credentials"),
        (NESTED + "http_access allow either\n", "asks for credentials"),
        (OUTER + "http_access allow staff\n", "asks for credentials"),
        ("http_access deny all\n", "denies everything"),
        ("ssl_bump peek all\n", "TLS inspection"),
        ("adaptation_access svc deny all\n", "content inspection"),
        ("url_rewrite_access allow all\n", "redirection"),
    ],
)
def test_what_stands_before_us_and_wins(tmp_path, text, what) -> None:
    (error,) = site(tmp_path, text + INCLUDE).order_errors(EVERYTHING)
    assert what in error
    assert f"squid.conf:{text.count(chr(10))}" in error
    assert site(tmp_path, INCLUDE + text).order_errors(EVERYTHING) == []


def test_intents_that_are_not_asked_for_have_no_order(tmp_path) -> None:
    found = site(tmp_path, "ssl_bump peek all\nadaptation_access svc deny all\n" + INCLUDE)
    assert found.order_errors(("allow", "bypass_authentication")) == []


@pytest.mark.parametrize("text", [
    "http_access deny manager\n", "acl kiosk src 10.0.0.7\nhttp_access deny kiosk\n",
    "acl grp external nothing\nhttp_access allow grp\n",
])
def test_the_sites_policy_is_no_error(tmp_path, text) -> None:
    assert site(tmp_path, text + INCLUDE).order_errors(EVERYTHING) == []


def test_no_include_line(tmp_path) -> None:
    (error,) = site(tmp_path, "http_access deny all\n").order_errors(EVERYTHING)
    assert f"include {tmp_path}/conf.d/*.conf" in error


NAMES = Names([parse("*.live.com"), parse("mmdls.microsoft.com"), parse("*cdn.onenote.net")])


@pytest.mark.parametrize(
    ("value", "shared"),
    [
        (".live.com", True), ("login.live.com", True), (".login.live.com", True), (".com", True),
        ("live.com", False), (".example", False), ("evil-live.com", False), (".microsoft.com", True),
        ("microsoft.com", False), ("LOGIN.live.com", True), ("zz-cdn.onenote.net", True), (".onenote.net", True),
    ],
)
def test_names_in_common(value, shared) -> None:
    assert NAMES.overlap(value) == shared


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("acl bad dstdomain .live.com\nhttp_access deny bad\n", True),
        ("acl bad dstdomain .other.example\nhttp_access deny bad\n", False),
        ("acl bad src 10.0.0.7\nhttp_access deny bad\n", True),
        ("acl ok port 80 443\nhttp_access deny !ok\n", False),
        ("acl ok port 80\nhttp_access deny !ok\n", True),
        ("acl tls port 443\nhttp_access deny CONNECT !tls\n", False),
        ("acl tls port 563\nhttp_access deny CONNECT !tls\n", True),
        ("acl bad port 25\nhttp_access deny bad\n", False),
        ("http_access deny manager\n", False),
        ("http_access deny to_localhost\n", False),
    ],
)
def test_earlier_denies_are_told_where_they_can_hit_us(tmp_path, text, told) -> None:
    assert bool(site(tmp_path, text + INCLUDE).warnings(NAMES, {80, 443}, {443})) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("http_reply_access deny movies", True), ("http_reply_access allow all", False),
        ("reply_body_max_size 10 MB", True), ("delay_access 1 allow all", True), ("delay_access 1 deny all", False),
        ("never_direct allow all", True), ("never_direct deny all", False), ("cache_peer_access p allow x", True),
    ],
)
def test_later_rules_that_can_still_hit_us(tmp_path, line, told) -> None:
    found = site(tmp_path, INCLUDE + line + "\n").warnings(NAMES, {80, 443}, {443})
    assert bool(found) == told
    assert not told or "squid.conf:2" in found[0]


@pytest.mark.parametrize(
    ("acl", "reason"),
    [("nobody", "neither a network nor an ACL"), ("later", "after our file is read"), ("users", "proxy_auth")],
)
def test_clients_must_be_decidable_where_our_rules_stand(tmp_path, acl, reason) -> None:
    found = site(tmp_path, LOGIN + "acl office src 10.0.0.0/8\n" + INCLUDE + "acl later src 10.0.0.0/8\n")
    found.require_client_acl("office")
    with pytest.raises(AllowlistError, match=reason):
        found.require_client_acl(acl)


def test_services_ports_and_redirector(tmp_path) -> None:
    found = site(tmp_path, INCLUDE + (
        "adaptation_access set_b allow all\nadaptation_access set_a allow x\nadaptation_access set_b deny y\n"
        "url_rewrite_program /bin/block\nhttp_port 3128 ssl-bump cert=x\nssl_bump bump all\n"
        "https_port 10.0.0.1:3130 intercept ssl-bump\nhttps_port 3131 tproxy ssl-bump name=clear\n"
    ))
    assert found.inspectors == ["set_b", "set_a"]
    assert found.has_redirector
    assert found.inspects_tls
    assert [found.port_name(line) for line in found.intercepting_ports] == ["10.0.0.1:3130", "clear"]
    assert not site(tmp_path, INCLUDE + "http_port 3128 ssl-bump\nurl_rewrite_program none\n").inspects_tls
