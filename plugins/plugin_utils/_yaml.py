# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a YAML file strictly, and finds again the line on which a value stands."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, shown
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import Path, Problem, dotted

# The loader in C takes a sixth of the time; it is there wherever PyYAML was built with libyaml.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 8 * 1024 * 1024
SHOWN_PROBLEMS = 10
MAX_DEPTH = 50
MOST_VALUES = 500_000  # each takes a kilobyte while the file is read
# The loader in C runs out of stack, and takes the process along, somewhere above 12,000 levels.
SAFE_DEPTH = 10_000


class _StrictLoader(_Base):
    """YAML without what surprises: no key twice, no alias (a few of them can stand for gigabytes), no merge key."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node in self.constructed_objects or node in self.recursive_objects:
            raise yaml.constructor.ConstructorError(
                None, None, "an alias (*name) is not allowed here; write the value out", node.start_mark
            )
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError, TypeError, OverflowError):
            # A day that does not exist, a number of thousands of digits, a tag that the text does not fit.
            said = f"{shown(node.value)} is not the number or date that it looks like; quote it"
            raise yaml.constructor.ConstructorError(None, None, said, node.start_mark) from None

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "a merge key (<<) is not allowed here; write the fields out", key.start_mark
                )
            if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'"{key.value}" stands here for the second time', key.start_mark
                )
            seen.add((key.tag, key.value if isinstance(key, yaml.ScalarNode) else id(key)))
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


def read(file: str) -> str:
    """The text of *file*."""
    try:
        with open(file, "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise AllowlistError(f"catalog {file}: cannot be read: {error.strerror}") from None
    if len(content) > MAX_BYTES:
        raise AllowlistError(f"catalog {file}: has more than {MAX_BYTES // 1024 // 1024} MiB; is this the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise AllowlistError(f"catalog {file}, line {line}: is not UTF-8 (byte 0x{content[error.start]:02x})") from None


def parse(file: str, text: str) -> object:
    """What the YAML in *text* says."""
    if sum(map(text.count, ",\n[{")) > MOST_VALUES:
        raise AllowlistError(f"catalog {file}: has more than {MOST_VALUES} values; is this the right file?")
    try:
        if sum(map(text.count, "[{-?")) > SAFE_DEPTH:
            _check_depth(file, text)
        # The loader derives from the safe one; nothing but plain data can come of it.
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise AllowlistError(f"catalog {file}{place}: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise AllowlistError(f"catalog {file}, line {line}: a character that YAML does not allow") from None
    except RecursionError:
        raise AllowlistError(f"catalog {file}: is nested too deeply to be a catalog") from None


def _check_depth(file: str, text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            place = f", line {event.start_mark.line + 1}" if event.start_mark else ""
            raise AllowlistError(f"catalog {file}{place}: is nested too deeply to be a catalog")


def refuse(file: str, text: str, problems: list[Problem]) -> AllowlistError:
    """The error that names file, line and field of each problem; lines are looked up only now, they cost time."""
    root = yaml.compose(text, Loader=_Base)
    lines = [
        f"line {_line(root, problem.path, problem.at_key)}, {dotted(problem.path)}: {problem.text}"
        for problem in problems[:SHOWN_PROBLEMS]
    ]
    if len(problems) > SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - SHOWN_PROBLEMS} more")
    if len(lines) == 1:
        return AllowlistError(f"catalog {file}, {lines[0]}")
    return AllowlistError(f"catalog {file} has {len(problems)} errors:\n  " + "\n  ".join(lines))


def _line(node: yaml.Node | None, path: Path, at_key: bool) -> int:
    if node is None:
        return 1
    mark = node.start_mark
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            mark = node.start_mark
        elif isinstance(node, yaml.MappingNode):
            key, node = next(((key, value) for key, value in node.value if key.value == part), (node, node))
            # A value that is a block begins a line after its key, which is where people look.
            at_value = not at_key and isinstance(node, yaml.ScalarNode)
            mark = node.start_mark if at_value else key.start_mark
    return int(mark.line) + 1
