# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of appliances that are nonsense, for each request of a run: refused in words, soon, and with no write."""

from __future__ import annotations

import gzip
import random
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import corpus
import nonsense
import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.tests.emulators.server import Answer, Request
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.conftest import APIS, HOSTS, started
from ansible_collections.egress.allowlist.tests.unit.plugins.module_utils.drivers.host import ReadOnly

CASES = int(400 * corpus.SCALE)  # for each driver
LONGEST = 20  # seconds; nothing is waited for, since the clock of the tests goes by itself
PORTS: dict[str, Any] = {"default_ports": ["tcp/443"]}
Change = Callable[[bytes], bytes]

_ENTITIES = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
_LAUGHS = f'<!DOCTYPE x [<!ENTITY a0 "x">{_ENTITIES}]><response>&a12;</response>'
_OPEN = b'<response status="success"><result>'
_XML, _JSON = {"Content-Type": "application/xml"}, {"Content-Type": "application/json"}
BODIES: dict[str, Answer] = {
    "a billion laughs": Answer(200, _LAUGHS.encode(), _XML),
    "laughs in UTF-16": Answer(200, _LAUGHS.encode("utf-16"), {"Content-Type": "application/xml; charset=utf-16"}),
    "laughs in UTF-7": Answer(200, b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE x+AD4-<response/>', _XML),
    "an external entity": Answer(
        200, b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><response>&e;</response>', _XML
    ),
    "an external subset": Answer(
        200, b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><response status="success"/>', _XML
    ),
    "an undeclared entity": Answer(200, _OPEN + b"&nbsp;</result></response>", _XML),
    "100,000 levels of XML": Answer(200, _OPEN + b"<a>" * 100_000 + b"</a>" * 100_000 + b"</result></response>", _XML),
    "100,000 entries": Answer(200, _OPEN + b'<entry name="x"/>' * 100_000 + b"</result></response>", _XML),
    "a comment without end": Answer(200, _OPEN + b"<!--" + b"x" * 1_000_000, _XML),
    "100,000 levels of JSON": Answer(200, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, _JSON),
    "100,000 lists": Answer(200, b"[" * 100_000 + b"]" * 100_000, _JSON),
    "a number of 100,000 digits": Answer(200, b"1" * 100_000, _JSON),
    "numbers beyond all": Answer(200, b'{"status": "success", "results": 1e999999, "id": -1e999999}', _JSON),
    "keys twice": Answer(200, b'{"status":"success","status":[],"results":[],"results":{},"results":"x"}', _JSON),
    "half a surrogate": Answer(200, b'{"status": "\\ud800", "results": [{"name": "\\udfff"}]}', _JSON),
    "NUL": Answer(200, b"\0" * 1000, _JSON), "NUL in JSON": Answer(200, b'{"a\\u0000": "\\u0000"}', _JSON),
    "Latin-1": Answer(200, '{"status": "succ\u00e9ss"}'.encode("latin-1"), _JSON),
    "UTF-16": Answer(200, '{"status": "success", "results": []}'.encode("utf-16"), _JSON),
    "an unknown charset": Answer(200, b'{"status": "success"}', {"Content-Type": "application/json; charset=klingon"}),
    "40 MB": Answer(200, b'["' + b"x" * 40_000_000 + b'"]', _JSON),
    "200 MB in 900 kB": Answer(200, gzip.compress(b"[" + b" " * 200_000_000, 1), {"Content-Encoding": "gzip"}),
    "no gzip": Answer(200, b"x" * 1000, {**_JSON, "Content-Encoding": "gzip"}),
    "a thousand encodings": Answer(200, b"x", {**_JSON, "Content-Encoding": ", ".join(["gzip"] * 1000)}),
    "a list": Answer(200, b"[]", _JSON), "a text": Answer(200, b'"x"', _JSON), "nothing at all": Answer(204),
    "null": Answer(200, b"null", _JSON), "true": Answer(200, b"true", _JSON),
    "a success": Answer(200, b'{"status":"success"}', _JSON),
    "a success of XML": Answer(200, b'<response status="success"/>', _XML),
    "a result of text": Answer(200, _OPEN + b"x</result></response>", _XML),
    "another namespace": Answer(200, b'<x:response xmlns:x="y" status="success"/>', _XML),
    "a status of 99": Answer(299, b"{}", _JSON), "a redirect": Answer(302, b"", {"Location": "http://127.0.0.1:1/"}),
    "a redirect to itself": Answer(307, b"", {"Location": "/"}),
    "a wait for ever": Answer(429, b"", {"Retry-After": "99999"}),
    "a wait of nonsense": Answer(429, b"", {"Retry-After": "x" * 1000}),
    "a wait of less than nothing": Answer(429, b'{"Retry-After": "-5 seconds"}', {"Retry-After": "-5"}),
    "a page with a terminal's commands": Answer(500, b"\x1b]0;x\x07\x1b[2J\xe2\x80\xae" * 100),
    "a refusal with them": Answer(400, b'{"code": "\\u001b[2J\\u202e", "message": "\\u001b[2J\\u202e\\n", "error": 1, '
                                       b'"cli_error": "\\u001b[2J\\u202e"}', _JSON),
    "a refusal of a megabyte": Answer(400, b'{"code": "' + b"x" * 1_000_000 + b'", "message": "' + b"y" * 1_000_000 +
                                      b'", "cli_error": "' + b"z" * 1_000_000 + b'"}', _JSON),
    "a refusal in XML": Answer(200, '<response status="error" code="{0}"><msg><line>{0}</line></msg></response>'.format(
                               "\u202e" + "x" * 300_000).encode(), _XML),
}  # fmt: skip


@pytest.fixture(params=APIS)
def host(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with started(HOSTS[request.param], tmp_path, monkeypatch) as one:
        vars(one)["kind"] = request.param
        one.run(*one.old, default_ports=["tcp/443"])
        yield one


def reads_of(host: Any, *entries: str) -> int:
    """How many answers a run meets before its first write."""
    before = len(host.emulator.seen)
    host.run(*entries, **PORTS, check_mode=True, max_shrink=100)
    return len(host.emulator.seen) - before


def problem_of(host: Any, *entries: str, **options: Any) -> str:
    """What is wrong with a run, "" for nothing."""
    began = time.monotonic()
    try:
        with host.guarded(ReadOnly()):
            host.run(*entries, **PORTS, max_shrink=100, **options)
    except AllowlistError as error:
        told = corpus.is_told_well(str(error))
        if told:
            return f"{told}: {str(error)[:150]!r}"
    except pytest.fail.Exception:
        return "it writes"
    except Exception as error:  # noqa: BLE001  # each is a finding
        return f"{type(error).__name__}: {str(error)[:200]}"
    return f"{time.monotonic() - began:.0f} s" if time.monotonic() - began > LONGEST else ""


def test_answers_that_are_no_answers(host, tally) -> None:
    reads = reads_of(host, *host.old)
    state = host.state()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = []
    for name, answer in BODIES.items():
        for step in sorted({0, 1, 2, reads // 2, reads - 1}):
            met = iter(range(10_000))
            host.emulator.faults.clear()
            host.emulator.fail(lambda _request, met=met, step=step: next(met) >= step, answer, 10_000)
            problem = problem_of(host, "www.example.com")
            if problem:
                found.append(f"{name}, answer {step}: {problem}")
            tally(host.kind)
    host.emulator.faults.clear()
    assert host.state() == state
    assert not found, "\n".join(found)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 700_000  # kB; an answer is read up to 16 MiB


class Liar:
    """Answers as the appliance does, but for one thing in the answer number *step*; ``said``: what that was."""

    def __init__(self, real: Callable[[Request], Answer], step: int, drawn: random.Random) -> None:
        self._real, self._left, self._drawn = real, step, drawn
        self.said = ""

    def __call__(self, request: Request) -> Answer:
        true = self._real(request)
        self._left -= 1
        if self._left != -1 or not true.body or true.status != 200:
            return true
        what, body = nonsense.changed(true.body, self._drawn)
        self.said = f"{request.path} {dict(request.query)} {request.body[:150]!r}: {what}"
        return Answer(true.status, body, true.headers)


def test_true_answers_with_one_thing_in_them_that_is_nonsense(host, monkeypatch, tally) -> None:
    reads = reads_of(host, *host.old)
    state = host.state()
    seed = random.randrange(2**32)
    print(f"changes drawn with seed {seed}")
    drawn, real, found = random.Random(seed), host.emulator.answer, []
    for case in range(CASES):
        liar = Liar(real, drawn.randrange(reads), drawn)
        monkeypatch.setattr(host.emulator, "answer", liar)
        problem = problem_of(host, *host.old, check_mode=True)
        if problem:
            found.append(f"case {case}: {liar.said}: {problem}")
        tally(host.kind)
    monkeypatch.setattr(host.emulator, "answer", real)
    assert host.state() == state
    assert not found, "\n".join([f"seed {seed}", *found])
