# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of changes as Markdown, for a ticket, and as a few lines for the screen. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.egress.allowlist.plugins.plugin_utils._change_report import UNKNOWN

_RISKS = {"shared_hosting": "shared hosting", "third_party": "third party", "retired": "retired"}
_MOST_NAMED = 5
_SPECIAL = "\\`|*_[]<>#"


def markdown(told: Mapping[str, Any], commands: Mapping[str, Any]) -> str:
    """The whole page; equal reports are equal bytes."""
    return "\n".join(_page(told, commands)) + "\n"


def summary(told: Mapping[str, Any]) -> list[str]:
    """A few lines for the screen."""
    return [
        f"{_title(told)}: {_counted(told['totals'])}",
        *(f"{one['host']} ({one['appliance'] or 'of unknown kind'}): {_short(one)}" for one in told["appliances"]),
        *(f"LOOK AT {text}" for text in told["cautions"] if UNKNOWN not in text),  # its own line says it
    ]


def _title(told: Mapping[str, Any]) -> str:
    return f"Change of the allowlist {told['change_id']}" if told["change_id"] else "Next change of the allowlist"


def _counted(totals: Mapping[str, int]) -> str:
    failed = f", {totals['failed']} not known" if totals["failed"] else ""
    return (
        f"{totals['changed']} of {_of(totals['appliances'], 'appliance')} would change{failed}; "
        f"{totals['added']} added, {totals['removed']} removed, {totals['moved']} changed"
    )


def _of(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _short(one: Mapping[str, Any]) -> str:
    if one["error"]:
        return f"not known: {one['error']}"
    if not one["changed"]:
        return f"nothing to change, {one['after']} entries"
    counted = f"{len(one['added'])} added, {len(one['removed'])} removed, {len(one['moved'])} changed"
    exact = f"; {len(one['translation'])} not held exactly" if one["translation"] else ""
    return f"{counted}, {one['after']} entries afterwards{exact}"


def _page(told: Mapping[str, Any], commands: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {_text(_title(told))}"
    yield ""
    yield f"What the next apply would do: {_counted(told['totals'])}. Nothing has been changed yet."
    if told["cautions"]:
        yield from ("", "## Look at this first", "")
        yield from (f"- {_text(text)}" for text in told["cautions"])
    yield from ("", "## Appliances", "")
    yield from _table(
        ("Appliance", "Kind", "Entries now", "Then", "Added", "Removed", "Changed", "Not exact"),
        [_overview(one) for one in told["appliances"]],
    )
    yield from _web_service(told["web_service"])
    for one in told["appliances"]:
        yield from _appliance(one)
    yield from _commands(commands)


def _overview(one: Mapping[str, Any]) -> list[str]:
    if one["error"]:
        return [_text(one["host"]), _text(one["appliance"]), "not known", *[""] * 5]
    counts = [str(len(one[part])) for part in ("added", "removed", "moved", "translation")]
    return [_text(one["host"]), _text(one["appliance"]), str(one["before"]), str(one["after"]), *counts]


def _web_service(told: Mapping[str, Any]) -> Iterator[str]:
    if not told["changes"] and not told["error"]:
        return
    yield from ("", "## What the web service changed since the list was applied", "")
    if told["error"]:
        yield f"Not known: {_text(told['error'])}"
        return
    yield from _table(
        ("Change", "Name or network", "Sets", "Services", "Version", "Effective", "Impact", "From", "To", "Reaches"),
        [_service_row(row) for row in told["changes"]],
    )


def _service_row(row: Mapping[str, Any]) -> list[str]:
    facts = [_facts(row.get("before")), _facts(row.get("after"))] if row["change"] == "moved" else ["", ""]
    return [
        _text(row["change"]),
        _code(row["value"]),
        _text(", ".join(map(str, row.get("sets") or ()))),
        _text(", ".join(row.get("services") or row.get("service_areas") or ())),
        _text(row.get("version")),
        _text(row.get("effective")),
        _text(row.get("impact")),
        *facts,
        _text(", ".join(row["appliances"]) or "nothing that changes here"),
    ]


def _facts(facts: Mapping[str, Any] | None) -> str:
    if not facts:
        return ""
    duty = "required" if facts.get("required") else "optional"
    return _text(", ".join(filter(None, [" ".join(facts.get("ports") or ()), facts.get("category"), duty])))


def _appliance(one: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", f"## {_text(one['host'])} ({_text(one['appliance'])})", "")
    yield _text(_short(one)[:1].upper() + _short(one)[1:]) + "."
    for part, title in (("added", "Added"), ("removed", "Removed"), ("moved", "Changed")):
        if one[part]:
            yield from ("", f"### {title} on {_text(one['host'])} ({len(one[part])})", "")
            yield from _table(("Entry", "Why", "Groups", "Judged", "Marks"), [_entry(row) for row in one[part]])
    if one["translation"]:
        yield from ("", f"### Not held exactly on {_text(one['host'])} ({len(one['translation'])})", "")
        yield from _table(
            ("Entries", "Verdict", "Lets through beyond them", "Does not let through"), _verdicts(one["translation"])
        )
    if one["notes"]:
        yield ""
        yield from (f"- {_text(note)}" for note in one["notes"])


def _entry(row: Mapping[str, Any]) -> list[str]:
    line = _code(row["line"].partition(" ")[2])
    before = f"{_code(row['before'].partition(' ')[2])} becomes " if "before" in row else ""
    covered = f"; {_code(row['covered_by'])} lets it through as well" if row["covered_by"] else ""
    groups, judged = _text(", ".join(row["groups"])), _text(_judged(row))
    return [before + line, _text(row["why"]) + covered, groups, judged, _marks(row)]


def _judged(row: Mapping[str, Any]) -> str:
    duty = "critical" if row["critical"] else {True: "required", False: "optional"}.get(row["required"], "")
    return ", ".join(filter(None, [duty, row["category"]]))


def _marks(row: Mapping[str, Any]) -> str:
    return _RISKS.get(row["risk"], "") if row["risk"] else ""


def _verdicts(translation: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """One row for all entries of which the same is to be said; a firewall says it of each."""
    same: dict[tuple[str, str, str], list[str]] = {}
    for verdict in translation:
        under = verdict["entry"].partition(" *.")[2].partition(" ")[0].partition("/")[0]
        gained = str(verdict.get("gained") or "").replace(f"{under} itself", "the bare name under the star")
        words = (_text(verdict.get("verdict")), _text(gained), _text(verdict.get("lost")))
        same.setdefault(words, []).append(verdict["entry"])
    return [[_entries(named), *words] for words, named in sorted(same.items())]


def _entries(named: Sequence[str]) -> str:
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(_code(name) for name in named[:_MOST_NAMED]) + more


def _commands(commands: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## To apply it", "")
    yield from _block(commands["apply"])
    yield from ("", "## To take it back", "")
    yield from _block(commands["rollback"])
    yield ""
    yield (
        "This gives the appliances back what they held before the latest run that changed any of them. When another "
        "run has changed them since, say the name of this change's own run in place of `latest`: "
        f"{_text(commands['run'])}"
    )
    if commands["left_out"]:
        yield ""
        yield (
            "These variables were given with `-e` too, and are not repeated here, since they may hold secrets: "
            f"{', '.join(_code(name) for name in commands['left_out'])}. Give them again."
        )


def _block(command: str) -> Iterator[str]:
    yield from ("```shell", command, "```")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join(['---'] * len(head))}|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _text(value: object) -> str:
    """Text that means nothing to Markdown, on one line."""
    words = " ".join(str("" if value is None else value).split())
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in words if char.isprintable())


def _code(value: object) -> str:
    """Names as they are; what would end the code, or a cell of a table, is left out."""
    return f"`{''.join(char for char in str(value) if char.isprintable() and char not in '`|')}`"
