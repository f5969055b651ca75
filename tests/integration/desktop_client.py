# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that knows nothing of the collection: it runs on a lab host and tells what a desktop meets there.

Standard library only. Standard input: JSON with `proxy` [host, port] or null, `user` (or null) and `asks`, a list of
{id, method: CONNECT|GET, host, port, sni, path, source}. Standard output: a list of answers in the same order:
{id, connect, issuer, status, error, server}.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor

SECONDS = 20


def head(stream):
    data = b""
    while b"\r\n\r\n" not in data and len(data) < 65536:
        piece = stream.recv(4096)
        if not piece:
            break
        data += piece
    return data.split(b"\r\n\r\n")[0].decode("latin-1")


def status(text):
    match = re.match(r"HTTP/1\.\d (\d{3})", text)
    return int(match.group(1)) if match else None


def header(text, name):
    match = re.search(r"(?im)^" + name + r":\s*(.*)$", text)
    return match.group(1).strip() if match else None


def common_names(der):
    """Every text after the object id of a common name, issuer before subject: enough to tell two CAs apart."""
    return [
        der[at + 5 : at + 5 + der[at + 4]].decode("utf-8", "replace")
        for at in (match.start() for match in re.finditer(b"\x55\x04\x03", der))
        if der[at + 3] in (0x0C, 0x13)
    ]


def ask(proxy, login, one):
    answer = {"id": one["id"], "connect": None, "issuer": None, "status": None, "error": None, "server": None}
    auth = f"Proxy-Authorization: Basic {login}\r\n" if login else ""
    try:
        source = (one["source"], 0) if one.get("source") else None
        place = tuple(proxy or (one["sni"], one["port"]))
        with socket.create_connection(place, timeout=SECONDS, source_address=source) as raw:
            if not proxy:
                _inside(raw, one, answer)
            elif one["method"] == "CONNECT":
                _tunnel(raw, one, auth, answer)
            else:
                url = "http://{}{}{}".format(one["host"], one.get("at", ""), one["path"])
                request = "GET {} HTTP/1.1\r\nHost: {}\r\n{}Connection: close\r\n\r\n".format(url, one["host"], auth)
                raw.sendall(request.encode("latin-1"))
                _note(answer, head(raw))
    except OSError as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    return answer


def _tunnel(raw, one, auth, answer):
    target = "{}:{}".format(one["host"], one["port"])
    raw.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{auth}\r\n".encode("latin-1"))
    text = head(raw)
    answer["connect"] = status(text)
    if answer["connect"] != 200:
        answer["server"] = header(text, "X-Squid-Error")
        return
    _inside(raw, one, answer)


def _inside(raw, one, answer):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with context.wrap_socket(raw, server_hostname=one.get("sni") or None) as tls:
        names = common_names(tls.getpeercert(True))
        answer["issuer"] = names[0] if names else None
        request = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n".format(one["path"], one["host"])
        tls.sendall(request.encode("latin-1"))
        _note(answer, head(tls))


def _note(answer, text):
    answer["status"] = status(text)
    answer["server"] = header(text, "X-Squid-Error") or header(text, "Location") or header(text, "Server")


def main():
    task = json.load(sys.stdin)
    login = base64.b64encode(task["user"].encode()).decode() if task.get("user") else None
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda one: ask(task["proxy"], login, one), task["asks"]))
    json.dump(answers, sys.stdout)


main()
