# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts in a folder, each with stand-ins for the programs that run there."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers import _nft_dnsmasq, _squid_process

from .host import Host
from .nftables_host import NftablesHost
from .squid_host import SquidHost

PROGRAMS = ("squid", "nftables")  # that run on a host of their own
HOSTS: dict[str, type[Host]] = {"squid": SquidHost, "nftables": NftablesHost}
if sys.version_info >= (3, 11):  # the others are written from the control node, with what is there
    from ansible_collections.egress.allowlist.tests.emulators.fortios.emulator import FortiosEmulator

    from .fortios_host import FortiosHost
    from .panos_host import PanoramaHost, PanosHost
    from .zia_host import ZiaHost

    HOSTS.update({"panos": PanosHost, "zia": ZiaHost, "fortios": FortiosHost})


# Managed hosts have neither what those drivers need nor the emulators.
OF_APIS = ["test_api_*.py", "test_panos*.py", "test_zia*.py", "test_fortios*.py"]
collect_ignore_glob = [] if sys.version_info >= (3, 11) else OF_APIS
APIS = tuple(kind for kind in HOSTS if kind not in PROGRAMS)


@contextlib.contextmanager
def started(kind: type[Host], folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Host]:
    patch.setenv("FAKE_SQUID", str(folder / "run"))
    patch.setenv("FAKE_SQUID_BUILD", "'--with-openssl'")
    patch.setenv("FAKE_NFT", str(folder / "run"))
    patch.setenv("FAKE_DNSMASQ", str(folder / "run"))
    patch.setattr(_nft_dnsmasq, "_unit", lambda _path: "")  # these tests may themselves be run by a unit of systemd
    patch.setattr(_squid_process, "CHECK_INTERVAL", 0.001)  # the stand-in reloads at once
    (folder / "tmp").mkdir()
    patch.setattr(tempfile, "tempdir", str(folder / "tmp"))
    host = kind(folder)
    host.start()
    try:
        yield host
    finally:
        host.stop()


@pytest.fixture(params=HOSTS)
def host(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with started(HOSTS[request.param], tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture
def squid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with started(SquidHost, tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture
def firewall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with started(NftablesHost, tmp_path, monkeypatch) as one:
        yield one


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[type[Host]], Host]]:
    """Makes hosts, each in a folder of its own."""
    with contextlib.ExitStack() as stack:

        def make(kind: type[Host]) -> Host:
            folder = Path(tempfile.mkdtemp(dir=tmp_path))
            return stack.enter_context(started(kind, folder, monkeypatch))

        yield make


@pytest.fixture
def panorama(made: Callable[[type[Host]], Host]) -> Host:
    return made(PanoramaHost)


@pytest.fixture
def fortigate(made: Callable[[type[Host]], Host]) -> Callable[..., Host]:
    """Makes FortiGates, each with its own switches of the emulator."""

    def make(**switches: Any) -> Host:
        return made(type("Switched", (FortiosHost,), {"made": lambda _host: FortiosEmulator(**switches)}))

    return make
