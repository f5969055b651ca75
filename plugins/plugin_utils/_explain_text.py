# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An explanation as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._ports import written

_MARKS = {
    "shared_hosting": "shared hosting: anyone can put content under it",
    "third_party": "a third party answers",
    "retired": "retired: later official lists no longer ask for it",
}


def lines(told: Mapping[str, Any]) -> list[str]:
    """The answer of one question, line by line."""
    return list(_allowed(told) if told["allowed"] else _not_allowed(told))


def _allowed(told: Mapping[str, Any]) -> Iterator[str]:
    how = "" if told["exact"] else f", {told['entries'][0]['covers']}"
    yield f"{told['name']}: ALLOWED{how}"
    for entry in told["entries"]:
        yield f"  by {_named(entry)} on {written(tuple(entry['ports'])) or 'ports that are not stated'}, {_duty(entry)}"
        for group in entry["groups"]:
            why = f": {group['why']}" if group["why"] else ""
            yield f"    for {group['title']} ({group['id']}, catalog {group['catalog']}){why}"
        if entry["risk"]:
            yield f"    mark: {_MARKS[entry['risk']]}{_more(entry)}"
        yield f"    asked for by: {'; '.join(entry['sources']) or 'egress_entries'}{_since(entry)}"
    for one in told["excluded"]:
        yield f"  but: {one['why']}, and {told['entries'][0]['value']} still lets it through"


def _not_allowed(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['name']}: NOT ALLOWED"
    for one in told["excluded"]:
        yield f"  left out: {one['why']}"
    if not told["excluded"]:
        yield "  no entry of the list has it" + ("" if told["near"] else ", and none comes near it")
    for one in told["near"]:
        groups = f" ({', '.join(one['groups'])})" if one["groups"] else ""
        yield f"  near: {_named(one)}{groups} {one['why']}"
    yield f"  to allow it: {told['advice']}"


def _named(entry: Mapping[str, Any]) -> str:
    return f"{entry['value']}{entry['path'] or ''}"


def _duty(entry: Mapping[str, Any]) -> str:
    words = ["critical"] if entry["critical"] else []
    words.append("required" if entry["required"] else "optional")
    if entry["category"]:
        words.append(f"category {entry['category']}")
    return ", ".join(words)


def _more(entry: Mapping[str, Any]) -> str:
    said = f" ({entry['risk_why']})" if entry["risk_why"] else ""
    return said + (f"; instead: {', '.join(entry['instead'])}" if entry["instead"] else "")


def _since(entry: Mapping[str, Any]) -> str:
    # The web service's version is in its sources already.
    versions = [one for one in entry["catalogs"] if one["version"] and not one["instance"]]
    said = "".join(f" ({one['id']}: {one['version']})" for one in versions)
    return said + (f", since {entry['since']}" if entry["since"] else "")


def held(told: Mapping[str, Any]) -> str:
    """One sentence about an appliance."""
    if told["holds"]:
        entry = told["entries"][0]
        intents = f" ({', '.join(entry['intents'])})" if entry["intents"] else ""
        said = f"holds it by {_named(entry)} on {written(tuple(entry['ports']))}{intents}"
    else:
        said = "does not hold it"
    if told["drift"] == "ports":
        return f"{said}; the list wants {', '.join(told['missing_ports'])} too: the next apply adds that"
    ends = {"none": ", as the list wants", "missing": "; the list wants it: the next apply adds it",
            "left_over": "; the list does not want it: the next apply takes it away"}  # fmt: skip
    return said + ends[told["drift"]]
