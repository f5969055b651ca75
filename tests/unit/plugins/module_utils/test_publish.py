# Copyright (c) 2026, The egress.allowlist authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing on the web host: whole files, untouched where nothing changed, and nothing lost."""

from __future__ import annotations

import base64
import copy
import errno
import hashlib
import html.parser
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from ansible_collections.egress.allowlist.plugins.module_utils import (
    _folder_lock,
    _publish,
    _publish_folder,
    _publish_page,
)
from ansible_collections.egress.allowlist.plugins.module_utils._errors import AllowlistError
from ansible_collections.egress.allowlist.plugins.module_utils._publish_record import Published
from ansible_collections.egress.allowlist.plugins.modules import publish as module

NAMES = [f"n{number}.example.com" for number in range(20)]
RECORD = ".egress_mmd.json"
WRITERS = ("rename", "unlink", "mkdir", "chmod", "fchmod", "fchown", "fsync")


def file(
    name: str = "mmd.pac", text: str = "// one\n", entries: Any = ("*.x.example.com",), **more: Any
) -> Dict[str, Any]:
    return {"name": name, "text": text, "dialect": "pac", "entries": list(entries), "counts": {}, **more}


def signed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "egress"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> List[int]:
    """Seconds since 1970; a test may move it."""
    now = [1_700_000_000]
    real = time.gmtime
    monkeypatch.setattr(time, "gmtime", lambda: real(now[0]))
    return now


def run(folder: Path, *files: Dict[str, Any], check: bool = False, **options: Any) -> Dict[str, Any]:
    params = {key: copy.deepcopy(option.get("default")) for key, option in module.ARGUMENT_SPEC.items()}
    params.update(directory=str(folder), files=list(files), **options)
    return _publish.publish(params, check, True)


def tree(folder: Path) -> Dict[str, Any]:
    if not folder.exists():
        return {}
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in folder.iterdir()}


def marks(folder: Path) -> Dict[str, Any]:
    """What a web server makes ETag and Last-Modified of, and the inode."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


# What is there afterwards


def test_files_index_checksums_and_a_record_that_is_not_for_readers(web: Path) -> None:
    answer = run(web, file(), file("mmd-panos.txt", "x.example.com/\n", signature=signed("S")))
    assert answer["changed"]
    assert {path.name for path in web.iterdir()} == {
        "mmd.pac", "mmd-panos.txt", "mmd-panos.txt.sig", "index.html", "SHA256SUMS", RECORD,
    }  # fmt: skip
    assert (web / RECORD).stat().st_mode & 0o777 == 0o600
    assert (web / "mmd.pac").stat().st_mode & 0o777 == 0o644
    assert (web / "mmd-panos.txt.sig").read_bytes() == b"S"
    assert [(one["name"], one["signed"], one["changed"]) for one in answer["files"]] == [
        ("mmd-panos.txt", True, True), ("mmd.pac", False, True),
    ]  # fmt: skip
    one = answer["files"][1]
    assert one["sha256"] == hashlib.sha256(b"// one\n").hexdigest()
    assert (one["size"], one["since"], one["path"]) == (7, "2023-11-14T22:13:20Z", str(web / "mmd.pac"))


def test_the_checksums_are_those_that_sha256sum_reads(web: Path) -> None:
    run(web, file(), file("b.txt", "b\n"))
    subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=web, check=True, stdout=subprocess.DEVNULL)


def test_a_second_run_touches_nothing(web: Path, clock: List[int]) -> None:
    run(web, file(signature=signed("S")))
    before = marks(web)
    clock[0] += 3600
    answer = run(web, file())
    assert not answer["changed"] and answer["diff"] == [] and answer["removed"] == []
    assert marks(web) == before
    assert answer["files"][0]["since"] == "2023-11-14T22:13:20Z"


def test_only_what_changes_is_written(web: Path, clock: List[int]) -> None:
    run(web, file(), file("b.txt", "b\n"))
    before = marks(web)
    clock[0] += 3600
    answer = run(web, file(text="// two\n"), file("b.txt", "b\n"))
    assert {one["name"]: one["changed"] for one in answer["files"]} == {"mmd.pac": True, "b.txt": False}
    assert {one["name"]: one["since"][11:16] for one in answer["files"]} == {"mmd.pac": "23:13", "b.txt": "22:13"}
    assert marks(web)["b.txt"] == before["b.txt"]


def test_check_mode_answers_the_same_and_writes_nothing(web: Path) -> None:
    run(web, file(), file("b.txt", "b\n"))
    before = tree(web), marks(web)
    wanted = file(text="// two\n"), file("c.txt", "c\n")
    foretold = run(web, *wanted, check=True)
    assert (tree(web), marks(web)) == before
    assert run(web, *wanted) == foretold
    assert foretold["changed"] and foretold["removed"] == ["b.txt"]


def test_the_folder_is_made_where_only_it_is_missing(tmp_path: Path) -> None:
    assert run(tmp_path / "new", file(), check=True)["changed"]
    assert not (tmp_path / "new").exists()
    old = os.umask(0o077)
    try:
        run(tmp_path / "new", file())
    finally:
        os.umask(old)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "new" / "mmd.pac").stat().st_mode & 0o777 == 0o644


def test_no_pages_where_none_are_wanted(web: Path) -> None:
    run(web, file())
    assert run(web, file(), index="", checksums="")["removed"] == ["SHA256SUMS", "index.html"]
    assert {path.name for path in web.iterdir()} == {"mmd.pac", RECORD}


def test_absent_takes_away_what_is_ours_and_nothing_else(web: Path) -> None:
    (web / "site.txt").write_text("site")
    run(web, file(signature=signed("S")))
    foretold = run(web, state="absent", check=True)
    assert len(list(web.iterdir())) == 6
    assert run(web, state="absent") == foretold
    assert [path.name for path in web.iterdir()] == ["site.txt"]
    assert not run(web, state="absent")["changed"]
    assert not run(web / "nowhere", state="absent")["changed"]


# Drift


def test_a_file_edited_by_hand_is_put_right_and_shown(web: Path) -> None:
    run(web, file())
    (web / "mmd.pac").write_text("// mine\n")
    answer = run(web, file())
    assert answer["diff"] == [{"before_header": str(web / "mmd.pac"), "after_header": str(web / "mmd.pac"),
                               "before": "// mine\n", "after": "// one\n"}]  # fmt: skip
    assert (web / "mmd.pac").read_text() == "// one\n"


def test_mode_is_put_right_without_touching_the_content(web: Path) -> None:
    run(web, file())
    before = marks(web)
    (web / "mmd.pac").chmod(0o600)
    answer = run(web, file())
    (told,) = answer["diff"]
    assert answer["changed"] and (told["before"], told["after"]) == ("mode 0600\n", "mode 0644\n")
    assert marks(web)["mmd.pac"] == before["mmd.pac"]
    assert (web / "mmd.pac").stat().st_mode & 0o777 == 0o644


def test_a_link_in_our_files_place_is_replaced_and_not_followed(web: Path, tmp_path: Path) -> None:
    run(web, file())
    (tmp_path / "victim").write_text("victim")
    (web / "mmd.pac").unlink()
    (web / "mmd.pac").symlink_to(tmp_path / "victim")
    assert run(web, file())["changed"]
    assert (tmp_path / "victim").read_text() == "victim"
    assert not (web / "mmd.pac").is_symlink() and (web / "mmd.pac").read_text() == "// one\n"


def test_a_link_in_the_place_aside_is_not_followed(web: Path, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("victim")
    (web / ".egress_mmd.mmd.pac.new").symlink_to(tmp_path / "victim")
    run(web, file())
    assert (tmp_path / "victim").read_text() == "victim" and (web / "mmd.pac").read_text() == "// one\n"


# Signatures


def test_a_signature_stays_with_its_content_and_goes_with_it(web: Path) -> None:
    run(web, file(signature=signed("S")))
    assert run(web, file())["files"][0]["signed"]
    answer = run(web, file(text="// two\n"))
    assert not answer["files"][0]["signed"] and answer["removed"] == ["mmd.pac.sig"]
    run(web, file(text="// two\n", signature=signed("T")))
    assert run(web, file(text="// two\n", signature=""))["removed"] == ["mmd.pac.sig"]


def test_a_signature_that_somebody_changed_counts_as_none(web: Path) -> None:
    run(web, file(signature=signed("S")))
    (web / "mmd.pac.sig").write_text("other")
    assert not run(web, file(), check=True)["files"][0]["signed"]


# What is refused


GOOD = [file("mmd.pac", "// good\n", NAMES)]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "files: expected at least one"),
        ([file(text=" \n")], "text is empty; the last good version stays"),
        ([file(entries=())], "entries: expected what the file holds"),
        ([file(text="// few\n", entries=NAMES[:14])], r"mmd\.pac holds \(30 %\).*max_shrink: 30"),
        ([file("other.pac", entries=NAMES[:5])], "the folder holds"),
    ],
)
def test_the_last_good_version_stays(web: Path, files: List[Dict[str, Any]], said: str) -> None:
    run(web, *GOOD)
    before = tree(web), marks(web)
    for check in (True, False):
        with pytest.raises(AllowlistError, match=said):
            run(web, *files, check=check)
    assert (tree(web), marks(web)) == before


def test_shrinking_on_purpose(web: Path) -> None:
    run(web, *GOOD)
    assert run(web, file(text="// few\n", entries=NAMES[:14]), max_shrink=30)["changed"]
    # What a wildcard still covers is not lost, and paths and networks are compared as well.
    assert run(web, file(text="// all\n", entries=["*.example.com"]))["changed"]
    nets = [f"198.51.100.{number}/32" for number in range(8)]
    run(web, file(text="// nets\n", entries=["*.example.com", "x.com/p.txt", *nets]))
    with pytest.raises(AllowlistError, match=r"198\.51\.100\.0/32"):
        run(web, file(text="// nets\n", entries=["*.example.com", "x.com/p.txt"]))


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", ".htaccess", "a/b", "a\nb", "a\0b", "a\n", "", "a b", "..", "é.txt", "-rf", "x" * 129],
)
def test_names_that_lead_elsewhere(web: Path, name: str) -> None:
    with pytest.raises(AllowlistError, match=r"files\[0\]\.name: expected a plain file name"):
        run(web, file(name))
    if name:
        with pytest.raises(AllowlistError, match="index: expected a plain file name"):
            run(web, file(), index=name)
    assert list(web.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "options"),
    [
        ([file(), file()], {}),
        ([file("index.html")], {}),
        ([file("SHA256SUMS")], {}),
        ([file("a"), file("a.sig")], {}),
        ([file("a"), file("A")], {}),
        ([file()], {"index": "SHA256SUMS"}),
    ],
)
def test_names_that_clash(web: Path, files: List[Dict[str, Any]], options: Dict[str, Any]) -> None:
    with pytest.raises(AllowlistError, match="would be written twice"):
        run(web, *files, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "Mmd"}, "name: expected a small letter"),
        ({"name": "mmd\n"}, "name: expected a small letter"),
        ({"signature_suffix": "/../x"}, "signature_suffix: expected"),
        ({"max_shrink": 101}, "max_shrink: expected a percentage"),
        ({"mode": "u=rw"}, "mode: expected an octal number"),
        ({"mode": 644}, "mode: expected an octal number"),
        ({"owner": "nobody_of_this_name"}, "owner: .* is not known on this host"),
        ({"directory": "relative"}, "directory: expected an absolute path"),
        ({"directory": "/proc/nowhere/at/all"}, "neither is the folder above it"),
    ],
)
def test_options_that_cannot_be_used(web: Path, options: Dict[str, Any], said: str) -> None:
    params = {"name": "mmd", **options}
    folder = Path(params.pop("directory", str(web)))
    with pytest.raises(AllowlistError, match=said):
        run(folder, file(), **params)
    assert list(web.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"signature": "%%"}, "signature: expected base64"),
        ({"counts": {"exact": "<b>"}}, "counts: expected numbers"),
        ({"counts": {"odd": 1}}, "counts: expected numbers"),
        ({"dialect": "<script>"}, "dialect: expected"),
        ({"entries": ["not a name"]}, r"files\[0\]\.entries\[0\]"),
        ({"text": "\ud800 x"}, "cannot be written as UTF-8"),
    ],
)
def test_files_that_cannot_be_used(web: Path, more: Dict[str, Any], said: str) -> None:
    with pytest.raises(AllowlistError, match=said):
        run(web, file(**more))


def test_a_directory_that_is_a_link_or_a_file(web: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(web)
    (tmp_path / "file").write_text("")
    with pytest.raises(AllowlistError, match="is a link"):
        run(tmp_path / "link", file())
    with pytest.raises(AllowlistError, match="is no folder"):
        run(tmp_path / "file", file())
    (web / "mmd.pac").mkdir()
    with pytest.raises(AllowlistError, match="is no plain file"):
        run(web, file())


# Others


def test_files_of_others_are_refused_and_can_be_taken_over(web: Path) -> None:
    (web / "mmd.pac").write_text("theirs")
    with pytest.raises(AllowlistError, match=r"did not write: mmd\.pac.*adopt: true"):
        run(web, file())
    assert (web / "mmd.pac").read_text() == "theirs"
    assert run(web, file(), adopt=True)["diff"][0]["before"] == "theirs"
    assert not run(web, file())["changed"]


def test_two_lists_share_a_folder_and_never_their_files(web: Path) -> None:
    run(web, file())
    with pytest.raises(AllowlistError, match="SHA256SUMS, index.html in .* belongs to our list mmd"):
        run(web, file("branch.pac"), name="branch", adopt=True)
    run(web, file("branch.pac"), name="branch", index="", checksums="")
    run(web, state="absent")
    assert {path.name for path in web.iterdir()} == {"branch.pac", ".egress_branch.json"}


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"{}", b"\xff", b'{"format": 2, "name": "mmd", "files": {}, "pages": [], "pending": {}}',
     b'{"format": 1, "name": "mmd", "files": {}, "pages": ["../../etc/passwd"], "pending": {}}', b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_record_says_what_to_do(web: Path, damage: bytes) -> None:
    run(web, file())
    good = (web / RECORD).read_bytes()
    (web / RECORD).write_bytes(damage)
    for state in ("present", "absent"):
        with pytest.raises(AllowlistError, match=r"record of what is ours is damaged.*adopt: true"):
            run(web, file(), state=state)
    assert run(web, file(), adopt=True)["changed"]
    assert (web / RECORD).read_bytes() == good


# Accidents


class Killed(BaseException):
    """Not an Exception: nothing may catch it, as nothing catches SIGKILL."""


@pytest.fixture
def dies(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A run dies before its operation of that number that changes the disk; afterwards it cleans nothing up."""
    left = [0]
    real = {name: getattr(os, name) for name in WRITERS}

    def guard(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0 or left[0] < -1_000_000:
                left[0] = -1_000_001
                raise Killed
            return real[name](*args, **kwargs)

        return call

    for name in WRITERS:
        monkeypatch.setattr(os, name, guard(name))

    def arm(step: int) -> None:
        left[0] = step

    return arm


OLD = [
    file("a.txt", "a\n", NAMES),
    file("b.txt", "b\n", NAMES, signature=signed("B")),
    file("mmd.pac", "// 1\n", NAMES),
]
NEW = [
    file("b.txt", "bb\n", NAMES[1:], signature=signed("BB")),
    file("c.txt", "c\n", NAMES),
    file("mmd.pac", "// 1\n", NAMES),
]
CHANGES: Dict[str, Any] = {
    "first": ([], NEW, "present"),
    "replace": (OLD, NEW, "present"),
    "absent": (OLD, [], "absent"),
    "made": (None, OLD, "present"),
}


def settle(folder: Path, before: Any, clock: List[int]) -> Dict[str, Any]:
    """What was there before the run that dies; an hour later it begins."""
    shutil.rmtree(folder, ignore_errors=True)
    clock[0] = 1_700_000_000
    if before is not None:
        folder.mkdir()
        (folder / "site.txt").write_text("site")
    if before:
        run(folder, *before)
    clock[0] += 3600
    return tree(folder)


def readers_see(folder: Path) -> Dict[str, Any]:
    return {name: one for name, one in tree(folder).items() if not name.startswith(".")}


@pytest.mark.parametrize("change", CHANGES)
def test_killed_anywhere_the_next_run_heals(
    web: Path, change: str, dies: Callable[[int], None], clock: List[int]
) -> None:
    before, files, state = CHANGES[change]
    start = settle(web, before, clock)
    run(web, *files, state=state)
    end = tree(web)
    assert not [name for name in end if name.endswith(".new")]
    step, killed = 0, True
    while killed:
        step += 1
        settle(web, before, clock)
        dies(step)
        try:
            run(web, *files, state=state)
            killed = False
        except Killed:
            dies(0)
            met = readers_see(web)
            for name, one in met.items():  # each file is whole: the old one or the new one
                assert one in (start.get(name), end.get(name)), f"step {step}: {name}"
            assert set(start) & set(end) - {RECORD} <= set(met), f"step {step}"
            run(web, *files, state=state)
        assert tree(web) == end, f"step {step}"
    assert step > 5


def test_since_is_when_the_content_came_also_where_a_later_run_finishes(
    web: Path, dies: Callable[[int], None], clock: List[int]
) -> None:
    met = set()
    for step in range(1, 100):
        settle(web, OLD, clock)
        dies(step)
        try:
            run(web, *NEW)
            break
        except Killed:
            dies(0)
            came = (web / "b.txt").read_text() == "bb\n"
            clock[0] += 3600
            (found,) = [one for one in run(web, *NEW)["files"] if one["name"] == "b.txt"]
            met.add((came, found["since"][11:16]))
    assert (True, "23:13") in met and (False, "00:13") in met and (True, "00:13") not in met


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("operation", ["open", "fsync", "fchmod"])
@pytest.mark.parametrize("good", [0, 2, 5, 6])
def test_a_disk_that_is_full_or_read_only_loses_nothing(
    web: Path, monkeypatch: pytest.MonkeyPatch, number: int, operation: str, good: int
) -> None:
    run(web, *OLD)
    before = tree(web), marks(web)
    calls = 0
    real = getattr(os, operation)

    def fail(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        writes = operation != "open" or args[1] & os.O_WRONLY
        calls += bool(writes)
        if writes and calls > good:
            raise OSError(number, os.strerror(number))
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, operation, fail)
        with pytest.raises(AllowlistError, match=os.strerror(number)):
            run(web, *NEW)
    assert (tree(web), marks(web)) == before
    assert run(web, *NEW)["changed"]


def test_a_second_run_waits_for_the_first(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_folder_lock, "LOCK_SECONDS", 0.2)
    first = _publish_folder.Folder(str(web), "mmd")
    first.lock()
    with pytest.raises(AllowlistError, match="another run has held"):
        run(web, file())
    first.unlock()
    assert run(web, file())["changed"]


# The index page


class Page(html.parser.HTMLParser):
    """Tags and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: List[str] = []
        self.links: List[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.links += [value for key, value in attrs if key in ("href", "src")]


def test_the_index_says_what_is_there_and_loads_nothing(web: Path) -> None:
    run(web, file(signature=signed("S"), counts={"exact": 41, "broader": 7}))
    text = (web / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert set(page.links) == {"mmd.pac", "mmd.pac.sig", "SHA256SUMS"}
    assert not {"script", "img", "link", "iframe"} & set(page.tags)
    digest = hashlib.sha256(b"// one\n").hexdigest()
    for word in ("PAC file", "2023-11-14T22:13:20Z", digest, ">41<", ">7<", "sha256sum"):
        assert word in text


def test_everything_on_the_index_is_escaped() -> None:
    """The module refuses such names; the page does not rely on it."""
    evil = '"><script>alert(1)</script>&'
    one = Published(evil, 1, evil, evil, (evil,), {"exact": evil}, evil)  # type: ignore[dict-item]
    text = _publish_page.index(evil, {evil: one}, evil).decode("utf-8")
    assert "<script" not in text and "script" not in Page(text).tags
    assert "&lt;script&gt;" in text


def test_the_record_holds_what_the_files_hold(web: Path) -> None:
    run(web, file(entries=["*.x.com", {"value": "x.com", "path": "/p.txt"}, "198.51.100.0/24"]))
    record = json.loads((web / RECORD).read_text(encoding="utf-8"))
    assert record["files"]["mmd.pac"]["entries"] == ["x.com/p.txt", "*.x.com", "198.51.100.0/24"]
