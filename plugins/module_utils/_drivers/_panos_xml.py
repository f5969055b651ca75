# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML of PAN-OS: read without trust, brought into one form that can be compared, and written."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Iterable, List, Optional
from xml.etree.ElementTree import Element

from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError, shown

_DEEPEST = 100  # levels; a whole configuration of Panorama has fewer than 30
# Elements that say what is so without them.
_DEFAULTS = {
    ("disabled", "no"), ("negate-source", "no"), ("negate-destination", "no"), ("log-start", "no"), ("log-end", "yes"),
    ("rule-type", "universal"), ("hip-profiles", "any"), ("source-hip", "any"), ("destination-hip", "any"),
    ("disable-override", "no"),
}  # fmt: skip


def parsed(text: str, what: str) -> Element:
    """The root of an answer. Nothing of PAN-OS declares entities, so what does is not from it."""
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ApplianceError(f"{what}: the answer declares entities, which PAN-OS never does; it was not read")
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ApplianceError(f"{what}: expected XML, got {shown(text[:200])} ({error})") from None
    level = [root]
    for _depth in range(_DEEPEST):
        level = [child for one in level for child in one]
        if not level:
            return root
    raise ApplianceError(f"{what}: the answer is nested more than {_DEEPEST} levels deep; it was not read")


def element(tag: str, text: str = "", *children: Element, name: Optional[str] = None) -> Element:
    found = Element(tag, {} if name is None else {"name": name})
    found.text = text or None
    found.extend(children)
    return found


def members(tag: str, values: Iterable[str]) -> Element:
    return element(tag, "", *(element("member", value) for value in values))


def members_of(parent: Element, tag: str) -> List[str]:
    return [(found.text or "").strip() for found in parent.findall(f"{tag}/member")]


def text_of(parent: Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def plain(found: Element) -> str:
    """On one line, as it is sent."""
    return ET.tostring(found, encoding="unicode")


def canonical(entry: Element) -> str:
    """An entry as text, the same however PAN-OS orders it and whatever it notes beside it (admin, dirtyId, uuid)."""
    return "\n".join(_lines(entry, "")) + "\n"


def _lines(found: Element, indent: str) -> List[str]:
    tag = found.tag if found.get("name") is None else f'{found.tag} name="{_escaped(found.get("name", ""))}"'
    children = [_lines(child, indent + "  ") for child in found if not _is_default(child)]
    if not children:
        text = (found.text or "").strip()
        return [f"{indent}<{tag}>{_escaped(text)}</{found.tag}>" if text else f"{indent}<{tag}/>"]
    inner = [line for lines in sorted(children) for line in lines]
    return [f"{indent}<{tag}>", *inner, f"{indent}</{found.tag}>"]


def _is_default(found: Element) -> bool:
    values = [(one.text or "").strip() for one in found.iter() if not len(one)]
    return (found.tag, values[0]) in _DEFAULTS if len(values) == 1 else False


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def from_canonical(text: str) -> Element:
    """A text of ``canonical`` as an element without the blanks between its lines."""
    found = parsed(text, "an object")
    for one in found.iter():
        one.tail = None
        one.text = (one.text or "").strip() or None
    return found
