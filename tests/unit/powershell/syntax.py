# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The syntax tree of a PowerShell file, reduced to what matters."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field

import tree_sitter_powershell
from tree_sitter import Language, Parser
from tree_sitter import Node as Leaf

PARSER = Parser(Language(tree_sitter_powershell.language()))

# Levels of precedence: they mean nothing where they have a single child.
_LEVELS = (
    *("logical", "bitwise", "comparison", "additive", "multiplicative", "format", "range", "array_literal", "unary"),
)
_HOLLOW = {
    *(f"{level}_expression" for level in _LEVELS),
    *(f"{level}_argument_expression" for level in _LEVELS),
    *("argument_expression", "pipeline_chain"),
}


@dataclass(eq=False)
class Node:
    """A part of the syntax tree, without comments and hollow levels."""

    type: str
    text: str
    is_named: bool
    line: int
    children: list[Node] = field(default_factory=list)


@functools.cache
def parse(text: str) -> Node:
    """The syntax tree, or an error with the place."""
    return _convert(PARSER.parse(text.encode("utf-8")).root_node)


def _convert(leaf: Leaf) -> Node:
    text = (leaf.text or b"").decode("utf-8")
    line = leaf.start_point[0] + 1
    if leaf.type == "ERROR" or leaf.is_missing:
        raise SyntaxError(f"line {line}: {text[:80]!r}")
    children = [_convert(child) for child in leaf.children if child.type != "comment"]
    if len(children) == 1 and leaf.type in _HOLLOW:
        return children[0]
    return Node(leaf.type, text, leaf.is_named, line, children)


def text_of(node: Node) -> str:
    return node.text


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def functions(root: Node) -> dict[str, Node]:
    """Each function of a file by its name."""
    nodes = [node for node in walk(root) if node.type == "function_statement"]
    return {text_of(next(child for child in node.children if child.type == "function_name")): node for node in nodes}
