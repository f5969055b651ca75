# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own import of collections, in place before any test imports one: later it finds no plugins in them."""

from __future__ import annotations

import importlib.util

# A managed host has ansible.module_utils and nothing else; its tests look for no plugins.
if importlib.util.find_spec("ansible.plugins") is not None:
    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader import AnsibleCollectionConfig

    # ansible-test has done it by itself.
    if AnsibleCollectionConfig.collection_finder is None:
        init_plugin_loader()
