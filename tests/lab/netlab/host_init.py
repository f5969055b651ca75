# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of a lab host: makes its namespaces, dresses them, runs its programs, lets ssh in.

Started by `hosts.py` as `python -I -S host_init.py SPEC`, it needs the standard library only. It lives exactly
as long as somebody vouches for it: until `up` says "keep", a closed control socket ends it, so an `up` that is
killed half-way leaves nothing behind. It is process 1 of its PID namespace: killing it takes the whole host along.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = (
    0x20000,
    0x4000000,
    0x8000000,
    0x20000000,
    0x40000000,
)
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
FRESH = (("/run", "755"), ("/tmp", "1777"), ("/dev/shm", "1777"), ("/root", "700"), ("/home", "755"))
OVERLAID = ("/usr", "/etc", "/var")
STAGE = Path("/run/egress-lab")  # inside the host: the lab's folder, the packages and the upper layers
SERVICE_SECONDS = 15.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

libc = ctypes.CDLL(None, use_errno=True)
Spec = dict[str, Any]


class InitError(Exception):
    """Why this host cannot come up; the text is for the user."""


def main() -> None:
    os.umask(0o022)
    spec: Spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    control = socket.socket(fileno=spec["control_fd"])
    unshare(spec["name"])
    recorded, tell = os.pipe()
    pid = os.fork()
    if pid:
        record(Path(spec["record"]), pid)
        control.sendall(b"born\n")
        os._exit(0)
    # We share the mounts with our parent, who still needs the machine's /proc and folders: it goes first.
    os.close(tell)
    os.read(recorded, 1)
    os.setsid()
    try:
        run(spec, control)
    except (InitError, OSError, KeyError, subprocess.SubprocessError) as error:
        control.sendall(f"failed {json.dumps(describe(error))}\n".encode())
        raise SystemExit(1) from error


def describe(error: Exception) -> str:
    return str(error) if isinstance(error, InitError) else f"{type(error).__name__}: {error}"


def unshare(name: str) -> None:
    if libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET):
        raise InitError(f"{name}: the kernel refused new namespaces ({os.strerror(ctypes.get_errno())})")


def record(path: Path, pid: int) -> None:
    """Write who we are: a pid alone could be somebody else's by the time `down` reads it."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    started = stat.rpartition(")")[2].split()[19]
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": pid, "started": int(started)}), encoding="utf-8")
    draft.rename(path)


def run(spec: Spec, control: socket.socket) -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    dress(spec)
    control.sendall(b"dressed\n")
    expect(control, b"wired\n")
    network(spec)
    for service in spec["services"]:
        start(service)
    listener = ssh_socket(spec) if spec["ssh"] else None
    control.sendall(b"ready\n")
    expect(control, b"keep\n")
    control.close()
    serve(listener)


def expect(control: socket.socket, message: bytes) -> None:
    if control.recv(len(message), socket.MSG_WAITALL) != message:
        os._exit(0)  # `up` is gone or gave up, and takes us along


# --- what the host sees -------------------------------------------------------------------------------------------


def dress(spec: Spec) -> None:
    kept = [(path, os.open(path, os.O_PATH)) for path in spec["keep"]]
    folders = {name: os.open(spec[name], os.O_PATH) for name in ("lab", "packages")}
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    for folder, mode in FRESH:
        Path(folder).mkdir(exist_ok=True)
        mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, f"mode={mode}")
    for name, fd in folders.items():
        (STAGE / name).mkdir(parents=True)
        mount(f"/proc/self/fd/{fd}", str(STAGE / name), None, MS_BIND)
    for path, fd in kept:
        uncover(path, fd)
    overlay()
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV)
    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV)
    libc.sethostname(spec["name"].encode(), len(spec["name"]))
    os.environ.clear()
    os.environ.update(PATH=PATH, HOME="/root", LANG="C.UTF-8")
    os.chdir("/")
    furnish(spec)


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    arguments = [text.encode() if text else None for text in (source, target, kind)]
    if libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() or None):
        reason = os.strerror(ctypes.get_errno())
        raise InitError(
            f"cannot mount {kind or 'a folder'} on {target}: {reason}. "
            "The lab needs root on the machine itself, or a container that may mount (docker run --privileged)"
        )


def uncover(path: str, fd: int) -> None:
    """Show again what a fresh folder hides, at its old place: the interpreter and the checkout."""
    if any(path.startswith(f"{folder}/") for folder, _unused in FRESH):
        Path(path).mkdir(parents=True, exist_ok=True)
        mount(f"/proc/self/fd/{fd}", path, None, MS_BIND)
    os.close(fd)


def overlay() -> None:
    """Packages over the machine's /usr; private layers, in memory, over what programs write to."""
    for folder in OVERLAID:
        upper, work = STAGE / "upper" / folder[1:], STAGE / "work" / folder[1:]
        upper.mkdir(parents=True)
        work.mkdir(parents=True)
        lower = f"{STAGE}/packages/root/usr:/usr" if folder == "/usr" else folder
        mount("overlay", folder, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")


# --- files and users ----------------------------------------------------------------------------------------------


def furnish(spec: Spec) -> None:
    for folder in spec["etc"]:
        shutil.rmtree(f"/etc/{folder}", ignore_errors=True)
        packaged = STAGE / "packages/root/etc" / folder
        if packaged.is_dir():
            shutil.copytree(packaged, f"/etc/{folder}", symlinks=True)
    for user in spec["users"]:
        add_user(user)
    unlock_root()
    Path("/run/sshd").mkdir(mode=0o755)
    for site in spec["site"]:
        install(Path(site))
    for path, text in spec["files"].items():
        write(Path(path), text)
    for path in spec["trust"]:
        trust(Path(path))
    for service in spec["services"]:
        make_folders(service, spec["name"], spec["owner"])


def install(site: Path) -> None:
    """Copy the files of a site folder; not with copytree, which would give the machine's own / the folder's mode."""
    for source in sorted(path for path in site.rglob("*") if path.is_file()):
        write(Path("/") / source.relative_to(site), source.read_text(encoding="utf-8"))


def write(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)  # resolv.conf may be a link that leads out of the overlay
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600 if "PRIVATE KEY" in text else 0o644)


def add_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
        return
    except KeyError:
        pass
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    uid = next(number for number in range(900, 1000) if number not in taken)
    for path, line in (
        ("/etc/passwd", f"{name}:x:{uid}:{uid}::/nonexistent:/usr/sbin/nologin"),
        ("/etc/group", f"{name}:x:{uid}:"),
        ("/etc/shadow", f"{name}:*:19000:0:99999:7:::"),
    ):
        with Path(path).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def unlock_root() -> None:
    """sshd turns a locked account away, also with a key."""
    shadow = Path("/etc/shadow")
    lines = shadow.read_text(encoding="utf-8").splitlines()
    others = [line for line in lines if not line.startswith("root:")]
    shadow.write_text("\n".join(["root:*:19000:0:99999:7:::", *others]) + "\n", encoding="utf-8")


def trust(certificate: Path) -> None:
    """Add to the system's trust store what `update-ca-certificates` would, without its second of work."""
    text = certificate.read_text(encoding="utf-8")
    with Path("/etc/ssl/certs/ca-certificates.crt").open("a", encoding="utf-8") as bundle:
        bundle.write(text)
    command = ["openssl", "x509", "-hash", "-noout"]
    answer = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    write(Path(f"/etc/ssl/certs/{answer.stdout.strip()}.0"), text)


def make_folders(service: Spec, host: str, owner: list[int]) -> None:
    for folder, user in service["folders"]:
        Path(folder).mkdir(parents=True, exist_ok=True)
        if not folder.startswith("/run/"):
            mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=750")
        shutil.chown(folder, user, user)
    for folder, user in service["logs"]:
        outside = STAGE / "lab/logs" / host / folder
        outside.mkdir(parents=True, exist_ok=True)
        os.chown(outside, pwd.getpwnam(user).pw_uid, owner[1])
        outside.chmod(0o2775)  # whoever ran `up` reads what the programs write
        inside = Path("/var/log") / folder
        inside.mkdir(parents=True, exist_ok=True)
        mount(str(outside), str(inside), None, MS_BIND)


# --- network and programs -----------------------------------------------------------------------------------------


def network(spec: Spec) -> None:
    for name, value in spec["sysctls"]:
        Path("/proc/sys", name).write_text(value, encoding="ascii")
    answer = subprocess.run(["ip", "-batch", "-"], input=spec["ip"], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise InitError(f"ip: {answer.stderr.strip()}")


def start(service: Spec) -> None:
    for command in service["prepare"]:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode:
            raise InitError(f"{' '.join(command)}: {(answer.stderr or answer.stdout).strip()}")
    console = Path("/var/log") / service["logs"][0][0] / "console.log"
    with console.open("ab") as stream:
        process = subprocess.Popen(
            service["command"], stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
    await_port(service, process)


def await_port(service: Spec, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SERVICE_SECONDS
    while time.monotonic() < deadline:
        if process.poll():
            raise InitError(f"{service['name']} ended with status {process.returncode}\n{last_words(service)}")
        try:
            socket.create_connection(tuple(service["ready"]), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise InitError(
        f"{service['name']} does not answer on {service['ready']} after {SERVICE_SECONDS:.0f} s\n{last_words(service)}"
    )


def last_words(service: Spec) -> str:
    found = []
    for folder, _unused in service["logs"]:
        for path in sorted(Path("/var/log", folder).glob("*.log")):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
            found += [f"  {path.name}: {line}" for line in lines]
    return "\n".join(found) or "  (it wrote nothing)"


# --- life ---------------------------------------------------------------------------------------------------------


def serve(listener: socket.socket | None) -> NoReturn:
    """Bury the dead, and give each ssh connection an sshd of its own."""
    wakeup, waker = os.pipe()
    os.set_blocking(wakeup, False)
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    watched: list[Any] = [wakeup] + ([listener] if listener else [])
    reap()
    while True:
        readable = select.select(watched, [], [])[0]
        if wakeup in readable:
            os.read(wakeup, 4096)
            reap()
        if listener in readable and listener:
            admit(listener)


def ssh_socket(spec: Spec) -> socket.socket:
    """A socket in the lab's folder: the user's ssh reaches it from outside, without any right of root."""
    path = STAGE / "lab/run" / f"{spec['name']}.ssh"
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    os.chown(path, *spec["owner"])
    listener.listen(128)
    return listener


def reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def admit(listener: socket.socket) -> None:
    connection, _unused = listener.accept()
    with connection:
        subprocess.Popen(
            ["/usr/sbin/sshd", "-i", "-f", "/etc/egress-lab/sshd_config", "-E", "/var/log/egress-lab-sshd.log"],
            stdin=connection.fileno(),
            stdout=connection.fileno(),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


if __name__ == "__main__":
    main()
