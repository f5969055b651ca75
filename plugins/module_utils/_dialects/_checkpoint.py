# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check Point: a network feed in the form Flat List. Pure."""

from __future__ import annotations

from typing import Iterator

from ansible_collections.egress.allowlist.plugins.module_utils._dialects._dialect import Dialect, Form, tree
from ansible_collections.egress.allowlist.plugins.module_utils._pattern import Pattern


class CheckpointNetworkFeed(Dialect):
    """Names, networks and addresses in one list: a name is itself, with a star before it also all below it."""

    name = "checkpoint_network_feed"
    networks = True

    def forms(self, pattern: Pattern) -> Iterator[Form]:
        if pattern.is_literal:
            yield Form((pattern.text,), (pattern,))
        else:
            yield tree(pattern, "*." + pattern.base)
