# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the program dnsmasq in unit tests: it answers, and puts the addresses into sets of the fake nft.

As the real one: the line of the longest domain counts for a name, an answer that it remembers adds nothing, SIGHUP has
it forget its answers, and only a start reads its files. Told by environment: FAKE_NFT, and FAKE_DNSMASQ, a folder with
names.json (addresses by name), loaded.conf (what it has read), dnsmasq.pid, questions.log; where there is a file
start-only, it starts with just that text in its files. SIGUSR2 is the tests' own: as a start, and quicker.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any, Dict, List, Set, Tuple

VERSION = """\
Dnsmasq version 2.90  Copyright (c) 2000-2024 Simon Kelley
Compile time options: IPv6 GNU-getopt DBus no-UBus i18n IDN2 DHCP DHCPv6 no-Lua TFTP conntrack ipset {nftset} auth
"""
A, TXT, AAAA = 1, 16, 28
OPTIONS = ("conf-dir", "txt-record", "nftset", "port", "no-resolv")
HEAD = struct.Struct(">HHHHHH")


def read(path: str) -> list[tuple[str, str]]:
    """Options with their values, of a file and of the folders that it names."""
    found: List[Tuple[str, str]] = []
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"\ndnsmasq: cannot read {path}: {error.strerror}\n")
        sys.exit(3)
    for number, line in enumerate(text.splitlines(), 1):
        key, _equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if key not in OPTIONS:
            sys.stderr.write(f"\ndnsmasq: bad option at line {number} of {path}\n")
            sys.exit(1)
        found.append((key, value))
        if key == "conf-dir":
            folder, ending = value.split(",*")
            for name in sorted(name for name in os.listdir(folder) if name.endswith(ending)):
                found += read(os.path.join(folder, name))
    return found


def at_home(name: str) -> Path:
    return Path(os.environ["FAKE_DNSMASQ"]) / name


def write(name: str, text: str) -> None:
    aside = at_home(f"{name}.new")
    aside.write_text(text, encoding="utf-8")
    aside.rename(at_home(name))


class Dnsmasq:
    """What it has read, and what it remembers."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.answered: Set[Tuple[str, int]] = set()
        self.texts: Dict[str, str] = {}
        self.targets: Dict[str, str] = {}  # by domain
        self.start()

    def start(self, *_unused: Any) -> None:
        options = read(self.path)
        text = "".join(f"{key}={value}\n" for key, value in options if key in ("nftset", "txt-record"))
        only = at_home("start-only")
        if only.exists() and only.read_text(encoding="utf-8") != text:
            sys.stderr.write("\ndnsmasq: cannot start for a reason of its own\n")
            sys.exit(2)
        self.answered = set()
        self.texts = dict(value.split(",", 1) for key, value in options if key == "txt-record")
        self.targets = {}
        for key, value in options:
            if key == "nftset":
                *domains, targets = value.split("/")[1:]
                self.targets.update(dict.fromkeys(domains, targets))
        write("loaded.conf", text)

    def answer(self, question: bytes) -> bytes:
        ident, _flags, _count, _answers, _more, _rest = HEAD.unpack_from(question)
        place, labels = HEAD.size, []
        while question[place]:
            labels.append(question[place + 1 : place + 1 + question[place]].decode("ascii").lower())
            place += 1 + question[place]
        kind = struct.unpack_from(">H", question, place + 1)[0]
        records = self.records(".".join(labels), kind)
        told = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data for data in records)
        code = 0x8180 if records else 0x8183
        return HEAD.pack(ident, code, 1, len(records), 0, 0) + question[HEAD.size : place + 5] + told

    def records(self, name: str, kind: int) -> list[bytes]:
        with at_home("questions.log").open("a", encoding="utf-8") as log:
            log.write(f"{name} {kind}\n")
        if kind == TXT:
            text = self.texts.get(name, "").encode("ascii")
            return [bytes([len(text)]) + text] if text else []
        import ipaddress  # noqa: PLC0415  # half of a start would be these imports, and few are asked for an address
        import json  # noqa: PLC0415

        table = json.loads(at_home("names.json").read_text(encoding="utf-8"))
        version = {A: 4, AAAA: 6}.get(kind)
        found = [address for address in map(ipaddress.ip_address, table.get(name, ())) if address.version == version]
        if (name, kind) not in self.answered:
            self.answered.add((name, kind))
            self.learn(name, [(version or 0, str(address)) for address in found])
        return [address.packed for address in found]

    def learn(self, name: str, addresses: list[tuple[int, str]]) -> None:
        if __package__:
            from .fake_nft import FakeNft, RefusedError  # noqa: PLC0415
        else:  # run as a program, it finds what lies beside it
            from fake_nft import FakeNft, RefusedError  # type: ignore[import-not-found,no-redef]  # noqa: PLC0415
        domain = name
        while domain and domain not in self.targets:
            domain = domain.partition(".")[2]
        for target in self.targets[domain].split(",") if domain else ():
            version, family, table, held = target.split("#")
            for number, address in addresses:
                if int(version) == number:
                    try:
                        FakeNft(Path(os.environ["FAKE_NFT"])).learn(family, table, held, address)
                    except RefusedError as error:
                        with at_home("errors.log").open("a", encoding="utf-8") as log:
                            log.write(f"{target}: {error}\n")

    def serve(self, ready: int) -> None:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(tcp.getsockname())
        write("dnsmasq.pid", str(os.getpid()))
        os.write(ready, b"1")
        os.close(ready)
        while True:
            for sock in select.select([tcp, udp], [], [])[0]:
                if sock is tcp:
                    tcp.accept()[0].close()
                else:
                    question, asker = udp.recvfrom(4096)
                    udp.sendto(self.answer(question), asker)


def main(words: list[str]) -> None:
    if "--version" in words:
        nftset = "no-nftset" if at_home("no-nftset").exists() else "nftset"
        sys.stdout.write(VERSION.format(nftset=nftset))
        return
    path = next(word.partition("=")[2] for word in words if word.startswith("--conf-file="))
    if "--test" in words:
        read(path)
        sys.stderr.write("dnsmasq: syntax check OK.\n")
        return
    dnsmasq = Dnsmasq(path)
    signal.signal(signal.SIGHUP, lambda *_unused: dnsmasq.answered.clear())
    signal.signal(signal.SIGUSR2, dnsmasq.start)
    waiting, ready = os.pipe()
    if "-k" not in words:
        if os.fork():
            os.close(ready)
            sys.exit(0 if os.read(waiting, 1) else 2)  # nobody is told that it runs before it does
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
    dnsmasq.serve(ready)


if __name__ == "__main__":
    main(sys.argv[1:])
