# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lies as sitecustomize.py where the tortured modules are imported from, and changes what they know of time.

EGRESS_QUICK_PAUSES: an emulated device needs no pauses. EGRESS_CLOCK_JUMP: the clock of the machine (not the one that
only counts on) jumps by so many seconds each second time that somebody looks.
"""

import itertools
import os
import time

if os.environ.get("EGRESS_QUICK_PAUSES"):
    _sleep = time.sleep
    time.sleep = lambda seconds: _sleep(0.01 if float(seconds) > 0.01 else seconds)

if os.environ.get("EGRESS_CLOCK_JUMP"):
    _time, _jumps = time.time, itertools.cycle((0, int(os.environ["EGRESS_CLOCK_JUMP"])))
    time.time = lambda: _time() + next(_jumps)
