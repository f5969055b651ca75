# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes over real sockets, the direct way."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any, Dict

import pytest


def words(answer: Dict[str, Any]) -> tuple:
    return answer["outcome"], answer["blame"]


def promises(answer: Dict[str, Any]) -> tuple:
    return tuple(answer[name] for name in ("allowed", "uninspected", "unauthenticated", "tls12"))


def test_a_server_that_answers_is_reachable_and_keeps_all_four_promises(internet, kit):
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.public.server("a.example"))))
    assert words(answer) == ("reachable", None)
    assert promises(answer) == (True, True, True, True)
    assert "200" in answer["evidence"]
    assert "public CA" in answer["evidence"]
    assert answer["steps"]["tls"]["issuer"] == "CN=public CA, O=public Ltd"


@pytest.mark.parametrize("status", [b"401 No", b"403 No", b"404 No", b"407 No", b"500 No", b"503 No"])
def test_any_status_of_the_server_itself_is_reachable(internet, kit, status):
    page = b"HTTP/1.1 " + status + b"\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n"
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.public.server("a.example"), page)))
    assert words(answer) == ("reachable", None)


def test_a_server_that_shakes_hands_and_then_says_nothing_is_reachable(internet, kit):
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.public.server("a.example"), b"")))
    assert words(answer) == ("reachable", None)
    assert "no HTTP answer" in answer["evidence"]


def test_a_certificate_of_the_company_is_inspection(internet, kit):
    internet.options["inspection_ca_path"] = str(internet.company.file)
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.company.server("a.example"))))
    assert words(answer) == ("tls_inspected", "inspection")
    assert promises(answer) == (True, False, True, True)
    assert "CN=company CA" in answer["evidence"]


def test_a_host_that_trusts_the_company_is_not_fooled(internet, kit, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(internet.company.file))
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.company.server("a.example"))))
    assert words(answer) == ("tls_inspected", "inspection")


def test_an_expired_certificate_of_the_company_is_inspection_all_the_same(internet, kit):
    internet.options["inspection_ca_path"] = str(internet.company.file)
    server = internet.company.server("a.example", expired=True)
    [answer] = internet.ask(internet.serve("a.example", kit.tls(server)))
    assert words(answer) == ("tls_inspected", "inspection")


def test_a_certificate_of_nobody_is_untrusted_and_names_its_issuer(internet, kit):
    internet.options["inspection_ca_path"] = str(internet.company.file)
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.nobody.server("a.example"))))
    assert words(answer) == ("tls_untrusted", "unknown")
    assert answer["uninspected"] is None
    assert "CN=nobody CA" in answer["evidence"]


def test_an_expired_certificate_tells_when_it_ended(internet, kit):
    server = internet.public.server("a.example", expired=True)
    [answer] = internet.ask(internet.serve("a.example", kit.tls(server)))
    assert words(answer) == ("tls_expired", "server")
    assert answer["steps"]["tls"]["not_after"] in answer["evidence"]


def test_a_certificate_for_another_name_is_told_with_that_name(internet, kit):
    [answer] = internet.ask(internet.serve("a.example", kit.tls(internet.public.server("b.example"))))
    assert words(answer) == ("tls_wrong_name", "server")
    assert "CN=b.example" in answer["evidence"]


def test_tls_1_1_is_too_old(internet, kit, old_tls):
    server = old_tls(internet.public.server("a.example"))
    [answer] = internet.ask(internet.serve("a.example", kit.tls(server)))
    assert words(answer) == ("tls_too_old", "server")
    assert answer["tls12"] is False
    assert "TLSv1.1" in answer["evidence"]


@pytest.mark.parametrize(
    ("misbehaviour", "outcome"), [("reset", "reset"), ("hang_up", "reset"), ("silence", "timeout")]
)
def test_what_happens_in_the_handshake(internet, kit, misbehaviour, outcome):
    internet.timeout = 0.5
    [answer] = internet.ask(internet.serve("a.example", getattr(kit, misbehaviour)))
    assert words(answer) == (outcome, "firewall")


def test_a_closed_port_is_refused(internet):
    [answer] = internet.ask(internet.serve_nothing("a.example"))
    assert words(answer) == ("refused", "server")


def test_a_name_that_does_not_resolve(internet):
    [answer] = internet.ask("https://a.example")
    assert words(answer) == ("dns_failure", "resolver")
    assert answer["steps"]["fault"] == "no_such_name"


def test_a_block_page_in_the_clear_on_the_port_of_tls(internet, kit):
    page = b"HTTP/1.1 302 Found\r\nLocation: http://block.example/\r\n\r\n"
    [answer] = internet.ask(internet.serve("a.example", kit.blurts(page)))
    assert words(answer) == ("block_page", "firewall")
    assert "http://block.example/" in answer["evidence"]


def test_a_server_without_tls(internet, kit):
    [answer] = internet.ask(internet.serve("a.example", kit.blurts(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
    assert words(answer) == ("tls_failure", "server")


def test_the_next_address_is_tried_after_one_that_refuses(internet, kit):
    url = internet.serve("a.example", kit.tls(internet.public.server("a.example")))
    internet.serve_nothing("refusing")
    internet.addresses["a.example"] = [*internet.addresses["refusing"], *internet.addresses["a.example"]]
    [answer] = internet.ask(url)
    assert words(answer) == ("reachable", None)


def test_the_next_address_does_not_wait_for_a_silent_one(internet, kit):
    url = internet.serve("a.example", kit.tls(internet.public.server("a.example")))
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _number in range(3):  # with its queue full, Linux lets further connections hang
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        internet.addresses["a.example"] = [(socket.AF_INET, full.getsockname()), *internet.addresses["a.example"]]
        start = time.monotonic()
        [answer] = internet.ask(url)
        took = time.monotonic() - start
        assert words(answer) == ("reachable", None)
        assert took < internet.timeout
        internet.timeout = 0.3
        internet.addresses["a.example"] = [(socket.AF_INET, full.getsockname())]
        [answer] = internet.ask(url)
        assert words(answer) == ("timeout", "firewall")


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b"200 OK", ("reachable", None)),
        (b"404 Not Found", ("reachable", None)),
        (b"301 Moved\r\nLocation: https://www.a.example/", ("reachable", None)),
        (b"302 Found\r\nLocation: /login", ("reachable", None)),
        (b"302 Found\r\nLocation: http://portal.test/", ("not_provable", "unknown")),
        (b"403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0", ("proxy_denied", "proxy")),
        (b"403 Forbidden\r\nServer: Zscaler/6.2", ("proxy_denied", "firewall")),
        (b"407 No\r\nProxy-Authenticate: Basic", ("proxy_auth_required", "proxy")),
        (b"200 OK\r\nVia: ICAP/1.0 inspector (X)", ("content_inspected", "inspection")),
    ],
)
def test_plain_http(internet, kit, page, expected):
    internet.serve("a.example", kit.says(b"HTTP/1.1 " + page + b"\r\n\r\n"))
    [answer] = internet.ask("http://a.example")
    assert words(answer) == expected
    assert answer["tls12"] is None


def test_something_else_than_http_is_not_provable(internet, kit):
    internet.serve("a.example", kit.blurts(b"SSH-2.0-OpenSSH\r\n\r\n"))
    [answer] = internet.ask("http://a.example")
    assert words(answer) == ("not_provable", "unknown")


def test_what_the_deadline_cuts_off_is_not_probed(internet, kit):
    internet.timeout, internet.deadline = 30.0, 0.5
    url = internet.serve("a.example", kit.silence)
    [answer] = internet.ask(url)
    assert words(answer) == ("not_probed", None)
    assert "deadline" in answer["evidence"]


def test_what_was_still_waiting_at_the_deadline_is_not_probed(internet, kit):
    internet.timeout, internet.deadline = 30.0, 0.5
    for number in range(70):
        internet.serve(f"{number}.example", kit.silence)
    answers = internet.ask(*(f"https://{number}.example" for number in range(70)))
    assert {answer["outcome"] for answer in answers} == {"not_probed"}
    assert [answer["target"] for answer in answers] == [f"https://{number}.example" for number in range(70)]


def test_an_error_of_the_probe_itself_is_never_a_good_answer(internet, monkeypatch):
    def explode(*_args: object) -> None:
        raise RuntimeError("kaboom")

    monkeypatch.setattr(
        "ansible_collections.egress.allowlist.plugins.module_utils._probe_run.judge", explode, raising=True
    )
    [answer] = internet.ask(internet.serve_nothing("a.example"))
    assert words(answer) == ("not_probed", "unknown")
    assert "kaboom" in answer["evidence"]


def test_foreign_text_cannot_write_on_the_terminal(internet, kit):
    internet.serve("a.example", kit.says(b"HTTP/1.1 302 Found\r\nLocation: http://x.test/\x1b[2J\r\n\r\n"))
    [answer] = internet.ask("http://a.example")
    assert "\x1b" not in str(answer)
