# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the text of a pattern to its canonical form, or to the reason why it is none.

What comes out holds nothing but ``a-z 0-9 - _ . *``, so no appliance can read it as anything but a name.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from encodings import idna

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.module_utils._labels import MAX_LABEL, MAX_NAME
from ansible_collections.egress.allowlist.plugins.module_utils._second_levels import is_second_level

# Labels that need no second look: no star, no hyphen at an end, no xn--, at most 63 characters, some letter or digit.
_EASY_LABEL = r"(?!xn--)(?!_+(?:\.|$))[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_EASY = re.compile(rf"(?:\*\.)*{_EASY_LABEL}(?:\.{_EASY_LABEL})*")
_ALPHABET = re.compile(r"[a-z0-9_*.-]*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORT = re.compile(r"[^:]*:[0-9*]*(?:/.*)?")
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{\{")
# What an address parser takes as a number: digits, or hexadecimal with 0x.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_RANGE = re.compile(r"[0-9.]+-[0-9]+")
# Full stops of other scripts: programs differ on whether they separate labels.
_FOREIGN_DOTS = "\u3002\uff0e\uff61\u2024\ufe52"


class PatternError(AllowlistError):
    """A text that is not a pattern; ``reason`` is why, without the quoted text."""

    def __init__(self, text: object, reason: str) -> None:
        super().__init__(f"{shown(text)} is not a name that can be allowed: {reason}")
        self.reason = reason


class _RefusalError(Exception):
    """The reason, on its way to the one place that knows the whole text."""


def canonical(text: str) -> str:
    """The canonical form of the pattern *text*: lower case, IDNA, no final dot."""
    try:
        return _canonical(text)
    except _RefusalError as refusal:
        raise PatternError(text, str(refusal)) from None


def _canonical(text: object) -> str:
    if not isinstance(text, str):
        raise _RefusalError(f"expected text, got {type(text).__name__}")
    _check_size(text)
    name = text.lower() if text.isascii() else text
    if name.endswith("."):
        name = name[:-1]
    if _ALPHABET.fullmatch(name) is None:
        _check_shape(text)
        name = ".".join(map(_ascii_label, name.split(".")))
    if len(name) > MAX_NAME:
        raise _RefusalError(f"it has {len(name)} characters (in its xn-- form), and a name has at most {MAX_NAME}")
    if _EASY.fullmatch(name) is None:
        _check_labels(name.split("."))
    _check_ending(name)
    return name


def _check_size(text: str) -> None:
    """Before anything is done with it: a hostile text may have megabytes."""
    if not text:
        raise _RefusalError("it is empty")
    if len(text) > MAX_NAME + 1:
        raise _RefusalError(f"it has {len(text)} characters, and a name has at most {MAX_NAME}")


def _check_shape(text: str) -> None:
    """Refuse by their form the things that people take for names."""
    if _SCHEME.match(text):
        raise _RefusalError("this is a URL: write the host's name alone, without scheme, port and path")
    if _PLACEHOLDER.search(text):
        raise _RefusalError("it holds a placeholder: replace it by the value that it stands for")
    if _is_address(text):
        raise _RefusalError("this is an address: use type network")
    if _PORT.fullmatch(text):
        raise _RefusalError(
            "it ends in a port: write the host's name alone, and the port in the field ports, as tcp/443"
        )
    if "/" in text:
        raise _RefusalError("it holds a path: write the host's name alone, and the path in the field path")
    for char in text:
        if char in _FOREIGN_DOTS:
            raise _RefusalError(f"U+{ord(char):04X} is not the full stop that separates labels: write a plain .")
        if char.isascii() and not (char.isalnum() or char in "-_.*"):
            raise _RefusalError(
                f"{_named(char)} cannot be part of a name (letters, digits, hyphen, underscore, dot, *)"
            )


def _named(char: str) -> str:
    if char == " ":
        return "a blank"
    return f"the character {char}" if char.isprintable() else f"the control character U+{ord(char):04X}"


def _is_address(text: str) -> bool:
    plain = text.strip("[]").partition("/")[0].partition("%")[0]
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return False
    return True


def _ascii_label(label: str) -> str:
    if label.isascii():
        return label.lower()
    if "*" in label:
        raise _RefusalError(
            f"a star cannot be glued to text beyond ASCII ({shown(label)}): its xn-- form has no such parts"
        )
    if label.lower().startswith("xn--"):
        raise _RefusalError(f"the label {shown(label)} is only half in its xn-- form")
    for char in label:
        if not _is_plain_letter(char):
            raise _RefusalError(
                f"U+{ord(char):04X} is not a character that all programs encode alike: write the xn-- form"
            )
    try:
        prepared = idna.nameprep(label)
    except UnicodeError:
        raise _RefusalError(f"the label {shown(label)} mixes directions of writing: write the xn-- form") from None
    if prepared != label.lower() or prepared.isascii() or unicodedata.combining(prepared[0]):
        raise _RefusalError(f"programs disagree on what the label {shown(label)} encodes to: write the xn-- form")
    return "xn--" + prepared.encode("punycode").decode("ascii")


def _is_plain_letter(char: str) -> bool:
    """Letters and marks of the Unicode that IDNA was written for, which lower-case to one character."""
    category = unicodedata.ucd_3_2_0.category(char)
    return char.isascii() or (category in ("Lu", "Ll", "Lo", "Lm", "Mn", "Mc") and len(char.lower()) == 1)


def _check_labels(labels: list[str]) -> None:
    if "" in labels:
        raise _RefusalError("it has an empty label (a dot at the beginning, or two in a row)")
    for label in labels:
        if len(label) > MAX_LABEL:
            raise _RefusalError(
                f"the label {shown(label)} has {len(label)} characters, and a label has at most {MAX_LABEL}"
            )
        if label != "*":
            _check_label(label)


def _check_label(label: str) -> None:
    if "**" in label:
        raise _RefusalError(
            "** has no meaning here: *.example.com is any depth, and one star is any text inside a label"
        )
    if label[0] == "-" or label[-1] == "-":
        raise _RefusalError(f"the label {shown(label)} begins or ends with a hyphen")
    if not label.strip("_-"):
        raise _RefusalError(f"the label {shown(label)} has neither letter nor digit")
    if label.startswith("xn--"):
        _check_xn(label)


def _check_xn(label: str) -> None:
    """Refuse what no program would send: text that is no encoding, or encodes what must not be in a name."""
    if "*" in label:
        raise _RefusalError(f"a star cannot be glued to an encoded label ({shown(label)}): its text has no such parts")
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        again = decoded.encode("punycode").decode("ascii")
    except (UnicodeError, ValueError, OverflowError):
        raise _RefusalError(f"the label {shown(label)} does not decode as punycode") from None
    if again != label[4:] or decoded.isascii():
        raise _RefusalError(f"the label {shown(label)} is not the punycode of any text")
    if unicodedata.normalize("NFKC", decoded) != decoded or not all(map(_may_be_encoded, decoded)):
        raise _RefusalError(f"the label {shown(label)} encodes characters that a name cannot hold")


def _may_be_encoded(char: str) -> bool:
    # The joiners are part of Persian and Indic names; the other format characters turn or hide text.
    return char in "\u200c\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp", "Lu")


def _check_ending(name: str) -> None:
    last = name.rpartition(".")[2]
    if _NUMBER.fullmatch(last):
        if _is_address(name):
            raise _RefusalError("this is an address: use type network")
        raise _RefusalError(f"its last label {shown(last)} is a number, so programs read it as an address")
    if _RANGE.fullmatch(name):
        raise _RefusalError("this is a range of addresses: list the networks in it, with type network")
    star = name.rfind("*")
    if star < 0:
        return
    base = name[star:].partition(".")[2]
    if "." not in base:
        raise _RefusalError(
            "a wildcard needs two labels after it, as in *.example.com: this would allow everything there"
        )
    if is_second_level(base):
        raise _RefusalError(f"{base} is where a country registers names, so this would allow names of strangers")
