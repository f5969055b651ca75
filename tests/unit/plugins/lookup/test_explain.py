# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is it allowed, by whom, and why not: what the lookup tells, and that it never disagrees with the list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.egress.allowlist.plugins.doc_fragments import selection
from ansible_collections.egress.allowlist.plugins.lookup import endpoints as endpoints_plugin

Run = Callable[..., list[Any]]
Answer = dict[str, Any]

CATALOG = """
catalog: {id: shop, title: The shop, version: "7"}
groups:
  tills:
    title: Tills
    why: They sell.
    critical: true
    names:
      - login.shop.example
      - "*.tills.shop.example"
      - "*.*.deep.shop.example"
      - "auto.*.shop.example"
      - {value: "*.ncsi.example", path: /ncsi.txt}
      - {value: 198.51.100.0/25, ports: [tcp/443]}
      - {value: 198.51.100.128/25, ports: [tcp/443, udp/3478-3481]}
      - {value: "2001:db8::/32", ports: [tcp/443]}
  stock:
    title: Stock
    names: [login.shop.example, old.stock.example, "<tenant>.stock.example", maybe.stock.example]
  extra:
    title: Extras
    required: false
    names: [ads.extra.example]
risks:
  - {risk: retired, names: [old.stock.example], why: It is closed., date: "2024-01-01", instead: [new.stock.example]}
"""


@pytest.fixture(name="explain")
def fixture_explain(run_lookup: Run, tmp_path: Path) -> Callable[..., Answer]:
    (tmp_path / "shop.yml").write_text(CATALOG, encoding="utf-8")

    def run(term: object, **options: Any) -> Answer:
        (answer,) = run_lookup("explain", term, **{"catalog": "shop.yml", **options})
        return answer

    return run


def reasons(answer: Answer) -> list[tuple[str, Any]]:
    return [(one["by"], one["item"]) for one in answer["excluded"]]


def relations(answer: Answer) -> dict[str, str]:
    return {one["value"]: one["relation"] for one in answer["near"]}


def test_an_entry_of_exactly_that_name(explain: Callable[..., Answer]) -> None:
    answer = explain("Login.Shop.Example.")
    assert (answer["name"], answer["allowed"], answer["exact"], answer["advice"]) == (
        "login.shop.example", True, True, None,
    )  # fmt: skip
    (entry,) = answer["entries"]
    assert {name: entry[name] for name in ("value", "ports", "covers", "why", "critical", "sources")} == {
        "value": "login.shop.example",
        "ports": ["tcp/80", "tcp/443"],
        "covers": "exactly",
        "why": "They sell.",
        "critical": True,
        "sources": ["shop"],
    }
    assert [(group["id"], group["title"], group["why"]) for group in entry["groups"]] == [
        ("stock", "Stock", None),
        ("tills", "Tills", "They sell."),
    ]
    assert entry["catalogs"] == [{"id": "shop", "title": "The shop", "version": "7", "instance": None}]
    assert answer["near"] == answer["excluded"] == []
    assert json.loads(json.dumps(answer)) == answer


def test_the_text_for_people(explain: Callable[..., Answer]) -> None:
    assert explain("https://a.tills.shop.example/x?secret")["lines"] == [
        "https://a.tills.shop.example/x: ALLOWED, by wildcard",
        "  by *.tills.shop.example on tcp/80,443, critical, required",
        "    for Tills (tills, catalog shop): They sell.",
        "    asked for by: shop (shop: 7)",
    ]
    assert explain("tills.shop.example")["lines"] == [
        "tills.shop.example: NOT ALLOWED",
        "  no entry of the list has it",
        (
            "  near: *.tills.shop.example (tills) stands for the names under tills.shop.example, and not for "
            "tills.shop.example itself"
        ),
        "  near: login.shop.example (stock, tills) is another name in shop.example",
        "  near: auto.*.shop.example (tills) is another name in shop.example",
        "  near: *.*.deep.shop.example (tills) is another name in shop.example",
        '  to allow it: egress_include: ["tills.shop.example"]',
    ]


@pytest.mark.parametrize(
    ("term", "covers"),
    [
        ("login.shop.example:443", "exactly"),
        ("http://login.shop.example", "exactly"),
        ("wss://a.b.tills.shop.example/socket", "by wildcard"),
        ("*.x.tills.shop.example", "by wildcard"),
        ("*.tills.shop.example", "exactly"),
        ("http://www.ncsi.example/ncsi.txt", "by wildcard"),
        ("www.ncsi.example/ncsi.txt", "by wildcard"),
        ("198.51.100.7", "by network"),
        ("https://198.51.100.7/", "by network"),
        ("udp://198.51.100.200:3480", "by network"),
        ("198.51.100.0/25", "exactly"),
        ("198.51.100.0/24", "in part"),
        ("[2001:db8::7]:443", "by network"),
        ("2001:db8::7", "by network"),
    ],
)
def test_what_is_allowed(explain: Callable[..., Answer], term: str, covers: str) -> None:
    answer = explain(term)
    assert answer["allowed"], answer["lines"]
    assert answer["entries"][0]["covers"] == covers


@pytest.mark.parametrize(
    ("term", "value", "relation", "advice"),
    [
        ("tills.shop.example", "*.tills.shop.example", "apex", 'egress_include: ["tills.shop.example"]'),
        ("a.deep.shop.example", "*.*.deep.shop.example", "depth", 'egress_include: ["a.deep.shop.example"]'),
        ("a.login.shop.example", "login.shop.example", "deeper", 'egress_include: ["a.login.shop.example"]'),
        ("auto.a.b.shop.example", "auto.*.shop.example", "star", 'egress_include: ["auto.a.b.shop.example"]'),
        (
            "https://login.shop.example:8443/", "login.shop.example", "port",
            'egress_include: [{value: "login.shop.example", ports: [tcp/8443]}]',
        ),
        (
            "http://a.ncsi.example/other", "*.ncsi.example", "path",
            'egress_include: [{value: "a.ncsi.example", path: /other}]',
        ),
        ("https://a.ncsi.example/ncsi.txt", "*.ncsi.example", "path", 'egress_include: ["a.ncsi.example"]'),
        ("a.ncsi.example", "*.ncsi.example", "path", 'egress_include: ["a.ncsi.example"]'),
        ("*.shop.example", "auto.*.shop.example", "part", 'egress_include: ["*.shop.example"]'),
        (
            "198.51.100.0/23", "198.51.100.0/25", "part",
            'egress_include: [{value: "198.51.100.0/23", ports: [tcp/443]}]',
        ),
        (
            "udp://198.51.100.7:3478", "198.51.100.0/25", "port",
            'egress_include: [{value: "198.51.100.7/32", ports: [udp/3478]}]',
        ),
        (
            "login.shop.example.evil.test", "login.shop.example", "beginning",
            "look at the name once more: login.shop.example is allowed",
        ),
        ("login.sh0p.example", "login.shop.example", "look_alike", None),
        ("login.shoр.example", "login.shop.example", "look_alike", None),
        ("login.shpo.example", "login.shop.example", "look_alike", None),
    ],
)  # fmt: skip
def test_what_comes_near(
    explain: Callable[..., Answer], term: str, value: str, relation: str, advice: str | None
) -> None:
    answer = explain(term)
    assert not answer["allowed"]
    assert answer["entries"] == answer["excluded"] == []
    assert (answer["near"][0]["value"], answer["near"][0]["relation"]) == (value, relation)
    assert answer["advice"] == (advice or "look at the name once more: login.shop.example is allowed")


def test_the_most_exact_comes_first(explain: Callable[..., Answer]) -> None:
    include = ["*.shop.example", "*.b.tills.shop.example"]
    for term, values in (
        ("login.shop.example", ["login.shop.example", "*.shop.example"]),
        ("a.b.tills.shop.example", ["*.b.tills.shop.example", "*.tills.shop.example", "*.shop.example"]),
    ):
        assert [entry["value"] for entry in explain(term, include=include)["entries"]] == values


def test_a_url_without_a_path_asks_for_the_first_page(explain: Callable[..., Answer]) -> None:
    answer = explain("http://a.ncsi.example")
    assert (answer["path"], answer["port"], answer["allowed"]) == ("/", "tcp/80", False)
    assert answer["advice"] == 'egress_include: ["a.ncsi.example"]'
    assert explain("https://a.ncsi.example")["path"] is None


def test_nothing_comes_near(explain: Callable[..., Answer]) -> None:
    answer = explain("www.far.test")
    assert answer["near"] == []
    assert answer["lines"][1] == "  no entry of the list has it, and none comes near it"


@pytest.mark.parametrize(
    ("term", "options", "by", "undo"),
    [
        ("a.tills.shop.example", {"exclude": ["*.tills.shop.example"]}, ("exclude", "*.tills.shop.example"),
         "take *.tills.shop.example out of egress_exclude"),
        ("a.tills.shop.example", {"exclude": ["tills"]}, ("exclude", "tills"), "take tills out of egress_exclude"),
        ("login.shop.example", {"exclude": ["tills", "stock"]}, ("exclude", ["tills", "stock"]),
         "take tills, stock out of egress_exclude"),
        ("login.shop.example", {"exclude": [{"value": "login.shop.example"}]},
         ("exclude", {"value": "login.shop.example"}), "take login.shop.example out of egress_exclude"),
        ("a.tills.shop.example", {"groups": ["stock"]}, ("groups", ["tills"]), "add tills to egress_groups"),
        ("ads.extra.example", {"required_only": True}, ("required_only", True), "egress_required_only: false"),
        ("old.stock.example", {"retired": "exclude"}, ("retired", "exclude"), "egress_retired: include"),
        ("2001:db8::1", {"ipv6": False}, ("ipv6", False), "egress_ipv6: true"),
        ("contoso.stock.example", {}, ("tenant", None), "egress_tenant: contoso"),
        ("contoso.stock.example", {"tenant": "fabrikam"}, ("tenant", "fabrikam"), "egress_tenant: contoso"),
    ],
)  # fmt: skip
def test_what_took_it_away(
    explain: Callable[..., Answer], term: str, options: dict[str, Any], by: tuple[str, Any], undo: str
) -> None:
    answer = explain(term, **options)
    assert not answer["allowed"]
    assert reasons(answer) == [by]
    assert answer["advice"] == answer["excluded"][0]["undo"] == undo
    assert any(line.startswith("  left out: ") for line in answer["lines"])


def test_the_undo_allows_it(explain: Callable[..., Answer]) -> None:
    assert explain("contoso.stock.example", tenant="contoso")["exact"]
    assert explain("tills.shop.example", include=["tills.shop.example"])["entries"][0]["sources"] == ["include"]


def test_several_options_are_all_told(explain: Callable[..., Answer]) -> None:
    answer = explain("old.stock.example", exclude=["old.stock.example"], retired="exclude", groups=["tills"])
    assert [by for by, _item in reasons(answer)] == ["exclude", "groups", "retired"]


def test_what_was_to_be_left_out_and_still_is_let_through(explain: Callable[..., Answer]) -> None:
    answer = explain("login.shop.example", include=["*.shop.example"], exclude=["login.shop.example"])
    assert answer["allowed"]
    assert not answer["exact"]
    assert answer["lines"][-1] == (
        "  but: exclude: login.shop.example takes login.shop.example away, and *.shop.example still lets it through"
    )


def test_other_options_that_took_it_away_are_no_matter_where_it_is_allowed(explain: Callable[..., Answer]) -> None:
    answer = explain("old.stock.example", include=["*.stock.example"], retired="exclude")
    assert (answer["allowed"], answer["excluded"]) == (True, [])


def test_what_successors_took_the_place_of(explain: Callable[..., Answer]) -> None:
    options = {"catalog": "mmd", "tenant": "contoso", "successors": True, "offline": True}
    answer = explain("groupsapi-prod.outlookgroups.ms", **options)
    assert (reasons(answer), answer["advice"]) == ([("successors", True)], "egress_successors: false")
    living = explain("52.112.0.1", **options)["entries"][0]
    assert living["catalogs"][0]["id"] == "microsoft_365"
    assert living["groups"][0]["title"]


def test_a_slip_of_the_document(explain: Callable[..., Answer], run_lookup: Run) -> None:
    (one,) = {entry["value"] for entry in run_lookup("endpoints", tenant="contoso", uncertain="include")} - {
        entry["value"] for entry in run_lookup("endpoints", tenant="contoso")
    }
    answer = explain(one, catalog="mmd", tenant="contoso")
    assert answer["allowed"] or reasons(answer) == [("uncertain", "exclude")]


def test_another_catalog_of_the_collection(explain: Callable[..., Answer]) -> None:
    answer = explain("mmdls.microsoft.com")
    assert answer["excluded"][0]["by"] == "catalog"
    assert answer["advice"] == "add mmd to egress_catalog"
    assert explain("office.live.com")["advice"] == "add microsoft_365 to egress_catalog"  # it names that very name
    assert explain("52.112.0.1")["advice"] == "add microsoft_365 to egress_catalog"


def test_a_mark_is_told_with_its_reason(explain: Callable[..., Answer]) -> None:
    answer = explain("old.stock.example")
    (entry,) = answer["entries"]
    assert (entry["risk"], entry["risk_why"], entry["instead"]) == ("retired", "It is closed.", ["new.stock.example"])
    assert (
        "    mark: retired: later official lists no longer ask for it (It is closed.); instead: new.stock.example"
        in answer["lines"]
    )


def test_entries_in_place_of_catalogs(explain: Callable[..., Answer]) -> None:
    own = ["*.contoso.example", {"value": "login.shop.example", "ports": ["tcp/8443"]}]
    assert explain("a.contoso.example", entries=own)["allowed"]
    answer = explain("login.shop.example:443", variables={"egress_entries": own})
    assert relations(answer) == {"login.shop.example": "port"}
    assert explain("b.shop.example", entries=own)["advice"] == 'egress_entries: ["b.shop.example"]'
    assert not explain("login.shop.example", entries=[])["allowed"]


HELD = [
    {"type": "host", "value": "login.shop.example", "path": None, "ports": ["tcp/443"], "intents": ["allow"]},
    {"type": "host", "value": "*.gone.example", "path": None, "ports": ["tcp/80", "tcp/443"], "intents": ["allow"]},
]


@pytest.mark.parametrize(
    ("term", "drift", "what"),
    [
        ("login.shop.example:443", "none",
         "holds it by login.shop.example on tcp/443 (allow), as the list wants"),
        ("login.shop.example", "ports",
         "holds it by login.shop.example on tcp/443 (allow); the list wants tcp/80 too: the next apply adds that"),
        ("a.tills.shop.example", "missing",
         "does not hold it; the list wants it: the next apply adds it"),
        ("a.gone.example", "left_over",
         "holds it by *.gone.example on tcp/80,443 (allow); the list does not want it: the next apply takes it away"),
        ("www.far.test", "none", "does not hold it, as the list wants"),
    ],
)  # fmt: skip
def test_what_an_appliance_holds(explain: Callable[..., Answer], term: str, drift: str, what: str) -> None:
    held = explain(term, held=HELD)["held"]
    assert (held["drift"], held["what"]) == (drift, what)
    assert held["holds"] == what.startswith("holds")
    assert held["entries"] == [] or held["entries"][0]["intents"] == ["allow"]
    assert "held" not in explain(term)


def test_an_appliance_that_holds_nothing(explain: Callable[..., Answer]) -> None:
    assert explain("login.shop.example", held=[])["held"]["drift"] == "missing"


def test_it_never_disagrees_with_the_list(run_lookup: Run) -> None:
    """Each entry of the list is told to be allowed, by itself; what options leave out is not, unless by another."""
    options = {"tenant": "contoso", "exclude": ["*.hotmail.com", "intune"], "required_only": True, "retired": "exclude"}
    entries = run_lookup("endpoints", **options)
    terms = [f"http://{entry['value']}{entry['path']}" if entry["path"] else entry["value"] for entry in entries]
    assert [answer["exact"] for answer in run_lookup("explain", terms, **options)] == [True] * len(entries)
    kept = {entry["value"] for entry in entries}
    gone = [entry["value"] for entry in run_lookup("endpoints", tenant="contoso") if entry["value"] not in kept]
    for answer in run_lookup("explain", gone[::15], **options):
        assert answer["excluded"] or answer["allowed"], answer["lines"]
        assert not answer["exact"]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([], "what is asked about"),
        ([True], r"terms\[0\]: expected a name, a URL, an address or a network as text, got the boolean true"),
        (["a.example", ["b.example", 7]], r"terms\[2\]: .* got the number 7"),
        ([""], r'terms\[0\]: "" is not a name .* it is empty'),
        (["a b"], "a blank cannot be part of a name"),
        (["*"], "a wildcard needs two labels after it"),
        (["*.com"], "a wildcard needs two labels after it"),
        (["<tenant>.sharepoint.com"], "placeholder"),
        (["ftp://x.example/"], "expected one of http://, https://, ws://, wss://, tcp://, udp://, got ftp://"),
        (["udp://x.example"], "expected a port, as in udp://www.example.com:3478"),
        (["x.example:0"], "expected a port from 1 to 65535"),
        (["x.example:70000"], "expected a port from 1 to 65535"),
        (["x.example:https"], "expected a port from 1 to 65535"),
        (["198.51.100.7/16"], "it has bits after its prefix"),
        (["a" * 3000], "it has 3000 characters"),
    ],
)
def test_bad_input(run_lookup: Run, terms: list[object], expected: str) -> None:
    with pytest.raises(AnsibleLookupError, match=expected):
        run_lookup("explain", *terms, tenant="contoso")


def test_no_secret_of_a_url_comes_back(explain: Callable[..., Answer]) -> None:
    answer = explain("https://user:hunter2@login.shop.example/a?token=hunter2#hunter2")
    assert answer["name"] == "https://login.shop.example/a"
    assert "hunter2" not in json.dumps(answer)
    with pytest.raises(AnsibleLookupError) as error:
        explain("ftp://user:hunter2@login.shop.example/")
    assert "hunter2" not in str(error.value)


def test_held_must_be_what_is_gathered(explain: Callable[..., Answer]) -> None:
    with pytest.raises(AnsibleLookupError, match=r"held\[0\]: there is no field x|held\[0\]: .*no field"):
        explain("a.example", held=[{"value": "a.example", "x": 1}])


def test_options_come_from_the_variables_of_the_others(explain: Callable[..., Answer]) -> None:
    variables = {"egress_exclude": ["*.tills.shop.example"], "egress_groups": ["tills"], "egress_catalog": ["shop.yml"]}
    answer = explain("a.tills.shop.example", variables=variables)
    assert reasons(answer) == [("exclude", "*.tills.shop.example")]


def test_in_a_template() -> None:
    template = "{{ lookup('egress.allowlist.explain', 'login.live.com', tenant='contoso').allowed }}"
    assert Templar(loader=DataLoader(), variables={}).template(trust_as_template(template)) is True


def test_it_has_the_options_of_endpoints() -> None:
    """What the two choose is the same, so what they are told is too."""
    theirs = yaml.safe_load(endpoints_plugin.DOCUMENTATION)["options"]
    ours = yaml.safe_load(selection.ModuleDocFragment.DOCUMENTATION)["options"]
    own = set(theirs) - {"_terms", "minimize", "query"}
    assert own in (set(), set(ours))  # none: the fragment says them for both
    keys = ("type", "default", "env", "ini", "vars")
    assert [[theirs[name].get(key) for key in keys] for name in sorted(own)] == [
        [ours[name].get(key) for key in keys] for name in sorted(own)
    ]
