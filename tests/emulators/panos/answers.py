# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of the XML API."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.egress.allowlist.tests.emulators.server import Answer

_XML = {"Content-Type": "application/xml; charset=UTF-8"}


@dataclass(frozen=True)
class Refused(Exception):  # noqa: N818  # an answer of the appliance
    """*code*: see "PAN-OS XML API Error Codes"; "" where the vendor gives none. A line of the text is a line there."""

    code: str
    text: str


class Missing(Exception):  # noqa: N818
    """What is to be deleted is not there, which the vendor calls a success with code 7."""


def response(inner: str, status: str = "success", code: str = "", http: int = 200, more: str = "") -> Answer:
    return answer(element(inner, status, code, more), http)


def answer(text: str, http: int = 200) -> Answer:
    return Answer(http, text.encode(), _XML)


def element(inner: str, status: str = "success", code: str = "", more: str = "") -> str:
    number = f' code="{code}"' if code else ""
    return f'<response status="{status}"{number}{more}>{inner}</response>'


def refusal(refused: Refused, more: str = "") -> str:
    lines = "".join(f"<line>{_line(line)}</line>" for line in refused.text.split("\n"))
    return element(f"<msg>{lines}</msg>", "error", refused.code, more)


def _line(text: str) -> str:
    """What comes out of the configuration is quoted as the vendor does."""
    return f"<![CDATA[{text}]]>" if text.startswith(" ") else escaped(text)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
