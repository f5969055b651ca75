# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lies as sitecustomize.py where the tortured modules are imported from: an emulated device needs no pauses."""

import os
import time

if os.environ.get("EGRESS_QUICK_PAUSES"):
    _sleep = time.sleep
    time.sleep = lambda seconds: _sleep(min(seconds, 0.01))
