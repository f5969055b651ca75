# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dates, as far as PAC files look at the clock: they read it, and do not set it."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List

from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import NAN, to_number, to_text
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import JsDate, NativeCode, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(milliseconds: float, utc: bool) -> datetime:
    """The calendar's words for a time, of the host's own zone or of UTC."""
    there = _EPOCH + timedelta(milliseconds=milliseconds)
    return there if utc else there.astimezone()


def _reader(part: Callable[[datetime], float], utc: bool) -> NativeCode:
    def method(realm: Any, this: Value, _arguments: List[Value]) -> Value:
        if not isinstance(this, JsDate):
            raise realm.error("TypeError", "a method of dates was called on something else")
        return NAN if math.isnan(this.time) else float(part(moment(this.time, utc)))

    return method


_PARTS: Dict[str, Callable[[datetime], float]] = {
    "Date": lambda date: date.day,
    "Day": lambda date: (date.weekday() + 1) % 7,
    "FullYear": lambda date: date.year,
    "Hours": lambda date: date.hour,
    "Milliseconds": lambda date: date.microsecond // 1000,
    "Minutes": lambda date: date.minute,
    "Month": lambda date: date.month - 1,
    "Seconds": lambda date: date.second,
}


def _offset(date: datetime) -> float:
    return -(date.utcoffset() or timedelta()).total_seconds() / 60


def _since_epoch(date: datetime) -> float:
    return (date - _EPOCH) // timedelta(milliseconds=1)


def _text(_realm: Any, this: Value, _arguments: List[Value]) -> Value:
    if not isinstance(this, JsDate) or math.isnan(this.time):
        return "Invalid Date"
    return moment(this.time, False).strftime("%a %b %d %Y %H:%M:%S GMT%z")


DATE_METHODS: Dict[str, NativeCode] = {
    **{f"get{name}": _reader(part, False) for name, part in _PARTS.items()},
    **{f"getUTC{name}": _reader(part, True) for name, part in _PARTS.items()},
    "getYear": _reader(lambda date: date.year - 1900, False),
    "getTime": _reader(_since_epoch, True),
    "getTimezoneOffset": _reader(_offset, False),
    "toString": _text,
    "valueOf": _reader(_since_epoch, True),
}


def new_date(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    """Now, a number of milliseconds, a text as ISO 8601 has it, or year, month, day, hour, minute, second."""
    realm.steps.spend(200)
    made = JsDate(realm.prototypes["Date"], NAN)
    try:
        made.time = _time_of(realm, arguments)
        moment(made.time, False)
    except (OverflowError, ValueError, OSError):
        made.time = NAN
    return made


def _time_of(realm: Any, arguments: List[Value]) -> float:
    if not arguments:
        return float(math.floor(realm.now() * 1000))
    if len(arguments) == 1:
        value = arguments[0].time if isinstance(arguments[0], JsDate) else arguments[0]
        if not isinstance(value, str):
            return float(math.trunc(to_number(realm, value)))
        date = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc) if len(value) == 10 else date.astimezone()
        return _since_epoch(date)
    numbers = [int(to_number(realm, one)) for one in arguments[:7]] + [1, 0, 0, 0, 0][len(arguments) - 2 :]
    year, month, day, hour, minute, second, thousandth = numbers
    year += 1900 if 0 <= year <= 99 else 0
    first = datetime(year + month // 12, month % 12 + 1, 1)  # noqa: DTZ001 - the zone comes last, with the hour
    rest = timedelta(days=day - 1, hours=hour, minutes=minute, seconds=second, milliseconds=thousandth)
    return _since_epoch((first + rest).astimezone())


def date_as_text(realm: Any, _this: Value, _arguments: List[Value]) -> Value:
    """Date() without new."""
    return to_text(realm, new_date(realm, None, []))
