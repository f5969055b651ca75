# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our lookups have in common: options, catalogs, and errors in Ansible's form."""

from __future__ import annotations

import datetime as dt
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils import _ws_catalog, _ws_options
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import (
    DEFAULT,
    Catalog,
    load,
    load_all,
    require_path,
)
from ansible_collections.egress.allowlist.plugins.plugin_utils._risks import RiskTable
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import found, near
from ansible_collections.egress.allowlist.plugins.plugin_utils._select import tenant_name
from ansible_collections.egress.allowlist.plugins.plugin_utils._web_service import WebService

display = Display()


class OptionsLookup(LookupBase):
    """A lookup with our options, and errors for the user."""

    NAME: str

    @abstractmethod
    def looked_up(self, terms: list[Any]) -> list[Any]:
        """What the lookup returns."""

    def run(self, terms: Sequence[object], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        self._variables = variables or {}
        try:
            self._check_known(kwargs)
            return self.looked_up(plain(terms))
        except AllowlistError as error:
            # Ansible itself writes the name of the lookup before it.
            raise AnsibleLookupError(str(error)) from None

    def warn(self, text: str) -> None:
        display.warning(f"{self.NAME}: {text}")

    def web_service(self) -> WebService:
        """Microsoft's endpoint web service, as the options want it."""
        options = {name: plain(self.get_option(name)) for name in _ws_options.NAMES}
        options["tenant"] = tenant_name(plain(self.get_option("tenant"))) if "tenant" in self.get_options() else None
        checks = bool(self._variables.get("ansible_check_mode"))
        settings = _ws_options.settings(options, checks=checks, scratch=str(constants.DEFAULT_LOCAL_TMP))
        return WebService(settings, RiskTable([load(name) for name in DEFAULT]))

    def online_catalog(self) -> Catalog:
        """The catalog of the web service; what is to be known about it is said once."""
        options = {name: plain(self.get_option(name)) for name in ("service_areas", "categories", "grace")}
        catalog = _ws_catalog.build(
            self.web_service().serve(),
            _ws_catalog.Narrowed(options["service_areas"], options["categories"]),
            grace=options["grace"],
            today=dt.datetime.now(dt.UTC).date(),
        )
        for warning in catalog.warnings:
            self.warn(warning)
        return catalog

    def catalogs(self) -> tuple[Catalog, ...]:
        """The catalogs of the option."""
        return load_all([self._found(plain(name)) for name in self.get_option("catalog")], self.online_catalog)

    def _check_known(self, given: Mapping[str, Any]) -> None:
        """Ansible lets options that do not exist pass, and a misspelt ``exclude`` would leave out nothing."""
        known = [name for name in self.get_options() if not name.startswith("_")]
        for name in given:
            if name not in known:
                raise AllowlistError(
                    f"there is no option {name}{near(name, known)}; the options are {', '.join(known)}"
                )

    def _found(self, catalog: str) -> str:
        """A name as it is; a relative path as Ansible looks for files: in the role, beside the playbook."""
        require_path(catalog)
        if os.sep not in catalog and not catalog.endswith((".yml", ".yaml")):
            return catalog
        file = os.path.expanduser(catalog)
        return self.find_file_in_search_path(self._variables, "files", file, ignore_missing=True) or file


class CatalogLookup(OptionsLookup):
    """A lookup whose terms are groups of the catalogs."""

    @abstractmethod
    def answer(self, groups: list[str], catalogs: tuple[Catalog, ...]) -> list[Any]:
        """What the lookup returns."""

    def looked_up(self, terms: list[Any]) -> list[Any]:
        return self.answer(_groups(terms), self.catalogs())


def plain(value: Any) -> Any:
    """The same without Ansible's own types of text, list and dict."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(element) for key, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    return value


def _groups(terms: Sequence[object]) -> list[str]:
    """The terms; one that is a list stands for its elements."""
    groups = []
    for index, term in enumerate(terms):
        for group in term if isinstance(term, list) else [term]:
            if not isinstance(group, str):
                raise AllowlistError(f"groups[{index}]: expected the id of a group as text, got {found(group)}")
            groups.append(group)
    return groups
