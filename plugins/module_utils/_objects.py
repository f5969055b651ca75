# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of ours on an appliance behind an API: their names, keys and texts. Pure."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Iterable, Tuple


def is_own(name: str, prefix: str) -> bool:
    """Whether a name is that of one of our objects: the prefix alone, or with a dash and more behind it.

    The name of a list has no dash, so the objects of two lists never begin alike.
    """
    return name == prefix or name.startswith(f"{prefix}-")


def key_parts(key: str, kinds: Iterable[str]) -> Tuple[str, str]:
    """The kind and the name in the key of an object; ValueError for none."""
    for kind in sorted(kinds, reverse=True):  # an address group is no address
        if key.startswith(kind + " ") and key[len(kind) + 1 :]:
            return kind, key[len(kind) + 1 :]
    raise ValueError(key)


def address_name(prefix: str, network: str, longest: int) -> str:
    """``egress_mmd-198.51.100.0_24``; a dash stands for each colon, and a digest for what is too long."""
    name = f"{prefix}-{network.replace('/', '_').replace(':', '-')}"
    return name if len(name) <= longest else f"{prefix}-{hashlib.sha256(network.encode()).hexdigest()[:16]}"


def json_text(value: Any) -> str:
    """An object of an API that speaks JSON, in the form in which it is compared."""
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
