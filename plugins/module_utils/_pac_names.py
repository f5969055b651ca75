# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names the statements of a file declare, and how."""

from __future__ import annotations

from typing import Iterator, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._pac_expression import Node


def declared(nodes: Sequence[Node], whole: bool) -> Iterator[Tuple[str, str]]:
    """The names that statements declare: of a *whole* function also the var of everything inside of them."""
    for node in nodes:
        if node.kind == "declare":
            for name, _value in node.parts[1]:
                yield name, node.parts[0]
        elif node.kind == "function" and whole:
            yield node.parts[0], "var"
        if whole:
            for name, how in _inside(node):
                if how == "var":
                    yield name, how


def _inside(node: Node) -> Iterator[Tuple[str, str]]:
    if node.kind == "each" and node.parts[0] == "var":
        yield node.parts[1].parts[0], "var"
    if node.kind == "if":
        parts = [then for _condition, then in node.parts[0]] + [node.parts[1]]
    elif node.kind == "switch":
        parts = [statement for _test, statements in node.parts[1] for statement in statements]
        # Those of its cases live as long as the function: a switch has no scope of its own here.
        yield from ((name, "var") for name, _how in declared(parts, False))
    elif node.kind == "try":
        parts = [one for block in (node.parts[0], node.parts[2], node.parts[3]) for one in block or ()]
    elif node.kind in ("block", "loop", "until", "each", "label"):
        parts = [part for part in node.parts if isinstance(part, Node)]
    else:
        parts = []
    yield from declared([part for part in parts if part is not None], True)
