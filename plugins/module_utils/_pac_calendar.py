# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions that PAC files ask of the calendar: weekdayRange, dateRange, timeRange."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, List, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_date import moment
from ansible_collections.egress.allowlist.plugins.module_utils._pac_library import parse_int
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import to_number, to_text
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import Value

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def _now(realm: Any, arguments: List[Value]) -> Tuple[datetime, List[Value]]:
    """The host's time, or UTC where the last argument is "GMT", and the arguments without that one."""
    utc = bool(arguments) and arguments[-1] == "GMT"
    return moment(realm.now() * 1000, utc), arguments[:-1] if utc else arguments


def _within(low: Any, now: Any, high: Any) -> bool:
    """Ranges may go over the end of the week, day or year."""
    return bool(low <= now <= high if low <= high else now <= high or now >= low)


def weekday_range(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    now, names = _now(realm, arguments)
    days = [_DAYS.index(name) if name in _DAYS else -1 for name in names[:2]]
    if not days or -1 in days:
        return False
    return _within(days[0], (now.weekday() + 1) % 7, days[-1])


def date_range(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    """Days, months and years, alone or in pairs: (1), ("JAN"), (1, 15), (1, "JUN", 15, "AUG"), …"""
    now, values = _now(realm, arguments)
    parts = [_date_part(realm, value) for value in values]
    if not parts or None in parts:
        return False
    today = {"day": now.day, "month": now.month, "year": now.year}
    known = [part for part in parts if part is not None]
    if len(known) == 1:
        return today[known[0][0]] == known[0][1]
    half = len(known) // 2
    first, last = dict(known[:half]), dict(known[half:])
    # Days alone are days of this month; what else was left out is the first or the last of its kind.
    month = {"month": now.month} if len(known) == 2 and "day" in first else {}
    low = {"year": now.year, "month": 1, "day": 1, **month, **first}
    high = {"year": now.year, "month": 12, "day": 31, **month, **last}
    names = ("year", "month", "day")
    return _within([low[name] for name in names], [today[name] for name in names], [high[name] for name in names])


def _date_part(realm: Any, value: Value) -> Optional[Tuple[str, int]]:
    number = parse_int(realm, None, [value])
    if not math.isnan(number):
        return ("day" if number < 32 else "year", int(number))
    name = to_text(realm, value)
    return ("month", _MONTHS.index(name) + 1) if name in _MONTHS else None


def time_range(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    """(hour), (hour, hour), (hour, minute, hour, minute), (hour, minute, second, hour, minute, second)."""
    now, values = _now(realm, arguments)
    numbers = [to_number(realm, value) for value in values]
    if not numbers:
        return False
    if len(numbers) == 1:
        return now.hour == numbers[0]
    if len(numbers) == 2:  # browsers do not go over midnight with hours alone
        return numbers[0] <= now.hour <= numbers[1]
    if len(numbers) not in (4, 6):
        raise realm.error("TypeError", f"timeRange takes 1, 2, 4 or 6 numbers, not {len(numbers)}")
    half = len(numbers) // 2
    low, high = numbers[:half] + [0] * (3 - half), numbers[half:] + [59] * (3 - half)
    return _within(low, [now.hour, now.minute, now.second], high)
