# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What our lookups have in common: options, catalogs, and errors in Ansible's form."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.plugin_utils._catalog import Catalog, load_all
from ansible_collections.egress.allowlist.plugins.plugin_utils._schema import found, near

display = Display()


class CatalogLookup(LookupBase):
    """A lookup whose terms are groups of the catalogs."""

    NAME: str

    @abstractmethod
    def answer(self, groups: list[str], catalogs: tuple[Catalog, ...]) -> list[Any]:
        """What the lookup returns."""

    def run(self, terms: Sequence[object], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=kwargs)
        try:
            self._check_known(kwargs)
            names = [self._found(plain(name), variables) for name in self.get_option("catalog")]
            return self.answer(_groups(plain(terms)), load_all(names))
        except AllowlistError as error:
            # Ansible itself writes the name of the lookup before it.
            raise AnsibleLookupError(str(error)) from None

    def _check_known(self, given: Mapping[str, Any]) -> None:
        """Ansible lets options that do not exist pass, and a misspelt ``exclude`` would leave out nothing."""
        known = [name for name in self.get_options() if not name.startswith("_")]
        for name in given:
            if name not in known:
                raise AllowlistError(
                    f"there is no option {name}{near(name, known)}; the options are {', '.join(known)}"
                )

    def warn(self, text: str) -> None:
        display.warning(f"{self.NAME}: {text}")

    def _found(self, catalog: str, variables: Mapping[str, Any] | None) -> str:
        """A name as it is; a relative path as Ansible looks for files: in the role, beside the playbook."""
        if os.sep not in catalog and not catalog.endswith((".yml", ".yaml")):
            return catalog
        file = os.path.expanduser(catalog)
        return self.find_file_in_search_path(variables or {}, "files", file, ignore_missing=True) or file


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
