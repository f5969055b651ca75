# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading one item of a list: what it stands for, and what an error says about it."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._entry import Entry, effective_ports, normalise
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import parse
from hypothesis import given, settings
from hypothesis import strategies as st

# How long one example takes says something about the machine only.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

DEFAULTS: dict[str, Any] = {
    "path": None,
    "ports": [],
    "groups": [],
    "category": None,
    "required": True,
    "critical": False,
    "risk": None,
    "sources": [],
}
FULL: dict[str, Any] = {
    "type": "host",
    "value": "*.x.com",
    "path": "/ncsi.txt",
    "ports": ["tcp/80", "tcp/8080"],
    "groups": ["a", "b"],
    "category": "allow",
    "required": False,
    "critical": True,
    "risk": "third_party",
    "sources": ["mmd"],
}


class TaggedText(str):
    """Like the text that Ansible hands over: a subclass with something attached."""

    __slots__ = ("tags",)


def read(item: object, **options: Any) -> Entry:
    (entry,) = normalise([item], **options)
    return entry


def message(item: object, **options: Any) -> str:
    with pytest.raises(AllowlistError) as caught:
        normalise(["good.x.com", item], **options)
    text = str(caught.value)
    assert text.startswith("entries[1]")
    assert text.isprintable()
    return text


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("*.Contoso.com.", "host", "*.contoso.com"),
        ("intranet", "host", "intranet"),
        ("b\u00fccher.example", "host", "xn--bcher-kva.example"),
        ("198.51.100.0/24", "network", "198.51.100.0/24"),
        ("198.51.100.7", "network", "198.51.100.7/32"),
        ("10.0.0.0/8", "network", "10.0.0.0/8"),
        ("2001:DB8::/32", "network", "2001:db8::/32"),
        ("2001:0db8:0:0::1", "network", "2001:db8::1/128"),
        ("2001::/19", "network", "2001::/19"),
        ("dead.beef", "host", "dead.beef"),
    ],
)
def test_a_text_stands_for_an_entry_with_the_defaults(text: str, kind: str, value: str) -> None:
    expected = {"type": kind, "value": value, **DEFAULTS}
    assert read(text).as_dict() == expected
    assert read({"value": text}).as_dict() == expected
    assert read({"type": kind, "value": text}).as_dict() == expected


def test_all_fields_are_kept_and_what_comes_out_goes_in_again() -> None:
    entry = read(FULL)
    assert entry.as_dict() == FULL
    assert list(entry.as_dict()) == list(FULL)
    assert read(entry) == entry
    assert read(entry.as_dict()) == entry
    assert read(json.loads(json.dumps(entry.as_dict()))) == entry


def test_what_ansible_tags_comes_out_plain() -> None:
    tagged = {
        TaggedText(name): [TaggedText(text) for text in value]
        if isinstance(value, list)
        else TaggedText(value)
        if isinstance(value, str)
        else value
        for name, value in FULL.items()
    }
    for entry in (read(tagged), read(TaggedText("x.com")), read(TaggedText("198.51.100.0/24"))):
        values = list(entry.as_dict().values())
        texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
        assert {type(value) for value in texts} <= {str, bool, type(None)}
        assert {type(entry.pattern.text if entry.type == "host" else entry.value)} == {str}


def test_key_pattern_and_network() -> None:
    host, network = read(FULL), read("198.51.100.0/24")
    assert host.key == ("host", "*.x.com", "/ncsi.txt")
    assert host.pattern == parse("*.x.com")
    assert network.network.num_addresses == 256
    assert Entry("host", "*.x.com").pattern == parse("*.x.com")
    with pytest.raises(AllowlistError, match="is a network and has no pattern"):
        network.pattern  # noqa: B018
    with pytest.raises(AllowlistError, match="is a name and has no network"):
        host.network  # noqa: B018


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (True, 'expected a name or a network as text, got the boolean true: quote it ("yes")'),
        (False, 'got the boolean false: quote it ("no")'),
        (5, 'got the number 5: quote it ("5")'),
        (1.5, 'got the number 1.5: quote it ("1.5")'),
        (dt.date(2026, 1, 2), 'got the date 2026-01-02: quote it ("2026-01-02")'),
        (None, "got nothing: remove the empty item"),
        (["x.com"], "got list"),
        (b"x.com", "got bytes"),
        ({"value": True}, 'value: expected a name or a network as text, got the boolean true: quote it ("yes")'),
        ({"type": "host"}, "the field value is missing"),
        ({"valeu": "x.com"}, 'there is no field "valeu", did you mean value?'),
        ({"value": "x.com", "port": ["tcp/443"]}, 'there is no field "port", did you mean ports?'),
        ({"value": "x.com", "q": 1}, "the fields are type, value, path, ports"),
        ({"value": "x.com", 5: 1}, 'there is no field "5"'),
        ({"value": "x.com", "type": "domain"}, '("x.com"): type: expected host or network, got "domain"'),
        ({"value": "198.51.100.7", "type": "host"}, '"198.51.100.7" is an address and not a name: write type: network'),
        ({"value": "*.x.com", "type": "network"}, '"*.x.com" is a name and not a network: write type: host'),
        ({"value": "x.com", "ports": "tcp/443"}, '("x.com"): ports: expected a list such as [tcp/443], got "tcp/443"'),
        ({"value": "x.com", "ports": [443]}, '("x.com"): ports[0]: expected ports such as "tcp/443"'),
        ({"value": "x.com", "ports": ["tcp/80", "tcp/0"]}, "ports[1]: expected ports such as"),
        ({"value": "x.com", "ports": ["tcp/070"]}, "ports[0]: expected ports such as"),
        ({"value": "x.com", "ports": ["sctp/70"]}, "ports[0]: expected ports such as"),
        ({"value": "x.com", "ports": ["tcp/70000"]}, 'ports[0]: "tcp/70000" is above the highest port, 65535'),
        ({"value": "x.com", "ports": ["tcp/90-80"]}, 'ports[0]: "tcp/90-80" ends below its beginning: write tcp/80-90'),
        ({"value": "x.com", "category": "Allow"}, "category: expected one of optimize, allow, default, or null"),
        ({"value": "x.com", "risk": "high"}, "risk: expected one of shared_hosting, third_party, retired, or null"),
        ({"value": "x.com", "required": "yes"}, 'required: expected true or false, got "yes"'),
        ({"value": "x.com", "critical": 1}, 'critical: expected true or false, got "1"'),
        ({"value": "x.com", "groups": "a"}, 'groups: expected a list of texts, got "a"'),
        ({"value": "x.com", "groups": ["a", ""]}, "groups[1]: expected a short text of one line"),
        ({"value": "x.com", "sources": ["a\nb"]}, 'sources[0]: expected a short text of one line, got "a\\nb"'),
        ({"value": "198.51.100.0/24", "path": "/a"}, "path: a network has none"),
        ({"value": "x.com", "path": "/a", "ports": ["udp/80"]}, "not spoken over udp"),
        ({"value": "x.com", "path": "/a/../b"}, "has a . or .. part"),
    ],
)
def test_errors_name_place_item_and_remedy(item: object, expected: str) -> None:
    assert expected in message(item)


def _deep(depth: int) -> list[object]:
    found: list[object] = []
    for _level in range(depth):
        found = [found]
    return found


HUGE = 16**9000  # Python does not write a number of so many digits
TOO_LARGE = [
    HUGE, -HUGE, _deep(100_000), {"value": HUGE}, {"value": "x.com", HUGE: 1}, {"value": "x.com", "ports": [HUGE]},
    {"value": "x.com", "ports": _deep(100_000)}, {"value": "x.com", "type": HUGE}, {"path": _deep(100_000)},
]  # fmt: skip


@pytest.mark.parametrize("item", TOO_LARGE, ids=range(len(TOO_LARGE)))
def test_what_python_cannot_write_is_refused_in_words_too(item: object) -> None:
    with pytest.raises(AllowlistError, match=r"entries\[0\]") as caught:
        normalise([item])
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "path",
    ["", "a", "a b", "/a b", "/a#b", "/a?b", "/a\\b", '/"', "/'", "/\n", "/\u00fc", "/%zz", "/*", 5, "/" + "a" * 2000],
)
def test_a_path_that_could_be_read_as_something_else_is_refused(path: object) -> None:
    assert "path: expected / and then ASCII" in message({"value": "x.com", "path": path})


@pytest.mark.parametrize("path", ["/", "/ncsi.txt", "/A/b-c_d.~e%20f", "/a/...b"])
def test_a_plain_path_is_kept_as_it_is(path: str) -> None:
    assert read({"value": "x.com", "path": path}).path == path


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("https://login.live.com", 'write "login.live.com"'),
        ("https://login.live.com/", 'write "login.live.com"'),
        ("HTTPS://Login.live.com/a?b=c#d", 'write "login.live.com"'),
        ("login.live.com/", 'write "login.live.com"'),
        ("http://user:secret@x.com/", 'write "x.com"'),
        ("login.live.com:8443", 'write {value: "login.live.com", ports: [tcp/8443]}'),
        ("https://*.x.com:8443/a", 'write {value: "*.x.com", ports: [tcp/8443]}'),
        ("*.msftncsi.com/ncsi.txt", 'write {value: "*.msftncsi.com", path: /ncsi.txt}'),
        ("http://x.com:8080/p.txt", 'write {value: "x.com", path: /p.txt, ports: [tcp/8080]}'),
        ("198.51.100.7:443", 'write {value: "198.51.100.7/32", ports: [tcp/443]}'),
        ("[2001:db8::1]:443", 'write {value: "2001:db8::1/128", ports: [tcp/443]}'),
        ("http://198.51.100.7/", 'write "198.51.100.7/32"'),
    ],
)
def test_a_url_is_refused_with_what_to_write_instead(text: str, advice: str) -> None:
    assert message(text).endswith(advice)


@pytest.mark.parametrize(
    "text", ["https://", "x.com:99999", "https://a b/", "https://*.com/", "x.com:http", "://x.com"]
)
def test_no_advice_that_would_be_refused_as_well(text: str) -> None:
    assert "write {" not in message(text)
    assert 'write "' not in message(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("198.51.100.7/24", "write 198.51.100.0/24 (the whole network) or 198.51.100.7/32"),
        ("2001:db8::1/64", "write 2001:db8::/64 (the whole network) or 2001:db8::1/128"),
        ("10.0.0.0/7", "broader than /8"),
        ("0.0.0.0/0", "broader than /8"),
        ("2000::/18", "broader than /19"),
        ("::/0", "broader than /19"),
        ("010.0.0.1", "leading zeros"),
        ("10.0.0.01/32", "leading zeros"),
        ("10.0.0.0/08", "length of the prefix"),
        ("10.0.0.0/255.0.0.0", "length of the prefix"),
        ("10.0.0.0/", "length of the prefix"),
        ("10.0.0.0/33", "expected something like 198.51.100.7"),
        ("10.0.0", "expected something like 198.51.100.7"),
        ("10.0.0.256", "expected something like 198.51.100.7"),
        ("1.2.3.4.5", "expected something like 198.51.100.7"),
        ("fe80::1%eth0", "scope"),
        ("::ffff:198.51.100.7", "write it as IPv4"),
        ("::ffff:c633:6407/128", "write it as IPv4"),
        ("2001:db8::1::2", "expected something like 198.51.100.7"),
        ("198.51.100.1-198.51.100.9", "a number"),
        ("198.51.100.0/24\n", "length of the prefix"),
        ("198.51.100.\u0661", "U+0661"),
    ],
)
def test_networks_that_are_not_exactly_one(text: str, reason: str) -> None:
    assert reason in message(text)


def test_a_network_never_means_any_port() -> None:
    assert read("198.51.100.0/24").ports == ()
    error = message("198.51.100.0/24", require_ports=True)
    assert '"198.51.100.0/24" states no ports' in error
    assert "default_ports" in error
    assert read("198.51.100.0/24", require_ports=True, default_ports=["tcp/443"]).ports == ()
    assert read({"value": "198.51.100.0/24", "ports": ["tcp/443"]}, require_ports=True).ports == ("tcp/443",)
    with pytest.raises(AllowlistError, match="never means any port"):
        effective_ports(read("198.51.100.0/24"))


@pytest.mark.parametrize(
    ("item", "default_ports", "expected", "line"),
    [
        ("x.com", (), ("tcp/80", "tcp/443"), "host x.com tcp/80,443"),
        ("x.com", ("udp/53",), ("tcp/80", "tcp/443"), "host x.com tcp/80,443"),
        ({"value": "*.x.com", "path": "/p"}, ("udp/53",), ("tcp/80",), "host *.x.com/p tcp/80"),
        ("198.51.100.0/24", ("tcp/443",), ("tcp/443",), "network 198.51.100.0/24 tcp/443"),
        (
            {"value": "198.51.100.7", "ports": ["tcp/25"]},
            ("tcp/443",),
            ("tcp/25",),
            "network 198.51.100.7/32 tcp/25",
        ),
        (
            {"value": "x.com", "ports": ["udp/3481", "udp/3478-3480", "TCP/443", "tcp/443", "tcp/80"]},
            (),
            ("tcp/80", "tcp/443", "udp/3478-3481"),
            "host x.com tcp/80,443 udp/3478-3481",
        ),
    ],
)
def test_ports_that_are_meant(item: object, default_ports: tuple[str, ...], expected: object, line: str) -> None:
    entry = read(item)
    assert effective_ports(entry, default_ports) == expected
    assert entry.line(default_ports) == line


def test_a_line_says_when_no_ports_are_stated() -> None:
    assert read("198.51.100.0/24").line() == "network 198.51.100.0/24 no ports stated"


@pytest.mark.parametrize("items", ["x.com", {"value": "x.com"}, None, 5, b"x.com"])
def test_what_is_no_list_is_refused(items: Any) -> None:
    with pytest.raises(AllowlistError, match=r"^my_entries: expected a list"):
        normalise(items, where="my_entries")


def test_default_ports_are_checked() -> None:
    with pytest.raises(AllowlistError, match=re.escape("default_ports[1]: expected ports")):
        normalise([], default_ports=["tcp/443", "443"])


@given(
    st.lists(st.one_of(st.text(), st.dictionaries(st.sampled_from(list(FULL)), st.text()), st.integers()), max_size=2)
)
def test_any_list_is_read_or_refused_in_one_line(items: list[object]) -> None:
    refusal = ""
    try:
        entries = normalise(items)
    except AllowlistError as error:
        refusal = str(error)
    if refusal:
        assert re.match(r"entries\[[01]\]", refusal)
        assert refusal.isprintable()
    else:
        assert normalise(entries) == entries
