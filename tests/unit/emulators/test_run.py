# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each emulator serves by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests
from ansible_collections.egress.allowlist.tests.emulators import run

SCRIPT = Path(run.__file__)


@pytest.mark.parametrize("vendor", sorted(run.VENDORS))
def test_an_emulator_serves_until_it_is_told_to_end(vendor: str) -> None:
    words = [sys.executable, str(SCRIPT), vendor]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={"PATH": ""}) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            # Some look at who asks before they look at what.
            assert requests.get(f"{url}/nothing", timeout=60).status_code in (401, 404)
            process.terminate()
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()  # else the end of the block would wait for it


def test_an_emulator_speaks_tls_with_a_certificate(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=emulator", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run([*made, "-keyout", str(key), "-out", str(cert), *subject], check=True, capture_output=True)
    with run.made("zia", 0, str(cert), str(key), 0.0) as emulator:
        assert emulator.url.startswith("https://")
        assert requests.get(f"{emulator.url}/nothing", timeout=10, verify=str(cert)).status_code == 404
