# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the web service, from wherever a site sets them, as the client gets them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError, AnsibleLookupError
from ansible_collections.egress.allowlist.plugins.doc_fragments import web_service as fragment
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _lookup, _ws_options
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import Settings
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_trust import Limits

Run = Callable[..., list[Any]]
Asked = Callable[..., Settings]
LOOKUPS = ("endpoints", "endpoint_groups", "endpoint_changes", "explain")

# As text, as in a file or the environment; the setting that it becomes.
CASES: dict[str, tuple[str, Callable[[Settings], Any], Any]] = {
    "instance": ("usgov_gcc_high", lambda told: told.instance, "usgov_gcc_high"),
    "web_service_url": ("http://127.0.0.1:9", lambda told: told.url, "http://127.0.0.1:9"),
    "cache_dir": ("/srv/egress", lambda told: told.folder, "/srv/egress"),
    "max_age": ("36h", lambda told: told.max_age, 36 * 3600),
    "stale": ("allow", lambda told: told.stale, "allow"),
    "offline": ("yes", lambda told: told.offline, True),
    "max_shrink": ("60", lambda told: told.limits.max_shrink, 60),
    "max_growth": ("200", lambda told: told.limits.max_growth, 200),
    "accept_new": ("true", lambda told: told.limits.accept_new, True),
    "grace": ("0", lambda told: told.grace, 0),
    "check_interval": ("7200", lambda told: told.check_interval, 7200),
    "web_service_timeout": ("2.5", lambda told: told.timeout, 2.5),
    "web_service_ca_path": ("/etc/hosts", lambda told: told.ca_path, "/etc/hosts"),
    "read_only": ("1", lambda told: told.writes, False),
}


@pytest.fixture(name="asked")
def fixture_asked(run_lookup: Run, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The settings with which a lookup would go to the service."""

    def run(name: str = "endpoints", *terms: object, **options: Any) -> Settings:
        told: list[Settings] = []

        def stops(settings: Settings, _risks: object) -> None:
            told.append(settings)
            raise AllowlistError("far enough")

        monkeypatch.setattr(_lookup, "WebService", stops)
        catalog = {} if name == "endpoint_changes" else {"catalog": "microsoft_365"}
        with pytest.raises(AnsibleLookupError, match="far enough"):
            run_lookup(name, *terms, **catalog, **options)
        return told[0]

    return run


@pytest.fixture(name="configured")
def fixture_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a text Ansible's own configuration file."""

    def configure(text: str) -> None:
        file = tmp_path / "ansible.cfg"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setattr(constants.config, "_parsers", {})
        monkeypatch.setattr(constants.config, "_config_file", str(file))
        constants.config._parse_config_file(str(file))

    return configure


def test_every_option_that_is_a_setting_has_a_case() -> None:
    assert set(CASES) == set(_ws_options.NAMES)
    documented = set(yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"])
    # The others say which part of the list is wanted, and not how it comes here.
    assert documented - set(CASES) == {"service_areas", "categories"}


@pytest.mark.parametrize("option", CASES)
def test_from_everywhere(
    asked: Asked, configured: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    text, setting, expected = CASES[option]
    assert setting(asked()) != expected, "the default would prove nothing"
    configured(f"[egress]\n{option} = {text}\n")
    assert setting(asked()) == expected
    configured("")
    monkeypatch.setenv(f"EGRESS_{option.upper()}", text)
    assert setting(asked()) == expected
    monkeypatch.delenv(f"EGRESS_{option.upper()}")
    assert setting(asked(variables={f"egress_{option}": text})) == expected
    assert setting(asked(**{option: text})) == expected


def test_who_wins(asked: Asked, configured: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    configured("[egress]\ngrace = 1\n")
    monkeypatch.setenv("EGRESS_GRACE", "2")
    assert asked().grace == 2
    assert asked(variables={"egress_grace": 3}).grace == 3
    assert asked(variables={"egress_grace": 3}, grace=4).grace == 4


@pytest.mark.parametrize("name", LOOKUPS)
def test_every_lookup_goes_to_the_same_service(asked: Asked, name: str) -> None:
    variables = {f"egress_{option}": text for option, (text, _setting, _expected) in CASES.items()}
    told = asked(name, *(["login.live.com"] if name == "explain" else []), variables=variables)
    for _text, setting, expected in CASES.values():
        assert setting(told) == expected


def test_what_is_said_of_nothing(asked: Asked) -> None:
    told = asked()
    assert (told.instance, told.url, told.max_age, told.stale) == (
        "worldwide", "https://endpoints.office.com", 7 * 86400, "error",
    )  # fmt: skip
    assert told.limits == Limits() == Limits(25, 25, accept_new=False)
    assert (told.grace, told.check_interval, told.timeout, told.offline) == (30, 3600, 10, False)
    assert told.writes and told.folder.endswith("/.cache/egress.allowlist") and not told.folder.startswith("~")


def test_check_mode_only_reads(asked: Asked) -> None:
    told = asked(variables={"ansible_check_mode": True}, read_only=False)
    assert not told.writes and told.scratch and told.scratch.startswith(constants.DEFAULT_LOCAL_TMP)
    assert asked(variables={"ansible_check_mode": False}).writes


@pytest.mark.parametrize(("tenant", "expected"), [("Contoso", "contoso"), ("", None), (None, None)])
def test_the_tenant_is_the_same_however_it_is_written(asked: Asked, tenant: Any, expected: str | None) -> None:
    assert asked(tenant=tenant).tenant == expected
    assert asked(variables={"egress_tenant": tenant}).tenant == expected


def test_a_hyphen_in_the_tenant_is_refused_only_where_the_service_is_asked(asked: Asked, run_lookup: Run) -> None:
    assert asked(tenant="con-toso", offline=True).tenant == "con-toso"
    with pytest.raises(AnsibleLookupError, match='tenant: .* letters and digits only, got "con-toso"'):
        run_lookup("endpoints", catalog="microsoft_365", tenant="con-toso")


@pytest.mark.parametrize(("text", "seconds"), [
    ("7d", 7 * 86400), ("36h", 129600), ("90m", 5400), ("3600", 3600), (" 2 D ", 172800), ("0", 0), ("15s", 15),
])  # fmt: skip
def test_times(text: str, seconds: int) -> None:
    assert _ws_options.seconds_of(text, "max_age") == seconds


@pytest.mark.parametrize("text", ["", "d", "-1d", "1w", "1.5h", "7 days", "1d2h", "٣d", "1" * 10])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(AllowlistError, match="^max_age: expected a time such as 7d"):
        _ws_options.seconds_of(text, "max_age")


@pytest.mark.parametrize(("option", "value"), [
    ("max_shrink", -1), ("max_shrink", 101), ("max_growth", -1), ("grace", -1), ("grace", 4000),
    ("web_service_timeout", 0), ("web_service_timeout", -1), ("web_service_timeout", "nan"),
    ("web_service_timeout", "inf"), ("web_service_ca_path", "/nowhere/ca.pem"), ("max_age", "soon"),
    ("check_interval", -1), ("tenant", "contoso.onmicrosoft.com"), ("tenant", "../x"),
])  # fmt: skip
def test_values_that_make_no_sense(run_lookup: Run, option: str, value: Any) -> None:
    with pytest.raises(AnsibleLookupError, match=f"{option}: "):
        run_lookup("endpoints", catalog="microsoft_365", **{option: value})


@pytest.mark.parametrize(("option", "value"), [
    ("instance", "Worldwide"), ("stale", "yes"), ("categories", ["best"]), ("grace", "many"), ("max_growth", "x"),
])  # fmt: skip
def test_values_that_ansible_refuses(run_lookup: Run, option: str, value: Any) -> None:
    with pytest.raises(AnsibleError, match=option):
        run_lookup("endpoints", catalog="microsoft_365", **{option: value})
