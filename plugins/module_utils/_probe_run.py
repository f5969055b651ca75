# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe many targets at once: bounded threads, a timeout for each step, a deadline for the whole run."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Dict, Iterator, List, Optional, Sequence

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import ask, connect_request, page_request
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import Facts, Verdict, as_answer, judge
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import (
    Address,
    Budget,
    Resolver,
    StepError,
    connect,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Proxy, Target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import PlainAnswerError, handshake
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts


class _DeniedError(Exception):
    """The proxy did not open the tunnel."""


@dataclass
class Probe:
    """What all targets of a run share."""

    contexts: Contexts
    budget: Budget
    proxy: Optional[Proxy] = None
    threads: int = 64
    resolver: Resolver = field(default_factory=Resolver)

    def run(self, targets: Sequence[Target]) -> List[Dict[str, Any]]:
        """One answer for each target, in their order. Daemon threads: a hung resolver must not hold the end up."""
        queue: SimpleQueue[int] = SimpleQueue()
        for index in range(len(targets)):
            queue.put(index)
        answers: List[Optional[Dict[str, Any]]] = [None] * len(targets)
        workers = [
            threading.Thread(target=self._work, args=(targets, queue, answers), daemon=True)
            for _number in range(min(self.threads, len(targets)))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(self.budget.left() + 1)
        late = Verdict("not_probed", None, "the deadline of the run passed before its turn came")
        return [answer or as_answer(Facts(target), late) for target, answer in zip(targets, list(answers))]

    def _work(
        self, targets: Sequence[Target], queue: SimpleQueue[int], answers: List[Optional[Dict[str, Any]]]
    ) -> None:
        while self.budget.left() > 0:
            try:
                index = queue.get_nowait()
            except Empty:
                return
            answers[index] = self.ask(targets[index])

    def ask(self, target: Target) -> Dict[str, Any]:
        """Probe one target; an error of the probe itself is an answer too, and never a good one."""
        facts = Facts(target, proxy=self.proxy.url if self.proxy else "")
        try:
            self._walk(facts)
            verdict = judge(facts)
        except Exception as error:  # noqa: BLE001 - see above
            verdict = Verdict("not_probed", "unknown", f"the probe itself failed: {type(error).__name__}: {error}")
        return as_answer(facts, verdict)

    def _walk(self, facts: Facts) -> None:
        try:
            if facts.target.is_tls:
                self._walk_tls(facts)
            else:
                self._walk_plain(facts)
        except PlainAnswerError as answer:
            facts.plain = answer.response
        except StepError as fault:
            facts.fault = fault
        except _DeniedError:
            pass  # facts.tunnel holds the answer

    def _walk_plain(self, facts: Facts) -> None:
        with self._connection(facts) as sock, _timed(facts, "http"):
            facts.response = ask(sock, page_request(facts.target, bool(self.proxy)), self.budget)

    def _walk_tls(self, facts: Facts) -> None:
        sock, facts.tls = handshake(facts.target, self.contexts, lambda: self._channel(facts), self.budget)
        with contextlib.closing(sock), _timed(facts, "http"):
            facts.response = ask(sock, page_request(facts.target, bool(self.proxy)), self.budget)

    def _channel(self, facts: Facts) -> socket.socket:
        """A connection on which TLS can begin."""
        sock = self._connection(facts)
        if self.proxy is not None:
            try:
                with _timed(facts, "proxy"):
                    facts.tunnel = ask(sock, connect_request(facts.target), self.budget)
                if not 200 <= facts.tunnel.status < 300:
                    raise _DeniedError
            except BaseException:
                sock.close()
                raise
        return sock

    def _connection(self, facts: Facts) -> socket.socket:
        """A connection to the target, or to the proxy."""
        far = self.proxy or facts.target
        with _timed(facts, "proxy_connect" if self.proxy else "resolve"):
            addresses = self.resolver.resolve(far.host, far.port, self.budget)
        if not self.proxy:
            facts.addresses = _texts(addresses)
        with _timed(facts, "proxy_connect" if self.proxy else "connect"):
            return connect(addresses, self.budget)


def _texts(addresses: Sequence[Address]) -> List[str]:
    return sorted({address[0] for _family, address in addresses})


@contextlib.contextmanager
def _timed(facts: Facts, step: str) -> Iterator[None]:
    """Note how long a step took (of several tries the last), and which step it was that failed."""
    start = time.monotonic()
    try:
        yield
    except StepError as fault:
        fault.step = step
        raise
    finally:
        facts.seconds[step] = round(time.monotonic() - start, 3)
