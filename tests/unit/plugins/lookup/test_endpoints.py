# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lookup of entries: where its options come from, and what it returns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.egress.allowlist.plugins.plugin_utils import _catalog

Run = Callable[..., list[Any]]

FIELDS = ["type", "value", "path", "ports", "groups", "category", "required", "critical", "risk", "sources"]


@pytest.fixture(name="endpoints")
def fixture_endpoints(run_lookup: Run) -> Run:
    def run(*terms: object, **options: Any) -> list[Any]:
        return run_lookup("endpoints", *terms, **options)

    return run


def values(entries: list[dict[str, Any]]) -> set[str]:
    return {entry["value"] for entry in entries}


def test_the_whole_document(endpoints: Run, warnings: list[str]) -> None:
    assert len(endpoints(tenant="contoso")) == 346
    assert len(endpoints(tenant="contoso", uncertain="include")) == 347
    assert warnings == []


def test_entries_are_plain_data_in_canonical_order(endpoints: Run) -> None:
    entries = endpoints(tenant="contoso")
    assert all(list(entry) == FIELDS for entry in entries)
    assert {type(value) for entry in entries for value in entry.values()} <= {str, list, bool, type(None)}
    assert json.loads(json.dumps(entries)) == entries
    names = [entry["value"].split(".")[::-1] for entry in entries]
    assert names == sorted(names)


def test_terms_are_groups_and_lists_of_groups(endpoints: Run) -> None:
    assert endpoints("get_help", "quick_assist") == endpoints(["get_help", "quick_assist"])
    assert len(endpoints("get_help")) == 8


def test_an_entry_knows_all_its_groups(endpoints: Run) -> None:
    (entry,) = [entry for entry in endpoints(tenant="contoso") if entry["value"] == "login.windows.net"]
    assert entry["groups"] == ["azure_active_directory", "get_help", "onedrive_for_business"]
    (entry,) = [entry for entry in endpoints(tenant="contoso") if entry["value"] == "contoso.sharepoint.com"]
    assert (entry["groups"], entry["sources"]) == (["sharepoint_online"], ["mmd"])


def test_every_option_from_variables(endpoints: Run) -> None:
    variables = {
        "egress_tenant": "contoso",
        "egress_exclude": ["intune", "*.localytics.com"],
        "egress_include": ["*.contoso.com"],
        "egress_retired": "exclude",
        "egress_required_only": True,
        "egress_minimize": False,
    }
    found = values(endpoints(variables=variables))
    assert {"*.contoso.com", "contoso.sharepoint.com"} <= found
    assert not {"fef.msua01.manage.microsoft.com", "*.localytics.com", "*.branch.io", "*.hotmail.com"} & found


def test_options_from_the_environment(endpoints: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGRESS_TENANT_MISSING", "skip")
    assert len(endpoints()) == 341
    monkeypatch.setenv("EGRESS_TENANT", "contoso")
    monkeypatch.setenv("EGRESS_EXCLUDE", "teams,power_bi")
    found = endpoints()
    assert "contoso.onmicrosoft.com" in values(found)
    assert not {group for entry in found for group in entry["groups"]} & {"teams", "power_bi"}


def test_a_keyword_wins_over_variables_and_they_over_the_environment(
    endpoints: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EGRESS_TENANT", "east")
    assert "east.sharepoint.com" in values(endpoints("sharepoint_online"))
    variables = {"egress_tenant": "north"}
    assert "north.sharepoint.com" in values(endpoints("sharepoint_online", variables=variables))
    assert "west.sharepoint.com" in values(endpoints("sharepoint_online", variables=variables, tenant="west"))


def test_options_from_ansible_cfg(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[egress]\ntenant = contoso\nexclude = onenote\n", encoding="utf-8")
    collections = str(Path(_catalog.__file__).parents[5])
    environment = {**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
    environment["ANSIBLE_COLLECTIONS_PATH"] = collections
    message = "msg={{ query('egress.allowlist.endpoints') | map(attribute='value') | join(' ') }}"
    ansible = "import sys; from ansible.cli.adhoc import main; main(['ansible', *sys.argv[1:]])"
    command = [sys.executable, "-c", ansible, "localhost", "-m", "debug", "-a", message]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "contoso.sharepoint.com" in done.stdout, done.stderr
    assert "www.onenote.com" not in done.stdout


def test_in_a_template() -> None:
    """As a playbook writes it, with the options that are texts made by Ansible itself."""
    variables = {"wanted": ["teams"], "own": ["*.contoso.com", {"value": "198.51.100.0/24", "ports": ["tcp/443"]}]}
    templar = Templar(loader=DataLoader(), variables=variables)
    found = templar.template(trust_as_template("{{ query('egress.allowlist.endpoints', wanted, include=own) }}"))
    assert len(found) == 31
    assert found[-1]["ports"] == ["tcp/443"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[?critical].value | sort(@)[0]", ["mmd-support-prod-nam.trafficmanager.net"]),
        ("length(@)", [3]),
        ("[?value=='x'].value", []),
        ("[0].nothing", []),
    ],
)
def test_a_query(endpoints: Run, expression: str, expected: list[Any]) -> None:
    assert endpoints("managed_desktop", query=expression) == expected


def test_a_query_that_is_none(endpoints: Run) -> None:
    with pytest.raises(AnsibleLookupError, match=r'query: "\[\?foo" is not a JMESPath expression'):
        endpoints("teams", query="[?foo")


def test_a_query_without_the_library(endpoints: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints("teams")
    loaded = [module for name, module in sys.modules.items() if name.endswith("plugins.lookup.endpoints")]
    for module in loaded:
        monkeypatch.setattr(module, "HAS_JMESPATH", False)
    with pytest.raises(AnsibleLookupError, match="pip install jmespath"):
        endpoints("teams", query="[0]")
    assert endpoints("teams")


def test_warnings_name_the_lookup(endpoints: Run, warnings: list[str]) -> None:
    endpoints("onenote", exclude=["c.microsoft.com", "c.contoso.com"])
    still, nothing = warnings
    assert still.startswith("egress.allowlist.endpoints: exclude: c.microsoft.com is still allowed by *.microsoft.com")
    assert nothing.startswith("egress.allowlist.endpoints: exclude: c.contoso.com takes nothing away")


@pytest.mark.parametrize(
    ("terms", "options", "expected"),
    [
        (["teems"], {}, r'there is no group "teems" in mmd \(did you mean teams\?\)'),
        ([True], {}, r"groups\[0\]: expected the id of a group as text, got the boolean true"),
        ([["teams", 1]], {}, r"groups\[0\]: expected the id of a group as text, got the number 1"),
        (["autopilot"], {}, "autopilot: the source document does not list the names of Windows Autopilot"),
        ([], {}, "the groups microsoft_365, sharepoint_online have names of your tenant"),
        (["teams"], {"tenant": "contoso.onmicrosoft.com"}, 'tenant: give "contoso"'),
        (["teams"], {"include": [True]}, r"include\[0\]: expected a name or a network as text, got the boolean true"),
        (["teams"], {"catalog": "mdm"}, r'there is no catalog "mdm" \(did you mean mmd\?\)'),
        (["teams"], {"catalog": []}, "expected at least one catalog"),
    ],
)
def test_errors(endpoints: Run, terms: list[object], options: dict[str, Any], expected: str) -> None:
    with pytest.raises(AnsibleLookupError, match=expected):
        endpoints(*terms, **options)


@pytest.mark.parametrize("option", ["retired", "uncertain", "tenant_missing"])
def test_choices(endpoints: Run, option: str) -> None:
    with pytest.raises(AnsibleError, match="perhaps"):
        endpoints("teams", **{option: "perhaps"})


def test_an_option_that_is_not_there(endpoints: Run) -> None:
    """Ansible itself would let it pass."""
    with pytest.raises(AnsibleLookupError, match=r"there is no option exlude \(did you mean exclude or include\?\)"):
        endpoints("teams", exlude=["onenote"])


def test_a_catalog_beside_the_play(endpoints: Run, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "contoso.yml").write_text('groups: {contoso: {names: ["*.contoso.com"]}}', encoding="utf-8")
    assert values(endpoints(catalog="contoso.yml")) == {"*.contoso.com"}
    assert values(endpoints(catalog="files/contoso.yml")) == {"*.contoso.com"}
    both = endpoints(catalog=["mmd", "contoso.yml"], tenant="contoso")
    assert len(both) == 347
    with pytest.raises(AnsibleLookupError, match=r"^catalog none\.yml: cannot be read: No such file or directory$"):
        endpoints(catalog="none.yml")


def test_an_error_in_a_catalog_names_file_line_and_field(endpoints: Run, tmp_path: Path) -> None:
    (tmp_path / "contoso.yml").write_text("groups:\n  contoso:\n    name: [a.contoso.com]\n", encoding="utf-8")
    with pytest.raises(AnsibleLookupError, match=r"contoso\.yml, line 3, groups\.contoso\.name: unknown field"):
        endpoints(catalog="contoso.yml")
