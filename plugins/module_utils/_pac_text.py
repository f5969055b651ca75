# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a script can do with texts and regular expressions."""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Dict, List, Match, Optional, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._errors import shown
from ansible_collections.egress.allowlist.plugins.module_utils._pac_operators import (
    BLANKS,
    to_bits,
    to_integer,
    to_number,
    to_text,
)
from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex import Regex
from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex_match import Span
from ansible_collections.egress.allowlist.plugins.module_utils._pac_regex_syntax import RegexError
from ansible_collections.egress.allowlist.plugins.module_utils._pac_values import (
    UNDEFINED,
    Function,
    JsRegExp,
    NativeCode,
    Value,
    argument,
)

_MOST_REGEXES = 5000
_LONGEST_REGEX = 20000
_known: Dict[Tuple[str, str], Regex] = {}


def regex_of(realm: Any, source: str, flags: str) -> Regex:
    """An expression, read once; wrong ones are thrown as errors that the script can catch."""
    found = _known.get((source, flags))
    if found is None:
        if len(source) > _LONGEST_REGEX:
            raise realm.error("SyntaxError", f"a regular expression of {len(source)} characters is too long")
        realm.steps.spend(10 * len(source))
        try:
            found = Regex(source, flags)
        except RegexError as error:
            raise realm.error("SyntaxError", f"the regular expression {shown(source)}: {error}") from None
        if len(_known) >= _MOST_REGEXES:
            _known.clear()
        _known[source, flags] = found
    return found


def make_regex(realm: Any, source: str, flags: str) -> JsRegExp:
    regex = regex_of(realm, source, flags)
    realm.steps.spend(200)
    made = JsRegExp(realm.prototypes["RegExp"], regex)
    made.properties["source"] = source
    made.properties["global"] = "g" in flags
    made.properties["ignoreCase"] = "i" in flags
    made.properties["multiline"] = "m" in flags
    made.properties["lastIndex"] = 0.0
    return made


def new_regex(realm: Any, _this: Value, arguments: List[Value]) -> Value:
    source, flags = argument(arguments, 0), argument(arguments, 1)
    if isinstance(source, JsRegExp):
        return make_regex(
            realm, source.regex.source, source.regex.flags if flags is UNDEFINED else to_text(realm, flags)
        )
    text = "(?:)" if source is UNDEFINED else to_text(realm, source) or "(?:)"
    return make_regex(realm, text, "" if flags is UNDEFINED else to_text(realm, flags))


def _expression(realm: Any, value: Value, flags: str = "") -> JsRegExp:
    """An argument as an expression, as match and search take it."""
    return value if isinstance(value, JsRegExp) else new_regex(realm, None, [value, flags])


def _piece(text: str, span: Optional[Span]) -> Value:
    return text[span[0] : span[1]] if span else UNDEFINED


def _exec(realm: Any, this: Value, arguments: List[Value]) -> Value:
    if not isinstance(this, JsRegExp):
        raise realm.error("TypeError", "exec was called on something that is no regular expression")
    text = to_text(realm, argument(arguments, 0))
    many = "g" in this.regex.flags
    start = int(min(to_integer(realm, this.properties["lastIndex"]), 1e9)) if many else 0
    spans = this.regex.search(text, start, realm.steps) if 0 <= start <= len(text) else None
    if spans is None:
        this.properties["lastIndex"] = 0.0
        return None
    if many:
        this.properties["lastIndex"] = float(spans[0][1])
    return _caught(realm, text, spans)


def _caught(realm: Any, text: str, spans: List[Any]) -> Value:
    made = realm.array([_piece(text, span) for span in spans])
    made.properties["index"] = float(spans[0][0])
    made.properties["input"] = text
    return made


def _all(realm: Any, regex: Regex, text: str) -> List[List[Any]]:
    found: List[List[Any]] = []
    start = 0
    while start <= len(text):
        spans = regex.search(text, start, realm.steps)
        if spans is None:
            break
        found.append(spans)
        first, end = spans[0] or (start, start)
        start = end + (first == end)
    return found


def _match(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, regex = realm.text_of_this(this), _expression(realm, argument(arguments, 0))
    if "g" not in regex.regex.flags:
        return _exec(realm, regex, [text])
    found = _all(realm, regex.regex, text)
    return realm.array([_piece(text, spans[0]) for spans in found]) if found else None


def _search(realm: Any, this: Value, arguments: List[Value]) -> Value:
    spans = _expression(realm, argument(arguments, 0)).regex.search(realm.text_of_this(this), 0, realm.steps)
    return float(spans[0][0]) if spans else -1.0


def _replace(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, what, instead = realm.text_of_this(this), argument(arguments, 0), argument(arguments, 1)
    if isinstance(what, JsRegExp):
        spans = (
            _all(realm, what.regex, text)
            if "g" in what.regex.flags
            else [one for one in [what.regex.search(text, 0, realm.steps)] if one]
        )
    else:
        wanted = to_text(realm, what)
        at = text.find(wanted)
        spans = [[(at, at + len(wanted))]] if at >= 0 else []
    pieces, done = [], 0
    for caught in spans:
        pieces += [text[done : caught[0][0]], _replacement(realm, text, caught, instead)]
        done = caught[0][1]
        realm.steps.spend(4 + len(pieces[-1]))
    return realm.sized("".join(pieces) + text[done:])


def _replacement(realm: Any, text: str, spans: List[Any], instead: Value) -> str:
    if isinstance(instead, Function):
        values = [_piece(text, span) for span in spans]
        return to_text(realm, realm.call(instead, UNDEFINED, [*values, float(spans[0][0]), text]))

    def fill(match: Match[str]) -> str:
        word = match.group(1)
        if word == "$":
            return "$"
        if word == "&":
            return str(_piece(text, spans[0]))
        if word == "`":
            return text[: spans[0][0]]
        if word == "'":
            return text[spans[0][1] :]
        number = int(word) if int(word) < len(spans) else int(word[0])
        if not 0 < number < len(spans):
            return match.group()
        rest = word[1:] if number != int(word) else ""
        return (str(_piece(text, spans[number])) if spans[number] else "") + rest

    return re.sub(r"\$([$&`']|[0-9]{1,2})", fill, to_text(realm, instead))


def _split(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, by, most = realm.text_of_this(this), argument(arguments, 0), argument(arguments, 1)
    limit = 1 << 32 if most is UNDEFINED else to_bits(realm, most)
    if by is UNDEFINED:
        pieces: List[Value] = [text]
    elif isinstance(by, JsRegExp):
        pieces = _split_by(realm, text, by.regex)
    else:
        mark = to_text(realm, by)
        pieces = list(text.split(mark) if mark else text)
    return realm.array(pieces[:limit])


def _split_by(realm: Any, text: str, regex: Regex) -> List[Value]:
    if not text:
        return [] if regex.search(text, 0, realm.steps) else [text]
    pieces: List[Value] = []
    done = 0
    for spans in _all(realm, regex, text):
        first, end = spans[0]
        if first == end and (first == done or first >= len(text)):
            continue
        pieces += [text[done:first], *(_piece(text, span) for span in spans[1:])]
        done = end
    return [*pieces, text[done:]]


def _regex_text(_realm: Any, this: Value, _arguments: List[Value]) -> Value:
    return f"/{this.regex.source}/{this.regex.flags}" if isinstance(this, JsRegExp) else "/(?:)/"


def _place(realm: Any, value: Value, size: int, default: float = 0.0, from_end: bool = False) -> int:
    """A position in a text or array, put inside of it; with *from_end* negative ones count from there."""
    number = to_integer(realm, value, default)
    if from_end and number < 0:
        number += size
    return int(min(max(number, 0.0), float(size)))


def _slice(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text = realm.text_of_this(this)
    start = _place(realm, argument(arguments, 0), len(text), from_end=True)
    return text[start : max(start, _place(realm, argument(arguments, 1), len(text), math.inf, from_end=True))]


def _substring(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text = realm.text_of_this(this)
    ends = (
        _place(realm, argument(arguments, 0), len(text)),
        _place(realm, argument(arguments, 1), len(text), math.inf),
    )
    return text[min(ends) : max(ends)]


def _substr(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text = realm.text_of_this(this)
    start = _place(realm, argument(arguments, 0), len(text), from_end=True)
    return text[start : start + _place(realm, argument(arguments, 1), len(text), math.inf)]


def _char_at(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, index = realm.text_of_this(this), to_integer(realm, argument(arguments, 0))
    return text[int(index)] if 0 <= index < len(text) else ""


def _char_code(realm: Any, this: Value, arguments: List[Value]) -> Value:
    char = _char_at(realm, this, arguments)
    return float(ord(char)) if char else math.nan


def _index_of(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, what = realm.text_of_this(this), to_text(realm, argument(arguments, 0))
    realm.steps.spend(len(text) >> 4)
    return float(text.find(what, _place(realm, argument(arguments, 1), len(text))))


def _last_index_of(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, what = realm.text_of_this(this), to_text(realm, argument(arguments, 0))
    realm.steps.spend(len(text) >> 4)
    number = to_number(realm, argument(arguments, 1))
    last = len(text) if math.isnan(number) else _place(realm, number, len(text))
    return float(text.rfind(what, 0, last + len(what)))


def _includes(realm: Any, this: Value, arguments: List[Value]) -> Value:
    return _index_of(realm, this, arguments) >= 0


def _starts_with(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text = realm.text_of_this(this)
    return text.startswith(to_text(realm, argument(arguments, 0)), _place(realm, argument(arguments, 1), len(text)))


def _ends_with(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text = realm.text_of_this(this)
    return text[: _place(realm, argument(arguments, 1), len(text), math.inf)].endswith(
        to_text(realm, argument(arguments, 0))
    )


def _concat(realm: Any, this: Value, arguments: List[Value]) -> Value:
    return joined(realm, [realm.text_of_this(this), *(to_text(realm, one) for one in arguments)])


def joined(realm: Any, texts: List[str], mark: str = "") -> str:
    """Texts in a row, if that is not too long."""
    realm.sized_before(sum(map(len, texts)) + len(mark) * len(texts))
    return str(realm.sized(mark.join(texts)))


def _repeat(realm: Any, this: Value, arguments: List[Value]) -> Value:
    text, count = realm.text_of_this(this), to_integer(realm, argument(arguments, 0))
    if count < 0 or math.isinf(count):
        raise realm.error("RangeError", "a text cannot be repeated that often")
    realm.sized_before(len(text) * count)
    return realm.sized(text * int(count))


def _plain(work: Callable[[str], Value]) -> NativeCode:
    def method(realm: Any, this: Value, _arguments: List[Value]) -> Value:
        text = realm.text_of_this(this)
        realm.steps.spend(len(text) >> 4)
        return work(text)

    return method


STRING_METHODS: Dict[str, NativeCode] = {
    "charAt": _char_at,
    "charCodeAt": _char_code,
    "concat": _concat,
    "endsWith": _ends_with,
    "includes": _includes,
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "match": _match,
    "repeat": _repeat,
    "replace": _replace,
    "search": _search,
    "slice": _slice,
    "split": _split,
    "startsWith": _starts_with,
    "substr": _substr,
    "substring": _substring,
    "toLocaleLowerCase": _plain(str.lower),
    "toLocaleUpperCase": _plain(str.upper),
    "toLowerCase": _plain(str.lower),
    "toString": _plain(str),
    "toUpperCase": _plain(str.upper),
    "trim": _plain(lambda text: text.strip(BLANKS)),
    "valueOf": _plain(str),
}
REGEX_METHODS: Dict[str, NativeCode] = {
    "exec": _exec,
    "test": lambda realm, this, arguments: _exec(realm, this, arguments) is not None,
    "toString": _regex_text,
}
