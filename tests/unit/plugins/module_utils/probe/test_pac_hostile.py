# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PAC files of somebody who means harm: they end, they stay small, and they reach nothing."""

from __future__ import annotations

from typing import List

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import _pac_realm
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_run import PacFile

TOO_LONG = "takes too long"
TOO_DEEP = "nested too deep|inside of each other"
TOO_LARGE = "a text of more than 100000 characters|an array may have 100000 items"
HOSTILE = {
    "while (true);": TOO_LONG,
    "for (;;) try { for (;;); } catch (e) {} finally { for (;;); }": TOO_LONG,
    "do {} while (1)": TOO_LONG,
    "function f() { g(); g() } function g() { for (var i = 0; i < 1e6; i++); } f()": TOO_LONG,
    "var a = [1]; for (var x of a) a.push(x)": f"{TOO_LONG}|{TOO_LARGE}",
    "/^(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab')": TOO_LONG,
    "/(a|a)*b/.test('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac')": TOO_LONG,
    "/(.*)(.*)(.*)(.*)(.*)(.*)x/.test('a'.repeat(200))": TOO_LONG,
    "/a*a*a*a*a*b/.test('a'.repeat(500))": TOO_LONG,
    "'a'.repeat(50000).split(/(?:a?){50}b/)": TOO_LONG,
    "var s = 'x'; while (true) s += s": TOO_LARGE,
    "var s = 'x'; while (true) s = s.replace(/x/g, 'xx')": f"{TOO_LARGE}|{TOO_LONG}",
    "'x'.repeat(1e9)": TOO_LARGE,
    "'x'.repeat(90000).replace(/x/g, 'x'.repeat(90000))": f"{TOO_LARGE}|{TOO_LONG}",
    "new Array(50000).join('x'.repeat(1000))": TOO_LARGE,
    "var a = []; a[4294967294] = 1": "",  # a property like any other, as in browsers
    "var a = []; a[999999999] = 1": TOO_LARGE,
    "var a = []; a.length = 1e9": TOO_LARGE,
    "new Array(1e9)": TOO_LARGE,
    "var a = [1]; while (true) a = a.concat(a)": f"{TOO_LONG}|{TOO_LARGE}",
    "var a = []; while (true) a.push({})": f"{TOO_LONG}|{TOO_LARGE}",
    "var o = {}; while (true) o = {o: o}": TOO_LONG,
    "'x'.concat.apply('x', new Array(9000).join().split(','))": "",
    "function f() { f() } f()": TOO_DEEP,
    "function f() { return [1].map(f) } f()": TOO_DEEP,
    "[2, 1].sort(function f(a, b) { return [a, b].sort(f) })": TOO_DEEP,
    "var a = []; a[0] = a; '' + a": TOO_DEEP,
    "var o = {toString: function () { return '' + o }}; '' + o": TOO_DEEP,
    "(" * 5000: TOO_DEEP,
    "[" * 5000: TOO_DEEP,
    "!" * 5000 + "1": TOO_DEEP,
    "{" * 5000: TOO_DEEP,
    "x = " * 5000 + "1": TOO_DEEP,
    "new " * 5000 + "Object": TOO_DEEP,
    "a" + ".a" * 5000: "a chain of calls is too long",
    "new RegExp(new Array(5000).join('('))": "nested too deep",
    "new RegExp('x'.repeat(50000))": "is too long",
    "/x{1001}/.test('')": "no useful number",
    "var " + ",".join(f"a{number}" for number in range(200000)): "more than 1048576 characters",
    "9" * 5000: "more than 200 digits",
    "0x" + "f" * 5000: "more than 200 digits",
}


@pytest.fixture(autouse=True)
def _small_allowance(monkeypatch):
    monkeypatch.setattr(_pac_realm, "MOST_STEPS", 300000)


def no_addresses(host: str) -> List[str]:
    return []


def load(text: str) -> PacFile:
    return PacFile(text, "x", no_addresses, list)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40])
def test_a_hostile_file_ends(text):
    file = f"{text}\nfunction FindProxyForURL() {{ return 'DIRECT' }}"
    if HOSTILE[text]:
        with pytest.raises(PacError, match=HOSTILE[text]):
            load(file)
    else:
        assert load(file).find("", "") == ["DIRECT"]


def test_it_cannot_catch_the_end_of_its_allowance():
    attempt = "try { while (true); } catch (e) { return 'PROXY caught:1' } finally { return 'PROXY last:1' }"
    file = load(f"function FindProxyForURL() {{ {attempt} }}")
    with pytest.raises(PacError, match="line 1: the script takes too long"):
        file.find("", "")


def test_the_end_of_its_allowance_ends_its_use():
    """700 targets are not 700 times the allowance."""
    calls: List[str] = []

    def resolve(host: str) -> List[str]:
        calls.append(host)
        return []

    text = "function FindProxyForURL(u, host) { dnsResolve(host); if (host == 'bad') while (true); return 'DIRECT' }"
    file = PacFile(text, "x", resolve, list)
    assert file.find("", "good") == ["DIRECT"]
    for host in ("bad", "good"):
        with pytest.raises(PacError, match="takes too long"):
            file.find("", host)
    assert calls == ["good", "bad"]


@pytest.mark.parametrize(
    "expression",
    [
        "''.__class__",
        "({}).__class__",
        "({}).__dict__",
        "[].__class__",
        "(1).__class__",
        "FindProxyForURL.__globals__",
        "FindProxyForURL.template",
        "FindProxyForURL.scope",
        "isInNet.code",
        "isInNet.__closure__",
        "/a/.regex",
        "new Date().time",
        "this.realm",
        "this.__builtins__",
        "Object.prototype",
    ],
)
def test_nothing_of_python_is_reached(expression):
    """The last one shows that the others are undefined for a reason."""
    text = f"function FindProxyForURL() {{ return typeof ({expression}) }}"
    wanted = "object" if expression == "Object.prototype" else "undefined"
    assert load(text).find("", "") == [wanted]


@pytest.mark.parametrize(
    "code", ["eval('1')", "new Function('return 1')()", "(function () {}).constructor('return 1')()", "import('os')"]
)
def test_no_code_from_text(code):
    with pytest.raises(PacError, match="code cannot be made from text here|not supported|not understood"):
        load(f"function FindProxyForURL() {{ {code} }}").find("", "")


@pytest.mark.parametrize("name", ["require", "process", "XMLHttpRequest", "ActiveXObject", "WScript", "window"])
def test_nothing_but_the_functions_for_pac_files_is_there(name):
    assert load(f"function FindProxyForURL() {{ return typeof {name} }}").find("", "") == ["undefined"]


def test_a_file_that_is_broken_for_one_url_still_answers_for_others():
    file = load("function FindProxyForURL(u, host) { if (host == 'bad') nothing(); return 'DIRECT' }")
    with pytest.raises(PacError, match='"nothing" is not defined'):
        file.find("", "bad")
    assert file.find("", "good") == ["DIRECT"]


def test_what_a_script_keeps_is_thrown_away_in_time():
    """Its variables live on between calls, as in browsers, but a script that works much starts anew."""
    file = load("var n = 0; function FindProxyForURL() { n++; for (var i = 0; i < 10000; i++); return 'n' + n }")
    assert len({file.find("", "")[0] for _number in range(12)}) < 12
