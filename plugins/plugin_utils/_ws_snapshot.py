# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The web service's lists that come with the collection; `scripts/embed_web_service.py` writes their files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.egress.allowlist.plugins.plugin_utils import _yaml
from ansible_collections.egress.allowlist.plugins.plugin_utils._ws_answer import Answer, EndpointSet

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "catalogs", "microsoft_365")


def about(instance: str) -> Mapping[str, Any]:
    """Its ``instance``, ``version`` (null where the answer does not tell), ``date``, ``source`` and ``licence``."""
    found: Mapping[str, Any] = _read(instance)["answer"]
    return found


@lru_cache(maxsize=4)
def load(instance: str) -> Answer:
    """The whole list."""
    return Answer(instance, about(instance)["version"], tuple(_set(record) for record in _read(instance)["sets"]))


def _set(record: Mapping[str, Any]) -> EndpointSet:
    lists = {name: tuple(record.get(name, ())) for name in ("urls", "ips", "tcp", "udp")}
    return EndpointSet(
        id=record["id"],
        area=record["area"],
        service=record["service"],
        category=record["category"],
        required=record["required"],
        express_route=record["express_route"],
        notes=record.get("notes"),
        **lists,
    )


@lru_cache(maxsize=4)
def _read(instance: str) -> Mapping[str, Any]:
    file = os.path.join(FOLDER, f"{instance}.yml")
    data = _yaml.parse(file, _yaml.read(file))
    if not isinstance(data, dict):
        raise TypeError(f"{file} is none of scripts/embed_web_service.py")
    return data
