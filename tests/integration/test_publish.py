# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published on a real nginx, and those who fetch it: curl, Squid, Chromium."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from inlab import LAB, ROOT, Squid, ansible, ask, get, on, started

URL = "http://10.20.0.20/egress/"
FOLDER = "/var/www/egress"
PROXY = "PROXY 10.20.0.10:3128"
ENTRIES: list[Any] = [
    "login.live.example", "*.update.example", "*.*.deep.example", "*cdn.glued.example", "a.*.inner.example",
    *(f"host{number}.site.example" for number in range(16)),
    {"value": "odd.example", "ports": ["tcp/8443"]}, {"value": "path.example", "path": "/p.txt"},
    {"value": "198.18.0.0/16", "ports": ["tcp/80"]}, {"value": "2001:db8:18::/64", "ports": ["tcp/80"]},
]  # fmt: skip
FEEDS = [
    {"dialect": "panos_url", "widen": "any"}, {"dialect": "panos_domain", "widen": "any"}, {"dialect": "panos_ip"},
    {"dialect": "fortios_category", "widen": "any"}, {"dialect": "fortios_address"},
    {"dialect": "checkpoint_network_feed", "widen": "any"}, {"dialect": "opnsense_url_table"},
    {"dialect": "proxysg_cpl"}, {"dialect": "domains", "widen": "any"}, {"dialect": "cidrs"},
    {"dialect": "hosts_regex"}, {"dialect": "json"},
]  # fmt: skip


def play(*words: str, check: bool = True, **options: Any) -> tuple[str, int]:
    """A run of the playbook: what it said, and how many tasks changed something."""
    usual = {
        "egress_entries": ENTRIES, "egress_pac": {"allowed": "DIRECT", "default": PROXY}, "egress_feeds": FEEDS,
        "egress_publish_directory": FOLDER, "egress_publish_url": URL, "egress_wpad": True,
        "egress_nginx_include": "/etc/nginx/snippets/egress_mmd.conf", "egress_nginx_location": "/egress",
    }  # fmt: skip
    variables = LAB / "publish.json"
    variables.write_text(json.dumps({**usual, **options}), encoding="utf-8")
    playbook = str(ROOT / "playbooks" / "publish_mmd_allowlist.yml")
    done = ansible("ansible-playbook", playbook, "-e", f"@{variables}", *words, check=check)
    counted = re.search(r"changed=(\d+) .*failed=(\d+)", done.stdout)
    assert counted is not None, done.stdout[-3000:]
    assert (int(counted[2]) == 0) == check, done.stdout[-3000:]
    return done.stdout + done.stderr, int(counted[1])


@pytest.fixture(scope="module", autouse=True)
def published() -> Iterator[None]:
    play()
    yield
    play(egress_publish_state="absent")
    assert on("web1", "ls", "-A", FOLDER, check=False) == ""


def headers(path: str, *words: str) -> dict[str, str]:
    """What the server says of a file: each header in lower case, and ``status``."""
    lines = on("desktop1", "curl", "-sS", "-D", "-", "-o", "/dev/null", *words, URL + path).splitlines()
    found = {"status": lines[0].split()[1]}
    for line in lines[1:]:
        name, _colon, value = line.partition(":")
        found[name.lower()] = value.strip()
    return found


def marks() -> dict[str, str]:
    """ETag and time of each file, as a reader sees them."""
    names = on("web1", "ls", FOLDER).split()
    return {name: "{etag} {last-modified}".format_map(headers(name)) for name in names}


def test_a_second_run_and_check_mode_change_nothing() -> None:
    before = marks()
    assert len(before) == 1 + 1 + len(FEEDS) + 2  # PAC file, wpad.dat, feeds, index and checksums
    assert play()[1] == 0
    assert marks() == before
    more = [*ENTRIES, "new.example"]
    said, changed = play("--check", "--diff", egress_entries=more)
    assert changed > 0
    assert "new.example" in said
    assert marks() == before


def test_only_what_changes_is_written() -> None:
    before = marks()
    play(egress_entries=[*ENTRIES, "new.example"])
    changed = {name for name, mark in marks().items() if mark != before[name]}
    of_networks = {"mmd-panos_ip.txt", "mmd-fortios_address.txt", "mmd-opnsense_url_table.txt", "mmd-cidrs.txt"}
    assert changed == set(before) - of_networks
    play()


def test_readers_get_the_right_kind_and_ask_again_for_nothing() -> None:
    kinds = {
        "mmd.pac": "application/x-ns-proxy-autoconfig", "wpad.dat": "application/x-ns-proxy-autoconfig",
        "mmd-panos_url.txt": "text/plain; charset=utf-8", "mmd-json.json": "application/json",
        "index.html": "text/html; charset=utf-8", "": "text/html; charset=utf-8",
    }  # fmt: skip
    for name, kind in kinds.items():
        found = headers(name)
        assert (found["status"], found["content-type"]) == ("200", kind), name
        assert headers(name, "-H", f"If-None-Match: {found['etag']}")["status"] == "304", name
    assert headers("../wpad.dat")["etag"] == headers("wpad.dat")["etag"]  # curl asks for /wpad.dat
    assert headers(".egress_mmd.json")["status"] == "404"
    assert headers("nothing.txt")["status"] == "404"


def test_a_download_can_be_checked() -> None:
    script = f"cd $(mktemp -d) && curl -sSO {URL}mmd.pac -O {URL}mmd-domains.txt -O {URL}SHA256SUMS"
    told = on("desktop1", "sh", "-c", script + " && sha256sum --ignore-missing -c SHA256SUMS")
    assert sorted(told.split()) == ["OK", "OK", "mmd-domains.txt:", "mmd.pac:"]


def test_a_signature_can_be_checked_by_who_downloads(tmp_path: Path) -> None:
    key, public = tmp_path / "feed.pem", tmp_path / "feed.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    sign = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(key), "-in", "{file}", "-out", "{signature}"]
    alone: dict[str, Any] = {"egress_feeds": [], "egress_wpad": False}  # one file tells enough
    play(egress_sign_command=sign, **alone)
    assert play(egress_sign_command=sign, **alone)[1] == 0
    check = "openssl pkeyutl -verify -rawin -pubin -inkey feed.pub -sigfile mmd.pac.sig -in mmd.pac 2>&1"
    script = f"cd $(mktemp -d) && cat > feed.pub && curl -sSO {URL}mmd.pac -O {URL}mmd.pac.sig && {check}; "
    script += f"echo >> mmd.pac; {check}"
    told = on("desktop1", "sh", "-c", script, stdin=public.read_text(encoding="utf-8"), check=False)
    assert "Signature Verified Successfully" in told
    assert "Verification Failure" in told
    play()


READER = """
import hashlib, http.client, select, sys
found, reading = {}, False
while not select.select([sys.stdin], [], [], 0)[0]:
    connection = http.client.HTTPConnection("10.20.0.20", timeout=20)
    connection.request("GET", "/egress/mmd-json.json")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    found[hashlib.sha256(body).hexdigest() if answer.status == 200 else str(answer.status)] = 1
    if not reading:
        print("reading", flush=True)
        reading = True
print(*found, flush=True)
"""


def test_a_reader_meets_no_half_file() -> None:
    variants = [ENTRIES, [*ENTRIES, "new1.example"], [*ENTRIES, "new2.example"]]
    known = set()
    with started("desktop1", "python3", "-u", "-I", "-c", READER) as reader:
        assert reader.stdout is not None
        assert reader.stdin is not None
        assert reader.stdout.readline() == "reading\n"
        for entries in [*variants, ENTRIES]:
            play(egress_entries=entries, egress_feeds=[{"dialect": "json"}])
            known.add(on("web1", "sha256sum", f"{FOLDER}/mmd-json.json").split()[0])
        reader.stdin.write("enough\n")
        reader.stdin.flush()
        assert set(reader.stdout.readline().split()) == known
    assert len(known) == len(variants)
    play()


@pytest.mark.parametrize(("entries", "words"), [(ENTRIES[:5], "max_shrink"), ([], "entries")])
def test_a_list_that_collapsed_leaves_the_last_good_one(entries, words) -> None:
    before = marks()
    said, _changed = play(check=False, egress_entries=entries, egress_feeds=[{"dialect": "domains", "widen": "any"}])
    assert words in said
    assert marks() == before


# Squid


def script() -> str:
    """The script of the guide, as it is printed there."""
    page = (ROOT / "docs" / "docsite" / "rst" / "guide_publish.rst").read_text(encoding="utf-8")
    block = page.partition(".. code-block:: sh\n\n")[2].partition("\nBefore the site's own rules")[0]
    return textwrap.dedent(block)


@pytest.fixture
def fetching() -> Iterator[Squid]:
    squid = Squid()
    rules = 'acl mmd dstdom_regex -i "/etc/squid/feeds/mmd.regex"\nhttp_access allow mmd\n'
    on("proxy1", "mkdir", "-p", "/etc/squid/feeds")
    squid.write("/etc/squid/feeds/fetch.sh", script())
    assert on("proxy1", "sh", "-c", f"{FETCH} 2>&1; echo $?") == "0\n"
    squid.write("/etc/squid/conf.d/20-feed.conf", rules)
    squid.reload()
    squid.wait_for_reload()
    yield squid
    on("proxy1", "rm", "-rf", "/etc/squid/conf.d/20-feed.conf", "/etc/squid/feeds")
    squid.reload()
    squid.wait_for_reload()


FETCH = f"sh /etc/squid/feeds/fetch.sh {URL}mmd-hosts_regex.txt /etc/squid/feeds/mmd.regex"
LET_THROUGH = ["login.live.example", "a.update.example", "LOGIN.live.example", "xcdn.glued.example", "a.b.deep.example"]
KEPT_OUT = ["evillogin.live.example", "update.example", "a.deep.example", "login.live.example.evil.example"]


def passing(names: list[str]) -> list[str]:
    """The names that the proxy lets through without a login."""
    found = ask("desktop1", [get(name, ident=name) for name in names])
    return [name for name in names if found[name].status == 200]


def test_a_squid_fetches_its_list(fetching: Squid) -> None:
    assert passing(LET_THROUGH + KEPT_OUT) == LET_THROUGH
    play(egress_entries=[*ENTRIES, "new.example"])
    assert passing(["new.example"]) == []
    on("proxy1", "sh", "-c", FETCH)
    fetching.wait_for_reload()
    assert passing(["new.example", *KEPT_OUT]) == ["new.example"]

    on("web1", "sh", "-c", f"echo '^evil$' >> {FOLDER}/mmd-hosts_regex.txt")  # not what SHA256SUMS says
    assert "not the file that SHA256SUMS names" in on("proxy1", "sh", "-c", f"{FETCH} 2>&1", check=False)
    spoilt = f"cd {FOLDER} && echo '(' >> mmd-hosts_regex.txt && sha256sum mmd-hosts_regex.txt > SHA256SUMS"
    on("web1", "sh", "-c", spoilt)
    assert "Squid does not accept it" in on("proxy1", "sh", "-c", f"{FETCH} 2>&1", check=False)
    on("web1", "nginx", "-s", "stop")
    assert "could not be fetched" in on("proxy1", "sh", "-c", f"{FETCH} 2>&1", check=False)
    on("web1", "nginx")
    assert passing(["new.example", "login.live.example"]) == ["new.example", "login.live.example"]
    play()  # puts right what was done by hand
    on("proxy1", "curl", "-sSo", "/etc/squid/feeds/mmd.regex", f"{URL}mmd-hosts_regex.txt")  # a run that was killed
    on("proxy1", "sh", "-c", FETCH)
    fetching.wait_for_reload()
    assert passing(["new.example", "login.live.example"]) == ["login.live.example"]


# Chromium

BROWSER = (
    "chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --ignore-certificate-errors "
    "--user-data-dir=$folder/profile --virtual-time-budget=30000 --dump-dom"
)
DIRECT = [
    "https://login.live.example/", "https://LOGIN.live.example./x", "https://a.update.example/", "http://b.a.update.example/",
    "https://b.a.deep.example/", "https://mycdn.glued.example/", "http://cdn.glued.example/", "https://a.b.inner.example/",
    "https://odd.example:8443/", "http://path.example/p.txt", "http://198.18.77.1/", "http://[2001:db8:18::77]/",
]  # fmt: skip
BY_PROXY = [
    "http://evillogin.live.example/", "http://login.live.example.evil.example/", "http://update.example/",
    "http://a.deep.example/", "http://a.cdn.glued.example/", "http://a.inner.example/", "http://odd.example:8080/",
    "http://path.example/q.txt", "http://198.19.77.1/", "http://198.18.77.2:8080/", "http://evil.example/login.live.example",
]  # fmt: skip


def browse(*switches: str) -> tuple[set[str], set[str]]:
    """Hosts that Chromium on desktop1 asked itself, and those that it asked the proxy for."""
    page = "<!doctype html>" + "".join(f'<img src="{url}">' for url in [*DIRECT, *BY_PROXY])
    seen = LAB / "logs" / "internet" / "web" / "requests.jsonl"
    asked = LAB / "logs" / "proxy1" / "squid" / "access.log"
    starts = [len(path.read_text(encoding="utf-8")) for path in (seen, asked)]
    command = f"folder=$(mktemp -d); cat > $folder/page.html; timeout 90 {BROWSER} {' '.join(switches)} "
    on("desktop1", "sh", "-c", command + "file://$folder/page.html; rm -rf $folder", stdin=page)
    end = time.monotonic() + 20  # the logs are written when a request has ended, and may come after the browser's end
    while True:
        requests = [json.loads(line) for line in _since(seen, starts[0])]
        own = [one for one in requests if one["event"] == "http" and one["client"] in ("10.20.0.11", "fd00:20::b")]
        direct = {_named(one["host"], one["port"], one["path"]) for one in own}
        by_proxy = {url for line in _since(asked, starts[1]) for url in re.findall(r" url=(\S+)", line)}
        if (len(direct) >= len(DIRECT) and set(BY_PROXY) <= by_proxy) or time.monotonic() > end:
            return direct, by_proxy
        time.sleep(0.1)


def _since(path: Path, start: int) -> list[str]:
    return path.read_text(encoding="utf-8")[start:].splitlines()


def _asked(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    return _named(parts.hostname or "", port, parts.path + ("?" + parts.query if parts.query else ""))


def _named(host: str, port: int, path: str) -> str:
    return f"{host.strip('[]').rstrip('.')} {port} {path}"


def require_ways(direct: set[str], by_proxy: set[str]) -> None:
    """Each URL went one way and not the other; of https the proxy is only told host and port."""
    assert {_asked(url) for url in DIRECT} <= direct
    assert not direct & {_asked(url) for url in BY_PROXY}
    assert set(BY_PROXY) <= by_proxy
    tunnels = {":".join(_asked(url).split()[:2]) for url in DIRECT if url.startswith("https:")}
    assert len(tunnels) > 5
    assert not by_proxy & {*DIRECT, *tunnels}


def settings(*words: str, check: bool = True) -> tuple[str, int]:
    """A run of the playbook that tells desktop1 to use the PAC file."""
    playbook = str(ROOT / "playbooks" / "use_pac_file.yml")
    told = ("-e", f"egress_pac_url={URL}mmd.pac", "--limit", "desktop1")
    done = ansible("ansible-playbook", playbook, *told, *words, check=check)
    counted = re.search(r"changed=(\d+) ", done.stdout)
    assert counted is not None, done.stdout[-3000:]
    return done.stdout + done.stderr, int(counted[1])


FIREFOX = "/etc/firefox/policies/policies.json"
WRITTEN = "find /etc/chromium/policies /etc/opt /etc/dconf/db /etc/xdg/kioslaverc -type f -size +0 2>/dev/null | sort"


def test_a_managed_host_uses_the_pac_file_and_forgets_it_again() -> None:
    others = '{"policies": {"DisableX": true}}'
    on("desktop1", "sh", "-c", f"mkdir -p /etc/firefox/policies; cat > {FIREFOX}", stdin=others)
    on("desktop1", "rm", "-f", "/etc/xdg/kioslaverc")
    assert settings("-e", "egress_pac_state=absent")[1] == 0  # where nothing was ever written
    assert settings("--check")[1] > 0
    assert on("desktop1", "sh", "-c", WRITTEN) == ""
    assert settings()[1] > 0
    assert settings()[1] == 0
    found = json.loads(on("desktop1", "cat", FIREFOX))["policies"]
    proxy = {"Mode": "autoConfig", "AutoConfigURL": f"{URL}mmd.pac", "Locked": True}
    assert found == {"DisableX": True, "Proxy": proxy}
    require_ways(*browse())  # no switch: the managed policy alone

    assert settings("-e", "egress_pac_state=absent")[1] > 0
    assert on("desktop1", "sh", "-c", WRITTEN) == ""
    assert json.loads(on("desktop1", "cat", FIREFOX)) == {"policies": {"DisableX": True}}
    assert settings("-e", "egress_pac_state=absent")[1] == 0


def test_policies_of_firefox_that_cannot_be_read_are_left_alone() -> None:
    alone = ("-e", '{"egress_pac_settings": ["firefox"]}')
    for text in ('{"policies": ', "[]"):
        on("desktop1", "sh", "-c", f"mkdir -p /etc/firefox/policies; cat > {FIREFOX}", stdin=text)
        said, changed = settings(*alone, check=False)
        assert "is not what Firefox reads, and was left as it is" in " ".join(said.split())
        assert (on("desktop1", "cat", FIREFOX), changed) == (text, 0)
    on("desktop1", "rm", FIREFOX)
    assert settings(*alone)[1] > 0
    settings(*alone, "-e", "egress_pac_state=absent")
    assert on("desktop1", "ls", "/etc/firefox/policies") == ""  # nothing but ours was in it


def test_chromium_goes_where_the_pac_file_says() -> None:
    require_ways(*browse(f"--proxy-pac-url={URL}mmd.pac"))
