# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to one target, step by step: resolve, connect, the tunnel of a proxy, TLS, one HTTP request."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Iterator, List, Optional

from ansible_collections.egress.allowlist.plugins.module_utils._probe_http import (
    BODY_BYTES,
    ask,
    connect_request,
    page_request,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_judge import Facts
from ansible_collections.egress.allowlist.plugins.module_utils._probe_net import (
    Address,
    Budget,
    Resolver,
    StepError,
    connect,
    of_family,
)
from ansible_collections.egress.allowlist.plugins.module_utils._probe_ports import ask_datagram, greeting
from ansible_collections.egress.allowlist.plugins.module_utils._probe_target import Proxy, Target, is_address
from ansible_collections.egress.allowlist.plugins.module_utils._probe_tls import PlainAnswerError, handshake
from ansible_collections.egress.allowlist.plugins.module_utils._probe_trust import Contexts


class _DeniedError(Exception):
    """The proxy did not open the tunnel."""


@dataclass(frozen=True)
class Walker:
    """What all targets of a run share."""

    contexts: Contexts
    budget: Budget
    resolver: Resolver

    def walk(self, target: Target, proxy: Optional[Proxy], ranged: bool = False) -> Facts:
        """What is seen on the way to a target."""
        facts = Facts(target, proxy=proxy.url if proxy else "", ranged=ranged)
        step = {"https": self._tls, "http": self._plain, "tcp": self._port, "udp": self._datagram}[target.scheme]
        try:
            step(facts, proxy)
        except PlainAnswerError as answer:
            facts.plain = answer.response
        except StepError as fault:
            facts.fault = fault
        except _DeniedError:
            pass  # facts.tunnel holds the answer
        return facts

    def _tls(self, facts: Facts, proxy: Optional[Proxy]) -> None:
        sock, facts.tls = handshake(facts.target, self.contexts, lambda: self._channel(facts, proxy), self.budget)
        with contextlib.closing(sock), _timed(facts, "http"):
            public = facts.tls.trust == "public"
            request = page_request(facts.target, bool(proxy), "HEAD" if public else "GET")
            facts.response = ask(sock, request, self.budget, 0 if public else BODY_BYTES)

    def _plain(self, facts: Facts, proxy: Optional[Proxy]) -> None:
        request = page_request(facts.target, bool(proxy), "GET", facts.ranged)
        with self._connection(facts, proxy) as sock, _timed(facts, "http"):
            facts.response = ask(sock, request, self.budget, BODY_BYTES)

    def _port(self, facts: Facts, proxy: Optional[Proxy]) -> None:
        with contextlib.closing(self._channel(facts, proxy)) as sock, _timed(facts, "talk"):
            facts.port = greeting(sock, self.budget, facts.tunnel.rest) if facts.tunnel else ""

    def _datagram(self, facts: Facts, _proxy: Optional[Proxy]) -> None:
        """UDP passes no HTTP proxy, so it always goes the direct way."""
        facts.proxy = ""
        addresses = self._addresses(facts, None)
        with _timed(facts, "datagram"):
            facts.port = ask_datagram(addresses, facts.target.port, self.budget)

    def _channel(self, facts: Facts, proxy: Optional[Proxy]) -> socket.socket:
        """A connection on which the two ends can talk."""
        sock = self._connection(facts, proxy)
        if proxy is not None:
            try:
                with _timed(facts, "proxy"):
                    facts.tunnel = ask(sock, connect_request(facts.target), self.budget)
                if not 200 <= facts.tunnel.status < 300:
                    raise _DeniedError
            except BaseException:
                sock.close()
                raise
        return sock

    def _connection(self, facts: Facts, proxy: Optional[Proxy]) -> socket.socket:
        """A connection to the target, or to the proxy."""
        addresses = self._addresses(facts, proxy)
        with _timed(facts, "proxy_connect" if proxy else "connect"):
            return connect(addresses, self.budget)

    def _addresses(self, facts: Facts, proxy: Optional[Proxy]) -> List[Address]:
        far = proxy or facts.target
        with _timed(facts, "proxy_connect" if proxy else "resolve"):
            addresses = self.resolver.resolve(far.host, far.port, self.budget)
            if proxy is not None:
                return addresses
            facts.addresses = sorted({address[0] for _family, address in addresses})
            known = self.resolver.known(far.host)
            if known is not None:
                facts.canonical = known.canonical
                facts.nowhere = known.leads_nowhere and far.host != "localhost" and not is_address(far.host)
            return of_family(addresses, facts.target.family)


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
