# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probe many targets at once: bounded threads, a timeout for each step, a deadline for the whole run."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Dict, FrozenSet, List, Optional, Sequence, Union

from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import Facts, Scene, Verdict, judge
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import Budget, Resolver, StepError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_scene import CONTROL_NAME, ScenePainter
from ansible_collections.egress.allowlist.plugins.module_utils._probe_settings import WayError
from ansible_collections.egress.allowlist.plugins.module_utils._probe_steps import as_answer
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Proxy, Target
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts
from ansible_collections.egress.allowlist.plugins.module_utils._probe_walk import Walker
from ansible_collections.egress.allowlist.plugins.module_utils._probe_ways import Ways

Seen = Union[Facts, Verdict]  # a verdict where nothing could be seen

# How many of a name's ports are asked at once. The two that most names have should not wait for each other: behind a
# firewall that drops, each of them lasts as long as the timeout.
_PORTS_AT_ONCE = 2
# What a second try may mend. Silence is not among it: it would last as long again.
_PASSING_FAULTS = ("reset", "closed", "resolver_failed")
_PASSING_STATUS = (502, 503, 504)


@dataclass
class Probe:
    """What all targets of a run share."""

    contexts: Contexts
    budget: Budget
    proxy: Optional[Proxy] = None
    threads: int = 64
    resolver: Resolver = field(default_factory=Resolver)
    ways: Optional[Ways] = None  # where they differ from target to target
    retries: int = 1
    min_tls: str = "1.2"
    ranged: FrozenSet[str] = frozenset()  # URLs of which one byte is asked for
    control: str = CONTROL_NAME

    def __post_init__(self) -> None:
        self._walker = Walker(self.contexts, self.budget, self.resolver)

    def run(self, targets: Sequence[Target]) -> List[Dict[str, Any]]:
        """One answer for each target, in their order."""
        seen = self._at_once(targets, self.threads * _PORTS_AT_ONCE)
        painter = ScenePainter(self._walker, self._ways, self.control, self.min_tls)
        scene = painter.paint([one for one in seen if isinstance(one, Facts)])
        late = Verdict("not_probed", None, "the deadline of the run passed before its turn came")
        return [_answer(target, one or late, scene) for target, one in zip(targets, seen)]

    def _at_once(self, targets: Sequence[Target], threads: int) -> List[Optional[Seen]]:
        """Daemon threads: a resolver that hangs must not hold the end up."""
        queue: SimpleQueue[int] = SimpleQueue()
        for index in range(len(targets)):
            queue.put(index)
        seen: List[Optional[Seen]] = [None] * len(targets)
        workers = [
            threading.Thread(target=self._work, args=(targets, queue, seen), daemon=True)
            for _number in range(min(threads, len(targets)))
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(self.budget.left() + 1)
        return list(seen)

    def _work(self, targets: Sequence[Target], queue: SimpleQueue[int], seen: List[Optional[Seen]]) -> None:
        while self.budget.left() > 0:
            try:
                index = queue.get_nowait()
            except Empty:
                return
            seen[index] = self._look(targets[index])

    def _look(self, target: Target) -> Seen:
        """See one target; an error of the probe itself is an answer too, and never a good one."""
        try:
            return self._see(target)
        except Exception as error:  # noqa: BLE001 - see above
            return _own_failure(error)

    def _see(self, target: Target) -> Facts:
        for tries in range(1, self.retries + 2):
            start = time.monotonic()
            facts = self._first_way(target)
            facts.tries = tries
            # What took long to fail is not a passing trouble, and would take as long again.
            lasting = time.monotonic() - start > self.budget.timeout / 4
            if lasting or not _may_pass(facts) or tries > self.retries or self.budget.left() <= 0:
                break
            self.resolver.forget(target.host)
        return facts

    def _first_way(self, target: Target) -> Facts:
        """As desktops do: the next proxy is asked where one cannot be reached."""
        try:
            ways = self._ways(target)
        except WayError as error:
            return Facts(target, fault=StepError(error.word, str(error), "way"))
        for proxy in ways:
            facts = self._walker.walk(target, proxy, target.url in self.ranged)
            if facts.fault is None or facts.fault.step != "proxy_connect":
                break
        return facts

    def _ways(self, target: Target) -> Sequence[Optional[Proxy]]:
        if self.ways is None:
            return [self.proxy]
        return self.ways.of(target)


def _may_pass(facts: Facts) -> bool:
    if facts.fault is not None:
        return facts.fault.word in _PASSING_FAULTS
    answer = facts.tunnel if facts.tunnel and facts.tunnel.status >= 300 else facts.response
    return bool(facts.proxy and answer and answer.status in _PASSING_STATUS)


def _own_failure(error: Exception) -> Verdict:
    return Verdict("not_probed", "unknown", f"the probe itself failed: {type(error).__name__}: {error}")


def _answer(target: Target, seen: Seen, scene: Scene) -> Dict[str, Any]:
    if isinstance(seen, Verdict):
        return as_answer(Facts(target), seen)
    try:
        verdict = judge(seen, scene)
    except Exception as error:  # noqa: BLE001 - see above
        verdict = _own_failure(error)
    return as_answer(seen, verdict)
