# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions that PAC files are given; the examples are those of the documentation of Netscape and Microsoft."""

from __future__ import annotations

import calendar
import time
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._pac_errors import PacError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_run import PacFile
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = {
    "four.example.com": ["198.51.100.7"],
    "six.example.com": ["2001:db8::7"],
    "both.example.com": ["2001:db8::7", "198.51.100.7"],
    "ten.example.com": ["10.20.30.40"],
}
MINE = ("192.0.2.77", "2001:db8::77")


def value(expression: str, now: float = 0.0, mine: Any = MINE) -> str:
    text = f"function FindProxyForURL() {{ return 'is ' + ({expression}) }}"
    file = PacFile(text, "x", lambda host: NAMES.get(host, []), lambda: list(mine), lambda: now)
    return ";".join(file.find("", ""))[3:]


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("isPlainHostName('www')", "true"),
        ("isPlainHostName('www.example.com')", "false"),
        ("isPlainHostName('2001:db8::1')", "false"),
        ("dnsDomainIs('www.example.com', '.example.com')", "true"),
        ("dnsDomainIs('www', '.example.com')", "false"),
        ("dnsDomainIs('www.example.org', '.example.com')", "false"),
        ("dnsDomainIs('notexample.com', 'example.com')", "true"),
        ("localHostOrDomainIs('www.example.com', 'www.example.com')", "true"),
        ("localHostOrDomainIs('www', 'www.example.com')", "true"),
        ("localHostOrDomainIs('www.example.org', 'www.example.com')", "false"),
        ("localHostOrDomainIs('home.example.com', 'www.example.com')", "false"),
        ("isResolvable('four.example.com')", "true"),
        ("isResolvable('six.example.com')", "false"),
        ("isResolvable('none.example.com')", "false"),
        ("isResolvableEx('six.example.com')", "true"),
        ("isResolvableEx('none.example.com')", "false"),
        ("dnsResolve('both.example.com')", "198.51.100.7"),
        ("dnsResolve('six.example.com')", "null"),
        ("dnsResolve('203.0.113.9')", "203.0.113.9"),
        ("dnsResolveEx('both.example.com')", "2001:db8::7;198.51.100.7"),
        ("dnsResolveEx('none.example.com')", ""),
        ("isInNet('198.51.100.7', '198.51.100.7', '255.255.255.255')", "true"),
        ("isInNet('198.51.100.8', '198.51.100.7', '255.255.255.255')", "false"),
        ("isInNet('ten.example.com', '10.0.0.0', '255.0.0.0')", "true"),
        ("isInNet('four.example.com', '10.0.0.0', '255.0.0.0')", "false"),
        ("isInNet('none.example.com', '0.0.0.0', '0.0.0.0')", "false"),
        ("isInNet('10.1.2.3', '10.0.0.0', '255.0.0')", "false"),
        ("isInNet('10.1.2.3', '10.0.0.256', '255.0.0.0')", "false"),
        ("isInNet('10.20.0.1', '10.16.0.0', '255.240.0.0')", "true"),
        ("isInNetEx('198.51.100.7', '198.51.100.0/24')", "true"),
        ("isInNetEx('2001:db8:1::1', '2001:db8::/32')", "true"),
        ("isInNetEx('both.example.com', '2001:db8::/32')", "true"),
        ("isInNetEx('four.example.com', '2001:db8::/32')", "false"),
        ("isInNetEx('four.example.com', 'nonsense')", "false"),
        ("convert_addr('104.16.41.2')", "1745889538"),
        ("convert_addr('192.0.2.1')", "-1073741311"),
        ("convert_addr('1.2')", "16908288"),
        ("myIpAddress()", "192.0.2.77"),
        ("myIpAddressEx()", "192.0.2.77;2001:db8::77"),
        ("dnsDomainLevels('www')", "0"),
        ("dnsDomainLevels('mozilla.org')", "1"),
        ("dnsDomainLevels('www.mozilla.org')", "2"),
        ("sortIpAddressList('10.2.3.9;2001:4898:28:3::12;::1;127.0.0.1')", "::1;2001:4898:28:3::12;10.2.3.9;127.0.0.1"),
        ("sortIpAddressList('10.2.3.9;nonsense')", ""),
        ("getClientVersion()", "1.0"),
        ("alert('x')", "undefined"),
    ],
)
def test_names_and_addresses(expression, wanted):
    assert value(expression) == wanted


@pytest.mark.parametrize(
    ("mine", "wanted"),
    [
        ([], "127.0.0.1|"),
        (["2001:db8::1"], "2001:db8::1|2001:db8::1"),
        (MINE[::-1], "192.0.2.77|2001:db8::77;192.0.2.77"),
    ],
)
def test_the_address_of_the_host(mine, wanted):
    assert value("myIpAddress() + '|' + myIpAddressEx()", mine=mine) == wanted


@pytest.mark.parametrize(
    ("text", "pattern", "wanted"),
    [
        ("http://home.example.com/people/ari/index.html", "*/ari/*", True),
        ("http://home.example.com/people/montulli/index.html", "*/ari/*", False),
        ("www.example.com", "*.example.com", True),
        ("example.com", "*.example.com", False),
        ("www.example.com", "www.example.com", True),
        ("wwwXexample.com", "www.example.com", False),
        ("www.example.com.evil", "*.example.com", False),
        ("a.b", "?.?", True),
        ("ab.b", "?.?", False),
        ("abcabc", "a*bc", True),
        ("abc", "abc*abc", False),
        ("ab", "ab*?b", False),
        ("axxbyyc", "a*b*c", True),
        ("axxcyyb", "a*b*c", False),
        ("a1b2c", "a?b*?", True),
        ("anything", "*", True),
        ("", "*", True),
        ("", "", True),
        ("x", "", False),
        ("ab", "a**b", True),
        ("www.example.org", "*.(com|org)", True),
        ("www.example.net", "*.(com|org)", False),
        ("a1", "a[0-9]", True),
        ("aa", "a+", True),
    ],
)
def test_sh_exp_match(text, pattern, wanted):
    """The last ones are no shell patterns: browsers make a regular expression of the pattern, and so it means more."""
    assert value(f"shExpMatch('{text}', '{pattern}')") == str(wanted).lower()


@settings(deadline=None)
@given(st.text("ab.", max_size=8), st.text("ab.*?", max_size=6))
def test_patterns_without_a_regex_mean_the_same_as_with_one(text, pattern):
    """The quick way for * and ? against what browsers do, which is a regular expression."""
    slow = "new RegExp('^' + p.replace(/\\./g, '\\\\.').replace(/\\*/g, '.*').replace(/\\?/g, '.') + '$').test(t)"
    script = f"(function (t, p) {{ return shExpMatch(t, p) + '|' + {slow} }})('{text}', '{pattern}')"
    quick, _bar, wanted = value(script).partition("|")
    assert quick == wanted


def at(text: str) -> float:
    """Seconds since 1970 of a time of day in UTC."""
    return float(calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")))


WEDNESDAY = "2026-03-18 14:05:30"


@pytest.mark.parametrize(
    ("expression", "now", "wanted"),
    [
        ("weekdayRange('WED', 'GMT')", WEDNESDAY, True),
        ("weekdayRange('MON', 'FRI', 'GMT')", WEDNESDAY, True),
        ("weekdayRange('SAT', 'GMT')", WEDNESDAY, False),
        ("weekdayRange('FRI', 'MON', 'GMT')", WEDNESDAY, False),
        ("weekdayRange('SAT', 'WED', 'GMT')", WEDNESDAY, True),
        ("weekdayRange('wed', 'GMT')", WEDNESDAY, False),
        ("weekdayRange('GMT')", WEDNESDAY, False),
        ("dateRange(18, 'GMT')", WEDNESDAY, True),
        ("dateRange(1, 'GMT')", WEDNESDAY, False),
        ("dateRange(1, 18, 'GMT')", WEDNESDAY, True),
        ("dateRange(19, 31, 'GMT')", WEDNESDAY, False),
        ("dateRange('MAR', 'GMT')", WEDNESDAY, True),
        ("dateRange('JAN', 'MAR', 'GMT')", WEDNESDAY, True),
        ("dateRange('NOV', 'FEB', 'GMT')", WEDNESDAY, False),
        ("dateRange('NOV', 'MAR', 'GMT')", WEDNESDAY, True),
        ("dateRange(2026, 'GMT')", WEDNESDAY, True),
        ("dateRange(2027, 2030, 'GMT')", WEDNESDAY, False),
        ("dateRange(1, 'MAR', 17, 'MAR', 'GMT')", WEDNESDAY, False),
        ("dateRange(1, 'JUN', 15, 'AUG', 'GMT')", WEDNESDAY, False),
        ("dateRange('OCT', 2025, 'MAR', 2026, 'GMT')", WEDNESDAY, True),
        ("dateRange(1, 'JUN', 1995, 18, 'MAR', 2026, 'GMT')", WEDNESDAY, True),
        ("dateRange('nonsense', 'GMT')", WEDNESDAY, False),
        ("dateRange()", WEDNESDAY, False),
        ("timeRange(14, 'GMT')", WEDNESDAY, True),
        ("timeRange(12, 'GMT')", WEDNESDAY, False),
        ("timeRange(8, 14, 'GMT')", WEDNESDAY, True),
        ("timeRange(22, 15, 'GMT')", WEDNESDAY, False),
        ("timeRange(14, 0, 14, 5, 'GMT')", WEDNESDAY, True),
        ("timeRange(14, 6, 15, 0, 'GMT')", WEDNESDAY, False),
        ("timeRange(22, 0, 15, 0, 'GMT')", WEDNESDAY, True),
        ("timeRange(14, 5, 0, 14, 5, 30, 'GMT')", WEDNESDAY, True),
        ("timeRange(14, 5, 31, 14, 6, 0, 'GMT')", WEDNESDAY, False),
        ("timeRange()", WEDNESDAY, False),
        ("new Date().getUTCHours() == 14 && new Date().getUTCDay() == 3", WEDNESDAY, True),
        ("Date.now() == new Date().getTime() && new Date() - 0 > 1.7e12", WEDNESDAY, True),
        ("new Date('2026-03-18T14:05:30Z').getTime() == Date.now()", WEDNESDAY, True),
        ("new Date(2026, 2, 18, 12).getDate() == 18", WEDNESDAY, True),
        ("isNaN(new Date('nonsense'))", WEDNESDAY, True),
    ],
)
def test_the_calendar(expression, now, wanted):
    assert value(expression, at(now)) == str(wanted).lower()


def test_the_calendar_is_that_of_the_host_unless_gmt_is_asked_for(monkeypatch):
    monkeypatch.setenv("TZ", "XYZ-10")  # ten hours before Greenwich: there it is Thursday already
    time.tzset()
    try:
        asked = (
            "[weekdayRange('THU'), timeRange(0), dateRange(19), new Date().getHours(), new Date().getTimezoneOffset()]"
        )
        assert value(asked, at(WEDNESDAY)) == "true,true,true,0,-600"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("call", ["dnsDomainIs(host)", "shExpMatch(null, '*')", "isInNet()", "timeRange(1, 2, 3)"])
def test_a_wrong_call_is_told(call):
    with pytest.raises(PacError, match="line 1: TypeError: "):
        value(f"(function (host) {{ return {call} }})('x')")
