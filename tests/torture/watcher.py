# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connects to names in a loop until standard input ends, and tells what it met. Standard library only.

The argument: {"proxy": [host, port] or null, "kept": names that must always be let through and never inspected,
"never": a name that must never be}.
"""

import json
import socket
import ssl
import sys
import threading
import time

PAUSE = 0.02
SECONDS = 5.0  # after this, a connection that should be let through is not
BLOCKED_SECONDS = 0.3
INSPECTION = b"TLS Inspection"

task = json.loads(sys.argv[1])
ended = threading.Event()
told = {"fine": 0, "refused": 0}
wrong: "list[dict[str, object]]" = []
lock = threading.Lock()


def through_proxy(name, look_inside):
    """"open", "inspected", or what the proxy said in place of it."""
    with socket.create_connection(tuple(task["proxy"]), timeout=SECONDS) as raw:
        raw.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            piece = raw.recv(4096)
            if not piece:
                raise ConnectionResetError("closed in the middle of the answer")
            head += piece
        status = head.split()[1].decode()
        if status != "200":
            return status
        if look_inside:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            with context.wrap_socket(raw, server_hostname=name) as tls:
                return "inspected" if INSPECTION in (tls.getpeercert(True) or b"") else "open"
    return "open"


def directly(name, seconds):
    family, kind, number, _canonical, address = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, number) as raw:
        raw.settimeout(seconds)
        raw.connect(address)
    return "open"


def met(name, seconds, look_inside):
    try:
        return through_proxy(name, look_inside) if task["proxy"] else directly(name, seconds)
    except TimeoutError:
        return "silent"
    except (ConnectionRefusedError, ConnectionResetError, ssl.SSLEOFError) as error:
        return f"refused: {error}"
    except socket.gaierror as error:
        return f"refused: the resolver: {error}"
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def watch(name, is_kept):
    count = 0
    while not ended.is_set():
        count += 1
        begun = time.monotonic()
        answer = met(name, SECONDS if is_kept else BLOCKED_SECONDS, is_kept and count % 4 == 0)
        with lock:
            if answer.startswith("refused"):
                told["refused"] += 1
            elif (answer == "open") == is_kept:
                told["fine"] += 1
            elif is_kept or answer == "inspected":
                wrong.append({"name": name, "met": answer, "begun": begun, "ended": time.monotonic()})
            else:
                told["fine"] += 1
        ended.wait(PAUSE)


threads = [threading.Thread(target=watch, args=(name, True)) for name in task["kept"]]
threads.append(threading.Thread(target=watch, args=(task["never"], False)))
for thread in threads:
    thread.start()
print("ready", flush=True)
sys.stdin.read()
ended.set()
for thread in threads:
    thread.join()
json.dump({**told, "wrong": wrong}, sys.stdout)
