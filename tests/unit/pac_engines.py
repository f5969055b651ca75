# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One PAC file, many questions, several engines of JavaScript: V8 (Node), what PyPAC runs on, and our interpreter.

In all of them the functions that would ask DNS throw, unless a table of names is given, so a script that asks
is found out.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from ansible_collections.egress.allowlist.plugins.module_utils._pac_run import PacFile
from pypac.parser import PACFile as OfPyPac  # type: ignore[import-untyped]

Questions = Sequence[tuple[str, str]]
Names = Mapping[str, str]

_NODE = Path(__file__).with_name("pac_node.js")
_ASKING = ("isResolvable", "isResolvableEx", "isInNet", "isInNetEx", "dnsResolve", "dnsResolveEx", "myIpAddress",
           "myIpAddressEx")


class AskedError(AssertionError):
    """A script asked DNS, or for the addresses of the machine."""


@dataclass(frozen=True)
class Timed:
    """Answers, and what they took: all of them, and reading the file up to the first of them."""

    answers: list[str]
    seconds: float
    first: float


@dataclass
class Node:
    """One process that answers batch after batch. Its sandbox holds PAC functions and what ES3 has, nothing else."""

    _process: subprocess.Popen[str] = field(init=False)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", str(_NODE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()

    def timed(self, pac: str, questions: Questions, dns: Names | None = None) -> Timed:
        told = self._ask({"pac": pac, "questions": list(questions), "dns": dns and _dotted(dns)})
        return Timed(told["answers"], told["seconds"], told["first"])

    def __call__(self, pac: str, questions: Questions, dns: Names | None = None) -> list[str]:
        return self.timed(pac, questions, dns).answers

    def _ask(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(batch) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in told:
            raise ValueError(told["error"])
        return told


def pypac(pac: str, questions: Questions, dns: Names | None = None) -> list[str]:
    """PyPAC as its users call it, its functions that ask DNS replaced."""
    guards = "".join(f"function {name}() {{ throw new Error('asked for {name}') }}\n" for name in _ASKING)
    if dns is not None:
        table = json.dumps(_dotted(dns))
        guards += f"var TOLD = {table}; dnsResolveEx = function (name) {{ return TOLD['.' + name] || null }}; 0;\n"
    file = OfPyPac(f"{guards}{pac}")
    return [str(file.find_proxy_for_url(url, host)) for url, host in questions]


def ours(pac: str, questions: Questions, dns: Names | None = None) -> list[str]:
    """The interpreter that the probe uses."""

    def resolve(host: str) -> list[str]:
        if dns is None:
            raise AskedError(host)
        return [address for address in dns.get(host, "").split(";") if address]

    def addresses() -> list[str]:
        raise AskedError("the addresses of the machine")

    file = PacFile(pac, "x", resolve, addresses)
    return ["; ".join(file.find(url, host)) for url, host in questions]


Engine = Callable[..., list[str]]


def _dotted(dns: Names) -> dict[str, str]:
    """No name may meet a property that every object has."""
    return {f".{name}": told for name, told in dns.items()}
