# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._translation import Verdict, require_acceptable

EXACT = Verdict("host a", ("allow",), written=("a",))
APEX = Verdict("host *.x", ("allow",), gained="x", gains="apex", written=(".x",))
MORE = Verdict("host a.*.x", ("allow",), gained="everything below x", gains="any", written=(".x",))
KNOWN = Verdict("host *y.x", ("allow",), lost="all but y.x", loses="known", written=("y.x",))
LOST = Verdict("host *z.x", ("allow",), lost="all", loses="any")
FOREIGN = Verdict("network n udp/1", ("allow",), lost="udp/1", loses="foreign")


@pytest.mark.parametrize(
    ("verdict", "word"),
    [(EXACT, "exact"), (APEX, "broader"), (MORE, "broader"), (KNOWN, "narrower"), (LOST, "impossible"),
     (FOREIGN, "impossible")],
)
def test_word(verdict, word) -> None:
    assert verdict.verdict == verdict.as_dict()["verdict"] == word


@pytest.mark.parametrize(
    ("verdict", "widen", "narrow"),
    [
        (APEX, "none", "any"), (MORE, "none", "any"), (MORE, "apex", "any"),
        (KNOWN, "any", "none"), (LOST, "any", "none"), (LOST, "any", "known"),
    ],
)
def test_more_than_accepted_is_refused_with_the_way_out(verdict, widen, narrow) -> None:
    with pytest.raises(AllowlistError) as told:
        require_acceptable([EXACT, verdict], widen, narrow)
    assert verdict.entry in str(told.value)
    assert f"{verdict.gains if verdict.gained else verdict.loses}," in str(told.value)
    assert EXACT.entry + ":" not in str(told.value)


def test_every_entry_is_named() -> None:
    with pytest.raises(AllowlistError, match=r"2 of the entries(.|\n)*\*\.x(.|\n)*\*z\.x"):
        require_acceptable([APEX, LOST], "none", "none")


def test_what_is_accepted_passes() -> None:
    require_acceptable([EXACT, APEX, KNOWN, FOREIGN], "apex", "known")
    require_acceptable([MORE, LOST], "any", "any")
    require_acceptable([FOREIGN], "none", "none")


def test_thousands_of_objections_are_told_by_their_number() -> None:
    many = [Verdict(f"host *.x{number}", ("allow",), gained="x", gains="apex") for number in range(5000)]
    with pytest.raises(AllowlistError, match="cannot express 5000 of the entries") as told:
        require_acceptable(many, "none", "any")
    assert str(told.value).endswith("and 4000 more")
    assert str(told.value).count("\n") == 1001
