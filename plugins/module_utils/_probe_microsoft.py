# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's own certificate authorities that no public set holds."""

from __future__ import annotations

from typing import Dict

MICROSOFT_FINGERPRINTS: Dict[str, str] = {}


def microsoft_pem() -> str:
    """All certificates whose text is known."""
    return ""
