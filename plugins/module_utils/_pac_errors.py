# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a PAC file: it is not understood, it fails, or it asks for too much."""

from __future__ import annotations

from typing import Any

from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError


class PacError(AllowlistError):
    """A PAC file that cannot be used, or that gives no answer for a URL; the text is for the user."""

    def __init__(self, text: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {text}" if line else text)
        self.text = text
        self.line = line


class PacLimitError(PacError):
    """The file asks for more time, depth or memory than any honest one does; the script cannot catch this."""


class Thrown(Exception):  # noqa: N818 - not an error of ours: it is what the script throws, and may catch
    """A value that the script threw."""

    def __init__(self, value: Any, line: int = 0) -> None:
        super().__init__()
        self.value = value
        self.line = line
