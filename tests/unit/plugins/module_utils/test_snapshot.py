# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot survives what Ansible does to a module's answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._snapshot import opened, sealed

TEXT = "<member>www.example.com/</member><member>examplexample.net/</member>"


def snapshot(**objects: Any) -> dict[str, Any]:
    return {"format": 1, "name": "mmd", "objects": objects}


@pytest.mark.parametrize("secrets", [
    ["example"], ["exampl", "ample"], ["le"], ["mm"], ["www.example.com/", ""], ["unheard of"], [],
    ["member", "example"],
])
def test_no_secret_takes_anything_from_it(secrets) -> None:
    one = snapshot(list=TEXT, other="", none=None)
    masked = remove_values(json.loads(json.dumps(sealed(one, secrets))), {secret for secret in secrets if secret})
    assert opened(masked, "mmd") == one


def test_a_text_without_a_secret_stays_a_text() -> None:
    assert sealed(snapshot(list=TEXT), ["unheard of"]) == snapshot(list=TEXT)


@pytest.mark.parametrize(("given", "said"), [
    (snapshot(list="www.********.com"), "has masked"),
    (snapshot(list=["www.****", "****.com"]), "has masked"),
    (dict(snapshot(), format=2), "format \"2\""),
    (dict(snapshot(), objects=[]), "format \"1\""),
    (dict(snapshot(), name="other"), "of name \"other\""),
])
def test_what_is_refused(given, said) -> None:
    with pytest.raises(AllowlistError, match=said.replace("*", r"\*")):
        opened(given, "mmd")
