# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalog against the document that it was made from, wherever that lies beside the checkout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, load
from ansible_collections.egress.allowlist.plugins.plugin_utils._groups import by_id

DOCUMENT = Path(__file__).resolve().parents[4].parent / "shared" / "facts" / "mmd-network.md"

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="the source document does not lie beside the checkout")

# Line of the document: (pieces that are not empty, names after the broken ones are joined, unique names).
COUNTS = {
    45: (3, 3, 3),
    46: (7, 7, 7),
    47: (6, 6, 6),
    48: (2, 2, 2),
    66: (13, 13, 13),
    67: (5, 5, 5),
    68: (10, 10, 10),
    69: (74, 73, 72),
    70: (29, 29, 28),
    71: (120, 120, 73),
    72: (54, 54, 54),
    73: (12, 12, 12),
    74: (8, 8, 8),
    75: (6, 6, 6),
    76: (12, 12, 12),
    77: (10, 10, 10),
    78: (30, 29, 29),
    79: (23, 23, 21),
    80: (18, 18, 16),
}


@dataclass(frozen=True)
class Row:
    """One row of a table: where it stands, the product, its pieces of names, and the targets of its links."""

    line: int
    table: int
    title: str
    pieces: tuple[str, ...]
    links: tuple[str, ...]


def rows() -> list[Row]:
    """The rows of all tables; bars may be missing at either end, and cells too."""
    found: list[Row] = []
    table, header = 0, ""
    inside = False
    for number, line in enumerate(DOCUMENT.read_text(encoding="utf-8").splitlines(), 1):
        if re.fullmatch(r"\|( ?-+ ?\|)+( ?-+)? *", line):
            table, inside = table + 1, True
        elif not line.strip():
            inside = False
        elif inside:
            found.append(row(number, table, "URL" in header, line))
        else:
            header = line
    return found


def row(number: int, table: int, has_names: bool, line: str) -> Row:
    title, *cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
    pieces = [piece.strip() for piece in re.split(r"<br ?/?>", cells.pop(0))] if has_names else []
    links = re.findall(r"\]\((\S+?\)?)\)(?=$| |<)", " ".join(cells))
    return Row(number, table, title, tuple(piece for piece in pieces if piece), tuple(links))


@pytest.fixture(scope="module", name="catalog")
def fixture_catalog() -> Catalog:
    return load("mmd")


def texts(catalog: Catalog, group: str) -> list[str]:
    """The names as the catalog's file has them, path included."""
    return [item["value"] + item.get("path", "") for item in catalog.groups[group].items]


def read(catalog: Catalog, group: str, pieces: tuple[str, ...]) -> list[str]:
    """What the pieces mean: by a correction of the group, or as Markdown shows them."""
    corrections = {correction.text: correction.used for correction in catalog.corrections if correction.group == group}
    longest = max(map(len, corrections), default=1)
    names = []
    position = 0
    while position < len(pieces):
        for length in range(longest, 0, -1):
            if pieces[position : position + length] in corrections:
                names.append(corrections[pieces[position : position + length]])
                break
        else:
            length = 1
            names.append(pieces[position].replace(r"\*", "*"))
        position += length
    return names


def group_of(catalog: Catalog, title: str) -> str:
    return next(group.id for group in catalog.groups.values() if group.title == title)


def named_rows() -> list[Row]:
    return [row for row in rows() if row.pieces]


def test_the_tables_are_read_whole() -> None:
    assert [(row.line, len(row.pieces)) for row in named_rows()] == [
        (line, counts[0]) for line, counts in COUNTS.items()
    ]
    assert [row.table for row in rows()] == [1] * 4 + [2] * 7 + [3] * 15
    assert len({row.title for row in named_rows()}) == 16
    assert sum(counts[0] for counts in COUNTS.values()) == 442


def test_counts_of_each_row(catalog: Catalog) -> None:
    counted = {}
    for row in named_rows():
        names = read(catalog, group_of(catalog, row.title), row.pieces)
        counted[row.line] = (len(row.pieces), len(names), len(set(names)))
    assert counted == COUNTS
    assert sum(counts[1] for counts in counted.values()) == 440


def test_no_piece_is_lost_and_none_added(catalog: Catalog) -> None:
    """Each group has exactly what its rows say, in their order, each name once."""
    expected: dict[str, dict[str, None]] = {}
    for row in named_rows():
        group = group_of(catalog, row.title)
        expected.setdefault(group, {}).update(dict.fromkeys(read(catalog, group, row.pieces)))
    assert {group: list(names) for group, names in expected.items()} == {
        id_: texts(catalog, id_) for id_, group in catalog.groups.items() if group.enumerated
    }


def test_unique_names_of_the_whole_document(catalog: Catalog) -> None:
    doubtful = {correction.used: correction.doubtful for correction in catalog.corrections if correction.doubtful}
    names = set()
    for row in named_rows():
        group = group_of(catalog, row.title)
        used = {correction.used for correction in catalog.corrections if correction.group == group}
        names |= {doubtful.get(name, name) if name in used else name for name in read(catalog, group, row.pieces)}
    assert len(names) == 347


def test_each_correction_is_about_a_text_of_the_document(catalog: Catalog) -> None:
    pieces: dict[str, list[str]] = {}
    for row in named_rows():
        pieces.setdefault(group_of(catalog, row.title), []).extend(row.pieces)
    for correction in catalog.corrections:
        joined = "\n".join(correction.text)
        assert f"\n{joined}\n" in "\n" + "\n".join(pieces[correction.group]) + "\n", correction.text


def test_what_is_read_plainly_needs_no_correction(catalog: Catalog) -> None:
    """Nothing but a star's escape may be undone without a correction that says so."""
    for row in named_rows():
        group = group_of(catalog, row.title)
        for name in read(catalog, group, row.pieces):
            assert re.fullmatch(r"[a-z0-9*<>.-]+(/ncsi\.txt)?", name), (row.line, name)


def test_tables_and_links_of_each_product(catalog: Catalog) -> None:
    for group in catalog.groups.values():
        own = [row for row in rows() if row.title == group.title]
        assert group.tables == tuple(dict.fromkeys(row.table for row in own)), group.id
        targets = {_page(link) for row in own for link in row.links}
        assert {_page(link["url"]) for link in group.links} == targets, group.id


def _page(link: str) -> str:
    """The path of a page; some links of the document are relative files of its own repository."""
    return re.sub(r"^(https://learn\.microsoft\.com|\.\./\.\.)?(/microsoft-365)?|\.md$", "", link)


def test_every_product_of_the_links_is_a_group(catalog: Catalog) -> None:
    titles = {group.title for group in catalog.groups.values()}
    assert {row.title for row in rows()} == titles
    assert len(by_id([catalog])) == 19
