# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab, as tests see it."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import quick_ansible

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAME = os.environ.get("EGRESS_LAB", "")  # this process's own lab, where several are up
LAB = ROOT / ".lab" / "beside" / NAME if NAME else ROOT / ".lab"
CLIENT = (HERE / "desktop_client.py").read_text(encoding="utf-8")
PROXY = ("10.20.0.10", 3128)
OUTSIDE_PROXY = ("203.0.113.10", 3128)
LOGIN = "demo:lab-only"
COMMAND_SECONDS = 300
# After this, nothing will come: an answer takes less than a millisecond here, the kernel gives it whatever else runs,
# and a packet that is lost is sent again only after a second.
SILENCE = 0.4


def ssh(host: str, command: str) -> list[str]:
    """One connection for all commands to a host; it ends a minute after the last of them, or with the lab."""
    sockets = (LAB / "control-folder").read_text(encoding="utf-8")
    shared = {"ControlMaster": "auto", "ControlPersist": "60s", "ControlPath": f"{sockets}/tests-%n"}
    options = [word for name, value in shared.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", "-F", str(LAB / "ssh" / "config"), *options, host, command]


def on(host: str, *words: str, stdin: str = "", check: bool = True) -> str:
    """Run a command on a lab host over ssh."""
    command = " ".join(shlex.quote(word) for word in words)
    done = subprocess.run(
        ssh(host, command),
        input=stdin, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
    )
    assert not check or done.returncode == 0, f"{host}: {command[:200]}: {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


@contextmanager
def started(host: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs on a lab host meanwhile; ended with the block."""
    command = " ".join(shlex.quote(word) for word in words)
    process = subprocess.Popen(
        ssh(host, command),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def fault(name: str, kind: str) -> Iterator[None]:
    """A name that misbehaves, until the block ends."""
    lab = [sys.executable, str(ROOT / "tests" / "lab" / "lab.py"), "fault", name]
    subprocess.run([*lab, kind], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([*lab, "--clear"], check=True, capture_output=True)


@dataclass(frozen=True)
class Answer:
    """What a client met. ``issuer``: common name of the certificate's issuer inside the tunnel."""

    id: str
    connect: int | None
    issuer: str | None
    status: int | None
    error: str | None
    server: str | None


def connect(host: str, *, sni: str | None = None, port: int = 443, ident: str | None = None) -> dict[str, Any]:
    name = host if sni is None else sni
    return {"id": ident or host, "method": "CONNECT", "host": host, "port": port, "sni": name, "path": "/"}


def get(host: str, path: str = "/", *, at: str = "", ident: str | None = None) -> dict[str, Any]:
    return {"id": ident or host + at + path, "method": "GET", "host": host, "port": 80, "path": path, "at": at}


def ask(
    client: str, asks: list[dict[str, Any]], *, user: str | None = None, proxy: tuple[str, int] | None = PROXY
) -> dict[str, Answer]:
    """What the client meets; without a proxy it connects to the name in `sni` itself."""
    task = json.dumps({"proxy": proxy, "user": user, "asks": asks})
    found = json.loads(on(client, "python3", "-I", "-c", CLIENT, stdin=task))
    return {one["id"]: Answer(**one) for one in found}


def ansible(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(ROOT / ".venv" / "bin" / words[0]), "-i", str(LAB / "inventory.yml"), *words[1:]],
        capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False, cwd=ROOT,
    )
    assert not check or done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done


def catalog_entries(host: str) -> list[dict[str, Any]]:
    """What the lookup gives an appliance of the lab by default, doubtful names too."""
    done = ansible(
        "ansible", host, "-m", "ansible.builtin.debug", "-a",
        "msg={{ query('egress.allowlist.endpoints', tenant='contoso', uncertain='include') | to_json }}",
    )
    text = re.search(r'"msg": (".*")', done.stdout)
    assert text is not None, done.stdout
    found: list[dict[str, Any]] = json.loads(json.loads(text.group(1)))
    return found


class Appliance:
    """An appliance of the lab: runs of its module over ssh."""

    host: str
    module: str
    clients: tuple[str, ...]

    def run(self, *, check_mode: bool = False, fails: bool = False, **options: Any) -> dict[str, Any]:
        """One run of the module through Ansible; the parsed answer."""
        options.setdefault("clients", list(self.clients))
        if options.get("state") in ("gathered", "restored") or (
            options.get("state") == "deleted" and not options.get("entries")
        ):
            options.pop("clients")
        arguments = LAB / "arguments.json"
        arguments.write_text(json.dumps({"arguments": options}), encoding="utf-8")
        named = json.dumps({name: "{{ arguments." + name + " }}" for name in options})  # a long list is no command line
        words = [self.host, "-m", self.module, "-a", named, "-e", f"@{arguments}", "--diff"]
        return self._answer(words + (["--check"] if check_mode else []), fails)

    def write(self, path: str, text: str) -> None:
        on(self.host, "sh", "-c", f"cat > {shlex.quote(path)}", stdin=text)

    @staticmethod
    def _answer(words: list[str], fails: bool) -> dict[str, Any]:
        ansible = quick_ansible.server(
            ANSIBLE_CALLBACK_PLUGINS=str(HERE / "callback"), ANSIBLE_STDOUT_CALLBACK="answer",
            ANSIBLE_LOAD_CALLBACK_PLUGINS="1",
        )
        done = ansible.run(["ansible", "-i", str(LAB / "inventory.yml"), *words], COMMAND_SECONDS)
        answers = [line[7:] for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
        assert len(answers) == 1, done.stdout[-4000:] + done.stderr[-4000:]
        answer: dict[str, Any] = json.loads(answers[0])
        assert (done.returncode != 0) == fails, json.dumps(answer)[:4000]
        return answer


class Squid(Appliance):
    """The proxy, its files and its logs."""

    host = "proxy1"
    module = "egress.allowlist.squid"
    clients = ("10.20.0.0/24", "fd00:20::/64")

    def files(self) -> dict[str, str]:
        """Every file below /etc/squid that can be configuration, by path."""
        script = (
            "import json,os,sys\nfound={}\n"
            "for top,_,names in os.walk('/etc/squid'):\n"
            "  for n in names:\n"
            "    p=os.path.join(top,n)\n"
            "    if n!='loaded.json': found[p]=open(p,errors='replace').read()\n"
            "json.dump(found,sys.stdout)"
        )
        found: dict[str, str] = json.loads(on("proxy1", "python3", "-I", "-c", script))
        return found

    def reload(self) -> None:
        on("proxy1", "squid", "-k", "reconfigure")

    def wait_for_reload(self) -> None:
        """Until a connection is answered again."""
        deadline = time.monotonic() + 20
        while ask("desktop1", [get("www.example.org")])["www.example.org/"].status is None:
            assert time.monotonic() < deadline, "the proxy does not answer after a reload"

    def log_length(self, path: str) -> int:
        return int(on("proxy1", "sh", "-c", f"wc -l < {path}"))

    def log_since(self, path: str, line: int) -> str:
        return on("proxy1", "tail", "-n", f"+{line + 1}", path)


ACCESS_LOG = "/var/log/squid/access.log"


class Firewall(Appliance):
    """The routing firewall, and what a desktop behind it meets."""

    host = "firewall1"
    module = "egress.allowlist.nftables"
    clients = ("10.30.0.0/26", "fd00:30::/122")

    def nft(self, *words: str, check: bool = True) -> str:
        return on(self.host, "nft", *words, check=check)

    def files(self) -> dict[str, str]:
        """Every file that can be configuration of the packet filter or of dnsmasq, by path."""
        places = ("/etc/nftables.conf", "/etc/dnsmasq.conf", "/etc/dnsmasq.d", "/etc/egress_allowlist",
                  "/etc/systemd/system/nftables.service.d")
        script = (
            "import glob,json,os,sys\nfound={}\n"
            "for place in sys.argv[1:]:\n"
            "  for p in [place]+glob.glob(place+'/*')+glob.glob(place+'/.*'):\n"
            "    if os.path.isfile(p): found[p]=open(p,errors='replace').read()\n"
            "json.dump(found,sys.stdout)"
        )
        found: dict[str, str] = json.loads(on(self.host, "python3", "-I", "-c", script, *places))
        return found

    def load_site(self, *lines: str, outside: str = "") -> None:
        """The site's ruleset with these lines in its forward chain; kept where nftables.service loads it."""
        text = SITE_RULES.replace("@lines@", "\n        ".join(lines)).replace("@outside@", outside)
        self.write("/etc/nftables.conf", text)
        self.nft("-f", "/etc/nftables.conf")

    def service(self, action: str) -> None:
        """What systemd does for `systemctl start|reload|stop nftables`: the unit's lines, then our drop-in's."""
        on(self.host, "python3", "-I", "-", action, stdin=SERVICE)

    def restart_dnsmasq(self) -> None:
        on(self.host, "python3", "-I", "-", stdin=RESTART)


def reach(
    client: str, asks: list[tuple[str, int]], *, source: str | None = None, seconds: float = SILENCE, udp: bool = False
) -> dict[tuple[str, int], str]:
    """What a plain connection to (name or address, port) meets: open, refused, timeout, or the error's name."""
    task = json.dumps({"asks": asks, "source": source, "seconds": seconds, "udp": udp})
    found = json.loads(on(client, "python3", "-I", "-c", REACH, stdin=task))
    return {(host, port): outcome for host, port, outcome in found}


def await_internet() -> None:
    """Until its servers have taken all connections that were made before: in their queue, a new one may be lost."""
    asks = [connect("www.example.org", port=port, ident=str(port)) for port in (443, 8443)]
    found = ask("firewall1", asks, proxy=None)
    assert [found[one["id"]].error for one in asks] == [None] * len(asks)


def lookup(client: str, name: str, kind: str = "A") -> list[str]:
    """The addresses that the client's own resolver tells."""
    family = {"A": "AF_INET", "AAAA": "AF_INET6"}[kind]
    script = (
        "import json,socket,sys\n"
        f"print(json.dumps(sorted({{i[4][0] for i in socket.getaddrinfo(sys.argv[1],443,socket.{family})}})))"
    )
    found: list[str] = json.loads(on(client, "python3", "-I", "-c", script, name))
    return found


SITE_RULES = """\
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
    @outside@
    chain input {
        type filter hook input priority filter; policy accept;
    }
    chain forward {
        type filter hook forward priority filter; policy drop;
        @lines@
        counter
    }
}
"""
ESTABLISHED = "ct state established,related accept"
ACCEPT_MARK = "meta mark & 0x10000 == 0x10000 accept"

SERVICE = r"""
import glob, re, shlex, subprocess, sys
verbs = {"start": ["ExecStart", "ExecStartPost"], "reload": ["ExecReload"], "stop": ["ExecStop"]}[sys.argv[1]]
lines = []
drop_ins = glob.glob("/etc/systemd/system/nftables.service.d/*.conf")
for path in ["/lib/systemd/system/nftables.service", *sorted(drop_ins)]:
    lines += open(path).read().splitlines()
for verb in verbs:
    for line in lines:
        match = re.match(verb + r"=(-?)(.*)", line)
        if not match:
            continue
        words = shlex.split(match.group(2))
        if words[0] == "/bin/systemctl":  # there is no systemd here: tell the one dnsmasq what it would be told
            words = ["sh", "-c", "kill -HUP $(cat /run/dnsmasq/dnsmasq.pid)"]
        code = subprocess.call(words)
        if code and not match.group(1):
            sys.exit(f"{words}: {code}")
"""
RESTART = r"""
import os, signal, subprocess, time
pid = int(open("/run/dnsmasq/dnsmasq.pid").read())
command = open(f"/proc/{pid}/cmdline").read().split("\0")[:-1]
os.kill(pid, signal.SIGTERM)
while os.path.exists(f"/proc/{pid}"):
    time.sleep(0.02)
subprocess.check_call(command)
"""
REACH = r"""
import errno, json, socket, sys
from concurrent.futures import ThreadPoolExecutor
task = json.load(sys.stdin)
def ask(one):
    host, port = one
    kind = socket.SOCK_DGRAM if task["udp"] else socket.SOCK_STREAM
    try:
        found = socket.getaddrinfo(host, port, type=kind)[0]
        with socket.socket(found[0], kind) as sock:
            sock.settimeout(task["seconds"])
            if task["source"]:
                sock.bind((task["source"], 0))
            sock.connect(found[4])
            if task["udp"]:
                sock.send(b"?")
                sock.recv(100)
            return [host, port, "open"]
    except socket.timeout:
        return [host, port, "timeout"]
    except ConnectionRefusedError:
        return [host, port, "refused"]
    except OSError as error:
        return [host, port, errno.errorcode.get(error.errno or 0, type(error).__name__)]
with ThreadPoolExecutor(150) as pool:
    json.dump(list(pool.map(ask, task["asks"])), sys.stdout)
"""
