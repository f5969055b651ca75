# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import effective_ports, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._plan import (
    LONGEST_COMMAND,
    Holding,
    Plan,
    View,
    require_no_collapse,
)

USUAL = ("allow", "bypass_tls_inspection")


def holdings(*items: object, intents: tuple[str, ...] = USUAL) -> list[Holding]:
    entries = normalise(list(items), default_ports=["tcp/443"])
    return [Holding(replace(entry, ports=effective_ports(entry, ["tcp/443"])), intents) for entry in entries]


def view(*lines: str, **objects: str) -> View:
    return View(tuple(lines), objects, objects)


def test_nothing_changes_nothing_is_told() -> None:
    plan = Plan(view("a", x="1"), view("a", x="1"), live=True)
    assert not plan.changed
    assert [plan.diff(), plan.commands, plan.added, plan.removed] == [[], [], [], []]


def test_what_is_stored_and_does_not_run_is_a_change() -> None:
    plan = Plan(view("a", x="1"), view("a", x="1"), live=False)
    assert plan.changed
    assert [element["before_header"] for element in plan.diff()] == ["running configuration"]
    assert plan.commands == [{"action": "activate", "object": "running configuration"}]


def test_diff_has_texts_and_tells_a_difference_once() -> None:
    plan = Plan(view("host a", "host b", list="a b", rules="1"), view("host b", "host c", list="b c", rules="2"),
                live=True, explained=frozenset(["list"]))
    assert plan.added == ["host c"]
    assert plan.removed == ["host a"]
    assert plan.diff() == [
        {"before_header": "entries", "after_header": "entries", "before": "host a\nhost b\n",
         "after": "host b\nhost c\n"},
        {"before_header": "rules", "after_header": "rules", "before": "1", "after": "2"},
    ]


def test_a_list_that_no_entry_explains_is_shown() -> None:
    plan = Plan(view("host a", list="# x\na"), view("host a", list="a"), live=True, explained=frozenset(["list"]))
    assert [element["before_header"] for element in plan.diff()] == ["list"]


def test_long_commands_are_told_by_size_and_digest() -> None:
    plan = Plan(view(gone="x"), view(new="y" * (LONGEST_COMMAND + 1), short="z"), live=True)
    removed, long, short, activate = plan.commands
    assert removed == {"action": "remove", "object": "gone"}
    assert long["size"] == LONGEST_COMMAND + 1
    assert len(long["sha256"]) == 64
    assert "text" not in long
    assert short == {"action": "write", "object": "short", "text": "z"}
    assert activate["action"] == "activate"


def test_lines_name_intents_only_where_they_are_unusual() -> None:
    (plain,) = holdings("*.x.example")
    assert plain.line(USUAL) == "host *.x.example tcp/80,443"
    (fewer,) = holdings("*.x.example", intents=("allow",))
    assert fewer.line(USUAL) == "host *.x.example tcp/80,443 (allow)"
    (path,) = holdings({"value": "*.x.example", "path": "/p"}, intents=("allow",))
    assert path.line(USUAL) == "host *.x.example/p tcp/80"  # a path has no TLS to leave alone


MANY = [f"h{index}.example.com" for index in range(20)]


@pytest.mark.parametrize(
    ("before", "after", "max_shrink", "refused"),
    [
        (MANY, MANY[:15], 25, False),  # exactly what is accepted
        (MANY, MANY[:14], 25, True),
        (MANY, ["*.example.com"], 0, False),  # all of them still covered
        (MANY[:4], ["x.example.org"], 0, False),  # fewer than five never trip it
        (MANY, MANY[:16], 0, False),
        (MANY, MANY[:15], 0, True),
        ([f"198.51.{n}.0/24" for n in range(10)], ["198.51.0.0/16"], 0, False),
        ([f"198.51.{n}.0/24" for n in range(10)], ["198.51.0.0/25"], 25, True),
        ([f"2001:db8:{n}::/48" for n in range(10)], ["198.51.0.0/16", "2001:db8::/32"], 0, False),
    ],
)
def test_max_shrink(before, after, max_shrink, refused) -> None:
    if refused:
        with pytest.raises(AllowlistError, match="max_shrink: [0-9]+"):
            require_no_collapse(holdings(*before), holdings(*after), max_shrink)
    else:
        require_no_collapse(holdings(*before), holdings(*after), max_shrink)


def test_the_advice_of_max_shrink_is_enough() -> None:
    with pytest.raises(AllowlistError) as told:
        require_no_collapse(holdings(*MANY[:7]), holdings(MANY[0]), 25)
    advised = int(str(told.value).split("max_shrink: ")[1].split(".")[0])
    require_no_collapse(holdings(*MANY[:7]), holdings(MANY[0]), advised)
