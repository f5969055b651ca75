# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dnsmasq's configuration as it is read, and the few questions that we ask a DNS server."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dns_client import Server, ask_all, text_of
from ansible_collections.egress.allowlist.plugins.module_utils._drivers._nft_dnsmasq import (
    _END_AND_START,
    clashes,
    config_text,
    record_name,
    record_of,
    settings,
)


def found(folder: Path, *words: str) -> set[tuple[str, str]]:
    return {(one.key, one.value) for one in settings(["dnsmasq", *words])}


def test_options_of_the_command_line_and_of_all_files(tmp_path: Path) -> None:
    main, folder = tmp_path / "main.conf", tmp_path / "d"
    folder.mkdir()
    main.write_text(f"# nothing\nport=5353\nconf-file={tmp_path}/more.conf\nconf-dir={folder}/,*.conf\n", "utf-8")
    (tmp_path / "more.conf").write_text("no-hosts\n", "utf-8")
    (folder / "a.conf").write_text("nftset=/x.com/4#inet#t#s # mine\n", "utf-8")
    (folder / "a.bak").write_text("bogus-priv\n", "utf-8")
    told = found(tmp_path, "-u", "dnsmasq", f"--conf-file={main}")
    assert {("port", "5353"), ("no-hosts", ""), ("conf-dir", f"{folder}/,*.conf")} <= told
    assert ("bogus-priv", "") not in told
    assert any(key == "nftset" for key, _value in told)


@pytest.mark.parametrize("words", [["-7", "{}"], ["-7{}"], ["--conf-dir={}"], ["--conf-dir", "{},.dpkg-dist,.bak"]])
def test_a_folder_on_the_command_line(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "b.conf").write_text("no-hosts\n", "utf-8")
    (tmp_path / "c.bak").write_text("bogus-priv\n", "utf-8")
    told = found(tmp_path, *(word.format(tmp_path) for word in words), "-C", "/dev/null")
    assert ("no-hosts", "") in told
    assert (("bogus-priv", "") in told) == ("bak" not in words[-1])


def test_files_that_include_each_other_end(tmp_path: Path) -> None:
    main = tmp_path / "main.conf"
    main.write_text(f"conf-file={main}\nconf-dir={tmp_path}\n", "utf-8")
    assert found(tmp_path, "-C", str(main))


def test_lines_of_others_for_the_same_names() -> None:
    own = {"x.com": "1", "a.y.com": "1"}
    others = [("x.com", "f:1"), ("b.x.com", "f:2"), ("y.com", "f:3"), ("z.com", "f:4"), ("xx.com", "f:5")]
    assert [text.split(": ")[0] for text in clashes(own, others)] == ["f:1", "f:2", "f:3"]


def test_the_record_changes_with_the_lines() -> None:
    one, two = (config_text("# head\n", "mmd", [line]) for line in ("nftset=/a/4#inet#t#s", "nftset=/b/4#inet#t#s"))
    assert record_of(one) not in ("", record_of(two))
    assert record_of("") == ""
    assert f"txt-record={record_name('mmd')}," in one


# Ending it and starting it again

STUBBORN = (
    "import signal,sys\n"
    "signal.signal(signal.SIGTERM, lambda *_: (print('asked', flush=True), sys.stdin.readline(), sys.exit()))\n"
    "print('up', flush=True)\nwhile True: signal.pause()"
)


def stubborn() -> subprocess.Popen[str]:
    """A process that is asked to end, says so, and ends when it is told a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_a_signal_to_the_run_does_not_leave_it_ended(tmp_path: Path) -> None:
    """The one moment in which nobody answers the clients belongs to a process that no signal of a session stops."""
    with stubborn() as process:
        assert process.stdout is not None
        assert process.stdin is not None
        words = ["/bin/sh", "-c", _END_AND_START, "sh", str(process.pid), "1000", "touch", str(tmp_path / "started")]
        shell = subprocess.Popen(words)
        assert process.stdout.readline() == "asked\n"
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            shell.send_signal(number)
        assert not (tmp_path / "started").exists()  # the old one still lives
        process.stdin.write("\n")
        process.stdin.flush()
        assert shell.wait(20) == 0  # nobody has waited for the old one yet: a zombie counts as gone
        assert (tmp_path / "started").exists()


def test_one_that_does_not_end_is_told_and_nothing_is_started(tmp_path: Path) -> None:
    with stubborn() as process:
        words = ["/bin/sh", "-c", _END_AND_START, "sh", str(process.pid), "3", "touch", str(tmp_path / "started")]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
        process.kill()
    assert done.returncode == 1
    assert "did not end in time" in done.stderr
    assert not (tmp_path / "started").exists()


# Asking


def answer(question: bytes, record: bytes | None) -> bytes:
    count = 0 if record is None else 1
    head = question[:2] + struct.pack(">HHHHH", 0x8580, 1, count, 0, 0)
    if record is None:
        return head + question[12:]
    return head + question[12:] + b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 0, len(record) + 1) + bytes(
        [len(record)]
    ) + record


class Dns:
    """A DNS server on loopback that answers each question with what it is told to."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.answers: list[bytes | None] = []
        self.asked = 0
        self.garbage = b""
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    @property
    def place(self) -> Server:
        return Server(*self.socket.getsockname())

    def serve(self) -> None:
        while True:
            question, client = self.socket.recvfrom(4096)
            if question == b"end":
                return
            self.asked += 1
            record = self.answers.pop(0) if self.answers else None
            self.socket.sendto(self.garbage or answer(question, record), client)

    def end(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


@pytest.fixture
def dns() -> Iterator[Dns]:
    server = Dns()
    yield server
    server.end()


def test_a_text_record(dns: Dns) -> None:
    dns.answers = [b"0123abcd"]
    assert text_of(dns.place, "egress_mmd.invalid", 5) == "0123abcd"
    assert text_of(dns.place, "egress_mmd.invalid", 5) == ""


@pytest.mark.parametrize("garbage", [b"x", b"\0" * 12, b"\0\0\x85\x80\0\1\0\1\0\0\0\0\x3f"])
def test_an_answer_that_is_none(dns: Dns, garbage: bytes) -> None:
    dns.garbage = garbage
    assert text_of(dns.place, "egress_mmd.invalid", 5) == ""


def test_nobody_answers() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        assert text_of(Server(*sock.getsockname()), "egress_mmd.invalid", 0.2) is None


def test_many_names_are_asked_for_once(dns: Dns) -> None:
    assert ask_all(dns.place, [f"n{number}.example.com" for number in range(120)], 10) == 240
    assert dns.asked == 240
