# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PAC files as scripts: the language that they are written in, and what is said of those that fail."""

from __future__ import annotations

import threading
from typing import List

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_run import PacFile


def pac(text: str) -> PacFile:
    return PacFile(text, "test.pac", lambda host: [], list)


def result(body: str) -> str:
    """What a function with this body returns."""
    return pac(f"function FindProxyForURL(url, host) {{\n{body}\n}}").find(
        "https://www.example.com/", "www.example.com"
    )[0]


STATEMENTS = {
    "var a = 1; if (a) return 'yes'; return 'no'": "yes",
    "if (0) return 'a'; else if (null) return 'b'; else return 'c'": "c",
    "if (host) { var x = 'set' } return x": "set",
    "for (var i = 0, s = ''; i < 4; i++) { if (i == 1) continue; if (i == 3) break; s += i } return s": "02",
    "var s = ''; for (var k in {b: 1, a: 2, 2: 3, 1: 4}) s += k; return s": "12ba",
    "var s = ''; for (var k in ['x', 'y']) s += typeof k + k; return s": "string0string1",
    "var s = ''; for (const v of ['x', 'y']) s += v; return s": "xy",
    "var i = 0; while (true) { if (++i > 5) break } return 'n' + i": "n6",
    "var i = 9; do i++; while (i < 5); return 'n' + i": "n10",
    "switch (host) { case 'x': return 'x'; case host: case 'y': return 'hit'; default: return 'd' }": "hit",
    "var s = ''; switch (3) { default: s += 'd'; case 1: s += 1; break; case 2: s += 2 } return s": "d1",
    "o: for (var i = 0;; i++) for (var j = 0;; j++) { if (j) continue o; if (i > 1) break o } return i + '' + j": "20",
    "try { nothing() } catch (e) { return e.name + ' ' + (e instanceof ReferenceError) }": "ReferenceError true",
    "try { throw {code: 7} } catch (e) { return 'c' + e.code } finally { host = 'f' }": "c7",
    "function f() { try { return 'try' } finally { host = 'late' } } return f() + host": "trylate",
    "var e = 1; try { throw 2 } catch (e) { e = 3 } return 'e' + e": "e1",
    "return f(); function f() { return 'hoisted' }": "hoisted",
    "var f = function g(n) { return n ? n + g(n - 1) : '' }; return f(3)": "321",
    "var n = 0; function up() { n++; return up } up()()(); return 'n' + n": "n3",
    "function F(x) { this.x = x } F.prototype.get = function () { return 'x' + this.x }; return new F(4).get()": "x4",
    "String.prototype.has = function (s) { return this.indexOf(s) >= 0 }; return '' + host.has('example')": "true",
    "var o = {'a-b': [1, {c: 'deep'}]}; return o['a-b'][1].c": "deep",
    "var o = {a: 1}; delete o.a; return typeof o.a + ('a' in o)": "undefinedfalse",
    "var a = [1]; a[3] = 2; a.x = 9; return a.length + '|' + a.join()": "4|1,,,2",
    "var i = 0, a = [5, 6]; a[i++] += 10; return i + '|' + a": "1|15,6",
    "return (function () { return arguments.length + arguments[1] })('a', 'b')": "2b",
    "var x = y = 'chain'; return x + (typeof y)": "chainstring",
    "return typeof later; var later = 1": "undefined",
    "return\n'never'": "DIRECT",
    "var a = 1\nvar b = 2\nreturn 'sum' + (a + b)": "sum3",
    "var a = 'x' // comment\n/* and\nmore */ return a": "x",
    "var r = /[/\\]]+/g; return 'a/]b'.replace(r, '-')": "a-b",
    "if (host) /x/.test(host); return 'regex'": "regex",
    "return 8 / 2 / 2 + ''": "2",
    "return host.match(/^([^.]+)\\.(.*)$/)[2]": "example.com",
    "var re = /e/g, n = 0; while (re.exec(host)) n++; return 'n' + n": "n2",
    # What came after ECMAScript 5
    "let a = 'in'; { let a = 'inner' } return a": "in",
    "const f = (a, b) => a + b; const g = x => { return x + 1 }; return f('s', g(1))": "s2",
    "let fs = []; for (let i = 0; i < 3; i++) fs.push(() => i); return fs.map(f => f()).join()": "0,1,2",
    "return `${host.split('.')[0]}-${`in ${1 + 1}`}\\n`": "www-in 2",
    "var a = 1, o = {a, f() { return this.a }}; return 'm' + o.f()": "m1",
    "return ['a', 'b'].includes('b') + host.startsWith('www') + host.endsWith('.com') + ''": "3",
}


@pytest.mark.parametrize("body", STATEMENTS)
def test_statements(body):
    assert result(body) == STATEMENTS[body]


WRONG = {
    "var x = ;": 'line 2: ";" is not understood here',
    "var s = 'open": 'line 2: "\'open\\n}" is not understood',
    "/* open": "line 2: a comment /* has no end",
    "var a = 1 var b": 'line 2: "var" is not understood here, expected ;',
    "class A {}": 'line 2: "class" is not supported',
    "with (host) {}": 'line 2: "with" is not supported',
    "var {a} = host": 'line 2: "{" is not understood here, expected a name',
    "1 = 2": "line 2: only a variable or a property can be assigned to",
    "if (host) {": "line 3: the file ends too early, expected }",
    "\n\nnothing()": 'line 4: ReferenceError: "nothing" is not defined',
    "\nhost.nothing()": "line 3: TypeError: nothing is not a function",
    "return host.nothing.more": "line 2: TypeError: undefined has no property 'more'",
    "throw 'a text'": 'line 2: it threw "a text"',
    "throw {message: 'own'}": "line 2: own",
    "const a = 1; a = 2": 'line 2: TypeError: "a" is a constant',
    "a; let a = 1": 'line 2: ReferenceError: "a" is not defined',
    "new RegExp('(')": 'line 2: SyntaxError: the regular expression "(": a ( without its )',
    "/a**/.test('x')": 'line 2: SyntaxError: the regular expression "a**": a repetition of a repetition',
    "return 5": "FindProxyForURL did not return a text",
    "return {}": "FindProxyForURL did not return a text",
}


@pytest.mark.parametrize("body", WRONG)
def test_what_is_wrong_is_told_with_its_line(body):
    with pytest.raises(PacError) as raised:
        result(body)
    assert str(raised.value) == f"PAC file test.pac: {WRONG[body]}"


@pytest.mark.parametrize("text", ["", "var FindProxyForURL = 1", "function findproxyforurl() {}", "<html></html>"])
def test_what_is_no_pac_file_is_told_at_once(text):
    with pytest.raises(PacError, match=r"PAC file test\.pac: "):
        pac(text)


@pytest.mark.parametrize(
    ("answer", "ways"),
    [
        ("'PROXY a:1;  PROXY   b:2 ; DIRECT;'", ["PROXY a:1", "PROXY b:2", "DIRECT"]),
        ("''", ["DIRECT"]),
        ("' ; '", ["DIRECT"]),
        ("undefined", ["DIRECT"]),
        ("null", ["DIRECT"]),
    ],
)
def test_an_answer_is_a_list_of_ways(answer, ways):
    assert pac(f"function FindProxyForURL() {{ return {answer} }}").find("", "") == ways


def test_the_classic_function_is_asked_also_where_there_is_microsofts():
    text = (
        "function FindProxyForURLEx() { return 'PROXY ex:1' } function FindProxyForURL() { return 'PROXY classic:1' }"
    )
    assert pac(text).find("", "") == ["PROXY classic:1"]


def test_url_and_host_arrive():
    text = "function FindProxyForURL(url, host) { return url + ' ' + host }"
    assert pac("\ufeff" + text).find("http://h/p", "h") == ["http://h/p h"]


def test_many_threads_may_ask():
    """Each call has a script for itself: a variable that one sets is not what another reads."""
    file = pac("var mine; function FindProxyForURL(u, h) { mine = h; for (var i = 0; i < 300; i++); return mine }")
    answers: List[List[str]] = []
    threads = [
        threading.Thread(target=lambda name=str(number): answers.append([name, *file.find("", name)]))
        for number in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 24 and all(name == answer for name, answer in answers)
