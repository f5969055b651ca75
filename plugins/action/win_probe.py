# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The half of the Windows probe that runs on the control node."""

from __future__ import annotations

from ansible_collections.egress.allowlist.plugins.plugin_utils._probe_action import ProbeAction


class ActionModule(ProbeAction):
    module = "win_probe"
    system = "windows"
