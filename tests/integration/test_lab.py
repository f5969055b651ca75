# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab is what it says: each host, each rule of the site's policy and each fault, seen from the hosts.

Needs the lab: `scripts/in-lab .venv/bin/python -m pytest tests/integration/test_lab.py`.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import inlab
import pytest

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "tests" / "lab" / "lab.py"
STATE = inlab.LAB
PROXY, TUNNEL_PROXY, STRANGERS_PROXY = "10.20.0.10:3128", "10.20.0.10:3129", "203.0.113.10:3128"
VIP = "10.20.0.99"
LOGIN = "demo:lab-only"
COMPANY, PUBLIC = "Example Company TLS Inspection CA", "Lab Public Intermediate CA"
ICAP_LOG, SQUID_LOG = "proxy1/c-icap/access.log", "proxy1/squid/access.log"
DNSMASQ_LOG = "firewall1/dnsmasq/dnsmasq.log"
PATIENCE = 10.0
THIS_RUN = secrets.token_hex(3)  # in names that are looked up in a log: the lab may have seen earlier runs

Answer = dict[str, Any]


def lab(*words: str, script: Path = LAB) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, script, "--lab", inlab.NAME if script == LAB else "", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def on(host: str, *words: str) -> str:
    answer = lab("exec", host, *words)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def ask(host: str, *wishes: Answer) -> list[Answer]:
    answers: list[Answer] = json.loads(on(host, "python3", "-I", str(LAB.parent / "client.py"), json.dumps(wishes)))
    return answers


def ask_one(host: str, name: str, **wish: Any) -> Answer:
    return ask(host, {"host": name, **wish})[0]


def through(host: str, name: str, **wish: Any) -> Answer:
    """Ask through the inspecting proxy, logged in."""
    return ask_one(host, name, **{"proxy": PROXY, "login": LOGIN, **wish})


def wait_for(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def lines_of(log: str, text: str, at_least: int = 1) -> list[str]:
    """The lines of a log that hold a text; they may come a moment after the client's answer."""
    path = STATE / "logs" / log

    def find() -> list[str]:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if text in line]

    wait_for(lambda: len(find()) >= at_least)
    return find()


@pytest.fixture(scope="module", autouse=True)
def _running() -> None:
    if lab("status").returncode:
        pytest.fail("the lab is not up: scripts/lab up")


# --- the proxy's policy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("desktop", ["desktop1", "desktop2"])
def test_the_proxy_wants_a_login(desktop: str) -> None:
    assert ask_one(desktop, "www.example.org", proxy=PROXY)["connect"]["status"] == 407
    assert ask_one(desktop, "www.example.org", proxy=PROXY, plain=True)["status"] == 407
    assert ask_one(desktop, "www.example.org", proxy=PROXY, login="demo:wrong")["connect"]["status"] == 407


@pytest.mark.parametrize("desktop", ["desktop1", "desktop2"])
def test_the_proxy_inspects_who_is_logged_in(desktop: str) -> None:
    answer = through(desktop, "www.example.org")
    assert (answer["status"], answer["issuer"]) == (200, COMPANY)
    assert answer["body"]["client"] == "192.0.2.10"


def test_the_content_inspector_sees_plain_http_and_both_halves_of_https() -> None:
    plain, tls = f"plain.{THIS_RUN}.example", f"tls.{THIS_RUN}.example"
    assert through("desktop1", plain, plain=True)["status"] == 200
    assert through("desktop1", tls)["status"] == 200
    lines = lines_of(ICAP_LOG, plain, at_least=2) + lines_of(ICAP_LOG, tls, at_least=3)
    seen = [re.sub(r".*(REQMOD|RESPMOD) \d{3}", r"\1", line) for line in lines]
    assert seen == [
        f'REQMOD "GET http://{plain}/ HTTP/1.1"',
        f'RESPMOD "GET http://{plain}/ HTTP/1.1"',
        f'REQMOD "CONNECT {tls}:443 HTTP/1.1"',
        f'REQMOD "GET https://{tls}/ HTTP/1.1"',
        f'RESPMOD "GET https://{tls}/ HTTP/1.1"',
    ]


def test_squids_log_tells_inspected_from_spliced() -> None:
    inspected, spliced = f"{THIS_RUN}.told.example", f"{THIS_RUN}.bank.example"
    through("desktop1", inspected)
    through("desktop1", spliced)
    line = lines_of(SQUID_LOG, f"url=https://{inspected}/")[0]
    assert "user=demo" in line
    assert f"bump=bump sni={inspected}" in line
    assert re.search(r"icap_ms=\d", line)
    assert f"bump=splice sni={spliced}" in lines_of(SQUID_LOG, f"url={spliced}:443")[-1]


def test_the_bank_is_spliced_by_its_server_name() -> None:
    assert through("desktop1", "www.bank.example")["issuer"] == PUBLIC
    assert through("desktop1", "other.example", sni="www.bank.example")["issuer"] == PUBLIC


def test_the_vip_is_spliced_by_address() -> None:
    assert through("desktop2", "www.example.org", source=VIP)["issuer"] == PUBLIC
    assert through("desktop2", "www.example.org")["issuer"] == COMPANY


def test_the_drop_box_is_terminated() -> None:
    name = f"{THIS_RUN}.dropbox.example"
    answer = through("desktop1", name)
    assert answer["outcome"] == "ECONNABORTED"
    assert "bump=terminate" in lines_of(SQUID_LOG, f"url={name}:443")[-1]


def test_a_category_goes_to_the_block_page() -> None:
    page = {"status": 302, "location": "http://block.example/?blocked=account.live.com"}
    plain = through("desktop1", "account.live.com", plain=True)
    assert {key: plain[key] for key in page} == page
    assert through("desktop1", "account.live.com")["connect"] == page


def test_another_category_is_led_to_the_block_pages_server() -> None:
    assert through("desktop1", "x.crashlytics.com")["x-squid-error"].startswith("ERR_SECURE_CONNECT_FAIL")
    assert through("desktop1", "x.crashlytics.com", proxy=TUNNEL_PROXY)["outcome"] == "certificate 62"


def test_a_forbidden_name_is_denied() -> None:
    assert through("desktop1", "www.forbidden.example", plain=True)["status"] == 403


def test_the_tunnel_port_does_not_inspect() -> None:
    assert through("desktop1", "www.example.org", proxy=TUNNEL_PROXY)["issuer"] == PUBLIC


def test_the_outsider_has_a_policy_of_its_own() -> None:
    guest = ask_one("outsider", "www.guest.example", proxy=STRANGERS_PROXY)
    assert (guest["status"], guest["issuer"]) == (200, COMPANY)
    denied = ask_one("outsider", "www.example.org", proxy=STRANGERS_PROXY)
    assert (denied["status"], denied["x-squid-error"]) == (403, "ERR_ACCESS_DENIED 0")
    with_login = ask_one("outsider", "www.example.org", proxy=STRANGERS_PROXY, login=LOGIN, plain=True)
    assert with_login["status"] == 403


def test_squid_can_be_reloaded_stopped_and_started() -> None:
    on("proxy1", "squid", "-k", "reconfigure")
    assert wait_for(lambda: through("desktop1", "reloaded.example").get("status") == 200)
    on("proxy1", "squid", "-k", "shutdown")
    assert wait_for(lambda: lab("exec", "proxy1", "test", "!", "-e", "/run/squid.pid").returncode == 0)
    assert through("desktop1", "stopped.example")["outcome"] == "ECONNREFUSED"
    on("proxy1", "squid")
    assert wait_for(lambda: through("desktop1", "started.example").get("status") == 200)


# --- the branch and its firewall ----------------------------------------------------------------------------------


RESTART = """
import os, signal, subprocess, time
with open("/run/dnsmasq/dnsmasq.pid") as stream:
    pid = int(stream.read())
with open(f"/proc/{pid}/cmdline") as stream:
    command = stream.read().split("\\0")[:-1]
os.kill(pid, signal.SIGTERM)
while os.path.exists(f"/proc/{pid}"):
    time.sleep(0.01)
subprocess.check_call(command)
"""
DIG = """
import socket, struct, sys
server, way, name, kind = sys.argv[1:]
labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
query = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, int(kind), 1)
family = socket.AF_INET6 if ":" in server else socket.AF_INET
with socket.socket(family, socket.SOCK_STREAM if way == "tcp" else socket.SOCK_DGRAM) as server_socket:
    server_socket.settimeout(5)
    server_socket.connect((server, 53))
    if way == "udp":
        server_socket.send(query)
        print(server_socket.recv(4096).hex())
    else:
        with server_socket.makefile("rwb") as stream:
            stream.write(struct.pack("!H", len(query)) + query)
            stream.flush()
            print(stream.read(int.from_bytes(stream.read(2), "big")).hex())
"""
TRIAL = """
table inet trial {
  set names4 { type ipv4_addr; flags dynamic, timeout; timeout 1h; }
  set names6 { type ipv6_addr; flags dynamic, timeout; timeout 1h; }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    ip saddr 10.30.0.0/26 ip daddr @names4 meta mark set meta mark or 0x10000
    ip6 saddr fd00:30::/122 ip6 daddr @names6 meta mark set meta mark or 0x10000
  }
}
"""
TRIAL_NAMES = "/etc/dnsmasq.d/trial.conf"
NET_ADMIN = 1 << 12


def by_ssh(host: str, command: str, stdin: str = "", config: Path = STATE / "ssh" / "config") -> str:
    """Like on(), by the way that Ansible takes."""
    words: list[str | Path] = ["ssh", "-F", config, host, command]
    answer = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=30)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def addresses(host: str, name: str, family: int) -> list[str]:
    """What the host's own resolver says."""
    answer = lab("exec", host, "getent", f"ahostsv{family}", name)
    return sorted({line.split()[0] for line in answer.stdout.splitlines()})


def from_branch(name: str, **wish: Any) -> Answer:
    return ask_one("desktop3", name, **wish)


def blocked(name: str, **wish: Any) -> bool:
    """Whether nothing comes back from there."""
    return bool(from_branch(name, timeout=inlab.SILENCE, **wish)["outcome"] == "timeout")


def write(host: str, path: str, text: str) -> None:
    by_ssh(host, f"cat > {path}", stdin=text)


def dnsmasq_status() -> dict[str, str]:
    pid = on("firewall1", "cat", "/run/dnsmasq/dnsmasq.pid").strip()
    lines = on("firewall1", "cat", f"/proc/{pid}/status").splitlines()
    return {key: value.strip() for key, _unused, value in (line.partition(":") for line in lines)}


@pytest.fixture
def trial() -> Iterator[None]:
    """Sets of our own on the firewall, and a chain that marks what goes there; nothing of it is left."""
    before = on("firewall1", "nft", "--stateless", "list", "ruleset"), on("firewall1", "ls", "-A", "/etc/dnsmasq.d")
    by_ssh("firewall1", "nft -f -", stdin=TRIAL)
    yield
    if lab("exec", "firewall1", "test", "-e", TRIAL_NAMES).returncode == 0:
        on("firewall1", "rm", TRIAL_NAMES)
        by_ssh("firewall1", "python3 -I -", stdin=RESTART)
    on("firewall1", "nft", "delete", "table", "inet", "trial")
    after = on("firewall1", "nft", "--stateless", "list", "ruleset"), on("firewall1", "ls", "-A", "/etc/dnsmasq.d")
    assert after == before


@pytest.mark.parametrize("family", [4, 6])
def test_nothing_leaves_the_branch(family: int) -> None:
    for name in ("www.example.org", "login.live.com"):
        assert addresses("desktop3", name, family) == addresses("desktop1", name, family) != []
        assert blocked(name, family=family)
    bare = "198.18.0.1" if family == 4 else "2001:db8:18::1"
    assert blocked(bare, plain=True, port=80)


def test_nobody_comes_into_the_firewall() -> None:
    refused = {"plain": True, "port": 22}  # without the firewall it would be: nothing listens there
    assert ask_one("proxy1", "192.0.2.30", timeout=inlab.SILENCE, **refused)["outcome"] == "timeout"
    assert blocked("10.30.0.1", **refused)


def test_nobody_comes_into_the_branch() -> None:
    if os.geteuid() != 0:
        pytest.skip("the host internet has no ssh: going there needs root")
    assert ask_one("internet", "10.30.0.13", plain=True, port=22, timeout=inlab.SILENCE)["outcome"] == "timeout"


@pytest.mark.parametrize("server", ["10.30.0.1", "fd00:30::1"])
@pytest.mark.parametrize("way", ["udp", "tcp"])
@pytest.mark.parametrize(("kind", "family"), [(1, 4), (28, 6)])
def test_the_branch_has_a_resolver_of_its_own(server: str, way: str, kind: int, family: int) -> None:
    name = f"{way}{family}.{THIS_RUN}.example"
    answer = bytes.fromhex(on("desktop3", "python3", "-I", "-c", DIG, server, way, name, str(kind)))
    found = ipaddress.ip_address(answer[-4:] if family == 4 else answer[-16:])
    assert [str(found)] == addresses("desktop1", name, family)
    assert lines_of(DNSMASQ_LOG, f"query[{'A' if family == 4 else 'AAAA'}] {name} from ")


def test_the_resolver_remembers_names_until_it_is_told_to_forget() -> None:
    name = f"asked-twice.{THIS_RUN}.example"
    first = addresses("desktop3", name, 4)
    assert addresses("desktop3", name, 4) == first != []
    assert len(lines_of(DNSMASQ_LOG, f"forwarded {name} ")) == 1
    assert lines_of(DNSMASQ_LOG, f"cached {name} is {first[0]}")
    by_ssh("firewall1", "kill -HUP $(cat /run/dnsmasq/dnsmasq.pid)")
    assert wait_for(lambda: addresses("desktop3", name, 4) and len(lines_of(DNSMASQ_LOG, f"forwarded {name} ")) > 1)


@pytest.mark.parametrize("kind", ["nx", "servfail", "dnsrefused", "dnssilent", "nodata"])
def test_a_fault_of_dns_shows_itself_through_the_branchs_resolver(kind: str) -> None:
    assert from_branch(f"fault-{kind}.{THIS_RUN}.example")["outcome"] == FAULTS[kind]


@pytest.mark.parametrize("family", [4, 6])
def test_the_mark_leads_through_the_firewall(trial: None, family: int) -> None:
    name = f"marked.{THIS_RUN}.example"
    (address,) = addresses("desktop3", name, family)
    assert blocked(name, family=family)
    on("firewall1", "nft", "add", "element", "inet", "trial", f"names{family}", "{", address, "}")
    answer = from_branch(name, family=family)
    # It asks from its first address, and not from the one outside of the clients; nothing translates that on the way.
    assert (answer["status"], answer["body"]["client"]) == (200, "10.30.0.13" if family == 4 else "fd00:30::d")
    outside = "10.30.0.99" if family == 4 else "fd00:30::63"
    assert blocked(name, family=family, source=outside)
    assert blocked("www.example.org", family=family)
    on("firewall1", "nft", "delete", "element", "inet", "trial", f"names{family}", "{", address, "}")
    assert blocked(name, family=family)


def test_the_resolver_fills_sets_without_being_root(trial: None) -> None:
    name = f"learnt.{THIS_RUN}.example"
    status = dnsmasq_status()
    assert (status["Uid"].split()[0] != "0", int(status["CapEff"], 16)) == (True, 0)
    write("firewall1", TRIAL_NAMES, f"nftset=/{THIS_RUN}.example/4#inet#trial#names4,6#inet#trial#names6\n")
    by_ssh("firewall1", "python3 -I -", stdin=RESTART)
    restarted = dnsmasq_status()
    assert restarted["Pid"] != status["Pid"]
    assert (restarted["Uid"], int(restarted["CapEff"], 16)) == (status["Uid"], NET_ADMIN)
    assert lab("status").returncode == 0
    for family in (4, 6):
        assert from_branch(name, family=family)["status"] == 200
        (address,) = addresses("desktop1", name, family)
        assert f"{address} expires" in on("firewall1", "nft", "list", "set", "inet", "trial", f"names{family}")
    assert blocked("www.example.org")


def test_the_sites_rules_can_be_loaded_again(trial: None) -> None:
    """As `systemctl reload nftables` does: all that is not in the file goes."""
    on("firewall1", "nft", "-f", "/etc/nftables.conf")
    assert on("firewall1", "nft", "list", "tables") == "table inet filter\n"
    by_ssh("firewall1", "nft -f -", stdin=TRIAL)


def test_the_playbook_asks_from_the_branch_without_a_proxy(tmp_path: Path) -> None:
    variables = {"egress_entries": ["www.example.org"], "egress_timeout": 1, "egress_results_dir": str(tmp_path)}
    command: list[str | Path] = [
        *(Path(sys.executable).parent / "ansible-playbook", "-i", STATE / "inventory.yml", "--limit", "desktop3"),
        *(ROOT / "playbooks" / "verify_mmd_allowlist.yml", "-e", json.dumps(variables)),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert "www.example.org (required): timeout, suspect: firewall, on desktop3" in answer.stdout + answer.stderr
    assert json.loads((tmp_path / "desktop3.json").read_text(encoding="utf-8"))["proxy"] is None


# --- the internet -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["desktop1", "desktop2", "firewall1", "outsider"])
@pytest.mark.parametrize("family", [4, 6])
def test_every_name_answers_directly(host: str, family: int) -> None:
    answer = ask_one(host, "any.thing.example", family=family)
    assert (answer["status"], answer["issuer"], answer["body"]["sni"]) == (200, PUBLIC, "any.thing.example")


@pytest.mark.parametrize(("port", "plain"), [(80, True), (8080, True), (443, False), (8443, False)])
def test_every_port_answers(port: int, plain: bool) -> None:
    answer = ask_one("desktop1", "ports.example", port=port, plain=plain, path="/ncsi.txt")
    assert answer["status"] == 200
    assert {key: answer["body"][key] for key in ("host", "port", "path")} == {
        "host": "ports.example",
        "port": port,
        "path": "/ncsi.txt",
    }


def test_each_name_has_a_lasting_address_of_its_own() -> None:
    names = [f"n{number}.example" for number in range(400)]
    first, second = (ask("desktop1", *({"host": name} for name in names)) for _unused in range(2))
    assert [answer["outcome"] for answer in first] == ["answered"] * len(names)
    addresses = [answer["address"] for answer in first]
    assert len(set(addresses)) == len(names)
    assert [answer["address"] for answer in second] == addresses


def test_any_address_answers() -> None:
    assert ask_one("desktop1", "13.107.6.152", plain=True, port=80)["status"] == 200


FAULTS = {
    "nx": "dns no name",
    "servfail": "dns try again",
    "dnsrefused": "dns try again",
    "dnssilent": "dns try again",
    "nodata": "dns no address",
    "refused": "ECONNREFUSED",
    "silent": "timeout",
    "unreachable": "EHOSTUNREACH",
    "reset": "ECONNRESET",
    "eof": "closed in the handshake",
    "hang": "timeout",
    "alert": "tls TLSV1_UNRECOGNIZED_NAME",
    "notls": "tls WRONG_VERSION_NUMBER",
    "tls11": "tls TLSV1_ALERT_PROTOCOL_VERSION",
    "expired": "certificate 10",
    "untrusted": "certificate 19",
    "wrongname": "certificate 62",
}


@pytest.fixture(scope="module")
def broken() -> dict[str, Answer]:
    """One answer per fault, all asked for at once: some of them take their time."""
    wishes = ({"host": f"fault-{kind}.test.example", "timeout": 3} for kind in FAULTS)
    return dict(zip(FAULTS, ask("desktop1", *wishes), strict=True))


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_shows_itself_as_named(kind: str, broken: dict[str, Answer]) -> None:
    assert broken[kind]["outcome"] == FAULTS[kind]


def test_tls_1_1_is_spoken_to_who_accepts_it() -> None:
    assert ask_one("desktop1", "fault-tls11.old.example", legacy=True)["tls"] == "TLSv1.1"


@pytest.mark.parametrize(("kind", "expected"), [("tls12", {"tls": "TLSv1.2", "status": 200}), ("503", {"status": 503})])
def test_an_oddity_shows_itself_as_named(kind: str, expected: Answer) -> None:
    answer = ask_one("desktop1", f"fault-{kind}.test.example")
    assert {key: answer[key] for key in expected} == expected


def test_the_portal_redirects() -> None:
    assert ask_one("desktop1", "fault-portal.test.example", plain=True, port=80)["location"].startswith("http://portal")


@pytest.mark.parametrize(("kind", "address"), [("v6only", "2001:db8:18:"), ("v4only", "198.1")])
def test_a_name_may_have_one_family_only(kind: str, address: str) -> None:
    assert ask_one("desktop1", f"fault-{kind}.test.example")["address"].startswith(address)


@pytest.mark.parametrize("kind", ["refused", "nx", "expired", "503"])
def test_a_fault_set_at_run_time_works_at_once_and_ends_at_once(kind: str) -> None:
    name = f"turns-{kind}.example"
    assert ask_one("desktop1", name)["status"] == 200
    assert lab("fault", name, kind).returncode == 0
    try:
        answer = ask_one("desktop1", name)
        assert answer["outcome"] == FAULTS.get(kind, "answered")
        assert answer.get("status") != 200
        assert ask_one("desktop1", f"sub.{name}")["status"] == 200
    finally:
        assert lab("fault", name, "--clear").returncode == 0
    assert ask_one("desktop1", name)["status"] == 200


def test_an_unknown_fault_is_refused_in_words() -> None:
    answer = lab("fault", "www.example.org", "grumpy")
    assert answer.returncode == 1
    assert "unknown fault 'grumpy'" in answer.stderr


# --- the way in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["proxy1", "firewall1", "desktop1", "desktop2", "desktop3", "outsider"])
def test_ssh_leads_to_the_host(host: str) -> None:
    command: list[str | Path] = ["ssh", "-F", STATE / "ssh" / "config", host, "hostname; cat; exit 5"]
    answer = subprocess.run(command, input="half-closed\n", capture_output=True, text=True, check=False, timeout=30)
    assert (answer.stdout, answer.stderr, answer.returncode) == (f"{host}\nhalf-closed\n", "", 5)


def test_ansible_reaches_every_host() -> None:
    ansible = Path(sys.executable).parent / "ansible"
    command: list[str | Path] = [ansible, "all", "-i", STATE / "inventory.yml", "-m", "ping"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.count('"pong"') == 7


def test_the_machine_itself_has_no_part_of_it() -> None:
    links = {path.name for path in Path("/sys/class/net").iterdir()}
    assert not {name for name in links if name.startswith(("br-", "port"))}
    routes = Path("/proc/net/fib_trie").read_text(encoding="ascii")
    assert not [network for network in ("10.20.0.", "10.30.0.") if network in routes]
    assert not Path("/etc/egress-lab").exists()


# --- up and down, in a checkout of its own beside the running one -------------------------------------------------


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Path]:
    """A second checkout, in a folder with a blank and a percent sign; its packages are hard links where that can be."""
    if os.geteuid() != 0:
        pytest.skip("starting a second lab needs root")
    checkout = tmp_path / "an other 100%"
    shutil.copytree(ROOT / "tests" / "lab", checkout / "tests" / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / ".lab").mkdir()
    packages = [ROOT / ".lab" / "packages", checkout / ".lab" / "packages"]
    if subprocess.run(["cp", "-al", *packages], check=False, stderr=subprocess.DEVNULL).returncode:
        subprocess.run(["cp", "-a", "--remove-destination", f"{packages[0]}/.", packages[1]], check=True)
    yield checkout
    lab("down", script=checkout / "tests" / "lab" / "lab.py")


def processes_of(checkout: Path) -> list[int]:
    """The first processes of the hosts of a checkout."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{checkout}/.lab/run/".encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def inhabitants(checkout: Path) -> set[tuple[int, str | None]]:
    """Every process of the hosts of a checkout, whoever started it: its id, and when it started."""
    namespaces = {namespace_of(process) for process in processes_of(checkout)} - {None}
    every = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return {(process, started_at(process)) for process in every if namespace_of(process) in namespaces}


def namespace_of(process: int) -> str | None:
    try:
        return os.readlink(f"/proc/{process}/ns/pid")
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return None


def started_at(process: int) -> str | None:
    """None: it has ended, whether or not its parent has noticed."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def test_two_labs_run_side_by_side_and_go_without_a_trace(second: Path) -> None:
    script = second / "tests" / "lab" / "lab.py"
    up = lab("up", script=script)
    assert up.returncode == 0, up.stderr
    config = second / ".lab" / "ssh" / "config"
    sockets = Path((second / ".lab" / "control-folder").read_text(encoding="utf-8"))
    assert sockets.is_dir()
    where = subprocess.run(["ssh", "-F", config, "desktop1", "ls -d /run/egress-lab"], capture_output=True, check=False)
    assert where.returncode == 0, where.stderr
    by_ssh("firewall1", "python3 -I -", stdin=RESTART, config=config)  # what a host's people start goes with it as well
    assert "twin.example" in by_ssh("desktop3", "getent ahosts twin.example", config=config)
    again = lab("up", script=script)
    assert (again.returncode, "already up" in again.stdout) == (0, True)
    found = inhabitants(second)
    assert len(found) > len(processes_of(second)) == 9
    started = time.monotonic()
    assert lab("down", script=script).returncode == 0
    assert time.monotonic() - started < 2
    assert not processes_of(second)
    assert [process for process, then in found if then and started_at(process) == then] == []
    assert not (second / ".lab" / "inventory.yml").exists()
    assert not sockets.exists()
    assert lab("down", script=script).returncode == 0
    assert through("desktop1", "still.example")["status"] == 200
    assert addresses("desktop3", "twin.example", 4)


@pytest.mark.parametrize(
    "moment",
    [
        ".lab/run/switch.spec",
        ".lab/run/proxy1.json",
        ".lab/logs/proxy1/squid",
        ".lab/logs/proxy1/squid/access.log",
        f".lab/logs/{DNSMASQ_LOG}",
    ],
)
def test_an_up_that_is_killed_leaves_nothing_behind(second: Path, moment: str) -> None:
    script = second / "tests" / "lab" / "lab.py"
    command: list[str | Path] = [sys.executable, script, "--lab", "", "up"]
    up = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_for((second / moment).exists)
    up.kill()
    up.wait()
    assert lab("down", script=script).returncode == 0
    assert wait_for(lambda: not processes_of(second))
    assert lab("down", script=script).returncode == 0
    assert lab("up", script=script).returncode == 0
