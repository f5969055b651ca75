# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The promises of every driver that asks an API: calls that are counted, answers that get lost, strangers, secrets."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError, ApplianceError
from ansible_collections.egress.allowlist.tests.emulators.server import CUT, DROP, LOST, Answer

from .conftest import APIS
from .host import ReadOnly

pytestmark = pytest.mark.parametrize("host", APIS, indirect=True)


FAULTS: dict[str, Any] = {
    "dropped": DROP, "lost": LOST, "cut": CUT, "a bad gateway": Answer(502, b"<html>Bad gateway</html>"),
}  # fmt: skip
STRANGE = {
    "a login page": Answer(200, b"<html><title>Log in</title></html>", {"Content-Type": "text/html"}),
    "nothing": Answer(200, b""),
    "half of JSON": Answer(200, b'{"status": "success", "results": [', {"Content-Type": "application/json"}),
    "half of XML": Answer(200, b'<response status="success"><result><entry', {"Content-Type": "application/xml"}),
    "deep JSON": Answer(200, b"[" * 100_000, {"Content-Type": "application/json"}),
    "a list of numbers": Answer(200, b"[1, 2, 3]", {"Content-Type": "application/json"}),
    "an empty object": Answer(200, b"{}", {"Content-Type": "application/json"}),
    "another document": Answer(200, b"<feed><entry/></feed>", {"Content-Type": "application/xml"}),
    "entities": Answer(200, b'<!DOCTYPE x [<!ENTITY a "b">]><response status="success"><result>&a;</result>'),
    "bytes": Answer(200, b"\xff\xfe\x00\x01" * 20),
    "deep XML": Answer(200, b'<response status="success"><result>' + b"<a>" * 5000 + b"</a>" * 5000 +
                       b"</result></response>", {"Content-Type": "application/xml"}),
    "a result of text": Answer(200, b'<response status="success"><result>x</result></response>'),
    "commands in JSON": Answer(
        400, b'{"error": 1, "code": "\\u001b[2J", "message": "\\u202e", "cli_error": "\\u001b[2J"}'
    ),
    "commands in XML": Answer(200, '<response status="error" code="{0}"><msg><line>{0}</line></msg></response>'.format(
                              "\u202e" * 10_000).encode()),
}
MANY = [f"host{number}.example.com" for number in range(600)]
OTHERS = [*MANY[:300], *(f"new{number}.example.org" for number in range(300))]


def _calls(host: Any) -> int:
    return len(host.emulator.seen)


def _counted(host: Any, *entries: str, **given: Any) -> tuple[int, int]:
    """How many requests a run made, and how many of them could change something."""
    before = _calls(host)
    host.run(*entries, **given)
    seen = [one.request for one in host.emulator.seen[before:]]
    return len(seen), sum(1 for request in seen if host.emulator.changes(request))


def test_calls_do_not_grow_with_the_entries(host) -> None:
    host.run(*MANY)
    nothing = _counted(host, *MANY)
    one = _counted(host, *MANY[:-1], "another.example.com")
    assert nothing[1] == 0
    host.run(*MANY)
    many = _counted(host, *OTHERS, max_shrink=100)
    assert many[1] == one[1]
    assert many[0] <= one[0] + 2  # a job that takes a moment longer is asked for once or twice more


@pytest.mark.parametrize("fault", FAULTS)
def test_a_write_whose_answer_gets_lost_is_done_once_or_not_at_all(host, fault) -> None:
    host.run(*host.old, default_ports=["tcp/443"])
    wanted = ["login.live.com", "*.mesh.com", "www.example.com", "198.51.100.0/24"]
    writes = _writes_of(host, wanted)
    end = host.state()
    for step in range(writes):
        host.settle({"entries": host.old, "default_ports": ["tcp/443"]})
        met = iter(range(10_000))
        host.emulator.faults.clear()
        host.emulator.fail(
            lambda request, met=met, step=step: host.emulator.changes(request) and next(met) == step, FAULTS[fault]
        )
        try:
            host.run(*wanted, default_ports=["tcp/443"])
        except ApplianceError:
            host.emulator.faults.clear()
            host.recover()
            host.run(*wanted, default_ports=["tcp/443"])
        assert host.state() == end, f"write {step}"
    assert writes >= host.fewest_steps - 1


def _writes_of(host: Any, wanted: list[str]) -> int:
    before = _calls(host)
    host.run(*wanted, default_ports=["tcp/443"])
    return sum(1 for one in host.emulator.seen[before:] if host.emulator.changes(one.request))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_whose_answer_gets_lost_is_asked_for_again(host, fault) -> None:
    host.run(*host.old, default_ports=["tcp/443"])
    reads = _counted(host, *host.old, default_ports=["tcp/443"])[0]
    failed = 0
    for step in range(reads):
        met = iter(range(10_000))
        host.emulator.faults.clear()
        host.emulator.fail(lambda _request, met=met, step=step: next(met) == step, FAULTS[fault])
        try:
            assert not host.run(*host.old, default_ports=["tcp/443"])["changed"]
        except AllowlistError:
            failed += 1  # a login is asked for once
    assert failed <= 1


@pytest.mark.parametrize("answer", STRANGE)
def test_an_answer_that_is_not_understood_is_an_error_and_no_empty_list(host, answer) -> None:
    host.run(*host.old, default_ports=["tcp/443"])
    state = host.state()
    reads = _counted(host, *host.old, default_ports=["tcp/443"])[0]
    for step in range(reads):
        met = iter(range(10_000))
        host.emulator.faults.clear()
        host.emulator.fail(lambda _request, met=met, step=step: next(met) >= step, STRANGE[answer], 10_000)
        with host.guarded(ReadOnly()), pytest.raises(AllowlistError) as told:
            host.run("www.example.com", max_shrink=100)
        assert len(str(told.value)) < 2000
        assert str(told.value).isprintable()
    assert host.state() == state


def test_secrets_are_nowhere(host) -> None:
    secrets = [text for name, text in host.usual().items() if name in host.secret_options]
    assert secrets
    answers = [host.run(*host.old, default_ports=["tcp/443"]), host.run(state="gathered"), host.run(state="deleted")]
    for how in (Answer(403, b"no"), DROP):
        host.emulator.faults.clear()
        host.emulator.fail(lambda _request: True, how, 10_000)
        with pytest.raises(AllowlistError) as told:
            host.run(*host.old, default_ports=["tcp/443"])
        answers.append({"error": str(told.value), "cause": repr(told.value.__cause__)})
    text = json.dumps(answers)
    urls = " ".join(f"{one.request.path} {one.request.query}" for one in host.emulator.seen)
    for secret in secrets:
        assert secret not in text
        assert secret not in urls


def test_what_an_appliance_repeats_of_a_credential_is_masked(host) -> None:
    """Those that it made for us too, and in the form in which a request has them."""
    driver = host.driver(host.options(entries=["login.live.com"]), host.run_command)
    try:
        driver.read()
        secrets = [host.usual()[name] for name in host.secret_options] + ["a b/c&d"]
        driver.api.keep(secrets[-1])
        headers = [one.request.headers for one in host.emulator.seen]
        sent = [one.get("authorization", one.get("x-pan-key", "")).rpartition(" ")[2] for one in headers]
        secrets += filter(None, sent)
        assert len(set(secrets)) >= 2
        for secret in secrets:
            for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
                assert driver.masked(f"refused: <{form}>") == "refused: <********>"
    finally:
        driver.close()


def test_wrong_credentials_are_told_and_change_nothing(host) -> None:
    state = host.state()
    for name in host.secret_options:
        if name in host.usual():
            with pytest.raises(AllowlistError, match="(?i)check|let") as told:
                host.run(*host.old, default_ports=["tcp/443"], **{name: "wrong-example"})
            assert "wrong-example" not in str(told.value)
    assert host.state() == state


def test_no_credentials_are_told_before_anything_is_asked(host, monkeypatch) -> None:
    for name in ("PANOS_PASSWORD", "PANOS_API_KEY", "ZSCALER_CLIENT_SECRET", "FORTIOS_ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AllowlistError, match="expected"):
        host.run(*host.old, default_ports=["tcp/443"], **dict.fromkeys(host.secret_options))
    assert not host.emulator.seen


@pytest.mark.parametrize("name", ["[::1", "fw1]x", "\uff0f", "fw1/x"])
def test_an_address_that_is_none_is_refused_in_words(host, name) -> None:
    with pytest.raises(AllowlistError, match="host: expected a name"):
        host.run("login.live.com", host=name)


def test_a_position_that_is_no_text_is_refused_in_words(host) -> None:
    kind = next(iter(host.usual()["position"]))
    for value in (5, True, ["top"], {"before": "x"}):
        with pytest.raises(AllowlistError, match=f"position.{kind}: expected 'before RULE'"):
            host.run("login.live.com", position={kind: value})


def test_rendered_asks_nobody(host) -> None:
    answer = host.run(*host.old, default_ports=["tcp/443"], state="rendered", host="nobody.invalid")
    assert answer["rendered"]["objects"]
    assert not host.emulator.seen


def test_reference_writes_the_lists_alone_and_says_what_the_site_needs(host) -> None:
    answer = host.run(*host.old, default_ports=["tcp/443"], rules="reference", **host.reference)
    assert answer["rules"] and answer["missing_rules"]
    objects = host.run(state="gathered", **host.reference)["snapshot"]["objects"]
    assert objects and not [key for key in objects if "rule" in key or "policy" in key or key.startswith("place of")]
    with host.guarded(ReadOnly()):
        assert not host.run(*host.old, default_ports=["tcp/443"], rules="reference", **host.reference)["changed"]


def test_a_password_that_is_part_of_a_name_does_not_spoil_a_snapshot(host) -> None:
    host.run("www.example.com", "*.example.com")
    snapshot = host.run("www.example.org", max_shrink=100)["snapshot"]
    masked = json.loads(json.dumps(snapshot).replace("example", "********"))
    with pytest.raises(AllowlistError, match="masked|is no object"):
        host.run(state="restored", snapshot=masked)
    assert host.run(state="restored", snapshot=snapshot)["after"] == sorted(
        ["host *.example.com tcp/80,443", "host www.example.com tcp/80,443"]
    )


def test_who_trusts_any_certificate_is_warned_in_each_run(host) -> None:
    for given in ({"state": "gathered"}, {"state": "deleted"}):
        warnings = host.run(validate_certs=False, **given, **host.reference)["warnings"]
        assert any("validate_certs" in one for one in warnings)
