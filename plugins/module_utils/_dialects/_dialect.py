# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a dialect is: how an appliance writes names and networks in a list, and what it takes each line for. Pure."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar, Iterator, Sequence, Tuple

from ansible_collections.egress.allowlist.plugins.module_utils._network import Network
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern, parse


@dataclass(frozen=True)
class Form:
    """One way to write a pattern: its lines, and all that the appliance takes them for, as patterns of ours.

    ``means`` never says less than is true. ``loose``: it says more, since our patterns cannot say it better.
    """

    lines: Tuple[str, ...]
    means: Tuple[Pattern, ...]
    loose: bool = False


class Dialect(ABC):
    """A kind of list. What it carries is said by ``hosts`` and ``networks``; the rest of a list belongs elsewhere."""

    name: ClassVar[str]
    hosts: ClassVar[bool] = True
    networks: ClassVar[bool] = False
    ports: ClassVar[bool] = False  # whether a line says on which ports
    comment: ClassVar[str] = "#"  # how a line begins that the appliance does not read; "" if there is none
    most_lines: ClassVar[int] = 0  # 0: no limit is known
    longest_line: ClassVar[int] = 0

    def forms(self, pattern: Pattern) -> Iterator[Form]:  # noqa: ARG002  # lists of networks hold no names
        """Ways to write all names of a pattern, the closest first; none if nothing can hold it."""
        return iter(())

    def path(self, pattern: Pattern, path: str) -> Iterator[Form]:  # noqa: ARG002  # most lists know no paths
        """Ways to write one path of the names, the closest first; none if the dialect knows no paths."""
        return iter(())

    def network(self, network: Network) -> str:
        """The line of a network."""
        return str(network)

    def with_ports(self, line: str, ports: Sequence[str]) -> Tuple[str, ...]:  # noqa: ARG002  # most lists know none
        """The lines for one line on these ports."""
        return (line,)

    def around(self, lines: Sequence[str], name: str) -> Sequence[str]:  # noqa: ARG002  # most lists are only lines
        """The lines, with what has to stand around them."""
        return lines


def below(base: str) -> Pattern:
    """Everything below a name, and not the name itself."""
    return parse("*." + base)


def tree(pattern: Pattern, line: str) -> Form:
    """A line that stands for the base of a pattern and everything below it."""
    return Form((line,), (below(pattern.base), parse(pattern.base)))
