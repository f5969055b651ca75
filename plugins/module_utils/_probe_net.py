# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets with a time budget: name resolution, connections to the first address that answers."""

from __future__ import annotations

import errno
import ipaddress
import selectors
import socket
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Dict, List, Optional, Sequence, Tuple

# RFC 8305 (Happy Eyeballs): how long the next address waits for the one before it.
_STAGGER = 0.25
_MOST_ADDRESSES = 8
Address = Tuple[int, Tuple[str, int]]


class StepError(Exception):
    """A step that did not succeed: a word for the judge, the error's own text, and which step it was."""

    def __init__(self, word: str, detail: str = "", step: str = "") -> None:
        super().__init__(f"{word}: {detail}" if detail else word)
        self.word = word
        self.detail = detail
        self.step = step


class Budget:
    """How long a step may take: its own timeout, or what is left until the deadline of the whole run."""

    def __init__(self, timeout: float, deadline: float) -> None:
        self.timeout = timeout
        self._end = time.monotonic() + deadline

    def left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0.0, self._end - time.monotonic())

    def step(self) -> float:
        """Seconds that the next step may take."""
        left = self.left()
        if left <= 0:
            raise StepError("deadline")
        return min(self.timeout, left)

    def expired(self) -> StepError:
        """A step ran out of time: because the network is silent, or because the whole run ended?"""
        return StepError("deadline") if self.left() <= 0 else StepError("timeout")


@dataclass(frozen=True)
class Resolution:
    """What the system's resolver says of a name; *canonical* is the end of its chain of aliases."""

    addresses: Tuple[Address, ...]
    canonical: str = ""

    @property
    def leads_nowhere(self) -> bool:
        """Only addresses that no server in the world has: the usual answers of a resolver that withholds a name."""
        found = [ipaddress.ip_address(address[0].partition("%")[0]) for _family, address in self.addresses]
        return bool(found) and all(one.is_unspecified or str(one) in ("127.0.0.1", "::1") for one in found)


class Resolver:
    """Each name is asked for once; getaddrinfo has no timeout of its own, so it runs in a thread beside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: Dict[str, Future[Resolution]] = {}

    def resolve(self, host: str, port: int, budget: Budget) -> List[Address]:
        """The addresses of a host, in the order of preference of the system."""
        try:
            found = self._ask(host).result(timeout=budget.step())
        except FutureTimeout:
            fault = budget.expired()
            raise StepError("deadline" if fault.word == "deadline" else "resolver_silent") from None
        return [(family, (address[0], port)) for family, address in found.addresses]

    def known(self, host: str) -> Optional[Resolution]:
        """What has been answered already; None where nothing has, or where it was a failure."""
        with self._lock:
            answer = self._answers.get(host)
        return answer.result() if answer and answer.done() and not answer.exception() else None

    def forget(self, host: str) -> None:
        """Ask anew next time, unless the answer is still awaited."""
        with self._lock:
            answer = self._answers.get(host)
            if answer is not None and answer.done():
                del self._answers[host]

    def _ask(self, host: str) -> Future[Resolution]:
        with self._lock:
            answer = self._answers.get(host)
            if answer is None:
                answer = self._answers[host] = Future()
                threading.Thread(target=_look_up, args=(host, answer), daemon=True).start()
            return answer


def _look_up(host: str, answer: Future[Resolution]) -> None:
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
        unique = dict.fromkeys((row[0], (str(row[4][0]), 0)) for row in rows)
        canonical = next((row[3].rstrip(".").lower() for row in rows if row[3]), "")
        answer.set_result(Resolution(tuple(unique), "" if canonical == host else canonical))
    except socket.gaierror as error:
        gone = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        answer.set_exception(StepError("no_such_name" if gone else "resolver_failed", str(error.strerror or error)))
    except Exception as error:  # noqa: BLE001 - whatever happens, the thread that waits must be told
        answer.set_exception(StepError("resolver_failed", str(error)))


_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def of_family(addresses: Sequence[Address], family: str) -> List[Address]:
    """Those of one family; *any* takes all."""
    if family == "any":
        return list(addresses)
    chosen = [one for one in addresses if one[0] == _FAMILIES[family]]
    if not chosen:
        others = ", ".join(sorted(address[0] for _family, address in addresses))
        raise StepError("other_family", f"it has {others}")
    return chosen


def connect(addresses: Sequence[Address], budget: Budget) -> socket.socket:
    """Connect to the first address that answers, the next one starting a little later."""
    race = _Race(list(addresses)[:_MOST_ADDRESSES], budget)
    try:
        return race.run()
    finally:
        race.close()


class _Race:
    def __init__(self, addresses: List[Address], budget: Budget) -> None:
        self._waiting = addresses
        self._budget = budget
        self._end = time.monotonic() + budget.step()
        self._selector = selectors.DefaultSelector()
        self._faults: List[StepError] = []

    def run(self) -> socket.socket:
        while self._waiting or self._selector.get_map():
            if self._waiting:
                self._start(*self._waiting.pop(0))
            winner = self._wait()
            if winner is not None:
                winner.setblocking(True)
                return winner
        raise self._verdict()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            self._drop(key.data)
        self._selector.close()

    def _start(self, family: int, address: Tuple[str, int]) -> None:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a family that this host does not have
            self._faults.append(step_error(error))
            return
        sock.setblocking(False)
        code = sock.connect_ex(address)
        if code in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
            self._selector.register(sock, selectors.EVENT_WRITE, sock)
        else:
            sock.close()
            self._faults.append(step_error(OSError(code, errno.errorcode.get(code, "?"))))

    def _wait(self) -> Optional[socket.socket]:
        """The next connection that stands, or None when it is time to start one more or to give up."""
        until = min(self._end, time.monotonic() + _STAGGER) if self._waiting else self._end
        while self._selector.get_map():
            ready = self._selector.select(max(0.0, until - time.monotonic()))
            if not ready:
                break
            for key, _events in ready:
                sock: socket.socket = key.data
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    self._selector.unregister(sock)
                    return sock
                self._drop(sock)
                self._faults.append(step_error(OSError(code, errno.errorcode.get(code, "?"))))
        if time.monotonic() >= self._end and self._selector.get_map():
            raise self._budget.expired()
        return None

    def _drop(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        sock.close()

    def _verdict(self) -> StepError:
        """Of several failures the one that says most: an answer of the far end before a local one."""
        order = ("refused", "reset", "unreachable", "no_route")
        known = [fault for word in order for fault in self._faults if fault.word == word]
        return (known + self._faults + [StepError("no_route", "no address to connect to")])[0]


_WORDS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
    errno.ETIMEDOUT: "timeout",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "forbidden_here",
    errno.EPERM: "forbidden_here",
    errno.ENETUNREACH: "no_route",
    errno.EADDRNOTAVAIL: "no_route",
    errno.EAFNOSUPPORT: "no_route",
}


def step_error(error: OSError) -> StepError:
    """The judge's word for an error of the system."""
    return StepError(_WORDS.get(error.errno or 0, "system"), str(error.strerror or error))
