# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of XPath that the configuration API is used with: names, entries by their name, members by their text."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement

Step = tuple[str, str | None]
_STEP = re.compile(r"/([A-Za-z0-9-]+)(?:\[(@name|text\(\))=(?:'([^']*)'|\"([^\"]*)\")\])?")


class BadXpath(Exception):  # noqa: N818
    pass


def steps(xpath: str) -> list[Step]:
    found: list[Step] = []
    at = 0
    while at < len(xpath):
        match = _STEP.match(xpath, at)
        if match is None or (match[2] == "text()") != (match[1] == "member" and match[2] is not None):
            raise BadXpath(xpath)
        found.append((match[1], match[3] if match[3] is not None else match[4]))
        at = match.end()
    if not found or found[0] != ("config", None):
        raise BadXpath(xpath)
    return found[1:]


def child(parent: Element, tag: str, name: str | None) -> Element | None:
    for one in parent:
        if one.tag == tag and (name is None or (one.text if tag == "member" else one.get("name")) == name):
            return one
    return None


def find(root: Element, path: list[Step]) -> Element | None:
    here: Element | None = root
    for tag, name in path:
        if here is None:
            return None
        here = child(here, tag, name)
    return here


def ensure(root: Element, path: list[Step]) -> Element:
    here = root
    for tag, name in path:
        found = child(here, tag, name)
        here = found if found is not None else SubElement(here, tag, {} if name is None else {"name": name})
    return here


def merge(into: Element, given: Element) -> None:
    """What `set` does: members are added, entries and plain elements are merged, texts are replaced."""
    for one in given:
        if one.tag == "member":
            if all(other.text != one.text for other in into if other.tag == "member"):
                into.append(one)
            continue
        found = child(into, one.tag, one.get("name"))
        if found is None:
            into.append(one)
        else:
            merge(found, one)
            if not len(one):
                found.text = one.text
