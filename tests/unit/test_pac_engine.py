# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PAC files by our interpreter and by another engine of JavaScript, Duktape: both must say the same."""

from __future__ import annotations

import json

import dukpy  # type: ignore[import-untyped]
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pac_run import PacFile
from hypothesis import given, settings
from hypothesis import strategies as st

# A value as a text that tells its type; semicolons part the ways that a PAC file answers, so they go.
SHOW = """function show(v) {
    if (v === null || v === undefined) return String(v);
    if (v instanceof Array) { var s = []; for (var i = 0; i < v.length; i++) s.push(show(v[i])); return '[' + s + ']' }
    return typeof v + ' ' + (typeof v == 'object' || typeof v == 'function' ? '' : encodeURIComponent(String(v)));
}
function told(f) { try { return show(f()) } catch (e) { return 'throws ' + e.name } }
"""
EXPRESSIONS = r"""
1+2*3
"a"+1+2
1+2+"a"
1+(2+"a")
-"5"
+"0x1f"
+""
+"abc"
"5"*"4"
"10"/4
7%3
-7%3
5.5%2
1/0
-1/0
0/0
1e21
1e-7
123456789012345680000
0.1+0.2
1.5e-6
1e300*1e10
0.000001
100/3
2e16
null==undefined
null===undefined
null==0
""==0
"0"==false
"1"==1
[]==false
[1]==1
[1,2]=="1,2"
NaN==NaN
"b">"a"
"a"<="a"
"b"<="a"
"a">="a"
"a">="b"
("a"+1)+2+("b"+(3+4))
(0||"")||("a"||"b")
"10"<"9"
10<9
"10"<9
null>=0
undefined>=0
typeof null
typeof undefined
typeof notdefined
typeof function(){}
typeof []
typeof "a"
typeof 1
typeof true
typeof /a/
void 0
!0
!""
!"a"
!!NaN
~5
~~"7.9"
5&3
5|3
5^3
1<<31
1<<32
-1>>>0
-1>>1
-1>>>28
4294967296|0
"abc".length
"abc"[1]
"abc".charAt(1)
"abc".charAt(9)
"abc".charCodeAt(0)
"abc".indexOf("c")
"abc".indexOf("z")
"abcabc".indexOf("a",1)
"abcabc".lastIndexOf("a")
"abcabc".lastIndexOf("a",0)
"abc".substring(1)
"abc".substring(2,0)
"abc".substring(-1,2)
"abcdef".substr(-3,2)
"abcdef".slice(-3,-1)
"abcdef".slice(2)
"abc".toUpperCase()
"  a b ".trim()
"a,b,c".split(",")
"a,b,c".split(",",2)
"abc".split("")
"".split(",")
"".split("")
"a1b2c".split(/\d/)
"a1b2c".split(/(\d)/)
"abc".split(/(?:)/)
"a.b.c".replace(".","-")
"a.b.c".replace(/\./g,"-")
"abc".replace(/(b)(c)/,"$2$1$$")
"abc".replace(/b/,function(m){return m+m})
"abc".replace("b","[$&]")
"aXbX".replace(/x/gi,"-")
"a-b".match(/(\w)-(\w)/)
"aabb".match(/a/g)
"abc".match(/z/)
"abc".search(/c/)
/a.c/.test("abc")
/^a.c$/.test("abcd")
/^https?:\/\//i.test("HTTPS://x")
/(\d{1,3})\.(\d{1,3})/.exec("10.22.3")
/(a)|(b)/.exec("b")
/(?:a|ab)(?:c|bcd)(d*)/.exec("abcd")
/(z)((a+)?(b+)?(c))*/.exec("zaacbbbcac")
/a{2,3}/.exec("aaaa")
/a{2,3}?/.exec("aaaa")
/a{,3}/.test("a{,3}")
/x*?y/.exec("xxy")
/(?=a)\w/.exec("ba")
/b(?!a)/.exec("babc")
/\bfoo\b/.test("a foo b")
/\Boo/.test("foo")
/[^a-c]/.exec("abcd")
/[\d.-]+/.exec("a1.2-3b")
/[\]]/.test("]")
/(a)\1/.test("aa")
/(a*)*/.exec("b")
/(a*)+/.exec("b")
/(.*)\.(.*)/.exec("www.example.com")
/^(?:[^.]+\.)*example\.com$/.test("a.b.example.com")
/a|b|/.exec("c")
/^$/m.test("a\n\nb")
/\u0041\x42/.test("AB")
/[A-Z]/i.test("q")
/\//.test("/")
/[/]/.test("/")
new RegExp("^a\\.b$").test("a.b")
RegExp("x").source
String(/a/g)
[1,2,3].join("-")
[1,[2,3]].toString()
[3,1,2].sort()
[10,9,1].sort()
[10,9,1].sort(function(a,b){return a-b})
[1,2,3].slice(1)
[1,2,3].slice(-2,-1)
[1,2,3].concat([4],5)
[1,2,3].reverse()
[1,2,3].indexOf(2)
[1,2,3].indexOf("2")
[1,2,3,4].splice(1,2)
[1,2,3].map(function(x){return x*2})
[1,2,3].filter(function(x){return x>1})
[1,2,3].some(function(x){return x>2})
[1,2,3].every(function(x){return x>2})
[1,2,3].reduce(function(a,b){return a+b})
[,1].length
[1,,2].join()
new Array(3).length
Array(1,2).length
[1,2,3].length=1
parseInt("12px")
parseInt("0x1f")
parseInt("077")
parseInt("z",36)
parseInt("")
parseInt("-5.9")
parseFloat("3.14abc")
parseFloat(".5e1x")
isNaN("a")
Number("12")
Number("1 2")
String(null)
String([1,2])
String({})
Boolean("")
(255).toString(16)
(3.14159).toFixed(2)
Math.floor(-1.5)
Math.round(2.5)
Math.round(-2.5)
Math.max(1,3,2)
Math.min()
Math.abs(-3)
Math.pow(2,10)
"a" in {a:1}
"toString" in {}
0 in [1]
({a:1}).hasOwnProperty("a")
({a:1}).hasOwnProperty("toString")
Object.keys({b:1,a:2,1:3})
(function(){return arguments.length})(1,2,3)
(function(){return arguments[1]})(1,2,3)
(function f(n){return n<2?1:n*f(n-1)})(5)
(function(a,b){return a+b}).call(null,1,2)
(function(a,b){return a+b}).apply(null,[1,2])
(function(a,b){return a+b}).bind(null,1)(5)
1,2,3
1?2:3
0?1:0?2:3
"a"||"b"
""||0||"c"
"a"&&"b"
0&&x
new Date(2020,0,31).getMonth()
new Date(86400000).getTime()
new Date(0).getUTCDay()
escape("a b")
encodeURIComponent("a/b c")
decodeURIComponent("a%2Fb")
unescape("%41")
[] + []
[] + {}
1 + null
1 + undefined
"a" + null
true + true
[2] * [3]
"\x41\u0042\n".length
'it\'s'
0xff
010
.5
5.
1e3
-0
"abc" instanceof Object
[] instanceof Array
/a/ instanceof RegExp
(function(){}) instanceof Function
"abc".concat("d",1)
"x".constructor === String
[].constructor === Array
"2" > 1
[2] > 1
null + 1
({valueOf:function(){return 7}})*2
({toString:function(){return "q"}})+"x"
String(function(){}).length>0
isFinite("1e400")
"é".toUpperCase()
"a\tb".split(/\s/)
"aaa".lastIndexOf("a", -5)
"abc".substr(1)
"abc".substr(1,NaN)
"abc".slice(NaN)
"abc".charAt()
[1,2,3].join(undefined)
[null,undefined,1].join()
"1,2".split(",")[1]*2
String.fromCharCode(65,66)
"abc".replace(/b/g,"$0$1$9")
"abc".replace(/(b)/g,"$01-$10")
(1.005).toFixed(2)
5..toString()
1e21+1
123456.789e3
1/3
4.35*100
'%'+1.0
"abcd".match(/(?:b)(c)(x)?/)
/[\s\S]+/.exec("a\nb")
/\d+(?:\.\d+)?$/.exec("v1.25")
/a(?=b(c))/.exec("abc")
/(?!(a))b/.exec("b")
/^(a+)+$/.test("aaaa")
/(ab|a)(bc)?$/.exec("abc")
/^.{3,}$/.test("abcd")
/[-a]/.test("-")
/[a-]/.test("-")
/[\b]/.test("\b")
/\cA/.test("x")
/a\-b/.test("a-b")
/}/.test("}")
/x{1}/.test("x")
/x{a}/.test("x{a}")
/\0/.test("\0")
"""


def ours(expression: str) -> str:
    text = f"{SHOW}function FindProxyForURL() {{ return 'is ' + told(function () {{ return (\n{expression}\n) }}) }}"
    return PacFile(text, "x", lambda host: [], list).find("", "")[0]


_ENGINE = dukpy.JSInterpreter()
_ENGINE.evaljs(SHOW)


def theirs(expression: str) -> str:
    code = f"(function () {{ return (\n{expression}\n) }})"
    return " ".join(f"is {_ENGINE.evaljs(f'told(eval({json.dumps(code)}))')}".split())


@pytest.mark.parametrize("expression", EXPRESSIONS.strip("\n").split("\n"))
def test_expressions(expression):
    assert ours(expression) == theirs(expression)


_VALUES = st.sampled_from(
    "null undefined true false 0 1 -1 2.5 1e21 NaN 7 '' 'a' 'b' '10' '9' '0x10' [] [1] ['a','b'] {}".split()
    + ["' 3 '", "({valueOf: function () { return 4 }})", "({toString: function () { return '5' }})"]
)
_OPERATORS = st.sampled_from("+ - * / % & | ^ << >> >>> < > <= >= == != === !== && ||".split())
_EXPRESSIONS = st.recursive(
    _VALUES.map(lambda value: f"({value})"),
    lambda inner: st.one_of(
        st.tuples(inner, _OPERATORS, inner).map(" ".join),
        st.tuples(st.sampled_from(["!", "-", "+", "~", "typeof "]), inner).map("".join).map("({})".format),
        st.tuples(inner, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts)),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(_EXPRESSIONS)
def test_operators_in_any_company(expression):
    assert ours(expression) == theirs(expression)


_ATOMS = st.sampled_from([*"ab.", "[ab]", "[^a]", "\\w", "\\d", "\\b", "^", "$", "(?=b)", "(?!b)", "-"])
_REGEXES = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: "(?:{}|{})".format(*pair)),
        inner.map("({})".format),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "*?", "+?"])).map("(?:{0[0]}){0[1]}".format),
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(_REGEXES, st.text("ab-1", max_size=8))
def test_what_regular_expressions_find(regex, text):
    """What groups inside of a repetition caught is left out: Duktape keeps what an earlier turn caught."""
    expression = f"(function (m) {{ return m && [m.index, m[0]] }})(/{regex}/.exec('{text}'))"
    assert ours(expression) == theirs(expression)


@settings(deadline=None)
@given(st.sampled_from(["split", "match", "search", "replace"]), _REGEXES, st.text("ab-1", max_size=8))
def test_texts_by_regular_expressions(method, regex, text):
    if method == "split" and "(" in regex.replace("(?", ""):
        regex = "(?:a|b)"  # see above: the groups are part of what split gives
    more = ", '<$&>'" if method == "replace" else ""
    expression = f"'{text}'.{method}(/{regex}/g{more})"
    assert ours(expression) == theirs(expression)
