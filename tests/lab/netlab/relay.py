# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ssh's ProxyCommand: joins stdin and stdout with the socket behind which a host's sshd waits."""

import os
import select
import socket
import sys


def main() -> None:
    folder, _unused, name = sys.argv[1].rpartition("/")
    os.chdir(folder)  # the path of a socket holds 107 bytes at most
    with socket.socket(socket.AF_UNIX) as host:
        try:
            host.connect(name)
        except OSError as error:
            sys.exit(f"the lab's host does not answer ({error.strerror}): is the lab up? ({sys.argv[1]})")
        relay(host)


def relay(host: socket.socket) -> None:
    sources = [0, host.fileno()]
    while host.fileno() in sources:
        for source in select.select(sources, [], [])[0]:
            data = read(source)
            if data and source == 0:
                host.sendall(data)
            elif data:
                write_all(data)
            else:
                sources.remove(source)
                if source == 0:
                    host.shutdown(socket.SHUT_WR)


def read(source: int) -> bytes:
    try:
        return os.read(source, 65536)
    except ConnectionResetError:  # the host went away
        return b""


def write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
