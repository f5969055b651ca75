# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The format of a catalog file, as data; the guide on catalogs explains it for people."""

from __future__ import annotations

from ansible_collections.egress.allowlist.plugins.module_utils._entry import CATEGORIES, RISKS
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import (
    Flag,
    ListOf,
    MapOf,
    Number,
    Record,
    Text,
    TextOr,
)

CERTAINTIES = ("certain", "by_form", "strong")
TENANT = "<tenant>"

_TEXT = Text()
_NAME = Text(shape='a name or a network as text, such as "*.contoso.com" or "198.51.100.0/24"')
_ID = Text(r"[a-z][a-z0-9_]*", "an id of small letters, digits and underscores that begins with a letter")
_LINK = Record({"title": _TEXT, "url": Text(r"https?://\S+", "a URL")}, frozenset({"title", "url"}))

_ITEM = Record(
    {
        "value": _NAME,
        "type": Text(choices=("host", "network")),
        "path": Text(r"/\S*", "a path that begins with a slash"),
        "ports": ListOf(Text(shape='a port such as "tcp/443"')),
        "category": Text(choices=CATEGORIES),
        "required": Flag(),
        "critical": Flag(),
        "risk": Text(choices=RISKS),
    },
    frozenset({"value"}),
)

_GROUP = Record(
    {
        "title": _TEXT,
        "why": _TEXT,
        "tables": ListOf(Number()),
        "required": Flag(),
        "critical": Flag(),
        "enumerated": Flag(),
        "links": ListOf(_LINK),
        "names": ListOf(TextOr(_NAME, _ITEM)),
        "successor": Record({"catalog": _ID, "groups": ListOf(_ID)}, frozenset({"catalog", "groups"})),
    }
)

_RISK = Record(
    {
        "risk": Text(choices=RISKS),
        "names": ListOf(_NAME),
        "why": _TEXT,
        "source": _ID,
        "date": _TEXT,
        "required": Flag(),
        "instead": ListOf(_NAME),
    },
    frozenset({"risk", "names", "why"}),
)

_CORRECTION = Record(
    {
        "what": _TEXT,
        "certainty": Text(choices=CERTAINTIES),
        "evidence": _TEXT,
        "source": _ID,
        "changes": ListOf(
            Record(
                {"group": _ID, "text": ListOf(_TEXT), "used": _NAME, "doubtful": _NAME},
                frozenset({"group", "text", "used"}),
            )
        ),
    },
    frozenset({"what", "certainty", "evidence", "changes"}),
)

CATALOG = Record(
    {
        "catalog": Record({"id": _ID, "title": _TEXT, "source": _TEXT, "licence": _TEXT, "version": _TEXT}),
        "groups": MapOf(_ID, _GROUP),
        "risks": ListOf(_RISK),
        "witnesses": MapOf(_NAME, MapOf(_ID, ListOf(_NAME))),
        "corrections": ListOf(_CORRECTION),
        "sources": MapOf(_ID, _LINK),
    },
    frozenset({"groups"}),
)
