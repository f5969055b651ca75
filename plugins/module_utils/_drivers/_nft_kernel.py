# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program nft: what it tells of the running rules, and one transaction at a time."""

from __future__ import annotations

import json
import os
import shutil
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._driver import RunCommand
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_part import (
    Command,
    Part,
    element_text,
    part_from_kernel,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import ApplianceError

Place = Tuple[str, str]  # family and name of a table


class Ruleset:
    """All tables with their sets (without elements), chains and rules."""

    def __init__(self, objects: Iterable[Mapping[str, Any]]) -> None:
        self.tables: List[Place] = []
        self._objects: Dict[Place, List[Mapping[str, Any]]] = {}
        for one in objects:
            for kind, body in one.items():
                if kind == "table":
                    self.tables.append((body["family"], body["name"]))
                elif "table" in body:
                    self._objects.setdefault((body["family"], body["table"]), []).append(one)

    def objects(self, place: Place) -> List[Mapping[str, Any]]:
        return self._objects.get(place, [])

    def named(self, place: Place, prefix: str) -> List[Mapping[str, Any]]:
        """Objects of a table whose own name is the prefix or begins with it and a hyphen, and rules of such chains."""
        return [one for one in self.objects(place) for body in one.values() if _is_named(one, body, prefix)]

    def chains(self, place: Place) -> Dict[str, Mapping[str, Any]]:
        return {one["chain"]["name"]: one["chain"] for one in self.objects(place) if "chain" in one}

    def rules(self, place: Place, chain: str) -> List[List[Any]]:
        found = [one["rule"] for one in self.objects(place) if "rule" in one]
        return [rule["expr"] for rule in found if rule["chain"] == chain]


def _is_named(one: Mapping[str, Any], body: Mapping[str, Any], prefix: str) -> bool:
    name = str(body.get("chain") if "rule" in one else body.get("name"))
    return name == prefix or name.startswith(prefix + "-")


class Nft:
    """One nft on this host."""

    def __init__(self, run_command: RunCommand, executable: Optional[str]) -> None:
        self._run_command = run_command
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/local/sbin"])
        found = shutil.which(executable or "nft", path=path)
        if found is None:
            raise ApplianceError(
                f"no nftables found: expected the program {executable or 'nft'} on this host; install it, or name it "
                "with the option executable"
            )
        self.executable = found

    def ruleset(self) -> Ruleset:
        """Everything but the elements of sets (terse), which may be many."""
        return Ruleset(self._listed("-t", "list", "ruleset"))

    def part(self, place: Place, objects: Sequence[Mapping[str, Any]]) -> Part:
        """Objects of one table with the elements of the sets whose elements are ours to say."""
        names = [one["set"]["name"] for one in objects if "set" in one and "interval" in one["set"].get("flags", [])]
        elements = {name: sorted(self.elements(place, name)) for name in names}
        return part_from_kernel(place, objects, elements)

    def elements(self, place: Place, name: str) -> List[str]:
        found: List[str] = []
        for one in self._listed("list", "set", place[0], place[1], name):
            found += [element_text(value) for value in one.get("set", {}).get("elem", [])]
        return found

    def counted(self, place: Place) -> Dict[str, Dict[str, Tuple[int, int, Optional[int]]]]:
        """Set → element → (packets, bytes, seconds that it has left)."""
        found: Dict[str, Dict[str, Tuple[int, int, Optional[int]]]] = {}
        for one in self._listed("list", "table", *place):
            if "set" in one:
                values = one["set"].get("elem", [])
                found[one["set"]["name"]] = {element_text(value): _counts(value) for value in values}
        return found

    def _listed(self, *words: str) -> List[Mapping[str, Any]]:
        code, out, err = self._run_command([self.executable, "-j", *words])
        if code != 0:
            raise ApplianceError(f"nft {' '.join(words)} ended with {code}: {_first(err)}{_root(err)}")
        try:
            found = json.loads(out)["nftables"]
        except (ValueError, KeyError, TypeError) as error:
            raise ApplianceError(
                f"nft {' '.join(words)} answered what is no list of objects: {out[:200]!r}"
            ) from error
        return [one for one in found if "metainfo" not in one]

    def transact(self, path: str, *, check: bool = False, as_json: bool = True) -> None:
        """Load a file: all of it or nothing; with *check* nothing at all."""
        words = [*(["-c"] if check else []), *(["-j"] if as_json else []), "-f", path]
        code, out, err = self._run_command([self.executable, *words])
        if code != 0:
            verb = "does not accept" if check else "did not load"
            raise ApplianceError(f"nft {verb} the rules, nothing was changed: {_first(err or out)}{_root(err)}")


def _counts(value: Any) -> Tuple[int, int, Optional[int]]:
    body = value.get("elem", {}) if isinstance(value, dict) else {}
    counter = body.get("counter") or {}
    return counter.get("packets", 0), counter.get("bytes", 0), body.get("expires")


def _first(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[:4])[:600] or "without a word"


def _root(text: str) -> str:
    return "; run the task as root (become: true)" if "Operation not permitted" in text else ""


def commands_text(commands: Iterable[Command]) -> str:
    """A file for ``nft -j -f``: one command on each line, for people and for comparing."""
    lines = [json.dumps(command, sort_keys=True) for command in commands]
    return '{"nftables": [\n' + ",\n".join(lines) + "\n]}\n"
