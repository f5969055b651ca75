# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Catalogs of one's own: the least that they need, and errors that name file, line and field."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import load, load_all, names
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog_format import CATALOG

Write = Callable[[str], str]


@pytest.fixture(name="write")
def fixture_write(tmp_path: Path) -> Write:
    def write(text: str) -> str:
        file = tmp_path / "contoso-1.yml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


def refusal(catalog: str) -> str:
    with pytest.raises(AllowlistError) as caught:
        load(catalog)
    return str(caught.value)


def test_the_least_that_a_catalog_needs(write: Write) -> None:
    catalog = load(write('groups: {contoso: {names: ["*.contoso.com"]}}\n'))
    (entry,) = catalog.groups["contoso"].entries(None)
    assert entry.as_dict() == {
        "type": "host",
        "value": "*.contoso.com",
        "path": None,
        "ports": [],
        "groups": ["contoso"],
        "category": None,
        "required": True,
        "critical": False,
        "risk": None,
        "sources": ["contoso_1"],
    }


def test_networks_ports_and_flags(write: Write) -> None:
    text = """
catalog: {id: site}
groups:
  site:
    required: false
    names:
      - {value: 198.51.100.0/24, ports: [tcp/443], category: allow}
      - {value: "<tenant>.contoso.com", critical: true, required: true, risk: third_party}
"""
    network, host = load(write(text)).groups["site"].entries("north")
    assert (network.type, network.ports, network.category, network.required) == (
        "network",
        ("tcp/443",),
        "allow",
        False,
    )
    assert (host.value, host.critical, host.required, host.risk) == ("north.contoso.com", True, True, "third_party")
    assert host.sources == ("site",)


def test_the_catalog_of_the_guide_is_one(write: Write) -> None:
    guide = Path(__file__).resolve().parents[4] / "docs" / "docsite" / "rst" / "guide_catalog.rst"
    blocks = re.findall(r"\.\. code-block:: yaml\n\n((?:   .*\n|\n)+)", guide.read_text(encoding="utf-8"))
    least, whole = (dedent(block) for block in blocks if "groups:\n" in block)
    assert list(load(write(least)).groups) == ["contoso"]
    assert list(load(write(whole)).groups) == ["payroll", "travel"]
    assert [section for section in CATALOG.fields if f"\n{section}:" not in f"\n{whole}"] == []


def test_what_changed_on_disk_is_read_again(write: Write) -> None:
    assert list(load(write("groups: {a: {names: [a.contoso.com]}}")).groups) == ["a"]
    assert list(load(write("groups: {longer: {names: [a.contoso.com]}}")).groups) == ["longer"]


def test_the_same_catalog_twice_is_once(write: Write) -> None:
    file = write("groups: {a: {names: [a.contoso.com]}}")
    assert load_all([file, "mmd", file]) == (load(file), load("mmd"))


FIELDS = [
    pytest.param(
        "groups:\n  contoso:\n    nmaes: [a.contoso.com]\n",
        "line 3, groups.contoso.nmaes: unknown field (did you mean names?)",
        id="unknown field",
    ),
    pytest.param(
        "groups: {a: {names: [a.contoso.com]}}\nextra: 1\n",
        "line 2, extra: unknown field",
        id="unknown section",
    ),
    pytest.param(
        "groups:\n  a:\n    names:\n      - a.contoso.com\n      - yes\n",
        "line 5, groups.a.names[1]: expected a name or a network as text",
        id="boolean for a name",
    ),
    pytest.param(
        "groups:\n  a:\n    title: 2024-01-01\n    names: [a.contoso.com]\n",
        "line 3, groups.a.title: expected a text that is not empty, got the date 2024-01-01 (if you meant",
        id="date for a text",
    ),
    pytest.param(
        "groups:\n  a:\n    title: 365\n    names: [a.contoso.com]\n",
        'quote it: "365")',
        id="number for a text",
    ),
    pytest.param(
        "groups:\n  a:\n    required: 'no'\n    names: [a.contoso.com]\n",
        'line 3, groups.a.required: expected true or false, got "no"',
        id="text for a flag",
    ),
    pytest.param(
        "groups:\n  a:\n    names: a.contoso.com\n",
        'line 3, groups.a.names: expected a list, got "a.contoso.com"',
        id="text for a list",
    ),
    pytest.param(
        "groups:\n  a: [a.contoso.com]\n",
        "line 2, groups.a: expected a mapping with the fields",
        id="list for a group",
    ),
    pytest.param(
        "groups:\n  - a\n",
        "groups: expected a mapping, got a list",
        id="list for the groups",
    ),
    pytest.param(
        "groups:\n  A-b: {names: [a.contoso.com]}\n",
        "line 2, groups.A-b: expected an id of small letters",
        id="id that is none",
    ),
    pytest.param(
        "groups:\n  a: {names: [a.contoso.com]}\n  b: {names: [b.contoso.com]}\n  a: {names: [c.contoso.com]}\n",
        'line 4: "a" stands here for the second time',
        id="duplicate group",
    ),
    pytest.param(
        "groups:\n  a:\n    names: [a.contoso.com]\n    names: [b.contoso.com]\n",
        'line 4: "names" stands here for the second time',
        id="duplicate field",
    ),
    pytest.param(
        'groups:\n  a:\n    names:\n      - a.contoso.com\n      - "*.com"\n',
        "line 5, groups.a.names[1]: ",
        id="dangerously broad pattern",
    ),
    pytest.param(
        "groups:\n  a:\n    names:\n      - {value: a.contoso.com, ports: [https]}\n",
        "line 4, groups.a.names[0]: ",
        id="port that is none",
    ),
    pytest.param(
        "groups:\n  a:\n    names:\n      - {value: a.contoso.com, port: 443}\n",
        "line 4, groups.a.names[0].port: unknown field (did you mean ports?)",
        id="unknown field of a name",
    ),
    pytest.param(
        "groups:\n  a:\n    names:\n      - {ports: [tcp/443]}\n",
        "line 4, groups.a.names[0]: the field value is missing",
        id="name without value",
    ),
    pytest.param(
        "groups:\n  a:\n    title: A\n    names:\n\n      value: a.contoso.com\n",
        "line 4, groups.a.names: expected a list, got a mapping",
        id="block on a later line",
    ),
    pytest.param(
        "groups:\n  a:\n    tables: [1, true]\n    names: [a.contoso.com]\n",
        "line 3, groups.a.tables[1]: expected a whole number, got the boolean true",
        id="boolean for a number",
    ),
    pytest.param("groups:\n  a: {title: A}\n", "line 2, groups.a: has no names", id="group without names"),
    pytest.param(
        "groups:\n  a:\n    enumerated: false\n    names: [a.contoso.com]\n",
        "line 3, groups.a.enumerated: is false, but the group has names",
        id="names where there are none",
    ),
    pytest.param("groups: {}\n", "line 1, groups: a catalog needs at least one group", id="no group"),
    pytest.param("catalog: {id: a}\n", "the file: the field groups is missing", id="no groups"),
    pytest.param("", "line 1, the file: expected a mapping with the fields", id="empty file"),
    pytest.param("- a\n", "the file: expected a mapping with the fields", id="list"),
    pytest.param("just text\n", 'got "just text"', id="text"),
    pytest.param("groups: {a: {names: [a.contoso.com}}\n", "line 1: ", id="no YAML"),
    pytest.param("groups:\n\ta: 1\n", "line 2: ", id="tab"),
    pytest.param("groups: !vault abc\n", "line 1: could not determine a constructor for the tag '!vault'", id="tag"),
    pytest.param("groups:\n  a: {names: [a.contoso.com]}\n  b: \x07\n", "line 3: a character", id="control character"),
    pytest.param(
        "x: &x {names: [a.contoso.com]}\ngroups:\n  a: *x\n",
        "an alias (*name) is not allowed here",
        id="alias",
    ),
    pytest.param(
        "groups:\n  a: &x {names: [a.contoso.com]}\n  b:\n    <<: *x\n",
        "line 4: a merge key (<<) is not allowed here",
        id="merge key",
    ),
    pytest.param(
        "groups: {a: {names: [a.contoso.com]}}\nrisks:\n  - {risk: shared, names: [a.contoso.com], why: x}\n",
        'line 3, risks[0].risk: expected one of shared_hosting, third_party, retired, got "shared"',
        id="unknown risk",
    ),
    pytest.param(
        "groups: {a: {names: [a.contoso.com]}}\nrisks:\n  - {risk: retired, names: [a.b.com], why: x, source: s}\n",
        "line 3, risks[0].source: there is no source s",
        id="risk with an unknown source",
    ),
    pytest.param(
        'groups: {a: {names: ["*.contoso.com"]}}\nsources: {s: {title: S, url: "https://contoso.com"}}\n'
        'witnesses:\n  "*.contoso.com":\n    s: [www.contoso.com, contoso.com]\n',
        'line 5, witnesses.*.contoso.com.s[1]: "contoso.com" is not under *.contoso.com',
        id="witness that is a near miss",
    ),
    pytest.param(
        'groups: {a: {names: ["*.contoso.com"]}}\nwitnesses:\n  "*.contoso.com": {s: ["*.a.contoso.com"]}\n',
        "there is no source s",
        id="witness with an unknown source",
    ),
    pytest.param(
        "groups: {a: {names: [a.contoso.com]}}\ncorrections:\n  - what: x\n    certainty: certain\n    evidence: y\n"
        "    changes:\n      - {group: b, text: [A], used: a.contoso.com}\n",
        "line 7, corrections[0].changes[0].group: there is no group b",
        id="correction of an unknown group",
    ),
    pytest.param(
        "groups: {a: {names: [a.contoso.com]}}\ncorrections:\n  - what: x\n    certainty: certain\n    evidence: y\n"
        "    changes:\n      - {group: a, text: [A], used: b.contoso.com}\n",
        'line 7, corrections[0].changes[0].used: "b.contoso.com" is not among the names of the group a',
        id="correction to a name that is not there",
    ),
]


@pytest.mark.parametrize(("text", "expected"), FIELDS)
def test_an_error_names_file_line_and_field(write: Write, text: str, expected: str) -> None:
    file = write(text)
    message = refusal(file)
    assert message.startswith(f"catalog {file}")
    assert expected in message


def test_all_errors_are_told_at_once(write: Write) -> None:
    file = write("groups:\n  a: {titel: A, names: [1]}\n")
    message = refusal(file)
    assert message.startswith(f"catalog {file} has 2 errors:\n  line 2, groups.a.titel: ")
    assert "\n  line 2, groups.a.names[0]: " in message


def test_many_errors_are_cut_short(write: Write) -> None:
    message = refusal(write("groups:\n  a:\n    names:\n" + "      - 1\n" * 30))
    assert message.endswith("and 20 more")


def test_an_alias_bomb_is_refused_before_it_grows(write: Write) -> None:
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    assert "an alias (*name) is not allowed here" in refusal(write(f"l0: &l0 [a]\n{levels}groups: {{}}\n"))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
@pytest.mark.parametrize("levels", [60, 2000, 100_000])
def test_deep_nesting_is_refused(write: Write, opening: str, levels: int) -> None:
    """In no depth may it end the process, which it does where a loader in C runs out of stack."""
    assert refusal(write("groups:\n  " + opening * levels)).startswith("catalog ")


def test_a_long_catalog_is_not_a_deep_one(write: Write) -> None:
    names = "".join(f"      - a-{number}.contoso.com\n" for number in range(6000))
    assert len(load(write(f"groups:\n  a:\n    names:\n{names}")).groups["a"].items) == 6000


def test_not_utf8(tmp_path: Path) -> None:
    file = tmp_path / "latin1.yml"
    file.write_bytes(b"groups:\n  a:\n    title: Z\xfcrich\n")
    assert refusal(str(file)) == f"catalog {file}, line 3: is not UTF-8 (byte 0xfc)"


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "bom.yml"
    file.write_bytes(b"\xef\xbb\xbfgroups: {a: {names: [a.contoso.com]}}\n")
    assert list(load(str(file)).groups) == ["a"]


ODD = [
    "version: 2026-99-99", "version: 2026-01-01 99:99:99", "version: " + "1" * 5000, "version: 0x" + "f" * 9000,
    "version: !!int x", "version: !!int ''", "version: !!float x", "version: !!bool x", "version: !!timestamp x",
    "2026-13-45: x",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=[text[:24] for text in ODD])
def test_what_looks_like_a_number_or_a_date_and_is_none_is_refused_with_its_line(write: Write, text: str) -> None:
    said = refusal(write(f"groups: {{}}\ncatalog:\n  {text}\n"))
    assert "line 3" in said
    assert len(said) < 500


def test_what_a_terminal_obeys_is_not_shown(write: Write) -> None:
    assert "\\u202e" in refusal(write("groups: \u202e\n"))


def test_more_values_than_any_catalog_has(write: Write) -> None:
    assert "has more than 500000 values" in refusal(write("[" + "[]," * 300_000 + "]"))


@pytest.mark.parametrize("path", ["a\0.yml", "\ud800.yml", "./\x1b[2J.yml", "/" + "x" * 2000])
def test_what_can_be_no_path(path: str) -> None:
    assert refusal(path).startswith("catalog: expected the name of a catalog or the path of a file, got ")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    assert refusal(str(tmp_path / "pipe.yml")).endswith("cannot be read: it is no file")


def test_no_such_file(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "none.yml")).endswith("none.yml: cannot be read: No such file or directory")


def test_a_folder(tmp_path: Path) -> None:
    assert "cannot be read: Is a directory" in refusal(str(tmp_path))


def test_no_such_catalog() -> None:
    assert refusal("mdm").startswith('there is no catalog "mdm" (did you mean mmd?); the collection has ')


def test_no_catalog_at_all() -> None:
    with pytest.raises(AllowlistError, match="expected at least one catalog"):
        load_all([])


def test_the_collections_own_catalogs_are_right() -> None:
    for name in names():
        assert load(name).id == name
