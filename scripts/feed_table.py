# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the lists that come with the collection each dialect holds: the tables of guide_feeds.rst.

.venv/bin/python scripts/feed_table.py            # print them
.venv/bin/python scripts/feed_table.py --write    # put them into the page
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ansible_collections.egress.allowlist.plugins.filter.feed import feed
from ansible_collections.egress.allowlist.plugins.filter.pac import pac
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_snapshot
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load
from ansible_collections.egress.allowlist.plugins.plugin_utils._feed import DIALECTS
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import Request, select
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Served
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_catalog import Narrowed, build

PAGE = Path(__file__).resolve().parents[1] / "docs" / "docsite" / "rst" / "guide_feeds.rst"
BEGIN, END = "..\n  tables by scripts/feed_table.py\n", "..\n  end of the tables\n"
KINDS = ("exact", "broader", "narrower", "impossible", "elsewhere")
Entries = list[dict[str, object]]


def lists() -> dict[str, Entries]:
    """The document's list, and it together with that of the web service as it comes with the collection."""
    mmd = load("mmd")
    service = build(Served(_ws_snapshot.load("worldwide")), Narrowed(), grace=0, today=dt.date(2026, 1, 1))
    asked = {"mmd": [mmd], "mmd and microsoft_365 (worldwide, as embedded)": [mmd, service]}
    return {
        name: [entry.as_dict() for entry in select(catalogs, Request(tenant="contoso")).entries]
        for name, catalogs in asked.items()
    }


def rows(entries: Entries) -> Iterator[tuple[str, ...]]:
    """Dialect, counts, lines; with ``unsupported: skip``, so that what the defaults refuse is counted and no error."""
    for dialect in ("pac", *DIALECTS, "json"):
        if dialect in DIALECTS and not DIALECTS[dialect].hosts and all(entry["type"] == "host" for entry in entries):
            yield (dialect, "0", "0", "0", "0", str(len(entries)), "none")
            continue
        if dialect == "pac":
            full = pac(entries, allowed="DIRECT", default="PROXY proxy.example.com:8080", output="full")
        else:
            full = feed(entries, dialect=dialect, unsupported="skip", output="full")
        yield (dialect, *(str(full["counts"][kind]) for kind in KINDS), str(full["lines"]))


def table(title: str, entries: Entries) -> str:
    """One table in reStructuredText."""
    found = [("dialect", *KINDS, "lines"), *rows(entries)]
    lines = [f"   {'* -' if first else '  -'} {cell}" for row in found for first, cell in marked(row)]
    body = "\n".join(lines)
    return f".. list-table:: {title}: {len(entries)} entries\n   :header-rows: 1\n\n{body}\n"


def marked(row: Sequence[str]) -> Iterator[tuple[bool, str]]:
    """Each cell, and whether it is the first one."""
    return ((index == 0, cell) for index, cell in enumerate(row))


def tables() -> str:
    """What stands between the two marks of the page."""
    return "\n" + "\n".join(table(title, entries) for title, entries in lists().items()) + "\n"


def main() -> None:
    if "--write" not in sys.argv:
        print(tables())
        return
    text = PAGE.read_text(encoding="utf-8")
    before, _mark, rest = text.partition(BEGIN)
    _old, _mark, after = rest.partition(END)
    PAGE.write_text(before + BEGIN + tables() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
