# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the emulator of FortiOS share: a client of others, fortigate-api, connected."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator
from fortigate_api import FortiGateAPI
from requests import Response


@contextlib.contextmanager
def connected(emulator: FortiosEmulator, token: str = "", vdom: str = "root") -> Iterator[FortiGateAPI]:
    host, port = str(urlsplit(emulator.url).hostname), urlsplit(emulator.url).port or 0
    api = FortiGateAPI(host=host, scheme="http", port=port, token=token or emulator.token, vdom=vdom)
    api.login()
    with contextlib.closing(api.fortigate.get_session()):  # it closes none itself
        yield api


def told(response: Response) -> tuple[int, int]:
    """The status of an answer, and the number of its error."""
    return response.status_code, int(response.json().get("error", 0))
